#include "block.h"

#include "alloc.h"
#include "bits.h"
#include "span.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* ---- whose they are ---- */

void
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

struct block *
block_hold(struct block *block)
{
    atomic_fetch_add_explicit(&block->references, 1, memory_order_relaxed);
    return block;
}

/* ---- codes ---- */

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

/* ---- shapes ---- */

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

void
block_shape(const struct table_dictionaries *dictionaries, const struct block *block,
            const struct codes *codes, struct shape *shape)
{
    widths_for(block, codes, shape);
    for (int i = 0; i < PLANE_SETS; i++)
        shape->planes[i] =
            codes != NULL ? plane_names_room(&dictionaries->planes[i]) : block->planes[i].n;
}

bool
block_has_room(const struct table_dictionaries *dictionaries, const struct block *block,
               const struct codes *codes)
{
    int32_t n_beyond = 0; /* counted to the end: several columns at a time */

    for (int i = 0; i < COLUMN_COUNT; i++) {
        int32_t code = (int32_t)codes->of[i]; /* dictionaries hold no more */

        n_beyond += (code < block->least[i]) | (code > block->most[i]);
    }
    if (n_beyond > 0)
        return false;
    for (int i = 0; i < PLANE_SETS; i++)
        if (block->planes[i].n != plane_names_room(&dictionaries->planes[i]))
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

struct block *
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

/* ---- places ---- */

static void
bit_set(uint64_t *bits, uint32_t at, bool value)
{
    uint64_t bit = UINT64_C(1) << at % 64;

    bits[at / 64] = value ? bits[at / 64] | bit : bits[at / 64] & ~bit;
}

uint32_t
block_free_place(const struct block *block)
{
    for (uint32_t word = 0; word < BLOCK_WORDS; word++)
        if (~block->present[word] != 0)
            return word * 64 + (uint32_t)__builtin_ctzll(~block->present[word]);
    return BLOCK_ROWS;
}

bool
block_is_empty(const struct block *block)
{
    return has_none(block->present, BLOCK_WORDS);
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

void
block_write_outcomes(struct block *block, uint32_t at, uint32_t n)
{
    block->outcomes[at] = (uint8_t)(n < OUTCOMES_MANY ? n : OUTCOMES_MANY);
    bit_set(block->with_record, at, n > 0);
}

void
block_write(struct block *block, uint32_t at, const struct facts *facts, uint32_t row,
            uint32_t n_outcomes, const struct codes *codes, const struct plane_marks *marks)
{
    bool is_first = block->n_rows == 0;

    if (has_bit(block->present, at))
        planes_clear(block, at);

    codes_write(block, at, codes);
    bit_set(block->present, at, true);
    block_write_outcomes(block, at, n_outcomes);
    bit_set(block->with_conflicts, at, facts->conflicts.n > 0);
    block->rows[at] = row;
    block->facts[at] = facts;
    block->texts[at] = facts->text.measure;
    memcpy(block->sketches[at], facts->text.sketch, sizeof block->sketches[at]);
    block->embedded[at] = embeddings_place(block, at, facts);
    if (block->n_rows <= at)
        block->n_rows = at + 1;
    if (is_first)
        block_note_ranges(block);
    planes_write(block, at, marks);
}

void
block_clear(struct block *block, uint32_t at)
{
    assert(has_bit(block->present, at));
    planes_clear(block, at);
    bit_set(block->present, at, false);
    block_write_outcomes(block, at, 0);
    bit_set(block->with_conflicts, at, false);
    block->facts[at] = NULL;
    block->texts[at] = (struct text_measure){0};
    block->embedded[at] = (struct embedding_place){0};
}
