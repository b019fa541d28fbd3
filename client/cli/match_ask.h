#ifndef JML_MATCH_ASK_H
#define JML_MATCH_ASK_H

#include "buf.h"
#include "cli.h"
#include "value.h"

/*
 * match_ask: match.top asked for one profile, with what the command line said.
 *
 * Options are as they were typed, NULL where they were not; the numbers among them end the process with
 * their sentence where they are none. The answer lies in the arena.
 */
struct match_options {
    const char *pairing, *id, *side, *k, *min_score, *day;
    bool explains;
};

enum { MATCH_PARAMS_BYTES_MAX = 1024 * 1024 };

enum err_code match_ask_top(struct cli *cli, const char *programme, const char *id,
                            const struct match_options *options, struct arena *arena,
                            const msgpack_object **result, struct err *err);
/* A pair of an open map, where there is a text; counts it. */
void match_pack_text_if(struct buf *out, const char *key, const char *text, size_t *n);

#endif
