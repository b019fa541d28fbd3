/* command_profile.c: profiles, one by one. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "documents.h"
#include "json.h"
#include "list.h"
#include "options.h"
#include "page.h"
#include "table.h"
#include "tell.h"

#include <string.h>
#include <sysexits.h>

enum { PARAMS_BYTES_MAX = 1024 * 1024 };

/* One call whose parameters are already packed in `params`; prints a sentence or the answer. */
static int
call_and_say(struct cli *cli, const char *method, struct buf *params, const char *key)
{
    const msgpack_object *answer, *details;
    struct err err = {0};
    enum err_code code = buf_check(params, &err);

    if (code == ERR_OK)
        code = backend_call(cli, method, buf_str(params), cli->arena, &answer, &err);
    buf_fini(params);
    if (code != ERR_OK) {
        details = backend_details(cli);
        if (details != NULL)
            print_json(cli, details);
        return fail(cli, &err);
    }
    if (cli->format != FORMAT_TABLE || key == NULL) {
        print_json(cli, answer);
        return EX_OK;
    }
    if (flag_of(answer, "unchanged"))
        key = "profile.unchanged";
    page_text(cli, 0, STR_LIT(""),
              TELL(cli, key, {"id", text_of(answer, "id")},
                   {"version", tell_number(cli, number_of(answer, "version"))}));
    return EX_OK;
}

static int
profile_get(struct cli *cli, int argc, char **argv)
{
    const char *version = NULL;
    const struct option_row rows[] = {
        {"version", 0, "N", "an earlier version", &version, NULL, NULL}, {0}};
    struct arguments arguments = options_parse(cli, "ID", "One profile as JSON.", rows, argc, argv);
    struct buf params;

    if (arguments.n != 1)
        return fail_usage(cli, "profile get", "profile get takes one id");
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, version != NULL ? 2 : 1);
    pack_key_text(&params, "id", arguments.list[0]);
    if (version != NULL)
        pack_key_int(&params, "version",
                     option_number(cli, "profile get", "--version", version, 1, INT64_MAX));
    return call_and_say(cli, "profile.get", &params, NULL);
}

static int
profile_put(struct cli *cli, int argc, char **argv)
{
    const char *if_version = NULL;
    const struct option_row rows[] = {{"if-version", 0, "N",
                                       "only if this version is stored; 0: only if new",
                                       &if_version, NULL, NULL},
                                      {0}};
    struct arguments arguments = options_parse(
        cli, "FILE", "Stores a profile from a JSON or YAML file, or - for standard input.", rows,
        argc, argv);
    const msgpack_object *profile;
    struct yaml_doc *doc;
    struct err err = {0};
    struct buf params;

    if (arguments.n != 1)
        return fail_usage(cli, "profile put", "profile put takes one file");
    if (document_read(cli, arguments.list[0], &profile, &doc, &err) != ERR_OK)
        return fail(cli, &err);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, if_version != NULL ? 2 : 1);
    pack_key(&params, "profile");
    pack_value(&params, profile);
    if (if_version != NULL)
        pack_key_int(&params, "if_version",
                     option_number(cli, "profile put", "--if-version", if_version, 0, INT64_MAX));
    return call_and_say(cli, "profile.put", &params, "profile.stored");
}

static int
profile_patch_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "ID JSON", "Changes some fields: a map as JSON; null removes one.", NULL, argc, argv);
    const msgpack_object *changes;
    struct err err = {0};
    struct buf params;

    if (arguments.n != 2)
        return fail_usage(cli, "profile patch", "profile patch takes an id and a map as JSON");
    if (json_decode(str_from(arguments.list[1]), &value_limits_default, cli->arena, &changes,
                    &err) != ERR_OK)
        return fail(cli, &err);
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 2);
    pack_key_text(&params, "id", arguments.list[0]);
    pack_key(&params, "changes");
    pack_value(&params, changes);
    return call_and_say(cli, "profile.patch", &params, "profile.stored");
}

