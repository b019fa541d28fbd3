/* walk.c: cursors over a table, in key order. */
#include "alloc.h"
#include "kv.h"
#include "records.h"

#include <string.h>

struct store_walk {
    struct store_read *read;
    enum table table;
    MDB_cursor *cursor;
    struct key after, prefix; /* start behind the one, stay within the other */
    bool has_begun;
    struct store_walk *beside; /* of a sealed walk: the outlines, one ahead */
    struct str beside_key, beside_value;
    bool is_beside_over;
};

static enum err_code
walk_begin(struct store_read *read, enum table table, const struct key *after,
           const struct key *prefix, struct store_walk **out, struct err *err)
{
    struct store_walk *walk = mem_alloc(sizeof *walk);
    int rc;

    if (walk == NULL)
        return err_no_memory(err);
    *walk = (struct store_walk){.read = read, .table = table, .after = *after, .prefix = *prefix};
    rc = mdb_cursor_open(read->txn, read->data->tables[table], &walk->cursor);
    if (rc != 0) {
        mem_free(walk);
        return store_err(err, rc, "read the store");
    }
    *out = walk;
    return ERR_OK;
}

void
store_walk_end(struct store_walk *walk)
{
    if (walk == NULL)
        return;
    store_walk_end(walk->beside);
    mdb_cursor_close(walk->cursor);
    mem_free(walk);
}

static int
walk_first(struct store_walk *walk, MDB_val *k, MDB_val *v)
{
    int rc;

    if (walk->after.len == 0)
        return mdb_cursor_get(walk->cursor, k, v, MDB_FIRST);
    *k = (MDB_val){walk->after.len, walk->after.bytes};
    rc = mdb_cursor_get(walk->cursor, k, v, MDB_SET_RANGE);
    if (rc == 0 && k->mv_size == walk->after.len &&
        memcmp(k->mv_data, walk->after.bytes, k->mv_size) == 0)
        rc = mdb_cursor_get(walk->cursor, k, v, MDB_NEXT);
    return rc;
}

/* The next key and value; false at the end, or with err set. */
static bool
walk_next(struct store_walk *walk, struct str *key, struct str *value, struct err *err)
{
    MDB_val k, v;
    int rc =
        walk->has_begun ? mdb_cursor_get(walk->cursor, &k, &v, MDB_NEXT) : walk_first(walk, &k, &v);

    walk->has_begun = true;
    if (rc != 0 && rc != MDB_NOTFOUND) {
        *err = (struct err){0};
        store_err(err, rc, "read the store");
        return false;
    }
    if (rc == MDB_NOTFOUND || k.mv_size < walk->prefix.len ||
        memcmp(k.mv_data, walk->prefix.bytes, walk->prefix.len) != 0) {
        *err = (struct err){0}; /* at the end it must say ok, whatever it said before */
        return false;
    }
    *key = (struct str){k.mv_data, k.mv_size};
    *value = (struct str){v.mv_data, v.mv_size};
    return true;
}

static bool
damaged(struct store_walk *walk, struct str key, struct err *err)
{
    kv_damaged(err, walk->table, key);
    return false;
}

static const struct key no_key;

enum err_code
store_walk_profiles(struct store_read *read, struct str after, struct store_walk **out,
                    struct err *err)
{
    struct key key = key_of_id(after);

    return walk_begin(read, TABLE_PROFILES, &key, &no_key, out, err);
}

bool
store_walk_next_profile(struct store_walk *walk, struct str *id, struct profile_record *out,
                        struct err *err)
{
    struct str key, value;

    if (!walk_next(walk, &key, &value, err))
        return false;
    *id = key;
    return profile_record_read(key, value, out) || damaged(walk, key, err);
}

/* ---- profiles beside their vectors' outlines ---- */

enum err_code
store_walk_sealed(struct store_read *read, const struct digest *lexicon, struct store_walk **out,
                  struct err *err)
{
    struct key within = key_of_vector(lexicon, STR_LIT(""));
    struct store_walk *walk;
    enum err_code code = walk_begin(read, TABLE_PROFILES, &no_key, &no_key, &walk, err);

    if (code != ERR_OK)
        return code;
    code = walk_begin(read, TABLE_OUTLINES, &within, &within, &walk->beside, err);
    if (code != ERR_OK) {
        store_walk_end(walk);
        return code;
    }
    *out = walk;
    return ERR_OK;
}

static struct str
beside_id(const struct store_walk *walk)
{
    size_t n = walk->beside->prefix.len;

    return (struct str){walk->beside_key.data + n, walk->beside_key.len - n};
}

/* Moves the outlines on to the first that belongs to id or to one behind it. */
static enum err_code
beside_follow(struct store_walk *walk, struct str id, struct err *err)
{
    while (!walk->is_beside_over &&
           (!walk->beside->has_begun || str_compare(beside_id(walk), id) < 0)) {
        if (!walk_next(walk->beside, &walk->beside_key, &walk->beside_value, err)) {
            walk->is_beside_over = true;
            return err->code;
        }
    }
    return ERR_OK;
}

