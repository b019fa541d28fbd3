#include "search.h"

#include "requirement.h"

#include <string.h>

enum {
    NONE = UINT16_MAX,
    CHECK_EVERY = 8 /* blocks between two looks at whether pruning pays */
};

/* ---- sums ---- */

static void
list_places(const uint64_t bits[BLOCK_WORDS], struct survivors *out)
{
    uint32_t n = 0;

    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
            out->places[n++] = (uint16_t)(word * 64 + (uint32_t)__builtin_ctzll(left));
    out->n = n;
}

/* Adds the points of a want, by codes of one width. */
#define ADD_BY_CODE(type)                                                                  \
    do {                                                                                   \
        const type *codes = column->codes;                                                 \
                                                                                           \
        for (uint32_t i = 0; i < survivors->n; i++)                                        \
            sums[i] += weight * lens_points(lens, want, row, codes[survivors->places[i]]); \
    } while (0)

static void
add_want(const struct search *search, const struct block *block, size_t want_at,
         struct survivors *survivors)
{
    struct lens *lens = search->lens;
    const struct lens_want *want = &lens->wants[want_at];
    const struct column *column = &block->columns[want->column];
    struct points_row *row = search->points[want_at];
    int64_t *sums = survivors->sums[want->view];
    int64_t weight = want->weight, points;

    switch (column->width) {
    case 1:
        ADD_BY_CODE(uint8_t);
        break;
    case 2:
        ADD_BY_CODE(uint16_t);
        break;
    case 4:
        ADD_BY_CODE(uint32_t);
        break;
    default:
        points = weight * lens_points(lens, want, row, column->constant);
        for (uint32_t i = 0; i < survivors->n; i++)
            sums[i] += points;
    }
}

/* Lets go whoever can't reach `least` with `left` more in each view. */
static void
keep_reaching(const struct search *search, int32_t least, const int64_t left[PLAN_SIDES],
              struct survivors *survivors)
{
    int64_t reach = least * BOUND_UNIT - search_bound(search, left[PLAN_FROM], left[PLAN_TO]);
    int64_t *from = survivors->sums[PLAN_FROM], *to = survivors->sums[PLAN_TO];
    int64_t from_rate = search->rates[PLAN_FROM], to_rate = search->rates[PLAN_TO];
    uint32_t n = 0;

    for (uint32_t i = 0; i < survivors->n; i++) {
        survivors->places[n] = survivors->places[i];
        from[n] = from[i];
        to[n] = to[i];
        n += from_rate * from[i] + to_rate * to[i] >= reach;
    }
    survivors->n = n;
}

/*
 * The sums of the survivors: exact for all wants but those of texts and records, which are not in them;
 * those that are looked up late, with their most; and those where a ladder gives only a bound.
 */
static void
sums_of(const struct search *search, const struct block *block, int32_t least,
        struct survivors *survivors)
{
    const struct lens *lens = search->lens;
    int64_t start[PLAN_SIDES] = {search->base[PLAN_FROM], search->base[PLAN_TO]};
    int64_t left[PLAN_SIDES]; /* the most that is still to come */
    int64_t *const sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM], survivors->sums[PLAN_TO]};

    for (size_t i = 0; i < search->n_late; i++)
        start[lens->wants[search->late[i]].view] +=
            (int64_t)lens->wants[search->late[i]].weight * lens->wants[search->late[i]].most;
    for (int view = 0; view < PLAN_SIDES; view++) {
        left[view] = search->most[view] - start[view];
        for (uint32_t i = 0; i < survivors->n; i++)
            survivors->sums[view][i] = start[view];
    }
    for (size_t i = 0; i < search->ladders.n && survivors->n > 0; i++) {
        struct ladder *ladder = search->ladders.all[i];

        if (!ladder->tells)
            continue;
        ladder_add(ladder, lens, block, survivors->places, survivors->n, sums);
        for (int view = 0; view < PLAN_SIDES; view++)
            left[view] -= ladder->told_most[view];
        if (least > 0)
            keep_reaching(search, least, left, survivors);
    }
    for (size_t i = 0; i < search->n_order && survivors->n > 0; i++) {
        const struct lens_want *want = &lens->wants[search->order[i]];

        add_want(search, block, search->order[i], survivors);
        left[want->view] -= (int64_t)want->weight * search->mosts[search->order[i]];
        if (least > 0 && i + 1 >= search->n_cheap)
            keep_reaching(search, least, left, survivors);
    }
}

/* ---- blocks ---- */

/* Survivors whose bound is below the least score are let go, the others put in buckets by bound. */
static void
sort_by_bound(const struct search *search, const struct block *block, int32_t least,
              struct survivors *survivors)
{
    int64_t unit = BOUND_UNIT, floor_bound = least * unit;
    int64_t step = (SCORE_MAX * unit - floor_bound) / BUCKETS + 1;

    memset(survivors->heads, 0xff, sizeof survivors->heads);
    for (uint32_t i = survivors->n; i-- > 0;) {
        struct rest rest;
        int64_t over;
        size_t bucket;

        search_rest(search, block, survivors->places[i], &rest);
        over = search_bound(search, survivors->sums[PLAN_FROM][i] + rest.gains[PLAN_FROM],
                            survivors->sums[PLAN_TO][i] + rest.gains[PLAN_TO]) -
               floor_bound;
        if (over < 0)
            continue;
        bucket = over / step < BUCKETS ? (size_t)(over / step) : BUCKETS - 1;
        survivors->next[i] = survivors->heads[bucket];
        survivors->heads[bucket] = (uint16_t)i;
    }
}

