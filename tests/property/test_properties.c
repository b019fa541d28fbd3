#include "naive.h"
#include "sample.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

enum { PROFILES = 24, PROFILES_MAX = 1200, OUTCOMES = 60, ROUNDS = 60 };

/* One random world, both as the engine sees it and as trees. */
struct ground {
    struct world world;
    uint64_t seed;
    const msgpack_object *profiles[PROFILES_MAX];
    const char *texts[PROFILES_MAX];
    struct naive_outcome outcomes[OUTCOMES];
    struct naive naive;
    struct match_plan *plan;
    const char *day;
};

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL && *text != 0 ? strtoull(text, NULL, 10) : otherwise;
}

/* JML_SEED and JML_ROUNDS; the seed of a round stands in each message: JML_ROUNDS=1 repeats it. */
static uint64_t
seed_of_round(uint64_t round)
{
    return number_of("JML_SEED", 20260301) + round;
}

static uint64_t
rounds(void)
{
    return number_of("JML_ROUNDS", ROUNDS);
}

static const char *
pairing_text(struct ground *ground, const struct sample_pairing *how)
{
    struct sample sample = {.state = ground->seed * 31 + 7};
    const char *text;
    struct buf json;

    buf_init(&json, 1 << 20);
    sample_pairing(&sample, how, &json);
    cr_assert_eq(buf_check(&json, NULL), ERR_OK);
    text = arena_text(ground->world.arena, buf_str(&json));
    buf_fini(&json);
    return text;
}

static void
use_pairing(struct ground *ground, const char *text, bool is_mirrored)
{
    ground->naive.pairing = world_json(&ground->world, text);
    ground->naive.is_mirrored = is_mirrored;
    ground->plan = world_plan(&ground->world, text, is_mirrored, ground->day, NULL);
}

static void
put(struct ground *ground, const char *text)
{
    size_t n = ground->naive.n_profiles++;

    ground->texts[n] = text;
    ground->profiles[n] = world_json(&ground->world, text);
    world_put(&ground->world, text);
}

static void
put_outcomes(struct ground *ground, struct sample *sample, int n_profiles)
{
    for (int i = 0; i < OUTCOMES; i++) {
        int from = (int)sample_below(sample, n_profiles + 2);
        int to = (from + 1 + (int)sample_below(sample, n_profiles)) % (n_profiles + 2);
        char *texts[3];
        bool is_positive = sample_chance(sample, 75);

        texts[0] = arena_alloc(ground->world.arena, 3, 16);
        texts[1] = texts[0] + 16;
        texts[2] = texts[0] + 32;
        snprintf(texts[0], 16, "p%04d", from); /* the last two never have a profile */
        snprintf(texts[1], 16, "p%04d", to);
        snprintf(texts[2], 16, "2026-%02u-%02u", 1 + (unsigned)sample_below(sample, 4) % 12,
                 1 + (unsigned)sample_below(sample, 2) % 28);
        world_outcome(&ground->world, texts[0], texts[1], texts[2], is_positive);
        ground->outcomes[i] = (struct naive_outcome){str_from(texts[0]), str_from(texts[1]),
                                                     day_of(texts[2]), is_positive};
    }
    ground->naive.outcomes = ground->outcomes;
    ground->naive.n_outcomes = OUTCOMES;
}

static void
open_ground(struct ground *ground, uint64_t seed, int n_profiles)
{
    static const char *const days[] = {"2026-03-01", "2019-12-31", "2024-12-31", "2025-01-01"};
    struct sample sample = {.state = seed};

    *ground = (struct ground){.seed = seed};
    world_open(&ground->world);
    ground->world.leaves_texts = sample_chance(&sample, 50);
    ground->day = days[sample_chance(&sample, 60) ? 0 : sample_below(&sample, 4)];
    ground->naive.day = day_of(ground->day);
    ground->naive.profiles = ground->profiles;
    for (int i = 0; i < n_profiles; i++) {
        struct buf json;

        buf_init(&json, 1 << 20);
        sample_profile(&sample, i, n_profiles, &json);
        cr_assert_eq(buf_check(&json, NULL), ERR_OK);
        put(ground, arena_text(ground->world.arena, buf_str(&json)));
        buf_fini(&json);
    }
    put_outcomes(ground, &sample, n_profiles);
    world_publish(&ground->world);
}

