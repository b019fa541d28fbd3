#include "value.h"

#include "alloc.h"
#include "frame.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALL_MAP = 16, KEY_SHOWN_BYTES = 64 };

const struct value_limits value_limits_default = {
    .bytes = 8 * 1024 * 1024,
    .items = 500000,
    .depth = FRAME_DEPTH_MAX,
};

/* Whether msgpack-c may see the bytes at all. */
static enum err_code
check_frame(const void *bytes, size_t n, const struct value_limits *limits, struct err *err)
{
    struct frame_scan scan;

    frame_scan_init(&scan, limits->bytes, limits->items, limits->depth);
    switch (frame_scan(&scan, bytes, n)) {
    case FRAME_DONE:
        if (scan.pos != n)
            return err_set(err, ERR_INVALID_PARAMS,
                           "%zu bytes follow the msgpack value that ends at byte %zu", n - scan.pos,
                           scan.pos);
        return ERR_OK;
    case FRAME_MORE:
        return err_set(err, ERR_INVALID_PARAMS,
                       "the msgpack value is cut off: it goes on after its %zu bytes", n);
    case FRAME_BAD:
        return err_set(err, ERR_INVALID_PARAMS, "byte 0xc1 at %zu is not msgpack", scan.pos);
    case FRAME_TOO_DEEP:
        return err_set(err, ERR_TOO_LARGE, "more than %u lists and maps one in another",
                       scan.max_depth);
    case FRAME_TOO_MANY:
        return err_set(err, ERR_TOO_LARGE, "more than %zu values", limits->items);
    case FRAME_TOO_LONG:
        return err_set(err, ERR_TOO_LARGE, "larger than the limit of %zu bytes", limits->bytes);
    }
    return err_set(err, ERR_INTERNAL, "the msgpack scanner came to no end");
}

static void
free_zone(void *zone)
{
    msgpack_zone_free(zone);
}

static enum err_code
unpack(const void *bytes, size_t n, struct arena *arena, const msgpack_object **value,
       struct err *err)
{
    msgpack_object *root = arena_alloc(arena, 1, sizeof *root);
    msgpack_unpacked unpacked;
    msgpack_unpack_return result;
    size_t end = 0;

    if (root == NULL)
        return err_no_memory(err);
    msgpack_unpacked_init(&unpacked);
    result = msgpack_unpack_next(&unpacked, bytes, n, &end);
    if (result == MSGPACK_UNPACK_NOMEM_ERROR ||
        (result == MSGPACK_UNPACK_SUCCESS && unpacked.zone != NULL &&
         !arena_defer(arena, free_zone, unpacked.zone))) {
        msgpack_unpacked_destroy(&unpacked);
        return err_no_memory(err);
    }
    if (result != MSGPACK_UNPACK_SUCCESS || end != n) {
        msgpack_unpacked_destroy(&unpacked);
        return err_set(err, ERR_INVALID_PARAMS, "not a msgpack value");
    }
    *root = unpacked.data;
    *value = root;
    return ERR_OK;
}

/* A str that may stand in an error: no longer than fits, cut at a whole character. */
static struct str
shown_key(struct str key)
{
    size_t n = KEY_SHOWN_BYTES;

    if (key.len > n) {
        while (n > 0 && ((unsigned char)key.data[n] & 0xC0) == 0x80)
            n--;
        key.len = n;
    }
    return key;
}

static void
err_at_pair(struct err *err, const msgpack_object *map, size_t i)
{
    struct str key = shown_key(value_key(map, i));
    char step[KEY_SHOWN_BYTES + 24];

    if (key.len != 0 && str_is_utf8(key))
        snprintf(step, sizeof step, "%.*s", STR_ARG(key));
    else
        snprintf(step, sizeof step, "(key %zu)", i + 1);
    err_at(err, step);
}

