#ifndef JML_SMALL_STORE_H
#define JML_SMALL_STORE_H

#include "call.h"

/*
 * small_store: a little of the shipped data in a store of its own, for programs without Criterion
 * (fuzz, race, tests of the service). What fails ends the program with its sentence.
 */
#define SMALL_STORE_PROGRAMME "bilocation"
#define SMALL_STORE_PAIRING "hosting"
#define SMALL_STORE_STARTUP "demo-startup-001"

/* Makes the folder's last six characters, XXXXXX, a name of its own, and the folder. */
void small_store_folder(char *path);
void small_store_remove(const char *path);
/* The made-up hosts, some startups, two programmes and an outcome, from the data folder. */
void small_store_fill(struct engine *engine, const char *data);
/* A programme of the data folder: "programmes/bilocation.yaml". */
void small_store_put_programme(struct engine *engine, const char *data, const char *name);
/* One call as admin, with JSON. */
enum err_code small_store_call(struct engine *engine, const char *method, const char *json,
                               struct err *err);

#endif
