/* session_call.c: who asks, and what becomes of one request. */
#include "alloc.h"
#include "request.h"
#include "session_parts.h"
#include "watch_desk.h"

#include <stdatomic.h>

enum { INLINE_PARAMS_BYTES = 16 * 1024 }; /* larger ones are unpacked by a worker */
enum { BUSY_RETRY_MS = 100 };

/* ---- who asks ---- */

void
session_become(struct session *session, const struct caller *caller)
{
    struct identity *identity = identity_create(caller);

    if (identity == NULL) {
        session_set_state(session, SESSION_CLOSED);
        return;
    }
    identity_drop(session->identity);
    session->identity = identity;
    if (session->seat != NULL && !role_allows(caller->role, ROLE_READER))
        watch_seat_end(session->seat, "the token of this connection holds no longer");
}

bool
session_may_try_token(struct session *session)
{
    struct service *service = session->loop->service;
    int64_t now = session->loop->now_ms;

    /* Two loops that begin a second at once lose a few counts: no harm. */
    if (now - atomic_load_explicit(&service->bad_tokens_ms, memory_order_relaxed) >= 1000) {
        atomic_store_explicit(&service->bad_tokens_ms, now, memory_order_relaxed);
        atomic_store_explicit(&service->n_bad_tokens, 0, memory_order_relaxed);
    }
    return atomic_load_explicit(&service->n_bad_tokens, memory_order_relaxed) <
           limit_of(session, LIMIT_BAD_TOKENS_A_SECOND);
}

bool
session_note_bad_token(struct session *session)
{
    atomic_fetch_add_explicit(&session->loop->service->n_bad_tokens, 1, memory_order_relaxed);
    session_log(session, LOG_LEVEL_WARN, "token.refused", NULL);
    return ++session->n_bad_tokens >= limit_of(session, LIMIT_BAD_TOKENS);
}

void
session_check_token(struct session *session)
{
    struct service *service = session->loop->service;
    const struct caller *caller = &session->identity->caller;
    const struct caller stranger = {.role = ROLE_ANY};
    uint64_t epoch = engine_token_epoch(service->engine);

    if (caller->token_id.len == 0 ||
        (session->token_epoch == epoch &&
         (caller->expires_ms == 0 || caller->expires_ms > service->clock->wall_ms(service->clock))))
        return;
    session->token_epoch = epoch;
    if (engine_token_holds(service->engine, caller->token_id))
        return;
    session_log(session, LOG_LEVEL_INFO, "token.lapsed", NULL);
    session_become(session, &stranger);
}

/* `epoch` is of before the token was looked at: a revocation meanwhile is found by the next request. */
static void
adopt_from_call(struct session *session, const struct call *call, uint64_t epoch)
{
    struct str language = call_str(call, "language");

    if (call->granted != NULL) {
        session->token_epoch = epoch;
        session_become(session, call->granted);
        session_log(session, LOG_LEVEL_INFO, "connection.known", role_name(call->granted->role));
    }
    if (language.len > 0) {
        session->lang = lang_parse(language, LANG_EN);
        session->has_lang = true;
    }
}

/* ---- one request ---- */

/* A params array that is not [] or [map], as the guards will refuse it. */
static const msgpack_object not_one_map = {.type = MSGPACK_OBJECT_ARRAY};

static enum err_code
decode_params(struct session *session, const struct request *request, const msgpack_object **params,
              struct err *err)
{
    const struct value_limits limits = {
        .bytes = request->params.len,
        .items = (size_t)limit_of(session, LIMIT_FRAME_ITEMS),
        .depth = (unsigned)limit_of(session, LIMIT_FRAME_DEPTH),
    };

    *params = request->has_one_map ? NULL : &not_one_map;
    if (request->params.len == 0)
        return ERR_OK;
    return value_decode(request->params.data, request->params.len, &limits, session->loop->arena,
                        params, err);
}

static void
run_here(struct session *session, const struct request *request)
{
    struct loop *loop = session->loop;
    struct service *service = loop->service;
    uint64_t epoch = engine_token_epoch(service->engine);
    const msgpack_object *params;
    struct err err = {0};
    struct call call;

    arena_reset(loop->arena);
    call_init(&call, service->engine, &session->identity->caller, loop->arena, 0);
    buf_clear(&loop->answer);
    call.answer = loop->answer; /* lent: one buffer for all */
    call.received_ms = loop->now_ms;
    call.host = &service->call_host;
    call.limits = service->limits;
    call.default_lang = session->lang;
    call.has_default_lang = session->has_lang;
    if (decode_params(session, request, &params, &err) == ERR_OK &&
        call_open(&call, request->method, params, &err) == ERR_OK &&
        call_run(&call, &err) == ERR_OK && (call.method->flags & METHOD_GREETS) != 0)
        adopt_from_call(session, &call, epoch);
    session_answer(session, request->is_notification, request->msgid, &err, &call.answer,
                   &call.error_details);
    if (err.code == ERR_UNAUTHENTICATED && call.method != NULL &&
        (call.method->flags & METHOD_GREETS) != 0 && session_note_bad_token(session))
        session_set_state(session, SESSION_FINISHING);
    loop->answer = call.answer;
    call.answer = (struct buf){0};
    call_fini(&call);
}

