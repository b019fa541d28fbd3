/* profiles.c: profiles with their versions; programmes likewise. */
#include "kv.h"
#include "records.h"
#include "value.h"

#include <string.h>

/* ---- reading ---- */

bool
profile_fields_read(struct record_reader *reader, struct profile_record *out)
{
    out->version = record_get_u64(reader);
    out->seq = record_get_u64(reader);
    out->updated_at = (int64_t)record_get_u64(reader);
    out->open = record_get_str(reader);
    out->confidential = record_get_str(reader);
    return record_is_whole(reader);
}

bool
profile_record_read(struct str key, struct str bytes, struct profile_record *out)
{
    struct record_reader reader;

    return record_open(key, bytes, &reader) && profile_fields_read(&reader, out);
}

enum err_code
store_profile_get(struct store_read *read, struct str id, struct profile_record *out,
                  struct err *err)
{
    struct record_reader reader;
    enum err_code code = kv_get(read, TABLE_PROFILES, id, &reader, err);

    if (code != ERR_OK)
        return code;
    return profile_fields_read(&reader, out) ? ERR_OK : kv_damaged(err, TABLE_PROFILES, id);
}

uint64_t
store_profile_count(struct store_read *read)
{
    return kv_count(read, TABLE_PROFILES);
}

enum { VERSION_IS_DELETION = 1 };

bool
version_record_read(struct str key, struct str bytes, struct version_record *out)
{
    struct record_reader reader;

    if (!record_open(key, bytes, &reader))
        return false;
    *out = (struct version_record){.version = key_tail(key)};
    out->seq = record_get_u64(&reader);
    out->at = (int64_t)record_get_u64(&reader);
    out->is_deletion = record_get_u64(&reader) == VERSION_IS_DELETION;
    out->actor = record_get_str(&reader);
    out->method = record_get_str(&reader);
    out->changed = record_get_str(&reader);
    return record_is_whole(&reader);
}

/* The profile as it was: in the archive, or the current one. */
enum err_code
version_find_record(struct store_read *read, struct str id, struct version_record *version,
                    struct err *err)
{
    struct key key = key_of_version(id, version->version);
    struct record_reader reader;
    enum err_code code;

    if (version->is_deletion)
        return ERR_OK;
    code = kv_get(read, TABLE_ARCHIVE, key_str(&key), &reader, err);
    if (code == ERR_OK) {
        if (!profile_fields_read(&reader, &version->record))
            return kv_damaged(err, TABLE_ARCHIVE, key_str(&key));
        version->has_record = true;
    } else if (code == ERR_NOT_FOUND) {
        code = store_profile_get(read, id, &version->record, err);
        version->has_record = code == ERR_OK && version->record.version == version->version;
        if (code == ERR_NOT_FOUND)
            code = ERR_OK;
    }
    return code;
}

enum err_code
store_profile_version(struct store_read *read, struct str id, uint64_t version,
                      struct version_record *out, struct err *err)
{
    struct key key = key_of_version(id, version);
    struct str bytes;
    MDB_val k = {key.len, key.bytes}, v;
    int rc = mdb_get(read->txn, read->data->tables[TABLE_VERSIONS], &k, &v);

    if (rc == MDB_NOTFOUND) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    if (rc != 0)
        return store_err(err, rc, "read the store");
    bytes = (struct str){v.mv_data, v.mv_size};
    if (!version_record_read(key_str(&key), bytes, out))
        return kv_damaged(err, TABLE_VERSIONS, key_str(&key));
    return version_find_record(read, id, out, err);
}

/* ---- writing ---- */

/* Moves the current record of an id to the archive, under its version. */
static enum err_code
archive(struct store_txn *txn, enum table from, enum table to, struct str id, uint64_t *version,
        struct err *err)
{
    struct record_reader reader;
    struct key key;
    enum err_code code = kv_get(&txn->read, from, id, &reader, err);

    if (code != ERR_OK)
        return code;
    *version = record_get_u64(&reader);
    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, *version);
    buf_append(&txn->scratch, reader.at, (size_t)(reader.end - reader.at));
    key = key_of_version(id, *version);
    return kv_put(txn, to, key_str(&key), err);
}

/* The newest version number that an id has ever had; 0 for one never seen. */
static enum err_code
last_version(struct store_txn *txn, enum table table, struct str id, uint64_t *version,
             struct err *err)
{
    struct key prefix = key_of_id(id);
    struct str last;
    enum err_code code;

    prefix.bytes[prefix.len++] = '\0';
    code = kv_last(&txn->read, table, key_str(&prefix), &last, err);
    *version = last.len != 0 ? key_tail(last) : 0;
    return code;
}

static enum err_code
put_version(struct store_txn *txn, struct str id, uint64_t version, uint64_t seq, bool is_deletion,
            struct str actor, struct str method, struct str changed, struct err *err)
{
    struct key key = key_of_version(id, version);

    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, seq);
    record_put_u64(&txn->scratch, (uint64_t)txn->now_ms);
    record_put_u64(&txn->scratch, is_deletion ? VERSION_IS_DELETION : 0);
    record_put_str(&txn->scratch, actor);
    record_put_str(&txn->scratch, method);
    record_put_str(&txn->scratch, changed);
    return kv_put(txn, TABLE_VERSIONS, key_str(&key), err);
}

