#include "cases.h"
#include "daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct tool tool;
static struct daemon service;

static void
setup(void)
{
    tool_begin(&tool);
    tool_expect(&tool, "demo store", 0);
}

static void
teardown(void)
{
    daemon_kill(&service);
    tool_end(&tool);
}

TestSuite(tool_service, .init = setup, .fini = teardown, .timeout = 120);

/* A token made while the store is still ours, in a file of its name. */
static void
make_token(const char *file, const char *arguments)
{
    tool_expect(&tool, arena_format(tool.arena, "token create %s --out %s", arguments, file).data,
                0);
}

/* ---- the same here and there ---- */

static const struct {
    const char *arguments;
    int status;
} reads[] = {
    {"match bilocation -p hosting -f demo-startup-001 --format json", 0},
    {"match bilocation -p hosting -f demo-startup-001 -e -k 2 --format json --lang fr", 0},
    {"match bilocation -p hosting -f demo-startup-001 --format table --lang fr", 0},
    {"match bilocation -p hosting -k 1 --format json", 0},
    {"explain bilocation demo-startup-001 demo-host-05 -p hosting --format json", 0},
    {"explain bilocation demo-startup-001 demo-host-05 -p hosting --format table --lang fr", 0},
    {"whatif bilocation -p hosting -f demo-startup-001 -s languages=fr,de -k 3 --format json", 0},
    {"profile get demo-startup-001 --format json", 0},
    {"profile list --kind incubator --format json", 0},
    {"profile list -n 2000 --format csv", 0},
    {"profile history demo-startup-001 --format json", 0},
    {"profile duplicates --format json", 0},
    {"programme get bilocation --format json", 0},
    {"programme list --format json", 0},
    {"outcome list --format json", 0},
    {"journal list -n 1000 --format json", 0},
    {"journal verify --format json", 0},
    {"export --as jsonl", 0},
    {"export --as csv --kind startup", 0},
    {"methods --format csv", 0},
    {"call system.methods", 0},
    {"call profile.schema", 0},
    {"call system.pong", 64},
    {"call profile.get '{\"id\": 3}'", 65},
    {"call profile.get '{\"id\": \"none\"}'", 66},
    {"profile get demo-startup-0o1", 66},
    {"match bilocation --for demo-startup-001", 65},
    {"match nothing --for demo-startup-001 --lang fr", 66},
    {"explain bilocation demo-startup-001 none -p hosting", 66},
};
enum { N_READS = sizeof reads / sizeof reads[0] };

static void
expect_same(size_t i, const char *place, struct str out, struct str err)
{
    tool_expect(&tool, arena_format(tool.arena, "%s %s", place, reads[i].arguments).data,
                reads[i].status);
    cr_expect(str_equal(tool.out, out), "%s %s:\n%.300s\nnot\n%.300s", place, reads[i].arguments,
              tool.out.data, out.data);
    cr_expect(str_equal(tool.err, err), "%s %s:\n%.300s\nnot\n%.300s", place, reads[i].arguments,
              tool.err.data, err.data);
}

Test(tool_service, every_read_says_the_same_here_and_over_whatever_transport)
{
    struct str out[N_READS], err[N_READS];
    const char *unix_, *tcp, *http;

    make_token("token", "officer marie");
    daemon_start(&service, &tool, "store", NULL); /* it notes the day, which the tool does not */
    daemon_stop(&service);
    for (size_t i = 0; i < N_READS; i++) {
        tool_expect(&tool, reads[i].arguments, reads[i].status);
        out[i] = tool.out;
        err[i] = tool.err;
    }
    daemon_start(&service, &tool, "store", NULL);
    unix_ = arena_format(tool.arena, "--server '%s'", service.unix_).data;
    tcp = arena_format(tool.arena, "--server %s --token-file token", service.tcp).data;
    http = arena_format(tool.arena, "--server %s --token-file token", service.http).data;
    for (size_t i = 0; i < N_READS; i++) {
        expect_same(i, http, out[i], err[i]);
        expect_same(i, unix_, out[i], err[i]);
        expect_same(i, tcp, out[i], err[i]);
    }
    daemon_stop(&service);
}

