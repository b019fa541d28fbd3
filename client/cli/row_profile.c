#include "row_profile.h"

#include "buf.h"
#include "tell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 128, ITEMS_MAX = 512, VALUE_BYTES_MAX = 1024 * 1024 };

struct part { /* one value on its way into the profile */
    const struct field *field;
    struct str key;   /* below the field, or empty */
    struct str bytes; /* packed */
};

struct row_state {
    const struct row_job *job;
    struct row_fault *faults;
    size_t n_faults;
    struct part parts[PARTS_MAX];
    size_t n_parts;
};

static void
add_fault(struct row_state *state, struct str column, const struct err *err)
{
    if (state->n_faults < ROW_FAULTS_MAX)
        state->faults[state->n_faults] =
            (struct row_fault){column, arena_str(state->job->arena, str_from(err->message))};
    state->n_faults++;
}

static void
add_part(struct row_state *state, const struct field *field, struct str key,
         const struct buf *value)
{
    if (state->n_parts == PARTS_MAX)
        return; /* more columns than a profile has fields: checked when the mapping is read */
    state->parts[state->n_parts++] =
        (struct part){field, key, arena_str(state->job->arena, buf_str(value))};
}

/* ---- labels ---- */

static void
tally_unknown(struct cli *cli, struct label_tally *tally, struct str label)
{
    for (size_t i = 0; i < tally->n_unknown; i++)
        if (str_equal(tally->unknown[i].label, label)) {
            tally->unknown[i].n++;
            return;
        }
    if (tally->n_unknown == tally->room) {
        size_t room = tally->room != 0 ? tally->room * 2 : 64;
        struct label_count *list = arena_alloc(cli->arena, room, sizeof *list);

        if (list == NULL)
            fail_memory();
        if (tally->n_unknown != 0)
            memcpy(list, tally->unknown, tally->n_unknown * sizeof *list);
        tally->unknown = list;
        tally->room = room;
    }
    tally->unknown[tally->n_unknown++] = (struct label_count){arena_str(cli->arena, label), 1};
}

static int
label_compare(const void *a, const void *b)
{
    const struct label_count *x = a, *y = b;

    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return str_compare(x->label, y->label);
}

void
label_tally_sort(struct label_tally *tally)
{
    if (tally->n_unknown > 1)
        qsort(tally->unknown, tally->n_unknown, sizeof *tally->unknown, label_compare);
}

/* ---- codes ---- */

static const struct vocabulary *
vocabulary_at(const struct row_state *state, int id)
{
    return id >= 0 ? cli_reference(state->job->cli)->vocabularies[id] : NULL;
}

enum recognised { RECOGNISED, RECOGNISED_NOTHING, NOT_RECOGNISED };

static enum recognised
recognise(struct row_state *state, const struct mapped_column *column, struct str item,
          struct str *code)
{
    const int ids[] = {column->vocabulary >= 0 ? column->vocabulary : column->field->vocabulary,
                       column->field->vocabulary_too};

