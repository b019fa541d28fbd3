#include "cases.h"
#include "rpc_fixture.h"

#include <string.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"s\", \"kind\": \"startup\", \"name\": \"S\"}}");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"h\", \"kind\": \"incubator\", \"name\": \"H\"}}");
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_outcome, .init = setup, .fini = teardown);

static const struct {
    const char *says, *json;
    enum err_code code;
    const char *field;
} cases[] = {
    {"an unknown party",
     "{\"from\": \"s\", \"to\": \"x\", \"kind\": \"hosted\", \"at\": \"2025-01-01\"}",
     ERR_NOT_FOUND, "to"},
    {"itself", "{\"from\": \"s\", \"to\": \"s\", \"kind\": \"hosted\", \"at\": \"2025-01-01\"}",
     ERR_INVALID_PARAMS, "to"},
    {"an unknown kind",
     "{\"from\": \"s\", \"to\": \"h\", \"kind\": \"hostd\", \"at\": \"2025-01-01\"}",
     ERR_INVALID_PARAMS, "kind"},
    {"a day to come",
     "{\"from\": \"s\", \"to\": \"h\", \"kind\": \"hosted\", \"at\": \"2026-06-02\"}",
     ERR_INVALID_PARAMS, "at"},
    {"no day", "{\"from\": \"s\", \"to\": \"h\", \"kind\": \"hosted\", \"at\": \"2025-13-01\"}",
     ERR_INVALID_PARAMS, "at"},
    {"an unknown programme",
     "{\"from\": \"s\", \"to\": \"h\", \"kind\": \"hosted\", \"at\": \"2025-01-01\", "
     "\"programme\": \"x\"}",
     ERR_NOT_FOUND, "programme"},
};

ParameterizedTestParameters(handle_outcome, what_cannot_be_is_told)
{
    static size_t index[6] = {0, 1, 2, 3, 4, 5};

    return cr_make_param_array(size_t, index, 6);
}

ParameterizedTest(size_t *i, handle_outcome, what_cannot_be_is_told)
{
    rpc_fails(&rpc, "outcome.put", cases[*i].json, cases[*i].code, cases[*i].field);
}

Test(handle_outcome, outcomes_are_listed_by_party_and_kind_page_by_page)
{
    const msgpack_object *page;

    for (int i = 1; i <= 3; i++)
        rpc_ok(&rpc, "outcome.put",
               arena_format(rpc.arena,
                            "{\"from\": \"s\", \"to\": \"h\", \"kind\": \"%s\", \"at\": "
                            "\"2026-06-01\", \"note\": \"n%d\"}",
                            i == 2 ? "declined" : "hosted", i)
                   .data);
    page = rpc_ok(&rpc, "outcome.list", "{\"profile\": \"h\", \"kind\": \"hosted\", \"limit\": 1}");
    cr_expect_str_eq(rpc_text(&rpc, page, "outcomes[0].note"), "n1");
    page =
        rpc_ok(&rpc, "outcome.list",
               arena_format(rpc.arena,
                            "{\"profile\": \"h\", \"kind\": \"hosted\", \"limit\": 1, \"after\": "
                            "\"%s\"}",
                            rpc_text(&rpc, page, "next"))
                   .data);
    cr_expect_str_eq(rpc_text(&rpc, page, "outcomes[0].note"), "n3");
    cr_expect_null(rpc_at(page, "next"));
    cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "outcome.list", "{\"from\": \"h\"}"), "outcomes")),
                 0);
}
