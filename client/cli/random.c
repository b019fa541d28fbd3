#include "random.h"

uint64_t
random_next(struct random *random)
{
    uint64_t z = (random->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t
random_below(struct random *random, uint64_t n)
{
    return (uint64_t)((unsigned __int128)random_next(random) * n >> 64);
}

uint64_t
random_skewed(struct random *random, uint64_t n)
{
    uint64_t a = random_below(random, n), b = random_below(random, n), c = random_below(random, n);

    /* the least of three falls off like (1 - x)^2 */
    a = a < b ? a : b;
    return a < c ? a : c;
}

int
random_chance(struct random *random, int percent)
{
    return random_below(random, 100) < (uint64_t)percent;
}
