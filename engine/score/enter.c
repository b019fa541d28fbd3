#include "curve.h"
#include "quality.h"
#include "requirement.h"
#include "search.h"
#include "view.h"

#include <string.h>

/* ---- text wants ---- */

static void
text_sums_make(struct search *search, int view)
{
    const struct plan_view *wants = &search->plan->views[view];
    struct text_sums *out = &search->texts[view];

    for (int i = 0; i < wants->n_wants; i++) {
        const struct want *want = wants->wants[i].want;

        if (want->type != WANT_TEXT)
            continue;
        out->caps[TEXT_STEP_MISSING] +=
            (int64_t)want->weight * curve_points(want->curve, want->n_knots, want->missing);
        for (int step = 0; step <= TEXT_STEPS; step++)
            out->caps[step] += (int64_t)want->weight * curve_most(want->curve, want->n_knots,
                                                                  step * SCORE_MAX / TEXT_STEPS);
    }
    search->text_most[view] = out->caps[TEXT_STEPS] > out->caps[TEXT_STEP_MISSING]
                                  ? out->caps[TEXT_STEPS]
                                  : out->caps[TEXT_STEP_MISSING];
}

static enum err_code
embedding_make(struct search *search, struct arena *arena, struct err *err)
{
    const struct facts *looker = search->query->viewer;
    int8_t *row;

    if (looker->embedding_norm2 == 0)
        return ERR_OK;
    row = arena_alloc_wide(arena, 1, embedding_stride(looker->n_embedding));
    if (row == NULL)
        return err_no_memory(err);
    memcpy(row, looker->embedding, looker->n_embedding);
    search->embedding = row;
    search->embedding_root = (uint32_t)isqrt_u64(looker->embedding_norm2);
    return ERR_OK;
}

static enum err_code
texts_make(struct search *search, struct arena *arena, struct err *err)
{
    const struct facts *looker = search->query->viewer;
    struct text_vector own;
    enum err_code code;

    search->has_text = plan_has_text(search->plan);
    if (!search->has_text)
        return ERR_OK;
    search->texts = arena_alloc(arena, PLAN_SIDES, sizeof *search->texts);
    if (search->texts == NULL)
        return err_no_memory(err);
    text_sums_make(search, PLAN_FROM);
    text_sums_make(search, PLAN_TO);
    if (embedding_make(search, arena, err) != ERR_OK)
        return err->code;
    if (looker->text.n == 0)
        return ERR_OK;
    code = facts_need_text(looker, err);
    if (code != ERR_OK)
        return code;
    own = facts_text(looker);
    search->probe = arena_room(arena, 1, sizeof *search->probe);
    if (search->probe == NULL)
        return err_no_memory(err);
    text_probe_make(search->probe, &own);
    return ERR_OK;
}

/* ---- beginning ---- */

enum err_code
search_begin(struct search *search, const struct match_plan *plan, const struct match_query *query,
             struct arena *hits, struct arena *scratch, struct err *err)
{
    size_t n_profiles = roster_profiles(plan->roster);
    size_t room = query->k < n_profiles ? query->k : n_profiles;

    *search = (struct search){.plan = plan, .query = query};
    search->side = query->on_from ? PLAN_FROM : PLAN_TO;
    search->may = query_viewer_may(plan, query);
    search->heap.roster = plan->roster;
    search->heap.room = room;
    search->heap.hits = arena_alloc(hits, room, sizeof *search->heap.hits);
    if (search->heap.hits == NULL)
        return err_no_memory(err);
    return search->may ? texts_make(search, scratch, err) : ERR_OK;
}

/* The place of a profile in the lens's table; NO_PLACE if it stands elsewhere or is not there. */
static uint32_t
place_in(const struct lens *lens, uint32_t row)
{
    const struct facts *facts = roster_facts(lens->plan->roster, row);

    if (facts == NULL || facts->kind != lens->table->kind || facts->metro != lens->table->metro)
        return NO_PLACE;
    return roster_place(lens->plan->roster, row);
}

