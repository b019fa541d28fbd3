/* session_in.c: bytes come, frames are cut. */
#include "alloc.h"
#include "request.h"
#include "session_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/socket.h>

enum { RELIEF_BYTES = 64 * 1024 }; /* below this nobody is paused for the total's sake */

bool
session_is_output_full(const struct session *session)
{
    return session->out.bytes >= unread_limit(session) ||
           (session->out.bytes >= RELIEF_BYTES && is_over_total(session, 0));
}

static void
scan_begin(struct session *session, struct frame_scan *scan)
{
    bool strange = is_stranger(session);

    frame_scan_init(
        scan, (size_t)limit_of(session, strange ? LIMIT_FRAME_BYTES_STRANGER : LIMIT_FRAME_BYTES),
        (size_t)limit_of(session, strange ? LIMIT_FRAME_ITEMS_STRANGER : LIMIT_FRAME_ITEMS),
        (unsigned)limit_of(session, LIMIT_FRAME_DEPTH));
}

static __attribute__((cold)) void
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
        session_say_farewell(session, &err, is_request ? &msgid : NULL);
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
    session_say_farewell(session, &err, NULL);
}

/* Certainly; else session_must_wait says. The least that unread answers may be limited to is more than nothing. */
static inline bool
has_turn(const struct session *session)
{
    return session->out.bytes == 0 && session->loop->turn_bytes < TURN_BYTES;
}

/* Others have their turn, or its answers must be read first: PAUSED, until the loop comes round. */
bool
session_must_wait(struct session *session)
{
    if (session->loop->turn_bytes < TURN_BYTES) {
        if (!session_is_output_full(session))
            return false;
        session_flush(session);
        if (session->state == SESSION_READING && !session_is_output_full(session))
            return false;
    }
    if (session->state == SESSION_READING)
        session_set_state(session, SESSION_PAUSED);
    return true;
}

/* Looks for the end of the frame at `bytes`: its length; 0 where it is not whole, or has been refused. */
static size_t
scan_frame(struct session *session, struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    enum frame_state state;

    if (scan->pos == 0)
        scan_begin(session, scan);
    state = frame_scan(scan, bytes, n);
    if (state == FRAME_DONE)
        return scan->pos;
    if (state != FRAME_MORE)
        refuse_frame(session, scan, state, bytes, n);
    return 0;
}

/*
 * Cuts whole frames off and handles them; returns the bytes used. What scan knows is of the rest: with its pos at
 * 0 nothing, and what else stands in it has no meaning.
 */
static size_t
cut(struct session *session, struct frame_scan *scan, const uint8_t *bytes, size_t n)
{
    size_t used = 0;

    if (session->http != NULL)
        return session_http_cut(session, bytes, n);
    while (used < n && session->state == SESSION_READING) {
        struct request request;
        size_t whole;

        if (!has_turn(session) && session_must_wait(session))
            break;
        whole = scan->pos == 0 ? request_read_small(bytes + used, n - used, &request) : 0;
        if (whole > 0) {
            session_handle_request(session, &request);
        } else {
            whole = scan_frame(session, scan, bytes + used, n - used);
            if (whole == 0)
                break;
            session_handle_frame(session, bytes + used, whole);
            scan->pos = 0;
        }
        used += whole;
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

        session_account(session);
        heaviest = loop_heaviest(session->loop);
        if (heaviest == NULL || heaviest == session || session_held(heaviest) < RELIEF_BYTES) {
            struct err err = {0};

            tally_add(tallies_of(session), TALLY_CLOSED_OVER_TOTAL, 1);
            err_set(&err, ERR_BUSY, "the service holds as many unfinished requests as it may");
            session_say_farewell(session, &err, NULL);
            return false;
        }
        tally_add(tallies_of(session), TALLY_CLOSED_OVER_TOTAL, 1);
        session_log(heaviest, LOG_LEVEL_WARN, "connection.dropped",
                    "it held the most of total_bytes");
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
        session_set_state(session, SESSION_CLOSED);
        return;
    }
    if (scan->pos > 0)
        partial->scan = *scan;
    partial->since_ms = session->loop->now_ms;
    buf_init(&partial->bytes, (size_t)limit_of(session, LIMIT_FRAME_BYTES) +
                                  SCRATCH_BYTES); /* the role may change */
    buf_append(&partial->bytes, bytes, n);
    session->partial = partial;
    if (buf_check(&partial->bytes, NULL) != ERR_OK)
        session_set_state(session, SESSION_CLOSED);
}

/* What stands in `partial`, as far as it goes. */
void
session_cut_partial(struct session *session)
{
    struct partial *partial = session->partial;
    size_t used =
        cut(session, &partial->scan, (const uint8_t *)partial->bytes.data, partial->bytes.len);

    if (used > 0)
        partial->since_ms = session->loop->now_ms;
    partial->bytes.len -= used;
    if (partial->bytes.len == 0)
        session_partial_destroy(session);
    else if (used > 0)
        memmove(partial->bytes.data, partial->bytes.data + used, partial->bytes.len);
}

static void
take(struct session *session, const uint8_t *bytes, size_t n)
{
    struct frame_scan *scan = &session->loop->scan;
    size_t used;

    if (session->partial != NULL) {
        if (!make_room(session, n))
            return;
        buf_append(&session->partial->bytes, bytes, n);
        if (buf_check(&session->partial->bytes, NULL) != ERR_OK)
            session_set_state(session, SESSION_CLOSED);
        else
            session_cut_partial(session);
        return;
    }
    scan->pos = 0;
    used = cut(session, scan, bytes, n);
    if (used < n && (session->state == SESSION_READING || session->state == SESSION_PAUSED))
        keep(session, scan, bytes + used, n - used);
}

/* False at the peer's end, or when it is gone. By recv: read(2) asks all that may be asked of a file first. */
bool
session_read(struct session *session)
{
    struct loop *loop = session->loop;
    ssize_t n;

    do
        n = session->tls == NULL ? recv(session->fd, loop->scratch, SCRATCH_BYTES, 0)
                                 : tls_read(session->tls, loop->scratch, SCRATCH_BYTES);
    while (n < 0 && errno == EINTR);
    tally_add(tallies_of(session), TALLY_READS, 1);
    if (n < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
            if (session->tls != NULL && !tls_is_open(session->tls))
                tally_add(tallies_of(session), TALLY_TLS_FAILED, 1);
            session_set_state(session, SESSION_CLOSED);
        }
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
