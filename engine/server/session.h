#ifndef JML_SESSION_H
#define JML_SESSION_H

#include "job.h"
#include "loop.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * session: one connection: bytes in, frames cut, requests dispatched, answers out.
 *
 * Lives on its loop's thread and is named elsewhere by slot and generation (job->session). What an
 * enum session_state awaits is written beside it; one function changes the state. Entry points
 * below may destroy the session: callers don't touch it afterwards.
 */
enum session_state {
    SESSION_READING, /* bytes; the usual */
    SESSION_PAUSED,  /* its answers to be read; what came meanwhile is kept, nothing more is read */
    SESSION_FINISHING, /* its jobs and its answers to be read; nothing more is asked */
    SESSION_LINGERING, /* the peer's own end, so that our last words are not lost to a reset */
    SESSION_CLOSED     /* to be destroyed by settle */
};

struct session;

/* Takes the descriptor, whatever happens. */
void session_open(struct loop *loop, int fd, const struct door *door);
void session_close(struct session *session); /* as it is, at once */
/* The service stops: what was asked is finished, then the connection ends. */
void session_drain(struct session *session);
/* Deadlines: idle, unfinished frame, unread answers, lingering. */
void session_tick(struct session *session);
/* The answer is put out; written once loop->touched is settled. */
void session_job_finished(struct session *session, struct job *job);
bool session_is_watching(const struct session *session);
/* Its watches may have something to tell. */
void session_hear_news(struct session *session);
void session_settle_touched(struct loop *loop); /* the first of loop->touched */
/* Bytes of unfinished requests and unread answers. */
size_t session_held(const struct session *session);

#endif
