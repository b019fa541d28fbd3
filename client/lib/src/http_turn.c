/* http_turn.c: a call as a request of HTTP, and what its answer means. */
#include "jml_client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { RETRY_PRESET_MS = 1000 };

void
jmli_turn_reset(struct http_turn *turn)
{
    explicit_bzero(turn->head, sizeof turn->head);
    *turn = (struct http_turn){.step = TURN_IDLE};
}

/* ---- out ---- */

/* All of these texts were judged when the client was made: none can end a line. */
static size_t
write_head(const struct settings *settings, size_t body_bytes, char head[TURN_HEAD_BYTES])
{
    bool has_token = settings->token[0] != '\0', has_language = settings->language[0] != '\0';
    int n =
        snprintf(head, TURN_HEAD_BYTES,
                 "POST /rpc HTTP/1.1\r\nHost: %s\r\nUser-Agent: libjumelage/" JML_VERSION_TEXT
                 "\r\n%s%s%s%s%s%sContent-Type: application/msgpack\r\nContent-Length: %zu\r\n\r\n",
                 settings->endpoint.authority, has_token ? "Authorization: Bearer " : "",
                 settings->token, has_token ? "\r\n" : "", has_language ? "Accept-Language: " : "",
                 settings->language, has_language ? "\r\n" : "", body_bytes);

    return (size_t)n;
}

static void
begin(struct http_turn *turn, uint64_t start, uint64_t end)
{
    turn->step = TURN_HEAD;
    turn->start = start;
    turn->end = end;
    turn->n_interim = 0;
    http_scan_init(&turn->scan);
}

bool
jmli_turn_greet(jml_client *client)
{
    struct octets *hello = &client->hello;
    char head[TURN_HEAD_BYTES];
    size_t n = write_head(&client->settings, hello->len, head);
    bool has_room = jmli_octets_reserve(hello, n);

    if (has_room) {
        memmove(hello->data + n, hello->data, hello->len);
        memcpy(hello->data, head, n);
        hello->len += n;
    }
    explicit_bzero(head, sizeof head);
    jmli_turn_reset(&client->turn);
    begin(&client->turn, UINT64_MAX, UINT64_MAX);
    return has_room;
}

void
jmli_turn_begin(jml_client *client)
{
    struct http_turn *turn = &client->turn;
    uint64_t start = client->out_base + client->out_sent;
    const struct pending *call = jmli_pending_at(&client->calls, client->epoch, start);

    begin(turn, start, start + call->len);
    turn->head_len = write_head(&client->settings, call->len, turn->head);
    turn->head_sent = 0;
}

/* ---- in: what is no answer ---- */

static void
end_badly(jml_client *client, const char *why)
{
    struct jml_error error;

    jmli_fail(&error, JML_BAD_ANSWER, "%s does not answer as a jumelage service: its answer %s",
              client->settings.endpoint.text, why);
    jmli_link_end(client, &error);
}

/* Something else listens there; two kinds of it can be told by their first byte. */
static void
end_foreign(jml_client *client)
{
    const char *text = client->settings.endpoint.text, *hint = "";
    bool is_tls = client->settings.endpoint.is_tls;
    uint8_t first = client->in.data[0];
    struct jml_error error;

    if (first == 0x15 && !is_tls) /* an alert of TLS */
        hint = "; it speaks TLS: begin the address with https://";
    else if (first >= 0x91 && first <= 0x94) /* an array of msgpack */
        hint = is_tls ? "; if it is the service's port of tls:, begin the address with that"
                      : "; if it is the service's port of tcp:, begin the address with that";
    jmli_fail_at(&error, JML_BAD_ANSWER, "options.address",
                 "what listens at %s does not speak HTTP%s", text, hint);
    jmli_link_end(client, &error);
}

/* ---- in: a refusal ---- */

/* A sentence in plain text, as the service writes it, is told in its own words. */
static const char *
words_of(const jml_client *client, char room[TURN_WORDS_MAX + 1])
{
    const struct http_turn *turn = &client->turn;
    size_t len = (size_t)turn->reply.length;
    const char *at;

    room[0] = '\0';
    if (!turn->reply.is_text || turn->step != TURN_BODY || len > TURN_WORDS_MAX)
        return room;
    at = (const char *)client->in.data + turn->scan.pos;
    while (len > 0 && (at[len - 1] == '\n' || at[len - 1] == '\r'))
        len--;
    jmli_copy_ascii(room, TURN_WORDS_MAX + 1, at, len);
    return room;
}

static void
explain(const jml_client *client, struct jml_error *error)
{
    /* clang-format off */
    static const struct {
        int status;
        enum jml_code code;
        const char *otherwise; /* where the peer has no words of its own */
    } known[] = {
        {401, JML_UNAUTHENTICATED, "a token is needed, or the one shown does not hold"},
        {413, JML_TOO_LARGE, "the request is larger than it takes"},
        {429, JML_BUSY, "it is asked too often; come again later"},
        {503, JML_BUSY, "it takes no calls now; come again later"},
    };
    /* clang-format on */
    const char *text = client->settings.endpoint.text;
    const struct http_reply *reply = &client->turn.reply;
    char room[TURN_WORDS_MAX + 1];
    const char *words = words_of(client, room);

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].status != reply->status)
            continue;
        if (words[0] != '\0')
            jmli_fail(error, known[i].code, "%s", words);
        else
            jmli_fail(error, known[i].code, "%s answers with %d %s: %s", text, reply->status,
                      reply->reason, known[i].otherwise);
        if (known[i].code == JML_BUSY)
            error->retry_ms = reply->retry_ms > 0 ? reply->retry_ms : RETRY_PRESET_MS;
        return;
    }
    if (reply->status >= 300 && reply->status < 400)
        jmli_fail_at(error, JML_BAD_ANSWER, "options.address",
                     "%s answers a call with %d %s%s%s; no redirection is followed: give the "
                     "address of the service itself",
                     text, reply->status, reply->reason,
                     reply->location[0] != '\0' ? " and points to " : "", reply->location);
    else
        jmli_fail(error, JML_BAD_ANSWER, "%s answers a call with %d %s%s%s", text, reply->status,
                  reply->reason, words[0] != '\0' ? ": " : "; is it a jumelage service?", words);
}

