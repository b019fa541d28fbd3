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

/* The instruction wants one operand unsigned: the other's bytes with 128 added, which adds 128 times the
 * sum of the vector to the product. */
static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    const __m512i flip = _mm512_set1_epi8((char)0x80), ones = _mm512_set1_epi8(1);
    __mmask64 tail = n % 64 != 0 ? ~UINT64_C(0) >> (64 - n % 64) : ~UINT64_C(0);
    __m512i sum = _mm512_setzero_si512();
    uint32_t n_last = n == 0 ? 0 : (n - 1) / 64 * 64;
    int32_t offset;

    for (uint32_t i = 0; i < n; i += 64)
        sum = _mm512_dpbusd_epi32(
            sum, ones, _mm512_maskz_loadu_epi8(i == n_last ? tail : ~UINT64_C(0), vector + i));
    offset = 128 * _mm512_reduce_add_epi32(sum);
    for (size_t k = 0; k < n_others; k++) {
        __m512i dot = _mm512_setzero_si512();

        for (uint32_t i = 0; i < n; i += 64) {
            __mmask64 mask = i == n_last ? tail : ~UINT64_C(0);
            __m512i x = _mm512_maskz_loadu_epi8(mask, vector + i);
            __m512i y = _mm512_maskz_loadu_epi8(mask, others[k] + i);

            dot = _mm512_dpbusd_epi32(dot, _mm512_xor_si512(y, flip), x);
        }
        out[k] = _mm512_reduce_add_epi32(dot) - offset;
    }
}

const struct kernel kernel_avx512 = {
    "avx512", count, reach_sets, reach_cells, reach_days, reach_codes,
    lose,     tally, members,    meet_cells,  meet_days,  dots,
};
