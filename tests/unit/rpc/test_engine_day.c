/* test_engine_day.c: a UTC day is noted once, whatever clocks and restarts do. */
#include "alloc.h"
#include "cases.h"
#include "engine_follow.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };
static const int64_t DAY_MS = INT64_C(24) * HOUR_MS;

static struct rpc rpc;
static struct engine_changes heard;
static int n_heard;

static void
hear(void *context, const struct engine_changes *changes)
{
    (void)context;
    heard = *changes;
    n_heard++;
}

static struct follower follower = {.tell = hear};

static enum err_code
run_nothing(struct store_txn *txn, void *context, struct err *err)
{
    (void)txn, (void)context, (void)err;
    return ERR_OK;
}

/* What was submitted before it is carried out. */
static void
wait_for_the_writer(void)
{
    cr_assert_eq(store_write(engine_store(rpc.engine), run_nothing, NULL, NULL), ERR_OK);
}

static int64_t
look(void)
{
    int64_t wait_ms = engine_day_look(rpc.engine);

    wait_for_the_writer();
    return wait_ms;
}

static void
move_clock(int64_t ms)
{
    rpc.clock.fixed_wall_ms += ms;
}

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

TestSuite(engine_day, .init = setup, .fini = teardown);

static const msgpack_object *
days(void)
{
    return rpc_at(rpc_ok(&rpc, "journal.list", "{\"method\": \"system.day\"}"), "entries");
}

static size_t
n_days(void)
{
    return value_size(days());
}

Test(engine_day, is_journalled_once_and_moves_what_is_published)
{
    struct engine_view before = {0}, after = {0};
    uint64_t serial = engine_serial(rpc.engine);
    const msgpack_object *list;

    engine_view_hold(rpc.engine, &before);
    look();
    look();
    list = rpc_ok(&rpc, "journal.list", "{\"method\": \"system.day\"}");
    cr_assert_eq(value_size(rpc_at(list, "entries")), 1);
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[0].actor"), "engine");
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[0].subject"), RPC_TODAY);
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[0].what.day"), RPC_TODAY);
    engine_view_hold(rpc.engine, &after);
    cr_expect_eq(after.seq, rpc_seq(&rpc));
    cr_expect_gt(after.seq, before.seq);
    cr_expect_gt(engine_serial(rpc.engine), serial);
    engine_view_drop(&before);
    engine_view_drop(&after);
}

Test(engine_day, is_told_to_those_who_follow_with_its_seq)
{
    look();
    cr_assert_eq(n_heard, 1);
    cr_expect(heard.has_new_day);
    cr_expect_eq(heard.day, engine_today(rpc.engine));
    cr_expect_eq(heard.seq, rpc_seq(&rpc));
    move_clock(DAY_MS);
    look();
    cr_assert_eq(n_heard, 2);
    cr_expect(heard.has_new_day);
    cr_expect_not(heard.is_everything, "but for the first telling, a day is no more than a day");
    cr_expect_not(heard.has_new_rows);
    cr_expect_eq(heard.day, engine_today(rpc.engine));
    look();
    cr_expect_eq(n_heard, 2);
}

Test(engine_day, is_noted_once_over_restarts)
{
    look();
    rpc_reopen(&rpc);
    cr_expect_eq(n_days(), 1, "opening alone notes nothing");
    look();
    cr_expect_eq(n_days(), 1);
    move_clock(DAY_MS);
    rpc_reopen(&rpc);
    look();
    cr_expect_eq(n_days(), 2);
}

Test(engine_day, is_settled_at_a_start_before_anything_is_answered)
{
    engine_day_settle(rpc.engine);
    cr_expect_eq(n_days(), 1);
    engine_day_settle(rpc.engine);
    look();
    cr_expect_eq(n_days(), 1);
    move_clock(-DAY_MS);
    engine_day_settle(rpc.engine);
    cr_expect_eq(n_days(), 1);
}

Test(engine_day, is_not_noted_by_those_who_only_read)
{
    rpc_ok(&rpc, "profile.list", "{}");
    rpc_ok(&rpc, "system.stats", "{}");
    cr_expect_eq(n_days(), 0);
}

