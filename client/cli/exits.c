#include "exits.h"

#include <sysexits.h>

static const int statuses[ERR_COUNT] = {
    [ERR_OK] = EX_OK,
    [ERR_BAD_FRAME] = EX_PROTOCOL,
    [ERR_UNKNOWN_METHOD] = EX_USAGE,
    [ERR_INVALID_PARAMS] = EX_DATAERR,
    [ERR_UNAUTHENTICATED] = EX_NOPERM,
    [ERR_FORBIDDEN] = EX_NOPERM,
    [ERR_NOT_FOUND] = EX_NOINPUT,
    [ERR_CONFLICT] = EX_DATAERR,
    [ERR_TOO_LARGE] = EX_DATAERR,
    [ERR_BUSY] = EX_TEMPFAIL,
    [ERR_DEADLINE] = EX_TEMPFAIL,
    [ERR_DRAINING] = EX_TEMPFAIL,
    [ERR_STORAGE_FULL] = EX_CANTCREAT,
    [ERR_INTERNAL] = EX_SOFTWARE,
    [ERR_CANCELLED] = EX_TEMPFAIL,
    [ERR_READ_ONLY] = EX_NOPERM,
};

int
exit_status(enum err_code code)
{
    return statuses[code];
}
