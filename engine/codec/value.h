#ifndef JML_VALUE_H
#define JML_VALUE_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "str.h"

#include <msgpack.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * value: the one tree in which outside data is looked at, msgpack-c's msgpack_object, whether it came
 * as msgpack, JSON or YAML.
 *
 * Decoding walks the bytes with the frame scanner first (frame.h), so that depth, items and sizes
 * are known to be within limits before msgpack-c allocates anything. Strings point into the bytes
 * given (which must outlive the tree); nodes live in the arena. Trees are read-only. Accessors
 * cannot fail: they answer false / NULL when the type is another.
 */
struct value_limits {
    size_t bytes;   /* whole value */
    size_t items;   /* nodes, the root counted */
    unsigned depth; /* containers one in another; FRAME_DEPTH_MAX at most, whatever it says */
};
extern const struct value_limits value_limits_default; /* 8 MiB, 500,000 items, depth 32 */

/* Exactly one value in bytes[0..n). ERR_INVALID_PARAMS if malformed, truncated or followed by
 * rest, or a str is not UTF-8 (a NUL byte is not) with its path; ERR_TOO_LARGE over a limit. */
enum err_code value_decode(const void *bytes, size_t n, const struct value_limits *limits,
                           struct arena *arena, const msgpack_object **value, struct err *err);

/* The same for what the store kept: the same trees, in half the time, and texts are not asked whether they
 * are UTF-8 (value_read.c). */
enum err_code value_read(const void *bytes, size_t n, const struct value_limits *limits,
                         struct arena *arena, const msgpack_object **value, struct err *err);

/*
 * value_cursor: a stored map read pair by pair, for who needs no tree of the whole: value_read, and the same
 * errors, cut into steps. A key or a value is asked for as the tree that value_read makes of it
 * (value_cursor_next), or, where the asker thinks that it is a short text or a list of few, as that: what it is
 * not is not passed over, and can be asked for otherwise.
 */
struct value_cursor {
    const uint8_t *start, *at, *end;
    struct arena *arena;
    size_t items_left;
    unsigned depth_left;
    struct err *err; /* not NULL */
};

/* At the first key. Of a value that is no map there are no pairs, and it is passed over. */
enum err_code value_cursor_begin(struct value_cursor *cursor, const void *bytes, size_t n,
                                 const struct value_limits *limits, struct arena *arena,
                                 uint64_t *n_pairs, struct err *err);
/* False if there is no good one: the error stands in *cursor->err. */
bool value_cursor_next(struct value_cursor *cursor, msgpack_object *out);
/* Behind the last pair: an error if bytes follow. */
enum err_code value_cursor_end(const struct value_cursor *cursor);
/* A text of up to 31 bytes. */
static inline bool
value_cursor_short_text(struct value_cursor *cursor, struct str *out)
{
    size_t left = (size_t)(cursor->end - cursor->at), n;

    if (left == 0 || (*cursor->at & 0xe0) != 0xa0 || (n = *cursor->at & 0x1f) >= left)
        return false;
    *out = (struct str){(const char *)cursor->at + 1, n};
    cursor->at += 1 + n;
    return true;
}
/* The beginning of a list of up to 15: the first of them is next. */
static inline bool
value_cursor_short_list(struct value_cursor *cursor, size_t *n)
{
    if (cursor->at == cursor->end || (*cursor->at & 0xf0) != 0x90 ||
        (*cursor->at & 0x0fu) > cursor->items_left)
        return false;
    *n = *cursor->at++ & 0x0f;
    cursor->items_left -= *n;
    return true;
}

bool value_is_nil(const msgpack_object *value); /* NULL counts as nil */
bool value_str(const msgpack_object *value, struct str *out);
bool value_bin(const msgpack_object *value, struct str *out);
/* Any integer encoding within int64, or a whole float within +-2^53. */
bool value_int(const msgpack_object *value, int64_t *out);
bool value_bool(const msgpack_object *value, bool *out);
bool value_is_map(const msgpack_object *value);
bool value_is_array(const msgpack_object *value);
size_t value_size(const msgpack_object *value); /* elements or pairs; 0 if no container */
/* Element i of an array; key and value of pair i of a map; NULL when out of range. */
const msgpack_object *value_at(const msgpack_object *array, size_t i);
struct str value_key(const msgpack_object *map, size_t i); /* empty if the key is no str */
const msgpack_object *value_of(const msgpack_object *map, size_t i);
/* The value under a key, NULL if absent or no map. The last of duplicates. */
const msgpack_object *value_find_str(const msgpack_object *map, struct str key);
static inline const msgpack_object *
value_find(const msgpack_object *map, const char *key)
{
    return value_find_str(map, str_from(key));
}
/* Same type and content; maps compare as sets of pairs (those of one key in the order given),
 * integers and floats by value (of either width; a whole float is no integer; NaN equals NaN).
 * O(n log n) where keys are str, as long as memory lasts; otherwise O(n^2) in the size of a map,
 * never wrong. */
bool value_equal(const msgpack_object *a, const msgpack_object *b);
const char *value_type_name(const msgpack_object *value); /* "map", "text", "whole number", … */
/* First duplicate key of a map anywhere in the tree: its path in *path (arena), else false. Keys
 * that are no str count as faults too: "rows[3].(key 2)". O(n log n). True with an empty path also
 * if memory ended before all was looked at. */
bool value_find_bad_key(const msgpack_object *value, struct arena *arena, struct str *path);
/* The same for one map, its children left out: *i is the first pair whose key is no str or was
 * given before, value_size(map) if none is. ERR_BUSY if out of memory. */
enum err_code value_check_keys(const msgpack_object *map, size_t *i, struct err *err);

/*
 * pack: msgpack out, into a buf. Smallest encodings, so the same content gives the same bytes. Failure
 * sticks in the buf: test once at the end with buf_check.
 */
void pack_nil(struct buf *out);
void pack_bool(struct buf *out, bool value);
void pack_int(struct buf *out, int64_t value);
void pack_str(struct buf *out, struct str s);
void pack_text(struct buf *out, const char *text); /* NULL packs nil */
void pack_bin(struct buf *out, const void *bytes, size_t n);
void pack_float(struct buf *out, double value);
void pack_value(struct buf *out, const msgpack_object *value);
void pack_array(struct buf *out, size_t n);
void pack_map(struct buf *out, size_t n);
/* Containers whose count is not known yet: room for the largest head is kept, and at the end the
 * smallest one is written and the content moved up to it. Close the inner before the outer; a
 * position inside that was noted before is no longer right after.
 *     struct pack_open m = pack_map_open(out); pack_key..; pack_close(out, m, n_pairs); */
struct pack_open {
    size_t at;
};
struct pack_open pack_map_open(struct buf *out);
struct pack_open pack_array_open(struct buf *out);
void pack_close(struct buf *out, struct pack_open open, size_t n);
/* key and value in one step */
void pack_key(struct buf *out, const char *key);
void pack_key_int(struct buf *out, const char *key, int64_t value);
void pack_key_bool(struct buf *out, const char *key, bool value);
void pack_key_str(struct buf *out, const char *key, struct str s);
void pack_key_text(struct buf *out, const char *key, const char *text);

#endif
