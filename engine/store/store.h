#ifndef JML_STORE_H
#define JML_STORE_H

#include "arena.h"
#include "clock.h"
#include "digest.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * store: what is kept: one LMDB environment in a folder of its own, held by one process at a time.
 *
 * The folder holds `jumelage.store` (marker: format version and the store's UUID), `jumelage.lock` (flock;
 * says who holds it), `data.mdb`, `lock.mdb`, and more at times (env.c). Each record carries a checksum. Everything is written by
 * the writer thread (writer.h); reads go through a struct store_read, any thread, short.
 *
 * Opening: a missing or empty folder becomes a new store (0700). One with a newer format, a foreign or
 * damaged one, or one whose data file is empty or gone though the marker stands, is refused with a
 * sentence, ERR_CONFLICT, field "store", and nothing in it is touched. An older format is migrated,
 * step by step, in one transaction each. A data file older than the last clean close is refused too. Before the parent opens the environment a child process walks
 * it, so that damage kills the child: everything after an unclean stop or with full_check, a
 * bounded sample otherwise. Held by another process: ERR_BUSY after wait_ms, naming the holder.
 */
struct store;

enum { STORE_FORMAT = 1 };

struct store_options {
    const char *dir;
    size_t map_bytes;          /* most that the data file may grow to; 0: 16 GiB */
    const struct clock *clock; /* NULL: the system's */
    int64_t wait_ms;           /* for the lock */
    const char *holder;        /* what the lock file says of us: "service unix:/…" or "tool" */
    bool full_check;
    bool must_exist;            /* a missing folder is ERR_NOT_FOUND instead of a new store */
    uint64_t keep_versions;     /* old versions of a profile whose content is kept; 0: all */
    uint32_t keep_journal_days; /* for which a journal entry keeps its details; 0: for ever */
    /* Called once, on the writer's thread, when the disk has failed and the store writes no more: reads
     * go on, writes are refused; the owner should end with this sentence, and status 74. */
    void (*on_fatal)(void *context, const struct err *err);
    void *fatal_context;
    const char *restore_from; /* store_restore's own: fill a new store from this backup */
};

/* Asked now and then by what takes long, so that the asker can end it: anything but ERR_OK does. */
struct store_patience {
    enum err_code (*check)(void *context, struct err *err);
    void *context;
};

enum err_code store_open(const struct store_options *options, struct store **out, struct err *err);
void store_close(struct store *store); /* stops the writer after what is queued; NULL is fine */
/* Says from here on in the lock file who holds it: a service, once it has its addresses. */
void store_name_holder(struct store *store, const char *holder);
/* Who holds dir's lock right now, as its holder text; empty if nobody does. */
enum err_code store_holder(const char *dir, struct arena *arena, struct str *holder,
                           struct err *err);

const char *store_dir(const struct store *store);
bool store_is_new(const struct store *store); /* created by this store_open */
const char *store_uuid(const struct store *store);

/*
 * ---- backups ----
 *
 * A backup is a folder: `data.mdb`, a copy of one snapshot made record by record while the store serves,
 * and `jumelage.backup`, a marker of its own, so that nobody serves a backup by mistake. It is made as
 * NAME.partial, synced, opened and walked by the check, and renamed last. Never in it: the key of
 * the tokens' hashes, the lock, the socket.
 */
enum { BACKUP_NAME_BYTES = 72 };
struct store_backup {
    char name[BACKUP_NAME_BYTES]; /* of the folder */
    char uuid[37], store_uuid[37];
    uint64_t bytes, seq;
    int64_t at;       /* ms */
    bool is_verified; /* passed the check when it was made, and the file is still as long */
};
/* folder is made if it is missing. ERR_CONFLICT if there is one of that name, ERR_BUSY while another is
 * being made, what patience says when it ends it; then nothing of it is left. Any thread. */
enum err_code store_backup_create(struct store *store, const char *folder, struct str name,
                                  const struct store_patience *patience, struct store_backup *out,
                                  struct err *err);
/* What stands in a backup's marker. ERR_NOT_FOUND without message if dir is no backup. */
enum err_code store_backup_read(const char *dir, struct store_backup *out, struct err *err);

