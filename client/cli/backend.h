#ifndef JML_BACKEND_H
#define JML_BACKEND_H

#include "cli.h"
#include "value.h"

/*
 * backend: who answers the tool's calls: an engine in this process, or a service.
 *
 * Commands know only backend_call; both answer the very same table of methods. Which of the two it is
 * follows from --server, --data and the environment, and from who holds the store (backend.c tells the
 * order). A failure bears a code of the protocol, or one of the client library below 0: exits.h names
 * them all.
 */
struct backend;

/* Opens what the options ask for, when first needed. must_exist: false makes a missing store; a service
 * has its own. */
enum err_code backend_open(struct cli *cli, bool must_exist, struct err *err);
/* The store's folder that the options, the environment or this user's home name. */
const char *backend_data_dir(const struct cli *cli);
void backend_close(struct backend *backend); /* NULL is fine */

/* params: one packed map, empty for none. The result lives in `arena`. */
enum err_code backend_call(struct cli *cli, const char *method, struct str params,
                           struct arena *arena, const msgpack_object **result, struct err *err);
/* Has the disk failed under the store? Then the tool ends with EX_IOERR, whatever the command says. */
bool backend_has_failed(const struct cli *cli);
/* The details map of the last failed call; NULL if it had none. */
const msgpack_object *backend_details(const struct cli *cli);
/* The tables that an engine here works with; NULL where none is open. */
const struct reference *backend_reference(const struct cli *cli);

/* Notifications of a service, told to `hear` from here on, also while a call waits. Opens the backend; an
 * engine here tells nothing. */
struct listening {
    void (*hear)(void *context, struct str method, const msgpack_object *params);
    void *context;
};
enum err_code backend_listen(struct cli *cli, const struct listening *listening, struct err *err);
/* Hears until the connection ends (its error), `is_done`, or Ctrl-C (ERR_OK, and interrupt_came). */
bool backend_tells(const struct cli *cli); /* does what is open ever notify? */
enum err_code backend_hear(struct cli *cli, const bool *is_done, struct err *err);

/* What the parameters of one call may be; opens the backend. */
struct call_bounds {
    size_t bytes, items; /* packed, with the map around them */
};
enum err_code backend_bounds(struct cli *cli, struct call_bounds *out, struct err *err);

#endif
