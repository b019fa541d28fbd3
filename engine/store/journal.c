/*
 * journal: every change, in order, each entry chained to the one before it by its digest, so that one
 * taken out, altered or moved shows.
 *
 *     digest = H(previous ‖ seq ‖ at ‖ actor ‖ method ‖ subject ‖ what)
 *
 * The pieces are length-prefixed. The first entry's previous digest is all zeros.
 */
#include "kv.h"
#include "records.h"

#include <string.h>

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
    int rc = mdb_get(read->txn, read->store->tables[TABLE_JOURNAL], &k, &v);

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

enum err_code
store_journal_add(struct store_txn *txn, const struct journal_entry *entry, uint64_t *seq,
                  struct err *err)
{
    uint64_t next = txn->seq + 1;
    struct key key = key_of_seq(next);
    struct digest digest = entry_digest(&txn->head, next, txn->now_ms, entry->actor, entry->method,
                                        entry->subject, entry->what);
    enum err_code code;

    record_begin(&txn->scratch);
    record_put_u64(&txn->scratch, (uint64_t)txn->now_ms);
    record_put_str(&txn->scratch, entry->actor);
    record_put_str(&txn->scratch, entry->method);
    record_put_str(&txn->scratch, entry->subject);
    record_put_str(&txn->scratch, entry->what);
    record_put_str(&txn->scratch, (struct str){(const char *)txn->head.bytes, DIGEST_BYTES});
    record_put_str(&txn->scratch, (struct str){(const char *)digest.bytes, DIGEST_BYTES});
    code = kv_put(txn, TABLE_JOURNAL, key_str(&key), err);
    if (code == ERR_OK) {
        txn->seq = next;
        txn->head = digest;
        *seq = next;
    }
    return code;
}

/* Does the record follow one of this seq and digest, and say of itself what it is? */
static bool
follows(const struct journal_record *record, uint64_t previous_seq, const struct digest *previous)
{
    struct digest digest = entry_digest(previous, record->seq, record->at, record->actor,
                                        record->method, record->subject, record->what);

    return record->seq == previous_seq + 1 && digest_equal(&record->previous, previous) &&
           digest_equal(&record->digest, &digest);
}

enum err_code
store_journal_verify(struct store_read *read, uint64_t from, uint64_t *n, uint64_t *broken_at,
                     struct digest *head, struct err *err)
{
    struct journal_record record;
    struct digest previous = {{0}};
    uint64_t seq = from > 0 ? from - 1 : 0;
    struct store_walk *walk;
    enum err_code code;

    *n = 0;
    *broken_at = 0;
    if (seq > 0) { /* begin in the middle: trust the entry before it */
        code = store_journal_get(read, seq, &record, err);
        if (code == ERR_NOT_FOUND) {
            *broken_at = seq;
            return ERR_OK;
        }
        if (code != ERR_OK)
            return code;
        previous = record.digest;
    }
    code = store_walk_journal(read, seq, &walk, err);
    if (code != ERR_OK)
        return code;
    while (*broken_at == 0 && store_walk_next_journal(walk, &record, err)) {
        if (!follows(&record, seq, &previous))
            *broken_at = seq + 1;
        seq = record.seq;
        previous = record.digest;
        ++*n;
    }
    code = *broken_at == 0 ? err->code : ERR_OK;
    *head = previous;
    store_walk_end(walk);
    return code;
}
