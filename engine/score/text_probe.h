#ifndef JML_TEXT_PROBE_H
#define JML_TEXT_PROBE_H

#include "lexicon.h"

#include <stdint.h>

/*
 * text_probe: one text vector made ready to be multiplied with many.
 *
 * Most terms of another vector are not in this one: a bit for each term's hash says so at once, and
 * only the rest are looked up. Private to score/.
 */
enum { PROBE_BITS = 13, PROBE_SLOTS = 1024 }; /* at most 256 terms: a quarter full */

struct text_probe {
    uint64_t bits[(1 << PROBE_BITS) / 64];
    struct {
        uint32_t term, weight; /* weight 0: free */
    } slots[PROBE_SLOTS];
};

void text_probe_make(struct text_probe *probe, const struct text_vector *vector);
/* The part of the dot product that the other's terms from `first` to before `end` bring. */
int64_t text_probe_dot(const struct text_probe *probe, const struct text_vector *other,
                       uint32_t first, uint32_t end);

#endif
