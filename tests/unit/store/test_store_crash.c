/*
 * A process that is killed while it writes: every write that was answered is there afterwards. JML_ROUNDS
 * says how often (3).
 */
#include "store_fixture.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWERS_BEFORE_KILL = 60 };

static struct fixture fixture;

static void
setup(void)
{
    fixture_open(&fixture);
    store_close(fixture.store);
    fixture.store = NULL;
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(store_crash, .init = setup, .fini = teardown, .timeout = 110);

/* In the child: puts for ever, and says each answered one through the pipe. */
static void
write_for_ever(int pipe_fd, int round)
{
    struct store_options options = {.dir = fixture.dir, .clock = &fixture.clock};
    struct err err = {0};
    char id[32];

    if (store_open(&options, &fixture.store, &err) != ERR_OK)
        _exit(1);
    for (int i = 0;; i++) {
        snprintf(id, sizeof id, "r%d-%d", round, i);
        put_profile(&fixture, id, id);
        if (write(pipe_fd, &i, sizeof i) != sizeof i)
            _exit(2);
    }
}

Test(store_crash, no_answered_write_is_lost)
{
    const char *wanted = getenv("JML_ROUNDS");
    int rounds = wanted != NULL ? atoi(wanted) : 3; /* NOLINT: a test's own variable */

    for (int round = 0; round < rounds; round++) {
        int fds[2], last = -1, one, status;
        pid_t child;
        char id[32];

        cr_assert_eq(pipe(fds), 0);
        fflush(NULL);
        child = fork();
        if (child == 0) {
            close(fds[0]);
            write_for_ever(fds[1], round);
        }
        close(fds[1]);
        while (last < ANSWERS_BEFORE_KILL + round && read(fds[0], &one, sizeof one) == sizeof one)
            last = one;
        kill(child, SIGKILL);
        while (read(fds[0], &one, sizeof one) == sizeof one) /* answered before the kill came */
            last = one;
        waitpid(child, &status, 0);
        close(fds[0]);
        cr_assert(WIFSIGNALED(status), "the child ended by itself: %d", status);
        fixture_reopen(&fixture);
        for (int i = 0; i <= last; i++) {
            snprintf(id, sizeof id, "r%d-%d", round, i);
            cr_expect_not_null(profile_name(&fixture, id), "%s was answered and is lost", id);
        }
        struct store_read *read_txn;
        struct journal_verdict verdict;
        struct err err = {0};
        cr_assert_eq(store_read_begin(fixture.store, &read_txn, &err), ERR_OK);
        cr_assert_eq(store_journal_verify(read_txn, 0, &verdict, &err), ERR_OK);
        cr_expect_eq(verdict.broken_at, 0);
        store_read_end(read_txn);
        store_close(fixture.store);
        fixture.store = NULL;
    }
}
