#ifndef JML_ENGINE_PARTS_H
#define JML_ENGINE_PARTS_H

#include "engine.h"
#include "engine_follow.h"
#include "share.h"

#include <pthread.h>

/*
 * engine_parts: what the files of an engine share, and nobody else sees.
 *
 *     engine.c          questions, text vectors, publishing, views, tokens, counters
 *     engine_open.c     opening: tables, store, profiles and outcomes; closing
 *     engine_tables.c   other tables while it runs
 *     engine_follow.c   who is told what changed
 */
enum { READERS_KEPT = 8, LOAD_ARENA_BYTES = 64 * 1024 * 1024 };

/* Counters of one method; only ever added to. */
struct method_counters {
    _Atomic uint64_t calls, errors, microseconds;
    _Atomic uint64_t buckets[STATS_BUCKETS];
};

/* Reference tables with those who look at them: the engine, and each view. */
struct held_reference {
    _Atomic unsigned n_holders;
    struct reference *reference;
};

struct engine {
    char share_dir[SHARE_PATH_MAX];
    char backup_dir[SHARE_PATH_MAX];
    const struct clock *clock;
    struct log *log;
    struct store *store;
    struct held_reference *held;      /* with the roster, under its lock */
    struct held_reference *next_held; /* writer's thread: in the transaction in progress, or NULL */
    struct symbols *symbols; /* written by the writer's thread only, once the engine is open */
    struct method_counters *counters;

    pthread_mutex_t roster_lock; /* around the pointer, for the time of a hold */
    struct roster *roster;
    _Atomic uint64_t serial; /* of the pointer */

    struct roster_edit *edit;  /* writer's thread: the next roster in the making, or NULL */
    struct follow_desk follow; /* what the transaction in progress changes, and who is told */

    struct token_keeper *tokens;
    bool has_changed_tokens; /* writer's thread: in the transaction in progress */
    _Atomic uint64_t token_epoch;

    pthread_mutex_t lexicon_lock; /* around the four below */
    struct share_files files;     /* the lexicon's bytes until it is parsed */
    bool has_files;
    struct lexicon *lexicon;
    struct lexicon_reader *readers[READERS_KEPT];
    size_t n_readers;
    struct digest lexicon_digest;
};

/* ---- engine.c ---- */
struct held_reference *held_reference_hold(struct held_reference *held);
void held_reference_drop(struct held_reference *held); /* NULL is fine */
/* Reads the tables from their files' bytes; held once. */
enum err_code held_reference_take(const struct share_files *files, struct held_reference **out,
                                  struct err *err);

/* Of the transaction in progress, else the engine's. */
const struct reference *engine_reference_in_force(const struct engine *engine);

struct loaded {
    struct facts *facts;
    bool vector_was_made;
    uint64_t text_digest;
    struct text_vector vector; /* in the arena */
};
/* From a stored profile to facts, by the tables in force (the writer's thread: by those to come). */
enum err_code engine_load_facts(struct engine *engine, struct store_read *read, struct str id,
                                const struct profile_record *record, struct arena *arena,
                                struct loaded *out, struct err *err);
/* What the store's writer tells of each group. */
void engine_observe_begin(void *context);
void engine_observe_publish(void *context, uint64_t seq);
void engine_observe_abandon(void *context);

/* ---- engine_open.c ---- */
struct tables_use { /* one kind of tables: the reference, the lexicon */
    const char *setting;
    const struct str *files;
    size_t n;
    struct digest digests[REFERENCE_FILE_COUNT > (int)LEXICON_FILE_COUNT ? REFERENCE_FILE_COUNT
                                                                         : LEXICON_FILE_COUNT];
    struct buf packed;
    bool is_new;
};
void tables_use_init(struct tables_use *use, const char *setting, const struct str *files,
                     size_t n);
/* Inside a transaction: a journal entry, the files by digest, and the list of digests. context: the struct
 * tables_use. */
enum err_code tables_use_write(struct store_txn *txn, void *context, struct err *err);

#endif
