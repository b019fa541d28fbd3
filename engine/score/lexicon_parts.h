#ifndef JML_LEXICON_PARTS_H
#define JML_LEXICON_PARTS_H

#include "arena.h"
#include "key_table.h"
#include "lexicon_index.h"

/* lexicon_parts: a lexicon from inside, for lexicon.c and lexicon_parse.c only. */

struct concept {
    struct str code;
    struct str forms[LANG_COUNT]; /* the first of each language, as written; may be empty */
    uint32_t term;
};
struct named { /* a link of the list of concepts that a phrase names */
    uint32_t concept;
    int32_t next;
};

struct lexicon {
    struct digest digest;
    struct arena *arena; /* the glossary's text, and nothing else once parsed */
    struct concept *concepts;
    size_t n_concepts;
    struct key_table phrases;
    struct named *named;
    size_t n_named;
    struct key_table stops[LANG_COUNT], elisions;
    struct key_table documents; /* by term + 1, since 0 is a term */
    uint32_t n_documents;
    struct key_table topics; /* by term + 1 */
    struct pull *pulls;
    size_t n_pulls;
    struct key_table site;
    struct translation *translations;
    size_t n_translations;
};

uint64_t lexicon_word_key(struct str folded);

#endif
