/* command_system.c: call, methods, stats. */
#include "backend.h"
#include "commands.h"
#include "file.h"
#include "json.h"
#include "method.h"
#include "options.h"
#include "page.h"
#include "table.h"
#include "tell.h"

#include <string.h>
#include <sysexits.h>

enum { JSON_BYTES_MAX = 256 * 1024 * 1024 };

void
print_json(struct cli *cli, const msgpack_object *value)
{
    struct buf text;

    buf_init(&text, 1024 * 1024 * 1024);
    json_encode(&text, value, cli->is_terminal ? JSON_INDENTED : JSON_COMPACT);
    buf_append_char(&text, '\n');
    fwrite(text.data != NULL ? text.data : "", 1, text.len, stdout);
    buf_fini(&text);
}

/* ---- call ---- */

static enum err_code
read_params(struct cli *cli, const char *argument, struct buf *params, struct err *err)
{
    struct value_limits limits = {.bytes = JSON_BYTES_MAX, .items = 5000000, .depth = 32};
    const msgpack_object *value;
    struct buf text;
    enum err_code code = ERR_OK;

    buf_init(&text, JSON_BYTES_MAX);
    if (strcmp(argument, "-") == 0)
        code = file_read("-", &text, err);
    else
        buf_append_text(&text, argument);
    if (code == ERR_OK)
        code = json_decode(buf_str(&text), &limits, cli->arena, &value, err);
    if (code == ERR_OK) {
        pack_value(params, value);
        code = buf_check(params, err);
    }
    buf_fini(&text);
    return code;
}

int
command_call(struct cli *cli, int argc, char **argv)
{
    struct arguments arguments = options_parse(
        cli, "METHOD [JSON]",
        "Calls a method with a map of parameters, given as JSON or read from - (standard input).",
        NULL, argc, argv);
    const msgpack_object *answer, *details;
    struct err err = {0};
    struct buf params;
    enum err_code code = ERR_OK;

    if (arguments.n < 1 || arguments.n > 2)
        return fail_usage(cli, "call", "call takes a method and its parameters as JSON");
    buf_init(&params, JSON_BYTES_MAX);
    if (arguments.n == 2)
        code = read_params(cli, arguments.list[1], &params, &err);
    if (code == ERR_OK)
        code = backend_call(cli, arguments.list[0], buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code == ERR_OK) {
        print_json(cli, answer);
        return EX_OK;
    }
    details = backend_details(cli);
    if (details != NULL)
        print_json(cli, details);
    return fail(cli, &err);
}

/* ---- methods ---- */

int
command_methods(struct cli *cli, int argc, char **argv)
{
    struct table *table = table_begin(cli);

    options_parse(cli, "", "What can be called, by whom, and what it does.", NULL, argc, argv);
    table_column(table, "method", tell_text(cli, "heading.method"), 0);
    table_column(table, "role", tell_text(cli, "heading.role"), 0);
    table_column(table, "summary", tell_text(cli, "heading.summary"), TABLE_WRAP);
    for (size_t i = 0; i < n_methods; i++) {
        unsigned roles = methods[i].roles;

        table_row(table);
        table_cell(table, str_from(methods[i].name));
        table_cell(table, str_from(role_name((enum role)(roles & (0U - roles)))));
        table_cell(table, str_from(methods[i].summary));
    }
    table_end(table);
    return EX_OK;
}

/* ---- stats ---- */

static void
add_numbers(struct table *table, struct cli *cli, const char *prefix, const msgpack_object *map)
{
    for (size_t i = 0; i < value_size(map); i++) {
        int64_t number;

        if (!value_int(value_of(map, i), &number))
            continue;
        table_row(table);
        table_cell(table, arena_format(cli->arena, "%s%.*s", prefix, STR_ARG(value_key(map, i))));
        table_number(table, number);
    }
}

int
command_stats(struct cli *cli, int argc, char **argv)
{
    const msgpack_object *answer;
    struct err err = {0};
    struct table *table = table_begin(cli);

    options_parse(cli, "", "Counters and sizes of the store and of its index.", NULL, argc, argv);
    if (backend_call(cli, "system.stats", STR_LIT(""), cli->arena, &answer, &err) != ERR_OK)
        return fail(cli, &err);
    if (cli->format == FORMAT_JSON) {
        print_json(cli, answer);
        return EX_OK;
    }
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "value", tell_text(cli, "heading.value"), TABLE_RIGHT | TABLE_NUMBER);
    add_numbers(table, cli, "", answer);
    add_numbers(table, cli, "store.", value_find(answer, "store"));
    add_numbers(table, cli, "index.", value_find(answer, "index"));
    table_end(table);
    return EX_OK;
}
