#include "alloc.h"
#include "file.h"

#include <criterion/criterion.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test runs in a folder of its own, its working folder, removed afterwards. */
static char folder[] = "/tmp/jml-file-XXXXXX";

static void
set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
    umask(022);
}

static void
tear_down(void)
{
    char command[64];

    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(system(command), 0);
}

TestSuite(file, .init = set_up, .fini = tear_down);

static void
expect_content(const char *path, const char *content)
{
    struct buf buf;
    struct err err = {0};

    buf_init(&buf, 1000000);
    cr_expect_eq(file_read(path, &buf, &err), ERR_OK, "%s", err.message);
    cr_expect(str_is(buf_str(&buf), content), "%s holds \"%.*s\"", path, STR_ARG(buf_str(&buf)));
    buf_fini(&buf);
}

static size_t
count_entries(const char *path)
{
    char **names;
    size_t n;

    cr_assert_eq(file_list(path, "", &names, &n, NULL), ERR_OK);
    file_free_names(names, n);
    return n;
}

Test(file, what_is_written_reads_back)
{
    struct err err;

    cr_assert_eq(file_write("a.txt", "hello", 5, 0644, &err), ERR_OK, "%s", err.message);
    expect_content("a.txt", "hello");
    cr_assert_eq(file_write("a.txt", "", 0, 0644, &err), ERR_OK, "%s", err.message);
    expect_content("a.txt", "");
    cr_expect_eq(count_entries("."), 1, "no temporary file is left");
}

Test(file, reading_appends)
{
    struct buf buf;

    cr_assert_eq(file_write("a", "bc", 2, 0600, NULL), ERR_OK);
    buf_init(&buf, 3);
    buf_append_text(&buf, "a");
    cr_expect_eq(file_read("a", &buf, NULL), ERR_OK);
    cr_expect(str_is(buf_str(&buf), "abc"));
    buf_fini(&buf);
}

Test(file, a_file_of_several_reads_is_whole)
{
    size_t n = 300000;
    char *bytes = malloc(n);
    struct buf buf;

    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    cr_assert_eq(file_write("big", bytes, n, 0600, NULL), ERR_OK);
    buf_init(&buf, n);
    cr_expect_eq(file_read("big", &buf, NULL), ERR_OK, "a limit of its size is enough");
    cr_expect_eq(buf.len, n);
    cr_expect_eq(memcmp(buf.data, bytes, n), 0);
    buf_fini(&buf);
    free(bytes);
}

Test(file, one_byte_over_the_limit_is_refused_and_named)
{
    struct buf buf;
    struct err err;

    cr_assert_eq(file_write("six", "123456", 6, 0600, NULL), ERR_OK);
    buf_init(&buf, 6);
    buf_append_text(&buf, "x");
    cr_expect_eq(file_read("six", &buf, &err), ERR_TOO_LARGE);
    cr_expect_str_eq(err.message, "six is larger than the limit of 6 bytes");
    cr_expect(str_is(buf_str(&buf), "x"), "what was there before stays");
    buf_fini(&buf);
}

Test(file, mode_is_as_told_less_the_umask)
{
    struct stat info;

    cr_assert_eq(file_write("secret", "x", 1, 0600, NULL), ERR_OK);
    cr_assert_eq(stat("secret", &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0600u);
    cr_assert_eq(file_write("open", "x", 1, 0666, NULL), ERR_OK);
    cr_assert_eq(stat("open", &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0644u);
}

Test(file, a_missing_file_is_not_found_and_named)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, 10);
    cr_expect_eq(file_read("nowhere/x", &buf, &err), ERR_NOT_FOUND);
    cr_expect_str_eq(err.message, "cannot open nowhere/x: No such file or directory");
    cr_expect_eq(file_write("nowhere/x", "a", 1, 0600, &err), ERR_NOT_FOUND);
    buf_fini(&buf);
}

