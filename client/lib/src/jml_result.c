#include "jml_result.h"

#include "frame.h"

#include <assert.h>
#include <string.h>

/* ---- from bytes to a tree ---- */

struct reader {
    const uint8_t *at;
    msgpack_object *next; /* free objects of the block */
};

static_assert(sizeof(msgpack_object_kv) == 2 * sizeof(msgpack_object),
              "a pair of a map is two objects, key first");

static uint64_t
take_number(struct reader *reader, size_t n_bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n_bytes; i++)
        number = number << 8 | *reader->at++;
    return number;
}

static void
take_signed(struct reader *reader, size_t n_bytes, msgpack_object *out)
{
    uint64_t number = take_number(reader, n_bytes);
    uint64_t sign = UINT64_C(1) << (n_bytes * 8 - 1);

    if ((number & sign) != 0) {
        out->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        out->via.i64 = (int64_t)(number | ~(sign - 1));
    } else {
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = number;
    }
}

static void
take_float(struct reader *reader, size_t n_bytes, msgpack_object *out)
{
    uint64_t bits = take_number(reader, n_bytes);

    if (n_bytes == 4) {
        uint32_t half = (uint32_t)bits;
        float value;

        memcpy(&value, &half, sizeof value);
        out->type = MSGPACK_OBJECT_FLOAT32;
        out->via.f64 = (double)value;
    } else {
        out->type = MSGPACK_OBJECT_FLOAT64;
        memcpy(&out->via.f64, &bits, sizeof bits);
    }
}

static const char *
take_body(struct reader *reader, size_t len)
{
    const char *body = (const char *)reader->at;

    reader->at += len;
    return body;
}

static void
take_str(struct reader *reader, uint64_t len, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_STR;
    out->via.str.size = (uint32_t)len;
    out->via.str.ptr = take_body(reader, (size_t)len);
}

static void
take_bin(struct reader *reader, uint64_t len, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_BIN;
    out->via.bin.size = (uint32_t)len;
    out->via.bin.ptr = take_body(reader, (size_t)len);
}

static void
take_ext(struct reader *reader, uint64_t len, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_EXT;
    out->via.ext.type = (int8_t)*reader->at++;
    out->via.ext.size = (uint32_t)len;
    out->via.ext.ptr = take_body(reader, (size_t)len);
}

static void take_value(struct reader *reader, msgpack_object *out);

static msgpack_object *
take_objects(struct reader *reader, uint64_t n)
{
    msgpack_object *objects = reader->next;

    reader->next += n;
    return objects;
}

static void
take_array(struct reader *reader, uint64_t n, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_ARRAY;
    out->via.array.size = (uint32_t)n;
    out->via.array.ptr = take_objects(reader, n);
    for (uint64_t i = 0; i < n; i++)
        take_value(reader, &out->via.array.ptr[i]);
}

static void
take_map(struct reader *reader, uint64_t n, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_MAP;
    out->via.map.size = (uint32_t)n;
    out->via.map.ptr = (msgpack_object_kv *)(void *)take_objects(reader, 2 * n);
    for (uint64_t i = 0; i < n; i++) {
        take_value(reader, &out->via.map.ptr[i].key);
        take_value(reader, &out->via.map.ptr[i].val);
    }
}

/* Types c0 to df; the byte was taken. */
static void
take_typed(struct reader *reader, uint8_t type, msgpack_object *out)
{
    switch (type) {
    case 0xc2:
    case 0xc3:
        out->type = MSGPACK_OBJECT_BOOLEAN;
        out->via.boolean = type == 0xc3;
        return;
    case 0xc4:
    case 0xc5:
    case 0xc6:
        take_bin(reader, take_number(reader, (size_t)1 << (type - 0xc4)), out);
        return;
    case 0xc7:
    case 0xc8:
    case 0xc9:
        take_ext(reader, take_number(reader, (size_t)1 << (type - 0xc7)), out);
        return;
    case 0xca:
    case 0xcb:
        take_float(reader, type == 0xca ? 4 : 8, out);
        return;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = take_number(reader, (size_t)1 << (type - 0xcc));
        return;
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
        take_signed(reader, (size_t)1 << (type - 0xd0), out);
        return;
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
        take_ext(reader, UINT64_C(1) << (type - 0xd4), out);
        return;
    case 0xd9:
    case 0xda:
    case 0xdb:
        take_str(reader, take_number(reader, (size_t)1 << (type - 0xd9)), out);
        return;
    case 0xdc:
    case 0xdd:
        take_array(reader, take_number(reader, type == 0xdc ? 2 : 4), out);
        return;
    case 0xde:
    case 0xdf:
        take_map(reader, take_number(reader, type == 0xde ? 2 : 4), out);
        return;
    default: /* c0; c1 does not pass the scanner */
        out->type = MSGPACK_OBJECT_NIL;
        return;
    }
}

