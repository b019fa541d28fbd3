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

TestSuite(handle_programme, .init = setup, .fini = teardown);

#define MINE                                                                                        \
    "{\"id\": \"mine\", \"name\": {\"en\": \"Mine\"}, \"pairings\": [{\"id\": \"h\", \"from\": "    \
    "{\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, \"from_wants\": [{\"id\": \"w\", " \
    "\"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", \"weight\": 1}]}]}"
#define WRONG                                                                                     \
    "{\"id\": \"mine\", \"pairings\": [{\"id\": \"h\", \"from\": {\"kind\": \"startupp\"}, "      \
    "\"to\": {\"kind\": \"incubator\"}, \"from_wants\": [{\"id\": \"w\", \"type\": \"overlap\", " \
    "\"of\": \"sectors\", \"by\": \"sectors\", \"weight\": 0}]}]}"

Test(handle_programme, put_get_list_delete)
{
    const msgpack_object *answer = rpc_ok(&rpc, "programme.put", "{\"programme\": " MINE "}");

    cr_expect(rpc_bool(answer, "created"));
    cr_expect_eq(rpc_int(answer, "version"), 1);
    cr_expect(rpc_bool(rpc_ok(&rpc, "programme.put", "{\"programme\": " MINE "}"), "unchanged"));
    answer = rpc_ok(&rpc, "programme.get", "{\"id\": \"mine\"}");
    cr_expect_str_eq(rpc_text(&rpc, answer, "pairings[0].from_wants[0].type"), "overlap");
    answer = rpc_ok(&rpc, "programme.list", "{}");
    cr_expect_str_eq(rpc_text(&rpc, answer, "programmes[0].pairings[0].to.kind"), "incubator");
    rpc_fails(&rpc, "programme.delete", "{\"id\": \"mine\", \"if_version\": 2}", ERR_CONFLICT,
              "if_version");
    rpc_ok(&rpc, "programme.delete", "{\"id\": \"mine\"}");
    rpc_fails(&rpc, "programme.get", "{\"id\": \"mine\"}", ERR_NOT_FOUND, "programme");
    cr_expect_eq(
        rpc_int(rpc_ok(&rpc, "programme.get", "{\"id\": \"mine\", \"version\": 1}"), "version"), 1,
        "old versions stay");
}

Test(handle_programme, a_faulty_one_is_refused_with_every_fault)
{
    rpc_fails(&rpc, "programme.put", "{\"programme\": " WRONG "}", ERR_INVALID_PARAMS, NULL);
    cr_assert_not_null(rpc.details);
    cr_expect_geq(value_size(rpc_at(rpc.details, "faults")), 2);
}

Test(handle_programme, check_stores_nothing_and_lists_the_same_faults)
{
    uint64_t seq = rpc_seq(&rpc);
    const msgpack_object *answer = rpc_ok(&rpc, "programme.check", "{\"programme\": " WRONG "}");

    cr_expect_not(rpc_bool(answer, "ok"));
    cr_expect_geq(value_size(rpc_at(answer, "faults")), 2);
    cr_expect_eq(rpc_seq(&rpc), seq);
    cr_expect(rpc_bool(rpc_ok(&rpc, "programme.check", "{\"programme\": " MINE "}"), "ok"));
    rpc_fails(&rpc, "programme.check", "{\"programme\": \"mine\"}", ERR_NOT_FOUND, "programme");
    rpc_ok(&rpc, "programme.put", "{\"programme\": " MINE "}");
    cr_expect(rpc_bool(rpc_ok(&rpc, "programme.check", "{\"programme\": \"mine\"}"), "ok"));
}
