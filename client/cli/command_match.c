/* command_match.c: match, explain, whatif: results as a page that can be read aloud. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "json.h"
#include "options.h"
#include "page.h"
#include "progress.h"
#include "schema.h"
#include "table.h"
#include "tell.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    PARAMS_BYTES_MAX = 1024 * 1024,
    SHARE_COLUMNS = 8,
    BEST_OF_EACH_PAGE = 1000,
    MATCHES_A_PAGE = 10000
};

/* ---- asking ---- */

struct match_options {
    const char *pairing, *id, *side, *k, *min_score, *day;
    bool explains;
};

static void
pack_text_if(struct buf *out, const char *key, const char *text, size_t *n)
{
    if (text == NULL)
        return;
    pack_key_text(out, key, text);
    ++*n;
}

static enum err_code
ask_top(struct cli *cli, const char *programme, const char *id, const struct match_options *options,
        struct arena *arena, const msgpack_object **result, struct err *err)
{
    struct buf params;
    struct pack_open map;
    size_t n = 2;
    enum err_code code;

    buf_init(&params, PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "programme", programme);
    pack_key_text(&params, "id", id);
    pack_text_if(&params, "pairing", options->pairing, &n);
    pack_text_if(&params, "side", options->side, &n);
    pack_text_if(&params, "day", options->day, &n);
    if (options->k != NULL) {
        pack_key_int(&params, "k", option_number(cli, "match", "-k", options->k, 1, 1000));
        n++;
    }
    if (options->min_score != NULL) {
        pack_key_int(&params, "min_score",
                     option_number(cli, "match", "--min-score", options->min_score, 0, 10000));
        n++;
    }
    if (options->explains) {
        pack_key_bool(&params, "explain", true);
        n++;
    }
    pack_key_text(&params, "lang", lang_code(cli->lang));
    pack_close(&params, map, n + 1);
    code = backend_call(cli, "match.top", buf_str(&params), arena, result, err);
    buf_fini(&params);
    return code;
}

/* ---- names ---- */

static struct str
programme_name(struct cli *cli, struct str id)
{
    const msgpack_object *programme;
    struct err ignored = {0};
    struct buf params;
    struct str name;

    buf_init(&params, 1024);
    pack_map(&params, 1);
    pack_key_str(&params, "id", id);
    enum err_code code =
        backend_call(cli, "programme.get", buf_str(&params), cli->arena, &programme, &ignored);
    buf_fini(&params);
    if (code != ERR_OK)
        return id;
    name = text_of(value_find(programme, "name"), lang_code(cli->lang));
    return name.len > 0 ? name : id;
}

static struct str
of_ten_thousand(struct cli *cli, int64_t score)
{
    return TELL(cli, "number.per_ten_thousand", {"n", tell_number(cli, score)});
}

/* ---- reasons ---- */

/* The share on the left, right-aligned, then the sentence. */
static void
print_reason(struct cli *cli, const msgpack_object *reason)
{
    struct str share = tell_number(cli, number_of(reason, "share"));
    struct str sentence = text_of(reason, "sentence");
    int pad = SHARE_COLUMNS - 2 - page_columns(share);
    struct str head = arena_format(cli->arena, "%*s%.*s  ", pad > 0 ? pad : 0, "", STR_ARG(share));

    page_text(cli, 4, head, sentence);
}

static void
print_view(struct cli *cli, const msgpack_object *reasons, struct str name, int64_t view)
{
    struct str title = TELL(cli, "view.of", {"name", name});

    page_line(cli, 4, title, of_ten_thousand(cli, view));
    if (value_size(reasons) == 0)
        page_text(cli, 4 + SHARE_COLUMNS, STR_LIT(""), tell_text(cli, "view.empty"));
    for (size_t i = 0; i < value_size(reasons); i++)
        print_reason(cli, value_at(reasons, i));
}

/* What would help, each once; what is not filled in first. */
static size_t
print_helps(struct cli *cli, const msgpack_object *reasons, bool known, const char *key,
            struct str *said, size_t n_said, size_t most)
{
    for (size_t i = 0; i < value_size(reasons) && n_said < most; i++) {
        const msgpack_object *reason = value_at(reasons, i);
        struct str help = text_of(reason, "help");
        bool is_new = help.len > 0 && flag_of(reason, "known") == known;

        for (size_t j = 0; j < n_said && is_new; j++)
            is_new = !str_equal(said[j], help);
        if (!is_new)
            continue;
        if (n_said == 0)
            page_text(cli, 4, STR_LIT(""), tell_text(cli, key));
        page_text(cli, 6, STR_LIT("- "), help);
        said[n_said++] = help;
    }
    return n_said;
}

