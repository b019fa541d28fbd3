#include "mapping.h"

#include "answers.h"
#include "buf.h"
#include "file.h"
#include "fold.h"
#include "share.h"
#include "tell.h"
#include "yaml_doc.h"

#include <stdlib.h>
#include <string.h>

enum { MAPPING_BYTES_MAX = 4 * 1024 * 1024, CROSSWALK_ROWS_MAX = 100000 };

/* ---- reading shared tables ---- */

static enum err_code
read_table(struct cli *cli, const char *path, struct csv_table *table, struct err *err)
{
    char share[SHARE_PATH_MAX];
    struct csv_form form;
    struct buf bytes;
    struct str text = {NULL, 0};
    enum err_code code = share_find(NULL, share, sizeof share, err);

    if (code != ERR_OK)
        return code;
    buf_init(&bytes, MAPPING_BYTES_MAX);
    code = file_read(arena_format(cli->arena, "%s/%s", share, path).data, &bytes, err);
    if (code == ERR_OK)
        text = arena_str(cli->arena, buf_str(&bytes));
    buf_fini(&bytes);
    if (code == ERR_OK)
        code = csv_detect(text, &form, err);
    return code == ERR_OK ? csv_decode(text, &form, &csv_limits_default, cli->arena, table, err)
                          : code;
}

static struct str
folded(struct cli *cli, struct str text)
{
    struct err ignored = {0};
    struct str out;

    return fold_text(text, cli->arena, &out, &ignored) == ERR_OK ? out : STR_LIT("");
}

/* ---- crosswalks ---- */

struct crosswalk_row {
    struct str label, code; /* label folded */
};

struct crosswalk {
    struct crosswalk_row *rows; /* by label */
    size_t n;
};

static int
crosswalk_compare(const void *a, const void *b)
{
    const struct crosswalk_row *x = a, *y = b;

    return str_compare(x->label, y->label);
}

/* Every file of data/crosswalks has `scheme,external_label,code`; one file may hold several schemes. */
enum err_code
crosswalk_read(struct cli *cli, struct str scheme, struct crosswalk **out, struct err *err)
{
    char share[SHARE_PATH_MAX];
    struct crosswalk *crosswalk = arena_alloc(cli->arena, 1, sizeof *crosswalk);
    char **names;
    size_t n_names;
    enum err_code code = share_find(NULL, share, sizeof share, err);

    if (crosswalk == NULL)
        fail_memory();
    if (code == ERR_OK)
        code = file_list(arena_format(cli->arena, "%s/crosswalks", share).data, ".csv", &names,
                         &n_names, err);
    if (code != ERR_OK)
        return code;
    crosswalk->rows = arena_alloc(cli->arena, CROSSWALK_ROWS_MAX, sizeof *crosswalk->rows);
    if (crosswalk->rows == NULL)
        fail_memory();
    for (size_t i = 0; i < n_names && code == ERR_OK; i++) {
        struct csv_table table;

        code =
            read_table(cli, arena_format(cli->arena, "crosswalks/%s", names[i]).data, &table, err);
        for (size_t row = 1; code == ERR_OK && row < table.n_rows; row++)
            if (table.rows[row].n_cells >= 3 && str_equal(table.rows[row].cells[0], scheme) &&
                crosswalk->n < CROSSWALK_ROWS_MAX)
                crosswalk->rows[crosswalk->n++] = (struct crosswalk_row){
                    folded(cli, table.rows[row].cells[1]), str_trim(table.rows[row].cells[2])};
    }
    file_free_names(names, n_names);
    if (code == ERR_OK && crosswalk->n == 0)
        code = err_set(err, ERR_INVALID_PARAMS, "no crosswalk has the scheme \"%.*s\"",
                       STR_ARG(scheme));
    if (code != ERR_OK)
        return code;
    qsort(crosswalk->rows, crosswalk->n, sizeof *crosswalk->rows, crosswalk_compare);
    *out = crosswalk;
    return ERR_OK;
}

enum crosswalk_answer
crosswalk_find(const struct crosswalk *crosswalk, struct str label, struct arena *arena,
               struct str *code)
{
    struct err ignored = {0};
    struct crosswalk_row key = {{NULL, 0}, {NULL, 0}};
    const struct crosswalk_row *found;

    if (fold_text(label, arena, &key.label, &ignored) != ERR_OK)
        return CROSSWALK_UNKNOWN;
    found = bsearch(&key, crosswalk->rows, crosswalk->n, sizeof key, crosswalk_compare);
    if (found == NULL)
        return CROSSWALK_UNKNOWN;
    *code = found->code;
    return found->code.len > 0 ? CROSSWALK_CODE : CROSSWALK_NOTHING;
}

