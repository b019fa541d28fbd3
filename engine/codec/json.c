#include "json.h"

#include "alloc.h"
#include "frame.h"
#include "number.h"

#include <jansson.h>
#include <sodium/utils.h>

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

/*
 * Reading. jansson's own limits are wide (2048 levels, any number of values), and its nodes take
 * some forty times the bytes of "0,", so one pass over the text counts levels and values first.
 * Where the text is no JSON the counts mean nothing, but then they can only refuse it earlier.
 */
static const char byte_order_mark[] = "\xEF\xBB\xBF"; /* some editors write it */

/* Position after the string that opens at i. */
static size_t
pass_string(struct str text, size_t i)
{
    for (i++; i < text.len && text.data[i] != '"'; i++)
        if (text.data[i] == '\\')
            i++;
    return i + 1;
}

/* Does the container that opens at i hold anything? */
static bool
opens_on_content(struct str text, size_t i)
{
    for (i++; i < text.len && memchr(" \t\r\n", text.data[i], 4) != NULL; i++)
        ;
    return i < text.len && text.data[i] != ']' && text.data[i] != '}';
}

/* Values and keys: the root, the first in each container, and one after each comma and colon. */
static enum err_code
check_shape(struct str text, const struct value_limits *limits, struct err *err)
{
    unsigned depth = 0, most = limits->depth < FRAME_DEPTH_MAX ? limits->depth : FRAME_DEPTH_MAX;
    size_t items = 1, next;

    for (size_t i = 0; i < text.len && depth <= most && items <= limits->items; i = next) {
        next = i + 1;
        switch (text.data[i]) {
        case '"':
            next = pass_string(text, i);
            break;
        case '[':
        case '{':
            depth++;
            items += opens_on_content(text, i);
            break;
        case ']':
        case '}':
            depth -= depth != 0;
            break;
        case ',':
        case ':':
            items++;
            break;
        default:
            break;
        }
    }
    if (depth > most)
        return err_set(err, ERR_TOO_LARGE, "more than %u lists and maps one in another", most);
    if (items > limits->items)
        return err_set(err, ERR_TOO_LARGE, "more than %zu values", limits->items);
    return ERR_OK;
}

static enum err_code
check_text(struct str text, struct err *err)
{
    size_t good = str_utf8_prefix(text), line = 1;

    if (good == text.len)
        return ERR_OK;
    for (size_t i = 0; i < good; i++)
        line += text.data[i] == '\n';
    return err_set(err, ERR_INVALID_PARAMS, "line %zu: byte 0x%02x is not UTF-8 text", line,
                   (unsigned char)text.data[good]);
}

/* jansson takes its memory from mem_alloc, because it tells the end of memory as bad syntax. It has
 * one allocator for the process; what malloc gave may still be freed by mem_free. */
static void
set_allocator(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
}

static enum err_code
parse(struct str text, json_t **json, struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t error;
    const char *says = error.text;

    pthread_once(&once, set_allocator);
    mem_watch();
    *json = json_loadb(text.len != 0 ? text.data : "", text.len,
                       JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*json != NULL)
        return ERR_OK;
    if (mem_was_short())
        return err_no_memory(err);
    if (json_error_code(&error) == json_error_null_character ||
        json_error_code(&error) == json_error_null_byte_in_key)
        says = "a text holds a NUL character (\\u0000); leave it out";
    else if (!str_is_utf8(str_from(says))) /* it quotes the text, cut anywhere */
        says = "not JSON";
    return err_set(err, ERR_INVALID_PARAMS, "line %d, column %d: %s", error.line, error.column,
                   says);
}

/* All false if the arena is full; check_shape has bounded the depth. */
static bool copy_json(struct arena *arena, json_t *json, msgpack_object *value);

static bool
copy_text(struct arena *arena, const char *text, size_t n, msgpack_object *value)
{
    struct str copy = arena_str(arena, (struct str){text, n});

    value->type = MSGPACK_OBJECT_STR;
    value->via.str.ptr = copy.data;
    value->via.str.size = (uint32_t)n;
    return copy.data != NULL;
}

static bool
copy_array(struct arena *arena, const json_t *json, msgpack_object *value)
{
    size_t n = json_array_size(json);
    msgpack_object *items = arena_alloc(arena, n, sizeof *items);

    if (items == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!copy_json(arena, json_array_get(json, i), &items[i]))
            return false;
    value->type = MSGPACK_OBJECT_ARRAY;
    value->via.array.ptr = items;
    value->via.array.size = (uint32_t)n;
    return true;
}