Test(tool_service, an_import_gives_the_same_report_in_whatever_frames)
{
    static const char import[] = "import " JML_DATA "/profiles/startups.jsonl --format json";
    struct str here;

    tool_expect(&tool, arena_format(tool.arena, "--data new %s", import).data, 0);
    here = tool.out;
    daemon_start(&service, &tool, "served", "frame_bytes=65536");
    setenv("JUMELAGE_SERVER", service.unix_, 1);
    tool_expect(&tool, import, 0);
    cr_expect(str_equal(tool.out, here), "%.*s, not %.*s", STR_ARG(tool.out), STR_ARG(here));
    tool_expect(&tool, "profile list --kind startup -n 1000 --format csv | wc -l", 0);
    cr_expect(tool_said(&tool, "237"), "%.*s", STR_ARG(tool.out)); /* with the heading */
    tool_expect(&tool, arena_format(tool.arena, "%s --atomic", import).data, 65);
    cr_expect(tool_complained(&tool, "leave it out, or import in parts"), "%.*s",
              STR_ARG(tool.err));
    daemon_stop(&service);
}

/* ---- who is asked ---- */

Test(tool_service, a_held_store_is_asked_through_its_service)
{
    daemon_start(&service, &tool, "store", NULL);
    tool_expect(&tool, "--data store profile patch demo-startup-001 '{\"team\": 77}'", 0);
    tool_expect(&tool, "stats", 0); /* of JUMELAGE_DATA */
    cr_expect(tool_said(&tool, "\"service\":"), "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, "--version >/dev/null; cd / && " JML_TOOL " --data \"$OLDPWD/store\" stats",
                0);
    cr_expect(tool_said(&tool, "\"service\":"), "%.*s", STR_ARG(tool.out));
    daemon_stop(&service);
    tool_expect(&tool, "profile get demo-startup-001", 0);
    cr_expect(tool_said(&tool, "\"team\":77"), "%.*s", STR_ARG(tool.out));
}

/* Until a line of `file` holds the text, or so many looks at it; the watch goes on behind. */
#define UNTIL(text, file) \
    "n=0; until grep -q '" text "' " file " || test $((n += 1)) -gt 20000; do :; done; "
#define PATCH(id, changes) JML_TOOL " profile patch " id " '" changes "' >/dev/null; "

Test(tool_service, a_watch_says_how_a_list_moves_in_the_language_asked_for)
{
    static const char *const said[2][4] = {
        {"demo-startup-001: skydeck stays at rank 3, from 4,183 to ",
         "demo-startup-001: yc leaves rank 2\n",
         "demo-startup-001: skydeck moves from rank 3 to rank 2 with ",
         "demo-startup-001: angelpad enters at rank 3 with "},
        {"demo-startup-001\xc2\xa0: skydeck reste au rang 3 et passe de 4\xc2\xa0"
         "183 à ",
         "demo-startup-001\xc2\xa0: yc quitte le rang 2\n",
         "demo-startup-001\xc2\xa0: skydeck passe du rang 3 au rang 2 avec ",
         "demo-startup-001\xc2\xa0: angelpad entre au rang 3 avec "},
    };

    for (size_t i = 0; i < 2; i++) {
        if (i == 1)
            tool_expect(&tool, "demo store2", 0);
        daemon_start(&service, &tool, i == 0 ? "store" : "store2", NULL);
        setenv("JUMELAGE_SERVER", service.unix_, 1);
        tool_expect(
            &tool,
            arena_format(
                tool.arena,
                "--version >/dev/null; " JML_TOOL " watch bilocation -p hosting -f "
                "demo-startup-001 -k 3 --format table --lang %s >out 2>err & " UNTIL(
                    "Ctrl-C", "err") PATCH("demo-startup-001",
                                           "{\"description\": {\"en\": \"software for offices "
                                           "and teams\", \"fr\": \"logiciel\"}}")
                    UNTIL("skydeck", "out") PATCH("yc", "{\"status\": \"paused\"}")
                        UNTIL("angelpad", "out") "kill $!; wait $!; test $? = 143 && cat err out",
                i == 0 ? "en" : "fr")
                .data,
            0);
        for (size_t k = 0; k < 4; k++)
            cr_expect(tool_said(&tool, said[i][k]), "no \"%s\" in\n%.*s", said[i][k],
                      STR_ARG(tool.out));
        unsetenv("JUMELAGE_SERVER");
        daemon_stop(&service);
    }
}

/* What the lock file holds is the service's word: here others'. */
static void
name_holder(const char *holder)
{
    tool_expect(
        &tool, arena_format(tool.arena, "--version && echo '%s' >store/jumelage.lock", holder).data,
        0);
}

