#ifndef JML_SERVICE_H
#define JML_SERVICE_H

#include "call.h"
#include "identity.h"
#include "job.h"
#include "limit_table.h"
#include "log.h"
#include "pool.h"
#include "static_files.h"
#include "tally.h"
#include "tls.h"

/*
 * service: what all loops, connections and jobs of one running service share.
 *
 * Filled by server.c before the first loop starts and unchanged until the last has ended, but for the
 * tallies and the last three. Nothing here is global: a test can run two.
 */
struct service {
    struct engine *engine;
    struct pool *pool;
    struct log *log;
    const struct clock *clock;
    struct tallies tallies;
    struct call_host call_host;
    struct job_host job_host;
    struct peer_rights rights;
    struct tls_desk tls;
    struct static_files *files; /* the console's; NULL: none */
    int64_t limits[LIMIT_COUNT];
    _Atomic bool is_draining;     /* new work is refused, what was begun is finished */
    _Atomic bool must_end;        /* time is up: connections are closed as they are */
    _Atomic size_t n_other_loops; /* beside the main one, that have not ended */
};

#endif
