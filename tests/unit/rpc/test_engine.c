#include "cases.h"
#include "rpc_fixture.h"

#include <semaphore.h>
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

/* ---- other tables while running ---- */

#define NEW_OUTCOME "feted,1,Feted,F\303\252t\303\251,party,f\303\252te\n"

static sem_t is_told;
static struct tables_reloaded told;
static struct err told_err;
static char share[64];

static void
tell(void *context, const struct tables_reloaded *reloaded, const struct err *err)
{
    (void)context;
    told = *reloaded;
    told_err = *err;
    sem_post(&is_told);
}

static void
reload(void)
{
    cr_assert_eq(engine_tables_reload(rpc.engine, tell, NULL, NULL), ERR_OK);
    cr_assert_eq(sem_wait(&is_told), 0);
}

/* The engine on a share folder that may be changed. */
static void
open_on_own_share(void)
{
    struct engine_options options = {.data_dir = rpc.dir, .clock = &rpc.clock, .share_dir = share};
    struct err err = {0};
    char command[256];

    snprintf(share, sizeof share, "/tmp/jumelage-share-XXXXXX");
    cr_assert_not_null(mkdtemp(share));
    snprintf(command, sizeof command, "cp -r %s/. %s", JML_DATA, share);
    cr_assert_eq(system(command), 0);
    engine_close(rpc.engine);
    cr_assert_eq(engine_open(&options, &rpc.engine, &err), ERR_OK, "%s", err.message);
    sem_init(&is_told, 0, 0);
}

static void
append(const char *name, const char *row)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", share, name);
    file = fopen(path, "a");
    cr_assert_not_null(file);
    fputs(row, file);
    fclose(file);
}

static void
remove_share(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", share);
    cr_assert_eq(system(command), 0);
}

static bool
knows(const struct engine_view *view, const char *code)
{
    return vocabulary_find(view->reference->vocabularies[VOCABULARY_OUTCOMES], str_from(code)) !=
           VOCABULARY_NONE;
}

Test(engine, new_tables_come_into_force_under_those_who_look_at_the_old)
{
    struct engine_view before = {0}, after = {0};

    open_on_own_share();
    rpc_ok(&rpc, "profile.put", PUT);
    engine_view_hold(rpc.engine, &before);
    append("outcomes.csv", NEW_OUTCOME);
    reload();
    cr_assert_eq(told_err.code, ERR_OK, "%s", told_err.message);
    cr_expect(told.has_changed);
    cr_expect_not(told.lexicon_waits);
    engine_view_hold(rpc.engine, &after);
    cr_expect_not(knows(&before, "feted"));
    cr_expect(knows(&after, "feted"));
    cr_expect_neq(roster_find(after.roster, STR_LIT("a")), ROSTER_NO_ROW);
    engine_view_drop(&before);
    cr_expect_eq(
        value_size(rpc_at(rpc_ok(&rpc, "journal.list", "{\"method\": \"tables.use\"}"), "entries")),
        3, "the reference, the lexicon, and the reference once more");
    reload();
    cr_expect_not(told.has_changed, "the same tables are no change");
    engine_view_drop(&after);
    remove_share();
}

Test(engine, tables_with_a_fault_leave_the_old_ones_in_force)
{
    struct engine_view view = {0};

    open_on_own_share();
    append("outcomes.csv", "\"no end\n");
    reload();
    cr_expect_neq(told_err.code, ERR_OK);
    cr_expect_neq(told_err.message[0], '\0');
    engine_view_hold(rpc.engine, &view);
    cr_expect(knows(&view, "hosted"));
    engine_view_drop(&view);
    rpc_ok(&rpc, "profile.put", PUT);
    cr_expect_eq(rpc_int(rpc_ok(&rpc, "system.stats", "{}"), "index.profiles"), 1);
    remove_share();
}