static void
print_all_helps(struct cli *cli, const msgpack_object *from, const msgpack_object *to)
{
    enum { MOST = 8 };
    struct str said[MOST];
    size_t n = print_helps(cli, from, false, "match.missing", said, 0, MOST);

    print_helps(cli, to, false, "match.missing", said, n, MOST);
    n = print_helps(cli, from, true, "match.help", said, 0, MOST);
    print_helps(cli, to, true, "match.help", said, n, MOST);
}

static void
print_coverage(struct cli *cli, int64_t coverage)
{
    page_text(cli, 4, STR_LIT(""),
              TELL(cli, "match.coverage", {"coverage", tell_number(cli, coverage)}));
}

/* ---- match for one profile ---- */

static void
print_head(struct cli *cli, const msgpack_object *top)
{
    struct str day = tell_date(cli, text_of(top, "day"));
    struct str title =
        TELL(cli, "match.title", {"programme", programme_name(cli, text_of(top, "programme"))},
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

static void
print_explained(struct cli *cli, const msgpack_object *top)
{
    const msgpack_object *matches = value_find(top, "matches");
    bool on_from = str_is(text_of(top, "side"), "from");
    struct str own = text_of(top, "name");

    print_head(cli, top);
    print_why(cli, value_find(top, "why"));
    for (size_t i = 0; i < value_size(matches); i++) {
        const msgpack_object *match = value_at(matches, i);
        const msgpack_object *reasons = value_find(match, "reasons");
        const msgpack_object *from = value_find(reasons, "from_reasons");
        const msgpack_object *to = value_find(reasons, "to_reasons");
        struct str name = text_of(match, "name");
        struct str head =
            arena_format(cli->arena, "%2zu. %.*s", i + 1, STR_ARG(page_bold(cli, name)));

        page_gap();
        page_line(cli, 0, head, of_ten_thousand(cli, number_of(match, "score")));
        print_view(cli, from, on_from ? own : name, number_of(match, "from_view"));
        print_view(cli, to, on_from ? name : own, number_of(match, "to_view"));
        print_all_helps(cli, from, to);
        print_coverage(cli, number_of(match, "coverage"));
    }
}

static void
print_list(struct cli *cli, const msgpack_object *top)
{
    const msgpack_object *matches = value_find(top, "matches");
    struct table *table = table_begin(cli);

    if (cli->format == FORMAT_TABLE) {
        print_head(cli, top);
        print_why(cli, value_find(top, "why"));
        if (value_size(matches) == 0)
            page_text(cli, 0, STR_LIT(""), tell_text(cli, "match.none"));
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

    if (ask_top(cli, programme, options->id, options, cli->arena, &top, &err) != ERR_OK)
        return fail(cli, &err);
    if (cli->format == FORMAT_JSON)
        print_json(cli, top);
    else if (options->explains && cli->format == FORMAT_TABLE)
        print_explained(cli, top);
    else
        print_list(cli, top);
    return EX_OK;
}

/* ---- the best list of each profile of the from side ---- */

struct best_of_each {
    const char *programme;
    struct match_options options;
    struct table *table;
    size_t n;
    bool asks_one_by_one; /* the service is older than match.each */
};

static void
each_columns(struct cli *cli, struct table *table)
{
    table_column(table, "from", tell_text(cli, "heading.from"), 0);
    table_column(table, "pairing", tell_text(cli, "heading.pairing"), 0);
    table_column(table, "rank", tell_text(cli, "heading.rank"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "to", tell_text(cli, "heading.to"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "score", tell_text(cli, "heading.score"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "coverage", tell_text(cli, "heading.coverage"), TABLE_RIGHT | TABLE_NUMBER);
}

static void
each_rows(struct best_of_each *each, const char *pairing, struct str id,
          const msgpack_object *matches)
{
    for (size_t i = 0; i < value_size(matches); i++) {
        const msgpack_object *match = value_at(matches, i);

        table_row(each->table);
        table_cell(each->table, id);
        table_cell(each->table, str_from(pairing));
        table_number(each->table, (int64_t)i + 1);
        table_cell(each->table, text_of(match, "id"));
        table_cell(each->table, text_of(match, "name"));
        table_number(each->table, number_of(match, "score"));
        table_number(each->table, number_of(match, "coverage"));
        each->n++;
    }
}

static enum err_code
ask_page(struct cli *cli, const struct best_of_each *each, const char *pairing, bool is_mirrored,
         struct str after, struct arena *arena, const msgpack_object **page, struct err *err)
{
    const struct match_options *options = &each->options;
    int64_t k = options->k != NULL ? option_number(cli, "match", "-k", options->k, 1, 1000) : 10;
    int64_t limit = MATCHES_A_PAGE / k;
    struct buf params;
    struct pack_open map;
    size_t n = 5;
    enum err_code code;

    buf_init(&params, PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "programme", each->programme);
    pack_key_text(&params, "pairing", pairing);
    pack_key_bool(&params, "mirrored", is_mirrored);
    pack_key_int(&params, "k", k);
    pack_key_int(&params, "limit", limit < BEST_OF_EACH_PAGE ? limit : BEST_OF_EACH_PAGE);
    pack_text_if(&params, "day", options->day, &n);
    if (options->min_score != NULL) {
        pack_key_int(&params, "min_score",
                     option_number(cli, "match", "--min-score", options->min_score, 0, 10000));
        n++;
    }
    if (after.len > 0)
        pack_key_str(&params, "after", after), n++;
    pack_close(&params, map, n);
    code = backend_call(cli, "match.each", buf_str(&params), arena, page, err);
    buf_fini(&params);
    return code;
}

/* All lists of one direction of a pairing, page by page. */
static enum err_code
each_in_pages(struct cli *cli, struct best_of_each *each, const char *pairing, bool is_mirrored,
              struct err *err)
{
    struct progress progress;
    struct str after = {NULL, 0};
    enum err_code code;

    progress_begin(&progress, cli, "progress.matching", 0);
    do {
        struct arena *scratch = arena_create(256 * 1024 * 1024);
        const msgpack_object *page = NULL, *lists;

        if (scratch == NULL)
            fail_memory();
        code = ask_page(cli, each, pairing, is_mirrored, after, scratch, &page, err);
        lists = code == ERR_OK ? value_find(page, "lists") : NULL;
        for (size_t i = 0; i < value_size(lists); i++) {
            const msgpack_object *list = value_at(lists, i);

            each_rows(each, pairing, text_of(list, "id"), value_find(list, "matches"));
        }
        after = code == ERR_OK ? text_of(page, "next") : STR_LIT("");
        after = str_from(arena_text(cli->arena, after));
        progress.of = code == ERR_OK ? (size_t)number_of(page, "total") : 0;
        progress_step(&progress, value_size(lists));
        arena_destroy(scratch);
    } while (code == ERR_OK && after.len > 0);
    progress_end(&progress);
    return code;
}

/* ---- the same of a service that is older than match.each: a call a profile ---- */

static enum err_code
each_profile(struct cli *cli, struct best_of_each *each, const char *pairing, struct str id,
             struct err *err)
{
    struct match_options options = each->options;
    const msgpack_object *top;
    struct arena *scratch = arena_create(64 * 1024 * 1024);
    enum err_code code;

    if (scratch == NULL)
        fail_memory();
    options.pairing = pairing;
    options.side = "from";
    code = ask_top(cli, each->programme, arena_text(scratch, id), &options, scratch, &top, err);
    if (code == ERR_INVALID_PARAMS) { /* it stands on no from side of this pairing */
        *err = (struct err){0};
        code = ERR_OK;
        top = NULL;
    }
    if (code == ERR_OK)
        each_rows(each, pairing, id, value_find(top, "matches"));
    arena_destroy(scratch);
    return code;
}

/* All profiles of one kind, page by page. */
static enum err_code
each_of_kind(struct cli *cli, struct best_of_each *each, const char *pairing, struct str kind,
             struct str metro, struct err *err)
{
    struct str after = {NULL, 0};
    enum err_code code = ERR_OK;

    do {
        const msgpack_object *page, *profiles;
        struct buf params;

        buf_init(&params, PARAMS_BYTES_MAX);
        struct pack_open map = pack_map_open(&params);
        size_t n = 1;
        pack_key_int(&params, "limit", BEST_OF_EACH_PAGE);
        if (kind.len > 0)
            pack_key_str(&params, "kind", kind), n++;
        if (metro.len > 0)
            pack_key_str(&params, "metro", metro), n++;
        if (after.len > 0)
            pack_key_str(&params, "after", after), n++;
        pack_close(&params, map, n);
        code = backend_call(cli, "profile.list", buf_str(&params), cli->arena, &page, err);
        buf_fini(&params);
        if (code != ERR_OK)
            return code;
        profiles = value_find(page, "profiles");
        for (size_t i = 0; i < value_size(profiles) && code == ERR_OK; i++)
            code = each_profile(cli, each, pairing, text_of(value_at(profiles, i), "id"), err);
        after = text_of(page, "next");
    } while (code == ERR_OK && after.len > 0);
    return code;
}

static enum err_code
each_pairing(struct cli *cli, struct best_of_each *each, const msgpack_object *pairing,
             struct err *err)
{
    const msgpack_object *from = value_find(pairing, "from"), *to = value_find(pairing, "to");
    const char *id = arena_text(cli->arena, text_of(pairing, "id"));
    enum err_code code = ERR_OK;

    for (int mirrored = 0;
         mirrored <= flag_of(pairing, "mirror") && !each->asks_one_by_one && code == ERR_OK;
         mirrored++) {
        code = each_in_pages(cli, each, id, mirrored != 0, err);
        if (code == ERR_UNKNOWN_METHOD) {
            each->asks_one_by_one = true;
            *err = (struct err){0};
        }
    }
    if (!each->asks_one_by_one)
        return code;
    code = each_of_kind(cli, each, id, text_of(from, "kind"), text_of(from, "metro"), err);

    if (code == ERR_OK && flag_of(pairing, "mirror"))
        code = each_of_kind(cli, each, id, text_of(from, "kind"), text_of(to, "metro"), err);
    return code;
}

static int
match_each(struct cli *cli, const char *programme, const struct match_options *options)
{
    struct best_of_each each = {.programme = programme, .options = *options};
    const msgpack_object *document, *pairings;
    bool is_found = options->pairing == NULL;
    struct err err = {0};
    struct buf params;
    enum err_code code;

    buf_init(&params, 1024);
    pack_map(&params, 1);
    pack_key_text(&params, "id", programme);
    code = backend_call(cli, "programme.get", buf_str(&params), cli->arena, &document, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    each.table = table_begin(cli);
    each_columns(cli, each.table);
    pairings = value_find(document, "pairings");
    for (size_t i = 0; i < value_size(pairings) && code == ERR_OK; i++) {
        const msgpack_object *pairing = value_at(pairings, i);

        if (options->pairing != NULL && !str_is(text_of(pairing, "id"), options->pairing))
            continue;
        is_found = true;
        code = each_pairing(cli, &each, pairing, &err);
    }
    if (!is_found)
        return fail_usage(cli, "match", "the programme %s has no pairing \"%s\"", programme,
                          options->pairing);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (each.n > 0 || cli->format != FORMAT_TABLE)
        table_end(each.table);
    else
        page_text(cli, 0, STR_LIT(""), tell_text(cli, "match.none"));
    return EX_OK;
}

int
command_match(struct cli *cli, int argc, char **argv)
{
    struct match_options options = {0};
    const struct option_row rows[] = {
        {"pairing", 'p', "P", "one of the programme's pairings", &options.pairing, NULL, NULL},
        {"for", 'f', "ID", "the profile to match; without it, the best list of each", &options.id,
         NULL, NULL},
        {"side", 0, "SIDE", "from or to, if the profile fits both", &options.side, NULL, NULL},
        {"top", 'k', "N", "how many (10)", &options.k, NULL, NULL},
        {"min-score", 0, "S", "leave out what scores less, of 10,000", &options.min_score, NULL,
         NULL},
        {"day", 0, "DATE", "the day that consents, rates and records are of (today)", &options.day,
         NULL, NULL},
        {"explain", 'e', NULL, "the reasons, one sentence each", NULL, &options.explains, NULL},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "PROGRAMME", "The best counterparts of a profile, best first.", rows, argc, argv);

    if (arguments.n != 1)
        return fail_usage(cli, "match", "match takes one programme, such as bilocation");
    if (options.id == NULL && options.explains)
        return fail_usage(cli, "match", "--explain needs --for ID: whose matches to explain");
    return options.id != NULL ? match_one(cli, arguments.list[0], &options)
                              : match_each(cli, arguments.list[0], &options);
}

/* ---- explain ---- */

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

    page_line(cli, 0, page_bold(cli, title), of_ten_thousand(cli, number_of(answer, "score")));
    snprintf(key, sizeof key, "combine.%.*s", STR_ARG(text_of(answer, "combine")));
    page_text(cli, 0, STR_LIT(""),
              arena_format(cli->arena, "%.*s, %.*s. %.*s.",
                           STR_ARG(programme_name(cli, text_of(answer, "programme"))),
                           STR_ARG(text_of(answer, "pairing")),
                           STR_ARG(TELL(cli, "match.combined",
                                        {"score", of_ten_thousand(cli, number_of(answer, "score"))},
                                        {"combine", tell_text(cli, key)}))));
    page_text(cli, 0, STR_LIT(""),
              tell_text(cli, flag_of(answer, "eligible") ? "match.is_eligible"
                                                         : "match.is_not_eligible"));
    page_gap();
    print_failed(cli, value_find(answer, "failed"));
    print_view(cli, from, text_of(answer, "from_name"), number_of(answer, "from_view"));
    print_view(cli, to, text_of(answer, "to_name"), number_of(answer, "to_view"));
    print_all_helps(cli, from, to);
    print_coverage(cli, number_of(answer, "coverage"));
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
    buf_init(&params, PARAMS_BYTES_MAX);
    struct pack_open map = pack_map_open(&params);
    pack_key_text(&params, "programme", arguments.list[0]);
    pack_key_text(&params, "from", arguments.list[1]);
    pack_key_text(&params, "to", arguments.list[2]);
    pack_key_text(&params, "lang", lang_code(cli->lang));
    pack_text_if(&params, "pairing", pairing, &n);
    pack_text_if(&params, "day", day, &n);
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

/* ---- whatif ---- */

/* "languages=fr,en", "team=12", "stage=seed", "raising={…}": JSON where it parses, else text; a comma
 * list for a field that is a set; empty removes. */
static enum err_code
pack_change(struct cli *cli, struct buf *out, const char *set, struct err *err)
{
    struct str all = str_from(set);
    size_t equals = str_find(all, '=', 0);
    struct str name = {all.data, equals};
    struct str text = {all.data + equals + 1, equals < all.len ? all.len - equals - 1 : 0};
    const struct field *field = schema_find(name);
    const msgpack_object *value;
    struct err ignored = {0};
    bool is_set =
        field != NULL && (field->type == FIELD_TYPE_CODES || field->type == FIELD_TYPE_TERMS ||
                          field->type == FIELD_TYPE_IDS);

    if (equals == all.len || equals == 0) {
        return err_set(err, ERR_INVALID_PARAMS, "--set is \"%.60s\"; it must be field=value", set);
    }
    pack_str(out, name);
    if (text.len == 0) {
        pack_nil(out);
    } else if (json_decode(text, &value_limits_default, cli->arena, &value, &ignored) == ERR_OK) {
        pack_value(out, value);
    } else if (is_set) {
        struct pack_open list = pack_array_open(out);
        size_t n = 0;

        for (size_t at = 0; at <= text.len; n++) {
            size_t end = str_find(text, ',', at);

            pack_str(out, str_trim((struct str){text.data + at, end - at}));
            at = end + 1;
        }
        pack_close(out, list, n);
    } else {
        pack_str(out, text);
    }
    return ERR_OK;
}

static enum err_code
pack_weight(struct buf *out, const char *weight, struct err *err)
{
    struct str all = str_from(weight);
    size_t equals = str_find(all, '=', 0);
    char *end = NULL;
    long number = equals < all.len ? strtol(weight + equals + 1, &end, 10) : 0;

    if (equals == 0 || end == NULL || end == weight + equals + 1 || *end != '\0')
        return err_set(err, ERR_INVALID_PARAMS,
                       "--weight is \"%.60s\"; it must be want=number, such as sector-fit=30",
                       weight);
    pack_str(out, (struct str){all.data, equals});
    pack_int(out, number);
    return ERR_OK;
}

static struct str
rank_words(struct cli *cli, const msgpack_object *rank)
{
    int64_t number;

    return value_int(rank, &number) ? tell_number(cli, number) : STR_LIT("-");
}

static void
print_whatif(struct cli *cli, const msgpack_object *answer)
{
    const msgpack_object *moved = value_find(answer, "moved");
    struct table *table = table_begin(cli);

    if (value_size(moved) == 0 && cli->format == FORMAT_TABLE) {
        page_text(cli, 0, STR_LIT(""), tell_text(cli, "whatif.unchanged"));
        return;
    }
    table_column(table, "id", tell_text(cli, "heading.id"), 0);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "before_rank", tell_text(cli, "heading.before"), TABLE_RIGHT);
    table_column(table, "after_rank", tell_text(cli, "heading.after"), TABLE_RIGHT);
    table_column(table, "before_score", tell_text(cli, "heading.score"),
                 TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "after_score", tell_text(cli, "heading.score"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "by", tell_text(cli, "heading.reason"), TABLE_WRAP);
    for (size_t i = 0; i < value_size(moved); i++) {
        const msgpack_object *one = value_at(moved, i), *by = value_find(one, "by");
        struct str wants = STR_LIT("");

        for (size_t j = 0; j < value_size(by); j++) {
            const msgpack_object *want = value_at(by, j);

            wants = arena_format(
                cli->arena, "%.*s%s%.*s %+d", STR_ARG(wants), j > 0 ? ", " : "",
                STR_ARG(text_of(want, "want")),
                (int)(number_of(want, "after_share") - number_of(want, "before_share")));
        }
        table_row(table);
        table_cell(table, text_of(one, "id"));
        table_cell(table, text_of(one, "name"));
        table_cell(table, rank_words(cli, value_find(one, "before_rank")));
        table_cell(table, rank_words(cli, value_find(one, "after_rank")));
        table_number(table, number_of(one, "before_score"));
        table_number(table, number_of(one, "after_score"));
        table_cell(table, wants);
    }
    table_end(table);
}

static void
pack_word_list(struct buf *out, const char **list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL)
        n++;
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_text(out, list[i]);
}

int
command_whatif(struct cli *cli, int argc, char **argv)
{
    const char *pairing = NULL, *id = NULL, *k = NULL, *side = NULL, *day = NULL;
    const char **sets = NULL, **weights = NULL, **without = NULL;
    const struct option_row rows[] = {
        {"pairing", 'p', "P", "one of the programme's pairings", &pairing, NULL, NULL},
        {"for", 'f', "ID", "the profile to match", &id, NULL, NULL},
        {"side", 0, "SIDE", "from or to, if the profile fits both", &side, NULL, NULL},
        {"top", 'k', "N", "how many (10)", &k, NULL, NULL},
        {"day", 0, "DATE", "the day that consents, rates and records are of (today)", &day, NULL,
         NULL},
        {"set", 's', "FIELD=VALUE", "a field of the profile as it might be", NULL, NULL, &sets},
        {"weight", 'w', "WANT=WEIGHT", "another weight; 0 leaves the want out", NULL, NULL,
         &weights},
        {"without", 0, "ID", "leaves out a want or requirement", NULL, NULL, &without},
        {0},
    };
    struct arguments arguments = options_parse(
        cli, "PROGRAMME", "How a profile's matches would move; stores nothing.", rows, argc, argv);
    const msgpack_object *answer;
    struct err err = {0};
    struct buf params;
    enum err_code code = ERR_OK;
    size_t n = 4, n_sets = 0, n_weights = 0;

    if (arguments.n != 1 || id == NULL)
        return fail_usage(cli, "whatif", "whatif takes a programme, and --for ID");
    buf_init(&params, PARAMS_BYTES_MAX);
    struct pack_open map = pack_map_open(&params);
    pack_key_text(&params, "programme", arguments.list[0]);
    pack_key_text(&params, "id", id);
    pack_text_if(&params, "pairing", pairing, &n);
    pack_text_if(&params, "side", side, &n);
    pack_text_if(&params, "day", day, &n);
    if (k != NULL)
        pack_key_int(&params, "k", option_number(cli, "whatif", "-k", k, 1, 1000)), n++;
    pack_key(&params, "changes");
    struct pack_open changes = pack_map_open(&params);
    for (; code == ERR_OK && sets != NULL && sets[n_sets] != NULL; n_sets++)
        code = pack_change(cli, &params, sets[n_sets], &err);
    pack_close(&params, changes, n_sets);
    pack_key(&params, "programme_changes");
    pack_map(&params, 2);
    pack_key(&params, "weights");
    changes = pack_map_open(&params);
    for (; code == ERR_OK && weights != NULL && weights[n_weights] != NULL; n_weights++)
        code = pack_weight(&params, weights[n_weights], &err);
    pack_close(&params, changes, n_weights);
    pack_key(&params, "without");
    pack_word_list(&params, without);
    pack_close(&params, map, n);
    if (code == ERR_OK)
        code = backend_call(cli, "match.whatif", buf_str(&params), cli->arena, &answer, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    if (cli->format == FORMAT_JSON)
        print_json(cli, answer);
    else
        print_whatif(cli, answer);
    return EX_OK;
}
