#include "standing.h"

#include "alloc.h"
#include "plan.h"
#include "requirement.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_LISTS = 256,
    RESERVE_MIN = 8,
    NO_LIST = UINT32_MAX,
    FEW_LISTS = 32,   /* so few are scored pair by pair */
    FEW_SEARCHES = 4, /* so few are searched one by one */
    NEVER = 10001,    /* a least score that nobody reaches */
    TOO_MUCH_OF = 8,  /* more touched profiles than an eighth of the lists */
    TOO_MUCH_MIN = 64,
    TOO_MUCH_OF_FEW = 2048,
    ANY_COMPARED = 64, /* rows looked at together */
    SCRATCH_BYTES_MAX = 512 * 1024 * 1024,
    FILL_QUERIES = 512
};

struct list {
    uint32_t looker; /* its row; ROSTER_NO_ROW: none, and `floor` is the next free place */
    uint32_t n;      /* kept */
    int32_t floor;   /* no one that is not kept scores more; nothing where is_whole */
    bool is_whole;   /* everyone is kept */
    bool is_dirty;   /* stands in the update's list of lists that may have changed */
    bool is_due;     /* to be searched anew */
};

/* A page: its lists' heads, and after them their entries in two arrays, so that looking for a row reads
 * nothing but rows. Unused rows are ROSTER_NO_ROW. */
struct page {
    uint32_t *rows;
    int32_t *scores;
    struct list lists[];
};

struct standing {
    struct standing_spec spec;
    char *only;
    struct roster *roster;
    size_t room; /* entries of a list */
    size_t page_lists;
    struct page **pages;
    size_t n_pages, pages_room;
    uint32_t n_places, n_lists;
    uint32_t first_free; /* NO_LIST: none */
    uint32_t *list_of;   /* by row; NULL where there is only one */
    uint16_t *leasts;    /* likewise: what its list takes note of (least_of); NEVER: no list */
    uint32_t n_rows;     /* of these two */
    size_t bytes;
    struct standing_counts counts;
};

/* ---- places ---- */

static struct list *
list_at(const struct standing *standing, uint32_t place)
{
    return &standing->pages[place / standing->page_lists]->lists[place % standing->page_lists];
}

static uint32_t *
rows_at(const struct standing *standing, uint32_t place)
{
    return standing->pages[place / standing->page_lists]->rows +
           place % standing->page_lists * standing->room;
}

static int32_t *
scores_at(const struct standing *standing, uint32_t place)
{
    return standing->pages[place / standing->page_lists]->scores +
           place % standing->page_lists * standing->room;
}

static uint32_t
place_of(const struct standing *standing, uint32_t row)
{
    if (standing->list_of != NULL)
        return row < standing->n_rows ? standing->list_of[row] : (uint32_t)NO_LIST;
    return standing->n_places > 0 && list_at(standing, 0)->looker == row ? 0 : (uint32_t)NO_LIST;
}

static size_t
n_shown(const struct standing *standing, const struct list *list)
{
    return list->n < standing->spec.k ? list->n : standing->spec.k;
}

/* What a candidate that is not on the list must score for the list to take note of it. */
static int32_t
least_of(const struct standing *standing, const struct list *list)
{
    if (list->is_due)
        return NEVER;
    return list->is_whole || list->floor < standing->spec.min_score ? standing->spec.min_score
                                                                    : list->floor;
}

static void
note_least(struct standing *standing, const struct list *list)
{
    if (standing->leasts != NULL)
        standing->leasts[list->looker] = (uint16_t)least_of(standing, list);
}

/* Entries whose places are not known any more. */
static void
clear(struct standing *standing, uint32_t place)
{
    struct list *list = list_at(standing, place);

    memset(rows_at(standing, place), 0xff, list->n * sizeof(uint32_t));
    list->n = 0;
}

static enum err_code
charge(struct standing *standing, size_t bytes, struct err *err)
{
    if (bytes > standing->spec.bytes_max || standing->bytes > standing->spec.bytes_max - bytes)
        return err_set(
            err, ERR_TOO_LARGE,
            "lists of %zu matches for so many profiles need more than the %zu bytes that "
            "there are for them; ask for fewer, or for one profile",
            standing->spec.k, standing->spec.bytes_max);
    standing->bytes += bytes;
    return ERR_OK;
}