/* ---- the mapping file ---- */

struct reading {
    struct cli *cli;
    const char *path;
    const struct yaml_doc *doc;
};

/* "map.yaml, line 12, columns[3].to: …" */
static enum err_code
fault(const struct reading *reading, const char *at, struct err *err, const char *sentence,
      struct str value)
{
    return err_set(err, ERR_INVALID_PARAMS, "%s, line %d, %s: \"%.*s\" %s", reading->path,
                   yaml_doc_line(reading->doc, at), at, (int)(value.len < 60 ? value.len : 60),
                   value.data != NULL ? value.data : "", sentence);
}

static int
choice_of(struct str text, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (str_is(text, names[i]))
            return i;
    return -1;
}

static const char *const form_names[] = {"by_field", "text", "number", "money",
                                         "date",     "bool", "codes",  "list"};
static const char *const order_names[] = {"unknown", "dmy", "mdy", "ymd"};
static const char *const decimal_names[] = {"unknown", "comma", "point"};
static const char *const unknown_names[] = {"report", "ignore", "refuse"};

/* "raising.max" → the field raising and the key max. */
static enum err_code
set_target(struct mapped_column *column, struct str to)
{
    size_t dot = str_find(to, '.', 0);

    column->to = to;
    column->field = schema_find((struct str){to.data, dot});
    column->key =
        dot < to.len ? (struct str){to.data + dot + 1, to.len - dot - 1} : (struct str){NULL, 0};
    return column->field != NULL ? ERR_OK : ERR_INVALID_PARAMS;
}

static enum err_code
read_from(const struct reading *reading, const msgpack_object *map, const char *at,
          struct mapped_column *column, struct err *err)
{
    const msgpack_object *any = value_find(map, "from_any");
    struct str one = text_of(map, "from");

    if (one.len > 0)
        column->from[column->n_from++] = one;
    for (size_t i = 0; i < value_size(any) && column->n_from < FROM_MAX; i++)
        if (value_str(value_at(any, i), &one))
            column->from[column->n_from++] = one;
    return column->n_from > 0
               ? ERR_OK
               : fault(reading, at, err, "names no header: give `from` or `from_any`", one);
}

/* One of a few words; `none` where the key is absent. */
static enum err_code
read_choice(const struct reading *reading, const msgpack_object *map, const char *key,
            const char *at, const char *const *names, int n, int *out, struct err *err)
{
    struct str text = text_of(map, key);
    int choice;

    if (text.len == 0)
        return ERR_OK;
    choice = choice_of(text, names, n);
    if (choice < 0)
        return fault(reading, at, err, "is none of the words that stand there", text);
    *out = choice;
    return ERR_OK;
}

static const char *const column_keys[] = {
    "from",     "from_any", "to",      "form",     "vocabulary", "crosswalk", "split",
    "currency", "most",     "decimal", "doubtful", "ignore",     "values",    "date_order"};

static enum err_code
check_keys(const struct reading *reading, const msgpack_object *map, const char *const *keys, int n,
           const char *at, struct err *err)
{
    for (size_t i = 0; i < value_size(map); i++)
        if (choice_of(value_key(map, i), keys, n) < 0)
            return fault(reading, at, err, "is no key of this part of a mapping",
                         value_key(map, i));
    return ERR_OK;
}

static enum err_code
read_column(const struct reading *reading, const msgpack_object *map, const char *at,
            struct mapped_column *column, struct err *err)
{
    struct str to = text_of(map, "to"), scheme = text_of(map, "crosswalk");
    struct str vocabulary = text_of(map, "vocabulary");
    int form = 0, order = 0, decimal = 0;
    enum err_code code;

    *column = (struct mapped_column){.vocabulary = -1};
    if ((code = check_keys(reading, map, column_keys, sizeof column_keys / sizeof *column_keys, at,
                           err)) != ERR_OK ||
        (code = read_from(reading, map, at, column, err)) != ERR_OK)
        return code;
    column->is_ignored = flag_of(map, "ignore");
    if (column->is_ignored)
        return ERR_OK;
    if (set_target(column, to) != ERR_OK)
        return fault(reading, at, err, "is no field of a profile: give `to`, or `ignore: true`",
                     to);
    if ((code = read_choice(reading, map, "form", at, form_names, 8, &form, err)) != ERR_OK ||
        (code = read_choice(reading, map, "date_order", at, order_names, 4, &order, err)) !=
            ERR_OK ||
        (code = read_choice(reading, map, "decimal", at, decimal_names, 3, &decimal, err)) !=
            ERR_OK)
        return code;
    column->form = (enum cell_form)form;
    column->date_order = (enum date_order)order;
    column->decimal = (enum decimal_mark)decimal;
    column->split = text_of(map, "split");
    column->currency = text_of(map, "currency");
    column->values = value_find(map, "values");
    column->most = number_of(map, "most");
    column->leaves_doubtful_out = str_is(text_of(map, "doubtful"), "leave_out");
    for (int i = 0; vocabulary.len > 0 && i < VOCABULARY_COUNT; i++)
        if (str_is(vocabulary, vocabulary_id_name((enum vocabulary_id)i)))
            column->vocabulary = i;
    if (vocabulary.len > 0 && column->vocabulary < 0)
        return fault(reading, at, err, "is no vocabulary", vocabulary);
    return scheme.len > 0 ? crosswalk_read(reading->cli, scheme, &column->crosswalk, err) : ERR_OK;
}

