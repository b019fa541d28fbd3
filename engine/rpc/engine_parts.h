#ifndef JML_ENGINE_PARTS_H
#define JML_ENGINE_PARTS_H

#include "engine.h"
#include "engine_follow.h"
#include "programme_cache.h"
#include "share.h"

#include <pthread.h>

/*
 * engine_parts: what the files of an engine share, and nobody else sees.
 *
 *     engine.c          questions, publishing, views, tokens, counters
 *     engine_open.c     opening: tables, store, profiles and outcomes; closing
 *     engine_facts.c    from a stored profile to facts: the lexicon, text vectors
 *     engine_load.c     from all of them to facts, by several threads
 *     engine_tables.c   other tables while it runs
 *     engine_prepare.c  all facts by other tables, made before those are in force
 *     engine_follow.c   who is told what changed
 *     engine_day.c      the UTC day, noted once
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

/* The lexicon likewise. Parsed when it is first asked for: most calls need the stored vectors only. */
struct held_lexicon {
    _Atomic unsigned n_holders;
    struct digest digest;
    pthread_mutex_t lock;     /* around all below */
    struct share_files files; /* its bytes until it is parsed */
    bool has_files;
    struct lexicon *lexicon;
    struct lexicon_reader *readers[READERS_KEPT];
    size_t n_readers;
};

/* Those who asked for other tables, and the thread that serves them one after another. */
struct tables_reload;
struct tables_desk {
    pthread_mutex_t lock; /* around all below, but for must_end */
    pthread_cond_t filled;
    pthread_t thread;
    bool has_thread; /* since somebody first asked */
    _Atomic bool must_end;
    struct tables_reload *first, *last;
    size_t n_waiting;
};

/* The day last noted in the store, and the one write that notes the next. */
enum { DAY_NONE = INT32_MIN };
struct day_note {
    _Atomic int32_t noted;        /* DAY_NONE: none yet */
    _Atomic int32_t gone_back_to; /* told already */
    _Atomic bool has_failed;      /* since it was last asked for */
    _Atomic bool is_asked;        /* the write below is under way, and its alone: */
    struct write_request request;
    int32_t next;
    bool has_begun; /* it had to be noted */
    uint64_t seq;
};

/* What facts are made by. */
struct tables {
    struct held_reference *held;
    struct held_lexicon *lexicon;
};

struct engine {
    char share_dir[SHARE_PATH_MAX];
    char backup_dir[SHARE_PATH_MAX];
    const struct clock *clock;
    const struct kernel *kernel;
    _Atomic size_t n_free_helpers;
    struct log *log;
    struct store *store;
    struct held_reference *held;      /* with the roster, under its lock */
    struct held_lexicon *lexicon;     /* likewise */
    struct held_reference *next_held; /* writer's thread: in the transaction in progress, or NULL */
    struct held_lexicon *next_lexicon;  /* likewise, both or none */
    _Atomic(struct kept_texts *) texts; /* the writer adds; each stays until the engine closes */
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

    struct programme_cache programmes;
    struct tables_desk tables;
    struct day_note day;
};

/* ---- engine.c ---- */
struct held_reference *held_reference_hold(struct held_reference *held);
void held_reference_drop(struct held_reference *held); /* NULL is fine */
/* Reads the tables from their files' bytes; held once. */
enum err_code held_reference_take(const struct share_files *files, struct held_reference **out,
                                  struct err *err);

/* Writer's thread: there is a roster in the making, so that this group publishes one. */
enum err_code engine_edit_ensure(struct engine *engine, struct err *err);
/* Writer's thread: those that the transaction in progress goes by; borrowed. */
struct tables engine_tables_in_force(const struct engine *engine);
/* Writer's thread: those that the transaction in progress puts in force; NULL: none. */
void engine_tables_next(struct engine *engine, const struct tables *next);
/* What the store's writer tells of each group. */
void engine_observe_begin(void *context);
void engine_observe_publish(void *context, uint64_t seq);
void engine_observe_abandon(void *context);

/* ---- engine_facts.c ---- */
struct held_lexicon *held_lexicon_take(struct share_files *files); /* NULL: no memory; held once,
                                                                    * and the files are its own */
/* Parsed at once; the files stay the caller's. The error names file and line. */
enum err_code held_lexicon_parse(const struct share_files *files, struct held_lexicon **out,
                                 struct err *err);