static uint32_t
row_of(const struct ground *ground, const msgpack_object *profile)
{
    return roster_find(ground->world.roster, naive_id(profile));
}

static struct match_score
engine_score(const struct ground *ground, const msgpack_object *from, const msgpack_object *to)
{
    uint32_t a = row_of(ground, from), b = row_of(ground, to);
    const struct facts *of_a = roster_facts(ground->world.roster, a),
                       *of_b = roster_facts(ground->world.roster, b);
    struct match_score score;

    cr_assert_eq(match_need_texts(ground->plan, of_a, of_b, NULL), ERR_OK);
    match_pair_score(ground->plan, of_a, a, of_b, b, &score);
    return score;
}

static void
engine_top(const struct ground *ground, const msgpack_object *viewer, bool on_from, size_t k,
           int32_t min_score, struct match_list *list)
{
    struct match_query query = {
        .row = row_of(ground, viewer), .on_from = on_from, .k = k, .min_score = min_score};
    struct err err = {0};

    query.viewer = roster_facts(ground->world.roster, query.row);
    cr_assert_eq(match_top(ground->plan, &query, ground->world.arena, list, &err), ERR_OK, "%s",
                 err.message);
}

static struct str
hit_id(const struct ground *ground, const struct match_list *list, size_t i)
{
    return roster_facts(ground->world.roster, list->hits[i].row)->id;
}

#define SEED(ground) (unsigned long long)(ground)->seed
#define SAME(ground, got, want, what, a, b)                                                     \
    cr_assert((long long)(got) == (long long)(want),                                            \
              "JML_SEED=%llu JML_ROUNDS=1: %s of %.*s and %.*s: engine %lld, page %lld",        \
              SEED(ground), what, STR_ARG(naive_id(a)), STR_ARG(naive_id(b)), (long long)(got), \
              (long long)(want))

/* ---- the engine and the page ---- */

static void
check_reasons(const struct ground *ground, const struct naive_want *wants,
              const struct want_reason *reasons, size_t n, const msgpack_object *from,
              const msgpack_object *to)
{
    for (size_t i = 0; i < n; i++) {
        char what[80];

        snprintf(what, sizeof what, "want %zu (%s)", i, want_type_name(reasons[i].want->type));
        SAME(ground, reasons[i].is_known, wants[i].is_known, what, from, to);
        SAME(ground, reasons[i].quality, wants[i].quality, what, from, to);
        SAME(ground, reasons[i].points, wants[i].points, what, from, to);
        SAME(ground, reasons[i].share, wants[i].share, what, from, to);
    }
}

static uint64_t
rules_told(const struct ground *ground, const struct explanation *explanation)
{
    static const uint64_t bits[] = {[RULE_SELF] = NAIVE_SELF,
                                    [RULE_SIDE] = NAIVE_SIDE,
                                    [RULE_CONFLICT] = NAIVE_CONFLICT,
                                    [RULE_CONSENT] = NAIVE_CONSENT,
                                    [RULE_CONSENT_LAPSED] = NAIVE_LAPSED,
                                    [RULE_PAUSED] = NAIVE_PAUSED};
    uint64_t rules = 0;

    (void)ground;
    for (size_t i = 0; i < explanation->n_failed; i++) {
        const struct failed_rule *failed = &explanation->failed[i];
        int number = 0;

        if (failed->rule != RULE_REQUIREMENT) {
            rules |= bits[failed->rule];
            continue;
        }
        cr_assert_eq(sscanf(failed->requirement->id.data, "r%d", &number), 1);
        rules |= (uint64_t)NAIVE_REQUIREMENT << number;
    }
    return rules;
}

static enum rule
first_rule(uint64_t rules)
{
    return rules == 0                      ? RULE_NONE
           : (rules & NAIVE_SELF) != 0     ? RULE_SELF
           : (rules & NAIVE_SIDE) != 0     ? RULE_SIDE
           : (rules & NAIVE_CONFLICT) != 0 ? RULE_CONFLICT
           : (rules & NAIVE_CONSENT) != 0  ? RULE_CONSENT
           : (rules & NAIVE_LAPSED) != 0   ? RULE_CONSENT_LAPSED
           : (rules & NAIVE_PAUSED) != 0   ? RULE_PAUSED
                                           : RULE_REQUIREMENT;
}

