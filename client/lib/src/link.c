/* link.c: connecting, writing and reading, one step at a time; nothing here waits. */
#include "jml_client.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int64_t
jmli_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
jmli_deadline(int64_t now_ms, int32_t timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : now_ms + timeout_ms;
}

/* ---- the end of a connection ---- */

static void
shut(jml_client *client)
{
    jmli_secure_end(&client->secure);
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->state = LINK_IDLE;
    jmli_turn_reset(&client->turn);
    jmli_octets_fini(&client->in);
}

void
jmli_link_drop(jml_client *client)
{
    shut(client);
    client->is_greeted = false;
    if (client->hello.data != NULL) /* the token is in it */
        explicit_bzero(client->hello.data, client->hello.room);
    jmli_octets_fini(&client->hello);
    client->out_base += client->out.len;
    client->out.len = client->out_sent = 0;
}

void
jmli_link_renew(jml_client *client)
{
    if (client->turn.step != TURN_IDLE) /* what is left of that request goes to nobody */
        client->out_sent = (size_t)(client->turn.end - client->out_base);
    jmli_link_forget_sent(client);
    shut(client);
    if (client->out.len > 0)
        jmli_link_want(client);
}

void
jmli_link_open(jml_client *client)
{
    client->state = LINK_OPEN;
    client->opened_ms = jmli_now_ms();
}

void
jmli_link_scan_init(jml_client *client)
{
    const struct settings *settings = &client->settings;

    frame_scan_init(&client->scan, settings->max_frame_bytes, settings->max_frame_items,
                    settings->max_nesting);
}

/* A quarter more or less, so that many clients of one service don't come back at the same moment. */
static int32_t
scattered(jml_client *client, int32_t ms)
{
    client->random ^= client->random << 13;
    client->random ^= client->random >> 17;
    client->random ^= client->random << 5;
    return ms - ms / 4 + (int32_t)(client->random % (uint32_t)(ms / 2 + 1));
}

void
jmli_link_end(jml_client *client, const struct jml_error *why)
{
    struct jml_error error = *why; /* it may be client->error */
    int64_t now_ms = jmli_now_ms(), wait_ms;

    if (client->state == LINK_OPEN && now_ms - client->opened_ms >= STEADY_MS) {
        client->backoff_ms = BACKOFF_FIRST_MS;
        wait_ms = 0;
    } else {
        wait_ms = scattered(client, client->backoff_ms);
        client->backoff_ms =
            client->backoff_ms > BACKOFF_LAST_MS / 2 ? BACKOFF_LAST_MS : client->backoff_ms * 2;
    }
    if (error.retry_ms > wait_ms)
        wait_ms = error.retry_ms < BACKOFF_LAST_MS ? error.retry_ms : BACKOFF_LAST_MS;
    client->retry_at_ms = now_ms + wait_ms;
    for (uint32_t i = 0; i < client->calls.n_slots; i++)
        client->calls.slots[i].has_left = jmli_client_has_left(client, &client->calls.slots[i]);
    jmli_link_drop(client);
    client->error = error;
    client->epoch++;
    jmli_answer_fail_before(client, client->epoch, &error);
}

static void
end_with(jml_client *client, enum jml_code code, const char *what, int error_number)
{
    const char *text = client->settings.endpoint.text;
    struct jml_error error;

    if (error_number != 0)
        jmli_fail(&error, code, "%s %s: %s", what, text, strerrordesc_np(error_number));
    else
        jmli_fail(&error, code, "%s %s", what, text);
    jmli_link_end(client, &error);
}

/* Reading or writing has come to an end. */
static void
end_of_flow(jml_client *client, enum flow flow, const char *what)
{
    enum jml_code code = client->state == LINK_OPEN ? JML_LOST : JML_UNREACHABLE;
    struct jml_error error;

    if (flow == FLOW_ENDED) {
        end_with(client, code, "the connection was closed by", 0);
    } else if (errno == ENOMEM) {
        jmli_no_memory(&error);
        jmli_link_end(client, &error);
    } else if (errno == 0) {
        jmli_fail(&error, code, "TLS with %s failed: %s", client->settings.endpoint.text,
                  jmli_secure_reason(&client->secure));
        jmli_link_end(client, &error);
    } else {
        end_with(client, code, what, errno);
    }
}

/* ---- connecting ---- */

