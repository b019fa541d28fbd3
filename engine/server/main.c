/* main.c: the program jumelaged. */
#include "config.h"
#include "server.h"

#include <locale.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

enum { CONFIG_ARENA_BYTES = 16 * 1024 * 1024 };

/* The status that a failure to start ends with. */
static int
status_of(enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return EX_OK;
    case ERR_CONFLICT: /* a foreign or damaged store, an address that is taken */
        return EX_DATAERR;
    case ERR_NOT_FOUND:
        return EX_NOINPUT;
    case ERR_BUSY:
        return EX_TEMPFAIL;
    case ERR_STORAGE_FULL:
        return EX_CANTCREAT;
    case ERR_FORBIDDEN:
    case ERR_UNAUTHENTICATED:
        return EX_NOPERM;
    case ERR_INVALID_PARAMS:
    case ERR_TOO_LARGE:
        return EX_CONFIG;
    case ERR_BAD_FRAME:
    case ERR_UNKNOWN_METHOD:
    case ERR_DEADLINE:
    case ERR_DRAINING:
    case ERR_INTERNAL:
    case ERR_CANCELLED:
    case ERR_READ_ONLY:
    case ERR_COUNT:
        break;
    }
    return EX_SOFTWARE;
}

static int
fail(const struct err *err)
{
    fprintf(stderr, "jumelaged: %s\n", err->message);
    return status_of(err->code);
}

static int
serve(const struct config *config)
{
    const struct err *failure;
    struct err err = {0};
    struct server *server;
    struct log log;
    int status = EX_OK;

    log_init(&log, STDERR_FILENO, config->log_level, clock_system());
    if (server_open(config, &log, &server, &err) != ERR_OK)
        return fail(&err);
    server_run(server);
    failure = server_failure(server);
    if (failure != NULL) {
        fprintf(stderr, "jumelaged: %s\n", failure->message);
        status = EX_IOERR;
    }
    server_close(server);
    return status;
}

int
main(int argc, char **argv)
{
    struct arena *arena = arena_create(CONFIG_ARENA_BYTES);
    struct err err = {0};
    struct config config;
    int status;

    setlocale(LC_CTYPE, "C.UTF-8");
    if (arena == NULL) {
        fputs("jumelaged: out of memory\n", stderr);
        return EX_OSERR;
    }
    if (config_read(argc, argv, arena, &config, &err) != ERR_OK)
        status = fail(&err);
    else if (config.only_checks)
        status = puts("the configuration is right") < 0 ? EX_IOERR : EX_OK;
    else
        status = serve(&config);
    arena_destroy(arena);
    return status;
}
