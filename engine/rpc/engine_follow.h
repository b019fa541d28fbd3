#ifndef JML_ENGINE_FOLLOW_H
#define JML_ENGINE_FOLLOW_H

#include "str.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * engine_follow: who keeps something that is computed from an engine is told what each commit changed.
 *
 * A follower is told once for each group that the writer commits, if anything in it may move a match: on
 * the writer's thread, after the next roster can be seen and before anyone of the group is answered.
 * What it is told is a hint, never a verdict: an id may be named twice, and one that is named may be as
 * it was. What is not named is unchanged, unless `is_everything`: then nothing may be taken for
 * unchanged. That is said of other tables, of merging, parting and erasing (which touch old
 * outcomes), of more changes than are kept (FOLLOW_BYTES), where memory ended while a change was
 * noted, and the first time that a follower is told anything. So noting a change needs no memory that
 * must be there, and cannot fail a commit. A group that is undone is never told.
 *
 * To miss nothing: first engine_follow, then engine_view_hold, then compute.
 *
 * Rows of a roster keep their meaning from one telling to the next, except where has_new_rows.
 */
enum { FOLLOW_BYTES = 1024 * 1024 };

struct changed_id { /* in the order of the changes */
    struct str id;
    bool is_gone; /* deleted; else put: it may be new */
    const struct changed_id *next;
};

struct added_outcome {
    struct str from, to;
    const struct added_outcome *next;
};

/* Borrowed for the time of the telling. The lists are empty where is_everything, but for `erased`. */
struct engine_changes {
    uint64_t
        seq; /* of the newest journal entry of the group; rosters without a change keep their own */
    bool is_everything;
    bool has_new_rows;   /* row numbers of earlier rosters mean nothing in this one */
    bool has_new_tables; /* vocabularies, rates or lexicon; then is_everything too */
    bool has_new_day;    /* a UTC day has begun: `day` is noted in the store */
    int32_t day;         /* with has_new_day */
    const struct changed_id *profiles, *programmes;
    const struct added_outcome *outcomes;
    /* Nothing of these profiles may be given out once the eraser is answered, their ids included.
     * has_erased and none listed: memory ended; whoever is gone may be one of them. */
    bool has_erased;
    const struct changed_id *erased;
};

/* The follower's own; it must live, and stay where it is, until engine_unfollow. `tell` must not wait for
 * a write, nor follow or unfollow; it may hold a view. It keeps writers waiting, so it should note
 * what is to be done and leave the doing to another thread. */
struct follower {
    void (*tell)(void *context, const struct engine_changes *changes);
    void *context;
    struct follower *next; /* the desk's own, like is_new */
    bool is_new;
};

struct engine;
void engine_follow(struct engine *engine, struct follower *follower); /* any thread */
/* Any thread but the writer's. On return `tell` does not run, and is not called again. */
void engine_unfollow(struct engine *engine, struct follower *follower);

/*
 * The desk: where an engine notes what the transaction in progress changes. follow_desk_add and _remove
 * from any thread; all else on the writer's thread.
 */
struct follow_desk {
    pthread_mutex_t lock; /* around the followers; held while they are told */
    struct follower *followers;
    struct arena *arena;        /* of the lists; NULL until something is noted */
    struct arena *erased_arena; /* likewise, of the erased ids */
    struct engine_changes changes;
    struct changed_id *last_profile, *last_programme, *last_erased;
    struct added_outcome *last_outcome;
};

void follow_desk_init(struct follow_desk *desk);
void follow_desk_fini(struct follow_desk *desk); /* whoever still follows is forgotten */
void follow_desk_add(struct follow_desk *desk, struct follower *follower);
void follow_desk_remove(struct follow_desk *desk, struct follower *follower);

void follow_note_profile(struct follow_desk *desk, struct str id, bool is_gone);
void follow_note_programme(struct follow_desk *desk, struct str id, bool is_gone);
void follow_note_outcome(struct follow_desk *desk, struct str from, struct str to);
void follow_note_erased(struct follow_desk *desk, struct str id);
void follow_note_rows(struct follow_desk *desk);   /* all rows anew */
void follow_note_tables(struct follow_desk *desk); /* all rows anew, by other tables */
void follow_note_day(struct follow_desk *desk, int32_t day);

void follow_forget(struct follow_desk *desk);             /* what was noted did not happen */
void follow_tell(struct follow_desk *desk, uint64_t seq); /* what was noted has happened */

#endif
