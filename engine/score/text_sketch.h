#ifndef JML_TEXT_SKETCH_H
#define JML_TEXT_SKETCH_H

#include "err.h"
#include "lexicon.h"
#include "str.h"

#include <stdint.h>

/*
 * text_sketch: how alike two texts could be at most, without looking at their terms.
 *
 * Words (terms that are not grams) fall into 64 buckets by a hash. Of each bucket the sketch holds the root of
 * the sum of its weights' squares, in units of a power of two, rounded up. By Cauchy and Schwarz, bucket by
 * bucket, the product of two texts' words is no more than the product of their sketches, times both units:
 * feature hashing (Weinberger et al. 2009), with norms in place of sums. Grams are many and bring little:
 * Cauchy and Schwarz of all of them at once.
 *
 * A sketch is one line of memory and an int8 vector for a kernel's dots (kernel.h). On profiles as they are
 * generated, some 80 words a text, it bounds the quality by 0.36 where 0.15 is the truth, on average. Pure;
 * private to score/.
 */
enum { TEXT_BUCKET_BITS = 6, TEXT_BUCKETS = 1 << TEXT_BUCKET_BITS };

struct text_measure {
    uint16_t root;    /* isqrt of the norm; 0: no text vector */
    uint16_t n_grams; /* its terms that are grams: they stand first */
    uint16_t words; /* a unit of the sketch, in 2^-TEXT_WORDS_SHIFT of root, or more; 0: no words */
    uint16_t grams; /* root of the sum of grams' squares, in 2^-TEXT_GRAMS_SHIFT, or more */
};
enum {
    TEXT_WORDS_SHIFT = 21,
    TEXT_GRAMS_SHIFT = 14,
    TEXT_COSINE_SHIFT = 2 * TEXT_WORDS_SHIFT /* of bounds of a quality; 10000 is 1 */
};

/* All that is told of a vector without its terms. */
struct text_outline {
    uint32_t n, norm2; /* of the vector */
    struct text_measure measure;
    int8_t sketch[TEXT_BUCKETS]; /* 0..127 */
};
/* A vector of no terms has an empty sketch. */
void text_outline_make(const struct text_vector *vector, struct text_outline *out);

/* The stored form: u32 n, u32 norm2, then u16 root, n_grams, words and grams, little-endian, and the sketch. */
enum { TEXT_OUTLINE_BYTES = 2 * 4 + 4 * 2 + TEXT_BUCKETS };
void text_outline_write(const struct text_outline *outline, uint8_t out[TEXT_OUTLINE_BYTES]);
/* ERR_INTERNAL if it is no outline of a vector that there can be. */
enum err_code text_outline_read(struct str bytes, struct text_outline *out, struct err *err);

/* No less than what grams bring to the two texts' quality; TEXT_COSINE_SHIFT. */
static inline uint64_t
text_grams_most(const struct text_measure *a, const struct text_measure *b)
{
    return ((uint64_t)a->grams * b->grams) << (TEXT_COSINE_SHIFT - 2 * TEXT_GRAMS_SHIFT);
}
/* No less than their quality, by the product of the sketches. */
static inline uint64_t
text_most(const struct text_measure *a, const struct text_measure *b, int32_t product)
{
    return (uint64_t)(uint32_t)product * a->words * b->words + text_grams_most(a, b);
}

#endif
