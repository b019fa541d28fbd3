#ifndef JML_STORE_FIXTURE_H
#define JML_STORE_FIXTURE_H

#include "store.h"
#include "writer.h"

/* store_fixture: a store in a temporary folder, and short words for what tests do with it. Failed set-up
 * ends the test. */
struct fixture {
    char dir[256];
    struct clock clock;
    struct store *store;
    struct arena *arena;
};
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);  /* and removes the folder */
void fixture_reopen(struct fixture *fixture); /* closes and opens again */
/* Opens the folder once more: the code and sentence that come back. */
enum err_code fixture_try_open(const struct fixture *fixture, bool full_check, struct err *err);
void remove_folder(const char *dir);

/* A profile of a few fields, versioned and journalled; returns its version. */
uint64_t put_profile(struct fixture *fixture, const char *id, const char *name);
void delete_profile(struct fixture *fixture, const char *id);
/* The name of a stored profile, in the arena; NULL if there is none. */
const char *profile_name(struct fixture *fixture, const char *id);
uint64_t newest_seq(struct fixture *fixture);

/* The same inside a transaction, for tests with writers of their own. */
enum err_code put_in(struct store_txn *txn, const char *id, const char *name, uint64_t *version,
                     struct err *err);

/* Changes one byte of a file; returns its old value. */
unsigned char flip_byte(const char *path, long offset);

#endif
