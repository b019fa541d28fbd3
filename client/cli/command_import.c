/* command_import.c: profiles from spreadsheets, JSON lines and msgpack. */
#include "answers.h"
#include "commands.h"
#include "csv_reader.h"
#include "file.h"
#include "frame.h"
#include "importer.h"
#include "json.h"
#include "options.h"
#include "page.h"
#include "row_profile.h"
#include "table.h"
#include "tell.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum { ROW_ARENA_BYTES = 64 * 1024 * 1024, LABELS_SHOWN = 30, PROFILE_BYTES = 1024 * 1024 };
#define IMPORT_BYTES_MAX (UINT64_C(256) << 20)

struct import {
    struct cli *cli;
    struct importer *importer;
    const char *map;
    const char *kind;
    struct label_tally tally;
    struct progress progress;
};

static bool
ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && strcasecmp(text + n - m, suffix) == 0;
}

/* ---- JSON lines ---- */

static enum err_code
with_kind(struct import *import, const msgpack_object *profile, struct buf *out)
{
    size_t n = value_size(profile);
    bool adds =
        import->kind != NULL && value_is_map(profile) && value_find(profile, "kind") == NULL;

    if (!adds) {
        pack_value(out, profile);
        return ERR_OK;
    }
    pack_map(out, n + 1);
    pack_key_text(out, "kind", import->kind);
    for (size_t i = 0; i < n; i++) {
        pack_str(out, value_key(profile, i));
        pack_value(out, value_of(profile, i));
    }
    return ERR_OK;
}

static enum err_code
import_json(struct import *import, struct str text, struct err *err)
{
    struct arena *arena = arena_create(ROW_ARENA_BYTES);
    struct buf packed;
    size_t line = 0;
    enum err_code code = ERR_OK;

    if (arena == NULL)
        fail_memory();
    buf_init(&packed, PROFILE_BYTES);
    for (size_t at = 0; at < text.len && code == ERR_OK; line++) {
        size_t end = str_find(text, '\n', at);
        struct str row = str_trim((struct str){text.data + at, end - at});
        const msgpack_object *profile;
        struct err row_err = {0};

        at = end + 1;
        progress_step(&import->progress, 1);
        if (row.len == 0)
            continue;
        importer_count_row(import->importer);
        buf_clear(&packed);
        if (json_decode(row, &value_limits_default, arena, &profile, &row_err) != ERR_OK) {
            importer_refuse(import->importer, line + 1, STR_LIT(""), str_from(row_err.message));
        } else {
            with_kind(import, profile, &packed);
            if (buf_check(&packed, &row_err) != ERR_OK)
                importer_refuse(import->importer, line + 1, STR_LIT(""), str_from(row_err.message));
            else
                code = importer_add(import->importer, line + 1, buf_str(&packed), err);
        }
        arena_reset(arena);
    }
    buf_fini(&packed);
    arena_destroy(arena);
    return code;
}

/* ---- msgpack stream ---- */

static enum err_code
import_msgpack(struct import *import, struct str bytes, struct err *err)
{
    size_t row = 0;
    enum err_code code = ERR_OK;

    while (bytes.len > 0 && code == ERR_OK) {
        struct frame_scan scan;
        enum frame_state state;

        frame_scan_init(&scan, PROFILE_BYTES, value_limits_default.items,
                        value_limits_default.depth);
        state = frame_scan(&scan, (const uint8_t *)bytes.data, bytes.len);
        row++;
        if (state != FRAME_DONE)
            return err_set(err, ERR_INVALID_PARAMS,
                           state == FRAME_MORE
                               ? "the msgpack stream ends in the middle of profile %zu"
                               : "profile %zu of the msgpack stream is no profile; what follows "
                                 "it cannot be read",
                           row);
        importer_count_row(import->importer);
        progress_step(&import->progress, 1);
        code = importer_add(import->importer, row, (struct str){bytes.data, scan.pos}, err);
        bytes = (struct str){bytes.data + scan.pos, bytes.len - scan.pos};
    }
    return code;
}

