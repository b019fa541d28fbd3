#include "share.h"

#include "file.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REFERENCE_BYTES_MAX = 16 * 1024 * 1024, LEXICON_BYTES_MAX = 64 * 1024 * 1024 };
enum { PARENTS_MAX = 6 }; /* build/dev/tests/unit/rpc/test_x lies five folders below the tree */

/* Does dir hold the shared data? */
static bool
is_share(const char *dir)
{
    char probe[SHARE_PATH_MAX];
    int n = snprintf(probe, sizeof probe, "%s/sectors.csv", dir);

    return n > 0 && (size_t)n < sizeof probe && file_exists(probe);
}

/* Tries `<parent>/<leaf>` for each parent folder of the running program. */
static bool
find_near_program(const char *leaf, char *path, size_t size)
{
    char program[SHARE_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);

    if (n <= 0)
        return false;
    program[n] = '\0';
    for (int i = 0; i < PARENTS_MAX; i++) {
        char *slash = strrchr(program, '/');

        if (slash == NULL)
            return false;
        *slash = '\0';
        int len = snprintf(path, size, "%s/%s", program, leaf);
        if (len > 0 && (size_t)len < size && is_share(path))
            return true;
    }
    return false;
}

enum err_code
share_find(const char *wanted, char *path, size_t size, struct err *err)
{
    const char *named = wanted != NULL ? wanted : getenv("JUMELAGE_SHARE");

    if (named != NULL && named[0] != '\0') {
        if (!is_share(named))
            return err_set(err, ERR_NOT_FOUND,
                           "%s holds no sectors.csv; name jumelage's data folder in "
                           "JUMELAGE_SHARE",
                           named);
        snprintf(path, size, "%s", named);
        return ERR_OK;
    }
    if (find_near_program("data", path, size) || find_near_program("share/jumelage", path, size))
        return ERR_OK;
    return err_set(err, ERR_NOT_FOUND,
                   "jumelage's data folder is neither beside the build nor under the prefix; "
                   "name it in JUMELAGE_SHARE");
}

static enum err_code
read_one(const char *dir, const char *name, struct buf *out, struct str *bytes, struct err *err)
{
    char path[SHARE_PATH_MAX];
    enum err_code code;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
        return err_set(err, ERR_INVALID_PARAMS, "the path %s/%s is too long", dir, name);
    code = file_read(path, out, err);
    *bytes = buf_str(out);
    return code;
}

static enum err_code
read_reference(const char *share_dir, struct share_files *files, struct err *err)
{
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        if (read_one(share_dir, reference_file_name(i), &files->reference_bytes[i],
                     &files->reference[i], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

static enum err_code
read_lexicon(const char *share_dir, struct share_files *files, struct err *err)
{
    char dir[SHARE_PATH_MAX];
    const char *site = getenv("JUMELAGE_SITE");

    if ((size_t)snprintf(dir, sizeof dir, "%s/lexicon", share_dir) >= sizeof dir)
        return err_set(err, ERR_INVALID_PARAMS, "the path %s/lexicon is too long", share_dir);
    for (int i = 0; i < LEXICON_FILE_COUNT; i++) {
        struct err missing = {0};
        const char *from = i == LEXICON_SITE && site != NULL && site[0] != '\0' ? site : dir;
        enum err_code code = read_one(from, lexicon_file_name(i), &files->lexicon_bytes[i],
                                      &files->lexicon[i], &missing);

        if (code == ERR_NOT_FOUND && i == LEXICON_SITE && from == dir)
            continue; /* the site's own table is optional, unless it was named */
        if (code != ERR_OK) {
            *err = missing;
            return code;
        }
    }
    return ERR_OK;
}

static void
files_init(struct share_files *files)
{
    *files = (struct share_files){0};
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        buf_init(&files->reference_bytes[i], REFERENCE_BYTES_MAX);
    for (int i = 0; i < LEXICON_FILE_COUNT; i++)
        buf_init(&files->lexicon_bytes[i], LEXICON_BYTES_MAX);
}

enum err_code
share_files_read(const char *share_dir, struct share_files *files, struct err *err)
{
    enum err_code code;

    files_init(files);
    code = read_reference(share_dir, files, err);
    if (code == ERR_OK)
        code = read_lexicon(share_dir, files, err);
    if (code != ERR_OK)
        share_files_fini(files);
    return code;
}

void
share_files_fini(struct share_files *files)
{
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        buf_fini(&files->reference_bytes[i]);
    for (int i = 0; i < LEXICON_FILE_COUNT; i++)
        buf_fini(&files->lexicon_bytes[i]);
}

enum err_code
share_reference(const char *share_dir, struct reference **out, struct err *err)
{
    struct share_files files;
    enum err_code code;

    files_init(&files);
    code = read_reference(share_dir, &files, err);
    if (code == ERR_OK)
        code = reference_parse(files.reference, out, err);
    share_files_fini(&files);
    return code;
}
