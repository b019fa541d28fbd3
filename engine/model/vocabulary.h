#ifndef JML_VOCABULARY_H
#define JML_VOCABULARY_H

#include "arena.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * vocabulary: the rows of one CSV of data/, by code.
 *
 * Columns `code`, `label_en`, `label_fr`, `synonyms_en`, `synonyms_fr` (split at `;`), others by
 * name. At most 4,096 rows. Built once from the file's bytes, then read-only: any thread may read.
 * Owner: the reference that holds it.
 */
enum lang { LANG_EN, LANG_FR, LANG_COUNT };
enum lang lang_parse(struct str code, enum lang otherwise); /* "fr", "fr_FR.UTF-8" → LANG_FR */
const char *lang_code(enum lang lang);

enum { VOCABULARY_ROWS_MAX = 4096, VOCABULARY_NONE = -1 };

struct vocabulary;

/* name goes into errors. ERR_INVALID_PARAMS with line: no `code` column, a code twice, a code that
 * is not [a-z0-9][a-z0-9._-]* (upper case allowed for countries and currencies), too many rows,
 * text that is no UTF-8, a bad number in `order`, `positive`, `latitude`, `longitude`. */
enum err_code vocabulary_parse(const char *name, struct str bytes, struct vocabulary **out,
                               struct err *err);
void vocabulary_destroy(struct vocabulary *vocabulary);

const char *vocabulary_name(const struct vocabulary *vocabulary);
size_t vocabulary_size(const struct vocabulary *vocabulary);
int vocabulary_find(const struct vocabulary *vocabulary, struct str code); /* row or _NONE */
struct str vocabulary_code(const struct vocabulary *vocabulary, int row);
struct str vocabulary_label(const struct vocabulary *vocabulary, int row, enum lang lang);
/* Any column as written; empty if there is no such column. */
struct str vocabulary_cell(const struct vocabulary *vocabulary, int row, const char *column);
bool vocabulary_has_column(const struct vocabulary *vocabulary, const char *column);
/* Column `order`: false for a code without a place in it. */
bool vocabulary_order(const struct vocabulary *vocabulary, int row, int32_t *order);
bool vocabulary_is_positive(const struct vocabulary *vocabulary, int row); /* column `positive` */

/* The row whose code, label or synonym (or, in a column `symbols`, sign such as €) equals text once
 * folded (fold.h), in either language: a code before a label before a synonym. _NONE if none, or if
 * two rows bear it with equal right. What an import goes by. */
int vocabulary_recognise(const struct vocabulary *vocabulary, struct str text);
/* The row nearest to text by code, label or synonym (str_distance on the folded forms, at most a
 * third of the length), for "did you mean"; _NONE if nothing is near. */
int vocabulary_nearest(const struct vocabulary *vocabulary, struct str text);

/* `group.leaf` → `group`; a bare group is its own. */
struct str code_group(struct str code);

#endif
