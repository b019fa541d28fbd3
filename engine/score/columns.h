#ifndef JML_COLUMNS_H
#define JML_COLUMNS_H

#include "dictionary.h"
#include "embeddings.h"
#include "facts.h"
#include "fetch.h"
#include "planes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * columns: the profiles of a roster, laid out for scoring one against many.
 *
 * One *table* for each kind and metro, so that a search reads only profiles of the other side. A table
 * is a list of *blocks* of 2048 places. A block keeps, field by field, the dictionary code of the value at
 * each place (structure of arrays; a column that never had two codes takes no room), and as bits what
 * is yes or no. Nothing depends on the order of places: ranking goes by score and id.
 *
 * A published set of columns is immutable; the next one shares every block in which nothing changed. So
 * a change copies one block (about 390 kB) and the lists of blocks. A block borrows facts, which the
 * roster that it belongs to holds. Memory of a place: 90 bytes, 1, 2 or 4 for each column in
 * use, and a bit for each plane; some 195 for the fields of data/programmes. An embedding's row adds its length,
 * rounded up to 64 (embeddings.h). Searches add spans (span.h), 3 or 4 bytes a place for each column
 * of ranges that they compare.
 *
 * columns_edit …: the writer's thread only. Readers need no lock. Private to score/.
 */
enum { BLOCK_ROWS = 2048, BLOCK_WORDS = BLOCK_ROWS / 64, NO_PLACE = UINT32_MAX };
enum { PLANE_BYTES = BLOCK_WORDS * sizeof(uint64_t) };
enum { OUTCOMES_MANY = UINT8_MAX, SPAN_COLUMNS = 5 };
enum column_id {                               /* first the fields, by field_id */
                 COLUMN_CONSENT = FIELD_COUNT, /* columns_consent_pack */
                 COLUMN_ORGANISATION,          /* facts.organisation, a set of one */
                 COLUMN_COUNT
};

/*
 * Blocks of a table stand in *quarters*: profiles that state the same stages (or stage) come to the same, once
 * so many have come that state just these; all others share the first. Requirements ask for stages most, so that
 * there are blocks in which nobody is eligible, and a search passes over them. A profile stays where it is
 * when it changes; the next start puts all in order again. The last block of each quarter may be nearly empty:
 * of a table of n profiles that grew, no more than n / QUARTER_FROM and QUARTERS_MOST are.
 */
enum { QUARTERS_MOST = 64, QUARTER_FROM = 256 };
static inline bool
column_makes_quarters(enum column_id column)
{
    return column == (enum column_id)FIELD_STAGES || column == (enum column_id)FIELD_STAGE;
}

struct planes {
    const uint64_t *bits; /* n times BLOCK_WORDS; those beyond are 0 everywhere */
    uint32_t n;
};

struct column {
    const void *codes; /* uint8_t, uint16_t or uint32_t by width; NULL with width 0 */
    uint32_t constant; /* width 0: the code at every place */
    uint8_t width;
};

struct span;
struct block {
    _Atomic uint32_t references;
    _Atomic(struct span *) spans[SPAN_COLUMNS]; /* what searches have made of it (span.h) */
    uint64_t edit;                              /* the edit that made it, and may still change it */
    size_t bytes;
    uint32_t n_rows;                            /* places ever used: bits and codes beyond are 0 */
    uint8_t quarter;                            /* of the table */
    _Alignas(64) uint64_t present[BLOCK_WORDS]; /* so that all that follows begins with a line */
    uint64_t with_record[BLOCK_WORDS];          /* has outcomes */
    uint64_t with_conflicts[BLOCK_WORDS];       /* lists conflicts */
    uint32_t rows[BLOCK_ROWS];                  /* of the roster */
    uint8_t outcomes[BLOCK_ROWS]; /* how many it has, OUTCOMES_MANY: or more; with_record: not 0 */
    struct text_measure texts[BLOCK_ROWS];
    _Alignas(64) int8_t sketches[BLOCK_ROWS][TEXT_BUCKETS];
    struct embedding_place embedded[BLOCK_ROWS];
    struct embedding_page *embedding_pages[BLOCK_ROWS / EMBEDDING_PAGE_ROWS]; /* NULL: no rows */
    const struct facts *facts[BLOCK_ROWS];
    struct column columns[COLUMN_COUNT];
    int32_t least[COLUMN_COUNT], most[COLUMN_COUNT]; /* codes that each column can hold as it is */
    struct planes planes[PLANE_SETS];
};

