#include "store_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

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

TestSuite(profiles_store, .init = setup, .fini = teardown);

Test(profiles_store, versions_count_up_and_go_on_after_a_deletion)
{
    cr_expect_eq(put_profile(&fixture, "a", "one"), 1);
    cr_expect_eq(put_profile(&fixture, "a", "two"), 2);
    delete_profile(&fixture, "a");
    cr_expect_null(profile_name(&fixture, "a"));
    cr_expect_eq(put_profile(&fixture, "a", "four"), 4);
    cr_expect_str_eq(profile_name(&fixture, "a"), "four");
}

Test(profiles_store, ids_that_begin_alike_do_not_share_a_history)
{
    put_profile(&fixture, "a", "x");
    put_profile(&fixture, "a.b", "x");
    put_profile(&fixture, "ab", "x");
    cr_expect_eq(put_profile(&fixture, "a", "y"), 2);
    cr_expect_eq(put_profile(&fixture, "a.b", "y"), 2);
}

Test(profiles_store, each_version_can_be_read_again_also_after_reopening)
{
    struct version_record version;
    struct store_walk *walk;
    struct store_read *read;
    struct err err = {0};
    int n = 0;

    put_profile(&fixture, "a", "one");
    put_profile(&fixture, "a", "two");
    delete_profile(&fixture, "a");
    fixture_reopen(&fixture);
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_assert_eq(store_walk_versions(read, STR_LIT("a"), 0, &walk, &err), ERR_OK);
    while (store_walk_next_version(walk, &version, &err)) {
        n++;
        cr_expect_eq(version.version, (uint64_t)n);
        cr_expect_eq(version.at, 1780000000000);
        cr_expect_eq(version.is_deletion, n == 3);
        cr_expect_eq(version.has_record, n != 3);
        if (n == 1)
            cr_expect_not_null(memmem(version.record.open.data, version.record.open.len, "one", 3));
    }
    cr_expect_eq(err.code, ERR_OK);
    cr_expect_eq(n, 3);
    store_walk_end(walk);
    cr_expect_eq(store_profile_version(read, STR_LIT("a"), 2, &version, &err), ERR_OK);
    cr_expect_not_null(memmem(version.record.open.data, version.record.open.len, "two", 3));
    cr_expect_eq(store_profile_version(read, STR_LIT("a"), 4, &version, &err), ERR_NOT_FOUND);
    store_read_end(read);
}

Test(profiles_store, a_walk_goes_by_id_and_begins_behind_the_one_named)
{
    static const char *const ids[] = {"b", "a", "c", "b-2"};
    struct profile_record record;
    struct store_walk *walk;
    struct store_read *read;
    char seen[32] = "";
    struct err err = {0};
    struct str id;

    for (size_t i = 0; i < 4; i++)
        put_profile(&fixture, ids[i], "x");
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    cr_expect_eq(store_profile_count(read), 4);
    cr_assert_eq(store_walk_profiles(read, STR_LIT("a"), &walk, &err), ERR_OK);
    while (store_walk_next_profile(walk, &id, &record, &err))
        snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%.*s ", STR_ARG(id));
    cr_expect_str_eq(seen, "b b-2 c ");
    store_walk_end(walk);
    store_read_end(read);
}

Test(profiles_store, a_snapshot_does_not_see_what_comes_after)
{
    struct profile_record record;
    struct store_read *read;
    struct err err = {0};

    put_profile(&fixture, "a", "one");
    cr_assert_eq(store_read_begin(fixture.store, &read, &err), ERR_OK);
    put_profile(&fixture, "b", "two");
    cr_expect_eq(store_profile_get(read, STR_LIT("b"), &record, &err), ERR_NOT_FOUND);
    cr_expect_eq(store_profile_get(read, STR_LIT("a"), &record, &err), ERR_OK);
    cr_expect_eq(record.version, 1);
    cr_expect_eq(record.seq, 1);
    store_read_end(read);
    cr_expect_str_eq(profile_name(&fixture, "b"), "two");
}
