#include "catalogue.h"

#include "alloc.h"
#include "buf.h"
#include "quote.h"
#include "sheet.h"

#include <stdlib.h>

/*
 * One sorted list of keys for both files. A phrase's parts are the columns `<part>_en`, `<part>_fr`,
 * whatever they are called; an empty cell gives no key in that language.
 */
#define MESSAGES_FILE "messages/messages.csv" /* as reference.h names them */
#define PHRASES_FILE "phrases.csv"
enum { ROWS_MAX = 16384, TEXT_BYTES_MAX = 64 * 1024 };

struct entry {
    struct str key;
    struct str text[LANG_COUNT];
};

struct catalogue {
    struct sheet messages, phrases;
    struct entry *entries;
    size_t n_entries;
};

/* ---- messages: key,en,fr ---- */

static enum err_code
read_messages(struct catalogue *catalogue, struct err *err)
{
    const struct sheet *sheet = &catalogue->messages;
    int key, text[LANG_COUNT];
    enum err_code code = sheet_need_column(sheet, "key", &key, err);

    for (int lang = 0; code == ERR_OK && lang < LANG_COUNT; lang++)
        code = sheet_need_column(sheet, lang_code((enum lang)lang), &text[lang], err);
    for (size_t i = 0; code == ERR_OK && i < sheet->n_rows; i++) {
        struct entry *entry = &catalogue->entries[catalogue->n_entries++];

        entry->key = sheet_cell(sheet, i, key);
        if (entry->key.len == 0)
            return err_set(err, ERR_INVALID_PARAMS, "line %zu of %s has no key",
                           sheet_line(sheet, i), sheet->name);
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            entry->text[lang] = sheet_cell(sheet, i, text[lang]);
            if (entry->text[lang].len == 0)
                return err_set(err, ERR_INVALID_PARAMS,
                               "line %zu of %s: %s has no text in column %s", sheet_line(sheet, i),
                               sheet->name, quote(entry->key).text, lang_code((enum lang)lang));
        }
    }
    return code;
}

/* ---- phrases: code,label_en,label_fr,… ---- */

static enum err_code
add_phrase_part(struct catalogue *catalogue, size_t row, struct str code, int column_en,
                int column_fr, struct err *err)
{
    const struct sheet *sheet = &catalogue->phrases;
    struct str part = sheet_column_name(sheet, column_en);
    struct entry entry = {
        .text = {sheet_cell(sheet, row, column_en), sheet_cell(sheet, row, column_fr)}};

    if ((entry.text[LANG_EN].len == 0) != (entry.text[LANG_FR].len == 0))
        return err_set(
            err, ERR_INVALID_PARAMS, "line %zu of %s: %s has the text of %.*s in one language only",
            sheet_line(sheet, row), sheet->name, quote(code).text, (int)(part.len - 3), part.data);
    if (entry.text[LANG_EN].len == 0)
        return ERR_OK;
    entry.key =
        arena_format(sheet->arena, "%.*s/%.*s", STR_ARG(code), (int)(part.len - 3), part.data);
    if (entry.key.data == NULL)
        return err_no_memory(err);
    catalogue->entries[catalogue->n_entries++] = entry;
    return ERR_OK;
}

/* The column of the same part in French, or SHEET_NO_COLUMN if this is no English column. */
static int
french_column(const struct sheet *sheet, int column)
{
    struct str name = sheet_column_name(sheet, column);
    char french[64];

    if (name.len < 4 || name.len >= sizeof french ||
        memcmp(name.data + name.len - 3, "_en", 3) != 0)
        return SHEET_NO_COLUMN;
    memcpy(french, name.data, name.len);
    memcpy(french + name.len - 2, "fr", 2);
    french[name.len] = '\0';
    return sheet_column(sheet, french);
}

static enum err_code
read_phrases(struct catalogue *catalogue, struct err *err)
{
    const struct sheet *sheet = &catalogue->phrases;
    int code_column;
    enum err_code code = sheet_need_column(sheet, "code", &code_column, err);

    for (size_t row = 0; code == ERR_OK && row < sheet->n_rows; row++) {
        struct str phrase = sheet_cell(sheet, row, code_column);

        if (phrase.len == 0)
            return err_set(err, ERR_INVALID_PARAMS, "line %zu of %s has no code",
                           sheet_line(sheet, row), sheet->name);
        for (int i = 0; code == ERR_OK && i < sheet_columns(sheet); i++) {
            int french = french_column(sheet, i);

            if (french != SHEET_NO_COLUMN)
                code = add_phrase_part(catalogue, row, phrase, i, french, err);
        }
    }
    return code;
}

/* ---- both ---- */

