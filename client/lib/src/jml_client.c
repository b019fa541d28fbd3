/* jml_client.c: the client as its owner sees it: made, asked, driven, closed. */
#include "jml_client.h"

#include "jml_params.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum {
    METHOD_BYTES_MAX = 200,
    HEAD_BYTES = 24, /* of a request, without its method and parameters, at most */
    BUSY_RETRY_MS = 100
};

const char *
jml_version(void)
{
    return JML_VERSION_TEXT;
}

/* ---- life ---- */

static void
init(jml_client *client)
{
    const struct settings *settings = &client->settings;
    uint64_t somewhere = (uint64_t)(uintptr_t)client ^ ((uint64_t)getpid() << 32);

    client->allocator = &client->settings.allocator;
    client->state = LINK_IDLE;
    client->fd = -1;
    client->epoch = 1;
    client->connect_deadline_ms = INT64_MAX;
    client->backoff_ms = BACKOFF_FIRST_MS;
    client->random = (uint32_t)(somewhere ^ somewhere >> 32 ^ (uint64_t)jmli_now_ms()) | 1;
    jmli_octets_init(&client->hello, client->allocator, 4096);
    jmli_octets_init(&client->out, client->allocator, settings->max_unsent_bytes);
    jmli_octets_init(&client->in, client->allocator, settings->max_frame_bytes + 2 * READ_BYTES);
    jmli_pending_init(&client->calls, client->allocator, settings->max_in_flight);
    client->error.code = JML_OK;
}

enum jml_code
jmli_client_create(const struct jml_options *options, jml_client **out, struct jml_error *error)
{
    struct settings settings;
    jml_client *client;
    enum jml_code code = jmli_settings_read(options, &settings, error);

    if (code != JML_OK)
        return code;
    client = jmli_resize(&settings.allocator, NULL, sizeof *client);
    if (client != NULL) {
        memset(client, 0, sizeof *client);
        client->settings = settings;
        settings.trust = (struct trust){0}; /* it is the client's now */
        init(client);
        *out = client;
    }
    jmli_settings_fini(&settings);
    return client != NULL ? JML_OK : jmli_no_memory(error);
}

enum jml_code
jml_client_start(const struct jml_options *options, jml_client **out, struct jml_error *error)
{
    jml_client *client;
    enum jml_code code = jmli_client_create(options, &client, error);

    if (code != JML_OK)
        return code;
    jmli_link_want(client);
    *out = client;
    return JML_OK;
}

static void
destroy(jml_client *client)
{
    struct jml_allocator allocator = client->settings.allocator;

    jmli_link_drop(client);
    jml_result_free(client->failure);
    jmli_octets_fini(&client->out);
    jmli_pending_fini(&client->calls);
    jmli_settings_fini(&client->settings);
    jmli_resize(&allocator, client, 0);
}

static void
close_now(jml_client *client)
{
    struct jml_error error;

    jmli_fail(&error, JML_CLOSED, "the client was closed by its owner before the answer came");
    client->is_closing = true; /* so that callbacks send nothing more */
    client->is_busy = true;
    jmli_answer_fail_before(client, UINT64_MAX, &error);
    destroy(client);
}

void
jml_client_close(jml_client *client)
{
    if (client == NULL)
        return;
    if (client->is_busy)
        client->is_closing = true; /* process does it when the callback has returned */
    else
        close_now(client);
}

/* ---- questions ---- */

bool
jml_client_is_open(const jml_client *client)
{
    return client->state == LINK_OPEN;
}

const char *
jml_client_role(const jml_client *client)
{
    return client->role;
}

const struct jml_error *
jml_client_error(const jml_client *client)
{
    return &client->error;
}

struct jml_bytes
jml_client_details(const jml_client *client)
{
    struct jml_bytes none = {NULL, 0};

    return client->failure != NULL ? jmli_result_member(client->failure, "details") : none;
}

int
jml_client_fd(const jml_client *client)
{
    return client->fd;
}

