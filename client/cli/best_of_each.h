#ifndef JML_BEST_OF_EACH_H
#define JML_BEST_OF_EACH_H

#include "match_ask.h"

/*
 * best_of_each: the best list of every profile of one side of a programme's pairings, as one table.
 *
 * The first side, unless the options name the other. Pairing by pairing, those of a mirrored one as it
 * stands before those of its mirror, profiles by id. Lists come in pages from match.each; of a service that
 * is older than it, from a match.top for each profile: the same lines. Answers the exit status.
 */
int best_of_each(struct cli *cli, const char *programme, const struct match_options *options);

#endif
