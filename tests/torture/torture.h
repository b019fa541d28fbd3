#ifndef JML_TORTURE_H
#define JML_TORTURE_H

#include "engine.h"
#include "err.h"
#include "store.h"

#include <stdbool.h>

/* torture: what the torture programs share. Whatever fails here ends the program with 1. */
enum { TORTURE_PATH = 300, TORTURE_SKIPPED = 77 };

int torture_rounds(int preset); /* JML_ROUNDS, or preset */
enum { TORTURE_DEEP = 50 };     /* from so many rounds on nothing is left out */
uint32_t torture_seed(void);    /* JML_SEED, or by the clock; printed */
uint32_t torture_random(uint32_t *state);
void torture_check(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));
int torture_end(const char *what); /* the exit status; prints how it went */

void torture_dir(char dir[TORTURE_PATH]); /* made, by its real name */
void torture_remove(const char *dir);
void torture_copy(const char *from, const char *to); /* the files of a flat folder */

struct engine *torture_engine(const char *dir, struct err *err); /* NULL: err says why */
enum err_code torture_call(struct engine *engine, const char *method, const char *json,
                           struct err *err);
/* The same while the n-th allocation of the call fails; did it come to that? */
enum err_code torture_call_short(struct engine *engine, const char *method, const char *json,
                                 long n, bool *happened, struct err *err);
struct store *torture_store(const char *dir, struct err *err);

/* A profile of one long text, written through the store alone; the text tells if it is whole. */
enum err_code torture_put(struct store *store, const char *id, struct err *err);
enum torture_state { TORTURE_ABSENT, TORTURE_WHOLE, TORTURE_TORN };
enum torture_state torture_look(struct store_read *read, const char *id);
void torture_check_journal(struct store *store);

#endif
