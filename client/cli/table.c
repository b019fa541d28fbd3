#include "table.h"

#include "csv_reader.h"
#include "json.h"
#include "page.h"
#include "tell.h"

#include <libsmartcols/libsmartcols.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 24 };

struct column {
    const char *key;
    struct str heading;
    unsigned flags;
};

struct cell {
    struct str raw, shown;
};

struct table {
    struct cli *cli;
    struct column columns[COLUMNS_MAX];
    size_t n_columns;
    struct cell *cells; /* n_rows * n_columns */
    size_t n_cells, room, n_rows;
};

struct table *
table_begin(struct cli *cli)
{
    struct table *table = arena_alloc(cli->arena, 1, sizeof *table);

    if (table == NULL)
        fail_memory();
    table->cli = cli;
    return table;
}

void
table_column(struct table *table, const char *key, struct str heading, unsigned flags)
{
    if (table->n_columns < COLUMNS_MAX)
        table->columns[table->n_columns++] = (struct column){key, heading, flags};
}

void
table_row(struct table *table)
{
    while (table->n_cells % table->n_columns != 0) /* cells left out of the row before */
        table_cell(table, STR_LIT(""));
    table->n_rows++;
}

void
table_cell_as(struct table *table, struct str raw, struct str shown)
{
    if (table->n_cells == table->room) {
        size_t room = table->room != 0 ? table->room * 2 : 64;
        struct cell *cells = arena_alloc(table->cli->arena, room, sizeof *cells);

        if (cells == NULL)
            fail_memory();
        if (table->n_cells != 0)
            memcpy(cells, table->cells, table->n_cells * sizeof *cells);
        table->cells = cells;
        table->room = room;
    }
    table->cells[table->n_cells++] = (struct cell){raw, shown};
}

void
table_cell(struct table *table, struct str text)
{
    struct str copy = arena_str(table->cli->arena, text);

    table_cell_as(table, copy, copy);
}

void
table_number(struct table *table, int64_t number)
{
    table_cell_as(table, arena_format(table->cli->arena, "%" PRId64, number),
                  tell_number(table->cli, number));
}

/* ---- for programs ---- */

static void
print_separated(const struct table *table, char separator)
{
    const char *line_end = separator == '\t' ? "\n" : "\r\n"; /* CSV as RFC 4180 has it */
    struct buf line;

    buf_init(&line, 64 * 1024 * 1024);
    for (size_t i = 0; i < table->n_columns; i++) {
        if (i > 0)
            buf_append_char(&line, separator);
        csv_encode_cell(&line, str_from(table->columns[i].key), separator);
    }
    buf_append_text(&line, line_end);
    for (size_t i = 0; i < table->n_cells; i++) {
        csv_encode_cell(&line, table->cells[i].raw, separator);
        if ((i + 1) % table->n_columns == 0)
            buf_append_text(&line, line_end);
        else
            buf_append_char(&line, separator);
    }
    fwrite(line.data, 1, line.len, stdout);
    buf_fini(&line);
}

static void
pack_cell(struct buf *out, const struct column *column, struct str raw)
{
    pack_key(out, column->key);
    if (raw.len == 0)
        pack_nil(out);
    else if (column->flags & TABLE_NUMBER)
        pack_int(out, strtoll(raw.data, NULL, 10));
    else
        pack_str(out, raw);
}

static void
print_lines(const struct table *table)
{
    struct buf packed, text;

    buf_init(&packed, 64 * 1024 * 1024);
    buf_init(&text, 64 * 1024 * 1024);
    for (size_t row = 0; row < table->n_rows; row++) {
        const msgpack_object *value;
        struct err err = {0};

        buf_clear(&packed);
        pack_map(&packed, table->n_columns);
        for (size_t i = 0; i < table->n_columns; i++)
            pack_cell(&packed, &table->columns[i], table->cells[row * table->n_columns + i].raw);
        if (value_decode(packed.data, packed.len, &value_limits_default, table->cli->arena, &value,
                         &err) != ERR_OK)
            fail_memory();
        json_encode(&text, value, JSON_COMPACT);
        buf_append_char(&text, '\n');
    }
    fwrite(text.data != NULL ? text.data : "", 1, text.len, stdout);
    buf_fini(&packed);
    buf_fini(&text);
}

/* ---- for people ---- */

static char *
terminated(const struct table *table, struct str s)
{
    char *text = arena_text(table->cli->arena, s);

    if (text == NULL)
        fail_memory();
    return text;
}

static void
print_table(const struct table *table)
{
    struct libscols_table *shown = scols_new_table();

    if (shown == NULL)
        fail_memory();
    scols_table_enable_nolinesep(shown, 0);
    if (!table->cli->is_terminal)
        scols_table_set_termforce(shown, SCOLS_TERMFORCE_NEVER);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *column = &table->columns[i];
        int flags = (column->flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
                    (column->flags & TABLE_WRAP ? SCOLS_FL_WRAP : 0);

        if (scols_table_new_column(shown, terminated(table, column->heading), 0, flags) == NULL)
            fail_memory();
    }
    for (size_t row = 0; row < table->n_rows; row++) {
        struct libscols_line *line = scols_table_new_line(shown, NULL);

        if (line == NULL)
            fail_memory();
        for (size_t i = 0; i < table->n_columns; i++)
            scols_line_set_data(line, i,
                                terminated(table, table->cells[row * table->n_columns + i].shown));
    }
    scols_print_table(shown);
    scols_unref_table(shown);
}

void
table_end(struct table *table)
{
    while (table->n_rows > 0 && table->n_cells < table->n_rows * table->n_columns)
        table_cell(table, STR_LIT(""));
    switch (table->cli->format) {
    case FORMAT_TABLE:
        print_table(table);
        return;
    case FORMAT_JSON:
        print_lines(table);
        return;
    case FORMAT_CSV:
        print_separated(table, ',');
        return;
    case FORMAT_TSV:
        print_separated(table, '\t');
        return;
    }
}

void
table_end_or(struct table *table, const char *empty)
{
    if (table->n_rows > 0 || table->cli->format != FORMAT_TABLE)
        table_end(table);
    else
        page_text(table->cli, 0, STR_LIT(""), tell_text(table->cli, empty));
}
