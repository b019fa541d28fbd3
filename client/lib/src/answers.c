/* answers.c: what a frame means, and who is told. */
#include "jml_client.h"

#include <inttypes.h>
#include <string.h>

enum { TYPE_ANSWER = 1, TYPE_NOTIFICATION = 2 };

/* ---- telling one call ---- */

/* Frees the slot and calls back. `result` becomes the callback's. */
static void
tell(jml_client *client, struct pending *slot, jml_result *result, const struct jml_error *error)
{
    jml_answer_fn answer = slot->answer;
    void *context = slot->context;
    bool is_told = slot->state == PENDING_WAITS;

    jmli_pending_free(&client->calls, slot);
    if (is_told)
        answer(context, result, error);
    else
        jml_result_free(result);
}

static void
drop_failure(jml_client *client)
{
    jml_result_free(client->failure);
    client->failure = NULL;
}

static void
why_not(const struct pending *slot, const struct jml_error *why, struct jml_error *out)
{
    if (why->code == JML_CLOSED || why->code == JML_BAD_ANSWER) {
        *out = *why; /* a peer that is no jumelage service must not look like a network's fault */
    } else if (slot->has_left) {
        jmli_fail(out, JML_LOST,
                  "the connection ended after the request was sent, so that whether it was "
                  "carried out is unknown; look before you repeat it (%s)",
                  why->message);
        out->retry_ms = why->retry_ms;
    } else {
        *out = *why;
        if (why->code == JML_LOST)
            jmli_fail(out, JML_UNREACHABLE, "the request was not sent: %s", why->message);
    }
}

void
jmli_answer_refuse(jml_client *client, struct pending *call, const struct jml_error *why)
{
    drop_failure(client);
    tell(client, call, NULL, why);
}

void
jmli_answer_fail_before(jml_client *client, uint64_t epoch, const struct jml_error *why)
{
    for (uint32_t i = 0; i < client->calls.n_slots; i++) {
        struct pending *slot = &client->calls.slots[i];
        struct jml_error error;

        if (slot->state == PENDING_FREE || slot->epoch >= epoch)
            continue;
        why_not(slot, why, &error);
        drop_failure(client);
        tell(client, slot, NULL, &error);
    }
}

/* ---- time ---- */

static void
time_out(jml_client *client, struct pending *slot)
{
    uint32_t id = (uint32_t)(slot - client->calls.slots) | (uint32_t)slot->generation << 16;
    jml_answer_fn answer = slot->answer;
    void *context = slot->context;
    struct jml_error error;

    if (jmli_client_has_left(client, slot))
        jmli_fail(&error, JML_TIMEOUT,
                  "no answer in time; the request was sent, so that whether it was carried out is "
                  "unknown (options.call_timeout_ms sets the time)");
    else
        jmli_fail(&error, JML_TIMEOUT,
                  "no answer in time; the request was not sent and will not be "
                  "(options.call_timeout_ms sets the time)");
    jml_client_cancel(client, id);
    drop_failure(client);
    answer(context, NULL, &error);
}

void
jmli_answer_expire(jml_client *client, int64_t now_ms)
{
    int64_t next = INT64_MAX;

    if (now_ms < client->calls.next_deadline_ms)
        return;
    for (uint32_t i = 0; i < client->calls.n_slots && !client->is_closing; i++)
        if (client->calls.slots[i].state == PENDING_WAITS &&
            client->calls.slots[i].deadline_ms <= now_ms)
            time_out(client, &client->calls.slots[i]);
    for (uint32_t i = 0; i < client->calls.n_slots; i++)
        if (client->calls.slots[i].state == PENDING_WAITS &&
            client->calls.slots[i].deadline_ms < next)
            next = client->calls.slots[i].deadline_ms;
    client->calls.next_deadline_ms = next;
}

/* ---- frames ---- */

/* What came begins as HTTP does, and was not asked for in HTTP. */
static bool
speaks_http(const jml_client *client)
{
    static const char begin[] = "HTTP/1.";

    return !client->settings.endpoint.is_http && client->in.len >= sizeof begin - 1 &&
           memcmp(client->in.data, begin, sizeof begin - 1) == 0;
}

static void
not_understood(jml_client *client, const char *what)
{
    const struct endpoint *endpoint = &client->settings.endpoint;
    struct jml_error error;

    if (speaks_http(client))
        jmli_fail_at(
            &error, JML_BAD_ANSWER, "options.address",
            "what listens at %s speaks HTTP; if it is a jumelage service, begin the address "
            "with %s",
            endpoint->text, endpoint->is_tls ? "https://" : "http://");
    else
        jmli_fail(&error, JML_BAD_ANSWER, "%s sent %s; is it a jumelage service?",
                  client->settings.endpoint.text, what);
    jmli_link_end(client, &error);
}

/* The service's error, as it will be told; result becomes client->failure. */
static void
read_failure(jml_client *client, jml_result *result, struct jml_error *error)
{
    drop_failure(client);
    client->failure = result;
    if (!jmli_fail_from_map(error, result->root))
        jmli_fail(error, JML_BAD_ANSWER, "%s sent an error that is no map with a code",
                  client->settings.endpoint.text);
}

