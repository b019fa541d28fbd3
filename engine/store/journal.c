/*
 * journal: every change, in order, each entry chained to the one before it by its digest, so that one
 * taken out, altered or moved shows.
 *
 *     digest = H(previous ‖ seq ‖ at ‖ actor ‖ method ‖ subject ‖ what)
 *
 * The pieces are length-prefixed. The first entry's previous digest is all zeros.
 *
 * An entry whose content was erased or has run out its time keeps its digest, which its own bytes no longer
 * give: it is marked (a number behind the last field), and the chain is checked over it by the link
 * alone, and what took its details must account for it (redaction.h). What it said is gone; that it was there,
 * when, and by which method, still shows.
 */
#include "kv.h"
#include "records.h"
#include "redaction.h"

#include <string.h>

enum { JOURNAL_IS_REDACTED = 1 };

static struct digest
entry_digest(const struct digest *previous, uint64_t seq, int64_t at, struct str actor,
             struct str method, struct str subject, struct str what)
{
    struct digest_state state;

    digest_begin(&state);
    digest_add(&state, previous->bytes, DIGEST_BYTES);
    digest_add_u64(&state, seq);
    digest_add_u64(&state, (uint64_t)at);
    digest_add_str(&state, actor);
    digest_add_str(&state, method);
    digest_add_str(&state, subject);
    digest_add_str(&state, what);
    return digest_end(&state);
}

bool
journal_record_read(struct str key, struct str bytes, struct journal_record *out)
{
    struct record_reader reader;
    struct str previous, digest;

    if (!record_open(key, bytes, &reader))
        return false;
    out->seq = key_tail(key);
    out->at = (int64_t)record_get_u64(&reader);
    out->actor = record_get_str(&reader);
    out->method = record_get_str(&reader);
    out->subject = record_get_str(&reader);
    out->what = record_get_str(&reader);
    previous = record_get_str(&reader);
    digest = record_get_str(&reader);
    out->is_redacted = reader.at != reader.end && record_get_u64(&reader) == JOURNAL_IS_REDACTED;
    if (!record_is_whole(&reader) || previous.len != DIGEST_BYTES || digest.len != DIGEST_BYTES)
        return false;
    memcpy(out->previous.bytes, previous.data, DIGEST_BYTES);
    memcpy(out->digest.bytes, digest.data, DIGEST_BYTES);
    return true;
}

enum err_code
store_journal_get(struct store_read *read, uint64_t seq, struct journal_record *out,
                  struct err *err)
{
    struct key key = key_of_seq(seq);
    MDB_val k = {key.len, key.bytes}, v;
    int rc = mdb_get(read->txn, read->data->tables[TABLE_JOURNAL], &k, &v);

    if (rc == MDB_NOTFOUND) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    if (rc != 0)
        return store_err(err, rc, "read the store");
    if (!journal_record_read(key_str(&key), (struct str){v.mv_data, v.mv_size}, out))
        return kv_damaged(err, TABLE_JOURNAL, key_str(&key));
    return ERR_OK;
}

uint64_t
store_seq(struct store_read *read)
{
    struct str last;

    if (kv_last(read, TABLE_JOURNAL, (struct str){NULL, 0}, &last, NULL) != ERR_OK)
        return 0;
    return last.len != 0 ? key_tail(last) : 0;
}

static enum err_code
put_entry(struct store_txn *txn, const struct journal_record *record, struct err *err)
{
    struct key key = key_of_seq(record->seq);
    struct buf *out = &txn->scratch;

    record_begin(out);
    record_put_u64(out, (uint64_t)record->at);
    record_put_str(out, record->actor);
    record_put_str(out, record->method);
    record_put_str(out, record->subject);
    record_put_str(out, record->what);
    record_put_str(out, (struct str){(const char *)record->previous.bytes, DIGEST_BYTES});
    record_put_str(out, (struct str){(const char *)record->digest.bytes, DIGEST_BYTES});
    if (record->is_redacted)
        record_put_u64(out, JOURNAL_IS_REDACTED);
    return kv_put(txn, TABLE_JOURNAL, key_str(&key), err);
}

