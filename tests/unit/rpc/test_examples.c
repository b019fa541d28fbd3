#include "cases.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_load_demo(&rpc);
    rpc_seat(&rpc);
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(examples, .init = setup, .fini = teardown);

/* The examples of the reference page work on the demonstration data. */
Test(examples, each_methods_example_succeeds)
{
    for (size_t i = 0; i < n_methods; i++) {
        if (strcmp(methods[i].name, "profile.unmerge") == 0 ||
            strcmp(methods[i].name, "match.unwatch") == 0 ||
            strcmp(methods[i].name, "token.revoke") == 0)
            continue; /* below: they need what another example made */
        rpc_ok(&rpc, methods[i].name, methods[i].example);
    }
    rpc_ok(&rpc, "match.unwatch", method_find(STR_LIT("match.unwatch"))->example);
    rpc_ok(&rpc, "profile.unmerge", method_find(STR_LIT("profile.unmerge"))->example);
}

/* The id in the example of token.revoke is made up; a real one is as long and takes its place. */
Test(examples, a_token_is_revoked_as_in_the_example)
{
    const char *example = method_find(STR_LIT("token.revoke"))->example;
    const msgpack_object *made =
        rpc_ok(&rpc, "token.create", method_find(STR_LIT("token.create"))->example);
    const char *id = rpc_text(&rpc, made, "id");
    char params[128];

    snprintf(params, sizeof params, "{\"id\": \"%s\"}", id);
    cr_assert_eq(strlen(params), strlen(example));
    rpc_ok(&rpc, "token.revoke", params);
    rpc_fails(&rpc, "token.revoke", params, ERR_CONFLICT, "id");
}

/* Each writing method, called wrongly: an error, and nothing stored has changed (rpc_fails looks). */
Test(examples, a_call_that_fails_changes_nothing)
{
    static const char *const wrong[] = {
        "{}", "{\"id\": 5}", "{\"nonsense\": true}", "{\"deadline_ms\": -1}", "[]", "\"text\""};

    for (size_t i = 0; i < n_methods; i++)
        for (size_t k = 0; k < sizeof wrong / sizeof wrong[0]; k++)
            if (methods[i].flags & METHOD_WRITES)
                rpc_fails(&rpc, methods[i].name, wrong[k], ERR_INVALID_PARAMS, NULL);
}
