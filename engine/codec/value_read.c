/*
 * value_read.c: the tree of a stored value, read by hand.
 *
 * A start reads every profile there is, and three passes over each (frame.h, msgpack-c, UTF-8), the second
 * with a heap of its own, were most of it. Here it is one, and the nodes go straight to the arena. What a
 * header announces is believed only as far as there are bytes for it, a byte a child at least, so that a
 * damaged one can ask for no more memory than the value's own length stands for. Texts are taken as they
 * are: they were UTF-8 on their way into the store, and a checksum stands over them there.
 *
 * Requests do not come this way: they go to msgpack-c.
 */
#include "frame.h"
#include "value.h"

static bool read_node(struct value_cursor *cursor, msgpack_object *out);

static bool
fail(struct value_cursor *cursor, const char *what)
{
    err_set(cursor->err, ERR_INVALID_PARAMS, "the stored value %s at byte %zu", what,
            (size_t)(cursor->at - cursor->start));
    return false;
}

static bool
fail_limit(struct value_cursor *cursor, const char *what)
{
    err_set(cursor->err, ERR_TOO_LARGE, "the stored value has too many %s at byte %zu", what,
            (size_t)(cursor->at - cursor->start));
    return false;
}

/* A big-endian number of n bytes, passed over. */
static bool
read_number(struct value_cursor *cursor, size_t n, uint64_t *out)
{
    uint64_t number = 0;

    if ((size_t)(cursor->end - cursor->at) < n)
        return fail(cursor, "is cut off");
    for (size_t i = 0; i < n; i++)
        number = number << 8 | cursor->at[i];
    cursor->at += n;
    *out = number;
    return true;
}

/* n bytes where they lie. */
static bool
read_body(struct value_cursor *cursor, uint64_t n, const char **out)
{
    if ((uint64_t)(cursor->end - cursor->at) < n)
        return fail(cursor, "is cut off");
    *out = (const char *)cursor->at;
    cursor->at += n;
    return true;
}

static bool
read_str(struct value_cursor *cursor, uint64_t n, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_STR;
    out->via.str.size = (uint32_t)n;
    return read_body(cursor, n, &out->via.str.ptr);
}

static bool
read_bin(struct value_cursor *cursor, uint64_t n, msgpack_object *out)
{
    out->type = MSGPACK_OBJECT_BIN;
    out->via.bin.size = (uint32_t)n;
    return read_body(cursor, n, &out->via.bin.ptr);
}

static bool
read_ext(struct value_cursor *cursor, uint64_t n, msgpack_object *out)
{
    const char *type;

    if (!read_body(cursor, 1, &type))
        return false;
    out->type = MSGPACK_OBJECT_EXT;
    out->via.ext.type = (int8_t)*type;
    out->via.ext.size = (uint32_t)n;
    return read_body(cursor, n, &out->via.ext.ptr);
}

/* Room for so many children, before any of them is read. */
static bool
enter(struct value_cursor *cursor, uint64_t n_kids)
{
    if (cursor->depth_left == 0)
        return fail_limit(cursor, "lists and maps one in another");
    if (n_kids > cursor->items_left)
        return fail_limit(cursor, "values");
    if (n_kids > (uint64_t)(cursor->end - cursor->at))
        return fail(cursor, "is cut off");
    cursor->items_left -= n_kids;
    cursor->depth_left--;
    return true;
}

static bool
no_room(struct value_cursor *cursor)
{
    err_no_memory(cursor->err);
    return false;
}

/* The shortest texts and numbers, which most nodes are, where they are met. */
static inline bool
read_child(struct value_cursor *cursor, msgpack_object *out)
{
    struct str text;

    if (value_cursor_short_text(cursor, &text)) {
        out->type = MSGPACK_OBJECT_STR;
        out->via.str.size = (uint32_t)text.len;
        out->via.str.ptr = text.data;
        return true;
    }
    if (cursor->at == cursor->end || *cursor->at >= 0x80)
        return read_node(cursor, out);
    out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
    out->via.u64 = *cursor->at++;
    return true;
}