/* As deep as the scanner lets through. */
static void
take_value(struct reader *reader, msgpack_object *out)
{
    uint8_t type = *reader->at++;

    if (type < 0x80) {
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = type;
    } else if (type >= 0xe0) {
        out->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        out->via.i64 = (int8_t)type;
    } else if (type < 0x90) {
        take_map(reader, type & 0x0f, out);
    } else if (type < 0xa0) {
        take_array(reader, type & 0x0f, out);
    } else if (type < 0xc0) {
        take_str(reader, type & 0x1f, out);
    } else {
        take_typed(reader, type, out);
    }
}

/* The frame; where its parts begin and end is noted on the way. */
static void
take_frame(struct reader *reader, jml_result *result)
{
    uint8_t type = *reader->at;
    uint64_t n;

    if ((type & 0xf0) != 0x90 && type != 0xdc && type != 0xdd) {
        take_value(reader, &result->frame);
        return;
    }
    reader->at++;
    n = type < 0xa0 ? (uint64_t)(type & 0x0f) : take_number(reader, type == 0xdc ? 2 : 4);
    result->frame.type = MSGPACK_OBJECT_ARRAY;
    result->frame.via.array.size = (uint32_t)n;
    result->frame.via.array.ptr = take_objects(reader, n);
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *from = reader->at;

        take_value(reader, &result->frame.via.array.ptr[i]);
        if (i < RESULT_PARTS_MAX)
            result->parts[i] = (struct jml_bytes){from, (size_t)(reader->at - from)};
    }
}

jml_result *
jmli_result_read(const struct jml_allocator *allocator, const uint8_t *bytes, size_t n,
                 size_t n_items)
{
    struct reader reader;
    jml_result *result;
    uint8_t *copy;

    if (n_items > (SIZE_MAX - sizeof *result - n) / sizeof result->objects[0])
        return NULL;
    result = jmli_resize(allocator, NULL, sizeof *result + n_items * sizeof result->objects[0] + n);
    if (result == NULL)
        return NULL;
    memset(result, 0, sizeof *result);
    copy = (uint8_t *)&result->objects[n_items];
    memcpy(copy, bytes, n);
    result->allocator = *allocator;
    result->root = &result->frame;
    result->packed = (struct jml_bytes){copy, n};
    reader = (struct reader){copy, result->objects};
    take_frame(&reader, result);
    assert(reader.at == copy + n && reader.next <= result->objects + n_items);
    return result;
}

void
jmli_result_show(jml_result *result, uint32_t i)
{
    assert(i < RESULT_PARTS_MAX && i < result->frame.via.array.size);
    result->root = &result->frame.via.array.ptr[i];
    result->packed = result->parts[i];
}

/* How many bytes the value takes that begins there; it was scanned before. */
static size_t
value_bytes(const uint8_t *at, size_t n)
{
    struct frame_scan scan;

    frame_scan_init(&scan, n, n, FRAME_DEPTH_MAX);
    frame_scan(&scan, at, n);
    return scan.pos;
}

struct jml_bytes
jmli_result_member(const jml_result *result, const char *key)
{
    const uint8_t *at = result->packed.data, *end = at + result->packed.len;
    const msgpack_object *wanted = jml_view_find(result->root, key);
    uint32_t n_pairs = (uint32_t)jml_view_count(result->root);

    if (wanted == NULL)
        return (struct jml_bytes){NULL, 0};
    at += *at == 0xdf ? 5 : *at == 0xde ? 3 : 1;
    for (uint32_t i = 0; i < n_pairs; i++) {
        size_t len;

        at += value_bytes(at, (size_t)(end - at));
        len = value_bytes(at, (size_t)(end - at));
        if (&result->root->via.map.ptr[i].val == wanted)
            return (struct jml_bytes){at, len};
        at += len;
    }
    return (struct jml_bytes){NULL, 0};
}

/* ---- public ---- */

void
jml_result_free(jml_result *result)
{
    if (result != NULL) {
        struct jml_allocator allocator = result->allocator;

        jmli_resize(&allocator, result, 0);
    }
}

const msgpack_object *
jml_result_root(const jml_result *result)
{
    return result->root;
}

struct jml_bytes
jml_result_packed(const jml_result *result)
{
    return result->packed;
}
