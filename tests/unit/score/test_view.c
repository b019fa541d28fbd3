#include "view.h"
#include "world.h"

#include <criterion/criterion.h>

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

TestSuite(view, .init = set_up, .fini = tear_down);

#define CONSENT "\"consent\": {\"match\": true}"

static struct match_score
score_of(const char *pairing, const char *from, const char *to, const char *day)
{
    struct match_plan *plan = world_plan(&world, pairing, false, day, NULL);
    uint32_t from_row = world_row(&world, from), to_row = world_row(&world, to);
    struct match_score score;

    match_pair_score(plan, roster_facts(world.roster, from_row), from_row,
                     roster_facts(world.roster, to_row), to_row, &score);
    return score;
}

/* ---- sums ---- */

#define SECTORS                                                                               \
    "{\"id\": \"sectors\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", " \
    "\"weight\": 30}"
#define LANGUAGES                                                                               \
    "{\"id\": \"languages\", \"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\", " \
    "\"weight\": 10}"
#define TEAM \
    "{\"id\": \"team\", \"type\": \"at_least\", \"of\": 10, \"by\": \"team\", \"weight\": 20}"

static void
put_two(void)
{
    world_put(&world, "{\"id\": \"a\", \"sectors\": [\"food.agri\"], \"languages\": [\"fr\"], "
                      "\"team\": 5, " CONSENT "}");
    world_put(&world, "{\"id\": \"b\", \"sectors\": [\"food.retail\"], \"languages\": [\"fr\"]}");
    world_publish(&world);
}

Test(view, a_view_is_the_weighted_mean_of_its_points)
{
    struct match_score score;

    put_two();
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [" SECTORS
                     ", " LANGUAGES "], \"to_wants\": [" TEAM "]}",
                     "a", "b", "2026-01-01");
    cr_expect_eq(score.from_view, (30 * 5000 + 10 * 10000) / 40);
    cr_expect_eq(score.to_view, 5000);
    cr_expect_eq(score.score, 2 * 6250 * 5000 / 11250);
    cr_expect_eq(score.coverage, 10000);
}

Test(view, a_side_without_wants_is_content)
{
    struct match_score score;

    put_two();
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"to_wants\": [" TEAM "]}", "a",
                     "b", "2026-01-01");
    cr_expect_eq(score.from_view, 10000);
    cr_expect_eq(score.to_view, 5000);
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}}", "a", "b", "2026-01-01");
    cr_expect_eq(score.score, 10000);
    cr_expect_eq(score.coverage, 10000);
}

Test(view, coverage_weighs_the_known_wants_of_both_views)
{
    struct match_score score;

    put_two();
    /* seen from b, a's team is known; seen from a, b's is not */
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [" SECTORS ", " TEAM
                     "], \"to_wants\": [" TEAM "]}",
                     "a", "b", "2026-01-01");
    cr_expect_eq(score.coverage, 10000 * 50 / 70);
    cr_expect_eq(score.from_view, (30 * 5000 + 20 * 5000) / 50);
}

Test(view, a_missing_value_takes_its_quality_through_the_curve)
{
    struct match_score score;

    put_two();
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [{\"id\": \"t\", "
                     "\"type\": \"at_least\", \"of\": 10, \"by\": \"team\", \"weight\": 1, "
                     "\"missing\": 2500, \"curve\": [[0, 10000], [5000, 0], [10000, 0]]}]}",
                     "a", "b", "2026-01-01");
    cr_expect_eq(score.from_view, 5000);
    cr_expect_eq(score.coverage, 0);
}

Test(view, a_constant_stands_for_the_viewer_or_the_counterpart)
{
    struct match_score score;

    world_put(&world, "{\"id\": \"a\", \"team\": 20, \"raising\": {\"min\": 1000, \"currency\": "
                      "\"EUR\"}}");
    world_put(&world, "{\"id\": \"b\"}");
    world_publish(&world);
    score = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"combine\": \"mean\","
                     " \"from_wants\": [{\"id\": \"t\", \"type\": \"at_least\", \"of\": \"team\", "
                     "\"by\": 5, \"weight\": 1}],"
                     " \"to_wants\": [{\"id\": \"m\", \"type\": \"range\", \"of\": 1200, \"by\": "
                     "\"raising\", \"weight\": 1}]}",
                     "a", "b", "2026-01-01");
    cr_expect_eq(score.from_view, 2500, "5 of the 20 that it asks for");
    cr_expect_eq(score.to_view, 10000, "1200 dollars against 1000 euros");
}

