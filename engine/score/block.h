#ifndef JML_BLOCK_H
#define JML_BLOCK_H

#include "columns.h"
#include "table_dictionaries.h"

/*
 * block: the blocks of columns (columns.h), as their writer makes and fills them.
 *
 * The codes of a block lie behind it in the same piece of memory, one array a column that is not
 * constant. A code that a column can't hold makes the whole block anew with that column wider; since
 * dictionaries only grow and blocks are long, that is rare.
 *
 * The writer's thread only, on blocks of its own edit; but for the count of who holds one. Private to score/.
 */

/* What a block has to offer: the widths of its columns, the numbers of its planes. */
struct shape {
    uint8_t widths[COLUMN_COUNT];
    uint32_t planes[PLANE_SETS];
};

/* What the block needs to hold what is in it, and one profile more (codes NULL: none). */
void block_shape(const struct table_dictionaries *dictionaries, const struct block *block,
                 const struct codes *codes, struct shape *out);
/* Whether it needs no other shape for that, as nearly always. */
bool block_has_room(const struct table_dictionaries *dictionaries, const struct block *block,
                    const struct codes *codes);
/* A copy of the block (NULL: an empty one) of this shape. NULL if out of memory. */
struct block *block_make(const struct block *from, const struct shape *shape, uint64_t edit);
struct block *block_hold(struct block *block);
void block_drop(struct block *block); /* NULL is fine */

/* ---- places of a block, 0..BLOCK_ROWS - 1 ---- */

/* The first free one; BLOCK_ROWS if it is full. */
uint32_t block_free_place(const struct block *block);
bool block_is_empty(const struct block *block);
/* A profile comes to a free place, or takes over another's. Its embedding has been laid (embeddings.h). */
void block_write(struct block *block, uint32_t at, const struct facts *facts, uint32_t row,
                 uint32_t n_outcomes, const struct codes *codes, const struct plane_marks *marks);
void block_write_outcomes(struct block *block, uint32_t at, uint32_t n);
void block_clear(struct block *block, uint32_t at); /* somebody stands there */

#endif
