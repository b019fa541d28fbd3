#include "kernel_parts.h"

#include <immintrin.h>

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

/* Losses of the 64 places of a word. */
static inline __m512i
losses_of(const struct kernel_losses *losses, size_t word)
{
    __m512i sums = _mm512_setzero_si512();

    for (size_t i = 0; i < losses->n_bits; i++) {
        const struct kernel_bit_loss *loss = &losses->bits[i];
        __m512i codes = _mm512_setzero_si512();

        for (uint32_t j = 0; j < loss->n_bits; j++)
            codes = _mm512_mask_add_epi8(codes, loss->bits[j][word], codes,
                                         _mm512_set1_epi8((char)(1 << j)));
        sums = _mm512_adds_epu8(
            sums, _mm512_permutexvar_epi8(codes, _mm512_castsi256_si512(_mm256_loadu_si256(
                                                     (const void *)loss->table))));
    }
    for (size_t i = 0; i < losses->n_bytes; i++) {
        __m512i codes = _mm512_loadu_si512(losses->bytes[i].codes + word * 64);

        sums = _mm512_adds_epu8(sums,
                                look_up(codes, losses->bytes[i].table, losses->bytes[i].n_codes));
    }
    return sums;
}

static void
prune(const struct kernel_losses *losses, uint8_t most, size_t n_words, uint64_t *bits,
      uint8_t *sums)
{
    const __m512i limit = _mm512_set1_epi8((char)most);

    for (size_t word = 0; word < n_words; word++) {
        __m512i lost;

        if (bits[word] == 0)
            continue;
        lost = losses_of(losses, word);
        _mm512_store_si512(sums + word * 64, lost);
        bits[word] &= _mm512_cmple_epu8_mask(lost, limit);
    }
}

static void
count(const uint64_t *const *planes, size_t n, uint32_t n_bits, size_t n_words, uint64_t *counts)
{
    count_words(planes, n, n_bits, n_words, counts);
}

static uint64_t
tally(const uint64_t *bits, size_t n_words)
{
    return tally_words(bits, n_words);
}

static void
members(const uint8_t *codes, const uint8_t *table, uint32_t n_codes, size_t n_words,
        uint64_t *bits)
{
    for (size_t word = 0; word < n_words; word++) {
        __m512i found = look_up(_mm512_loadu_si512(codes + word * 64), table, n_codes);

        bits[word] = _mm512_test_epi8_mask(found, found);
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

const struct kernel kernel_avx512 = {"avx512", prune, count, tally, members, dots};
