#include "cases.h"
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct arena *arena;
static struct config config;
static struct err err;
static char path[64];

static void
setup(void)
{
    arena = arena_create(16 << 20);
    config_presets(&config);
    snprintf(path, sizeof path, "/tmp/jumelage-config-XXXXXX");
    close(mkstemp(path));
}

static void
teardown(void)
{
    unlink(path);
    arena_destroy(arena);
}

TestSuite(config, .init = setup, .fini = teardown);

static enum err_code
read_text(const char *text)
{
    return config_read_text(str_from(text), "jml.yaml", arena, &config, &err);
}

/* From a command line, with `jumelaged` before it and `--data d` after it. */
static enum err_code
read_line(const char *first, const char *second, const char *third, const char *fourth)
{
    const char *const given[] = {"jumelaged", first, second, third, fourth, "--data", "d"};
    char *argv[sizeof given / sizeof given[0] + 1] = {NULL};
    int argc = 0;

    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (given[i] != NULL)
            argv[argc++] = arena_text(arena, str_from(given[i]));
    return config_read(argc, argv, arena, &config, &err);
}

Test(config, presets_are_those_of_the_tables)
{
    cr_assert_eq(read_line(NULL, NULL, NULL, NULL), ERR_OK, "%s", err.message);
    cr_expect_str_eq(config.data_dir, "d");
    cr_expect_eq(config.n_listen, 0);
    cr_expect_eq(config.threads, 0);
    cr_expect_eq(config.workers, 0);
    cr_expect_eq(config.drain_s, 10);
    cr_expect_eq(config.log_level, LOG_LEVEL_INFO);
    cr_expect_str_eq(config.kernel, "auto");
    cr_expect_not(config.allows_plain_public);
    for (int i = 0; i < LIMIT_COUNT; i++)
        cr_expect_eq(config.limits[i], limit_rows[i].preset, "%s", limit_rows[i].name);
}

/* ---- bounds ---- */

static const struct {
    const char *says, *text;
} good[] = {
    {"nothing at all", ""},
    {"only a comment", "\r\n # nothing\r\n"},
    {"fewest threads", "threads: 0\n"},
    {"most threads", "threads: 64\n"},
    {"fewest workers", "workers: 0\n"},
    {"most workers", "workers: 256\n"},
    {"shortest drain", "drain-s: 0\n"},
    {"longest drain", "drain-s: 3600\n"},
    {"smallest map", "map-size: 16MiB\n"},
    {"smallest map in KiB", "map-size: 16384KiB\n"},
    {"largest map", "map-size: 16384GiB\n"},
    {"a number as text", "threads: \"3\"\n"},
    {"a kernel", "kernel: plain\n"},
    {"the fastest kernel", "kernel: auto\n"},
    {"a level", "log-level: debug\n"},
    {"one address", "listen: tcp:127.0.0.1:0\n"},
    {"addresses", "listen: [tcp:127.0.0.1:0, unix:/x]\n"},
    {"flags", "allow-plain-public: true\ncheck: false\n"},
    {"a group", "admin-group: staff\n"},
};

CASES(config, takes_each_setting_at_its_bounds, good)
{
    cr_expect_eq(read_text(good[*i].text), ERR_OK, "%s: %s", good[*i].says, err.message);
}