Test(tool_service, a_held_store_is_asked_at_unix_or_tcp_whatever_else_stands_in_its_lock_file)
{
    static const char others[] = "service http:127.0.0.1:1 tls:127.0.0.1:1 https:127.0.0.1:1";

    daemon_start(&service, &tool, "store", NULL);
    name_holder(
        arena_format(tool.arena, "%s tcp:127.0.0.1:1 %s http:[::1]:1", others, service.unix_).data);
    tool_expect(&tool, "stats", 0);
    cr_expect(tool_said(&tool, "\"service\":"), "%.*s", STR_ARG(tool.out));
    name_holder(arena_format(tool.arena, "%s %s unix:/nonexistent/sock", others, service.tcp).data);
    tool_expect(&tool, "call system.ping", 0); /* without a token, which only TCP asks for */
    tool_expect(&tool, "stats", 77);
    name_holder(others);
    tool_expect(&tool, "stats", 69);
    cr_expect(tool_complained(&tool, "https:127.0.0.1:1 (unreachable: --server)"), "%.*s",
              STR_ARG(tool.err));
}

Test(tool_service, a_store_whose_service_was_killed_is_opened_here)
{
    daemon_start(&service, &tool, "store", NULL);
    daemon_kill(&service);
    tool_expect(&tool, "stats", 0);
    cr_expect_not(tool_said(&tool, "\"service\":"));
    tool_expect(&tool, arena_format(tool.arena, "--server '%s' stats", service.unix_).data, 69);
}

