#include "text_signs.h"

#include <endian.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static uint32_t
sign_of(uint32_t term)
{
    return term * UINT32_C(0x9e3779b1) >> 24;
}

#if defined(__SSE2__)
enum { MARKS_A_STEP = 16 };

/* Of so many bytes that are 0 or 0xff, bit i from byte i. */
static inline uint64_t
bits_of_marks(const uint8_t *marks)
{
    return (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_loadu_si128((const void *)marks));
}
#else
enum { MARKS_A_STEP = 8 };

static inline uint64_t
bits_of_marks(const uint8_t *marks)
{
    uint64_t word;

    memcpy(&word, marks, sizeof word);
    return (le64toh(word) & UINT64_C(0x0101010101010101)) * UINT64_C(0x0102040810204080) >> 56;
}
#endif

/* A byte each first: stores wait for nothing, as bits set one after another in the same word would. */
void
text_signs_make(const struct text_vector *vector, uint32_t first_word, struct text_signs *out)
{
    uint8_t marks[TEXT_SIGN_BITS] = {0};
    uint32_t i = first_word;
    uint16_t peak = 0;

    for (; i + 4 <= vector->n; i += 4) { /* the counting took as long as the marking */
        marks[sign_of(vector->terms[i])] = UINT8_MAX;
        marks[sign_of(vector->terms[i + 1])] = UINT8_MAX;
        marks[sign_of(vector->terms[i + 2])] = UINT8_MAX;
        marks[sign_of(vector->terms[i + 3])] = UINT8_MAX;
    }
    for (; i < vector->n; i++)
        marks[sign_of(vector->terms[i])] = UINT8_MAX;
    for (i = first_word; i < vector->n; i++)
        peak = vector->weights[i] > peak ? vector->weights[i] : peak;
    *out = (struct text_signs){.peak = peak};
    for (uint32_t bit = 0; bit < TEXT_SIGN_BITS; bit += MARKS_A_STEP)
        out->bits[bit / 64] |= bits_of_marks(marks + bit) << bit % 64;
}

void
text_sign_weights_make(const struct text_vector *vector, uint32_t first_word,
                       struct text_sign_weights *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = first_word; i < vector->n; i++) {
        uint32_t sign = sign_of(vector->terms[i]);

        out->bits[sign / 64] |= UINT64_C(1) << sign % 64;
        out->sums[sign] += vector->weights[i];
    }
}

int64_t
text_signs_most(const struct text_sign_weights *weights, const uint64_t bits[TEXT_SIGN_WORDS],
                uint32_t peak)
{
    int64_t sum = 0;

    for (uint32_t word = 0; word < TEXT_SIGN_WORDS; word++)
        for (uint64_t left = bits[word] & weights->bits[word]; left != 0; left &= left - 1)
            sum += weights->sums[word * 64 + (uint32_t)__builtin_ctzll(left)];
    return sum * peak;
}