static const struct {
    const char *says, *text, *sentence;
} bad[] = {
    {"threads over the most", "data: d\nthreads: 65\n",
     "jml.yaml, line 2, threads: threads is \"65\"; it must be a whole number from 0 to 64"},
    {"fewer threads than none", "threads: -1\n",
     "threads is \"-1\"; it must be a whole number from 0 to 64"},
    {"too many workers", "workers: 257\n", "from 0 to 256"},
    {"too long a drain", "\n\ndrain-s: 3601\n", "line 3, drain-s: drain-s is \"3601\""},
    {"a number over 64 bits", "threads: \"99999999999999999999\"\n", "it must be a whole number"},
    {"a number and more", "threads: 3 or so\n", "threads is \"3 or so\""},
    {"an empty number", "threads: \"\"\n", "threads is \"\""},
    {"too small a map", "map-size: 15MiB\n", "from 16MiB to 16384GiB"},
    {"too large a map", "map-size: 16385GiB\n", "from 16MiB to 16384GiB"},
    {"a map without a unit", "map-size: 33554432\n", "with KiB, MiB or GiB"},
    {"a map in kilobytes of a thousand", "map-size: 64MB\n", "with KiB, MiB or GiB"},
    {"another kernel", "kernel: gpu\n",
     "line 1, kernel: kernel is \"gpu\"; this processor can run plain"},
    {"a kernel without a name", "kernel: \"\"\n", "kernel is \"\"; this processor can run plain"},
    {"a kernel with a long name", "kernel: plain-plain-plain\n",
     "kernel is \"plain-plain-plain\";"},
    {"another level", "log-level: loud\n", "it must be debug, info, warn or error"},
    {"a flag that is a text", "check: \"yes please\"\n", "it must be true or false"},
    {"a list where one is wanted", "threads: [1, 2]\n", "it must be one text or number"},
    {"a map where one is wanted", "data: {a: b}\n", "it must be one text or number"},
    {"a list of lists", "listen: [[tcp:127.0.0.1:0]]\n", "it must be one text or number"},
    {"a name that is none", "thread: 1\n", "line 1, thread: there is no such setting"},
    {"what only the command line has", "config: x.yaml\n", "there is no such setting"},
    {"the same", "check-config: true\n", "there is no such setting"},
    {"the limits' option", "limit: connections=5\n", "there is no such setting"},
    {"no map", "- threads\n", "it must hold names and values"},
    {"no YAML", "threads: [1\n", "jml.yaml: "},
    {"limits that are no map", "limits: 5\n", "limits must be a map"},
    {"a limit that is none", "limits:\n  conections: 5\n", "there is no limit \"conections\""},
    {"a limit that is a list", "limits:\n  connections: [5]\n", "it must be one text or number"},
    {"a limit's own line", "data: d\nlimits:\n  in_flight: 5\n  connections: 0\n",
     "line 4, limits.connections: the limit connections is \"0\"; it must be a whole number from 1 "
     "to 100000"},
};

CASES(config, a_fault_names_file_line_value_and_what_would_be_right, bad)
{
    cr_assert_eq(read_text(bad[*i].text), ERR_INVALID_PARAMS, "%s", bad[*i].says);
    cr_expect_not_null(strstr(err.message, "jml.yaml"), "%s: %s", bad[*i].says, err.message);
    cr_expect_not_null(strstr(err.message, bad[*i].sentence), "%s: %s", bad[*i].says, err.message);
}

Test(config, takes_each_limit_from_its_least_to_its_most_and_no_further)
{
    for (int i = 0; i < LIMIT_COUNT; i++) {
        const struct limit_row *row = &limit_rows[i];
        const struct {
            int64_t value;
            bool is_right;
        } tries[] = {
            {row->least, true}, {row->most, true}, {row->least - 1, false}, {row->most + 1, false}};

        for (size_t k = 0; k < sizeof tries / sizeof tries[0]; k++) {
            char pair[64], text[96];
            enum err_code want = tries[k].is_right ? ERR_OK : ERR_INVALID_PARAMS;

            snprintf(pair, sizeof pair, "%s=%" PRId64, row->name, tries[k].value);
            cr_expect_eq(read_line("--limit", pair, NULL, NULL), want, "%s", pair);
            if (tries[k].is_right)
                cr_expect_eq(config.limits[i], tries[k].value, "%s", pair);
            snprintf(text, sizeof text, "limits: {%s: %" PRId64 "}\n", row->name, tries[k].value);
            cr_expect_eq(read_text(text), want, "%s", text);
        }
    }
}

static const struct {
    const char *says, *limit, *sentence;
} bad_limits[] = {
    {"no number", "connections", "--limit is \"connections\"; it must be a name and a number"},
    {"an empty number", "connections=", "the limit connections is \"\""},
    {"no name", "=5", "there is no limit \"\""},
    {"another name", "connection=5", "there is no limit \"connection\""},
};

CASES(config, a_limit_of_the_command_line_is_a_name_and_a_number, bad_limits)
{
    cr_assert_eq(read_line("--limit", bad_limits[*i].limit, NULL, NULL), ERR_INVALID_PARAMS);
    cr_expect_not_null(strstr(err.message, bad_limits[*i].sentence), "%s", err.message);
}

/* ---- what goes first ---- */

