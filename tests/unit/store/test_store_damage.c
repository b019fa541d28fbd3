/*
 * Damage of every kind: either the store is refused with a sentence, or what it answers is what was
 * stored. Never a crash of the process that opens it.
 */
#include "cases.h"
#include "file.h"
#include "store_fixture.h"

#include <criterion/criterion.h>
#include <lmdb.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROFILES = 40, STEPS = 120, PAGE = 4096 };

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

/* Downwards, so that the last page handed out is the first given back, and is not taken again. */
static enum err_code
run_take_and_give_back(struct store_txn *txn, void *context, struct err *err)
{
    static const char much[1000];
    struct digest lexicon = digest_of("one", 3), other = digest_of("two", 3);
    enum err_code code = ERR_OK;
    bool left;
    char id[16];

    (void)context;
    for (int i = 0; i < 200 && code == ERR_OK; i++) {
        snprintf(id, sizeof id, "v%03d", 199 - i);
        code = store_vector_put(txn, &lexicon, str_from(id), 1, (struct str){much, sizeof much},
                                STR_LIT(""), err);
    }
    return code == ERR_OK ? store_vectors_prune(txn, &other, 1000, &left, err) : code;
}

static uint64_t
pages_handed_out(void)
{
    MDB_env *env;
    MDB_envinfo info;

    cr_assert_eq(mdb_env_create(&env), 0);
    cr_assert_eq(mdb_env_open(env, fixture.dir, MDB_RDONLY | MDB_NOLOCK, 0600), 0);
    cr_assert_eq(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    return (uint64_t)info.me_last_pgno + 1;
}

/* LMDB does not write pages that the same transaction gives back, be it at the end of the file: after a
 * kill such a store was said to be cut short. */
Test(store_damage, a_file_that_ends_before_pages_that_nobody_uses_is_whole)
{
    struct store_options options = {.dir = fixture.dir, .clock = &fixture.clock};
    struct err err = {0};
    struct stat st;

    cr_assert_eq(store_open(&options, &fixture.store, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(store_write(fixture.store, run_take_and_give_back, NULL, &err), ERR_OK);
    store_close(fixture.store);
    fixture.store = NULL;
    cr_assert_eq(stat(data_path(), &st), 0);
    cr_assert_lt((uint64_t)st.st_size, pages_handed_out() * PAGE);
    cr_assert_eq(fixture_try_open(&fixture, true, &err), ERR_OK, "%s", err.message);
    refused_or_right("a short file", 0);
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

/* ---- kinds of damage, one by one ---- */

static const char *
path_of(const char *name)
{
    return arena_format(fixture.arena, "%s/%s", fixture.dir, name).data;
}

static struct str
slurp(const char *name)
{
    struct buf bytes;
    struct str all;

    buf_init(&bytes, 1 << 24);
    cr_assert_eq(file_read(path_of(name), &bytes, NULL), ERR_OK);
    all = arena_str(fixture.arena, buf_str(&bytes));
    buf_fini(&bytes);
    return all;
}

static void
spill(const char *name, struct str bytes)
{
    cr_assert_eq(file_write(path_of(name), bytes.data, bytes.len, 0600, NULL), ERR_OK);
}

/* Overwrites n bytes of the data file. */
static void
overwrite(size_t at, const void *bytes, size_t n)
{
    FILE *file = fopen(data_path(), "r+b");

    cr_assert_not_null(file);
    fseek(file, (long)at, SEEK_SET);
    cr_assert_eq(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void
zero_pages(size_t first, size_t n)
{
    static const char zeros[PAGE];

    for (size_t i = first; i < first + n; i++)
        overwrite(i * PAGE, zeros, PAGE);
}

static size_t
size_of_data(void)
{
    struct stat st;

    cr_assert_eq(stat(data_path(), &st), 0);
    return (size_t)st.st_size;
}

static void
cut(size_t size)
{
    cr_assert_eq(truncate(data_path(), (off_t)size), 0);
}

static void
cut_to_nothing(void)
{
    cut(0);
}

static void
cut_to_a_byte(void)
{
    cut(1);
}

static void
cut_within_the_head(void)
{
    cut(100);
}

static void
cut_to_one_head(void)
{
    cut(PAGE);
}

static void
cut_to_the_heads(void)
{
    cut(2 * PAGE);
}

static void
cut_in_half(void)
{
    cut(size_of_data() / 2 / PAGE * PAGE);
}

static void
cut_by_a_page(void)
{
    cut(size_of_data() - PAGE);
}

static void
cut_within_a_page(void)
{
    cut(size_of_data() - 100);
}

static void
all_zeros(void)
{
    zero_pages(0, size_of_data() / PAGE);
}

static void
first_head_zeroed(void)
{
    zero_pages(0, 1);
}

static void
second_head_zeroed(void)
{
    zero_pages(1, 1);
}

static void
both_heads_zeroed(void)
{
    zero_pages(0, 2);
}

static void
everything_behind_the_heads_zeroed(void)
{
    zero_pages(2, size_of_data() / PAGE - 2);
}

/* Offsets in a head page of LMDB 0.9: 16 of page header, then magic, version, address, map size, two
 * databases of 48, last page, transaction. */
enum { HEAD_MAGIC = 16, HEAD_VERSION = 20, HEAD_PAGE_SIZE = 40, HEAD_MAIN_ROOT = 128 };
enum { HEAD_LAST_PAGE = 136, HEAD_TXN = 144 };

static void
flip_in_both_heads(long at)
{
    flip_byte(data_path(), at);
    flip_byte(data_path(), PAGE + at);
}

static void
magic_flipped(void)
{
    flip_in_both_heads(HEAD_MAGIC);
}

static void
version_flipped(void)
{
    flip_in_both_heads(HEAD_VERSION);
}

static void
page_size_flipped(void)
{
    flip_in_both_heads(HEAD_PAGE_SIZE + 1);
}

static void
root_flipped(void)
{
    flip_in_both_heads(HEAD_MAIN_ROOT);
}

static void
last_page_flipped(void)
{
    flip_in_both_heads(HEAD_LAST_PAGE);
}

/* The older of the two heads made the newer: the store as it was one commit ago. */
static void
older_head_chosen(void)
{
    struct str all = slurp("data.mdb");
    uint64_t a, b, later;

    memcpy(&a, all.data + HEAD_TXN, 8);
    memcpy(&b, all.data + PAGE + HEAD_TXN, 8);
    later = (a > b ? a : b) + 1;
    overwrite((a < b ? 0 : PAGE) + HEAD_TXN, &later, 8);
}

/* The n-th place where the text stands in the data file has a bit of it turned. */
static void
flip_text(const char *text, size_t n_th)
{
    struct str all = slurp("data.mdb");
    const char *at = all.data;

    for (size_t i = 0;; i++) {
        at = memmem(at, (size_t)(all.data + all.len - at), text, strlen(text));
        cr_assert_not_null(at, "\"%s\" stands %zu times", text, i);
        if (i == n_th)
            break;
        at++;
    }
    flip_byte(data_path(), at - all.data + 1);
}

static void
flip_every(const char *text)
{
    struct str all = slurp("data.mdb");
    size_t n = strlen(text);

    for (size_t i = 2 * PAGE; i + n <= all.len; i++)
        if (memcmp(all.data + i, text, n) == 0)
            flip_byte(data_path(), (long)i + 1);
}

static void
key_flipped(void)
{
    flip_every("p17");
}

static void
value_flipped(void)
{
    flip_every("nnnnnnnnnnnnnnnn");
}

static void
table_name_flipped(void)
{
    flip_every("profiles");
}

static void
a_key_once_flipped(void)
{
    flip_text("p05", 0);
}

static void
two_pages_exchanged(void)
{
    struct str all = slurp("data.mdb");
    size_t last = all.len / PAGE - 1;

    overwrite((last - 1) * PAGE, all.data + last * PAGE, PAGE);
    overwrite(last * PAGE, all.data + (last - 1) * PAGE, PAGE);
}

static void
a_page_written_over_another(void)
{
    struct str all = slurp("data.mdb");

    for (size_t i = 3; i < all.len / PAGE; i += 2)
        overwrite(i * PAGE, all.data + (i - 1) * PAGE, PAGE);
}

static void
noise_everywhere(void)
{
    char noise[PAGE];

    for (size_t i = 0; i < size_of_data() / PAGE; i++) {
        for (size_t k = 0; k < PAGE; k++)
            noise[k] = (char)(i * 131 + k * 37 + (k >> 3));
        overwrite(i * PAGE, noise, PAGE);
    }
}

static void
noise_behind(void)
{
    overwrite(size_of_data(), "and more", 8);
}

static void
text_for_data(void)
{
    spill("data.mdb", STR_LIT("id,name\na,b\n"));
}

static void
folder_for_data(void)
{
    unlink(data_path());
    cr_assert_eq(mkdir(data_path(), 0700), 0);
}

static void
pipe_for_data(void)
{
    unlink(data_path());
    cr_assert_eq(mkfifo(data_path(), 0600), 0);
}

static void
link_to_nowhere(void)
{
    unlink(data_path());
    cr_assert_eq(symlink("nowhere", data_path()), 0);
}

static void
data_of_another(void)
{
    struct fixture other;

    fixture_open(&other);
    store_close(other.store);
    cr_assert_eq(rename(arena_format(fixture.arena, "%s/data.mdb", other.dir).data, data_path()),
                 0);
    arena_destroy(other.arena);
    remove_folder(other.dir);
}

static void
write_more(void)
{
    fixture_reopen(&fixture);
    put_profile(&fixture, "p07", "another name");
    put_profile(&fixture, "new", "new");
    store_close(fixture.store);
    fixture.store = NULL;
}

static void
older_data(void)
{
    struct str before = slurp("data.mdb");

    write_more();
    spill("data.mdb", before);
}

static void
older_data_of_another_history(void)
{
    struct str before = slurp("data.mdb"), head;

    write_more();
    head = slurp("jumelage.head");
    spill("data.mdb", before);
    unlink(path_of("jumelage.head"));
    fixture_reopen(&fixture); /* somebody wrote on, on the older file */
    put_profile(&fixture, "p08", "a third name");
    put_profile(&fixture, "p09", "a third name");
    store_close(fixture.store);
    fixture.store = NULL;
    spill("jumelage.head", head);
}

static void
marker_of_a_newer_format(void)
{
    spill("jumelage.store",
          STR_LIT("jumelage store\nformat 99\nuuid 01234567-89ab-cdef-0123-456789abcdef\n"));
}

static void
marker_of_another(void)
{
    spill("jumelage.store",
          STR_LIT("jumelage store\nformat 1\nuuid 01234567-89ab-cdef-0123-456789abcdef\n"));
}

static void
marker_empty(void)
{
    spill("jumelage.store", STR_LIT(""));
}

static void
marker_noise(void)
{
    spill("jumelage.store", STR_LIT("\xff\xfe\x01 not a marker"));
}

static void
marker_gone(void)
{
    unlink(path_of("jumelage.store"));
}

static void
head_noise(void)
{
    spill("jumelage.head", STR_LIT("seq many\n"));
}

static void
lock_noise(void)
{
    spill("lock.mdb", slurp("data.mdb"));
}

static void
lock_folder(void)
{
    unlink(path_of("lock.mdb"));
    cr_assert_eq(mkdir(path_of("lock.mdb"), 0700), 0);
}

static void
half_restored(void)
{
    spill("jumelage.restoring", STR_LIT(""));
}

static void
stale_fresh_folder(void)
{
    cr_assert_eq(mkdir(path_of("jumelage.fresh"), 0700), 0);
    spill("jumelage.fresh/data.mdb", STR_LIT("half"));
}

static void
erasure_to_finish(void)
{
    stale_fresh_folder();
    spill("jumelage.erasing", STR_LIT(""));
}

/* REFUSED: with this in its sentence. EITHER: refused, or right. RIGHT: it opens, and is right. */
enum end { REFUSED, EITHER, RIGHT };

static const struct {
    const char *says;
    void (*damage)(void);
    enum end end;
    const char *part;
} kinds[] = {
    {"cut to nothing", cut_to_nothing, REFUSED, "empty or gone"},
    {"cut to a byte", cut_to_a_byte, REFUSED, "damaged"},
    {"cut within the head", cut_within_the_head, REFUSED, "damaged"},
    {"cut to one head", cut_to_one_head, REFUSED, "restore a backup"},
    {"cut to the heads", cut_to_the_heads, REFUSED, "cut short"},
    {"cut in half", cut_in_half, REFUSED, "cut short"},
    {"cut by a page, which may be a free one", cut_by_a_page, EITHER, NULL},
    {"cut within a page, which may be a free one", cut_within_a_page, EITHER, NULL},
    {"all zeros", all_zeros, REFUSED, "damaged"},
    {"the first head zeroed", first_head_zeroed, REFUSED, "damaged"},
    {"the second head zeroed", second_head_zeroed, EITHER, NULL},
    {"both heads zeroed", both_heads_zeroed, REFUSED, "damaged"},
    {"all but the heads zeroed", everything_behind_the_heads_zeroed, REFUSED, "damaged"},
    {"the magic number", magic_flipped, REFUSED, "damaged"},
    {"LMDB's version", version_flipped, REFUSED, "damaged"},
    {"the size of pages", page_size_flipped, EITHER, NULL},
    {"the root's page", root_flipped, REFUSED, "damaged"},
    {"the last page's number", last_page_flipped, EITHER, NULL},
    {"the older head chosen", older_head_chosen, REFUSED, "restore a backup"},
    {"a key, wherever it stands", key_flipped, REFUSED, "damaged"},
    {"a key, once", a_key_once_flipped, EITHER, NULL},
    {"values", value_flipped, REFUSED, "damaged"},
    {"a table's name", table_name_flipped, REFUSED, "damaged"},
    {"two pages exchanged", two_pages_exchanged, EITHER, NULL},
    {"pages written over others", a_page_written_over_another, REFUSED, "damaged"},
    {"noise everywhere", noise_everywhere, REFUSED, "damaged"},
    {"noise behind the end", noise_behind, RIGHT, NULL},
    {"a text in its place", text_for_data, REFUSED, "damaged"},
    {"a folder in its place", folder_for_data, REFUSED, "empty or gone"},
    {"a pipe in its place", pipe_for_data, REFUSED, "empty or gone"},
    {"a link to nowhere in its place", link_to_nowhere, REFUSED, "empty or gone"},
    {"another store's data", data_of_another, REFUSED, "of another store"},
    {"an older copy of the data", older_data, REFUSED, "older than its last clean stop"},
    {"an older copy, written on", older_data_of_another_history, REFUSED, "older than"},
    {"a marker of a newer format", marker_of_a_newer_format, REFUSED, "format 99"},
    {"a marker of another store", marker_of_another, REFUSED, "of another store"},
    {"an empty marker", marker_empty, REFUSED, "not ours"},
    {"noise for a marker", marker_noise, REFUSED, "not ours"},
    {"no marker", marker_gone, REFUSED, "is no store"},
    {"noise for a head", head_noise, REFUSED, "jumelage.head"},
    {"noise in LMDB's lock file", lock_noise, RIGHT, NULL},
    {"a folder for LMDB's lock file", lock_folder, REFUSED, "lock.mdb"},
    {"a restore that was interrupted", half_restored, REFUSED, "restored in part"},
    {"a fresh file that was never finished", stale_fresh_folder, RIGHT, NULL},
    {"an erasure that was interrupted", erasure_to_finish, RIGHT, NULL},
};

CASES(store_damage, each_kind_is_refused_clearly_or_served_right, kinds)
{
    struct err err = {0};
    enum err_code code;

    kinds[*i].damage();
    code = fixture_try_open(&fixture, true, &err);
    if (kinds[*i].end == REFUSED) {
        cr_expect_neq(code, ERR_OK, "%s", kinds[*i].says);
        cr_expect_not_null(strstr(err.message, kinds[*i].part), "%s: %s", kinds[*i].says,
                           err.message);
    } else if (kinds[*i].end == RIGHT) {
        cr_expect_eq(code, ERR_OK, "%s: %s", kinds[*i].says, err.message);
    }
    if (code == ERR_OK)
        refused_or_right(kinds[*i].says, 0);
}

/* ---- who may, and how often ---- */

/* In a child that is nobody: root may write anywhere. */
static enum err_code
as_nobody(char message[static 200])
{
    int fds[2], status;
    pid_t child;

    if (getuid() != 0) {
        struct err err = {0};
        enum err_code code = fixture_try_open(&fixture, true, &err);

        snprintf(message, 200, "%.199s", err.message);
        return code;
    }
    cr_assert_eq(pipe(fds), 0);
    fflush(NULL);
    child = fork();
    if (child == 0) {
        struct err err = {0};

        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        int code = (int)fixture_try_open(&fixture, true, &err);
        _exit(write(fds[1], err.message, 199) == 199 ? code : 98);
    }
    close(fds[1]);
    cr_assert(read(fds[0], message, 199) >= 0);
    message[199] = '\0';
    close(fds[0]);
    waitpid(child, &status, 0);
    return (enum err_code)WEXITSTATUS(status);
}

Test(store_damage, a_file_that_may_not_be_written_is_told)
{
    char message[200] = "";

    cr_assert_eq(chmod(fixture.dir, 0755), 0);
    cr_assert_eq(chmod(data_path(), 0444), 0);
    cr_expect_eq(as_nobody(message), ERR_FORBIDDEN, "%s", message);
    cr_expect_not_null(strstr(message, "ermission"), "%s", message);
}

Test(store_damage, a_folder_that_may_not_be_written_is_told)
{
    char message[200] = "";

    cr_assert_eq(chmod(fixture.dir, 0555), 0);
    cr_expect_eq(as_nobody(message), ERR_FORBIDDEN, "%s", message);
    cr_assert_eq(chmod(fixture.dir, 0755), 0);
}
