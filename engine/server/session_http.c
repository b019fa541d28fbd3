/* session_http.c: a connection that speaks HTTP: one request, one answer, and again. */
#include "alloc.h"
#include "http_answer.h"
#include "metrics.h"
#include "request.h"
#include "session_parts.h"
#include "tokens.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

/*
 *     HEAD ──head is whole──▶ BODY ──body is whole──▶ ANSWERING ──session_http_answer──▶ HEAD
 *       │                                                 ▲
 *       └── GET: a page, answered at once                 └─ nothing more is cut until then
 *
 * The body of POST /rpc is one frame, and so is that of its answer. A head is judged by http_head
 * (can it be misread?), then by http_guard (may this browser ask at all?); the token and the language in
 * it make the connection what they say for this request only.
 */
enum http_step { HTTP_STEP_HEAD, HTTP_STEP_BODY, HTTP_STEP_ANSWERING };

struct http_talk {
    struct http_scan scan;
    enum http_step step;
    size_t body_bytes; /* of the request whose body is awaited */
    bool keep_alive, is_head;
};

struct http_talk *
session_http_create(void)
{
    struct http_talk *talk = mem_alloc_zeroed(1, sizeof *talk);

    if (talk != NULL)
        http_scan_init(&talk->scan);
    return talk;
}

bool
session_http_is_answering(const struct session *session)
{
    return session->http != NULL && session->http->step == HTTP_STEP_ANSWERING;
}

static struct service *
service_of(const struct session *session)
{
    return session->loop->service;
}

/* ---- out ---- */

/* The answer has been put out: the next request may come, or the end. */
static void
next_request(struct session *session, bool keep_alive)
{
    http_scan_init(&session->http->scan);
    session->http->step = HTTP_STEP_HEAD;
    if (!keep_alive)
        session_set_state(session, SESSION_FINISHING);
}

/* Head and body as one buffer, which is released. */
static void
put_built(struct session *session, struct buf *built)
{
    if (buf_check(built, NULL) != ERR_OK)
        session->out.is_broken = true;
    else
        session_put(session, built);
    buf_fini(built);
}

/* A body that stays its owner's until it is copied here. */
static void
put_answer(struct session *session, const struct http_answer *answer)
{
    struct buf built;

    buf_init(&built, HTTP_HEAD_ROOM);
    http_answer_write_head(&built, answer, NULL);
    put_built(session, &built);
    if (!answer->is_head && answer->status != 304 && answer->status != 204)
        session_put_bytes(session, answer->body);
    next_request(session, answer->keep_alive);
}

static void
put_text(struct session *session, int status, const char *text)
{
    const struct http_answer answer = {
        .status = status,
        .keep_alive = session->http->keep_alive,
        .is_head = session->http->is_head,
        .content_type = STR_LIT("text/plain; charset=utf-8"),
        .body = str_from(text),
    };

    put_answer(session, &answer);
}

/* The body was not read, or cannot be told from the next head: the connection ends. */
static void
refuse(struct session *session, const struct http_refusal *refusal)
{
    struct buf built;

    session_log(session, LOG_LEVEL_INFO, "http.refused", refusal->sentence);
    if (refusal->status == 401)
        tally_add(tallies_of(session), TALLY_UNAUTHENTICATED, 1);
    if (refusal->status == 400)
        tally_add(tallies_of(session), TALLY_BAD_FRAMES, 1);
    buf_init(&built, HTTP_HEAD_ROOM);
    http_answer_refuse(&built, refusal, session->http->is_head, false, NULL);
    put_built(session, &built);
    next_request(session, false);
}

static void
refuse_with(struct session *session, int status, const char *sentence)
{
    struct http_refusal refusal = {.status = 0};

    http_refuse(&refusal, status, "%s", sentence);
    refuse(session, &refusal);
}

void
session_http_farewell(struct session *session, const struct err *err)
{
    int status = 400;

    if (err->code == ERR_DEADLINE)
        status = 408;
    else if (err->code == ERR_BUSY || err->code == ERR_DRAINING)
        status = 503;
    else if (err->code == ERR_TOO_LARGE)
        status = 413;
    refuse_with(session, status, err->message);
}

void
session_http_answer(struct session *session, bool is_notification, size_t bytes)
{
    struct http_answer answer = {
        .status = is_notification ? 204 : 200,
        .keep_alive = session->http->keep_alive,
        .content_type = STR_LIT("application/msgpack"),
        .body = {NULL, bytes},
    };
    struct buf built;

    if (is_notification)
        answer.content_type = (struct str){NULL, 0};
    buf_init(&built, HTTP_HEAD_ROOM);
    http_answer_write_head(&built, &answer, NULL);
    put_built(session, &built);
    next_request(session, answer.keep_alive);
}

