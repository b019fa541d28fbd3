#include "alloc.h"
#include "session_parts.h"
#include "watch_desk.h"

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

enum { LINGER_MS = 2000, DRAIN_LINGER_MS = 200, PEER_TEXT_BYTES = 80 };

/* ---- small questions ---- */

bool
session_is_watching(const struct session *session)
{
    return session->seat != NULL && watch_seat_is_watching(session->seat);
}

size_t
session_held(const struct session *session)
{
    return session->out.bytes + (session->partial != NULL ? session->partial->bytes.room : 0);
}

static void
peer_text(const struct session *session, char text[PEER_TEXT_BYTES])
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    char host[INET6_ADDRSTRLEN] = "?";
    bool is_unix = session->door->address.kind == ADDRESS_UNIX;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&name;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&name;

    if (is_unix || getpeername(session->fd, (struct sockaddr *)&name, &length) != 0) {
        snprintf(text, PEER_TEXT_BYTES, "%s", is_unix ? "local socket" : "gone");
    } else if (name.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(text, PEER_TEXT_BYTES, "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(text, PEER_TEXT_BYTES, "%s:%u", host, ntohs(four->sin_port));
    }
}

void
session_log(const struct session *session, enum log_level level, const char *event, const char *why)
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

void
session_set_state(struct session *session, enum session_state state)
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

void
session_partial_destroy(struct session *session)
{
    if (session->partial == NULL)
        return;
    buf_fini(&session->partial->bytes);
    mem_free(session->partial);
    session->partial = NULL;
}

/* What we hold, kept in step with the total of all connections. */
void
session_account(struct session *session)
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

    session_log(session, LOG_LEVEL_DEBUG, "connection.closed", NULL);
    for (struct session **at = &loop->touched; *at != NULL; at = &(*at)->next_touched)
        if (*at == session) {
            *at = session->next_touched;
            break;
        }
    arm_readable(session, false);
    arm_writable(session, false);
    session_partial_destroy(session);
    outgoing_fini(&session->out, &loop->stock);
    session_account(session);
    if (session->farewell != NULL)
        buf_fini(session->farewell);
    mem_free(session->farewell);
    if (session->lane != NULL)
        lane_close(session->lane);
    if (session->seat != NULL)
        watch_seat_close(session->seat);
    watch_seat_drop(session->seat);
    tls_end(session->tls);
    mem_free(session->http);
    identity_drop(session->identity);
    close(session->fd);
    loop_unseat(loop, session->slot);
    tally_add(tallies_of(session), TALLY_CONNECTIONS, -1);
    mem_free(session);
}

void
session_close(struct session *session)
{
    session_set_state(session, SESSION_CLOSED);
    destroy(session);
}

/* ---- the loop calls ---- */

static void
read_some(struct session *session)
{
    if (session_read(session))
        return;
    /* The peer has said all; it may still listen. */
    if (session->state == SESSION_LINGERING)
        session_set_state(session, SESSION_CLOSED);
    else if (session->state == SESSION_READING)
        session_set_state(session, SESSION_FINISHING);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    struct session *session = context;
    struct loop *loop = session->loop;

    (void)fd;
    (void)what;
    loop_callback_begin(loop);
    read_some(session);
    session_settle(session);
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
    if (session->tls != NULL && tls_read_wants_writable(session->tls))
        read_some(session);
    session_settle(session);
    loop_callback_end(loop, "output");
}

/* ---- the end of each entry point ---- */

/* All was asked and answered: last words, then our end of the connection. */
static void
finish(struct session *session)
{
    if (session->n_in_flight > 0)
        return;
    session_put_farewell(session);
    if (session->out.bytes > 0 || session->state == SESSION_CLOSED)
        return;
    if (session->tls != NULL)
        tls_say_end(session->tls);
    shutdown(session->fd, SHUT_WR);
    session_set_state(session, SESSION_LINGERING);
}

static bool
may_resume(const struct session *session)
{
    return session->state == SESSION_PAUSED && !session_is_output_full(session) &&
           session->out.bytes <= unread_limit(session) / 2;
}

/* Encryption has its own mind: writing may wait for bytes to come, reading for room to go. */
static bool
wants_writable(const struct session *session)
{
    const struct tls *tls = session->tls;

    if (tls == NULL)
        return session->out.bytes > 0;
    return (session->out.bytes > 0 && !tls_write_wants_readable(tls)) ||
           tls_read_wants_writable(tls);
}

/* An answer has gone out: the request behind it may be here already. */
static void
go_on_with_http(struct session *session)
{
    if (session->state != SESSION_READING)
        return;
    if (session->partial != NULL && !session_http_is_answering(session)) {
        session_cut_partial(session);
        session_flush(session);
    }
    if (session->state == SESSION_READING)
        arm_readable(session, !session_http_is_answering(session));
}

/* All was answered and taken, and nothing is kept or watched: as most entries end. */
static bool
is_at_rest(const struct session *session)
{
    return session->state == SESSION_READING && session->out.bytes == 0 &&
           session->partial == NULL && session->counted_bytes == 0 && !session->is_writable_armed &&
           session->seat == NULL && session->http == NULL && session->tls == NULL;
}