static void
greet(jml_client *client)
{
    msgpack_packer packer;
    int rc;

    if (client->is_greeted) { /* over HTTP each request says who asks */
        jmli_link_open(client);
        return;
    }
    client->state = LINK_GREETING;
    jmli_link_scan_init(client);
    jmli_octets_init(&client->hello, client->allocator, 4096);
    /* all at once: a growing buffer would leave copies of the token behind */
    rc = jmli_octets_reserve(&client->hello, 1024 + TURN_HEAD_BYTES) ? 0 : -1;
    packer = jmli_octets_packer(&client->hello);
    if (rc == 0)
        rc = msgpack_pack_array(&packer, 4) || msgpack_pack_int(&packer, 0) ||
             msgpack_pack_int(&packer, HELLO_ID) ||
             jmli_pack_text(&packer, "system.hello", strlen("system.hello")) ||
             msgpack_pack_array(&packer, 1) ||
             !jmli_settings_pack_hello(&client->settings, &client->hello);
    client->hello_sent = 0;
    if (rc == 0 && client->settings.endpoint.is_http)
        rc = jmli_turn_greet(client) ? 0 : -1;
    if (rc != 0) {
        struct jml_error error;

        jmli_no_memory(&error);
        jmli_link_end(client, &error);
    }
}

/* A step of the TLS handshake. */
static void
shake(jml_client *client)
{
    enum flow flow = jmli_secure_shake(&client->secure);
    struct jml_error error;

    switch (flow) {
    case FLOW_DONE:
        greet(client);
        return;
    case FLOW_AGAIN:
        return;
    case FLOW_ENDED:
        end_with(client, JML_UNREACHABLE, "the TLS handshake was broken off by", 0);
        return;
    case FLOW_FAILED:
        if (errno != 0) {
            end_of_flow(client, flow, "no TLS handshake with");
            return;
        }
        jmli_secure_explain(&client->secure, &client->settings.trust, &client->settings.endpoint,
                            &error);
        jmli_link_end(client, &error);
    }
}

/* The system has connected. */
static void
connected(jml_client *client)
{
    struct jml_error error;

    if (client->settings.trust.context == NULL) {
        greet(client);
        return;
    }
    client->state = LINK_SECURING;
    if (jmli_secure_begin(&client->secure, &client->settings.trust, client->allocator, client->fd,
                          &error) == JML_OK)
        shake(client);
    else
        jmli_link_end(client, &error);
}

/* Begins with address_i, goes on to the next where one fails at once. */
static void
try_addresses(jml_client *client)
{
    const struct endpoint *endpoint = &client->settings.endpoint;

    for (; client->address_i < endpoint->n; client->address_i++) {
        const union endpoint_address *address = &endpoint->addresses[client->address_i];
        int on = 1;

        client->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (client->fd < 0) {
            client->connect_errno = errno;
            continue;
        }
        if (address->any.sa_family != AF_UNIX) /* a request is small and wants to leave at once */
            setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(client->fd, &address->any, endpoint->lengths[client->address_i]) == 0) {
            connected(client);
            return;
        }
        if (errno == EINPROGRESS || errno == EINTR)
            return;
        client->connect_errno = errno;
        close(client->fd);
        client->fd = -1;
    }
    end_with(client, JML_UNREACHABLE, "cannot connect to", client->connect_errno);
}

static void
begin(jml_client *client, int64_t now_ms)
{
    client->state = LINK_CONNECTING;
    client->address_i = 0;
    client->connect_errno = 0;
    client->connect_deadline_ms = jmli_deadline(now_ms, client->settings.connect_timeout_ms);
    try_addresses(client);
}

/* Begun by the next step, so that no callback is called from here. */
void
jmli_link_want(jml_client *client)
{
    if (client->state == LINK_IDLE)
        client->state = LINK_WAITING;
}

/* The attempt that was under way has come to an end. */
static void
look_at_attempt(jml_client *client)
{
    socklen_t len = sizeof client->connect_errno;

    if (getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &client->connect_errno, &len) != 0)
        client->connect_errno = errno;
    if (client->connect_errno == 0) {
        connected(client);
        return;
    }
    close(client->fd);
    client->fd = -1;
    client->address_i++;
    try_addresses(client);
}

/* ---- reading ---- */

