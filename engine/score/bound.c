#include "search.h"

#include <string.h>

static int64_t
divide_up(int64_t dividend, int64_t divisor)
{
    return (dividend + divisor - 1) / divisor;
}

void
search_slopes(struct search *search)
{
    const int64_t one = INT64_C(1) << SLOPE_BITS;
    int64_t a = 1 + search->told_views[PLAN_FROM]; /* in the middle, until there are any */
    int64_t b = 1 + search->told_views[PLAN_TO];

    for (size_t i = 0; i < search->heap.n; i++) {
        a += search->heap.hits[i].score.from_view;
        b += search->heap.hits[i].score.to_view;
    }
    search->slopes[PLAN_FROM] = search->slopes[PLAN_TO] = one / 2; /* mean, min */
    switch (search->plan->combine) {
    case COMBINE_HARMONIC:
        a = a * 1000 / (a + b); /* only their ratio matters */
        b = 1000 - a;
        search->slopes[PLAN_FROM] = divide_up(2 * b * b * one, 1000 * 1000);
        search->slopes[PLAN_TO] = divide_up(2 * a * a * one, 1000 * 1000);
        break;
    case COMBINE_FROM:
        search->slopes[PLAN_FROM] = one;
        search->slopes[PLAN_TO] = 0;
        break;
    case COMBINE_TO:
        search->slopes[PLAN_FROM] = 0;
        search->slopes[PLAN_TO] = one;
        break;
    case COMBINE_MEAN:
    case COMBINE_MIN:
        break;
    }
    for (int view = 0; view < PLAN_SIDES; view++) {
        int64_t weight = search->plan->views[view].weight;

        search->rates[view] = weight > 0 ? divide_up(search->slopes[view] << RATE_BITS, weight) : 0;
    }
}

/* The score that a candidate must reach: of those that just reach it the id decides. */
int32_t
search_least(const struct search *search)
{
    int32_t least = hit_heap_least(&search->heap);

    least = least > search->hope.score ? least : search->hope.score;
    return least > search->query->min_score ? least : search->query->min_score;
}

/* The tangent's value for these sums, SLOPE_BITS + RATE_BITS; never below what combine gives. */
int64_t
search_bound(const struct search *search, int64_t from_sum, int64_t to_sum)
{
    int64_t bound = 0;

    bound += search->plan->views[PLAN_FROM].weight > 0
                 ? search->rates[PLAN_FROM] * from_sum
                 : search->slopes[PLAN_FROM] * SCORE_MAX << RATE_BITS;
    bound += search->plan->views[PLAN_TO].weight > 0
                 ? search->rates[PLAN_TO] * to_sum
                 : search->slopes[PLAN_TO] * SCORE_MAX << RATE_BITS;
    return bound;
}

/* How much a candidate may lose against the best there could be; negative: nobody can enter. */
static int64_t
tolerance(const struct search *search, int32_t least)
{
    return search_bound(search, search->most[PLAN_FROM], search->most[PLAN_TO]) -
           least * BOUND_UNIT;
}

/*
 * How much a candidate may lose, after making levels ready for it; negative: nobody can enter. Levels of a
 * larger tolerance still tell, a little less sharply: they are made anew once it is much smaller.
 */
static int64_t
losses_ready(struct search *search, int32_t least)
{
    int64_t tolerated = tolerance(search, least);

    if (search->losses_for >= 0 && tolerated >= search->losses_for - search->losses_for / 4)
        return tolerated;
    search_slopes(search);
    tolerated = tolerance(search, least);
    search->losses_for = tolerated;
    if (tolerated < 0)
        return tolerated;
    search->scale = ladders_level(&search->ladders, search->lens, search->points, search->rates,
                                  search->record_gain, tolerated);
    search->best_bound = search_bound(search, search->most[PLAN_FROM], search->most[PLAN_TO]);
    search->unit = (INT64_C(1) << LADDER_SHIFT) / (int64_t)search->scale;
    return tolerated;
}

/* For each place in question KERNEL_SUM_MOST less its limit, in planes. Who may lose nothing at all is let
 * go. */
static void
starts_set(const struct search *search, int64_t tolerated, int32_t least,
           const uint16_t leasts[BLOCK_ROWS], uint64_t bits[BLOCK_WORDS], uint64_t *starts)
{
    for (size_t word = 0; word < BLOCK_WORDS; word++) {
        uint64_t planes[KERNEL_SUM_BITS] = {0};

        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);
            int64_t own = tolerated - (leasts[word * 64 + at] - least) * BOUND_UNIT;
            uint64_t start;

            if (own < 0) {
                bits[word] &= ~(left & -left);
                continue;
            }
            start = KERNEL_SUM_MOST - ((uint64_t)own * search->scale >> LADDER_SHIFT);
            for (unsigned b = 0; b < KERNEL_SUM_BITS; b++)
                planes[b] |= (start >> b & 1) << at;
        }
        for (unsigned b = 0; b < KERNEL_SUM_BITS; b++)
            starts[b * BLOCK_WORDS + word] = planes[b];
    }
}

void
search_prune_each(struct search *search, const struct block *block, int32_t least,
                  const uint16_t leasts[BLOCK_ROWS], uint64_t bits[BLOCK_WORDS],
                  struct ladder_scratch *scratch)
{
    int64_t tolerated = losses_ready(search, least);

    scratch->climbers.n = 0;
    if (tolerated < 0)
        return;
    starts_set(search, tolerated, least, leasts, bits, scratch->starts);
    ladders_climb_each(&search->ladders, search->lens, block, scratch, bits);
}

int32_t
search_contender_bound(int64_t bound)
{
    return (int32_t)((bound - 1) / (BOUND_UNIT / CONTENDER_UNIT) + 1);
}

/* The bound of all, less the units; a unit stands for no less than this. */
int64_t
search_climber_bound(const struct search *search, uint32_t lost)
{
    return search->best_bound - (int64_t)lost * search->unit;
}

void
search_prune(struct search *search, const struct block *block, int32_t least,
             uint64_t bits[BLOCK_WORDS], struct ladder_scratch *scratch)
{
    int64_t tolerated = losses_ready(search, least);

    if (tolerated < 0)
        scratch->climbers.n = 0;
    else
        ladders_climb(&search->ladders, search->lens, block,
                      (unsigned)((uint64_t)tolerated * search->scale >> LADDER_SHIFT), scratch,
                      bits);
}
