#include "search.h"

#include "bits.h"
#include "requirement.h"

#include <string.h>

enum { CHECK_EVERY = 8 /* blocks between two looks at whether pruning pays */ };

/* ---- blocks ---- */

/* Climbers that may still enter by what their texts bring at most. */
static void
take_some(struct search *search, uint32_t block_at, const struct climbers *climbers, uint32_t first,
          uint32_t n, struct survivors *survivors)
{
    const struct block *block = search->lens->table->blocks[block_at];
    int64_t reach = search_least(search) * BOUND_UNIT;
    uint8_t steps[TEXTS_AT_ONCE] = {0};

    if (search->has_text)
        search_text_steps(search, block, climbers->places + first, n, steps);
    for (uint32_t i = 0; i < n; i++) {
        int64_t bound = search_climber_bound(search, climbers->lost[first + i]) -
                        search_text_loss(search, steps[i]);

        if (has_bit(block->with_record, climbers->places[first + i]))
            bound -= search_record_loss(search, block, climbers->places[first + i]);
        if (bound >= reach)
            search_contend(search,
                           (struct contender){search_contender_bound(bound),
                                              block_at * BLOCK_ROWS + climbers->places[first + i],
                                              steps[i]},
                           survivors);
    }
}

static void
fetch_some(const struct search *search, uint32_t block_at, const struct climbers *climbers,
           uint32_t first)
{
    if (search->has_text)
        search_text_fetch(search, search->lens->table->blocks[block_at], climbers->places + first,
                          texts_together(climbers, first));
}

/* All that are eligible; none has lost anything. */
static void
climb_nothing(struct search *search, const uint64_t bits[BLOCK_WORDS], struct climbers *climbers)
{
    climbers->n = places_of_bits(bits, BLOCK_WORDS, climbers->places);
    memset(climbers->lost, 0, climbers->n);
    search->best_bound = search_bound(search, search->most[PLAN_FROM], search->most[PLAN_TO]);
}

/* Does pruning pay? Where it leaves nearly all of the eligible, the next blocks go without; the first ones, of a list
 * that is still poor, don't tell. */
static bool
prunes(struct search *search, const struct block *block, int32_t least, uint64_t eligible,
       uint64_t bits[BLOCK_WORDS], struct ladder_scratch *scratch)
{
    if (search->blocks_seen++ % CHECK_EVERY != 0 && search->skips_prune)
        return false;
    search_prune(search, block, least, bits, scratch);
    search->skips_prune =
        search->blocks_seen >= CHECK_EVERY && scratch->climbers.n > eligible - eligible / 8;
    return true;
}

static uint64_t
count_eligible(struct search *search, uint32_t block_at, uint64_t bits[BLOCK_WORDS])
{
    const struct block *block = search->lens->table->blocks[block_at];
    uint64_t eligible = search_eligible(search, block, block_at, bits);

    search->eligible += eligible;
    if (eligible == 0 && search->hope.living > 0 && search_is_living(search, block))
        search->hope.seen += block->n_rows;
    return search->heap.room > 0 || search->sweep != NULL ? eligible : 0;
}

static void
climb(struct search *search, uint32_t block_at, uint64_t eligible, uint64_t bits[BLOCK_WORDS],
      struct ladder_scratch *scratch)
{
    const struct block *block = search->lens->table->blocks[block_at];

    search->hope.seen += block->n_rows;
    if (!prunes(search, block, search_least(search), eligible, bits, scratch))
        climb_nothing(search, bits, &scratch->climbers);
    fetch_some(search, block_at, &scratch->climbers, 0);
}

void
search_climb(struct search *search, uint32_t block_at, struct ladder_scratch *scratch)
{
    uint64_t bits[BLOCK_WORDS], eligible = count_eligible(search, block_at, bits);

    scratch->climbers.n = 0;
    if (eligible > 0)
        climb(search, block_at, eligible, bits, scratch);
}

