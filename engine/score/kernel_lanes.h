#ifndef JML_KERNEL_LANES_H
#define JML_KERNEL_LANES_H

#include "kernel_parts.h"

#include <string.h>

/*
 * kernel_lanes: the loops over words of bits, for as many words at once as a processor's register holds.
 *
 * Each kernel's file says how many bytes that is (KERNEL_LANE) before it includes this, and has the loops
 * compiled for its processor. Vectors of this form are an extension that gcc and clang share.
 */
typedef uint64_t lane __attribute__((vector_size(KERNEL_LANE)));
enum { LANE_WORDS = KERNEL_LANE / sizeof(uint64_t) };

static inline lane
lane_at(const uint64_t *words)
{
    lane bits;

    memcpy(&bits, words, sizeof bits);
    return bits;
}

static inline void
lane_put(uint64_t *words, lane bits)
{
    memcpy(words, &bits, sizeof bits);
}

/*
 * Loops go by *stripes* of lanes, so that what is asked of a level or a class is asked once for all of them. n_lanes
 * is a constant wherever a stripe's function is inlined, so that its lanes stay in registers.
 */
enum { STRIPE = 4 };

static inline __attribute__((always_inline)) bool
is_empty(const uint64_t *bits, const uint32_t n_lanes)
{
    lane any = lane_at(bits);
    uint64_t word = 0;

    for (uint32_t v = 1; v < n_lanes; v++)
        any |= lane_at(bits + v * LANE_WORDS);
    for (size_t i = 0; i < LANE_WORDS; i++)
        word |= any[i];
    return word == 0;
}

/* n_tops is a constant wherever this is inlined, so that the counts stay in registers. */
static inline __attribute__((always_inline)) void
count_lanes(const uint64_t *const *planes, size_t n, const uint32_t n_tops, size_t n_words,
            uint64_t *tops)
{
    for (size_t word = 0; word < n_words; word += LANE_WORDS) {
        lane counts[KERNEL_TOPS] = {0};

        for (size_t i = 0; i < n; i++) {
            lane bit = lane_at(planes[i] + word);

            for (uint32_t j = n_tops - 1; j > 0; j--)
                counts[j] |= counts[j - 1] & bit;
            counts[0] |= bit;
        }
        for (uint32_t j = 0; j < n_tops; j++)
            lane_put(tops + j * n_words + word, counts[j]);
    }
}

static void
count(const uint64_t *const *planes, size_t n, uint32_t n_tops, size_t n_words, uint64_t *tops)
{
    switch (n_tops) {
    case 1:
        count_lanes(planes, n, 1, n_words, tops);
        break;
    case 2:
        count_lanes(planes, n, 2, n_words, tops);
        break;
    case 3:
        count_lanes(planes, n, 3, n_words, tops);
        break;
    case 4:
        count_lanes(planes, n, 4, n_words, tops);
        break;
    case 5:
        count_lanes(planes, n, 5, n_words, tops);
        break;
    case 6:
        count_lanes(planes, n, 6, n_words, tops);
        break;
    default:
        count_lanes(planes, n, KERNEL_TOPS, n_words, tops);
    }
}

/* By class, the places of a stripe that are in it. */
static inline __attribute__((always_inline)) void
classes_at(const struct kernel_sets *sets, const uint32_t n_lanes, size_t word,
           lane classes[KERNEL_CLASSES][STRIPE])
{
    lane within[STRIPE];

    for (uint32_t v = 0; v < n_lanes; v++)
        within[v] = ~(lane){0};
    for (uint32_t c = 0; c + 1 < sets->n_classes; c++)
        for (uint32_t v = 0; v < n_lanes; v++) {
            lane next = lane_at(sets->planes[c] + word + v * LANE_WORDS);

            classes[c][v] = within[v] & ~next;
            within[v] = next;
        }
    for (uint32_t v = 0; v < n_lanes; v++)
        classes[sets->n_classes - 1][v] = within[v];
}

