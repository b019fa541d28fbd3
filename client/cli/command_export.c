/* command_export.c: profiles out, in the forms that import takes, and as .xlsx for people. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "csv_reader.h"
#include "file.h"
#include "json.h"
#include "options.h"
#include "schema.h"
#include "tell.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#ifdef JML_XLSX
#include <xlsxwriter.h>
#endif

enum { PARAMS_BYTES_MAX = 64 * 1024, PAGE_PROFILES = 1000 };
#define EXPORT_BYTES_MAX (UINT64_C(4) << 30)

enum export_form { EXPORT_JSONL, EXPORT_CSV, EXPORT_MSGPACK, EXPORT_XLSX };

/* The columns of a flat form: each field, or each part of one. Names that import reads back. */
static const char *const flat_columns[] = {"id",
                                           "kind",
                                           "name",
                                           "metro",
                                           "city",
                                           "country",
                                           "website",
                                           "description.fr",
                                           "description.en",
                                           "sectors",
                                           "tags",
                                           "languages",
                                           "stage",
                                           "stages",
                                           "founded",
                                           "latitude",
                                           "longitude",
                                           "team",
                                           "raising.min",
                                           "raising.max",
                                           "raising.currency",
                                           "ticket.min",
                                           "ticket.max",
                                           "ticket.currency",
                                           "needs",
                                           "offers",
                                           "markets",
                                           "available.from",
                                           "available.to",
                                           "capacity",
                                           "preferences",
                                           "conflicts",
                                           "organisation",
                                           "consent.match",
                                           "consent.share",
                                           "consent.until",
                                           "consent.basis",
                                           "status",
                                           "source"};
enum { N_FLAT = sizeof flat_columns / sizeof flat_columns[0] };

struct export
{
    struct cli *cli;
    enum export_form form;
    struct buf out;
    size_t n;
#ifdef JML_XLSX
    lxw_workbook *book;
    lxw_worksheet *sheet;
#endif
};

static const msgpack_object *
find_path(const msgpack_object *profile, const char *path)
{
    struct str all = str_from(path);
    size_t dot = str_find(all, '.', 0);
    const msgpack_object *value = value_find_str(profile, (struct str){all.data, dot});

    return dot < all.len ? value_find(value, path + dot + 1) : value;
}

/* A value as one cell: a list is parted by semicolons. */
static struct str
cell_of(struct arena *arena, const msgpack_object *value)
{
    struct str text = STR_LIT("");
    int64_t number;
    bool flag;

    if (value_str(value, &text))
        return text;
    if (value_bool(value, &flag))
        return flag ? STR_LIT("true") : STR_LIT("false");
    if (value_int(value, &number))
        return arena_format(arena, "%" PRId64, number);
    for (size_t i = 0; i < value_size(value) && value_is_array(value); i++)
        text = arena_format(arena, "%.*s%s%.*s", STR_ARG(text), i > 0 ? ";" : "",
                            STR_ARG(cell_of(arena, value_at(value, i))));
    return text;
}

static void
put_header(struct export *export)
{
    for (size_t i = 0; i < N_FLAT; i++) {
        if (export->form == EXPORT_CSV) {
            buf_append_text(&export->out, flat_columns[i]);
            buf_append_text(&export->out, i + 1 < N_FLAT ? "," : "\r\n");
        }
#ifdef JML_XLSX
        if (export->form == EXPORT_XLSX)
            worksheet_write_string(export->sheet, 0, (lxw_col_t)i, flat_columns[i], NULL);
#endif
    }
}

static void
put_flat(struct export *export, const msgpack_object *profile, struct arena *arena)
{
    for (size_t i = 0; i < N_FLAT; i++) {
        struct str cell = cell_of(arena, find_path(profile, flat_columns[i]));

        if (export->form == EXPORT_CSV) {
            csv_encode_cell(&export->out, cell, ',');
            buf_append_text(&export->out, i + 1 < N_FLAT ? "," : "\r\n");
        }
#ifdef JML_XLSX
        if (export->form == EXPORT_XLSX && cell.len > 0)
            worksheet_write_string(export->sheet, (lxw_row_t)(export->n + 1), (lxw_col_t)i,
                                   arena_text(arena, cell), NULL);
#endif
    }
}

