/* Backups made while serving, and stores made of them. */
#include "file.h"
#include "rpc_fixture.h"

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rpc rpc;

static void
setup(void)
{
    rpc_open(&rpc);
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"a\", \"kind\": \"startup\", \"name\": \"First\"}}");
}

static void
teardown(void)
{
    rpc_close(&rpc);
}

TestSuite(handle_backup, .init = setup, .fini = teardown);

static const char *
path_of(const char *name)
{
    return arena_format(rpc.arena, "%s/%s", rpc.dir, name).data;
}

static enum err_code
restore(const char *from, const char *to, const char *ledger, struct store_restored *out,
        struct err *err)
{
    struct store_restoring restoring = {.source = path_of(from),
                                        .dir = path_of(to),
                                        .ledger = ledger != NULL ? path_of(ledger) : NULL,
                                        .clock = &rpc.clock,
                                        .actor = STR_LIT("tool test")};

    *err = (struct err){0};
    return store_restore(&restoring, out, err);
}

static void
restores(const char *from, const char *to, struct store_restored *out)
{
    struct err err;

    cr_assert_eq(restore(from, to, NULL, out, &err), ERR_OK, "%s", err.message);
}

/* The fixture goes on with another folder. */
static void
open_instead(const char *name)
{
    engine_close(rpc.engine);
    rpc.engine = NULL;
    struct engine_options options = {
        .data_dir = path_of(name), .share_dir = JML_DATA, .clock = &rpc.clock};
    struct err err = {0};
    cr_assert_eq(engine_open(&options, &rpc.engine, &err), ERR_OK, "%s", err.message);
}

Test(handle_backup, it_holds_the_store_and_neither_key_nor_lock)
{
    const msgpack_object *made, *list;

    rpc_ok(&rpc, "token.create", "{\"role\": \"reader\", \"name\": \"t\"}");
    cr_assert(file_exists(path_of("token.key")));
    made = rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    cr_expect_str_eq(rpc_text(&rpc, made, "path"), path_of("backups/one"));
    cr_expect_eq(rpc_int(made, "seq"), (int64_t)rpc_seq(&rpc));
    cr_expect(rpc_bool(made, "verified"));
    list = rpc_ok(&rpc, "backup.list", "{}");
    cr_expect_eq(value_size(rpc_at(list, "backups")), 1);
    cr_expect_str_eq(rpc_text(&rpc, list, "backups[0].name"), "one");
    cr_expect_eq(rpc_int(list, "backups[0].bytes"), rpc_int(made, "bytes"));
    cr_expect(rpc_bool(list, "backups[0].verified"));

    char **names;
    size_t n;
    cr_assert_eq(file_list(path_of("backups/one"), "", &names, &n, NULL), ERR_OK);
    cr_expect_eq(n, 2);
    cr_expect_str_eq(names[0], "data.mdb");
    cr_expect_str_eq(names[1], "jumelage.backup");
    file_free_names(names, n);
}

Test(handle_backup, a_name_is_taken_once)
{
    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    rpc_fails(&rpc, "backup.create", "{\"name\": \"one\"}", ERR_CONFLICT, "name");
    rpc_fails(&rpc, "backup.create", "{\"name\": \"x.partial\"}", ERR_INVALID_PARAMS, "name");
    rpc_fails(&rpc, "backup.create", "{\"name\": \"../one\"}", ERR_INVALID_PARAMS, "name");
}

Test(handle_backup, it_is_for_batch_and_admin)
{
    rpc_act_as(&rpc, ROLE_OFFICER, "o");
    rpc_fails(&rpc, "backup.create", "{\"name\": \"one\"}", ERR_FORBIDDEN, NULL);
    rpc_fails(&rpc, "backup.list", "{}", ERR_FORBIDDEN, NULL);
    rpc_act_as(&rpc, ROLE_BATCH, "b");
    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
}

Test(handle_backup, what_an_interrupted_one_left_is_no_backup_and_in_nobodys_way)
{
    struct err err = {0};

    cr_assert_eq(file_make_dir(path_of("backups/one.partial"), 0700, &err), ERR_OK);
    cr_assert_eq(file_write(path_of("backups/one.partial/data.mdb"), "half", 4, 0600, &err),
                 ERR_OK);
    cr_expect_eq(value_size(rpc_at(rpc_ok(&rpc, "backup.list", "{}"), "backups")), 0);
    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    cr_expect_not(file_exists(path_of("backups/one.partial")));
}

static bool
at_once(void *context)
{
    (void)context;
    return true;
}

Test(handle_backup, a_cancelled_one_leaves_nothing)
{
    rpc_load_demo(&rpc);
    rpc.is_cancelled = at_once;
    cr_expect_null(rpc_call(&rpc, "backup.create", "{\"name\": \"one\"}"));
    cr_expect_eq(rpc.err.code, ERR_CANCELLED);
    cr_expect_not(file_exists(path_of("backups/one")));
    cr_expect_not(file_exists(path_of("backups/one.partial")));
}

Test(handle_backup, a_changed_length_shows_in_the_list)
{
    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    cr_assert_eq(truncate(path_of("backups/one/data.mdb"), 8192), 0);
    cr_expect_not(rpc_bool(rpc_ok(&rpc, "backup.list", "{}"), "backups[0].verified"));
}