static bool
copy_object(struct arena *arena, json_t *json, msgpack_object *value)
{
    size_t n = json_object_size(json);
    msgpack_object_kv *pairs = arena_alloc(arena, n, sizeof *pairs), *pair = pairs;

    if (pairs == NULL)
        return false;
    for (void *at = json_object_iter(json); at != NULL; at = json_object_iter_next(json, at)) {
        if (!copy_text(arena, json_object_iter_key(at), json_object_iter_key_len(at), &pair->key) ||
            !copy_json(arena, json_object_iter_value(at), &pair->val))
            return false;
        pair++;
    }
    value->type = MSGPACK_OBJECT_MAP;
    value->via.map.ptr = pairs;
    value->via.map.size = (uint32_t)n;
    return true;
}

static bool
copy_json(struct arena *arena, json_t *json, msgpack_object *value)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return copy_object(arena, json, value);
    case JSON_ARRAY:
        return copy_array(arena, json, value);
    case JSON_STRING:
        return copy_text(arena, json_string_value(json), json_string_length(json), value);
    case JSON_INTEGER:
        value->via.i64 = json_integer_value(json);
        value->type =
            value->via.i64 < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
        return true;
    case JSON_REAL:
        value->type = MSGPACK_OBJECT_FLOAT64;
        value->via.f64 = json_real_value(json);
        return true;
    case JSON_TRUE:
    case JSON_FALSE:
        value->type = MSGPACK_OBJECT_BOOLEAN;
        value->via.boolean = json_is_true(json);
        return true;
    case JSON_NULL:
        value->type = MSGPACK_OBJECT_NIL;
        return true;
    }
    return false;
}

enum err_code
json_decode(struct str text, const struct value_limits *limits, struct arena *arena,
            const msgpack_object **value, struct err *err)
{
    msgpack_object *root;
    enum err_code code;
    json_t *json;

    if (text.len > limits->bytes)
        return err_set(err, ERR_TOO_LARGE, "larger than the limit of %zu bytes", limits->bytes);
    if (text.len >= 3 && memcmp(text.data, byte_order_mark, 3) == 0)
        text = (struct str){text.data + 3, text.len - 3};
    if ((code = check_text(text, err)) != ERR_OK)
        return code;
    if ((code = check_shape(text, limits, err)) != ERR_OK)
        return code;
    if ((code = parse(text, &json, err)) != ERR_OK)
        return code;
    root = arena_alloc(arena, 1, sizeof *root);
    if (root != NULL && copy_json(arena, json, root))
        *value = root;
    else
        code = err_no_memory(err);
    json_decref(json);
    return code;
}

/*
 * Writing. Recursion as deep as the tree, which its decoder bounded. Failure sticks in the buf.
 */
static void
write_escape(struct buf *out, uint32_t point)
{
    switch (point) {
    case '"':
        buf_append_text(out, "\\\"");
        break;
    case '\\':
        buf_append_text(out, "\\\\");
        break;
    case '\n':
        buf_append_text(out, "\\n");
        break;
    case '\r':
        buf_append_text(out, "\\r");
        break;
    case '\t':
        buf_append_text(out, "\\t");
        break;
    default:
        buf_printf(out, "\\u%04" PRIx32, point);
        break;
    }
}

/* The character at s.data[i] if it has to be escaped, with its length in bytes; else 0. */
static uint32_t
point_to_escape(struct str s, size_t i, size_t *n)
{
    unsigned char c = (unsigned char)s.data[i];

    *n = 1;
    if (c < ' ' || c == '"' || c == '\\' || c == 0x7F)
        return c;
    if (c == 0xC2 && (unsigned char)s.data[i + 1] < 0xA0) {
        *n = 2;
        return (unsigned char)s.data[i + 1];
    }
    if (c == 0xE2 && memcmp(s.data + i, "\xE2\x80", 2) == 0 &&
        ((unsigned char)s.data[i + 2] | 1) == 0xA9) {
        *n = 3;
        return 0x2000 | ((unsigned char)s.data[i + 2] & 0x3F);
    }
    return 0;
}

/* Valid UTF-8; what needs no escape goes in runs. */
static void
write_run(struct buf *out, struct str s)
{
    size_t start = 0, n;

    for (size_t i = 0; i < s.len; i += n) {
        uint32_t point = point_to_escape(s, i, &n);

        if (point == 0)
            continue;
        buf_append(out, s.data + start, i - start);
        write_escape(out, point);
        start = i + n;
    }
    buf_append(out, s.data + start, s.len - start);
}

