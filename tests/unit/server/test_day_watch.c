/* test_day_watch.c: the loop looks for the day again and again, and what it finds is noted. */
#include "day_watch.h"
#include "engine_follow.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <stdatomic.h>

static const int64_t DAY_MS = INT64_C(24) * 3600 * 1000;

static struct rpc rpc;
static atomic_int n_days;
static atomic_int n_looks; /* at the clock */

/* Each look at the clock finds it a quarter of a day later. */
static int64_t
hasty_wall_ms(const struct clock *clock)
{
    return clock->fixed_wall_ms + atomic_fetch_add(&n_looks, 1) * (DAY_MS / 4);
}

static void
count_day(void *context, const struct engine_changes *changes)
{
    (void)context;
    n_days += changes->has_new_day;
}

static struct follower follower = {.tell = count_day};

static void
setup(void)
{
    rpc_open(&rpc);
    engine_follow(rpc.engine, &follower);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(day_watch, .init = setup, .fini = teardown, .timeout = 60);

Test(day_watch, notes_the_day_when_it_starts_and_stops_cleanly)
{
    struct day_watch watch = {.engine = NULL};
    struct event_base *base = event_base_new();

    cr_assert_not_null(base);
    day_watch_stop(&watch); /* never started */
    cr_assert_eq(day_watch_start(&watch, base, rpc.engine, NULL), ERR_OK);
    while (n_days == 0)
        event_base_loop(base, EVLOOP_NONBLOCK);
    day_watch_stop(&watch);
    cr_expect_eq(event_base_loop(base, EVLOOP_NONBLOCK), 1, "nothing is left to wait for");
    event_base_free(base);
}

Test(day_watch, notes_the_next_one_too)
{
    struct day_watch watch = {.engine = NULL};
    struct event_base *base = event_base_new();

    rpc.clock.wall_ms = hasty_wall_ms;
    cr_assert_eq(day_watch_start(&watch, base, rpc.engine, NULL), ERR_OK);
    while (n_days < 2)
        event_active(&watch.timer.due, EV_READ, 0), event_base_loop(base, EVLOOP_NONBLOCK);
    day_watch_stop(&watch);
    event_base_free(base);
}
