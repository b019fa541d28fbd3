/*
 * backend.c: chooses who answers.
 *
 * In this order: --server, --data, JUMELAGE_SERVER, JUMELAGE_DATA, the folder of this user. A store that
 * a service holds is asked through that service, whose addresses stand in the store's lock file: at a
 * unix socket, or else at TCP. A store that another tool holds is waited for. Since a holder may come or
 * go between a look at the lock and the step after it, each step that fails for that reason is taken again
 * until the time is over.
 */
#include "backend_kind.h"
#include "clock.h"
#include "store.h"
#include "tell.h"

#include <jumelage/jumelage.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WAIT_MS = 5000, LOCK_WAIT_MS = 200, PAUSE_NS = 20000000 };

static const char holder_service[] = "service ";

static bool
begins_with(struct str text, const char *head)
{
    size_t n = strlen(head);

    return text.len >= n && memcmp(text.data, head, n) == 0;
}

static const char *
environment(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* ---- where ---- */

const char *
backend_data_dir(const struct cli *cli)
{
    const char *named = cli->data != NULL ? cli->data : environment("JUMELAGE_DATA");
    const char *base = environment("XDG_DATA_HOME"), *home = environment("HOME");

    if (named != NULL)
        return named;
    if (base != NULL && base[0] == '/')
        return arena_format(cli->arena, "%s/jumelage", base).data;
    return arena_format(cli->arena, "%s/.local/share/jumelage", home != NULL ? home : "").data;
}

/* The environment's token belongs to the environment's service: --data sets both aside. */
static struct service_place
service_place(const struct cli *cli)
{
    struct service_place place = {0};

    place.address = cli->server;
    place.address_name = "--server";
    if (place.address == NULL && cli->data == NULL) {
        place.address = environment("JUMELAGE_SERVER");
        place.address_name = "JUMELAGE_SERVER";
    }
    place.token_file = cli->token_file;
    place.token_file_name = "--token-file";
    if (place.token_file == NULL && cli->data == NULL) {
        place.token_file = environment("JUMELAGE_TOKEN_FILE");
        place.token_file_name = "JUMELAGE_TOKEN_FILE";
    }
    /* Of the environment's file only TLS can make use; one that was typed is never passed over. */
    place.ca_file = cli->ca_file;
    place.ca_file_name = "--ca-file";
    if (place.ca_file == NULL && place.address != NULL &&
        (begins_with(str_from(place.address), "tls:") ||
         begins_with(str_from(place.address), "https:"))) {
        place.ca_file = environment("JUMELAGE_CA_FILE");
        if (place.ca_file != NULL) /* else --ca-file is what would help */
            place.ca_file_name = "JUMELAGE_CA_FILE";
    }
    return place;
}

/* ---- a store, or the service that holds it ---- */

/* Takes the next address off the list. Addresses are parted by spaces, which a path may hold too: the
 * next one begins where a space is followed by a kind of address. */
static const char *
next_address(struct str *list, struct arena *arena)
{
    static const char *const kinds[] = {" unix:", " tcp:", " tls:", " http:", " https:"};
    size_t end = list->len;
    struct str one;

    if (list->len == 0)
        return NULL;
    for (size_t at = 1; at < end; at++)
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            if (begins_with((struct str){list->data + at, list->len - at}, kinds[i]))
                end = at;
    one = str_trim((struct str){list->data, end});
    *list = (struct str){list->data + end, list->len - end};
    return arena_format(arena, "%.*s", STR_ARG(one)).data;
}

/* It listens where more must be known than the lock file tells: a name, an authority. */
static enum err_code
holder_elsewhere(struct str holder, struct err *err)
{
    size_t head = sizeof holder_service - 1;

    err_set(err, (enum err_code)JML_UNREACHABLE,
            "the store is held by a service without a unix socket or a TCP port; name it by one of "
            "its addresses: %.*s",
            (int)(holder.len - head), holder.data + head);
    err_at(err, "--server");
    return err->code;
}

static enum err_code
open_holder(struct cli *cli, struct str holder, struct backend **out, struct err *err)
{
    static const char *const kinds[] = {"unix:", "tcp:"}; /* dearest first */
    struct service_place place = service_place(cli);
    size_t head = sizeof holder_service - 1;
    enum err_code code = ERR_OK;
    bool is_tried = false;

    place.address_name = "store";
    place.ca_file = NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct str list = {holder.data + head, holder.len - head};

        while ((place.address = next_address(&list, cli->arena)) != NULL &&
               (!is_tried || code == (enum err_code)JML_UNREACHABLE)) {
            if (!begins_with(str_from(place.address), kinds[i]))
                continue;
            is_tried = true;
            code = backend_service_open(&place, out, err);
        }
    }
    if (!is_tried)
        return holder_elsewhere(holder, err);
    if (code == ERR_OK)
        (*out)->stands_for_store = true;
    return code;
}

