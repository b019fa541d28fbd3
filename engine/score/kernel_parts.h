#ifndef JML_KERNEL_PARTS_H
#define JML_KERNEL_PARTS_H

#include "kernel.h"

/* kernel_parts: what the kernels' files share. Each kernel has a file of its own, compiled for its
 * processor; nothing of it may be called before kernel_find has asked the processor. */
extern const struct kernel kernel_plain;
#ifdef JML_KERNELS_X86
extern const struct kernel kernel_avx2, kernel_avx512;
#endif

/* Word by word, as wide as the compiler makes it: each kernel has it compiled for its processor. A count
 * that would be all ones goes back by one. */
static inline void
count_words(const uint64_t *const *planes, size_t n, uint32_t n_bits, size_t n_words,
            uint64_t *counts)
{
    uint64_t *low = counts, *middle = counts + n_words, *high = counts + (n_bits - 1) * n_words;

    for (size_t i = 0; i < n_bits * n_words; i++)
        counts[i] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t word = 0; word < n_words; word++) {
            uint64_t bit = planes[i][word], carry = low[word] & bit;

            low[word] ^= bit;
            if (n_bits > 2)
                high[word] |= middle[word] & carry;
            middle[word] ^= carry;
            low[word] &= ~(low[word] & middle[word] & high[word]);
        }
}

static inline uint64_t
tally_words(const uint64_t *bits, size_t n_words)
{
    uint64_t n = 0;

    for (size_t word = 0; word < n_words; word++)
        n += (uint64_t)__builtin_popcountll(bits[word]);
    return n;
}

static inline int32_t
dot_plain(const int8_t *a, const int8_t *b, uint32_t n)
{
    int32_t dot = 0;

    for (uint32_t i = 0; i < n; i++)
        dot += a[i] * b[i];
    return dot;
}

#endif
