#ifndef JML_CSV_READER_H
#define JML_CSV_READER_H

#include "arena.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * csv: rows of cells by libcsv (RFC 4180 quoting), from bytes whose encoding and separator were found
 * out (csv_detect) or told.
 *
 * Lines end in LF, CR LF or CR. Rows keep the number of the line they start on. A quote inside a cell
 * that does not begin with one is a character as any other. Bounds: csv_limits. Everything lives in
 * the arena. Errors name the line in the sentence: "line 12: …". Pure.
 */
enum csv_encoding { CSV_UTF8, CSV_UTF8_BOM, CSV_WINDOWS_1252 };

struct csv_form {
    enum csv_encoding encoding;
    char separator; /* ',' ';' or tab */
};

struct csv_limits {
    size_t bytes, rows, columns, cell_bytes; /* rows with the header, without empty ones */
};
extern const struct csv_limits csv_limits_default; /* 256 MiB, 2,000,000 rows, 512, 64 KiB */

struct csv_row {
    struct str *cells; /* UTF-8, as written, not trimmed */
    size_t n_cells;
    size_t line; /* 1-based line in the file where the row starts */
};

struct csv_table {
    struct csv_row *rows; /* the header is row 0; rows of nothing but empty cells are left out */
    size_t n_rows;
    struct csv_form form;
};

/* Valid UTF-8 (with or without BOM), else Windows-1252; the separator that occurs most, outside
 * quotes, in the first row that is not empty (or that a first line such as "sep=;", which
 * spreadsheets write, names). ERR_INVALID_PARAMS if the bytes are no CSV and what they look like
 * (".xlsx: save it as CSV, or install xlsx2csv"), and if they are mostly UTF-8 but broken in a place:
 * to read those as Windows-1252 would spoil every accent. */
enum err_code csv_detect(struct str bytes, struct csv_form *form, struct err *err);
/* ERR_INVALID_PARAMS: a quote never closed, text after a closing quote, a byte that the encoding
 * does not have; ERR_TOO_LARGE over a limit. An empty file has no rows. A "sep=;" line is no row. */
enum err_code csv_decode(struct str bytes, const struct csv_form *form,
                         const struct csv_limits *limits, struct arena *arena,
                         struct csv_table *table, struct err *err);

/* One cell out, quoted as needed; one that a spreadsheet would run as a formula (starts with
 * = + - @ tab CR and is no plain number) gets a single quote before it. */
struct buf;
void csv_encode_cell(struct buf *out, struct str cell, char separator);

#endif