Test(file, what_is_no_file_is_refused_without_waiting)
{
    struct buf buf;
    struct err err;

    buf_init(&buf, 10);
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_expect_eq(file_read("pipe", &buf, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "pipe is a pipe; give the path of a file");
    cr_expect_eq(file_read(".", &buf, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, ". is a folder; give the path of a file");
    cr_expect_eq(file_read("/dev/zero", &buf, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(buf.len, 0);
    buf_fini(&buf);
}

Test(file, writing_over_a_folder_harms_nothing)
{
    struct err err;

    cr_assert_eq(file_make_dir("d", 0700, NULL), ERR_OK);
    cr_expect_eq(file_write("d", "a", 1, 0600, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(count_entries("."), 1, "no temporary file is left");
    cr_expect_eq(count_entries("d"), 0);
}

Test(file, a_path_that_is_too_long_is_refused)
{
    char path[PATH_MAX + 10];
    struct err err;

    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    cr_expect_eq(file_write(path, "x", 1, 0600, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(file_make_dir(path, 0700, &err), ERR_INVALID_PARAMS);
    path[300] = '\0'; /* longer than a name may be, though no longer than a path */
    cr_expect_eq(file_write(path, "x", 1, 0600, &err), ERR_INVALID_PARAMS);
    cr_expect_eq(file_make_dir("", 0700, &err), ERR_INVALID_PARAMS);
}

Test(file, standard_input_may_be_a_pipe)
{
    struct buf buf;
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], "from a pipe", 11), 11);
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    buf_init(&buf, 11);
    cr_expect_eq(file_read("-", &buf, NULL), ERR_OK);
    cr_expect(str_is(buf_str(&buf), "from a pipe"));
    buf_fini(&buf);
    close(ends[0]);
}

Test(file, folders_are_made_with_their_parents_and_again)
{
    struct stat info;

    cr_expect_eq(file_make_dir("a/b//c/", 0750, NULL), ERR_OK);
    cr_assert_eq(stat("a/b/c", &info), 0);
    cr_expect_eq(info.st_mode & 0777, 0750u);
    cr_expect_eq(file_make_dir("a/b/c", 0700, NULL), ERR_OK, "an existing one is fine");
    cr_expect_eq(file_make_dir("/", 0700, NULL), ERR_OK);
}

Test(file, a_folder_is_not_made_through_a_file)
{
    struct err err;

    cr_assert_eq(file_write("f", "", 0, 0600, NULL), ERR_OK);
    cr_expect_eq(file_make_dir("f", 0700, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.message, "cannot make folder f: Not a directory");
    cr_expect_eq(file_make_dir("f/g", 0700, &err), ERR_INVALID_PARAMS);
}

Test(file, exists_tells_files_and_folders_only)
{
    cr_assert_eq(file_write("f", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    cr_expect(file_exists("f"));
    cr_expect(file_exists("."));
    cr_expect_not(file_exists("pipe"));
    cr_expect_not(file_exists("nowhere"));
}

Test(file, listing_gives_visible_names_with_the_suffix_in_byte_order)
{
    char **names;
    size_t n;

    cr_assert_eq(file_write("b.csv", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_write("B.csv", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_write("a.csv", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_write("a.txt", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_write(".#a.csv", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_write("csv", "", 0, 0600, NULL), ERR_OK);
    cr_assert_eq(file_list(".", ".csv", &names, &n, NULL), ERR_OK);
    cr_assert_eq(n, 3);
    cr_expect_str_eq(names[0], "B.csv");
    cr_expect_str_eq(names[1], "a.csv");
    cr_expect_str_eq(names[2], "b.csv");
    file_free_names(names, n);
}

Test(file, listing_what_is_no_folder_fails)
{
    char **names = NULL;
    size_t n = 7;

    cr_assert_eq(file_write("f", "", 0, 0600, NULL), ERR_OK);
    cr_expect_eq(file_list("f", "", &names, &n, NULL), ERR_INVALID_PARAMS);
    cr_expect_eq(file_list("nowhere", "", &names, &n, NULL), ERR_NOT_FOUND);
    cr_expect(names == NULL && n == 7, "outputs are written on success only");
}

Test(file, listing_survives_the_end_of_memory_at_each_step)
{
    bool happened = true;
    long step;

    for (int i = 0; i < 20; i++) {
        char name[16];

        snprintf(name, sizeof name, "%d.csv", i);
        cr_assert_eq(file_write(name, "", 0, 0600, NULL), ERR_OK);
    }
    for (step = 1; happened; step++) {
        char **names;
        size_t n;
        enum err_code code;

        mem_fail_at(step);
        code = file_list(".", ".csv", &names, &n, NULL);
        happened = mem_fail_happened();
        cr_expect_eq(code, happened ? ERR_BUSY : ERR_OK);
        if (code == ERR_OK) {
            cr_expect_eq(n, 20);
            file_free_names(names, n);
        }
    }
    cr_expect_gt(step, 20);
}

Test(file, a_link_is_replaced_and_what_it_points_to_stays)
{
    cr_assert_eq(file_write("old", "old", 3, 0600, NULL), ERR_OK);
    cr_assert_eq(symlink("old", "link"), 0);
    cr_expect_eq(file_write("link", "new", 3, 0600, NULL), ERR_OK);
    expect_content("link", "new");
    expect_content("old", "old");
}

/* A limit on the size of files stands for a full disk: write(2) fails half-way. */
Test(file, a_write_that_fails_leaves_the_old_file_and_nothing_else)
{
    struct rlimit limit, usual;
    char bytes[5000] = "";
    struct err err;

    cr_assert_eq(file_write("f", "old", 3, 0600, NULL), ERR_OK);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &usual), 0);
    limit = usual;
    limit.rlim_cur = 1000;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(file_write("f", bytes, sizeof bytes, 0600, &err), ERR_INTERNAL);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &usual), 0); /* coverage data must still be written */
    cr_expect_str_eq(err.message, "cannot write f: File too large (error 27)");
    expect_content("f", "old");
    cr_expect_eq(count_entries("."), 1);
}
