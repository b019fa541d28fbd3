#include "requirement.h"
#include "search.h"

#include <assert.h>
#include <string.h>

/* Many searches at once: a block is read by a tile of them before the next, and those who hold the same values
 * share the rows of a lens. */
enum {
    TILE_QUERIES = 16,
    SHARED_BYTES_MAX = 96 * 1024 * 1024,
    ROW_BYTES_MAX = 1024 * 1024 * 1024, /* what is shared, and the rows of a tile */
    SCRATCH_BYTES_MAX = 256 * 1024 * 1024
};

struct batch {
    const struct match_plan *plan;
    struct arena *hits, *arena, *rows, *scratch; /* of lists; of lenses; of their rows; of a tile */
    const struct table *lookers;
    struct lens **lenses; /* by table of the columns; NULL where it does not fit */
    struct survivors *survivors;
    struct climbers *climbers; /* of one search, while the next one climbs */
    struct search *searches;   /* of a tile */
    bool are_done[TILE_QUERIES];
    uint64_t n_seen;
};

static enum err_code
batch_lenses(struct batch *batch, int side, const struct table *lookers, struct err *err)
{
    const struct columns *columns = roster_columns(batch->plan->roster);

    batch->lookers = lookers;
    arena_reset(batch->rows);
    batch->lenses = arena_alloc(batch->arena, columns->n_tables, sizeof(struct lens *));
    if (batch->lenses == NULL)
        return err_no_memory(err);
    for (uint32_t i = 0; i < columns->n_tables; i++)
        if (search_takes(batch->plan, 1 - side, &columns->tables[i]) &&
            lens_make(batch->plan, side, &columns->tables[i], lookers, batch->arena, batch->rows,
                      &batch->lenses[i], err) != ERR_OK)
            return ERR_BUSY;
    return ERR_OK;
}

/* Rows are worth keeping, not without bound: between two tiles nobody holds one. */
static void
batch_trim(struct batch *batch)
{
    uint32_t n_tables = roster_columns(batch->plan->roster)->n_tables;

    if (arena_used(batch->rows) < SHARED_BYTES_MAX)
        return;
    for (uint32_t i = 0; i < n_tables; i++)
        if (batch->lenses[i] != NULL)
            lens_forget(batch->lenses[i]);
    arena_reset(batch->rows);
}

static void
climbers_copy(const struct climbers *from, struct climbers *to)
{
    to->n = from->n;
    memcpy(to->places, from->places, from->n * sizeof *from->places);
    memcpy(to->lost, from->lost, from->n * sizeof *from->lost);
}

static bool
goes_on(const struct batch *batch, size_t i)
{
    return batch->searches[i].may && !batch->are_done[i];
}

/* Each search climbs, and before its climbers contend the next one climbs: what their texts are told by has
 * come from memory by then. */
static void
tile_block(struct batch *batch, uint32_t block_at, size_t n)
{
    struct ladder_scratch *scratch = &batch->survivors->ladders;
    struct search *last = NULL;

    for (size_t i = 0; i < n; i++) {
        struct search *search = &batch->searches[i];

        if (!goes_on(batch, i))
            continue;
        search_climb(search, block_at, scratch);
        if (last != NULL)
            search_take(last, block_at, batch->climbers, batch->survivors);
        climbers_copy(&scratch->climbers, batch->climbers);
        last = search;
    }
    if (last != NULL)
        search_take(last, block_at, batch->climbers, batch->survivors);
}