/* Without what the store adds: what is imported again must be what was exported. */
static bool
is_stores_own(struct str key)
{
    return str_is(key, "version") || str_is(key, "updated_at") || str_is(key, "seq");
}

static void
pack_own(struct buf *out, const msgpack_object *profile)
{
    struct pack_open map = pack_map_open(out);
    size_t n = 0;

    for (size_t i = 0; i < value_size(profile); i++)
        if (!is_stores_own(value_key(profile, i))) {
            pack_str(out, value_key(profile, i));
            pack_value(out, value_of(profile, i));
            n++;
        }
    pack_close(out, map, n);
}

static enum err_code
put_profile(struct export *export, const msgpack_object *profile, struct arena *arena,
            struct err *err)
{
    struct buf own;
    const msgpack_object *value;
    enum err_code code = ERR_OK;

    switch (export->form) {
    case EXPORT_MSGPACK:
        pack_own(&export->out, profile);
        break;
    case EXPORT_JSONL:
        buf_init(&own, 1024 * 1024);
        pack_own(&own, profile);
        code = value_decode(own.data, own.len, &value_limits_default, arena, &value, err);
        if (code == ERR_OK) {
            json_encode(&export->out, value, JSON_COMPACT);
            buf_append_char(&export->out, '\n');
        }
        buf_fini(&own);
        break;
    case EXPORT_CSV:
    case EXPORT_XLSX:
        put_flat(export, profile, arena);
        break;
    }
    export->n++;
    return code;
}

/* The whole profile, confidential part included, for those who may see it. */
static enum err_code
get_whole(struct export *export, struct str id, struct arena *arena, const msgpack_object **out,
          struct err *err)
{
    struct buf params;
    enum err_code code;

    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_str(&params, "id", id);
    code = backend_call(export->cli, "profile.get", buf_str(&params), arena, out, err);
    buf_fini(&params);
    return code;
}

static enum err_code
export_page(struct export *export, const msgpack_object *page, bool is_open_only, struct err *err)
{
    const msgpack_object *profiles = value_find(page, "profiles");
    struct arena *arena = arena_create(64 * 1024 * 1024);
    enum err_code code = ERR_OK;

    if (arena == NULL)
        fail_memory();
    for (size_t i = 0; i < value_size(profiles) && code == ERR_OK; i++) {
        const msgpack_object *profile = value_at(profiles, i);

        if (!is_open_only)
            code = get_whole(export, text_of(profile, "id"), arena, &profile, err);
        if (code == ERR_OK)
            code = put_profile(export, profile, arena, err);
        arena_reset(arena);
    }
    arena_destroy(arena);
    return code == ERR_OK ? buf_check(&export->out, err) : code;
}

static enum err_code
export_all(struct export *export, const char *kind, const char *metro, bool is_open_only,
           struct err *err)
{
    struct arena *arena = arena_create(512 * 1024 * 1024);
    struct str after = {NULL, 0};
    enum err_code code;

    if (arena == NULL)
        fail_memory();
    do {
        const msgpack_object *page;
        struct buf params;

        buf_init(&params, PARAMS_BYTES_MAX);
        pack_map(&params, 1U + (kind != NULL) + (metro != NULL) + (after.len > 0));
        pack_key_int(&params, "limit", PAGE_PROFILES);
        if (kind != NULL)
            pack_key_text(&params, "kind", kind);
        if (metro != NULL)
            pack_key_text(&params, "metro", metro);
        if (after.len > 0)
            pack_key_str(&params, "after", after);
        arena_reset(arena);
        code = backend_call(export->cli, "profile.list", buf_str(&params), arena, &page, err);
        buf_fini(&params);
        if (code == ERR_OK)
            code = export_page(export, page, is_open_only, err);
        after = code == ERR_OK ? arena_str(export->cli->arena, text_of(page, "next"))
                               : (struct str){NULL, 0};
    } while (code == ERR_OK && after.len > 0);
    arena_destroy(arena);
    return code;
}

