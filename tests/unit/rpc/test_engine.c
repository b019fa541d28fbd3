#include "cases.h"
#include "rpc_fixture.h"

#include <stdio.h>
#include <stdlib.h>
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

TestSuite(engine, .init = setup, .fini = teardown);

#define PUT \
    "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"A\", \"tags\": [\"x\"]}}"

Test(engine, what_was_stored_is_there_after_a_restart)
{
    rpc_ok(&rpc, "profile.put", PUT);
    rpc_reopen(&rpc);
    cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"a\"}"), "name"), "A");
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.profiles"), 1);
}

Test(engine, the_tables_in_use_are_kept_once_and_journalled)
{
    const msgpack_object *list = rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}");
    int64_t blobs = rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "store.blobs");

    cr_expect_eq(value_size(rpc_at(list, "entries")), 2);
    cr_expect_gt(blobs, 10);
    rpc_reopen(&rpc);
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "store.blobs"), blobs);
    list = rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}");
    cr_expect_eq(value_size(rpc_at(list, "entries")), 2, "the same tables are no change");
}

Test(engine, a_view_keeps_what_it_began_with)
{
    struct engine_view view = {0};

    rpc_ok(&rpc, "profile.put", PUT);
    engine_view_hold(rpc.engine, &view);
    rpc_ok(&rpc, "profile.delete", "{\"id\": \"a\"}");
    cr_expect_neq(roster_find(view.roster, STR_LIT("a")), ROSTER_NO_ROW);
    engine_view_drop(&view);
    engine_view_hold(rpc.engine, &view);
    cr_expect_eq(roster_find(view.roster, STR_LIT("a")), ROSTER_NO_ROW);
    engine_view_drop(&view);
}

Test(engine, a_second_one_on_the_same_folder_is_refused)
{
    struct engine_options options = {.data_dir = rpc.dir, .clock = &rpc.clock};
    struct engine *second = NULL;
    struct err err = {0};

    cr_expect_eq(engine_open(&options, &second, &err), ERR_BUSY, "%s", err.message);
    cr_expect_null(second);
}

Test(engine, a_share_folder_that_is_none_is_told)
{
    struct engine_options options = {.data_dir = "/tmp/jumelage-nowhere", .share_dir = "/tmp"};
    struct engine *engine = NULL;
    struct err err = {0};

    cr_expect_eq(engine_open(&options, &engine, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.message, "JUMELAGE_SHARE"));
}
