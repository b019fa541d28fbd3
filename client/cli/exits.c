#include "exits.h"

#include <jumelage/jumelage.h>

#include <string.h>
#include <sysexits.h>

/* clang-format off */
static const struct {
    int code, status;
} rows[] = {
    {JML_OK,              EX_OK},
    {JML_BAD_FRAME,       EX_PROTOCOL},
    {JML_UNKNOWN_METHOD,  EX_USAGE},
    {JML_INVALID_PARAMS,  EX_DATAERR},
    {JML_UNAUTHENTICATED, EX_NOPERM},
    {JML_FORBIDDEN,       EX_NOPERM},
    {JML_NOT_FOUND,       EX_NOINPUT},
    {JML_CONFLICT,        EX_DATAERR},
    {JML_TOO_LARGE,       EX_DATAERR},
    {JML_BUSY,            EX_TEMPFAIL},
    {JML_DEADLINE,        EX_TEMPFAIL},
    {JML_DRAINING,        EX_TEMPFAIL},
    {JML_STORAGE_FULL,    EX_CANTCREAT},
    {JML_INTERNAL,        EX_SOFTWARE},
    {JML_CANCELLED,       EX_TEMPFAIL},
    {JML_READ_ONLY,       EX_NOPERM},
    {JML_TIMEOUT,         EX_TEMPFAIL},
    {JML_LOST,            EX_TEMPFAIL},
    {JML_UNREACHABLE,     EX_UNAVAILABLE},
    {JML_BAD_ANSWER,      EX_PROTOCOL},
    {JML_NO_MEMORY,       EX_TEMPFAIL},
    {JML_BAD_OPTION,      EX_CONFIG}, /* of the command line: EX_USAGE */
    {JML_CLOSED,          EX_SOFTWARE},
    {JML_MISUSE,          EX_SOFTWARE},
};
/* clang-format on */

int
exit_status(enum err_code code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == (int)code)
            return rows[i].status;
    return EX_PROTOCOL; /* of a later service */
}

int
exit_status_of(const struct err *err)
{
    bool is_typed = strcmp(err->field, "--server") == 0;

    return (int)err->code == JML_BAD_OPTION && is_typed ? EX_USAGE : exit_status(err->code);
}

const char *
exit_name(enum err_code code)
{
    return jml_code_name((enum jml_code)code);
}