/* The commonest reads need no call; true if this was one of them. */
static bool
answer_at_once(struct session *session, const struct method *method, const struct request *request)
{
    const struct caller *caller = &session->identity->caller;
    struct loop *loop = session->loop;
    struct express *express;
    struct str answer;

    if (method == NULL || method->express == NULL || request->is_notification ||
        !request->has_one_map || !role_allows(caller->role, method->roles) ||
        (express = loop_express(loop)) == NULL)
        return false;
    answer = method->express(express, caller, request->params);
    if (answer.data == NULL)
        return false;
    session_answer_bytes(session, request->msgid, answer);
    loop_count_express(loop, method);
    return true;
}

static void
refuse(struct session *session, const struct request *request, enum err_code code,
       const char *sentence)
{
    struct err err = {0};

    err_set(&err, code, "%s", sentence);
    err.retry_ms = BUSY_RETRY_MS;
    session_answer(session, request->is_notification, request->msgid, &err, NULL, NULL);
}

/* Where notifications can be sent. False if out of memory; over HTTP the call itself says what is wrong. */
static bool
lend_seat(struct session *session, struct job *job)
{
    if ((job->method->flags & METHOD_WATCHES) == 0 || session->http != NULL)
        return true;
    if (session->seat == NULL)
        session->seat = watch_seat_create(session->loop->service->call_host.watches, loop_hear_news,
                                          session->loop);
    if (session->seat == NULL)
        return false;
    job->call.seat = job->seat = watch_seat_hold(session->seat);
    return true;
}

static void
give_to_worker(struct session *session, const struct method *method, const struct request *request)
{
    struct loop *loop = session->loop;
    struct job *job;

    if (session->n_in_flight >= (uint64_t)limit_of(session, LIMIT_IN_FLIGHT)) {
        refuse(session, request, ERR_BUSY,
               "too many requests of this connection are unanswered; read some answers first");
        return;
    }
    if (is_over_total(session, request->params.len)) {
        refuse(session, request, ERR_BUSY,
               "the service holds as many unanswered requests as it may; try again");
        return;
    }
    if (session->lane == NULL)
        session->lane = lane_create(loop->service->pool);
    job = session->lane != NULL ? job_create(&loop->service->job_host, method, request->params,
                                             session->identity, loop->now_ms)
                                : NULL;
    if (job != NULL && !lend_seat(session, job)) {
        job_destroy(job);
        job = NULL;
    }
    if (job == NULL) {
        refuse(session, request, ERR_BUSY, "out of memory; try again later");
        return;
    }
    job->session = (uint64_t)session->generation << 32 | session->slot;
    job->msgid = request->msgid;
    job->is_notification = request->is_notification;
    job->call.default_lang = session->lang;
    job->call.has_default_lang = session->has_lang;
    job->finished = loop_finish_job;
    job->finished_context = loop;
    session->n_in_flight++;
    tally_add(tallies_of(session), TALLY_JOBS, 1);
    lane_submit(session->lane, job);
}

static bool
is_for_worker(const struct session *session, const struct method *method,
              const struct request *request)
{
    return method != NULL && request->has_one_map &&
           role_allows(session->identity->caller.role, method->roles) &&
           ((method->flags & (METHOD_WRITES | METHOD_LONG)) != 0 ||
            request->params.len > INLINE_PARAMS_BYTES) &&
           (method->flags & METHOD_GREETS) == 0;
}

void
session_handle_frame(struct session *session, const uint8_t *bytes, size_t n)
{
    struct request request;

    if (request_read(bytes, n, &request) != REQUEST_OK) {
        struct err err = {0};

        tally_add(tallies_of(session), TALLY_BAD_FRAMES, 1);
        err_set(&err, ERR_BAD_FRAME,
                "a frame is neither a request [0, msgid, method, params] nor a notification "
                "[2, method, params]");
        session_say_farewell(session, &err, NULL);
        return;
    }
    session_handle_request(session, &request);
}

void
session_handle_request(struct session *session, const struct request *request)
{
    const struct method *method;

    tally_add(tallies_of(session), request->is_notification ? TALLY_NOTIFICATIONS : TALLY_REQUESTS,
              1);
    if (session->identity->caller.token_id.len > 0)
        session_check_token(session);
    if (session->state == SESSION_CLOSED)
        return;
    if (atomic_load_explicit(&session->loop->service->is_draining, memory_order_relaxed)) {
        refuse(session, request, ERR_DRAINING, "the service is stopping and takes no new work");
        return;
    }
    method = method_recall(&session->loop->methods, request->method);
    if (answer_at_once(session, method, request))
        return;
    if (is_for_worker(session, method, request))
        give_to_worker(session, method, request);
    else if (method != NULL && (method->flags & METHOD_GREETS) != 0 && request->params.len > 0 &&
             !session_may_try_token(session))
        refuse(session, request, ERR_BUSY,
               "too many tokens that do not hold were shown to the service; try again in a second");
    else
        run_here(session, request);
}

void
session_job_finished(struct session *session, struct job *job)
{
    session->n_in_flight--;
    if (job->call.watch != 0) /* what it has to tell comes behind the answer */
        watch_seat_start(session->seat, job->call.watch);
    session_answer(session, job->is_notification, job->msgid, &job->err, &job->call.answer,
                   &job->call.error_details);
    if (!session->is_touched) {
        session->is_touched = true;
        session->next_touched = session->loop->touched;
        session->loop->touched = session;
    }
}

void
session_settle_touched(struct loop *loop)
{
    struct session *session = loop->touched;

    loop->touched = session->next_touched;
    session->is_touched = false;
    session_settle(session);
}
