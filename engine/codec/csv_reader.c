#include "csv_reader.h"

#include "alloc.h"
#include "buf.h"

#include <csv.h>

/*
 * libcsv takes cells apart; what it doesn't tell is told by a scanner that walks the same bytes
 * just before it: on which line a row starts, where it ends, and what libcsv would swallow without a
 * word (text after a closing quote, a quote never closed). libcsv gets the file row by row, so that
 * its callbacks always know their line.
 */
enum { PIECE_BYTES = 16 * 1024 };

const struct csv_limits csv_limits_default = {
    .bytes = 256 * 1024 * 1024,
    .rows = 2000000,
    .columns = 512,
    .cell_bytes = 64 * 1024,
};

/* Windows-1252 0x80..0x9f; 0 where it has nothing. */
/* clang-format off */
static const uint16_t windows_points[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
    0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
    0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
    0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};
/* clang-format on */

/* What files begin with that are often taken for CSV. */
static const struct {
    const char *bytes;
    size_t n;
    const char *says;
} disguises[] = {
    {"PK\x03\x04", 4, "a .xlsx or .ods file: save it as CSV, or install xlsx2csv"},
    {"\xD0\xCF\x11\xE0", 4, "a .xls file: save it as CSV UTF-8"},
    {"\xFF\xFE", 2, "text in UTF-16: save it as CSV UTF-8"},
    {"\xFE\xFF", 2, "text in UTF-16: save it as CSV UTF-8"},
    {"\x1F\x8B", 2, "a compressed .gz file: unpack it first"},
    {"%PDF", 4, "a PDF: save the table as CSV UTF-8"},
};

static const char separators[] = {',', ';', '\t'};
static const char byte_order_mark[] = "\xEF\xBB\xBF";

enum scan_state { SCAN_ROW_START, SCAN_CELL_START, SCAN_PLAIN, SCAN_QUOTED, SCAN_CLOSED };

struct scan {
    enum scan_state state;
    char separator;
    bool was_cr;       /* the byte before: CR LF is one end of line */
    size_t line;       /* of the next byte */
    size_t row_line;   /* where the row began */
    size_t quote_line; /* where the last quote was opened */
    bool is_faulty;    /* the byte follows a closing quote and is neither separator nor end */
};

/* True if the byte ends a row. */
static bool
scan_byte(struct scan *scan, char c)
{
    bool is_end = c == '\n' || c == '\r', ends_row = false;

    if (scan->state == SCAN_ROW_START && !is_end) {
        scan->row_line = scan->line;
        scan->state = SCAN_CELL_START;
    }
    switch (scan->state) {
    case SCAN_ROW_START:
        ends_row = true;
        break;
    case SCAN_CELL_START:
    case SCAN_PLAIN:
        if (c == '"' && scan->state == SCAN_CELL_START) {
            scan->quote_line = scan->line;
            scan->state = SCAN_QUOTED;
        } else if (is_end) {
            ends_row = true;
        } else {
            scan->state = c == scan->separator ? SCAN_CELL_START : SCAN_PLAIN;
        }
        break;
    case SCAN_QUOTED:
        if (c == '"')
            scan->state = SCAN_CLOSED;
        break;
    case SCAN_CLOSED:
        if (c == '"')
            scan->state = SCAN_QUOTED;
        else if (is_end)
            ends_row = true;
        else if (c == scan->separator)
            scan->state = SCAN_CELL_START;
        else
            scan->is_faulty = true;
        break;
    }
    if (ends_row)
        scan->state = SCAN_ROW_START;
    if (c == '\r' || (c == '\n' && !scan->was_cr))
        scan->line++;
    scan->was_cr = c == '\r';
    return ends_row;
}

static bool
is_separator(char c)
{
    return memchr(separators, c, sizeof separators) != NULL;
}

static struct str
rest(struct str bytes, size_t from)
{
    return (struct str){bytes.data + from, bytes.len - from};
}

static struct str
without_mark(struct str bytes)
{
    return bytes.len >= 3 && memcmp(bytes.data, byte_order_mark, 3) == 0 ? rest(bytes, 3) : bytes;
}

/* The separator that a first line "sep=X" names; 0 if the first line is none such. */
static char
named_separator(struct str text)
{
    if (text.len < 5 || memcmp(text.data, "sep=", 4) != 0 || !is_separator(text.data[4]))
        return 0;
    return text.len == 5 || text.data[5] == '\r' || text.data[5] == '\n' ? text.data[4] : 0;
}

