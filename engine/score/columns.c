#include "columns.h"

#include "alloc.h"
#include "block.h"

#include <string.h>

enum plane_set
column_planes(enum column_id column)
{
    return column < (enum column_id)FIELD_COUNT ? planes_of_field((enum field_id)column)
                                                : PLANE_SETS;
}

enum slot_type
column_type(enum column_id column)
{
    if (column == COLUMN_CONSENT)
        return SLOT_NUMBER;
    if (column == COLUMN_ORGANISATION)
        return SLOT_CODES;
    return schema[column].slot == SLOT_TEXT ? SLOT_NONE : schema[column].slot;
}

/* ---- tables ---- */

const struct table *
columns_table(const struct columns *columns, symbol kind, symbol metro)
{
    for (uint32_t i = 0; i < columns->n_tables; i++)
        if (columns->tables[i].kind == kind && columns->tables[i].metro == metro)
            return &columns->tables[i];
    return NULL;
}

static struct table *
table_of(struct columns *columns, const struct facts *facts)
{
    return (struct table *)(uintptr_t)columns_table(columns, facts->kind, facts->metro);
}

static struct table *
table_add(struct columns *columns, symbol kind, symbol metro)
{
    struct table *tables =
        mem_realloc(columns->tables, (columns->n_tables + 1) * sizeof *columns->tables);
    struct table *table;

    if (tables == NULL)
        return NULL;
    columns->tables = tables;
    table = &tables[columns->n_tables];
    *table =
        (struct table){.kind = kind, .metro = metro, .dictionaries = table_dictionaries_create()};
    if (table->dictionaries == NULL)
        return NULL;
    columns->n_tables++;
    columns->bytes += sizeof *table;
    return table;
}

/* The next block begins as the last one ended: what varied there will vary here. */
static void
shape_of_next(const struct table *table, struct shape *shape)
{
    *shape = (struct shape){.widths = {0}};
    if (table->n_blocks == 0)
        return;
    block_shape(table->dictionaries, table->blocks[table->n_blocks - 1], NULL, shape);
    for (int i = 0; i < PLANE_SETS; i++)
        shape->planes[i] = plane_names_room(&table->dictionaries->planes[i]);
}

static bool
block_add(struct columns *columns, struct table *table)
{
    struct shape shape;
    struct block *block;

    if (table->n_blocks == table->room) {
        uint32_t room = table->room < 4 ? 4 : 2 * table->room;
        struct block **blocks = mem_realloc(table->blocks, room * sizeof(struct block *));

        if (blocks == NULL)
            return false;
        table->blocks = blocks;
        table->room = room;
    }
    shape_of_next(table, &shape);
    block = block_make(NULL, &shape, columns->edit);
    if (block == NULL)
        return false;
    table->blocks[table->n_blocks++] = block;
    columns->bytes += block->bytes;
    return true;
}

static bool
table_copy(const struct table *from, struct table *to)
{
    *to = *from;
    to->room = from->n_blocks;
    to->blocks = NULL;
    if (from->n_blocks > 0) {
        to->blocks = mem_alloc(from->n_blocks * sizeof(struct block *));
        if (to->blocks == NULL)
            return false;
    }
    for (uint32_t i = 0; i < from->n_blocks; i++)
        to->blocks[i] = block_hold(from->blocks[i]);
    table_dictionaries_hold(to->dictionaries);
    return true;
}

struct columns *
columns_edit(const struct columns *base, uint64_t edit)
{
    struct columns *columns = mem_alloc_zeroed(1, sizeof *columns);

    if (columns == NULL)
        return NULL;
    columns->edit = edit;
    columns->bytes = sizeof *columns;
    if (base == NULL || base->n_tables == 0)
        return columns;
    columns->tables = mem_alloc(base->n_tables * sizeof *columns->tables);
    for (uint32_t i = 0; columns->tables != NULL && i < base->n_tables; i++) {
        if (!table_copy(&base->tables[i], &columns->tables[i]))
            break;
        columns->n_tables++;
    }
    columns->bytes = base->bytes;
    if (columns->n_tables == base->n_tables)
        return columns;
    columns_destroy(columns);
    return NULL;
}

void
columns_destroy(struct columns *columns)
{
    if (columns == NULL)
        return;
    for (uint32_t i = 0; i < columns->n_tables; i++) {
        struct table *table = &columns->tables[i];

        for (uint32_t j = 0; j < table->n_blocks; j++)
            block_drop(table->blocks[j]);
        mem_free(table->blocks);
        table_dictionaries_drop(table->dictionaries);
    }
    mem_free(columns->tables);
    mem_free(columns);
}

size_t
columns_dictionary_bytes(const struct columns *columns)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < columns->n_tables; i++)
        for (int j = 0; j < COLUMN_COUNT; j++) {
            const struct dictionary *dictionary =
                table_dictionary(&columns->tables[i], (enum column_id)j);

            bytes += dictionary != NULL ? dictionary_bytes(dictionary) : 0;
        }
    return bytes;
}

/* ---- an edit ---- */

/* The edit's own block at `at`, with room for a profile of `codes` (NULL: as it is); NULL if out of memory,
 * and then the table is as it was. */
