#include "options.h"

#include "str.h"
#include "survey.h"
#include "tell.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { ROWS_MAX = 24, COMMON_ROWS = 10, ARGUMENTS_MAX = 4096, LIST_KEY = 0x1000 };
enum { KEY_DATA = 0x2000, KEY_SERVER, KEY_TOKEN_FILE, KEY_CA_FILE, KEY_FORMAT, KEY_LANG, KEY_YES };

const struct argp_option common_options[] = {
    {"data", KEY_DATA, "DIR", 0, "the store to work on", 90},
    {"server", KEY_SERVER, "ADDRESS", 0,
     "ask a service instead: unix:PATH, tcp:HOST:PORT, tls:HOST:PORT, http://HOST:PORT or "
     "https://HOST:PORT",
     90},
    {"token-file", KEY_TOKEN_FILE, "FILE", 0, "a file with the token to show the service", 90},
    {"ca-file", KEY_CA_FILE, "FILE", 0,
     "the authorities to trust with tls: and https:, as PEM; else the system's", 90},
    {"format", KEY_FORMAT, "FORM", 0, "table, json, csv or tsv", 90},
    {"lang", KEY_LANG, "LANG", 0, "en or fr", 90},
    {"yes", KEY_YES, NULL, 0, "answer questions with yes", 90},
    {0},
};

struct parse {
    struct cli *cli;
    const struct option_row *rows;
    struct arguments *arguments;
    bool stops_at_word;
    int next;
};

static enum format
format_parse(struct argp_state *state, const char *text)
{
    static const char *const names[] = {"table", "json", "csv", "tsv"};

    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0)
            return (enum format)i;
    argp_error(state, "--format is \"%s\"; it must be table, json, csv or tsv", text);
    return FORMAT_TABLE;
}

/* One place: a store here, or a service. */
static void
check_place(struct cli *cli, struct argp_state *state)
{
    if (cli->data != NULL && cli->server != NULL)
        argp_error(state, "--data names a store and --server a service; give one of them");
}

static bool
parse_common(struct cli *cli, int key, char *argument, struct argp_state *state)
{
    switch (key) {
    case KEY_DATA:
        cli->data = argument;
        check_place(cli, state);
        return true;
    case KEY_SERVER:
        cli->server = argument;
        check_place(cli, state);
        return true;
    case KEY_TOKEN_FILE:
        cli->token_file = argument;
        return true;
    case KEY_CA_FILE:
        cli->ca_file = argument;
        return true;
    case KEY_FORMAT:
        cli->format = format_parse(state, argument);
        cli->has_format = true;
        return true;
    case KEY_LANG:
        if (strcmp(argument, "en") != 0 && strcmp(argument, "fr") != 0)
            argp_error(state, "--lang is \"%s\"; it must be en or fr", argument);
        cli->lang = lang_parse(str_from(argument), LANG_EN);
        return true;
    case KEY_YES:
        cli->says_yes = true;
        return true;
    default:
        return false;
    }
}

static void
list_add(struct cli *cli, const char ***list, const char *value)
{
    size_t n = 0;
    const char **longer;

    while (*list != NULL && (*list)[n] != NULL)
        n++;
    longer = arena_alloc(cli->arena, n + 2, sizeof *longer);
    if (longer == NULL)
        fail_memory();
    if (n != 0)
        memcpy(longer, *list, n * sizeof *longer);
    longer[n] = value;
    *list = longer;
}

static error_t
parse_one(int key, char *argument, struct argp_state *state)
{
    struct parse *parse = state->input;

    if (key == ARGP_KEY_ARG) {
        if (parse->stops_at_word) {
            parse->next = state->next - 1;
            state->next = state->argc;
            return 0;
        }
        if (parse->arguments->n == ARGUMENTS_MAX)
            argp_error(state, "too many arguments");
        parse->arguments->list[parse->arguments->n++] = argument;
        return 0;
    }
    if (parse_common(parse->cli, key, argument, state))
        return 0;
    if (key < LIST_KEY || key >= LIST_KEY + ROWS_MAX) {
        for (const struct option_row *row = parse->rows; row != NULL && row->name != NULL; row++)
            if (row->letter != 0 && row->letter == key) {
                key = LIST_KEY + (int)(row - parse->rows);
                break;
            }
        if (key < LIST_KEY)
            return ARGP_ERR_UNKNOWN;
    }
    if (key >= LIST_KEY + ROWS_MAX)
        return ARGP_ERR_UNKNOWN;
    const struct option_row *row = &parse->rows[key - LIST_KEY];
    if (row->flag != NULL)
        *row->flag = true;
    if (row->value != NULL)
        *row->value = argument;
    if (row->list != NULL)
        list_add(parse->cli, row->list, argument);
    return 0;
}

struct arguments
options_parse(struct cli *cli, const char *usage, const char *text, const struct option_row *rows,
              int argc, char **argv)
{
    struct arguments arguments = {.list = arena_alloc(cli->arena, ARGUMENTS_MAX, sizeof(char *))};
    struct parse parse = {.cli = cli, .rows = rows, .arguments = &arguments};
    struct argp_option options[ROWS_MAX + COMMON_ROWS] = {{0}};
    bool takes_words = usage[0] != '\0';
    struct argp argp = {options, parse_one, takes_words ? usage : NULL, text, NULL, NULL, NULL};
    const char *command = argv[0];
    size_t n = 0;

    if (arguments.list == NULL)
        fail_memory();
    if (cli->survey != NULL)
        survey_tell(cli->survey, argv[0], usage, text, rows);
    for (; rows != NULL && rows[n].name != NULL && n < ROWS_MAX; n++)
        options[n] = (struct argp_option){
            rows[n].name,     rows[n].letter != 0 ? rows[n].letter : LIST_KEY + (int)n,
            rows[n].argument, 0,
            rows[n].text,     1};
    memcpy(options + n, common_options, sizeof common_options);
    argv[0] = (char *)(uintptr_t)arena_format(cli->arena, "jumelage %s", argv[0]).data;
    argp_parse(&argp, argc, argv, 0, NULL, &parse);
    if (!takes_words && arguments.n > 0)
        exit(fail_usage(cli, command, "%s takes no \"%s\", only options", command,
                        arguments.list[0]));
    return arguments;
}

int
options_parse_common(struct cli *cli, int argc, char **argv)
{
    struct parse parse = {.cli = cli, .stops_at_word = true, .next = argc};
    const char *text = "Matches startups with hosts and investors of the sister city.\v"
                       "'jumelage help' lists the commands.";
    struct argp argp = {common_options, parse_one, "COMMAND [ARGUMENT...]", text, NULL, NULL, NULL};

    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &parse);
    return parse.next;
}

int64_t
option_number(struct cli *cli, const char *command, const char *name, const char *text, int64_t min,
              int64_t max)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (errno == 0 && end != text && *end == '\0' && number >= min && number <= max)
        return number;
    exit(fail_usage(cli, command,
                    "%s is \"%s\"; it must be a whole number from %" PRId64 " to %" PRId64, name,
                    text, min, max));
}
