/*
 * data.c: one opened data file, counted, and the copying of one into another.
 *
 * Erasure puts a fresh file in the place of the old one while readers still look at the old one. So each
 * reader holds what it began on, and whoever drops it last closes it. Two environments of one process
 * must never share a lock file: the fresh one is opened in a folder of its own (erase.c), where it
 * gets a lock file of its own, and both files are moved up afterwards.
 *
 * Copies are made record by record into an empty file, not page by page. LMDB reuses the memory of
 * pages without clearing it, so the unused end of a page may hold what was deleted long ago, and its
 * own compacting copy carries such ends along; a file that never saw the deleted bytes cannot hold them.
 */
#include "alloc.h"
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, LOCK_FILE_BYTES = 8192, READERS_MAX = 1024 };
enum { COPY_TXN_BYTES = 8 * 1024 * 1024, LOOK_UP_EVERY = 256 };

/* LMDB maps its lock file; on a full disk the first touch of a page that cannot be backed is a
 * SIGBUS. Blocks reserved before make it an ordinary error. */
static enum err_code
lock_file_reserve(const char *dir, struct err *err)
{
    char path[PATH_BYTES];
    int fd, rc;

    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_sys(err, errno, "open %s", path);
    rc = posix_fallocate(fd, 0, LOCK_FILE_BYTES);
    close(fd);
    return rc == 0 ? ERR_OK : err_set_sys(err, rc, "reserve %s", path);
}

static enum err_code
tables_open(struct data *data, bool make, struct err *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(data->env, NULL, make ? 0 : MDB_RDONLY, &txn);

    if (rc != 0)
        return store_err(err, rc, "open the store");
    for (int i = 0; i < TABLE_COUNT && rc == 0; i++) {
        rc = mdb_dbi_open(txn, table_names[i], make ? MDB_CREATE : 0, &data->tables[i]);
        if (rc == MDB_NOTFOUND && table_may_lack((enum table)i)) {
            data->tables[i] = TABLE_NONE;
            rc = 0;
        }
    }
    if (rc != 0) {
        mdb_txn_abort(txn);
        return store_err(err, rc, "open the store's tables");
    }
    rc = mdb_txn_commit(txn); /* of a read transaction: keeps the handles */
    return rc == 0 ? ERR_OK : store_err(err, rc, "open the store's tables");
}

enum err_code
data_open(const char *dir, size_t map_bytes, unsigned flags, bool make, struct data **out,
          struct err *err)
{
    struct data *data = mem_alloc_zeroed(1, sizeof *data);
    enum err_code code = ERR_OK;
    int rc;

    if (data == NULL)
        return err_no_memory(err);
    atomic_init(&data->n_holders, 1);
    if ((flags & MDB_NOLOCK) == 0)
        code = lock_file_reserve(dir, err);
    if (code == ERR_OK && ((rc = mdb_env_create(&data->env)) != 0 ||
                           (rc = mdb_env_set_maxdbs(data->env, TABLE_COUNT)) != 0 ||
                           (rc = mdb_env_set_maxreaders(data->env, READERS_MAX)) != 0 ||
                           (rc = mdb_env_set_mapsize(data->env, map_bytes)) != 0 ||
                           (rc = mdb_env_open(data->env, dir, MDB_NOTLS | flags, 0600)) != 0))
        code = store_err(err, rc, "open the store");
    if (code == ERR_OK)
        code = tables_open(data, make, err);
    if (code != ERR_OK) {
        data_drop(data);
        return code;
    }
    *out = data;
    return ERR_OK;
}

void
data_drop(struct data *data)
{
    if (data == NULL || atomic_fetch_sub(&data->n_holders, 1) != 1)
        return;
    if (data->env != NULL)
        mdb_env_close(data->env);
    mem_free(data);
}

struct data *
store_hold_data(struct store *store)
{
    struct data *data;

    pthread_mutex_lock(&store->data_lock);
    data = store->data;
    atomic_fetch_add(&data->n_holders, 1);
    pthread_mutex_unlock(&store->data_lock);
    return data;
}

