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

static inline uint64_t
any_bit(const uint64_t *words)
{
    uint64_t any = 0;

    for (size_t i = 0; i < LANE_WORDS; i++)
        any |= words[i];
    return any;
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

static inline void
classes_at(const struct kernel_sets *sets, size_t word, lane classes[KERNEL_CLASSES])
{
    lane within = ~(lane){0};

    for (uint32_t c = 0; c + 1 < sets->n_classes; c++) {
        lane next = lane_at(sets->planes[c] + word);

        classes[c] = within & ~next;
        within = next;
    }
    classes[sets->n_classes - 1] = within;
}

static void
reach_sets(const struct kernel_sets *sets, uint32_t n_levels, size_t n_words, const uint64_t *bits,
           uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word += LANE_WORDS) {
        lane classes[KERNEL_CLASSES];

        if (any_bit(bits + word) == 0)
            continue;
        classes_at(sets, word, classes);
        for (uint32_t level = 0; level < n_levels; level++) {
            lane reached = {0};

            for (uint32_t c = 0; c < sets->n_classes; c++) {
                uint32_t need = sets->needs[level][c];

                if (need == 0)
                    reached |= classes[c];
                else if (need <= sets->n_tops)
                    reached |= classes[c] & lane_at(sets->tops + (need - 1) * n_words + word);
            }
            lane_put(levels + level * n_words + word, reached);
        }
    }
}

static void
lose(const struct kernel_steps *steps, const uint64_t *levels, size_t n_words, uint64_t *sums,
     uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word += LANE_WORDS) {
        lane loss[KERNEL_SUM_BITS], carry = {0};

        if (any_bit(bits + word) == 0)
            continue;
        for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++) {
            loss[b] = (lane){0};
            if ((steps->start >> b & 1) != 0)
                loss[b] = ~loss[b];
        }
        for (uint32_t level = 0; level < steps->n; level++) {
            lane out = ~lane_at(levels + level * n_words + word);

            for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++)
                if ((steps->flips[level] >> b & 1) != 0)
                    loss[b] ^= out;
        }
        for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++) {
            lane sum = lane_at(sums + b * n_words + word), either = sum ^ loss[b];

            lane_put(sums + b * n_words + word, either ^ carry);
            carry = (sum & loss[b]) | (carry & either);
        }
        lane_put(bits + word, lane_at(bits + word) & ~carry);
    }
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
