#include "columns.h"

#include "alloc.h"
#include "bits.h"
#include "span.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/*
 * The codes of a block lie behind it in the same piece of memory, one array a column that is not
 * constant. A code that a column can't hold makes the whole block anew with that column wider; since
 * dictionaries only grow and blocks are long, that is rare.
 */

/* Codes of values of one word, by that word: most columns hold few values, which then are found in a line of
 * memory instead of the three or four that a dictionary takes. Writer only. */
enum { RECENT_BITS = 7, RECENT_CODES = 1 << RECENT_BITS };
struct recent_code {
    uint64_t word;
    uint32_t code; /* DICTIONARY_MISSING: none yet */
};

struct table_dictionaries {
    _Atomic uint32_t references;
    struct recent_code recent[COLUMN_COUNT][RECENT_CODES];
    _Atomic(struct dictionary *) of[COLUMN_COUNT]; /* NULL until a value comes */
    struct plane_names planes[PLANE_SETS];
};

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

/* The value as one word, if it is one: two values of a column have the same word only if they are equal. */
static bool
word_of(enum slot_type type, const struct slot *slot, uint64_t *word)
{
    switch (type) {
    case SLOT_CODES:
        *word = slot->codes.codes[0];
        if (slot->codes.n == 2)
            *word |= (uint64_t)slot->codes.codes[1] << 32;
        return slot->codes.n <= 2;
    case SLOT_NUMBER:
    case SLOT_DAY:
        *word = (uint64_t)slot->number;
        return true;
    case SLOT_PERIOD:
        *word = (uint64_t)(uint32_t)slot->period.from << 32 | (uint32_t)slot->period.to;
        return true;
    case SLOT_MONEY:
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
    return false;
}

/* The codes of one profile, by column, and which of them are not missing: most are, and are passed over. */
struct codes {
    uint32_t of[COLUMN_COUNT];
    uint32_t n_known;
    uint8_t known[COLUMN_COUNT];
};

/* As dictionary_code, of a value that is not missing. */
static uint32_t
code_of(struct dictionary *dictionary, enum slot_type type, const struct slot *slot,
        struct recent_code recent[RECENT_CODES])
{
    struct recent_code *kept;
    uint64_t word;
    uint32_t code;

    if (!word_of(type, slot, &word))
        return dictionary_code(dictionary, slot);
    kept = &recent[(word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - RECENT_BITS)];
    if (kept->word == word && kept->code != DICTIONARY_MISSING)
        return kept->code;
    code = dictionary_code(dictionary, slot);
    if (code != DICTIONARY_FULL)
        *kept = (struct recent_code){.word = word, .code = code};
    return code;
}

/* The code of a value in a column, whose dictionary is made for its first; false if out of memory. */
static bool
code_in(struct table_dictionaries *dictionaries, enum column_id column, enum slot_type type,
        const struct slot *slot, struct codes *codes)
{
    struct dictionary *dictionary =
        atomic_load_explicit(&dictionaries->of[column], memory_order_relaxed);

    if (dictionary == NULL) {
        dictionary = dictionary_create(type);
        if (dictionary == NULL)
            return false;
        atomic_store_explicit(&dictionaries->of[column], dictionary, memory_order_release);
    }
    codes->of[column] = code_of(dictionary, type, slot, dictionaries->recent[column]);
    codes->known[codes->n_known++] = (uint8_t)column;
    return codes->of[column] != DICTIONARY_FULL;
}

/* Of the two columns that are no field. */
static bool
codes_of_standing(struct table_dictionaries *dictionaries, const struct facts *facts,
                  struct codes *codes)
{
    struct slot consent = {.state = SLOT_KNOWN, .number = columns_consent_pack(facts)};
    struct slot organisation = {.state = SLOT_KNOWN,
                                .codes = {.codes = &facts->organisation, .n = 1}};

    return code_in(dictionaries, COLUMN_CONSENT, SLOT_NUMBER, &consent, codes) &&
           (facts->organisation == SYMBOL_NONE ||
            code_in(dictionaries, COLUMN_ORGANISATION, SLOT_CODES, &organisation, codes));
}

/* Codes of all columns of a profile; false if out of memory. */
static bool
codes_of(struct table_dictionaries *dictionaries, const struct facts *facts, struct codes *codes)
{
    memset(codes->of, 0, sizeof codes->of); /* DICTIONARY_MISSING */
    codes->n_known = 0;
    for (int i = 0; i < facts->n_slots; i++) {
        const struct slot *slot = &facts->slots[i];
        enum slot_type type = schema[slot->field].slot;

        if (type != SLOT_TEXT &&
            !code_in(dictionaries, (enum column_id)slot->field, type, slot, codes))
            return false;
    }
    return codes_of_standing(dictionaries, facts, codes);
}

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

/* ---- planes ---- */

bool
table_has_planes(const struct table *table, enum plane_set set)
{
    return plane_names_tell(&table->dictionaries->planes[set]);
}

uint32_t
table_plane(const struct table *table, enum plane_set set, symbol code, bool is_group)
{
    return plane_names_find(&table->dictionaries->planes[set], code, is_group);
}

/* ---- blocks ---- */

static void
block_drop(struct block *block)
{
    if (block != NULL &&
        atomic_fetch_sub_explicit(&block->references, 1, memory_order_acq_rel) == 1) {
        spans_drop(block);
        for (size_t i = 0; i < BLOCK_ROWS / EMBEDDING_PAGE_ROWS; i++)
            embedding_page_drop(block->embedding_pages[i]);
        mem_free(block);
    }
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

/* Of the first n_rows places; behind them the copy is 0. */
static void
column_copy(const struct column *from, const struct column *to, uint32_t n_rows)
{
    void *codes = (void *)(uintptr_t)to->codes;

    if (to->width == 0)
        return;
    if (from->width == to->width) {
        memcpy(codes, from->codes, (size_t)to->width * BLOCK_ROWS);
        return;
    }
    memset(codes, 0, (size_t)to->width * BLOCK_ROWS);
    for (uint32_t place = 0; place < n_rows; place++)
        code_write(to, place, column_code(from, place));
}

/* What a block has to offer: the widths of its columns, the numbers of its planes. */
struct shape {
    uint8_t widths[COLUMN_COUNT];
    uint32_t planes[PLANE_SETS];
};

/* The width that each column needs to hold what is in the block and one profile more. */
static void
widths_for(const struct block *block, const struct codes *codes, struct shape *shape)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const struct column *column = &block->columns[i];
        uint8_t width = column->width;

        if (codes != NULL && width == 0 && block->n_rows > 0 && codes->of[i] != column->constant) {
            uint8_t wide = width_of(column->constant);

            width = width_of(codes->of[i]) > wide ? width_of(codes->of[i]) : wide;
        } else if (codes != NULL && width > 0 && width_of(codes->of[i]) > width) {
            width = width_of(codes->of[i]);
        }
        shape->widths[i] = width;
    }
}

