#include "alloc.h"
#include "requirement.h"
#include "standing_parts.h"

#include <stdlib.h>
#include <string.h>

enum {
    FEW_LISTS = 32,  /* so few are scored pair by pair */
    TOO_MUCH_OF = 8, /* more touched profiles than an eighth of the lists */
    TOO_MUCH_MIN = 64,
    TOO_MUCH_OF_FEW = 2048,
    FEW_LISTED = 32,  /* so many rows at most are asked of a page's signs */
    ANY_COMPARED = 64 /* rows looked at together */
};

/* ---- who is touched ---- */

struct update {
    struct standing *standing;
    const struct standing_plans *plans;
    const struct standing_stop *stop;
    const struct roster *roster; /* the next */
    struct arena *arena;
    uint32_t *touched; /* rows, each once */
    size_t n_touched, touched_room;
    uint64_t *is_touched; /* bits by row */
    uint32_t n_rows;

    struct dirty *dirty; /* lists, as they were */
    size_t n_dirty, dirty_room;
    uint32_t sweeping; /* the row of the sweep in progress */
    bool is_short;     /* memory ended in a callback */
};

struct dirty {
    uint32_t place;
    struct named list; /* the first k before, in the arena */
};

static bool
plan_counts_records(const struct match_plan *plan)
{
    for (int side = 0; side < PLAN_SIDES; side++)
        for (int i = 0; i < plan->views[side].n_wants; i++)
            if (plan->views[side].wants[i].want->type == WANT_RECORD)
                return true;
    return false;
}

static void
touch(struct update *update, uint32_t row)
{
    if (row >= update->n_rows || (update->is_touched[row / 64] >> row % 64 & 1) != 0)
        return;
    if (update->n_touched == update->touched_room) {
        size_t room = update->touched_room == 0 ? 64 : 2 * update->touched_room;
        uint32_t *more = mem_realloc(update->touched, room * sizeof *more);

        update->is_short |= more == NULL;
        if (more == NULL)
            return;
        update->touched = more;
        update->touched_room = room;
    }
    update->is_touched[row / 64] |= UINT64_C(1) << row % 64;
    update->touched[update->n_touched++] = row;
}

/* Those whose records name the profile: the other parties of its own. */
static void
touch_parties(struct update *update, uint32_t row)
{
    const struct record *record = roster_record(update->roster, row);

    for (uint32_t i = 0; record != NULL && i < record->n; i++)
        if (record->outcomes[i].is_positive)
            touch(update, record->outcomes[i].other);
}

static enum err_code
collect(struct update *update, const struct standing_changes *changes, struct err *err)
{
    bool counts_records = plan_counts_records(update->plans->plan);

    update->n_rows = roster_rows(update->roster);
    update->is_touched =
        arena_alloc(update->arena, update->n_rows / 64 + 1, sizeof *update->is_touched);
    if (update->is_touched == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < changes->n_rows; i++)
        touch(update, changes->rows[i]);
    for (size_t i = 0; i < changes->n_rows && counts_records; i++)
        touch_parties(update, changes->rows[i]);
    for (size_t i = 0; i < changes->n_parties && counts_records; i++)
        touch(update, changes->parties[i]);
    return update->is_short ? err_no_memory(err) : ERR_OK;
}

