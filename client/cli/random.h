#ifndef JML_RANDOM_H
#define JML_RANDOM_H

#include <stdint.h>

/*
 * random: splitmix64 (Steele, Lea, Flood, 2014): the same numbers from the same seed on any machine.
 */
struct random {
    uint64_t state;
};
uint64_t random_next(struct random *random);
/* 0 … n - 1, n > 0; the bias is below n / 2^64. */
uint64_t random_below(struct random *random, uint64_t n);
/* Skewed towards 0: a few values are common, most are rare. */
uint64_t random_skewed(struct random *random, uint64_t n);
int random_chance(struct random *random, int percent);

#endif