/* ---- spreadsheets ---- */

static struct str
column_of(void *context, struct str path)
{
    return row_profile_column(context, path);
}

static void
say_form(struct import *import, const char *path, const struct csv_form *form)
{
    static const char *const charsets[] = {"UTF-8", "UTF-8 (BOM)", "Windows-1252"};
    struct cli *cli = import->cli;
    const char *separator = form->separator == ','   ? "import.separator_comma"
                            : form->separator == ';' ? "import.separator_semicolon"
                                                     : "import.separator_tab";

    fprintf(stderr, "%s: %.*s\n", path,
            STR_ARG(TELL(cli, "import.form", {"form", STR_LIT("CSV")},
                         {"charset", str_from(charsets[form->encoding])},
                         {"separator", tell_text(cli, separator)})));
}

static enum err_code
check_unknown(struct import *import, const struct mapping *mapping, const struct csv_row *header,
              const int *bound, struct err *err)
{
    for (size_t i = 0; i < header->n_cells; i++) {
        struct str name = cell_plain(header->cells[i], import->cli->arena);

        if (bound[i] >= 0 || name.len == 0 || mapping->unknown_columns == UNKNOWN_IGNORE)
            continue;
        struct str sentence = TELL(import->cli, "import.column_unknown",
                                   {"column", TELL(import->cli, "list.quote", {"a", name})});
        if (mapping->unknown_columns == UNKNOWN_REFUSE)
            return err_set(err, ERR_INVALID_PARAMS, "%.*s", STR_ARG(sentence));
        fprintf(stderr, "%.*s\n", STR_ARG(sentence));
    }
    return ERR_OK;
}

static enum err_code
import_rows(struct import *import, const struct csv_table *table, struct row_job *job,
            struct err *err)
{
    struct row_fault faults[ROW_FAULTS_MAX];
    struct buf packed;
    enum err_code code = ERR_OK;

    buf_init(&packed, PROFILE_BYTES);
    importer_set_columns(import->importer, column_of, job);
    for (size_t i = 1; i < table->n_rows && code == ERR_OK; i++) {
        const struct csv_row *row = &table->rows[i];
        struct err row_err = {0};
        size_t n;

        importer_count_row(import->importer);
        progress_step(&import->progress, 1);
        buf_clear(&packed);
        n = row_profile_pack(job, row, &packed, faults);
        if (n > 0) {
            importer_refuse(import->importer, row->line, faults[0].column, faults[0].reason);
            for (size_t k = 1; k < n && k < ROW_FAULTS_MAX; k++)
                fprintf(stderr, "    %.*s: %.*s\n", STR_ARG(faults[k].column),
                        STR_ARG(faults[k].reason));
        } else if (buf_check(&packed, &row_err) != ERR_OK) {
            importer_refuse(import->importer, row->line, STR_LIT(""), str_from(row_err.message));
        } else {
            code = importer_add(import->importer, row->line, buf_str(&packed), err);
        }
        arena_reset(job->arena);
    }
    buf_fini(&packed);
    return code;
}