static void
check_pair(struct ground *ground, const msgpack_object *from, const msgpack_object *to)
{
    static struct naive_score want;
    struct match_score got = engine_score(ground, from, to);
    uint32_t a = row_of(ground, from), b = row_of(ground, to);
    const struct facts *x = roster_facts(ground->world.roster, a);
    const struct facts *y = roster_facts(ground->world.roster, b);
    struct explanation explanation;
    uint64_t rules = naive_rules(&ground->naive, from, to);
    int requirement = -1;
    enum rule rule = match_pair_rule(ground->plan, x, y, &requirement);
    struct err err = {0};

    naive_score(&ground->naive, from, to, &want);
    cr_assert_eq(match_explain(ground->plan, x, a, y, b, ground->world.arena, &explanation, &err),
                 ERR_OK, "%s", err.message);
    cr_assert(explanation.n_from == want.n_wants[0] && explanation.n_to == want.n_wants[1]);
    check_reasons(ground, want.wants[0], explanation.from_reasons, explanation.n_from, from, to);
    check_reasons(ground, want.wants[1], explanation.to_reasons, explanation.n_to, from, to);
    SAME(ground, got.from_view, want.views[0], "from view", from, to);
    SAME(ground, got.to_view, want.views[1], "to view", from, to);
    SAME(ground, got.score, want.score, "score", from, to);
    SAME(ground, got.coverage, want.coverage, "coverage", from, to);
    cr_assert(got.coverage >= 0 && got.coverage <= 10000 && got.score >= 0 && got.score <= 10000);
    cr_assert(memcmp(&got, &explanation.score, sizeof got) == 0);
    SAME(ground, rule, first_rule(rules), "first rule", from, to);
    if (rule == RULE_REQUIREMENT)
        SAME(ground, requirement, __builtin_ctzll(rules / NAIVE_REQUIREMENT), "requirement", from,
             to);
    SAME(ground, rules_told(ground, &explanation), rules, "rules", from, to);
    SAME(ground, explanation.is_eligible, rules == 0, "eligible", from, to);
}

static void
check_list(struct ground *ground, const msgpack_object *viewer, bool on_from, size_t k,
           int32_t min_score)
{
    static struct naive_hit hits[PROFILES_MAX];
    struct naive_list want = {.hits = hits};
    struct match_list got;

    naive_top(&ground->naive, viewer, on_from, k, min_score, &want);
    engine_top(ground, viewer, on_from, k, min_score, &got);
    SAME(ground, got.considered, want.considered, "considered", viewer, viewer);
    SAME(ground, got.eligible, want.eligible, "eligible", viewer, viewer);
    SAME(ground, got.n, want.n, "length", viewer, viewer);
    for (size_t i = 0; i < got.n; i++) {
        SAME(ground, got.hits[i].score.score, want.hits[i].score, "score in the list", viewer,
             want.hits[i].profile);
        cr_assert(str_equal(hit_id(ground, &got, i), naive_id(want.hits[i].profile)),
                  "JML_SEED=%llu: place %zu of %.*s", SEED(ground), i, STR_ARG(naive_id(viewer)));
    }
}

static struct ground ground;

Test(properties, engine_scores_explains_and_forbids_as_the_page_does)
{
    for (uint64_t round = 0; round < rounds(); round++) {
        struct sample_pairing how = {false, 1, 1, true, round % 4 == 3};
        struct arena_mark mark;

        open_ground(&ground, seed_of_round(round), PROFILES);
        use_pairing(&ground, pairing_text(&ground, &how), how.is_mirrored && round % 8 == 7);
        mark = arena_mark(ground.world.arena);
        for (size_t i = 0; i < PROFILES; i++)
            for (size_t j = 0; j < PROFILES; j++) {
                check_pair(&ground, ground.profiles[i], ground.profiles[j]);
                arena_release(ground.world.arena, mark);
            }
        world_close(&ground.world);
    }
}

Test(properties, lists_are_the_full_sort_cut_at_k)
{
    static const size_t ks[] = {1, 2, 7, 1000};

    for (uint64_t round = 0; round < rounds(); round++) {
        struct sample_pairing how = {false, 1, 1, round % 2 == 0, false};
        struct sample sample = {.state = seed_of_round(round)};

        open_ground(&ground, seed_of_round(round), PROFILES);
        use_pairing(&ground, pairing_text(&ground, &how), false);
        for (size_t i = 0; i < PROFILES; i++)
            check_list(&ground, ground.profiles[i], i % 2 == 0, ks[sample_below(&sample, 4)],
                       sample_chance(&sample, 50) ? 0 : (int32_t)sample_below(&sample, 10001));
        world_close(&ground.world);
    }
}

