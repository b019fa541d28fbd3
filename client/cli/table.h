#ifndef JML_TABLE_H
#define JML_TABLE_H

#include "cli.h"
#include "str.h"

/*
 * table: rows out: for people by libsmartcols, for programs as JSON lines, CSV or TSV.
 *
 * Columns have a key (for JSON and CSV: stable, English) and a heading (for people: in their
 * language). Cells are text; numbers are given twice where they look different to people.
 */
struct table;
enum table_flags { TABLE_RIGHT = 1 << 0, TABLE_WRAP = 1 << 1, TABLE_NUMBER = 1 << 2 };

struct table *table_begin(struct cli *cli);
void table_column(struct table *table, const char *key, struct str heading, unsigned flags);
void table_row(struct table *table);
void table_cell(struct table *table, struct str text);  /* the next cell of the row */
void table_number(struct table *table, int64_t number); /* grouped for people */
void table_cell_as(struct table *table, struct str raw, struct str shown);
/* Prints and ends it. */
void table_end(struct table *table);
/* The same; people read the message `empty` where there is no row. */
void table_end_or(struct table *table, const char *empty);

#endif