static int
profile_delete(struct cli *cli, int argc, char **argv)
{
    bool erases = false;
    const struct option_row rows[] = {
        {"erase", 0, NULL, "with its history and every byte of it, for good", NULL, &erases, NULL},
        {0},
    };
    struct arguments arguments =
        options_parse(cli, "ID", "Takes a profile out; its history stays.", rows, argc, argv);
    struct str question;
    struct buf params;

    if (arguments.n != 1)
        return fail_usage(cli, "profile delete", "profile delete takes one id");
    question = erases ? TELL(cli, "profile.erases", {"id", str_from(arguments.list[0])})
                      : str_from(arguments.list[0]);
    if (!ask_sure(cli, arena_text(cli->arena, question)))
        return EX_USAGE;
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1U + erases);
    pack_key_text(&params, "id", arguments.list[0]);
    if (erases)
        pack_key_bool(&params, "erase", true);
    return call_and_say(cli, "profile.delete", &params,
                        erases ? "profile.erased" : "profile.deleted");
}

static int
profile_merge_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "KEEP DROP", "Makes one profile of two; unmerge undoes it.", NULL, argc, argv);
    struct buf params;

    if (arguments.n != 2)
        return fail_usage(cli, "profile merge", "profile merge takes two ids");
    if (!ask_sure(cli, arguments.list[1]))
        return EX_USAGE;
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 2);
    pack_key_text(&params, "keep", arguments.list[0]);
    pack_key_text(&params, "drop", arguments.list[1]);
    return call_and_say(cli, "profile.merge", &params, "profile.stored");
}

static int
profile_unmerge_command(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "ID", "Brings back a profile that was merged into another.", NULL, argc, argv);
    struct buf params;

    if (arguments.n != 1)
        return fail_usage(cli, "profile unmerge", "profile unmerge takes one id");
    buf_init(&params, PARAMS_BYTES_MAX);
    pack_map(&params, 1);
    pack_key_text(&params, "id", arguments.list[0]);
    return call_and_say(cli, "profile.unmerge", &params, NULL);
}

/* ---- lists ---- */

static void
row_profile(struct cli *cli, struct table *table, const msgpack_object *profile)
{
    struct str kind = text_of(profile, "kind"), metro = text_of(profile, "metro");

    table_row(table);
    table_cell(table, text_of(profile, "id"));
    table_cell(table, text_of(profile, "name"));
    table_cell_as(table, kind, tell_code(cli, VOCABULARY_KINDS, kind));
    table_cell_as(table, metro, tell_code(cli, VOCABULARY_METROS, metro));
    table_cell(table, text_of(profile, "city"));
}

