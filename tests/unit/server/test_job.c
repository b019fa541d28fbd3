#include "alloc.h"
#include "job.h"
#include "limit_table.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <string.h>

static struct rpc rpc;
static struct tallies tallies;
static _Atomic int64_t limits[LIMIT_COUNT];
static struct job_host host;
static struct identity *identity;
static int n_finished;

static void
setup(void)
{
    const struct caller caller = {.role = ROLE_READER, .name = STR_LIT("test")};

    rpc_open(&rpc);
    for (int i = 0; i < LIMIT_COUNT; i++)
        limits[i] = limit_rows[i].preset;
    host = (struct job_host){.engine = rpc.engine, .tallies = &tallies, .limits = limits};
    identity = identity_create(&caller);
}

static void
teardown(void)
{
    identity_drop(identity);
    rpc_close(&rpc);
    cr_expect_eq(tally_get(&tallies, TALLY_IN_FLIGHT), 0);
    cr_expect_eq(tally_get(&tallies, TALLY_HELD_BYTES), 0);
}

TestSuite(job, .init = setup, .fini = teardown);

static void
finished(struct job *job)
{
    (void)job;
    n_finished++;
}

static struct job *
make(const char *method, struct str params)
{
    struct job *job = job_create(&host, method_find(str_from(method)), params, identity, 0);

    cr_assert_not_null(job);
    job->finished = finished;
    return job;
}

static void
run_and_expect(const char *method, struct str params, enum err_code code)
{
    struct job *job = make(method, params);

    n_finished = 0;
    job_run(job, NULL, NULL);
    cr_expect_eq(n_finished, 1, "%s was finished %d times", method, n_finished);
    cr_expect_eq(job->err.code, code, "%s: %s", method, job->err.message);
    cr_expect_eq(code != ERR_OK, job->err.message[0] != '\0');
    job_destroy(job);
}

Test(job, holds_a_copy_of_its_parameters_and_counts_them)
{
    char params[] = "\x81\xa5limit\x03";
    size_t n = sizeof params - 1;
    struct job *job = make("profile.list", (struct str){params, n});

    memset(params, 0xc1, sizeof params);
    cr_expect_eq(tally_get(&tallies, TALLY_IN_FLIGHT), 1);
    cr_expect_geq(tally_get(&tallies, TALLY_HELD_BYTES), (int64_t)n);
    job_run(job, NULL, NULL);
    cr_expect_eq(job->err.code, ERR_OK, "%s", job->err.message);
    cr_expect_gt(job->call.answer.len, 0);
    job_destroy(job);
    job_destroy(NULL);
}

Test(job, keeps_the_identity_that_it_began_with)
{
    struct job *job = make("system.ping", (struct str){NULL, 0});

    identity_drop(identity); /* the connection has become another */
    identity = NULL;
    cr_expect_eq(job->call.caller.role, ROLE_READER);
    cr_expect(str_is(job->call.caller.name, "test"));
    job_destroy(job);
}

Test(job, is_finished_once_whatever_comes_of_it)
{
    run_and_expect("system.ping", (struct str){NULL, 0}, ERR_OK);
    run_and_expect("profile.get", STR_LIT("\x81\xa2id\xa4none"), ERR_NOT_FOUND);
    run_and_expect("profile.get", (struct str){NULL, 0}, ERR_INVALID_PARAMS);
    run_and_expect("profile.delete", STR_LIT("\x81\xa2id\xa4none"), ERR_FORBIDDEN);
    run_and_expect("profile.list", STR_LIT("\x82\xa5limit\x01\xa5limit\x02"), ERR_INVALID_PARAMS);
    run_and_expect("profile.list", STR_LIT("\x81\xa4text\xa2\xc3\x28"), ERR_INVALID_PARAMS);
}

Test(job, that_waited_for_longer_than_its_deadline_is_told_so)
{
    struct job *job = make("profile.list", STR_LIT("\x81\xab"
                                                   "deadline_ms\x0a"));

    job->call.received_ms = rpc.clock.fixed_steady_ms - 10;
    job_run(job, NULL, NULL);
    cr_expect_eq(job->err.code, ERR_DEADLINE, "%s", job->err.message);
    job_destroy(job);
}

static bool
say_yes(void *context)
{
    return context != NULL;
}

Test(job, that_is_cancelled_before_it_begins_does_nothing)
{
    struct job *job = make("profile.list", (struct str){NULL, 0});

    job_run(job, say_yes, &rpc);
    cr_expect_eq(job->err.code, ERR_CANCELLED);
    job_destroy(job);
}

Test(job, can_be_refused_without_being_done)
{
    struct job *job = make("profile.list", (struct str){NULL, 0});

    job_refuse(job, ERR_BUSY, "too much at once");
    cr_expect_eq(n_finished, 1);
    cr_expect_eq(job->err.code, ERR_BUSY);
    cr_expect_str_eq(job->err.message, "too much at once");
    job_destroy(job);
}

Test(job, is_null_without_memory_and_leaves_nothing_behind)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct job *job;

        mem_fail_at(n);
        job = job_create(&host, method_find(STR_LIT("profile.list")), STR_LIT("\x81\xa5limit\x03"),
                         identity, 0);
        happened = mem_fail_happened();
        cr_expect_eq(job == NULL, happened, "at the %ld-th", n);
        job_destroy(job);
        cr_expect_eq(tally_get(&tallies, TALLY_IN_FLIGHT), 0);
    }
}
