#ifndef JML_CELL_H
#define JML_CELL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * cell: amounts and counts on a scale of four steps to each doubling.
 *
 * cell_of(x) is the largest j >= 0 with floor(2^(j/4)) <= x, and 0 for x = 0. Cells 1 and 2 are never
 * met (floor(2^(1/4)) to floor(2^(3/4)) are all 1): that is meant. Exact for every int64. Pure.
 */
enum { CELL_MAX = 251 }; /* of INT64_MAX */

int cell_of(int64_t x); /* x >= 0 */

/* The cells of a range of amounts, both included. A small value passed by copy. */
struct cell_range {
    int lo, hi; /* lo <= hi */
};

struct cell_range cell_range_of(int64_t min, int64_t max); /* 0 <= min <= max */
int cell_range_width(struct cell_range range);             /* 1..CELL_MAX + 1 */
/* Cells in both; 0 or less where the ranges are apart, and then minus the number of cells
 * strictly between them. */
int cell_range_common(struct cell_range a, struct cell_range b);

#endif