enum err_code
store_journal_add(struct store_txn *txn, const struct journal_entry *entry, uint64_t *seq,
                  struct err *err)
{
    struct journal_record record = {.seq = txn->seq + 1,
                                    .at = txn->now_ms,
                                    .actor = entry->actor,
                                    .method = entry->method,
                                    .subject = entry->subject,
                                    .what = entry->what,
                                    .previous = txn->head};
    enum err_code code;

    record.digest = entry_digest(&txn->head, record.seq, record.at, record.actor, record.method,
                                 record.subject, record.what);
    code = put_entry(txn, &record, err);
    if (code == ERR_OK) {
        txn->seq = record.seq;
        txn->head = record.digest;
        *seq = record.seq;
    }
    return code;
}

/* The record is read from the page that is then written: its texts go through the scratch in put_entry
 * before the page is touched. */
enum err_code
journal_redact(struct store_txn *txn, uint64_t seq, struct str subject, struct str actor,
               struct str what, struct err *err)
{
    struct journal_record record;
    enum err_code code = store_journal_get(&txn->read, seq, &record, err);

    if (code != ERR_OK)
        return code;
    record.is_redacted = true;
    record.what = what;
    if (subject.len > 0)
        record.subject = subject;
    if (actor.len > 0)
        record.actor = actor;
    return put_entry(txn, &record, err);
}

/* Does the record follow one of this seq and digest, and say of itself what it is? */
static bool
follows(const struct journal_record *record, uint64_t previous_seq, const struct digest *previous)
{
    struct digest digest = entry_digest(previous, record->seq, record->at, record->actor,
                                        record->method, record->subject, record->what);

    return record->seq == previous_seq + 1 && digest_equal(&record->previous, previous) &&
           (record->is_redacted || digest_equal(&record->digest, &digest));
}

const char *
journal_fault_name(enum journal_fault fault)
{
    static const char *const names[] = {
        [JOURNAL_FAULT_NONE] = "",
        [JOURNAL_FAULT_CHAIN] = "chain",
        [JOURNAL_FAULT_UNEXPLAINED] = "unexplained",
        [JOURNAL_FAULT_RETURNED] = "returned",
        [JOURNAL_FAULT_ALTERED] = "altered",
        [JOURNAL_FAULT_UNLISTED] = "unlisted",
    };

    return names[fault];
}

static void
break_at(struct journal_verdict *verdict, uint64_t seq)
{
    verdict->broken_at = seq;
    verdict->fault = JOURNAL_FAULT_CHAIN;
}

static enum err_code
verify_walk(struct store_walk *walk, struct proofs *proofs, uint64_t seq, struct digest previous,
            struct journal_verdict *out, struct err *err)
{
    struct journal_record record;
    enum err_code code = ERR_OK;

    while (code == ERR_OK && out->broken_at == 0 && store_walk_next_journal(walk, &record, err)) {
        if (follows(&record, seq, &previous))
            code = proofs_look(proofs, &record, out, err);
        else
            break_at(out, seq + 1);
        seq = record.seq;
        previous = record.digest;
        out->n++;
        out->n_redacted += record.is_redacted;
    }
    out->head = previous;
    return code != ERR_OK || out->broken_at != 0 ? code : err->code;
}

enum err_code
store_journal_verify(struct store_read *read, uint64_t from, struct journal_verdict *out,
                     struct err *err)
{
    struct journal_record record;
    struct digest previous = {{0}};
    uint64_t seq = from > 0 ? from - 1 : 0;
    struct proofs *proofs = NULL;
    struct store_walk *walk;
    enum err_code code;

    *out = (struct journal_verdict){.n = 0};
    if (seq > 0) { /* begin in the middle: trust the entry before it */
        code = store_journal_get(read, seq, &record, err);
        if (code == ERR_NOT_FOUND) {
            break_at(out, seq);
            return ERR_OK;
        }
        if (code != ERR_OK)
            return code;
        previous = record.digest;
    }
    code = store_walk_journal(read, seq, &walk, err);
    if (code != ERR_OK)
        return code;
    code = proofs_create(read, seq + 1, &proofs, err);
    if (code == ERR_OK)
        code = verify_walk(walk, proofs, seq, previous, out, err);
    proofs_destroy(proofs);
    store_walk_end(walk);
    return code;
}