    if (column->crosswalk != NULL) {
        switch (crosswalk_find(column->crosswalk, item, state->job->arena, code)) {
        case CROSSWALK_CODE:
            return RECOGNISED;
        case CROSSWALK_NOTHING:
            return RECOGNISED_NOTHING;
        case CROSSWALK_UNKNOWN:
            break;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        const struct vocabulary *vocabulary = vocabulary_at(state, ids[i]);
        int row = vocabulary != NULL ? vocabulary_recognise(vocabulary, item) : VOCABULARY_NONE;

        if (ids[i] == VOCABULARY_COUNTRIES && row == VOCABULARY_NONE && item.len == 3)
            for (int r = 0; r < (int)vocabulary_size(vocabulary) && row == VOCABULARY_NONE; r++)
                if (str_equal(vocabulary_cell(vocabulary, r, "alpha3"), item))
                    row = r;
        if (row != VOCABULARY_NONE) {
            *code = vocabulary_code(vocabulary, row);
            return RECOGNISED;
        }
    }
    return NOT_RECOGNISED;
}

static void
say_not_recognised(struct row_state *state, const struct mapped_column *column, struct str item,
                   struct err *err)
{
    struct cli *cli = state->job->cli;
    int id = column->vocabulary >= 0 ? column->vocabulary : column->field->vocabulary;
    const struct vocabulary *vocabulary = vocabulary_at(state, id);
    int near = vocabulary != NULL ? vocabulary_nearest(vocabulary, item) : VOCABULARY_NONE;
    struct str first =
        TELL(cli, "import.no_match", {"value", TELL(cli, "list.quote", {"a", item})});
    struct str second =
        near != VOCABULARY_NONE
            ? TELL(cli, "import.suggestion",
                   {"value", arena_format(cli->arena, "%.*s (%.*s)",
                                          STR_ARG(vocabulary_label(vocabulary, near, cli->lang)),
                                          STR_ARG(vocabulary_code(vocabulary, near)))})
            : tell_text(cli, "import.no_suggestion");

    err_set(err, ERR_INVALID_PARAMS, "%.*s. %.*s", STR_ARG(first), STR_ARG(second));
}

/* Items of a list cell. Parts at the column's own marks, else at ; | and line ends; an item that is not
 * known as a whole is parted further at comma and slash. */
static size_t
part_list(struct str cell, const char *marks, struct str items[ITEMS_MAX])
{
    size_t n = 0;

    for (size_t at = 0; at <= cell.len && n < ITEMS_MAX;) {
        size_t end = at;
        struct str item;

        while (end < cell.len && strchr(marks, cell.data[end]) == NULL)
            end++;
        item = str_trim((struct str){cell.data + at, end - at});
        if (item.len > 0)
            items[n++] = item;
        at = end + 1;
    }
    return n;
}

struct code_list {
    struct buf *out;
    struct str seen[ITEMS_MAX];
    size_t n;
    bool is_single, has_fault;
};

static void
add_code(struct code_list *list, struct str code)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_equal(list->seen[i], code))
            return;
    if (list->n == ITEMS_MAX)
        return;
    list->seen[list->n++] = code;
}

static void
add_item(struct row_state *state, const struct mapped_column *column, struct str item,
         struct code_list *list, struct str header, bool may_part)
{
    struct label_tally *tally = state->job->tally;
    struct str items[ITEMS_MAX], code;
    struct err err = {0};
    size_t n;

    switch (recognise(state, column, item, &code)) {
    case RECOGNISED:
        tally->n_understood += column->crosswalk != NULL;
        add_code(list, code);
        return;
    case RECOGNISED_NOTHING:
        tally->n_ignored += column->crosswalk != NULL;
        return;
    case NOT_RECOGNISED:
        break;
    }
    n = may_part && column->split.len == 0 ? part_list(item, ",/", items) : 1;
    if (n > 1) {
        for (size_t i = 0; i < n; i++)
            add_item(state, column, items[i], list, header, false);
        return;
    }
    tally->n_not_understood += column->crosswalk != NULL;
    if (column->leaves_doubtful_out) {
        tally_unknown(state->job->cli, tally, item);
        return;
    }
    say_not_recognised(state, column, item, &err);
    add_fault(state, header, &err);
    list->has_fault = true;
}

static bool
is_list_field(const struct field *field)
{
    return field->type == FIELD_TYPE_CODES || field->type == FIELD_TYPE_TERMS ||
           field->type == FIELD_TYPE_IDS;
}

static bool
pack_codes(struct row_state *state, const struct mapped_column *column, struct str cell,
           struct str header, struct buf *out)
{
    const char *marks =
        column->split.len > 0 ? arena_text(state->job->arena, column->split) : ";|\n";
    struct code_list *list = arena_alloc(state->job->arena, 1, sizeof *list);
    struct str *items = arena_alloc(state->job->arena, ITEMS_MAX, sizeof *items);
    size_t n;

