#ifndef JML_ENGINE_H
#define JML_ENGINE_H

#include "buf.h"
#include "clock.h"
#include "err.h"
#include "match.h"
#include "reference.h"
#include "roster.h"
#include "store.h"
#include "writer.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * engine: one opened store with all that is computed from it, ready to be called.
 *
 * Reads the reference tables and the lexicon from the shared data folder, keeps them in the store by
 * digest, builds the roster from the profiles, and publishes the next roster after each commit.
 * No socket, no screen; the tool opens one in its own process, the service one for all its threads.
 *
 * Threads: engine_open/close by the owner; everything else from any thread.
 */
struct engine;
struct log;

struct engine_options {
    const char *data_dir;
    const char
        *share_dir; /* NULL: JUMELAGE_SHARE, beside the build, or the prefix's share/jumelage */
    const struct clock *clock;
    struct log *log; /* NULL: none */
    size_t map_bytes;
    int64_t wait_ms;
    const char *holder; /* store_options.holder */
    bool full_check, must_exist;
    void (*on_fatal)(void *context, const struct err *err); /* store_options.on_fatal */
    void *fatal_context;
    uint64_t keep_versions;      /* store_options' own */
    uint32_t keep_journal_days;  /* likewise */
    unsigned load_threads;       /* that read the profiles while it opens; 0: one a processor */
    const char *backup_dir;      /* where backup.create puts them; NULL: backups in data_dir */
    const struct kernel *kernel; /* of searches; NULL: the best of this processor */
    size_t helpers;              /* threads that long calls may start, all calls together */
};

enum err_code engine_open(const struct engine_options *options, struct engine **out,
                          struct err *err);
void engine_close(struct engine *engine); /* NULL is fine */

/* The kernel that a setting names: "auto" is the best, else one of kernel_names(). ERR_INVALID_PARAMS says
 * which this processor can run. */
enum err_code engine_kernel_find(struct str name, const struct kernel **out, struct err *err);

struct store *engine_store(struct engine *engine);
const struct kernel *engine_kernel(const struct engine *engine);
/* Memory of a roster of its own, and of the texts that were read for any of them (facts.h). Any thread. */
size_t engine_index_bytes(const struct engine *engine, const struct roster *roster);
/* Helpers: threads that a call may start besides its own. All calls together have engine_options.helpers,
 * so that one alone uses every processor, and many use no more than that. Takes up to `wanted` of those
 * that are free, without waiting; returns how many, to be given back. */
size_t engine_helpers_take(struct engine *engine, size_t wanted);
void engine_helpers_give(struct engine *engine, size_t n);
const char *engine_backup_dir(const struct engine *engine);
const struct clock *engine_clock(const struct engine *engine);
int32_t engine_today(const struct engine *engine);         /* UTC day */
const char *engine_share_dir(const struct engine *engine); /* the share folder in use */
/* Of an engine whose tables are not reloaded meanwhile; others look at a view. */
const struct reference *engine_reference(const struct engine *engine);

/* What one call works on: held together, dropped together. Everything stays valid and unchanged until
 * dropped, whatever the writer publishes meanwhile. */
struct held_reference;
struct held_lexicon;
struct engine_view {
    struct roster *roster;
    struct held_reference *held;  /* the engine's own: keeps `reference` */
    struct held_lexicon *lexicon; /* by which the roster's text vectors were made */
    const struct reference *reference;
    const struct symbols *symbols;
    uint64_t seq;
};
void engine_view_hold(struct engine *engine, struct engine_view *view);
void engine_view_copy(const struct engine_view *view,
                      struct engine_view *copy); /* held once more */
void engine_view_drop(struct engine_view *view);
/* The programme that stored bytes say, by the view's tables; kept for those who ask next (programme_cache.h).
 * Held for the asker. */
struct kept_programme;
enum err_code engine_programme(struct engine *engine, const struct engine_view *view,
                               struct str bytes, struct kept_programme **out, struct err *err);
/* Moves whenever a view taken now would differ from one taken before. */
uint64_t engine_serial(const struct engine *engine);

/* One reader of a view's lexicon for the calling job, from a small pool (stemmers are not thread-safe). */
enum err_code lexicon_reader_take(struct held_lexicon *held, struct lexicon_reader **out,
                                  struct err *err);
void lexicon_reader_give(struct held_lexicon *held,
                         struct lexicon_reader *reader); /* NULL is fine */

/* The text vector of a profile, with the lexicon that it was made by. */
struct made_vector {
    struct digest lexicon;
    struct text_vector vector;
    struct str bytes;                    /* stored form */
    uint8_t outline[TEXT_OUTLINE_BYTES]; /* likewise */
    bool has_confidential;
};
/* Of a profile's stored form; all in the arena. */
enum err_code made_vector_make(struct held_lexicon *lexicon, const msgpack_object *open,
                               const msgpack_object *confidential, struct arena *arena,
                               struct made_vector *out, struct err *err);
