#ifndef JML_VIEW_H
#define JML_VIEW_H

#include "plan.h"
#include "quality.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * view: what one side's wants say of a pair, and both sides' views combined. Private to score/.
 *
 * Pure in plan and pair; allocates nothing.
 */

/* A text want's answer is the same from either side, and the dearest of all: kept for the pair. */
struct pair {
    const struct facts *facts[PLAN_SIDES];
    uint32_t rows[PLAN_SIDES]; /* ROSTER_NO_ROW: not in the roster */
    bool has_text;
    int32_t text_quality; /* once has_text; TEXT_UNKNOWN where a vector is missing */
};
enum { TEXT_UNKNOWN = -1 };

struct judgement {
    int32_t quality; /* as it enters the curve: the want's `missing` where unknown */
    int32_t points;
    bool is_known, of_missing, by_missing;
};

/* Is a want of either side of type text? */
bool plan_has_text(const struct match_plan *plan);

/* viewer: PLAN_FROM or PLAN_TO, whose want it is. The texts are at hand (match_need_texts). */
void want_judge(const struct match_plan *plan, const struct plan_want *want, struct pair *pair,
                int viewer, struct judgement *out);

/* Points of a want that is not of text, for the values a of its viewer and b of the counterpart; of a
 * record, those of a counterpart without outcomes. */
int32_t want_points(const struct match_plan *plan, const struct plan_want *want,
                    const struct slot *a, const struct slot *b);

/* Do both bring an embedding of the same length, which then is used instead of the text vectors? */
bool pair_uses_embedding(const struct facts *a, const struct facts *b);

/* The counterpart's track record for the viewer: the code of `codes` that most of its positive
 * outcomes before the day bear, by what the other parties of those outcomes are now. Ties go to the
 * code whose text comes first. saw_confidential: a confidential value of such a party was read. */
struct record_count {
    uint32_t most;
    symbol code; /* SYMBOL_NONE with most 0 */
    bool saw_confidential;
};
void record_counts(const struct match_plan *plan, const struct plan_want *want,
                   const struct slot_codes *codes, const struct pair *pair, int viewer,
                   struct record_count *out);

int32_t combine_views(enum combine combine, int32_t from_view, int32_t to_view);
/* Of each view's sum of weight * points, at most 64 * 1000 * 10000: both views, 10000 for one without wants,
 * and the score; coverage 0. */
void score_of_sums(const struct match_plan *plan, const int64_t sums[PLAN_SIDES],
                   struct match_score *out);
/* Everything about a pair but its rules. The texts are at hand. */
void pair_score(const struct match_plan *plan, struct pair *pair, struct match_score *out);
/* Its coverage alone; rows are not read. */
int32_t pair_coverage(const struct match_plan *plan, const struct pair *pair);

#endif