/* What the block needs to hold what is in it, and one profile more (codes NULL: none). */
static void
shape_for(const struct table *table, const struct block *block, const struct codes *codes,
          struct shape *shape)
{
    widths_for(block, codes, shape);
    for (int i = 0; i < PLANE_SETS; i++)
        shape->planes[i] =
            codes != NULL ? plane_names_room(&table->dictionaries->planes[i]) : block->planes[i].n;
}

/* Whether it needs no other shape for that, as nearly always. */
static bool
has_room(const struct table *table, const struct block *block, const struct codes *codes)
{
    int32_t n_beyond = 0; /* counted to the end: several columns at a time */

    for (int i = 0; i < COLUMN_COUNT; i++) {
        int32_t code = (int32_t)codes->of[i]; /* dictionaries hold no more */

        n_beyond += (code < block->least[i]) | (code > block->most[i]);
    }
    if (n_beyond > 0)
        return false;
    for (int i = 0; i < PLANE_SETS; i++)
        if (block->planes[i].n != plane_names_room(&table->dictionaries->planes[i]))
            return false;
    return true;
}

static size_t
shape_bytes(const struct shape *shape)
{
    size_t bytes = sizeof(struct block);

    for (int i = 0; i < PLANE_SETS; i++)
        bytes += (size_t)shape->planes[i] * BLOCK_WORDS * sizeof(uint64_t);
    for (int i = 0; i < COLUMN_COUNT; i++)
        bytes += (size_t)shape->widths[i] * BLOCK_ROWS;
    return bytes;
}

