#include "columns.h"
#include "kernel.h"
#include "ladder_check.h"
#include "sample.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The search over columns, held to the plain scorer byte for byte, in worlds large enough to have several
 * blocks, dictionaries of each size and planes: by every kernel that this processor runs, alone, in
 * batches and as a sweep, before and after edits.
 *
 * A world is of `n_codes` codes a set: few, some hundreds, or so many that a table goes without planes.
 */
enum { PROFILES = 4600, OUTCOMES = 300, VIEWERS = 9, EDITS = 150, KERNELS = 3 };

static struct world world;
static struct match_plan *plan;
static uint64_t seed;
static char pairing_texts[1 << 16];
static uint64_t n_fallen; /* places that ladders let fall */

static uint64_t
rounds(void)
{
    const char *text = getenv("JML_ROUNDS");

    return text != NULL ? strtoull(text, NULL, 10) : 6;
}

static uint64_t
seed_of_round(uint64_t round)
{
    const char *text = getenv("JML_SEED");

    return (text != NULL ? strtoull(text, NULL, 10) : 20261126) + round;
}

#define SEED (unsigned long long)seed

static void
put_profile(struct sample *sample, int i)
{
    struct arena_mark mark = arena_mark(world.arena);
    struct buf json;

    buf_init(&json, 1 << 20);
    sample_profile(sample, i, PROFILES, &json);
    cr_assert_eq(buf_check(&json, NULL), ERR_OK);
    world_put(&world, arena_text(world.arena, buf_str(&json)));
    buf_fini(&json);
    arena_release(world.arena, mark);
}

static void
put_outcome(struct sample *sample)
{
    char from[16], to[16], day[32];

    snprintf(from, sizeof from, "p%04d", (int)sample_below(sample, PROFILES));
    snprintf(to, sizeof to, "p%04d", (int)sample_below(sample, PROFILES));
    snprintf(day, sizeof day, "2026-0%d-15", 1 + (int)sample_below(sample, 4));
    world_outcome(&world, from, to, day, sample_chance(sample, 75));
}

static void
open_world(struct sample *sample, int n_codes)
{
    world_open(&world);
    world.leaves_texts = sample_chance(sample, 50);
    sample->n_codes = n_codes;
    for (int i = 0; i < PROFILES; i++)
        put_profile(sample, i);
    for (int i = 0; i < OUTCOMES; i++)
        put_outcome(sample);
    world_publish(&world);
}

static void
draw_pairing(struct sample *sample, bool has_require)
{
    struct sample_pairing how = {false, 1, 1, has_require, false};
    struct buf json;

    buf_init(&json, sizeof pairing_texts - 1);
    sample_pairing(sample, &how, &json);
    cr_assert_eq(buf_check(&json, NULL), ERR_OK);
    snprintf(pairing_texts, sizeof pairing_texts, "%.*s", STR_ARG(buf_str(&json)));
    buf_fini(&json);
}

/* The same plan by another kernel. */
static struct match_plan *
plan_by(const struct kernel *kernel, const struct roster *roster)
{
    struct match_context context = {.pairing = &world_programme(&world, pairing_texts)->pairings[0],
                                    .roster = roster,
                                    .reference = world.reference,
                                    .symbols = world.symbols,
                                    .day = day_of("2026-03-01"),
                                    .kernel = kernel};
    struct match_plan *made = NULL;
    struct err err = {0};

    cr_assert_eq(match_plan_make(&context, world.arena, &made, &err), ERR_OK, "%s", err.message);
    return made;
}

static struct match_query
draw_query(struct sample *sample, const struct roster *roster, bool on_from)
{
    static const size_t ks[] = {1, 2, 10, 100, 1000};
    struct match_query query = {.on_from = on_from, .k = ks[sample_below(sample, 5)]};

    do
        query.row = (uint32_t)sample_below(sample, roster_rows(roster));
    while (roster_facts(roster, query.row) == NULL);
    query.viewer = roster_facts(roster, query.row);
    query.min_score = sample_chance(sample, 50) ? 0 : (int32_t)sample_below(sample, 8000);
    return query;
}

