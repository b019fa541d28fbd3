#ifndef JML_ERASE_H
#define JML_ERASE_H

#include "ledger.h"

/*
 * erase: what is left of an erased profile, and where nothing is. Which ids were erased is the ledger's to know
 * (ledger.h).
 */
extern const char restoring_name[], erasing_name[];

/* Erases what the store still has of the list's ids and was not erased at that time or later. */
enum err_code erasures_apply(struct store_txn *txn, const struct erasure_list *list,
                             struct str actor, size_t *n_done, struct err *err);

/* With no transaction open, on the writer's thread or before it runs: writes the ledger's file, puts a
 * fresh data file in the old one's place, and lowers the flag. */
enum err_code erasure_finish(struct store *store, struct err *err);

/* backup.c: takes away a folder of ours and the files in it. */
void store_folder_remove(const char *dir);

#endif
