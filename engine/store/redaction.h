#ifndef JML_REDACTION_H
#define JML_REDACTION_H

#include "kv.h"

/*
 * redaction: entries of the journal lose what they said, and an entry that says which.
 *
 * A redacted entry keeps its digest, which its own bytes no longer give: the chain alone could not tell one
 * that an erasure took the details of from one that somebody blanked by hand. So whatever redacts ends with an
 * entry of its own, inside the chain like any other:
 *
 *     redacted   what = {"erased_by" or "expired_by": seq of the redactor, "salt": hex, "before"?: [[seq, leaf] …]}
 *     redactor   what = {"erase" or "expire": true, "entries": n, "seqs": [seq …], "of": fold}
 *     leaf       H(salt ‖ seq ‖ digest ‖ at ‖ actor ‖ method ‖ subject), of the entry as it was left
 *     fold       each leaf in turn: H(fold ‖ leaf), from all zeros on
 *
 * An entry can be redacted again: it names another profile that is erased later, or ran out its time before.
 * Then its subject changes, so the earlier redactors' leaves are kept in "before", without their salts:
 * they still add up, and tell nothing of the subject that went.
 *
 * A redactor is never redacted itself. That of an erasure stands in the erasure ledger as well. What an
 * earlier release redacted names a redactor without "seqs": of that only the number can be checked.
 */
enum redaction_kind { REDACTION_ERASE, REDACTION_EXPIRE };

struct redaction { /* in place, inside one transaction */
    struct store_txn *txn;
    enum redaction_kind kind;
    uint64_t by; /* seq of the redactor: the next of the journal */
    struct arena *arena;
    struct buf seqs;
    struct digest fold;
    size_t n;
};
/* Nothing may be added to the journal between begin and end. fini in any case, after begin succeeded. */
enum err_code redaction_begin(struct redaction *redaction, struct store_txn *txn,
                              enum redaction_kind kind, struct err *err);
/* In rising order of seq. An empty subject or actor stays as it is. */
enum err_code redaction_take(struct redaction *redaction, uint64_t seq, struct str subject,
                             struct str actor, struct err *err);
/* Adds the redactor; *seq is its own. */
enum err_code redaction_end(struct redaction *redaction, struct str actor, struct str method,
                            struct str subject, uint64_t *seq, struct err *err);
void redaction_fini(struct redaction *redaction);

/* journal.c: rewrites an entry without its content; the chain holds by the digest that stays. */
enum err_code journal_redact(struct store_txn *txn, uint64_t seq, struct str subject,
                             struct str actor, struct str what, struct err *err);
bool record_is_redactor(const struct journal_record *record);
/* Of an earlier release, which left no word of who took its details. */
bool record_is_expired_unsaid(const struct journal_record *record);

/*
 * proofs: whether each redaction is explained, along one walk over the journal.
 *
 * Holds the redactors that are ahead of the walk, and of each how far its list was met.
 */
struct proofs;
/* from: where the walk begins; of a redactor that reaches back before it the leaves are not checked. */
enum err_code proofs_create(struct store_read *read, uint64_t from, struct proofs **out,
                            struct err *err);
void proofs_destroy(struct proofs *proofs); /* NULL is fine */
/* The next entry of the walk, whose link holds. Fills the verdict's fault and broken_at if it, or one before
 * it, is not explained; counts what is. */
enum err_code proofs_look(struct proofs *proofs, const struct journal_record *record,
                          struct journal_verdict *verdict, struct err *err);

#endif
