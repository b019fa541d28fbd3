#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <limits.h>
#include <stdatomic.h>
#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_load_demo(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_each, .init = setup, .fini = teardown);

#define EACH(more) "{\"programme\": \"bilocation\", \"pairing\": \"hosting\"" more "}"

#define TOLD(...) arena_format(rpc.arena, __VA_ARGS__).data

static void
expect_as_match_top(const msgpack_object *list)
{
    static const char *const keys[] = {"id",         "name",     "side",   "mirrored",
                                       "considered", "eligible", "matches"};
    const msgpack_object *top =
        rpc_ok(&rpc, "match.top",
               TOLD(EACH(", \"id\": \"%s\", \"side\": \"%s\", \"min_score\": 1000"),
                    rpc_text(&rpc, list, "id"), rpc_text(&rpc, list, "side")));

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(value_equal(rpc_at(list, keys[i]), rpc_at(top, keys[i])), "%s of %s", keys[i],
                  rpc_text(&rpc, list, "id"));
    cr_expect(value_is_nil(value_find(list, "why")) == value_is_nil(value_find(top, "why")));
}

static void
expect_side(const char *side)
{
    const msgpack_object *page =
        rpc_ok(&rpc, "match.each",
               TOLD(EACH(", \"side\": \"%s\", \"min_score\": 1000, \"limit\": 1000"), side));
    const msgpack_object *lists = rpc_at(page, "lists");

    cr_assert_gt(value_size(lists), 10);
    cr_expect_eq((int64_t)value_size(lists), rpc_int(page, "total"));
    cr_expect(value_is_nil(value_find(page, "next")));
    for (size_t i = 0; i < value_size(lists); i++) {
        if (i > 0)
            cr_expect_lt(strcmp(rpc_text(&rpc, value_at(lists, i - 1), "id"),
                                rpc_text(&rpc, value_at(lists, i), "id")),
                         0);
        expect_as_match_top(value_at(lists, i));
    }
}

Test(handle_each, every_list_is_the_one_that_match_top_gives)
{
    rpc_ok(&rpc, "profile.patch",
           "{\"id\": \"demo-startup-001\", \"changes\": {\"status\": \"paused\"}}");
    expect_side("from");
    expect_side("to");
}

Test(handle_each, pages_put_together_are_the_whole)
{
    const msgpack_object *all = rpc_ok(&rpc, "match.each", EACH(", \"limit\": 1000"));
    const msgpack_object *lists = rpc_at(all, "lists");
    const char *after = "";
    size_t n = 0;

    do {
        const msgpack_object *page =
            rpc_ok(&rpc, "match.each", TOLD(EACH(", \"limit\": 7, \"after\": \"%s\""), after));
        const msgpack_object *some = rpc_at(page, "lists");

        for (size_t i = 0; i < value_size(some); i++, n++)
            cr_expect(value_equal(value_at(some, i), value_at(lists, n)));
        after = value_is_nil(value_find(page, "next")) ? "" : rpc_text(&rpc, page, "next");
    } while (*after != '\0');
    cr_expect_eq(n, value_size(lists));
}

/* An id of a multiple of four letters is base64 by chance. */
Test(handle_each, a_page_can_begin_after_an_id_that_stands_plain)
{
    const msgpack_object *all = rpc_ok(&rpc, "match.each", EACH(", \"limit\": 1000"));
    const msgpack_object *lists = rpc_at(all, "lists");
    size_t n = value_size(lists);

    for (size_t i = 0; i + 1 < n; i++) {
        const char *id = rpc_text(&rpc, value_at(lists, i), "id");
        const msgpack_object *page =
            rpc_ok(&rpc, "match.each", TOLD(EACH(", \"limit\": 1, \"after\": \"%s\""), id));

        cr_expect(value_equal(value_at(rpc_at(page, "lists"), 0), value_at(lists, i + 1)), "%s",
                  id);
    }
    rpc_fails(&rpc, "match.each", EACH(", \"after\": \"~no next\""), ERR_INVALID_PARAMS, "after");
    cr_expect_not_null(strstr(rpc.err.message, "\"~no next\""), "%s", rpc.err.message);
}

Test(handle_each, one_direction_of_a_mirrored_pairing_or_both)
{
    int64_t both = rpc_int(rpc_ok(&rpc, "match.each", EACH("")), "total");
    int64_t plain = rpc_int(rpc_ok(&rpc, "match.each", EACH(", \"mirrored\": false")), "total");
    int64_t other = rpc_int(rpc_ok(&rpc, "match.each", EACH(", \"mirrored\": true")), "total");

    cr_expect_gt(plain, 0);
    cr_expect_gt(other, 0);
    cr_expect_eq(plain + other, both);
}

