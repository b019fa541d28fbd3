#ifndef JML_SPAN_H
#define JML_SPAN_H

#include "columns.h"
#include "rates.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * span: the ranges that a column of a block holds, as two small numbers a place.
 *
 * What kernels compare for 16 to 64 places at once: cells of money and numbers (less 128; cell.h), days of
 * periods (since SPAN_DAY_ZERO). A place whose value has no such numbers is *odd*: its value has to be
 * looked up. What is missing is not known, and neither is money without a rate on the day.
 *
 * A block's spans are made by the first search that asks for them, kept with the block and
 * dropped with it: a block in which something changed begins anew. At most SPANS_MAX of a column are kept,
 * 9 kB each; a search that wants one more has to look values up. Money has a span for each set of
 * rates that occurs in it, other columns have one.
 *
 * Any thread; private to score/.
 */
enum { SPANS_MAX = 8, SPAN_RATES = 8, SPAN_WIDTHS = 14 };
enum { SPAN_DAY_ZERO = 21915, SPAN_OPEN = INT16_MAX }; /* 2030-01-01: some 89 years to both sides */

struct span_rate { /* rate_ppm -1: the currency had none on the day */
    int32_t currency;
    int64_t rate_ppm;
};

struct span {
    struct span *next;
    enum column_id column;
    uint32_t n_rates;
    struct span_rate rates[SPAN_RATES]; /* that the cells of money are made with */
    bool has_odd;
    _Alignas(64) uint64_t known[BLOCK_WORDS];
    uint64_t odd[BLOCK_WORDS];
    union {
        struct {
            int8_t lo[BLOCK_ROWS], hi[BLOCK_ROWS];
            /* Cells beyond the first, up to SPAN_WIDTHS; what is not known is of class SPAN_WIDTHS + 1. */
            uint8_t classes[BLOCK_ROWS];
        } cells;
        struct {
            int16_t lo[BLOCK_ROWS], hi[BLOCK_ROWS]; /* -SPAN_OPEN, SPAN_OPEN: an open end */
        } days;
    };
};

/* Of a column of money or numbers (cells), or of periods (days). NULL: there is none, values are to be looked
 * up. */
const struct span *span_of(const struct block *block, const struct dictionary *dictionary,
                           enum column_id column, const struct rates *rates, int32_t day);
/* What was made of it before, if anything, begins to come from memory. */
void span_fetch(const struct block *block, enum column_id column);
bool span_has(enum column_id column);              /* is it such a column? */
void spans_init(struct block *block);              /* none yet */
void spans_drop(struct block *block);              /* nobody reads it any more */
size_t spans_bytes(const struct columns *columns); /* of all that were made so far */

/* A day as a number of a span; false if it has none. */
bool span_day(int32_t day, int16_t *out);
/* The same of both ends of a period, open ones too. */
bool span_period(const struct slot_period *period, int16_t *from, int16_t *to);
static inline int8_t
span_cell(int cell)
{
    return (int8_t)(cell + INT8_MIN);
}

#endif
