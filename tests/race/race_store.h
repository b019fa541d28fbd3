#ifndef JML_RACE_STORE_H
#define JML_RACE_STORE_H

#include "engine.h"

/*
 * race_store: what the races of whole calls work on: an engine on a folder of its own, startups and hosts whose
 * sectors and consents go round, and a programme that lays them side by side.
 *
 * What must not fail ends the program; what goes wrong in the race is counted, and told on standard error. Any
 * thread, but for open and close.
 */
struct race_store {
    char dir[64];
    struct engine *engine;
};

/* The folder and the shipped tables are filled in where the options name none. */
void race_store_open(struct race_store *store, struct engine_options options);
void race_store_reopen(struct race_store *store, struct engine_options options);
void race_store_close(struct race_store *store); /* and removes the folder */

void race_fault(const char *what);
int race_status(void); /* of the process: 0 if there was no fault */

/* A call by an admin, its answer dropped. That something is not there is what a race brings. */
void race_tell(struct race_store *store, const char *method, const char *json);
/* The profile p<i>: a startup if i is odd, a host if not; what it says is that round's. */
void race_put(struct race_store *store, int i, int round);
/* The same, whose text is that round's and its own, and whose sector and consent stay. */
void race_put_text(struct race_store *store, int i, int round);
/* The programme p: of sectors, with this weight, and of the record in them. */
void race_put_programme(struct race_store *store, int weight);

#endif