    if (list == NULL || items == NULL)
        fail_memory();
    n = part_list(cell, marks, items);
    for (size_t i = 0; i < n; i++)
        add_item(state, column, items[i], list, header, true);
    if (list->has_fault || list->n == 0)
        return false;
    if (column->most > 0 && list->n > (size_t)column->most)
        list->n = (size_t)column->most;
    if (!is_list_field(column->field)) {
        pack_str(out, list->seen[0]);
        if (list->n > 1) {
            struct err err = {0};

            err_set(&err, ERR_INVALID_PARAMS, "\"%.*s\" names several where one is meant",
                    STR_ARG(cell));
            add_fault(state, header, &err);
            return false;
        }
        return true;
    }
    pack_array(out, list->n);
    for (size_t i = 0; i < list->n; i++)
        pack_str(out, list->seen[i]);
    return true;
}

static void
pack_list(struct row_state *state, const struct mapped_column *column, struct str cell,
          struct buf *out)
{
    struct str *items = arena_alloc(state->job->arena, ITEMS_MAX, sizeof *items);
    const char *marks =
        column->split.len > 0 ? arena_text(state->job->arena, column->split) : ";|,\n";
    size_t n;

    if (items == NULL)
        fail_memory();
    n = part_list(cell, marks, items);
    if (column->most > 0 && n > (size_t)column->most)
        n = (size_t)column->most;
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_str(out, items[i]);
}

/* ---- one cell ---- */

static enum cell_form
form_of(const struct mapped_column *column)
{
    if (column->form != CELL_BY_FIELD)
        return column->form;
    switch (column->field->type) {
    case FIELD_TYPE_CODE:
    case FIELD_TYPE_CODES:
        return CELL_CODES;
    case FIELD_TYPE_TERMS:
    case FIELD_TYPE_IDS:
        return CELL_LIST;
    case FIELD_TYPE_NUMBER:
        return CELL_NUMBER;
    case FIELD_TYPE_MONEY:
        return str_is(column->key, "currency") ? CELL_TEXT
               : column->key.len > 0           ? CELL_NUMBER
                                               : CELL_MONEY;
    case FIELD_TYPE_DATE:
    case FIELD_TYPE_PERIOD:
        return CELL_DATE;
    case FIELD_TYPE_CONSENT:
        return str_is(column->key, "match") || str_is(column->key, "share") ? CELL_BOOL
               : str_is(column->key, "until")                               ? CELL_DATE
                                                                            : CELL_TEXT;
    case FIELD_TYPE_ID:
    case FIELD_TYPE_TEXT:
    case FIELD_TYPE_URL:
    case FIELD_TYPE_TEXTS:
    case FIELD_TYPE_BYTES:
    case FIELD_TYPE_CHOICE:
    case FIELD_TYPE_FREE_MAP:
    case FIELD_TYPE_CONFIDENTIAL:
        /* a code without a vocabulary of its own field may name one */
        return column->vocabulary >= 0 || column->crosswalk != NULL ? CELL_CODES : CELL_TEXT;
    }
    return CELL_TEXT;
}

static void
pack_money(struct buf *out, const struct cell_money *money)
{
    pack_map(out, money->max != money->min ? 3 : 2);
    pack_key_int(out, "min", money->min);
    if (money->max != money->min)
        pack_key_int(out, "max", money->max);
    pack_key_str(out, "currency", money->currency);
}

/* "acme.com" as people write it becomes a whole address. */
static struct str
url_of(struct row_state *state, struct str cell)
{
    if (memmem(cell.data, cell.len, "://", 3) != NULL || str_find(cell, '.', 0) == cell.len)
        return cell;
    return arena_format(state->job->arena, "https://%.*s", STR_ARG(cell));
}

