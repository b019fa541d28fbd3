#include "text_sketch.h"

#include <string.h>

enum { ELEMENT_MOST = INT8_MAX };

static uint32_t
bucket_of(uint32_t term)
{
    return term * UINT32_C(0x9e3779b1) >> (32 - TEXT_BUCKET_BITS);
}

/* Roots of all, rounded up, bit by bit; none is above ELEMENT_MOST squared. The compiler does many at once. */
static void
roots_write(const uint16_t squares[TEXT_BUCKETS], int8_t sketch[TEXT_BUCKETS])
{
    uint16_t below[TEXT_BUCKETS] = {0}; /* the greatest whose square is less */

    for (uint16_t bit = (ELEMENT_MOST + 1) / 2; bit > 0; bit /= 2)
        for (uint32_t i = 0; i < TEXT_BUCKETS; i++) {
            uint16_t next = (uint16_t)(below[i] + bit);

            below[i] = (uint16_t)(next * next) < squares[i] ? next : below[i];
        }
    for (uint32_t i = 0; i < TEXT_BUCKETS; i++)
        sketch[i] = (int8_t)(below[i] + (squares[i] > 0));
}

/* The sketch of sums of squares; its unit is 2 to the power that comes back. The greatest is 64 units or more. */
static int
units_write(const uint32_t squares[TEXT_BUCKETS], uint32_t most, int8_t sketch[TEXT_BUCKETS])
{
    const uint32_t limit = ELEMENT_MOST * ELEMENT_MOST;
    uint16_t scaled[TEXT_BUCKETS];
    int up = 0, down = 0;

    while (most <= limit >> 2 * (up + 1))
        up++;
    while (most > limit << 2 * down)
        down++;
    for (uint32_t i = 0; i < TEXT_BUCKETS; i++)
        scaled[i] =
            (uint16_t)(((squares[i] << 2 * up) + (UINT32_C(1) << 2 * down) - 1) >> 2 * down);
    roots_write(scaled, sketch);
    return down - up;
}

void
text_sketch_make(const struct text_vector *vector, struct text_measure *measure,
                 int8_t sketch[TEXT_BUCKETS])
{
    uint32_t squares[TEXT_BUCKETS] = {0}; /* of all, below 2^31 */
    uint32_t root, n_grams, gram_root = text_gram_root(vector, &n_grams), most = 0;

    *measure = (struct text_measure){.n_grams = (uint16_t)n_grams};
    memset(sketch, 0, TEXT_BUCKETS);
    if (vector->n == 0)
        return;
    for (uint32_t i = n_grams; i < vector->n; i++)
        squares[bucket_of(vector->terms[i])] += (uint32_t)vector->weights[i] * vector->weights[i];
    for (uint32_t i = 0; i < TEXT_BUCKETS; i++)
        most = squares[i] > most ? squares[i] : most;
    root = (uint32_t)isqrt_u64(vector->norm2);
    measure->root = (uint16_t)root;
    if (most > 0) /* the floor of a root is more than half of it: all fit */
        measure->words =
            (uint16_t)((UINT32_C(1) << (TEXT_WORDS_SHIFT + units_write(squares, most, sketch))) /
                           root +
                       1);
    if (gram_root > 0)
        measure->grams = (uint16_t)((gram_root << TEXT_GRAMS_SHIFT) / root + 1);
}
