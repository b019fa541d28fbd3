#ifndef JML_WATCH_PARTS_H
#define JML_WATCH_PARTS_H

#include "change_log.h"
#include "limit_table.h"
#include "watch_desk.h"

#include <pthread.h>
#include <stdatomic.h>

/*
 * watch_parts: what the files of the watch desk share, and nobody else sees.
 *
 *     watch_desk.c   the log, the turns, the desk's life
 *     watch_open.c   a watch from being asked for to standing in its group
 *     watch_seat.c   connections, and what each takes
 *     watch.c        one watch: what waits to be told to it
 *
 * Everything here is under the desk's lock, but for a group's `lists`, which are under its `work`; that
 * comes before the desk's where both are held.
 */
enum { WATCH_WAIT_MS = 50, WATCH_WHY_BYTES = 200 };

enum watch_group_state {
    GROUP_OPENING, /* the lists are being made by a call */
    GROUP_READY,
    GROUP_FAILED /* leaves when the last has dropped it */
};

struct watch_group {
    struct watch_group *next;
    enum watch_group_state state;
    unsigned n_users;        /* watches, calls, the turn */
    uint64_t cursor;         /* number of the last batch that the lists contain */
    uint64_t seq;            /* of the lists */
    uint64_t roster_seq;     /* of the roster that they were made on */
    bool is_at_work;         /* a turn has it in hand */
    size_t n_lists, n_bytes; /* as of the last work */
    _Atomic bool is_wanted;  /* false: long work on it may end */
    struct watch_desk *desk;
    struct watch *watches;
    pthread_mutex_t work; /* around `lists` */
    struct watch_lists lists;
    struct err err; /* of a failed opening */
};

struct watch {
    struct watch *next_of_group, *next_of_seat;
    struct watch_seat *seat;
    struct watch_group *group;
    uint64_t number;
    uint64_t told_seq, seq; /* of the last notification taken; of what is pending */
    struct buf changes;
    size_t n_changes;
    bool is_started, has_news, has_missed;
    char why[WATCH_WHY_BYTES]; /* it has ended; empty: it has not */
};

struct watch_seat {
    _Atomic unsigned n_holders;
    struct watch_desk *desk; /* not to be looked at once closed */
    void (*poke)(void *context);
    void *context;
    struct watch *watches;
    _Atomic unsigned n_watches; /* with those that are being opened */
    bool is_closed;
};

struct watch_counts {
    uint64_t updates, changes, missed, notifications;
    uint64_t us_last, us_longest, us_all;
};

struct watch_desk {
    struct engine *engine;
    const _Atomic int64_t *limits;
    struct follower follower;
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t wake, opened;
    _Atomic bool is_stopping;

    struct change_log log;
    uint64_t seq;              /* of the last batch */
    struct engine_view latest; /* of the last batch; roster NULL: none */
    uint64_t erased_seq;       /* of the roster that the last erased profile is gone from */

    struct watch_group *groups;
    uint64_t last_watch;
    size_t n_watches, n_lists, n_bytes, pending_bytes;
    struct watch_counts counts;
};

static inline int64_t
watch_limit(const struct watch_desk *desk, enum limit limit)
{
    return desk->limits[limit];
}

/* ---- groups (watch_desk.c) ---- */

/* One more user: who made it is the first. NULL if out of memory. */
struct watch_group *watch_group_create(struct watch_desk *desk, const struct watch_wish *wish);
struct watch_group *watch_group_find(struct watch_desk *desk, const struct watch_wish *wish);
/* The last user destroys it: no one else knows it by then. */
void watch_group_drop(struct watch_group *group);
/* As many lists and bytes as it has now. */
void watch_group_count(struct watch_group *group, size_t n_lists, size_t n_bytes);

/* ---- watches (watch.c) ---- */

void watch_add_changes(struct watch *watch, const struct buf *changes, size_t n);
void watch_miss(struct watch *watch); /* what moved is not told */
/* What is pending names one of these, or may: it is not told. NULL: any. */
void watch_forget(struct watch *watch, const struct changed_id *erased);
void watch_end(struct watch *watch, const char *why);
void watch_poke(struct watch *watch); /* its connection is told that there is something to take */
/* Out of its group; its seat has let it go. */
void watch_destroy(struct watch *watch);
/* The notification, as one whole frame; nothing is pending then. */
void watch_take(struct watch *watch, struct buf *out);

#endif
