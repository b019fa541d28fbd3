/* test_timer.c: due once or again and again, and not when it was taken back. */
#include "timer.h"

#include <criterion/criterion.h>

#include <sys/resource.h>

static struct event_base *base;
static struct timer timer;
static int n_due;

static void
count(void *context)
{
    cr_expect_eq(context, &n_due);
    n_due++;
}

static void
setup(void)
{
    base = event_base_new();
    cr_assert_not_null(base);
    cr_assert_eq(timer_open(&timer, base, count, &n_due, NULL), ERR_OK);
}

static void
teardown(void)
{
    timer_close(&timer);
    cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1, "nothing is left to wait for");
    event_base_free(base);
}

TestSuite(timer, .init = setup, .fini = teardown, .timeout = 60);

Test(timer, is_not_due_before_it_is_set)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
    cr_expect_eq(n_due, 0);
}

Test(timer, is_due_once)
{
    timer_set(&timer, 1, 0);
    event_base_loop(base, EVLOOP_ONCE);
    cr_expect_eq(n_due, 1);
    event_base_loop(base, EVLOOP_NONBLOCK);
    cr_expect_eq(n_due, 1);
}

Test(timer, is_due_at_once_where_no_time_is_left)
{
    timer_set(&timer, 0, 0);
    event_base_loop(base, EVLOOP_ONCE);
    timer_set(&timer, -5, 0);
    event_base_loop(base, EVLOOP_ONCE);
    cr_expect_eq(n_due, 2);
}

Test(timer, is_due_again_and_again)
{
    timer_set(&timer, 1, 1);
    while (n_due < 3)
        event_base_loop(base, EVLOOP_ONCE);
}

Test(timer, that_is_unset_or_set_anew_forgets_what_it_was_set_to)
{
    timer_set(&timer, 1, 1);
    event_base_loop(base, EVLOOP_ONCE);
    timer_unset(&timer);
    event_base_loop(base, EVLOOP_NONBLOCK);
    cr_expect_eq(n_due, 1);
    timer_set(&timer, 1, 1);
    timer_set(&timer, 3600000, 0);
    event_base_loop(base, EVLOOP_NONBLOCK);
    cr_expect_eq(n_due, 1);
}

Test(timer, without_a_descriptor_is_none)
{
    struct rlimit kept;
    struct timer other;
    struct err err = {0};
    enum err_code code;

    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &kept), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, kept.rlim_max}), 0);
    code = timer_open(&other, base, count, NULL, &err);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &kept), 0); /* the test's own words need some */
    cr_expect_neq(code, ERR_OK);
    cr_expect_eq(other.fd, -1);
}
