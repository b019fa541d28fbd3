#ifndef JML_PAIRS_MEASURE_H
#define JML_PAIRS_MEASURE_H

#include "arena.h"
#include "err.h"
#include "lexicon.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * pairs_measure: how well the two languages meet, on pairs of one-liners that say the same.
 *
 * A file of pairs has the columns `kind` (literal, paraphrase), `fr` and `en`. For each text,
 * its counterpart should score highest among all texts of the other language; a tie is lost.
 * Everything lives in the arena.
 */
enum pair_kind { PAIR_LITERAL, PAIR_PARAPHRASE, PAIR_KIND_COUNT };

struct pair {
    enum pair_kind kind;
    struct str texts[LANG_COUNT];
    struct text_vector vectors[LANG_COUNT];
};
struct pair_figures {
    int n[PAIR_KIND_COUNT];     /* texts, both directions */
    int first[PAIR_KIND_COUNT]; /* of them, those that found their counterpart */
};

enum err_code pairs_read(const char *path, struct arena *arena, struct pair **pairs, size_t *n,
                         struct err *err);
/* The lexicon of a data folder; site is the site's table, or NULL for none. */
enum err_code pairs_lexicon(const char *data, const char *site, struct lexicon **lexicon,
                            struct err *err);
/* miss, if given, is told of each text whose counterpart was not first: the pair, the language of
 * the text, and the pair that came first instead. */
typedef void pair_miss(void *context, const struct pair *pair, enum lang lang,
                       const struct pair *instead);
enum err_code pairs_measure(const struct lexicon *lexicon, struct pair *pairs, size_t n,
                            struct arena *arena, pair_miss *miss, void *context,
                            struct pair_figures *figures, struct err *err);

#endif
