#include "best_of_each.h"

#include "answers.h"
#include "backend.h"
#include "match_page.h"
#include "options.h"
#include "page.h"
#include "progress.h"
#include "table.h"
#include "tell.h"

#include <string.h>
#include <sysexits.h>

enum { BEST_OF_EACH_PAGE = 1000, MATCHES_A_PAGE = 10000 };

struct best_of_each {
    const char *programme;
    struct match_options options;
    struct table *table;
    size_t n, n_lists, n_empty; /* rows; lists, and those of them without one */
    bool has_eligible;          /* anyone, whatever the score */
    struct str day;             /* that the lists are of */
    struct str pairings;        /* names of those that were asked for */
    const char *side, *other;   /* whose lists; who is on them: "from", "to" */
    bool asks_one_by_one;       /* the service is older than match.each */
};

static void
side_column(struct cli *cli, struct table *table, const char *side)
{
    table_column(table, side, tell_text(cli, side[0] == 'f' ? "heading.from" : "heading.to"), 0);
}

static void
each_columns(struct cli *cli, const struct best_of_each *each)
{
    struct table *table = each->table;

    side_column(cli, table, each->side);
    table_column(table, "pairing", tell_text(cli, "heading.pairing"), 0);
    table_column(table, "rank", tell_text(cli, "heading.rank"), TABLE_RIGHT | TABLE_NUMBER);
    side_column(cli, table, each->other);
    table_column(table, "name", tell_text(cli, "heading.name"), 0);
    table_column(table, "score", tell_text(cli, "heading.score"), TABLE_RIGHT | TABLE_NUMBER);
    table_column(table, "coverage", tell_text(cli, "heading.coverage"), TABLE_RIGHT | TABLE_NUMBER);
}

static void
each_rows(struct best_of_each *each, const char *pairing, struct str id, const msgpack_object *list)
{
    const msgpack_object *matches = value_find(list, "matches");

    each->n_lists++;
    each->n_empty += value_size(matches) == 0;
    each->has_eligible |= number_of(list, "eligible") > 0;
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
    size_t n = 6;
    enum err_code code;

    buf_init(&params, MATCH_PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "programme", each->programme);
    pack_key_text(&params, "pairing", pairing);
    pack_key_text(&params, "side", each->side);
    pack_key_bool(&params, "mirrored", is_mirrored);
    pack_key_int(&params, "k", k);
    pack_key_int(&params, "limit", limit < BEST_OF_EACH_PAGE ? limit : BEST_OF_EACH_PAGE);
    match_pack_text_if(&params, "day", options->day, &n);
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

            each_rows(each, pairing, text_of(list, "id"), list);
        }
        if (code == ERR_OK && each->day.len == 0)
            each->day = arena_str(cli->arena, text_of(page, "day"));
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
    options.side = each->side;
    code =
        match_ask_top(cli, each->programme, arena_text(scratch, id), &options, scratch, &top, err);
    if (code == ERR_INVALID_PARAMS && strcmp(err->field, "id") == 0) { /* it does not stand there */
        *err = (struct err){0};
        code = ERR_OK;
        top = NULL;
    }
    if (code == ERR_OK && top != NULL) {
        each_rows(each, pairing, id, top);
        if (each->day.len == 0)
            each->day = arena_str(cli->arena, text_of(top, "day"));
    }
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

        buf_init(&params, MATCH_PARAMS_BYTES_MAX);
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
    const msgpack_object *own = value_find(pairing, each->side);
    const msgpack_object *other = value_find(pairing, each->other);
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
    code = each_of_kind(cli, each, id, text_of(own, "kind"), text_of(own, "metro"), err);
    if (code == ERR_OK && flag_of(pairing, "mirror"))
        code = each_of_kind(cli, each, id, text_of(own, "kind"), text_of(other, "metro"), err);
    return code;
}

/* ---- out ---- */

static void
print_head(struct cli *cli, const struct best_of_each *each, const msgpack_object *programme)
{
    struct str name = text_of(value_find(programme, "name"), lang_code(cli->lang));
    struct str title =
        TELL(cli, "match.title_all", {"programme", name.len > 0 ? name : str_from(each->programme)},
             {"pairing", each->pairings});
    struct str counts =
        TELL(cli, "match.counts_all", {"lists", tell_number(cli, (int64_t)each->n_lists)},
             {"empty", tell_number(cli, (int64_t)each->n_empty)},
             {"shown", tell_number(cli, (int64_t)each->n)});

    if (each->day.len > 0)
        counts =
            arena_format(cli->arena, "%.*s (%.*s)", STR_ARG(counts),
                         STR_ARG(TELL(cli, "match.as_of", {"date", tell_date(cli, each->day)})));
    page_text(cli, 0, STR_LIT(""), page_bold(cli, title));
    page_text(cli, 0, STR_LIT(""), counts);
    page_gap();
}

static void
print_all(struct cli *cli, const struct best_of_each *each, const msgpack_object *programme)
{
    if (cli->format == FORMAT_TABLE)
        print_head(cli, each, programme);
    if (each->n > 0 || cli->format != FORMAT_TABLE)
        table_end(each->table);
    else
        match_page_none(cli, each->has_eligible ? each->options.min_score : NULL);
}

static int
no_such_pairing(struct cli *cli, const struct best_of_each *each, const msgpack_object *pairings)
{
    struct str list = STR_LIT("");

    for (size_t i = 0; i < value_size(pairings); i++)
        list = arena_format(cli->arena, "%.*s%s%.*s", STR_ARG(list), i > 0 ? ", " : "",
                            STR_ARG(text_of(value_at(pairings, i), "id")));
    return fail_usage(cli, "match", "the programme %s has no pairing \"%s\"; it has: %.*s",
                      each->programme, each->options.pairing, STR_ARG(list));
}

int
best_of_each(struct cli *cli, const char *programme, const struct match_options *options)
{
    bool is_of_to = options->side != NULL && strcmp(options->side, "to") == 0;
    struct str *names; /* of the pairings that are gone through */
    struct best_of_each each = {.programme = programme,
                                .options = *options,
                                .side = is_of_to ? "to" : "from",
                                .other = is_of_to ? "from" : "to"};
    const msgpack_object *document, *pairings;
    struct err err = {0};
    struct buf params;
    size_t n = 0;
    enum err_code code;

    buf_init(&params, 1024);
    pack_map(&params, 1);
    pack_key_text(&params, "id", programme);
    code = backend_call(cli, "programme.get", buf_str(&params), cli->arena, &document, &err);
    buf_fini(&params);
    if (code != ERR_OK)
        return fail(cli, &err);
    each.table = table_begin(cli);
    each_columns(cli, &each);
    pairings = value_find(document, "pairings");
    names = arena_alloc(cli->arena, value_size(pairings) + 1, sizeof *names);
    if (names == NULL)
        fail_memory();
    for (size_t i = 0; i < value_size(pairings) && code == ERR_OK; i++) {
        const msgpack_object *pairing = value_at(pairings, i);

        if (options->pairing != NULL && !str_is(text_of(pairing, "id"), options->pairing))
            continue;
        names[n++] = text_of(pairing, "id");
        code = each_pairing(cli, &each, pairing, &err);
    }
    if (n == 0 && options->pairing != NULL)
        return no_such_pairing(cli, &each, pairings);
    if (code != ERR_OK)
        return fail(cli, &err);
    each.pairings = tell_list(cli, names, n);
    print_all(cli, &each, document);
    return EX_OK;
}
