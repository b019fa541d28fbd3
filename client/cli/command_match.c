/* command_match.c: the best counterparts of a profile, as a table or as a page that can be read aloud. */
#include "answers.h"
#include "backend.h"
#include "best_of_each.h"
#include "commands.h"
#include "json.h"
#include "match_ask.h"
#include "match_page.h"
#include "options.h"
#include "page.h"
#include "table.h"
#include "tell.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static void
print_head(struct cli *cli, const msgpack_object *top)
{
    struct str day = tell_date(cli, text_of(top, "day"));
    struct str title = TELL(cli, "match.title",
                            {"programme", match_programme_name(cli, text_of(top, "programme"))},
                            {"pairing", text_of(top, "pairing")}, {"name", text_of(top, "name")});
    struct str counts =
        TELL(cli, "match.counts", {"considered", tell_number(cli, number_of(top, "considered"))},
             {"eligible", tell_number(cli, number_of(top, "eligible"))},
             {"shown", tell_number(cli, (int64_t)value_size(value_find(top, "matches")))});

    page_text(cli, 0, STR_LIT(""), page_bold(cli, title));
    page_text(cli, 0, STR_LIT(""),
              arena_format(cli->arena, "%.*s (%.*s)", STR_ARG(counts),
                           STR_ARG(TELL(cli, "match.as_of", {"date", day}))));
}

static void
print_why(struct cli *cli, const msgpack_object *why)
{
    if (value_is_nil(why))
        return;
    page_gap();
    page_text(cli, 0, STR_LIT(""), text_of(why, "sentence"));
    page_text(cli, 0, STR_LIT(""), text_of(why, "help"));
}

/* Why the list is empty; what forbids the profile itself has been said. */
static void
print_none(struct cli *cli, const msgpack_object *top, const struct match_options *options)
{
    if (!value_is_nil(value_find(top, "why")))
        return;
    page_gap();
    match_page_none(cli, number_of(top, "eligible") > 0 ? options->min_score : NULL);
}

static void
print_explained(struct cli *cli, const msgpack_object *top, const struct match_options *options)
{
    const msgpack_object *matches = value_find(top, "matches");
    bool on_from = str_is(text_of(top, "side"), "from");
    struct str own = text_of(top, "name");

    print_head(cli, top);
    print_why(cli, value_find(top, "why"));
    if (value_size(matches) == 0)
        print_none(cli, top, options);
    for (size_t i = 0; i < value_size(matches); i++) {
        const msgpack_object *match = value_at(matches, i);
        const msgpack_object *reasons = value_find(match, "reasons");
        const msgpack_object *from = value_find(reasons, "from_reasons");
        const msgpack_object *to = value_find(reasons, "to_reasons");
        struct str name = text_of(match, "name");
        struct str head =
            arena_format(cli->arena, "%2zu. %.*s", i + 1, STR_ARG(page_bold(cli, name)));

        page_gap();
        page_line(cli, 0, head, match_of_ten_thousand(cli, number_of(match, "score")));
        match_page_view(cli, from, on_from ? own : name, number_of(match, "from_view"));
        match_page_view(cli, to, on_from ? name : own, number_of(match, "to_view"));
        match_page_helps(cli, from, to);
        match_page_coverage(cli, number_of(match, "coverage"));
    }
}

static void
print_list(struct cli *cli, const msgpack_object *top, const struct match_options *options)
{
    const msgpack_object *matches = value_find(top, "matches");
    struct table *table = table_begin(cli);

    if (cli->format == FORMAT_TABLE) {
        print_head(cli, top);
        print_why(cli, value_find(top, "why"));
        if (value_size(matches) == 0)
            print_none(cli, top, options);
        else
            page_gap();
    }
    table_column(table, "rank", tell_text(cli, "heading.rank"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "id", tell_text(cli, "heading.id"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "score", tell_text(cli, "heading.score"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "from_view", tell_text(cli, "heading.view_from"),
                 TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "to_view", tell_text(cli, "heading.view_to"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "coverage", tell_text(cli, "heading.coverage"), TABLE_RIGHT | TABLE_NUMBER);
    for (size_t i = 0; i < value_size(matches); i++) {
        const msgpack_object *match = value_at(matches, i);

        table_row(table);
        table_number(table, (int64_t)i + 1);
        table_cell(table, text_of(match, "id"));
        table_cell(table, text_of(match, "name"));
        table_number(table, number_of(match, "score"));
        table_number(table, number_of(match, "from_view"));
        table_number(table, number_of(match, "to_view"));
        table_number(table, number_of(match, "coverage"));
    }
    if (cli->format != FORMAT_TABLE || value_size(matches) > 0)
        table_end(table);
}

static int
match_one(struct cli *cli, const char *programme, const struct match_options *options)
{
    const msgpack_object *top;
    struct err err = {0};

    if (match_ask_top(cli, programme, options->id, options, cli->arena, &top, &err) != ERR_OK)
        return fail(cli, &err);
    if (cli->format == FORMAT_JSON)
        print_json(cli, top);
    else if (options->explains && cli->format == FORMAT_TABLE)
        print_explained(cli, top, options);
    else
        print_list(cli, top, options);
    return EX_OK;
}

static void
check_side(struct cli *cli, const char *side)
{
    if (side != NULL && strcmp(side, "from") != 0 && strcmp(side, "to") != 0)
        exit(fail_usage(cli, "match", "--side is \"%s\"; it must be from or to", side));
}

int
command_match(struct cli *cli, int argc, char **argv)
{
    struct match_options options = {0};
    const struct option_row rows[] = {
        {"pairing", 'p', "P", "one of the programme's pairings", &options.pairing, NULL, NULL},
        {"for", 'f', "ID", "the profile to match; without it, the best list of each", &options.id,
         NULL, NULL},
        {"side", 0, "SIDE",
         "of a profile that fits both: from or to; without --for, whose lists (from)",
         &options.side, NULL, NULL},
        {"top", 'k', "N", "how many (10)", &options.k, NULL, NULL},
        {"min-score", 0, "S", "leave out what scores less, of 10,000", &options.min_score, NULL,
         NULL},
        {"day", 0, "DATE", "the day that consents, rates and records are of (today)", &options.day,
         NULL, NULL},
        {"explain", 'e', NULL, "the reasons, one sentence each", NULL, &options.explains, NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "PROGRAMME", "The best counterparts of one profile, or of each of a side, best first.",
        rows, argc, argv);

    if (arguments.n != 1)
        return fail_usage(cli, "match", "match takes one programme, such as bilocation");
    if (options.id == NULL && options.explains)
        return fail_usage(cli, "match", "--explain needs --for ID: whose matches to explain");
    check_side(cli, options.side);
    return options.id != NULL ? match_one(cli, arguments.list[0], &options)
                              : best_of_each(cli, arguments.list[0], &options);
}