static bool
read_array(struct value_cursor *cursor, uint64_t n, msgpack_object *out)
{
    msgpack_object *list;

    if (!enter(cursor, n))
        return false;
    list = arena_room(cursor->arena, n, sizeof *list);
    if (list == NULL)
        return no_room(cursor);
    for (uint64_t i = 0; i < n; i++)
        if (!read_child(cursor, &list[i]))
            return false;
    cursor->depth_left++;
    out->type = MSGPACK_OBJECT_ARRAY;
    out->via.array.ptr = list;
    out->via.array.size = (uint32_t)n;
    return true;
}

static bool
read_map(struct value_cursor *cursor, uint64_t n, msgpack_object *out)
{
    msgpack_object_kv *pairs;

    if (!enter(cursor, 2 * n))
        return false;
    pairs = arena_room(cursor->arena, n, sizeof *pairs);
    if (pairs == NULL)
        return no_room(cursor);
    for (uint64_t i = 0; i < n; i++)
        if (!read_child(cursor, &pairs[i].key) || !read_child(cursor, &pairs[i].val))
            return false;
    cursor->depth_left++;
    out->type = MSGPACK_OBJECT_MAP;
    out->via.map.ptr = pairs;
    out->via.map.size = (uint32_t)n;
    return true;
}

/* Not negative is positive, whatever the width, as msgpack-c has it. */
static bool
read_signed(struct value_cursor *cursor, size_t n, msgpack_object *out)
{
    uint64_t number;
    int64_t value;

    if (!read_number(cursor, n, &number))
        return false;
    value = n == 1   ? (int8_t)number
            : n == 2 ? (int16_t)number
            : n == 4 ? (int32_t)number
                     : (int64_t)number;
    out->type = value < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
    out->via.i64 = value; /* the same bits as u64 where it is not negative */
    return true;
}

static bool
read_float(struct value_cursor *cursor, size_t n, msgpack_object *out)
{
    uint64_t bits;
    uint32_t half;
    float narrow;

    if (!read_number(cursor, n, &bits))
        return false;
    if (n == sizeof out->via.f64) {
        out->type = MSGPACK_OBJECT_FLOAT64;
        memcpy(&out->via.f64, &bits, sizeof bits);
        return true;
    }
    half = (uint32_t)bits;
    memcpy(&narrow, &half, sizeof narrow);
    out->type = MSGPACK_OBJECT_FLOAT32;
    out->via.f64 = (double)narrow;
    return true;
}

static bool
read_simple(uint8_t type, msgpack_object *out)
{
    out->type = type == 0xc0 ? MSGPACK_OBJECT_NIL : MSGPACK_OBJECT_BOOLEAN;
    out->via.boolean = type == 0xc3;
    return true;
}

/* Types c0..df. */
static bool
read_long(struct value_cursor *cursor, uint8_t type, msgpack_object *out)
{
    static bool (*const bodies[])(struct value_cursor *, uint64_t, msgpack_object *) = {
        [0x04] = read_bin, [0x05] = read_bin,   [0x06] = read_bin,   [0x07] = read_ext,
        [0x08] = read_ext, [0x09] = read_ext,   [0x19] = read_str,   [0x1a] = read_str,
        [0x1b] = read_str, [0x1c] = read_array, [0x1d] = read_array, [0x1e] = read_map,
        [0x1f] = read_map,
    };
    static const uint8_t widths[] = {
        [0x04] = 1, [0x05] = 2, [0x06] = 4, [0x07] = 1, [0x08] = 2, [0x09] = 4, [0x0a] = 4,
        [0x0b] = 8, [0x0c] = 1, [0x0d] = 2, [0x0e] = 4, [0x0f] = 8, [0x10] = 1, [0x11] = 2,
        [0x12] = 4, [0x13] = 8, [0x14] = 1, [0x15] = 2, [0x16] = 4, [0x17] = 8, [0x18] = 16,
        [0x19] = 1, [0x1a] = 2, [0x1b] = 4, [0x1c] = 2, [0x1d] = 4, [0x1e] = 2, [0x1f] = 4,
    };
    unsigned row = type & 0x1f;
    uint64_t n;

    if (type == 0xc1)
        return fail(cursor, "has a byte that is not msgpack");
    if (type < 0xc4)
        return read_simple(type, out);
    if (type == 0xca || type == 0xcb)
        return read_float(cursor, widths[row], out);
    if (type >= 0xd0 && type < 0xd4)
        return read_signed(cursor, widths[row], out);
    if (type >= 0xd4 && type < 0xd9) /* ext of a length that the type says */
        return read_ext(cursor, widths[row], out);
    if (!read_number(cursor, widths[row], &n))
        return false;
    if (type >= 0xcc && type < 0xd0) {
        out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
        out->via.u64 = n;
        return true;
    }
    return bodies[row](cursor, n, out);
}