struct table_dictionaries;
struct table {
    symbol kind, metro;
    uint32_t n_profiles, n_blocks, room;
    uint32_t n_came[QUARTERS_MOST];     /* by code of their stages; QUARTER_FROM: or more */
    uint32_t first_free[QUARTERS_MOST]; /* no block of the quarter before it has a free place */
    struct block **blocks;
    struct table_dictionaries *dictionaries; /* shared by all successors */
};

struct columns {
    uint64_t edit;
    uint32_t n_tables;
    size_t bytes; /* of tables and blocks; dictionaries apart */
    struct table *tables;
};

static inline uint32_t
column_code(const struct column *column, uint32_t place)
{
    switch (column->width) {
    case 1:
        return ((const uint8_t *)column->codes)[place];
    case 2:
        return ((const uint16_t *)column->codes)[place];
    case 4:
        return ((const uint32_t *)column->codes)[place];
    default:
        return column->constant;
    }
}

/* What COLUMN_CONSENT tells, as one whole number: may it be matched, is it paused, until when. */
static inline int64_t
columns_consent_pack(const struct facts *facts)
{
    return (int64_t)facts->consent_until * 4 + (facts->may_match ? 2 : 0) +
           (facts->is_paused ? 1 : 0);
}
static inline bool
columns_consent_allows(int64_t packed, int32_t day)
{
    return (packed & 3) == 2 && packed >> 2 >= day;
}

/* The planes of a column; PLANE_SETS: it has none. */
enum plane_set column_planes(enum column_id column);
/* The plane of a code, of a code's group. NO_PLANE: no profile of the table has it. */
bool table_has_planes(const struct table *table, enum plane_set set);
uint32_t table_plane(const struct table *table, enum plane_set set, symbol code, bool is_group);
/* BLOCK_WORDS of bits; NULL: 0 everywhere. */
static inline const uint64_t *
block_plane(const struct block *block, enum plane_set set, uint32_t plane)
{
    return plane < block->planes[set].n ? block->planes[set].bits + (size_t)plane * BLOCK_WORDS
                                        : NULL;
}

/* Where a block has what, and spans, begins to come from memory. */
static inline void
block_fetch(const struct block *block)
{
    fetch(block, offsetof(struct block, present));
    fetch(block->columns, sizeof block->columns);
    fetch(block->planes, sizeof block->planes);
}

/* The row of a place's embedding; NULL if it has none of this length, or no row for it. */
static inline const int8_t *
block_embedding(const struct block *block, uint32_t place, uint32_t length)
{
    if (block->embedded[place].length != (length | EMBEDDING_HAS_ROW))
        return NULL;
    return block->embedding_pages[place / EMBEDDING_PAGE_ROWS]->rows +
           place % EMBEDDING_PAGE_ROWS * embedding_stride(length);
}

enum slot_type column_type(enum column_id column); /* SLOT_NONE: no such column */
/* NULL: every value of the column is missing. */
const struct dictionary *table_dictionary(const struct table *table, enum column_id column);
const struct table *columns_table(const struct columns *columns, symbol kind, symbol metro);
size_t columns_dictionary_bytes(const struct columns *columns); /* writer only */

/* ---- the writer ---- */

/* The next set, as base is (NULL: empty). NULL if out of memory. `edit` is a number that no edit had
 * before. */
struct columns *columns_edit(const struct columns *base, uint64_t edit);
void columns_destroy(struct columns *columns); /* published or not; NULL is fine */
/* A profile comes to a place (`place` NO_PLACE), or takes over the place of `old`, which may be of
 * another kind or metro: *place is where it is now. False if out of memory: nothing has changed. */
bool columns_put(struct columns *columns, const struct facts *old, const struct facts *facts,
                 uint32_t row, uint32_t n_outcomes, uint32_t *place);
/* These facts will soon be put: what their codes are found by begins to come from memory, in two steps. */
void columns_foresee(const struct columns *columns, const struct facts *facts);
void columns_foresee_values(const struct columns *columns, const struct facts *facts);
bool columns_remove(struct columns *columns, const struct facts *facts, uint32_t place);
bool columns_set_outcomes(struct columns *columns, const struct facts *facts, uint32_t place,
                          uint32_t n);

#endif
