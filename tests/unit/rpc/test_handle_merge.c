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

TestSuite(handle_merge, .init = setup, .fini = teardown);

static void
put_two(void)
{
    rpc_ok(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"keep\", \"kind\": \"incubator\", \"name\": \"Keep\", \"metro\": "
        "\"paris\", \"sectors\": [\"ai\"], \"consent\": {\"match\": true, \"share\": false, "
        "\"basis\": \"own\"}, \"conflicts\": [\"drop\", \"x\"]}}");
    rpc_ok(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"drop\", \"kind\": \"incubator\", \"name\": \"Drop\", \"city\": "
        "\"Paris\", \"sectors\": [\"ai\", \"bio\"], \"consent\": {\"match\": true, \"share\": true, "
        "\"basis\": \"other\"}, \"description\": {\"fr\": \"Un lieu\"}}}");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"s\", \"kind\": \"startup\", \"name\": \"S\", \"sectors\": "
           "[\"bio\"]}}");
    rpc_ok(&rpc, "outcome.put",
           "{\"from\": \"s\", \"to\": \"drop\", \"kind\": \"hosted\", \"at\": \"2025-05-05\"}");
}

Test(handle_merge, the_kept_profile_takes_what_it_lacks_and_never_consent)
{
    const msgpack_object *kept;

    put_two();
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"drop\"}");
    kept = rpc_ok(&rpc, "profile.get", "{\"id\": \"keep\"}");
    cr_expect_str_eq(rpc_text(&rpc, kept, "name"), "Keep");
    cr_expect_str_eq(rpc_text(&rpc, kept, "city"), "Paris");
    cr_expect_str_eq(rpc_text(&rpc, kept, "sectors[1]"), "bio");
    cr_expect_str_eq(rpc_text(&rpc, kept, "description.fr"), "Un lieu");
    cr_expect_not(rpc_bool(kept, "consent.share"));
    cr_expect_str_eq(rpc_text(&rpc, kept, "conflicts[0]"), "x", "not with itself");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"drop\"}", ERR_NOT_FOUND, "id");
}

Test(handle_merge, outcomes_follow_and_come_back_with_unmerge)
{
    const msgpack_object *outcome;

    put_two();
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"drop\"}");
    outcome = rpc_ok(&rpc, "outcome.list", "{\"profile\": \"keep\"}");
    cr_expect_str_eq(rpc_text(&rpc, outcome, "outcomes[0].merged_from"), "drop");
    rpc_ok(&rpc, "profile.unmerge", "{\"id\": \"drop\"}");
    cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"drop\"}"), "name"),
                     "Drop");
    cr_expect_null(rpc_at(rpc_ok(&rpc, "profile.get", "{\"id\": \"keep\"}"), "city"));
    outcome = rpc_ok(&rpc, "outcome.list", "{\"profile\": \"drop\"}");
    cr_expect_str_eq(rpc_text(&rpc, outcome, "outcomes[0].to"), "drop");
    cr_expect_null(rpc_at(outcome, "outcomes[0].merged_from"));
    rpc_fails(&rpc, "profile.unmerge", "{\"id\": \"drop\"}", ERR_NOT_FOUND, "id");
}

Test(handle_merge, a_track_record_counts_under_the_new_name_at_once_and_after_a_restart)
{
    const char *explain = "{\"programme\": \"p\", \"from\": \"t\", \"to\": \"keep\"}";

    put_two();
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"t\", \"kind\": \"startup\", \"name\": \"T\", \"sectors\": "
           "[\"bio\"]}}");
    rpc_ok(
        &rpc, "programme.put",
        "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": \"h\", "
        "\"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, \"from_wants\": "
        "[{\"id\": \"r\", \"type\": \"record\", \"of\": \"sectors\", \"by\": \"record.sectors\", "
        "\"weight\": 1}]}]}}");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "match.explain", explain), "from_view"), 0);
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"drop\"}");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "match.explain", explain), "from_view"), 2500);
    rpc_reopen(&rpc);
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "match.explain", explain), "from_view"), 2500);
}

Test(handle_merge, what_cannot_be_merged_or_parted_is_told)
{
    put_two();
    rpc_fails(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"keep\"}", ERR_INVALID_PARAMS,
              "drop");
    rpc_fails(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"nobody\"}", ERR_NOT_FOUND,
              "drop");
    rpc_fails(&rpc, "profile.unmerge", "{\"id\": \"keep\"}", ERR_NOT_FOUND, "id");
    rpc_ok(&rpc, "profile.merge", "{\"keep\": \"keep\", \"drop\": \"drop\"}");
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"keep\", \"changes\": {\"city\": \"Lyon\"}}");
    rpc_fails(&rpc, "profile.unmerge", "{\"id\": \"drop\"}", ERR_CONFLICT, NULL);
}
