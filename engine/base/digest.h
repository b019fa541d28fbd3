#ifndef JML_DIGEST_H
#define JML_DIGEST_H

#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * digest: BLAKE2b-256 (libsodium's crypto_generichash), the one hash of the house: journal chain,
 * record checksums (its first 8 bytes), names of kept inputs, proofs of results.
 *
 * Pure; cannot fail. digest_state is in-place and needs no release.
 */
enum { DIGEST_BYTES = 32, DIGEST_HEX_CHARS = 64 };

struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct digest_state {
    _Alignas(64) unsigned char opaque[384];
};

struct digest digest_of(const void *bytes, size_t n);
void digest_begin(struct digest_state *state);
void digest_add(struct digest_state *state, const void *bytes, size_t n);
void digest_add_u64(struct digest_state *state, uint64_t value); /* big-endian */
/* The piece preceded by its length, so that ("ab","c") and ("a","bc") differ. */
void digest_add_str(struct digest_state *state, struct str s);
struct digest digest_end(struct digest_state *state);

bool digest_equal(const struct digest *a, const struct digest *b);
/* 64 lower-case hexadecimal digits and a NUL. */
void digest_format(const struct digest *digest, char text[DIGEST_HEX_CHARS + 1]);
bool digest_parse(struct str text, struct digest *digest);
/* First 8 bytes of the digest, big-endian: the checksum of a stored record. */
uint64_t digest_short(const void *bytes, size_t n);

#endif