void
session_settle(struct session *session)
{
    session_flush(session);
    if (is_at_rest(session))
        return;
    if (session->seat != NULL)
        session_put_news(session);
    if (session->http != NULL)
        go_on_with_http(session);
    while (may_resume(session) && session->loop->turn_bytes < TURN_BYTES) {
        session_set_state(session, SESSION_READING);
        if (session->partial != NULL)
            session_cut_partial(session);
        session_flush(session);
    }
    if (session->state != SESSION_READING && session->state != SESSION_PAUSED)
        session_partial_destroy(session); /* nobody will ask for the rest of it */
    if (session->state == SESSION_FINISHING)
        finish(session);
    session_account(session);
    if (session->state == SESSION_CLOSED) {
        destroy(session);
        return;
    }
    arm_writable(session, wants_writable(session));
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
    bool is_watching = session_is_watching(session);

    if (is_watching)
        session_check_token(session);
    if (session->state == SESSION_CLOSED) { /* memory ended meanwhile */
        session_close(session);
        return;
    }
    if (session->tls != NULL && !tls_is_open(session->tls) &&
        now - session->opened_ms >= frame_ms) {
        tally_add(tallies_of(session), TALLY_TLS_FAILED, 1);
        session_close(session);
    } else if (session->out.bytes > 0 && now - session->moved_ms >= frame_ms) {
        tally_add(tallies_of(session), TALLY_CLOSED_UNREAD, 1);
        session_log(session, LOG_LEVEL_WARN, "connection.dropped", "its answers were not read");
        session_close(session);
    } else if (session->state == SESSION_LINGERING) {
        if (now - session->state_ms >= (is_draining ? DRAIN_LINGER_MS : LINGER_MS))
            session_close(session);
    } else if (session->state == SESSION_READING && session->partial != NULL &&
               !session_http_is_answering(session) &&
               now - session->partial->since_ms >= frame_ms) {
        struct err err = {0};

        tally_add(tallies_of(session), TALLY_CLOSED_SLOW, 1);
        err_set(&err, ERR_DEADLINE, "a request was begun and not finished within %" PRId64 " s",
                frame_ms / 1000);
        session_say_farewell(session, &err, NULL);
        session_settle(session);
    } else if (session->state == SESSION_READING && !is_watching && session->n_in_flight == 0 &&
               session->out.bytes == 0 && session->partial == NULL &&
               now - session->active_ms >= idle_ms) {
        tally_add(tallies_of(session), TALLY_CLOSED_IDLE, 1);
        session_set_state(session, SESSION_FINISHING);
        session_settle(session);
    }
}

void
session_hear_news(struct session *session)
{
    session_settle(session);
}

void
session_drain(struct session *session)
{
    if (session->state == SESSION_READING)
        session_read(session); /* what has come is told that it came too late */
    if (session->state == SESSION_READING || session->state == SESSION_PAUSED)
        session_set_state(session, SESSION_FINISHING);
    session_settle(session);
}

/* ---- the beginning ---- */

static struct identity *
identity_of(struct service *service, int fd, bool is_unix)
{
    const struct peer_rights rights = service_rights(service);
    struct caller caller = {.role = ROLE_ANY};
    char name[32];
    uid_t uid;

    if (is_unix) {
        caller.role = identity_of_peer(fd, &rights, &uid);
        if (caller.role != ROLE_ANY) {
            snprintf(name, sizeof name, "uid %u", (unsigned)uid);
            caller.name = str_from(name);
        }
    }
    return identity_create(&caller);
}

/* What a connection through this door needs; false if memory is out. */
static bool
furnish(struct session *session)
{
    const struct door *door = session->door;
    struct service *service = session->loop->service;

    session->identity = identity_of(service, session->fd, door->address.kind == ADDRESS_UNIX);
    if (session->identity == NULL)
        return false;
    if (door->address.is_tls && (session->tls = tls_begin(&service->tls, session->fd)) == NULL)
        return false;
    if (door->address.is_http && (session->http = session_http_create()) == NULL)
        return false;
    return loop_seat(session->loop, session, &session->slot, &session->generation);
}

void
session_open(struct loop *loop, int fd, const struct door *door)
{
    struct service *service = loop->service;
    struct session *session = NULL;
    bool may_come =
        tally_get(&service->tallies, TALLY_CONNECTIONS) < service->limits[LIMIT_CONNECTIONS] &&
        !atomic_load(&service->is_draining);
    int on = 1;

    if (may_come && (session = mem_alloc_zeroed(1, sizeof *session)) != NULL) {
        session->loop = loop;
        session->fd = fd;
        session->door = door;
    }
    if (session == NULL || !furnish(session)) {
        if (session != NULL) {
            identity_drop(session->identity);
            tls_end(session->tls);
            mem_free(session->http);
        }
        mem_free(session);
        tally_add(&service->tallies, TALLY_REFUSED, 1);
        refusals_add(&loop->refusals, fd, door);
        return;
    }
    if (door->address.kind == ADDRESS_TCP)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session->opened_ms = session->active_ms = session->moved_ms = session->state_ms = loop->now_ms;
    event_assign(&session->readable, loop->base, fd, EV_READ | EV_PERSIST, on_readable, session);
    event_assign(&session->writable, loop->base, fd, EV_WRITE | EV_PERSIST, on_writable, session);
    tally_add(&service->tallies, TALLY_CONNECTIONS, 1);
    tally_add(&service->tallies, TALLY_ACCEPTED, 1);
    arm_readable(session, true);
    session_log(session, LOG_LEVEL_DEBUG, "connection.opened", NULL);
}