/* Leaves out the looker itself, as stored, and those that it lists by id. */
static enum err_code
exclude(struct search *search, struct arena *arena, struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct facts *looker = search->query->viewer;
    const struct slot_codes *conflicts = &looker->conflicts;
    uint32_t row = roster_find(plan->roster, looker->id);

    search->n_excluded = 0;
    search->excluded = arena_alloc(arena, conflicts->n + 1, sizeof *search->excluded);
    if (search->excluded == NULL)
        return err_no_memory(err);
    if (row != ROSTER_NO_ROW && is_same_profile(looker, roster_facts(plan->roster, row))) {
        uint32_t place = place_in(search->lens, row);

        if (place != NO_PLACE) {
            search->excluded[search->n_excluded++] = place;
            search->considered--; /* the table counts it */
        }
    }
    for (uint32_t i = 0; i < conflicts->n; i++) {
        uint32_t other = roster_find(plan->roster, match_symbol_text(plan, conflicts->codes[i]));
        uint32_t place = other != ROSTER_NO_ROW ? place_in(search->lens, other) : NO_PLACE;

        if (place != NO_PLACE)
            search->excluded[search->n_excluded++] = place;
    }
    return ERR_OK;
}

/* Are its points found by the candidate's code? */
static bool
adds_by_code(const struct search *search, size_t want_at)
{
    const struct lens_want *want = &search->lens->wants[want_at];

    if (want->kind == LENS_LOOKER_RECORD)
        return !search->has_looker_record;
    return want->kind == LENS_COLUMN && !search->points[want_at]->is_missing;
}

/* The want among those that ladders tell of; NULL: none does. */
static const struct ladder_want *
ladder_want_of(const struct search *search, size_t want_at)
{
    for (size_t i = 0; i < search->ladders.n; i++)
        for (const struct ladder_want *want = search->ladders.all[i]->wants; want != NULL;
             want = want->next)
            if (want->want == want_at)
                return want;
    return NULL;
}

/* The most points that a want gives to any candidate. */
static int32_t
most_of(const struct search *search, size_t want_at)
{
    const struct ladder_want *want = ladder_want_of(search, want_at);

    return want != NULL ? want->most : search->lens->wants[want_at].most;
}

/* Are its points told by a ladder? */
static bool
is_told(const struct search *search, size_t want_at)
{
    const struct ladder_want *want = ladder_want_of(search, want_at);

    return want != NULL && want->is_told;
}

/* Of n outcomes no more than n speak for a code (SCORING.md); none does for a looker whose own value is missing:
 * its points are those of any candidate. */
static void
count_record(struct search *search, const struct lens_want *want, int32_t points)
{
    const struct want *how = want->want->want;

    search->record_gain[want->view] += (int64_t)want->weight * (want->most - points);
    for (uint32_t n = 0; n < RECORD_STEPS; n++) {
        int32_t most = curve_most(how->curve, how->n_knots, record_quality(n));

        search->record_gains[n][want->view] +=
            (int64_t)want->weight * (most > points ? most - points : 0);
    }
    search->record_gains[RECORD_STEPS][want->view] = search->record_gain[want->view];
}

/* What all candidates have of a want. */
static void
count_want(struct search *search, size_t want_at)
{
    const struct lens_want *want = &search->lens->wants[want_at];
    struct points_row *row = search->points[want_at];
    int64_t weight = want->weight;

    if (want->kind == LENS_TEXT)
        return;
    if (want->kind == LENS_FIXED || (want->kind == LENS_COLUMN && row->is_missing)) {
        search->base[want->view] += weight * lens_points(search->lens, want, row, 0);
    } else if (want->kind == LENS_CANDIDATE_RECORD) {
        int32_t points = lens_points(search->lens, want, row, 0);

        search->base[want->view] += weight * points;
        count_record(search, want, points);
    } else if (want->kind == LENS_LOOKER_RECORD && search->has_looker_record) {
        search->all_pend = true;
        search->rest[want->view] += weight * want->most;
    }
}

/* What all places have alike. */
static void
count_alike(struct search *search)
{
    memset(search->base, 0, sizeof search->base);
    memset(search->record_gain, 0, sizeof search->record_gain);
    memset(search->record_gains, 0, sizeof search->record_gains);
    memset(search->rest, 0, sizeof search->rest);
    search->all_pend = false;
    for (size_t i = 0; i < search->lens->n_wants; i++)
        count_want(search, i);
}

/* How much there could be in all. */
static void
count_up(struct search *search)
{
    for (int view = 0; view < PLAN_SIDES; view++) {
        search->most[view] = search->base[view] + search->record_gain[view] + search->rest[view] +
                             search->text_most[view];
    }
    for (size_t i = 0; i < search->lens->n_wants; i++) {
        const struct lens_want *want = &search->lens->wants[i];

        search->mosts[i] = most_of(search, i);
        if (adds_by_code(search, i))
            search->most[want->view] += (int64_t)want->weight * search->mosts[i];
    }
}