static enum err_code
page_add(struct standing *standing, struct err *err)
{
    size_t heads = sizeof(struct page) + standing->page_lists * sizeof(struct list);
    size_t entries = standing->page_lists * standing->room;
    size_t bytes = heads + entries * (sizeof(uint32_t) + sizeof(int32_t));
    struct page *page;

    if (standing->n_pages == standing->pages_room) {
        size_t room = standing->pages_room == 0 ? 1 : 2 * standing->pages_room;
        struct page **pages = mem_realloc(standing->pages, room * sizeof(struct page *));

        if (pages == NULL)
            return err_no_memory(err);
        standing->pages = pages;
        standing->pages_room = room;
    }
    if (charge(standing, bytes, err) != ERR_OK)
        return err->code;
    page = mem_alloc(bytes);
    if (page == NULL)
        return err_no_memory(err);
    page->rows = (uint32_t *)(void *)((char *)page + heads);
    page->scores = (int32_t *)(page->rows + entries);
    memset(page->rows, 0xff, entries * sizeof(uint32_t));
    standing->pages[standing->n_pages++] = page;
    return ERR_OK;
}

static enum err_code
rows_reserve(struct standing *standing, uint32_t n_rows, struct err *err)
{
    uint32_t room = standing->n_rows + standing->n_rows / 8 + 256;
    uint32_t *list_of;
    uint16_t *leasts;

    if (standing->page_lists == 1 || n_rows <= standing->n_rows)
        return ERR_OK;
    room = room > n_rows ? room : n_rows;
    if (charge(standing, (room - standing->n_rows) * (sizeof *list_of + sizeof *leasts), err) !=
        ERR_OK)
        return err->code;
    list_of = mem_realloc(standing->list_of, room * sizeof *list_of);
    standing->list_of = list_of != NULL ? list_of : standing->list_of;
    leasts = mem_realloc(standing->leasts, room * sizeof *leasts);
    standing->leasts = leasts != NULL ? leasts : standing->leasts;
    if (list_of == NULL || leasts == NULL)
        return err_no_memory(err);
    memset(list_of + standing->n_rows, 0xff, (room - standing->n_rows) * sizeof *list_of);
    for (uint32_t row = standing->n_rows; row < room; row++)
        leasts[row] = NEVER;
    standing->n_rows = room;
    return ERR_OK;
}

static enum err_code
list_add(struct standing *standing, uint32_t looker, uint32_t *place, struct err *err)
{
    enum err_code code = ERR_OK;

    *place = standing->first_free;
    if (*place != NO_LIST) {
        standing->first_free = (uint32_t)list_at(standing, *place)->floor;
    } else {
        if (standing->n_places == standing->n_pages * standing->page_lists)
            code = page_add(standing, err);
        if (code != ERR_OK)
            return code;
        *place = standing->n_places++;
    }
    *list_at(standing, *place) = (struct list){.looker = looker, .is_whole = true};
    if (standing->list_of != NULL)
        standing->list_of[looker] = *place;
    note_least(standing, list_at(standing, *place));
    standing->n_lists++;
    return ERR_OK;
}

static void
list_remove(struct standing *standing, uint32_t place)
{
    struct list *list = list_at(standing, place);

    clear(standing, place);
    if (standing->list_of != NULL) {
        standing->list_of[list->looker] = NO_LIST;
        standing->leasts[list->looker] = NEVER;
    }
    *list = (struct list){.looker = ROSTER_NO_ROW, .floor = (int32_t)standing->first_free};
    standing->first_free = place;
    standing->n_lists--;
}

/* Is there a list for the profile of this row, on this roster? */
static bool
looks(const struct standing *standing, const struct standing_plans *plans, uint32_t row)
{
    const struct facts *facts = roster_facts(plans->plan->roster, row);
    bool on_from = standing->spec.on_from;

    return facts != NULL && match_stands(plans->plan, on_from, facts) &&
           match_profile_rule(plans->plan, facts) == RULE_NONE &&
           (plans->other == NULL || !match_stands(plans->other, on_from, facts)) &&
           (standing->only == NULL || str_equal(standing->spec.only, facts->id));
}

/* ---- order ---- */

/* Does a hit stand before an entry of a list? */
static bool
stands_before(const struct roster *roster, uint32_t row, int32_t score, uint32_t other,
              int32_t other_score)
{
    if (score != other_score)
        return score > other_score;
    return str_compare(roster_facts(roster, row)->id, roster_facts(roster, other)->id) < 0;
}

