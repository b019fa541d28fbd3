#include "limit_table.h"
#include "pool.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>

/*
 * A job is finished on a thread of the pool, so nothing is asserted there: it notes who it was, and the
 * test reads the notes. One worker that stands at the gate shows in which order the rest is taken.
 */
enum { NOTES_MAX = 512 };

static struct rpc rpc;
static struct pool *pool;
static struct tallies tallies;
static _Atomic int64_t limits[LIMIT_COUNT];

static struct {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    uint32_t who[NOTES_MAX];
    enum err_code codes[NOTES_MAX];
    size_t n;
    bool is_gate_shut, is_at_gate;
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

enum { GATE = 9999 };

static void
setup(void)
{
    rpc_open(&rpc);
    for (int i = 0; i < LIMIT_COUNT; i++)
        limits[i] = limit_rows[i].preset;
}

static void
teardown(void)
{
    pool_destroy(pool);
    rpc_close(&rpc);
    cr_expect_eq(tally_get(&tallies, TALLY_IN_FLIGHT), 0);
    cr_expect_eq(tally_get(&tallies, TALLY_HELD_BYTES), 0);
}

TestSuite(pool, .init = setup, .fini = teardown, .timeout = 60);

static void
open_pool(size_t n_workers)
{
    struct err err = {0};

    cr_assert_eq(pool_create(n_workers, &pool, &err), ERR_OK, "%s", err.message);
}

static void
finished(struct job *job)
{
    uint32_t who = job->msgid;
    enum err_code code = job->err.code;

    pthread_mutex_lock(&notes.lock);
    if (who == GATE) {
        notes.is_at_gate = true;
        pthread_cond_broadcast(&notes.moved);
        while (notes.is_gate_shut)
            pthread_cond_wait(&notes.moved, &notes.lock);
    }
    job_destroy(job); /* before the test hears of it and looks at the counters */
    notes.codes[notes.n] = code;
    notes.who[notes.n++] = who;
    pthread_cond_broadcast(&notes.moved);
    pthread_mutex_unlock(&notes.lock);
}

static void
submit(struct lane *lane, uint32_t who, const char *method, struct str params)
{
    const struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("test")};
    const struct job_host host = {.engine = rpc.engine, .tallies = &tallies, .limits = limits};
    struct identity *identity = identity_create(&caller);
    struct job *job = job_create(&host, method_find(str_from(method)), params, identity, 0);

    identity_drop(identity);
    cr_assert_not_null(job);
    job->msgid = who;
    job->finished = finished;
    lane_submit(lane, job);
}

static void
submit_read(struct lane *lane, uint32_t who)
{
    submit(lane, who, "system.ping", (struct str){NULL, 0});
}

/* A write that is refused by the writer's thread: all that matters is when. */
static void
submit_write(struct lane *lane, uint32_t who)
{
    submit(lane, who, "programme.delete", STR_LIT("\x81\xa2id\xa4none"));
}

static void
await(size_t n)
{
    pthread_mutex_lock(&notes.lock);
    while (notes.n < n)
        pthread_cond_wait(&notes.moved, &notes.lock);
    pthread_mutex_unlock(&notes.lock);
}

/* The one worker stands at the gate when this returns. */
static struct lane *
shut_gate(void)
{
    struct lane *lane = lane_create(pool);

    notes.is_gate_shut = true;
    submit_read(lane, GATE);
    pthread_mutex_lock(&notes.lock);
    while (!notes.is_at_gate)
        pthread_cond_wait(&notes.moved, &notes.lock);
    pthread_mutex_unlock(&notes.lock);
    return lane;
}

static void
open_gate(void)
{
    pthread_mutex_lock(&notes.lock);
    notes.is_gate_shut = false;
    pthread_cond_broadcast(&notes.moved);
    pthread_mutex_unlock(&notes.lock);
}

static void
expect_order(const uint32_t *who, size_t n)
{
    await(n);
    for (size_t i = 0; i < n; i++)
        cr_expect_eq(notes.who[i], who[i], "the %zu-th to finish was %u, not %u", i, notes.who[i],
                     who[i]);
}

