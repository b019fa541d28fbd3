/*
 * retention.c: what is kept for a time only: old versions of profiles, details of the journal.
 *
 * A sweep begins when the store is opened and once an hour. It goes in steps between the groups of writes,
 * each a transaction of its own that looks at STEP_LOOKS records and changes STEP_CHANGES of them at most,
 * so that no write waits longer than for one such commit. What a setting of 0 keeps is kept for ever.
 *
 * Old versions: the content goes (the archive), the line in the history stays. The table is walked from its
 * end, so that the newest versions of an id come first and are counted. Journal: actor, method, subject
 * and digest stay, and the chain with them; the details go, and an entry of each step says of which
 * (redaction.h). Those of merges stay: they are ids alone, and an erasure needs them to find what a merge had
 * filled. Those of redactors stay: without them a lost detail could not be told from a stolen one.
 *
 * A record that is taken out is gone from every reader; its bytes stand in free pages of the file until they
 * are written over, or an erasure makes the file anew.
 */
#include "kv.h"
#include "redaction.h"

#include <string.h>

enum { STEP_LOOKS = 2000, STEP_CHANGES = 200 };
static const int64_t SWEEP_MS = INT64_C(3600) * 1000, DAY_MS = INT64_C(24) * 3600 * 1000;

void
retention_init(struct store *store, const struct store_options *options)
{
    struct retention *retention = &store->retention;

    retention->keep_versions = options->keep_versions;
    retention->keep_journal_ms = (int64_t)options->keep_journal_days * DAY_MS;
    retention->is_sweeping = retention->keep_versions != 0 || retention->keep_journal_ms != 0;
    retention->is_wanted = retention->is_sweeping;
}

bool
retention_is_due(struct store *store)
{
    struct retention *retention = &store->retention;

    if (!retention->is_wanted || store->is_failed)
        return false;
    if (!retention->is_sweeping &&
        store->clock->steady_ms(store->clock) >= retention->swept_ms + SWEEP_MS) {
        retention->is_sweeping = true;
        retention->is_past_archive = false;
        retention->archive_before.len = 0;
        retention->id.len = 0;
        retention->n_newer = 0;
    }
    return retention->is_sweeping;
}

/* ---- old versions ---- */

struct step {
    struct store_txn *txn;
    size_t n_looks, n_changes;
    struct key keys[STEP_CHANGES];
};

/* Counts the versions of one id, newest first; true: this one is too old to be kept. */
static bool
is_too_old(struct retention *retention, struct str key)
{
    struct str id = {key.data, key.len >= 9 ? key.len - 9 : 0};

    if (!str_equal(id, key_str(&retention->id))) {
        retention->id = key_of_id(id);
        retention->n_newer = 0;
    }
    return retention->n_newer++ >= retention->keep_versions;
}