Test(handle_backup, a_restore_gives_back_the_moment_of_the_backup)
{
    struct store_restored restored;
    int64_t seq;

    seq = rpc_int(rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}"), "seq");
    rpc_ok(&rpc, "profile.put",
           "{\"profile\": {\"id\": \"b\", \"kind\": \"startup\", \"name\": \"Later\"}}");
    restores("backups/one", "again", &restored);
    cr_expect_eq(restored.profiles, 1);
    cr_expect_eq(restored.seq, (uint64_t)seq);
    cr_expect_str_eq(restored.backup.name, "one");
    open_instead("again");
    cr_expect_str_eq(rpc_text(&rpc, rpc_ok(&rpc, "profile.get", "{\"id\": \"a\"}"), "name"),
                     "First");
    rpc_fails(&rpc, "profile.get", "{\"id\": \"b\"}", ERR_NOT_FOUND, "id");
    cr_expect(rpc_bool(rpc_ok(&rpc, "journal.verify", "{}"), "ok"));
}

Test(handle_backup, a_file_of_the_backup_names_it_too)
{
    struct store_restored restored;

    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    restores("backups/one/data.mdb", "again", &restored);
    cr_expect_eq(restored.profiles, 1);
}

Test(handle_backup, a_restore_wants_an_empty_folder)
{
    struct store_restored restored;
    struct err err;

    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    restores("backups/one", "again", &restored);
    cr_expect_eq(restore("backups/one", "again", NULL, &restored, &err), ERR_CONFLICT);
    cr_expect_not_null(strstr(err.message, "holds a store already"), "%s", err.message);
    cr_assert_eq(file_make_dir(path_of("photos"), 0700, &err), ERR_OK);
    cr_assert_eq(file_write(path_of("photos/x.jpg"), "x", 1, 0600, &err), ERR_OK);
    cr_expect_eq(restore("backups/one", "photos", NULL, &restored, &err), ERR_CONFLICT);
    cr_expect_eq(restore("photos", "new", NULL, &restored, &err), ERR_NOT_FOUND);
    cr_expect_not_null(strstr(err.message, "is no backup"), "%s", err.message);
    cr_expect_eq(restore("nowhere", "new", NULL, &restored, &err), ERR_NOT_FOUND);
    cr_expect_not(file_exists(path_of("new")));
}

Test(handle_backup, a_damaged_one_is_refused)
{
    struct store_restored restored;
    struct err err;
    struct stat st;

    rpc_load_demo(&rpc);
    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    cr_assert_eq(stat(path_of("backups/one/data.mdb"), &st), 0);
    cr_assert_eq(truncate(path_of("backups/one/data.mdb"), st.st_size / 2), 0);
    cr_expect_eq(restore("backups/one", "again", NULL, &restored, &err), ERR_CONFLICT, "%s",
                 err.message);
    cr_expect_not(file_exists(path_of("again/jumelage.store")));
}

Test(handle_backup, nobody_serves_a_backup_by_mistake)
{
    struct store_options options = {.dir = path_of("backups/one")};
    struct store *store = NULL;
    struct err err = {0};

    rpc_ok(&rpc, "backup.create", "{\"name\": \"one\"}");
    cr_expect_eq(store_open(&options, &store, &err), ERR_CONFLICT);
    cr_expect_not_null(strstr(err.message, "is a backup"), "%s", err.message);
}

/* ---- while others write ---- */

struct writing {
    struct rpc own; /* another call's fixture on the same engine */
    _Atomic bool must_stop;
    int n;
};

static void *
write_on(void *context)
{
    struct writing *writing = context;

    while (!atomic_load(&writing->must_stop)) {
        char json[128];

        snprintf(json, sizeof json,
                 "{\"profile\": {\"id\": \"w%d\", \"kind\": \"startup\", \"name\": \"W\"}}",
                 writing->n++);
        rpc_ok(&writing->own, "profile.put", json);
    }
    return NULL;
}

Test(handle_backup, each_shows_one_moment_of_a_store_that_is_written_to)
{
    struct writing writing = {.own = rpc};
    pthread_t thread;

    writing.own.arena = arena_create(SIZE_MAX);
    cr_assert_eq(pthread_create(&thread, NULL, write_on, &writing), 0);
    for (int i = 0; i < 3; i++) {
        struct store_restored restored;
        char json[64], from[64], to[64];
        int64_t seq;

        snprintf(json, sizeof json, "{\"name\": \"n%d\"}", i);
        snprintf(from, sizeof from, "backups/n%d", i);
        snprintf(to, sizeof to, "again%d", i);
        seq = rpc_int(rpc_ok(&rpc, "backup.create", json), "seq");
        restores(from, to, &restored);
        cr_expect_eq(restored.seq, (uint64_t)seq);
        /* one entry a profile, and two of the tables in use: nothing torn, nothing missing */
        cr_expect_eq(restored.profiles, (uint64_t)seq - 2, "%d profiles at seq %d",
                     (int)restored.profiles, (int)seq);
    }
    atomic_store(&writing.must_stop, true);
    pthread_join(thread, NULL);
    arena_destroy(writing.own.arena);
}
