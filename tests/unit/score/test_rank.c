#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>

static struct world world;

static void
set_up(void)
{
    world_open(&world);
}

static void
tear_down(void)
{
    world_close(&world);
}

TestSuite(rank, .init = set_up, .fini = tear_down);

/* The score of a host is min(10000, 1000 * capacity). */
static const char pairing[] =
    "{\"id\": \"x\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\", "
    "\"metro\": \"berlin\"}, \"combine\": \"from\", \"from_wants\": [{\"id\": \"c\", \"type\": "
    "\"at_least\", \"of\": 10, \"by\": \"capacity\", \"weight\": 1}]}";

static void
put_host(const char *id, int capacity, const char *more)
{
    char json[256];

    snprintf(json, sizeof json,
             "{\"id\": \"%s\", \"kind\": \"incubator\", \"metro\": \"berlin\", \"capacity\": %d, "
             "\"consent\": {\"match\": true}%s}",
             id, capacity, more);
    world_put(&world, json);
}

static void
put_startup(const char *id)
{
    char json[256];

    snprintf(json, sizeof json,
             "{\"id\": \"%s\", \"kind\": \"startup\", \"consent\": {\"match\": true}}", id);
    world_put(&world, json);
}

static struct match_list
top(const char *viewer, bool on_from, size_t k, int32_t min_score)
{
    struct match_plan *plan = world_plan(&world, pairing, false, "2026-01-01", NULL);
    struct match_query query = {
        .row = world_row(&world, viewer), .on_from = on_from, .k = k, .min_score = min_score};
    struct match_list list;
    struct err err = {0};

    query.viewer = roster_facts(world.roster, query.row);
    cr_assert_eq(match_top(plan, &query, world.arena, &list, &err), ERR_OK, "%s", err.message);
    return list;
}

/* "id id id", in the order of the list. */
static bool
list_is(const struct match_list *list, const char *ids)
{
    struct str rest = str_from(ids);
    size_t at = 0;

    for (size_t i = 0; i < list->n; i++) {
        size_t end = str_find(rest, ' ', at);
        struct str id = roster_facts(world.roster, list->hits[i].row)->id;

        if (at >= rest.len || !str_equal(id, (struct str){rest.data + at, end - at}))
            return false;
        at = end + 1;
    }
    return at >= rest.len;
}

Test(rank, goes_by_score_then_by_id_bytewise)
{
    struct match_list list;

    put_startup("s");
    put_host("m", 5, "");
    put_host("b.z", 7, "");
    put_host("b-a", 7, "");
    put_host("b", 7, "");
    put_host("z", 9, "");
    put_host("a", 1, "");
    world_publish(&world);
    list = top("s", true, 10, 0);
    cr_expect(list_is(&list, "z b b-a b.z m a"));
    cr_expect_eq(list.hits[0].score.score, 9000);
    cr_expect_eq(list.considered, 6);
    cr_expect_eq(list.eligible, 6);
}

Test(rank, the_first_k_are_the_beginning_of_the_whole_list)
{
    struct match_list whole;
    char id[32];

    put_startup("s");
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "h%d", i * 7919 % 300);
        put_host(id, i * 31 % 12, "");
    }
    world_publish(&world);
    whole = top("s", true, 1000, 0);
    cr_assert_eq(whole.n, 300);
    for (size_t k = 0; k <= 300; k += k < 20 ? 1 : 35) {
        struct match_list list = top("s", true, k, 0);

        cr_assert_eq(list.n, k);
        cr_assert_eq(list.eligible, 300);
        for (size_t i = 0; i < k; i++)
            cr_assert_eq(list.hits[i].row, whole.hits[i].row, "k %zu, place %zu", k, i);
    }
    for (size_t i = 1; i < whole.n; i++) {
        const struct match_hit *before = &whole.hits[i - 1], *after = &whole.hits[i];

        cr_assert(before->score.score > after->score.score ||
                  (before->score.score == after->score.score &&
                   str_compare(roster_facts(world.roster, before->row)->id,
                               roster_facts(world.roster, after->row)->id) < 0));
    }
}

Test(rank, considers_the_other_side_and_counts_who_is_eligible)
{
    struct match_list list;

    put_startup("s");
    put_startup("t"); /* on the from side only */
    put_host("good", 5, "");
    put_host("poor", 1, "");
    put_host("paused", 5, ", \"status\": \"paused\"");
    world_put(&world, "{\"id\": \"silent\", \"kind\": \"incubator\", \"metro\": \"berlin\"}");
    put_host("foe", 5, ", \"conflicts\": [\"s\"]");
    world_put(&world, "{\"id\": \"elsewhere\", \"kind\": \"incubator\", \"metro\": \"paris\", "
                      "\"consent\": {\"match\": true}}");
    put_host("gone", 5, "");
    world_delete(&world, "gone");
    world_publish(&world);
    list = top("s", true, 10, 3000);
    cr_expect(list_is(&list, "good"));
    cr_expect_eq(list.considered, 5, "good, poor, paused, silent, foe");
    cr_expect_eq(list.eligible, 2, "good and poor, before min_score");
}