static void
expect_same(const struct match_list *got, const struct match_list *want, const char *what,
            const char *kernel)
{
    cr_assert(got->n == want->n && got->considered == want->considered &&
                  got->eligible == want->eligible,
              "JML_SEED=%llu JML_ROUNDS=1: %s by %s: %zu hits of %llu eligible, not %zu of %llu",
              SEED, what, kernel, got->n, (unsigned long long)got->eligible, want->n,
              (unsigned long long)want->eligible);
    for (size_t i = 0; i < got->n; i++)
        cr_assert(
            got->hits[i].row == want->hits[i].row &&
                memcmp(&got->hits[i].score, &want->hits[i].score, sizeof got->hits[i].score) == 0,
            "JML_SEED=%llu JML_ROUNDS=1: %s by %s: place %zu is row %u with %d, not %u with %d",
            SEED, what, kernel, i, got->hits[i].row, got->hits[i].score.score, want->hits[i].row,
            want->hits[i].score.score);
}

/* ---- a sweep: every pair once, with its score ---- */

struct swept {
    int32_t true_scores[2 * PROFILES]; /* by row; -1: not eligible */
    uint16_t leasts[2 * PROFILES];
    int32_t scores[2 * PROFILES]; /* as they were told; -1: not */
};
static struct swept swept;

/* How much candidates ask: each what it likes; close to what their pair reaches; nearly all so much that few
 * reach it; close to that in every other block, and anything at all in those between; no list at all. */
enum asking { ASK_ANYTHING, ASK_NEARLY, ASK_MUCH, ASK_BY_BLOCKS, ASK_NEVER, ASKINGS };

static int32_t
nearly(struct sample *sample, int32_t score)
{
    int32_t least = score + (int32_t)sample_below(sample, 5) - 2;

    return score < 0 || least < 0 ? 0 : least;
}

static int32_t
draw_least(struct sample *sample, enum asking asking, uint32_t row)
{
    int32_t score = swept.true_scores[row];

    switch (asking) {
    case ASK_ANYTHING:
        return sample_chance(sample, 30) ? 0 : (int32_t)sample_below(sample, 10002);
    case ASK_NEARLY:
        return nearly(sample, score);
    case ASK_MUCH:
        return sample_chance(sample, 2)    ? 0
               : sample_chance(sample, 10) ? nearly(sample, score)
                                           : 8000 + (int32_t)sample_below(sample, 2001);
    case ASK_BY_BLOCKS:
        return roster_place(world.roster, row) / BLOCK_ROWS % 2 == 0
                   ? nearly(sample, score)
                   : (int32_t)sample_below(sample, 300);
    case ASK_NEVER:
    case ASKINGS:
        break;
    }
    return sample_chance(sample, 50) ? 10001 : UINT16_MAX;
}

static void
note(void *context, uint32_t row, int32_t score)
{
    int32_t *place = &((struct swept *)context)->scores[row];

    cr_assert_eq(*place, -1, "JML_SEED=%llu: row %u is told twice", SEED, row);
    *place = score;
}

static void
score_all(const struct match_plan *by, const struct match_query *query)
{
    for (uint32_t row = 0; row < roster_rows(world.roster); row++) {
        const struct facts *other = roster_facts(world.roster, row);
        const struct facts *from = query->on_from ? query->viewer : other;
        const struct facts *to = query->on_from ? other : query->viewer;
        struct match_score score = {.score = -1};
        int requirement;

        if (other != NULL && match_pair_rule(by, from, to, &requirement) == RULE_NONE) {
            cr_assert_eq(match_need_texts(by, from, to, NULL), ERR_OK);
            match_pair_score(by, from, query->on_from ? query->row : row, to,
                             query->on_from ? row : query->row, &score);
        }
        swept.true_scores[row] = score.score;
    }
}

static void
check_asking(struct sample *sample, const struct match_plan *by, const struct match_query *query,
             enum asking asking, const char *kernel)
{
    const struct match_sweep sweep = {swept.leasts, note, &swept};
    struct err err = {0};

