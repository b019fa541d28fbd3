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

TestSuite(handle_journal, .init = setup, .fini = teardown);

Test(handle_journal, every_change_is_there_once_and_the_chain_holds)
{
    const msgpack_object *list, *verified;
    uint64_t before = rpc_seq(&rpc);

    rpc_ok(
        &rpc, "profile.put",
        "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"confidential\": "
        "{\"team\": 77}}}");
    rpc_ok(&rpc, "profile.patch", "{\"id\": \"a\", \"changes\": {\"city\": \"Lyon\"}}");
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"a\"}");
    list = rpc_ok(&rpc, "journal.list", "{\"subject\": \"a\"}");
    cr_assert_eq(value_size(rpc_at(list, "entries")), 3);
    cr_expect_eq((uint64_t)rpc_int(list, "entries[0].seq"), before + 1);
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[1].method"), "profile.patch");
    cr_expect_str_eq(rpc_text(&rpc, list, "entries[1].what.changed[0]"), "city");
    verified = rpc_ok(&rpc, "journal.verify", "{}");
    cr_expect(rpc_bool(verified, "ok"));
    cr_expect_eq((uint64_t)rpc_int(verified, "entries"), before + 3);
    cr_expect_str_eq(rpc_text(&rpc, verified, "head"), rpc_text(&rpc, list, "entries[2].digest"));
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "journal.verify", "{\"from\": 3}"), "entries"),
                 (int64_t)before + 1);
}
