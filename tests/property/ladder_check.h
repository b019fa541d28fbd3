#ifndef JML_LADDER_CHECK_H
#define JML_LADDER_CHECK_H

#include "match.h"
#include "sample.h"

/*
 * ladder_check: what ladder.h promises, for one looker and every candidate of the other side.
 *
 * A ladder's points are the want's own where it says so, else no fewer; and no place falls that loses no
 * more than what is tolerated, worked out here from the points of each code. Whatever fails ends the test.
 */
/* How many places fell. */
uint64_t ladder_check(const struct match_plan *plan, const struct match_query *query,
                      struct sample *sample, struct arena *arena);

#endif