/* Recursion as deep as check_frame allowed. */
static enum err_code
check_text(const msgpack_object *value, struct err *err)
{
    if (value->type == MSGPACK_OBJECT_STR) {
        struct str text = {value->via.str.ptr, value->via.str.size};

        if (!str_is_utf8(text))
            return err_set(err, ERR_INVALID_PARAMS, "byte %zu of the text is not UTF-8",
                           str_utf8_prefix(text) + 1);
    } else if (value->type == MSGPACK_OBJECT_ARRAY) {
        for (size_t i = 0; i < value->via.array.size; i++)
            if (check_text(&value->via.array.ptr[i], err) != ERR_OK) {
                err_at_index(err, i);
                return ERR_INVALID_PARAMS;
            }
    } else if (value->type == MSGPACK_OBJECT_MAP) {
        for (size_t i = 0; i < value->via.map.size; i++)
            if (check_text(&value->via.map.ptr[i].key, err) != ERR_OK ||
                check_text(&value->via.map.ptr[i].val, err) != ERR_OK) {
                err_at_pair(err, value, i);
                return ERR_INVALID_PARAMS;
            }
    }
    return ERR_OK;
}

enum err_code
value_decode(const void *bytes, size_t n, const struct value_limits *limits, struct arena *arena,
             const msgpack_object **value, struct err *err)
{
    enum err_code code = check_frame(bytes, n, limits, err);
    const msgpack_object *root = NULL;

    if (code == ERR_OK)
        code = unpack(bytes, n, arena, &root, err);
    if (code == ERR_OK)
        code = check_text(root, err);
    if (code == ERR_OK)
        *value = root;
    return code;
}

bool
value_is_nil(const msgpack_object *value)
{
    return value == NULL || value->type == MSGPACK_OBJECT_NIL;
}

bool
value_str(const msgpack_object *value, struct str *out)
{
    if (value == NULL || value->type != MSGPACK_OBJECT_STR)
        return false;
    *out = (struct str){value->via.str.ptr, value->via.str.size};
    return true;
}

bool
value_bin(const msgpack_object *value, struct str *out)
{
    if (value == NULL || value->type != MSGPACK_OBJECT_BIN)
        return false;
    *out = (struct str){value->via.bin.ptr, value->via.bin.size};
    return true;
}

static bool
is_float(const msgpack_object *value)
{
    return value->type == MSGPACK_OBJECT_FLOAT32 || value->type == MSGPACK_OBJECT_FLOAT64;
}

bool
value_int(const msgpack_object *value, int64_t *out)
{
    const double most = 9007199254740992.0; /* 2^53: up to here each whole number is a float */

    if (value == NULL)
        return false;
    if (value->type == MSGPACK_OBJECT_POSITIVE_INTEGER && value->via.u64 <= INT64_MAX) {
        *out = (int64_t)value->via.u64;
        return true;
    }
    if (value->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
        *out = value->via.i64;
        return true;
    }
    if (is_float(value) && value->via.f64 >= -most && value->via.f64 <= most &&
        trunc(value->via.f64) == value->via.f64) {
        *out = (int64_t)value->via.f64;
        return true;
    }
    return false;
}

bool
value_bool(const msgpack_object *value, bool *out)
{
    if (value == NULL || value->type != MSGPACK_OBJECT_BOOLEAN)
        return false;
    *out = value->via.boolean;
    return true;
}

bool
value_is_map(const msgpack_object *value)
{
    return value != NULL && value->type == MSGPACK_OBJECT_MAP;
}

bool
value_is_array(const msgpack_object *value)
{
    return value != NULL && value->type == MSGPACK_OBJECT_ARRAY;
}

size_t
value_size(const msgpack_object *value)
{
    if (value_is_map(value))
        return value->via.map.size;
    return value_is_array(value) ? value->via.array.size : 0;
}

const msgpack_object *
value_at(const msgpack_object *array, size_t i)
{
    return value_is_array(array) && i < array->via.array.size ? &array->via.array.ptr[i] : NULL;
}

struct str
value_key(const msgpack_object *map, size_t i)
{
    struct str key = {NULL, 0};

    if (value_is_map(map) && i < map->via.map.size)
        value_str(&map->via.map.ptr[i].key, &key);
    return key;
}

const msgpack_object *
value_of(const msgpack_object *map, size_t i)
{
    return value_is_map(map) && i < map->via.map.size ? &map->via.map.ptr[i].val : NULL;
}

const msgpack_object *
value_find_str(const msgpack_object *map, struct str key)
{
    if (!value_is_map(map))
        return NULL;
    for (size_t i = map->via.map.size; i-- > 0;) {
        const msgpack_object *found = &map->via.map.ptr[i].key;

        if (found->type == MSGPACK_OBJECT_STR && found->via.str.size == key.len &&
            (key.len == 0 || (*found->via.str.ptr == *key.data && /* few are called further */
                              memcmp(found->via.str.ptr, key.data, key.len) == 0)))
            return &map->via.map.ptr[i].val;
    }
    return NULL;
}

