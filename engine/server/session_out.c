/* session_out.c: answers gather in session->out and are written by flush. */
#include "alloc.h"
#include "request.h"
#include "session_parts.h"
#include "watch_desk.h"

#include <string.h>

enum { REFUSAL_BYTES = 2048, ERROR_BYTES = 128 * 1024 };

/* Before the first byte that the peer has still to take: from now on it is waited for. */
static void
note_waiting(struct session *session)
{
    if (session->out.bytes == 0)
        session->moved_ms = session->loop->now_ms;
}

void
session_put(struct session *session, struct buf *bytes)
{
    note_waiting(session);
    session->loop->turn_bytes += bytes->len;
    outgoing_add_buf(&session->out, &session->loop->stock, bytes);
}

void
session_put_bytes(struct session *session, struct str bytes)
{
    note_waiting(session);
    session->loop->turn_bytes += bytes.len;
    outgoing_add(&session->out, &session->loop->stock, bytes.data, bytes.len);
}

/* What precedes a result, or (with has_error) an error; `more` bytes follow. */
static void
put_answer_head(struct session *session, uint32_t msgid, bool has_error, size_t more)
{
    uint8_t head[REQUEST_ANSWER_HEAD];
    size_t n = request_answer_head(head, msgid, has_error);

    if (session->http != NULL)
        session_http_answer(session, false, n + more);
    note_waiting(session);
    outgoing_add(&session->out, &session->loop->stock, head, n);
}

/* An error that does not come of a call's own buffers. */
static void
put_error(struct session *session, uint32_t msgid, const struct err *err, const struct buf *details)
{
    struct buf packed;

    buf_init(&packed, ERROR_BYTES);
    call_pack_error(&packed, err, details);
    pack_nil(&packed);
    if (buf_check(&packed, NULL) != ERR_OK)
        session->out.is_broken = true;
    put_answer_head(session, msgid, true, packed.len);
    session_put(session, &packed);
    buf_fini(&packed);
}

void
session_answer_bytes(struct session *session, uint32_t msgid, struct str result)
{
    uint8_t *room = NULL;
    size_t n;

    if (session->http == NULL) {
        note_waiting(session);
        room =
            outgoing_room(&session->out, &session->loop->stock, REQUEST_ANSWER_HEAD + result.len);
    }
    if (room == NULL) {
        put_answer_head(session, msgid, false, result.len);
        session_put_bytes(session, result);
        return;
    }
    n = request_answer_head(room, msgid, false);
    memcpy(room + n, result.data, result.len);
    outgoing_fill(&session->out, n + result.len);
    session->loop->turn_bytes += n + result.len;
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

void
session_answer(struct session *session, bool is_notification, uint32_t msgid, const struct err *err,
               struct buf *result, const struct buf *details)
{
    count_error(session, is_notification, err);
    if (is_notification) {
        if (session->http != NULL)
            session_http_answer(session, true, 0);
        return;
    }
    if (err->code != ERR_OK) {
        put_error(session, msgid, err, details);
    } else {
        put_answer_head(session, msgid, false, result->len);
        session_put(session, result);
    }
}

/* Written out once everything that was asked is answered: ["system.error", [error]] as notification, or
 * the answer to a request that was too large. */
void
session_say_farewell(struct session *session, const struct err *err, const uint32_t *msgid)
{
    uint8_t head[REQUEST_ANSWER_HEAD];
    struct buf *words;

    if (session->http != NULL) {
        session_http_farewell(session, err);
        return;
    }
    words = mem_alloc(sizeof *words);
    session_set_state(session, SESSION_FINISHING);
    session_log(session, LOG_LEVEL_INFO, "connection.refused", err->message);
    if (words == NULL)
        return;
    buf_init(words, REFUSAL_BYTES);
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

void
session_flush(struct session *session)
{
    int64_t written;

    if ((session->out.bytes == 0 && !session->out.is_broken) || session->state == SESSION_CLOSED)
        return;
    written = outgoing_write(&session->out, &session->loop->stock, session->fd, session->tls);
    tally_add(tallies_of(session), TALLY_WRITES, 1);
    if (written > 0) {
        tally_add(tallies_of(session), TALLY_BYTES_OUT, written);
        session->moved_ms = session->loop->now_ms;
    }
    if (written < 0 || session->out.is_broken)
        session_set_state(session, SESSION_CLOSED);
}

void
session_put_news(struct session *session)
{
    struct buf news;

    if (!watch_seat_is_watching(session->seat))
        return;
    buf_init(&news, 0);
    session_check_token(session);
    while (session->out.bytes == 0 && session->loop->turn_bytes < TURN_BYTES &&
           (session->state == SESSION_READING || session->state == SESSION_PAUSED) &&
           watch_seat_take(session->seat, &news)) {
        session->out.is_broken |= buf_check(&news, NULL) != ERR_OK;
        session_put(session, &news);
        session_flush(session);
    }
    buf_fini(&news);
    if (session->out.bytes == 0 && session->loop->turn_bytes >= TURN_BYTES)
        loop_hear_news(session->loop); /* its next turn comes after the others' */
}

void
session_put_farewell(struct session *session)
{
    if (session->farewell == NULL)
        return;
    session_put(session, session->farewell);
    buf_fini(session->farewell);
    mem_free(session->farewell);
    session->farewell = NULL;
    session_flush(session);
}
