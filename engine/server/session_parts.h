#ifndef JML_SESSION_PARTS_H
#define JML_SESSION_PARTS_H

#include "frame.h"
#include "request.h"
#include "session.h"

/*
 * session_parts: what the files of a connection share, and nobody else sees.
 *
 *     session_in.c     recv(2) into the loop's scratch ── cut ──► whole frames
 *                                                      └─ what is left: session->partial, with its scanner
 *     session_call.c   one frame: answered here, or a job
 *     session_http.c   the same for HTTP: heads and bodies are cut, answers get heads
 *     session_out.c    answers and notifications gather in session->out, and leave by one write
 *     session.c        states, deadlines, beginning and end
 *
 * Nothing is copied or allocated for a request that came whole and is answered here. Answers are written
 * once, by session_settle, at the end of each entry point. While more of them wait than the limit
 * allows nothing more is read (PAUSED).
 */
enum {
    TURN_BYTES = 256 * 1024,
    HTTP_HEAD_ROOM = 16 * 1024
}; /* of answers; then others have their turn */

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
    const struct door *door;
    struct tls *tls;         /* NULL: plain */
    struct http_talk *http;  /* NULL: frames */
    struct watch_seat *seat; /* once it has watched something */
    struct outgoing out;
    size_t counted_bytes; /* of ours in TALLY_HELD_BYTES */
    uint64_t token_epoch;
    int64_t opened_ms;
    int64_t active_ms; /* last byte that came */
    int64_t moved_ms;  /* last byte that the peer took, or that output began to wait */
    int64_t state_ms;  /* that the state began */
    uint32_t slot, generation, n_in_flight;
    uint32_t n_bad_tokens;
    int fd;
    enum session_state state;
    enum lang lang;
    bool has_lang, is_touched, is_writable_armed, is_readable_armed;
    bool waits_for_peer; /* paused until its answers are read, and counted as such */
};

/* ---- small questions ---- */

static inline struct tallies *
tallies_of(const struct session *session)
{
    return &session->loop->service->tallies;
}

static inline int64_t
limit_of(const struct session *session, enum limit limit)
{
    return session->loop->service->limits[limit];
}

/* No token was shown yet: smaller limits hold. */
static inline bool
is_stranger(const struct session *session)
{
    return session->identity->caller.role == ROLE_ANY;
}

static inline size_t
unread_limit(const struct session *session)
{
    return (size_t)limit_of(session, is_stranger(session) ? LIMIT_UNREAD_BYTES_STRANGER
                                                          : LIMIT_UNREAD_BYTES);
}

/* Would all connections together hold more than they may? */
static inline bool
is_over_total(const struct session *session, size_t more)
{
    return tally_get(tallies_of(session), TALLY_HELD_BYTES) + (int64_t)more >
           limit_of(session, LIMIT_TOTAL_BYTES);
}

/* ---- session.c ---- */
void session_set_state(struct session *session, enum session_state state);
void session_partial_destroy(struct session *session);
/* Keeps TALLY_HELD_BYTES in step with what we hold. */
void session_account(struct session *session);
/* The end of each entry point: writes, goes on reading, finishes; may destroy the session. */
void session_settle(struct session *session);
void session_log(const struct session *session, enum log_level level, const char *event,
                 const char *why);

/* From here on the connection is somebody else, by a token. */
void session_become(struct session *session, const struct caller *caller);
/* Tokens are long and random, so that trying them leads nowhere; it must not cost others much either.
 * False while too many wrong ones came within a second: look at none. */
bool session_may_try_token(struct session *session);
/* One did not hold; true if it was this connection's last try. */
bool session_note_bad_token(struct session *session);

/* ---- session_in.c ---- */
/* False at the peer's end. What has gone wrong is in the state. */
bool session_read(struct session *session);
/* Frames of what stands in `partial`, as far as it goes. */
void session_cut_partial(struct session *session);
bool session_is_output_full(const struct session *session);
bool session_must_wait(struct session *session);

/* ---- session_call.c ---- */
/* A token that was revoked or has expired since makes its connection a stranger again. */
void session_check_token(struct session *session);
void session_handle_frame(struct session *session, const uint8_t *bytes, size_t n);
void session_handle_request(struct session *session, const struct request *request);

/* ---- session_http.c ---- */
struct http_talk *session_http_create(void); /* NULL if out of memory */
/* Cuts whole requests off and handles them; returns the bytes used. Nothing while one is answered. */
size_t session_http_cut(struct session *session, const uint8_t *bytes, size_t n);
bool session_http_is_answering(const struct session *session);
/* The head of the answer to the call in hand; `bytes` of frame are put behind it. */
void session_http_answer(struct session *session, bool is_notification, size_t bytes);
/* Instead of a farewell as a frame. */
void session_http_farewell(struct session *session, const struct err *err);

/* ---- session_out.c ---- */
void session_put(struct session *session, struct buf *bytes); /* takes them, or copies */
void session_put_bytes(struct session *session, struct str bytes);
void session_answer(struct session *session, bool is_notification, uint32_t msgid,
                    const struct err *err, struct buf *result, const struct buf *details);
/* An answer without error, of bytes that stay the owner's. */
void session_answer_bytes(struct session *session, uint32_t msgid, struct str result);
/* Written out once everything that was asked is answered: ["system.error", [error]] as notification, or
 * the answer to the request `msgid`. Nothing more is asked. */
void session_say_farewell(struct session *session, const struct err *err, const uint32_t *msgid);
/* What its watches have to tell, as long as the peer takes it. */
void session_put_news(struct session *session);
/* The farewell's time has come. */
void session_put_farewell(struct session *session);
void session_flush(struct session *session);

#endif
