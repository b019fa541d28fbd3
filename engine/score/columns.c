#include "columns.h"

#include "alloc.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

/*
 * The codes of a block lie behind it in the same piece of memory, one array a column that is not
 * constant. A code that a column can't hold makes the whole block anew with that column wider; since
 * dictionaries only grow and blocks are long, that is rare.
 */
struct table_dictionaries {
    _Atomic uint32_t references;
    _Atomic(struct dictionary *) of[COLUMN_COUNT]; /* NULL until a value comes */
};

enum slot_type
column_type(enum column_id column)
{
    if (column == COLUMN_CONSENT)
        return SLOT_NUMBER;
    if (column == COLUMN_ORGANISATION)
        return SLOT_CODES;
    return schema[column].slot == SLOT_TEXT ? SLOT_NONE : schema[column].slot;
}

/* ---- dictionaries ---- */

static struct table_dictionaries *
dictionaries_create(void)
{
    struct table_dictionaries *dictionaries = mem_alloc_zeroed(1, sizeof *dictionaries);

    if (dictionaries != NULL)
        atomic_init(&dictionaries->references, 1);
    return dictionaries;
}

static void
dictionaries_drop(struct table_dictionaries *dictionaries)
{
    if (dictionaries == NULL ||
        atomic_fetch_sub_explicit(&dictionaries->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < COLUMN_COUNT; i++)
        dictionary_destroy(dictionaries->of[i]);
    mem_free(dictionaries);
}

const struct dictionary *
table_dictionary(const struct table *table, enum column_id column)
{
    return atomic_load_explicit(&table->dictionaries->of[column], memory_order_acquire);
}

/* What a profile holds in a column. */
static struct slot
column_slot(const struct facts *facts, enum column_id column)
{
    struct slot slot = {.state = SLOT_KNOWN};

    if (column == COLUMN_CONSENT) {
        slot.number = columns_consent_pack(facts);
    } else if (column == COLUMN_ORGANISATION) {
        slot.state = facts->organisation != SYMBOL_NONE ? SLOT_KNOWN : SLOT_MISSING;
        slot.codes = (struct slot_codes){&facts->organisation, 1};
    } else {
        slot = facts->slots[column];
    }
    return slot;
}

/* Codes of all columns of a profile; false if out of memory. */
static bool
codes_of(struct table_dictionaries *dictionaries, const struct facts *facts,
         uint32_t codes[COLUMN_COUNT])
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        enum slot_type type = column_type((enum column_id)i);
        struct slot slot;
        struct dictionary *dictionary;

        codes[i] = DICTIONARY_MISSING;
        if (type == SLOT_NONE)
            continue;
        slot = column_slot(facts, (enum column_id)i);
        if (slot.state == SLOT_MISSING)
            continue;
        dictionary = atomic_load_explicit(&dictionaries->of[i], memory_order_relaxed);
        if (dictionary == NULL) {
            dictionary = dictionary_create(type);
            if (dictionary == NULL)
                return false;
            atomic_store_explicit(&dictionaries->of[i], dictionary, memory_order_release);
        }
        codes[i] = dictionary_code(dictionary, &slot);
        if (codes[i] == DICTIONARY_FULL)
            return false;
    }
    return true;
}

/* ---- blocks ---- */

static void
block_drop(struct block *block)
{
    if (block != NULL &&
        atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1)
        mem_free(block);
}

static struct block *
block_hold(struct block *block)
{
    atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
    return block;
}

static uint8_t
width_of(uint32_t code)
{
    return code <= UINT8_MAX ? 1 : code <= UINT16_MAX ? 2 : 4;
}

static void
code_write(const struct column *column, uint32_t place, uint32_t code)
{
    void *codes = (void *)(uintptr_t)column->codes; /* the block is still the writer's own */

    switch (column->width) {
    case 1:
        ((uint8_t *)codes)[place] = (uint8_t)code;
        break;
    case 2:
        ((uint16_t *)codes)[place] = (uint16_t)code;
        break;
    case 4:
        ((uint32_t *)codes)[place] = code;
        break;
    default:
        assert(column->constant == code);
    }
}