static int
profile_list(struct cli *cli, int argc, char **argv)
{
    const char *filters[6] = {NULL}, *limit = NULL;
    static const char *const keys[6] = {"kind", "metro", "sector", "stage", "text", "sort"};
    const struct option_row rows[] = {
        {"kind", 0, "K", "only of this kind", &filters[0], NULL, NULL},
        {"metro", 0, "M", "only of this area", &filters[1], NULL, NULL},
        {"sector", 0, "S", "only in this sector or group", &filters[2], NULL, NULL},
        {"stage", 0, "S", "only at, or accepting, this stage", &filters[3], NULL, NULL},
        {"text", 't', "T", "stands in name, tags or description", &filters[4], NULL, NULL},
        {"sort", 0, "ORDER", "id, name or updated", &filters[5], NULL, NULL},
        {"limit", 'n', "N", "most rows (50)", &limit, NULL, NULL},
        {0},
    };
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf packed;
    size_t n = 0;
    int64_t most = 50;
    enum err_code code;

    options_parse(cli, "", "Profiles that fit a filter.", rows, argc, argv);
    if (limit != NULL)
        most = option_number(cli, "profile list", "--limit", limit, 1, 10000000);
    buf_init(&packed, PARAMS_BYTES_MAX);
    for (size_t i = 0; i < 6; i++)
        if (filters[i] != NULL) {
            pack_key_text(&packed, keys[i], filters[i]);
            n++;
        }
    table_column(table, "id", tell_text(cli, "heading.id"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "kind", tell_text(cli, "heading.kind"), 0);
    table_column(table, "metro", tell_text(cli, "heading.metro"), 0);
    table_column(table, "city", tell_text(cli, "heading.city"), 0);
    code = list_walk(cli, "profile.list", "profiles", &packed, n, most, row_profile, table, &err);
    buf_fini(&packed);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_end_or(table, "profile.none");
    return EX_OK;
}

static void
row_version(struct cli *cli, struct table *table, const msgpack_object *version)
{
    const msgpack_object *changed = value_find(version, "changed");
    struct str list = STR_LIT("");

    for (size_t i = 0; i < value_size(changed); i++) {
        struct str name = {NULL, 0};

        value_str(value_at(changed, i), &name);
        list =
            arena_format(cli->arena, "%.*s%s%.*s", STR_ARG(list), i > 0 ? ", " : "", STR_ARG(name));
    }
    table_row(table);
    table_number(table, number_of(version, "version"));
    table_cell(table, tell_date_ms(cli, number_of(version, "at")));
    table_cell(table, text_of(version, "actor"));
    table_cell(table, text_of(version, "method"));
    table_cell(table, list);
}

static int
profile_history(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "ID", "A profile's versions: when, by whom, which fields.", NULL, argc, argv);
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf packed;
    enum err_code code;

    if (arguments.n != 1)
        return fail_usage(cli, "profile history", "profile history takes one id");
    buf_init(&packed, PARAMS_BYTES_MAX);
    pack_key_text(&packed, "id", arguments.list[0]);
    table_column(table, "version", tell_text(cli, "heading.version"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "at", tell_text(cli, "heading.date"), 0);
    table_column(table, "actor", tell_text(cli, "heading.by"), 0);
    table_column(table, "method", tell_text(cli, "heading.method"), 0);
    table_column(table, "changed", tell_text(cli, "heading.change"), TABLE_WRAP);
    code = list_walk(cli, "profile.history", "versions", &packed, 1, 1000000, row_version, table,
                     &err);
    buf_fini(&packed);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_end(table);
    return EX_OK;
}

static void
row_duplicate(struct cli *cli, struct table *table, const msgpack_object *duplicate)
{
    const msgpack_object *evidence = value_find(duplicate, "evidence");
    struct str list = STR_LIT("");

    for (size_t i = 0; i < value_size(evidence); i++)
        list = arena_format(cli->arena, "%.*s%s%.*s (%.*s)", STR_ARG(list), i > 0 ? ", " : "",
                            STR_ARG(text_of(value_at(evidence, i), "hint")),
                            STR_ARG(text_of(value_at(evidence, i), "value")));
    table_row(table);
    table_cell(table, text_of(duplicate, "a"));
    table_cell(table, text_of(duplicate, "b"));
    table_number(table, number_of(duplicate, "strength"));
    table_cell(table, list);
}

static int
profile_duplicates(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "[ID]", "Profiles that are probably the same organisation.", NULL, argc, argv);
    struct table *table = table_begin(cli);
    struct err err = {0};
    struct buf packed;
    enum err_code code;

    buf_init(&packed, PARAMS_BYTES_MAX);
    if (arguments.n > 0)
        pack_key_text(&packed, "id", arguments.list[0]);
    table_column(table, "a", tell_text(cli, "heading.id"), 0);
    table_column(table, "b", tell_text(cli, "heading.id"), 0);
    table_column(table, "strength", tell_text(cli, "heading.similarity"),
                 TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "evidence", tell_text(cli, "heading.reasons"), TABLE_WRAP);
    code = list_walk(cli, "profile.duplicates", "duplicates", &packed, arguments.n > 0, 1000,
                     row_duplicate, table, &err);
    buf_fini(&packed);
    if (code != ERR_OK)
        return fail(cli, &err);
    table_end_or(table, "profile.no_duplicates");
    return EX_OK;
}

int
command_profile(struct cli *cli, int argc, char **argv)
{
    static const struct subcommand list[] = {
        {"get", "ID [--version N]", "one profile as JSON", profile_get},
        {"put", "FILE", "stores a profile from JSON or YAML", profile_put},
        {"patch", "ID JSON", "changes some fields", profile_patch_command},
        {"list", "[--kind K] [--metro M] [--text T]", "profiles that fit", profile_list},
        {"delete", "ID [--erase]", "takes a profile out; its history stays, or goes too",
         profile_delete},
        {"history", "ID", "its versions", profile_history},
        {"duplicates", "[ID]", "probable duplicates, with the evidence", profile_duplicates},
        {"merge", "KEEP DROP", "makes one profile of two", profile_merge_command},
        {"unmerge", "ID", "undoes a merge", profile_unmerge_command},
        {0},
    };

    return run_subcommand(cli, "profile", list, argc, argv);
}
