#include "session.h"

#include "alloc.h"
#include "frame.h"
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * The way of a byte:
 *
 *     read(2) into the loop's scratch ── cut ──► whole frames ── handle_frame ──► answered here, or a job
 *                                        │
 *                                        └─ what is left: session->partial, with its scanner
 *
 * Nothing is copied or allocated for a request that came whole and is answered here. Answers gather in
 * session->out and are written once, by settle, at the end of each entry point. While more of them
 * wait than the limit allows nothing more is read (PAUSED).
 */
enum {
    INLINE_PARAMS_BYTES = 16 * 1024, /* larger ones are unpacked by a worker */
    RELIEF_BYTES = 64 * 1024,        /* below this nobody is paused for the total's sake */
    TURN_BYTES = 256 * 1024,         /* of answers; then others have their turn */
    LINGER_MS = 2000,
    DRAIN_LINGER_MS = 200,
    BUSY_RETRY_MS = 100,
    PEER_TEXT_BYTES = 80,
    REFUSAL_BYTES = 1024
};

struct partial {
    struct frame_scan scan;
    struct buf bytes;
    int64_t since_ms; /* that the first byte of its frame is waiting */
};

struct session {
    struct loop *loop;
    struct session *next_touched;
    struct event readable, writable;
    struct identity *identity;
    struct lane *lane;       /* once it has had a job */
    struct partial *partial; /* NULL while no frame is unfinished */
    struct buf *farewell;    /* what is said when all is answered; NULL: nothing */
    struct outgoing out;
    size_t counted_bytes; /* of ours in TALLY_HELD_BYTES */
    uint64_t token_epoch;
    int64_t active_ms; /* last byte that came */
    int64_t moved_ms;  /* last byte that the peer took, or that output began to wait */
    int64_t state_ms;  /* that the state began */
    uint32_t slot, generation, n_in_flight;
    int fd;
    enum session_state state;
    enum lang lang;
    bool has_lang, is_unix, is_touched, is_writable_armed, is_readable_armed;
    bool waits_for_peer; /* paused until its answers are read, and counted as such */
};

static void settle(struct session *session);

/* ---- small questions ---- */

static struct tallies *
tallies_of(const struct session *session)
{
    return &session->loop->service->tallies;
}

static int64_t
limit_of(const struct session *session, enum limit limit)
{
    return session->loop->service->limits[limit];
}

static bool
is_stranger(const struct session *session)
{
    return session->identity->caller.role == ROLE_ANY;
}

static size_t
unread_limit(const struct session *session)
{
    return (size_t)limit_of(session, is_stranger(session) ? LIMIT_UNREAD_BYTES_STRANGER
                                                          : LIMIT_UNREAD_BYTES);
}

size_t
session_held(const struct session *session)
{
    return session->out.bytes + (session->partial != NULL ? session->partial->bytes.room : 0);
}

static bool
is_over_total(const struct session *session, size_t more)
{
    return tally_get(tallies_of(session), TALLY_HELD_BYTES) + (int64_t)more >
           limit_of(session, LIMIT_TOTAL_BYTES);
}

static bool
is_output_full(const struct session *session)
{
    return session->out.bytes >= unread_limit(session) ||
           (session->out.bytes >= RELIEF_BYTES && is_over_total(session, 0));
}

static void
peer_text(const struct session *session, char text[PEER_TEXT_BYTES])
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = (const struct sockaddr_in *)&name;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&name;

    if (session->is_unix || getpeername(session->fd, (struct sockaddr *)&name, &length) != 0) {
        snprintf(text, PEER_TEXT_BYTES, "%s", session->is_unix ? "local socket" : "gone");
    } else if (name.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(text, PEER_TEXT_BYTES, "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(text, PEER_TEXT_BYTES, "%s:%u", host, ntohs(four->sin_port));
    }
}

