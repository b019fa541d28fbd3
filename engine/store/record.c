#include "record.h"

enum { CHECKSUM_BYTES = 8 };

static void
u64_write(uint8_t *out, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        out[i] = (uint8_t)value;
}

static uint64_t
u64_read(const uint8_t *in)
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

static uint64_t
checksum(struct str key, const uint8_t *rest, size_t n)
{
    struct digest_state state;
    struct digest digest;

    digest_begin(&state);
    digest_add_str(&state, key);
    digest_add(&state, rest, n);
    digest = digest_end(&state);
    return u64_read(digest.bytes);
}

void
record_begin(struct buf *out)
{
    static const uint8_t none[CHECKSUM_BYTES];

    buf_clear(out);
    buf_append(out, none, sizeof none);
}

void
record_put_u64(struct buf *out, uint64_t value)
{
    uint8_t bytes[8];

    u64_write(bytes, value);
    buf_append(out, bytes, sizeof bytes);
}

void
record_put_str(struct buf *out, struct str s)
{
    uint8_t len[4] = {(uint8_t)(s.len >> 24), (uint8_t)(s.len >> 16), (uint8_t)(s.len >> 8),
                      (uint8_t)s.len};

    buf_append(out, len, sizeof len);
    buf_append_str(out, s);
}

enum err_code
record_seal(struct buf *out, struct str key, struct err *err)
{
    enum err_code code = buf_check(out, err);

    if (code == ERR_OK)
        u64_write((uint8_t *)out->data,
                  checksum(key, (uint8_t *)out->data + CHECKSUM_BYTES, out->len - CHECKSUM_BYTES));
    return code;
}

bool
record_open(struct str key, struct str bytes, struct record_reader *reader)
{
    const uint8_t *data = (const uint8_t *)bytes.data;

    return record_open_unchecked(bytes, reader) &&
           u64_read(data) == checksum(key, data + CHECKSUM_BYTES, bytes.len - CHECKSUM_BYTES);
}

bool
record_open_unchecked(struct str bytes, struct record_reader *reader)
{
    const uint8_t *data = (const uint8_t *)bytes.data;

    if (bytes.len < CHECKSUM_BYTES)
        return false;
    *reader = (struct record_reader){data + CHECKSUM_BYTES, data + bytes.len, false};
    return true;
}

static const uint8_t *
take(struct record_reader *reader, size_t n)
{
    const uint8_t *at = reader->at;

    if ((size_t)(reader->end - at) < n) {
        reader->is_short = true;
        reader->at = reader->end;
        return NULL;
    }
    reader->at += n;
    return at;
}

uint64_t
record_get_u64(struct record_reader *reader)
{
    const uint8_t *at = take(reader, 8);

    return at != NULL ? u64_read(at) : 0;
}

struct str
record_get_str(struct record_reader *reader)
{
    const uint8_t *at = take(reader, 4);
    size_t len;

    if (at == NULL)
        return (struct str){NULL, 0};
    len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    at = take(reader, len);
    return (struct str){(const char *)at, at != NULL ? len : 0};
}

bool
record_is_whole(const struct record_reader *reader)
{
    return !reader->is_short && reader->at == reader->end;
}