void
jmli_link_frame_failed(jml_client *client, enum frame_state state)
{
    const struct settings *settings = &client->settings;
    const char *text = settings->endpoint.text;
    struct jml_error error;

    switch (state) {
    case FRAME_TOO_DEEP:
        jmli_fail(&error, JML_BAD_ANSWER, "an answer of %s is nested more than %" PRIu32 " deep",
                  text, settings->max_nesting);
        break;
    case FRAME_TOO_MANY:
        jmli_fail(&error, JML_BAD_ANSWER,
                  "an answer of %s has more than %zu values; ask for less at a time, or raise "
                  "options.max_frame_items",
                  text, settings->max_frame_items);
        break;
    case FRAME_TOO_LONG:
        jmli_fail(&error, JML_BAD_ANSWER,
                  "an answer of %s has more than %zu bytes; ask for less at a time, or raise "
                  "options.max_frame_bytes",
                  text, settings->max_frame_bytes);
        break;
    case FRAME_BAD:
    case FRAME_MORE:
    case FRAME_DONE:
        jmli_fail(&error, JML_BAD_ANSWER,
                  "%s sent byte 0xc1, which msgpack does not have; is it a jumelage service?",
                  text);
        break;
    }
    jmli_link_end(client, &error);
}

/* Every whole frame of `in`, then what is left moves to the front. */
static void
take_frames(jml_client *client)
{
    uint64_t epoch = client->epoch;
    size_t at = 0;

    for (;;) {
        enum frame_state state =
            frame_scan(&client->scan, client->in.data + at, client->in.len - at);
        size_t n = client->scan.pos, n_items = client->scan.items;

        if (state == FRAME_MORE)
            break;
        if (state != FRAME_DONE) {
            jmli_link_frame_failed(client, state);
            return;
        }
        jmli_link_scan_init(client);
        jmli_answer_take(client, client->in.data + at, n, n_items);
        if (client->is_closing || client->epoch != epoch)
            return;
        at += n;
    }
    jmli_octets_remove(&client->in, 0, at);
    if (client->in.len == 0 && client->in.room > KEEP_BYTES)
        jmli_octets_fini(&client->in);
}

