#ifndef JML_QUALITY_H
#define JML_QUALITY_H

#include "cell.h"
#include "facts.h"
#include "order_map.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * quality: how well one value answers another, one function a want type.
 *
 * a is the viewer's value, b the counterpart's; both are known. Every quality is in basis points,
 * 0..10000. Pure; none of them can fail. The definitions, with worked examples, are in
 * client/doc/en/scoring.md. (The `text` want's is text_vector_quality.)
 */

/*
 * `overlap`: two sets of codes `group.leaf`, or bare groups.
 *
 * returns  (10000 * e + 5000 * g) / |S|, S the smaller set (of equal ones a), L the other; e codes of
 *          S in L, g codes of S that are not, but whose group is that of a code of L
 */
int32_t overlap_quality(const struct slot_codes *a, const struct slot_codes *b,
                        const struct symbol_scope *scope);

/* `cover`: 10000 * |a and b| / |a|. */
int32_t cover_quality(const struct slot_codes *a, const struct slot_codes *b);

/* `any`: 10000 if the sets share a code, else 0. */
int32_t any_quality(const struct slot_codes *a, const struct slot_codes *b);

/* `same`: 10000 if the sets are equal, else 0. */
int32_t same_quality(const struct slot_codes *a, const struct slot_codes *b);

/*
 * The smallest difference between the order of a code of a and of a code of b, 0..2^32 - 1.
 * *a_has, *b_has: has the set a code with a place in the order at all? -1 unless both have.
 */
int64_t stage_distance(const struct slot_codes *a, const struct slot_codes *b,
                       const struct order_map *orders, bool *a_has, bool *b_has);

/* `stage`: max(0, 10000 - 4000 * distance), distance >= 0. */
int32_t stage_quality(int64_t distance);

/*
 * `range`: two ranges of cells, four to the octave (cell.h).
 *
 * returns  10000 * |a and b| / |a| where they meet; apart, 5000 less 1250 for each cell strictly
 *          between them, never below 0
 */
int32_t range_quality(struct cell_range a, struct cell_range b);

/* `at_least`: 10000 if b >= a, else 10000 * b / a; both >= 0. The product needs 77 bits. */
int32_t at_least_quality(int64_t a, int64_t b);

/*
 * `period`: two ranges of days, both ends included, ends may be open (date.h).
 *
 * An open end of a is b's. More than PERIOD_DAYS_MAX days of a are cut to the first so many.
 * common   the days in both: from, to and how many; 0 days leave from and to unset (0)
 * returns  10000 * days in both / days of a; 0 if a, so completed, ends before it begins;
 *          -1 where an end is open in both: then nothing can be said
 */
enum { PERIOD_DAYS_MAX = 3660 };
struct period_common {
    int32_t from, to, days;
};
int32_t period_quality(const struct slot_period *a, const struct slot_period *b,
                       struct period_common *common);

/*
 * `text` with embeddings: two int8 vectors of the same length, neither all zeros.
 *
 * returns  min(10000, 10000 * dot / isqrt(n(a) * n(b))), n the sum of squares; 0 where dot < 0.
 *          At most 1024 elements: |dot| and n are at most 2^24.
 */
int32_t embedding_quality(const struct facts *a, const struct facts *b);
/* The same of a dot product that is known, and both sums of squares, neither 0. */
int32_t embedding_dot_quality(int32_t dot, uint32_t a_norm2, uint32_t b_norm2);

/* `record`: 10000 * h / (h + 3), h outcomes. */
int32_t record_quality(uint32_t h);

#endif