/* It ends after the first file was stored through it, while the tool waits for the second. */
Test(tool_service, a_service_that_ends_meanwhile_gives_the_store_back)
{
    tool_write(&tool, "one.jsonl",
               STR_LIT("{\"id\": \"one\", \"kind\": \"startup\", \"name\": \"One\"}\n"));
    daemon_start(&service, &tool, "store", NULL);
    tool_expect(
        &tool,
        arena_format(tool.arena,
                     "--version >/dev/null; mkfifo in; %s import one.jsonl - <in & exec 8>in; "
                     "until %s profile get one >/dev/null 2>&1; do :; done; kill %d; "
                     "until flock -n store/jumelage.lock true; do :; done; "
                     "printf 'id,kind,name\\ntwo,startup,Two\\n' >&8; exec 8>&-; wait $!",
                     JML_TOOL, JML_TOOL, (int)service.pid)
            .data,
        0);
    cr_expect(tool_said(&tool, "\"created\":2"), "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, "profile get two", 0);
}

Test(tool_service, the_command_line_goes_before_the_environment)
{
    daemon_start(&service, &tool, "store", NULL);
    setenv("JUMELAGE_SERVER", "unix:nowhere", 1);
    setenv("JUMELAGE_TOKEN_FILE", "nowhere", 1);
    tool_expect(&tool, "stats", 78); /* the token's file is read first */
    tool_expect(&tool, "--data store stats", 0);
    unsetenv("JUMELAGE_TOKEN_FILE");
    tool_expect(&tool, "stats", 69);
    tool_expect(&tool, arena_format(tool.arena, "--server '%s' stats", service.unix_).data, 0);
    setenv("JUMELAGE_SERVER", "nowhere", 1);
    tool_expect(&tool, "stats", 78);
    cr_expect(tool_complained(&tool, "JUMELAGE_SERVER"));
    setenv("JUMELAGE_SERVER", "", 1);
    tool_expect(&tool, "stats", 0);
    daemon_stop(&service);
}

/* ---- HTTP ---- */

Test(tool_service, what_listens_and_speaks_something_else_is_told_as_such)
{
    const char *tcp_as_http, *http_as_tcp, *http_as_https;

    daemon_start(&service, &tool, "store", NULL);
    tcp_as_http = arena_format(tool.arena, "--server http://%s stats", service.tcp + 4).data;
    http_as_tcp = arena_format(tool.arena, "--server tcp:%s stats", service.http + 7).data;
    http_as_https = arena_format(tool.arena, "--server https://%s stats", service.http + 7).data;
    tool_expect(&tool, tcp_as_http, 76);
    cr_expect(tool_complained(&tool, "does not speak HTTP; if it is the service's port of tcp:"));
    tool_expect(&tool, http_as_tcp, 76);
    cr_expect(tool_complained(&tool, "begin the address with http://"));
    tool_expect(&tool, http_as_https, 69);
    cr_expect(tool_complained(&tool, "the address begins with http://"));
    daemon_stop(&service);
}

Test(tool_service, an_import_over_http_gives_the_same_report)
{
    static const char import[] = "import " JML_DATA "/profiles/startups.jsonl --format json";
    struct str here;

    make_token("token", "officer marie");
    tool_expect(&tool, "--version && cp -r store served", 0);
    tool_expect(&tool, arena_format(tool.arena, "--data store %s", import).data, 0);
    here = tool.out;
    daemon_start(&service, &tool, "served", "frame_bytes=65536");
    tool_expect(
        &tool,
        arena_format(tool.arena, "--server %s --token-file token %s", service.http, import).data,
        0);
    cr_expect(str_equal(tool.out, here), "%.*s, not %.*s", STR_ARG(tool.out), STR_ARG(here));
    daemon_stop(&service);
}

/* ---- TLS ---- */

Test(tool_service, tls_is_spoken_to_a_certificate_that_holds_and_to_no_other)
{
    const char *there, *elsewhere;

    make_token("token", "officer marie");
    tool_expect(&tool, "--version && " JML_SOURCE "/tests/certificates/make-certificates certs", 0);
    daemon_start_tls(&service, &tool, "store", "certs");
    there = arena_format(tool.arena, "--server %s --token-file token", service.tls).data;
    elsewhere =
        arena_format(tool.arena, "--server tls:localhost%s", strrchr(service.tls, ':')).data;

    tool_expect(&tool, arena_format(tool.arena, "%s --ca-file certs/ca.pem stats", there).data, 0);
    cr_expect(tool_said(&tool, "\"service\":"), "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, arena_format(tool.arena, "%s stats", there).data, 69);
    cr_expect(tool_complained(&tool, "(unreachable: --ca-file)"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, arena_format(tool.arena, "%s --ca-file none stats", there).data, 78);
    cr_expect(tool_complained(&tool, "(bad_option: --ca-file)"), "%.*s", STR_ARG(tool.err));
    tool_expect(
        &tool,
        arena_format(tool.arena, "--server '%s' --ca-file certs/ca.pem stats", service.unix_).data,
        78);

    setenv("JUMELAGE_CA_FILE", "certs/ca.pem", 1);
    tool_expect(&tool, arena_format(tool.arena, "%s stats", there).data, 0);
    tool_expect(&tool, arena_format(tool.arena, "--server '%s' stats", service.unix_).data, 0);
    tool_expect(&tool, arena_format(tool.arena, "%s stats", elsewhere).data, 69);
    cr_expect(tool_complained(&tool, "is for another name") &&
                  tool_complained(&tool, "(unreachable: --server)"),
              "%.*s", STR_ARG(tool.err));
    unsetenv("JUMELAGE_CA_FILE");
    daemon_stop(&service);
}

Test(tool_service, a_service_that_says_nothing_is_75)
{
    daemon_start(&service, &tool, "store", NULL);
    kill(service.pid, SIGSTOP);
    tool_expect(&tool, arena_format(tool.arena, "--server '%s' stats", service.unix_).data, 75);
    cr_expect(tool_complained(&tool, "(timeout)"), "%.*s", STR_ARG(tool.err));
}

/* ---- what a role may ---- */

static const struct {
    const char *token, *arguments;
    int status;
} rights[] = {
    {"none", "match bilocation -p hosting -f demo-startup-001", 77},
    {"none", "call system.ping", 0},
    {"wrong", "call system.ping", 77},
    {"open", "call system.ping", 78},
    {"reader", "profile get demo-startup-001", 0},
    {"reader", "match bilocation -p hosting -f demo-startup-001", 0},
    {"reader", "profile patch demo-startup-001 '{\"team\": 3}'", 77},
    {"reader", "whatif bilocation -p hosting -f demo-startup-001 -s team=3", 77},
    {"reader", "journal list", 77},
    {"reader", "token list", 77},
    {"officer", "journal list", 0},
    {"officer", "token create admin me", 77},
    {"partner", "profile get demo-startup-001", 0},
    {"partner", "profile get demo-startup-002", 77},
    {"partner", "profile patch demo-startup-001 '{\"team\": 3}'", 0},
    {"partner", "profile patch demo-startup-002 '{\"team\": 3}'", 77},
    {"partner", "profile list", 77},
    {"admin", "token list", 0},
};

Test(tool_service, a_token_opens_what_its_role_may_do_and_no_more)
{
    make_token("reader", "reader paul");
    make_token("officer", "officer marie");
    make_token("partner", "partner terrasonde --profile demo-startup-001");
    make_token("admin", "admin anne");
    tool_write(&tool, "wrong", STR_LIT("jml_000000000000_00000000000000000000000000000000"));
    tool_expect(&tool, "--version && cp reader open && chmod 644 open", 0);
    daemon_start(&service, &tool, "store", NULL);
    for (size_t i = 0; i < 2 * sizeof rights / sizeof rights[0]; i++) {
        const char *address = i % 2 == 0 ? service.tcp : service.http;
        bool has_token = strcmp(rights[i / 2].token, "none") != 0;

        tool_expect(&tool,
                    arena_format(tool.arena, "--server %s %s%s %s", address,
                                 has_token ? "--token-file " : "",
                                 has_token ? rights[i / 2].token : "", rights[i / 2].arguments)
                        .data,
                    rights[i / 2].status);
    }
    daemon_stop(&service);
}
