#ifndef JML_CELLS_H
#define JML_CELLS_H

#include "arena.h"
#include "err.h"
#include "reference.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * cells: what people write into spreadsheets, read as values.
 *
 * A cell that can be read in two ways is an error that says so (a doubtful value is reported, never
 * guessed): 03/04/2025 without an order of day and month, 1.500 without a decimal mark. Pure; results in
 * the arena. ERR_INVALID_PARAMS with a sentence.
 */
enum date_order { DATE_ORDER_UNKNOWN, DATE_ORDER_DMY, DATE_ORDER_MDY, DATE_ORDER_YMD };
enum decimal_mark { DECIMAL_UNKNOWN, DECIMAL_COMMA, DECIMAL_POINT };

/* Whole number; "1 500", "1.500.000", "12,0" (a fraction of zero) are read, "12,5" is refused. */
enum err_code cell_number(struct str cell, enum decimal_mark decimal, int64_t *out,
                          struct err *err);

struct cell_money {
    int64_t min, max;
    struct str currency; /* code */
};
/* "1 500 000 €", "1,5 M€", "500 k€", "$2M", "1.500.000 EUR", "500 000 à 1 000 000 €". preset: the
 * currency of a cell that names none; empty: that is an error. */
enum err_code cell_money(struct str cell, enum decimal_mark decimal, struct str preset,
                         const struct reference *reference, struct arena *arena,
                         struct cell_money *out, struct err *err);

/* "31/12/2025", "31.12.2025", "2025-12-31", "12/2025", "2025" → "2025-12-31", "2025-12", "2025". */
enum err_code cell_date(struct str cell, enum date_order order, struct arena *arena,
                        struct str *out, struct err *err);

/* oui, non, yes, no, vrai, faux, true, false, x, 1, 0. */
enum err_code cell_bool(struct str cell, bool *out, struct err *err);

/* Letters and digits of a name as an id: "Café Noé (Paris)" → "cafe-noe-paris". Empty if none is left. */
enum err_code cell_slug(struct str cell, struct str prefix, struct arena *arena, struct str *out,
                        struct err *err);

/* The same text with every kind of no-break or thin space as a plain one, trimmed. */
struct str cell_plain(struct str cell, struct arena *arena);

#endif
