#ifndef JML_CATALOGUE_H
#define JML_CATALOGUE_H

#include "arena.h"
#include "err.h"
#include "str.h"
#include "vocabulary.h"

/*
 * catalogue: sentences by key in both languages, with {placeholders}.
 *
 * From data/messages/messages.csv (`key,en,fr`) and data/phrases.csv (`code,label_en,…`, whose
 * columns become keys `<code>/label`, `<code>/for`, `<code>/against`, `<code>/unknown`,
 * `<code>/help`). Read-only after parsing.
 */
struct catalogue;

enum err_code catalogue_parse(struct str messages_csv, struct str phrases_csv,
                              struct catalogue **out, struct err *err);
void catalogue_destroy(struct catalogue *catalogue);
/* The text; empty if there is no such key. */
struct str catalogue_text(const struct catalogue *catalogue, const char *key, enum lang lang);

struct catalogue_argument {
    const char *name; /* the {placeholder}; the list ends with NULL */
    struct str value;
};
/* The text with its placeholders filled; an unknown placeholder stays as written. */
struct str catalogue_format(const struct catalogue *catalogue, const char *key, enum lang lang,
                            const struct catalogue_argument *arguments, struct arena *arena);

#endif
