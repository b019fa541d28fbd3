#ifndef JML_EXITS_H
#define JML_EXITS_H

#include "err.h"

/* exits: the exit status (sysexits.h) and the name of each failure: the protocol's errors and, below 0,
 * those of the client library, in one table. */
int exit_status(enum err_code code);
/* The same for a whole failure: an address that was typed wrong is a fault of usage. */
int exit_status_of(const struct err *err);
const char *exit_name(enum err_code code); /* `not_found`, `unreachable` … */

#endif