/* The call was refused with a status. Whoever refuses mostly closes, too; so do we. */
static void
take_refusal(jml_client *client)
{
    struct jml_error error;
    struct pending *call;

    explain(client, &error);
    if (client->state == LINK_GREETING) {
        jmli_link_end(client, &error);
        return;
    }
    call = jmli_pending_at(&client->calls, client->epoch, client->turn.start);
    jmli_link_renew(client);
    jmli_answer_refuse(client, call, &error);
}

/* ---- in ---- */

static bool
is_sent(const jml_client *client)
{
    return client->state == LINK_GREETING ? client->hello_sent == client->hello.len
                                          : client->out_base + client->out_sent == client->turn.end;
}

/* A whole head that is no 1xx. */
static void
judge_reply(jml_client *client)
{
    const struct settings *settings = &client->settings;
    struct http_turn *turn = &client->turn;
    const struct http_reply *reply = &turn->reply;

    if (reply->status != 200) {
        if (reply->is_text && reply->has_length && reply->length <= TURN_WORDS_MAX)
            turn->step = TURN_BODY;
        else
            take_refusal(client);
    } else if (!reply->is_msgpack) {
        end_badly(client, "has not the Content-Type application/msgpack; is /rpc there its own?");
    } else if (!reply->has_length) {
        end_badly(client, "has no Content-Length");
    } else if (!is_sent(client)) {
        end_badly(client, "came before all of the request was there");
    } else if (reply->length > settings->max_frame_bytes) {
        jmli_link_frame_failed(client, FRAME_TOO_LONG);
    } else {
        jmli_link_scan_init(client);
        turn->step = TURN_BODY;
    }
}

static void
take_head(jml_client *client)
{
    struct http_turn *turn = &client->turn;
    const char *why = "";

    switch (
        jmli_http_reply_read(&turn->scan, client->in.data, client->in.len, &turn->reply, &why)) {
    case HTTP_REPLY_MORE:
        return;
    case HTTP_REPLY_FOREIGN:
        end_foreign(client);
        return;
    case HTTP_REPLY_REFUSED:
        end_badly(client, why);
        return;
    case HTTP_REPLY_DONE:
        break;
    }
    if (turn->reply.status >= 200) {
        judge_reply(client);
    } else if (turn->reply.status == 101) {
        end_badly(client, "changes the protocol (101), which nobody asked for");
    } else if (++turn->n_interim > TURN_INTERIM_MAX) {
        end_badly(client, "does not come behind 8 of status 1xx");
    } else {
        jmli_octets_remove(&client->in, 0, turn->scan.pos);
        http_scan_init(&turn->scan);
    }
}

/* The whole of a body of status 200, which is one frame. */
static void
take_frame(jml_client *client, size_t n)
{
    struct http_turn *turn = &client->turn;
    bool keep_alive = turn->reply.keep_alive;
    uint64_t epoch = client->epoch;
    size_t at = turn->scan.pos;

    turn->step = TURN_IDLE;
    jmli_answer_take(client, client->in.data + at, n, client->scan.items);
    if (client->is_closing || client->epoch != epoch)
        return;
    if (!keep_alive) {
        jmli_link_renew(client);
        return;
    }
    jmli_octets_remove(&client->in, 0, at + n);
}

static void
take_body(jml_client *client)
{
    const struct http_turn *turn = &client->turn;
    size_t come = client->in.len - turn->scan.pos, n = (size_t)turn->reply.length;
    enum frame_state state;

    if (turn->reply.status != 200) {
        if (come >= n)
            take_refusal(client);
        return;
    }
    state = frame_scan(&client->scan, client->in.data + turn->scan.pos, come < n ? come : n);
    if (state == FRAME_DONE && client->scan.pos == n)
        take_frame(client, n);
    else if (state == FRAME_DONE)
        end_badly(client, "has more in its body than one frame");
    else if (state != FRAME_MORE)
        jmli_link_frame_failed(client, state);
    else if (come >= n)
        end_badly(client, "has less in its body than one frame");
}

void
jmli_turn_take(jml_client *client)
{
    const struct http_turn *turn = &client->turn;
    uint64_t epoch = client->epoch;

    for (;;) {
        enum http_step step = turn->step;
        size_t len = client->in.len;

        if (len == 0)
            break;
        switch (step) {
        case TURN_IDLE: /* nobody asked: a 408 of a peer that is tired of waiting, or worse */
            jmli_link_renew(client);
            return;
        case TURN_HEAD:
            take_head(client);
            break;
        case TURN_BODY:
            take_body(client);
            break;
        }
        if (client->is_closing || client->epoch != epoch || client->fd < 0)
            return;
        if (turn->step == step && client->in.len == len) /* it waits for more */
            return;
    }
    if (client->in.room > KEEP_BYTES)
        jmli_octets_fini(&client->in);
}
