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

    *err = (struct err){0}; /* at the end it must say ok, whatever it said before */
    walk->has_begun = true;
    if (rc == MDB_NOTFOUND)
        return false;
    if (rc != 0) {
        store_err(err, rc, "read the store");
        return false;
    }
    if (k.mv_size < walk->prefix.len ||
        memcmp(k.mv_data, walk->prefix.bytes, walk->prefix.len) != 0)
        return false;
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