/* Those that are not kept stand behind the last that is, and score at most `floor`: so whoever
 * scores more, or stands before the last, has a place; of another nothing is known but that. */
static void
insert(struct standing *standing, const struct roster *roster, uint32_t place, uint32_t row,
       int32_t score)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);
    uint32_t at = list->n;

    while (at > 0 && stands_before(roster, row, score, rows[at - 1], scores[at - 1]))
        at--;
    if (at == list->n && !list->is_whole && score <= list->floor)
        return;
    if (list->n == standing->room) {
        list->is_whole = false;
        list->floor = at == list->n ? score : scores[list->n - 1];
        note_least(standing, list);
        if (at == list->n)
            return;
        list->n--;
    }
    memmove(rows + at + 1, rows + at, (list->n - at) * sizeof *rows);
    memmove(scores + at + 1, scores + at, (list->n - at) * sizeof *scores);
    rows[at] = row;
    scores[at] = score;
    list->n++;
}

static void
remove_entry(struct standing *standing, uint32_t place, uint32_t at)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);

    list->n--;
    memmove(rows + at, rows + at + 1, (list->n - at) * sizeof *rows);
    memmove(scores + at, scores + at + 1, (list->n - at) * sizeof *scores);
    rows[list->n] = ROSTER_NO_ROW;
}

/* ---- searching ---- */

