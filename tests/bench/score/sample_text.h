#ifndef JML_BENCH_SAMPLE_TEXT_H
#define JML_BENCH_SAMPLE_TEXT_H

#include "arena.h"
#include "lexicon.h"
#include "random.h"

#include <stdbool.h>

/*
 * sample_text: text vectors as descriptions of some twenty words have them, without the descriptions.
 *
 * Words are the concepts and stems of data/lexicon/frequencies.csv. Skewed: each as often as it stands
 * in texts there; uniform: one as often as another. A stem brings its 3- and 4-grams with it. Numbers
 * of terms and weights are those of client/doc/en/text-vectors.md. One thread; in the arena.
 */
struct sample_text;
enum err_code sample_text_make(struct str frequencies, bool is_skewed, struct arena *arena,
                               struct sample_text **out, struct err *err);
/* The vector lives in `arena`: TEXT_TERMS_MAX terms at most. ERR_BUSY if memory ends. */
enum err_code sample_text_draw(const struct sample_text *text, struct random *random,
                               struct arena *arena, struct text_vector *out, struct err *err);

/* Whole numbers 0 … n - 1, falling off as 1 / (i + 1), or all as likely. */
struct draw {
    const uint64_t *sums; /* n of them, rising */
    size_t n;
};
enum err_code draw_make(struct draw *draw, size_t n, bool is_skewed, struct arena *arena,
                        struct err *err);
size_t draw_next(const struct draw *draw, struct random *random);

#endif
