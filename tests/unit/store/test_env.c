#include "file.h"
#include "store_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fixture fixture;

static void
setup(void)
{
    fixture_open(&fixture);
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(env, .init = setup, .fini = teardown);

static const char *
path_of(const char *name)
{
    return arena_format(fixture.arena, "%s/%s", fixture.dir, name).data;
}

static void
write_file(const char *name, const char *text)
{
    struct err err = {0};

    cr_assert_eq(file_write(path_of(name), text, strlen(text), 0600, &err), ERR_OK, "%s",
                 err.message);
}

static void
refused(const char *part, enum err_code code)
{
    struct err err = {0};

    cr_expect_eq(fixture_try_open(&fixture, false, &err), code, "%s: %s", err_name(err.code),
                 err.message);
    cr_expect_not_null(strstr(err.message, part), "%s", err.message);
}

static void
close_store(void)
{
    store_close(fixture.store);
    fixture.store = NULL;
}

Test(env, files_are_for_the_owner_only)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "jumelage.store", "jumelage.lock"};
    struct stat st;

    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(stat(path_of(names[i]), &st), 0, "%s", names[i]);
        cr_expect_eq(st.st_mode & 077, 0, "%s", names[i]);
    }
}

Test(env, a_missing_folder_is_made_for_the_owner_only)
{
    struct fixture deeper = fixture;
    struct stat st;
    struct err err = {0};

    snprintf(deeper.dir, sizeof deeper.dir, "%.200s/a/b", fixture.dir);
    cr_expect_eq(fixture_try_open(&deeper, false, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(stat(deeper.dir, &st), 0);
    cr_expect_eq(st.st_mode & 0777, 0700);
}

Test(env, a_store_that_must_exist_is_not_made)
{
    struct store_options options = {.dir = path_of("nowhere"), .must_exist = true};
    struct store *store = NULL;
    struct err err = {0};

    cr_expect_eq(store_open(&options, &store, &err), ERR_NOT_FOUND);
    cr_expect_not(file_exists(options.dir));
}

Test(env, it_is_held_by_one_at_a_time_and_the_lock_says_by_whom)
{
    struct str holder;
    struct err err = {0};
    pid_t child;
    int status;

    refused("is in use by another program (tool)", ERR_BUSY);
    cr_assert_eq(store_holder(fixture.dir, fixture.arena, &holder, &err), ERR_OK);
    cr_expect(str_is(holder, "tool"));
    fflush(NULL);
    child = fork(); /* another process */
    if (child == 0)
        _exit(fixture_try_open(&fixture, false, &err) == ERR_BUSY ? 0 : 1);
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    close_store();
    cr_assert_eq(store_holder(fixture.dir, fixture.arena, &holder, &err), ERR_OK);
    cr_expect_eq(holder.len, 0);
    cr_expect_eq(fixture_try_open(&fixture, false, &err), ERR_OK);
}

Test(env, a_newer_format_is_refused_and_untouched)
{
    char text[128];

    snprintf(text, sizeof text, "jumelage store\nformat 2\nuuid %s\n", store_uuid(fixture.store));
    close_store();
    write_file("jumelage.store", text);
    refused("format 2", ERR_CONFLICT);
}

Test(env, a_marker_that_is_not_ours_is_refused)
{
    close_store();
    write_file("jumelage.store", "something else");
    refused("not ours", ERR_CONFLICT);
}

Test(env, a_foreign_folder_is_refused_and_untouched)
{
    close_store();
    remove_folder(fixture.dir);
    cr_assert_eq(mkdir(fixture.dir, 0700), 0);
    write_file("holiday.jpg", "x");
    refused("holds other files", ERR_CONFLICT);
    cr_expect_not(file_exists(path_of("jumelage.lock")));
}

Test(env, a_data_file_that_is_empty_or_gone_is_refused)
{
    put_profile(&fixture, "a", "x");
    close_store();
    cr_assert_eq(truncate(path_of("data.mdb"), 0), 0);
    refused("empty or gone", ERR_CONFLICT);
    unlink(path_of("data.mdb"));
    refused("empty or gone", ERR_CONFLICT);
    cr_expect_not(file_exists(path_of("data.mdb")), "nothing was made in its place");
}

Test(env, the_data_file_of_another_store_is_refused)
{
    struct fixture other;

    fixture_open(&other);
    store_close(other.store);
    close_store();
    cr_assert_eq(
        rename(arena_format(fixture.arena, "%s/data.mdb", other.dir).data, path_of("data.mdb")), 0);
    refused("of another store", ERR_CONFLICT);
    arena_destroy(other.arena);
    remove_folder(other.dir);
}

Test(env, a_store_whose_making_was_interrupted_is_made_anew)
{
    struct err err = {0};

    close_store();
    unlink(path_of("jumelage.store")); /* killed before the marker stood */
    write_file("jumelage.creating", "");
    cr_expect_eq(fixture_try_open(&fixture, false, &err), ERR_OK, "%s", err.message);
    cr_expect_not(file_exists(path_of("jumelage.creating")));
}

Test(env, data_without_marker_is_nobodys)
{
    close_store();
    unlink(path_of("jumelage.store"));
    refused("is no store", ERR_CONFLICT);
}

Test(env, a_clean_close_leaves_no_unclean_mark_and_a_write_makes_one)
{
    cr_expect_not(file_exists(path_of("jumelage.unclean")));
    put_profile(&fixture, "a", "x");
    cr_expect(file_exists(path_of("jumelage.unclean")));
    fixture_reopen(&fixture);
    cr_expect_not(file_exists(path_of("jumelage.unclean")));
}

Test(env, a_file_where_the_folder_should_be_is_told)
{
    struct fixture file = fixture;
    struct err err = {0};

    snprintf(file.dir, sizeof file.dir, "%.200s/jumelage.store", fixture.dir);
    cr_expect_eq(fixture_try_open(&file, false, &err), ERR_INVALID_PARAMS);
}

Test(env, a_folder_without_permission_is_told)
{
    struct err err = {0};
    pid_t child;
    int status;

    close_store();
    if (getuid() != 0) {
        chmod(fixture.dir, 0);
        cr_expect_eq(fixture_try_open(&fixture, false, &err), ERR_FORBIDDEN, "%s", err.message);
        chmod(fixture.dir, 0700);
        return;
    }
    fflush(NULL);
    child = fork();
    if (child == 0) { /* as nobody */
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(2);
        _exit(fixture_try_open(&fixture, false, &err) == ERR_FORBIDDEN ? 0 : 1);
    }
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
}

struct put_job {
    const char *id, *name;
    uint64_t version;
};

static enum err_code
run_put_job(struct store_txn *txn, void *context, struct err *err)
{
    struct put_job *job = context;

    return put_in(txn, job->id, job->name, &job->version, err);
}

/* On a file system of its own that is full. Needs to be root; elsewhere there is nothing to mount with. */
Test(env, a_full_disk_is_storage_full_nothing_is_lost_and_space_heals_it)
{
    struct fixture full = {.clock = fixture.clock, .arena = fixture.arena};
    char filler[300];
    struct err err = {0};
    FILE *file;

    snprintf(full.dir, sizeof full.dir, "%.200s/tmpfs", fixture.dir);
    cr_assert_eq(mkdir(full.dir, 0700), 0);
    if (mount("none", full.dir, "tmpfs", 0, "size=4m") != 0)
        return;
    struct store_options options = {.dir = arena_format(fixture.arena, "%s/s", full.dir).data};
    cr_assert_eq(store_open(&options, &full.store, &err), ERR_OK, "%s", err.message);
    put_profile(&full, "a", "kept");
    snprintf(filler, sizeof filler, "%s/filler", full.dir);
    file = fopen(filler, "w");
    while (fputc('x', file) != EOF && ftell(file) < 5000000)
        ;
    fclose(file);
    char big[60001];
    memset(big, 'n', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    struct put_job job = {"b", big, 0};
    enum err_code code = store_write(full.store, run_put_job, &job, &err);
    cr_expect_eq(code, ERR_STORAGE_FULL, "%s: %s", err_name(code), err.message);
    cr_expect_str_eq(profile_name(&full, "a"), "kept");
    cr_expect_null(profile_name(&full, "b"));
    unlink(filler);
    code = store_write(full.store, run_put_job, &job, &err);
    cr_expect_eq(code, ERR_OK, "%s", err.message);
    store_close(full.store);
    umount(full.dir);
}
