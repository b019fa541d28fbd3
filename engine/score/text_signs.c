#include "text_signs.h"

#include <string.h>

static uint32_t
sign_of(uint32_t term)
{
    return term * UINT32_C(0x9e3779b1) >> 24;
}

void
text_signs_make(const struct text_vector *vector, uint32_t first_word, struct text_signs *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t i = first_word; i < vector->n; i++) {
        uint32_t sign = sign_of(vector->terms[i]);

        out->bits[sign / 64] |= UINT64_C(1) << sign % 64;
        out->peak = vector->weights[i] > out->peak ? vector->weights[i] : out->peak;
    }
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
