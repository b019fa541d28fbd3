#include "alloc.h"
#include "requirement.h"
#include "standing_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE_LISTS = 256,
    RESERVE_MIN = 8,
    FEW_SEARCHES = 4 /* so few are searched one by one */
};

/* Is there a list for the profile of this row, on this roster? */
bool
standing_looks(const struct standing *standing, const struct standing_plans *plans, uint32_t row)
{
    const struct facts *facts = roster_facts(plans->plan->roster, row);
    bool on_from = standing->spec.on_from;

    return facts != NULL && match_stands(plans->plan, on_from, facts) &&
           match_profile_rule(plans->plan, facts) == RULE_NONE &&
           (plans->other == NULL || !match_stands(plans->other, on_from, facts)) &&
           (standing->only == NULL || str_equal(standing->spec.only, facts->id));
}

/* ---- searching ---- */

struct match_query
standing_query(const struct standing *standing, const struct standing_plans *plans, uint32_t row,
               const struct standing_stop *stop)
{
    return (struct match_query){.viewer = roster_facts(plans->plan->roster, row),
                                .row = row,
                                .on_from = standing->spec.on_from,
                                .k = standing->room,
                                .min_score = standing->spec.min_score,
                                .is_cancelled = stop->is_asked,
                                .cancel_context = stop->context};
}

/* The lists at these places anew. */
enum err_code
standing_search(struct standing *standing, const struct standing_plans *plans,
                const uint32_t *places, size_t n, const struct standing_stop *stop,
                struct arena *arena, struct err *err)
{
    struct match_query *queries = arena_alloc(arena, n, sizeof *queries);
    struct match_list *lists = arena_alloc(arena, n, sizeof *lists);
    enum err_code code = ERR_OK;

    if (queries == NULL || lists == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        queries[i] = standing_query(standing, plans, list_at(standing, places[i])->looker, stop);
    if (n >= FEW_SEARCHES)
        code = match_batch(plans->plan, queries, n, arena, lists, err);
    for (size_t i = 0; i < n && n < FEW_SEARCHES && code == ERR_OK; i++)
        code = match_top(plans->plan, &queries[i], arena, &lists[i], err);
    for (size_t i = 0; i < n && code == ERR_OK; i++)
        list_take(standing, places[i], &lists[i]);
    return code;
}

enum err_code
standing_fill(struct standing *standing, const struct standing_plans *plans, size_t first, size_t n,
              const struct standing_stop *stop, struct err *err)
{
    struct arena *arena = arena_create(STANDING_SCRATCH_BYTES);
    enum err_code code = arena != NULL ? ERR_OK : err_no_memory(err);

    for (size_t at = first; at < first + n && code == ERR_OK; at += STANDING_QUERIES) {
        uint32_t places[STANDING_QUERIES];
        size_t m = 0;

        for (size_t i = at; i < first + n && i < at + STANDING_QUERIES; i++)
            if (list_at(standing, (uint32_t)i)->looker != ROSTER_NO_ROW)
                places[m++] = (uint32_t)i;
        arena_reset(arena);
        if (m > 0)
            code = standing_search(standing, plans, places, m, stop, arena, err);
    }
    arena_destroy(arena);
    return code;
}

/* ---- life ---- */

static enum err_code
lay_out(struct standing *standing, const struct standing_plans *plans, struct err *err)
{
    const struct roster *roster = plans->plan->roster;
    enum err_code code = lists_reserve_rows(standing, roster_rows(roster), err);
    uint32_t place;

    if (code == ERR_OK && standing->only != NULL) {
        uint32_t row = roster_find(roster, standing->spec.only);

        return row != ROSTER_NO_ROW && standing_looks(standing, plans, row)
                   ? list_add(standing, row, &place, err)
                   : ERR_OK;
    }
    for (uint32_t row = 0; row < roster_rows(roster) && code == ERR_OK; row++)
        if (standing_looks(standing, plans, row))
            code = list_add(standing, row, &place, err);
    return code;
}

enum err_code
standing_create(const struct standing_spec *spec, const struct standing_plans *plans,
                struct standing **out, struct err *err)
{
    struct standing *standing = mem_alloc_zeroed(1, sizeof *standing);
    enum err_code code = ERR_OK;

    if (standing == NULL)
        return err_no_memory(err);
    standing->spec = *spec;
    standing->spec.only = (struct str){NULL, 0};
    standing->room = spec->k + (spec->k > RESERVE_MIN ? spec->k : RESERVE_MIN);
    standing->page_lists = spec->only.len > 0 ? 1 : PAGE_LISTS;
    standing->first_free = NO_LIST;
    standing->roster = roster_hold((struct roster *)plans->plan->roster);
    if (spec->only.len > 0) {
        standing->only = mem_alloc(spec->only.len);
        if (standing->only != NULL) {
            memcpy(standing->only, spec->only.data, spec->only.len);
            standing->spec.only = (struct str){standing->only, spec->only.len};
        } else {
            code = err_no_memory(err);
        }
    }
    if (code == ERR_OK)
        code = lay_out(standing, plans, err);
    if (code != ERR_OK) {
        standing_destroy(standing);
        return code;
    }
    *out = standing;
    return ERR_OK;
}

void
standing_destroy(struct standing *standing)
{
    if (standing == NULL)
        return;
    for (size_t i = 0; i < standing->n_pages; i++)
        mem_free(standing->pages[i]);
    mem_free(standing->pages);
    mem_free(standing->list_of);
    mem_free(standing->leasts);
    mem_free(standing->only);
    roster_drop(standing->roster);
    mem_free(standing);
}

/* ---- looking ---- */

const char *
standing_change_name(enum standing_change change)
{
    switch (change) {
    case STANDING_LEFT:
        return "left";
    case STANDING_ENTERED:
        return "entered";
    case STANDING_MOVED:
        return "moved";
    }
    return "moved";
}

size_t
standing_n_places(const struct standing *standing)
{
    return standing->n_places;
}

size_t
standing_n_lists(const struct standing *standing)
{
    return standing->n_lists;
}

size_t
standing_bytes(const struct standing *standing)
{
    return standing->bytes;
}

const struct roster *
standing_roster(const struct standing *standing)
{
    return standing->roster;
}

struct standing_counts
standing_counts(const struct standing *standing)
{
    return standing->counts;
}

bool
standing_look(const struct standing *standing, size_t place, struct standing_list *out)
{
    const struct list *list = list_at(standing, (uint32_t)place);

    if (list->looker == ROSTER_NO_ROW)
        return false;
    *out = (struct standing_list){.id = roster_facts(standing->roster, list->looker)->id,
                                  .rows = rows_at(standing, (uint32_t)place),
                                  .scores = scores_at(standing, (uint32_t)place),
                                  .n = n_shown(standing, list)};
    return true;
}

bool
standing_find(const struct standing *standing, struct str id, struct standing_list *out)
{
    uint32_t row = roster_find(standing->roster, id);
    uint32_t place = row != ROSTER_NO_ROW ? place_of(standing, row) : (uint32_t)NO_LIST;

    return place != NO_LIST && standing_look(standing, place, out);
}
