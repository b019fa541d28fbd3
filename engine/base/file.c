#include "file.h"

#include "alloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, NAMES_MAX = 100000, TEMPORARY_TRIES = 16 };

/* A path that names the wrong kind of thing is the caller's mistake, not the system's. */
#define fault(err, number, what, path) fault_from((err), (number), (what), (path), JML_ORIGIN)

static enum err_code
fault_from(struct err *err, int number, const char *what, const char *path, const char *origin)
{
    switch (number) {
    case EISDIR:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EINVAL:
        return err_set_from(err, ERR_INVALID_PARAMS, origin, "cannot %s %s: %s", what, path,
                            strerrordesc_np(number));
    default:
        return err_set_sys_from(err, number, origin, "%s %s", what, path);
    }
}

static const char *
kind_name(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    return S_ISSOCK(mode) ? "a socket" : "a device";
}

static enum err_code
read_some(int fd, const char *name, struct buf *out, size_t *n_read, struct err *err)
{
    size_t left = out->limit - out->len;
    size_t want = left < READ_BYTES ? left : READ_BYTES;
    char over, *at = &over;
    ssize_t n;

    if (want != 0 && (at = buf_reserve(out, want)) == NULL)
        return buf_check(out, err);
    do
        n = read(fd, at, want != 0 ? want : 1);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fault(err, errno, "read", name);
    if (n > 0 && want == 0)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than the limit of %zu bytes", name,
                       out->limit);
    out->len += (size_t)n;
    *n_read = (size_t)n;
    return ERR_OK;
}

enum err_code
file_read(const char *path, struct buf *out, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *name = is_stdin ? "standard input" : path;
    enum err_code code = buf_check(out, err);
    size_t before = out->len, n_read = 1;
    struct stat info;
    int fd = STDIN_FILENO;

    if (code != ERR_OK)
        return code;
    if (!is_stdin) {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not block here */
        if (fd < 0)
            return fault(err, errno, "open", path);
        if (fstat(fd, &info) != 0)
            code = fault(err, errno, "look at", path);
        else if (!S_ISREG(info.st_mode))
            code = err_set(err, ERR_INVALID_PARAMS, "%s is %s; give the path of a file", path,
                           kind_name(info.st_mode));
    }
    while (code == ERR_OK && n_read != 0)
        code = read_some(fd, name, out, &n_read, err);
    if (code != ERR_OK)
        out->len = before;
    if (!is_stdin)
        close(fd);
    return code;
}

static enum err_code
write_all(int fd, const char *path, const void *bytes, size_t n, struct err *err)
{
    const char *at = bytes;

    while (n != 0) {
        ssize_t written = write(fd, at, n);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fault(err, errno, "write", path);
        at += written;
        n -= (size_t)written;
    }
    return fsync(fd) == 0 ? ERR_OK : fault(err, errno, "sync", path);
}

/* A new file beside path, so that the rename stays within one file system. */
static enum err_code
open_temporary(const char *path, unsigned mode, char *name, size_t room, int *fd, struct err *err)
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        uint64_t random;

        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            return fault(err, errno, "name a new file beside", path);
        if ((size_t)snprintf(name, room, "%s.%016" PRIx64 ".tmp", path, random) >= room)
            return fault(err, ENAMETOOLONG, "write", path);
        *fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (*fd >= 0)
            return ERR_OK;
        if (errno != EEXIST)
            break;
    }
    return fault(err, errno, "write", path);
}

enum err_code
file_sync_folder_of(const char *path, struct err *err)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    int fd, failed;

    snprintf(folder, sizeof folder, "%.*s", n != 0 ? (int)n : 1, n != 0 ? path : ".");
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fault(err, errno, "open folder", folder);
    failed = fsync(fd) != 0 && errno != EINVAL ? errno : 0; /* some file systems sync no folder */
    close(fd);
    return failed == 0 ? ERR_OK : fault(err, failed, "sync folder", folder);
}

enum err_code
file_write(const char *path, const void *bytes, size_t n, unsigned mode, struct err *err)
{
    char name[PATH_MAX];
    int fd = -1;
    enum err_code code = open_temporary(path, mode, name, sizeof name, &fd, err);

    if (code != ERR_OK)
        return code;
    code = write_all(fd, path, bytes, n, err);
    if (close(fd) != 0 && code == ERR_OK)
        code = fault(err, errno, "close", path);
    if (code == ERR_OK && rename(name, path) != 0)
        code = fault(err, errno, "replace", path);
    if (code != ERR_OK) {
        unlink(name);
        return code;
    }
    return file_sync_folder_of(path, err);
}

static enum err_code
make_one_dir(const char *path, unsigned mode, struct err *err)
{
    struct stat info;
    int number;

    if (mkdir(path, mode) == 0)
        return ERR_OK;
    number = errno;
    if (stat(path, &info) != 0) /* EROFS and EACCES are told of folders that exist, too */
        return fault(err, number, "make folder", path);
    if (!S_ISDIR(info.st_mode))
        return fault(err, ENOTDIR, "make folder", path);
    return ERR_OK;
}

enum err_code
file_make_dir(const char *path, unsigned mode, struct err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n == 0)
        return err_set(err, ERR_INVALID_PARAMS, "cannot make a folder without a name");
    if (n >= sizeof part)
        return fault(err, ENAMETOOLONG, "make folder", path);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        enum err_code code;

        if (part[i] != '/' || part[i - 1] == '/')
            continue;
        part[i] = '\0';
        code = make_one_dir(part, mode, err);
        part[i] = '/';
        if (code != ERR_OK)
            return code;
    }
    return make_one_dir(part, mode, err);
}

bool
file_exists(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

struct names {
    char **items;
    size_t n, room;
};

static bool
has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);

    return name[0] != '.' && n >= m && memcmp(name + n - m, suffix, m) == 0;
}

static enum err_code
add_name(struct names *names, const char *path, const char *name, struct err *err)
{
    size_t bytes = strlen(name) + 1;

    if (names->n == NAMES_MAX)
        return err_set(err, ERR_TOO_LARGE, "folder %s holds more than %d names", path, NAMES_MAX);
    if (names->n == names->room) {
        size_t room = names->room != 0 ? 2 * names->room : 16;
        char **items = mem_realloc(names->items, room * sizeof *items);

        if (items == NULL)
            return err_no_memory(err);
        names->items = items;
        names->room = room;
    }
    names->items[names->n] = mem_alloc(bytes);
    if (names->items[names->n] == NULL)
        return err_no_memory(err);
    memcpy(names->items[names->n++], name, bytes);
    return ERR_OK;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err_code
file_list(const char *path, const char *suffix, char ***names, size_t *n, struct err *err)
{
    struct names found = {0};
    enum err_code code = ERR_OK;
    DIR *folder = opendir(path);

    if (folder == NULL)
        return fault(err, errno, "open folder", path);
    while (code == ERR_OK) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe): safe on a stream of our own */
        if (entry == NULL) {
            if (errno != 0)
                code = fault(err, errno, "read folder", path);
            break;
        }
        if (has_suffix(entry->d_name, suffix))
            code = add_name(&found, path, entry->d_name, err);
    }
    closedir(folder);
    if (code != ERR_OK) {
        file_free_names(found.items, found.n);
        return code;
    }
    if (found.n != 0)
        qsort(found.items, found.n, sizeof *found.items, compare_names);
    *names = found.items;
    *n = found.n;
    return ERR_OK;
}

void
file_free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(names[i]);
    mem_free(names);
}