/* Who reaches a level reaches the next: only classes that need less for it are asked anew. */
static inline __attribute__((always_inline)) void
reach_stripe(const struct kernel_sets *sets, uint32_t n_levels, const uint32_t n_lanes,
             size_t n_words, size_t word, uint64_t *levels)
{
    lane classes[KERNEL_CLASSES][STRIPE], reached[STRIPE];

    classes_at(sets, n_lanes, word, classes);
    for (uint32_t v = 0; v < n_lanes; v++)
        reached[v] = (lane){0};
    for (uint32_t level = 0; level < n_levels; level++) {
        for (uint32_t c = 0; c < sets->n_classes; c++) {
            uint32_t need = sets->needs[level][c];
            const uint64_t *top = sets->tops + (need > 0 ? need - 1 : 0) * n_words + word;

            if (need > sets->n_tops || (level > 0 && need == sets->needs[level - 1][c]))
                continue;
            for (uint32_t v = 0; v < n_lanes; v++)
                reached[v] |=
                    need == 0 ? classes[c][v] : classes[c][v] & lane_at(top + v * LANE_WORDS);
        }
        for (uint32_t v = 0; v < n_lanes; v++)
            lane_put(levels + level * n_words + word + v * LANE_WORDS, reached[v]);
    }
}

static void
reach_sets(const struct kernel_sets *sets, uint32_t n_levels, size_t n_words, const uint64_t *bits,
           uint64_t *levels)
{
    size_t word = 0;

    for (; word + STRIPE * LANE_WORDS <= n_words; word += STRIPE * LANE_WORDS)
        if (!is_empty(bits + word, STRIPE))
            reach_stripe(sets, n_levels, STRIPE, n_words, word, levels);
    for (; word < n_words; word += LANE_WORDS)
        if (!is_empty(bits + word, 1))
            reach_stripe(sets, n_levels, 1, n_words, word, levels);
}

/* Ripple-carry addition, bit by bit for all lanes of the stripe. */
static inline __attribute__((always_inline)) void
lose_stripe(const struct kernel_steps *steps, const uint64_t *levels, const uint32_t n_lanes,
            size_t n_words, uint64_t *sums, uint64_t *bits)
{
    lane carry[STRIPE], loss[STRIPE];

    for (uint32_t v = 0; v < n_lanes; v++)
        carry[v] = (lane){0};
    for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++, sums += n_words) {
        uint32_t left = steps->turns[b];
        /* a bit that turns where a level is not reached: it turns everywhere, and again where one is */
        uint64_t first = ((steps->start >> b) + (uint32_t)__builtin_popcount(left)) & 1;

        for (uint32_t v = 0; v < n_lanes; v++)
            loss[v] = (lane){0} - first;
        for (; left != 0; left &= left - 1) {
            const uint64_t *level = levels + (uint32_t)__builtin_ctz(left) * n_words;

            for (uint32_t v = 0; v < n_lanes; v++)
                loss[v] ^= lane_at(level + v * LANE_WORDS);
        }
        for (uint32_t v = 0; v < n_lanes; v++) {
            lane sum = lane_at(sums + v * LANE_WORDS), either = sum ^ loss[v];

            lane_put(sums + v * LANE_WORDS, either ^ carry[v]);
            carry[v] = (sum & loss[v]) | (carry[v] & either);
        }
    }
    for (uint32_t v = 0; v < n_lanes; v++)
        lane_put(bits + v * LANE_WORDS, lane_at(bits + v * LANE_WORDS) & ~carry[v]);
}

static void
lose(const struct kernel_steps *steps, const uint64_t *levels, size_t n_words, uint64_t *sums,
     uint64_t *bits)
{
    size_t word = 0;

    for (; word + STRIPE * LANE_WORDS <= n_words; word += STRIPE * LANE_WORDS)
        if (!is_empty(bits + word, STRIPE))
            lose_stripe(steps, levels + word, STRIPE, n_words, sums + word, bits + word);
    for (; word < n_words; word += LANE_WORDS)
        if (!is_empty(bits + word, 1))
            lose_stripe(steps, levels + word, 1, n_words, sums + word, bits + word);
}

static uint64_t
tally(const uint64_t *bits, size_t n_words)
{
    uint64_t n = 0;

    for (size_t word = 0; word < n_words; word++)
        n += (uint64_t)__builtin_popcountll(bits[word]);
    return n;
}

#endif
