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

TestSuite(explain, .init = set_up, .fini = tear_down);

#define WANT(type, of, by)                                                               \
    "{\"id\": \"w-" type "\", \"type\": \"" type "\", \"of\": \"" of "\", \"by\": \"" by \
    "\", \"weight\": 10}"
#define TEXT_WANT "{\"id\": \"w-text\", \"type\": \"text\", \"weight\": 10}"
#define PAIRING(wants) "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [" wants "]}"

/* "a b c", in this very order. */
static bool
codes_are(const struct match_plan *plan, const symbol *codes, size_t n, const char *texts)
{
    struct str rest = str_from(texts);
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        size_t end = str_find(rest, ' ', at);

        if (at >= rest.len ||
            !str_equal(match_symbol_text(plan, codes[i]), (struct str){rest.data + at, end - at}))
            return false;
        at = end + 1;
    }
    return at >= rest.len;
}

static struct match_plan *
explain(const char *pairing, const char *a, const char *b, struct explanation *out)
{
    struct match_plan *plan;

    world_put(&world, a);
    world_put(&world, b);
    world_publish(&world);
    plan = world_plan(&world, pairing, false, "2026-03-01", NULL);
    world_explain(&world, plan, "a", "b", out);
    return plan;
}

/* ---- evidence ---- */

Test(explain, overlap_parts_shared_near_and_unmet_codes_in_byte_order)
{
    struct explanation explanation;
    const struct want_reason *reason;
    struct match_plan *plan = explain(
        PAIRING(WANT("overlap", "sectors", "sectors")),
        "{\"id\": \"a\", \"sectors\": [\"health.med\", \"food.retail\", \"energy\", "
        "\"health.bio\", \"food.agri\"]}",
        "{\"id\": \"b\", \"sectors\": [\"health.bio\", \"food\", \"health.care\"]}", &explanation);

    reason = &explanation.from_reasons[0];
    cr_expect(codes_are(plan, reason->shared, reason->n_shared, "health.bio"));
    cr_expect(codes_are(plan, reason->near, reason->n_near, "food.agri food.retail health.med"));
    cr_expect(
        codes_are(plan, reason->unmet, reason->n_unmet, "energy food.agri food.retail health.med"));
    cr_expect(reason->is_known && !reason->is_confidential);
}

Test(explain, cover_tells_what_is_there_and_what_is_lacking)
{
    struct explanation explanation;
    const struct want_reason *reason;
    struct match_plan *plan = explain(
        PAIRING(WANT("cover", "needs", "offers")),
        "{\"id\": \"a\", \"needs\": [\"space.desk\", \"legal\", \"funding\"]}",
        "{\"id\": \"b\", \"offers\": [\"space.lab\", \"legal\", \"funding\"]}", &explanation);

    reason = &explanation.from_reasons[0];
    cr_expect(codes_are(plan, reason->shared, reason->n_shared, "funding legal"));
    cr_expect(codes_are(plan, reason->unmet, reason->n_unmet, "space.desk"));
    cr_expect_eq(reason->n_near, 0);
}

Test(explain, numbers_ranges_stages_and_periods_bring_theirs)
{
    struct explanation explanation;
    const struct want_reason *reasons;

    explain(
        PAIRING(WANT("stage", "stages", "stages") "," WANT("range", "raising", "ticket") "," WANT(
            "at_least", "team", "capacity") "," WANT("period", "available", "available")),
        "{\"id\": \"a\", \"stages\": [\"idea\", \"growth\"], \"raising\": {\"min\": 1000, "
        "\"max\": 2000, \"currency\": \"EUR\"}, \"team\": 7, \"available\": {\"from\": "
        "\"2026-04-01\", \"to\": \"2026-04-30\"}}",
        "{\"id\": \"b\", \"stages\": [\"seed\"], \"ticket\": {\"min\": 5, \"currency\": "
        "\"USD\"}, \"capacity\": 3, \"available\": {\"from\": \"2026-04-21\"}}",
        &explanation);
    reasons = explanation.from_reasons;
    cr_expect_eq(reasons[0].distance, 3);
    cr_expect_eq(reasons[1].of_min, 1200);
    cr_expect_eq(reasons[1].of_max, 2400);
    cr_expect_eq(reasons[1].by_min, 5);
    cr_expect_eq(reasons[1].by_max, 5);
    cr_expect_eq(reasons[2].of_min, 7);
    cr_expect_eq(reasons[2].by_max, 3);
    cr_expect_eq(reasons[3].period_from, day_of("2026-04-21"));
    cr_expect_eq(reasons[3].period_to, day_of("2026-04-30"));
    cr_expect_eq(reasons[3].period_days, 10);
}

