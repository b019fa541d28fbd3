/* command_whatif.c: how a profile's matches would move, if it or the programme were another. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "json.h"
#include "match_ask.h"
#include "options.h"
#include "page.h"
#include "schema.h"
#include "table.h"
#include "tell.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

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
    buf_init(&params, MATCH_PARAMS_BYTES_MAX);
    struct pack_open map = pack_map_open(&params);
    pack_key_text(&params, "programme", arguments.list[0]);
    pack_key_text(&params, "id", id);
    match_pack_text_if(&params, "pairing", pairing, &n);
    match_pack_text_if(&params, "side", side, &n);
    match_pack_text_if(&params, "day", day, &n);
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