static int
compare_entries(const void *a, const void *b)
{
    return str_compare(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static enum err_code
build(struct catalogue *catalogue, struct err *err)
{
    size_t room = catalogue->messages.n_rows +
                  catalogue->phrases.n_rows * (size_t)sheet_columns(&catalogue->phrases);
    enum err_code code;

    catalogue->entries = arena_alloc(catalogue->messages.arena, room, sizeof *catalogue->entries);
    if (catalogue->entries == NULL)
        return err_no_memory(err);
    code = read_messages(catalogue, err);
    if (code != ERR_OK) {
        err_at(err, MESSAGES_FILE);
        return code;
    }
    code = read_phrases(catalogue, err);
    if (code != ERR_OK) {
        err_at(err, PHRASES_FILE);
        return code;
    }
    if (catalogue->n_entries == 0)
        return ERR_OK;
    qsort(catalogue->entries, catalogue->n_entries, sizeof *catalogue->entries, compare_entries);
    for (size_t i = 1; i < catalogue->n_entries; i++)
        if (str_equal(catalogue->entries[i - 1].key, catalogue->entries[i].key))
            return err_set(err, ERR_INVALID_PARAMS,
                           "the key %s stands twice in messages and phrases; take one out",
                           quote(catalogue->entries[i].key).text);
    return ERR_OK;
}

enum err_code
catalogue_parse(struct str messages_csv, struct str phrases_csv, struct catalogue **out,
                struct err *err)
{
    struct catalogue *catalogue = mem_alloc_zeroed(1, sizeof *catalogue);
    enum err_code code;

    if (catalogue == NULL)
        return err_no_memory(err);
    code = sheet_open("messages", messages_csv, ROWS_MAX, &catalogue->messages, err);
    if (code != ERR_OK) {
        err_at(err, MESSAGES_FILE);
        goto out;
    }
    code = sheet_open("phrases", phrases_csv, ROWS_MAX, &catalogue->phrases, err);
    if (code != ERR_OK) {
        err_at(err, PHRASES_FILE);
        goto out;
    }
    code = build(catalogue, err);
out:
    if (code != ERR_OK) {
        catalogue_destroy(catalogue);
        return code;
    }
    *out = catalogue;
    return ERR_OK;
}

void
catalogue_destroy(struct catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    sheet_close(&catalogue->messages);
    sheet_close(&catalogue->phrases);
    mem_free(catalogue);
}

struct str
catalogue_text(const struct catalogue *catalogue, const char *key, enum lang lang)
{
    struct str wanted = str_from(key);
    size_t low = 0, high = catalogue->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(wanted, catalogue->entries[middle].key);

        if (order == 0)
            return catalogue->entries[middle].text[lang];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return (struct str){NULL, 0};
}

bool
catalogue_has_phrase(const struct catalogue *catalogue, struct str code)
{
    const struct sheet *sheet = &catalogue->phrases;
    int column = sheet_column(sheet, "code");

    for (size_t i = 0; i < sheet->n_rows; i++)
        if (str_equal(sheet_cell(sheet, i, column), code))
            return true;
    return false;
}

struct str
catalogue_nearest_phrase(const struct catalogue *catalogue, struct str code)
{
    const struct sheet *sheet = &catalogue->phrases;
    int column = sheet_column(sheet, "code");
    size_t limit = code.len / 3 + 1, nearest_distance = limit;
    struct str nearest = {NULL, 0};

    for (size_t i = 0; i < sheet->n_rows; i++) {
        struct str cell = sheet_cell(sheet, i, column);
        size_t distance = str_distance(code, cell, limit);

        if (distance < nearest_distance) {
            nearest = cell;
            nearest_distance = distance;
        }
    }
    return nearest;
}

static const struct catalogue_argument *
find_argument(const struct catalogue_argument *arguments, struct str name)
{
    for (; arguments->name != NULL; arguments++)
        if (str_is(name, arguments->name))
            return arguments;
    return NULL;
}

struct str
catalogue_format(const struct catalogue *catalogue, const char *key, enum lang lang,
                 const struct catalogue_argument *arguments, struct arena *arena)
{
    struct str text = catalogue_text(catalogue, key, lang), filled = {NULL, 0};
    struct buf out;

    buf_init(&out, TEXT_BYTES_MAX);
    for (size_t at = 0, open; at < text.len; at = open) {
        size_t close;
        const struct catalogue_argument *argument = NULL;

        open = str_find(text, '{', at);
        buf_append(&out, text.data + at, open - at);
        if (open == text.len)
            break;
        close = str_find(text, '}', open);
        if (close < text.len)
            argument =
                find_argument(arguments, (struct str){text.data + open + 1, close - open - 1});
        if (argument != NULL) {
            buf_append_str(&out, argument->value);
            open = close + 1;
        } else {
            buf_append_char(&out, '{');
            open++;
        }
    }
    if (buf_check(&out, NULL) == ERR_OK)
        filled = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return filled;
}
