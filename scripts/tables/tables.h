#ifndef JML_TABLES_H
#define JML_TABLES_H

#include "arena.h"
#include "buf.h"
#include "err.h"
#include "lexicon_index.h"

/*
 * tables: what jumelage-lexicon makes for the lexicon, by hand or at set-up, never while serving.
 */

/* The lexicon of data/lexicon without its frequencies and without a site's table. */
enum err_code tables_lexicon(const char *data, struct lexicon **out, struct err *err);

/* site.csv from two dictionaries in the form of dictd, unpacked: English to French and back.
 * n_pairs: rows written. */
struct dictionary_files {
    struct str en_fr, en_fr_index, fr_en, fr_en_index;
};
enum err_code tables_site(const struct dictionary_files *files, const struct lexicon *lexicon,
                          struct buf *out, size_t *n_pairs, struct err *err);

/* frequencies.csv and topics.csv from the vocabularies, the glossary and the profiles of the data
 * folder. */
enum err_code tables_count(const char *data, const struct lexicon *lexicon, struct buf *frequencies,
                           struct buf *topics, size_t *n_terms, size_t *n_pulls, struct err *err);

#endif