void
store_exchange_data(struct store *store, struct data *next)
{
    struct data *old;

    pthread_mutex_lock(&store->data_lock);
    old = store->data;
    store->data = next;
    pthread_mutex_unlock(&store->data_lock);
    data_drop(old);
}

/* ---- reading ---- */

enum err_code
store_read_begin(struct store *store, struct store_read **out, struct err *err)
{
    struct store_read *read = mem_alloc(sizeof *read);
    int rc;

    if (read == NULL)
        return err_no_memory(err);
    *read = (struct store_read){.store = store, .data = store_hold_data(store)};
    rc = mdb_txn_begin(read->data->env, NULL, MDB_RDONLY, &read->txn);
    if (rc != 0) {
        data_drop(read->data);
        mem_free(read);
        return store_err(err, rc, "read the store");
    }
    *out = read;
    return ERR_OK;
}

void
store_read_end(struct store_read *read)
{
    if (read == NULL)
        return;
    mdb_txn_abort(read->txn);
    data_drop(read->data);
    mem_free(read);
}

/* ---- copying ---- */

struct copying {
    struct store_read *from;
    struct data *to;
    const struct store_patience *patience;
    MDB_txn *txn;
    size_t bytes, n; /* in this transaction; since the asker was last looked up to */
};

static enum err_code
copy_commit(struct copying *copying, struct err *err)
{
    int rc = mdb_txn_commit(copying->txn);

    copying->txn = NULL;
    copying->bytes = 0;
    return rc == 0 ? ERR_OK : store_err(err, rc, "copy the store");
}

static enum err_code
copy_one(struct copying *copying, enum table table, MDB_val *k, MDB_val *v, struct err *err)
{
    const struct store_patience *patience = copying->patience;
    int rc = 0;

    if (patience != NULL && ++copying->n % LOOK_UP_EVERY == 0) {
        enum err_code code = patience->check(patience->context, err);

        if (code != ERR_OK)
            return code;
    }
    if (copying->txn == NULL)
        rc = mdb_txn_begin(copying->to->env, NULL, 0, &copying->txn);
    if (rc == 0) /* in the order of the keys: whole pages, and no search */
        rc = mdb_put(copying->txn, copying->to->tables[table], k, v, MDB_APPEND);
    if (rc != 0)
        return store_err(err, rc, "copy the store");
    copying->bytes += k->mv_size + v->mv_size;
    return copying->bytes < COPY_TXN_BYTES ? ERR_OK : copy_commit(copying, err);
}

static enum err_code
copy_table(struct copying *copying, enum table table, struct err *err)
{
    MDB_dbi from = copying->from->data->tables[table];
    enum err_code code = ERR_OK;
    MDB_cursor *cursor;
    MDB_val k, v;
    int rc;

    if (from == TABLE_NONE)
        return ERR_OK;
    rc = mdb_cursor_open(copying->from->txn, from, &cursor);
    if (rc != 0)
        return store_err(err, rc, "read the store");
    while (code == ERR_OK && (rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0)
        code = copy_one(copying, table, &k, &v, err);
    mdb_cursor_close(cursor);
    if (code == ERR_OK && rc != MDB_NOTFOUND)
        code = store_err(err, rc, "read the store");
    return code;
}

enum err_code
data_copy(struct store_read *from, struct data *to, const struct store_patience *patience,
          struct err *err)
{
    struct copying copying = {.from = from, .to = to, .patience = patience};
    enum err_code code = ERR_OK;
    int rc;

    for (int table = 0; table < TABLE_COUNT && code == ERR_OK; table++)
        code = copy_table(&copying, (enum table)table, err);
    if (copying.txn != NULL && code == ERR_OK)
        code = copy_commit(&copying, err);
    if (copying.txn != NULL)
        mdb_txn_abort(copying.txn);
    if (code == ERR_OK && (rc = mdb_env_sync(to->env, 1)) != 0)
        code = store_err(err, rc, "sync the copy of the store");
    return code;
}