/* seq: of the profile's record whose texts it was made of, so that it is made again for others only. */
enum err_code made_vector_store(struct store_txn *txn, struct str id, uint64_t seq,
                                const struct made_vector *made, struct err *err);

/* ---- what write handlers tell the engine inside the transaction, so that it can publish ---- */
/* The vector made for a profile's record put as `seq`; stored unless another lexicon has come into force. */
enum err_code engine_vector_made(struct engine *engine, struct store_txn *txn, struct str id,
                                 uint64_t seq, const struct made_vector *made, struct err *err);
enum err_code engine_profile_changed(struct engine *engine, struct store_txn *txn, struct str id,
                                     struct err *err); /* reads it back from the transaction */
enum err_code engine_profile_deleted(struct engine *engine, struct str id, struct err *err);
void engine_profile_erased(struct engine *engine,
                           struct str id); /* besides, for those who follow */
enum err_code engine_outcome_added(struct engine *engine, struct str from, struct str to,
                                   int32_t day, bool is_positive, struct err *err);
/* Programmes are read from the store; this is for those who follow (engine_follow.h). */
void engine_programme_changed(struct engine *engine, struct str id, bool is_gone);

/* Everything anew from the transaction, for rare changes that touch old outcomes: merging, parting,
 * erasing. */
enum err_code engine_reload(struct engine *engine, struct store_txn *txn, struct err *err);

/*
 * Vocabularies, rates, phrases and the lexicon anew from the share folder, with everything that is computed
 * from them. First all files are read and checked, then all facts and text vectors are made beside the
 * service, in pieces (engine_prepare.c); one transaction journals them and puts them in force, so that
 * a call works on the old ones or on the new ones, never on some of each. At most TABLES_WAITING of
 * these wait for one another (ERR_BUSY).
 *
 * `done` is called once, on a thread of the engine's own, when all is in force and the vectors by earlier
 * lexicons are gone. An error there, or here (then it is not called), leaves all as it was:
 * ERR_DRAINING where the engine closes meanwhile.
 */
enum { TABLES_WAITING = 16 };
struct tables_reloaded {
    bool has_changed, has_changed_lexicon; /* the reference tables; the lexicon */
    struct digest digest;                  /* of the reference tables */
    size_t n_profiles, n_late;             /* all; those that were made inside the transaction */
    int64_t took_ms, held_ms;              /* the whole; the transaction, for which writes wait */
};
enum err_code engine_tables_reload(struct engine *engine,
                                   void (*done)(void *context,
                                                const struct tables_reloaded *reloaded,
                                                const struct err *err),
                                   void *context, struct err *err);

/*
 * A new UTC day as a change: with it consents lapse, and rates and outcomes begin to count. Where the clock
 * shows a day after the last one noted in the store, asks the writer for a journal entry `system.day`
 * (actor engine, subject the day); it publishes a roster, so that seq and serial move, and those who
 * follow are told. Does not wait. Once a day and store, whoever asks and however often; days on
 * which nobody looked are passed over. A clock that has gone back is logged (`day.back`) and writes
 * nothing until it has passed the day noted; what is asked without a day goes by the clock
 * (engine_today) all the same, so that a clock that was wrong for once leaves no trace.
 *
 * A service looks at its start and from then on; the tool does not, since what only reads writes nothing:
 * what it answers goes by the clock. Returns after how many ms to look again, 1 or more.
 */
int64_t engine_day_look(struct engine *engine);
/* The same at a start, and waits, so that the first answer is of the day. What fails is logged, and left to
 * the looks that follow. */
void engine_day_settle(struct engine *engine);

/* ---- tokens (tokens.h) ---- */
struct token_keeper;
struct token_keeper *engine_tokens(struct engine *engine);
void engine_tokens_changed(struct engine *engine); /* inside a transaction: a token was revoked */
/* Moves after every revocation, once readers see it. */
uint64_t engine_token_epoch(const struct engine *engine);
bool engine_token_holds(struct engine *engine, struct str token_id);

/* Notes in the log that an actor read a confidential part: who and whose, never what. */
void engine_log_confidential(struct engine *engine, struct str actor, struct str id);

/* A defect: logged as `internal` with its origin and a new reference, which `details` gets as {ref}, so that
 * who was told can name the line. Does nothing for an err that is not internal. */
void engine_refer_internal(struct engine *engine, const char *method, const struct err *err,
                           struct buf *details);

/* ---- counters: system.stats ---- */
enum { STATS_BUCKETS = 24 }; /* of latency: bucket i holds calls under 2^i microseconds */
struct method_stats {
    uint64_t calls, errors, microseconds;
    uint64_t buckets[STATS_BUCKETS];
};
void engine_count_call(struct engine *engine, size_t method_index, enum err_code code,
                       uint64_t microseconds);
/* So many that succeeded, each in about so many microseconds. */
void engine_count_calls(struct engine *engine, size_t method_index, uint64_t calls,
                        uint64_t microseconds_each);
void engine_method_stats(const struct engine *engine, size_t method_index,
                         struct method_stats *out);

#endif