struct held_lexicon *held_lexicon_hold(struct held_lexicon *held);
void held_lexicon_drop(struct held_lexicon *held); /* NULL is fine */
bool digests_agree(const struct digest *a, const struct digest *b);

/* bytes and outline of its vector. In the arena. */
enum err_code made_vector_pack(struct made_vector *made, struct arena *arena, struct err *err);

/* The vectors under one lexicon, of which facts have outlines only. */
struct kept_texts {
    struct text_keeper keeper; /* first */
    struct store *store;
    struct digest lexicon;
    struct kept_texts *next;
};
/* The one of that lexicon; has_shelf is for a new one. Writer's thread, or before there is one. NULL: no memory. */
struct text_keeper *engine_text_keeper(struct engine *engine, const struct digest *lexicon,
                                       bool has_shelf, struct err *err);
void engine_text_keepers_end(struct engine *engine); /* after all rosters */

struct loaded {
    struct facts *facts;
    bool vector_was_made; /* and is not in the store */
    struct made_vector made;
};
/* A vector as it is kept: its bytes; or its outline, and who keeps the bytes. Both empty: none is. */
struct kept_vector {
    uint64_t made_of;
    struct str bytes, outline;
    struct text_keeper *keeper;
};
/* From a stored profile and its kept vector to facts. Of the input the symbols (or a scope), the scratch and
 * where the block is to lie are the caller's to fill in. */
enum err_code tables_build_facts(const struct tables *tables, const struct profile_record *record,
                                 const struct kept_vector *kept, struct facts_input *input,
                                 struct loaded *out, struct err *err);
/* The same of one profile that is looked up. New symbols are interned: the writer's thread, once the engine is open. */
enum err_code tables_load_facts(const struct tables *tables, struct symbols *symbols,
                                struct store_read *read, struct str id,
                                const struct profile_record *record, struct arena *arena,
                                struct loaded *out, struct err *err);

/* ---- engine_load.c ---- */
/* All profiles of a snapshot into a roster in the making, in the order of their ids, by n_threads
 * threads (1: the caller's alone): the same roster and the same symbols whatever their number. With
 * keeps_vectors, text vectors that had to be made are written for the next time. */
enum err_code engine_load_profiles(struct engine *engine, struct store_read *read,
                                   struct roster_edit *edit, unsigned n_threads, bool keeps_vectors,
                                   struct err *err);

/* ---- engine_open.c ---- */
/* Deletes the text vectors by other lexicons, in steps, until done or *must_end (NULL: until done). */
enum err_code engine_prune_vectors(struct engine *engine, const struct digest *keep,
                                   const _Atomic bool *must_end, struct err *err);
/* Adds all stored outcomes to the edit. */
enum err_code engine_load_outcomes(const struct tables *tables, struct store_read *read,
                                   struct roster_edit *edit, struct err *err);

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

/* ---- engine_day.c ---- */
enum err_code engine_day_open(struct engine *engine, struct err *err); /* reads what is noted */

/* ---- engine_tables.c ---- */
void tables_desk_init(struct tables_desk *desk);
void tables_desk_fini(struct tables_desk *desk); /* ends what is under way; it stays undone */

/* ---- engine_prepare.c ---- */

/*
 * All facts by tables that are not yet in force, made beside the service: by passes over the profiles, each
 * in pieces. The vectors of a piece are made on the calling thread, from copies; then one short
 * write keeps them (under the next lexicon's digest, where nobody looks yet) and builds the facts.
 * A pass makes only what was put since the one before; they end when that was little (PREPARE_FEW).
 */
struct prepared_facts {
    uint64_t seq; /* of the profile's record: the same seq is the same content */
    struct facts *facts;
};
struct prepared {
    struct engine *engine;
    struct tables tables;         /* borrowed */
    const _Atomic bool *must_end; /* then ERR_DRAINING */
    struct prepared_facts *list;  /* by id, ascending bytewise */
    size_t n, room;
};
enum err_code prepared_make(struct prepared *prepared, struct err *err);
void prepared_fini(struct prepared *prepared);

/* Inside a transaction, on the writer's thread: the roster by these tables; what was not prepared is made
 * now, *n_late of *n_profiles. Can be run again. */
enum err_code prepared_roster(const struct prepared *prepared, struct store_txn *txn,
                              struct roster_edit *edit, size_t *n_profiles, size_t *n_late,
                              struct err *err);

#endif