/* The list is about to change: keeps what it shows now. */
static void
dirty(struct update *update, uint32_t place)
{
    struct standing *standing = update->standing;
    struct list *list = list_at(standing, place);
    struct shown view = shown_of(standing, standing->roster, place);
    struct dirty *one;

    if (list->is_dirty || update->is_short)
        return;
    if (update->n_dirty == update->dirty_room) {
        size_t room = update->dirty_room == 0 ? 64 : 2 * update->dirty_room;
        struct dirty *more = mem_realloc(update->dirty, room * sizeof *more);

        update->is_short = more == NULL;
        if (more == NULL)
            return;
        update->dirty = more;
        update->dirty_room = room;
    }
    view.rows = arena_copy(update->arena, view.rows, view.n * sizeof *view.rows);
    view.scores = arena_copy(update->arena, view.scores, view.n * sizeof *view.scores);
    if (view.rows == NULL || view.scores == NULL) {
        update->is_short = true;
        return;
    }
    one = &update->dirty[update->n_dirty++];
    *one = (struct dirty){.place = place, .list = {.before = view}};
    /* A new list has no profile in the old roster; whoever had one there is in one of the two. */
    one->list.id = (roster_facts(update->roster, list->looker) != NULL
                        ? roster_facts(update->roster, list->looker)
                        : roster_facts(standing->roster, list->looker))
                       ->id;
    list->is_dirty = true;
}

/* ---- those that stood there ---- */

static bool
is_touched(const struct update *update, uint32_t row)
{
    return row < update->n_rows && (update->is_touched[row / 64] >> row % 64 & 1) != 0;
}

static void
remove_touched(struct update *update, uint32_t place)
{
    const uint32_t *rows = rows_at(update->standing, place);
    struct list *list = list_at(update->standing, place);

    for (uint32_t i = list->n; i-- > 0;)
        if (is_touched(update, rows[i])) {
            dirty(update, place);
            list_remove_entry(update->standing, place, i);
        }
}

/* Is the row among these? Without an early end, so that many are compared at once. */
static bool
has_row(const uint32_t rows[ANY_COMPARED], uint32_t row)
{
    uint32_t found = 0;

    for (int i = 0; i < ANY_COMPARED; i++)
        found |= rows[i] == row;
    return found != 0;
}

/* From the lists of a page that have the row. */
static void
remove_row(struct update *update, uint32_t row, const struct page *page, size_t first_place,
           size_t n_lists)
{
    size_t room = update->standing->room, n = n_lists * room, at = 0;

    for (; at + ANY_COMPARED <= n; at += ANY_COMPARED) {
        if (!has_row(page->rows + at, row))
            continue;
        for (size_t place = at / room; place <= (at + ANY_COMPARED - 1) / room; place++)
            remove_touched(update, (uint32_t)(first_place + place));
    }
    for (size_t place = at / room; place < n_lists; place++)
        remove_touched(update, (uint32_t)(first_place + place));
}

static void
remove_from_page(struct update *update, const uint32_t *listed, size_t n_listed, size_t page_at)
{
    struct standing *standing = update->standing;
    struct page *page = standing->pages[page_at];
    size_t first = page_at * standing->page_lists;
    size_t n = standing->n_places - first < standing->page_lists ? standing->n_places - first
                                                                 : standing->page_lists;

    if (n_listed > FEW_LISTED) {
        for (size_t i = 0; i < n; i++)
            remove_touched(update, (uint32_t)(first + i));
        return;
    }
    for (size_t i = 0; i < n_listed; i++)
        if (page_may_have(standing, page, listed[i]))
            remove_row(update, listed[i], page, first, n);
}

/* Whoever is touched leaves all lists; where it still belongs it comes back. Only who stood on the candidates'
 * side can be on one. */
static void
remove_all(struct update *update)
{
    const struct standing *standing = update->standing;
    const struct plan_side *side =
        &update->plans->plan->sides[standing->spec.on_from ? PLAN_TO : PLAN_FROM];
    uint32_t *listed = arena_alloc(update->arena, update->n_touched, sizeof *listed);
    size_t n = 0;

    if (listed == NULL) {
        update->is_short = true;
        return;
    }
    for (size_t i = 0; i < update->n_touched; i++) {
        const struct facts *before = roster_facts(standing->roster, update->touched[i]);

        if (before != NULL && side_fits(side, before))
            listed[n++] = update->touched[i];
    }
    for (size_t p = 0; p < standing->n_pages && n > 0; p++)
        remove_from_page(update, listed, n, p);
}

