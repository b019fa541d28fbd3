#include "cases.h"
#include "rpc_fixture.h"

#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_system, .init = setup, .fini = teardown);

Test(handle_system, hello_says_who_is_there_and_what_the_limits_are)
{
    const msgpack_object *hello = rpc_ok(&rpc, "system.hello", "{\"client\": \"test 1\"}");

    cr_expect_str_eq(rpc_text(&rpc, hello, "name"), "jumelage");
    cr_expect_eq(rpc_int(hello, "protocol"), 1);
    cr_expect_str_eq(rpc_text(&rpc, hello, "role"), "admin");
    cr_expect_eq(rpc_int(hello, "limits.frame_bytes"), 8 << 20);
    cr_expect_eq(rpc_int(hello, "limits.profile_bytes"), 65536);
    cr_expect_eq(rpc_int(hello, "time"), rpc.clock.fixed_wall_ms);
}

Test(handle_system, ping_answers_pong_to_anyone)
{
    struct str pong;

    rpc_act_as(&rpc, ROLE_ANY, NULL);
    cr_assert(value_str(rpc_ok(&rpc, "system.ping", NULL), &pong));
    cr_expect(str_is(pong, "pong"));
}

Test(handle_system, methods_lists_the_whole_table)
{
    const msgpack_object *list = rpc_ok(&rpc, "system.methods", "{}");

    cr_assert_eq(value_size(list), n_methods);
    for (size_t i = 0; i < n_methods; i++) {
        struct str name;

        cr_assert(value_str(value_find(value_at(list, i), "name"), &name));
        cr_expect(str_is(name, methods[i].name));
    }
}

Test(handle_system, stats_counts_calls_errors_and_profiles)
{
    const msgpack_object *stats;

    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\"}}");
    rpc_call(&rpc, "profile.get", "{\"id\": \"b\"}");
    rpc_call(&rpc, "profile.get", "{\"id\": 3}");
    stats = rpc_ok(&rpc, "system.stats", "{}");
    cr_expect_eq(rpc_int(stats, "index.profiles"), 1);
    cr_expect_eq(rpc_int(stats, "store.profiles"), 1);
    cr_expect_eq(rpc_int(stats, "store.vectors"), 1);
    const msgpack_object *methods_stats = value_find(stats, "methods");
    cr_expect_eq(rpc_int(value_find(methods_stats, "profile.get"), "calls"), 2);
    cr_expect_eq(rpc_int(value_find(methods_stats, "profile.get"), "errors"), 2);
    cr_expect_eq(rpc_int(value_find(methods_stats, "profile.put"), "errors"), 0);
}
