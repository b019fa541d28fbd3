#include "buf.h"
#include "cases.h"
#include "csv_reader.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>

#define S(literal) STR_LIT(literal)

static struct arena *arena;

static void
set_up(void)
{
    arena = arena_create(512 * 1024 * 1024);
}

static void
tear_down(void)
{
    arena_destroy(arena);
}

TestSuite(csv_reader, .init = set_up, .fini = tear_down);

/* "1:[a][b] 3:[c]": each row with its line and cells. */
static void
format_table(const struct csv_table *table, struct buf *out)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        buf_printf(out, "%s%zu:", i != 0 ? " " : "", table->rows[i].line);
        for (size_t k = 0; k < table->rows[i].n_cells; k++)
            buf_printf(out, "[%.*s]", STR_ARG(table->rows[i].cells[k]));
    }
}

static enum err_code
read_all(struct str bytes, const struct csv_limits *limits, struct csv_table *table,
         struct err *err)
{
    struct csv_form form;
    enum err_code code = csv_detect(bytes, &form, err);

    return code != ERR_OK ? code : csv_decode(bytes, &form, limits, arena, table, err);
}

static void
expect_table(struct str bytes, const char *want, const char *says)
{
    struct csv_table table;
    struct err err = {0};
    struct buf buf;

    cr_assert_eq(read_all(bytes, &csv_limits_default, &table, &err), ERR_OK, "%s: %s", says,
                 err.message);
    buf_init(&buf, 100000);
    format_table(&table, &buf);
    cr_expect(str_is(buf_str(&buf), want), "%s: got %.*s", says, STR_ARG(buf_str(&buf)));
    buf_fini(&buf);
}

static const struct {
    const char *file;
    enum csv_encoding encoding;
    char separator;
    const char *table;
} file_cases[] = {
    {"french-excel.csv", CSV_WINDOWS_1252, ';',
     "1:[name][city][raising] 2:[Société Exemple €][Île-de-France][1 500\xC2\xA0"
     "000] 3:[Œuvre – démo][Paris][]"},
    {"utf8-bom.csv", CSV_UTF8_BOM, ',',
     "1:[name][city][raising] 2:[Société Exemple €][Île-de-France][1,500,000]"},
    {"sep-line.csv", CSV_UTF8, ';', "2:[name][city] 3:[Exemple, Inc.][Paris]"},
    {"old-mac.csv", CSV_UTF8, ',', "1:[name][city] 2:[Exemple][Paris] 3:[two\rlines][Lyon]"},
    {"tabs.csv", CSV_UTF8, '\t', "1:[name][city][raising] 2:[Exemple][San José][1,500]"},
    {"quoted-header.csv", CSV_UTF8, ',',
     "1:[name, legal][city; region][note] 2:[Exemple \"Un\", SAS][Paris]"
     "[first line\nsecond line; still, the cell] 4:[Deux][Lyon][]"},
    {"blank-lines.csv", CSV_UTF8, ',', "4:[name][city] 7:[Exemple][Paris]"},
    {"header-only.csv", CSV_UTF8, ',', "1:[name][city]"},
    {"empty.csv", CSV_UTF8, ',', ""},
    {"ragged.csv", CSV_UTF8, ',', "1:[name][city][note] 2:[Exemple] 3:[Deux][Lyon][x][surplus]"},
    {"bare-quotes.csv", CSV_UTF8, ',', "1:[name][note] 2:[Exemple][a 5\" disk and \"so\" on]"},
};

static void
load(const char *name, struct buf *buf)
{
    struct err err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/csv/%s", JML_TEST_DATA, name);
    buf_init(buf, 1000000);
    cr_assert_eq(file_read(path, buf, &err), ERR_OK, "%s", err.message);
}

