#ifndef JML_KV_H
#define JML_KV_H

#include "buf.h"
#include "record.h"
#include "store.h"
#include "writer.h"

#include <lmdb.h>

#include <pthread.h>
#include <stdatomic.h>

/*
 * kv: what the files of this room share: the tables, the transactions, and the few calls of LMDB that
 * they make. Nothing outside engine/store includes it.
 *
 * LMDB's codes do not leave this room: store_err translates them by a table.
 */
enum table {
    TABLE_META,               /* "store": format, uuid */
    TABLE_PROFILES,           /* id: version, seq, updated_at, open, confidential */
    TABLE_VERSIONS,           /* id 00 be64: what each version was: seq, at, actor, method, … */
    TABLE_ARCHIVE,            /* id 00 be64: the profile record of a version that is no more */
    TABLE_PROGRAMMES,         /* id: version, seq, updated_at, bytes */
    TABLE_PROGRAMME_VERSIONS, /* id 00 be64: likewise */
    TABLE_OUTCOMES,           /* be64 seq: bytes */
    TABLE_JOURNAL,            /* be64 seq: at, actor, method, subject, what, previous, digest */
    TABLE_VECTORS,            /* 8 bytes of the lexicon's digest, id: text digest, vector */
    TABLE_BLOBS,              /* digest: bytes */
    TABLE_SETTINGS,           /* name: bytes */
    TABLE_COUNT
};
extern const char *const table_names[TABLE_COUNT];

enum { KEY_MAX = 128, META_FORMAT_KEY_CHARS = 5 };

struct store {
    char *dir;
    const struct clock *clock;
    int lock_fd;
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    size_t map_bytes;
    bool is_new;
    char uuid[37];
    bool has_unclean_file;

    pthread_t writer;
    bool has_writer;
    pthread_mutex_t queue_lock;
    pthread_cond_t queue_filled;
    struct write_request *queue_head, *queue_tail;
    size_t n_queued;
    bool is_closing;
    struct write_observer observer; /* set before the first write that is to be observed */
    bool is_failed;                 /* a commit failed in a way that leaves the disk in doubt */

    _Atomic uint64_t commits, writes, failed_commits;
};

struct store_read {
    struct store *store;
    MDB_txn *txn;
};

struct store_txn {
    struct store_read read;
    int64_t now_ms;
    uint64_t seq;       /* of the newest journal entry, this transaction's included */
    struct digest head; /* and its digest */
    bool has_written;   /* since the current request began */
    struct buf scratch;
};

/* A key of an id and a number: id, 00, be64. */
struct key {
    char bytes[KEY_MAX];
    size_t len;
};
struct key key_of_id(struct str id);
struct key key_of_seq(uint64_t seq);
struct key key_of_version(struct str id, uint64_t version);
struct str key_str(const struct key *key);
uint64_t key_tail(struct str key); /* the be64 at its end */

enum err_code store_err_from(struct err *err, int rc, const char *origin, const char *what);
#define store_err(err, rc, what) store_err_from((err), (rc), JML_ORIGIN, (what))

/* The value under key, checksum checked. ERR_NOT_FOUND without message. */
enum err_code kv_get(struct store_read *read, enum table table, struct str key,
                     struct record_reader *reader, struct err *err);
/* Seals txn->scratch and puts it under key. */
enum err_code kv_put(struct store_txn *txn, enum table table, struct str key, struct err *err);
enum err_code kv_delete(struct store_txn *txn, enum table table, struct str key, struct err *err);
enum err_code kv_damaged(struct err *err, enum table table, struct str key);
/* The last key that begins with prefix; empty if there is none. Borrowed from the snapshot. */
enum err_code kv_last(struct store_read *read, enum table table, struct str prefix, struct str *key,
                      struct err *err);
uint64_t kv_count(struct store_read *read, enum table table);

/* check.c: walks everything (or a sample) in a child process. */
enum err_code store_check(const char *dir, const char *uuid, size_t map_bytes, bool is_sample,
                          struct err *err);
/* writer.c */
enum err_code writer_start(struct store *store, struct err *err);
void writer_stop(struct store *store);
/* env.c: tells the next opening that this one had begun to write. */
void store_mark_unclean(struct store *store);

#endif
