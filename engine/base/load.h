#ifndef JML_LOAD_H
#define JML_LOAD_H

#include <stdint.h>
#include <string.h>

/* load: words from bytes at any address, in the machine's own order: for hashing and comparing. Pure. */

static inline uint64_t
load_u64(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* As wide as the other, so that it can be shifted. */
static inline uint64_t
load_u32(const char *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

#endif
