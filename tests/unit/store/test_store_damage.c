/*
 * Damage of every kind to the data file: either the store is refused with a sentence, or what it answers
 * is what was stored. Never a crash of the process that opens it.
 */
#include "store_fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROFILES = 40, STEPS = 120 };

static struct fixture fixture;

static const char *
data_path(void)
{
    return arena_format(fixture.arena, "%s/data.mdb", fixture.dir).data;
}

static void
setup(void)
{
    char id[16], name[300];

    fixture_open(&fixture);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    for (int i = 0; i < PROFILES; i++) {
        snprintf(id, sizeof id, "p%02d", i);
        put_profile(&fixture, id, name);
    }
    store_close(fixture.store);
    fixture.store = NULL;
}

static void
teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(store_damage, .init = setup, .fini = teardown, .timeout = 100);

/* Refused (ERR_CONFLICT), or opened with everything right. */
static void
refused_or_right(const char *what, long at)
{
    struct store_options options = {
        .dir = fixture.dir, .clock = &fixture.clock, .full_check = true};
    struct err err = {0};
    enum err_code code = store_open(&options, &fixture.store, &err);
    char id[16];

    if (code != ERR_OK) {
        cr_expect_eq(code, ERR_CONFLICT, "%s at %ld: %s %s", what, at, err_name(code), err.message);
        fixture.store = NULL;
        return;
    }
    for (int i = 0; i < PROFILES; i++) {
        const char *name;

        snprintf(id, sizeof id, "p%02d", i);
        name = profile_name(&fixture, id);
        cr_expect(name != NULL && strlen(name) == 299, "%s at %ld lost %s", what, at, id);
    }
    store_close(fixture.store);
    fixture.store = NULL;
}

Test(store_damage, flipped_bits_anywhere)
{
    struct stat st;

    cr_assert_eq(stat(data_path(), &st), 0);
    for (int i = 0; i < STEPS; i++) {
        long at = st.st_size / STEPS * i + i * 37 % 4096;

        if (at >= st.st_size)
            break;
        flip_byte(data_path(), at);
        refused_or_right("a flipped bit", at);
        flip_byte(data_path(), at);
    }
}

Test(store_damage, pages_of_zeros)
{
    static const char zeros[4096];
    struct stat st;

    cr_assert_eq(stat(data_path(), &st), 0);
    for (long at = 0; at < st.st_size; at += 4096 * 3) {
        char kept[4096];
        FILE *file = fopen(data_path(), "r+b");

        fseek(file, at, SEEK_SET);
        cr_assert_eq(fread(kept, 1, sizeof kept, file), sizeof kept);
        fseek(file, at, SEEK_SET);
        fwrite(zeros, 1, sizeof zeros, file);
        fclose(file);
        refused_or_right("a page of zeros", at);
        file = fopen(data_path(), "r+b");
        fseek(file, at, SEEK_SET);
        fwrite(kept, 1, sizeof kept, file);
        fclose(file);
    }
}

Test(store_damage, a_file_cut_short)
{
    struct stat st;

    cr_assert_eq(stat(data_path(), &st), 0);
    for (long size = st.st_size - 4096; size > 0; size -= st.st_size / 6) {
        cr_assert_eq(truncate(data_path(), size), 0);
        refused_or_right("cut", size);
    }
}

Test(store_damage, an_unclean_stop_has_everything_checked)
{
    char path[300];
    FILE *file;

    snprintf(path, sizeof path, "%s/jumelage.unclean", fixture.dir);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    fclose(file);
    refused_or_right("an unclean stop", 0);
    cr_expect_neq(access(path, F_OK), 0, "closed cleanly since");
}
