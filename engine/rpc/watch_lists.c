#include "watch_lists.h"

#include "alloc.h"
#include "call.h"
#include "programme_cache.h"
#include "team.h"

#include <string.h>

enum { PLAN_BYTES_MAX = 16 * 1024 * 1024, SLICE_LISTS = 512 };

bool
watch_wish_equal(const struct watch_wish *a, const struct watch_wish *b)
{
    return a->on_from == b->on_from && a->k == b->k && a->min_score == b->min_score &&
           str_equal(a->programme, b->programme) && str_equal(a->pairing, b->pairing) &&
           str_equal(a->id, b->id);
}

static struct str
keep(char **at, struct str s)
{
    struct str kept = {*at, s.len};

    if (s.len > 0)
        memcpy(*at, s.data, s.len);
    *at += s.len;
    return kept;
}

bool
watch_lists_init(struct watch_lists *lists, struct engine *engine, const struct watch_wish *wish)
{
    char *at;

    *lists = (struct watch_lists){.engine = engine, .wish = *wish};
    lists->text = at = mem_alloc(wish->programme.len + wish->pairing.len + wish->id.len + 1);
    if (at == NULL)
        return false;
    lists->wish.programme = keep(&at, wish->programme);
    lists->wish.pairing = keep(&at, wish->pairing);
    lists->wish.id = keep(&at, wish->id);
    return true;
}

static void
drop_standings(struct watch_lists *lists)
{
    for (size_t i = 0; i < lists->n_standings; i++)
        standing_destroy(lists->standings[i]);
    lists->n_standings = 0;
}

void
watch_lists_fini(struct watch_lists *lists)
{
    drop_standings(lists);
    kept_programme_drop(lists->programme);
    mem_free(lists->text);
    *lists = (struct watch_lists){.engine = NULL};
}

size_t
watch_lists_count(const struct watch_lists *lists)
{
    size_t n = 0;

    for (size_t i = 0; i < lists->n_standings; i++)
        n += standing_n_lists(lists->standings[i]);
    return n;
}

size_t
watch_lists_bytes(const struct watch_lists *lists)
{
    size_t n = 0;

    for (size_t i = 0; i < lists->n_standings; i++)
        n += standing_bytes(lists->standings[i]);
    return n;
}

/* ---- the programme ---- */

static void
drop_programme(struct watch_lists *lists)
{
    kept_programme_drop(lists->programme);
    lists->programme = NULL;
    lists->pairing = NULL;
}

static enum err_code
hold_programme(struct watch_lists *lists, const struct engine_view *view, struct str bytes,
               struct err *err)
{
    enum err_code code = engine_programme(lists->engine, view, bytes, &lists->programme, err);

    if (code != ERR_OK)
        return code;
    lists->pairing = programme_pairing(kept_programme_look(lists->programme), lists->wish.pairing);
    return lists->pairing != NULL
               ? ERR_OK
               : err_set(err, ERR_NOT_FOUND, "the programme %.*s has no pairing \"%.*s\" any more",
                         STR_ARG(lists->wish.programme), STR_ARG(lists->wish.pairing));
}

static enum err_code
load_programme(struct watch_lists *lists, const struct engine_view *view, struct err *err)
{
    struct programme_record record;
    struct store_read *read;
    enum err_code code = store_read_begin(engine_store(lists->engine), &read, err);

    drop_programme(lists);
    if (code != ERR_OK)
        return code;
    code = programme_record_find(read, lists->wish.programme, &record, err);
    if (code == ERR_OK)
        code = hold_programme(lists, view, record.bytes, err);
    store_read_end(read);
    return code;
}

/* ---- plans ---- */

