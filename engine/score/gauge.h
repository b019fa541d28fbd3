#ifndef JML_GAUGE_H
#define JML_GAUGE_H

#include "arena.h"
#include "columns.h"
#include "kernel.h"
#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * gauge: what a looker's set has in common with the sets of many candidates, counted 64 at a time.
 *
 * A want that compares sets (overlap, cover, any, same) depends on how many codes are shared, how many
 * groups, and how large the sets are. Planes (columns.h) tell that place by place, and a few bits of it
 * bound the want's points closely, most often exactly:
 *
 *     overlap         how many of the looker's codes a place has, plus how many of their groups it has, up
 *                     to 6; is its own the smaller set, by which an overlap is measured?
 *     the others      how many of the looker's codes it has, up to 6; where the candidate's own set is
 *                     measured, also its size: 1, 2, 3, or more
 *
 * A missing value is a count of all ones. Pure; one thread. Private to score/.
 */
enum { GAUGE_CODES = 1 << KERNEL_BITS, GAUGE_PLANES_MAX = 64 };

struct gauge {
    enum plane_set set;
    uint32_t planes[GAUGE_PLANES_MAX]; /* counted */
    uint32_t n_planes, n_sought;       /* sought: those that no candidate has, too */
    uint32_t n_counts;                 /* bits of the count: 2 or 3 */
    uint32_t n_bits;                   /* of all */
    bool tells_size, tells_smaller;
    uint32_t n_codes;          /* of the looker's set */
    uint32_t size;             /* from which on a candidate's set is not the smaller one */
    const struct block *block; /* whose places `bits` tells of; NULL: none yet */
    uint64_t bits[KERNEL_BITS * BLOCK_WORDS];
};

/* Can a want's points be bounded so? */
bool gauge_fits(const struct plan_want *want, const struct table *table, enum column_id column);
/* For a looker's known set. NULL if memory ends, or it has too many codes: then *is_short tells which. */
struct gauge *gauge_make(const struct plan_want *want, bool is_lookers, const struct table *table,
                         enum column_id column, const struct slot_codes *codes,
                         const struct symbol_scope *scope, struct arena *arena, bool *is_short);
/* Counts a block, unless it was the last. */
void gauge_read(struct gauge *gauge, const struct block *block, const struct kernel *kernel);
/* The most points of the want at a place of this code; *is_exact: it has no less. if_missing: points of a
 * missing value. */
int32_t gauge_most(const struct gauge *gauge, const struct want *want, bool is_lookers,
                   uint32_t code, int32_t if_missing, bool *is_exact);
/* The code of a place of the block that was read last. */
static inline uint32_t
gauge_code(const struct gauge *gauge, uint32_t place)
{
    const uint64_t *word = gauge->bits + place / 64;
    uint32_t code = 0;

    for (uint32_t bit = 0; bit < gauge->n_bits; bit++, word += BLOCK_WORDS)
        code |= (uint32_t)(*word >> place % 64 & 1) << bit;
    return code;
}

#endif
