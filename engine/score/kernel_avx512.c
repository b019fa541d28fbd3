#define KERNEL_LANE 64
#include "kernel_lanes.h"

#include <immintrin.h>

enum { WORD_PLACES = 64, HALF_PLACES = 32 };

/*
 * VBMI looks up 64 entries in one instruction, 128 in another; VNNI multiplies 64 pairs of bytes and adds
 * them by fours.
 */
static inline __m512i
look_up(__m512i codes, const uint8_t *table, uint32_t n_codes)
{
    __m512i first = _mm512_loadu_si512(table);

    if (n_codes <= 64)
        return _mm512_permutexvar_epi8(codes, first);
    return _mm512_permutex2var_epi8(first, codes, _mm512_loadu_si512(table + 64));
}

static inline __m512i
load(const void *bytes)
{
    return _mm512_loadu_si512(bytes);
}

static void
reach_cells(const struct kernel_cells *cells, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    const __m512i from = _mm512_set1_epi8(cells->from), to = _mm512_set1_epi8(cells->to);

    for (size_t word = 0; word < n_words; word++) {
        size_t place = word * WORD_PLACES;

        if (bits[word] == 0)
            continue;
        __m512i common = _mm512_subs_epi8(_mm512_min_epi8(load(cells->hi + place), to),
                                          _mm512_max_epi8(load(cells->lo + place), from));
        __m512i classes = load(cells->classes + place);
        for (uint32_t level = 0; level < n_levels; level++) {
            __m512i needs =
                _mm512_broadcast_i32x4(_mm_load_si128((const __m128i *)cells->needs[level]));

            levels[level * n_words + word] =
                _mm512_cmpge_epi8_mask(common, _mm512_shuffle_epi8(needs, classes));
        }
    }
}

static void
reach_days(const struct kernel_days *days, uint32_t n_levels, size_t n_words, const uint64_t *bits,
           uint64_t *levels)
{
    const __m512i from = _mm512_set1_epi16(days->from), to = _mm512_set1_epi16(days->to);

    for (size_t word = 0; word < n_words; word++) {
        const int16_t *lo = days->lo + word * WORD_PLACES, *hi = days->hi + word * WORD_PLACES;

        if (bits[word] == 0)
            continue;
        __m512i before =
            _mm512_subs_epi16(_mm512_min_epi16(load(hi), to), _mm512_max_epi16(load(lo), from));
        __m512i after = _mm512_subs_epi16(_mm512_min_epi16(load(hi + HALF_PLACES), to),
                                          _mm512_max_epi16(load(lo + HALF_PLACES), from));
        for (uint32_t level = 0; level < n_levels; level++) {
            __m512i need = _mm512_set1_epi16(days->needs[level]);

            levels[level * n_words + word] = _mm512_cmpge_epi16_mask(before, need) |
                                             (uint64_t)_mm512_cmpge_epi16_mask(after, need)
                                                 << HALF_PLACES;
        }
    }
}

static void
reach_codes(const struct kernel_codes *codes, uint32_t n_levels, size_t n_words,
            const uint64_t *bits, uint64_t *levels)
{
    for (size_t word = 0; word < n_words; word++) {
        if (bits[word] == 0)
            continue;
        __m512i found =
            look_up(load(codes->codes + word * WORD_PLACES), codes->table, codes->n_codes);
        for (uint32_t level = 0; level < n_levels; level++)
            levels[level * n_words + word] =
                _mm512_cmplt_epu8_mask(found, _mm512_set1_epi8((char)codes->needs[level]));
    }
}

static void
members(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
        uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word++) {
        __m512i found = look_up(load(codes + word * WORD_PLACES), table, n_codes);

        bits[word] = _mm512_test_epi8_mask(found, found);
    }
}