static void
planes_lay(const struct planes *from, struct planes *to, uint32_t n, uint64_t *at)
{
    uint32_t n_kept = from != NULL && from->n < n ? from->n : n;

    if (from == NULL)
        n_kept = 0;
    if (n_kept > 0)
        memcpy(at, from->bits, (size_t)n_kept * BLOCK_WORDS * sizeof *at);
    memset(at + (size_t)n_kept * BLOCK_WORDS, 0, (size_t)(n - n_kept) * BLOCK_WORDS * sizeof *at);
    *to = (struct planes){n > 0 ? at : NULL, n};
}

/* Once the first profile has come, a column without room for codes holds that one's. */
static void
block_note_ranges(struct block *block)
{
    static const int32_t most[] = {INT32_MAX, UINT8_MAX, UINT16_MAX, INT32_MAX, INT32_MAX};

    for (int i = 0; i < COLUMN_COUNT; i++) {
        const struct column *column = &block->columns[i];
        bool is_constant = column->width == 0 && block->n_rows > 0;

        block->least[i] = is_constant ? (int32_t)column->constant : 0;
        block->most[i] = is_constant ? (int32_t)column->constant : most[column->width];
    }
}

/* What a copy takes over: all but the count, which readers move meanwhile. */
enum { BEHIND_COUNT = offsetof(struct block, edit) };

/* A copy of the block (NULL: an empty one) of this shape. */
static struct block *
block_make(const struct block *from, const struct shape *shape, uint64_t edit)
{
    size_t bytes = shape_bytes(shape);
    struct block *block = mem_alloc_lined(bytes);
    unsigned char *at;

    if (block == NULL)
        return NULL;
    if (from == NULL)
        memset(block, 0, bytes);
    else
        memcpy((char *)block + BEHIND_COUNT, (const char *)from + BEHIND_COUNT,
               sizeof *block - BEHIND_COUNT);
    atomic_init(&block->references, 1);
    spans_init(block);
    for (size_t i = 0; i < BLOCK_ROWS / EMBEDDING_PAGE_ROWS; i++)
        embedding_page_hold(block->embedding_pages[i]);
    block->edit = edit;
    block->bytes = bytes;
    at = (unsigned char *)(block + 1);
    for (int i = 0; i < PLANE_SETS; i++) {
        planes_lay(from != NULL ? &from->planes[i] : NULL, &block->planes[i], shape->planes[i],
                   (uint64_t *)at);
        at += (size_t)shape->planes[i] * BLOCK_WORDS * sizeof(uint64_t);
    }
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct column *column = &block->columns[i];

        column->width = shape->widths[i];
        column->codes = shape->widths[i] > 0 ? at : NULL;
        at += (size_t)shape->widths[i] * BLOCK_ROWS;
        if (from != NULL)
            column_copy(&from->columns[i], column, from->n_rows);
    }
    block_note_ranges(block);
    return block;
}

/* The edit's own block at `at`, with room for a profile of `codes` (NULL: as it is); NULL if out of memory,
 * and then the table is as it was. */