/* True if a value was packed. */
static bool
pack_cell(struct row_state *state, const struct mapped_column *column, struct str cell,
          struct str header, struct buf *out)
{
    const struct mapping *mapping = state->job->mapping;
    enum decimal_mark decimal = column->decimal != DECIMAL_UNKNOWN ? column->decimal
                                : mapping->is_french               ? DECIMAL_COMMA
                                                                   : DECIMAL_UNKNOWN;
    enum date_order order = column->date_order != DATE_ORDER_UNKNOWN ? column->date_order
                            : mapping->is_french                     ? DATE_ORDER_DMY
                                                                     : DATE_ORDER_UNKNOWN;
    const msgpack_object *told = value_find_str(column->values, cell);
    struct cell_money money;
    struct err err = {0};
    struct str text;
    int64_t number;
    bool flag;
    enum err_code code = ERR_OK;

    if (told != NULL) {
        pack_value(out, told);
        return !value_is_nil(told);
    }
    switch (form_of(column)) {
    case CELL_BY_FIELD:
    case CELL_TEXT:
        pack_str(out, column->field->type == FIELD_TYPE_URL ? url_of(state, cell) : cell);
        return true;
    case CELL_CODES:
        return pack_codes(state, column, cell, header, out);
    case CELL_LIST:
        pack_list(state, column, cell, out);
        return true;
    case CELL_NUMBER:
        if ((code = cell_number(cell, decimal, &number, &err)) == ERR_OK)
            pack_int(out, number);
        break;
    case CELL_MONEY:
        code = cell_money(cell, decimal, column->currency, cli_reference(state->job->cli),
                          state->job->arena, &money, &err);
        if (code == ERR_OK)
            pack_money(out, &money);
        break;
    case CELL_DATE:
        if ((code = cell_date(cell, order, state->job->arena, &text, &err)) == ERR_OK)
            pack_str(out, text);
        break;
    case CELL_BOOL:
        if ((code = cell_bool(cell, &flag, &err)) == ERR_OK)
            pack_bool(out, flag);
        break;
    }
    if (code == ERR_OK)
        return true;
    if (!column->leaves_doubtful_out)
        add_fault(state, header, &err);
    return false;
}

/* ---- the whole row ---- */

static void
read_cells(struct row_state *state, const struct csv_row *row, struct buf *value)
{
    const struct row_job *job = state->job;

    for (size_t i = 0; i < row->n_cells; i++) {
        const struct mapped_column *column;
        struct str cell, header;

        if (i >= job->header->n_cells || job->bound[i] < 0)
            continue;
        column = &job->mapping->columns[job->bound[i]];
        cell = cell_plain(row->cells[i], job->arena);
        if (column->is_ignored || cell.len == 0)
            continue;
        header = job->header->cells[i];
        buf_clear(value);
        if (pack_cell(state, column, cell, header, value))
            add_part(state, column->field, column->key, value);
    }
}

static bool
has_part(const struct row_state *state, enum field_id field)
{
    for (size_t i = 0; i < state->n_parts; i++)
        if (state->parts[i].field->id == field)
            return true;
    return false;
}

static void
add_constants(struct row_state *state, struct buf *value)
{
    const struct mapping *mapping = state->job->mapping;

    for (size_t i = 0; i < value_size(mapping->constants); i++) {
        struct str name = value_key(mapping->constants, i);
        const struct field *field = schema_find(name);

        if (field == NULL || has_part(state, field->id))
            continue; /* an unknown one is told by the profile's own check */
        buf_clear(value);
        pack_value(value, value_of(mapping->constants, i));
        add_part(state, field, (struct str){NULL, 0}, value);
    }
    if (mapping->kind.len > 0 && !has_part(state, FIELD_KIND)) {
        buf_clear(value);
        pack_str(value, mapping->kind);
        add_part(state, &schema[FIELD_KIND], (struct str){NULL, 0}, value);
    }
}

