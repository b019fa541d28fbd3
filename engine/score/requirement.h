#ifndef JML_REQUIREMENT_H
#define JML_REQUIREMENT_H

#include "plan.h"

#include <stdbool.h>

/*
 * requirement: may these two be paired at all? Private to score/.
 *
 * The rules of one profile, of the two together, and the pairing's own `require`. Pure; allocates
 * nothing. Which rule comes first: the order of enum rule, from before to, requirements in file
 * order.
 */
struct requirement_state {
    bool holds;
    bool of_missing, by_missing;
};
void requirement_judge(const struct match_plan *plan, const struct plan_requirement *requirement,
                       const struct facts *from, const struct facts *to,
                       struct requirement_state *out);

/* The same for the two values. */
void requirement_judge_values(const struct match_plan *plan,
                              const struct plan_requirement *requirement, const struct slot *of,
                              const struct slot *by, struct requirement_state *out);

/* Does the profile stand on the side? */
bool side_takes(const struct plan_side *side, symbol kind, symbol metro);
bool side_fits(const struct plan_side *side, const struct facts *facts);
/* Does the query's viewer stand on its side, and may it be matched? */
bool query_viewer_may(const struct match_plan *plan, const struct match_query *query);
/* ERR_CANCELLED, with how far it has come, once the asker says so. */
enum err_code query_go_on(const struct match_query *query, uint64_t considered, struct err *err);
bool is_same_profile(const struct facts *a, const struct facts *b);
/* Does a list b, or b's organisation, among its conflicts? */
bool lists_as_conflict(const struct facts *a, const struct facts *b);
/* The first rule that forbids a pair of two different profiles, each standing on its side and each
 * allowed to be matched. */
enum rule together_rule(const struct match_plan *plan, const struct facts *from,
                        const struct facts *to, int *requirement);

#endif
