#define KERNEL_LANE 32
#include "kernel_lanes.h"

#include <immintrin.h>

enum { WORD_PLACES = 64, HALF_PLACES = 32 };

/*
 * A byte shuffle looks up 16 entries, and gives 0 where the index has its high bit set. For a longer
 * table each sixteenth is looked up with the code less its start: adding 0x70 with saturation sets the
 * high bit of every index that is not 0..15, so that exactly one of the lookups answers.
 */
static inline __m256i
look_up(__m256i codes, const uint8_t *table, uint32_t n_codes)
{
    const __m256i high = _mm256_set1_epi8(0x70);
    __m256i found = _mm256_setzero_si256();

    for (uint32_t start = 0; start < n_codes; start += 16) {
        __m256i entries =
            _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(table + start)));
        __m256i at = _mm256_sub_epi8(codes, _mm256_set1_epi8((char)start));

        found = _mm256_or_si256(found, _mm256_shuffle_epi8(entries, _mm256_adds_epu8(at, high)));
    }
    return found;
}

/* The bits of the bytes' signs; `before` as bits 0 to 31, `after` as the others. */
static inline uint64_t
bits_of(__m256i before, __m256i after)
{
    return (uint32_t)_mm256_movemask_epi8(before) | (uint64_t)(uint32_t)_mm256_movemask_epi8(after)
                                                        << HALF_PLACES;
}

static inline __m256i
load(const void *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

/* Where a is not below b: all ones. */
static inline __m256i
no_less_8(__m256i a, __m256i b)
{
    return _mm256_cmpeq_epi8(_mm256_max_epi8(a, b), a);
}

static inline __m256i
cells_common(const struct kernel_cells *cells, size_t place)
{
    return _mm256_subs_epi8(
        _mm256_min_epi8(load(cells->hi + place), _mm256_set1_epi8(cells->to)),
        _mm256_max_epi8(load(cells->lo + place), _mm256_set1_epi8(cells->from)));
}

static void
reach_cells(const struct kernel_cells *cells, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        size_t place = word * WORD_PLACES;

        if (bits[word] == 0)
            continue;
        __m256i before = cells_common(cells, place);
        __m256i after = cells_common(cells, place + HALF_PLACES);
        __m256i class_before = load(cells->classes + place);
        __m256i class_after = load(cells->classes + place + HALF_PLACES);
        for (uint32_t level = 0; level < n_levels; level++) {
            __m256i needs =
                _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)cells->needs[level]));

            levels[level * n_words + word] =
                bits_of(no_less_8(before, _mm256_shuffle_epi8(needs, class_before)),
                        no_less_8(after, _mm256_shuffle_epi8(needs, class_after)));
        }
    }
}

/* Two vectors of words that are all ones or 0, as bytes in their order. */
static inline __m256i
bytes_of_words(__m256i before, __m256i after)
{
    return _mm256_permute4x64_epi64(_mm256_packs_epi16(before, after), 0xd8);
}

static void
reach_days(const struct kernel_days *days, uint32_t n_levels, size_t n_words, const uint64_t *bits,
           uint64_t *levels)
{
    const __m256i from = _mm256_set1_epi16(days->from), to = _mm256_set1_epi16(days->to);

    for (size_t word = 0; word < n_words; word++) {
        __m256i common[4];

        if (bits[word] == 0)
            continue;
        for (size_t i = 0; i < 4; i++) {
            size_t place = word * WORD_PLACES + i * 16;

            common[i] = _mm256_subs_epi16(_mm256_min_epi16(load(days->hi + place), to),
                                          _mm256_max_epi16(load(days->lo + place), from));
        }
        for (uint32_t level = 0; level < n_levels; level++) {
            __m256i need = _mm256_set1_epi16(days->needs[level]), out[4];

            for (size_t i = 0; i < 4; i++)
                out[i] = _mm256_cmpgt_epi16(need, common[i]);
            levels[level * n_words + word] =
                ~bits_of(bytes_of_words(out[0], out[1]), bytes_of_words(out[2], out[3]));
        }
    }
}