    for (uint32_t row = 0; row < roster_rows(world.roster); row++) {
        swept.leasts[row] = (uint16_t)draw_least(sample, asking, row);
        swept.scores[row] = -1;
    }
    cr_assert_eq(match_sweep(by, query, &sweep, world.arena, &err), ERR_OK, "%s", err.message);
    for (uint32_t row = 0; row < roster_rows(world.roster); row++) {
        int32_t score = swept.true_scores[row];

        if (score < swept.leasts[row] || score < query->min_score)
            score = -1;
        cr_assert_eq(swept.scores[row], score,
                     "JML_SEED=%llu JML_ROUNDS=1: asking %d, by %s: row %u swept with %d, not %d",
                     SEED, (int)asking, kernel, row, swept.scores[row], score);
    }
}

static void
check_sweep(struct sample *sample, const struct match_plan *by, const struct match_query *query,
            const char *kernel)
{
    score_all(by, query);
    for (int asking = 0; asking < ASKINGS; asking++)
        check_asking(sample, by, query, (enum asking)asking, kernel);
}

/* ---- everything about one roster ---- */

static void
check_roster(struct sample *sample, const struct roster *roster, bool with_sweep)
{
    static const char *const names[KERNELS] = {"plain", "avx2", "avx512"};
    struct arena_mark mark = arena_mark(world.arena);

    for (int on_from = 0; on_from < 2; on_from++) {
        struct match_query queries[VIEWERS];
        struct match_list wanted[VIEWERS];
        struct err err = {0};

        plan = plan_by(NULL, roster);
        for (int i = 0; i < VIEWERS; i++) {
            queries[i] = draw_query(sample, roster, on_from != 0);
            cr_assert_eq(match_top_plain(plan, &queries[i], world.arena, &wanted[i], &err), ERR_OK);
        }
        for (int k = 0; k < KERNELS; k++) {
            const struct kernel *kernel = kernel_find(names[k]);
            struct match_list got[VIEWERS];

            if (kernel == NULL)
                continue;
            plan = plan_by(kernel, roster);
            for (int i = 0; i < VIEWERS; i++) {
                cr_assert_eq(match_top(plan, &queries[i], world.arena, &got[i], &err), ERR_OK, "%s",
                             err.message);
                expect_same(&got[i], &wanted[i], "a search", names[k]);
            }
            cr_assert_eq(match_batch(plan, queries, VIEWERS, world.arena, got, &err), ERR_OK, "%s",
                         err.message);
            for (int i = 0; i < VIEWERS; i++)
                expect_same(&got[i], &wanted[i], "a batch", names[k]);
            if (with_sweep)
                check_sweep(sample, plan, &queries[k], names[k]);
        }
        for (int i = 0; i < VIEWERS; i++)
            n_fallen += ladder_check(plan, &queries[i], sample, world.arena);
    }
    arena_release(world.arena, mark);
}

static void
edit(struct sample *sample)
{
    for (int i = 0; i < EDITS; i++) {
        int which = (int)sample_below(sample, PROFILES);
        char id[32];

        snprintf(id, sizeof id, "p%04d", which);
        switch (sample_below(sample, 4)) {
        case 0:
            world_delete(&world, id);
            break;
        case 1:
            put_outcome(sample);
            break;
        default: /* it may change its kind and metro */
            put_profile(sample, which);
        }
    }
    world_publish(&world);
}

Test(search, is_the_plain_scorer_in_other_words, .timeout = 600)
{
    static const int codes[] = {0, 60, 300, 5000};

    for (uint64_t round = 0; round < rounds(); round++) {
        struct sample sample = {.state = 0};
        struct roster *before;

        seed = seed_of_round(round);
        sample.state = seed;
        open_world(&sample, codes[round % 4]);
        for (int pairing = 0; pairing < 3; pairing++) {
            draw_pairing(&sample, pairing != 0);
            check_roster(&sample, world.roster, pairing == 0);
        }
        before = roster_hold(world.roster);
        edit(&sample);
        check_roster(&sample, world.roster, true);
        check_roster(&sample, before, false); /* whoever holds it sees it as it was */
        roster_drop(before);
        world_close(&world);
    }
    cr_expect_gt(n_fallen, 1000, "ladders let %llu places fall: nothing was tried",
                 (unsigned long long)n_fallen);
}

/* ---- by one want of sectors ---- */