Test(explain, a_record_tells_how_many_and_for_which_code)
{
    struct explanation explanation;
    struct match_plan *plan;

    world_put(&world, "{\"id\": \"p\", \"sectors\": [\"food.retail\", \"food.agri\"]}");
    world_outcome(&world, "b", "p", "2025-01-01", true);
    plan = explain("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [{\"id\": \"r\", "
                   "\"type\": \"record\", \"of\": \"sectors\", \"by\": \"record.sectors\", "
                   "\"weight\": 1}]}",
                   "{\"id\": \"a\", \"sectors\": [\"food.retail\", \"food.agri\"]}",
                   "{\"id\": \"b\"}", &explanation);
    cr_expect_eq(explanation.from_reasons[0].record_count, 1);
    cr_expect(text_is(plan, explanation.from_reasons[0].record_code, "food.agri"),
              "of equal counts the first by text");
    cr_expect(!explanation.from_reasons[0].is_confidential);
}

Test(explain, a_record_that_read_a_confidential_value_says_so)
{
    struct explanation explanation;

    world_put(&world, "{\"id\": \"p\", \"confidential\": {\"sectors\": [\"food\"]}}");
    world_outcome(&world, "b", "p", "2025-01-01", true);
    explain("{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [{\"id\": \"r\", \"type\": "
            "\"record\", \"of\": \"sectors\", \"by\": \"record.sectors\", \"weight\": 1}]}",
            "{\"id\": \"a\", \"sectors\": [\"food\"]}", "{\"id\": \"b\"}", &explanation);
    cr_expect(explanation.from_reasons[0].is_confidential);
}

Test(explain, tells_who_misses_what)
{
    struct explanation explanation;
    const struct want_reason *reasons;

    explain(
        PAIRING(WANT("any", "languages", "languages") "," WANT(
            "cover", "needs", "offers") "," TEXT_WANT "," WANT("period", "available", "available")),
        "{\"id\": \"a\", \"languages\": [\"fr\"], \"terms\": [1, 1], \"available\": {\"from\": "
        "\"2026-01-01\"}}",
        "{\"id\": \"b\", \"offers\": [\"legal\"], \"available\": {\"from\": \"2026-01-01\"}}",
        &explanation);
    reasons = explanation.from_reasons;
    cr_expect(!reasons[0].of_missing && reasons[0].by_missing);
    cr_expect(reasons[1].of_missing && !reasons[1].by_missing);
    cr_expect(!reasons[2].of_missing && reasons[2].by_missing);
    cr_expect(reasons[3].of_missing && reasons[3].by_missing, "the same end is open in both");
    for (int i = 0; i < 4; i++) {
        cr_expect(!reasons[i].is_known);
        cr_expect_eq(reasons[i].quality, 5000);
        cr_expect_eq(reasons[i].n_shared + reasons[i].n_unmet, 0);
    }
    cr_expect_eq(explanation.score.coverage, 0);
}

Test(explain, wants_that_used_a_confidential_value_are_marked)
{
    struct explanation explanation;
    const struct want_reason *reasons;

    explain(PAIRING(WANT("any", "languages", "languages") "," WANT(
                "cover", "needs", "offers") "," TEXT_WANT "," WANT("at_least", "team", "capacity")),
            "{\"id\": \"a\", \"languages\": [\"fr\"], \"terms\": [1, 1], \"team\": 3, "
            "\"confidential\": {\"needs\": [\"legal\"]}}",
            "{\"id\": \"b\", \"languages\": [\"fr\"], \"offers\": [\"legal\"], \"terms\": [1, 1], "
            "\"capacity\": 3, \"confidential\": {\"tags\": [\"secret\"], \"capacity\": 9}}",
            &explanation);
    reasons = explanation.from_reasons;
    cr_expect(!reasons[0].is_confidential);
    cr_expect(reasons[1].is_confidential);
    cr_expect(reasons[2].is_confidential);
    cr_expect(reasons[3].is_confidential);
}

