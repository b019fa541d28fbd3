#ifndef JML_DOCUMENTS_H
#define JML_DOCUMENTS_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * documents: every text of our own that frequencies and topics are counted in: each concept of the
 * glossary and each row of the vocabularies, in each language, each theme (themes.csv), and each
 * description of the sample profiles. In a fixed order; what is handed over lives until the visit returns.
 */
enum { DOCUMENT_TOPICS_MAX = 3 };

struct document {
    struct str lang, text;
    struct str concept;                     /* a row of the glossary; else empty */
    struct str topics[DOCUMENT_TOPICS_MAX]; /* what it is about: "sectors.food.farm" */
    size_t n_topics;
    bool is_definition; /* a row of a vocabulary: its one topic's own words */
};

typedef enum err_code document_visit(void *context, const struct document *document,
                                     struct err *err);
/* data: the data folder. Stops at the first failure. */
enum err_code documents_visit(const char *data, document_visit *visit, void *context,
                              struct err *err);

#endif
