#include "hit_heap.h"

/* Does a stand before b in the list? */
static bool
stands_before(const struct hit_heap *heap, const struct match_hit *a, const struct match_hit *b)
{
    if (a->score.score != b->score.score)
        return a->score.score > b->score.score;
    return str_compare(roster_facts(heap->roster, a->row)->id,
                       roster_facts(heap->roster, b->row)->id) < 0;
}

static void
swap(struct match_hit *a, struct match_hit *b)
{
    struct match_hit held = *a;

    *a = *b;
    *b = held;
}

/* Lets the hit at `at` sink below every hit that is worse, within the first n. */
static void
sink(struct hit_heap *heap, size_t at, size_t n)
{
    for (;;) {
        size_t worst = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < n; child++)
            if (stands_before(heap, &heap->hits[worst], &heap->hits[child]))
                worst = child;
        if (worst == at)
            return;
        swap(&heap->hits[at], &heap->hits[worst]);
        at = worst;
    }
}

void
hit_heap_offer(struct hit_heap *heap, const struct match_hit *hit)
{
    if (heap->n == heap->room) {
        if (heap->room == 0 || !stands_before(heap, hit, &heap->hits[0]))
            return;
        heap->hits[0] = *hit;
        sink(heap, 0, heap->n);
        return;
    }
    heap->hits[heap->n] = *hit;
    for (size_t at = heap->n++; at > 0; at = (at - 1) / 2) {
        struct match_hit *parent = &heap->hits[(at - 1) / 2];

        if (!stands_before(heap, parent, &heap->hits[at]))
            break;
        swap(parent, &heap->hits[at]);
    }
}

/* The worst is taken off the top, to the end, again and again. */
void
hit_heap_sort(struct hit_heap *heap)
{
    for (size_t n = heap->n; n > 1; n--) {
        swap(&heap->hits[0], &heap->hits[n - 1]);
        sink(heap, 0, n - 1);
    }
}
