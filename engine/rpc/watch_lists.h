#ifndef JML_WATCH_LISTS_H
#define JML_WATCH_LISTS_H

#include "change_log.h"
#include "engine.h"
#include "standing.h"

#include <stdatomic.h>

/*
 * watch_lists: the standing lists of one programme's pairing, in both directions where it is mirrored, that any
 * number of watches of the same wish share. Private to rpc/.
 *
 * Knows the store (the programme's bytes are read from it), the engine's views and score's standings; nothing
 * of watches, connections or queues. The programme is the one that calls share (programme_cache.h), held, with
 * the tables that it was checked by, until the next is. One thread at a time, but for the two counts of
 * progress; where all lists are made, the engine's helpers (engine.h) take part.
 */
struct watch_wish { /* strings borrowed; a group has copies */
    struct str programme, pairing;
    struct str id; /* the one whose list is kept; empty: all of the side */
    bool on_from;
    size_t k;
    int32_t min_score;
};
bool watch_wish_equal(const struct watch_wish *a, const struct watch_wish *b);

enum { WATCH_DIRECTIONS = 2 };

struct watch_lists {
    struct engine *engine;
    struct watch_wish wish;
    char *text;                       /* the wish's strings */
    struct kept_programme *programme; /* NULL: none held */
    const struct pairing *pairing;    /* of it */
    struct standing *standings[WATCH_DIRECTIONS];
    size_t n_standings;
    size_t bytes_max;
    _Atomic size_t n_filled,
        n_to_fill; /* of the last time that lists were made; any thread may look */
    int32_t day;
};

bool watch_lists_init(struct watch_lists *lists, struct engine *engine,
                      const struct watch_wish *wish); /* false if out of memory */
void watch_lists_fini(struct watch_lists *lists);

/* The lists as they are in the view. Without lists yet, or after an error: all are made, and nothing is told.
 * ERR_NOT_FOUND, ERR_INVALID_PARAMS: the programme is gone, or has no such pairing any more. After any
 * error there are no lists. */
enum err_code watch_lists_update(struct watch_lists *lists, const struct engine_view *view,
                                 const struct watch_news *news,
                                 const struct standing_teller *teller,
                                 const struct standing_stop *stop, struct err *err);
size_t watch_lists_count(const struct watch_lists *lists);
size_t watch_lists_bytes(const struct watch_lists *lists);

#endif
