/* command_records.c: outcomes and the journal. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "json.h"
#include "options.h"
#include "page.h"
#include "table.h"
#include "tell.h"

#include <string.h>
#include <sysexits.h>

enum { PARAMS_BYTES_MAX = 1024 * 1024, LIST_PRESET = 50, LIST_MOST = 1000 };

static void
pack_filters(struct buf *params, const char *const *keys, const char *const *values, size_t n,
             int64_t limit)
{
    struct pack_open map = pack_map_open(params);
    size_t used = 1;

    for (size_t i = 0; i < n; i++)
        if (values[i] != NULL) {
            pack_key_text(params, keys[i], values[i]);
            used++;
        }
    pack_key_int(params, "limit", limit);
    pack_close(params, map, used);
}

static int64_t
limit_of(struct cli *cli, const char *command, const char *text)
{
    return text != NULL ? option_number(cli, command, "--limit", text, 1, LIST_MOST) : LIST_PRESET;
}

/* ---- outcome ---- */

static int
outcome_put_command(struct cli *cli, int argc, char **argv)
{
    const char *at = NULL, *programme = NULL, *note = NULL;
    const struct option_row rows[] = {
        {"at", 0, "DATE", "the day, as 2026-03-31", &at, NULL, NULL},
        {"programme", 0, "P", "the programme it came of", &programme, NULL, NULL},
        {"note", 0, "TEXT", "a free remark", &note, NULL, NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "FROM TO KIND", "Notes what came of a match: hosted, invested, piloted, declined …",
        rows, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    if (arguments.n != 3 || at == NULL)
        return fail_usage(cli, "outcome put",
                          "outcome put takes two profiles, a kind, and --at DATE");
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 4U + (programme != NULL) + (note != NULL));
    pack_key_text(&params, "from", arguments.list[0]);
    pack_key_text(&params, "to", arguments.list[1]);
    pack_key_text(&params, "kind", arguments.list[2]);
    pack_key_text(&params, "at", at);
    if (programme != NULL)
        pack_key_text(&params, "programme", programme);
    if (note != NULL)
        pack_key_text(&params, "note", note);
    code = backend_call(cli, "outcome.put", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE) {
        print_json(cli, answer);
        return EX_OK;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "outcome.stored", {"from", str_from(arguments.list[0])},
                   {"to", str_from(arguments.list[1])},
                   {"kind", tell_code(cli, VOCABULARY_OUTCOMES, str_from(arguments.list[2]))},
                   {"date", tell_date(cli, str_from(at))}));
    return EX_OK;
}

static int
outcome_list_command(struct cli *cli, int argc, char **argv)
{
    static const char *const keys[] = {"profile", "kind", "programme"};
    const char *values[3] = {NULL}, *limit = NULL;
    const struct option_row rows[] = {
        {"profile", 0, "ID", "only of this profile", &values[0], NULL, NULL},
        {"kind", 0, "K", "only of this kind", &values[1], NULL, NULL},
        {"programme", 0, "P", "only of this programme", &values[2], NULL, NULL},
        {"limit", 'n', "N", "most rows (50)", &limit, NULL, NULL},
        {0},
    };
    const msgpack_object *answer, *list;
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf params;
    enum err_code code;

    options_parse(cli, "", "What came of matches, oldest first.", rows, argc, argv);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_filters(&params, keys, values, 3, limit_of(cli, "outcome list", limit));
    code = backend_call(cli, "outcome.list", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_column(table, "at", tell_text(cli, "heading.date"), 0);
    table_column(table, "from", tell_text(cli, "heading.from"), 0);
    table_column(table, "to", tell_text(cli, "heading.to"), 0);
    table_column(table, "kind", tell_text(cli, "heading.kind_of_outcome"), 0);
    table_column(table, "programme", tell_text(cli, "heading.programme"), 0);
    table_column(table, "note", tell_text(cli, "heading.note"), TABLE_WRAP);
    list = value_find(answer, "outcomes");
    for (size_t i = 0; i < value_size(list); i++) {
        const msgpack_object *one = value_at(list, i);
        struct str kind = text_of(one, "kind"), at = text_of(one, "at");

        table_row(table);
        table_cell_as(table, at, tell_date(cli, at));
        table_cell(table, text_of(one, "from"));
        table_cell(table, text_of(one, "to"));
        table_cell_as(table, kind, tell_code(cli, VOCABULARY_OUTCOMES, kind));
        table_cell(table, text_of(one, "programme"));
        table_cell(table, text_of(one, "note"));
    }
    table_end_or(table, "outcome.none");
    return EX_OK;
}

int
command_outcome(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"put", "FROM TO KIND --at DATE", "notes what came of a match", outcome_put_command},
        {"list", "[--profile ID] [--kind K]", "what came of matches", outcome_list_command},
        {0},
    };

    return run_subcommand(cli, "outcome", list, argc, argv);
}