static void
column_copy(const struct column *from, const struct column *to)
{
    if (from->width == to->width) {
        if (to->width > 0)
            memcpy((void *)(uintptr_t)to->codes, from->codes, (size_t)to->width * BLOCK_ROWS);
        return;
    }
    for (uint32_t place = 0; place < BLOCK_ROWS; place++)
        code_write(to, place, column_code(from, place));
}

/* The width that each column needs to hold what is in the block and one profile more. */
static void
widths_for(const struct block *block, const uint32_t codes[COLUMN_COUNT],
           uint8_t widths[COLUMN_COUNT])
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const struct column *column = block != NULL ? &block->columns[i] : NULL;
        uint8_t width = column != NULL ? column->width : 0;

        if (codes != NULL && width == 0 && column != NULL && block->n_rows > 0 &&
            codes[i] != column->constant) {
            uint8_t wide = width_of(column->constant);

            width = width_of(codes[i]) > wide ? width_of(codes[i]) : wide;
        } else if (codes != NULL && width > 0 && width_of(codes[i]) > width) {
            width = width_of(codes[i]);
        }
        widths[i] = width;
    }
}

/* A copy of the block (NULL: an empty one) whose columns have these widths. */
static struct block *
block_make(const struct block *from, const uint8_t widths[COLUMN_COUNT], uint64_t edit)
{
    size_t bytes = sizeof(struct block);
    struct block *block;
    unsigned char *at;

    for (int i = 0; i < COLUMN_COUNT; i++)
        bytes += (size_t)widths[i] * BLOCK_ROWS;
    block = from != NULL ? mem_alloc(bytes) : mem_alloc_zeroed(1, bytes);
    if (block == NULL)
        return NULL;
    if (from != NULL)
        memcpy(block, from, sizeof *block);
    atomic_init(&block->references, 1);
    block->edit = edit;
    block->bytes = bytes;
    at = (unsigned char *)(block + 1);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct column *column = &block->columns[i];

        column->width = widths[i];
        column->codes = widths[i] > 0 ? at : NULL;
        at += (size_t)widths[i] * BLOCK_ROWS;
        if (from != NULL)
            column_copy(&from->columns[i], column);
    }
    return block;
}

/* The edit's own block at `at`, with room in its columns for `codes` (NULL: as it is); NULL if out of
 * memory, and then the table is as it was. */
static struct block *
block_own(struct columns *columns, struct table *table, uint32_t at,
          const uint32_t codes[COLUMN_COUNT])
{
    struct block *old = table->blocks[at], *block;
    uint8_t widths[COLUMN_COUNT];
    bool fits = true;

    widths_for(old, codes, widths);
    for (int i = 0; i < COLUMN_COUNT; i++)
        fits = fits && widths[i] == old->columns[i].width;
    if (fits && old->edit == columns->edit)
        return old;
    block = block_make(old, widths, columns->edit);
    if (block == NULL)
        return NULL;
    columns->bytes += block->bytes - old->bytes;
    block_drop(old);
    table->blocks[at] = block;
    return block;
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
    *table = (struct table){.kind = kind, .metro = metro, .dictionaries = dictionaries_create()};
    if (table->dictionaries == NULL)
        return NULL;
    columns->n_tables++;
    columns->bytes += sizeof *table;
    return table;
}

