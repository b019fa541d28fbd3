#ifndef JML_TEXT_SIGNS_H
#define JML_TEXT_SIGNS_H

#include "lexicon.h"

#include <stdint.h>

/*
 * text_signs: how much two texts' words could have in common, without looking at the words.
 *
 * Words (terms that are not grams) of a vector set one of 256 bits each; beside them stands the weight of the
 * heaviest. A word of the one that the other has too has its bit there: so the product of their words is
 * at most the weights of the looker's words whose bits are set, times that weight. A superimposed code
 * (Mooers 1951), as in a Bloom filter of one hash. Pure; private to score/.
 */
enum { TEXT_SIGN_WORDS = 4, TEXT_SIGN_BITS = 64 * TEXT_SIGN_WORDS };

struct text_signs {
    uint64_t bits[TEXT_SIGN_WORDS];
    uint16_t peak; /* the greatest weight of a word; 0: no words */
};
void text_signs_make(const struct text_vector *vector, uint32_t first_word, struct text_signs *out);

struct text_sign_weights { /* of a looker */
    uint64_t bits[TEXT_SIGN_WORDS];
    uint32_t sums[TEXT_SIGN_BITS]; /* weights of its words by bit */
};
void text_sign_weights_make(const struct text_vector *vector, uint32_t first_word,
                            struct text_sign_weights *out);
/* No less than the part of the dot product that words bring. */
int64_t text_signs_most(const struct text_sign_weights *weights,
                        const uint64_t bits[TEXT_SIGN_WORDS], uint32_t peak);

#endif