/* ---- their own lists ---- */

static enum err_code
renew_own(struct update *update, struct err *err)
{
    struct standing *standing = update->standing;
    enum err_code code = lists_reserve_rows(standing, update->n_rows, err);

    for (size_t i = 0; i < update->n_touched && code == ERR_OK; i++) {
        uint32_t row = update->touched[i], place = place_of(standing, row);
        bool is_looker = standing_looks(standing, update->plans, row);

        if (!is_looker && place == NO_LIST)
            continue;
        if (place == NO_LIST)
            code = list_add(standing, row, &place, err);
        if (code != ERR_OK)
            break;
        dirty(update, place);
        list_at(standing, place)->is_due = true;
        list_note_least(standing, list_at(standing, place));
        if (!is_looker)
            list_clear(standing, place); /* removed at the end, when it has been told */
    }
    return code;
}

/* ---- as candidates of others ---- */

static void
offer(struct update *update, uint32_t place, uint32_t row, int32_t score)
{
    const struct list *list = list_at(update->standing, place);

    if (score < list_least(update->standing, list))
        return;
    dirty(update, place);
    if (!update->is_short)
        list_insert(update->standing, update->roster, place, row, score);
}

static void
sweep_tell(void *context, uint32_t row, int32_t score)
{
    struct update *update = context;

    offer(update, place_of(update->standing, row), update->sweeping, score);
}

static enum err_code
sweep(struct update *update, uint32_t row, struct err *err)
{
    struct standing *standing = update->standing;
    struct match_query query = standing_query(standing, update->plans, row, update->stop);
    const struct match_sweep sweep = {standing->leasts, sweep_tell, update};
    struct arena_mark mark;
    struct arena *arena;
    enum err_code code;

    query.on_from = !standing->spec.on_from;
    arena = arena_create(STANDING_SCRATCH_BYTES);
    if (arena == NULL)
        return err_no_memory(err);
    mark = arena_mark(arena);
    standing->counts.sweeps++;
    update->sweeping = row;
    code = match_sweep(update->plans->plan, &query, &sweep, arena, err);
    arena_release(arena, mark);
    arena_destroy(arena);
    return code;
}

static enum err_code
score_pair(struct update *update, uint32_t place, uint32_t row, struct err *err)
{
    struct standing *standing = update->standing;
    const struct match_plan *plan = update->plans->plan;
    uint32_t looker = list_at(standing, place)->looker;
    bool on_from = standing->spec.on_from;
    uint32_t from_row = on_from ? looker : row, to_row = on_from ? row : looker;
    const struct facts *from = roster_facts(plan->roster, from_row);
    const struct facts *to = roster_facts(plan->roster, to_row);
    struct match_score score;
    int requirement;
    enum err_code code;

    if (match_pair_rule(plan, from, to, &requirement) != RULE_NONE)
        return ERR_OK;
    code = match_need_texts(plan, from, to, err);
    if (code != ERR_OK)
        return code;
    match_pair_score(plan, from, from_row, to, to_row, &score);
    offer(update, place, row, score.score);
    return ERR_OK;
}

static enum err_code
return_candidates(struct update *update, struct err *err)
{
    struct standing *standing = update->standing;
    const struct plan_side *side =
        &update->plans->plan->sides[standing->spec.on_from ? PLAN_TO : PLAN_FROM];
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < update->n_touched && code == ERR_OK; i++) {
        uint32_t row = update->touched[i];
        const struct facts *facts = roster_facts(update->roster, row);

        if (facts == NULL || !side_fits(side, facts) ||
            match_profile_rule(update->plans->plan, facts) != RULE_NONE)
            continue;
        if (standing->n_lists > FEW_LISTS) {
            code = sweep(update, row, err);
            continue;
        }
        for (uint32_t place = 0; place < standing->n_places && code == ERR_OK; place++)
            if (list_at(standing, place)->looker != ROSTER_NO_ROW &&
                !list_at(standing, place)->is_due)
                code = score_pair(update, place, row, err);
    }
    return code == ERR_OK && update->is_short ? err_no_memory(err) : code;
}

