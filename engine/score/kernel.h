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
 * A *place* is one of 64 * n_words in a block; bit i of bits[w] is place 64 * w + i. n_words is a
 * multiple of KERNEL_WORDS. Arrays of codes, cells and days hold one for each place.
 *
 * Losses are told by *levels*: a place loses `start`, and more with each level that it does not reach;
 * who reaches a level reaches those after it. Levels lie one after the other, n_words each, with a bit where a
 * place reaches the level. Only places whose bit in `bits` is set are asked for; the levels' bits
 * of others mean nothing.
 */
enum {
    KERNEL_CODES = 128, /* tables have so many entries, codes are smaller */
    KERNEL_WORDS = 8,
    KERNEL_LEVELS = 15,
    KERNEL_TOPS = 7,     /* the most that is counted */
    KERNEL_CLASSES = 8,  /* of sets */
    KERNEL_WIDTHS = 16,  /* classes of ranges of cells */
    KERNEL_SUM_BITS = 6, /* of a sum of losses */
    KERNEL_SUM_MOST = (1 << KERNEL_SUM_BITS) - 1
};

struct kernel_steps {
    uint32_t n;    /* levels */
    uint8_t start; /* what a place loses that reaches all of them */
    /* Bit j of turns[b]: bit b of a place's loss turns where it does not reach level j. */
    uint16_t turns[KERNEL_SUM_BITS];
};

/* A place's class is the number of planes, of n_classes - 1, that have its bit; who is in one is in those
 * before it. Level j: for places of class c, needs[j][c] in common, no more than for the level before. */
struct kernel_sets {
    const uint64_t *tops; /* as `count` gives them, n_tops */
    const uint64_t *planes[KERNEL_CLASSES - 1];
    uint32_t n_tops, n_classes;
    uint8_t needs[KERNEL_LEVELS][KERNEL_CLASSES]; /* n_tops + 1: out of reach */
};

/* Ranges of cells, less 128, and the class of each. How far two meet is min(hi, to) - max(lo, from), held
 * within -128..127. Level j: for places of class c, needs[j][c]. */
struct kernel_cells {
    const int8_t *lo, *hi;
    const uint8_t *classes; /* below KERNEL_WIDTHS */
    int8_t from, to;
    _Alignas(16) int8_t needs[KERNEL_LEVELS][KERNEL_WIDTHS];
};

struct kernel_days { /* likewise, of days, held within -32768..32767; one class */
    const int16_t *lo, *hi;
    int16_t from, to;
    int16_t needs[KERNEL_LEVELS];
};

struct kernel_codes { /* level j: where the entry of a place's code is below needs[j] */
    const uint8_t *codes;
    const uint8_t *table; /* KERNEL_CODES bytes, 16-aligned */
    uint32_t n_codes;     /* codes are below this; entries beyond don't count */
    uint8_t needs[KERNEL_LEVELS];
};

struct kernel {
    const char *name; /* "plain", "avx2", "avx512" */
    /* Places that have so many of n planes' bits: bit i of tops[j * n_words …] says that i has more than j of
     * them; n_tops from 1 to KERNEL_TOPS. */
    void (*count)(const uint64_t *const *planes, size_t n, uint32_t n_tops, size_t n_words,
                  uint64_t *tops);
    void (*reach_sets)(const struct kernel_sets *sets, uint32_t n_levels, size_t n_words,
                       const uint64_t *bits, uint64_t *levels);
    void (*reach_cells)(const struct kernel_cells *cells, uint32_t n_levels, size_t n_words,
                        const uint64_t *bits, uint64_t *levels);
    void (*reach_days)(const struct kernel_days *days, uint32_t n_levels, size_t n_words,
                       const uint64_t *bits, uint64_t *levels);
    void (*reach_codes)(const struct kernel_codes *codes, uint32_t n_levels, size_t n_words,
                        const uint64_t *bits, uint64_t *levels);
    /* Adds a loss to the sums of the places in question: bit i of sums[b * n_words …] is bit b of
     * place i's. Clears the bits of places whose sum is more than KERNEL_SUM_MOST; their sums, and those of places
     * that were not in question, mean nothing from then on. */
    void (*lose)(const struct kernel_steps *steps, const uint64_t *levels, size_t n_words,
                 uint64_t *sums, uint64_t *bits);
    /* How many bits are set. */
    uint64_t (*tally)(const uint64_t *bits, size_t n_words);
    /* Sets the bits of places whose code's entry is not 0, clears the others. */
    void (*members)(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
                    uint64_t *bits);
    /* Sets the bits of places with lo <= to and hi >= from, clears the others. */
    void (*meet_cells)(const int8_t *lo, const int8_t *hi, int8_t from, int8_t to, size_t n_words,
                       uint64_t *bits);
    void (*meet_days)(const int16_t *lo, const int16_t *hi, int16_t from, int16_t to,
                      size_t n_words, uint64_t *bits);
    /* Dot products of one int8 vector of n <= 1024 elements with others of the same length. */
    void (*dots)(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others,
                 int32_t *out);
};

/* The kernel of that name; NULL if there is none, or this processor can't run it. */
const struct kernel *kernel_find(const char *name);
const struct kernel *kernel_best(void); /* the fastest that this processor can run */
const char *kernel_names(void);         /* "plain, avx2": those it can run, for an error's text */

#endif
