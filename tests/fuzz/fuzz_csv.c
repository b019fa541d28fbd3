#include "buf.h"
#include "csv_reader.h"
#include "fuzz.h"

/*
 * CSV in: whatever separator and encoding it is read with, its cells written again read back the
 * same, but for the quote before what a spreadsheet would run.
 */
enum { ARENA_BYTES = 256 * 1024 * 1024 };

static const struct csv_limits limits = {
    .bytes = 1 << 20, .rows = 5000, .columns = 64, .cell_bytes = 4096};

static void
check_rows(const struct csv_table *table, size_t n_lines)
{
    size_t line = 0;

    for (size_t i = 0; i < table->n_rows; i++) {
        bool has_text = false;

        FUZZ_CLAIM(table->rows[i].line > line && table->rows[i].line <= n_lines);
        line = table->rows[i].line;
        FUZZ_CLAIM(table->rows[i].n_cells >= 1 && table->rows[i].n_cells <= limits.columns);
        for (size_t k = 0; k < table->rows[i].n_cells; k++) {
            FUZZ_CLAIM(str_is_utf8(table->rows[i].cells[k]));
            has_text |= str_trim(table->rows[i].cells[k]).len != 0;
        }
        FUZZ_CLAIM(has_text);
    }
}

static bool
reads_back_as(struct str before, struct str after)
{
    if (str_equal(before, after))
        return true;
    return before.len != 0 && memchr("=+-@\t\r", before.data[0], 6) != NULL &&
           after.len == before.len + 1 && after.data[0] == '\'' &&
           memcmp(after.data + 1, before.data, before.len) == 0;
}

static void
check_again(const struct csv_table *table, char separator, struct arena *arena)
{
    struct csv_form form = {CSV_UTF8, separator};
    struct csv_limits wide = limits;
    struct csv_table again;
    struct buf buf;

    buf_init(&buf, 64 << 20);
    for (size_t i = 0; i < table->n_rows; i++) {
        for (size_t k = 0; k < table->rows[i].n_cells; k++) {
            if (k != 0)
                buf_append_char(&buf, separator);
            csv_encode_cell(&buf, table->rows[i].cells[k], separator);
        }
        buf_append_text(&buf, "\r\n");
    }
    FUZZ_CLAIM(buf_check(&buf, NULL) == ERR_OK);
    wide.bytes = buf.len;
    wide.cell_bytes = 3 * limits.cell_bytes + 1;
    FUZZ_CLAIM(csv_decode(buf_str(&buf), &form, &wide, arena, &again, NULL) == ERR_OK);
    FUZZ_CLAIM(again.n_rows == table->n_rows);
    for (size_t i = 0; i < table->n_rows; i++) {
        FUZZ_CLAIM(again.rows[i].n_cells == table->rows[i].n_cells);
        for (size_t k = 0; k < table->rows[i].n_cells; k++)
            FUZZ_CLAIM(reads_back_as(table->rows[i].cells[k], again.rows[i].cells[k]));
    }
    buf_fini(&buf);
}

static void
try_form(struct str bytes, const struct csv_form *form, bool is_detected)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    struct csv_table table;
    struct err err;
    enum err_code code;
    size_t n_lines = 1;

    if (arena == NULL)
        return;
    code = csv_decode(bytes, form, &limits, arena, &table, &err);
    if (code == ERR_OK) {
        for (size_t i = 0; i < bytes.len; i++)
            n_lines += bytes.data[i] == '\n' || bytes.data[i] == '\r';
        check_rows(&table, n_lines);
        check_again(&table, is_detected ? form->separator : ';', arena);
    } else {
        fuzz_check_err(code, &err);
    }
    arena_destroy(arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char separators[] = {',', ';', '\t'};
    struct str text = {(const char *)bytes, n};
    struct csv_form form;
    struct err err;
    enum err_code code = csv_detect(text, &form, &err);

    if (code == ERR_OK)
        try_form(text, &form, true);
    else
        fuzz_check_err(code, &err);
    for (size_t i = 0; i < sizeof separators; i++)
        try_form(text, &(struct csv_form){i == 1 ? CSV_WINDOWS_1252 : CSV_UTF8, separators[i]},
                 false);
    return 0;
}