/* How often c separates cells in the first row that has any byte. */
static size_t
count_in_first_row(struct str text, char c)
{
    struct scan scan = {.separator = c, .line = 1};
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool was_at_start = scan.state == SCAN_ROW_START, ends = scan_byte(&scan, text.data[i]);

        n += text.data[i] == c && scan.state != SCAN_QUOTED;
        if (ends && !was_at_start)
            break;
    }
    return n;
}

static char
find_separator(struct str text)
{
    char best = separators[0];
    size_t n_best = 0;

    for (size_t i = 0; i < sizeof separators; i++) {
        size_t n = count_in_first_row(text, separators[i]);

        if (n > n_best) {
            n_best = n;
            best = separators[i];
        }
    }
    return best;
}

static size_t
line_at(struct str text, size_t position)
{
    struct scan scan = {.line = 1};

    for (size_t i = 0; i < position; i++)
        scan_byte(&scan, text.data[i]);
    return scan.line;
}

static enum err_code
check_is_text(struct str bytes, struct err *err)
{
    size_t nul;

    for (size_t i = 0; i < sizeof disguises / sizeof disguises[0]; i++)
        if (bytes.len >= disguises[i].n &&
            memcmp(bytes.data, disguises[i].bytes, disguises[i].n) == 0)
            return err_set(err, ERR_INVALID_PARAMS, "not CSV; it looks like %s", disguises[i].says);
    nul = str_find(bytes, '\0', 0);
    if (nul == bytes.len)
        return ERR_OK;
    if (nul < 2 && bytes.len >= 2)
        return err_set(err, ERR_INVALID_PARAMS,
                       "not CSV; it looks like text in UTF-16: save it as CSV UTF-8");
    return err_set(err, ERR_INVALID_PARAMS, "line %zu: a NUL byte; save the table as CSV UTF-8",
                   line_at(bytes, nul));
}

/*
 * Bytes over 0x7f that are whole characters of UTF-8, and those that are none. In a Windows-1252
 * file the first are rare ("Ã©" in a row); in a damaged UTF-8 file the second are.
 */
static bool
is_mostly_utf8(struct str text)
{
    size_t n_good = 0, n_bad = 0;

    while (text.len != 0) {
        size_t good = str_utf8_prefix(text);

        for (size_t i = 0; i < good; i++)
            n_good += (unsigned char)text.data[i] >= 0xC0;
        text = rest(text, good);
        if (text.len != 0) {
            n_bad++;
            text = rest(text, 1);
        }
    }
    return n_good > n_bad;
}

enum err_code
csv_detect(struct str bytes, struct csv_form *form, struct err *err)
{
    struct str text = without_mark(bytes);
    struct csv_form found = {.encoding = text.len < bytes.len ? CSV_UTF8_BOM : CSV_UTF8};
    enum err_code code = check_is_text(bytes, err);
    size_t good;

    if (code != ERR_OK)
        return code;
    good = str_utf8_prefix(text);
    if (good < text.len && (found.encoding == CSV_UTF8_BOM || is_mostly_utf8(text)))
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %zu: byte 0x%02x is not UTF-8, but the rest is; mend the line, or "
                       "save the table as CSV UTF-8 again",
                       line_at(text, good), (unsigned char)text.data[good]);
    if (good < text.len)
        found.encoding = CSV_WINDOWS_1252;
    found.separator = named_separator(text);
    if (found.separator == 0)
        found.separator = find_separator(text);
    *form = found;
    return ERR_OK;
}

/* What libcsv's callbacks build. */
struct build {
    const struct csv_form *form;
    const struct csv_limits *limits;
    struct arena *arena;
    const struct scan *scan;
    struct str *cells; /* of the row in the making; room for limits->columns */
    size_t n_cells;
    struct csv_row *rows;
    size_t n_rows, room;
    struct buf converted; /* scratch of Windows-1252 */
    enum err_code code;
    struct err *err;
};

static void
append_point(struct buf *out, unsigned point)
{
    if (point < 0x80) {
        buf_append_char(out, (char)point);
    } else if (point < 0x800) {
        buf_append_char(out, (char)(0xC0 | point >> 6));
        buf_append_char(out, (char)(0x80 | (point & 0x3F)));
    } else {
        buf_append_char(out, (char)(0xE0 | point >> 12));
        buf_append_char(out, (char)(0x80 | (point >> 6 & 0x3F)));
        buf_append_char(out, (char)(0x80 | (point & 0x3F)));
    }
}

