#include "cases.h"
#include "daemon.h"

#include <string.h>
#include <sys/stat.h>

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

TestSuite(tool_token, .init = setup, .fini = teardown, .timeout = 120);

static struct str
text_in(const msgpack_object *map, const char *key)
{
    struct str text = {NULL, 0};

    value_str(value_find(map, key), &text);
    return text;
}

/* The id is the part of the secret between its underscores. */
static const char *
id_of(struct str secret)
{
    size_t from = str_find(secret, '_', 0) + 1, to = str_find(secret, '_', from);

    return arena_format(tool.arena, "%.*s", (int)(to - from), secret.data + from).data;
}

/* Each is run on the store itself, and then through the service that holds it. */
static void
live(void)
{
    const char *id;

    tool_expect(&tool, "token create reader 'Paul Durand' --note 'press room' --expires 2099-12-31",
                0);
    cr_expect_eq(str_find(tool.out, '\n', 0) + 1, tool.out.len, "the secret stands alone: %.*s",
                 STR_ARG(tool.out));
    cr_expect_eq(tool.err.len, 0);
    id = id_of(tool.out);
    tool_expect(&tool, "token list --format csv", 0);
    cr_expect(
        tool_said(&tool,
                  arena_format(tool.arena, "%s,reader,Paul Durand,,true,2099-12-31", id).data),
        "%.*s", STR_ARG(tool.out));
    tool_expect(&tool, arena_format(tool.arena, "token revoke %s", id).data, 64);
    tool_expect(&tool, arena_format(tool.arena, "token revoke %s --yes", id).data, 0);
    tool_expect(&tool, arena_format(tool.arena, "token revoke %s --yes", id).data, 65);
    tool_expect(&tool, "token revoke 000000000000 --yes", 66);
    tool_expect(&tool, "token list --format csv", 0);
    cr_expect(tool_said(&tool, arena_format(tool.arena, "%s,reader,Paul Durand,,false", id).data));
}

Test(tool_token, lives_alike_in_a_store_and_in_a_service)
{
    live();
    daemon_start(&service, &tool, "store", NULL);
    live();
    daemon_stop(&service);
}

Test(tool_token, is_the_whole_answer_where_json_was_asked_for)
{
    const msgpack_object *answer;

    tool_expect(&tool, "token create officer marie --metro paris --format json", 0);
    answer = tool_json(&tool);
    cr_expect_gt(text_in(answer, "token").len, 0);
    cr_expect_eq(text_in(answer, "id").len, 12);
    cr_expect(str_is(text_in(answer, "metro"), "paris"));
}

Test(tool_token, goes_into_a_new_file_that_nobody_else_may_read)
{
    const char *path = arena_format(tool.arena, "%s/key", tool.dir).data;
    struct str secret;
    struct stat st;

    tool_expect(&tool, "token create officer marie --out key --format json", 0);
    cr_expect_null(value_find(tool_json(&tool), "token"), "%.*s", STR_ARG(tool.out));
    cr_assert_eq(stat(path, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0600);
    tool_expect(&tool, "--version >/dev/null && cat key", 0);
    secret = tool.out;
    tool_expect(&tool, "token create officer marie --out key", 65);
    cr_expect(tool_complained(&tool, "name a new file"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, "--version >/dev/null && cat key", 0);
    cr_expect(str_equal(tool.out, secret));
    daemon_start(&service, &tool, "store", NULL);
    tool_expect(
        &tool,
        arena_format(tool.arena, "--server %s --token-file key journal list", service.tcp).data, 0);
    daemon_stop(&service);
}

Test(tool_token, that_could_not_be_made_leaves_no_file)
{
    tool_expect(&tool, "token create partner terrasonde --out key", 65);
    cr_expect(tool_complained(&tool, "needs the profile"), "%.*s", STR_ARG(tool.err));
    tool_expect(&tool, "token create king anne --out key", 65);
    tool_expect(&tool, "--version && test ! -e key", 0);
    tool_expect(&tool, "token create reader paul --out no/such/folder", 66);
}