static void
take_hello(jml_client *client, jml_result *result, bool is_error)
{
    struct jml_text role = {"", 0};
    struct jml_error error;
    int64_t protocol;

    if (is_error) {
        read_failure(client, result, &error);
        jmli_link_end(client, &error);
        return;
    }
    if (!jml_view_int(jml_view_find(result->root, "protocol"), &protocol)) {
        jml_result_free(result);
        not_understood(client, "a greeting without the number of its protocol");
        return;
    }
    jml_view_text(jml_view_find(result->root, "role"), &role);
    jmli_copy_text(client->role, sizeof client->role, role.data, role.len);
    jml_result_free(result);
    if (protocol != PROTOCOL) {
        jmli_fail(&error, JML_BAD_ANSWER,
                  "%s speaks version %" PRId64 " of the protocol, this library version %d; "
                  "install the library of the service's version",
                  client->settings.endpoint.text, protocol, PROTOCOL);
        jmli_link_end(client, &error);
        return;
    }
    explicit_bzero(client->hello.data, client->hello.room);
    jmli_octets_fini(&client->hello);
    client->is_greeted = true;
    jmli_link_open(client);
}

static void
take_answer(jml_client *client, jml_result *result)
{
    const msgpack_object *parts = result->frame.via.array.ptr;
    bool is_error = parts[2].type != MSGPACK_OBJECT_NIL;
    struct pending *slot;
    struct jml_error error;
    int64_t id;

    if (!jml_view_int(&parts[1], &id) || id < 0 || id > UINT32_MAX) {
        jml_result_free(result);
        not_understood(client, "an answer whose id is no number of 32 bits");
        return;
    }
    jmli_result_show(result, is_error ? 2 : 3);
    if (client->state == LINK_GREETING && id == HELLO_ID &&
        client->hello_sent == client->hello.len) {
        take_hello(client, result, is_error);
        return;
    }
    slot = jmli_pending_find(&client->calls, (uint32_t)id);
    if (slot == NULL || slot->epoch != client->epoch || !jmli_client_has_left(client, slot)) {
        jml_result_free(result);
        not_understood(client, "an answer to a call that is not under way");
        return;
    }
    if (!is_error) {
        tell(client, slot, result, NULL);
    } else if (slot->state == PENDING_GIVEN_UP) {
        tell(client, slot, result, NULL);
    } else {
        read_failure(client, result, &error);
        tell(client, slot, NULL, &error);
    }
}

static void
take_notification(jml_client *client, jml_result *result)
{
    const msgpack_object *parts = result->frame.via.array.ptr;
    struct jml_error error;
    struct jml_text method;

    if (!jml_view_text(&parts[1], &method) || parts[2].type != MSGPACK_OBJECT_ARRAY) {
        jml_result_free(result);
        not_understood(client, "a notification without method and parameters");
        return;
    }
    if (client->notification != NULL)
        client->notification(client->notification_context, method, &parts[2]);
    if (jml_text_is(method, "system.error") && !client->is_closing) {
        if (!jmli_fail_from_map(&error, jml_view_at(&parts[2], 0)))
            jmli_fail(&error, JML_BAD_ANSWER, "%s sent system.error without an error",
                      client->settings.endpoint.text);
        jml_result_free(result);
        jmli_link_end(client, &error);
        return;
    }
    jml_result_free(result);
}

/* The id of an answer, as services write it: read without memory. */
static bool
peek_id(const uint8_t *bytes, size_t n, uint32_t *id)
{
    size_t width;

    if (n < 4 || bytes[0] != 0x94 || bytes[1] != TYPE_ANSWER)
        return false;
    *id = bytes[2];
    if (bytes[2] < 0x80)
        return true;
    if (bytes[2] < 0xcc || bytes[2] > 0xce)
        return false;
    width = (size_t)1 << (bytes[2] - 0xcc);
    if (n < 3 + width)
        return false;
    *id = 0;
    for (size_t i = 0; i < width; i++)
        *id = *id << 8 | bytes[3 + i];
    return true;
}

/* Memory for an answer was not there: its call must still be told, and it alone. */
static void
no_memory(jml_client *client, const uint8_t *bytes, size_t n)
{
    struct jml_error error;
    struct pending *slot = NULL;
    uint32_t id;

    jmli_no_memory(&error);
    if (client->state == LINK_OPEN && peek_id(bytes, n, &id))
        slot = jmli_pending_find(&client->calls, id);
    if (slot == NULL || slot->epoch != client->epoch || !jmli_client_has_left(client, slot)) {
        jmli_link_end(client, &error);
        return;
    }
    drop_failure(client);
    tell(client, slot, NULL, &error);
}

void
jmli_answer_take(jml_client *client, const uint8_t *bytes, size_t n, size_t n_items)
{
    jml_result *result = jmli_result_read(client->allocator, bytes, n, n_items);
    const msgpack_object *frame;
    int64_t type;

    if (result == NULL) {
        no_memory(client, bytes, n);
        return;
    }
    frame = &result->frame;
    if (frame->type == MSGPACK_OBJECT_ARRAY && frame->via.array.size > 0 &&
        jml_view_int(&frame->via.array.ptr[0], &type)) {
        if (type == TYPE_ANSWER && frame->via.array.size == 4) {
            take_answer(client, result);
            return;
        }
        if (type == TYPE_NOTIFICATION && frame->via.array.size == 3 &&
            !client->settings.endpoint.is_http) { /* there is nothing to answer a call with */
            take_notification(client, result);
            return;
        }
    }
    jml_result_free(result);
    not_understood(client, "what is neither an answer nor a notification");
}
