#include "text_sketch.h"

#include <stdbool.h>
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
text_outline_make(const struct text_vector *vector, struct text_outline *out)
{
    uint32_t squares[TEXT_BUCKETS] = {0}; /* of all, below 2^31 */
    uint32_t root, n_grams, gram_root = text_gram_root(vector, &n_grams), most = 0;
    struct text_measure *measure = &out->measure;

    *out = (struct text_outline){.n = vector->n, .norm2 = vector->norm2};
    measure->n_grams = (uint16_t)n_grams;
    if (vector->n == 0)
        return;
    for (uint32_t i = n_grams; i < vector->n; i++)
        squares[bucket_of(vector->terms[i])] += (uint32_t)vector->weights[i] * vector->weights[i];
    for (uint32_t i = 0; i < TEXT_BUCKETS; i++)
        most = squares[i] > most ? squares[i] : most;
    root = (uint32_t)isqrt_u64(vector->norm2);
    measure->root = (uint16_t)root;
    if (most > 0) /* the floor of a root is more than half of it: all fit */
        measure->words = (uint16_t)((UINT32_C(1) << (TEXT_WORDS_SHIFT +
                                                     units_write(squares, most, out->sketch))) /
                                        root +
                                    1);
    if (gram_root > 0)
        measure->grams = (uint16_t)((gram_root << TEXT_GRAMS_SHIFT) / root + 1);
}

/* ---- the stored form ---- */

static uint8_t *
put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *
put_u32(uint8_t *at, uint32_t value)
{
    return put_u16(put_u16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint16_t
take_u16(const uint8_t **at)
{
    uint16_t value = (uint16_t)((*at)[0] | (*at)[1] << 8);

    *at += 2;
    return value;
}

static uint32_t
take_u32(const uint8_t **at)
{
    uint32_t low = take_u16(at);

    return low | (uint32_t)take_u16(at) << 16;
}

void
text_outline_write(const struct text_outline *outline, uint8_t out[TEXT_OUTLINE_BYTES])
{
    out = put_u32(out, outline->n);
    out = put_u32(out, outline->norm2);
    out = put_u16(out, outline->measure.root);
    out = put_u16(out, outline->measure.n_grams);
    out = put_u16(out, outline->measure.words);
    out = put_u16(out, outline->measure.grams);
    memcpy(out, outline->sketch, TEXT_BUCKETS);
}

/* Of a whole square root, rounded down. */
static bool
is_root(uint32_t root, uint64_t square)
{
    return (uint64_t)root * root <= square && (root + UINT64_C(1)) * (root + UINT64_C(1)) > square;
}

/* A negative element would make a bound too low. */
static bool
is_sketch(const int8_t sketch[TEXT_BUCKETS])
{
    int8_t all = 0;

    for (int i = 0; i < TEXT_BUCKETS; i++)
        all |= sketch[i];
    return all >= 0;
}

enum err_code
text_outline_read(struct str bytes, struct text_outline *out, struct err *err)
{
    const uint8_t *at = (const uint8_t *)bytes.data;

    if (bytes.len != TEXT_OUTLINE_BYTES)
        return err_set(err, ERR_INTERNAL, "a kept outline of a text has %zu bytes; it must be %d",
                       bytes.len, TEXT_OUTLINE_BYTES);
    out->n = take_u32(&at);
    out->norm2 = take_u32(&at);
    out->measure.root = take_u16(&at);
    out->measure.n_grams = take_u16(&at);
    out->measure.words = take_u16(&at);
    out->measure.grams = take_u16(&at);
    memcpy(out->sketch, at, TEXT_BUCKETS);
    if (out->n > TEXT_TERMS_MAX || out->measure.n_grams > out->n ||
        (out->n == 0) != (out->norm2 == 0) || !is_root(out->measure.root, out->norm2) ||
        !is_sketch(out->sketch))
        return err_set(
            err, ERR_INTERNAL,
            "a kept outline of a text tells of %u terms, %u of them grams, and of a norm "
            "of %u: no text has such a one",
            out->n, out->measure.n_grams, out->norm2);
    return ERR_OK;
}