static struct block *
block_own(struct columns *columns, struct table *table, uint32_t at, const struct codes *codes)
{
    struct block *old = table->blocks[at], *block;
    struct shape shape;

    if (old->edit == columns->edit &&
        (codes == NULL || block_has_room(table->dictionaries, old, codes)))
        return old;
    block_shape(table->dictionaries, old, codes, &shape);
    block = block_make(old, &shape, columns->edit);
    if (block == NULL)
        return NULL;
    columns->bytes += block->bytes - old->bytes;
    block_drop(old);
    table->blocks[at] = block;
    return block;
}

/* What brings profiles to the same quarter; 0: nothing. Codes are given out as values come, so that common
 * ones have small numbers. */
static uint32_t
kin_of(const struct codes *codes)
{
    uint32_t code = codes->of[FIELD_STAGES];

    if (code == DICTIONARY_MISSING)
        code = codes->of[FIELD_STAGE];
    return code < QUARTERS_MOST ? code : 0;
}

/* A free place of a quarter; NO_PLACE if out of memory. */
static uint32_t
table_free_place(struct columns *columns, struct table *table, uint32_t quarter)
{
    for (uint32_t *at = &table->first_free[quarter];; ++*at) {
        const struct block *block;
        uint32_t free_place;

        if (*at == table->n_blocks && !block_add(columns, table))
            return NO_PLACE;
        block = table->blocks[*at];
        if (block->quarter != quarter && !block_is_empty(block))
            continue;
        free_place = block_free_place(block);
        if (free_place < BLOCK_ROWS)
            return *at * BLOCK_ROWS + free_place;
    }
}

/* A place of the block is free again; a block where nobody stands is anybody's. */
static void
table_free_up(struct table *table, uint32_t block_at)
{
    const struct block *block = table->blocks[block_at];
    bool is_empty = block_is_empty(block);

    for (uint32_t quarter = 0; quarter < QUARTERS_MOST; quarter++)
        if ((is_empty || block->quarter == quarter) && table->first_free[quarter] > block_at)
            table->first_free[quarter] = block_at;
}

bool
columns_put(struct columns *columns, const struct facts *old, const struct facts *facts,
            uint32_t row, uint32_t n_outcomes, uint32_t *place)
{
    struct table *table = table_of(columns, facts);
    bool stays = old != NULL && old->kind == facts->kind && old->metro == facts->metro;
    struct codes codes;
    struct plane_marks marks;
    uint32_t at, kin, quarter;
    struct block *block;

    if (table == NULL && (table = table_add(columns, facts->kind, facts->metro)) == NULL)
        return false;
    if (!table_dictionaries_code(table->dictionaries, facts, &codes))
        return false;
    plane_names_mark(table->dictionaries->planes, facts, &marks);
    kin = kin_of(&codes);
    quarter = table->n_came[kin] >= QUARTER_FROM ? kin : 0;
    at = stays ? *place : table_free_place(columns, table, quarter);
    block = at != NO_PLACE ? block_own(columns, table, at / BLOCK_ROWS, &codes) : NULL;
    if (block == NULL || !embeddings_lay(block, at % BLOCK_ROWS, facts, &columns->bytes) ||
        (old != NULL && !stays && !columns_remove(columns, old, *place)))
        return false;
    if (!stays) {
        table->n_profiles++;
        table->n_came[kin] += table->n_came[kin] < QUARTER_FROM;
        block->quarter = (uint8_t)quarter;
    }
    block_write(block, at % BLOCK_ROWS, facts, row, n_outcomes, &codes, &marks);
    *place = at;
    return true;
}

bool
columns_remove(struct columns *columns, const struct facts *facts, uint32_t place)
{
    struct table *table = table_of(columns, facts);
    struct block *block = block_own(columns, table, place / BLOCK_ROWS, NULL);

    if (block == NULL)
        return false;
    block_clear(block, place % BLOCK_ROWS);
    table->n_profiles--;
    table_free_up(table, place / BLOCK_ROWS);
    return true;
}

bool
columns_set_outcomes(struct columns *columns, const struct facts *facts, uint32_t place, uint32_t n)
{
    struct table *table = table_of(columns, facts);
    struct block *block = block_own(columns, table, place / BLOCK_ROWS, NULL);

    if (block == NULL)
        return false;
    block_write_outcomes(block, place % BLOCK_ROWS, n);
    return true;
}

/* ---- what is coming ---- */

static void
foresee_each(const struct columns *columns, const struct facts *facts,
             void (*foresee)(const struct dictionary *dictionary, const struct slot *slot))
{
    const struct table *table = columns_table(columns, facts->kind, facts->metro);

    for (int i = 0; table != NULL && i < facts->n_slots; i++) {
        const struct slot *slot = &facts->slots[i];
        const struct dictionary *dictionary = table_dictionary(table, (enum column_id)slot->field);

        if (dictionary != NULL)
            foresee(dictionary, slot);
    }
}

void
columns_foresee(const struct columns *columns, const struct facts *facts)
{
    foresee_each(columns, facts, dictionary_foresee);
}

void
columns_foresee_values(const struct columns *columns, const struct facts *facts)
{
    foresee_each(columns, facts, dictionary_foresee_value);
}
