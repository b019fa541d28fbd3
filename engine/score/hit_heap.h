#ifndef JML_HIT_HEAP_H
#define JML_HIT_HEAP_H

#include "match.h"

/*
 * hit_heap: the best k hits so far, with the worst of them on top: a candidate that does not beat it is
 * done with.
 *
 * The order is total (score, then id), so that the outcome does not depend on the order in which
 * candidates come. Only rows and score.score are read. Private to score/.
 */
struct hit_heap {
    const struct roster *roster;
    struct match_hit *hits; /* `room` of them, the caller's */
    size_t n, room;
};

/* Takes the hit if it is among the best `room` so far. */
void hit_heap_offer(struct hit_heap *heap, const struct match_hit *hit);
/* Best first; no offer after it. */
void hit_heap_sort(struct hit_heap *heap);
/* What a candidate's score must reach to be among the best; with equal scores the id decides. */
static inline int32_t
hit_heap_least(const struct hit_heap *heap)
{
    return heap->n < heap->room || heap->room == 0 ? 0 : heap->hits[0].score.score;
}

#endif
