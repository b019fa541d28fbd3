#ifndef JML_WRITER_H
#define JML_WRITER_H

#include "store.h"

/*
 * writer: every change goes through one thread; what waits together is committed together.
 *
 * A request's `run` is called on the writer's thread inside the transaction. It looks (through
 * store_txn_read), decides, and writes last; if it fails it must have written nothing, unless the
 * failure is the store's own: then the whole group is aborted and each request is run again in a
 * transaction of its own. So `run` may be called twice and must not count on the first time. After
 * the commit (and its sync) `published` is called once for the group, so that readers see the
 * change before anyone is answered; then each request's `done`, in order. All callbacks run on the
 * writer's thread and must not wait for another write.
 */
struct store_txn;

struct write_request {
    enum err_code (*run)(struct store_txn *txn, void *context, struct err *err);
    void (*done)(void *context, const struct err *err); /* err->code ERR_OK: it is on disk */
    void *context;
    struct write_request *next; /* the queue's own; the request must live until done */
};

/* Who hears of each group: begin before the first run, then either publish (committed) or abandon. */
struct write_observer {
    void (*begin)(void *context);
    void (*publish)(void *context, uint64_t seq);
    void (*abandon)(void *context);
    void *context;
};
void store_observe(struct store *store, const struct write_observer *observer);

/* Queues; ERR_BUSY when the queue is full (nothing queued, done not called), ERR_DRAINING once the
 * store closes. */
enum err_code store_submit(struct store *store, struct write_request *request, struct err *err);
/* The same and waits: for those who have a thread to wait with. */
enum err_code store_write(struct store *store,
                          enum err_code (*run)(struct store_txn *txn, void *context,
                                               struct err *err),
                          void *context, struct err *err);

/* ---- inside `run` ---- */

struct store_read *store_txn_read(struct store_txn *txn); /* sees this transaction's own writes */
int64_t store_txn_now_ms(const struct store_txn *txn);    /* one time for the whole transaction */

/* Appends to the journal; *seq is the new entry's. Every change calls it once, first. */
struct journal_entry {
    struct str actor, method, subject, what;
};
enum err_code store_journal_add(struct store_txn *txn, const struct journal_entry *entry,
                                uint64_t *seq, struct err *err);

/* Puts the next version of a profile: pairs as profile_encode made them. The old version is kept in
 * the history. *version is the new one (1 for a new id; a re-created id goes on counting). */
struct profile_put {
    struct str id, pairs, confidential, actor, method, changed;
    uint32_t n_pairs;
    uint64_t seq;
};
enum err_code store_profile_put(struct store_txn *txn, const struct profile_put *put,
                                uint64_t *version, struct err *err);
enum err_code store_profile_delete(struct store_txn *txn, struct str id, uint64_t seq,
                                   struct str actor, struct str method, struct err *err);

/* Takes out everything that the store holds of a profile, deleted or not (erase.c says what stays), and has
 * the data file made anew before the request is answered: if that fails the profile is gone, the
 * request fails, and asking once more takes it up again. The actor and method stand in the journal under
 * a pseudonym. ERR_NOT_FOUND without message if there is nothing of it. */
struct profile_erasure {
    struct str id, actor, method;
    int64_t at;                             /* ms, for the ledger; 0: now */
    uint64_t seq;                           /* out, as all that follows */
    bool had_profile, has_changed_outcomes; /* what the engine must read anew */
    size_t n_versions, n_entries, n_outcomes, n_tokens;
};
enum err_code store_profile_erase(struct store_txn *txn, struct profile_erasure *erasure,
                                  struct err *err);
/* The data file is to be made anew, without what was deleted, before this request is answered. */
enum err_code store_txn_compact(struct store_txn *txn, struct err *err);
enum err_code store_programme_put(struct store_txn *txn, struct str id, struct str bytes,
                                  uint64_t seq, uint64_t *version, struct err *err);
enum err_code store_programme_delete(struct store_txn *txn, struct str id, uint64_t seq,
                                     struct err *err);
enum err_code store_outcome_put(struct store_txn *txn, uint64_t seq, struct str bytes,
                                struct err *err);
/* made_of: the seq of the profile's record whose texts it was made of. outline: what a start reads in its
 * place (sealed_outline_open). */
enum err_code store_vector_put(struct store_txn *txn, const struct digest *lexicon, struct str id,
                               uint64_t made_of, struct str bytes, struct str outline,
                               struct err *err);
/* Vectors of other lexicons; at most `most` are deleted, *left says if some remain. */
enum err_code store_vectors_prune(struct store_txn *txn, const struct digest *keep, size_t most,
                                  bool *left, struct err *err);
enum err_code store_blob_put(struct store_txn *txn, const struct digest *digest, struct str bytes,
                             struct err *err);
enum err_code store_setting_put(struct store_txn *txn, const char *name, struct str bytes,
                                struct err *err);

#endif
