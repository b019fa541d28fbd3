#ifndef JML_WORDS_H
#define JML_WORDS_H

#include "arena.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * words: a text cut into folded words, and their stems.
 *
 * A word is a run of letters, marks and digits; everything else parts words, but for the points of
 * an abbreviation (A.I. is `ai`). Each is folded
 * (fold.h: NFKC, case, accents, œ and æ written out). What stood before and after it is kept, since
 * folding forgets it: an apostrophe after `l` makes an elision, and a comma keeps a phrase from
 * reaching over it. A folded word longer than WORD_BYTES_MAX is cut there, at a whole character.
 */
enum { WORD_BYTES_MAX = 96 };

struct word {
    struct str written; /* where it stands in the text */
    struct str folded;
    bool before_apostrophe; /* l'eau: the l */
    bool after_apostrophe;  /* the eau; farm's: the s */
    bool starts_piece;      /* the first word, or after punctuation that ends a phrase */
    bool is_number;         /* digits only */
};

struct word_cursor {
    struct str text;
    size_t at;
    struct str rest;    /* of a folded run that held a space (a ligature of several words) */
    struct str written; /* that run */
    bool after_apostrophe, starts_piece;
};

struct word_cursor words_begin(struct str text); /* UTF-8, as checked on arrival */
/* The next word; *found false at the end. What is folded lives in the arena. Fails when memory
 * ends, or as fold_text does. */
enum err_code words_next(struct word_cursor *cursor, struct arena *arena, struct word *word,
                         bool *found, struct err *err);

/*
 * stemmers: Snowball by ISO 639-1 code. Made when first asked for; one thread.
 */
struct stemmers;
struct stemmers *stemmers_create(void); /* NULL: no memory */
void stemmers_destroy(struct stemmers *stemmers);
/* The stem of a folded word, good until the next call for the same language; the word itself in a
 * language that has no Snowball stemmer. data NULL: no memory, or a library without that stemmer. */
struct str stemmers_stem(struct stemmers *stemmers, struct str lang, struct str folded);

#endif
