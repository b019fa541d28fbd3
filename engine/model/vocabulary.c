#include "vocabulary.h"

#include "alloc.h"
#include "fold.h"
#include "quote.h"
#include "sheet.h"

#include <stdlib.h>

/*
 * Two indexes over the rows of a sheet: codes in byte order, and folded forms (code, labels,
 * synonyms, currency signs) in byte order. A form carries the set of letters it is made of, so that
 * looking for the nearest compares in full only the few whose letters could do.
 */
enum { CODE_BYTES_MAX = 64, LOOKED_UP_BYTES_MAX = 512, FORMS_PER_ROW_MAX = 400 };

/* What a form was, best first: a code is meant before a label, a label before a synonym. */
enum form_rank { FORM_CODE, FORM_LABEL, FORM_SYNONYM };

struct form {
    struct str folded;
    uint32_t letters; /* letter_set of folded */
    int row;
    enum form_rank rank;
};

struct vocabulary_row {
    struct str code, label[LANG_COUNT];
    int32_t order;
    bool has_order, is_positive;
};

struct vocabulary {
    struct sheet sheet;
    struct vocabulary_row *rows;
    int *by_code; /* rows, by code */
    struct form *forms;
    size_t n_forms, forms_room;
    bool has_symbols; /* a column of signs such as €, looked up before anything else */
};

enum lang
lang_parse(struct str code, enum lang otherwise)
{
    struct str two = {code.data, code.len < 2 ? code.len : 2};

    if (code.len > 2 && code.data[2] != '_' && code.data[2] != '-' && code.data[2] != '.')
        return otherwise;
    return str_is(two, "fr") ? LANG_FR : str_is(two, "en") ? LANG_EN : otherwise;
}

const char *
lang_code(enum lang lang)
{
    return lang == LANG_FR ? "fr" : "en";
}

struct str
code_group(struct str code)
{
    return (struct str){code.data, str_find(code, '.', 0)};
}

/* Bits of the letters and digits in the first 64 bytes (all that str_distance reads). */
static uint32_t
letter_set(struct str folded)
{
    uint32_t set = 0;

    for (size_t i = 0; i < folded.len && i < 64; i++) {
        char c = folded.data[i];

        set |= UINT32_C(1) << (c >= 'a' && c <= 'z'   ? c - 'a'
                               : c >= '0' && c <= '9' ? 26
                               : c == ' '             ? 27
                                                      : 28);
    }
    return set;
}

static bool
code_is_valid(struct str code, bool may_be_upper)
{
    if (code.len == 0 || code.len > CODE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < code.len; i++) {
        char c = code.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       (may_be_upper && c >= 'A' && c <= 'Z');

        if (!is_word && (i == 0 || (c != '.' && c != '_' && c != '-')))
            return false;
    }
    return true;
}

static enum err_code
add_form(struct vocabulary *vocabulary, int row, enum form_rank rank, bool is_symbol,
         struct str text, struct err *err)
{
    struct arena *arena = vocabulary->sheet.arena;
    struct str folded;
    enum err_code code;

    code = is_symbol ? fold_term(text, arena, &folded, err) : fold_text(text, arena, &folded, err);
    if (code != ERR_OK || folded.len == 0)
        return code;
    if (vocabulary->n_forms == vocabulary->forms_room) {
        size_t room = vocabulary->forms_room * 2 + 64;
        struct form *forms = arena_alloc(arena, room, sizeof *forms);

        if (forms == NULL)
            return err_no_memory(err);
        if (vocabulary->n_forms != 0)
            memcpy(forms, vocabulary->forms, vocabulary->n_forms * sizeof *forms);
        vocabulary->forms = forms;
        vocabulary->forms_room = room;
    }
    vocabulary->forms[vocabulary->n_forms++] = (struct form){folded, letter_set(folded), row, rank};
    return ERR_OK;
}

/* The parts of a cell that `;` separates, each as a form. */
static enum err_code
add_list(struct vocabulary *vocabulary, int row, const char *column, bool is_symbol,
         struct err *err)
{
    struct str cell = vocabulary_cell(vocabulary, row, column);
    size_t end;

