/* backend_service.c: a service, by the client library. */
#include "answers.h"
#include "backend_kind.h"
#include "interrupt.h"
#include "tell.h"

#include <jumelage/jumelage.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A person waits and can press Ctrl-C, so that a call may take longer than a program would let it. */
enum { CALL_TIMEOUT_MS = 300000 };
/* An envelope around the parameters: array, type, msgid, method. */
enum { ENVELOPE_BYTES = 256, ENVELOPE_ITEMS = 8 };

struct service {
    struct backend backend;
    jml_client *client;
    struct service_place place;
    struct listening listening;
};

static struct service *
service_of(struct backend *backend)
{
    return (struct service *)(void *)backend;
}

/* The user gave an option of the tool, not of the library. */
static const char *
field_name(const struct service_place *place, const char *field)
{
    if (strcmp(field, "options.address") == 0)
        return place->address_name;
    if (strcmp(field, "options.token_file") == 0)
        return place->token_file_name;
    if (strcmp(field, "options.tls_ca_file") == 0)
        return place->ca_file_name;
    if (strcmp(field, "options.tls_server_name") == 0) /* the tool has the address's alone */
        return place->address_name;
    return field;
}

/* The library's error as ours; its codes are the protocol's, and a few below 0. */
static enum err_code
err_of(const struct service_place *place, const struct jml_error *error, struct err *err)
{
    enum err_code code = (enum err_code)error->code;

    err_set(err, code, "%s", error->message);
    if (error->field[0] != '\0')
        err_at(err, field_name(place, error->field));
    err->retry_ms = error->retry_ms;
    return code;
}

static struct str
keep(struct jml_bytes bytes, struct arena *arena)
{
    struct str copy = {NULL, bytes.len};

    if (bytes.len == 0)
        return copy;
    copy.data = arena_copy(arena, bytes.data, bytes.len);
    if (copy.data == NULL)
        fail_memory();
    return copy;
}

/* ---- calls ---- */

static enum err_code
service_call(struct backend *backend, const char *method, struct str params, struct arena *arena,
             struct reply *reply, struct err *err)
{
    struct service *service = service_of(backend);
    struct jml_bytes packed = {params.data, params.len};
    struct jml_error error;
    jml_result *result;

    if (jml_call_packed(service->client, method, packed, &result, &error) != JML_OK) {
        reply->details = keep(jml_client_details(service->client), arena);
        return err_of(&service->place, &error, err);
    }
    reply->answer = keep(jml_result_packed(result), arena);
    jml_result_free(result);
    return ERR_OK;
}

/* ---- notifications ---- */

static void
hear_notification(void *context, struct jml_text method, const msgpack_object *params)
{
    const struct service *service = context;

    service->listening.hear(service->listening.context, (struct str){method.data, method.len},
                            params);
}

static void
service_listen(struct backend *backend, const struct listening *listening)
{
    struct service *service = service_of(backend);

    service->listening = *listening;
    jml_client_on_notification(service->client, hear_notification, service);
}

/* Signals come while nothing but ppoll is in progress, so that none is overlooked. */
static enum jml_code
hear_once(struct service *service, const sigset_t *otherwise)
{
    struct pollfd fd = {.fd = jml_client_fd(service->client),
                        .events = jml_client_events(service->client)};
    int ms = jml_client_timeout_ms(service->client);
    struct timespec patience = {ms / 1000, ms % 1000 * 1000000L};
    int n = ppoll(&fd, fd.fd >= 0 ? 1 : 0, ms >= 0 ? &patience : NULL, otherwise);

    if (n < 0 && errno == EINTR)
        return JML_OK;
    return jml_client_process(service->client, n > 0 ? fd.revents : 0);
}

static enum err_code
service_hear(struct backend *backend, const bool *is_done, struct err *err)
{
    struct service *service = service_of(backend);
    enum jml_code code = JML_OK;
    sigset_t ours, before;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    sigprocmask(SIG_BLOCK, &ours, &before);
    while (code == JML_OK && !*is_done && !interrupt_came() && jml_client_fd(service->client) >= 0)
        code = hear_once(service, &before);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (*is_done || interrupt_came())
        return ERR_OK;
    return err_of(&service->place, jml_client_error(service->client), err);
}

static enum err_code
service_bounds(struct backend *backend, struct call_bounds *out, struct err *err)
{
    struct service *service = service_of(backend);
    struct jml_hello hello;
    struct jml_error error;
    jml_result *result;

    if (jml_hello(service->client, &hello, &result, &error) != JML_OK)
        return err_of(&service->place, &error, err);
    *out = (struct call_bounds){.bytes = (size_t)number_of(hello.limits, "frame_bytes"),
                                .items = (size_t)number_of(hello.limits, "frame_items")};
    jml_result_free(result);
    if (out->bytes <= ENVELOPE_BYTES || out->items <= ENVELOPE_ITEMS)
        return err_set(err, (enum err_code)JML_BAD_ANSWER,
                       "the service at %.100s does not say how large a request may be",
                       service->place.address);
    out->bytes -= ENVELOPE_BYTES;
    out->items -= ENVELOPE_ITEMS;
    return ERR_OK;
}

static const struct reference *
service_reference(const struct backend *backend)
{
    (void)backend; /* its tables are there; the tool's own share folder has the same */
    return NULL;
}

/* ---- opening and closing ---- */

static void
service_close(struct backend *backend)
{
    jml_client_close(service_of(backend)->client);
    free(backend);
}

static const struct backend_kind service_kind = {
    .call = service_call,
    .listen = service_listen,
    .hear = service_hear,
    .bounds = service_bounds,
    .reference = service_reference,
    .close = service_close,
};

enum err_code
backend_service_open(const struct service_place *place, struct backend **out, struct err *err)
{
    struct jml_options options = JML_OPTIONS_INIT;
    struct service *service = calloc(1, sizeof *service);
    struct jml_error error;

    if (service == NULL)
        fail_memory();
    options.address = place->address;
    options.token_file = place->token_file;
    options.tls_ca_file = place->ca_file;
    options.client_name = "jumelage " JML_VERSION;
    options.call_timeout_ms = CALL_TIMEOUT_MS;
    if (jml_client_open(&options, &service->client, &error) != JML_OK) {
        free(service);
        return err_of(place, &error, err);
    }
    service->backend.kind = &service_kind;
    service->place = *place;
    *out = &service->backend;
    return ERR_OK;
}
