/*
 * handle_each.c: match.each, the best list of every profile of one side.
 *
 * The profiles of the side are looked through once, and of those after `after` the first by id are kept.
 * Their lists are made by match_batch, in an order that suits it (by direction, then by kind and metro, so
 * that queries next to each other look at the same tables), cut into slices that a team of threads takes.
 * A list depends on its own query only; who makes it, and in which slice, changes nothing. Then the page is
 * packed in order of id.
 */
#include "explanation_pack.h"
#include "handle.h"
#include "match.h"
#include "match_select.h"
#include "team.h"

#include <stdlib.h>

enum {
    SLICE_LEAST = 16,                 /* lists; fewer share too little */
    SLICES_A_MEMBER = 2,              /* so that a slow one holds nobody up for long */
    HITS_BYTES_MAX = 64 * 1024 * 1024 /* 1000 lists of 1000 hits are 24 MB */
};

struct each_list {
    const struct facts *facts;
    uint32_t row;
    bool is_mirrored;
    struct match_list found;
};

struct slice {
    size_t first, n; /* in order */
};

struct each {
    struct call *call;
    const struct programme *programme;
    const struct pairing *pairing;
    bool on_from;
    bool has_direction[2]; /* as it stands, mirrored */
    struct match_plan *plans[2];
    struct each_list *page; /* a heap while it is collected: the last by id first */
    size_t n_page, total, limit;
    bool has_next;
    struct each_list **order; /* as they are worked out */
    struct match_query *queries;
    struct match_list *found;
    struct slice *slices;
    size_t n_slices;
    struct arena *hits[TEAM_MOST]; /* by member */
};

/* ---- which profiles ---- */

static int
by_id(const void *a, const void *b)
{
    return str_compare(((const struct each_list *)a)->facts->id,
                       ((const struct each_list *)b)->facts->id);
}

static void
swap(struct each_list *a, struct each_list *b)
{
    struct each_list kept = *a;

    *a = *b;
    *b = kept;
}

static void
sift_down(struct each *each)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < each->n_page; at = child) {
        if (child + 1 < each->n_page && by_id(&each->page[child], &each->page[child + 1]) < 0)
            child++;
        if (by_id(&each->page[at], &each->page[child]) >= 0)
            return;
        swap(&each->page[at], &each->page[child]);
    }
}

static void
keep_first(struct each *each, const struct each_list *one)
{
    if (each->n_page == each->limit) {
        each->has_next = true;
        if (by_id(one, each->page) >= 0)
            return;
        each->page[0] = *one;
        sift_down(each);
        return;
    }
    each->page[each->n_page] = *one;
    for (size_t at = each->n_page++;
         at > 0 && by_id(&each->page[(at - 1) / 2], &each->page[at]) < 0; at = (at - 1) / 2)
        swap(&each->page[(at - 1) / 2], &each->page[at]);
}

struct collecting {
    struct each *each;
    struct str after;
    bool is_mirrored;
};

static void
collect_one(void *context, const struct facts *facts, uint32_t row)
{
    const struct collecting *collecting = context;
    const struct each_list one = {
        .facts = facts, .row = row, .is_mirrored = collecting->is_mirrored};

    if (collecting->after.len == 0 || str_compare(facts->id, collecting->after) > 0)
        keep_first(collecting->each, &one);
}

/* A mirrored pairing names two metros that differ, so that nobody stands in both directions. */
static enum err_code
collect(struct each *each, struct err *err)
{
    each->limit = call_limit(each->call);
    each->page = arena_alloc(each->call->arena, each->limit, sizeof *each->page);
    if (each->page == NULL)
        return err_no_memory(err);
    for (int mirrored = 0; mirrored < 2; mirrored++) {
        struct collecting collecting = {each, call_after(each->call), mirrored != 0};

        if (each->has_direction[mirrored])
            each->total +=
                match_visit_side(each->plans[mirrored], each->on_from, collect_one, &collecting);
    }
    qsort(each->page, each->n_page, sizeof *each->page, by_id);
    return ERR_OK;
}

