/* command_watch.c: how best lists move, a line a change, until Ctrl-C. */
#include "answers.h"
#include "backend.h"
#include "commands.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "tell.h"

#include <jumelage/jumelage.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { PARAMS_BYTES_MAX = 4096, LINE_BYTES_MAX = 64 * 1024, LINE_ARENA_BYTES = 16 * 1024 * 1024 };

struct watch_options {
    const char *pairing, *id, *side, *k, *min_score;
};

struct watching {
    struct cli *cli;
    const char *programme;
    const struct watch_options *options;
    int64_t watch; /* its number; 0: not yet known */
    bool has_ended, has_heading;
};

/* ---- out ---- */

/* Of a rank or score, nil where it is not on the list. */
static void
print_number(const msgpack_object *change, const char *key, char before)
{
    int64_t number;

    putchar(before);
    if (value_int(value_find(change, key), &number))
        printf("%" PRId64, number);
}

/* Ids, words and numbers only: nothing needs quotes. */
static void
print_cells(struct watching *watching, const msgpack_object *news, const msgpack_object *change)
{
    char sep = watching->cli->format == FORMAT_CSV ? ',' : '\t';

    if (!watching->has_heading)
        printf("seq%cid%cother%cchange%crank%crank_before%cscore%cscore_before\n", sep, sep, sep,
               sep, sep, sep, sep);
    watching->has_heading = true;
    printf("%" PRId64 "%c%.*s%c%.*s%c%.*s", number_of(news, "seq"), sep,
           STR_ARG(text_of(change, "id")), sep, STR_ARG(text_of(change, "other")), sep,
           STR_ARG(text_of(change, "change")));
    print_number(change, "rank", sep);
    print_number(change, "rank_before", sep);
    print_number(change, "score", sep);
    print_number(change, "score_before", sep);
    putchar('\n');
}

static void
print_object(const struct buf *packed, struct arena *arena)
{
    const msgpack_object *value;
    struct buf line;

    buf_init(&line, LINE_BYTES_MAX);
    if (value_decode(packed->data, packed->len, &value_limits_default, arena, &value, NULL) ==
        ERR_OK)
        json_encode(&line, value, JSON_COMPACT);
    printf("%.*s\n", (int)line.len, line.data);
    buf_fini(&line);
}

static void
print_line(const msgpack_object *news, const msgpack_object *change, struct arena *arena)
{
    struct buf packed;

    buf_init(&packed, LINE_BYTES_MAX);
    pack_map(&packed, 1 + value_size(change));
    pack_key_int(&packed, "seq", number_of(news, "seq"));
    for (size_t i = 0; i < value_size(change); i++) {
        pack_str(&packed, value_key(change, i));
        pack_value(&packed, value_of(change, i));
    }
    print_object(&packed, arena);
    buf_fini(&packed);
}

static struct str
number_text(struct cli *cli, const msgpack_object *change, const char *key)
{
    return tell_number(cli, number_of(change, key));
}

/* One that moved says only what is another than before: its rank, its score, or both. */
static const char *
sentence_key(struct cli *cli, const msgpack_object *change)
{
    struct str what = text_of(change, "change");

    if (flag_of(change, "erased"))
        return "watch.erased";
    if (!str_is(what, "moved"))
        return arena_format(cli->arena, "watch.%.*s", STR_ARG(what)).data;
    if (number_of(change, "score") == number_of(change, "score_before"))
        return "watch.moved_rank";
    return number_of(change, "rank") == number_of(change, "rank_before") ? "watch.moved_score"
                                                                         : "watch.moved";
}

static void
print_sentence(struct cli *cli, const msgpack_object *change)
{
    const char *key = sentence_key(cli, change);

    printf("%.*s\n", STR_ARG(TELL(cli, key, {"id", text_of(change, "id")},
                                  {"other", text_of(change, "other")},
                                  {"rank", number_text(cli, change, "rank")},
                                  {"rank_before", number_text(cli, change, "rank_before")},
                                  {"score", number_text(cli, change, "score")},
                                  {"score_before", number_text(cli, change, "score_before")})));
}

/* What concerns the whole watch: a line for programs where lines are JSON, a sentence for people. */
static void
print_note(struct watching *watching, const char *change, int64_t seq, struct str sentence)
{
    struct cli *cli = watching->cli;
    struct buf packed;

    fprintf(stderr, "%.*s\n", STR_ARG(sentence));
    if (cli->format != FORMAT_JSON)
        return;
    buf_init(&packed, PARAMS_BYTES_MAX);
    pack_map(&packed, 2);
    pack_key_int(&packed, "seq", seq);
    pack_key_text(&packed, "change", change);
    print_object(&packed, cli->arena);
    buf_fini(&packed);
}

/* ---- in ---- */

static void
hear_news(struct watching *watching, const msgpack_object *news)
{
    const msgpack_object *changes = value_find(news, "changes");
    int64_t seq = number_of(news, "seq");
    struct cli *cli = watching->cli;

    for (size_t i = 0; i < value_size(changes); i++) {
        const msgpack_object *change = value_at(changes, i);

        if (cli->format == FORMAT_JSON)
            print_line(news, change, cli->arena);
        else if (cli->format == FORMAT_TABLE)
            print_sentence(cli, change);
        else
            print_cells(watching, news, change);
    }
    if (flag_of(news, "missed"))
        print_note(watching, "missed", seq,
                   TELL(cli, "watch.missed", {"seq", tell_number(cli, seq)}));
    if (flag_of(news, "ended")) {
        print_note(watching, "ended", seq, TELL(cli, "watch.ended", {"why", text_of(news, "why")}));
        watching->has_ended = true;
    }
    fflush(stdout);
}

