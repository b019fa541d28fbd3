#include "sheet.h"

#include "quote.h"

#include <inttypes.h>

enum { ARENA_BYTES_MAX = 256 * 1024 * 1024, CELL_BYTES_MAX = 64 * 1024 };

static size_t
line_of_byte(struct str bytes, size_t at)
{
    size_t line = 1;

    for (size_t i = 0; i < at; i++)
        line += bytes.data[i] == '\n';
    return line;
}

static enum err_code
check_text(const char *name, struct str bytes, struct err *err)
{
    size_t at = 0;

    if (bytes.len > SHEET_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "%s has %zu bytes; at most %d are read", name, bytes.len,
                       SHEET_BYTES_MAX);
    if (str_is_utf8(bytes))
        return ERR_OK;
    for (size_t end; at < bytes.len;
         at = end + 1) { /* a line at a time: UTF-8 has no newline inside */
        end = str_find(bytes, '\n', at);
        if (!str_is_utf8((struct str){bytes.data + at, end - at}))
            break;
    }
    return err_set(err, ERR_INVALID_PARAMS, "line %zu of %s is not UTF-8; save it as UTF-8",
                   line_of_byte(bytes, at), name);
}

static enum err_code
check_header(const struct sheet *sheet, struct err *err)
{
    const struct csv_row *header = sheet->table.rows;

    for (size_t i = 0; i < header->n_cells; i++) {
        struct str name = str_trim(header->cells[i]);

        if (name.len == 0)
            return err_set(err, ERR_INVALID_PARAMS, "column %zu of %s has no name in line %zu",
                           i + 1, sheet->name, header->line);
        for (size_t j = 0; j < i; j++)
            if (str_equal(name, str_trim(header->cells[j])))
                return err_set(err, ERR_INVALID_PARAMS, "%s has two columns %s", sheet->name,
                               quote(name).text);
    }
    return ERR_OK;
}

static enum err_code
check_rows(const struct sheet *sheet, size_t rows_max, struct err *err)
{
    if (sheet->n_rows > rows_max)
        return err_set(err, ERR_INVALID_PARAMS, "line %zu of %s is over the limit of %zu rows",
                       sheet_line(sheet, rows_max), sheet->name, rows_max);
    for (size_t i = 0; i < sheet->n_rows; i++)
        if (sheet->table.rows[i + 1].n_cells > sheet->table.rows[0].n_cells)
            return err_set(err, ERR_INVALID_PARAMS,
                           "line %zu of %s has %zu cells, but the header has %zu; put a cell that "
                           "holds a comma in double quotes",
                           sheet_line(sheet, i), sheet->name, sheet->table.rows[i + 1].n_cells,
                           sheet->table.rows[0].n_cells);
    return ERR_OK;
}

static enum err_code
decode(struct sheet *sheet, const char *name, struct str bytes, size_t rows_max, struct err *err)
{
    struct csv_form form = {.encoding = CSV_UTF8, .separator = ','};
    struct csv_limits limits = {.bytes = SHEET_BYTES_MAX,
                                .rows = rows_max + 2, /* so that we can name the line */
                                .columns = SHEET_COLUMNS_MAX,
                                .cell_bytes = CELL_BYTES_MAX};

    enum err_code code;

    sheet->name = arena_text(sheet->arena, str_from(name));
    if (sheet->name == NULL)
        return err_no_memory(err);
    if (bytes.len >= 3 && memcmp(bytes.data, "\xEF\xBB\xBF", 3) == 0)
        form.encoding = CSV_UTF8_BOM;
    code = csv_decode(bytes, &form, &limits, sheet->arena, &sheet->table, err);
    if (code != ERR_OK)
        return code;
    if (sheet->table.n_rows == 0)
        return err_set(err, ERR_INVALID_PARAMS, "%s is empty; its first line must name the columns",
                       name);
    sheet->n_rows = sheet->table.n_rows - 1;
    return ERR_OK;
}

enum err_code
sheet_open(const char *name, struct str bytes, size_t rows_max, struct sheet *sheet,
           struct err *err)
{
    struct sheet opened = {.arena = NULL};
    enum err_code code = check_text(name, bytes, err);

    if (code != ERR_OK)
        return code;
    opened.arena = arena_create(ARENA_BYTES_MAX);
    if (opened.arena == NULL)
        return err_no_memory(err);
    code = decode(&opened, name, bytes, rows_max, err);
    if (code == ERR_OK)
        code = check_header(&opened, err);
    if (code == ERR_OK)
        code = check_rows(&opened, rows_max, err);
    if (code != ERR_OK) {
        sheet_close(&opened);
        return code;
    }
    *sheet = opened;
    return ERR_OK;
}

void
sheet_close(struct sheet *sheet)
{
    arena_destroy(sheet->arena);
    *sheet = (struct sheet){.arena = NULL};
}

int
sheet_column(const struct sheet *sheet, const char *name)
{
    for (int i = 0; i < sheet_columns(sheet); i++)
        if (str_is(sheet_column_name(sheet, i), name))
            return i;
    return SHEET_NO_COLUMN;
}

enum err_code
sheet_need_column(const struct sheet *sheet, const char *name, int *column, struct err *err)
{
    int found = sheet_column(sheet, name);

    if (found == SHEET_NO_COLUMN)
        return err_set(err, ERR_INVALID_PARAMS,
                       "%s has no column \"%s\"; its first line must name it", sheet->name, name);
    *column = found;
    return ERR_OK;
}

struct str
sheet_column_name(const struct sheet *sheet, int column)
{
    return str_trim(sheet->table.rows[0].cells[column]);
}

int
sheet_columns(const struct sheet *sheet)
{
    return (int)sheet->table.rows[0].n_cells;
}

struct str
sheet_cell(const struct sheet *sheet, size_t row, int column)
{
    const struct csv_row *cells;

    if (column < 0 || row >= sheet->n_rows)
        return (struct str){NULL, 0};
    cells = &sheet->table.rows[row + 1];
    return (size_t)column < cells->n_cells ? str_trim(cells->cells[column]) : (struct str){NULL, 0};
}

size_t
sheet_line(const struct sheet *sheet, size_t row)
{
    return sheet->table.rows[row + 1].line;
}

/* A decimal whole number of at most 18 digits. */
static bool
parse_number(struct str text, int64_t *number)
{
    bool is_negative = text.len > 0 && text.data[0] == '-';
    size_t from = is_negative ? 1 : 0;
    int64_t value = 0;

    if (text.len <= from || text.len - from > 18)
        return false;
    for (size_t i = from; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (text.data[i] - '0');
    }
    *number = is_negative ? -value : value;
    return true;
}

enum err_code
sheet_number(const struct sheet *sheet, size_t row, int column, int64_t min, int64_t max,
             int64_t *number, struct err *err)
{
    struct str cell = sheet_cell(sheet, row, column);
    int64_t value;

    if (!parse_number(cell, &value) || value < min || value > max)
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %zu of %s: %.*s is %s; write a whole number from %" PRId64
                       " to %" PRId64,
                       sheet_line(sheet, row), sheet->name,
                       STR_ARG(sheet_column_name(sheet, column)), quote(cell).text, min, max);
    *number = value;
    return ERR_OK;
}