/* ---- who asks ---- */

/* The token of this request, or nobody. False, and answered 401, if it does not hold. */
static bool
become_bearer(struct session *session, struct str token)
{
    struct caller caller = {.role = ROLE_ANY};
    struct err err = {0};

    session->token_epoch = engine_token_epoch(service_of(session)->engine);
    arena_reset(session->loop->arena);
    if (token.data != NULL && !session_may_try_token(session)) {
        refuse_with(session, 503, "too many tokens that do not hold were shown to the service");
        return false;
    }
    if (token.data != NULL && token_check(engine_tokens(service_of(session)->engine), token,
                                          session->loop->arena, &caller, &err) != ERR_OK) {
        if (err.code == ERR_UNAUTHENTICATED)
            session_note_bad_token(session);
        refuse_with(session, err.code == ERR_UNAUTHENTICATED ? 401 : 503, err.message);
        return false;
    }
    session_become(session, &caller);
    return session->state != SESSION_CLOSED;
}

static bool
is_from_here(const struct session *session)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;

    return getpeername(session->fd, (struct sockaddr *)&name, &length) == 0 &&
           address_is_loopback((const struct sockaddr *)&name);
}

/* ---- pages ---- */

static void
serve_metrics(struct session *session, const struct http_head *head)
{
    struct service *service = service_of(session);
    struct http_refusal refusal;
    struct metrics metrics;
    struct str token;
    struct buf text;

    if (!http_guard_bearer(head, &token, &refusal)) {
        refuse(session, &refusal);
        return;
    }
    if (!become_bearer(session, token))
        return;
    if (!is_from_here(session) && !role_allows(session->identity->caller.role, ROLE_READER)) {
        refuse_with(session, 401, "from another machine the metrics need a token of a reader");
        return;
    }
    arena_reset(session->loop->arena);
    buf_init(&text, METRICS_BYTES_MAX);
    if (metrics_gather(service->engine, &service->tallies, session->loop->arena, &metrics, NULL) ==
            ERR_OK &&
        metrics_write(&metrics, &text, NULL) == ERR_OK) {
        const struct http_answer answer = {
            .status = 200,
            .keep_alive = session->http->keep_alive,
            .is_head = session->http->is_head,
            .content_type = str_from(metrics_content_type),
            .body = {text.data, text.len},
        };

        put_answer(session, &answer);
    } else {
        refuse_with(session, 503, "the metrics cannot be gathered now");
    }
    buf_fini(&text);
}

static void
put_file(struct session *session, const struct http_head *head, const struct static_file *file)
{
    bool is_gzip = head->accepts_gzip && file->gzip_bytes.data != NULL;
    struct http_answer answer = {
        .status = 200,
        .keep_alive = session->http->keep_alive,
        .is_head = session->http->is_head,
        .is_gzip = is_gzip,
        .varies = file->gzip_bytes.data != NULL,
        .content_type = file->media_type,
        .etag = is_gzip ? file->gzip_etag : file->etag,
        .body = is_gzip ? file->gzip_bytes : file->bytes,
    };

    if (http_etag_is_known(head->if_none_match, answer.etag))
        answer.status = 304;
    put_answer(session, &answer);
}

/* The answer is a copy, so that the files are held no longer than it takes to make it. */
static void
serve_file(struct session *session, const struct http_head *head, struct str path)
{
    struct static_files *files = console_hold(&service_of(session)->console);
    const struct static_file *file = files != NULL ? static_files_find(files, path) : NULL;

    if (file != NULL)
        put_file(session, head, file);
    else
        put_text(session, 404, "there is nothing by that name here\n");
    static_files_drop(files);
}

static void
serve_page(struct session *session, const struct http_head *head)
{
    char room[HTTP_TARGET_MAX];
    struct str path;

    tally_add(tallies_of(session), TALLY_HTTP_PAGES, 1);
    if (!http_path_decode(head->path, room, &path))
        refuse_with(session, 400, "the path has a broken escape");
    else if (str_is(path, "/healthz"))
        put_text(session, 200, "alive\n");
    else if (str_is(path, "/readyz"))
        put_text(session, atomic_load(&service_of(session)->is_draining) ? 503 : 200,
                 atomic_load(&service_of(session)->is_draining) ? "stopping\n" : "ready\n");
    else if (str_is(path, "/metrics"))
        serve_metrics(session, head);
    else
        serve_file(session, head, path);
}