static struct str
cell_named(const struct row_state *state, const struct csv_row *row, struct str header)
{
    for (size_t i = 0; i < row->n_cells && i < state->job->header->n_cells; i++)
        if (str_equal(cell_plain(state->job->header->cells[i], state->job->arena), header))
            return cell_plain(row->cells[i], state->job->arena);
    return (struct str){NULL, 0};
}

static struct str
name_of(const struct row_state *state)
{
    for (size_t i = 0; i < state->n_parts; i++)
        if (state->parts[i].field->id == FIELD_NAME && state->parts[i].bytes.len > 0) {
            const msgpack_object *value;
            struct err ignored = {0};
            struct str text = {NULL, 0};

            if (value_decode(state->parts[i].bytes.data, state->parts[i].bytes.len,
                             &value_limits_default, state->job->arena, &value, &ignored) == ERR_OK)
                value_str(value, &text);
            return text;
        }
    return (struct str){NULL, 0};
}

/* The id: from the column that the mapping names, else the column of ids, else made of the name. */
static void
add_id(struct row_state *state, const struct csv_row *row, struct buf *value)
{
    const struct mapping *mapping = state->job->mapping;
    struct str from =
        mapping->id_from.len > 0 ? cell_named(state, row, mapping->id_from) : (struct str){NULL, 0};
    struct str id;
    struct err err = {0};

    if (mapping->id_from.len == 0 && has_part(state, FIELD_ID))
        return;
    if (from.len == 0)
        from = name_of(state);
    if (from.len == 0)
        return; /* without a name the profile's own check says what is missing */
    if (cell_slug(from, mapping->id_prefix, state->job->arena, &id, &err) != ERR_OK) {
        add_fault(state, mapping->id_from.len > 0 ? mapping->id_from : STR_LIT("id"), &err);
        return;
    }
    buf_clear(value);
    pack_str(value, id);
    add_part(state, &schema[FIELD_ID], (struct str){NULL, 0}, value);
}

static void
pack_field_parts(const struct row_state *state, const struct field *field, struct buf *out)
{
    struct pack_open map;
    size_t n = 0;

    for (size_t i = 0; i < state->n_parts; i++)
        if (state->parts[i].field == field && state->parts[i].key.len == 0) {
            buf_append_str(out, state->parts[i].bytes); /* a whole value wins over its pieces */
            return;
        }
    map = pack_map_open(out);
    for (size_t i = 0; i < state->n_parts; i++)
        if (state->parts[i].field == field) {
            pack_str(out, state->parts[i].key);
            buf_append_str(out, state->parts[i].bytes);
            n++;
        }
    pack_close(out, map, n);
}

size_t
row_profile_pack(const struct row_job *job, const struct csv_row *row, struct buf *out,
                 struct row_fault faults[ROW_FAULTS_MAX])
{
    struct row_state *state = arena_alloc(job->arena, 1, sizeof *state);
    struct pack_open map;
    struct buf value;
    size_t n = 0;

    if (state == NULL)
        fail_memory();
    *state = (struct row_state){.job = job, .faults = faults};
    buf_init(&value, VALUE_BYTES_MAX);
    read_cells(state, row, &value);
    add_constants(state, &value);
    add_id(state, row, &value);
    buf_fini(&value);
    if (state->n_faults > 0)
        return state->n_faults;
    map = pack_map_open(out);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (has_part(state, (enum field_id)i)) {
            pack_key(out, schema[i].name);
            pack_field_parts(state, &schema[i], out);
            n++;
        }
    pack_close(out, map, n);
    return 0;
}

struct str
row_profile_column(const struct row_job *job, struct str path)
{
    size_t end = 0;
    const struct field *field;

    while (end < path.len && path.data[end] != '.' && path.data[end] != '[')
        end++;
    field = schema_find((struct str){path.data, end});
    for (size_t i = 0; field != NULL && i < job->header->n_cells; i++)
        if (job->bound[i] >= 0 && job->mapping->columns[job->bound[i]].field == field)
            return job->header->cells[i];
    return (struct str){NULL, 0};
}