/* ---- laws ---- */

static struct ground other;

/* The same facts in another world, arrived in another order; with one profile more unless NULL. */
static void
open_copy(struct sample *sample, const char *one_more)
{
    size_t order[PROFILES_MAX], n = ground.naive.n_profiles;

    other = (struct ground){.seed = ground.seed, .day = ground.day};
    world_open(&other.world);
    for (size_t i = 0; i < n; i++) {
        size_t j = (size_t)sample_below(sample, (int64_t)i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (size_t i = 0; i < OUTCOMES; i++) { /* before the profiles, and last first */
        const struct naive_outcome *outcome = &ground.outcomes[OUTCOMES - 1 - i];
        char day[11];

        date_format(outcome->day, day);
        world_outcome(&other.world, outcome->from.data, outcome->to.data, day,
                      outcome->is_positive);
    }
    if (one_more != NULL)
        put(&other, one_more);
    for (size_t i = 0; i < n; i++)
        put(&other, ground.texts[order[i]]);
    world_publish(&other.world);
}

/* A profile more, whose consent is the given text; its id comes amid the others'. */
static const char *
newcomer(struct sample *sample, const char *consent)
{
    return arena_format(ground.world.arena,
                        "{\"id\": \"p0011x\", \"kind\": \"%s\", \"metro\": \"%s\", \"sectors\": "
                        "[\"health.bio\", \"food\"], \"team\": %d, \"languages\": [\"fr\"], "
                        "\"terms\": [1, 40, 2, 7]%s}",
                        sample_chance(sample, 50) ? "startup" : "incubator",
                        sample_chance(sample, 50) ? "paris" : "silicon-valley",
                        (int)sample_below(sample, 20), consent)
        .data;
}

/* Is every list of the first world that of the other, but for the newcomer? How many have it? */
static size_t
check_same_lists(void)
{
    size_t n_with = 0;

    for (size_t i = 0; i < PROFILES; i++)
        for (int on_from = 0; on_from < 2; on_from++) {
            struct match_list before, after;
            size_t n_new = 0;

            engine_top(&ground, ground.profiles[i], on_from != 0, 1000, 0, &before);
            engine_top(&other, ground.profiles[i], on_from != 0, 1000, 0, &after);
            for (size_t j = 0; j < after.n; j++) {
                struct str id = hit_id(&other, &after, j);

                if (str_is(id, "p0011x")) {
                    n_new++;
                    continue;
                }
                cr_assert(j - n_new < before.n &&
                              str_equal(id, hit_id(&ground, &before, j - n_new)) &&
                              memcmp(&after.hits[j].score, &before.hits[j - n_new].score,
                                     sizeof before.hits[0].score) == 0,
                          "JML_SEED=%llu: place %zu of %.*s", SEED(&ground), j,
                          STR_ARG(naive_id(ground.profiles[i])));
            }
            cr_assert_eq(after.n, before.n + n_new, "JML_SEED=%llu", SEED(&ground));
            cr_assert_eq(after.eligible, before.eligible + n_new, "JML_SEED=%llu", SEED(&ground));
            n_with += n_new;
        }
    return n_with;
}

static void
open_round(uint64_t round)
{
    struct sample_pairing how = {false, 1, 1, round % 2 == 0, false};

    open_ground(&ground, seed_of_round(round), PROFILES);
    use_pairing(&ground, pairing_text(&ground, &how), false);
}

static void
open_round_copy(uint64_t round, const char *one_more)
{
    struct sample_pairing how = {false, 1, 1, round % 2 == 0, false};
    struct sample sample = {.state = seed_of_round(round) + 99};

    open_copy(&sample, one_more);
    use_pairing(&other, pairing_text(&ground, &how), false);
}

Test(laws, order_of_arrival_changes_nothing)
{
    for (uint64_t round = 0; round < rounds(); round++) {
        open_round(round);
        open_round_copy(round, NULL);
        check_same_lists();
        world_close(&other.world);
        world_close(&ground.world);
    }
}

Test(laws, an_ineligible_profile_more_changes_no_list)
{
    static const char *const consents[] = {
        "", ", \"consent\": {\"match\": false}",
        ", \"consent\": {\"match\": true, \"until\": \"2018-01-01\"}",
        ", \"consent\": {\"match\": true}, \"status\": \"paused\""};

    for (uint64_t round = 0; round < rounds(); round++) {
        struct sample sample = {.state = seed_of_round(round)};

        open_round(round);
        open_round_copy(round, newcomer(&sample, consents[round % 4]));
        cr_assert_eq(check_same_lists(), 0, "JML_SEED=%llu", SEED(&ground));
        world_close(&other.world);
        world_close(&ground.world);
    }
}

Test(laws, an_eligible_profile_more_is_inserted)
{
    size_t n_with = 0;

    for (uint64_t round = 0; round < rounds(); round++) {
        struct sample sample = {.state = seed_of_round(round)};

        open_round(round);
        open_round_copy(round, newcomer(&sample, ", \"consent\": {\"match\": true}"));
        n_with += check_same_lists();
        world_close(&other.world);
        world_close(&ground.world);
    }
    cr_assert(rounds() < 10 || n_with > 0);
}

/* The scores of all pairs under a varied pairing, sides exchanged or not. */
static void
check_same_scores(const struct sample_pairing *varied)
{
    static struct match_score plain[PROFILES][PROFILES];
    struct sample_pairing how = {false, 1, 1, false, false};

    use_pairing(&ground, pairing_text(&ground, &how), false);
    for (size_t i = 0; i < PROFILES; i++)
        for (size_t j = 0; j < PROFILES; j++)
            plain[i][j] = engine_score(&ground, ground.profiles[i], ground.profiles[j]);
    use_pairing(&ground, pairing_text(&ground, varied), false);
    for (size_t i = 0; i < PROFILES; i++)
        for (size_t j = 0; j < PROFILES; j++) {
            bool x = varied->is_exchanged;
            const msgpack_object *a = ground.profiles[i], *b = ground.profiles[j];
            struct match_score got = engine_score(&ground, x ? b : a, x ? a : b);

            SAME(&ground, got.score, plain[i][j].score, "score", a, b);
            SAME(&ground, x ? got.to_view : got.from_view, plain[i][j].from_view, "view", a, b);
            SAME(&ground, x ? got.from_view : got.to_view, plain[i][j].to_view, "view", a, b);
            if (varied->from_scale == varied->to_scale)
                SAME(&ground, got.coverage, plain[i][j].coverage, "coverage", a, b);
        }
}

Test(laws, exchanging_the_sides_leaves_scores)
{
    for (uint64_t round = 0; round < rounds(); round++) {
        open_ground(&ground, seed_of_round(round), PROFILES);
        check_same_scores(&(struct sample_pairing){true, 1, 1, false, false});
        world_close(&ground.world);
    }
}

Test(laws, scaling_the_weights_of_a_view_leaves_scores)
{
    for (uint64_t round = 0; round < rounds(); round++) {
        open_ground(&ground, seed_of_round(round), PROFILES);
        check_same_scores(&(struct sample_pairing){false, 1 + (int)(round % 10), 7, false, false});
        check_same_scores(&(struct sample_pairing){false, 10, 10, false, false});
        world_close(&ground.world);
    }
}

/* 1200 profiles of which many score the same; every k is the beginning of the next. */
Test(laws, a_larger_k_only_extends)
{
    static const size_t ks[] = {1, 2, 3, 10, 99, 100, 101, 500, 999, 1000};
    struct match_list longer, list;

    open_ground(&ground, seed_of_round(0), PROFILES_MAX);
    use_pairing(&ground,
                "{\"id\": \"x\", \"from\": {}, \"to\": {}, \"from_wants\": [{\"id\": \"w\", "
                "\"type\": \"any\", \"of\": \"languages\", \"by\": \"languages\", \"weight\": 1}]}",
                false);
    for (size_t i = 0; i < 8; i++) {
        engine_top(&ground, ground.profiles[i], true, 1000, 0, &longer);
        for (size_t j = 0; j < sizeof ks / sizeof ks[0]; j++) {
            check_list(&ground, ground.profiles[i], true, ks[j], 0);
            engine_top(&ground, ground.profiles[i], true, ks[j], 0, &list);
            cr_assert_eq(list.n, longer.n < ks[j] ? longer.n : ks[j]);
            for (size_t at = 0; at < list.n; at++)
                cr_assert_eq(list.hits[at].row, longer.hits[at].row);
        }
    }
    world_close(&ground.world);
}