static enum err_code
make_plans(struct watch_lists *lists, const struct engine_view *view, struct arena *arena,
           struct match_plan *plans[WATCH_DIRECTIONS], struct err *err)
{
    size_t n = lists->pairing->is_mirrored ? 2 : 1;
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        struct match_context context = {.pairing = lists->pairing,
                                        .is_mirrored = i == 1,
                                        .roster = view->roster,
                                        .reference = view->reference,
                                        .symbols = view->symbols,
                                        .day = lists->day};

        code = match_plan_make(&context, arena, &plans[i], err);
    }
    return code;
}

/* Who fits both directions looks in the plain one, as for match.top. */
static struct standing_plans
plans_of(struct match_plan *const plans[WATCH_DIRECTIONS], size_t i)
{
    return (struct standing_plans){.plan = plans[i], .other = i == 1 ? plans[0] : NULL};
}

/* ---- filling ---- */

struct filling {
    struct watch_lists *lists;
    struct standing *standing;
    const struct standing_plans *plans;
    const struct standing_stop *stop;
};

static bool
must_stop(void *context)
{
    const struct team *team = context;
    const struct filling *filling = team_context(team);
    const struct standing_stop *stop = filling->stop;

    return team_must_stop(team) || (stop->is_asked != NULL && stop->is_asked(stop->context));
}

static enum err_code
fill_slice(struct team *team, size_t member, size_t task, struct err *err)
{
    struct filling *filling = team_context(team);
    const struct standing_stop stop = {must_stop, team};
    size_t first = task * SLICE_LISTS, n = standing_n_places(filling->standing) - first;
    enum err_code code;

    (void)member;
    n = n < SLICE_LISTS ? n : SLICE_LISTS;
    code = standing_fill(filling->standing, filling->plans, first, n, &stop, err);
    if (code == ERR_OK)
        atomic_fetch_add(&filling->lists->n_filled, n);
    return code;
}

/* In slices, by this thread and as many helpers as the engine has to spare. */
static enum err_code
fill(struct watch_lists *lists, struct standing *standing, const struct standing_plans *plans,
     const struct standing_stop *stop, struct err *err)
{
    size_t n = standing_n_places(standing), n_slices = (n + SLICE_LISTS - 1) / SLICE_LISTS;
    size_t most = n_slices < TEAM_MOST ? n_slices : TEAM_MOST;
    size_t helpers = most > 1 ? engine_helpers_take(lists->engine, most - 1) : 0;
    struct filling filling = {lists, standing, plans, stop};
    const struct team_work work = {.n_tasks = n_slices, .run = fill_slice, .context = &filling};
    enum err_code code;

    atomic_fetch_add(&lists->n_to_fill, n);
    code = team_run(&work, 1 + helpers, err);
    engine_helpers_give(lists->engine, helpers);
    return code;
}

/* ---- updating ---- */

static enum err_code
make_anew(struct watch_lists *lists, const struct standing_plans *plans, struct standing **out,
          const struct standing_stop *stop, struct err *err)
{
    const struct standing_spec spec = {.on_from = lists->wish.on_from,
                                       .k = lists->wish.k,
                                       .min_score = lists->wish.min_score,
                                       .only = lists->wish.id,
                                       .bytes_max = lists->bytes_max};
    struct standing *standing;
    enum err_code code = standing_create(&spec, plans, &standing, err);

    if (code == ERR_OK && (code = fill(lists, standing, plans, stop, err)) != ERR_OK)
        standing_destroy(standing);
    if (code == ERR_OK)
        *out = standing;
    return code;
}

/* One direction anew, and what is other in it. */
static enum err_code
replace(struct watch_lists *lists, size_t i, const struct standing_plans *plans,
        const struct standing_teller *teller, const struct standing_stop *stop, struct err *err)
{
    struct standing *next;
    enum err_code code = make_anew(lists, plans, &next, stop, err);

    if (code != ERR_OK)
        return code;
    code = standing_compare(lists->standings[i], next, teller, err);
    standing_destroy(lists->standings[i]);
    lists->standings[i] = next;
    return code;
}