static enum err_code
convert_windows(struct build *build, struct str *cell)
{
    buf_clear(&build->converted);
    for (size_t i = 0; i < cell->len; i++) {
        unsigned char c = (unsigned char)cell->data[i];
        unsigned point = c >= 0x80 && c < 0xA0 ? windows_points[c - 0x80] : c;

        if (point == 0)
            return err_set(build->err, ERR_INVALID_PARAMS,
                           "line %zu: byte 0x%02x is neither UTF-8 nor Windows-1252; save the "
                           "table as CSV UTF-8",
                           build->scan->row_line, c);
        append_point(&build->converted, point);
    }
    *cell = buf_str(&build->converted);
    return buf_check(&build->converted, build->err);
}

static enum err_code
refuse_long_cell(const struct build *build)
{
    return err_set(build->err, ERR_TOO_LARGE,
                   "line %zu: a cell of more than %zu bytes; is a quote missing?",
                   build->scan->row_line, build->limits->cell_bytes);
}

static enum err_code
add_cell(struct build *build, struct str cell)
{
    struct str copy;
    enum err_code code = ERR_OK;

    if (build->n_cells == build->limits->columns)
        return err_set(build->err, ERR_TOO_LARGE, "line %zu: more than %zu columns",
                       build->scan->row_line, build->limits->columns);
    if (cell.len > build->limits->cell_bytes)
        return refuse_long_cell(build);
    if (build->form->encoding == CSV_WINDOWS_1252)
        code = convert_windows(build, &cell);
    if (code != ERR_OK)
        return code;
    if (!str_is_utf8(cell))
        return err_set(build->err, ERR_INVALID_PARAMS,
                       "line %zu: byte 0x%02x is not UTF-8; save the table as CSV UTF-8",
                       build->scan->row_line, (unsigned char)cell.data[str_utf8_prefix(cell)]);
    copy = arena_str(build->arena, cell);
    if (copy.data == NULL)
        return err_no_memory(build->err);
    build->cells[build->n_cells++] = copy;
    return ERR_OK;
}

static bool
has_text(const struct build *build)
{
    for (size_t i = 0; i < build->n_cells; i++)
        if (str_trim(build->cells[i]).len != 0)
            return true;
    return false;
}

static enum err_code
add_row(struct build *build)
{
    size_t n_cells = build->n_cells;
    struct str *cells;

    build->n_cells = 0;
    if (build->n_rows == build->limits->rows)
        return err_set(build->err, ERR_TOO_LARGE, "line %zu: more than %zu rows",
                       build->scan->row_line, build->limits->rows);
    if (build->n_rows == build->room) {
        size_t room = build->room != 0 ? 2 * build->room : 64;
        struct csv_row *rows = mem_realloc(build->rows, room * sizeof *rows);

        if (rows == NULL)
            return err_no_memory(build->err);
        build->rows = rows;
        build->room = room;
    }
    cells = arena_copy(build->arena, build->cells, n_cells * sizeof *cells);
    if (cells == NULL)
        return err_no_memory(build->err);
    build->rows[build->n_rows++] = (struct csv_row){cells, n_cells, build->scan->row_line};
    return ERR_OK;
}

static void
on_cell(void *bytes, size_t n, void *data)
{
    struct build *build = data;

    if (build->code == ERR_OK)
        build->code = add_cell(build, (struct str){n != 0 ? bytes : "", n});
}

static void
on_row(int end, void *data)
{
    struct build *build = data;

    (void)end;
    if (build->code != ERR_OK)
        return;
    if (has_text(build))
        build->code = add_row(build);
    else
        build->n_cells = 0;
}

/* libcsv is to trim nothing. */
static int
is_never_space(unsigned char c)
{
    (void)c;
    return 0;
}

/* How many bytes to hand over next: to the end of a row, or a piece of a long one. */
static size_t
scan_piece(struct scan *scan, struct str text)
{
    size_t n = 0;

    while (n < text.len && n < PIECE_BYTES && !scan->is_faulty)
        if (scan_byte(scan, text.data[n++]))
            break;
    return n;
}

static enum err_code
parse_rows(struct build *build, struct scan *scan, struct csv_parser *parser, struct str text)
{
    while (text.len != 0 && build->code == ERR_OK) {
        size_t n = scan_piece(scan, text);

        if (scan->is_faulty)
            return err_set(build->err, ERR_INVALID_PARAMS,
                           "line %zu: text after a closing quote; write a quote inside a cell "
                           "twice (\"\")",
                           scan->line);
        if (csv_parse(parser, text.data, n, on_cell, on_row, build) != n)
            return err_no_memory(build->err); /* the only failure left without strict mode */
        if (parser->entry_pos > build->limits->cell_bytes + 1 && build->code == ERR_OK)
            return refuse_long_cell(build);
        text = rest(text, n);
    }
    if (build->code == ERR_OK && scan->state == SCAN_QUOTED)
        return err_set(build->err, ERR_INVALID_PARAMS,
                       "line %zu: a quote is opened and never closed", scan->quote_line);
    if (build->code == ERR_OK && csv_fini(parser, on_cell, on_row, build) != 0)
        return err_no_memory(build->err);
    return build->code;
}

