/* kept.c: outcomes, text vectors, files by digest, settings. */
#include "kv.h"
#include "records.h"

#include <errno.h>
#include <string.h>

/* ---- outcomes ---- */

bool
outcome_record_read(struct str key, struct str bytes, struct outcome_record *out)
{
    struct record_reader reader;

    if (!record_open(key, bytes, &reader))
        return false;
    out->seq = key_tail(key);
    out->bytes = record_get_str(&reader);
    return record_is_whole(&reader);
}

static enum err_code
put_bytes(struct store_txn *txn, enum table table, struct str key, struct str bytes,
          struct err *err)
{
    record_begin(&txn->scratch);
    record_put_str(&txn->scratch, bytes);
    return kv_put(txn, table, key, err);
}

enum err_code
store_outcome_put(struct store_txn *txn, uint64_t seq, struct str bytes, struct err *err)
{
    struct key key = key_of_seq(seq);

    return put_bytes(txn, TABLE_OUTCOMES, key_str(&key), bytes, err);
}

/* ---- vectors ---- */

struct key
key_of_vector(const struct digest *lexicon, struct str id)
{
    struct key key = {.len = LEXICON_KEY_BYTES};
    struct key tail = key_of_id(id);

    memcpy(key.bytes, lexicon->bytes, LEXICON_KEY_BYTES);
    memcpy(key.bytes + key.len, tail.bytes, tail.len);
    key.len += tail.len;
    return key;
}

bool
vector_fields_read(struct record_reader *reader, uint64_t *made_of, struct str *bytes)
{
    *made_of = record_get_u64(reader);
    *bytes = record_get_str(reader);
    return record_is_whole(reader);
}

enum err_code
store_vector_get(struct store_read *read, const struct digest *lexicon, struct str id,
                 uint64_t *made_of, struct str *bytes, struct err *err)
{
    struct key key = key_of_vector(lexicon, id);
    struct record_reader reader;
    enum err_code code = kv_get(read, TABLE_VECTORS, key_str(&key), &reader, err);

    if (code != ERR_OK)
        return code;
    return vector_fields_read(&reader, made_of, bytes)
               ? ERR_OK
               : kv_damaged(err, TABLE_VECTORS, key_str(&key));
}

static enum err_code
put_made(struct store_txn *txn, enum table table, struct str key, uint64_t made_of,
         struct str bytes, struct err *err)
{
    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, made_of);
    record_put_str(&txn->scratch, bytes);
    return kv_put(txn, table, key, err);
}

enum err_code
store_vector_put(struct store_txn *txn, const struct digest *lexicon, struct str id,
                 uint64_t made_of, struct str bytes, struct str outline, struct err *err)
{
    struct key key = key_of_vector(lexicon, id);
    enum err_code code = put_made(txn, TABLE_VECTORS, key_str(&key), made_of, bytes, err);

    return code == ERR_OK ? put_made(txn, TABLE_OUTLINES, key_str(&key), made_of, outline, err)
                          : code;
}

/* Of one of both tables. *n of the most are deleted already. */
static enum err_code
prune(struct store_txn *txn, enum table table, const struct digest *keep, size_t most, size_t *n,
      bool *left, struct err *err)
{
    struct store_read *read = &txn->read;
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc = mdb_cursor_open(read->txn, read->data->tables[table], &cursor);

    if (rc != 0)
        return store_err(err, rc, "read the store");
    rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    while (rc == 0) {
        if (k.mv_size >= LEXICON_KEY_BYTES &&
            memcmp(k.mv_data, keep->bytes, LEXICON_KEY_BYTES) == 0) {
            rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
            continue;
        }
        if (*n == most) {
            *left = true;
            break;
        }
        txn->has_written = true;
        rc = mdb_cursor_del(cursor, 0);
        ++*n;
        if (rc == 0)
            rc = mdb_cursor_get(cursor, &k, &v, MDB_GET_CURRENT);
        if (rc == EINVAL) /* the last one is gone */
            rc = MDB_NOTFOUND;
    }
    mdb_cursor_close(cursor);
    return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : store_err(err, rc, "write to the store");
}

enum err_code
store_vectors_prune(struct store_txn *txn, const struct digest *keep, size_t most, bool *left,
                    struct err *err)
{
    size_t n = 0;
    enum err_code code;

    *left = false;
    code = prune(txn, TABLE_OUTLINES, keep, most, &n, left, err);
    return code == ERR_OK ? prune(txn, TABLE_VECTORS, keep, most, &n, left, err) : code;
}

/* ---- files by digest, settings ---- */

static enum err_code
get_bytes(struct store_read *read, enum table table, struct str key, struct str *bytes,
          struct err *err)
{
    struct record_reader reader;
    enum err_code code = kv_get(read, table, key, &reader, err);

    if (code != ERR_OK)
        return code;
    *bytes = record_get_str(&reader);
    return record_is_whole(&reader) ? ERR_OK : kv_damaged(err, table, key);
}

enum err_code
store_blob_get(struct store_read *read, const struct digest *digest, struct str *bytes,
               struct err *err)
{
    return get_bytes(read, TABLE_BLOBS, (struct str){(const char *)digest->bytes, DIGEST_BYTES},
                     bytes, err);
}

enum err_code
store_blob_put(struct store_txn *txn, const struct digest *digest, struct str bytes,
               struct err *err)
{
    struct str key = {(const char *)digest->bytes, DIGEST_BYTES};
    struct record_reader reader;
    enum err_code code = kv_get(&txn->read, TABLE_BLOBS, key, &reader, err);

    if (code != ERR_NOT_FOUND)
        return code; /* there already: named by what it holds */
    return put_bytes(txn, TABLE_BLOBS, key, bytes, err);
}

enum err_code
store_setting_get(struct store_read *read, const char *name, struct str *bytes, struct err *err)
{
    return get_bytes(read, TABLE_SETTINGS, str_from(name), bytes, err);
}

enum err_code
store_setting_put(struct store_txn *txn, const char *name, struct str bytes, struct err *err)
{
    return put_bytes(txn, TABLE_SETTINGS, str_from(name), bytes, err);
}