static enum err_code
import_csv(struct import *import, const char *path, struct str bytes, struct err *err)
{
    struct cli *cli = import->cli;
    struct mapping *mapping = mapping_empty(cli);
    struct csv_table table;
    struct csv_form form;
    struct row_job job = {.cli = cli, .tally = &import->tally};
    int *bound;
    enum err_code code = csv_detect(bytes, &form, err);

    if (code == ERR_OK && import->map != NULL)
        code = mapping_read(cli, import->map, &mapping, err);
    if (code != ERR_OK)
        return code;
    if (mapping->has_encoding)
        form.encoding = mapping->form.encoding;
    if (mapping->has_separator)
        form.separator = mapping->form.separator;
    if (mapping->kind.len == 0 && import->kind != NULL)
        mapping->kind = str_from(import->kind);
    say_form(import, path, &form);
    code = csv_decode(bytes, &form, &csv_limits_default, cli->arena, &table, err);
    if (code == ERR_OK && table.n_rows == 0)
        code =
            err_set(err, ERR_INVALID_PARAMS, "%s is empty: the first row names the columns", path);
    if (code != ERR_OK)
        return code;
    import->progress.of += table.n_rows - 1;
    bound = arena_alloc(cli->arena, table.rows[0].n_cells, sizeof *bound);
    job.arena = arena_create(ROW_ARENA_BYTES);
    if (bound == NULL || job.arena == NULL)
        fail_memory();
    job.mapping = mapping;
    job.header = &table.rows[0];
    job.bound = bound;
    code = mapping_bind(cli, mapping, job.header, bound, err);
    if (code == ERR_OK)
        code = check_unknown(import, mapping, job.header, bound, err);
    if (code == ERR_OK)
        code = import_rows(import, &table, &job, err);
    if (code == ERR_OK) /* before the header and bindings go: refusals still name columns */
        code = importer_finish(import->importer, err);
    importer_set_columns(import->importer, NULL, NULL);
    arena_destroy(job.arena);
    return code;
}

/* ---- .xlsx, by xlsx2csv ---- */

static enum err_code
read_xlsx(const char *path, struct buf *out, struct err *err)
{
    int fds[2], status;
    pid_t child;
    ssize_t n;

    if (pipe(fds) != 0)
        return err_set_sys(err, errno, "make a pipe");
    child = fork();
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execlp("xlsx2csv", "xlsx2csv", "-f", "%Y-%m-%d", path, (char *)NULL);
        _exit(EX_UNAVAILABLE);
    }
    close(fds[1]);
    if (child < 0) {
        close(fds[0]);
        return err_set_sys(err, errno, "start xlsx2csv");
    }
    do {
        char *room = buf_reserve(out, 65536);

        n = room != NULL ? read(fds[0], room, 65536) : -1;
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR && !out->is_over));
    close(fds[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EX_UNAVAILABLE)
        return err_set(err, ERR_NOT_FOUND,
                       "%s is an .xlsx file: install the package xlsx2csv, or save it as CSV",
                       path);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_set(err, ERR_INVALID_PARAMS, "xlsx2csv could not read %s", path);
    return buf_check(out, err);
}

/* ---- files ---- */

static enum err_code
import_file(struct import *import, const char *path, struct err *err)
{
    bool is_xlsx = ends_with(path, ".xlsx");
    struct buf bytes;
    enum err_code code;

    buf_init(&bytes, IMPORT_BYTES_MAX);
    code = is_xlsx ? read_xlsx(path, &bytes, err) : file_read(path, &bytes, err);
    if (code == ERR_OK) {
        if (ends_with(path, ".msgpack") || ends_with(path, ".mpk"))
            code = import_msgpack(import, buf_str(&bytes), err);
        else if (ends_with(path, ".jsonl") || ends_with(path, ".ndjson") ||
                 ends_with(path, ".json"))
            code = import_json(import, buf_str(&bytes), err);
        else
            code = import_csv(import, path, buf_str(&bytes), err);
    }
    buf_fini(&bytes);
    return code;
}

/* ---- the report ---- */

static void
report_labels(struct cli *cli, struct label_tally *tally)
{
    size_t total = tally->n_understood + tally->n_ignored + tally->n_not_understood;
    struct table *table;

    if (tally->n_unknown == 0 && tally->n_ignored == 0)
        return;
    struct str percent =
        arena_format(cli->arena, "%zu", tally->n_understood * 100 / (total > 0 ? total : 1));
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "import.understood",
                   {"understood", tell_number(cli, (int64_t)tally->n_understood)},
                   {"total", tell_number(cli, (int64_t)total)},
                   {"percent", TELL(cli, "number.percent", {"n", percent})}));
    if (tally->n_ignored > 0)
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, "list.colon", {"a", tell_text(cli, "import.ignored")},
                       {"b", tell_number(cli, (int64_t)tally->n_ignored)}));
    if (tally->n_unknown == 0)
        return;
    label_tally_sort(tally);
    page_text(cli, 0, STR_LIT(""), tell_text(cli, "import.not_understood"));
    table = table_begin(cli);
    table_column(table, "label", tell_text(cli, "heading.label"), 0);
    table_column(table, "count", tell_text(cli, "heading.count"), TABLE_RIGHT | TABLE_NUMBER);
    for (size_t i = 0; i < tally->n_unknown && i < LABELS_SHOWN; i++) {
        table_row(table);
        table_cell(table, tally->unknown[i].label);
        table_number(table, (int64_t)tally->unknown[i].n);
    }
    table_end(table);
}