/* ---- journal ---- */

static int
journal_list_command(struct cli *cli, int argc, char **argv)
{
    static const char *const keys[] = {"subject", "method"};
    const char *values[2] = {NULL}, *limit = NULL;
    const struct option_row rows[] = {
        {"subject", 0, "ID", "only changes of this profile or programme", &values[0], NULL, NULL},
        {"method", 0, "M", "only by this method", &values[1], NULL, NULL},
        {"limit", 'n', "N", "most rows (50)", &limit, NULL, NULL},
        {0},
    };
    const msgpack_object *answer, *list;
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf params;
    enum err_code code;

    options_parse(cli, "", "Every change: when, by whom, what.", rows, argc, argv);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_filters(&params, keys, values, 2, limit_of(cli, "journal list", limit));
    code = backend_call(cli, "journal.list", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_column(table, "seq", str_from("seq"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "at", tell_text(cli, "heading.date"), 0);
    table_column(table, "actor", tell_text(cli, "heading.by"), 0);
    table_column(table, "method", tell_text(cli, "heading.method"), 0);
    table_column(table, "subject", tell_text(cli, "heading.subject"), 0);
    list = value_find(answer, "entries");
    for (size_t i = 0; i < value_size(list); i++) {
        const msgpack_object *one = value_at(list, i);

        table_row(table);
        table_number(table, number_of(one, "seq"));
        table_cell(table, tell_date_ms(cli, number_of(one, "at")));
        table_cell(table, text_of(one, "actor"));
        table_cell(table, text_of(one, "method"));
        table_cell(table, text_of(one, "subject"));
    }
    table_end_or(table, "journal.none");
    return EX_OK;
}

/* Why an entry does not hold, in the reader's words; one that a newer service tells is broken all the same. */
static const char *
fault_key(struct str fault)
{
    static const char *const keys[][2] = {
        {"unexplained", "journal.unexplained"},
        {"returned", "journal.returned"},
        {"altered", "journal.altered"},
        {"unlisted", "journal.unlisted"},
    };

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (str_is(fault, keys[i][0]))
            return keys[i][1];
    return "journal.broken";
}

/* Entries without content, and what took it; nothing where all have theirs. */
static void
print_redacted(struct cli *cli, const msgpack_object *verdict)
{
    int64_t unproved = number_of(verdict, "unproved");

    if (number_of(verdict, "redacted") == 0)
        return;
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "journal.redacted", {"n", tell_number(cli, number_of(verdict, "redacted"))},
                   {"erased", tell_number(cli, number_of(verdict, "erased"))},
                   {"expired", tell_number(cli, number_of(verdict, "expired"))}));
    if (unproved > 0)
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, "journal.unproved", {"n", tell_number(cli, unproved)}));
}

static void
print_verdict(struct cli *cli, const msgpack_object *verdict)
{
    if (!flag_of(verdict, "ok")) {
        page_text(cli, 0, STR_LIT(""),
                  TELL(cli, fault_key(text_of(verdict, "fault")),
                       {"seq", tell_number(cli, number_of(verdict, "broken_at"))}));
        return;
    }
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, "journal.whole", {"n", tell_number(cli, number_of(verdict, "entries"))}));
    print_redacted(cli, verdict);
}

static int
journal_verify_command(struct cli *cli, int argc, char **argv)
{
    const msgpack_object *answer;
    struct err err = {0};

    options_parse(cli, "", "Whether the chain of changes is whole.", NULL, argc, argv);
    if (backend_call(cli, "journal.verify", STR_LIT(""), cli->arena, &answer, &err) != ERR_OK)
        return fail(cli, &err);
    if (cli->format != FORMAT_TABLE)
        print_json(cli, answer);
    else
        print_verdict(cli, answer);
    return flag_of(answer, "ok") ? EX_OK : EX_DATAERR;
}

int
command_journal(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"list", "[--subject ID] [--method M]", "every change", journal_list_command},
        {"verify", "", "whether the chain of changes is whole", journal_verify_command},
        {0},
    };

    return run_subcommand(cli, "journal", list, argc, argv);
}
