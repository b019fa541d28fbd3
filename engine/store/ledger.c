#include "ledger.h"

#include "alloc.h"
#include "file.h"
#include "records.h"
#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WALK_ARENA_BYTES = 1024 * 1024, ROW_BYTES_MAX = 64 * 1024 };
enum { FILE_BYTES_MAX = 64 * 1024 * 1024 };
static const char file_name[] = "jumelage.erased";
static const char prefix[] = "erased/";
enum { PREFIX_CHARS = sizeof prefix - 1 };

/* ---- one row ---- */

static void
name_row(char name[KEY_MAX], struct str id)
{
    snprintf(name, KEY_MAX, "%s%.*s", prefix, STR_ARG(id));
}

bool
ledger_is_row(struct str setting)
{
    return setting.len >= PREFIX_CHARS && memcmp(setting.data, prefix, PREFIX_CHARS) == 0;
}

static enum err_code
find_row(struct store_read *read, struct str id, struct arena *arena, const msgpack_object **row,
         struct err *err)
{
    char name[KEY_MAX];
    struct str bytes;
    enum err_code code;

    name_row(name, id);
    code = store_setting_get(read, name, &bytes, err);
    return code == ERR_OK
               ? value_decode(bytes.data, bytes.len, &value_limits_default, arena, row, err)
               : code;
}

enum err_code
ledger_get(struct store_read *read, struct str id, struct arena *arena, struct ledger_row *out,
           struct err *err)
{
    const msgpack_object *row;
    int64_t seq = 0;
    enum err_code code = find_row(read, id, arena, &row, err);

    if (code != ERR_OK)
        return code;
    *out = (struct ledger_row){.at = 0};
    value_int(value_find(row, "at"), &out->at);
    value_int(value_find(row, "seq"), &seq);
    out->seq = (uint64_t)seq;
    return ERR_OK;
}

enum err_code
ledger_put(struct store_txn *txn, struct str id, int64_t at, uint64_t redactor, struct arena *arena,
           struct err *err)
{
    const msgpack_object *row = NULL, *seqs;
    char name[KEY_MAX];
    struct buf bytes;
    enum err_code code = find_row(&txn->read, id, arena, &row, err);

    if (code != ERR_OK && code != ERR_NOT_FOUND)
        return code;
    seqs = code == ERR_OK ? value_find(row, "seqs") : NULL;
    buf_init(&bytes, ROW_BYTES_MAX);
    pack_map(&bytes, 3);
    pack_key_int(&bytes, "at", at);
    pack_key_int(&bytes, "seq", (int64_t)(redactor != 0 ? redactor : txn->seq));
    pack_key(&bytes, "seqs");
    pack_array(&bytes, value_size(seqs) + (redactor != 0));
    for (size_t i = 0; i < value_size(seqs); i++)
        pack_value(&bytes, value_at(seqs, i));
    if (redactor != 0)
        pack_int(&bytes, (int64_t)redactor);
    code = buf_check(&bytes, err);
    name_row(name, id);
    if (code == ERR_OK)
        code = store_setting_put(txn, name, buf_str(&bytes), err);
    buf_fini(&bytes);
    return code;
}

/* ---- all rows ---- */

typedef enum err_code row_fn(void *context, struct str id, const msgpack_object *row,
                             struct err *err);

static enum err_code
each_row(struct store_read *read, row_fn *look, void *context, struct err *err)
{
    struct arena *arena = arena_create(WALK_ARENA_BYTES);
    struct store_walk *walk = NULL;
    struct str name, bytes;
    struct err end = {0};
    enum err_code code = arena == NULL
                             ? err_no_memory(err)
                             : store_walk_settings(read, prefix, (struct str){NULL, 0}, &walk, err);

    while (code == ERR_OK && store_walk_next_setting(walk, &name, &bytes, &end)) {
        const msgpack_object *row;

        code = value_decode(bytes.data, bytes.len, &value_limits_default, arena, &row, err);
        if (code == ERR_OK)
            code = look(context, (struct str){name.data + PREFIX_CHARS, name.len - PREFIX_CHARS},
                        row, err);
        arena_reset(arena);
    }
    if (code == ERR_OK && end.code != ERR_OK) {
        code = end.code;
        if (err != NULL)
            *err = end;
    }
    store_walk_end(walk);
    arena_destroy(arena);
    return code;
}

struct redactors {
    uint64_t *seqs;
    size_t n;
};

