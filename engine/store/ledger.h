#ifndef JML_LEDGER_H
#define JML_LEDGER_H

#include "kv.h"

/*
 * ledger: which ids were erased, when, and by which entries of the journal; nothing else of them.
 *
 * Inside the store a setting "erased/<id>" each: {"at": ms, "seq": of the newest erasure, "seqs": of all of
 * them}. Beside it the file jumelage.erased, a line "<id> <ms>" each, which a restore of an older backup reads.
 */
struct ledger_row {
    int64_t at; /* ms */
    uint64_t seq;
};
/* What the arena gets is small. ERR_NOT_FOUND for an id that was never erased. */
enum err_code ledger_get(struct store_read *read, struct str id, struct arena *arena,
                         struct ledger_row *out, struct err *err);
/* redactor: the erasure's entry, or 0 where there was nothing to erase. */
enum err_code ledger_put(struct store_txn *txn, struct str id, int64_t at, uint64_t redactor,
                         struct arena *arena, struct err *err);
bool ledger_is_row(struct str setting);
/* The redactors that it knows, in no order; the list is the caller's, mem_free. */
enum err_code ledger_redactors(struct store_read *read, uint64_t **seqs, size_t *n,
                               struct err *err);

/* ---- the file ---- */

/* Anew, of what the store holds. */
enum err_code ledger_write(struct store *store, struct err *err);

struct erasure_list {
    struct erasure_row {
        char id[KEY_MAX];
        int64_t at; /* ms */
    } * rows;
    size_t n, room;
};
/* From a file, or from the file in a folder. ERR_INVALID_PARAMS names the line that is none. */
enum err_code ledger_read(const char *path, struct erasure_list *out, struct err *err);
void ledger_free(struct erasure_list *list);

#endif