static void
log_peer(const struct session *session, enum log_level level, const char *event, const char *why)
{
    struct log *log = session->loop->service->log;
    char peer[PEER_TEXT_BYTES];

    if (!log_is_on(log, level))
        return;
    peer_text(session, peer);
    log_event(log, level, event, log_text("peer", peer),
              log_str("name", session->identity->caller.name),
              why != NULL ? log_text("why", why) : LOG_NO_FIELD);
}

/* ---- state ---- */

static void
arm_readable(struct session *session, bool wanted)
{
    if (wanted == session->is_readable_armed)
        return;
    session->is_readable_armed = wanted;
    if (wanted)
        event_add(&session->readable, NULL);
    else
        event_del(&session->readable);
}

static void
arm_writable(struct session *session, bool wanted)
{
    if (wanted == session->is_writable_armed)
        return;
    session->is_writable_armed = wanted;
    if (wanted)
        event_add(&session->writable, NULL);
    else
        event_del(&session->writable);
}

static void
set_state(struct session *session, enum session_state state)
{
    static const char *const names[] = {"reading", "paused", "finishing", "lingering", "closed"};

    if (session->state == state)
        return;
    log_event(session->loop->service->log, LOG_LEVEL_DEBUG, "session.state",
              log_int("slot", session->slot), log_text("from", names[session->state]),
              log_text("to", names[state]));
    if (session->lane != NULL && (session->state == SESSION_PAUSED || state == SESSION_PAUSED))
        lane_pause(session->lane, state == SESSION_PAUSED);
    session->state = state;
    session->state_ms = session->loop->now_ms;
    switch (state) {
    case SESSION_READING:
        session->waits_for_peer = false;
        arm_readable(session, true);
        break;
    case SESSION_LINGERING:
        arm_readable(session, true);
        break;
    case SESSION_PAUSED:
    case SESSION_FINISHING:
    case SESSION_CLOSED:
        arm_readable(session, false);
        break;
    }
}

static void
partial_destroy(struct session *session)
{
    if (session->partial == NULL)
        return;
    buf_fini(&session->partial->bytes);
    mem_free(session->partial);
    session->partial = NULL;
}

/* What we hold, kept in step with the total of all connections. */
static void
account(struct session *session)
{
    size_t held = session_held(session);

    if (held == session->counted_bytes)
        return;
    tally_add(tallies_of(session), TALLY_HELD_BYTES,
              (int64_t)held - (int64_t)session->counted_bytes);
    session->counted_bytes = held;
}

static void
destroy(struct session *session)
{
    struct loop *loop = session->loop;

    log_peer(session, LOG_LEVEL_DEBUG, "connection.closed", NULL);
    for (struct session **at = &loop->touched; *at != NULL; at = &(*at)->next_touched)
        if (*at == session) {
            *at = session->next_touched;
            break;
        }
    arm_readable(session, false);
    arm_writable(session, false);
    partial_destroy(session);
    outgoing_fini(&session->out, &loop->stock);
    account(session);
    if (session->farewell != NULL)
        buf_fini(session->farewell);
    mem_free(session->farewell);
    if (session->lane != NULL)
        lane_close(session->lane);
    identity_drop(session->identity);
    close(session->fd);
    loop_unseat(loop, session->slot);
    tally_add(tallies_of(session), TALLY_CONNECTIONS, -1);
    mem_free(session);
}

void
session_close(struct session *session)
{
    set_state(session, SESSION_CLOSED);
    destroy(session);
}

/* ---- out ---- */

static void
put(struct session *session, struct buf *bytes)
{
    if (session->out.bytes == 0)
        session->moved_ms = session->loop->now_ms;
    session->loop->turn_bytes += bytes->len;
    outgoing_add_buf(&session->out, &session->loop->stock, bytes);
}