Test(handle_each, the_answer_is_the_same_whatever_the_number_of_threads)
{
    const msgpack_object *first = rpc_ok(&rpc, "match.each", EACH(", \"limit\": 1000"));

    for (rpc.helpers = 1; rpc.helpers <= 2; rpc.helpers++) {
        rpc_reopen(&rpc);
        cr_expect(value_equal(rpc_ok(&rpc, "match.each", EACH(", \"limit\": 1000")), first));
        cr_expect_eq(engine_helpers_take(rpc.engine, 9), rpc.helpers, "all were given back");
    }
}

static bool
at_once(void *context)
{
    (void)context;
    return true;
}

Test(handle_each, a_cancelled_one_and_a_late_one_say_which_by_any_number_of_threads)
{
    for (rpc.helpers = 0; rpc.helpers <= 2; rpc.helpers++) {
        rpc_reopen(&rpc);
        rpc.is_cancelled = at_once;
        rpc_fails(&rpc, "match.each", EACH(""), ERR_CANCELLED, NULL);
        rpc.is_cancelled = NULL;
        cr_expect_eq(engine_helpers_take(rpc.engine, 9), rpc.helpers);
    }
}

/* Asked between blocks: the clock goes on with each question, or the asker goes at one of them. */
static _Atomic long n_questions, last_question;

static bool
time_goes_on(void *context)
{
    (void)context;
    if (atomic_fetch_add(&n_questions, 1) + 1 == atomic_load(&last_question))
        rpc.clock.fixed_steady_ms += 1000;
    return false;
}

static bool
goes_away(void *context)
{
    (void)context;
    return atomic_fetch_add(&n_questions, 1) + 1 >= atomic_load(&last_question);
}

static void
expect_stopped(bool (*hook)(void *context), enum err_code code, const char *word)
{
    long all;

    rpc.is_cancelled = hook;
    atomic_store(&last_question, LONG_MAX);
    atomic_store(&n_questions, 0);
    rpc_ok(&rpc, "match.each", EACH(", \"deadline_ms\": 1000"));
    all = atomic_load(&n_questions);
    cr_assert_gt(all, 4, "it is asked between blocks");
    for (long at = 1; at <= all; at += at == 1 ? all / 2 : all / 4) {
        long n;

        atomic_store(&last_question, at);
        atomic_store(&n_questions, 0);
        rpc_fails(&rpc, "match.each", EACH(", \"deadline_ms\": 1000"), code, NULL);
        cr_expect_not_null(strstr(rpc.err.message, word), "%s", rpc.err.message);
        n = atomic_load(&n_questions);
        cr_expect_lt(n, all + 2, "asked %ld times after question %ld of %ld", n, at, all);
        if (at < all / 2)
            cr_expect_lt(n, all, "nothing more was begun");
    }
    rpc.is_cancelled = NULL;
}

Test(handle_each, its_deadline_ends_it_between_blocks)
{
    expect_stopped(time_goes_on, ERR_DEADLINE, "1000 ms");
}

Test(handle_each, its_asker_going_ends_it_between_blocks)
{
    expect_stopped(goes_away, ERR_CANCELLED, "cancelled");
}

Test(handle_each, what_cannot_be_matched_is_told)
{
    rpc_fails(&rpc, "match.each", "{\"programme\": \"bilocation\"}", ERR_INVALID_PARAMS, "pairing");
    cr_expect_not_null(strstr(rpc.err.message, "hosting, funding"), "%s", rpc.err.message);
    rpc_fails(&rpc, "match.each", "{\"programme\": \"bilocation\", \"pairing\": \"hostin\"}",
              ERR_INVALID_PARAMS, "pairing");
    rpc_fails(&rpc, "match.each", "{\"programme\": \"none\"}", ERR_NOT_FOUND, "programme");
    rpc_fails(&rpc, "match.each", EACH(", \"k\": 1001"), ERR_INVALID_PARAMS, "k");
    rpc_fails(&rpc, "match.each", EACH(", \"limit\": 1001"), ERR_INVALID_PARAMS, "limit");
    rpc_ok(&rpc, "match.each", EACH(", \"k\": 1000, \"limit\": 1000"));
}

Test(handle_each, memory_that_ends_anywhere_is_busy)
{
    bool has_failed = true;

    for (long n = 1; has_failed && n < 2000; n++) {
        rpc.fail_at = n;
        if (rpc_call(&rpc, "match.each", EACH(", \"limit\": 40")) == NULL)
            cr_expect_eq(rpc.err.code, ERR_BUSY, "allocation %ld: %s", n, rpc.err.message);
        has_failed = rpc.has_failed;
    }
    rpc.fail_at = 0;
}