Test(pool, has_1_to_256_workers)
{
    struct err err = {0};

    cr_expect_eq(pool_create(0, &pool, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(pool_create(257, &pool, &err), ERR_INVALID_PARAMS);
    open_pool(256);
    cr_expect_eq(pool_workers(pool), 256);
}

Test(pool, lanes_take_turns_so_that_a_long_queue_holds_nobody_up)
{
    struct lane *gate, *busy, *other;

    open_pool(1);
    gate = shut_gate();
    busy = lane_create(pool);
    other = lane_create(pool);
    for (uint32_t i = 0; i < 5; i++)
        submit_read(busy, i);
    submit_read(other, 100);
    submit_read(other, 101);
    open_gate();
    expect_order((const uint32_t[]){GATE, 0, 100, 1, 101, 2, 3, 4}, 8);
    lane_close(gate);
    lane_close(busy);
    lane_close(other);
}

Test(pool, reads_and_writes_of_a_lane_take_turns)
{
    struct lane *gate, *lane;
    size_t at_read = 0, at_write = 0;

    open_pool(1);
    gate = shut_gate();
    lane = lane_create(pool);
    for (uint32_t i = 0; i < 4; i++)
        submit_write(lane, 100 + i);
    for (uint32_t i = 0; i < 4; i++)
        submit_read(lane, i);
    open_gate();
    await(9);
    for (size_t i = 1; i < 9; i++) /* the writer's thread tells its own; each kind is in order */
        if (notes.who[i] < 100)
            cr_expect_eq(notes.who[i], at_read++);
        else
            cr_expect_eq(notes.who[i], 100 + at_write++);
    lane_close(gate);
    lane_close(lane);
}

Test(pool, the_writes_of_a_lane_take_effect_in_the_order_sent)
{
    struct lane *lane;

    open_pool(4);
    lane = lane_create(pool);
    for (uint32_t i = 0; i < 300; i++)
        submit_write(lane, i);
    await(300);
    for (uint32_t i = 0; i < 300; i++) {
        cr_expect_eq(notes.who[i], i);
        cr_expect_eq(notes.codes[i], ERR_NOT_FOUND);
    }
    lane_close(lane);
}

Test(pool, a_paused_lane_waits_while_others_go_on)
{
    struct lane *paused, *other;

    open_pool(2);
    paused = lane_create(pool);
    other = lane_create(pool);
    lane_pause(paused, true);
    submit_read(paused, 1);
    submit_write(paused, 2);
    for (uint32_t i = 0; i < 10; i++)
        submit_read(other, 100 + i);
    await(10);
    for (size_t i = 0; i < 10; i++)
        cr_expect_geq(notes.who[i], 100);
    lane_pause(paused, false);
    await(12);
    lane_close(paused);
    lane_close(other);
}

Test(pool, a_lane_that_was_paused_in_the_ring_is_passed_over)
{
    struct lane *gate, *paused, *other;

    open_pool(1);
    gate = shut_gate();
    paused = lane_create(pool);
    other = lane_create(pool);
    submit_read(paused, 1); /* stands in the ring now */
    submit_read(other, 2);
    lane_pause(paused, true);
    open_gate();
    expect_order((const uint32_t[]){GATE, 2}, 2);
    lane_pause(paused, false);
    expect_order((const uint32_t[]){GATE, 2, 1}, 3);
    lane_close(gate);
    lane_close(paused);
    lane_close(other);
}

Test(pool, closing_a_lane_destroys_what_waits_and_says_how_much)
{
    struct lane *gate, *lane;

    open_pool(1);
    gate = shut_gate();
    lane = lane_create(pool);
    for (uint32_t i = 0; i < 3; i++)
        submit_read(lane, i);
    submit_write(lane, 3);
    cr_expect_eq(lane_close(lane), 4);
    open_gate();
    expect_order((const uint32_t[]){GATE}, 1);
    lane_close(gate);
}

Test(pool, a_lane_closed_while_its_job_runs_lives_until_that_ends)
{
    struct lane *gate;

    open_pool(1);
    gate = shut_gate();
    cr_expect_eq(lane_close(gate), 0);
    open_gate();
    expect_order((const uint32_t[]){GATE}, 1);
}

Test(pool, once_all_is_cancelled_jobs_end_at_their_next_step)
{
    struct lane *lane;

    open_pool(2);
    lane = lane_create(pool);
    pool_cancel_all(pool);
    submit_read(lane, 1);
    submit_write(lane, 2);
    await(2);
    cr_expect_eq(notes.codes[0], ERR_CANCELLED);
    cr_expect_eq(notes.codes[1], ERR_CANCELLED);
    lane_close(lane);
}

static void *
open_gate_later(void *unused)
{
    open_gate();
    return unused;
}

Test(pool, is_destroyed_when_what_has_begun_has_ended)
{
    pthread_t opener;

    open_pool(1);
    lane_close(shut_gate());
    cr_assert_eq(pthread_create(&opener, NULL, open_gate_later, NULL), 0);
    pool_destroy(pool);
    pool = NULL;
    cr_expect_eq(notes.n, 1);
    pthread_join(opener, NULL);
    pool_destroy(NULL);
}