Test(view, exchanging_the_sides_and_their_wants_leaves_the_score)
{
    struct match_score one, other;

    put_two();
    one = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [" SECTORS ", " TEAM
                   "], \"to_wants\": [" TEAM ", " LANGUAGES "]}",
                   "a", "b", "2026-01-01");
    other = score_of("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"to_wants\": [" SECTORS ", " TEAM
                     "], \"from_wants\": [" TEAM ", " LANGUAGES "]}",
                     "b", "a", "2026-01-01");
    cr_expect_eq(one.score, other.score);
    cr_expect_eq(one.from_view, other.to_view);
    cr_expect_eq(one.to_view, other.from_view);
    cr_expect_eq(one.coverage, other.coverage);
}

Test(view, several_text_wants_of_both_sides_see_the_same_text)
{
    static const char text[] = "{\"id\": \"t\", \"type\": \"text\", \"weight\": 1}";
    struct match_score score;
    struct str pairing = arena_format(world.arena,
                                      "{\"id\": \"x\", \"from\": {}, \"to\": {}, "
                                      "\"from_wants\": [%s], \"to_wants\": [%s]}",
                                      text, text);

    world_put(&world, "{\"id\": \"a\", \"terms\": [1, 3, 2, 4]}");
    world_put(&world, "{\"id\": \"b\", \"terms\": [1, 3, 3, 4]}");
    world_publish(&world);
    score = score_of(pairing.data, "a", "b", "2026-01-01");
    cr_expect_eq(score.from_view, 3600);
    cr_expect_eq(score.to_view, 3600);
    cr_expect_eq(score.score, 3600);
}

/* ---- track records ---- */

static const char record_pairing[] =
    "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"combine\": \"from\", \"from_wants\": [{\"id\": "
    "\"r\", \"type\": \"record\", \"of\": \"sectors\", \"by\": \"record.sectors\", \"weight\": "
    "1}]}";

/* The viewer a and others bear food.agri; host has the outcomes. */
static void
put_record_world(void)
{
    world_put(&world, "{\"id\": \"a\", \"sectors\": [\"food.agri\", \"energy\"]}");
    world_put(&world, "{\"id\": \"host\"}");
    world_put(&world, "{\"id\": \"p\", \"sectors\": [\"food.agri\"]}");
    world_put(&world, "{\"id\": \"q\", \"sectors\": [\"energy\", \"food.agri\"]}");
}

static int32_t
record_quality_now(const char *day)
{
    world_publish(&world);
    return score_of(record_pairing, "a", "host", day).from_view;
}

Test(view, a_record_counts_positive_outcomes_on_either_side_before_the_day)
{
    put_record_world();
    world_outcome(&world, "host", "p", "2025-06-01", true);
    world_outcome(&world, "q", "host", "2025-12-31", true);
    world_outcome(&world, "host", "p", "2025-06-02", false);
    cr_expect_eq(record_quality_now("2025-06-01"), 0, "not on its own day");
    cr_expect_eq(record_quality_now("2025-06-02"), 2500);
    cr_expect_eq(record_quality_now("2026-01-01"), 4000, "but not the negative one");
}

Test(view, a_record_counts_each_outcome_with_one_party)
{
    put_record_world();
    for (int i = 0; i < 3; i++)
        world_outcome(&world, "host", "p", "2025-06-01", true);
    cr_expect_eq(record_quality_now("2026-01-01"), 5000);
}