/* A place in the order, by weight among those from `first` on. */
static void
order_add(struct search *search, size_t first, size_t want_at)
{
    const struct lens_want *wants = search->lens->wants;
    size_t at = search->n_order++;

    for (; at > first && wants[search->order[at - 1]].weight < wants[want_at].weight; at--)
        search->order[at] = search->order[at - 1];
    search->order[at] = want_at;
}

/* Which wants the sums are made up of, place by place: of few values first, then the others by weight. What
 * neither a ladder nor a short dictionary tells is looked up late, for those who are still there. */
static bool
order_make(struct search *search, struct arena *arena)
{
    const struct lens *lens = search->lens;

    search->order = arena_alloc(arena, lens->n_wants, sizeof *search->order);
    search->late = arena_alloc(arena, lens->n_wants, sizeof *search->late);
    search->mosts = arena_alloc(arena, lens->n_wants, sizeof *search->mosts);
    search->n_order = search->n_late = 0;
    if (search->order == NULL || search->late == NULL || search->mosts == NULL)
        return false;
    for (size_t i = 0; i < lens->n_wants; i++)
        if (adds_by_code(search, i) && lens_is_small(lens->wants[i].n_codes))
            order_add(search, 0, i);
    search->n_cheap = search->n_order;
    for (size_t i = 0; i < lens->n_wants; i++) {
        if (!adds_by_code(search, i) || lens_is_small(lens->wants[i].n_codes) || is_told(search, i))
            continue;
        if (lens->wants[i].n_codes > LENS_ROW_CODES)
            search->late[search->n_late++] = i;
        else
            order_add(search, search->n_cheap, i);
    }
    return true;
}

static bool
rows_take(struct search *search, struct arena *arena)
{
    struct lens *lens = search->lens;
    const struct facts *looker = search->query->viewer;

    search->points = arena_alloc(arena, lens->n_wants, sizeof(struct points_row *));
    search->asks = arena_alloc(arena, lens->n_rules + 1, sizeof *search->asks);
    if (search->points == NULL || search->asks == NULL)
        return false;
    for (size_t i = 0; i < lens->n_wants; i++) {
        if (lens->wants[i].kind == LENS_TEXT)
            continue;
        search->points[i] = lens_points_row(lens, i, looker, search->own_block, search->own_place);
        if (search->points[i] == NULL)
            return false;
    }
    search->asks[0] = (struct ask){.rule = &lens->consent_rule, .row = &lens->consent};
    search->n_asks = 1 + lens->n_rules;
    for (size_t i = 0; i < lens->n_rules; i++) {
        struct holds_row *row =
            lens_holds_row(lens, i, looker, search->own_block, search->own_place);

        if (row == NULL)
            return false;
        search->asks[1 + i] = (struct ask){.rule = &lens->rules[i], .row = row};
    }
    search_asks_sort(search);
    search->organisations = looker->conflicts.n > 0 ? lens_organisation_row(lens, looker) : NULL;
    return looker->conflicts.n == 0 || search->organisations != NULL;
}

enum err_code
search_enter(struct search *search, struct lens *lens, struct arena *arena, struct err *err)
{
    const struct roster *roster = search->plan->roster;
    uint32_t row = search->query->row;

    search->lens = lens;
    search->considered += lens->table->n_profiles;
    search->skips_prune = false;
    search->blocks_seen = 0;
    search->losses_for = -1;
    search->next_rise = 1;
    if (exclude(search, arena, err) != ERR_OK)
        return ERR_BUSY;
    if (!search->may)
        return ERR_OK;
    search->has_looker_record = row != ROSTER_NO_ROW && roster_record(roster, row) != NULL;
    search->own_block = NULL;
    if (lens->lookers != NULL) {
        search->own_place = roster_place(roster, row) % BLOCK_ROWS;
        search->own_block = lens->lookers->blocks[roster_place(roster, row) / BLOCK_ROWS];
    }
    if (!rows_take(search, arena))
        return err_no_memory(err);
    count_alike(search);
    if (!ladders_make(lens, search->points, search->record_gain, arena, &search->ladders) ||
        !order_make(search, arena))
        return err_no_memory(err);
    search->contenders = arena_room(arena, CONTENDERS_MAX, sizeof *search->contenders);
    if (search->contenders == NULL)
        return err_no_memory(err);
    count_up(search);
    search_slopes(search);
    hope_begin(search);
    return ERR_OK;
}

bool
search_takes(const struct match_plan *plan, int side, const struct table *table)
{
    return side_takes(&plan->sides[side], table->kind, table->metro);
}