/* A store in an empty or missing folder from a backup; erasures that the ledger knows and the backup does
 * not are carried out before the folder opens as a store. Everything or a clear end. */
struct store_restoring {
    const char *source; /* the backup's folder, or a file in it */
    const char *dir;
    const char *ledger; /* jumelage.erased of the newer store, or its folder; NULL: none */
    const struct clock *clock;
    struct str actor; /* for the journal */
};
struct store_restored {
    struct store_backup backup;
    uint64_t profiles, seq;
    size_t n_ledger, n_erased; /* ids in the ledger; those carried out now */
};
enum err_code store_restore(const struct store_restoring *restoring, struct store_restored *out,
                            struct err *err);

/* ---- reading: a snapshot ---- */

struct store_read;
enum err_code store_read_begin(struct store *store, struct store_read **out, struct err *err);
void store_read_end(struct store_read *read); /* NULL is fine */

/* Bytes that a getter hands out are borrowed from the snapshot (or, inside a write, until the next
 * write of the same transaction): copy first, or finish first. Missing: ERR_NOT_FOUND with an empty
 * message (the caller knows the right sentence). A checksum that does not hold: ERR_INTERNAL. */
struct profile_record {
    uint64_t version, seq;
    int64_t updated_at;      /* ms */
    struct str open;         /* packed map, `version updated_at seq` as its last three pairs */
    struct str confidential; /* packed map, or empty */
};
enum err_code store_profile_get(struct store_read *read, struct str id, struct profile_record *out,
                                struct err *err);
uint64_t store_profile_count(struct store_read *read);

/* What happened to a profile, one entry a version, the deletion too. */
struct version_record {
    uint64_t version, seq;
    int64_t at; /* ms */
    struct str actor, method;
    struct str changed; /* packed array of field names */
    bool is_deletion;
    bool has_record; /* `record` is filled (the current version too) */
    struct profile_record record;
};
enum err_code store_profile_version(struct store_read *read, struct str id, uint64_t version,
                                    struct version_record *out, struct err *err);

struct programme_record {
    uint64_t version, seq;
    int64_t updated_at;
    struct str bytes; /* canonical packed map */
};
enum err_code store_programme_get(struct store_read *read, struct str id,
                                  struct programme_record *out, struct err *err);
enum err_code store_programme_version(struct store_read *read, struct str id, uint64_t version,
                                      struct programme_record *out, struct err *err);

struct outcome_record {
    uint64_t seq;     /* its key */
    struct str bytes; /* packed map: from, to, programme?, kind, at, note? */
};

struct journal_record {
    uint64_t seq;
    int64_t at;                        /* ms */
    struct str actor, method, subject; /* e.g. "officer marie", "profile.put", "acme" */
    struct str what;                   /* packed map of details, never confidential values */
    struct digest previous, digest;
    bool is_redacted; /* its content is gone, its digest stays (journal.c) */
};
enum err_code store_journal_get(struct store_read *read, uint64_t seq, struct journal_record *out,
                                struct err *err);
uint64_t store_seq(struct store_read *read); /* of the newest journal entry; 0 in an empty store */

/* The text vector kept for a profile under a lexicon, and what it was made of: the seq of the profile's
 * record (so that a start needs to read no text), or, in what older releases wrote, the digest of the texts. */
enum err_code store_vector_get(struct store_read *read, const struct digest *lexicon, struct str id,
                               uint64_t *made_of, struct str *bytes, struct err *err);

/* Files kept by digest, and small named settings ("reference", "lexicon", …). */
enum err_code store_blob_get(struct store_read *read, const struct digest *digest,
                             struct str *bytes, struct err *err);
enum err_code store_setting_get(struct store_read *read, const char *name, struct str *bytes,
                                struct err *err);

/*
 * Walks: in key order, after a key (empty or 0: from the start). next answers true and fills *out
 * while there is a record; at the end false with err ok; on failure false with err set.
 */
struct store_walk;
enum err_code store_walk_profiles(struct store_read *read, struct str after,
                                  struct store_walk **out, struct err *err);
bool store_walk_next_profile(struct store_walk *walk, struct str *id, struct profile_record *out,
                             struct err *err);
