#ifndef JML_WATCH_DESK_H
#define JML_WATCH_DESK_H

#include "buf.h"
#include "engine.h"
#include "watch_lists.h"
#include "watch_seat.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * watch_desk: who watches which best lists, and what each has still to be told.
 *
 * The desk follows the engine. The writer's thread only notes what a commit changed, and wakes whoever
 * does the work: one thread calls watch_desk_wait and watch_desk_turn by turns. A turn takes together
 * all that was committed since the last one, brings each group of lists (watch_lists.h; watches of the
 * same wish share one) up to that, and lays what moved beside each watch, to be fetched by its
 * connection. The writer never waits for a turn.
 *
 *     commit ──note──► log of changes ──turn──► lists ──► pending of each watch ──poke──► its connection
 *     (writer)          (bounded)       (desk's thread)    (bounded)            takes it when it can write
 *
 * What is pending for a watch is one notification of at most `watch_bytes`: later changes are added to
 * it. If they don't fit all of it is dropped, and the notification says that something was missed and up to
 * which seq; who is told so asks again. So a slow watcher costs no more than that, and nobody else
 * anything.
 *
 *     {watch, programme, pairing, side, from_seq, seq, complete, changes: [{id, other, change, rank,
 *     rank_before, score, score_before}…]}       rank and score are nil where it is not on the list
 *     … complete: false, missed: true, resume_seq      ask again: what moved is not known
 *     … complete: false, ended: true, why              nothing will follow
 *
 * from_seq is the seq of the last notification, or of the answer to match.watch.
 *
 * A *seat* (watch_seat.h) is a connection as the desk knows it.
 * Locks: a group's before the desk's.
 */
struct watch_desk;

enum err_code watch_desk_open(struct engine *engine, const _Atomic int64_t *limits,
                              struct watch_desk **out, struct err *err);
/* Ends the wait; calls that open a watch end soon. Any thread. */
void watch_desk_stop(struct watch_desk *desk);
/* Once nobody waits, turns or calls any more. Seats may outlive it if they were closed. NULL is fine. */
void watch_desk_close(struct watch_desk *desk);

/* Until there is something to do: true; or the desk was stopped: false. */
bool watch_desk_wait(struct watch_desk *desk);
void watch_desk_turn(struct watch_desk *desk);
/* Waits, on another thread than the desk's, until all that was committed before is in the lists; or the desk
 * was stopped. */
void watch_desk_settle(struct watch_desk *desk);

/* ---- calls ---- */

struct watch_opened {
    uint64_t watch;
    uint64_t seq; /* of which the lists are */
    size_t n_lists;
};
/* Makes the lists, or finds them, and watches them; `pack`, if given, gets them before anything can
 * change. ERR_BUSY or ERR_TOO_LARGE over a limit. */
struct watch_asker {
    const struct standing_stop *stop;
    void (*pack)(void *context, const struct watch_lists *lists, uint64_t seq);
    void *context;
};
enum err_code watch_desk_watch(struct watch_desk *desk, struct watch_seat *seat,
                               const struct watch_wish *wish, const struct watch_asker *asker,
                               struct watch_opened *out, struct err *err);
void watch_desk_pack_stats(struct watch_desk *desk, struct buf *out); /* one map */

#endif
