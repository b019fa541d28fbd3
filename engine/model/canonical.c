#include "canonical.h"

#include "fold.h"

#include <stdlib.h>

static const char *const key_order[] = {
    "id",         "name",     "people", "nightly",  "confirm",     "pairings", "cohort",
    "from",       "to",       "kind",   "metro",    "mirror",      "combine",  "require",
    "from_wants", "to_wants", "type",   "of",       "by",          "value",    "weight",
    "missing",    "curve",    "phrase", "size",     "method",      "quotas",   "field",
    "code",       "min",      "max",    "currency", "preferences", "tie_seed", "pinned",
    "excluded",   "host_min", "k",
};
enum { KEYS_KNOWN = sizeof key_order / sizeof key_order[0] };

struct ranked_pair {
    struct str key;
    int rank;
    const msgpack_object *value;
};

static int
compare_pairs(const void *a, const void *b)
{
    const struct ranked_pair *x = a, *y = b;

    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : str_compare(x->key, y->key);
}

static int
key_rank(struct str key)
{
    int rank = 0;

    while (rank < KEYS_KNOWN && !str_is(key, key_order[rank]))
        rank++;
    return rank;
}

static enum err_code copy_into(const msgpack_object *value, struct arena *arena,
                               msgpack_object *copy, struct err *err);

static enum err_code
put_str(struct str text, msgpack_object *copy, struct err *err)
{
    if (text.data == NULL)
        return err_no_memory(err);
    copy->type = MSGPACK_OBJECT_STR;
    copy->via.str.ptr = text.data;
    copy->via.str.size = (uint32_t)text.len;
    return ERR_OK;
}

static enum err_code
copy_str(struct str text, struct arena *arena, msgpack_object *copy, struct err *err)
{
    struct str nfc;
    enum err_code code = text_nfc(str_trim(text), arena, &nfc, err);

    return code == ERR_OK ? put_str(nfc, copy, err) : code;
}

static enum err_code
copy_map(const msgpack_object *value, struct arena *arena, msgpack_object *copy, struct err *err)
{
    size_t n = value_size(value);
    struct ranked_pair *pairs = arena_alloc(arena, n, sizeof *pairs);
    msgpack_object_kv *copies = arena_alloc(arena, n, sizeof *copies);
    enum err_code code = ERR_OK;
    size_t kept = 0;

    if (pairs == NULL || copies == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        if (!value_is_nil(value_of(value, i)))
            pairs[kept++] = (struct ranked_pair){value_key(value, i), key_rank(value_key(value, i)),
                                                 value_of(value, i)};
    if (kept > 1)
        qsort(pairs, kept, sizeof *pairs, compare_pairs);
    for (size_t i = 0; code == ERR_OK && i < kept; i++) {
        /* as written: a key that is trimmed could become another's twin */
        code = put_str(arena_str(arena, pairs[i].key), &copies[i].key, err);
        if (code == ERR_OK)
            code = copy_into(pairs[i].value, arena, &copies[i].val, err);
    }
    copy->type = MSGPACK_OBJECT_MAP;
    copy->via.map.ptr = copies;
    copy->via.map.size = (uint32_t)kept;
    return code;
}

static enum err_code
copy_array(const msgpack_object *value, struct arena *arena, msgpack_object *copy, struct err *err)
{
    size_t n = value_size(value);
    msgpack_object *copies = arena_alloc(arena, n, sizeof *copies);
    enum err_code code = ERR_OK;

    if (copies == NULL)
        return err_no_memory(err);
    for (size_t i = 0; code == ERR_OK && i < n; i++)
        code = copy_into(value_at(value, i), arena, &copies[i], err);
    copy->type = MSGPACK_OBJECT_ARRAY;
    copy->via.array.ptr = copies;
    copy->via.array.size = (uint32_t)n;
    return code;
}

static enum err_code
copy_into(const msgpack_object *value, struct arena *arena, msgpack_object *copy, struct err *err)
{
    struct str bytes;
    int64_t number;

    if (value_is_map(value))
        return copy_map(value, arena, copy, err);
    if (value_is_array(value))
        return copy_array(value, arena, copy, err);
    if (value_str(value, &bytes))
        return copy_str(bytes, arena, copy, err);
    *copy = *value;
    if (value_int(value, &number)) {
        copy->type = number < 0 ? MSGPACK_OBJECT_NEGATIVE_INTEGER : MSGPACK_OBJECT_POSITIVE_INTEGER;
        copy->via.i64 = number;
    } else if (value_bin(value, &bytes) || value->type == MSGPACK_OBJECT_EXT) {
        if (value->type ==
            MSGPACK_OBJECT_EXT) /* no type of ours: refused as bytes where it stands */
            bytes = (struct str){value->via.ext.ptr, value->via.ext.size};
        copy->type = MSGPACK_OBJECT_BIN;
        copy->via.bin.ptr = arena_copy(arena, bytes.data, bytes.len);
        copy->via.bin.size = (uint32_t)bytes.len;
        if (copy->via.bin.ptr == NULL)
            return err_no_memory(err);
    }
    return ERR_OK;
}

enum err_code
canonical_copy(const msgpack_object *value, struct arena *arena, msgpack_object **copy,
               struct err *err)
{
    msgpack_object *root = arena_alloc(arena, 1, sizeof *root);
    enum err_code code;

    if (root == NULL)
        return err_no_memory(err);
    code = copy_into(value, arena, root, err);
    if (code == ERR_OK)
        *copy = root;
    return code;
}