/* As many directions as there are now; those that were told of before are compared. */
static enum err_code
all_anew(struct watch_lists *lists, struct match_plan *const plans[WATCH_DIRECTIONS],
         const struct standing_teller *teller, const struct standing_stop *stop, struct err *err)
{
    size_t n = lists->pairing->is_mirrored ? 2 : 1;
    enum err_code code = ERR_OK;

    if (lists->n_standings != n && lists->n_standings > 0)
        return err_set(err, ERR_BUSY, "the pairing %.*s was given a mirror, or lost it",
                       STR_ARG(lists->wish.pairing)); /* nothing to compare: made from nothing */
    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        const struct standing_plans one = plans_of(plans, i);

        if (i < lists->n_standings) {
            code = replace(lists, i, &one, teller, stop, err);
            continue;
        }
        code = make_anew(lists, &one, &lists->standings[i], stop, err);
        lists->n_standings += code == ERR_OK;
    }
    return code;
}

/* Rows of ids in the next roster, or, of those that are gone, in the last one. */
static size_t
rows_of(const struct roster *next, const struct roster *last, const struct str *ids, size_t n,
        uint32_t *rows)
{
    size_t n_rows = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t row = roster_find(next, ids[i]);

        if (row == ROSTER_NO_ROW)
            row = roster_find(last, ids[i]);
        if (row != ROSTER_NO_ROW)
            rows[n_rows++] = row;
    }
    return n_rows;
}

static enum err_code
follow_changes(struct watch_lists *lists, const struct engine_view *view,
               struct match_plan *const plans[WATCH_DIRECTIONS], const struct watch_news *news,
               const struct standing_teller *teller, const struct standing_stop *stop,
               struct err *err)
{
    uint32_t *rows = mem_alloc((news->n_profiles + news->n_parties + 1) * sizeof *rows);
    enum err_code code = rows != NULL ? ERR_OK : err_no_memory(err);

    for (size_t i = 0; i < lists->n_standings && code == ERR_OK; i++) {
        const struct roster *last = standing_roster(lists->standings[i]);
        const struct standing_plans one = plans_of(plans, i);
        struct standing_changes changes = {.rows = rows};
        bool is_too_much = false;

        changes.n_rows = rows_of(view->roster, last, news->profiles, news->n_profiles, rows);
        changes.parties = rows + changes.n_rows;
        changes.n_parties =
            rows_of(view->roster, last, news->parties, news->n_parties, rows + changes.n_rows);
        code =
            standing_update(lists->standings[i], &one, &changes, teller, stop, &is_too_much, err);
        if (code == ERR_OK && is_too_much)
            code = replace(lists, i, &one, teller, stop, err);
    }
    mem_free(rows);
    return code;
}

enum err_code
watch_lists_update(struct watch_lists *lists, const struct engine_view *view,
                   const struct watch_news *news, const struct standing_teller *teller,
                   const struct standing_stop *stop, struct err *err)
{
    int32_t today = engine_today(lists->engine);
    bool is_anew = news->is_everything || news->has_new_programme || lists->n_standings == 0 ||
                   lists->day != today;
    struct match_plan *plans[WATCH_DIRECTIONS] = {NULL, NULL};
    struct arena *arena = arena_create(PLAN_BYTES_MAX);
    enum err_code code = arena != NULL ? ERR_OK : err_no_memory(err);

    lists->day = today;
    atomic_store(&lists->n_filled, 0);
    atomic_store(&lists->n_to_fill, 0);
    if (code == ERR_OK && is_anew)
        code = load_programme(lists, view, err);
    if (code == ERR_OK)
        code = make_plans(lists, view, arena, plans, err);
    if (code == ERR_OK)
        code = is_anew ? all_anew(lists, plans, teller, stop, err)
                       : follow_changes(lists, view, plans, news, teller, stop, err);
    arena_destroy(arena);
    if (code != ERR_OK)
        drop_standings(lists);
    return code;
}
