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
    TABLE_VECTORS,  /* LEXICON_KEY_BYTES of the lexicon's digest, id: text digest, vector */
    TABLE_BLOBS,    /* digest: bytes */
    TABLE_SETTINGS, /* name: bytes */
    TABLE_OUTLINES, /* as of vectors: text digest, what is told of the vector without its terms */
    TABLE_COUNT
};
extern const char *const table_names[TABLE_COUNT];
/* Not there in what older releases wrote; whoever opens it to write makes it. */
static inline bool
table_may_lack(enum table table)
{
    return table == TABLE_OUTLINES;
}
enum { TABLE_NONE = 0 }; /* the handle of one that is not there: LMDB's of its own free list */

enum { KEY_MAX = 128, LEXICON_KEY_BYTES = 8, META_FORMAT_KEY_CHARS = 5, STORE_PATH_BYTES = 4096 };

/* A key of an id and a number: id, 00, be64. */
struct key {
    char bytes[KEY_MAX];
    size_t len;
};

/* An opened data file (data.c); whoever drops it last closes it. */
struct data {
    MDB_env *env;
    MDB_dbi tables[TABLE_COUNT];
    _Atomic unsigned n_holders;
};

/* A sweep in steps (retention.c); the writer's own. */
struct retention {
    uint64_t keep_versions;
    int64_t keep_journal_ms;
    bool is_wanted, is_sweeping, is_past_archive;
    int64_t swept_ms;              /* steady */
    struct key archive_before, id; /* how far; whose versions are being counted */
    uint64_t n_newer, journal_after;
};

struct store {
    char *dir;
    const struct clock *clock;
    int lock_fd;
    pthread_mutex_t data_lock; /* around the pointer, for the time of a hold */
    struct data *data;         /* exchanged by the writer's thread only */
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
    struct retention retention;
    struct write_observer observer; /* set before the first write that is to be observed */
    bool is_failed;                 /* a commit failed in a way that leaves the disk in doubt */
    int witness_fd;                 /* of the data file, to ask the kernel about (writer.c) */
    void (*on_fatal)(void *context, const struct err *err);
    void *fatal_context;

    _Atomic bool is_backing_up;
    _Atomic uint64_t commits, writes, failed_commits, failed_syncs, backups, erasures;
};

struct store_read {
    struct store *store;
    struct data *data; /* held by readers; the writer's own is the store's */
    MDB_txn *txn;
};

struct store_txn {
    struct store_read read;
    int64_t now_ms;
    uint64_t seq;       /* of the newest journal entry, this transaction's included */
    struct digest head; /* and its digest */
    bool has_written;   /* since the current request began */
    bool must_compact;  /* likewise; see store_txn_compact */
    struct buf scratch;
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

/* data.c. Flags are LMDB's; with `make` the tables are made where they are missing. */
enum err_code data_open(const char *dir, size_t map_bytes, unsigned flags, bool make,
                        struct data **out, struct err *err);
void data_drop(struct data *data); /* NULL is fine */
struct data *store_hold_data(struct store *store);
void store_exchange_data(struct store *store, struct data *next); /* takes next, drops the old */
/* Every record of a snapshot into an empty file, and syncs it. NULL patience: nothing stops it. */
enum err_code data_copy(struct store_read *from, struct data *to,
                        const struct store_patience *patience, struct err *err);
/* check.c: walks everything (or a sample) in a child process. */
enum err_code store_check(const char *dir, const char *uuid, size_t map_bytes, bool is_sample,
                          struct err *err);
/* writer.c */
enum err_code writer_start(struct store *store, struct err *err);
void writer_stop(struct store *store);
/* backup.c: the data file of a backup, checked and copied; fills store->uuid. */
extern const char backup_marker_name[];
enum err_code backup_copy_data(const char *from, struct store *store, struct err *err);
/* env.c */
enum err_code store_refuse(struct err *err, const char *dir, const char *reason);
void store_path(char path[STORE_PATH_BYTES], const char *dir, const char *name);
void store_uuid_make(char text[37]);
enum err_code store_flag_raise(const struct store *store, const char *name, struct err *err);
void store_flag_lower(const struct store *store, const char *name);
/* retention.c: the writer asks whether something is due, and then runs a step in a transaction. */
void retention_init(struct store *store, const struct store_options *options);
bool retention_is_due(struct store *store);
enum err_code retention_step(struct store_txn *txn, bool *has_changed, struct err *err);
/* writer.c: for the data file that is there now. */
void store_watch_file(struct store *store);
/* env.c: tells the next opening that this one had begun to write. */
void store_mark_unclean(struct store *store);

#endif