CASES(csv_reader, files_as_people_have_them_are_read, file_cases)
{
    struct csv_form form;
    struct err err = {0};
    struct buf buf;

    load(file_cases[*i].file, &buf);
    cr_assert_eq(csv_detect(buf_str(&buf), &form, &err), ERR_OK, "%s", err.message);
    cr_expect_eq(form.encoding, file_cases[*i].encoding, "%s", file_cases[*i].file);
    cr_expect_eq(form.separator, file_cases[*i].separator, "%s", file_cases[*i].file);
    expect_table(buf_str(&buf), file_cases[*i].table, file_cases[*i].file);
    buf_fini(&buf);
}

static const struct {
    const char *file, *message;
} bad_file_cases[] = {
    {"unclosed-quote.csv", "line 2: a quote is opened and never closed"},
    {"text-after-quote.csv",
     "line 3: text after a closing quote; write a quote inside a cell twice (\"\")"},
    {"nul-byte.csv", "line 2: a NUL byte; save the table as CSV UTF-8"},
    {"utf16-le.csv", "not CSV; it looks like text in UTF-16: save it as CSV UTF-8"},
    {"utf16-no-mark.csv", "not CSV; it looks like text in UTF-16: save it as CSV UTF-8"},
    {"renamed.xlsx.csv",
     "not CSV; it looks like a .xlsx or .ods file: save it as CSV, or install xlsx2csv"},
    {"renamed.xls.csv", "not CSV; it looks like a .xls file: save it as CSV UTF-8"},
    {"broken-utf8.csv", "line 3: byte 0xc9 is not UTF-8, but the rest is; mend the line, or save "
                        "the table as CSV UTF-8 again"},
    {"not-windows.csv",
     "line 2: byte 0x81 is neither UTF-8 nor Windows-1252; save the table as CSV UTF-8"},
};

CASES(csv_reader, what_cannot_be_read_is_told_with_its_line, bad_file_cases)
{
    struct csv_table table = {.n_rows = 77};
    struct err err = {0};
    struct buf buf;

    load(bad_file_cases[*i].file, &buf);
    cr_expect_eq(read_all(buf_str(&buf), &csv_limits_default, &table, &err), ERR_INVALID_PARAMS,
                 "%s", bad_file_cases[*i].file);
    cr_expect_str_eq(err.message, bad_file_cases[*i].message);
    cr_expect_eq(table.n_rows, 77, "outputs are written on success only");
    buf_fini(&buf);
}

static const struct {
    const char *says;
    struct str bytes;
    const char *table;
} byte_cases[] = {
    {"spaces are kept", S(" a , b\t,c \n"), "1:[ a ][ b\t][c ]"},
    {"no end of line at the end", S("a,b\nc,d"), "1:[a][b] 2:[c][d]"},
    {"a separator at the end is an empty cell", S("a,b,\n,,c\n"), "1:[a][b][] 2:[][][c]"},
    {"a lone cell", S("a"), "1:[a]"},
    {"a doubled quote", S("\"a\"\"b\",\"\"\"\"\n"), "1:[a\"b][\"]"},
    {"empty quotes", S("a,\"\",b\n"), "1:[a][][b]"},
    {"an end of file after a closing quote", S("a,\"b\""), "1:[a][b]"},
    {"a space before a quote makes it a character", S("a, \"b\"\n"), "1:[a][ \"b\"]"},
    {"CR LF is one line, LF CR are two", S("a\r\nb\n\rc\n"), "1:[a] 2:[b] 4:[c]"},
    {"lines inside quotes count", S("a\n\"x\r\ny\rz\n\"\nb\n"), "1:[a] 2:[x\r\ny\rz\n] 6:[b]"},
    {"a separator only inside quotes", S("\"a,b;c\"\nd;e\n"), "1:[a,b;c] 2:[d;e]"},
    {"the separator that occurs most", S("a;b;c,d\n"), "1:[a][b][c,d]"},
    {"on a tie the comma", S("a,b;c\n"), "1:[a][b;c]"},
    {"a quoted line break in the header", S("\"a\nb\";c\n1;2\n"), "1:[a\nb][c] 3:[1][2]"},
    {"sep= with a tab", S("sep=\t\na\tb\n"), "2:[a][b]"},
    {"sep= and nothing", S("sep=;"), ""},
    {"sep= with a byte order mark", S("\xEF\xBB\xBFsep=;\r\na;b"), "2:[a][b]"},
    {"sep= of something else is a header", S("sep=x\n1\n"), "1:[sep=x] 2:[1]"},
    {"sep= and more is a header", S("sep=;,b\n"), "1:[sep=;][b]"},
    {"only separators", S(",,,\n,\n"), ""},
    {"only blank cells", S(" ,\t\n\xC2\xA0,\n"), ""},
    {"only a byte order mark", S("\xEF\xBB\xBF"), ""},
    {"Windows-1252 in full", S("a;\x80\x9f\xa0\xff\n"), "1:[a][€Ÿ\xC2\xA0ÿ]"},
};

