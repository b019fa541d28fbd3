/* command_programme.c: programmes; `check FILE` needs no store. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "documents.h"
#include "faults.h"
#include "options.h"
#include "page.h"
#include "programme.h"
#include "table.h"
#include "tell.h"

#include <string.h>
#include <sysexits.h>

enum { PARAMS_BYTES_MAX = 16 * 1024 * 1024 };

/* ---- check ---- */

static void
print_fault(struct cli *cli, const char *file, const struct yaml_doc *doc,
            const struct fault *fault)
{
    struct str line =
        doc != NULL ? tell_number(cli, yaml_doc_line(doc, fault->path)) : STR_LIT("-");

    if (cli->format == FORMAT_TABLE)
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, "programme.fault", {"file", str_from(file)}, {"line", line},
                       {"path", str_from(fault->path)}, {"reason", str_from(fault->message)}));
    else
        printf("%s:%d: %s: %s%s\n", file, doc != NULL ? yaml_doc_line(doc, fault->path) : 0,
               fault->path, fault->is_warning ? "warning: " : "", fault->message);
}

static int
check_file(struct cli *cli, const char *file)
{
    const msgpack_object *value;
    struct programme *programme;
    struct yaml_doc *doc;
    struct faults faults;
    struct err err = {0};

    if (document_read(cli, file, &value, &doc, &err) != ERR_OK) {
        fprintf(stderr, "jumelage: %s: ", file);
        return fail(cli, &err);
    }
    faults_init(&faults, cli->arena);
    programme_decode(value, cli_reference(cli), &faults, &programme);
    for (size_t i = 0; i < faults.n; i++)
        print_fault(cli, file, doc, &faults.list[i]);
    if (faults.n_errors == 0 && cli->format == FORMAT_TABLE)
        page_text(cli, 0, STR_LIT(""), TELL(cli, "programme.ok", {"file", str_from(file)}));
    else if (faults.n_errors == 0)
        printf("%s: ok\n", file);
    return faults.n_errors == 0 ? EX_OK : EX_DATAERR;
}

static int
programme_check_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "FILE...", "Every fault of programme files, with path and line.", NULL, argc, argv);
    int status = EX_OK;

    if (arguments.n == 0)
        return fail_usage(cli, "programme check", "programme check takes files");
    for (int i = 0; i < arguments.n; i++) {
        int one = check_file(cli, arguments.list[i]);

        status = one != EX_OK ? one : status;
    }
    return status;
}

/* ---- put ---- */

static int
programme_put_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "FILE", "Stores a programme from a YAML or JSON file.", NULL, argc, argv);
    const msgpack_object *value, *answer;
    struct yaml_doc *doc;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    if (arguments.n != 1)
        return fail_usage(cli, "programme put", "programme put takes one file");
    code = document_read(cli, arguments.list[0], &value, &doc, &err);
    if (code != ERR_OK)
        return fail(cli, &err);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key(&params, "programme");
    pack_value(&params, value);
    code = backend_call(cli, "programme.put", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code == ERR_INVALID_PARAMS) { /* with their lines, as check tells them */
        check_file(cli, arguments.list[0]);
        return EX_DATAERR;
    }
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE) {
        print_json(cli, answer);
        return EX_OK;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "programme.stored", {"id", text_of(answer, "id")},
                   {"version", tell_number(cli, number_of(answer, "version"))}));
    return EX_OK;
}

/* ---- get, delete ---- */

static int
call_with_id(struct cli *cli, const char *method, const char *id)
{
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_text(&params, "id", id);
    code = backend_call(cli, method, buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    print_json(cli, answer);
    return EX_OK;
}

static int
programme_get_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments =
        options_parse(cli, "ID", "One programme as JSON.", NULL, argc, argv);

    if (arguments.n != 1)
        return fail_usage(cli, "programme get", "programme get takes one id");
    return call_with_id(cli, "programme.get", arguments.list[0]);
}

static int
programme_delete_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments =
        options_parse(cli, "ID", "Takes a programme out; its versions stay.", NULL, argc, argv);

    if (arguments.n != 1)
        return fail_usage(cli, "programme delete", "programme delete takes one id");
    if (!ask_sure(cli, arguments.list[0]))
        return EX_USAGE;
    return call_with_id(cli, "programme.delete", arguments.list[0]);
}

/* ---- list ---- */

static struct str
pairing_names(struct cli *cli, const msgpack_object *pairings)
{
    struct str list = STR_LIT("");

    for (size_t i = 0; i < value_size(pairings); i++)
        list = arena_format(cli->arena, "%.*s%s%.*s", STR_ARG(list), i > 0 ? ", " : "",
                            STR_ARG(text_of(value_at(pairings, i), "id")));
    return list;
}

static int
programme_list_command(struct cli *cli, int argc, char **argv)
{
    const msgpack_object *answer, *programmes;
    struct table *table = table_begin(cli);
    struct err err = {0};

    options_parse(cli, "", "The programmes and their pairings.", NULL, argc, argv);
    if (backend_call(cli, "programme.list", STR_LIT("\x81\xa5limit\xcd\x03\xe8"), cli->arena,
                     &answer, &err) != ERR_OK)
        return fail(cli, &err);
    table_column(table, "id", tell_text(cli, "heading.id"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "version", tell_text(cli, "heading.version"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "pairings", tell_text(cli, "heading.pairing"), TABLE_WRAP);
    programmes = value_find(answer, "programmes");
    for (size_t i = 0; i < value_size(programmes); i++) {
        const msgpack_object *programme = value_at(programmes, i);

        table_row(table);
        table_cell(table, text_of(programme, "id"));
        table_cell(table, text_of(value_find(programme, "name"), lang_code(cli->lang)));
        table_number(table, number_of(programme, "version"));
        table_cell(table, pairing_names(cli, value_find(programme, "pairings")));
    }
    table_end_or(table, "programme.none");
    return EX_OK;
}

int
command_programme(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"check", "FILE...", "every fault, with path and line; needs no store",
         programme_check_command},
        {"put", "FILE", "stores a programme", programme_put_command},
        {"get", "ID", "one programme as JSON", programme_get_command},
        {"list", "", "the programmes and their pairings", programme_list_command},
        {"delete", "ID", "takes a programme out; its versions stay", programme_delete_command},
        {0},
    };

    return run_subcommand(cli, "programme", list, argc, argv);
}
