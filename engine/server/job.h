#ifndef JML_JOB_H
#define JML_JOB_H

#include "call.h"
#include "identity.h"
#include "tally.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * job: one request that is not answered on the loop: a self-contained copy of what it needs.
 *
 * Made by a loop, carried out by a worker (writes are finished by the writer's thread), given back to its
 * loop through job->finished, and destroyed there. It knows its connection by number only, so an
 * answer for one that has gone finds nobody. One owner at a time; `lane` outlives it (counted).
 */
struct lane;

struct job {
    struct job *next; /* the queue's that it stands in */
    struct lane *lane;
    struct tallies *tallies;
    uint64_t session;
    uint32_t msgid;
    bool is_notification, is_write;
    size_t held_bytes; /* in TALLY_HELD_BYTES until job_destroy */

    struct identity *identity;
    struct watch_seat *seat; /* the connection as watches know it; held, or NULL */
    const struct method *method;
    struct str params; /* a packed map in the arena, or empty */
    struct arena *arena;
    struct call call;
    bool has_call; /* `call` must be released */
    struct err err;

    void (*finished)(struct job *job); /* any thread; called exactly once */
    void *finished_context;
};

struct job_host { /* what all jobs of a service have in common */
    struct engine *engine;
    struct tallies *tallies;
    const struct call_host *call_host;
    const _Atomic int64_t *limits; /* LIMIT_COUNT */
};

/* NULL if out of memory. */
struct job *job_create(const struct job_host *host, const struct method *method, struct str params,
                       struct identity *identity, int64_t received_ms);
void job_destroy(struct job *job); /* NULL is fine */

/* On a worker. Has job->finished called, now or from the writer's thread; after this the job may be gone. */
void job_run(struct job *job, bool (*is_cancelled)(void *context), void *context);
/* Without doing it: err becomes its answer. */
void job_refuse(struct job *job, enum err_code code, const char *message);

#endif