bool
store_walk_next_sealed(struct store_walk *walk, struct sealed_profile *out, struct err *err)
{
    *out = (struct sealed_profile){.id = STR_LIT("")};
    if (!walk_next(walk, &out->id, &out->profile, err) ||
        beside_follow(walk, out->id, err) != ERR_OK)
        return false;
    if (!walk->is_beside_over && str_equal(beside_id(walk), out->id)) {
        out->outline_key = walk->beside_key;
        out->outline = walk->beside_value;
    }
    return true;
}

static bool
unseal(struct str key, struct str bytes, bool believes, struct record_reader *reader)
{
    return believes ? record_open_unchecked(bytes, reader) : record_open(key, bytes, reader);
}

enum err_code
sealed_profile_open(const struct sealed_profile *sealed, bool believes, struct profile_record *out,
                    struct err *err)
{
    struct record_reader reader;

    return unseal(sealed->id, sealed->profile, believes, &reader) &&
                   profile_fields_read(&reader, out)
               ? ERR_OK
               : kv_damaged(err, TABLE_PROFILES, sealed->id);
}

enum err_code
sealed_outline_open(const struct sealed_profile *sealed, bool believes, uint64_t *made_of,
                    struct str *bytes, struct err *err)
{
    struct record_reader reader;

    if (sealed->outline_key.len == 0) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    return unseal(sealed->outline_key, sealed->outline, believes, &reader) &&
                   vector_fields_read(&reader, made_of, bytes)
               ? ERR_OK
               : kv_damaged(err, TABLE_OUTLINES, sealed->outline_key);
}

/* ---- the other tables ---- */

enum err_code
store_walk_programmes(struct store_read *read, struct str after, struct store_walk **out,
                      struct err *err)
{
    struct key key = key_of_id(after);

    return walk_begin(read, TABLE_PROGRAMMES, &key, &no_key, out, err);
}

bool
store_walk_next_programme(struct store_walk *walk, struct str *id, struct programme_record *out,
                          struct err *err)
{
    struct str key, value;

    if (!walk_next(walk, &key, &value, err))
        return false;
    *id = key;
    return programme_record_read(key, value, out) || damaged(walk, key, err);
}

enum err_code
store_walk_versions(struct store_read *read, struct str id, uint64_t after, struct store_walk **out,
                    struct err *err)
{
    struct key prefix = key_of_id(id), start = key_of_version(id, after);

    prefix.bytes[prefix.len++] = '\0';
    return walk_begin(read, TABLE_VERSIONS, &start, &prefix, out, err);
}

bool
store_walk_next_version(struct store_walk *walk, struct version_record *out, struct err *err)
{
    struct str key, value;

    if (!walk_next(walk, &key, &value, err))
        return false;
    if (!version_record_read(key, value, out))
        return damaged(walk, key, err);
    return version_find_record(walk->read, (struct str){key.data, key.len - 9}, out, err) == ERR_OK;
}

enum err_code
store_walk_outcomes(struct store_read *read, uint64_t after, struct store_walk **out,
                    struct err *err)
{
    struct key key = key_of_seq(after);

    return walk_begin(read, TABLE_OUTCOMES, &key, &no_key, out, err);
}

bool
store_walk_next_outcome(struct store_walk *walk, struct outcome_record *out, struct err *err)
{
    struct str key, value;

    if (!walk_next(walk, &key, &value, err))
        return false;
    return outcome_record_read(key, value, out) || damaged(walk, key, err);
}

enum err_code
store_walk_journal(struct store_read *read, uint64_t after, struct store_walk **out,
                   struct err *err)
{
    struct key key = key_of_seq(after);

    return walk_begin(read, TABLE_JOURNAL, &key, &no_key, out, err);
}

bool
store_walk_next_journal(struct store_walk *walk, struct journal_record *out, struct err *err)
{
    struct str key, value;

    if (!walk_next(walk, &key, &value, err))
        return false;
    return journal_record_read(key, value, out) || damaged(walk, key, err);
}

enum err_code
store_walk_settings(struct store_read *read, const char *prefix, struct str after,
                    struct store_walk **out, struct err *err)
{
    struct key within = key_of_id(str_from(prefix));
    struct key start = after.len > 0 ? key_of_id(after) : within;

    return walk_begin(read, TABLE_SETTINGS, &start, &within, out, err);
}

bool
store_walk_next_setting(struct store_walk *walk, struct str *name, struct str *bytes,
                        struct err *err)
{
    struct str key, value;
    struct record_reader reader;

    if (!walk_next(walk, &key, &value, err))
        return false;
    if (!record_open(key, value, &reader))
        return damaged(walk, key, err);
    *name = key;
    *bytes = record_get_str(&reader);
    return record_is_whole(&reader) || damaged(walk, key, err);
}
