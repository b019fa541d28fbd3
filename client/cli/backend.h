#ifndef JML_BACKEND_H
#define JML_BACKEND_H

#include "cli.h"
#include "engine.h"
#include "value.h"

/*
 * backend: who answers the tool's calls: an engine in this process.
 *
 * Commands know only backend_call, so that a service can answer the very same table instead.
 */
struct backend;

/* Opens cli->data_dir when first needed. */
enum err_code backend_open(struct cli *cli, bool must_exist, struct err *err);
void backend_close(struct backend *backend); /* NULL is fine */

/* params: one packed map, empty for none. The result lives in `arena`. */
enum err_code backend_call(struct cli *cli, const char *method, struct str params,
                           struct arena *arena, const msgpack_object **result, struct err *err);
/* The tables that the open store works with; NULL while none is open. */
const struct reference *backend_reference(const struct cli *cli);
/* Has the disk failed under the store? Then the tool ends with EX_IOERR, whatever the command says. */
bool backend_has_failed(const struct cli *cli);
/* The details map of the last failed call; NULL if it had none. */
const msgpack_object *backend_details(const struct cli *cli);

#endif
