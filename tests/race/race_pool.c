/*
 * race_pool: jobs submitted, paused and closed by several threads while workers run them. Each job is
 * finished exactly once or destroyed with its lane, and the writes of a lane that stays finish in
 * the order in which they were submitted.
 */
#include "limit_table.h"
#include "pool.h"
#include "small_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WORKERS = 4, ASKERS = 4, ROUNDS = 60, JOBS = 24 };

static struct engine *engine;
static struct tallies tallies;
static struct pool *pool;
static _Atomic int64_t limits[LIMIT_COUNT];
static atomic_int n_faults;

/* What one lane is told by its finished jobs; msgid counts its writes. */
struct lane_watch {
    atomic_uint n_finished, next_write;
};

static void
finished(struct job *job)
{
    struct lane_watch *watch = job->finished_context;

    if (job->err.code != ERR_OK && job->err.code != ERR_CANCELLED && job->err.code != ERR_BUSY) {
        fprintf(stderr, "%s: %s\n", job->method->name, job->err.message);
        n_faults++;
    }
    /* one that was cancelled with its lane is told at once, before those that are being written */
    if (job->is_write && job->err.code == ERR_OK &&
        atomic_exchange(&watch->next_write, job->msgid + 1) > job->msgid) {
        fprintf(stderr, "a write finished out of turn\n");
        n_faults++;
    }
    job_destroy(job);
    atomic_fetch_add(&watch->n_finished, 1);
}

static struct job *
make_job(const char *method, struct str params, uint32_t msgid, struct lane_watch *watch)
{
    const struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("race")};
    const struct job_host host = {.engine = engine, .tallies = &tallies, .limits = limits};
    struct identity *identity = identity_create(&caller);
    struct job *job = job_create(&host, method_find(str_from(method)), params, identity, 0);

    identity_drop(identity);
    job->msgid = msgid;
    job->finished = finished;
    job->finished_context = watch;
    return job;
}

static void *
ask(void *context)
{
    static const char list[] = "\x81\xa5limit\x03";
    static const char put[] = "\x85\xa4"
                              "from\xb0"
                              "demo-startup-001\xa2to\xac"
                              "demo-host-01\xa4kind\xa6hosted\xa2"
                              "at\xaa"
                              "2026-03-02\xa4note\xa1x";

    (void)context;
    for (int round = 0; round < ROUNDS; round++) {
        struct lane_watch watch = {0};
        struct lane *lane = lane_create(pool);
        unsigned n_writes = 0, left = JOBS;

        for (int i = 0; i < JOBS; i++) {
            bool is_write = i % 4 == 0;

            lane_submit(lane, is_write ? make_job("outcome.put", (struct str){put, sizeof put - 1},
                                                  n_writes, &watch)
                                       : make_job("profile.list",
                                                  (struct str){list, sizeof list - 1}, 0, &watch));
            n_writes += is_write;
            if (i % 8 == 3)
                lane_pause(lane, true);
            if (i % 8 == 5)
                lane_pause(lane, false);
        }
        lane_pause(lane, false);
        if (round % 3 == 0) { /* gone in the middle: what waited is never finished */
            left -= (unsigned)lane_close(lane);
            lane = NULL;
        }
        while (atomic_load(&watch.n_finished) < left)
            sched_yield();
        if (lane != NULL && lane_close(lane) != 0)
            n_faults++;
    }
    return NULL;
}

int
main(void)
{
    char folder[] = "/tmp/jumelage-race-XXXXXX";
    struct engine_options options = {.data_dir = folder, .share_dir = JML_DATA};
    pthread_t askers[ASKERS];
    struct err err = {0};

    small_store_folder(folder);
    for (int i = 0; i < LIMIT_COUNT; i++)
        limits[i] = limit_rows[i].preset;
    if (engine_open(&options, &engine, &err) != ERR_OK ||
        pool_create(WORKERS, &pool, &err) != ERR_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    small_store_fill(engine, JML_DATA);
    for (int i = 0; i < ASKERS; i++)
        if (pthread_create(&askers[i], NULL, ask, NULL) != 0)
            return 1;
    for (int i = 0; i < ASKERS; i++)
        pthread_join(askers[i], NULL);
    pool_destroy(pool);
    engine_close(engine);
    small_store_remove(folder);
    if (tally_get(&tallies, TALLY_IN_FLIGHT) != 0 || tally_get(&tallies, TALLY_HELD_BYTES) != 0) {
        fprintf(stderr, "what jobs held was not given back\n");
        n_faults++;
    }
    return n_faults == 0 ? 0 : 1;
}