static void
hear(void *context, struct str method, const msgpack_object *params)
{
    struct watching *watching = context;
    struct arena_mark mark;

    if (!str_is(method, "match.changed"))
        return;
    cli_reference(watching->cli); /* kept: not of this notification alone */
    mark = arena_mark(watching->cli->arena);
    hear_news(watching, value_at(params, 0));
    arena_release(watching->cli->arena, mark);
}

/* ---- watching ---- */

static enum err_code
ask(struct watching *watching, struct err *err)
{
    const struct watch_options *options = watching->options;
    const struct listening listening = {hear, watching};
    struct cli *cli = watching->cli;
    const msgpack_object *answer;
    struct pack_open map;
    struct buf params;
    size_t n = 1;
    enum err_code code = backend_listen(cli, &listening, err);

    if (code != ERR_OK)
        return code;
    buf_init(&params, PARAMS_BYTES_MAX);
    map = pack_map_open(&params);
    pack_key_text(&params, "programme", watching->programme);
    const struct {
        const char *key, *text;
    } texts[] = {{"pairing", options->pairing}, {"id", options->id}, {"side", options->side}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].text != NULL) {
            pack_key_text(&params, texts[i].key, texts[i].text);
            n++;
        }
    if (options->k != NULL) {
        pack_key_int(&params, "k", option_number(cli, "watch", "-k", options->k, 1, 1000));
        n++;
    }
    if (options->min_score != NULL) {
        pack_key_int(&params, "min_score",
                     option_number(cli, "watch", "--min-score", options->min_score, 0, 10000));
        n++;
    }
    pack_close(&params, map, n);
    code = backend_call(cli, "match.watch", buf_str(&params), cli->arena, &answer, err);
    buf_fini(&params);
    if (code != ERR_OK)
        return code;
    if (watching->watch == 0)
        fprintf(stderr, "%.*s\n",
                STR_ARG(TELL(cli, "watch.begun",
                             {"lists", tell_number(cli, number_of(answer, "lists"))},
                             {"programme", text_of(answer, "programme")},
                             {"pairing", text_of(answer, "pairing")})));
    watching->watch = number_of(answer, "watch");
    return backend_listen(cli, &listening, err); /* the backend may be another since */
}

/* Is it worth while to connect again? The client library waits between its attempts. */
static bool
is_lost(enum err_code code)
{
    return code == (enum err_code)JML_LOST || code == (enum err_code)JML_UNREACHABLE ||
           code == (enum err_code)JML_TIMEOUT || code == ERR_DRAINING;
}

static int
watch_until_interrupted(struct watching *watching)
{
    struct err err = {0};
    enum err_code code = ask(watching, &err);
    int64_t before = watching->watch;

    while (code == ERR_OK && !watching->has_ended && !interrupt_came()) {
        code = backend_hear(watching->cli, &watching->has_ended, &err);
        if (code == ERR_OK || !is_lost(code))
            continue;
        print_note(watching, "lost", 0, tell_text(watching->cli, "watch.lost"));
        fflush(stdout);
        do {
            err = (struct err){0};
            code = ask(watching, &err);
        } while (is_lost(code) && before != 0 && !interrupt_came());
    }
    if (interrupt_came())
        return EX_OK; /* cli_main ends by the signal, once all is closed */
    return code != ERR_OK ? fail(watching->cli, &err) : EX_UNAVAILABLE;
}

int
command_watch(struct cli *cli, int argc, char **argv)
{
    struct watch_options options = {0};
    /* clang-format off */
    const struct option_row rows[] = {
        {.letter = 'p', .name = "pairing", .argument = "P", .text = "one of the programme's pairings", .value = &options.pairing},
        {.letter = 'f', .name = "for", .argument = "ID", .text = "one profile's list; without it, those of all of the side", .value = &options.id},
        {.name = "side", .argument = "SIDE", .text = "whose lists: from or to (from)", .value = &options.side},
        {.letter = 'k', .name = "count", .argument = "N", .text = "how many best are watched (10)", .value = &options.k},
        {.name = "min-score", .argument = "S", .text = "leave out what scores less, of 10,000", .value = &options.min_score},
        {0},
    };
    /* clang-format on */
    struct arguments arguments = options_parse(
        cli, "PROGRAMME",
        "Tells how best lists move while profiles change: a line a change, as a sentence or as "
        "JSON, CSV or TSV, until Ctrl-C. Needs a running service.",
        rows, argc, argv);
    struct watching watching = {.cli = cli, .options = &options};
    struct err err = {0};

    if (arguments.n != 1)
        return fail_usage(cli, "watch", "watch takes one programme, such as bilocation");
    if (options.side != NULL && strcmp(options.side, "from") != 0 &&
        strcmp(options.side, "to") != 0)
        return fail_usage(cli, "watch", "--side is \"%s\"; it must be from or to", options.side);
    watching.programme = arguments.list[0];
    if (backend_open(cli, true, &err) != ERR_OK)
        return fail(cli, &err);
    if (!backend_tells(cli)) {
        fputs("jumelage: watch needs a running service: start jumelaged on this store, or name one "
              "with --server\n",
              stderr);
        return EX_UNAVAILABLE;
    }
    interrupt_watch();
    return watch_until_interrupted(&watching);
}
