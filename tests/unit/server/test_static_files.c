#include "alloc.h"
#include "cases.h"
#include "file.h"
#include "static_files.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define S(literal) STR_LIT(literal)

static char root[64], folder[80];

static void
put(const char *name, const char *text)
{
    char path[256];
    struct err err = {0};

    snprintf(path, sizeof path, "%s/%s", root, name);
    cr_assert_eq(file_write(path, text, strlen(text), 0600, &err), ERR_OK, "%s", err.message);
}

static void
make_dir(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    cr_assert_eq(file_make_dir(path, 0700, NULL), ERR_OK);
}

static void
make_link(const char *to, const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    cr_assert_eq(symlink(to, path), 0);
}

/* The folder that is served lies in one with a secret. */
static void
set_up(void)
{
    snprintf(root, sizeof root, "/tmp/jml-static-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    snprintf(folder, sizeof folder, "%s/console", root);
    put("secret.txt", "secret");
    make_dir("console/lib/.git");
    put("console/index.html", "<p>");
    put("console/app.js", "let a;");
    put("console/app.js.gz", "packed");
    put("console/lib/part.mjs", "let b;");
    put("console/lib/index.html", "<i>");
    put("console/lib/.git/config", "secret");
    put("console/.env", "secret");
    put("console/empty.txt", "");
    put("console/alone.gz", "gz");
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void
tear_down(void)
{
    nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(static_files, .init = set_up, .fini = tear_down);

static struct static_files *
open_all(void)
{
    struct static_files *files = NULL;
    struct err err = {0};

    cr_assert_eq(static_files_open(folder, NULL, &files, &err), ERR_OK, "%s", err.message);
    return files;
}

Test(static_files, are_found_by_their_whole_path)
{
    struct static_files *files = open_all();
    const struct static_file *file = static_files_find(files, S("/app.js"));

    cr_expect_eq(static_files_count(files), 6);
    cr_assert_not_null(file);
    cr_expect(str_is(file->path, "/app.js"));
    cr_expect(str_is(file->bytes, "let a;"));
    cr_expect(str_is(file->media_type, "text/javascript; charset=utf-8"));
    file = static_files_find(files, S("/lib/part.mjs"));
    cr_assert_not_null(file);
    cr_expect(str_is(file->bytes, "let b;"));
    cr_expect_null(file->gzip_bytes.data);
    file = static_files_find(files, S("/empty.txt"));
    cr_assert_not_null(file);
    cr_expect_eq(file->bytes.len, 0);
    static_files_drop(files);
}

Test(static_files, a_folder_s_page_is_its_index)
{
    struct static_files *files = open_all();
    const struct static_file *file = static_files_find(files, S("/"));

    cr_assert_not_null(file);
    cr_expect(str_is(file->bytes, "<p>"));
    file = static_files_find(files, S("/lib/"));
    cr_assert_not_null(file);
    cr_expect(str_is(file->bytes, "<i>"));
    static_files_drop(files);
}

static const char *const nowhere[] = {
    "",
    "app.js",
    "/app",
    "/app.j",
    "/app.jss",
    "/APP.JS",
    "//app.js",
    "/app.js/",
    "/lib",
    "/lib/part",
    "/./app.js",
    "/lib/../app.js",
    "/../secret.txt",
    "/lib/../../secret.txt",
    "../secret.txt",
    "/..",
    "/.",
    "/.env",
    "/lib/.git/config",
    "/lib/.git/",
    "/console/app.js",
    "/secret.txt",
    "/etc/passwd",
    "/app.js.gz",
    "/%61pp.js",
    "/app.js?",
    "/app.js\\",
    "\\app.js",
    "/lib\\part.mjs",
    "/empty.txt/index.html",
};

Test(static_files, no_other_path_finds_anything)
{
    struct static_files *files = open_all();

    for (size_t k = 0; k < sizeof nowhere / sizeof nowhere[0]; k++)
        cr_expect_null(static_files_find(files, str_from(nowhere[k])), "%s", nowhere[k]);
    cr_expect_null(static_files_find(files, S("/app.js\0")), "a NUL is a byte as any other");
    static_files_drop(files);
}

Test(static_files, a_path_longer_than_any_file_finds_nothing)
{
    struct static_files *files = open_all();
    static char path[8192];

    memset(path, '/', sizeof path);
    cr_expect_null(static_files_find(files, (struct str){path, sizeof path}));
    static_files_drop(files);
}

Test(static_files, links_and_pipes_are_left_out)
{
    struct static_files *files;
    char path[128];

    make_link("../secret.txt", "console/link.txt");
    make_link("app.js", "console/inside.js");
    make_link("..", "console/up");
    make_link("/etc", "console/etc");
    make_link("nowhere", "console/dangling");
    snprintf(path, sizeof path, "%s/pipe", folder);
    cr_assert_eq(mkfifo(path, 0600), 0);
    files = open_all();
    cr_expect_eq(static_files_count(files), 6);
    cr_expect_eq(static_files_left_out(files), 6);
    cr_expect_null(static_files_find(files, S("/link.txt")));
    cr_expect_null(static_files_find(files, S("/inside.js")));
    cr_expect_null(static_files_find(files, S("/up/secret.txt")));
    cr_expect_null(static_files_find(files, S("/etc/passwd")));
    static_files_drop(files);
}

Test(static_files, the_folder_itself_may_be_a_link_and_end_in_slashes)
{
    struct static_files *files = NULL;
    char path[128];

    make_link("console", "current");
    snprintf(path, sizeof path, "%s/current//", root);
    cr_assert_eq(static_files_open(path, NULL, &files, NULL), ERR_OK);
    cr_expect_not_null(static_files_find(files, S("/app.js")));
    static_files_drop(files);
}

Test(static_files, a_compressed_twin_goes_with_its_file)
{
    struct static_files *files = open_all();
    const struct static_file *file = static_files_find(files, S("/app.js"));

    cr_assert_not_null(file);
    cr_expect(str_is(file->gzip_bytes, "packed"));
    cr_expect_not(str_equal(file->gzip_etag, file->etag));
    cr_expect_gt(file->gzip_etag.len, 0);
    file = static_files_find(files, S("/alone.gz"));
    cr_assert_not_null(file, "one without a plain file is a file of its own");
    cr_expect(str_is(file->media_type, "application/octet-stream"));
    static_files_drop(files);
}

Test(static_files, a_tag_is_made_of_the_bytes)
{
    struct static_files *before = open_all(), *after;
    const struct static_file *old = static_files_find(before, S("/app.js")), *now;

    cr_assert_not_null(old);
    cr_expect_eq(old->etag.len, 34);
    cr_expect_eq(old->etag.data[0], '"');
    cr_expect_eq(old->etag.data[33], '"');
    after = open_all();
    now = static_files_find(after, S("/app.js"));
    cr_expect(str_equal(old->etag, now->etag), "the same bytes have the same tag");
    static_files_drop(after);
    put("console/app.js", "let c;");
    after = open_all();
    now = static_files_find(after, S("/app.js"));
    cr_expect_not(str_equal(old->etag, now->etag));
    static_files_drop(after);
    static_files_drop(before);
}

Test(static_files, changes_on_disk_do_not_matter_until_they_are_opened_again)
{
    struct static_files *files = open_all(), *held = static_files_hold(files);

    tear_down();
    static_files_drop(files);
    cr_expect(str_is(static_files_find(held, S("/app.js"))->bytes, "let a;"));
    static_files_drop(held);
    cr_expect_eq(static_files_open(folder, NULL, &files, NULL), ERR_NOT_FOUND);
}

static const struct {
    const char *says, *path;
    enum err_code code;
} broken[] = {
    {"a folder that is not there", "missing", ERR_NOT_FOUND},
    {"a file", "secret.txt", ERR_INVALID_PARAMS},
};

CASES(static_files, a_folder_that_is_none_is_told_by_name, broken)
{
    struct static_files *files = NULL;
    struct err err = {0};
    char path[128];

    snprintf(path, sizeof path, "%s/%s", root, broken[*i].path);
    cr_expect_eq(static_files_open(path, NULL, &files, &err), broken[*i].code, "%s",
                 broken[*i].says);
    cr_expect_not_null(strstr(err.message, broken[*i].path), "%s", err.message);
    cr_expect_null(files);
}

/* index 3, app 6, app.gz 6, part 6, lib/index 3, empty 0, alone 2 */
enum { ALL_FILES = 7, ALL_BYTES = 26, LARGEST = 6 };

static const struct {
    const char *says;
    struct static_limits limits;
    bool is_over;
} limits[] = {
    {"all at their limits", {ALL_BYTES, LARGEST, ALL_FILES}, false},
    {"one byte over together", {ALL_BYTES - 1, LARGEST, ALL_FILES}, true},
    {"one byte over in a file", {ALL_BYTES, LARGEST - 1, ALL_FILES}, true},
    {"one file over", {ALL_BYTES, LARGEST, ALL_FILES - 1}, true},
};

CASES(static_files, limits_hold_at_them_and_one_over, limits)
{
    struct static_files *files = NULL;
    struct err err = {0};
    enum err_code code = static_files_open(folder, &limits[*i].limits, &files, &err);

    cr_expect_eq(code, limits[*i].is_over ? ERR_TOO_LARGE : ERR_OK, "%s: %s", limits[*i].says,
                 err.message);
    if (limits[*i].is_over)
        cr_expect_not_null(strstr(err.message, "/console/"), "%s", err.message);
    else
        cr_expect_eq(static_files_bytes(files), ALL_BYTES);
    static_files_drop(files);
}

Test(static_files, folders_may_lie_16_deep_and_no_deeper)
{
    char path[256] = "console";
    struct static_files *files = NULL;
    struct err err = {0};

    for (int k = 0; k < 16; k++)
        strcat(path, "/d");
    make_dir(path);
    files = open_all();
    static_files_drop(files);
    strcat(path, "/d");
    make_dir(path);
    cr_expect_eq(static_files_open(folder, NULL, &files, &err), ERR_TOO_LARGE);
    cr_expect_not_null(strstr(err.message, "/d/d"), "%s", err.message);
}

Test(static_files, memory_that_ends_is_told_at_every_step)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct static_files *files = NULL;
        enum err_code code;

        mem_fail_at(n);
        code = static_files_open(folder, NULL, &files, NULL);
        happened = mem_fail_happened();
        cr_expect_eq(code, happened ? ERR_BUSY : ERR_OK, "allocation %ld", n);
        static_files_drop(files);
    }
}

static const struct {
    const char *path, *type;
} types[] = {
    {"/index.html", "text/html; charset=utf-8"},
    {"/a.js", "text/javascript; charset=utf-8"},
    {"/a.min.js", "text/javascript; charset=utf-8"},
    {"/a.mjs", "text/javascript; charset=utf-8"},
    {"/a.CSS", "text/css; charset=utf-8"},
    {"/a.json", "application/json"},
    {"/a.js.map", "application/json"},
    {"/a.svg", "image/svg+xml"},
    {"/a.png", "image/png"},
    {"/favicon.ico", "image/vnd.microsoft.icon"},
    {"/a.woff2", "font/woff2"},
    {"/a.wasm", "application/wasm"},
    {"/a.txt", "text/plain; charset=utf-8"},
    {"/a", "application/octet-stream"},
    {"/a.", "application/octet-stream"},
    {"/a.html.exe", "application/octet-stream"},
    {"/a.html/b", "application/octet-stream"},
    {"/html", "application/octet-stream"},
    {"", "application/octet-stream"},
};

CASES(static_files, a_type_comes_from_the_ending, types)
{
    cr_expect(str_is(static_media_type(str_from(types[*i].path)), types[*i].type), "%s",
              types[*i].path);
}