static enum err_code
add_redactors(void *context, struct str id, const msgpack_object *row, struct err *err)
{
    const msgpack_object *seqs = value_find(row, "seqs");
    struct redactors *all = context;
    size_t n_more = value_size(seqs);
    uint64_t *wider;

    (void)id;
    if (n_more == 0)
        return ERR_OK;
    wider = mem_realloc(all->seqs, sizeof *wider * (all->n + n_more));
    if (wider == NULL)
        return err_no_memory(err);
    all->seqs = wider;
    for (size_t i = 0; i < n_more; i++) {
        int64_t seq = 0;

        value_int(value_at(seqs, i), &seq);
        wider[all->n++] = (uint64_t)seq;
    }
    return ERR_OK;
}

enum err_code
ledger_redactors(struct store_read *read, uint64_t **seqs, size_t *n, struct err *err)
{
    struct redactors all = {.n = 0};
    enum err_code code = each_row(read, add_redactors, &all, err);

    if (code != ERR_OK) {
        mem_free(all.seqs);
        all = (struct redactors){.n = 0};
    }
    *seqs = all.seqs;
    *n = all.n;
    return code;
}

/* ---- the file, written ---- */

static enum err_code
add_line(void *context, struct str id, const msgpack_object *row, struct err *err)
{
    int64_t at = 0;

    (void)err;
    value_int(value_find(row, "at"), &at);
    buf_printf(context, "%.*s %" PRId64 "\n", STR_ARG(id), at);
    return ERR_OK; /* whether it had room is asked of the whole */
}

enum err_code
ledger_write(struct store *store, struct err *err)
{
    char path[STORE_PATH_BYTES];
    struct store_read *read;
    struct buf text;
    enum err_code code = store_read_begin(store, &read, err);

    if (code != ERR_OK)
        return code;
    buf_init(&text, FILE_BYTES_MAX);
    code = each_row(read, add_line, &text, err);
    store_read_end(read);
    if (code == ERR_OK)
        code = buf_check(&text, err);
    store_path(path, store->dir, file_name);
    if (code == ERR_OK)
        code = file_write(path, text.len != 0 ? text.data : "", text.len, 0600, err);
    buf_fini(&text);
    return code;
}

/* ---- the file, read ---- */

static enum err_code
add_row(struct erasure_list *list, const char *id, int64_t at, struct err *err)
{
    if (list->n == list->room) {
        size_t room = list->room != 0 ? 2 * list->room : 64;
        struct erasure_row *rows = mem_realloc(list->rows, room * sizeof *rows);

        if (rows == NULL)
            return err_no_memory(err);
        list->rows = rows;
        list->room = room;
    }
    snprintf(list->rows[list->n].id, sizeof list->rows[list->n].id, "%s", id);
    list->rows[list->n++].at = at;
    return ERR_OK;
}

static enum err_code
parse_ledger(const char *path, struct str text, struct erasure_list *out, struct err *err)
{
    uint64_t line_number = 1;

    for (size_t at = 0; at < text.len; line_number++) {
        size_t end = str_find(text, '\n', at);
        char line[KEY_MAX + 32], id[KEY_MAX];
        int64_t ms;
        enum err_code code;

        snprintf(line, sizeof line, "%.*s", (int)(end - at < 200 ? end - at : 200), text.data + at);
        if (sscanf(line, "%80[a-z0-9._-] %18" SCNd64, id, &ms) != 2) { /* NOLINT: bounded */
            err_set(err, ERR_INVALID_PARAMS,
                    "%.100s, line %" PRIu64 ": it must be an id and milliseconds", path,
                    line_number);
            err_at(err, "ledger");
            return ERR_INVALID_PARAMS;
        }
        code = add_row(out, id, ms, err);
        if (code != ERR_OK)
            return code;
        at = end + 1;
    }
    return ERR_OK;
}

enum err_code
ledger_read(const char *path, struct erasure_list *out, struct err *err)
{
    char inside[STORE_PATH_BYTES];
    struct buf text;
    enum err_code code;

    store_path(inside, path, file_name);
    if (file_exists(inside))
        path = inside;
    buf_init(&text, FILE_BYTES_MAX);
    code = file_read(path, &text, err);
    if (code == ERR_OK)
        code = parse_ledger(path, buf_str(&text), out, err);
    buf_fini(&text);
    return code;
}

void
ledger_free(struct erasure_list *list)
{
    mem_free(list->rows);
    *list = (struct erasure_list){0};
}