static enum err_code
select_directions(struct each *each, struct err *err)
{
    struct call *call = each->call;
    bool is_mirrored = call_has(call, "mirrored") && call_bool(call, "mirrored");

    if (is_mirrored && !each->pairing->is_mirrored) {
        err_set(err, ERR_INVALID_PARAMS,
                "the pairing %.*s has no mirror; `mirrored` must be false, or left out",
                STR_ARG(each->pairing->id));
        err_at(err, "mirrored");
        return ERR_INVALID_PARAMS;
    }
    each->on_from = !str_is(call_str(call, "side"), "to");
    each->has_direction[0] = !is_mirrored;
    each->has_direction[1] = call_has(call, "mirrored") ? is_mirrored : each->pairing->is_mirrored;
    return ERR_OK;
}

/* ---- how the work is cut ---- */

static int
by_table(const void *a, const void *b)
{
    const struct each_list *one = *(struct each_list *const *)a;
    const struct each_list *other = *(struct each_list *const *)b;

    if (one->is_mirrored != other->is_mirrored)
        return one->is_mirrored ? 1 : -1;
    if (one->facts->kind != other->facts->kind)
        return one->facts->kind < other->facts->kind ? -1 : 1;
    if (one->facts->metro != other->facts->metro)
        return one->facts->metro < other->facts->metro ? -1 : 1;
    return by_id(one, other);
}

static void
cut(struct each *each, size_t n_members)
{
    size_t pieces = n_members > 1 ? n_members * SLICES_A_MEMBER : 1;
    size_t most = (each->n_page + pieces - 1) / pieces;

    most = (most + SLICE_LEAST - 1) / SLICE_LEAST * SLICE_LEAST;
    for (size_t at = 0; at < each->n_page; at++) {
        struct slice *last = each->n_slices > 0 ? &each->slices[each->n_slices - 1] : NULL;

        if (last != NULL && last->n < most &&
            each->order[last->first]->is_mirrored == each->order[at]->is_mirrored)
            last->n++;
        else
            each->slices[each->n_slices++] = (struct slice){.first = at, .n = 1};
    }
}

/* ---- the lists ---- */

static bool
is_over(void *context)
{
    struct team *team = context;
    struct each *each = team_context(team);
    struct err ignored = {0};

    return team_must_stop(team) || call_check_time(each->call, &ignored) != ERR_OK;
}

static enum err_code
search_slice(struct team *team, size_t member, size_t task, struct err *err)
{
    struct each *each = team_context(team);
    const struct slice *slice = &each->slices[task];
    struct match_query *queries = &each->queries[slice->first];

    for (size_t i = 0; i < slice->n; i++) {
        const struct each_list *list = each->order[slice->first + i];

        queries[i] = (struct match_query){.viewer = list->facts,
                                          .row = list->row,
                                          .on_from = each->on_from,
                                          .k = (size_t)call_int(each->call, "k"),
                                          .min_score = (int32_t)call_int(each->call, "min_score"),
                                          .is_cancelled = is_over,
                                          .cancel_context = team};
    }
    return match_batch(each->plans[each->order[slice->first]->is_mirrored], queries, slice->n,
                       each->hits[member], &each->found[slice->first], err);
}

static enum err_code
make_room(struct each *each, size_t n_members, struct err *err)
{
    struct arena *arena = each->call->arena;

    each->order = arena_alloc(arena, each->n_page, sizeof(struct each_list *));
    each->queries = arena_alloc(arena, each->n_page, sizeof *each->queries);
    each->found = arena_alloc(arena, each->n_page, sizeof *each->found);
    each->slices = arena_alloc(arena, each->n_page, sizeof *each->slices);
    if (each->order == NULL || each->queries == NULL || each->found == NULL || each->slices == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n_members; i++) {
        each->hits[i] = arena_create(HITS_BYTES_MAX);
        if (each->hits[i] == NULL)
            return err_no_memory(err);
        if (!arena_defer(arena, (void (*)(void *))arena_destroy, each->hits[i])) {
            arena_destroy(each->hits[i]);
            return err_no_memory(err);
        }
    }
    for (size_t i = 0; i < each->n_page; i++)
        each->order[i] = &each->page[i];
    qsort(each->order, each->n_page, sizeof(struct each_list *), by_table);
    return ERR_OK;
}