static enum err_code
read_columns(const struct reading *reading, const msgpack_object *list, struct mapping *mapping,
             struct err *err)
{
    for (size_t i = 0; i < value_size(list); i++) {
        struct str at = arena_format(reading->cli->arena, "columns[%zu]", i);
        enum err_code code;

        if (mapping->n_columns == COLUMNS_MAPPED_MAX)
            return err_set(err, ERR_TOO_LARGE, "%s maps more than %d columns", reading->path,
                           COLUMNS_MAPPED_MAX);
        code = read_column(reading, value_at(list, i), at.data,
                           &mapping->columns[mapping->n_columns++], err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

static enum err_code
read_form(const struct reading *reading, const msgpack_object *root, struct mapping *mapping,
          struct err *err)
{
    static const char *const encodings[] = {"utf-8", "windows-1252"};
    static const char *const separators[] = {"comma", "semicolon", "tab", ",", ";"};
    static const char marks[] = ",;\t,;";
    int encoding = -1, separator = -1;
    enum err_code code =
        read_choice(reading, root, "encoding", "encoding", encodings, 2, &encoding, err);

    if (code == ERR_OK)
        code = read_choice(reading, root, "separator", "separator", separators, 5, &separator, err);
    mapping->has_encoding = encoding >= 0;
    mapping->has_separator = separator >= 0;
    mapping->form.encoding = encoding == 1 ? CSV_WINDOWS_1252 : CSV_UTF8;
    mapping->form.separator = separator >= 0 ? marks[separator] : ',';
    return code;
}

static enum err_code
read_mapping(const struct reading *reading, const msgpack_object *root, struct mapping *mapping,
             struct err *err)
{
    static const char *const keys[] = {"name",   "kind",     "set",       "columns",
                                       "id",     "encoding", "separator", "unknown_columns",
                                       "headers"};
    const msgpack_object *id = value_find(root, "id");
    int unknown = 0;
    enum err_code code = check_keys(reading, root, keys, sizeof keys / sizeof keys[0], "", err);

    if (code == ERR_OK)
        code = read_choice(reading, root, "unknown_columns", "unknown_columns", unknown_names, 3,
                           &unknown, err);
    if (code == ERR_OK)
        code = read_form(reading, root, mapping, err);
    mapping->unknown_columns = (enum unknown_columns)unknown;
    mapping->kind = text_of(root, "kind");
    mapping->constants = value_find(root, "set");
    mapping->id_from = text_of(id, "from");
    mapping->id_prefix = text_of(id, "prefix");
    mapping->is_french = str_is(text_of(root, "headers"), "fr");
    return code == ERR_OK ? read_columns(reading, value_find(root, "columns"), mapping, err) : code;
}

struct mapping *
mapping_empty(struct cli *cli)
{
    struct mapping *mapping = arena_alloc(cli->arena, 1, sizeof *mapping);

    if (mapping == NULL)
        fail_memory();
    return mapping;
}

enum err_code
mapping_read(struct cli *cli, const char *path, struct mapping **out, struct err *err)
{
    struct reading reading = {.cli = cli, .path = path};
    struct yaml_doc *doc;
    struct buf bytes;
    struct str text = {NULL, 0};
    enum err_code code;

    buf_init(&bytes, MAPPING_BYTES_MAX);
    code = file_read(path, &bytes, err);
    if (code == ERR_NOT_FOUND && strchr(path, '/') == NULL) { /* one of the shipped ones by name */
        char share[SHARE_PATH_MAX];

        *err = (struct err){0};
        code = share_find(NULL, share, sizeof share, err);
        if (code == ERR_OK)
            code = file_read(arena_format(cli->arena, "%s/mappings/%s.yaml", share, path).data,
                             &bytes, err);
    }
    if (code == ERR_OK)
        text = arena_str(cli->arena, buf_str(&bytes));
    buf_fini(&bytes);
    if (code == ERR_OK)
        code = yaml_decode(text, &value_limits_default, cli->arena, &doc, err);
    if (code != ERR_OK)
        return code;
    reading.doc = doc;
    *out = mapping_empty(cli);
    return read_mapping(&reading, yaml_doc_root(doc), *out, err);
}

/* ---- binding to a header ---- */

struct header_guess {
    struct csv_table table; /* headers.csv */
    bool is_read;
};

static bool
same_folded(struct cli *cli, struct str a, struct str folded_b)
{
    return str_equal(folded(cli, a), folded_b);
}

/* The field path that a header means: a field's name, its label in either language, or a synonym. */
static struct str
guess_target(struct cli *cli, const struct csv_table *synonyms, struct str header, bool *is_french)
{
    struct str wanted = folded(cli, header);
    const struct catalogue *catalogue = cli_reference(cli)->catalogue;
    char key[64];

    if (wanted.len == 0)
        return wanted;
    if (schema_find((struct str){header.data, str_find(header, '.', 0)}) != NULL)
        return header; /* a field's own name, or a part of one, as export writes it */
    for (int i = 0; i < FIELD_COUNT; i++) {
        snprintf(key, sizeof key, "field.%s", schema[i].name);
        for (int lang = 0; lang < LANG_COUNT; lang++)
            if (same_folded(cli, catalogue_text(catalogue, key, (enum lang)lang), wanted)) {
                *is_french |= lang == LANG_FR;
                return schema[i].id == FIELD_DESCRIPTION
                           ? (lang == LANG_FR ? STR_LIT("description.fr")
                                              : STR_LIT("description.en"))
                           : str_from(schema[i].name);
            }
    }
    for (size_t row = 1; row < synonyms->n_rows; row++) {
        struct str list =
            synonyms->rows[row].n_cells > 1 ? synonyms->rows[row].cells[1] : STR_LIT("");

        for (size_t at = 0; at < list.len;) {
            size_t end = str_find(list, ';', at);
            struct str word = {list.data + at, end - at};

            if (same_folded(cli, word, wanted)) {
                for (size_t i = 0; i < header.len; i++)
                    *is_french |= ((unsigned char)header.data[i] & 0x80) != 0;
                return synonyms->rows[row].cells[0];
            }
            at = end + 1;
        }
    }
    return STR_LIT("");
}

static int
find_mapped(struct cli *cli, const struct mapping *mapping, struct str header)
{
    struct str wanted = folded(cli, header);

    for (int i = 0; i < mapping->n_columns; i++)
        for (int j = 0; j < mapping->columns[i].n_from; j++)
            if (str_equal(mapping->columns[i].from[j], header) ||
                (wanted.len > 0 && same_folded(cli, mapping->columns[i].from[j], wanted)))
                return i;
    return -1;
}

static enum err_code
bind_one(struct cli *cli, struct mapping *mapping, struct header_guess *guess, struct str header,
         int *bound, struct err *err)
{
    struct mapped_column *column;
    struct str target;
    enum err_code code;

    *bound = find_mapped(cli, mapping, header);
    if (*bound >= 0 || mapping->n_columns == COLUMNS_MAPPED_MAX)
        return ERR_OK;
    if (!guess->is_read) {
        code = read_table(cli, "mappings/headers.csv", &guess->table, err);
        if (code != ERR_OK)
            return code;
        guess->is_read = true;
    }
    target = guess_target(cli, &guess->table, header, &mapping->is_french);
    if (target.len == 0)
        return ERR_OK;
    column = &mapping->columns[mapping->n_columns];
    *column = (struct mapped_column){.vocabulary = -1, .n_from = 1};
    column->from[0] = header;
    if (set_target(column, target) == ERR_OK)
        *bound = mapping->n_columns++;
    return ERR_OK;
}

enum err_code
mapping_bind(struct cli *cli, struct mapping *mapping, const struct csv_row *header, int *bound,
             struct err *err)
{
    struct header_guess guess = {.is_read = false};

    for (size_t i = 0; i < header->n_cells; i++) {
        struct str name = cell_plain(header->cells[i], cli->arena);
        enum err_code code = bind_one(cli, mapping, &guess, name, &bound[i], err);

        if (code != ERR_OK)
            return code;
        for (size_t j = 0; j < i; j++)
            if (bound[i] >= 0 && bound[j] == bound[i] && !mapping->columns[bound[i]].is_ignored)
                return err_set(err, ERR_INVALID_PARAMS,
                               "the columns \"%.*s\" and \"%.*s\" both give %.*s; leave one out in "
                               "the mapping with ignore: true",
                               STR_ARG(cell_plain(header->cells[j], cli->arena)), STR_ARG(name),
                               STR_ARG(mapping->columns[bound[i]].to));
    }
    return ERR_OK;
}
