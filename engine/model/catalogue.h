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
 * `<code>/help`; any column `<part>_en` with its `<part>_fr`). Read-only after parsing.
 */
struct catalogue;

/* err->field names the file that is at fault. */
enum err_code catalogue_parse(struct str messages_csv, struct str phrases_csv,
                              struct catalogue **out, struct err *err);
void catalogue_destroy(struct catalogue *catalogue);
/* The text; empty if there is no such key. */
struct str catalogue_text(const struct catalogue *catalogue, const char *key, enum lang lang);

/* Is code a row of phrases.csv? */
bool catalogue_has_phrase(const struct catalogue *catalogue, struct str code);
/* The code of the row nearest to it, for "did you mean"; empty if none is near. */
struct str catalogue_nearest_phrase(const struct catalogue *catalogue, struct str code);

struct catalogue_argument {
    const char *name; /* the {placeholder}; the list ends with NULL */
    struct str value;
};
/* The text with its placeholders filled, in the arena; an unknown placeholder stays as written. Data
 * NULL if memory ends or it would be longer than 64 KiB. */
struct str catalogue_format(const struct catalogue *catalogue, const char *key, enum lang lang,
                            const struct catalogue_argument *arguments, struct arena *arena);

#endif