/* Decoded text is UTF-8; what a caller built need not be. */
static void
write_text(struct buf *out, struct str s)
{
    buf_append_char(out, '"');
    while (s.len != 0) {
        size_t good = str_utf8_prefix(s);

        write_run(out, (struct str){s.data, good});
        if (good < s.len)
            buf_append_text(out, s.data[good++] == '\0' ? "\\u0000" : "\xEF\xBF\xBD");
        s = (struct str){s.data + good, s.len - good};
    }
    buf_append_char(out, '"');
}

static void
write_base64(struct buf *out, const void *bytes, size_t n)
{
    enum { STEP = 48, CHARS = 64 };
    char text[CHARS + 1];

    buf_append_char(out, '"');
    for (size_t i = 0; i < n; i += STEP) {
        size_t piece = n - i < STEP ? n - i : STEP;

        sodium_bin2base64(text, sizeof text, (const unsigned char *)bytes + i, piece,
                          sodium_base64_VARIANT_ORIGINAL);
        buf_append_text(out, text);
    }
    buf_append_char(out, '"');
}

static void
write_float(struct buf *out, double value)
{
    char text[NUMBER_CHARS];

    if (!isfinite(value)) {
        buf_append_text(out, "null");
        return;
    }
    number_format(value, text);
    buf_append_text(out, text);
}

static void
write_line(struct buf *out, enum json_style style, unsigned level)
{
    if (style != JSON_INDENTED)
        return;
    buf_append_char(out, '\n');
    for (unsigned i = 0; i < level; i++)
        buf_append_text(out, "  ");
}

static void write_value(struct buf *out, const msgpack_object *value, enum json_style style,
                        unsigned level);

static void
write_key(struct buf *out, const msgpack_object *key)
{
    struct str text;
    struct buf other;

    if (value_str(key, &text)) {
        write_text(out, text);
        return;
    }
    buf_init(&other, out->limit - out->len);
    write_value(&other, key, JSON_COMPACT, 0);
    write_text(out, buf_str(&other));
    out->is_over |= other.is_over;
    out->is_exhausted |= other.is_exhausted;
    buf_fini(&other);
}

static void
write_array(struct buf *out, const msgpack_object *array, enum json_style style, unsigned level)
{
    size_t n = value_size(array);

    buf_append_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            buf_append_char(out, ',');
        write_line(out, style, level + 1);
        write_value(out, value_at(array, i), style, level + 1);
    }
    if (n != 0)
        write_line(out, style, level);
    buf_append_char(out, ']');
}

static void
write_map(struct buf *out, const msgpack_object *map, enum json_style style, unsigned level)
{
    size_t n = value_size(map);

    buf_append_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            buf_append_char(out, ',');
        write_line(out, style, level + 1);
        write_key(out, &map->via.map.ptr[i].key);
        buf_append_text(out, style == JSON_INDENTED ? ": " : ":");
        write_value(out, value_of(map, i), style, level + 1);
    }
    if (n != 0)
        write_line(out, style, level);
    buf_append_char(out, '}');
}

static void
write_value(struct buf *out, const msgpack_object *value, enum json_style style, unsigned level)
{
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        buf_append_text(out, "null");
        break;
    case MSGPACK_OBJECT_BOOLEAN:
        buf_append_text(out, value->via.boolean ? "true" : "false");
        break;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        buf_printf(out, "%" PRIu64, value->via.u64);
        break;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        buf_printf(out, "%" PRId64, value->via.i64);
        break;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        write_float(out, value->via.f64);
        break;
    case MSGPACK_OBJECT_STR:
        write_text(out, (struct str){value->via.str.ptr, value->via.str.size});
        break;
    case MSGPACK_OBJECT_BIN:
        write_base64(out, value->via.bin.ptr, value->via.bin.size);
        break;
    case MSGPACK_OBJECT_EXT:
        buf_printf(out, "{\"ext\":%d,\"data\":", value->via.ext.type);
        write_base64(out, value->via.ext.ptr, value->via.ext.size);
        buf_append_char(out, '}');
        break;
    case MSGPACK_OBJECT_ARRAY:
        write_array(out, value, style, level);
        break;
    case MSGPACK_OBJECT_MAP:
        write_map(out, value, style, level);
        break;
    }
}

void
json_encode(struct buf *out, const msgpack_object *value, enum json_style style)
{
    static const msgpack_object nil = {.type = MSGPACK_OBJECT_NIL};

    write_value(out, value != NULL ? value : &nil, style, 0);
}
