#ifndef JML_LEXICON_H
#define JML_LEXICON_H

#include "arena.h"
#include "digest.h"
#include "err.h"
#include "str.h"
#include "vocabulary.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * lexicon: what words mean the same in French and English, which say nothing, and which are rare.
 *
 * Made of the files of data/lexicon (glossary, stop words, elisions, document frequencies) and, where
 * a site has built it, its table from a bilingual dictionary. Its digest names all of it. Read-only
 * after parsing; any thread. The snowball stemmers that it holds are not thread-safe, hence the
 * lexicon_reader: one a thread.
 */
enum lexicon_file {
    LEXICON_GLOSSARY, /* glossary.csv: concept,en,fr */
    LEXICON_STOPWORDS_EN,
    LEXICON_STOPWORDS_FR,
    LEXICON_ELISIONS_FR,
    LEXICON_FREQUENCIES, /* frequencies.csv: term,documents (first row: *, number of documents) */
    LEXICON_TOPICS,      /* topics.csv: term,pulls; may be empty */
    LEXICON_SITE,        /* site table, may be empty: pairs of stems en,fr,weight */
    LEXICON_FILE_COUNT
};
const char *lexicon_file_name(int file); /* path below data/lexicon */

struct lexicon;
struct lexicon_reader;

enum err_code lexicon_parse(const struct str files[LEXICON_FILE_COUNT], struct lexicon **out,
                            struct err *err);
void lexicon_destroy(struct lexicon *lexicon);
/* Of the files and of TEXT_VECTOR_FORMULA: what the vectors of a text depend on. The second needs no
 * parsing. */
struct digest lexicon_digest(const struct lexicon *lexicon);
struct digest lexicon_files_digest(const struct str files[LEXICON_FILE_COUNT]);
struct lexicon_reader *lexicon_reader_create(const struct lexicon *lexicon); /* NULL: no memory */
void lexicon_reader_destroy(struct lexicon_reader *reader);

/*
 * The text vector of a profile: integer weights by term, a fixed function of its texts, its tags and
 * the lexicon. A term is named by 32 bits of a hash of its text (terms that collide are one term: this
 * is part of the definition). Terms ascending, weights 1..TEXT_WEIGHT_MAX, at most TEXT_TERMS_MAX of
 * them, sum of squares < 2^31.
 */
enum { TEXT_TERMS_MAX = 256, TEXT_WEIGHT_MAX = 2047 };
/* Counts the changes to the making of vectors in code: one more whenever a weight may differ. */
enum { TEXT_VECTOR_FORMULA = 1 };

struct text_term {
    uint32_t term;
    uint16_t weight;
};

struct text_vector {
    const uint32_t *terms; /* n of each */
    const uint16_t *weights;
    uint32_t n;
    uint32_t norm2; /* sum of squares, < 2^31 */
};

struct text_source {
    struct str lang; /* ISO 639-1; empty for tags (tried in both languages) */
    struct str text;
};

/* In the arena. ERR_BUSY if memory ends. n 0 is a vector of no terms (missing). */
enum err_code text_vector_make(struct lexicon_reader *reader, const struct text_source *sources,
                               size_t n_sources, struct arena *arena, struct text_vector *out,
                               struct err *err);
int64_t text_vector_dot(const struct text_vector *a, const struct text_vector *b);
/* min(10000, 10000 * dot / isqrt(norm2 a * norm2 b)); both non-empty. */
int32_t text_vector_quality(const struct text_vector *a, const struct text_vector *b);
/* The same of a dot product that is known. */
int32_t text_dot_quality(int64_t dot, uint32_t a_norm2, uint32_t b_norm2);

/* No less than the root of the sum of squares of its character grams' weights; 0 without grams. They are
 * the first *n_grams of its terms. */
uint32_t text_gram_root(const struct text_vector *vector, uint32_t *n_grams);

/* The stored form: u32 count, then per term u32 term, u16 weight, little-endian. */
size_t text_vector_bytes(const struct text_vector *vector);
void text_vector_write(const struct text_vector *vector, uint8_t *out);
/* Checks order, bounds and sum (ERR_INTERNAL). terms/weights are copied into the arena. */
enum err_code text_vector_read(struct str bytes, struct arena *arena, struct text_vector *out,
                               struct err *err);
/* The same in two steps: how many terms there are, then into arrays of so many. */
enum err_code text_vector_count(struct str bytes, uint32_t *n, struct err *err);
enum err_code text_vector_unpack(struct str bytes, uint32_t *terms, uint16_t *weights,
                                 struct text_vector *out, struct err *err);

/* For the evidence: the shared terms of two profiles' texts that bring most to the dot product, most
 * first, ties bytewise, as readable words (a concept's form in `lang`, else the word as written). Letters
 * or topics in common are no words: where nothing else is shared, the list is empty. */
struct text_shared {
    struct str word;
    int64_t product;
};
enum err_code text_shared_terms(struct lexicon_reader *reader, const struct text_source *a,
                                size_t n_a, const struct text_source *b, size_t n_b, enum lang lang,
                                size_t most, struct arena *arena, struct text_shared **out,
                                size_t *n, struct err *err);

uint64_t isqrt_u64(uint64_t x); /* floor of the square root */

#endif