/* Those of the tile that are not done, through all tables. */
static enum err_code
tile_pass(struct batch *batch, const struct match_query *queries, size_t n, struct err *err)
{
    const struct columns *columns = roster_columns(batch->plan->roster);
    enum err_code code = ERR_OK;

    for (uint32_t t = 0; t < columns->n_tables && code == ERR_OK; t++) {
        if (batch->lenses[t] == NULL)
            continue;
        for (size_t i = 0; i < n && code == ERR_OK; i++)
            if (!batch->are_done[i])
                code = search_enter(&batch->searches[i], batch->lenses[t], batch->scratch, err);
        for (uint32_t step = 0; step < columns->tables[t].n_blocks && code == ERR_OK; step++) {
            code = query_go_on(&queries[0], batch->n_seen, err);
            if (code == ERR_OK)
                tile_block(batch, lens_visit(batch->lenses[t], step), n);
            batch->n_seen += BLOCK_ROWS * n;
        }
        for (size_t i = 0; i < n && code == ERR_OK; i++)
            if (goes_on(batch, i))
                search_settle(&batch->searches[i], batch->survivors);
    }
    return code;
}

static enum err_code
tile_search(struct batch *batch, const struct match_query *queries, size_t n, struct err *err)
{
    enum err_code code = ERR_OK;
    size_t n_left = 0;

    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        batch->are_done[i] = false;
        code = search_begin(&batch->searches[i], batch->plan, &queries[i], batch->hits,
                            batch->scratch, err);
    }
    if (code == ERR_OK)
        code = tile_pass(batch, queries, n, err);
    for (size_t i = 0; i < n && code == ERR_OK; i++) {
        batch->are_done[i] = hope_came_true(&batch->searches[i]);
        if (!batch->are_done[i]) {
            hope_give_up(&batch->searches[i]);
            n_left++;
        }
    }
    return code == ERR_OK && n_left > 0 ? tile_pass(batch, queries, n, err) : code;
}

static const struct table *
table_of_query(const struct match_plan *plan, const struct match_query *query)
{
    return columns_table(roster_columns(plan->roster), query->viewer->kind, query->viewer->metro);
}

static enum err_code
batch_run(struct batch *batch, const struct match_query *queries, size_t n,
          struct match_list *lists, struct err *err)
{
    enum err_code code = ERR_OK;
    size_t n_tile;

    for (size_t at = 0; at < n && code == ERR_OK; at += n_tile) {
        const struct table *lookers = table_of_query(batch->plan, &queries[at]);

        for (n_tile = 1; n_tile < TILE_QUERIES && at + n_tile < n; n_tile++)
            if (table_of_query(batch->plan, &queries[at + n_tile]) != lookers)
                break;
        if (lookers != batch->lookers)
            code = batch_lenses(batch, queries->on_from ? PLAN_FROM : PLAN_TO, lookers, err);
        if (code == ERR_OK) {
            batch_trim(batch);
            arena_reset(batch->scratch);
            code = tile_search(batch, &queries[at], n_tile, err);
        }
        for (size_t i = 0; i < n_tile && code == ERR_OK; i++)
            code = search_end(&batch->searches[i], &lists[at + i], err);
    }
    return code;
}

enum err_code
match_batch(const struct match_plan *plan, const struct match_query *queries, size_t n,
            struct arena *arena, struct match_list *lists, struct err *err)
{
    struct batch batch = {.plan = plan,
                          .hits = arena,
                          .arena = arena_create(SCRATCH_BYTES_MAX),
                          .rows = arena_create(ROW_BYTES_MAX),
                          .scratch = arena_create(SCRATCH_BYTES_MAX)};
    enum err_code code;

    for (size_t i = 0; i < n; i++)
        assert(queries[i].viewer == roster_facts(plan->roster, queries[i].row) &&
               queries[i].on_from == queries[0].on_from);
    if (batch.arena != NULL) {
        batch.survivors = arena_room_wide(batch.arena, 1, sizeof *batch.survivors);
        batch.climbers = arena_room(batch.arena, 1, sizeof *batch.climbers);
        batch.searches = arena_alloc_wide(batch.arena, TILE_QUERIES, sizeof *batch.searches);
    }
    if (batch.rows == NULL || batch.scratch == NULL || batch.survivors == NULL ||
        batch.climbers == NULL || batch.searches == NULL)
        code = err_no_memory(err);
    else
        code = batch_run(&batch, queries, n, lists, err);
    arena_destroy(batch.scratch);
    arena_destroy(batch.rows);
    arena_destroy(batch.arena);
    return code;
}