Test(view, a_record_takes_the_code_with_the_largest_count)
{
    put_record_world();
    world_outcome(&world, "host", "q", "2025-06-01", true); /* energy 1, food.agri 1 */
    world_outcome(&world, "host", "p", "2025-06-01", true); /* food.agri 2 */
    cr_expect_eq(record_quality_now("2026-01-01"), 4000);
}

Test(view, a_record_leaves_out_the_viewer_itself)
{
    put_record_world();
    world_outcome(&world, "host", "a", "2025-06-01", true);
    cr_expect_eq(record_quality_now("2026-01-01"), 0);
}

Test(view, a_record_leaves_out_the_erased_and_reads_what_the_others_are_now)
{
    put_record_world();
    world_outcome(&world, "host", "p", "2025-06-01", true);
    world_outcome(&world, "host", "q", "2025-06-01", true);
    world_outcome(&world, "host", "never-stored", "2025-06-01", true);
    cr_expect_eq(record_quality_now("2026-01-01"), 4000);
    world_delete(&world, "q");
    cr_expect_eq(record_quality_now("2026-01-01"), 2500);
    world_put(&world, "{\"id\": \"p\", \"sectors\": [\"health\"]}");
    cr_expect_eq(record_quality_now("2026-01-01"), 0);
    world_put(&world, "{\"id\": \"p\", \"sectors\": [\"health\"], \"confidential\": {\"sectors\": "
                      "[\"food.agri\"]}}");
    cr_expect_eq(record_quality_now("2026-01-01"), 2500, "the confidential value wins");
}

Test(view, a_what_if_viewer_has_its_own_row_left_out)
{
    struct symbol_scope *scope;
    struct facts *what_if;
    struct match_plan *plan;
    struct match_score score;

    put_record_world();
    world_outcome(&world, "host", "a", "2025-06-01", true);
    world_outcome(&world, "host", "p", "2025-06-01", true);
    world_publish(&world);
    scope = symbol_scope_create(world.symbols, world.arena);
    what_if =
        world_facts(&world, scope, "{\"id\": \"a\", \"sectors\": [\"food.agri\", \"new.x\"]}");
    plan = world_plan(&world, record_pairing, false, "2026-01-01", scope);
    match_pair_score(plan, what_if, world_row(&world, "a"),
                     roster_facts(world.roster, world_row(&world, "host")),
                     world_row(&world, "host"), &score);
    cr_expect_eq(score.from_view, 2500);
    facts_drop(what_if);
}

/* ---- scopes ---- */

Test(view, what_if_codes_that_nobody_stores_equal_only_themselves)
{
    static const char pairing[] =
        "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [{\"id\": \"o\", \"type\": "
        "\"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", \"weight\": 1}]}";
    struct symbol_scope *scope;
    struct facts *x, *y;
    struct match_plan *plan;
    struct match_score score;

    world_put(&world, "{\"id\": \"stored\", \"sectors\": [\"health\"]}");
    world_publish(&world);
    scope = symbol_scope_create(world.symbols, world.arena);
    x = world_facts(&world, scope, "{\"id\": \"x\", \"sectors\": [\"health.bio\"]}");
    y = world_facts(&world, scope, "{\"id\": \"y\", \"sectors\": [\"health.bio\"]}");
    plan = world_plan(&world, pairing, false, "2026-01-01", scope);
    match_pair_score(plan, x, ROSTER_NO_ROW, y, ROSTER_NO_ROW, &score);
    cr_expect_eq(score.from_view, 10000);
    match_pair_score(plan, x, ROSTER_NO_ROW, roster_facts(world.roster, 0), 0, &score);
    cr_expect_eq(score.from_view, 5000, "a local leaf knows its stored group");
    facts_drop(x);
    facts_drop(y);
}
