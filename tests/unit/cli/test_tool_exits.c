#include "cases.h"
#include "exits.h"
#include "tool.h"

#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

static struct tool tool;

static void
setup(void)
{
    tool_begin(&tool);
}

static void
teardown(void)
{
    tool_end(&tool);
}

TestSuite(tool_exits, .init = setup, .fini = teardown);

static const struct {
    const char *arguments;
    int status;
    const char *part; /* of standard error; of output where the status is 0 */
} exits[] = {
    {"--version", 0, "jumelage "},
    {"--help", 0, "COMMAND"},
    {"help", 0, "Usage"},
    {"help match", 0, "--explain"},
    {"match --help", 0, "--min-score"},
    {"profile --help", 0, "duplicates"},
    {"", 64, ""},
    {"matchh", 64, "did you mean match"},
    {"match", 64, "--help"},
    {"match a b", 64, "one programme"},
    {"match bilocation --explain", 64, "--for"},
    {"match bilocation --side left", 64, "\"left\"; it must be from or to"},
    {"match bilocation --for x --side left", 64, "\"left\"; it must be from or to"},
    {"watch bilocation --side left", 64, "\"left\"; it must be from or to"},
    {"watch", 64, "watch takes one programme"},
    {"journal verify again", 64, "journal verify takes no \"again\""},
    {"journal verify --help", 0, "Usage: jumelage journal verify [OPTION...]\n"},
    {"journal --help", 0, "  jumelage journal verify\n"},
    {"match bilocation --for x -k 0", 64, "from 1 to 1000"},
    {"match bilocation --for x -k many", 64, "whole number"},
    {"--format yaml stats", 64, "table, json, csv or tsv"},
    {"--lang de stats", 64, "en or fr"},
    {"--nonsense", 64, "--help"},
    {"profile", 64, ""},
    {"profile fly", 64, "fly"},
    {"profile get", 64, "one id"},
    {"generate --startups -1", 64, "from 0"},
    {"export --as pdf", 64, "jsonl, csv, msgpack or xlsx"},
    {"stats", 66, "there is no store"},
    {"programme check nowhere.yaml", 66, "nowhere.yaml"},
    {"profile put nowhere.json", 66, "nowhere.json"},
    {"--server unix:nowhere stats", 69, "(unreachable)"},
    {"--server nowhere stats", 64, "(bad_option: --server)"},
    {"--server https://localhost:1 stats", 69, "(unreachable)"},
    {"--server http://localhost/rpc stats", 64, "more than a host and a port"},
    {"--server unix:nowhere --data store stats", 64, "one of them"},
    {"stats --data store --server unix:nowhere", 64, "one of them"},
    {"--server unix:nowhere demo store", 64, "leave --server out"},
    {"--server unix:nowhere --token-file none stats", 78, "(bad_option: --token-file)"},
    {"token", 64, ""},
    {"token create reader", 64, "a role and a name"},
    {"token revoke 0f1e2d3c4b5a", 64, "--yes"},
};

CASES(tool_exits, each_ending_has_its_status_and_sentence, exits)
{
    tool_expect(&tool, exits[*i].arguments, exits[*i].status);
    cr_expect(exits[*i].part[0] == '\0' ||
                  (exits[*i].status == 0 ? tool_said(&tool, exits[*i].part)
                                         : tool_complained(&tool, exits[*i].part)),
              "%s: %.*s%.*s", exits[*i].arguments, STR_ARG(tool.out), STR_ARG(tool.err));
    if (exits[*i].status != 0 && exits[*i].arguments[0] != '\0')
        cr_expect_eq(tool.out.len, 0, "%s says on standard output: %.*s", exits[*i].arguments,
                     STR_ARG(tool.out));
}

