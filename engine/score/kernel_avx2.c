#include "kernel_parts.h"

#include <immintrin.h>

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

static inline uint64_t
at_most(__m256i sums, __m256i most)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_max_epu8(sums, most), most));
}

/* Bit i of the word as 0xff or 0 in byte i. */
static inline __m256i
spread(uint32_t word)
{
    const __m256i bytes = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2,
                                           2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3);
    const __m256i bit = _mm256_set1_epi64x((int64_t)UINT64_C(0x8040201008040201));
    __m256i of_byte = _mm256_shuffle_epi8(_mm256_set1_epi32((int)word), bytes);

    return _mm256_cmpeq_epi8(_mm256_and_si256(of_byte, bit), bit);
}

static inline __m256i
bit_codes(const struct kernel_bit_loss *loss, size_t half)
{
    __m256i codes = _mm256_setzero_si256();

    for (uint32_t j = 0; j < loss->n_bits; j++) {
        uint32_t word = (uint32_t)(loss->bits[j][half / 2] >> half % 2 * 32);

        codes = _mm256_or_si256(codes,
                                _mm256_and_si256(spread(word), _mm256_set1_epi8((char)(1 << j))));
    }
    return codes;
}

/* Losses of 32 places, those from 32 * half on. */
static inline __m256i
losses_of(const struct kernel_losses *losses, size_t half)
{
    __m256i sums = _mm256_setzero_si256();

    for (size_t i = 0; i < losses->n_bits; i++)
        sums =
            _mm256_adds_epu8(sums, look_up(bit_codes(&losses->bits[i], half), losses->bits[i].table,
                                           UINT32_C(1) << losses->bits[i].n_bits));
    for (size_t i = 0; i < losses->n_bytes; i++) {
        const __m256i *codes = (const __m256i *)(losses->bytes[i].codes + half * 32);

        sums = _mm256_adds_epu8(sums, look_up(_mm256_loadu_si256(codes), losses->bytes[i].table,
                                              losses->bytes[i].n_codes));
    }
    return sums;
}

static void
prune(const struct kernel_losses *losses, uint8_t most, size_t n_words, uint64_t *bits,
      uint8_t *sums)
{
    const __m256i limit = _mm256_set1_epi8((char)most);

    for (size_t half = 0; half < 2 * n_words; half++) {
        __m256i lost;

        if ((uint32_t)(bits[half / 2] >> half % 2 * 32) == 0)
            continue;
        lost = losses_of(losses, half);
        _mm256_store_si256((__m256i *)(sums + half * 32), lost);
        bits[half / 2] &= at_most(lost, limit) << half % 2 * 32 | UINT64_C(0xffffffff)
                                                                      << (1 - half % 2) * 32;
    }
}

static void
count(const uint64_t *const *planes, size_t n, uint32_t n_bits, size_t n_words, uint64_t *counts)
{
    count_words(planes, n, n_bits, n_words, counts);
}

static inline uint64_t
not_zero(__m256i bytes)
{
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_setzero_si256()));
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
        const __m256i *at = (const __m256i *)(codes + word * 64);
        uint32_t low = (uint32_t)not_zero(look_up(_mm256_loadu_si256(at), table, n_codes));
        uint32_t high = (uint32_t)not_zero(look_up(_mm256_loadu_si256(at + 1), table, n_codes));

        bits[word] = low | (uint64_t)high << 32;
    }
}

static int32_t
dot(const int8_t *a, const int8_t *b, uint32_t n)
{
    __m256i sums = _mm256_setzero_si256();
    __m128i half;
    uint32_t i = 0;

    for (; i + 16 <= n; i += 16) { /* products of two pairs are at most 2^15: 1024 of them fit */
        __m256i x = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(a + i)));
        __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + i)));

        sums = _mm256_add_epi32(sums, _mm256_madd_epi16(x, y));
    }
    half = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
    half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
    return _mm_cvtsi128_si32(half) + dot_plain(a + i, b + i, n - i);
}

static void
dots(const int8_t *vector, uint32_t n, const int8_t *const *others, size_t n_others, int32_t *out)
{
    for (size_t i = 0; i < n_others; i++)
        out[i] = dot(vector, others[i], n);
}

const struct kernel kernel_avx2 = {"avx2", prune, count, tally, members, dots};
