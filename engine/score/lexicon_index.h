#ifndef JML_LEXICON_INDEX_H
#define JML_LEXICON_INDEX_H

#include "lexicon.h"
#include "str.h"
#include "words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * lexicon_index: what the making of vectors asks a lexicon. Private to score/.
 *
 * A *phrase key* names up to PHRASE_WORDS_MAX stems of one language by 64 bits: FNV-1a over the
 * language and the stems, each ended by a space. Keys that collide would be one phrase; among the
 * some 50,000 of a full lexicon the chance of one such pair is below 10^-9.
 *
 * A *term* is named by 32 bits: three of class, 29 of FNV-1a of its text, folded as FNV's authors
 * advise ((h >> 29) ^ (h & 0x1fffffff)).
 */
enum { PHRASE_WORDS_MAX = 4 };

enum term_class { TERM_GRAM3, TERM_GRAM4, TERM_STEM, TERM_CONCEPT, TERM_TOPIC };
enum { TERM_CLASS_COUNT = TERM_TOPIC + 1, TERM_HASH_BITS = 29 };

uint32_t term_of(enum term_class class, struct str text);
static inline enum term_class
term_class_of(uint32_t term)
{
    return (enum term_class)(term >> TERM_HASH_BITS);
}

uint64_t phrase_begin(enum lang lang);
uint64_t phrase_add(uint64_t key, struct str stem);

/* The concepts that a phrase names: a list by index, -1 at its end. */
int32_t lexicon_find(const struct lexicon *lexicon, uint64_t phrase);
uint32_t lexicon_concept(const struct lexicon *lexicon, int32_t at, int32_t *next);
size_t lexicon_concepts(const struct lexicon *lexicon);
uint32_t lexicon_concept_term(const struct lexicon *lexicon, uint32_t concept);
struct str lexicon_concept_code(const struct lexicon *lexicon, uint32_t concept);
struct str lexicon_concept_form(const struct lexicon *lexicon, uint32_t concept, enum lang lang);

/* The translations that the site's table gives for a phrase, likewise. */
struct translation {
    uint64_t phrase;                  /* in the other language, for lexicon_find */
    uint32_t stems[PHRASE_WORDS_MAX]; /* its stem terms */
    uint8_t n_stems;
    uint8_t weight; /* 1..SITE_WEIGHT_MAX, as in the table */
    int32_t next;
};
enum { SITE_WEIGHT_MAX = 12 };
int32_t lexicon_translations(const struct lexicon *lexicon, uint64_t phrase);
const struct translation *lexicon_translation(const struct lexicon *lexicon, int32_t at);

/* The topics that a concept or stem belongs to, each with its pull in thousandths of the term's
 * units. Until one with a topic of 0, which is no topic; NULL: none at all. */
struct pull {
    uint32_t topic; /* a term */
    uint32_t thousandths;
};
enum { PULL_WHOLE = 1000 };
const struct pull *lexicon_pulls(const struct lexicon *lexicon, uint32_t term);

/* Does the word say nothing, in a text of this language? lang LANG_COUNT: in either. */
bool lexicon_drops(const struct lexicon *lexicon, const struct word *word, enum lang lang);

/* Documents that hold the term, of all. What frequencies.csv does not list counts as 1 document, a
 * gram as 5: only terms of two documents and more, and grams of ten and more, are listed. */
uint32_t lexicon_documents(const struct lexicon *lexicon, uint32_t term);
uint32_t lexicon_documents_all(const struct lexicon *lexicon);

/* Sixteenths of log2: exact at powers of two, straight lines between them; x >= 1. */
enum { LOG2_ONE = 16 };
uint32_t log2_16(uint32_t x);
/* Sixteenths: 16 for a term that every document holds, 16 more each time that they get half as many. */
uint32_t rarity_16(uint32_t documents_all, uint32_t documents);

#endif
