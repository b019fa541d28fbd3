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

TestSuite(call, .init = setup, .fini = teardown);

Test(call, an_unknown_method_names_the_nearest)
{
    rpc_fails(&rpc, "system.pong", "{}", ERR_UNKNOWN_METHOD, "");
    cr_expect_str_eq(rpc_text(&rpc, rpc.details, "close"), "system.ping");
    rpc_fails(&rpc, "qqqqqqqqqqqqqqqqqqqqqq", "{}", ERR_UNKNOWN_METHOD, "");
}

/* Every method for every role: allowed exactly as the table says. */
Test(call, a_role_may_call_what_its_table_row_says_and_nothing_else)
{
    static const enum role roles[] = {ROLE_ANY,   ROLE_READER,  ROLE_OFFICER,
                                      ROLE_ADMIN, ROLE_PARTNER, ROLE_BATCH};

    for (size_t r = 0; r < sizeof roles / sizeof roles[0]; r++)
        for (size_t i = 0; i < n_methods; i++) {
            bool allowed = role_allows(roles[r], methods[i].roles);
            enum err_code refusal = roles[r] == ROLE_ANY ? ERR_UNAUTHENTICATED : ERR_FORBIDDEN;

            rpc_act_as(&rpc, roles[r], "somebody");
            rpc_call(&rpc, methods[i].name, "{}");
            if (allowed)
                cr_expect(rpc.err.code != ERR_UNAUTHENTICATED && rpc.err.code != ERR_FORBIDDEN,
                          "%s as %s", methods[i].name, role_name(roles[r]));
            else
                cr_expect_eq(rpc.err.code, refusal, "%s as %s: %s", methods[i].name,
                             role_name(roles[r]), err_name(rpc.err.code));
        }
}

Test(call, a_deadline_that_has_passed_ends_the_call_before_it_begins)
{
    rpc.has_received = true;
    rpc.received_ms = rpc.clock.fixed_steady_ms - 100;
    rpc_fails(&rpc, "system.ping", "{\"deadline_ms\": 100}", ERR_DEADLINE, NULL);
    rpc_ok(&rpc, "system.ping", "{\"deadline_ms\": 101}");
}

static bool
at_once(void *context)
{
    (void)context;
    return true;
}

Test(call, a_cancelled_call_says_so_and_stores_nothing)
{
    rpc.is_cancelled = at_once;
    rpc_fails(&rpc, "profile.put",
              "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\"}}",
              ERR_CANCELLED, NULL);
    rpc.is_cancelled = NULL;
    rpc_fails(&rpc, "profile.get", "{\"id\": \"a\"}", ERR_NOT_FOUND, "id");
}

Test(call, an_error_is_packed_as_the_protocol_has_it)
{
    struct err err = {0};
    struct buf out, details;
    const msgpack_object *value;

    buf_init(&out, 4096);
    buf_init(&details, 4096);
    err_set(&err, ERR_BUSY, "too much");
    err_at(&err, "here");
    call_pack_error(&out, &err, &details);
    cr_assert_eq(value_decode(out.data, out.len, &value_limits_default, rpc.arena, &value, &err),
                 ERR_OK);
    cr_expect_eq(rpc_int(value, "code"), 9);
    cr_expect_str_eq(rpc_text(&rpc, value, "name"), "busy");
    cr_expect_str_eq(rpc_text(&rpc, value, "field"), "here");
    cr_expect_gt(rpc_int(value, "details.retry_ms"), 0);
    buf_fini(&out);
    buf_fini(&details);
}

static void
started_done(struct call *call, const struct err *err)
{
    *(enum err_code *)call->done_context = err->code;
}

Test(call, a_started_read_is_done_at_once_and_a_started_write_once_it_is_stored)
{
    struct arena *arena = arena_create(1 << 24);
    enum err_code outcome = ERR_COUNT;
    struct call call;

    call_init(&call, rpc.engine, &rpc.caller, arena, 0);
    cr_assert_eq(call_open(&call, STR_LIT("system.ping"), NULL, &rpc.err), ERR_OK);
    call_start(&call, started_done, &outcome);
    cr_expect_eq(outcome, ERR_OK);
    call_fini(&call);
    arena_destroy(arena);
}
