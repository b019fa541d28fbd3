#include "plan.h"
#include "requirement.h"
#include "view.h"

#include <inttypes.h>

/*
 * The best k so far lie in a heap with the worst of them on top: a candidate that does not beat it is
 * done with. The order is total (score, then id), so the outcome does not depend on the order of
 * rows.
 */
enum { CANCEL_EVERY = 1000 };

struct heap {
    const struct roster *roster;
    struct match_hit *hits;
    size_t n, room;
};

/* Does a stand before b in the list? */
static bool
stands_before(const struct heap *heap, const struct match_hit *a, const struct match_hit *b)
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
sink(struct heap *heap, size_t at, size_t n)
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

static void
heap_offer(struct heap *heap, const struct match_hit *hit)
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

/* Best first: the worst is taken off the top, to the end, again and again. */
static void
heap_sort(struct heap *heap)
{
    for (size_t n = heap->n; n > 1; n--) {
        swap(&heap->hits[0], &heap->hits[n - 1]);
        sink(heap, 0, n - 1);
    }
}

struct search {
    const struct match_plan *plan;
    const struct match_query *query;
    bool viewer_may; /* stands on its side and may be matched */
    struct heap heap;
    uint64_t considered, eligible;
};

static void
consider(struct search *search, uint32_t row, const struct facts *facts)
{
    const struct match_plan *plan = search->plan;
    const struct match_query *query = search->query;
    int viewer = query->on_from ? PLAN_FROM : PLAN_TO;
    struct match_hit hit = {.row = row};
    struct pair pair = {0};
    int requirement;

    if (!side_fits(&plan->sides[1 - viewer], facts) || is_same_profile(query->viewer, facts))
        return;
    search->considered++;
    pair.facts[viewer] = query->viewer;
    pair.facts[1 - viewer] = facts;
    pair.rows[viewer] = query->row;
    pair.rows[1 - viewer] = row;
    if (!search->viewer_may || match_profile_rule(plan, facts) != RULE_NONE ||
        together_rule(plan, pair.facts[PLAN_FROM], pair.facts[PLAN_TO], &requirement) != RULE_NONE)
        return;
    search->eligible++;
    pair_score(plan, &pair, &hit.score);
    if (hit.score.score >= query->min_score)
        heap_offer(&search->heap, &hit);
}

enum err_code
match_top(const struct match_plan *plan, const struct match_query *query, struct arena *arena,
          struct match_list *out, struct err *err)
{
    const struct roster *roster = plan->roster;
    size_t n_profiles = roster_profiles(roster);
    size_t room = query->k < n_profiles ? query->k : n_profiles;
    struct search search = {.plan = plan, .query = query, .heap = {.roster = roster, .room = room}};

    search.viewer_may =
        side_fits(&plan->sides[query->on_from ? PLAN_FROM : PLAN_TO], query->viewer) &&
        match_profile_rule(plan, query->viewer) == RULE_NONE;
    search.heap.hits = arena_alloc(arena, room, sizeof *search.heap.hits);
    if (search.heap.hits == NULL)
        return err_no_memory(err);
    for (uint32_t row = 0; row < roster_rows(roster); row++) {
        const struct facts *facts = roster_facts(roster, row);

        if (row % CANCEL_EVERY == 0 && query->is_cancelled != NULL &&
            query->is_cancelled(query->cancel_context))
            return err_set(err, ERR_CANCELLED, "cancelled after %" PRIu64 " candidates",
                           search.considered);
        if (facts != NULL)
            consider(&search, row, facts);
    }
    heap_sort(&search.heap);
    *out = (struct match_list){.hits = search.heap.hits,
                               .n = search.heap.n,
                               .considered = search.considered,
                               .eligible = search.eligible};
    return ERR_OK;
}