/* Recursion as deep as enter allows. */
static bool
read_node(struct value_cursor *cursor, msgpack_object *out)
{
    uint8_t type;

    if (cursor->at == cursor->end)
        return fail(cursor, "is cut off");
    type = *cursor->at++;
    if (type >= 0xa0 && type < 0xc0)
        return read_str(cursor, type & 0x1f, out);
    if (type < 0x80 || type >= 0xe0) {
        out->type = type < 0x80 ? MSGPACK_OBJECT_POSITIVE_INTEGER : MSGPACK_OBJECT_NEGATIVE_INTEGER;
        out->via.i64 = (int8_t)type;
        return true;
    }
    if (type >= 0xc0)
        return read_long(cursor, type, out);
    return type < 0x90 ? read_map(cursor, type & 0x0f, out) : read_array(cursor, type & 0x0f, out);
}

/* At the first byte; ERR_OK if there is one. */
static enum err_code
begin(struct value_cursor *cursor, const void *bytes, size_t n, const struct value_limits *limits,
      struct arena *arena, struct err *err)
{
    *cursor = (struct value_cursor){
        .start = bytes,
        .at = bytes,
        .end = n > 0 ? (const uint8_t *)bytes + n : bytes,
        .arena = arena,
        .items_left = limits->items - (limits->items > 0), /* the root */
        .depth_left = limits->depth < FRAME_DEPTH_MAX ? limits->depth : FRAME_DEPTH_MAX,
        .err = err,
    };
    if (n == 0) /* bytes may be NULL */
        return err_set(err, ERR_INVALID_PARAMS, "the stored value is empty");
    if (limits->items == 0)
        return fail_limit(cursor, "values") ? ERR_OK : err->code;
    if (n > limits->bytes)
        return err_set(err, ERR_TOO_LARGE, "the stored value is larger than %zu bytes",
                       limits->bytes);
    return ERR_OK;
}

enum err_code
value_read(const void *bytes, size_t n, const struct value_limits *limits, struct arena *arena,
           const msgpack_object **value, struct err *err)
{
    struct err unheard = {0};
    struct value_cursor cursor;
    msgpack_object *root = arena_alloc(arena, 1, sizeof *root);
    enum err_code code;

    if (err == NULL)
        err = &unheard;
    if (root == NULL)
        return err_no_memory(err);
    code = begin(&cursor, bytes, n, limits, arena, err);
    if (code == ERR_OK && !read_node(&cursor, root))
        code = err->code;
    if (code == ERR_OK)
        code = value_cursor_end(&cursor);
    if (code == ERR_OK)
        *value = root;
    return code;
}

/* ---- pair by pair ---- */

enum err_code
value_cursor_begin(struct value_cursor *cursor, const void *bytes, size_t n,
                   const struct value_limits *limits, struct arena *arena, uint64_t *n_pairs,
                   struct err *err)
{
    enum err_code code = begin(cursor, bytes, n, limits, arena, err);
    msgpack_object other;
    uint8_t type;

    *n_pairs = 0;
    if (code != ERR_OK)
        return code;
    type = *cursor->at;
    if ((type & 0xf0) != 0x80 && type != 0xde && type != 0xdf) /* no map: passed over */
        return read_node(cursor, &other) ? ERR_OK : err->code;
    cursor->at++;
    *n_pairs = type & 0x0f;
    if (type >= 0xde && !read_number(cursor, type == 0xde ? 2 : 4, n_pairs))
        return err->code;
    return enter(cursor, 2 * *n_pairs) ? ERR_OK : err->code;
}

bool
value_cursor_next(struct value_cursor *cursor, msgpack_object *out)
{
    return read_child(cursor, out);
}

enum err_code
value_cursor_end(const struct value_cursor *cursor)
{
    if (cursor->at == cursor->end)
        return ERR_OK;
    return err_set(cursor->err, ERR_INVALID_PARAMS, "%zu bytes follow the stored value",
                   (size_t)(cursor->end - cursor->at));
}