    for (size_t at = 0, n = 0; at < cell.len; at = end + 1, n++) {
        enum err_code code;

        end = str_find(cell, ';', at);
        if (n == FORMS_PER_ROW_MAX)
            return err_set(err, ERR_TOO_LARGE, "line %zu of %s has over %d %s",
                           sheet_line(&vocabulary->sheet, (size_t)row), vocabulary->sheet.name,
                           FORMS_PER_ROW_MAX, column);
        code = add_form(vocabulary, row, FORM_SYNONYM, is_symbol,
                        (struct str){cell.data + at, end - at}, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code
add_forms(struct vocabulary *vocabulary, int row, struct err *err)
{
    const struct vocabulary_row *cells = &vocabulary->rows[row];
    enum err_code code = add_form(vocabulary, row, FORM_CODE, false, cells->code, err);

    for (int lang = 0; code == ERR_OK && lang < LANG_COUNT; lang++)
        code = add_form(vocabulary, row, FORM_LABEL, false, cells->label[lang], err);
    if (code == ERR_OK)
        code = add_list(vocabulary, row, "synonyms_en", false, err);
    if (code == ERR_OK)
        code = add_list(vocabulary, row, "synonyms_fr", false, err);
    if (code == ERR_OK && vocabulary->has_symbols)
        code = add_list(vocabulary, row, "symbols", true, err);
    return code;
}

/* Columns whose cells must be whole numbers; an empty one says nothing. */
static const struct number_column {
    const char *name;
    int64_t min, max;
} number_columns[] = {
    {"order", -1000000, 1000000},
    {"positive", 0, 1},
    {"latitude", -90000000, 90000000},
    {"longitude", -180000000, 180000000},
};
enum { NUMBER_COLUMN_ORDER, NUMBER_COLUMN_POSITIVE };

static enum err_code
read_numbers(struct vocabulary *vocabulary, int row, struct err *err)
{
    const struct sheet *sheet = &vocabulary->sheet;

    for (int i = 0; i < (int)(sizeof number_columns / sizeof number_columns[0]); i++) {
        const struct number_column *wanted = &number_columns[i];
        int column = sheet_column(sheet, wanted->name);
        int64_t number;
        enum err_code code;

        if (sheet_cell(sheet, (size_t)row, column).len == 0)
            continue;
        code = sheet_number(sheet, (size_t)row, column, wanted->min, wanted->max, &number, err);
        if (code != ERR_OK)
            return code;
        if (i == NUMBER_COLUMN_ORDER) {
            vocabulary->rows[row].order = (int32_t)number;
            vocabulary->rows[row].has_order = true;
        } else if (i == NUMBER_COLUMN_POSITIVE) {
            vocabulary->rows[row].is_positive = number == 1;
        }
    }
    return ERR_OK;
}

static enum err_code
read_row(struct vocabulary *vocabulary, int row, int code_column, struct err *err)
{
    const struct sheet *sheet = &vocabulary->sheet;
    bool may_be_upper =
        strcmp(sheet->name, "countries") == 0 || strcmp(sheet->name, "currencies") == 0;
    struct vocabulary_row *cells = &vocabulary->rows[row];
    struct str en = vocabulary_cell(vocabulary, row, "label_en");
    struct str fr = vocabulary_cell(vocabulary, row, "label_fr");
    enum err_code code;

    cells->code = sheet_cell(sheet, (size_t)row, code_column);
    if (!code_is_valid(cells->code, may_be_upper))
        return err_set(err, ERR_INVALID_PARAMS,
                       "line %zu of %s: %s is no code; write a-z, 0-9, dot, underscore and hyphen, "
                       "beginning with a letter or digit, at most %d",
                       sheet_line(sheet, (size_t)row), sheet->name, quote(cells->code).text,
                       CODE_BYTES_MAX);
    cells->label[LANG_EN] = en.len != 0 ? en : fr.len != 0 ? fr : cells->code;
    cells->label[LANG_FR] = fr.len != 0 ? fr : cells->label[LANG_EN];
    code = read_numbers(vocabulary, row, err);
    return code == ERR_OK ? add_forms(vocabulary, row, err) : code;
}

static int
compare_codes(const void *a, const void *b, void *rows)
{
    const struct vocabulary_row *all = rows;

    return str_compare(all[*(const int *)a].code, all[*(const int *)b].code);
}

static int
compare_forms(const void *a, const void *b)
{
    const struct form *x = a, *y = b;
    int order = str_compare(x->folded, y->folded);

    if (order == 0)
        order = (x->rank > y->rank) - (x->rank < y->rank);
    return order != 0 ? order : (x->row > y->row) - (x->row < y->row);
}

static enum err_code
index_codes(struct vocabulary *vocabulary, struct err *err)
{
    size_t n = vocabulary_size(vocabulary);

    for (size_t i = 0; i < n; i++)
        vocabulary->by_code[i] = (int)i;
    qsort_r(vocabulary->by_code, n, sizeof *vocabulary->by_code, compare_codes, vocabulary->rows);
    for (size_t i = 1; i < n; i++) {
        int a = vocabulary->by_code[i - 1], b = vocabulary->by_code[i];
        size_t line_a = sheet_line(&vocabulary->sheet, (size_t)a);
        size_t line_b = sheet_line(&vocabulary->sheet, (size_t)b);

        if (str_equal(vocabulary->rows[a].code, vocabulary->rows[b].code))
            return err_set(err, ERR_INVALID_PARAMS,
                           "line %zu of %s: the code %s stands in line %zu already; take one out",
                           line_a > line_b ? line_a : line_b, vocabulary->sheet.name,
                           quote(vocabulary->rows[a].code).text, line_a > line_b ? line_b : line_a);
    }
    return ERR_OK;
}

static enum err_code
build(struct vocabulary *vocabulary, struct err *err)
{
    struct sheet *sheet = &vocabulary->sheet;
    int code_column;
    enum err_code code = sheet_need_column(sheet, "code", &code_column, err);

    if (code != ERR_OK)
        return code;
    vocabulary->rows = arena_alloc(sheet->arena, sheet->n_rows, sizeof *vocabulary->rows);
    vocabulary->by_code = arena_alloc(sheet->arena, sheet->n_rows, sizeof *vocabulary->by_code);
    if (vocabulary->rows == NULL || vocabulary->by_code == NULL)
        return err_no_memory(err);
    vocabulary->has_symbols = sheet_column(sheet, "symbols") != SHEET_NO_COLUMN;
    for (size_t i = 0; code == ERR_OK && i < sheet->n_rows; i++)
        code = read_row(vocabulary, (int)i, code_column, err);
    if (code == ERR_OK)
        code = index_codes(vocabulary, err);
    if (code == ERR_OK && vocabulary->n_forms != 0)
        qsort(vocabulary->forms, vocabulary->n_forms, sizeof *vocabulary->forms, compare_forms);
    return code;
}

enum err_code
vocabulary_parse(const char *name, struct str bytes, struct vocabulary **out, struct err *err)
{
    struct vocabulary *vocabulary = mem_alloc_zeroed(1, sizeof *vocabulary);
    enum err_code code;

    if (vocabulary == NULL)
        return err_no_memory(err);
    code = sheet_open(name, bytes, VOCABULARY_ROWS_MAX, &vocabulary->sheet, err);
    if (code == ERR_OK)
        code = build(vocabulary, err);
    if (code != ERR_OK) {
        vocabulary_destroy(vocabulary);
        return code;
    }
    *out = vocabulary;
    return ERR_OK;
}

void
vocabulary_destroy(struct vocabulary *vocabulary)
{
    if (vocabulary == NULL)
        return;
    sheet_close(&vocabulary->sheet);
    mem_free(vocabulary);
}

const char *
vocabulary_name(const struct vocabulary *vocabulary)
{
    return vocabulary->sheet.name;
}

size_t
vocabulary_size(const struct vocabulary *vocabulary)
{
    return vocabulary->sheet.n_rows;
}

int
vocabulary_find(const struct vocabulary *vocabulary, struct str code)
{
    size_t low = 0, high = vocabulary_size(vocabulary);

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int row = vocabulary->by_code[middle];
        int order = str_compare(code, vocabulary->rows[row].code);

        if (order == 0)
            return row;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return VOCABULARY_NONE;
}

static bool
has_row(const struct vocabulary *vocabulary, int row)
{
    return row >= 0 && (size_t)row < vocabulary_size(vocabulary);
}

struct str
vocabulary_code(const struct vocabulary *vocabulary, int row)
{
    return has_row(vocabulary, row) ? vocabulary->rows[row].code : (struct str){NULL, 0};
}

struct str
vocabulary_label(const struct vocabulary *vocabulary, int row, enum lang lang)
{
    return has_row(vocabulary, row) ? vocabulary->rows[row].label[lang] : (struct str){NULL, 0};
}

struct str
vocabulary_cell(const struct vocabulary *vocabulary, int row, const char *column)
{
    if (!has_row(vocabulary, row))
        return (struct str){NULL, 0};
    return sheet_cell(&vocabulary->sheet, (size_t)row, sheet_column(&vocabulary->sheet, column));
}

bool
vocabulary_has_column(const struct vocabulary *vocabulary, const char *column)
{
    return sheet_column(&vocabulary->sheet, column) != SHEET_NO_COLUMN;
}

bool
vocabulary_order(const struct vocabulary *vocabulary, int row, int32_t *order)
{
    if (!has_row(vocabulary, row) || !vocabulary->rows[row].has_order)
        return false;
    *order = vocabulary->rows[row].order;
    return true;
}

bool
vocabulary_is_positive(const struct vocabulary *vocabulary, int row)
{
    return has_row(vocabulary, row) && vocabulary->rows[row].is_positive;
}

/* The row that alone bears this folded form at its best rank; a form that two rows share says
 * nothing. */
static int
find_form(const struct vocabulary *vocabulary, struct str folded)
{
    const struct form *forms = vocabulary->forms, *found;
    size_t low = 0, high = vocabulary->n_forms;

    while (low < high) { /* first form that is not before folded */
        size_t middle = low + (high - low) / 2;

        if (str_compare(forms[middle].folded, folded) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == vocabulary->n_forms || !str_equal(forms[low].folded, folded))
        return VOCABULARY_NONE;
    found = &forms[low];
    for (size_t i = low + 1; i < vocabulary->n_forms; i++) {
        if (!str_equal(forms[i].folded, folded) || forms[i].rank != found->rank)
            break;
        if (forms[i].row != found->row)
            return VOCABULARY_NONE;
    }
    return found->row;
}

int
vocabulary_recognise(const struct vocabulary *vocabulary, struct str text)
{
    struct arena *scratch;
    struct str folded;
    int row = VOCABULARY_NONE;

    if (text.len == 0 || text.len > LOOKED_UP_BYTES_MAX)
        return VOCABULARY_NONE;
    scratch = arena_create(LOOKED_UP_BYTES_MAX * 64);
    if (scratch == NULL)
        return VOCABULARY_NONE;
    if (vocabulary->has_symbols && fold_term(text, scratch, &folded, NULL) == ERR_OK)
        row = find_form(vocabulary, folded);
    if (row == VOCABULARY_NONE && fold_text(text, scratch, &folded, NULL) == ERR_OK)
        row = find_form(vocabulary, folded);
    arena_destroy(scratch);
    return row;
}

/* Can no more than limit edits lead from one set of letters to the other? An exchange changes two
 * letters of the set at most, anything else one. */
static bool
letters_are_near(uint32_t a, uint32_t b, size_t limit)
{
    return (size_t)__builtin_popcount(a ^ b) <= 2 * limit;
}

static int
nearest_form(const struct vocabulary *vocabulary, struct str folded)
{
    uint32_t letters = letter_set(folded);
    size_t limit = folded.len / 3;
    const struct form *nearest = NULL;
    size_t nearest_distance = 0;

    for (size_t i = 0; i < vocabulary->n_forms; i++) {
        const struct form *form = &vocabulary->forms[i];
        size_t longer = form->folded.len > folded.len ? form->folded.len : folded.len;
        size_t shorter = form->folded.len > folded.len ? folded.len : form->folded.len;
        size_t distance;

        if ((longer - shorter > limit && shorter < 64) ||
            !letters_are_near(form->letters, letters, limit))
            continue;
        distance = str_distance(folded, form->folded, limit);
        if (distance > limit)
            continue;
        if (nearest == NULL || distance < nearest_distance ||
            (distance == nearest_distance &&
             (form->rank < nearest->rank ||
              (form->rank == nearest->rank && form->row < nearest->row)))) {
            nearest = form;
            nearest_distance = limit = distance;
        }
    }
    return nearest != NULL ? nearest->row : VOCABULARY_NONE;
}

int
vocabulary_nearest(const struct vocabulary *vocabulary, struct str text)
{
    struct arena *scratch;
    struct str folded;
    int row = VOCABULARY_NONE;

    if (text.len == 0 || text.len > LOOKED_UP_BYTES_MAX)
        return VOCABULARY_NONE;
    scratch = arena_create(LOOKED_UP_BYTES_MAX * 64);
    if (scratch == NULL)
        return VOCABULARY_NONE;
    if (fold_text(text, scratch, &folded, NULL) == ERR_OK && folded.len != 0)
        row = nearest_form(vocabulary, folded);
    arena_destroy(scratch);
    return row;
}
