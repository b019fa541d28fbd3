#define KERNEL_LANE 16
#include "bits.h"
#include "kernel_lanes.h"

enum { WORD_PLACES = 64 };

static inline int
least(int a, int b)
{
    return a < b ? a : b;
}

static inline int
greatest(int a, int b)
{
    return a > b ? a : b;
}

static void
reach_cells(const struct kernel_cells *cells, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        size_t first = word * WORD_PLACES;
        int8_t common[WORD_PLACES];
        uint8_t reached[WORD_PLACES];

        if (bits[word] == 0)
            continue;
        for (size_t i = 0; i < WORD_PLACES; i++) {
            int both = least(cells->hi[first + i], cells->to) -
                       greatest(cells->lo[first + i], cells->from);

            common[i] = (int8_t)greatest(least(both, INT8_MAX), INT8_MIN);
        }
        for (uint32_t level = 0; level < n_levels; level++) {
            for (size_t i = 0; i < WORD_PLACES; i++)
                reached[i] = common[i] >= cells->needs[level][cells->classes[first + i]];
            levels[level * n_words + word] = bits_of_bytes(reached);
        }
    }
}

static void
reach_days(const struct kernel_days *days, uint32_t n_levels, size_t n_words, const uint64_t *bits,
           uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        size_t first = word * WORD_PLACES;
        int16_t common[WORD_PLACES];
        uint8_t reached[WORD_PLACES];

        if (bits[word] == 0)
            continue;
        for (size_t i = 0; i < WORD_PLACES; i++) {
            int both =
                least(days->hi[first + i], days->to) - greatest(days->lo[first + i], days->from);

            common[i] = (int16_t)greatest(least(both, INT16_MAX), INT16_MIN);
        }
        for (uint32_t level = 0; level < n_levels; level++) {
            for (size_t i = 0; i < WORD_PLACES; i++)
                reached[i] = common[i] >= days->needs[level];
            levels[level * n_words + word] = bits_of_bytes(reached);
        }
    }
}

static void
reach_codes(const struct kernel_codes *codes, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        const uint8_t *first = codes->codes + word * WORD_PLACES;
        uint8_t found[WORD_PLACES], reached[WORD_PLACES];

        if (bits[word] == 0)
            continue;
        for (size_t i = 0; i < WORD_PLACES; i++)
            found[i] = codes->table[first[i]];
        for (uint32_t level = 0; level < n_levels; level++) {
            for (size_t i = 0; i < WORD_PLACES; i++)
                reached[i] = found[i] < codes->needs[level];
            levels[level * n_words + word] = bits_of_bytes(reached);
        }
    }
}

static void
members(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
        uint64_t *bits)
{
    (void)n_codes;
    for (size_t word = 0; word < n_words; word++, codes += WORD_PLACES) {
        uint8_t set[WORD_PLACES];

        for (size_t i = 0; i < WORD_PLACES; i++)
            set[i] = table[codes[i]] != 0;
        bits[word] = bits_of_bytes(set);
    }
}

static void
meet_cells(const int8_t *lo, const int8_t *hi, int8_t from, int8_t to, size_t n_words,
           uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word++, lo += WORD_PLACES, hi += WORD_PLACES) {
        uint8_t meet[WORD_PLACES];

        for (size_t i = 0; i < WORD_PLACES; i++)
            meet[i] = (lo[i] <= to) & (hi[i] >= from);
        bits[word] = bits_of_bytes(meet);
    }
}

static void
meet_days(const int16_t *lo, const int16_t *hi, int16_t from, int16_t to, size_t n_words,
          uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word++, lo += WORD_PLACES, hi += WORD_PLACES) {
        uint8_t meet[WORD_PLACES];

        for (size_t i = 0; i < WORD_PLACES; i++)
            meet[i] = (lo[i] <= to) & (hi[i] >= from);
        bits[word] = bits_of_bytes(meet);
    }
}

static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    for (size_t i = 0; i < n_others; i++)
        out[i] = dot_plain(vector, others[i], n);
}

const struct kernel kernel_plain = {
    "plain", count, reach_sets, reach_cells, reach_days, reach_codes,
    lose,    tally, members,    meet_cells,  meet_days,  dots,
};