static enum err_code
write_out(struct export *export, const char *path, struct err *err)
{
#ifdef JML_XLSX
    if (export->form == EXPORT_XLSX) {
        lxw_error rc = workbook_close(export->book);

        return rc == LXW_NO_ERROR
                   ? ERR_OK
                   : err_set(err, ERR_STORAGE_FULL, "cannot write %s: %s", path, lxw_strerror(rc));
    }
#endif
    if (path != NULL)
        return file_write(path, export->out.data, export->out.len, 0600, err);
    fwrite(export->out.data != NULL ? export->out.data : "", 1, export->out.len, stdout);
    return ERR_OK;
}

static int
form_of(struct cli *cli, const char *as, const char *path, enum export_form *out)
{
    static const char *const names[] = {"jsonl", "csv", "msgpack", "xlsx"};
    size_t n = path != NULL ? strlen(path) : 0;

    if (as == NULL && n > 5 && strcmp(path + n - 5, ".xlsx") == 0)
        as = "xlsx";
    if (as == NULL && n > 4 && strcmp(path + n - 4, ".csv") == 0)
        as = "csv";
    if (as == NULL)
        as = cli->format == FORMAT_CSV ? "csv" : "jsonl";
    for (int i = 0; i < 4; i++)
        if (strcmp(as, names[i]) == 0) {
            *out = (enum export_form)i;
            return EX_OK;
        }
    return fail_usage(cli, "export", "--as is \"%s\"; it must be jsonl, csv, msgpack or xlsx", as);
}

static int
open_xlsx(struct export *export, const char *path)
{
    if (export->form != EXPORT_XLSX)
        return EX_OK;
    if (path == NULL)
        return fail_usage(export->cli, "export", ".xlsx needs --output FILE");
#ifdef JML_XLSX
    export->book = workbook_new(path);
    export->sheet = export->book != NULL ? workbook_add_worksheet(export->book, "profiles") : NULL;
    if (export->sheet == NULL)
        fail_memory();
    return EX_OK;
#else
    fputs("jumelage: this build has no .xlsx; export as CSV instead\n", stderr);
    return EX_UNAVAILABLE;
#endif
}

int
command_export(struct cli *cli, int argc, char **argv)
{
    const char *kind = NULL, *metro = NULL, *as = NULL, *path = NULL;
    bool is_open_only = false;
    const struct option_row rows[] = {
        {"kind", 'k', "K", "only of this kind", &kind, NULL, NULL},
        {"metro", 'm', "M", "only of this area", &metro, NULL, NULL},
        {"as", 0, "FORM", "jsonl (preset), csv, msgpack or xlsx", &as, NULL, NULL},
        {"output", 'o', "FILE", "to a file; its ending may tell the form", &path, NULL, NULL},
        {"public", 0, NULL, "without the confidential parts", NULL, &is_open_only, NULL},
        {0},
    };
    struct export export = {.cli = cli};
    struct err err = {0};
    enum err_code code;
    int status;

    options_parse(cli, "",
                  "Writes profiles in a form that import takes back. CSV and .xlsx hold the open "
                  "fields only; a cell that a spreadsheet would run as a formula is made harmless.",
                  rows, argc, argv);
    status = form_of(cli, as, path, &export.form);
    if (status == EX_OK)
        status = open_xlsx(&export, path);
    if (status != EX_OK)
        return status;
    buf_init(&export.out, EXPORT_BYTES_MAX);
    put_header(&export);
    code =
        export_all(&export, kind, metro,
                   is_open_only || export.form == EXPORT_CSV || export.form == EXPORT_XLSX, &err);
    if (code == ERR_OK)
        code = write_out(&export, path, &err);
    buf_fini(&export.out);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (path != NULL || cli->is_terminal)
        fprintf(stderr, "%.*s\n",
                STR_ARG(TELL(cli, "export.summary", {"n", tell_number(cli, (int64_t) export.n)})));
    return EX_OK;
}