static void
put_answer_head(struct session *session, uint32_t msgid, bool has_error)
{
    uint8_t head[REQUEST_ANSWER_HEAD];
    size_t n = request_answer_head(head, msgid, has_error);

    if (session->out.bytes == 0)
        session->moved_ms = session->loop->now_ms;
    outgoing_add(&session->out, &session->loop->stock, head, n);
}

/* An error that does not come of a call's own buffers. */
static void
put_error(struct session *session, uint32_t msgid, const struct err *err, const struct buf *details)
{
    struct buf packed;

    buf_init(&packed, 128 * 1024);
    call_pack_error(&packed, err, details);
    pack_nil(&packed);
    if (buf_check(&packed, NULL) != ERR_OK)
        session->out.is_broken = true;
    put_answer_head(session, msgid, true);
    put(session, &packed);
    buf_fini(&packed);
}

static void
count_error(struct session *session, bool is_notification, const struct err *err)
{
    if (err->code == ERR_OK)
        return;
    if (is_notification)
        tally_add(tallies_of(session), TALLY_NOTIFICATIONS_FAILED, 1);
    if (err->code == ERR_UNAUTHENTICATED)
        tally_add(tallies_of(session), TALLY_UNAUTHENTICATED, 1);
    if (err->code == ERR_BUSY)
        tally_add(tallies_of(session), TALLY_BUSY, 1);
}

static void
answer(struct session *session, bool is_notification, uint32_t msgid, const struct err *err,
       struct buf *result, const struct buf *details)
{
    count_error(session, is_notification, err);
    if (is_notification)
        return;
    if (err->code != ERR_OK) {
        put_error(session, msgid, err, details);
    } else {
        put_answer_head(session, msgid, false);
        put(session, result);
    }
}

/* Written out once everything that was asked is answered: ["system.error", [error]] as notification, or
 * the answer to a request that was too large. */
static void
say_farewell(struct session *session, const struct err *err, const uint32_t *msgid)
{
    uint8_t head[REQUEST_ANSWER_HEAD];
    struct buf *words = mem_alloc(sizeof *words);

    set_state(session, SESSION_FINISHING);
    log_peer(session, LOG_LEVEL_INFO, "connection.refused", err->message);
    if (words == NULL)
        return;
    buf_init(words, REFUSAL_BYTES * 2);
    if (msgid != NULL) {
        buf_append(words, head, request_answer_head(head, *msgid, true));
        call_pack_error(words, err, NULL);
        pack_nil(words);
    } else {
        pack_array(words, 3);
        pack_int(words, 2);
        pack_text(words, "system.error");
        pack_array(words, 1);
        call_pack_error(words, err, NULL);
    }
    session->farewell = words;
}

static void
flush(struct session *session)
{
    int64_t written;

    if (session->out.bytes == 0 || session->state == SESSION_CLOSED)
        return;
    written = outgoing_write(&session->out, &session->loop->stock, session->fd);
    tally_add(tallies_of(session), TALLY_WRITES, 1);
    if (written > 0) {
        tally_add(tallies_of(session), TALLY_BYTES_OUT, written);
        session->moved_ms = session->loop->now_ms;
    }
    if (written < 0 || session->out.is_broken)
        set_state(session, SESSION_CLOSED);
}

/* ---- who asks ---- */

static void
become(struct session *session, const struct caller *caller)
{
    struct identity *identity = identity_create(caller);

    if (identity == NULL) {
        set_state(session, SESSION_CLOSED);
        return;
    }
    identity_drop(session->identity);
    session->identity = identity;
}

/* A token that was revoked or has expired since makes its connection a stranger again. */
static void
check_token(struct session *session)
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
    log_peer(session, LOG_LEVEL_INFO, "token.lapsed", NULL);
    become(session, &stranger);
}