/* ---- the end ---- */

/* Lists that lost more than their reserve had, and those of the touched profiles. */
static enum err_code
search_due(struct update *update, struct err *err)
{
    struct standing *standing = update->standing;
    uint32_t *places = arena_alloc(update->arena, update->n_dirty, sizeof *places);
    size_t n = 0;

    if (places == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < update->n_dirty; i++) {
        uint32_t place = update->dirty[i].place;
        struct list *list = list_at(standing, place);

        if (!list->is_due && (list->is_whole || list->n >= standing->spec.k))
            continue;
        if (list->is_due && !standing_looks(standing, update->plans, list->looker))
            continue;
        places[n++] = place;
    }
    standing->counts.searches += n;
    for (size_t at = 0; at < n; at += STANDING_QUERIES) {
        size_t m = n - at < STANDING_QUERIES ? n - at : STANDING_QUERIES;
        struct arena *arena = arena_create(STANDING_SCRATCH_BYTES);
        enum err_code code = arena != NULL ? standing_search(standing, update->plans, places + at,
                                                             m, update->stop, arena, err)
                                           : err_no_memory(err);

        arena_destroy(arena);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static int
dirty_compare(const void *a, const void *b)
{
    return named_compare(&((const struct dirty *)a)->list, &((const struct dirty *)b)->list);
}

static void
tell_all(struct update *update, const struct standing_teller *teller)
{
    struct standing *standing = update->standing;

    if (update->n_dirty > 1)
        qsort(update->dirty, update->n_dirty, sizeof *update->dirty, dirty_compare);
    for (size_t i = 0; i < update->n_dirty; i++) {
        struct dirty *one = &update->dirty[i];
        struct list *list = list_at(standing, one->place);
        struct shown after = shown_of(standing, update->roster, one->place);

        shown_tell_difference(one->list.id, &one->list.before, &after, false, teller);
        list->is_dirty = false;
        if (list->is_due)
            list_remove(standing, one->place);
    }
}

static enum err_code
carry_out(struct update *update, struct err *err)
{
    enum err_code code;

    remove_all(update);
    if (update->is_short)
        return err_no_memory(err);
    if ((code = renew_own(update, err)) != ERR_OK ||
        (code = return_candidates(update, err)) != ERR_OK)
        return code;
    return search_due(update, err);
}

static bool
is_too_much_for(const struct standing *standing, size_t n_touched)
{
    if (standing->n_lists <= FEW_LISTS) /* a search is some thousand pairs */
        return n_touched > TOO_MUCH_OF_FEW;
    return n_touched > TOO_MUCH_MIN && n_touched > standing->n_lists / TOO_MUCH_OF;
}

enum err_code
standing_update(struct standing *standing, const struct standing_plans *plans,
                const struct standing_changes *changes, const struct standing_teller *teller,
                const struct standing_stop *stop, bool *is_too_much, struct err *err)
{
    struct update update = {.standing = standing,
                            .plans = plans,
                            .stop = stop,
                            .roster = plans->plan->roster,
                            .arena = arena_create(STANDING_SCRATCH_BYTES)};
    enum err_code code = update.arena != NULL ? collect(&update, changes, err) : err_no_memory(err);

    *is_too_much = code == ERR_OK && is_too_much_for(standing, update.n_touched);
    if (code == ERR_OK && !*is_too_much) {
        if (update.n_touched > 0)
            code = carry_out(&update, err);
        if (code == ERR_OK) {
            tell_all(&update, teller);
            roster_drop(standing->roster);
            standing->roster = roster_hold((struct roster *)plans->plan->roster);
            standing->counts.updates++;
        }
    }
    mem_free(update.touched);
    mem_free(update.dirty);
    arena_destroy(update.arena);
    return code;
}