Test(rank, min_score_keeps_what_scores_exactly_that)
{
    struct match_list list;

    put_startup("s");
    put_host("a", 4, "");
    put_host("b", 5, "");
    world_publish(&world);
    list = top("s", true, 10, 5000);
    cr_expect(list_is(&list, "b"));
    list = top("s", true, 10, 5001);
    cr_expect_eq(list.n, 0);
    cr_expect_eq(list.eligible, 2);
}

Test(rank, the_to_side_has_its_list_too)
{
    struct match_list list;

    put_startup("t");
    put_startup("s");
    put_host("h", 5, "");
    world_publish(&world);
    list = top("h", false, 10, 0);
    cr_expect(list_is(&list, "s t"));
    cr_expect_eq(list.hits[0].score.from_view, 5000, "the from view stays the startup's");
    cr_expect_eq(list.hits[0].score.to_view, 10000);
}

Test(rank, a_viewer_that_may_not_be_matched_has_an_empty_list)
{
    struct match_list list;

    world_put(&world, "{\"id\": \"s\", \"kind\": \"startup\", \"status\": \"paused\", "
                      "\"consent\": {\"match\": true}}");
    put_host("h", 5, "");
    put_host("i", 5, "");
    world_publish(&world);
    list = top("s", true, 10, 0);
    cr_expect_eq(list.n, 0);
    cr_expect_eq(list.considered, 2);
    cr_expect_eq(list.eligible, 0);
    list = top("h", true, 10, 0); /* on the wrong side */
    cr_expect_eq(list.eligible, 0);
    cr_expect_eq(list.considered, 1, "the other side less itself");
}

Test(rank, the_order_of_arrival_changes_nothing)
{
    struct match_list one, other;
    struct roster *first;

    put_startup("s");
    for (int i = 0; i < 50; i++) {
        char id[32];

        snprintf(id, sizeof id, "h%d", i);
        put_host(id, i % 7, "");
    }
    world_publish(&world);
    one = top("s", true, 20, 0);
    first = world.roster;
    world.roster = NULL;
    for (int i = 49; i >= 0; i--) {
        char id[32];

        snprintf(id, sizeof id, "h%d", i);
        put_host(id, i % 7, "");
    }
    put_startup("s");
    world_publish(&world);
    other = top("s", true, 20, 0);
    cr_assert_eq(one.n, other.n);
    for (size_t i = 0; i < one.n; i++)
        cr_expect(str_equal(roster_facts(first, one.hits[i].row)->id,
                            roster_facts(world.roster, other.hits[i].row)->id));
    roster_drop(first);
}

/* ---- cancelling ---- */

static bool
cancel_at_third(void *context)
{
    int *asked = context;

    return ++*asked == 3;
}

Test(rank, asks_between_blocks_whether_to_stop)
{
    struct match_plan *plan;
    struct match_list list = {.n = 77};
    struct match_query query = {.on_from = true, .k = 5, .is_cancelled = cancel_at_third};
    struct err err = {0};
    int asked = 0;

    put_startup("s");
    for (int i = 0; i < 5000; i++) {
        char id[32];

        snprintf(id, sizeof id, "h%d", i);
        put_host(id, 3, "");
    }
    world_publish(&world);
    plan = world_plan(&world, pairing, false, "2026-01-01", NULL);
    query.viewer = roster_facts(world.roster, 0);
    query.cancel_context = &asked;
    cr_expect_eq(match_top(plan, &query, world.arena, &list, &err), ERR_CANCELLED);
    cr_expect_eq(asked, 3);
    cr_expect_eq(list.n, 77, "nothing is written without success");
}

Test(rank, tells_when_the_arena_is_full)
{
    struct match_plan *plan;
    struct match_query query = {.on_from = true, .k = 5};
    struct arena *small = arena_create(16);
    struct match_list list;

    put_startup("s");
    put_host("h", 3, "");
    world_publish(&world);
    plan = world_plan(&world, pairing, false, "2026-01-01", NULL);
    query.viewer = roster_facts(world.roster, 0);
    cr_expect_eq(match_top(plan, &query, small, &list, NULL), ERR_BUSY);
    arena_destroy(small);
}
