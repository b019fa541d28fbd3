/* main.c: the program jumelaged. */
#include "config.h"
#include "file.h"
#include "sandbox.h"
#include "server.h"
#include "share.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { CONFIG_ARENA_BYTES = 16 * 1024 * 1024, PATHS_MAX = LISTEN_MAX + 32 };

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

/* ---- what the sandbox leaves us ---- */

/* What the C library reads to learn names of hosts and groups and the number of processors. */
static const char *const system_files[] = {"/etc/group",       "/etc/nsswitch.conf",
                                           "/etc/passwd",      "/etc/hosts",
                                           "/etc/host.conf",   "/etc/gai.conf",
                                           "/etc/resolv.conf", "/usr/lib",
                                           "/etc/ld.so.cache", "/lib",
                                           "/var/lib/sss",     "/proc/stat",
                                           "/etc/services",    "/sys/devices/system/cpu"};

struct paths {
    struct sandbox_path list[PATHS_MAX];
    size_t n;
    char share[SHARE_PATH_MAX];
};

static void
allow(struct paths *paths, const char *path, enum sandbox_use use)
{
    if (paths->n < PATHS_MAX)
        paths->list[paths->n++] = (struct sandbox_path){path, use};
}

/* The folder a file lies in: whoever changes it puts another file in its place. */
static const char *
folder_of(const char *path, struct arena *arena)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return ".";
    return slash == path ? "/" : arena_text(arena, (struct str){path, (size_t)(slash - path)});
}

static enum err_code
enclose(const struct config *config, struct arena *arena, struct sandbox *sandbox, struct err *err)
{
    struct paths *paths = arena_alloc(arena, 1, sizeof *paths);
    enum err_code code;

    if (paths == NULL)
        return err_no_memory(err);
    code = share_find(NULL, paths->share, sizeof paths->share, err);
    if (code == ERR_OK && !file_exists(config->data_dir)) /* a rule needs something to hang on */
        code = file_make_dir(config->data_dir, 0700, err);
    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < sizeof system_files / sizeof system_files[0]; i++)
        allow(paths, system_files[i], SANDBOX_READS);
    allow(paths, "/dev/null", SANDBOX_WRITES);
    allow(paths, paths->share, SANDBOX_READS);
    allow(paths, getenv("JUMELAGE_SITE"), SANDBOX_READS); /* NOLINT: one thread so far */
    allow(paths, config->data_dir, SANDBOX_WRITES);
    allow(paths, config->data_dir, SANDBOX_BINDS);
    allow(paths, config->backup_dir, SANDBOX_WRITES);
    if (config->file != NULL)
        allow(paths, folder_of(config->file, arena), SANDBOX_READS);
    if (config->tls_cert != NULL)
        allow(paths, folder_of(config->tls_cert, arena), SANDBOX_READS);
    if (config->tls_key != NULL)
        allow(paths, folder_of(config->tls_key, arena), SANDBOX_READS);
    allow(paths, config->console_dir, SANDBOX_READS);
    for (size_t i = 0; i < config->n_listen; i++)
        if (strncmp(config->listen[i], "unix:", 5) == 0)
            allow(paths, folder_of(config->listen[i] + 5, arena), SANDBOX_BINDS);
    return sandbox_enclose(sandbox, paths->list, paths->n, err);
}

static int
serve(const struct config *config, struct arena *arena)
{
    const struct err *failure;
    struct err err = {0};
    struct sandbox sandbox;
    struct server *server;
    struct log log;
    int status = EX_OK;

    log_init(&log, STDERR_FILENO, config->log_level, clock_system());
    sandbox_init(&sandbox, config->sandbox);
    if (enclose(config, arena, &sandbox, &err) != ERR_OK ||
        server_open(config, &log, &server, &err) != ERR_OK)
        return fail(&err);
    if (sandbox_seal(&sandbox, &err) != ERR_OK) {
        server_close(server);
        return fail(&err);
    }
    sandbox_tell(&sandbox, &log);
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
        status = serve(&config, arena);
    arena_destroy(arena);
    return status;
}