Test(explain, of_embeddings_only_the_one_that_was_used_counts)
{
    struct explanation explanation;

    explain(PAIRING(TEXT_WANT),
            "{\"id\": \"a\", \"embedding\": [1, 2], \"terms\": [1, 1], \"confidential\": "
            "{\"description\": {\"en\": \"secret\"}}}",
            "{\"id\": \"b\", \"embedding\": [1, 2], \"terms\": [1, 1]}", &explanation);
    cr_expect(!explanation.from_reasons[0].is_confidential,
              "the embedding is open, and the text was not used");
    explain(PAIRING(TEXT_WANT), "{\"id\": \"a\", \"embedding\": [1, 2], \"terms\": [1, 1]}",
            "{\"id\": \"b\", \"terms\": [1, 1], \"confidential\": {\"embedding\": [1, 2]}}",
            &explanation);
    cr_expect(explanation.from_reasons[0].is_confidential);
}

/* ---- shares ---- */

Test(explain, shares_of_each_view_sum_to_it)
{
    static const int32_t points[] = {0, 1, 3333, 5000, 6667, 9999, 10000};
    struct explanation explanation;

    world_put(&world, "{\"id\": \"a\"}");
    world_put(&world, "{\"id\": \"b\"}");
    world_publish(&world);
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct str wants = STR_LIT("");
        int32_t sum = 0;
        unsigned x = seed * 2654435761U;
        int n = 1 + (int)(x >> 8) % 9;

        for (int i = 0; i < n; i++) {
            x = x * 1664525U + 1013904223U;
            wants = arena_format(world.arena,
                                 "%.*s%s{\"id\": \"w%d\", \"type\": \"any\", \"of\": "
                                 "\"languages\", \"by\": \"languages\", \"weight\": %u, "
                                 "\"missing\": %d}",
                                 STR_ARG(wants), i > 0 ? ", " : "", i, 1 + (x >> 10) % 1000,
                                 points[(x >> 20) % 7]);
        }
        world_explain(&world,
                      world_plan(&world,
                                 arena_format(world.arena,
                                              "{\"id\": \"x\", \"from\": {}, \"to\": {}, "
                                              "\"to_wants\": [%.*s]}",
                                              STR_ARG(wants))
                                     .data,
                                 false, "2026-01-01", NULL),
                      "a", "b", &explanation);
        cr_assert_eq(explanation.n_to, (size_t)n);
        for (int i = 0; i < n; i++) {
            sum += explanation.to_reasons[i].share;
            cr_assert_geq(explanation.to_reasons[i].share, 0);
        }
        cr_assert_eq(sum, explanation.score.to_view, "seed %u", seed);
    }
}

Test(explain, agrees_with_the_score_of_the_list)
{
    struct explanation explanation;
    struct match_score score;
    struct match_plan *plan =
        explain(PAIRING(WANT("overlap", "sectors", "sectors") "," TEXT_WANT),
                "{\"id\": \"a\", \"sectors\": [\"food.agri\"], \"terms\": [1, 3, 2, 4]}",
                "{\"id\": \"b\", \"sectors\": [\"food\"], \"terms\": [1, 3, 3, 4]}", &explanation);

    match_pair_score(plan, roster_facts(world.roster, 0), 0, roster_facts(world.roster, 1), 1,
                     &score);
    cr_expect_eq(explanation.score.score, score.score);
    cr_expect_eq(explanation.score.from_view, (5000 + 3600) / 2);
    cr_expect_eq(explanation.n_to, 0);
    cr_expect_eq(explanation.score.to_view, 10000);
}

/* ---- rules ---- */

