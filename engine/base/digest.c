#include "digest.h"

#include <sodium/crypto_generichash.h>

#include <assert.h>

static_assert(sizeof(struct digest_state) >= sizeof(crypto_generichash_state),
              "digest_state holds libsodium's state");
static_assert(_Alignof(struct digest_state) >= _Alignof(crypto_generichash_state),
              "digest_state is aligned for libsodium's state");

static crypto_generichash_state *
state_of(struct digest_state *state)
{
    return (crypto_generichash_state *)(void *)state->opaque;
}

struct digest
digest_of(const void *bytes, size_t n)
{
    struct digest digest;

    crypto_generichash(digest.bytes, sizeof digest.bytes, bytes, n, NULL, 0);
    return digest;
}

void
digest_begin(struct digest_state *state)
{
    crypto_generichash_init(state_of(state), NULL, 0, DIGEST_BYTES);
}

void
digest_add(struct digest_state *state, const void *bytes, size_t n)
{
    if (n != 0)
        crypto_generichash_update(state_of(state), bytes, n);
}

void
digest_add_u64(struct digest_state *state, uint64_t value)
{
    unsigned char bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (56 - 8 * i));
    digest_add(state, bytes, sizeof bytes);
}

void
digest_add_str(struct digest_state *state, struct str s)
{
    digest_add_u64(state, s.len);
    digest_add(state, s.data, s.len);
}

struct digest
digest_end(struct digest_state *state)
{
    struct digest digest;

    crypto_generichash_final(state_of(state), digest.bytes, sizeof digest.bytes);
    return digest;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void
digest_format(const struct digest *digest, char text[DIGEST_HEX_CHARS + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest->bytes[i] >> 4];
        text[2 * i + 1] = digits[digest->bytes[i] & 15];
    }
    text[DIGEST_HEX_CHARS] = '\0';
}

static int
digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
digest_parse(struct str text, struct digest *digest)
{
    struct digest parsed;

    if (text.len != DIGEST_HEX_CHARS)
        return false;
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        int high = digit_value(text.data[2 * i]), low = digit_value(text.data[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        parsed.bytes[i] = (uint8_t)(16 * high + low);
    }
    *digest = parsed;
    return true;
}

uint64_t
digest_short(const void *bytes, size_t n)
{
    struct digest digest = digest_of(bytes, n);
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | digest.bytes[i];
    return value;
}
