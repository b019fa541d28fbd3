#include "text_signs.h"

#include <endian.h>
#include <string.h>

static uint32_t
sign_of(uint32_t term)
{
    return term * UINT32_C(0x9e3779b1) >> 24;
}

/* Of eight bytes that are 0 or 1, bit i from byte i. */
static uint64_t
bits_of_marks(const uint8_t marks[8])
{
    uint64_t word;

    memcpy(&word, marks, sizeof word);
    return le64toh(word) * UINT64_C(0x0102040810204080) >> 56;
}

/* A byte each first: stores wait for nothing, as bits set one after another in the same word would. */
void
text_signs_make(const struct text_vector *vector, uint32_t first_word, struct text_signs *out)
{
    uint8_t marks[TEXT_SIGN_BITS] = {0};
    uint16_t peak = 0;

    for (uint32_t i = first_word; i < vector->n; i++)
        marks[sign_of(vector->terms[i])] = 1;
    for (uint32_t i = first_word; i < vector->n; i++)
        peak = vector->weights[i] > peak ? vector->weights[i] : peak;
    *out = (struct text_signs){.peak = peak};
    for (uint32_t i = 0; i < TEXT_SIGN_BITS; i += 8)
        out->bits[i / 64] |= bits_of_marks(marks + i) << i % 64;
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
