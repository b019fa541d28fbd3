#include "bits.h"
#include "search.h"

#include <string.h>

/*
 * sweep: one looker against candidates that each ask a score of their own.
 *
 * All places climb the same ladders, each from a start of its own (bound.c), so that what a place may lose is
 * told in units of the most that any may lose. A few that ask very little would make these units coarse
 * for all others: they don't climb. Levels are made for a score that most places of a block ask at least,
 * and those below go on as they are. That score is kept from block to block while it serves.
 *
 * Where the tangent touches (search.h) there is no list to tell; it is told by those that were found so far.
 * The two views of a pair that is just good enough may lie far apart, and a tangent at their middle would then
 * let nearly everybody pass: so the second look is soon, and later ones are ever rarer.
 */
enum {
    STEP = 64, /* points, of which scores are counted together */
    STEPS = SCORE_MAX / STEP + 1,
    LEFT_OUT = 32,     /* one place of so many may be below a score that is chosen */
    LEFT_OUT_MOST = 8, /* likewise, until another is chosen */
    TOLD_FIRST = 16,   /* found, until the tangent is laid anew */
    TOLD_TIMES = 8     /* so many times more, until it is once more */
};

/* What each place must reach. Who can't, since it asks too much, is let go. */
static void
ask(const struct search *search, const struct block *block, uint16_t leasts[BLOCK_ROWS],
    uint64_t bits[BLOCK_WORDS])
{
    const uint16_t *asked = search->sweep->leasts;
    uint16_t min_score = (uint16_t)search->query->min_score;

    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
            uint32_t place = word * 64 + (uint32_t)__builtin_ctzll(left);
            uint16_t least = asked[block->rows[place]];

            leasts[place] = least > min_score ? least : min_score;
            if (least > SCORE_MAX)
                bits[word] &= ~(left & -left);
        }
}

/* Nearly all of those in question ask this much, or more. */
static int32_t
asked_by_most(const uint16_t leasts[BLOCK_ROWS], const uint64_t bits[BLOCK_WORDS], uint64_t n)
{
    uint16_t counts[STEPS] = {0};
    uint64_t below = 0;
    int32_t step = 0;

    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
            counts[leasts[word * 64 + (uint32_t)__builtin_ctzll(left)] / STEP]++;
    while (step < STEPS - 1 && (below += counts[step]) <= n / LEFT_OUT)
        step++;
    return step * STEP;
}

static uint64_t
take_below(int32_t score, const uint16_t leasts[BLOCK_ROWS], uint64_t bits[BLOCK_WORDS],
           uint64_t taken[BLOCK_WORDS])
{
    uint64_t n = 0;

    for (uint32_t word = 0; word < BLOCK_WORDS; word++) {
        taken[word] = 0;
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
            if (leasts[word * 64 + (uint32_t)__builtin_ctzll(left)] < score)
                taken[word] |= left & -left;
        n += (uint64_t)__builtin_popcountll(taken[word]);
        bits[word] &= ~taken[word];
    }
    return n;
}

static void
put_back(const uint64_t taken[BLOCK_WORDS], uint64_t bits[BLOCK_WORDS])
{
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        bits[word] |= taken[word];
}

/* Are the levels of the blocks before no good here? */
static bool
is_outdated(const struct search *search, uint64_t n_below, uint64_t n)
{
    return search->losses_for < 0 || search->n_told >= search->n_told_enough ||
           n_below > n / LEFT_OUT_MOST;
}

/* Leaves those who could still reach what they ask, and some who could not, among the climbers and in
 * `below`. */
static void
sweep_prune(struct search *search, const struct block *block, struct survivors *survivors,
            uint64_t bits[BLOCK_WORDS], uint64_t below[BLOCK_WORDS])
{
    uint16_t *leasts = survivors->leasts;
    uint64_t n, n_below;

    ask(search, block, leasts, bits);
    n = search->plan->kernel->tally(bits, BLOCK_WORDS);
    n_below = take_below(search->sweep_least, leasts, bits, below);
    if (n > 0 && is_outdated(search, n_below, n)) {
        put_back(below, bits);
        search->losses_for = -1;
        search->n_told_enough = TOLD_FIRST + TOLD_TIMES * search->n_told;
        search->sweep_least = asked_by_most(leasts, bits, n);
        take_below(search->sweep_least, leasts, bits, below);
    }
    search_prune_each(search, block, search->sweep_least, leasts, bits, &survivors->ladders);
}

/* Whatever their bounds: each is judged by what it asks. */
static void
contend(struct search *search, uint32_t block_at, const uint16_t *places, uint32_t n,
        struct survivors *survivors)
{
    const struct block *block = search->lens->table->blocks[block_at];
    uint8_t steps[TEXTS_AT_ONCE] = {0};

    if (search->has_text) {
        search_text_fetch(search, block, places, n);
        search_text_steps(search, block, places, n, steps);
    }
    for (uint32_t i = 0; i < n; i++)
        search_contend(search,
                       (struct contender){INT32_MAX, block_at * BLOCK_ROWS + places[i], steps[i]},
                       survivors);
}

void
sweep_block(struct search *search, uint32_t block_at, uint64_t bits[BLOCK_WORDS],
            struct survivors *survivors)
{
    const struct block *block = search->lens->table->blocks[block_at];
    struct climbers *climbers = &survivors->ladders.climbers;
    uint64_t below[BLOCK_WORDS];

    sweep_prune(search, block, survivors, bits, below);
    climbers->n += places_of_bits(below, BLOCK_WORDS, climbers->places + climbers->n);
    for (uint32_t first = 0; first < climbers->n; first += TEXTS_AT_ONCE)
        contend(search, block_at, climbers->places + first, texts_together(climbers, first),
                survivors);
    search_settle(search, survivors);
}
