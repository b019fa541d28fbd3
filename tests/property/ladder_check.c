#include "ladder_check.h"

#include "ladder.h"
#include "requirement.h"

#include <criterion/criterion.h>

#include <string.h>

struct check {
    struct lens *lens;
    struct points_row **rows; /* by want */
    struct ladders ladders;
    int64_t rates[PLAN_SIDES], tolerated;
};

static const int64_t no_gain[PLAN_SIDES];

static int32_t
exact_points(const struct check *check, size_t want, const struct block *block, uint32_t place)
{
    const struct lens_want *of = &check->lens->wants[want];

    return lens_points(check->lens, of, check->rows[want],
                       column_code(&block->columns[of->column], place));
}

static bool
has_bit(const uint64_t *bits, uint32_t place)
{
    return (bits[place / 64] >> place % 64 & 1) != 0;
}

/* Against the best of each want's table. */
static int64_t
loss_of(const struct check *check, const struct block *block, uint32_t place)
{
    int64_t loss = 0;

    for (size_t i = 0; i < check->ladders.n; i++)
        for (const struct ladder_want *want = check->ladders.all[i]->wants; want != NULL;
             want = want->next)
            loss += check->rates[want->view] * want->weight *
                    (want->most - exact_points(check, want->want, block, place));
    return loss;
}

static void
check_points(const struct check *check, const struct block *block, uint32_t place)
{
    for (size_t i = 0; i < check->ladders.n; i++) {
        struct ladder *ladder = check->ladders.all[i];

        for (const struct ladder_want *want = ladder->wants; want != NULL; want = want->next) {
            int32_t exact = exact_points(check, want->want, block, place), told;
            bool is_exact;

            cr_assert_leq(exact, want->most);
            if (ladder->kind == LADDER_CODES)
                continue;
            told = ladder_points(ladder, want, check->lens, block, place, &is_exact);
            cr_assert(is_exact ? told == exact : told >= exact && told <= want->most,
                      "want %zu of ladder %zu (kind %d), place %u: %s %d, is %d", want->want, i,
                      (int)ladder->kind, place, is_exact ? "exactly" : "at most", told, exact);
        }
    }
}

static uint64_t
check_block(struct check *check, const struct block *block, unsigned limit)
{
    static struct ladder_scratch scratch;
    uint64_t bits[BLOCK_WORDS], n_fallen = 0;

    memcpy(bits, block->present, sizeof bits);
    ladders_climb(&check->ladders, check->lens, block, limit, &scratch, bits);
    memset(bits, 0, sizeof bits);
    for (uint32_t i = 0; i < scratch.climbers.n; i++)
        bits[scratch.climbers.places[i] / 64] |= UINT64_C(1) << scratch.climbers.places[i] % 64;
    for (uint32_t place = 0; place < BLOCK_ROWS; place++) {
        if (!has_bit(block->present, place)) {
            cr_assert_not(has_bit(bits, place));
            continue;
        }
        if (place % 7 == 0)
            check_points(check, block, place);
        if (has_bit(bits, place))
            continue;
        cr_assert_gt(loss_of(check, block, place), check->tolerated, "place %u fell", place);
        n_fallen++;
    }
    return n_fallen;
}

/* Levels of one tolerance, and of what is left of it later. */
static uint64_t
check_table(struct check *check, const struct table *table, struct sample *sample)
{
    uint64_t n_fallen = 0;
    int64_t first = 0, scale;

    for (size_t i = 0; i < check->ladders.n; i++)
        first += check->ladders.all[i]->spread;
    for (int view = 0; view < PLAN_SIDES; view++)
        check->rates[view] = 1 + (int64_t)sample_below(sample, 1000);
    first = (int64_t)sample_below(sample, first * 500 + 1);
    scale = (int64_t)ladders_level(&check->ladders, check->lens, check->rows, check->rates, no_gain,
                                   first);
    for (uint32_t b = 0; b < table->n_blocks; b++) {
        check->tolerated = first - first / 4 * (int64_t)(b % 2);
        n_fallen +=
            check_block(check, table->blocks[b],
                        (unsigned)((uint64_t)check->tolerated * (uint64_t)scale >> LADDER_SHIFT));
    }
    return n_fallen;
}

uint64_t
ladder_check(const struct match_plan *plan, const struct match_query *query, struct sample *sample,
             struct arena *arena)
{
    const struct columns *columns = roster_columns(plan->roster);
    int side = query->on_from ? PLAN_FROM : PLAN_TO;
    struct err err = {0};
    uint64_t n_fallen = 0;

    for (uint32_t t = 0; t < columns->n_tables; t++) {
        const struct table *table = &columns->tables[t];
        struct check check = {0};

        if (!side_takes(&plan->sides[1 - side], table->kind, table->metro))
            continue;
        cr_assert_eq(lens_make(plan, side, table, NULL, arena, arena, &check.lens, &err), ERR_OK);
        check.rows = arena_alloc(arena, check.lens->n_wants, sizeof(struct points_row *));
        for (size_t i = 0; i < check.lens->n_wants; i++)
            if (check.lens->wants[i].kind != LENS_TEXT)
                check.rows[i] = lens_points_row(check.lens, i, query->viewer, NULL, 0);
        cr_assert(ladders_make(check.lens, check.rows, no_gain, arena, &check.ladders));
        n_fallen += check_table(&check, table, sample);
    }
    return n_fallen;
}
