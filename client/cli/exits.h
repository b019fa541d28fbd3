#ifndef JML_EXITS_H
#define JML_EXITS_H

#include "err.h"

/* exits: the exit status for each error of the protocol (sysexits.h), in one table. */
int exit_status(enum err_code code);

#endif
