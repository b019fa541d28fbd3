#ifndef JML_BENCH_WAYS_H
#define JML_BENCH_WAYS_H

#include "match.h"

/*
 * ways: the scorers that the bench times, by name. The first that this processor can run is ours: what is
 * compared with others.
 *
 * All calls of the scorer stand in ways.c: a new one, or one more kernel, is a row there.
 */
struct way {
    const char *name;
    const char *kernel; /* that its plan names (kernel.h); NULL: it uses none */
    enum err_code (*one)(const struct match_plan *plan, const struct match_query *query,
                         struct arena *arena, struct match_list *out, struct err *err);
    /* Many queries of one plan, lists[i] answering queries[i]; NULL: it knows no such thing. */
    enum err_code (*batch)(const struct match_plan *plan, const struct match_query *queries,
                           size_t n, struct arena *arena, struct match_list *lists,
                           struct err *err);
};
extern const struct way ways[]; /* ends with a row without a name */

#endif