/* jmli_secure_read, or the same in plain text. */
static enum flow
read_some(jml_client *client, void *out, size_t room, size_t *n)
{
    ssize_t got;

    if (client->secure.ssl != NULL)
        return jmli_secure_read(&client->secure, out, room, n);
    do
        got = recv(client->fd, out, room, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? FLOW_AGAIN : FLOW_FAILED;
    *n = (size_t)got;
    return got > 0 ? FLOW_DONE : FLOW_ENDED;
}

static bool
is_between_turns(const jml_client *client)
{
    return client->settings.endpoint.is_http && client->state == LINK_OPEN &&
           client->turn.step == TURN_IDLE;
}

static void
read_step(jml_client *client)
{
    const struct secure *secure = &client->secure;
    uint64_t epoch = client->epoch;

    for (int i = 0; i < READS_A_STEP || jmli_secure_has_pending(secure); i++) {
        struct jml_error error;
        enum flow flow;
        size_t n = 0;

        if (!jmli_octets_reserve(&client->in, READ_BYTES)) {
            jmli_no_memory(&error);
            jmli_link_end(client, &error);
            return;
        }
        flow = read_some(client, client->in.data + client->in.len, READ_BYTES, &n);
        if (flow == FLOW_AGAIN)
            return;
        if (flow != FLOW_DONE && is_between_turns(client)) {
            jmli_link_renew(client);
            return;
        }
        if (flow != FLOW_DONE) {
            end_of_flow(client, flow, "cannot read from");
            return;
        }
        client->in.len += n;
        if (client->settings.endpoint.is_http)
            jmli_turn_take(client);
        else
            take_frames(client);
        if (client->is_closing || client->epoch != epoch || client->fd < 0)
            return;
        if (secure->ssl == NULL && n < READ_BYTES) /* TLS gives a record at a time */
            return;
    }
}

/* ---- writing ---- */

static void
write_failed(jml_client *client, enum flow flow)
{
    uint64_t epoch = client->epoch;
    int error_number = errno;

    read_step(client); /* why it closed may still be waiting to be read */
    if (client->epoch != epoch || client->is_closing || client->fd < 0)
        return;
    errno = error_number;
    end_of_flow(client, flow, "cannot write to");
}

void
jmli_link_forget_sent(jml_client *client)
{
    client->out_base += client->out_sent;
    jmli_octets_remove(&client->out, 0, client->out_sent);
    client->out_sent = 0;
    if (client->out.len == 0 && client->out.room > KEEP_BYTES)
        jmli_octets_fini(&client->out);
}

/* jmli_secure_write, or the same in plain text. `more` is 0, or MSG_MORE where the next bytes would best
 * travel with these. */
static enum flow
write_some(jml_client *client, const void *from, size_t n, int more, size_t *n_taken)
{
    const uint8_t *bytes = from;

    if (client->secure.ssl != NULL)
        return jmli_secure_write(&client->secure, bytes, n, n_taken);
    for (*n_taken = 0; *n_taken < n;) {
        ssize_t now = send(client->fd, bytes + *n_taken, n - *n_taken, MSG_NOSIGNAL | more);

        if (now >= 0)
            *n_taken += (size_t)now;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            return FLOW_AGAIN;
        else if (errno != EINTR)
            return FLOW_FAILED;
    }
    return FLOW_DONE;
}

/* As many of out's bytes as may leave. */
static enum flow
write_out(jml_client *client)
{
    struct http_turn *turn = &client->turn;
    size_t left = client->out.len - client->out_sent, n = 0;
    const uint8_t *unsent = client->out.data != NULL ? client->out.data + client->out_sent : NULL;
    enum flow flow = FLOW_DONE;

    if (client->settings.endpoint.is_http) {
        if (turn->step == TURN_IDLE && left > 0)
            jmli_turn_begin(client);
        flow = write_some(client, turn->head + turn->head_sent, turn->head_len - turn->head_sent,
                          MSG_MORE, &n);
        turn->head_sent += n;
        left =
            turn->step != TURN_IDLE ? (size_t)(turn->end - client->out_base) - client->out_sent : 0;
    }
    if (flow == FLOW_DONE) {
        n = 0;
        flow = write_some(client, unsent, left, 0, &n);
        client->out_sent += n;
    }
    /* moved up rarely, so that a long queue costs no more than its length */
    if (client->out_sent == client->out.len || client->out_sent > client->out.len / 2)
        jmli_link_forget_sent(client);
    return flow;
}

static enum flow
write_hello(jml_client *client)
{
    const struct octets *hello = &client->hello;
    size_t n = 0;
    enum flow flow = write_some(client, hello->data + client->hello_sent,
                                hello->len - client->hello_sent, 0, &n);

    client->hello_sent += n;
    return flow;
}

static void
write_step(jml_client *client)
{
    enum flow flow = client->state == LINK_OPEN ? write_out(client) : write_hello(client);

    if (flow != FLOW_DONE && flow != FLOW_AGAIN)
        write_failed(client, flow);
}

/* ---- a step ---- */

static void
exchange(jml_client *client, short revents)
{
    uint64_t epoch = client->epoch;
    bool may_go_on = client->state == LINK_GREETING || client->turn.step != TURN_IDLE;

    if ((revents & POLLOUT) != 0)
        write_step(client);
    if ((revents & (POLLIN | POLLERR | POLLHUP)) != 0 && client->epoch == epoch &&
        !client->is_closing && client->fd >= 0)
        read_step(client);
    /* what waited for the greeting, or over HTTP for an answer, may leave in the same step */
    if (client->epoch == epoch && !client->is_closing && may_go_on && client->state == LINK_OPEN)
        write_step(client);
}

void
jmli_link_step(jml_client *client, short revents, int64_t now_ms)
{
    uint64_t epoch = client->epoch;

    switch (client->state) {
    case LINK_IDLE:
        return;
    case LINK_WAITING:
        if (now_ms >= client->retry_at_ms)
            begin(client, now_ms);
        return;
    case LINK_CONNECTING:
        if ((revents & (POLLOUT | POLLERR | POLLHUP)) != 0)
            look_at_attempt(client);
        break;
    case LINK_SECURING:
        if (revents != 0)
            shake(client);
        break;
    case LINK_GREETING:
    case LINK_OPEN:
        exchange(client, revents);
        break;
    }
    if (client->epoch != epoch || client->is_closing || now_ms < client->connect_deadline_ms)
        return;
    if (client->state == LINK_CONNECTING)
        end_with(client, JML_UNREACHABLE, "no connection within options.connect_timeout_ms to", 0);
    else if (client->state == LINK_SECURING)
        end_with(client, JML_UNREACHABLE, "no TLS handshake within options.connect_timeout_ms with",
                 0);
    else if (client->state == LINK_GREETING)
        end_with(client, JML_TIMEOUT,
                 "no answer to system.hello within options.connect_timeout_ms from", 0);
}
