#include "store_fixture.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct fixture fixture;

static void
setup(void)
{
    fixture_open(&fixture);
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(writer, .init = setup, .fini = teardown);

/* What a request is to do, and what came of it. */
enum act { ACT_PUT, ACT_REFUSE, ACT_SPOIL };

struct job {
    struct write_request request;
    enum act act;
    char id[24];
    int n_runs;
    struct err err;
    bool is_done;
};

/* Counts answers; and holds the writer until all requests wait, so that they are one group. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open;
    size_t n_done;
};

static struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

static enum err_code
run_wait(struct store_txn *txn, void *context, struct err *err)
{
    (void)txn, (void)context;
    pthread_mutex_lock(&gate.lock);
    while (!gate.is_open)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    return err_set(err, ERR_CONFLICT, "held");
}

static enum err_code
run_job(struct store_txn *txn, void *context, struct err *err)
{
    struct job *job = context;
    uint64_t version;
    enum err_code code;

    job->n_runs++;
    if (job->act == ACT_REFUSE)
        return err_set(err, ERR_CONFLICT, "not this one");
    code = put_in(txn, job->id, "x", &version, err);
    if (code == ERR_OK && job->act == ACT_SPOIL)
        code = err_set(err, ERR_STORAGE_FULL, "after having written");
    return code;
}

static void
count_done(void)
{
    pthread_mutex_lock(&gate.lock);
    gate.n_done++;
    pthread_cond_broadcast(&gate.changed);
    pthread_mutex_unlock(&gate.lock);
}

static void
job_done(void *context, const struct err *err)
{
    struct job *job = context;

    job->err = *err;
    job->is_done = true;
    count_done();
}

static void
held_done(void *context, const struct err *err)
{
    (void)context, (void)err;
    count_done();
}

/* Queues all jobs while the writer is held, lets it go, and waits until all are answered. */
static void
run_as_one_group(struct job *jobs, size_t n)
{
    struct write_request held = {.run = run_wait, .done = held_done};
    struct err err = {0};

    cr_assert_eq(store_submit(fixture.store, &held, &err), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        snprintf(jobs[i].id, sizeof jobs[i].id, "p%zu", i);
        jobs[i].request =
            (struct write_request){.run = run_job, .done = job_done, .context = &jobs[i]};
        cr_assert_eq(store_submit(fixture.store, &jobs[i].request, &err), ERR_OK);
    }
    pthread_mutex_lock(&gate.lock);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.changed);
    while (gate.n_done < n + 1)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
}

Test(writer, what_waits_together_is_committed_together)
{
    struct job jobs[50] = {{.act = ACT_PUT}};
    struct store_sizes before, after;
    struct err err = {0};

    store_sizes(fixture.store, &before, &err);
    run_as_one_group(jobs, 50);
    store_sizes(fixture.store, &after, &err);
    for (size_t i = 0; i < 50; i++)
        cr_expect_eq(jobs[i].err.code, ERR_OK);
    cr_expect_leq(after.commits - before.commits, 2, "%d commits",
                  (int)(after.commits - before.commits));
    cr_expect_eq(after.profiles, 50);
}

Test(writer, one_that_refuses_before_writing_harms_no_other)
{
    struct job jobs[3] = {{.act = ACT_PUT}, {.act = ACT_REFUSE}, {.act = ACT_PUT}};

    run_as_one_group(jobs, 3);
    cr_expect_eq(jobs[0].err.code, ERR_OK);
    cr_expect_eq(jobs[1].err.code, ERR_CONFLICT);
    cr_expect_str_eq(jobs[1].err.message, "not this one");
    cr_expect_eq(jobs[2].err.code, ERR_OK);
    cr_expect_not_null(profile_name(&fixture, "p0"));
    cr_expect_null(profile_name(&fixture, "p1"));
    cr_expect_not_null(profile_name(&fixture, "p2"));
}

Test(writer, a_group_that_one_spoiled_is_run_again_one_by_one)
{
    struct job jobs[3] = {{.act = ACT_PUT}, {.act = ACT_SPOIL}, {.act = ACT_PUT}};

    run_as_one_group(jobs, 3);
    cr_expect_eq(jobs[0].err.code, ERR_OK);
    cr_expect_eq(jobs[1].err.code, ERR_STORAGE_FULL);
    cr_expect_eq(jobs[2].err.code, ERR_OK);
    cr_expect_null(profile_name(&fixture, "p1"), "what it wrote is undone");
    cr_expect_not_null(profile_name(&fixture, "p0"));
    cr_expect_eq(newest_seq(&fixture), 2);
}

/* ---- the observer ---- */

struct seen {
    int n_begun, n_published, n_abandoned;
    uint64_t seq;
};

static void
on_begin(void *context)
{
    ((struct seen *)context)->n_begun++;
}

static void
on_publish(void *context, uint64_t seq)
{
    ((struct seen *)context)->n_published++;
    ((struct seen *)context)->seq = seq;
}

static void
on_abandon(void *context)
{
    ((struct seen *)context)->n_abandoned++;
}

Test(writer, the_observer_hears_of_each_group_once_and_before_the_answer)
{
    struct seen seen = {0};
    struct write_observer observer = {on_begin, on_publish, on_abandon, &seen};
    struct job refused = {.act = ACT_REFUSE};
    struct err err = {0};

    store_observe(fixture.store, &observer);
    put_profile(&fixture, "a", "x");
    cr_expect_eq(seen.n_begun, 1);
    cr_expect_eq(seen.n_published, 1);
    cr_expect_eq(seen.seq, 1);
    cr_expect_eq(store_write(fixture.store, run_job, &refused, &err), ERR_CONFLICT);
    cr_expect_eq(seen.n_published, 1);
    cr_expect_eq(seen.n_abandoned, 1);
    store_observe(fixture.store, &(struct write_observer){0});
}

/* ---- the map ---- */

struct named {
    const char *id, *name;
    uint64_t version;
};

static enum err_code
run_named(struct store_txn *txn, void *context, struct err *err)
{
    struct named *named = context;

    return put_in(txn, named->id, named->name, &named->version, err);
}

Test(writer, a_full_map_refuses_the_write_and_keeps_the_rest)
{
    struct store_options options = {.dir =
                                        arena_format(fixture.arena, "%s/small", fixture.dir).data,
                                    .map_bytes = 512 * 1024,
                                    .clock = &fixture.clock};
    struct fixture small = {.clock = fixture.clock, .arena = fixture.arena};
    char name[20001];
    struct err err = {0};
    enum err_code code = ERR_OK;
    int n = 0;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(store_open(&options, &small.store, &err), ERR_OK, "%s", err.message);
    put_profile(&small, "first", "kept");
    for (; code == ERR_OK && n < 100; n++) {
        struct named job = {arena_format(fixture.arena, "p%d", n).data, name, 0};

        code = store_write(small.store, run_named, &job, &err);
    }
    cr_expect_eq(code, ERR_STORAGE_FULL, "%s after %d: %s", err_name(code), n, err.message);
    cr_expect_not_null(strstr(err.message, "--map-size"));
    cr_expect_str_eq(profile_name(&small, "first"), "kept");
    store_close(small.store);
}