Test(explain, every_failing_rule_is_told_in_order)
{
    static const char pairing[] =
        "{\"id\": \"x\", \"from\": {\"kind\": \"startup\", \"metro\": \"paris\"}, \"to\": "
        "{\"kind\": \"incubator\"}, \"require\": [{\"id\": \"fine\", \"type\": \"any\", \"of\": "
        "\"needs\", \"by\": \"offers\"}, {\"id\": \"lang\", \"type\": \"any\", \"of\": "
        "\"languages\", \"by\": \"languages\"}, {\"id\": \"big\", \"type\": \"at_least\", \"of\": "
        "\"team\", \"value\": 10}]}";
    struct explanation explanation;
    const struct failed_rule *failed;
    const struct facts *a, *b;
    struct match_plan *plan = explain(
        pairing,
        "{\"id\": \"a\", \"kind\": \"startup\", \"needs\": [\"legal\"], \"team\": 3, \"status\": "
        "\"paused\", \"languages\": [\"fr\"], \"confidential\": {\"conflicts\": [\"b\"]}}",
        "{\"id\": \"b\", \"kind\": \"investor\", \"offers\": [\"legal\"], \"consent\": {\"match\": "
        "true, \"until\": \"2026-02-28\"}}",
        &explanation);

    a = roster_facts(world.roster, world_row(&world, "a"));
    b = roster_facts(world.roster, world_row(&world, "b"));
    cr_expect(!explanation.is_eligible);
    cr_assert_eq(explanation.n_failed, 8);
    failed = explanation.failed;
    cr_expect(failed[0].rule == RULE_SIDE && failed[0].subject == a && failed[0].is_missing);
    cr_expect_eq(failed[0].of, facts_slot(a, FIELD_METRO));
    cr_expect(failed[1].rule == RULE_SIDE && failed[1].subject == b && !failed[1].is_missing);
    cr_expect(text_is(plan, failed[1].of->codes.codes[0], "investor"));
    cr_expect(failed[2].rule == RULE_CONFLICT && failed[2].subject == a);
    cr_expect(failed[2].is_confidential);
    cr_expect(failed[3].rule == RULE_CONSENT && failed[3].subject == a);
    cr_expect(failed[4].rule == RULE_CONSENT_LAPSED && failed[4].subject == b);
    cr_expect(failed[5].rule == RULE_PAUSED && failed[5].subject == a);
    cr_expect(failed[6].rule == RULE_REQUIREMENT && failed[6].subject == b && failed[6].is_missing);
    cr_expect(str_is(failed[6].requirement->id, "lang"));
    cr_expect(text_is(plan, failed[6].of->codes.codes[0], "fr"));
    cr_expect(failed[7].rule == RULE_REQUIREMENT && failed[7].subject == a &&
              !failed[7].is_missing);
    cr_expect_eq(failed[7].of->number, 3);
    cr_expect_eq(failed[7].by->number, 10);
}

Test(explain, a_conflict_of_both_is_nobodys_alone)
{
    struct explanation explanation;

    explain(PAIRING(""), "{\"id\": \"a\", \"consent\": {\"match\": true}, \"conflicts\": [\"b\"]}",
            "{\"id\": \"b\", \"consent\": {\"match\": true}, \"conflicts\": [\"a\"]}",
            &explanation);
    cr_assert_eq(explanation.n_failed, 1);
    cr_expect_eq(explanation.failed[0].rule, RULE_CONFLICT);
    cr_expect_null(explanation.failed[0].subject);
    cr_expect(!explanation.failed[0].is_confidential);
}

Test(explain, a_profile_with_itself_is_told)
{
    struct explanation explanation;
    struct match_plan *plan;

    world_put(&world, "{\"id\": \"a\", \"consent\": {\"match\": true}}");
    world_publish(&world);
    plan = world_plan(&world, PAIRING(""), false, "2026-03-01", NULL);
    world_explain(&world, plan, "a", "a", &explanation);
    cr_assert_eq(explanation.n_failed, 1);
    cr_expect_eq(explanation.failed[0].rule, RULE_SELF);
}

Test(explain, who_passes_all_rules_is_eligible)
{
    struct explanation explanation;

    explain(PAIRING(""), "{\"id\": \"a\", \"consent\": {\"match\": true}}",
            "{\"id\": \"b\", \"consent\": {\"match\": true, \"until\": \"2026-03-01\"}}",
            &explanation);
    cr_expect(explanation.is_eligible);
    cr_expect_eq(explanation.n_failed, 0);
}

Test(explain, tells_when_the_arena_is_full)
{
    struct explanation explanation;
    struct match_plan *plan = explain(PAIRING(WANT("overlap", "sectors", "sectors")),
                                      "{\"id\": \"a\", \"sectors\": [\"food.agri\", \"energy\"]}",
                                      "{\"id\": \"b\", \"sectors\": [\"food\"]}", &explanation);
    enum err_code code = ERR_BUSY;
    int n_failed = 0;

    for (size_t limit = 16; code != ERR_OK; limit += 16, n_failed++) {
        struct arena *small = arena_create(limit);

        code = match_explain(plan, roster_facts(world.roster, 0), 0, roster_facts(world.roster, 1),
                             1, small, &explanation, NULL);
        cr_assert(code == ERR_OK || code == ERR_BUSY);
        arena_destroy(small);
        cr_assert_lt(limit, 1 << 20);
    }
    cr_expect_gt(n_failed, 3);
}
