#ifndef JML_COUNTS_H
#define JML_COUNTS_H

#include "arena.h"
#include "buf.h"
#include "documents.h"
#include "text_bag.h"

#include <stddef.h>
#include <stdint.h>

/*
 * counts: the terms of all documents by name, how many documents hold each, and with which topics.
 *
 * The bag tells the terms of a document by number only; names are made here, from every word's stem
 * and grams, and from the glossary's concepts.
 */
struct met { /* a term met a topic: how much of its documents */
    uint32_t topic;
    uint32_t share_6; /* sixths: a description gives 6, in equal parts, a definition 12 */
    struct met *next;
};
struct counted {
    uint32_t term, documents;
    const char *name;
    struct met *met;
};

struct counts {
    struct text_bag bag;
    struct stemmers *stemmers;
    struct arena *arena;
    struct counted **places; /* by term; open addressing */
    size_t mask, n;
    uint32_t n_documents;
    struct str *topics; /* names, by number */
    size_t n_topics, topics_room;
};

enum err_code counts_make(const char *data, const struct lexicon *lexicon, struct counts *counts,
                          struct err *err);
void counts_fini(struct counts *counts); /* zeroed is fine */
/* All counted terms, by name, in the arena. */
enum err_code counts_by_name(struct counts *counts, struct counted ***list, size_t *n,
                             struct err *err);

#endif
