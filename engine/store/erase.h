#ifndef JML_ERASE_H
#define JML_ERASE_H

#include "kv.h"

/*
 * erase: what is left of an erased profile, and where nothing is.
 *
 * The ledger is ids with the time of their erasure, nothing else: as settings "erased/<id>" inside the
 * store, and as lines "<id> <ms>" in the file jumelage.erased beside it, which a restore of an older
 * backup reads.
 */
extern const char ledger_name[], restoring_name[], erasing_name[];

struct erasure_list {
    struct erasure_row {
        char id[KEY_MAX];
        int64_t at; /* ms */
    } * rows;
    size_t n, room;
};
/* From a file, or from the file in a folder. */
enum err_code ledger_read(const char *path, struct erasure_list *out, struct err *err);
void ledger_free(struct erasure_list *list);
/* Erases what the store still has of the list's ids and was not erased at that time or later. */
enum err_code ledger_apply(struct store_txn *txn, const struct erasure_list *list, struct str actor,
                           size_t *n_done, struct err *err);

/* With no transaction open, on the writer's thread or before it runs: writes the ledger's file, puts a
 * fresh data file in the old one's place, and lowers the flag. */
enum err_code erasure_finish(struct store *store, struct err *err);

/* journal.c: rewrites an entry without its content; the chain holds by the digest that stays. */
enum err_code journal_redact(struct store_txn *txn, uint64_t seq, struct str subject,
                             struct str actor, struct str what, struct err *err);
/* backup.c: takes away a folder of ours and the files in it. */
void store_folder_remove(const char *dir);

#endif
