#include "start_scan.h"

#include <lmdb.h>
#include <msgpack.h>

#include <stdbool.h>

/* Of a profile's record: checksum, version, seq, updated_at; then the length of the open part. */
enum { OPEN_AT = 32, LENGTH_BYTES = 4, TABLES_MOST = 16 };

static bool
unpack_open(const MDB_val *value, struct start_scan *scan)
{
    const unsigned char *at = (const unsigned char *)value->mv_data + OPEN_AT;
    msgpack_unpacked unpacked;
    size_t n, end = 0;
    bool is_good;

    if (value->mv_size < OPEN_AT + LENGTH_BYTES)
        return false;
    n = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
    if (n > value->mv_size - OPEN_AT - LENGTH_BYTES)
        return false;
    msgpack_unpacked_init(&unpacked);
    is_good = msgpack_unpack_next(&unpacked, (const char *)at + LENGTH_BYTES, n, &end) ==
                  MSGPACK_UNPACK_SUCCESS &&
              unpacked.data.type == MSGPACK_OBJECT_MAP;
    if (is_good)
        scan->objects += unpacked.data.via.map.size;
    scan->n++;
    scan->bytes += n;
    msgpack_unpacked_destroy(&unpacked);
    return is_good;
}

static int
scan_table(MDB_env *env, struct start_scan *scan)
{
    MDB_cursor *cursor = NULL;
    MDB_txn *txn = NULL;
    MDB_val key, value;
    MDB_dbi dbi;
    int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

    if (rc != 0)
        return rc;
    rc = mdb_dbi_open(txn, "profiles", 0, &dbi);
    if (rc == 0)
        rc = mdb_cursor_open(txn, dbi, &cursor);
    while (rc == 0 && (rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        if (!unpack_open(&value, scan))
            rc = MDB_CORRUPTED;
    if (cursor != NULL)
        mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err_code
start_scan(const char *folder, struct start_scan *out, struct err *err)
{
    MDB_env *env = NULL;
    int rc = mdb_env_create(&env);

    *out = (struct start_scan){0};
    if (rc == 0)
        rc = mdb_env_set_maxdbs(env, TABLES_MOST);
    if (rc == 0)
        rc = mdb_env_open(env, folder, MDB_RDONLY | MDB_NOLOCK, 0600);
    if (rc == 0)
        rc = scan_table(env, out);
    if (env != NULL)
        mdb_env_close(env);
    return rc == 0 ? ERR_OK
                   : err_set(err, ERR_INTERNAL, "cannot scan %.100s: %s", folder, mdb_strerror(rc));
}
