#ifndef JML_MATCH_PAGE_H
#define JML_MATCH_PAGE_H

#include "cli.h"
#include "value.h"

/*
 * match_page: what is said of a pair, as running text that can be read aloud.
 *
 * The views with their reasons, what would help, how much is known: the parts that match --explain and
 * explain have in common. On standard output; texts lie in the tool's arena.
 */
struct str match_programme_name(struct cli *cli, struct str id);  /* the id where it has none */
struct str match_of_ten_thousand(struct cli *cli, int64_t score); /* "4,281 out of 10,000" */

/* That there is no counterpart; min_score: none that reaches it, NULL: none at all. */
void match_page_none(struct cli *cli, const char *min_score);

/* One side's view: its score, then a reason a line, its share on the left. */
void match_page_view(struct cli *cli, const msgpack_object *reasons, struct str name, int64_t view);
/* What would help either side, each once; first what is not filled in. */
void match_page_helps(struct cli *cli, const msgpack_object *from, const msgpack_object *to);
void match_page_coverage(struct cli *cli, int64_t coverage);

#endif
