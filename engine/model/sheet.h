#ifndef JML_SHEET_H
#define JML_SHEET_H

#include "arena.h"
#include "csv_reader.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * sheet: one of our own CSV files: a header row of column names, then rows by number from 0.
 *
 * UTF-8 with commas; a row has no more cells than the header, missing cells are empty. Cells come
 * without white space at their ends. In place: sheet_close releases everything, cells included.
 * Read-only after sheet_open; any thread.
 */
struct sheet {
    struct arena *arena; /* of the cells; room for what is built from them */
    const char *name;    /* into errors, copied */
    struct csv_table table;
    size_t n_rows; /* without the header */
};

enum { SHEET_BYTES_MAX = 8 * 1024 * 1024, SHEET_COLUMNS_MAX = 64, SHEET_NO_COLUMN = -1 };

/* ERR_INVALID_PARAMS or ERR_TOO_LARGE with the line: no text, no UTF-8, a column name twice or empty,
 * a row that is too long, more than rows_max rows. Nothing to close after a failure. */
enum err_code sheet_open(const char *name, struct str bytes, size_t rows_max, struct sheet *sheet,
                         struct err *err);
void sheet_close(struct sheet *sheet); /* zeroed is fine */

int sheet_column(const struct sheet *sheet, const char *name); /* SHEET_NO_COLUMN if absent */
/* The same; an absent column is ERR_INVALID_PARAMS. */
enum err_code sheet_need_column(const struct sheet *sheet, const char *name, int *column,
                                struct err *err);
struct str sheet_column_name(const struct sheet *sheet, int column);
int sheet_columns(const struct sheet *sheet);
struct str sheet_cell(const struct sheet *sheet, size_t row, int column); /* no column: empty */
size_t sheet_line(const struct sheet *sheet, size_t row);
/* The cell as a whole number from min to max; an empty cell is an error. */
enum err_code sheet_number(const struct sheet *sheet, size_t row, int column, int64_t min,
                           int64_t max, int64_t *number, struct err *err);

#endif
