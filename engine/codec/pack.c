#include "value.h"

#include <assert.h>

/* msgpack-c's packer with a buf behind it. Its status is not looked at: the buf remembers. */
static int
write_to_buf(void *data, const char *bytes, size_t n)
{
    buf_append(data, bytes, n);
    return 0;
}

static msgpack_packer
packer_of(struct buf *out)
{
    return (msgpack_packer){.data = out, .callback = write_to_buf};
}

/* msgpack has 32 bits for every length. */
static bool
fits(struct buf *out, size_t n)
{
    if (n > UINT32_MAX)
        out->is_over = true;
    return n <= UINT32_MAX;
}

void
pack_nil(struct buf *out)
{
    msgpack_packer packer = packer_of(out);

    msgpack_pack_nil(&packer);
}

void
pack_bool(struct buf *out, bool value)
{
    msgpack_packer packer = packer_of(out);

    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void
pack_int(struct buf *out, int64_t value)
{
    msgpack_packer packer = packer_of(out);

    msgpack_pack_int64(&packer, value);
}

void
pack_str(struct buf *out, struct str s)
{
    msgpack_packer packer = packer_of(out);

    if (!fits(out, s.len))
        return;
    msgpack_pack_str(&packer, s.len);
    buf_append_str(out, s);
}

void
pack_text(struct buf *out, const char *text)
{
    if (text != NULL)
        pack_str(out, str_from(text));
    else
        pack_nil(out);
}

void
pack_bin(struct buf *out, const void *bytes, size_t n)
{
    msgpack_packer packer = packer_of(out);

    if (!fits(out, n))
        return;
    msgpack_pack_bin(&packer, n);
    buf_append(out, bytes, n);
}

void
pack_float(struct buf *out, double value)
{
    msgpack_packer packer = packer_of(out);

    msgpack_pack_double(&packer, value);
}

void
pack_array(struct buf *out, size_t n)
{
    msgpack_packer packer = packer_of(out);

    if (fits(out, n))
        msgpack_pack_array(&packer, n);
}

void
pack_map(struct buf *out, size_t n)
{
    msgpack_packer packer = packer_of(out);

    if (fits(out, n))
        msgpack_pack_map(&packer, n);
}

static void
pack_ext(struct buf *out, const msgpack_object_ext *ext)
{
    msgpack_packer packer = packer_of(out);

    msgpack_pack_ext(&packer, ext->size, ext->type);
    buf_append(out, ext->ptr, ext->size);
}

/* Recursion as deep as the tree, which its decoder bounded. */
void
pack_value(struct buf *out, const msgpack_object *value)
{
    msgpack_packer packer = packer_of(out);

    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        pack_nil(out);
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        pack_bool(out, value->via.boolean);
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        msgpack_pack_uint64(&packer, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        pack_int(out, value->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        pack_float(out, value->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        pack_str(out, (struct str){value->via.str.ptr, value->via.str.size});
        break;
    case MSGPACK_OBJECT_BIN:
        pack_bin(out, value->via.bin.ptr, value->via.bin.size);
        break;
    case MSGPACK_OBJECT_EXT:
        pack_ext(out, &value->via.ext);
        break;
    case MSGPACK_OBJECT_ARRAY:
        pack_array(out, value->via.array.size);
        for (size_t i = 0; i < value->via.array.size; i++)
            pack_value(out, &value->via.array.ptr[i]);
        break;
    case MSGPACK_OBJECT_MAP:
        pack_map(out, value->via.map.size);
        for (size_t i = 0; i < value->via.map.size; i++) {
            pack_value(out, &value->via.map.ptr[i].key);
            pack_value(out, &value->via.map.ptr[i].val);
        }
        break;
    }
}

enum { OPEN_BYTES = 5 }; /* of the largest head, kept free until the count is known */

static struct pack_open
open_with(struct buf *out, char type)
{
    struct pack_open open = {out->len};

    buf_append(out, (const char[OPEN_BYTES]){type}, OPEN_BYTES);
    return open;
}

/* The smallest head of a container of n, at `at`; its bytes. Some clients know no other: msgpack5
 * for one takes every map32 for too big. */
static size_t
put_head(char *at, bool is_map, uint32_t n)
{
    size_t width = n < 16 ? 0 : n <= UINT16_MAX ? 2 : 4;

    if (width == 0)
        at[0] = (char)((is_map ? 0x80 : 0x90) | n);
    else if (width == 2)
        at[0] = (char)(is_map ? 0xde : 0xdc);
    for (size_t i = 0; i < width; i++)
        at[1 + i] = (char)(n >> (8 * (width - 1 - i)) & 0xff);
    return 1 + width;
}

struct pack_open
pack_map_open(struct buf *out)
{
    return open_with(out, (char)0xdf);
}

struct pack_open
pack_array_open(struct buf *out)
{
    return open_with(out, (char)0xdd);
}

void
pack_close(struct buf *out, struct pack_open open, size_t n)
{
    size_t n_head;
    char *at;

    if (!fits(out, n) || out->is_over || out->is_exhausted)
        return;
    assert(open.at + OPEN_BYTES <= out->len);
    at = out->data + open.at;
    n_head = put_head(at, *at == (char)0xdf, (uint32_t)n);
    memmove(at + n_head, at + OPEN_BYTES, out->len - open.at - OPEN_BYTES);
    out->len -= OPEN_BYTES - n_head;
}

void
pack_key(struct buf *out, const char *key)
{
    pack_text(out, key);
}

void
pack_key_int(struct buf *out, const char *key, int64_t value)
{
    pack_key(out, key);
    pack_int(out, value);
}

void
pack_key_bool(struct buf *out, const char *key, bool value)
{
    pack_key(out, key);
    pack_bool(out, value);
}

void
pack_key_str(struct buf *out, const char *key, struct str s)
{
    pack_key(out, key);
    pack_str(out, s);
}

void
pack_key_text(struct buf *out, const char *key, const char *text)
{
    pack_key(out, key);
    pack_text(out, text);
}