/* `epoch` is of before the token was looked at: a revocation meanwhile is found by the next request. */
static void
adopt_from_call(struct session *session, const struct call *call, uint64_t epoch)
{
    struct str language = call_str(call, "language");

    if (call->granted != NULL) {
        session->token_epoch = epoch;
        become(session, call->granted);
        log_peer(session, LOG_LEVEL_INFO, "connection.known", role_name(call->granted->role));
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
    answer(session, request->is_notification, request->msgid, &err, &call.answer,
           &call.error_details);
    loop->answer = call.answer;
    call.answer = (struct buf){0};
    call_fini(&call);
}

static void
refuse(struct session *session, const struct request *request, enum err_code code,
       const char *sentence)
{
    struct err err = {0};

    err_set(&err, code, "%s", sentence);
    err.retry_ms = BUSY_RETRY_MS;
    answer(session, request->is_notification, request->msgid, &err, NULL, NULL);
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

static void
handle_frame(struct session *session, const uint8_t *bytes, size_t n)
{
    struct request request;
    const struct method *method;

    if (request_read(bytes, n, &request) != REQUEST_OK) {
        struct err err = {0};

        tally_add(tallies_of(session), TALLY_BAD_FRAMES, 1);
        err_set(&err, ERR_BAD_FRAME,
                "a frame is neither a request [0, msgid, method, params] nor a notification "
                "[2, method, params]");
        say_farewell(session, &err, NULL);
        return;
    }
    tally_add(tallies_of(session), request.is_notification ? TALLY_NOTIFICATIONS : TALLY_REQUESTS,
              1);
    check_token(session);
    if (session->state == SESSION_CLOSED)
        return;
    if (atomic_load_explicit(&session->loop->service->is_draining, memory_order_relaxed)) {
        refuse(session, &request, ERR_DRAINING, "the service is stopping and takes no new work");
        return;
    }
    method = method_find(request.method);
    if (is_for_worker(session, method, &request))
        give_to_worker(session, method, &request);
    else
        run_here(session, &request);
}

void
session_job_finished(struct session *session, struct job *job)
{
    session->n_in_flight--;
    answer(session, job->is_notification, job->msgid, &job->err, &job->call.answer,
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
    settle(session);
}

/* ---- in ---- */

static void
scan_begin(struct session *session, struct frame_scan *scan)
{
    bool strange = is_stranger(session);

    frame_scan_init(
        scan, (size_t)limit_of(session, strange ? LIMIT_FRAME_BYTES_STRANGER : LIMIT_FRAME_BYTES),
        (size_t)limit_of(session, strange ? LIMIT_FRAME_ITEMS_STRANGER : LIMIT_FRAME_ITEMS),
        (unsigned)limit_of(session, LIMIT_FRAME_DEPTH));
}

static void
refuse_frame(struct session *session, const struct frame_scan *scan, enum frame_state state,
             const uint8_t *bytes, size_t n)
{
    const char *when = is_stranger(session) ? " before a token is shown (system.hello)" : "";
    struct err err = {0};
    uint32_t msgid;
    bool is_request = request_peek_msgid(bytes, n, &msgid);

    tally_add(tallies_of(session), TALLY_BAD_FRAMES, 1);
    switch (state) {
    case FRAME_TOO_LONG:
        err_set(&err, is_request ? ERR_TOO_LARGE : ERR_BAD_FRAME,
                "a request may have %zu bytes%s; this one announces more", scan->max_bytes, when);
        say_farewell(session, &err, is_request ? &msgid : NULL);
        return;
    case FRAME_TOO_DEEP:
        err_set(&err, ERR_BAD_FRAME, "a request may nest %u containers; this one nests more",
                scan->max_depth);
        break;
    case FRAME_TOO_MANY:
        err_set(&err, ERR_BAD_FRAME, "a request may hold %zu values%s; this one announces more",
                scan->max_items, when);
        break;
    case FRAME_BAD:
    case FRAME_MORE:
    case FRAME_DONE:
        err_set(&err, ERR_BAD_FRAME, "byte 0x%02x begins no msgpack value", bytes[scan->pos]);
        break;
    }
    say_farewell(session, &err, NULL);
}

/* Cuts whole frames off and handles them; returns the bytes used. What scan knows is of the rest. */
static size_t
cut(struct session *session, struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    size_t used = 0;

    while (used < n && session->state == SESSION_READING) {
        enum frame_state state;

        if (session->loop->turn_bytes >= TURN_BYTES) {
            set_state(session, SESSION_PAUSED); /* until the loop comes round again */
            break;
        }
        if (is_output_full(session)) {
            flush(session);
            if (session->state == SESSION_READING && is_output_full(session))
                set_state(session, SESSION_PAUSED);
            continue;
        }
        state = frame_scan(scan, bytes + used, n - used);
        if (state == FRAME_MORE)
            break;
        if (state != FRAME_DONE) {
            refuse_frame(session, scan, state, bytes + used, n - used);
            break;
        }
        handle_frame(session, bytes + used, scan->pos);
        used += scan->pos;
        scan_begin(session, scan);
    }
    return used;
}

/* Room for more bytes of an unfinished frame, under the total of all connections. If that is
 * reached the heaviest connection goes, be it this one. */
static bool
make_room(struct session *session, size_t more)
{
    while (is_over_total(session, more)) {
        struct session *heaviest;

        account(session);
        heaviest = loop_heaviest(session->loop);
        if (heaviest == NULL || heaviest == session || session_held(heaviest) < RELIEF_BYTES) {
            struct err err = {0};

            tally_add(tallies_of(session), TALLY_CLOSED_OVER_TOTAL, 1);
            err_set(&err, ERR_BUSY, "the service holds as many unfinished requests as it may");
            say_farewell(session, &err, NULL);
            return false;
        }
        tally_add(tallies_of(session), TALLY_CLOSED_OVER_TOTAL, 1);
        log_peer(heaviest, LOG_LEVEL_WARN, "connection.dropped", "it held the most of total_bytes");
        session_close(heaviest);
    }
    return true;
}

/* Keeps what is left of the scratch for later. */
static void
keep(struct session *session, const struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    struct partial *partial;

    if (!make_room(session, n))
        return;
    partial = mem_alloc_zeroed(1, sizeof *partial);
    if (partial == NULL) {
        set_state(session, SESSION_CLOSED);
        return;
    }
    partial->scan = *scan;
    partial->since_ms = session->loop->now_ms;
    buf_init(&partial->bytes, (size_t)limit_of(session, LIMIT_FRAME_BYTES) +
                                  SCRATCH_BYTES); /* the role may change */
    buf_append(&partial->bytes, bytes, n);
    session->partial = partial;
    if (buf_check(&partial->bytes, NULL) != ERR_OK)
        set_state(session, SESSION_CLOSED);
}

/* What stands in `partial`, as far as it goes. */
static void
cut_partial(struct session *session)
{
    struct partial *partial = session->partial;
    size_t used =
        cut(session, &partial->scan, (const uint8_t *)partial->bytes.data, partial->bytes.len);

    if (used > 0)
        partial->since_ms = session->loop->now_ms;
    partial->bytes.len -= used;
    if (partial->bytes.len == 0)
        partial_destroy(session);
    else if (used > 0)
        memmove(partial->bytes.data, partial->bytes.data + used, partial->bytes.len);
}

static void
take(struct session *session, const uint8_t *bytes, size_t n)
{
    struct frame_scan scan;
    size_t used;

    if (session->partial != NULL) {
        if (!make_room(session, n))
            return;
        buf_append(&session->partial->bytes, bytes, n);
        if (buf_check(&session->partial->bytes, NULL) != ERR_OK)
            set_state(session, SESSION_CLOSED);
        else
            cut_partial(session);
        return;
    }
    scan_begin(session, &scan);
    used = cut(session, &scan, bytes, n);
    if (used < n && (session->state == SESSION_READING || session->state == SESSION_PAUSED))
        keep(session, &scan, bytes + used, n - used);
}

/* False at the peer's end, or when it is gone. */
static bool
read_once(struct session *session)
{
    struct loop *loop = session->loop;
    ssize_t n;

    do
        n = read(session->fd, loop->scratch, SCRATCH_BYTES);
    while (n < 0 && errno == EINTR);
    tally_add(tallies_of(session), TALLY_READS, 1);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            set_state(session, SESSION_CLOSED);
        return true;
    }
    if (n == 0)
        return false;
    tally_add(tallies_of(session), TALLY_BYTES_IN, n);
    session->active_ms = loop->now_ms;
    if (session->state == SESSION_READING)
        take(session, loop->scratch, (size_t)n);
    return true;
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    struct session *session = context;
    struct loop *loop = session->loop;

    (void)fd;
    (void)what;
    loop_callback_begin(loop);
    if (!read_once(session)) {
        /* The peer has said all; it may still listen. */
        if (session->state == SESSION_LINGERING)
            set_state(session, SESSION_CLOSED);
        else if (session->state == SESSION_READING)
            set_state(session, SESSION_FINISHING);
    }
    settle(session);
    loop_callback_end(loop, "requests");
}

static void
on_writable(evutil_socket_t fd, short what, void *context)
{
    struct session *session = context;
    struct loop *loop = session->loop;

    (void)fd;
    (void)what;
    loop_callback_begin(loop);
    settle(session);
    loop_callback_end(loop, "output");
}

/* ---- the end of each entry point ---- */

/* All was asked and answered: last words, then our end of the connection. */
static void
finish(struct session *session)
{
    if (session->n_in_flight > 0)
        return;
    if (session->farewell != NULL) {
        put(session, session->farewell);
        buf_fini(session->farewell);
        mem_free(session->farewell);
        session->farewell = NULL;
        flush(session);
    }
    if (session->out.bytes > 0 || session->state == SESSION_CLOSED)
        return;
    shutdown(session->fd, SHUT_WR);
    set_state(session, SESSION_LINGERING);
}

static bool
may_resume(const struct session *session)
{
    return session->state == SESSION_PAUSED && !is_output_full(session) &&
           session->out.bytes <= unread_limit(session) / 2;
}

static void
settle(struct session *session)
{
    flush(session);
    while (may_resume(session) && session->loop->turn_bytes < TURN_BYTES) {
        set_state(session, SESSION_READING);
        if (session->partial != NULL)
            cut_partial(session);
        flush(session);
    }
    if (session->state != SESSION_READING && session->state != SESSION_PAUSED)
        partial_destroy(session); /* nobody will ask for the rest of it */
    if (session->state == SESSION_FINISHING)
        finish(session);
    account(session);
    if (session->state == SESSION_CLOSED) {
        destroy(session);
        return;
    }
    arm_writable(session, session->out.bytes > 0);
    if (may_resume(session)) {
        event_active(&session->writable, EV_WRITE, 0); /* its next turn comes after the others' */
    } else if (session->state == SESSION_PAUSED && !session->waits_for_peer) {
        session->waits_for_peer = true;
        tally_add(tallies_of(session), TALLY_PAUSES, 1);
    }
}

void
session_tick(struct session *session)
{
    struct loop *loop = session->loop;
    int64_t now = loop->now_ms;
    int64_t frame_ms = limit_of(session, LIMIT_FRAME_S) * 1000;
    int64_t idle_ms = limit_of(session, LIMIT_IDLE_S) * 1000;
    bool is_draining = atomic_load(&loop->service->is_draining);

    if (session->out.bytes > 0 && now - session->moved_ms >= frame_ms) {
        tally_add(tallies_of(session), TALLY_CLOSED_UNREAD, 1);
        log_peer(session, LOG_LEVEL_WARN, "connection.dropped", "its answers were not read");
        session_close(session);
    } else if (session->state == SESSION_LINGERING) {
        if (now - session->state_ms >= (is_draining ? DRAIN_LINGER_MS : LINGER_MS))
            session_close(session);
    } else if (session->state == SESSION_READING && session->partial != NULL &&
               now - session->partial->since_ms >= frame_ms) {
        struct err err = {0};

        tally_add(tallies_of(session), TALLY_CLOSED_SLOW, 1);
        err_set(&err, ERR_DEADLINE, "a request was begun and not finished within %" PRId64 " s",
                frame_ms / 1000);
        say_farewell(session, &err, NULL);
        settle(session);
    } else if (session->state == SESSION_READING && session->n_in_flight == 0 &&
               session->out.bytes == 0 && session->partial == NULL &&
               now - session->active_ms >= idle_ms) {
        tally_add(tallies_of(session), TALLY_CLOSED_IDLE, 1);
        set_state(session, SESSION_FINISHING);
        settle(session);
    }
}

void
session_drain(struct session *session)
{
    if (session->state == SESSION_READING)
        read_once(session); /* what has come is told that it came too late */
    if (session->state == SESSION_READING || session->state == SESSION_PAUSED)
        set_state(session, SESSION_FINISHING);
    settle(session);
}

/* ---- the beginning ---- */

static void
tell_busy(int fd)
{
    struct err err = {0};
    struct buf words;
    ssize_t written;

    err_set(&err, ERR_BUSY, "the service has as many connections as it may; try again later");
    err.retry_ms = 1000;
    buf_init(&words, REFUSAL_BYTES);
    pack_array(&words, 3);
    pack_int(&words, 2);
    pack_text(&words, "system.error");
    pack_array(&words, 1);
    call_pack_error(&words, &err, NULL);
    if (buf_check(&words, NULL) == ERR_OK) {
        written = write(fd, words.data, words.len);
        (void)written; /* who does not get it sees the end all the same */
    }
    buf_fini(&words);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static struct identity *
identity_of(struct service *service, int fd, bool is_unix)
{
    struct caller caller = {.role = ROLE_ANY};
    char name[32];
    uid_t uid;

    if (is_unix) {
        caller.role = identity_of_peer(fd, &service->rights, &uid);
        if (caller.role != ROLE_ANY) {
            snprintf(name, sizeof name, "uid %u", (unsigned)uid);
            caller.name = str_from(name);
        }
    }
    return identity_create(&caller);
}

void
session_open(struct loop *loop, int fd, bool is_unix)
{
    struct service *service = loop->service;
    struct session *session;
    int on = 1;

    if (tally_get(&service->tallies, TALLY_CONNECTIONS) >= service->limits[LIMIT_CONNECTIONS] ||
        atomic_load(&service->is_draining)) {
        tally_add(&service->tallies, TALLY_REFUSED, 1);
        tell_busy(fd);
        return;
    }
    session = mem_alloc_zeroed(1, sizeof *session);
    if (session != NULL)
        session->identity = identity_of(service, fd, is_unix);
    if (session == NULL || session->identity == NULL ||
        !loop_seat(loop, session, &session->slot, &session->generation)) {
        if (session != NULL)
            identity_drop(session->identity);
        mem_free(session);
        tally_add(&service->tallies, TALLY_REFUSED, 1);
        tell_busy(fd);
        return;
    }
    if (!is_unix)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session->loop = loop;
    session->fd = fd;
    session->is_unix = is_unix;
    session->active_ms = session->moved_ms = session->state_ms = loop->now_ms;
    event_assign(&session->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, session);
    event_assign(&session->writable, loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, session);
    tally_add(&service->tallies, TALLY_CONNECTIONS, 1);
    tally_add(&service->tallies, TALLY_ACCEPTED, 1);
    arm_readable(session, true);
    log_peer(session, LOG_LEVEL_DEBUG, "connection.opened", NULL);
}