/* The pairs of a map in the order of their keys, pairs of one key in the order given. */
struct ranked {
    struct str key;
    size_t i;
};

static int
compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = str_compare(x->key, y->key);

    return order != 0 ? order : (x->i > y->i) - (x->i < y->i);
}

static bool
has_text_keys(const msgpack_object *map)
{
    for (size_t i = 0; i < map->via.map.size; i++)
        if (map->via.map.ptr[i].key.type != MSGPACK_OBJECT_STR)
            return false;
    return true;
}

/* NULL if out of memory; to be freed with mem_free. Keys must be str. */
static struct ranked *
rank_pairs(const msgpack_object *map)
{
    size_t n = value_size(map);
    struct ranked *ranked = mem_alloc_zeroed(n, sizeof *ranked);

    if (ranked == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++)
        ranked[i] = (struct ranked){value_key(map, i), i};
    qsort(ranked, n, sizeof *ranked, compare_ranked);
    return ranked;
}

/* The pair of map whose key is equal to key, after `earlier` others; NULL if there is none. */
static const msgpack_object_kv *
find_pair(const msgpack_object *map, const msgpack_object *key, size_t earlier)
{
    for (size_t i = 0; i < map->via.map.size; i++)
        if (value_equal(&map->via.map.ptr[i].key, key) && earlier-- == 0)
            return &map->via.map.ptr[i];
    return NULL;
}

/* Needs no memory. Each pair of values is compared once, so that depth costs nothing extra. */
static bool
maps_match_slowly(const msgpack_object *a, const msgpack_object *b)
{
    for (size_t i = 0; i < a->via.map.size; i++) {
        const msgpack_object_kv *pair = &a->via.map.ptr[i], *match;
        size_t earlier = 0;

        for (size_t j = 0; j < i; j++)
            earlier += value_equal(&a->via.map.ptr[j].key, &pair->key);
        match = find_pair(b, &pair->key, earlier);
        if (match == NULL || !value_equal(&pair->val, &match->val))
            return false;
    }
    return true;
}

static bool
maps_equal(const msgpack_object *a, const msgpack_object *b)
{
    size_t n = a->via.map.size;
    struct ranked *x, *y;
    bool is_equal = true;

    if (n != b->via.map.size)
        return false;
    if (n <= SMALL_MAP || !has_text_keys(a) || !has_text_keys(b))
        return maps_match_slowly(a, b);
    x = rank_pairs(a);
    y = rank_pairs(b);
    if (x != NULL && y != NULL)
        for (size_t i = 0; i < n && is_equal; i++)
            is_equal = str_equal(x[i].key, y[i].key) &&
                       value_equal(value_of(a, x[i].i), value_of(b, y[i].i));
    else
        is_equal = maps_match_slowly(a, b);
    mem_free(x);
    mem_free(y);
    return is_equal;
}

static bool
arrays_equal(const msgpack_object *a, const msgpack_object *b)
{
    if (a->via.array.size != b->via.array.size)
        return false;
    for (size_t i = 0; i < a->via.array.size; i++)
        if (!value_equal(&a->via.array.ptr[i], &b->via.array.ptr[i]))
            return false;
    return true;
}

static bool
bytes_equal(const void *a, size_t n_a, const void *b, size_t n_b)
{
    return str_equal((struct str){a, n_a}, (struct str){b, n_b});
}

static bool
same_class(const msgpack_object *a, const msgpack_object *b)
{
    return a->type == b->type || (is_float(a) && is_float(b));
}