Test(exits, every_code_of_protocol_and_client_has_a_name_and_a_status)
{
    for (int code = -8; code < ERR_COUNT; code++) {
        cr_expect_str_neq(exit_name((enum err_code)code), "unknown", "%d", code);
        cr_expect_eq(exit_status((enum err_code)code) == 0, code == 0, "%d", code);
    }
    for (int code = 0; code < ERR_COUNT; code++)
        cr_expect_str_eq(exit_name((enum err_code)code), err_name((enum err_code)code));
    cr_expect_eq(exit_status((enum err_code)999), 76, "a later service's");
}

Test(tool_exits, errors_of_calls_keep_their_status)
{
    tool_run(&tool, "demo store");
    tool_expect(&tool, "call system.pong", 64);
    tool_expect(&tool, "call profile.get '{\"id\": 3}'", 65);
    tool_expect(&tool, "call profile.get '{\"id\": '", 65);
    tool_expect(&tool, "call profile.get '{\"id\": \"none\"}'", 66);
    tool_expect(
        &tool,
        "call profile.put '{\"profile\": {\"id\": \"demo-startup-001\", \"kind\": \"startup\", "
        "\"name\": \"X\"}, \"if_version\": 7}'",
        65);
    tool_expect(&tool, "match bilocation --for demo-startup-001", 65);
    cr_expect(tool_complained(&tool, "hosting, funding"));
    tool_expect(&tool, "match nothing --for demo-startup-001", 66);
    tool_expect(&tool, "match nothing --side to", 66);
    tool_expect(&tool, "match bilocation --pairing none --side to", 64);
    cr_expect(tool_complained(&tool, "it has: hosting, funding"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, "watch bilocation --pairing hosting", 69);
    cr_expect(tool_complained(&tool, "start jumelaged"), "%.*s", STR_ARG(tool.err));
}

Test(tool_exits, a_store_that_is_no_store_is_65_and_untouched)
{
    tool_write(&tool, "photo.jpg", STR_LIT("x"));
    tool_expect(&tool, "--data . stats", 65);
    cr_expect(tool_complained(&tool, "holds other files"));
}

Test(tool_exits, a_damaged_store_is_65)
{
    tool_run(&tool, "demo store");
    tool_expect(&tool, "--version && : > store/data.mdb", 0);
    tool_expect(&tool, "stats", 65);
    cr_expect(tool_complained(&tool, "restore a backup"), "%.*s", STR_ARG(tool.err));
}

Test(tool_exits, a_store_in_use_is_75_after_a_while, .timeout = 60)
{
    tool_run(&tool, "demo store");
    tool_run(&tool, "--version > /dev/null; exec 9< store/jumelage.lock; flock 9; exec " JML_TOOL
                    " stats");
    cr_expect_eq(tool.status, 75, "%d: %.*s", tool.status, STR_ARG(tool.err));
    cr_expect(tool_complained(&tool, "in use by another program"));
}

Test(tool_exits, demo_never_fills_a_store_twice)
{
    tool_expect(&tool, "demo store", 0);
    tool_expect(&tool, "demo store", 65);
    cr_expect(tool_complained(&tool, "name a new folder"));
}

/* The first file is stored, the second never ends: the store is in use, and written to. */
Test(tool_exits, a_signal_closes_the_store_before_it_ends_the_tool, .timeout = 60)
{
    tool_run(&tool, "demo store");
    tool_write(&tool, "one.jsonl",
               STR_LIT("{\"id\": \"one\", \"kind\": \"startup\", \"name\": \"One\"}\n"));
    tool_run(&tool, "--version >/dev/null; mkfifo in; " JML_TOOL " import one.jsonl - <in & "
                    "exec 8>in; until test -e store/jumelage.unclean; do :; done; kill $!; "
                    "printf 'id,kind,name\\ntwo,startup,Two\\n' >&8; exec 8>&-; wait $!");
    cr_expect_eq(tool.status, 128 + SIGTERM, "%d: %.*s", tool.status, STR_ARG(tool.err));
    cr_expect(tool_complained(&tool, "stopped by a signal"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, "--version && test ! -e store/jumelage.unclean", 0);
    tool_expect(&tool, "profile get one", 0);
    tool_expect(&tool, "profile get two", 66);
}
