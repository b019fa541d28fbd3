/* backend_local.c: an engine in this process. */
#include "backend_kind.h"
#include "call.h"
#include "interrupt.h"
#include "tell.h"

#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 128, CALL_ITEMS_MAX = 5000000 };
enum { CALL_BYTES_MAX = 256 * 1024 * 1024, CALL_ARENA_BYTES = 1024 * 1024 * 1024 };

struct local {
    struct backend backend;
    struct engine *engine;
    struct caller caller;
    char name[NAME_MAX_BYTES];
};

static struct local *
local_of(struct backend *backend)
{
    return (struct local *)(void *)backend;
}

/* The embedded tool acts as the user of the operating system: whoever can read the store's files can do
 * everything with them anyway, so its role is admin. */
static void
who_am_i(struct local *local)
{
    const struct passwd *user = getpwuid(geteuid()); /* NOLINT: one thread so far */

    snprintf(local->name, sizeof local->name, "%s", user != NULL ? user->pw_name : "unknown");
    local->caller = (struct caller){.role = ROLE_ADMIN, .name = str_from(local->name)};
}

/* ---- calls ---- */

static struct str
keep(const struct buf *bytes, struct arena *arena)
{
    struct str copy = {NULL, bytes->len};

    if (bytes->len == 0)
        return copy;
    copy.data = arena_copy(arena, bytes->data, bytes->len);
    if (copy.data == NULL)
        fail_memory();
    return copy;
}

static bool
is_interrupted(void *context)
{
    (void)context;
    return interrupt_came();
}

static enum err_code
local_call(struct backend *backend, const char *method, struct str params, struct arena *arena,
           struct reply *reply, struct err *err)
{
    struct value_limits limits = {.bytes = CALL_BYTES_MAX, .items = CALL_ITEMS_MAX, .depth = 32};
    const msgpack_object *map = NULL;
    struct local *local = local_of(backend);
    struct arena *scratch;
    struct call call;
    enum err_code code = ERR_OK;

    if (interrupt_came())
        return err_set(err, ERR_CANCELLED, "stopped by a signal");
    scratch = arena_create(CALL_ARENA_BYTES);
    if (scratch == NULL)
        fail_memory();
    call_init(&call, local->engine, &local->caller, scratch, 0);
    call.is_cancelled = is_interrupted;
    if (params.len > 0)
        code = value_decode(params.data, params.len, &limits, scratch, &map, err);
    if (code == ERR_OK)
        code = call_open(&call, str_from(method), map, err);
    if (code == ERR_OK)
        code = call_run(&call, err);
    if (code == ERR_OK)
        reply->answer = keep(&call.answer, arena);
    else
        reply->details = keep(&call.error_details, arena);
    call_fini(&call);
    arena_destroy(scratch);
    return code;
}

static enum err_code
local_bounds(struct backend *backend, struct call_bounds *out, struct err *err)
{
    (void)backend, (void)err;
    *out = (struct call_bounds){.bytes = CALL_BYTES_MAX, .items = CALL_ITEMS_MAX};
    return ERR_OK;
}

static const struct reference *
local_reference(const struct backend *backend)
{
    return engine_reference(((const struct local *)(const void *)backend)->engine);
}

/* ---- opening and closing ---- */

static void
local_close(struct backend *backend)
{
    engine_close(local_of(backend)->engine);
    free(backend);
}

static const struct backend_kind local_kind = {
    .call = local_call,
    .bounds = local_bounds,
    .reference = local_reference,
    .close = local_close,
};

/* On the writer's thread. */
static void
on_fatal(void *context, const struct err *err)
{
    struct backend *backend = context;

    (void)err; /* the call that met it says it */
    atomic_store(&backend->has_failed, true);
}

/* For comparisons: JUMELAGE_KERNEL says which code searches. */
static enum err_code
choose_kernel(struct engine_options *options, struct err *err)
{
    const char *name = getenv("JUMELAGE_KERNEL"); /* NOLINT: one thread so far */
    enum err_code code = ERR_OK;

    if (name != NULL && *name != '\0')
        code = engine_kernel_find(str_from(name), &options->kernel, err);
    if (code != ERR_OK)
        err_at(err, "JUMELAGE_KERNEL");
    return code;
}

enum err_code
backend_local_open(const char *dir, bool must_exist, int64_t wait_ms, struct backend **out,
                   struct err *err)
{
    struct engine_options options = {
        .data_dir = dir, .wait_ms = wait_ms, .holder = "tool", .must_exist = must_exist};
    enum err_code code = choose_kernel(&options, err);
    struct local *local;

    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (code != ERR_OK)
        return code;
    options.helpers = processors > 1 ? (size_t)processors - 1 : 0;
    local = calloc(1, sizeof *local);
    if (local == NULL)
        fail_memory();
    options.on_fatal = on_fatal;
    options.fatal_context = &local->backend;
    code = engine_open(&options, &local->engine, err);
    if (code != ERR_OK) {
        free(local);
        return code;
    }
    interrupt_watch(); /* from here on there is a store to close */
    who_am_i(local);
    local->backend.kind = &local_kind;
    *out = &local->backend;
    return ERR_OK;
}