bool
value_equal(const msgpack_object *a, const msgpack_object *b)
{
    if (value_is_nil(a) || value_is_nil(b))
        return value_is_nil(a) && value_is_nil(b);
    if (!same_class(a, b))
        return false;
    switch (a->type) {
    case MSGPACK_OBJECT_NIL:
        return true;
    case MSGPACK_OBJECT_BOOLEAN:
        return a->via.boolean == b->via.boolean;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return a->via.u64 == b->via.u64;
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return a->via.i64 == b->via.i64;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return a->via.f64 == b->via.f64 || (isnan(a->via.f64) && isnan(b->via.f64));
    case MSGPACK_OBJECT_STR:
        return bytes_equal(a->via.str.ptr, a->via.str.size, b->via.str.ptr, b->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return bytes_equal(a->via.bin.ptr, a->via.bin.size, b->via.bin.ptr, b->via.bin.size);
    case MSGPACK_OBJECT_EXT:
        return a->via.ext.type == b->via.ext.type &&
               bytes_equal(a->via.ext.ptr, a->via.ext.size, b->via.ext.ptr, b->via.ext.size);
    case MSGPACK_OBJECT_ARRAY:
        return arrays_equal(a, b);
    case MSGPACK_OBJECT_MAP:
        return maps_equal(a, b);
    }
    return false;
}

const char *
value_type_name(const msgpack_object *value)
{
    if (value == NULL)
        return "nothing";
    switch (value->type) {
    case MSGPACK_OBJECT_NIL:
        return "nothing";
    case MSGPACK_OBJECT_BOOLEAN:
        return "true or false";
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return "whole number";
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return "number";
    case MSGPACK_OBJECT_STR:
        return "text";
    case MSGPACK_OBJECT_BIN:
        return "bytes";
    case MSGPACK_OBJECT_EXT:
        return "extension";
    case MSGPACK_OBJECT_ARRAY:
        return "list";
    case MSGPACK_OBJECT_MAP:
        return "map";
    }
    return "unknown";
}

enum err_code
value_check_keys(const msgpack_object *map, size_t *i, struct err *err)
{
    size_t n = value_size(map), first = n;
    struct ranked *ranked;

    for (size_t k = 0; k < n && first == n; k++)
        if (map->via.map.ptr[k].key.type != MSGPACK_OBJECT_STR)
            first = k;
    ranked = n > 1 ? rank_pairs(map) : NULL;
    if (ranked == NULL && n > 1)
        return err_no_memory(err);
    for (size_t k = 1; k < n; k++)
        if (str_equal(ranked[k].key, ranked[k - 1].key) && ranked[k].i < first)
            first = ranked[k].i;
    mem_free(ranked);
    *i = first;
    return ERR_OK;
}

/* Puts a step (no data: the arena was full) before the path found so far. */
static enum err_code
prepend_step(struct arena *arena, struct str step, struct str *path)
{
    const char *between = path->data[0] == '[' ? "" : ".";

    if (step.data == NULL)
        return ERR_BUSY;
    *path = arena_format(arena, "%.*s%s%.*s", STR_ARG(step), between, STR_ARG(*path));
    return path->data != NULL ? ERR_OK : ERR_BUSY;
}

static struct str
pair_step(const msgpack_object *map, size_t i, struct arena *arena)
{
    struct str key = shown_key(value_key(map, i));

    return key.len != 0 ? key : arena_format(arena, "(key %zu)", i + 1);
}

/* *path stays empty if there is no bad key. */
static enum err_code find_bad_key(const msgpack_object *value, struct arena *arena,
                                  struct str *path);

static enum err_code
find_in_map(const msgpack_object *map, struct arena *arena, struct str *path)
{
    size_t n = value_size(map), i;
    enum err_code code = value_check_keys(map, &i, NULL);

    if (code != ERR_OK)
        return code;
    if (i < n) {
        *path = pair_step(map, i, arena);
        return path->data != NULL ? ERR_OK : ERR_BUSY;
    }
    for (i = 0; i < n; i++) {
        code = find_bad_key(value_of(map, i), arena, path);
        if (code == ERR_OK && path->data == NULL)
            continue;
        return code == ERR_OK ? prepend_step(arena, pair_step(map, i, arena), path) : code;
    }
    return ERR_OK;
}

static enum err_code
find_bad_key(const msgpack_object *value, struct arena *arena, struct str *path)
{
    if (value_is_map(value))
        return find_in_map(value, arena, path);
    for (size_t i = 0; value_is_array(value) && i < value_size(value); i++) {
        enum err_code code = find_bad_key(value_at(value, i), arena, path);

        if (code == ERR_OK && path->data == NULL)
            continue;
        return code == ERR_OK ? prepend_step(arena, arena_format(arena, "[%zu]", i), path) : code;
    }
    return ERR_OK;
}

bool
value_find_bad_key(const msgpack_object *value, struct arena *arena, struct str *path)
{
    struct str found = {NULL, 0};
    enum err_code code = find_bad_key(value, arena, &found);

    if (code == ERR_OK && found.data == NULL)
        return false;
    *path = code == ERR_OK ? found : (struct str){NULL, 0};
    return true;
}