/* ---- calls ---- */

static void
refuse_body(struct session *session)
{
    refuse_with(session, 400,
                "the body is not one request [0, msgid, method, params] nor one notification "
                "[2, method, params]");
}

/* The language of sentences, of this request only: behind a proxy the next one may be of somebody else.
 * `fr` or `en`, as our clients send it; a browser's list is a taste in pages, and asks for no sentences. */
static void
adopt_language(struct session *session, struct str language)
{
    session->has_lang = str_is(language, "en") || str_is(language, "fr");
    if (session->has_lang)
        session->lang = lang_parse(language, LANG_EN);
}

static void
expect_body(struct session *session, const struct http_head *head)
{
    struct http_refusal refusal;
    struct str token;
    int64_t most;

    if (!str_is(head->path, "/rpc")) {
        http_refuse(&refusal, 405, "calls go to /rpc; here is nothing to POST to");
        refusal.allow = "GET, HEAD";
        refuse(session, &refusal);
        return;
    }
    if (!http_guard_check_call(head, &token, &refusal)) {
        refuse(session, &refusal);
        return;
    }
    if (!become_bearer(session, token))
        return;
    adopt_language(session, head->accept_language);
    most = limit_of(session, is_stranger(session) ? LIMIT_FRAME_BYTES_STRANGER : LIMIT_FRAME_BYTES);
    if (head->content_length > (uint64_t)most) {
        refuse_with(session, 413,
                    "the call is larger than system.hello allows, or than it allows "
                    "without a token");
        return;
    }
    if (head->content_length == 0) { /* nothing more will come to be judged */
        refuse_body(session);
        return;
    }
    session->http->body_bytes = (size_t)head->content_length;
    session->http->step = HTTP_STEP_BODY;
    if (head->wants_continue)
        session_put_bytes(session, http_continue);
}

static void
take_call(struct session *session, const uint8_t *bytes, size_t n)
{
    bool strange = is_stranger(session);
    struct frame_scan scan;
    struct request request;

    frame_scan_init(
        &scan, n,
        (size_t)limit_of(session, strange ? LIMIT_FRAME_ITEMS_STRANGER : LIMIT_FRAME_ITEMS),
        (unsigned)limit_of(session, LIMIT_FRAME_DEPTH));
    if (frame_scan(&scan, bytes, n) != FRAME_DONE || scan.pos != n ||
        request_read(bytes, n, &request) != REQUEST_OK) {
        refuse_body(session);
        return;
    }
    session->http->step = HTTP_STEP_ANSWERING;
    session_handle_request(session, &request);
}

/* ---- in ---- */

static void
take_head(struct session *session, const struct http_head *head)
{
    const struct door *door = session->door;
    struct http_refusal refusal;

    session->http->keep_alive = head->keep_alive;
    session->http->is_head = head->verb == HTTP_VERB_HEAD;
    tally_add(tallies_of(session), TALLY_HTTP_REQUESTS, 1);
    if (!http_guard_check(&door->guard, head, &refusal))
        refuse(session, &refusal);
    else if (head->verb == HTTP_VERB_POST)
        expect_body(session, head);
    else
        serve_page(session, head);
}

size_t
session_http_cut(struct session *session, const uint8_t *bytes, size_t n)
{
    struct http_talk *talk = session->http;
    size_t used = 0;

    while (used < n && session->state == SESSION_READING && talk->step != HTTP_STEP_ANSWERING) {
        struct http_limits limits = http_limits_preset;
        struct http_refusal refusal;
        struct http_head head;
        enum http_head_state state;

        if (session_must_wait(session))
            break;
        if (talk->step == HTTP_STEP_BODY) {
            if (n - used < talk->body_bytes)
                break;
            used += talk->body_bytes;
            take_call(session, bytes + used - talk->body_bytes, talk->body_bytes);
            continue;
        }
        limits.body_bytes = (uint64_t)limit_of(session, LIMIT_FRAME_BYTES);
        state = http_head_read(&talk->scan, bytes + used, n - used, &limits, &head, &refusal);
        if (state == HTTP_HEAD_MORE)
            break;
        if (state == HTTP_HEAD_REFUSED) {
            refuse(session, &refusal);
            break;
        }
        used += talk->scan.pos;
        take_head(session, &head);
    }
    return used;
}
