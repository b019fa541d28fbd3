#include "backend.h"

#include "call.h"
#include "tell.h"

#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { WAIT_MS = 5000, NAME_MAX_BYTES = 128 };
enum { CALL_ARENA_BYTES = 1024 * 1024 * 1024 };

struct backend {
    struct engine *engine;
    struct caller caller;
    char name[NAME_MAX_BYTES];
    const msgpack_object *details;
    _Atomic bool has_failed; /* the store writes no more */
};

/* The embedded tool acts as the user of the operating system: whoever can read the store's files can do
 * everything with them anyway, so its role is admin. */
static void
who_am_i(struct backend *backend)
{
    const struct passwd *user = getpwuid(geteuid()); /* NOLINT: one thread so far */

    snprintf(backend->name, sizeof backend->name, "%s", user != NULL ? user->pw_name : "unknown");
    backend->caller = (struct caller){.role = ROLE_ADMIN, .name = str_from(backend->name)};
}

static void
on_fatal(void *context, const struct err *err)
{
    struct backend *backend = context;

    (void)err; /* the call that met it says it */
    atomic_store(&backend->has_failed, true);
}

bool
backend_has_failed(const struct cli *cli)
{
    return cli->backend != NULL && atomic_load(&cli->backend->has_failed);
}

enum err_code
backend_open(struct cli *cli, bool must_exist, struct err *err)
{
    struct engine_options options = {
        .data_dir = cli->data_dir, .wait_ms = WAIT_MS, .holder = "tool", .must_exist = must_exist};
    struct backend *backend;
    enum err_code code;

    if (cli->backend != NULL)
        return ERR_OK;
    if (cli->server != NULL && cli->server[0] != '\0') {
        fputs("jumelage: this release speaks to stores on this machine only; leave --server out\n",
              stderr);
        exit(EX_UNAVAILABLE);
    }
    backend = calloc(1, sizeof *backend);
    if (backend == NULL)
        fail_memory();
    options.on_fatal = on_fatal;
    options.fatal_context = backend;
    code = engine_open(&options, &backend->engine, err);
    if (code != ERR_OK) {
        free(backend);
        return code;
    }
    who_am_i(backend);
    cli->backend = backend;
    return ERR_OK;
}

void
backend_close(struct backend *backend)
{
    if (backend == NULL)
        return;
    engine_close(backend->engine);
    free(backend);
}

static enum err_code
keep_result(const struct buf *bytes, struct arena *arena, const msgpack_object **out,
            struct err *err)
{
    struct value_limits limits = {.bytes = SIZE_MAX / 2, .items = 50000000, .depth = 32};
    const void *copy = arena_copy(arena, bytes->data, bytes->len);

    if (copy == NULL)
        fail_memory();
    return value_decode(copy, bytes->len, &limits, arena, out, err);
}

enum err_code
backend_call(struct cli *cli, const char *method, struct str params, struct arena *arena,
             const msgpack_object **result, struct err *err)
{
    struct value_limits limits = {.bytes = 256 * 1024 * 1024, .items = 5000000, .depth = 32};
    const msgpack_object *map = NULL;
    struct err details_err = {0};
    struct arena *scratch;
    struct call call;
    enum err_code code = backend_open(cli, true, err);

    if (code != ERR_OK)
        return code;
    cli->backend->details = NULL;
    scratch = arena_create(CALL_ARENA_BYTES);
    if (scratch == NULL)
        fail_memory();
    call_init(&call, cli->backend->engine, &cli->backend->caller, scratch, 0);
    if (params.len > 0)
        code = value_decode(params.data, params.len, &limits, scratch, &map, err);
    if (code == ERR_OK)
        code = call_open(&call, str_from(method), map, err);
    if (code == ERR_OK)
        code = call_run(&call, err);
    if (code == ERR_OK)
        code = keep_result(&call.answer, arena, result, err);
    else if (call.error_details.len > 0)
        keep_result(&call.error_details, cli->arena, &cli->backend->details, &details_err);
    call_fini(&call);
    arena_destroy(scratch);
    return code;
}

const msgpack_object *
backend_details(const struct cli *cli)
{
    return cli->backend != NULL ? cli->backend->details : NULL;
}

const struct reference *
backend_reference(const struct cli *cli)
{
    return cli->backend != NULL ? engine_reference(cli->backend->engine) : NULL;
}