static enum err_code
parse_text(struct build *build, struct str text)
{
    struct scan scan = {.separator = build->form->separator, .line = 1};
    struct csv_parser parser;
    enum err_code code;

    if (csv_init(&parser, 0) != 0)
        return err_no_memory(build->err);
    csv_set_delim(&parser, (unsigned char)build->form->separator);
    csv_set_space_func(&parser, is_never_space);
    csv_set_realloc_func(&parser, mem_realloc);
    csv_set_free_func(&parser, mem_free);
    build->scan = &scan;
    if (named_separator(text) != 0) {
        text = rest(text, 5);
        scan.state = SCAN_PLAIN; /* the rest of the line is its end */
        scan.row_line = 1;
    }
    code = parse_rows(build, &scan, &parser, text);
    csv_free(&parser);
    build->scan = NULL;
    return code;
}

enum err_code
csv_decode(struct str bytes, const struct csv_form *form, const struct csv_limits *limits,
           struct arena *arena, struct csv_table *table, struct err *err)
{
    struct build build = {.form = form, .limits = limits, .arena = arena, .err = err};
    enum err_code code = check_is_text(bytes, err);
    struct csv_row *rows;

    if (code != ERR_OK)
        return code;
    if (bytes.len > limits->bytes)
        return err_set(err, ERR_TOO_LARGE, "larger than the limit of %zu bytes", limits->bytes);
    if (!is_separator(form->separator))
        return err_set(err, ERR_INVALID_PARAMS,
                       "separator '%c' is none; it is a comma, a semicolon or a tab",
                       form->separator);
    buf_init(&build.converted, 3 * limits->cell_bytes);
    build.cells = mem_alloc_zeroed(limits->columns, sizeof *build.cells);
    if (build.cells == NULL)
        return err_no_memory(err);
    code = parse_text(&build, form->encoding == CSV_WINDOWS_1252 ? bytes : without_mark(bytes));
    if (code == ERR_OK) {
        rows = arena_copy(arena, build.rows, build.n_rows * sizeof *rows);
        if (rows != NULL)
            *table = (struct csv_table){rows, build.n_rows, *form};
        else
            code = err_no_memory(err);
    }
    mem_free(build.rows);
    mem_free(build.cells);
    buf_fini(&build.converted);
    return code;
}

static size_t
count_digits(struct str cell, size_t from)
{
    size_t i = from;

    while (i < cell.len && cell.data[i] >= '0' && cell.data[i] <= '9')
        i++;
    return i - from;
}

/* -12, +3.5, -0,25 */
static bool
is_plain_number(struct str cell)
{
    size_t i = cell.len > 0 && (cell.data[0] == '-' || cell.data[0] == '+') ? 1 : 0;
    size_t whole = count_digits(cell, i), part;

    i += whole;
    if (whole == 0 || i == cell.len)
        return whole != 0;
    part = cell.data[i] == '.' || cell.data[i] == ',' ? count_digits(cell, i + 1) : 0;
    return part != 0 && i + 1 + part == cell.len;
}

/* As the first bytes of a file the cell would be taken for something else than a cell. */
static bool
means_something_first(struct str cell)
{
    return without_mark(cell).len < cell.len || check_is_text(cell, NULL) != ERR_OK ||
           (cell.len >= 4 && memcmp(cell.data, "sep=", 4) == 0);
}

void
csv_encode_cell(struct buf *out, struct str cell, char separator)
{
    bool is_formula =
        cell.len != 0 && memchr("=+-@\t\r", cell.data[0], 6) != NULL && !is_plain_number(cell);
    bool is_quoted = means_something_first(cell);

    for (size_t i = 0; i < cell.len && !is_quoted; i++)
        is_quoted = cell.data[i] == separator || is_separator(cell.data[i]) ||
                    memchr("\"\r\n", cell.data[i], 3) != NULL;
    if (cell.len != 0)
        is_quoted |= cell.data[0] == ' ' || cell.data[cell.len - 1] == ' ';
    if (is_quoted)
        buf_append_char(out, '"');
    if (is_formula)
        buf_append_char(out, '\'');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.data[i] == '"')
            buf_append_char(out, '"');
        buf_append_char(out, cell.data[i]);
    }
    if (is_quoted)
        buf_append_char(out, '"');
}