static void
meet_cells(const int8_t *lo, const int8_t *hi, int8_t from, int8_t to, size_t n_words,
           uint64_t *bits)
{
    const __m512i first = _mm512_set1_epi8(from), last = _mm512_set1_epi8(to);

    for (size_t word = 0; word < n_words; word++)
        bits[word] = _mm512_cmple_epi8_mask(load(lo + word * WORD_PLACES), last) &
                     _mm512_cmpge_epi8_mask(load(hi + word * WORD_PLACES), first);
}

static void
meet_days(const int16_t *lo, const int16_t *hi, int16_t from, int16_t to, size_t n_words,
          uint64_t *bits)
{
    const __m512i first = _mm512_set1_epi16(from), last = _mm512_set1_epi16(to);

    for (size_t word = 0; word < n_words; word++, lo += WORD_PLACES, hi += WORD_PLACES) {
        __mmask32 before =
            _mm512_cmple_epi16_mask(load(lo), last) & _mm512_cmpge_epi16_mask(load(hi), first);
        __mmask32 after = _mm512_cmple_epi16_mask(load(lo + HALF_PLACES), last) &
                          _mm512_cmpge_epi16_mask(load(hi + HALF_PLACES), first);

        bits[word] = before | (uint64_t)after << HALF_PLACES;
    }
}

enum { DOTS = 4 };

/* The sums of each of four vectors' elements. */
static inline __m128i
sums_of(const __m512i sums[DOTS])
{
    __m512i first = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[0], sums[1]),
                                     _mm512_unpackhi_epi32(sums[0], sums[1]));
    __m512i last = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[2], sums[3]),
                                    _mm512_unpackhi_epi32(sums[2], sums[3]));
    __m512i all =
        _mm512_add_epi32(_mm512_unpacklo_epi64(first, last), _mm512_unpackhi_epi64(first, last));
    __m256i half = _mm256_add_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));

    return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

/* Which elements of the 64 from i on there are. */
static inline __mmask64
elements(uint32_t n, uint32_t i)
{
    return n - i < 64 ? ~UINT64_C(0) >> (64 - (n - i)) : ~UINT64_C(0);
}

/*
 * Four dot products at once, none of which waits for another. The instruction wants one operand unsigned: the
 * others' bytes with 128 added, which adds 128 times the sum of the vector to each product.
 */
static inline __m128i
four_dots(const int8_t *vector, uint32_t n, const int8_t *const others[DOTS])
{
    const __m512i flip = _mm512_set1_epi8((char)0x80);
    __m512i sums[DOTS] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                          _mm512_setzero_si512()};

    for (uint32_t i = 0; i < n; i += 64) {
        __mmask64 mask = elements(n, i);
        __m512i x = _mm512_maskz_loadu_epi8(mask, vector + i);

        for (int k = 0; k < DOTS; k++)
            sums[k] = _mm512_dpbusd_epi32(
                sums[k], _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, others[k] + i), flip), x);
    }
    return sums_of(sums);
}

static int32_t
sum_of(const int8_t *vector, uint32_t n)
{
    __m512i sum = _mm512_setzero_si512();

    for (uint32_t i = 0; i < n; i += 64)
        sum = _mm512_dpbusd_epi32(sum, _mm512_set1_epi8(1),
                                  _mm512_maskz_loadu_epi8(elements(n, i), vector + i));
    return _mm512_reduce_add_epi32(sum);
}

static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    const __m128i offset = _mm_set1_epi32(128 * sum_of(vector, n));

    for (size_t k = 0; k < n_others; k += DOTS) {
        size_t n_left = n_others - k < DOTS ? n_others - k : DOTS;
        __mmask8 stored = (__mmask8)(0xfU >> (DOTS - n_left));
        const int8_t *four[DOTS];

        for (size_t i = 0; i < DOTS; i++)
            four[i] = others[k + (i < n_left ? i : 0)];
        _mm_mask_storeu_epi32(out + k, stored, _mm_sub_epi32(four_dots(vector, n, four), offset));
    }
}

const struct kernel kernel_avx512 = {
    "avx512", count, reach_sets, reach_cells, reach_days, reach_codes,
    lose,     tally, members,    meet_cells,  meet_days,  dots,
};