static enum err_code
search_page(struct each *each, size_t n_members, struct err *err)
{
    struct team_work work = {.run = search_slice, .context = each};
    enum err_code code = make_room(each, n_members, err);

    if (code != ERR_OK)
        return code;
    cut(each, n_members);
    work.n_tasks = each->n_slices;
    code = team_run(&work, n_members, err);
    for (size_t i = 0; i < each->n_page && code == ERR_OK; i++)
        each->order[i]->found = each->found[i];
    return match_told_why(each->call, code, err);
}

static enum err_code
search_by_team(struct each *each, struct err *err)
{
    struct engine *engine = each->call->engine;
    size_t most = (each->n_page + SLICE_LEAST - 1) / SLICE_LEAST;
    size_t helpers;
    enum err_code code;

    most = most < TEAM_MOST ? most : TEAM_MOST;
    if (most == 0)
        return call_check_time(each->call, err);
    helpers = engine_helpers_take(engine, most - 1);
    code = search_page(each, 1 + helpers, err);
    engine_helpers_give(engine, helpers);
    return code;
}

/* ---- the answer ---- */

static void
pack_one(struct each *each, const struct each_list *list)
{
    const struct match_plan *plan = each->plans[list->is_mirrored];
    enum rule why = match_profile_rule(plan, list->facts);
    struct buf *out = &each->call->answer;

    pack_map(out, why != RULE_NONE ? 8 : 7);
    pack_key_str(out, "id", list->facts->id);
    pack_key_str(out, "name", list->facts->name);
    pack_key_text(out, "side", each->on_from ? "from" : "to");
    pack_key_bool(out, "mirrored", list->is_mirrored);
    pack_key_int(out, "considered", (int64_t)list->found.considered);
    pack_key_int(out, "eligible", (int64_t)list->found.eligible);
    if (why != RULE_NONE) {
        pack_key(out, "why");
        explanation_pack_why(each->call, plan, list->facts, why, out);
    }
    pack_key(out, "matches");
    match_pack_list(each->call, &list->found);
}

static void
pack_page(struct each *each)
{
    struct call *call = each->call;
    struct buf *out = &call->answer;

    pack_map(out, each->has_next ? 8 : 7);
    pack_key_str(out, "programme", each->programme->id);
    pack_key_str(out, "pairing", each->pairing->id);
    pack_key_text(out, "side", each->on_from ? "from" : "to");
    match_pack_day(call);
    pack_key_int(out, "seq", (int64_t)call->view.seq);
    pack_key_int(out, "total", (int64_t)each->total);
    pack_key(out, "lists");
    pack_array(out, each->n_page);
    for (size_t i = 0; i < each->n_page; i++)
        pack_one(each, &each->page[i]);
    if (each->has_next)
        call_pack_next(call, each->page[each->n_page - 1].facts->id);
}

enum err_code
handle_match_each(struct call *call, struct err *err)
{
    struct each each = {.call = call};
    const struct programme *programme;
    enum err_code code = match_select_pairing(call, &programme, &each.pairing, err);

    each.programme = code == ERR_OK ? programme : NULL;
    if (code == ERR_OK)
        code = select_directions(&each, err);
    for (int mirrored = 0; mirrored < 2 && code == ERR_OK; mirrored++)
        if (each.has_direction[mirrored])
            code = match_make_plan(call, each.pairing, mirrored != 0, NULL, &each.plans[mirrored],
                                   err);
    if (code == ERR_OK)
        code = collect(&each, err);
    if (code == ERR_OK)
        code = search_by_team(&each, err);
    if (code == ERR_OK)
        pack_page(&each);
    return code;
}