static void
reach_codes(const struct kernel_codes *codes, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        const uint8_t *at = codes->codes + word * WORD_PLACES;

        if (bits[word] == 0)
            continue;
        __m256i before = look_up(load(at), codes->table, codes->n_codes);
        __m256i after = look_up(load(at + HALF_PLACES), codes->table, codes->n_codes);
        for (uint32_t level = 0; level < n_levels; level++) {
            __m256i need = _mm256_set1_epi8((char)codes->needs[level]);

            levels[level * n_words + word] =
                ~bits_of(_mm256_cmpeq_epi8(_mm256_max_epu8(before, need), before),
                         _mm256_cmpeq_epi8(_mm256_max_epu8(after, need), after));
        }
    }
}

static void
members(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
        uint64_t *bits)
{
    const __m256i zero = _mm256_setzero_si256();

    for (size_t word = 0; word < n_words; word++, codes += WORD_PLACES)
        bits[word] =
            ~bits_of(_mm256_cmpeq_epi8(look_up(load(codes), table, n_codes), zero),
                     _mm256_cmpeq_epi8(look_up(load(codes + HALF_PLACES), table, n_codes), zero));
}

static void
meet_cells(const int8_t *lo, const int8_t *hi, int8_t from, int8_t to, size_t n_words,
           uint64_t *bits)
{
    const __m256i first = _mm256_set1_epi8(from), last = _mm256_set1_epi8(to);

    for (size_t word = 0; word < n_words; word++, lo += WORD_PLACES, hi += WORD_PLACES) {
        __m256i before =
            _mm256_or_si256(_mm256_cmpgt_epi8(load(lo), last), _mm256_cmpgt_epi8(first, load(hi)));
        __m256i after = _mm256_or_si256(_mm256_cmpgt_epi8(load(lo + HALF_PLACES), last),
                                        _mm256_cmpgt_epi8(first, load(hi + HALF_PLACES)));

        bits[word] = ~bits_of(before, after);
    }
}

static void
meet_days(const int16_t *lo, const int16_t *hi, int16_t from, int16_t to, size_t n_words,
          uint64_t *bits)
{
    const __m256i first = _mm256_set1_epi16(from), last = _mm256_set1_epi16(to);

    for (size_t word = 0; word < n_words; word++) {
        __m256i out[4];

        for (size_t i = 0; i < 4; i++) {
            size_t place = word * WORD_PLACES + i * 16;

            out[i] = _mm256_or_si256(_mm256_cmpgt_epi16(load(lo + place), last),
                                     _mm256_cmpgt_epi16(first, load(hi + place)));
        }
        bits[word] = ~bits_of(bytes_of_words(out[0], out[1]), bytes_of_words(out[2], out[3]));
    }
}

enum { DOTS = 4, ELEMENTS = 16 };

static inline __m256i
widen(const int8_t *elements)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)elements));
}

/* The sums of each of four vectors' elements. */
static inline __m128i
sums_of(const __m256i sums[DOTS])
{
    __m256i all =
        _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));

    return _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
}

/* Four dot products at once, none of which waits for another; n is a multiple of ELEMENTS. */
static inline __m128i
four_dots(const int8_t *vector, uint32_t n, const int8_t *const others[DOTS])
{
    __m256i sums[DOTS] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                          _mm256_setzero_si256()};

    for (uint32_t i = 0; i < n; i += ELEMENTS) {
        __m256i x = widen(vector + i);

        for (int k = 0; k < DOTS;
             k++) /* products of two pairs are at most 2^15: 1024 of them fit */
            sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(x, widen(others[k] + i)));
    }
    return sums_of(sums);
}

static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    uint32_t n_whole = n / ELEMENTS * ELEMENTS;
    size_t k = 0;

    for (; k + DOTS <= n_others; k += DOTS)
        _mm_storeu_si128((__m128i *)(out + k), four_dots(vector, n_whole, others + k));
    if (k < n_others) {
        size_t n_left = n_others - k;
        const int8_t *last[DOTS];
        int32_t products[DOTS];

        for (size_t i = 0; i < DOTS; i++)
            last[i] = others[k + (i < n_left ? i : 0)];
        _mm_storeu_si128((__m128i *)products, four_dots(vector, n_whole, last));
        for (size_t i = 0; i < n_left; i++)
            out[k + i] = products[i];
    }
    for (size_t i = 0; i < n_others && n_whole < n; i++)
        out[i] += dot_plain(vector + n_whole, others[i] + n_whole, n - n_whole);
}

const struct kernel kernel_avx2 = {
    "avx2", count, reach_sets, reach_cells, reach_days, reach_codes,
    lose,   tally, members,    meet_cells,  meet_days,  dots,
};
