#ifndef JML_SERVICE_H
#define JML_SERVICE_H

#include "call.h"
#include "console.h"
#include "identity.h"
#include "job.h"
#include "limit_table.h"
#include "log.h"
#include "pool.h"
#include "tally.h"
#include "tls.h"
#include "watch_desk.h"

/*
 * service: what all loops, connections and jobs of one running service share.
 *
 * Filled by server.c before the first loop starts and unchanged until the last has ended, but for the
 * tallies, what live_settings.c changes, and the last three. Nothing here is global: a test can run two.
 */
struct service {
    struct engine *engine;
    struct pool *pool;
    struct log *log;
    const struct clock *clock;
    struct tallies tallies;
    struct call_host call_host;
    struct job_host job_host;
    struct tls_desk tls;
    bool has_tls; /* some address is encrypted */
    struct console console;
    uid_t own_uid;
    _Atomic uint64_t admin_group;        /* its number + 1; 0: none */
    _Atomic int64_t limits[LIMIT_COUNT]; /* as the two above and below, by live_settings.c */
    int64_t drain_s;                     /* the main loop's */
    _Atomic int64_t
        bad_tokens_ms; /* steady; when the second began in which n_bad_tokens were shown */
    _Atomic int64_t n_bad_tokens;
    _Atomic bool is_draining;     /* new work is refused, what was begun is finished */
    _Atomic bool must_end;        /* time is up: connections are closed as they are */
    _Atomic size_t n_other_loops; /* beside the main one, that have not ended */
};

static inline struct peer_rights
service_rights(const struct service *service)
{
    uint64_t group = service->admin_group;

    return (struct peer_rights){.own_uid = service->own_uid,
                                .admin_group = (gid_t)(group - 1),
                                .has_admin_group = group != 0};
}

#endif
