#ifndef JML_TEXT_BAG_H
#define JML_TEXT_BAG_H

#include "arena.h"
#include "err.h"
#include "lexicon_index.h"
#include "words.h"

#include <stddef.h>
#include <stdint.h>

/*
 * text_bag: the terms of a profile's texts with how much of each there is, before weighing.
 *
 * An occurrence counts BAG_UNIT; a word that names two concepts gives each of them half, and so on.
 * A profile that tells the same thing in French and in English has not said it twice: of the
 * languages, the one with most units counts for a term, not their sum; what tags bring is added.
 * Private to score/; one thread; kept from text to text, so that a profile allocates nothing.
 */
enum { BAG_UNIT = 120 };

struct bag_entry {
    uint32_t term;
    uint32_t units; /* of the language being read */
    uint32_t most;  /* of any language so far, then the whole */
    uint32_t label; /* a concept's number, or one of the bag's words */
};

struct text_bag {
    const struct lexicon *lexicon;
    struct stemmers *stemmers;
    struct arena *scratch; /* emptied at each text_bag_fill */
    struct bag_entry *entries;
    size_t n_entries;
    uint32_t *places; /* by hash of the term: an entry + 1, or 0 */
    size_t places_mask, entries_room;
    struct str *words; /* as written in the sources, for labels; in the scratch */
    size_t n_words, words_room;
};

enum err_code text_bag_init(struct text_bag *bag, const struct lexicon *lexicon, struct err *err);
void text_bag_fini(struct text_bag *bag); /* zeroed is fine */
/* Empties the bag and reads the sources; entries hold the outcome in `most`. ERR_BUSY only. */
enum err_code text_bag_fill(struct text_bag *bag, const struct text_source *sources,
                            size_t n_sources, struct err *err);

#endif
