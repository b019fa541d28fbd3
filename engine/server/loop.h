#ifndef JML_LOOP_H
#define JML_LOOP_H

#include "arena.h"
#include "buf.h"
#include "door.h"
#include "express.h"
#include "frame.h"
#include "outgoing.h"
#include "refusals.h"
#include "service.h"
#include "timer.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * loop: one event thread with its connections.
 *
 * Owns an event base without locks, the sessions by slot and generation, and what they share while a
 * callback runs: one read buffer, one arena, one answer buffer, a stock of output pieces. So an idle
 * connection costs its struct and nothing else. Nothing here waits: workers and the writer hand
 * finished jobs over in a list behind a mutex that is held for a few instructions, and an eventfd
 * wakes the loop.
 */
enum { SCRATCH_BYTES = 64 * 1024, EXPRESS_BYTES = 16 * 1024 * 1024 };

struct session;

struct loop {
    struct service *service;
    unsigned index;
    struct event_base *base;
    struct event wake;
    int wake_fd;
    struct timer tick;

    struct session **slots; /* NULL: free */
    uint32_t *generations;
    uint32_t n_slots, first_free_hint;
    size_t n_sessions;

    struct refusals refusals;
    struct session *touched; /* to be settled once all finished jobs are answered */
    uint8_t *scratch;
    struct frame_scan scan; /* of what stands there */
    struct arena *arena;
    struct buf answer;
    struct piece_stock stock;
    struct express *express; /* NULL until it is asked for */
    struct method_memo methods;
    const struct method *counted; /* calls of it that express answered in this callback: */
    uint64_t n_counted;
    int64_t began_us; /* steady, of this callback's beginning */
    bool
        goes_on; /* the next callback begins where the last one ended: there was no wait between them */
    int64_t now_ms;    /* the same */
    size_t turn_bytes; /* answered in this callback */
    bool has_drained;
    _Atomic bool has_news; /* some watch has something to tell its connection */

    pthread_mutex_t lock; /* of the rest */
    struct job *finished_first, *finished_last;
    struct arrival *arrivals;
};

enum err_code loop_create(struct service *service, unsigned index, struct loop **out,
                          struct err *err);
/* After the pool and the engine have ended: nobody hands over jobs any more. NULL is fine. */
void loop_destroy(struct loop *loop);
/* What it has of the engine is given back; it must not run any more. For the time between its end and
 * the engine's. */
void loop_let_go(struct loop *loop);
/* Until the service has drained and no connection is left, or must_end; the main loop, whose index is
 * 0, until the others have ended as well. On the loop's own thread. */
void loop_run(struct loop *loop);

/* ---- any thread ---- */
void loop_wake(struct loop *loop);
/* A new connection; the loop owns the descriptor from here on. */
void loop_adopt(struct loop *loop, int fd, const struct door *door);
void loop_hear_news(void *loop);       /* watches of its connections have something to tell */
void loop_finish_job(struct job *job); /* job->finished_context is its loop */

/* ---- the loop's own thread, for sessions ---- */
void loop_callback_begin(struct loop *loop);
struct express *loop_express_create(struct loop *loop);
void loop_count_other(struct loop *loop, const struct method *method);
void loop_callback_end(struct loop *loop, const char *what); /* counts and logs slow ones */
bool loop_seat(struct loop *loop, struct session *session, uint32_t *slot, uint32_t *generation);
void loop_unseat(struct loop *loop, uint32_t slot);
/* The one that holds most of TALLY_HELD_BYTES; NULL if there is none. */
struct session *loop_heaviest(struct loop *loop);

/* NULL if out of memory: calls answer then. */
static inline struct express *
loop_express(struct loop *loop)
{
    return loop->express != NULL ? loop->express : loop_express_create(loop);
}

/* One more answer of it. The callback's time is shared among its answers. */
static inline void
loop_count_express(struct loop *loop, const struct method *method)
{
    if (loop->counted != method)
        loop_count_other(loop, method);
    loop->n_counted++;
}

#endif
