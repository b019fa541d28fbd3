/* command_generate.c: synthetic profiles for trying out sizes, as JSON lines (generator.h makes them). */
#include "commands.h"
#include "generator.h"
#include "json.h"
#include "options.h"
#include "tell.h"

#include <inttypes.h>
#include <string.h>
#include <sysexits.h>

enum { LINE_BYTES = 64 * 1024, COUNT_MAX = 10000000 };

static void
print_line(struct cli *cli, struct str record)
{
    struct arena *arena = cli->arena;
    struct arena_mark mark = arena_mark(arena);
    const msgpack_object *value;
    struct err err = {0};
    struct buf text;

    buf_init(&text, LINE_BYTES);
    if (value_decode(record.data, record.len, &value_limits_default, arena, &value, &err) != ERR_OK)
        fail_memory();
    json_encode(&text, value, JSON_COMPACT);
    buf_append_char(&text, '\n');
    fwrite(text.data, 1, text.len, stdout);
    buf_fini(&text);
    arena_release(arena, mark);
}

int
command_generate(struct cli *cli, int argc, char **argv)
{
    const char *counts[GENERATED_KIND_COUNT] = {"0", "0", "0"}, *seed = "1";
    const struct option_row rows[] = {
        {"startups", 0, "N", "how many startups", &counts[0], NULL, NULL},
        {"incubators", 0, "N", "how many incubators", &counts[1], NULL, NULL},
        {"investors", 0, "N", "how many investors", &counts[2], NULL, NULL},
        {"seed", 0, "S", "the same seed gives the same profiles (1)", &seed, NULL, NULL},
        {0},
    };
    struct generator generator = {.arena = cli->arena, .n_sentences = 1};

    options_parse(cli, "", "Synthetic profiles of realistic shape, as JSON lines.", rows, argc,
                  argv);
    generator.random.state = (uint64_t)option_number(cli, "generate", "--seed", seed, 0, INT64_MAX);
    generator.texts = &generator.random;
    generator.reference = cli_reference(cli);
    buf_init(&generator.record, GENERATED_BYTES_MAX);
    for (int kind = 0; kind < GENERATED_KIND_COUNT; kind++) {
        char name[32];
        int64_t n;

        snprintf(name, sizeof name, "--%ss", generated_kinds[kind]);
        n = option_number(cli, "generate", name, counts[kind], 0, COUNT_MAX);
        for (int64_t i = 1; i <= n; i++)
            print_line(cli, generator_make(&generator, (enum generated_kind)kind, i));
    }
    buf_fini(&generator.record);
    return EX_OK;
}
