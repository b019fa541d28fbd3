#include "hit_heap.h"
#include "plan.h"
#include "requirement.h"
#include "view.h"

enum { CANCEL_EVERY = 1000 };

struct search {
    const struct match_plan *plan;
    const struct match_query *query;
    bool viewer_may; /* stands on its side and may be matched */
    struct hit_heap heap;
    uint64_t considered, eligible;
};

static enum err_code
consider(struct search *search, uint32_t row, const struct facts *facts, struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct match_query *query = search->query;
    int viewer = query->on_from ? PLAN_FROM : PLAN_TO;
    struct match_hit hit = {.row = row};
    struct pair pair = {0};
    int requirement;
    enum err_code code;

    if (!side_fits(&plan->sides[1 - viewer], facts) || is_same_profile(query->viewer, facts))
        return ERR_OK;
    search->considered++;
    pair.facts[viewer] = query->viewer;
    pair.facts[1 - viewer] = facts;
    pair.rows[viewer] = query->row;
    pair.rows[1 - viewer] = row;
    if (!search->viewer_may || match_profile_rule(plan, facts) != RULE_NONE ||
        together_rule(plan, pair.facts[PLAN_FROM], pair.facts[PLAN_TO], &requirement) != RULE_NONE)
        return ERR_OK;
    search->eligible++;
    code = match_need_texts(plan, pair.facts[PLAN_FROM], pair.facts[PLAN_TO], err);
    if (code != ERR_OK)
        return code;
    pair_score(plan, &pair, &hit.score);
    if (hit.score.score >= query->min_score)
        hit_heap_offer(&search->heap, &hit);
    return ERR_OK;
}

enum err_code
match_top_plain(const struct match_plan *plan, const struct match_query *query, struct arena *arena,
                struct match_list *out, struct err *err)
{
    const struct roster *roster = plan->roster;
    size_t n_profiles = roster_profiles(roster);
    size_t room = query->k < n_profiles ? query->k : n_profiles;
    struct search search = {.plan = plan, .query = query, .heap = {.roster = roster, .room = room}};
    enum err_code code = ERR_OK;

    search.viewer_may = query_viewer_may(plan, query);
    search.heap.hits = arena_alloc(arena, room, sizeof *search.heap.hits);
    if (search.heap.hits == NULL)
        return err_no_memory(err);
    for (uint32_t row = 0; row < roster_rows(roster) && code == ERR_OK; row++) {
        const struct facts *facts = roster_facts(roster, row);

        if (row % CANCEL_EVERY == 0)
            code = query_go_on(query, search.considered, err);
        if (facts != NULL && code == ERR_OK)
            code = consider(&search, row, facts, err);
    }
    if (code != ERR_OK)
        return code;
    hit_heap_sort(&search.heap);
    *out = (struct match_list){.hits = search.heap.hits,
                               .n = search.heap.n,
                               .considered = search.considered,
                               .eligible = search.eligible};
    return ERR_OK;
}