/* Does the failure tell of a holder that comes or goes? */
static bool
is_passing(enum err_code code, const struct err *err)
{
    return (code == ERR_BUSY && strcmp(err->field, "store") == 0) || code == ERR_DRAINING ||
           (code == (enum err_code)JML_UNREACHABLE && strcmp(err->field, "--server") != 0) ||
           code == (enum err_code)JML_LOST;
}

static enum err_code
open_store(struct cli *cli, bool must_exist, struct backend **out, struct err *err)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const struct clock *clock = clock_system();
    const char *dir = backend_data_dir(cli);
    int64_t end_ms = clock->steady_ms(clock) + WAIT_MS;

    for (;; nanosleep(&pause, NULL)) {
        struct arena_mark mark = arena_mark(cli->arena);
        bool is_last = clock->steady_ms(clock) >= end_ms;
        struct str holder;
        enum err_code code = store_holder(dir, cli->arena, &holder, err);

        if (code != ERR_OK)
            return code;
        if (begins_with(holder, holder_service)) {
            code = open_holder(cli, holder, out, err);
        } else if (holder.len == 0 || is_last) {
            code = backend_local_open(dir, must_exist, LOCK_WAIT_MS, out, err);
        } else {
            arena_release(cli->arena, mark);
            continue;
        }
        if (code == ERR_OK || is_last || !is_passing(code, err))
            return code;
        arena_release(cli->arena, mark);
    }
}

enum err_code
backend_open(struct cli *cli, bool must_exist, struct err *err)
{
    struct service_place place = service_place(cli);

    if (cli->backend != NULL)
        return ERR_OK;
    if (place.address != NULL)
        return backend_service_open(&place, &cli->backend, err);
    return open_store(cli, must_exist, &cli->backend, err);
}

void
backend_close(struct backend *backend)
{
    if (backend != NULL)
        backend->kind->close(backend);
}

/* ---- calls ---- */

static enum err_code
decode(struct str packed, struct arena *arena, const msgpack_object **out, struct err *err)
{
    struct value_limits limits = {.bytes = SIZE_MAX / 2, .items = 50000000, .depth = 32};

    return value_decode(packed.data, packed.len, &limits, arena, out, err);
}

/* Has the service that held the store ended, and was nothing done? Then whoever has the store now can be
 * asked instead. */
static bool
is_gone(const struct backend *backend, enum err_code code, const char *method)
{
    return backend->stands_for_store &&
           (code == (enum err_code)JML_UNREACHABLE || code == ERR_DRAINING ||
            (code == (enum err_code)JML_LOST && jml_method_reads(method)));
}

static enum err_code
call_again(struct cli *cli, const char *method, struct str params, struct arena *arena,
           struct reply *reply, struct err *err)
{
    enum err_code code;

    backend_close(cli->backend);
    cli->backend = NULL;
    code = open_store(cli, true, &cli->backend, err);
    return code == ERR_OK
               ? cli->backend->kind->call(cli->backend, method, params, arena, reply, err)
               : code;
}

enum err_code
backend_call(struct cli *cli, const char *method, struct str params, struct arena *arena,
             const msgpack_object **result, struct err *err)
{
    struct reply reply = {0};
    struct err details_err = {0};
    enum err_code code = backend_open(cli, true, err);

    if (code != ERR_OK)
        return code;
    cli->backend->details = NULL;
    code = cli->backend->kind->call(cli->backend, method, params, arena, &reply, err);
    if (is_gone(cli->backend, code, method))
        code = call_again(cli, method, params, arena, &reply, err);
    if (code == ERR_OK)
        return decode(reply.answer, arena, result, err);
    if (reply.details.len > 0 && cli->backend != NULL)
        decode(arena_str(cli->arena, reply.details), cli->arena, &cli->backend->details,
               &details_err);
    return code;
}

bool
backend_has_failed(const struct cli *cli)
{
    return cli->backend != NULL && cli->backend->has_failed;
}

const msgpack_object *
backend_details(const struct cli *cli)
{
    return cli->backend != NULL ? cli->backend->details : NULL;
}

const struct reference *
backend_reference(const struct cli *cli)
{
    return cli->backend != NULL ? cli->backend->kind->reference(cli->backend) : NULL;
}

enum err_code
backend_listen(struct cli *cli, const struct listening *listening, struct err *err)
{
    enum err_code code = backend_open(cli, true, err);

    if (code == ERR_OK && cli->backend->kind->listen != NULL)
        cli->backend->kind->listen(cli->backend, listening);
    return code;
}

bool
backend_tells(const struct cli *cli)
{
    return cli->backend != NULL && cli->backend->kind->listen != NULL;
}

enum err_code
backend_hear(struct cli *cli, const bool *is_done, struct err *err)
{
    return cli->backend->kind->hear != NULL ? cli->backend->kind->hear(cli->backend, is_done, err)
                                            : ERR_OK;
}

enum err_code
backend_bounds(struct cli *cli, struct call_bounds *out, struct err *err)
{
    enum err_code code = backend_open(cli, true, err);

    return code == ERR_OK ? cli->backend->kind->bounds(cli->backend, out, err) : code;
}