static struct match_query
query_of(const struct standing *standing, const struct standing_plans *plans, uint32_t row,
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

static void
take_list(struct standing *standing, uint32_t place, const struct match_list *found)
{
    struct list *list = list_at(standing, place);
    uint32_t *rows = rows_at(standing, place);
    int32_t *scores = scores_at(standing, place);

    clear(standing, place);
    for (size_t i = 0; i < found->n; i++) {
        rows[i] = found->hits[i].row;
        scores[i] = found->hits[i].score.score;
    }
    list->n = (uint32_t)found->n;
    list->is_whole = found->n < standing->room;
    list->floor = found->n > 0 ? scores[found->n - 1] : 0;
    list->is_due = false;
    note_least(standing, list);
}

/* The lists at these places anew. */
static enum err_code
search(struct standing *standing, const struct standing_plans *plans, const uint32_t *places,
       size_t n, const struct standing_stop *stop, struct arena *arena, struct err *err)
{
    struct match_query *queries = arena_alloc(arena, n, sizeof *queries);
    struct match_list *lists = arena_alloc(arena, n, sizeof *lists);
    enum err_code code = ERR_OK;

    if (queries == NULL || lists == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        queries[i] = query_of(standing, plans, list_at(standing, places[i])->looker, stop);
    if (n >= FEW_SEARCHES)
        code = match_batch(plans->plan, queries, n, arena, lists, err);
    for (size_t i = 0; i < n && n < FEW_SEARCHES && code == ERR_OK; i++)
        code = match_top(plans->plan, &queries[i], arena, &lists[i], err);
    for (size_t i = 0; i < n && code == ERR_OK; i++)
        take_list(standing, places[i], &lists[i]);
    return code;
}

enum err_code
standing_fill(struct standing *standing, const struct standing_plans *plans, size_t first, size_t n,
              const struct standing_stop *stop, struct err *err)
{
    struct arena *arena = arena_create(SCRATCH_BYTES_MAX);
    enum err_code code = arena != NULL ? ERR_OK : err_no_memory(err);

    for (size_t at = first; at < first + n && code == ERR_OK; at += FILL_QUERIES) {
        uint32_t places[FILL_QUERIES];
        size_t m = 0;

        for (size_t i = at; i < first + n && i < at + FILL_QUERIES; i++)
            if (list_at(standing, (uint32_t)i)->looker != ROSTER_NO_ROW)
                places[m++] = (uint32_t)i;
        arena_reset(arena);
        if (m > 0)
            code = search(standing, plans, places, m, stop, arena, err);
    }
    arena_destroy(arena);
    return code;
}

/* ---- life ---- */

static enum err_code
lay_out(struct standing *standing, const struct standing_plans *plans, struct err *err)
{
    const struct roster *roster = plans->plan->roster;
    enum err_code code = rows_reserve(standing, roster_rows(roster), err);
    uint32_t place;

    if (code == ERR_OK && standing->only != NULL) {
        uint32_t row = roster_find(roster, standing->spec.only);

        return row != ROSTER_NO_ROW && looks(standing, plans, row)
                   ? list_add(standing, row, &place, err)
                   : ERR_OK;
    }
    for (uint32_t row = 0; row < roster_rows(roster) && code == ERR_OK; row++)
        if (looks(standing, plans, row))
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

/* ---- differences ---- */

struct shown { /* the first k of a list, then or now */
    const struct roster *roster;
    const uint32_t *rows;
    const int32_t *scores;
    size_t n;
};

static struct shown
view_of(const struct standing *standing, const struct roster *roster, uint32_t place)
{
    return (struct shown){.roster = roster,
                          .rows = rows_at(standing, place),
                          .scores = scores_at(standing, place),
                          .n = n_shown(standing, list_at(standing, place))};
}

static struct str
id_in(const struct shown *view, size_t at)
{
    return roster_facts(view->roster, view->rows[at])->id;
}

/* Rows may be others: with `by_id` the profiles are compared. */
static size_t
rank_in(const struct shown *in, const struct shown *of, size_t at, bool by_id)
{
    for (size_t i = 0; i < in->n; i++)
        if (by_id ? str_equal(id_in(in, i), id_in(of, at)) : in->rows[i] == of->rows[at])
            return i + 1;
    return 0;
}

static void
tell_difference(struct str id, const struct shown *before, const struct shown *after, bool by_id,
                const struct standing_teller *teller)
{
    size_t same = 0; /* at the head of both */

    while (same < before->n && same < after->n && before->scores[same] == after->scores[same] &&
           (by_id ? str_equal(id_in(before, same), id_in(after, same))
                  : before->rows[same] == after->rows[same]))
        same++;
    for (size_t i = same; i < before->n; i++)
        if (rank_in(after, before, i, by_id) == 0) {
            const struct standing_event left = {.change = STANDING_LEFT,
                                                .id = id,
                                                .other = id_in(before, i),
                                                .before = (uint32_t)i + 1,
                                                .old_score = before->scores[i]};

            teller->tell(teller->context, &left);
        }
    for (size_t i = same; i < after->n; i++) {
        size_t rank = rank_in(before, after, i, by_id);
        struct standing_event event = {.change = rank == 0 ? STANDING_ENTERED : STANDING_MOVED,
                                       .id = id,
                                       .other = id_in(after, i),
                                       .rank = (uint32_t)i + 1,
                                       .before = (uint32_t)rank,
                                       .score = after->scores[i]};

        if (rank != 0)
            event.old_score = before->scores[rank - 1];
        if (rank != i + 1 || event.old_score != event.score)
            teller->tell(teller->context, &event);
    }
}

struct named { /* a list, to be put in order */
    struct str id;
    struct shown before, after;
};

static int
named_compare(const void *a, const void *b)
{
    return str_compare(((const struct named *)a)->id, ((const struct named *)b)->id);
}

enum err_code
standing_compare(const struct standing *standing, const struct standing *next,
                 const struct standing_teller *teller, struct err *err)
{
    const struct standing *both[2] = {standing, next};
    size_t n[2] = {0, 0};
    struct named *lists[2];
    enum err_code code = ERR_OK;

    for (int i = 0; i < 2; i++) {
        const struct standing *one = both[i];

        lists[i] = mem_alloc((one->n_lists + 1) * sizeof(struct named));
        for (uint32_t place = 0; place < one->n_places && lists[i] != NULL; place++)
            if (list_at(one, place)->looker != ROSTER_NO_ROW)
                lists[i][n[i]++] =
                    (struct named){.id = roster_facts(one->roster, list_at(one, place)->looker)->id,
                                   .after = view_of(one, one->roster, place)};
        if (lists[i] != NULL)
            qsort(lists[i], n[i], sizeof(struct named), named_compare);
    }
    if (lists[0] == NULL || lists[1] == NULL)
        code = err_no_memory(err);
    for (size_t i = 0, j = 0; code == ERR_OK && (i < n[0] || j < n[1]);) {
        static const struct shown none = {.n = 0};
        int order = i == n[0] ? 1 : j == n[1] ? -1 : str_compare(lists[0][i].id, lists[1][j].id);

        tell_difference(order <= 0 ? lists[0][i].id : lists[1][j].id,
                        order <= 0 ? &lists[0][i].after : &none,
                        order >= 0 ? &lists[1][j].after : &none, true, teller);
        i += order <= 0;
        j += order >= 0;
    }
    mem_free(lists[0]);
    mem_free(lists[1]);
    return code;
}

/* ---- an update ---- */

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
    struct shown view = view_of(standing, standing->roster, place);
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
            remove_entry(update->standing, place, i);
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

static void
remove_one(struct update *update, const struct page *page, size_t first_place, size_t n_lists)
{
    size_t room = update->standing->room, n = n_lists * room, at = 0;
    uint32_t row = update->touched[0];

    for (; at + ANY_COMPARED <= n; at += ANY_COMPARED) {
        if (!has_row(page->rows + at, row))
            continue;
        for (size_t place = at / room; place <= (at + ANY_COMPARED - 1) / room; place++)
            remove_touched(update, (uint32_t)(first_place + place));
    }
    for (size_t place = at / room; place < n_lists; place++)
        remove_touched(update, (uint32_t)(first_place + place));
}

/* Whoever is touched leaves all lists; where it still belongs it comes back. */
static void
remove_all(struct update *update)
{
    struct standing *standing = update->standing;

    for (size_t p = 0; p < standing->n_pages; p++) {
        size_t first = p * standing->page_lists;
        size_t n = standing->n_places - first < standing->page_lists ? standing->n_places - first
                                                                     : standing->page_lists;

        if (update->n_touched == 1)
            remove_one(update, standing->pages[p], first, n);
        else
            for (size_t i = 0; i < n; i++)
                remove_touched(update, (uint32_t)(first + i));
    }
}

/* ---- their own lists ---- */

static enum err_code
renew_own(struct update *update, struct err *err)
{
    struct standing *standing = update->standing;
    enum err_code code = rows_reserve(standing, update->n_rows, err);

    for (size_t i = 0; i < update->n_touched && code == ERR_OK; i++) {
        uint32_t row = update->touched[i], place = place_of(standing, row);
        bool is_looker = looks(standing, update->plans, row);

        if (!is_looker && place == NO_LIST)
            continue;
        if (place == NO_LIST)
            code = list_add(standing, row, &place, err);
        if (code != ERR_OK)
            break;
        dirty(update, place);
        list_at(standing, place)->is_due = true;
        note_least(standing, list_at(standing, place));
        if (!is_looker)
            clear(standing, place); /* removed at the end, when it has been told */
    }
    return code;
}

/* ---- as candidates of others ---- */

static void
offer(struct update *update, uint32_t place, uint32_t row, int32_t score)
{
    const struct list *list = list_at(update->standing, place);

    if (score < least_of(update->standing, list))
        return;
    dirty(update, place);
    if (!update->is_short)
        insert(update->standing, update->roster, place, row, score);
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
    struct match_query query = query_of(standing, update->plans, row, update->stop);
    const struct match_sweep sweep = {standing->leasts, sweep_tell, update};
    struct arena_mark mark;
    struct arena *arena;
    enum err_code code;

    query.on_from = !standing->spec.on_from;
    arena = arena_create(SCRATCH_BYTES_MAX);
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

static void
score_pair(struct update *update, uint32_t place, uint32_t row)
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

    if (match_pair_rule(plan, from, to, &requirement) != RULE_NONE)
        return;
    match_pair_score(plan, from, from_row, to, to_row, &score);
    offer(update, place, row, score.score);
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
        for (uint32_t place = 0; place < standing->n_places; place++)
            if (list_at(standing, place)->looker != ROSTER_NO_ROW &&
                !list_at(standing, place)->is_due)
                score_pair(update, place, row);
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
        if (list->is_due && !looks(standing, update->plans, list->looker))
            continue;
        places[n++] = place;
    }
    standing->counts.searches += n;
    for (size_t at = 0; at < n; at += FILL_QUERIES) {
        size_t m = n - at < FILL_QUERIES ? n - at : FILL_QUERIES;
        struct arena *arena = arena_create(SCRATCH_BYTES_MAX);
        enum err_code code = arena != NULL ? search(standing, update->plans, places + at, m,
                                                    update->stop, arena, err)
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
        struct shown after = view_of(standing, update->roster, one->place);

        tell_difference(one->list.id, &one->list.before, &after, false, teller);
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
                            .arena = arena_create(SCRATCH_BYTES_MAX)};
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