static bool
block_add(struct columns *columns, struct table *table)
{
    static const uint8_t constant[COLUMN_COUNT]; /* all of width 0 */
    struct block *block;

    if (table->n_blocks == table->room) {
        uint32_t room = table->room < 4 ? 4 : 2 * table->room;
        struct block **blocks = mem_realloc(table->blocks, room * sizeof(struct block *));

        if (blocks == NULL)
            return false;
        table->blocks = blocks;
        table->room = room;
    }
    block = block_make(NULL, constant, columns->edit);
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
    atomic_fetch_add_explicit(&to->dictionaries->references, 1, memory_order_relaxed);
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
        dictionaries_drop(table->dictionaries);
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

/* ---- places ---- */

static bool
bit_get(const uint64_t *bits, uint32_t at)
{
    return bits[at / 64] >> at % 64 & 1;
}

static void
bit_set(uint64_t *bits, uint32_t at, bool value)
{
    uint64_t bit = UINT64_C(1) << at % 64;

    bits[at / 64] = value ? bits[at / 64] | bit : bits[at / 64] & ~bit;
}

/* The first free place of a block; BLOCK_ROWS if it is full. */
static uint32_t
block_free_place(const struct block *block)
{
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        if (~block->present[word] != 0)
            return word * 64 + (uint32_t)__builtin_ctzll(~block->present[word]);
    return BLOCK_ROWS;
}

/* A free place of the table; NO_PLACE if out of memory. */
static uint32_t
table_free_place(struct columns *columns, struct table *table)
{
    for (;; table->first_free++) {
        uint32_t free_place;

        if (table->first_free == table->n_blocks && !block_add(columns, table))
            return NO_PLACE;
        free_place = block_free_place(table->blocks[table->first_free]);
        if (free_place < BLOCK_ROWS)
            return table->first_free * BLOCK_ROWS + free_place;
    }
}

static void
place_write(struct block *block, uint32_t at, const struct facts *facts, uint32_t row,
            bool has_record, const uint32_t codes[COLUMN_COUNT])
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct column *column = &block->columns[i];

        if (column->width == 0)
            column->constant = codes[i]; /* the same, or the block's first */
        else
            code_write(column, at, codes[i]);
    }
    bit_set(block->present, at, true);
    bit_set(block->with_record, at, has_record);
    bit_set(block->with_conflicts, at, facts->conflicts.n > 0);
    block->rows[at] = row;
    block->facts[at] = facts;
    block->text_roots[at] = facts->text.n > 0 ? (uint16_t)isqrt_u64(facts->text.norm2) : 0;
    block->embedding_lengths[at] = (uint16_t)facts->n_embedding;
    if (block->n_rows <= at)
        block->n_rows = at + 1;
}

static void
place_clear(struct table *table, struct block *block, uint32_t place)
{
    uint32_t at = place % BLOCK_ROWS;

    assert(bit_get(block->present, at));
    bit_set(block->present, at, false);
    bit_set(block->with_record, at, false);
    bit_set(block->with_conflicts, at, false);
    block->facts[at] = NULL;
    block->text_roots[at] = block->embedding_lengths[at] = 0;
    table->n_profiles--;
    if (place / BLOCK_ROWS < table->first_free)
        table->first_free = place / BLOCK_ROWS;
}

bool
columns_put(struct columns *columns, const struct facts *old, const struct facts *facts,
            uint32_t row, bool has_record, uint32_t *place)
{
    struct table *table = table_of(columns, facts);
    bool stays = old != NULL && old->kind == facts->kind && old->metro == facts->metro;
    uint32_t codes[COLUMN_COUNT], at;
    struct block *block;

    if (table == NULL && (table = table_add(columns, facts->kind, facts->metro)) == NULL)
        return false;
    if (!codes_of(table->dictionaries, facts, codes))
        return false;
    at = stays ? *place : table_free_place(columns, table);
    block = at != NO_PLACE ? block_own(columns, table, at / BLOCK_ROWS, codes) : NULL;
    if (block == NULL || (old != NULL && !stays && !columns_remove(columns, old, *place)))
        return false;
    if (!stays)
        table->n_profiles++;
    place_write(block, at % BLOCK_ROWS, facts, row, has_record, codes);
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
    place_clear(table, block, place);
    return true;
}

bool
columns_set_record(struct columns *columns, const struct facts *facts, uint32_t place)
{
    struct table *table = table_of(columns, facts);
    struct block *block = block_own(columns, table, place / BLOCK_ROWS, NULL);

    if (block == NULL)
        return false;
    bit_set(block->with_record, place % BLOCK_ROWS, true);
    return true;
}