/* The map that is served: a map16 header, so that a reader may count one pair more for the
 * confidential part; the pairs; then what the store itself knows. */
static void
pack_served(struct buf *out, const struct profile_put *put, uint64_t version, int64_t at)
{
    uint32_t n = put->n_pairs + 3;
    uint8_t header[3] = {0xde, (uint8_t)(n >> 8), (uint8_t)n};

    buf_append(out, header, sizeof header);
    buf_append_str(out, put->pairs);
    pack_key_int(out, "version", (int64_t)version);
    pack_key_int(out, "updated_at", at);
    pack_key_int(out, "seq", (int64_t)put->seq);
}

enum err_code
store_profile_put(struct store_txn *txn, const struct profile_put *put, uint64_t *version,
                  struct err *err)
{
    struct buf served;
    uint64_t last;
    enum err_code code = archive(txn, TABLE_PROFILES, TABLE_ARCHIVE, put->id, &last, err);

    if (code == ERR_NOT_FOUND)
        code = last_version(txn, TABLE_VERSIONS, put->id, &last, err);
    if (code != ERR_OK)
        return code;
    buf_init(&served, 256 * 1024);
    pack_served(&served, put, last + 1, txn->now_ms);
    code = buf_check(&served, err);
    if (code == ERR_OK)
        code = put_version(txn, put->id, last + 1, put->seq, false, put->actor, put->method,
                           put->changed, err);
    if (code == ERR_OK) {
        record_begin(&txn->scratch);
        record_put_u64(&txn->scratch, last + 1);
        record_put_u64(&txn->scratch, put->seq);
        record_put_u64(&txn->scratch, (uint64_t)txn->now_ms);
        record_put_str(&txn->scratch, buf_str(&served));
        record_put_str(&txn->scratch, put->confidential);
        code = kv_put(txn, TABLE_PROFILES, put->id, err);
    }
    if (code == ERR_OK)
        *version = last + 1;
    buf_fini(&served);
    return code;
}

enum err_code
store_profile_delete(struct store_txn *txn, struct str id, uint64_t seq, struct str actor,
                     struct str method, struct err *err)
{
    uint64_t last;
    enum err_code code = archive(txn, TABLE_PROFILES, TABLE_ARCHIVE, id, &last, err);

    if (code == ERR_OK)
        code = put_version(txn, id, last + 1, seq, true, actor, method, (struct str){NULL, 0}, err);
    if (code == ERR_OK)
        code = kv_delete(txn, TABLE_PROFILES, id, err);
    return code;
}

/* ---- programmes ---- */

static bool
read_programme(struct record_reader *reader, struct programme_record *out)
{
    out->version = record_get_u64(reader);
    out->seq = record_get_u64(reader);
    out->updated_at = (int64_t)record_get_u64(reader);
    out->bytes = record_get_str(reader);
    return record_is_whole(reader);
}

bool
programme_record_read(struct str key, struct str bytes, struct programme_record *out)
{
    struct record_reader reader;

    return record_open(key, bytes, &reader) && read_programme(&reader, out);
}

enum err_code
store_programme_get(struct store_read *read, struct str id, struct programme_record *out,
                    struct err *err)
{
    struct record_reader reader;
    enum err_code code = kv_get(read, TABLE_PROGRAMMES, id, &reader, err);

    if (code != ERR_OK)
        return code;
    return read_programme(&reader, out) ? ERR_OK : kv_damaged(err, TABLE_PROGRAMMES, id);
}

enum err_code
store_programme_version(struct store_read *read, struct str id, uint64_t version,
                        struct programme_record *out, struct err *err)
{
    struct key key = key_of_version(id, version);
    struct record_reader reader;
    enum err_code code = store_programme_get(read, id, out, err);

    if (code == ERR_OK && out->version == version)
        return ERR_OK;
    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    code = kv_get(read, TABLE_PROGRAMME_VERSIONS, key_str(&key), &reader, err);
    if (code != ERR_OK)
        return code;
    return read_programme(&reader, out) ? ERR_OK
                                        : kv_damaged(err, TABLE_PROGRAMME_VERSIONS, key_str(&key));
}

enum err_code
store_programme_put(struct store_txn *txn, struct str id, struct str bytes, uint64_t seq,
                    uint64_t *version, struct err *err)
{
    uint64_t last;
    enum err_code code = archive(txn, TABLE_PROGRAMMES, TABLE_PROGRAMME_VERSIONS, id, &last, err);

    if (code == ERR_NOT_FOUND)
        code = last_version(txn, TABLE_PROGRAMME_VERSIONS, id, &last, err);
    if (code != ERR_OK)
        return code;
    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, last + 1);
    record_put_u64(&txn->scratch, seq);
    record_put_u64(&txn->scratch, (uint64_t)txn->now_ms);
    record_put_str(&txn->scratch, bytes);
    code = kv_put(txn, TABLE_PROGRAMMES, id, err);
    if (code == ERR_OK)
        *version = last + 1;
    return code;
}

enum err_code
store_programme_delete(struct store_txn *txn, struct str id, uint64_t seq, struct err *err)
{
    uint64_t last;
    enum err_code code = archive(txn, TABLE_PROGRAMMES, TABLE_PROGRAMME_VERSIONS, id, &last, err);

    (void)seq; /* the journal names it */
    return code == ERR_OK ? kv_delete(txn, TABLE_PROGRAMMES, id, err) : code;
}
