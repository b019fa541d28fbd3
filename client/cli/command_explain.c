/* command_explain.c: the reasons of one pair, as a page that can be read aloud. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "json.h"
#include "match_ask.h"
#include "match_page.h"
#include "options.h"
#include "page.h"
#include "tell.h"

#include <sysexits.h>

static void
print_failed(struct cli *cli, const msgpack_object *failed)
{
    if (value_size(failed) == 0)
        return;
    page_text(cli, 0, STR_LIT(""), page_bold(cli, tell_text(cli, "match.rules")));
    for (size_t i = 0; i < value_size(failed); i++) {
        const msgpack_object *rule = value_at(failed, i);
        struct str sentence = text_of(rule, "sentence");

        page_text(cli, 2, STR_LIT("- "), sentence.len > 0 ? sentence : text_of(rule, "rule"));
        if (text_of(rule, "help").len > 0)
            page_text(cli, 4, STR_LIT(""), text_of(rule, "help"));
    }
    page_gap();
}

static void
print_explanation(struct cli *cli, const msgpack_object *answer)
{
    const msgpack_object *from = value_find(answer, "from_reasons");
    const msgpack_object *to = value_find(answer, "to_reasons");
    struct str title = TELL(cli, "explain.title", {"from", text_of(answer, "from_name")},
                            {"to", text_of(answer, "to_name")});
    char key[32];

    page_line(cli, 0, page_bold(cli, title),
              match_of_ten_thousand(cli, number_of(answer, "score")));
    snprintf(key, sizeof key, "combine.%.*s", STR_ARG(text_of(answer, "combine")));
    page_text(
        cli, 0, STR_LIT(""),
        arena_format(cli->arena, "%.*s, %.*s. %.*s.",
                     STR_ARG(match_programme_name(cli, text_of(answer, "programme"))),
                     STR_ARG(text_of(answer, "pairing")),
                     STR_ARG(TELL(cli, "match.combined",
                                  {"score", match_of_ten_thousand(cli, number_of(answer, "score"))},
                                  {"combine", tell_text(cli, key)}))));
    page_text(cli, 0, STR_LIT(""),
              tell_text(cli, flag_of(answer, "eligible") ? "match.is_eligible"
                                                         : "match.is_not_eligible"));
    page_gap();
    print_failed(cli, value_find(answer, "failed"));
    match_page_view(cli, from, text_of(answer, "from_name"), number_of(answer, "from_view"));
    match_page_view(cli, to, text_of(answer, "to_name"), number_of(answer, "to_view"));
    match_page_helps(cli, from, to);
    match_page_coverage(cli, number_of(answer, "coverage"));
}

int
command_explain(struct cli *cli, int argc, char **argv)
{
    const char *pairing = NULL, *day = NULL;
    const struct option_row rows[] = {
        {"pairing", 'p', "P", "one of the programme's pairings", &pairing, NULL, NULL},
        {"day", 0, "DATE", "the day that consents, rates and records are of (today)", &day, NULL,
         NULL},
        {0}};
    struct arguments arguments = options_parse(
        cli, "PROGRAMME FROM TO", "Reasons that add up, for one pair.", rows, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code;
    size_t n = 4;

    if (arguments.n != 3)
        return fail_usage(cli, "explain", "explain takes a programme and two profiles");
    buf_init(&params, MATCH_PARAMS_BYTES_MAX);
    struct pack_open map = pack_map_open(&params);
    pack_key_text(&params, "programme", arguments.list[0]);
    pack_key_text(&params, "from", arguments.list[1]);
    pack_key_text(&params, "to", arguments.list[2]);
    pack_key_text(&params, "lang", lang_code(cli->lang));
    match_pack_text_if(&params, "pairing", pairing, &n);
    match_pack_text_if(&params, "day", day, &n);
    pack_close(&params, map, n);
    code = backend_call(cli, "match.explain", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format == FORMAT_TABLE)
        print_explanation(cli, answer);
    else
        print_json(cli, answer);
    return EX_OK;
}