short
jml_client_events(const jml_client *client)
{
    bool has_unsent = jmli_secure_has_unsent(&client->secure);

    switch (client->state) {
    case LINK_IDLE:
    case LINK_WAITING:
        return 0;
    case LINK_CONNECTING:
        return POLLOUT;
    case LINK_SECURING:
        break;
    case LINK_GREETING:
        has_unsent |= client->hello_sent < client->hello.len;
        break;
    case LINK_OPEN:
        has_unsent |= jmli_client_has_unsent(client);
        break;
    }
    return has_unsent ? POLLIN | POLLOUT : POLLIN;
}

int
jml_client_timeout_ms(const jml_client *client)
{
    int64_t at_ms = client->calls.next_deadline_ms, left_ms;

    if (client->state == LINK_WAITING && client->retry_at_ms < at_ms)
        at_ms = client->retry_at_ms;
    if (client->connect_deadline_ms < at_ms &&
        (client->state == LINK_CONNECTING || client->state == LINK_SECURING ||
         client->state == LINK_GREETING))
        at_ms = client->connect_deadline_ms;
    if (at_ms == INT64_MAX)
        return -1;
    left_ms = at_ms - jmli_now_ms();
    return left_ms <= 0 ? 0 : left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/* ---- a step ---- */

enum jml_code
jml_client_process(jml_client *client, short revents)
{
    uint64_t epoch = client->epoch;
    int64_t now_ms = jmli_now_ms();

    if (client->is_busy)
        return JML_MISUSE;
    client->is_busy = true;
    jmli_link_step(client, revents, now_ms);
    if (!client->is_closing)
        jmli_answer_expire(client, now_ms);
    client->is_busy = false;
    if (client->is_closing) {
        close_now(client);
        return JML_OK;
    }
    return client->epoch == epoch ? JML_OK : client->error.code;
}

void
jml_client_on_notification(jml_client *client, jml_notification_fn notification, void *context)
{
    client->notification = notification;
    client->notification_context = context;
}

/* ---- sending ---- */

static enum jml_code
check_send(const jml_client *client, const char *method, struct jml_bytes params,
           struct jml_error *error)
{
    size_t len = method != NULL ? strlen(method) : 0;

    if (client->is_closing)
        return jmli_fail(error, JML_CLOSED, "the client is being closed and takes no more calls");
    if (len == 0 || len > METHOD_BYTES_MAX)
        return jmli_fail_at(error, JML_BAD_OPTION, "method",
                            "the method's name has %zu bytes; it must have 1 to %d, as match.top",
                            len, METHOD_BYTES_MAX);
    return params.len == 0 ? JML_OK : jmli_packed_check(params, true, "params", error);
}

static enum jml_code
busy(struct jml_error *error, const char *what)
{
    enum jml_code code = jmli_fail(error, JML_BUSY, "%s; take some answers first", what);

    if (error != NULL)
        error->retry_ms = BUSY_RETRY_MS;
    return code;
}

/* Room for one more request, which then cannot fail to be packed. */
static enum jml_code
make_room(jml_client *client, size_t n, struct jml_error *error)
{
    struct octets *out = &client->out;

    if (client->calls.n_used >= client->calls.max)
        return busy(error, "as many calls are under way as options.max_in_flight allows");
    if (out->len - client->out_sent + n > out->limit) {
        if (n > out->limit)
            return jmli_fail_at(error, JML_TOO_LARGE, "params",
                                "the request has %zu bytes; options.max_unsent_bytes allows %zu", n,
                                out->limit);
        return busy(error, "as many bytes wait to be sent as options.max_unsent_bytes allows");
    }
    if (out->len + n > out->limit)
        jmli_link_forget_sent(client);
    return jmli_octets_reserve(out, n) ? JML_OK : jmli_no_memory(error);
}

static void
pack_request(struct octets *out, uint32_t id, const char *method, struct jml_bytes params)
{
    msgpack_packer packer = jmli_octets_packer(out);

    msgpack_pack_array(&packer, 4);
    msgpack_pack_int(&packer, 0);
    msgpack_pack_uint32(&packer, id);
    jmli_pack_text(&packer, method, strlen(method));
    msgpack_pack_array(&packer, params.len != 0 ? 1 : 0);
    jmli_octets_append(out, params.data, params.len);
}

enum jml_code
jmli_client_send(jml_client *client, const char *method, struct jml_bytes params,
                 int64_t deadline_ms, jml_answer_fn answer, void *context, uint32_t *id,
                 struct jml_error *error)
{
    enum jml_code code = check_send(client, method, params, error);
    struct pending *slot;
    uint32_t own_id;

    if (code == JML_OK)
        code = make_room(client, HEAD_BYTES + strlen(method) + params.len, error);
    if (code != JML_OK)
        return code;
    slot = jmli_pending_add(&client->calls, deadline_ms, &own_id);
    if (slot == NULL)
        return jmli_no_memory(error);
    slot->epoch = client->epoch;
    slot->start = client->out_base + client->out.len;
    slot->has_left = false;
    slot->answer = answer;
    slot->context = context;
    pack_request(&client->out, own_id, method, params);
    slot->len = (size_t)(client->out_base + client->out.len - slot->start);
    jmli_link_want(client);
    if (id != NULL)
        *id = own_id;
    return JML_OK;
}

enum jml_code
jml_client_send_packed(jml_client *client, const char *method, struct jml_bytes params,
                       jml_answer_fn answer, void *context, uint32_t *id, struct jml_error *error)
{
    int64_t deadline_ms = jmli_deadline(jmli_now_ms(), client->settings.call_timeout_ms);

    if (answer == NULL)
        return jmli_fail_at(error, JML_BAD_OPTION, "answer", "answer is NULL; give a callback");
    return jmli_client_send(client, method, params, deadline_ms, answer, context, id, error);
}

enum jml_code
jml_client_send(jml_client *client, const char *method, const jml_params *params,
                jml_answer_fn answer, void *context, uint32_t *id, struct jml_error *error)
{
    struct jml_bytes packed;
    enum jml_code code = jmli_params_take(params, &packed, error);

    if (code != JML_OK)
        return code;
    return jml_client_send_packed(client, method, packed, answer, context, id, error);
}

static bool
is_in_turn(const jml_client *client, const struct pending *call)
{
    return client->turn.step != TURN_IDLE && call->epoch == client->epoch &&
           client->turn.start == call->start;
}

bool
jmli_client_has_left(const jml_client *client, const struct pending *call)
{
    return call->has_left || is_in_turn(client, call) ||
           (call->epoch == client->epoch && client->out_base + client->out_sent > call->start);
}

bool
jmli_client_has_unsent(const jml_client *client)
{
    const struct http_turn *turn = &client->turn;

    if (turn->step == TURN_IDLE)
        return client->out_sent < client->out.len;
    return turn->head_sent < turn->head_len || client->out_base + client->out_sent < turn->end;
}

/* Takes the bytes of a request that has not begun to leave out of the queue; those behind move up. */
static void
unsend(jml_client *client, const struct pending *slot)
{
    uint64_t start = slot->start;
    size_t len = slot->len;

    if (slot->epoch != client->epoch)
        return;
    jmli_octets_remove(&client->out, (size_t)(start - client->out_base), len);
    for (uint32_t i = 0; i < client->calls.n_slots; i++) {
        struct pending *other = &client->calls.slots[i];

        if (other->state != PENDING_FREE && other->epoch == client->epoch && other->start > start)
            other->start -= len;
    }
}

bool
jml_client_cancel(jml_client *client, uint32_t id)
{
    struct pending *slot = jmli_pending_find(&client->calls, id);

    if (slot == NULL || slot->state != PENDING_WAITS)
        return false;
    if (is_in_turn(client, slot)) {
        jmli_link_renew(client); /* no other answer would come before its own */
        jmli_pending_free(&client->calls, slot);
    } else if (jmli_client_has_left(client, slot)) {
        slot->state = PENDING_GIVEN_UP; /* its answer will come, and is dropped then */
    } else {
        unsend(client, slot);
        jmli_pending_free(&client->calls, slot);
    }
    return true;
}