static void
write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(config, the_command_line_goes_before_the_file_wherever_it_stands)
{
    write_file("threads: 3\nworkers: 5\nlimits: {connections: 7, in_flight: 9}\ndata: elsewhere\n");
    cr_assert_eq(read_line("--threads=4", "--config", path, "--limit=connections=8"), ERR_OK, "%s",
                 err.message);
    cr_expect_eq(config.threads, 4);
    cr_expect_eq(config.workers, 5);
    cr_expect_eq(config.limits[LIMIT_CONNECTIONS], 8);
    cr_expect_eq(config.limits[LIMIT_IN_FLIGHT], 9);
    cr_expect_str_eq(config.data_dir, "d");
}

Test(config, addresses_of_the_command_line_replace_those_of_the_file)
{
    write_file("listen: [unix:/a, unix:/b]\n");
    cr_assert_eq(read_line("--config", path, NULL, NULL), ERR_OK, "%s", err.message);
    cr_expect_eq(config.n_listen, 2);
    cr_assert_eq(read_line("--config", path, "--listen=unix:/c", NULL), ERR_OK, "%s", err.message);
    cr_expect_eq(config.n_listen, 1);
    cr_expect_str_eq(config.listen[0], "unix:/c");
}

Test(config, has_sixteen_addresses_at_most)
{
    char text[512] = "listen: [";

    for (int k = 0; k < LISTEN_MAX; k++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "unix:/%d, ", k);
    snprintf(text + strlen(text) - 2, 4, "]\n");
    cr_expect_eq(read_text(text), ERR_OK, "%s", err.message);
    config_presets(&config);
    snprintf(text + strlen(text) - 2, 20, ", unix:/more]\n");
    cr_expect_eq(read_text(text), ERR_INVALID_PARAMS);
    cr_expect_not_null(strstr(err.message, "at most 16 addresses"), "%s", err.message);
}

Test(config, a_file_that_is_not_there_is_named)
{
    cr_expect_eq(read_line("--config", "/nobody/has/this.yaml", NULL, NULL), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.message, "/nobody/has/this.yaml"), "%s", err.message);
}

Test(config, needs_the_stores_folder)
{
    char name[] = "jumelaged", *argv[] = {name, NULL};

    cr_expect_eq(config_read(1, argv, arena, &config, &err), ERR_INVALID_PARAMS);
    cr_expect_not_null(strstr(err.message, "--data DIR"), "%s", err.message);
}

/* ---- the program ---- */

static int
run(const char *arguments, char *said, size_t room)
{
    char command[1024];
    FILE *pipe;
    size_t n;
    int status;

    snprintf(command, sizeof command, "%s/engine/server/jumelaged %s 2>&1", JML_BUILD, arguments);
    pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    n = fread(said, 1, room - 1, pipe);
    said[n] = '\0';
    status = pclose(pipe);
    cr_assert(WIFEXITED(status), "%s", said);
    return WEXITSTATUS(status);
}

Test(config, is_checked_without_anything_being_opened)
{
    char said[4096], arguments[256];

    cr_expect_eq(run("--check-config --data /nobody/has/this", said, sizeof said), 0, "%s", said);
    cr_expect_str_eq(said, "the configuration is right\n");
    write_file("threads: many\n");
    snprintf(arguments, sizeof arguments, "--check-config --data /x --config %s", path);
    cr_expect_eq(run(arguments, said, sizeof said), 78, "%s", said);
    cr_expect_not_null(strstr(said, "line 1, threads: threads is \"many\""), "%s", said);
}

Test(config, a_fault_of_usage_ends_with_64_and_help_with_0)
{
    char said[8192];

    cr_expect_eq(run("--no-such-option", said, sizeof said), 64, "%s", said);
    cr_expect_eq(run("--data d stray", said, sizeof said), 64, "%s", said);
    cr_expect_not_null(strstr(said, "\"stray\" belongs to no option"), "%s", said);
    cr_expect_eq(run("--help", said, sizeof said), 0);
    for (const struct setting_row *row = setting_rows; row->name != NULL; row++)
        cr_expect_not_null(strstr(said, row->name), "--help is silent about %s", row->name);
    cr_expect_eq(run("--version", said, sizeof said), 0);
    cr_expect_not_null(strstr(said, JML_VERSION), "%s", said);
}