static void
report(struct import *import, const struct import_options *options)
{
    const struct import_counts *counts = importer_counts(import->importer);
    struct cli *cli = import->cli;

    if (cli->format == FORMAT_TABLE)
        report_labels(cli, &import->tally);
    if (cli->format != FORMAT_TABLE) {
        const struct label_tally *tally = &import->tally;

        label_tally_sort(&import->tally);
        printf("{\"read\":%lld,\"imported\":%lld,\"created\":%lld,\"unchanged\":%lld,"
               "\"refused\":%lld,\"labels_understood\":%zu,\"labels_ignored\":%zu,"
               "\"labels_not_understood\":%zu}\n",
               (long long)counts->n_read, (long long)counts->n_put, (long long)counts->n_created,
               (long long)counts->n_unchanged, (long long)counts->n_refused, tally->n_understood,
               tally->n_ignored, tally->n_not_understood);
        return;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "import.summary", {"read", tell_number(cli, counts->n_read)},
                   {"imported", tell_number(cli, counts->n_put)},
                   {"unchanged", tell_number(cli, counts->n_unchanged)},
                   {"refused", tell_number(cli, counts->n_refused)}));
    if (options->is_dry_run)
        page_text(cli, 0, STR_LIT(""), tell_text(cli, "import.dry_run"));
    else if (options->is_atomic && counts->n_refused > 0)
        page_text(cli, 0, STR_LIT(""), tell_text(cli, "import.atomic_refused"));
}

int
command_import(struct cli *cli, int argc, char **argv)
{
    struct import_options options = {0};
    struct import import = {.cli = cli};
    const struct option_row rows[] = {
        {"map", 'm', "FILE", "how columns become fields; see the page on importing", &import.map,
         NULL, NULL},
        {"kind", 'k', "KIND", "kind of profiles whose rows name none", &import.kind, NULL, NULL},
        {"dry-run", 'n', NULL, "checks everything, stores nothing", NULL, &options.is_dry_run,
         NULL},
        {"atomic", 'a', NULL, "stores nothing if a row is refused", NULL, &options.is_atomic, NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "FILE...",
        "Takes in profiles from CSV (as spreadsheets save it), .xlsx, JSON lines or msgpack. Every "
        "refused row is named with its column and the reason; running it again changes nothing.",
        rows, argc, argv);
    struct err err = {0};
    enum err_code code;
    int64_t n_refused;

    if (arguments.n == 0)
        return fail_usage(cli, "import", "import takes files");
    code = backend_open(cli, false, &err);
    if (code == ERR_OK)
        code = backend_bounds(cli, &options.bounds, &err);
    if (code != ERR_OK)
        return fail(cli, &err);
    import.importer = importer_create(cli, &options);
    progress_begin(&import.progress, cli, "progress.importing", 0);
    for (int i = 0; i < arguments.n && code == ERR_OK; i++) {
        code = import_file(&import, arguments.list[i], &err);
        if (code == ERR_OK)
            code = importer_finish(import.importer, &err);
        if (code != ERR_OK)
            fprintf(stderr, "%s: ", arguments.list[i]);
    }
    progress_end(&import.progress);
    if (code == ERR_OK)
        report(&import, &options);
    n_refused = importer_counts(import.importer)->n_refused;
    importer_destroy(import.importer);
    if (code != ERR_OK)
        return fail(cli, &err);
    return n_refused > 0 ? EX_DATAERR : EX_OK;
}