static int
archive_seek(MDB_cursor *cursor, const struct key *before, MDB_val *k)
{
    int rc;

    if (before->len == 0)
        return mdb_cursor_get(cursor, k, NULL, MDB_LAST);
    *k = (MDB_val){before->len, (void *)(uintptr_t)before->bytes};
    rc = mdb_cursor_get(cursor, k, NULL, MDB_SET_RANGE);
    return mdb_cursor_get(cursor, k, NULL, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
}

/* Found first, deleted after: a cursor does not outlive a write of its own table. */
static enum err_code
find_old_versions(struct retention *retention, struct step *step, struct err *err)
{
    struct store_read *read = &step->txn->read;
    MDB_cursor *cursor;
    MDB_val k;
    int rc = mdb_cursor_open(read->txn, read->data->tables[TABLE_ARCHIVE], &cursor);

    if (rc != 0)
        return store_err(err, rc, "read the store");
    rc = archive_seek(cursor, &retention->archive_before, &k);
    while (rc == 0 && step->n_looks++ < STEP_LOOKS && step->n_changes < STEP_CHANGES) {
        struct key *key = &retention->archive_before;

        key->len = k.mv_size <= KEY_MAX ? k.mv_size : KEY_MAX;
        memcpy(key->bytes, k.mv_data, key->len);
        if (is_too_old(retention, key_str(key)))
            step->keys[step->n_changes++] = *key;
        rc = mdb_cursor_get(cursor, &k, NULL, MDB_PREV);
    }
    mdb_cursor_close(cursor);
    retention->is_past_archive = rc == MDB_NOTFOUND;
    return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : store_err(err, rc, "read the store");
}

static enum err_code
drop_versions(struct retention *retention, struct step *step, struct err *err)
{
    enum err_code code = find_old_versions(retention, step, err);

    for (size_t i = 0; i < step->n_changes && code == ERR_OK; i++)
        code = kv_delete(step->txn, TABLE_ARCHIVE, key_str(&step->keys[i]), err);
    return code;
}

/* ---- details of the journal ---- */

static bool
has_details(const struct journal_record *record)
{
    if (record->is_redacted)
        return record_is_expired_unsaid(record); /* an earlier release's: now it is said */
    return record->what.len > 1 && !str_is(record->method, "profile.merge") &&
           !record_is_redactor(record);
}

/* Notes those whose time is over, at most `most`; found first, so that a step that finds none writes none. */
static enum err_code
find_expired(struct retention *retention, struct step *step, uint64_t *seqs, size_t most,
             struct err *err)
{
    int64_t before = step->txn->now_ms - retention->keep_journal_ms;

    while (step->n_looks++ < STEP_LOOKS && step->n_changes < most) {
        struct journal_record record;
        enum err_code code =
            store_journal_get(&step->txn->read, retention->journal_after + 1, &record, err);

        if (code == ERR_NOT_FOUND || (code == ERR_OK && record.at >= before)) {
            retention->is_sweeping = false; /* the rest is younger */
            return ERR_OK;
        }
        if (code != ERR_OK)
            return code;
        if (has_details(&record))
            seqs[step->n_changes++] = record.seq;
        retention->journal_after++;
    }
    return ERR_OK;
}

static enum err_code
drop_details(struct retention *retention, struct step *step, struct err *err)
{
    static const struct str none = {NULL, 0};
    uint64_t seqs[STEP_CHANGES], seq, start = retention->journal_after;
    struct redaction redaction;
    enum err_code code = find_expired(retention, step, seqs, STEP_CHANGES, err);

    if (code != ERR_OK || step->n_changes == 0)
        return code;
    code = redaction_begin(&redaction, step->txn, REDACTION_EXPIRE, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < step->n_changes && code == ERR_OK; i++)
        code = redaction_take(&redaction, seqs[i], none, none, err);
    if (code == ERR_OK)
        code = redaction_end(&redaction, STR_LIT("engine"), STR_LIT("journal.expire"),
                             STR_LIT("journal"), &seq, err);
    redaction_fini(&redaction);
    if (code != ERR_OK)
        retention->journal_after = start; /* once more, the next time */
    return code;
}

/* ---- a step ---- */

enum err_code
retention_step(struct store_txn *txn, bool *has_changed, struct err *err)
{
    struct retention *retention = &txn->read.store->retention;
    struct step step = {.txn = txn};
    enum err_code code = ERR_OK;

    if (retention->keep_versions == 0)
        retention->is_past_archive = true;
    if (!retention->is_past_archive)
        code = drop_versions(retention, &step, err);
    else if (retention->keep_journal_ms != 0)
        code = drop_details(retention, &step, err);
    else
        retention->is_sweeping = false;
    if (!retention->is_sweeping || code != ERR_OK) {
        retention->is_sweeping = false; /* after a failure: in an hour */
        retention->swept_ms = txn->read.store->clock->steady_ms(txn->read.store->clock);
    }
    *has_changed = step.n_changes > 0;
    return code;
}