Test(engine_day, begins_at_its_first_moment)
{
    look();
    rpc.clock.fixed_wall_ms = (engine_today(rpc.engine) + 1) * DAY_MS - 1;
    cr_expect_eq(look(), 1);
    cr_expect_eq(n_days(), 1);
    move_clock(1);
    look();
    cr_expect_eq(n_days(), 2);
    cr_expect_geq(look(), 1);
}

Test(engine_day, is_looked_for_again_in_a_minute_or_at_midnight)
{
    look();
    rpc.clock.fixed_wall_ms = engine_today(rpc.engine) * DAY_MS + 12 * HOUR_MS;
    cr_expect_eq(look(), 60 * 1000);
    rpc.clock.fixed_wall_ms = (engine_today(rpc.engine) + 1) * DAY_MS - 1234;
    cr_expect_eq(look(), 1234);
}

Test(engine_day, days_on_which_nobody_looked_are_passed_over_and_told)
{
    const msgpack_object *list;

    look();
    move_clock(3 * DAY_MS);
    look();
    cr_expect_eq(n_days(), 2);
    list = rpc_ok(&rpc, "journal.list", "{\"method\": \"system.day\"}");
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[1].what.day"), "2026-06-04");
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[1].what.before"), RPC_TODAY);
}

Test(engine_day, a_clock_that_goes_back_writes_nothing_until_it_has_passed_the_day_noted)
{
    move_clock(DAY_MS);
    look();
    move_clock(-3 * DAY_MS);
    look();
    rpc_reopen(&rpc);
    look();
    cr_expect_eq(n_days(), 1);
    cr_expect_eq(engine_today(rpc.engine), rpc.clock.fixed_wall_ms / DAY_MS,
                 "what is asked without a day goes by the clock");
    move_clock(3 * DAY_MS);
    look();
    cr_expect_eq(n_days(), 1, "the day noted has come again");
    move_clock(DAY_MS);
    look();
    cr_expect_eq(n_days(), 2);
}

Test(engine_day, that_is_noted_does_not_stand_in_the_way_of_an_erasure)
{
    look();
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"s\", \"kind\": \"startup\", \"name\": \"S\"}}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"s\", \"erase\": true}");
    rpc_reopen(&rpc);
    look();
    cr_expect_eq(n_days(), 1);
}

Test(engine_day, a_consent_that_lapses_moves_the_serial_at_midnight)
{
    uint64_t serial;

    rpc_ok(&rpc, "programme.put",
           "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
           "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}}]}}");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"s\", \"kind\": \"startup\", \"name\": \"S\", \"consent\": "
           "{\"match\": true, \"share\": true, \"basis\": \"t\"}}}");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"i\", \"kind\": \"incubator\", \"name\": \"I\", \"consent\": "
           "{\"match\": true, \"share\": true, \"basis\": \"t\", \"until\": \"" RPC_TODAY "\"}}}");
    look();
    serial = engine_serial(rpc.engine);
    cr_expect_eq(
        rpc_int(rpc_ok(&rpc, "match.top", "{\"programme\": \"p\", \"id\": \"s\"}"), "eligible"), 1);
    move_clock(DAY_MS);
    look();
    cr_expect_gt(engine_serial(rpc.engine), serial);
    cr_expect_eq(
        rpc_int(rpc_ok(&rpc, "match.top", "{\"programme\": \"p\", \"id\": \"s\"}"), "eligible"), 0);
}

Test(engine_day, whichever_allocation_fails_it_is_noted_later_and_once)
{
    bool happened = true;
    size_t n_noted = 0;

    for (long n = 1; happened; n++) {
        move_clock(DAY_MS);
        mem_fail_at(n);
        engine_day_look(rpc.engine);
        while (store_write(engine_store(rpc.engine), run_nothing, NULL, NULL) != ERR_OK)
            continue;
        happened = mem_fail_happened();
        look(); /* after a failure it waits once */
        look();
        cr_expect_eq(n_days(), ++n_noted, "%ld", n);
    }
    cr_expect_gt(n_noted, 3);
}
