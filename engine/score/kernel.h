#ifndef JML_KERNEL_H
#define JML_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * kernel: the few loops of a search that are worth writing for one kind of processor.
 *
 * All kernels give the same results to the last bit. Which ones can run is asked of the processor once;
 * a search uses the one that its context names. Pure; any thread.
 *
 * A *place* is one of 64 * n_words in a block; bit i of bits[w] is place 64 * w + i. Arrays of codes
 * hold a byte for each place.
 */
enum { KERNEL_CODES = 128 }; /* tables have so many entries, codes are smaller */

struct kernel_loss { /* what each code of a column costs */
    const uint8_t *codes;
    const uint8_t *table; /* KERNEL_CODES bytes, 16-aligned */
    uint32_t n_codes;     /* codes are below this; entries beyond don't count */
};

/* The same where a place's code is told by bits: bit j of it is bits[j]'s of the place. */
enum { KERNEL_BITS = 5 };
struct kernel_bit_loss {
    const uint64_t *bits[KERNEL_BITS]; /* n_bits of them, n_words each */
    uint32_t n_bits;
    const uint8_t *table; /* 2^n_bits entries in 32 bytes, 16-aligned */
};

struct kernel_losses {
    const struct kernel_loss *bytes;
    size_t n_bytes;
    const struct kernel_bit_loss *bits;
    size_t n_bits;
};

struct kernel {
    const char *name; /* "plain", "avx2", "avx512" */
    /* Clears the bits of places whose losses sum to more than `most` < 255. Where a bit was set, sums gets the
     * sum, 255 for all that is more; sums holds 64 * n_words, aligned by 64. */
    void (*prune)(const struct kernel_losses *losses, uint8_t most, size_t n_words, uint64_t *bits,
                  uint8_t *sums);
    /* Counts for each place in how many of n planes its bit is set, up to 2^n_bits - 2, in n_bits (2 or 3)
     * bits: bit j of a place's count is its bit in counts[j * n_words …]. */
    void (*count)(const uint64_t *const *planes, size_t n, uint32_t n_bits, size_t n_words,
                  uint64_t *counts);
    /* How many bits are set. */
    uint64_t (*tally)(const uint64_t *bits, size_t n_words);
    /* Sets the bits of places whose code's entry is not 0, clears the others. */
    void (*members)(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
                    uint64_t *bits);
    /* Dot products of one int8 vector of n <= 1024 elements with others of the same length. */
    void (*dots)(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others,
                 int32_t *out);
};

/* The kernel of that name; NULL if there is none, or this processor can't run it. */
const struct kernel *kernel_find(const char *name);
const struct kernel *kernel_best(void); /* the fastest that this processor can run */
const char *kernel_names(void);         /* "plain, avx2": those it can run, for an error's text */

#endif
