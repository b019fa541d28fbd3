#ifndef JML_BENCH_POPULATION_H
#define JML_BENCH_POPULATION_H

#include "programme.h"
#include "roster.h"
#include "sample_text.h"

#include <stdbool.h>

/*
 * population: the profiles that the bench scores: many investors, and startups that look for one.
 *
 * Made from a seed, the same on any machine, and put into a roster the way the engine does: packed,
 * decoded, facts_build, roster_edit_put. Skewed: codes, counts and amounts fall off as they do in life;
 * uniform: any as likely as another. A few values are missing, a few investors may not be matched,
 * and some have a track record with startups that look for nobody any more.
 */
struct population_how {
    size_t n_candidates, n_viewers;
    bool is_skewed;
    bool has_texts;
    size_t dimension; /* of the embeddings; 0: none */
    uint64_t seed;
    const char *data; /* folder of the vocabularies */
};

enum { MARKETS_MOST = 56, LANGUAGES_MOST = 12 };

struct population {
    struct population_how how;
    struct reference *reference;
    struct symbols *symbols;
    struct roster *roster;
    uint32_t *candidates, *viewers;   /* rows, n_candidates and n_viewers of them */
    struct str markets[MARKETS_MOST]; /* the codes that stand in `markets` */
    int32_t day;                      /* to match on */
};

/* Lives in the arena, but for what population_fini drops. */
enum err_code population_make(const struct population_how *how, struct arena *arena,
                              struct population *out, struct err *err);
void population_fini(struct population *population); /* zeroed is fine */

extern const char *const population_languages[LANGUAGES_MOST];

/* One profile as profile.put takes it, packed: number i of the investors or the startups. */
struct population_draws;
enum err_code population_draws_make(const struct population_how *how,
                                    const struct reference *reference, struct arena *arena,
                                    struct population_draws **out, struct err *err);
void population_pack(const struct population_draws *draws, struct random *random, bool is_candidate,
                     size_t i, struct buf *out);

#endif