static void
plan_by_sectors(void)
{
    snprintf(
        pairing_texts, sizeof pairing_texts, "%s",
        "{\"id\": \"p\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, "
        "\"from_wants\": [{\"id\": \"w\", \"type\": \"overlap\", \"of\": \"sectors\", "
        "\"by\": \"sectors\", \"weight\": 1}]}");
    plan = plan_by(NULL, world.roster);
}

static void
put_by_sector(int i, const char *kind, const char *sector)
{
    char json[200];

    snprintf(json, sizeof json,
             "{\"id\": \"p%04d\", \"kind\": \"%s\", \"sectors\": [\"%s\"], \"terms\": [], "
             "\"consent\": {\"match\": true}}",
             i, kind, sector);
    world_put(&world, json);
}

enum { HOSTS = 9000, LOOKERS = 3, BEST = 7, BEST_EVERY = 600 };

/* The same list by each way, after so many passes. */
static void
expect_passes(uint8_t n_passes)
{
    struct match_query queries[LOOKERS] = {{0}};
    struct match_list plain, list, lists[LOOKERS];
    struct err err = {0};

    for (int i = 0; i < LOOKERS; i++) {
        char id[16];

        snprintf(id, sizeof id, "p%04d", HOSTS + i);
        queries[i] = (struct match_query){.on_from = true, .k = 10};
        queries[i].row = world_row(&world, id);
        queries[i].viewer = roster_facts(world.roster, queries[i].row);
    }
    cr_assert_eq(match_batch(plan, queries, LOOKERS, world.arena, lists, &err), ERR_OK);
    for (int i = 0; i < LOOKERS; i++) {
        cr_assert_eq(match_top_plain(plan, &queries[i], world.arena, &plain, &err), ERR_OK);
        cr_assert_eq(match_top(plan, &queries[i], world.arena, &list, &err), ERR_OK);
        expect_same(&list, &plain, "a search", "the best kernel");
        expect_same(&lists[i], &plain, "a batch", "the best kernel");
        cr_expect_eq(list.n_passes, i == 1 ? 1 : n_passes, "looker %d: %d passes", i,
                     list.n_passes);
        cr_expect_eq(lists[i].n_passes, i == 1 ? 1 : n_passes);
    }
}

/* The second looker, for whom all are alike, has no reason to hope in vain. */
static void
put_lookers(void)
{
    for (int i = 0; i < LOOKERS; i++)
        put_by_sector(HOSTS + i, "startup", i == 1 ? "energy" : "food.agri");
    world_publish(&world);
    plan_by_sectors();
}

/* Of the ten best seven stand in the block that is visited first: as if there were thirty. */
Test(search, that_hoped_in_vain_is_made_again)
{
    world_open(&world);
    for (int i = 0; i < HOSTS; i++)
        put_by_sector(i, "incubator", i < BEST ? "food.agri" : "food.retail");
    put_lookers();
    expect_passes(2);
    world_close(&world);
}

Test(search, hopes_for_what_lies_evenly)
{
    world_open(&world);
    for (int i = 0; i < HOSTS; i++)
        put_by_sector(i, "incubator", i % BEST_EVERY == 0 ? "food.agri" : "food.retail");
    put_lookers();
    expect_passes(1);
    world_close(&world);
}

/* Nothing but ties: the ids alone decide, whatever the order of places. */
Test(search, ties_go_by_id)
{
    struct match_query query = {.on_from = true, .k = 1000};
    struct match_list list, plain;
    struct err err = {0};

    world_open(&world);
    for (int i = 0; i < 3000; i++)
        put_by_sector(i * 7919 % 3000, i == 0 ? "startup" : "incubator", "food");
    world_publish(&world);
    plan_by_sectors();
    query.row = world_row(&world, "p0000");
    query.viewer = roster_facts(world.roster, query.row);
    cr_assert_eq(match_top(plan, &query, world.arena, &list, &err), ERR_OK);
    cr_assert_eq(match_top_plain(plan, &query, world.arena, &plain, &err), ERR_OK);
    cr_assert_eq(list.n, 1000);
    expect_same(&list, &plain, "ties", "the best kernel");
    cr_expect(str_is(roster_facts(world.roster, list.hits[999].row)->id, "p1000"));
    world_close(&world);
}
