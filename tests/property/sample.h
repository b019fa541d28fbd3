#ifndef JML_TEST_SAMPLE_H
#define JML_TEST_SAMPLE_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * sample: random profiles and pairings as JSON, for the tables of world.h.
 *
 * splitmix64, so a seed gives the same samples everywhere. Values are drawn from small ranges, so that
 * they meet; edges (0, 10^12, no rate, open ends, empty lists, repeats) come often.
 */
struct sample {
    uint64_t state;
    int n_codes; /* of each set but stages and ids, skewed or not by the profile; 0: the few of world.h */
};

uint64_t sample_next(struct sample *sample);
int64_t sample_below(struct sample *sample, int64_t n); /* 0 to n - 1 */
bool sample_chance(struct sample *sample, int of_hundred);

/* Profile number i of n; ids are p0000, p0001 … */
void sample_profile(struct sample *sample, int i, int n, struct buf *json);

struct sample_pairing {
    bool is_exchanged;        /* the two sides, and all that they want, the other way round */
    int from_scale, to_scale; /* all weights of a view times this */
    bool has_require;
    bool is_mirrored; /* with metros, mirror: true */
};
/* The same state gives the same pairing, as `how` varies it. */
void sample_pairing(struct sample *sample, const struct sample_pairing *how, struct buf *json);

#endif