void
search_take(struct search *search, uint32_t block_at, const struct climbers *climbers,
            struct survivors *survivors)
{
    for (uint32_t first = 0, n; first < climbers->n; first += n) {
        n = texts_together(climbers, first);
        fetch_some(search, block_at, climbers, first + n);
        take_some(search, block_at, climbers, first, n, survivors);
    }
    search_rise(search, survivors);
}

/* The eligible of a block, of one search alone. */
static void
pass_block(struct search *search, uint32_t block_at, uint64_t eligible, uint64_t bits[BLOCK_WORDS],
           struct survivors *survivors)
{
    if (search->sweep != NULL) {
        sweep_block(search, block_at, bits, survivors);
        return;
    }
    climb(search, block_at, eligible, bits, &survivors->ladders);
    search_take(search, block_at, &survivors->ladders.climbers, survivors);
}

/* Of the next block what tells who may, of the one after it where it is. */
static void
foresee(const struct search *search, uint32_t step)
{
    const struct table *table = search->lens->table;

    if (step + 1 < table->n_blocks)
        search_eligible_fetch(search, table->blocks[lens_visit(search->lens, step + 1)]);
    if (step + 2 < table->n_blocks)
        block_fetch(table->blocks[lens_visit(search->lens, step + 2)]);
}

/* All blocks of a table. While one is searched, what the next one in which anybody is eligible will be asked
 * comes from memory. */
static enum err_code
search_table(struct search *search, struct survivors *survivors, uint64_t *n_seen, struct err *err)
{
    const struct table *table = search->lens->table;
    uint64_t bits[2][BLOCK_WORDS], eligible[2] = {0};
    uint32_t places[2];
    int next = 0;

    for (uint32_t step = 0; step < table->n_blocks; step++) {
        uint32_t at = lens_visit(search->lens, step);
        enum err_code code = query_go_on(search->query, *n_seen, err);

        if (code != ERR_OK)
            return code;
        foresee(search, step);
        *n_seen += table->blocks[at]->n_rows;
        places[next] = at;
        eligible[next] = count_eligible(search, at, bits[next]);
        if (eligible[next] == 0)
            continue;
        ladders_fetch(&search->ladders, table->blocks[at]);
        next = 1 - next;
        if (eligible[next] > 0)
            pass_block(search, places[next], eligible[next], bits[next], survivors);
    }
    if (eligible[1 - next] > 0)
        pass_block(search, places[1 - next], eligible[1 - next], bits[1 - next], survivors);
    search_settle(search, survivors);
    return ERR_OK;
}

/* One search through all tables of the other side. */
static enum err_code
search_tables(struct search *search, struct survivors *survivors, struct arena *arena,
              struct err *err)
{
    const struct match_plan *plan = search->plan;
    const struct columns *columns = roster_columns(plan->roster);
    uint64_t n_seen = 0;
    enum err_code code = ERR_OK;

    for (uint32_t i = 0; i < columns->n_tables && code == ERR_OK; i++) {
        const struct table *table = &columns->tables[i];
        struct lens *lens;

        if (!search_takes(plan, 1 - search->side, table))
            continue;
        code = lens_make(plan, search->side, table, NULL, arena, arena, &lens, err);
        if (code == ERR_OK)
            code = search_enter(search, lens, arena, err);
        if (code == ERR_OK && search->may)
            code = search_table(search, survivors, &n_seen, err);
    }
    return code;
}

static enum err_code
search_all(struct search *search, struct arena *arena, struct err *err)
{
    struct survivors *survivors = arena_room_wide(arena, 1, sizeof *survivors);
    enum err_code code =
        survivors != NULL ? search_tables(search, survivors, arena, err) : err_no_memory(err);

    if (code == ERR_OK && !hope_came_true(search)) {
        hope_give_up(search);
        code = search_tables(search, survivors, arena, err);
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
    return code == ERR_OK ? search_end(&search, out, err) : code;
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
    if (code == ERR_OK)
        code = search_all(&search, arena, err);
    return code == ERR_OK ? search_check(&search, err) : code;
}
