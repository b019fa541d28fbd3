#ifndef JML_BITS_H
#define JML_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* bits: one bit a place, 64 places a word; bit i of bits[w] is place 64 * w + i. Pure; private to score/. */

static inline bool
has_bit(const uint64_t *bits, uint32_t place)
{
    return (bits[place / 64] >> place % 64 & 1) != 0;
}

/* 64 bytes that are 0 or 1 as bits: eight at a time are brought together by a product. */
static inline uint64_t
bits_of_bytes(const uint8_t bytes[64])
{
    uint64_t bits = 0;

    for (size_t i = 0; i < 8; i++) {
        uint64_t eight = 0;

        for (size_t j = 0; j < 8; j++) /* the lowest bit of byte j as bit 8 * j, on any machine */
            eight |= (uint64_t)bytes[8 * i + j] << 8 * j;
        bits |= (eight * UINT64_C(0x0102040810204080) >> 56) << 8 * i;
    }
    return bits;
}

/* Writes the places of the bits that are set, ascending; how many there are. */
static inline uint32_t
places_of_bits(const uint64_t *bits, uint32_t n_words, uint16_t *places)
{
    uint32_t n = 0;

    for (uint32_t word = 0; word < n_words; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
            places[n++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left));
    return n;
}

static inline bool
has_none(const uint64_t *bits, size_t n_words)
{
    uint64_t any = 0;

    for (size_t word = 0; word < n_words; word++)
        any |= bits[word];
    return any == 0;
}

#endif