/* Those that come next: the facts of one, the text of the other. */
static void
fetch_ahead(const struct search *search, const struct block *block,
            const struct survivors *survivors, uint16_t next)
{
    uint16_t after = next != NONE ? survivors->next[next] : NONE;

    if (!search->has_text || after == NONE)
        return;
    __builtin_prefetch(&block->facts[survivors->places[after]]->text);
    if (search->query->viewer->n_embedding > 0)
        __builtin_prefetch(block->facts[survivors->places[next]]->embedding);
    else
        __builtin_prefetch(block->facts[survivors->places[next]]->text.terms);
}

static void
visit(struct search *search, const struct block *block, struct survivors *survivors)
{
    for (size_t bucket = BUCKETS; bucket-- > 0;)
        for (uint16_t i = survivors->heads[bucket]; i != NONE; i = survivors->next[i]) {
            const int64_t sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM][i],
                                              survivors->sums[PLAN_TO][i]};

            fetch_ahead(search, block, survivors, survivors->next[i]);
            search_finish(search, block, survivors->places[i], sums, search_least(search));
        }
}

/* Every survivor, each with a least score of its own. */
static void
sweep_over(struct search *search, const struct block *block, const struct survivors *survivors)
{
    const struct match_sweep *sweep = search->sweep;

    for (uint32_t i = 0; i < survivors->n; i++) {
        const int64_t sums[PLAN_SIDES] = {survivors->sums[PLAN_FROM][i],
                                          survivors->sums[PLAN_TO][i]};
        uint32_t row = block->rows[survivors->places[i]];
        int32_t least = sweep->least(sweep->context, row);

        search_finish(search, block, survivors->places[i], sums,
                      least > search->query->min_score ? least : search->query->min_score);
    }
}

/* Does pruning pay? Where it leaves nearly all of the eligible, the next blocks go without. */
static void
prune_if_it_pays(struct search *search, const struct block *block, int32_t least, uint64_t eligible,
                 uint64_t bits[BLOCK_WORDS], struct ladder_scratch *scratch)
{
    uint64_t left;

    if (search->blocks_seen++ % CHECK_EVERY != 0 && search->skips_prune)
        return;
    search_prune(search, block, least, bits, scratch);
    left = search->plan->kernel->tally(bits, BLOCK_WORDS);
    search->skips_prune = left > eligible - eligible / 8;
}

void
search_block(struct search *search, uint32_t block_at, struct survivors *survivors)
{
    const struct block *block = search->lens->table->blocks[block_at];
    uint64_t bits[BLOCK_WORDS], eligible;
    int32_t least;

    eligible = search_eligible(search, block, block_at, bits);
    search->eligible += eligible;
    if (eligible == 0 || (search->heap.room == 0 && search->sweep == NULL))
        return;
    least = search_least(search);
    if (least > 0)
        prune_if_it_pays(search, block, least, eligible, bits, &survivors->ladders);
    list_places(bits, survivors);
    if (survivors->n == 0)
        return;
    sums_of(search, block, search->sweep == NULL ? least : 0, survivors);
    if (search->sweep != NULL) {
        sweep_over(search, block, survivors);
        return;
    }
    sort_by_bound(search, block, least, survivors);
    visit(search, block, survivors);
}

/* One search through all tables of the other side. */
static enum err_code
search_all(struct search *search, struct arena *arena, struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct columns *columns = roster_columns(plan->roster);
    struct survivors *survivors = arena_alloc_wide(arena, 1, sizeof *survivors);
    uint64_t n_seen = 0;
    enum err_code code = survivors != NULL ? ERR_OK : err_no_memory(err);

    for (uint32_t i = 0; i < columns->n_tables && code == ERR_OK; i++) {
        const struct table *table = &columns->tables[i];
        struct lens *lens;

        if (!search_takes(plan, 1 - search->side, table))
            continue;
        code = lens_make(plan, search->side, table, NULL, arena, arena, &lens, err);
        if (code == ERR_OK)
            code = search_enter(search, lens, arena, err);
        for (uint32_t at = 0; at < table->n_blocks && code == ERR_OK; at++) {
            code = query_go_on(search->query, n_seen, err);
            if (code == ERR_OK && search->may)
                search_block(search, at, survivors);
            n_seen += table->blocks[at]->n_rows;
        }
    }
    return code;
}

enum err_code
match_top(const struct match_plan *plan, const struct match_query *query, struct arena *arena,
          struct match_list *out, struct err *err)
{
    struct search search;
    enum err_code code = search_begin(&search, plan, query, arena, arena, err);

    if (code == ERR_OK)
        code = search_all(&search, arena, err);
    if (code == ERR_OK)
        search_end(&search, out);
    return code;
}

enum err_code
match_sweep(const struct match_plan *plan, const struct match_query *query,
            const struct match_sweep *sweep, struct arena *arena, struct err *err)
{
    struct match_query all = *query;
    struct search search;
    enum err_code code;

    all.k = 0;
    code = search_begin(&search, plan, &all, arena, arena, err);
    search.sweep = sweep;
    return code == ERR_OK ? search_all(&search, arena, err) : code;
}