/*
 * Every profile beside its text vector's outline, both still sealed: the walk itself reads no value, and any thread
 * can open them while the snapshot stands, as store_profile_get does; or believing
 * their checksums, which take longer than all the rest: what the check of the opening is for.
 */
struct sealed_profile {
    struct str id, profile;
    struct str outline_key, outline; /* empty if none is kept under the lexicon */
};
enum err_code store_walk_sealed(struct store_read *read, const struct digest *lexicon,
                                struct store_walk **out, struct err *err);
bool store_walk_next_sealed(struct store_walk *walk, struct sealed_profile *out, struct err *err);
enum err_code sealed_profile_open(const struct sealed_profile *sealed, bool believes,
                                  struct profile_record *out, struct err *err);
/* ERR_NOT_FOUND without message if there is none. */
enum err_code sealed_outline_open(const struct sealed_profile *sealed, bool believes,
                                  uint64_t *made_of, struct str *bytes, struct err *err);
enum err_code store_walk_programmes(struct store_read *read, struct str after,
                                    struct store_walk **out, struct err *err);
bool store_walk_next_programme(struct store_walk *walk, struct str *id,
                               struct programme_record *out, struct err *err);
enum err_code store_walk_versions(struct store_read *read, struct str id, uint64_t after,
                                  struct store_walk **out, struct err *err);
bool store_walk_next_version(struct store_walk *walk, struct version_record *out, struct err *err);
enum err_code store_walk_outcomes(struct store_read *read, uint64_t after, struct store_walk **out,
                                  struct err *err);
bool store_walk_next_outcome(struct store_walk *walk, struct outcome_record *out, struct err *err);
enum err_code store_walk_journal(struct store_read *read, uint64_t after, struct store_walk **out,
                                 struct err *err);
bool store_walk_next_journal(struct store_walk *walk, struct journal_record *out, struct err *err);
/* Settings whose names begin with prefix (at most 60 bytes), behind the name `after`. */
enum err_code store_walk_settings(struct store_read *read, const char *prefix, struct str after,
                                  struct store_walk **out, struct err *err);
bool store_walk_next_setting(struct store_walk *walk, struct str *name, struct str *bytes,
                             struct err *err);
void store_walk_end(struct store_walk *walk); /* NULL is fine */

/* Recomputes the chain from `from` (0: the start) on, and asks of each entry whose details are gone what took
 * them (redaction.h). ERR_CANCELLED if is_cancelled says so. */
enum journal_fault {
    JOURNAL_FAULT_NONE,
    JOURNAL_FAULT_CHAIN,       /* missing, or not the entry that the chain went through */
    JOURNAL_FAULT_UNEXPLAINED, /* its details are gone, and no erasure or end of its time took them */
    JOURNAL_FAULT_RETURNED,    /* its details were taken, and something stands there again */
    JOURNAL_FAULT_ALTERED,     /* took details of others, which do not stand as it left them */
    JOURNAL_FAULT_UNLISTED     /* an erasure that the erasure ledger does not know */
};
struct journal_verdict {
    uint64_t n,
        n_redacted; /* entries read; those whose content is gone: their links are checked, and proved */
    uint64_t n_erased;   /* of the redacted, by an erasure; the others had run out their time */
    uint64_t n_unproved; /* of the redacted, by an earlier release: only their number is checked */
    uint64_t broken_at;  /* a seq that does not hold; 0 if all do */
    enum journal_fault fault;
    struct digest head; /* of the last one read */
};
const char *journal_fault_name(enum journal_fault fault); /* "chain", "unexplained", … */
enum err_code store_journal_verify(struct store_read *read, uint64_t from,
                                   struct journal_verdict *out, struct err *err);

struct store_sizes {
    uint64_t file_bytes, map_bytes, used_bytes;
    uint64_t profiles, profile_versions, programmes, outcomes, journal, vectors, blobs;
    uint64_t commits, writes, failed_commits; /* since opening */
    uint64_t failed_syncs, backups, erasures; /* likewise */
};
enum err_code store_sizes(struct store *store, struct store_sizes *out, struct err *err);

#endif