static struct block *
block_own(struct columns *columns, struct table *table, uint32_t at, const struct codes *codes)
{
    struct block *old = table->blocks[at], *block;
    struct shape shape;

    if (old->edit == columns->edit && (codes == NULL || has_room(table, old, codes)))
        return old;
    shape_for(table, old, codes, &shape);
    block = block_make(old, &shape, columns->edit);
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

/* The next block begins as the last one ended: what varied there will vary here. */
static void
shape_of_next(const struct table *table, struct shape *shape)
{
    *shape = (struct shape){.widths = {0}};
    if (table->n_blocks == 0)
        return;
    shape_for(table, table->blocks[table->n_blocks - 1], NULL, shape);
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

static bool
block_is_empty(const struct block *block)
{
    return has_none(block->present, BLOCK_WORDS);
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

static void
plane_set(const struct planes *planes, uint32_t plane, uint32_t at)
{
    uint64_t *bits = (uint64_t *)(uintptr_t)planes->bits; /* the block is still the writer's own */

    assert(plane < planes->n);
    bits[(size_t)plane * BLOCK_WORDS + at / 64] |= UINT64_C(1) << at % 64;
}

static void
planes_clear(struct block *block, uint32_t at)
{
    for (int set = 0; set < PLANE_SETS; set++) {
        uint64_t *bits = (uint64_t *)(uintptr_t)block->planes[set].bits;

        for (uint32_t plane = 0; plane < block->planes[set].n; plane++)
            bits[(size_t)plane * BLOCK_WORDS + at / 64] &= ~(UINT64_C(1) << at % 64);
    }
}

static void
planes_write(const struct block *block, uint32_t at, const struct plane_marks *marks)
{
    for (int set = 0; set < PLANE_SETS; set++)
        for (uint32_t i = 0; block->planes[set].n > 0 && i < marks->n[set]; i++)
            plane_set(&block->planes[set], marks->planes[set][i], at);
}

/* At a place that was never used all codes are 0. */
static void
codes_write(struct block *block, uint32_t at, const struct codes *codes)
{
    bool is_first = block->n_rows == 0;

    for (uint32_t i = 0; at >= block->n_rows && !is_first && i < codes->n_known; i++)
        code_write(&block->columns[codes->known[i]], at, codes->of[codes->known[i]]);
    if (at >= block->n_rows && !is_first)
        return;
    for (int i = 0; i < COLUMN_COUNT; i++) {
        if (is_first && block->columns[i].width == 0)
            block->columns[i].constant = codes->of[i];
        code_write(&block->columns[i], at, codes->of[i]);
    }
}

static void
outcomes_write(struct block *block, uint32_t at, uint32_t n)
{
    block->outcomes[at] = (uint8_t)(n < OUTCOMES_MANY ? n : OUTCOMES_MANY);
    bit_set(block->with_record, at, n > 0);
}

static void
place_write(struct block *block, uint32_t at, const struct facts *facts, uint32_t row,
            uint32_t n_outcomes, const struct codes *codes)
{
    bool is_first = block->n_rows == 0;

    codes_write(block, at, codes);
    bit_set(block->present, at, true);
    outcomes_write(block, at, n_outcomes);
    bit_set(block->with_conflicts, at, facts->conflicts.n > 0);
    block->rows[at] = row;
    block->facts[at] = facts;
    block->texts[at] = facts->measure;
    memcpy(block->sketches[at], facts->sketch, sizeof block->sketches[at]);
    block->embedded[at] = embeddings_place(block, at, facts);
    if (block->n_rows <= at)
        block->n_rows = at + 1;
    if (is_first)
        block_note_ranges(block);
}

static void
place_clear(struct table *table, struct block *block, uint32_t place)
{
    uint32_t at = place % BLOCK_ROWS;

    assert((block->present[at / 64] >> at % 64 & 1) != 0);
    planes_clear(block, at);
    bit_set(block->present, at, false);
    outcomes_write(block, at, 0);
    bit_set(block->with_conflicts, at, false);
    block->facts[at] = NULL;
    block->texts[at] = (struct text_measure){0};
    block->embedded[at] = (struct embedding_place){0};
    table->n_profiles--;
    table_free_up(table, place / BLOCK_ROWS);
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
    if (!codes_of(table->dictionaries, facts, &codes))
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
    place_write(block, at % BLOCK_ROWS, facts, row, n_outcomes, &codes);
    if (stays)
        planes_clear(block, at % BLOCK_ROWS);
    planes_write(block, at % BLOCK_ROWS, &marks);
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
columns_set_outcomes(struct columns *columns, const struct facts *facts, uint32_t place, uint32_t n)
{
    struct table *table = table_of(columns, facts);
    struct block *block = block_own(columns, table, place / BLOCK_ROWS, NULL);

    if (block == NULL)
        return false;
    outcomes_write(block, place % BLOCK_ROWS, n);
    return true;
}
