#include "kv.h"

#include <errno.h>
#include <string.h>

const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "meta",
    [TABLE_PROFILES] = "profiles",
    [TABLE_VERSIONS] = "versions",
    [TABLE_ARCHIVE] = "archive",
    [TABLE_PROGRAMMES] = "programmes",
    [TABLE_PROGRAMME_VERSIONS] = "programme_versions",
    [TABLE_OUTCOMES] = "outcomes",
    [TABLE_JOURNAL] = "journal",
    [TABLE_VECTORS] = "vectors",
    [TABLE_BLOBS] = "blobs",
    [TABLE_SETTINGS] = "settings",
    [TABLE_OUTLINES] = "outlines",
};

/* ---- keys ---- */

struct key
key_of_id(struct str id)
{
    struct key key = {.len = id.len <= KEY_MAX - 9 ? id.len : 0};

    memcpy(key.bytes, id.len != 0 ? id.data : "", key.len);
    return key;
}

static void
key_add_u64(struct key *key, uint64_t value)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        key->bytes[key->len++] = (char)(uint8_t)(value >> shift);
}

struct key
key_of_seq(uint64_t seq)
{
    struct key key = {.len = 0};

    key_add_u64(&key, seq);
    return key;
}

struct key
key_of_version(struct str id, uint64_t version)
{
    struct key key = key_of_id(id);

    key.bytes[key.len++] = '\0'; /* no id holds it, so that one id's versions stand together */
    key_add_u64(&key, version);
    return key;
}

struct str
key_str(const struct key *key)
{
    return (struct str){key->bytes, key->len};
}

uint64_t
key_tail(struct str key)
{
    uint64_t value = 0;

    for (size_t i = key.len >= 8 ? key.len - 8 : 0; i < key.len; i++)
        value = value << 8 | (uint8_t)key.data[i];
    return value;
}

/* ---- errors ---- */

static const struct {
    int rc;
    enum err_code code;
    const char *reason;
} reasons[] = {
    {MDB_MAP_FULL, ERR_STORAGE_FULL, "the store has reached its --map-size; raise it"},
    {MDB_TXN_FULL, ERR_STORAGE_FULL, "one change touches too many pages; send it in parts"},
    {ENOSPC, ERR_STORAGE_FULL, "the disk is full; nothing was written"},
    {EDQUOT, ERR_STORAGE_FULL, "the disk quota is used up; nothing was written"},
    {ENOMEM, ERR_BUSY, "out of memory; try again later"},
    {MDB_READERS_FULL, ERR_BUSY, "too many reads at once; try again later"},
    {MDB_PANIC, ERR_INTERNAL, "a write of the store's head failed; stop, and open it again"},
    {MDB_CORRUPTED, ERR_INTERNAL, "the data file is damaged; restore a backup"},
    {MDB_PAGE_NOTFOUND, ERR_INTERNAL, "the data file is damaged; restore a backup"},
    {MDB_INVALID, ERR_INTERNAL, "the data file is no LMDB file"},
    {MDB_VERSION_MISMATCH, ERR_INTERNAL, "the data file is of another LMDB version"},
    {EACCES, ERR_FORBIDDEN, "permission denied"},
    {EROFS, ERR_FORBIDDEN, "the file system is read-only"},
};

enum err_code
store_err_from(struct err *err, int rc, const char *origin, const char *what)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].rc == rc)
            return err_set_from(err, reasons[i].code, origin, "cannot %s: %s", what,
                                reasons[i].reason);
    return err_set_from(err, ERR_INTERNAL, origin, "cannot %s: %s (%d)", what, mdb_strerror(rc),
                        rc);
}

enum err_code
kv_damaged(struct err *err, enum table table, struct str key)
{
    (void)key; /* may be an id: it is in the log's hands to say, not in a message's */
    return err_set(err, ERR_INTERNAL,
                   "a record of %s fails its checksum: the data file is damaged; restore a backup",
                   table_names[table]);
}

/* ---- values ---- */

static MDB_val
val(struct str s)
{
    return (MDB_val){s.len, (void *)(uintptr_t)s.data};
}

enum err_code
kv_get(struct store_read *read, enum table table, struct str key, struct record_reader *reader,
       struct err *err)
{
    MDB_val k = val(key), v;
    int rc;

    if (key.len == 0 || key.len > KEY_MAX) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    rc = mdb_get(read->txn, read->data->tables[table], &k, &v);
    if (rc == MDB_NOTFOUND) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    if (rc != 0)
        return store_err(err, rc, "read the store");
    if (!record_open(key, (struct str){v.mv_data, v.mv_size}, reader))
        return kv_damaged(err, table, key);
    return ERR_OK;
}

enum err_code
kv_put(struct store_txn *txn, enum table table, struct str key, struct err *err)
{
    struct store_read *read = &txn->read;
    enum err_code code = record_seal(&txn->scratch, key, err);
    MDB_val k = val(key), v = {txn->scratch.len, txn->scratch.data};
    int rc;

    if (code != ERR_OK)
        return code;
    txn->has_written = true;
    rc = mdb_put(read->txn, read->data->tables[table], &k, &v, 0);
    return rc == 0 ? ERR_OK : store_err(err, rc, "write to the store");
}

enum err_code
kv_delete(struct store_txn *txn, enum table table, struct str key, struct err *err)
{
    struct store_read *read = &txn->read;
    MDB_val k = val(key);
    int rc;

    txn->has_written = true;
    rc = mdb_del(read->txn, read->data->tables[table], &k, NULL);
    return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : store_err(err, rc, "write to the store");
}

enum err_code
kv_last(struct store_read *read, enum table table, struct str prefix, struct str *key,
        struct err *err)
{
    char after[KEY_MAX];
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = mdb_cursor_open(read->txn, read->data->tables[table], &cursor);

    *key = (struct str){NULL, 0};
    if (rc != 0)
        return store_err(err, rc, "read the store");
    if (prefix.len == 0) {
        rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
    } else { /* the first key behind the prefix, then one back */
        memcpy(after, prefix.data, prefix.len);
        memset(after + prefix.len, 0xff, 9);
        k = (MDB_val){prefix.len + 9, after};
        rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
        rc = rc == MDB_NOTFOUND ? mdb_cursor_get(cursor, &k, &v, MDB_LAST)
             : rc == 0          ? mdb_cursor_get(cursor, &k, &v, MDB_PREV)
                                : rc;
    }
    mdb_cursor_close(cursor);
    if (rc == MDB_NOTFOUND)
        return ERR_OK;
    if (rc != 0)
        return store_err(err, rc, "read the store");
    if (k.mv_size > prefix.len &&
        (prefix.len == 0 || memcmp(k.mv_data, prefix.data, prefix.len) == 0))
        *key = (struct str){k.mv_data, k.mv_size};
    return ERR_OK;
}

uint64_t
kv_count(struct store_read *read, enum table table)
{
    MDB_stat stat;

    return mdb_stat(read->txn, read->data->tables[table], &stat) == 0 ? stat.ms_entries : 0;
}