CASES(csv_reader, bytes_become_cells, byte_cases)
{
    expect_table(byte_cases[*i].bytes, byte_cases[*i].table, byte_cases[*i].says);
}

Test(csv_reader, each_byte_of_windows_1252_has_its_character_or_is_refused)
{
    static const char *const high[32] = {
        "€",  NULL, "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", NULL, "Ž", NULL,
        NULL, "‘",  "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", NULL, "ž", "Ÿ",
    };
    struct csv_form form = {CSV_WINDOWS_1252, ','};

    for (unsigned c = 0x80; c < 0x100; c++) {
        char bytes[1] = {(char)c}, latin[3] = {(char)(0xC0 | c >> 6), (char)(0x80 | (c & 0x3f)), 0};
        const char *want = c < 0xA0 ? high[c - 0x80] : latin;
        struct csv_table table;
        enum err_code code =
            csv_decode((struct str){bytes, 1}, &form, &csv_limits_default, arena, &table, NULL);

        cr_expect_eq(code, want != NULL ? ERR_OK : ERR_INVALID_PARAMS, "0x%02x", c);
        if (code == ERR_OK && want != NULL && c != 0xA0)
            cr_expect(str_is(table.rows[0].cells[0], want), "0x%02x", c);
    }
}

Test(csv_reader, the_form_that_is_told_counts)
{
    struct csv_form form = {CSV_UTF8, ';'};
    struct csv_table table;
    struct err err;

    cr_expect_eq(csv_decode(S("a,b;c\n"), &form, &csv_limits_default, arena, &table, &err), ERR_OK);
    cr_expect_eq(table.rows[0].n_cells, 2);
    cr_expect_eq(csv_decode(S("a;b\ncaf\xe9;x\n"), &form, &csv_limits_default, arena, &table, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "line 2: byte 0xe9 is not UTF-8; save the table as CSV UTF-8");
    form.separator = '|';
    cr_expect_eq(csv_decode(S("a|b\n"), &form, &csv_limits_default, arena, &table, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "separator '|' is none; it is a comma, a semicolon or a tab");
}

Test(csv_reader, a_quote_never_closed_is_told_where_it_was_opened)
{
    struct csv_table table;
    struct err err;

    cr_expect_eq(read_all(S("a\n\"b\nc\",\"d\ne\n"), &csv_limits_default, &table, &err),
                 ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "line 3: a quote is opened and never closed");
    cr_expect_eq(read_all(S("a\n\""), &csv_limits_default, &table, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "line 2: a quote is opened and never closed");
}

static const struct csv_limits small = {.bytes = 20, .rows = 3, .columns = 3, .cell_bytes = 4};

static const struct {
    const char *says;
    struct str bytes;
    const char *message; /* NULL: fine */
} limit_cases[] = {
    {"20 bytes", S("a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"), NULL},
    {"21 bytes", S("a\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"),
     "larger than the limit of 20 bytes"},
    {"3 rows", S("a\nb\nc\n"), NULL},
    {"3 rows and empty ones", S("a\n\nb\n,\nc\n\n"), NULL},
    {"4 rows", S("a\nb\n\nc\nd"), "line 5: more than 3 rows"},
    {"3 columns", S("a,b,c\n"), NULL},
    {"4 columns", S("a\na,b,c,"), "line 2: more than 3 columns"},
    {"4 bytes in a cell", S("abcd,\"abcd\"\n"), NULL},
    {"4 quotes in a cell", S("\"\"\"\"\"\"\"\"\"\""), NULL},
    {"5 bytes in a cell", S("a\nabcde\n"),
     "line 2: a cell of more than 4 bytes; is a quote missing?"},
    {"5 bytes in quotes", S("a\n\"ab\ncd\"\n"),
     "line 2: a cell of more than 4 bytes; is a quote missing?"},
    {"4 bytes of Windows-1252 are up to 12", S("\x80\x80\x80\x80"), NULL},
};

CASES(csv_reader, limits_hold_at_the_limit_and_refuse_one_over, limit_cases)
{
    struct csv_table table;
    struct err err = {0};
    enum err_code code = read_all(limit_cases[*i].bytes, &small, &table, &err);

    cr_expect_eq(code, limit_cases[*i].message != NULL ? ERR_TOO_LARGE : ERR_OK, "%s: %s",
                 limit_cases[*i].says, err.message);
    cr_expect_str_eq(err.message, limit_cases[*i].message != NULL ? limit_cases[*i].message : "");
}

/* n columns, in two rows. */
static struct str
make_wide(size_t n)
{
    char *bytes = arena_alloc(arena, 2 * n, 2);

    for (size_t i = 0; i < 2 * n; i++) {
        bytes[2 * i] = 'x';
        bytes[2 * i + 1] = i == n - 1 || i == 2 * n - 1 ? '\n' : ';';
    }
    return (struct str){bytes, 4 * n};
}

Test(csv_reader, six_hundred_columns_are_too_many_and_512_are_not)
{
    struct csv_table table;
    struct err err;

    cr_expect_eq(read_all(make_wide(512), &csv_limits_default, &table, &err), ERR_OK);
    cr_expect_eq(table.rows[1].n_cells, 512);
    cr_expect_eq(read_all(make_wide(513), &csv_limits_default, &table, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "line 1: more than 512 columns");
    cr_expect_eq(read_all(make_wide(600), &csv_limits_default, &table, &err), ERR_TOO_LARGE);
}

Test(csv_reader, a_cell_of_64_kib_is_fine_and_one_byte_more_is_not)
{
    size_t n = csv_limits_default.cell_bytes;
    char *bytes = malloc(n + 3);
    struct csv_table table;
    struct err err;

    memset(bytes, 'x', n + 3);
    cr_expect_eq(read_all((struct str){bytes, n}, &csv_limits_default, &table, &err), ERR_OK);
    cr_expect_eq(table.rows[0].cells[0].len, n);
    cr_expect_eq(read_all((struct str){bytes, n + 1}, &csv_limits_default, &table, &err),
                 ERR_TOO_LARGE);
    bytes[0] = bytes[n + 1] = '"';
    cr_expect_eq(read_all((struct str){bytes, n + 2}, &csv_limits_default, &table, &err), ERR_OK);
    bytes[n + 1] = 'x';
    bytes[n + 2] = '"';
    cr_expect_eq(read_all((struct str){bytes, n + 3}, &csv_limits_default, &table, &err),
                 ERR_TOO_LARGE);
    free(bytes);
}

Test(csv_reader, a_quote_that_swallows_megabytes_stops_at_the_cell_limit)
{
    size_t n = 32 * 1024 * 1024;
    char *bytes = malloc(n);
    struct csv_table table;
    struct err err;

    memset(bytes, 'x', n);
    memcpy(bytes, "a,b\n\"", 5);
    cr_expect_eq(read_all((struct str){bytes, n}, &csv_limits_default, &table, &err),
                 ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "line 2: a cell of more than 65536 bytes; is a quote missing?");
    free(bytes);
}

Test(csv_reader, an_arena_without_room_is_told)
{
    struct csv_form form = {CSV_UTF8, ','};
    struct arena *tight = arena_create(64);
    struct csv_table table;

    cr_expect_eq(csv_decode(S("a,b,c,d,e,f,g\n"), &form, &csv_limits_default, tight, &table, NULL),
                 ERR_BUSY);
    arena_destroy(tight);
}

static const struct {
    const char *says;
    struct str cell;
    const char *written;
} encode_cases[] = {
    {"plain", S("abc"), "abc"},
    {"nothing", S(""), ""},
    {"inner spaces", S("a b"), "a b"},
    {"outer spaces", S(" a"), "\" a\""},
    {"any separator that a spreadsheet may choose", S("a;b"), "\"a;b\""},
    {"comma", S("a,b"), "\"a,b\""},
    {"quote", S("a\"b"), "\"a\"\"b\""},
    {"line ends", S("a\r\nb"), "\"a\r\nb\""},
    {"a formula", S("=1+1"), "'=1+1"},
    {"a formula that needs quotes", S("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\""},
    {"an at sign", S("@SUM(A1)"), "'@SUM(A1)"},
    {"a tab first", S("\t=1"), "\"'\t=1\""},
    {"a CR first", S("\r=1"), "\"'\r=1\""},
    {"a phone number", S("+33 1 23"), "'+33 1 23"},
    {"a negative number stays one", S("-5"), "-5"},
    {"with a point", S("-5.25"), "-5.25"},
    {"with a comma", S("+5,25"), "\"+5,25\""},
    {"no number", S("-5.2.5"), "'-5.2.5"},
    {"no number either", S("-5."), "'-5."},
    {"a sign alone", S("-"), "'-"},
    {"a formula that begins as a number", S("-1+cmd"), "'-1+cmd"},
    {"equals in the middle", S("a=b"), "a=b"},
    {"what would be a byte order mark", S("\xEF\xBB\xBFx"), "\"\xEF\xBB\xBFx\""},
    {"what would look like a PDF", S("%PDF"), "\"%PDF\""},
    {"what would name a separator as the first line", S("sep="), "\"sep=\""},
};

CASES(csv_reader, cells_are_written_so_that_no_spreadsheet_runs_them, encode_cases)
{
    struct buf buf;

    buf_init(&buf, 1000);
    csv_encode_cell(&buf, encode_cases[*i].cell, ',');
    cr_expect(str_is(buf_str(&buf), encode_cases[*i].written), "%s: got %.*s",
              encode_cases[*i].says, STR_ARG(buf_str(&buf)));
    buf_fini(&buf);
}

Test(csv_reader, what_is_written_reads_back)
{
    static const struct str cells[] = {S("a\"b"), S(" x "), S("l\r\nm\rn\no"), S("é;,\t"),
                                       S(""),     S("-5"),  S("\"\""),         S("'q")};
    enum { N = sizeof cells / sizeof cells[0] };

    for (const char *separator = ",;\t"; *separator != '\0'; separator++) {
        struct csv_form form = {CSV_UTF8, *separator};
        struct csv_table table;
        struct buf buf;

        buf_init(&buf, 10000);
        for (size_t i = 0; i < N; i++) {
            if (i != 0)
                buf_append_char(&buf, *separator);
            csv_encode_cell(&buf, cells[i], *separator);
        }
        cr_assert_eq(csv_decode(buf_str(&buf), &form, &csv_limits_default, arena, &table, NULL),
                     ERR_OK);
        cr_assert(table.n_rows == 1 && table.rows[0].n_cells == N);
        for (size_t i = 0; i < N; i++)
            cr_expect(str_equal(table.rows[0].cells[i], cells[i]), "cell %zu", i);
        buf_fini(&buf);
    }
}
