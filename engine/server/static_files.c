#include "static_files.h"

#include "alloc.h"
#include "arena.h"
#include "buf.h"
#include "digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The walk goes by descriptors, each opened in its folder's with O_NOFOLLOW: a name that is turned into
 * a link between looking and opening is refused by the kernel, and nothing outside the folder is ever
 * named.
 */
enum { DEPTH_MAX = 16, PATH_BYTES_MAX = 1024, ETAG_CHARS = 32, NAMES_LIMIT = 16 * 1024 * 1024 };

const struct static_limits static_limits_preset = {
    .total_bytes = (size_t)64 * 1024 * 1024,
    .file_bytes = (size_t)16 * 1024 * 1024,
    .n_files = 2000,
};

/* clang-format off */
static const struct {
    const char *ending;
    struct str type;
} types[] = {
    {"html", STR_LIT("text/html; charset=utf-8")},
    {"js", STR_LIT("text/javascript; charset=utf-8")},
    {"mjs", STR_LIT("text/javascript; charset=utf-8")},
    {"css", STR_LIT("text/css; charset=utf-8")},
    {"json", STR_LIT("application/json")},
    {"map", STR_LIT("application/json")},
    {"svg", STR_LIT("image/svg+xml")},
    {"png", STR_LIT("image/png")},
    {"ico", STR_LIT("image/vnd.microsoft.icon")},
    {"woff2", STR_LIT("font/woff2")},
    {"wasm", STR_LIT("application/wasm")},
    {"txt", STR_LIT("text/plain; charset=utf-8")},
};
/* clang-format on */

struct static_files {
    _Atomic unsigned n_holders;
    struct static_limits limits;
    struct arena *arena; /* everything that files point to */
    struct static_file *files;
    size_t n, room, n_read, bytes, n_left_out;
};

struct str
static_media_type(struct str path)
{
    size_t dot = path.len;

    while (dot != 0 && path.data[dot - 1] != '.' && path.data[dot - 1] != '/')
        dot--;
    if (dot != 0 && path.data[dot - 1] == '.')
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            if (strlen(types[i].ending) == path.len - dot &&
                strncasecmp(types[i].ending, path.data + dot, path.len - dot) == 0)
                return types[i].type;
    return STR_LIT("application/octet-stream");
}

/* ---- reading ---- */

static enum err_code
fault(struct err *err, int number, const char *what, const char *path)
{
    if (number == ENOTDIR || number == ELOOP || number == ENAMETOOLONG)
        return err_set(err, ERR_INVALID_PARAMS, "cannot %s %s: %s", what, path,
                       strerrordesc_np(number));
    return err_set_sys(err, number, "%s %s", what, path);
}

static enum err_code
check_room(const struct static_files *files, const char *path, size_t bytes, struct err *err)
{
    if (files->n_read == files->limits.n_files)
        return err_set(err, ERR_TOO_LARGE, "%s is one file more than the limit of %zu", path,
                       files->limits.n_files);
    if (bytes > files->limits.file_bytes)
        return err_set(err, ERR_TOO_LARGE, "%s is larger than the limit of %zu bytes", path,
                       files->limits.file_bytes);
    if (bytes > files->limits.total_bytes - files->bytes)
        return err_set(err, ERR_TOO_LARGE,
                       "with %s the files are larger than the limit of %zu bytes", path,
                       files->limits.total_bytes);
    return ERR_OK;
}

/* As many bytes as the file had when it was looked at; one that shrinks meanwhile is an error, one that
 * grows is cut, and the next opening sees it whole. */
static enum err_code
read_bytes(int fd, const char *path, char *bytes, size_t n, struct err *err)
{
    while (n != 0) {
        ssize_t got = read(fd, bytes, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault(err, errno, "read", path);
        if (got == 0)
            return err_set(err, ERR_CONFLICT, "%s became shorter while it was read; try again",
                           path);
        bytes += got;
        n -= (size_t)got;
    }
    return ERR_OK;
}

static bool
add_etag(struct arena *arena, struct static_file *file)
{
    struct digest digest = digest_of(file->bytes.data, file->bytes.len);
    char hex[DIGEST_HEX_CHARS + 1];

    digest_format(&digest, hex);
    file->etag = arena_format(arena, "\"%.*s\"", ETAG_CHARS, hex);
    return file->etag.data != NULL;
}

static struct static_file *
add_file(struct static_files *files)
{
    if (files->n == files->room) {
        size_t room = files->room != 0 ? 2 * files->room : 64;
        struct static_file *list = mem_realloc(files->files, room * sizeof *list);

        if (list == NULL)
            return NULL;
        files->files = list;
        files->room = room;
    }
    return &files->files[files->n];
}

/* path: the folder as it was given, and behind it from `inside` on what requests will ask for. */
static enum err_code
read_file(struct static_files *files, int fd, const char *path, size_t inside, size_t bytes,
          struct err *err)
{
    enum err_code code = check_room(files, path, bytes, err);
    struct static_file *file = add_file(files);
    char *memory;

    if (code != ERR_OK)
        return code;
    memory = arena_alloc(files->arena, bytes + 1, 1);
    if (file == NULL || memory == NULL)
        return err_no_memory(err);
    code = read_bytes(fd, path, memory, bytes, err);
    if (code != ERR_OK)
        return code;
    *file = (struct static_file){
        .path = arena_str(files->arena, str_from(path + inside)),
        .media_type = static_media_type(str_from(path + inside)),
        .bytes = {memory, bytes},
    };
    if (file->path.data == NULL || !add_etag(files->arena, file))
        return err_no_memory(err);
    files->n++;
    files->n_read++;
    files->bytes += bytes;
    return ERR_OK;
}

static enum err_code read_folder(struct static_files *files, int fd, char *path, size_t inside,
                                 unsigned depth, struct err *err);

static enum err_code
read_entry(struct static_files *files, int folder, const char *name, char *path, size_t inside,
           unsigned depth, struct err *err)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum err_code code = ERR_OK;
    struct stat info;

    if (fd < 0 && (errno == ELOOP || errno == ENXIO)) { /* a link; a socket */
        files->n_left_out++;
        return ERR_OK;
    }
    if (fd < 0)
        return fault(err, errno, "open", path);
    if (fstat(fd, &info) != 0)
        code = fault(err, errno, "look at", path);
    else if (S_ISDIR(info.st_mode))
        return read_folder(files, fd, path, inside, depth + 1, err); /* closes fd */
    else if (S_ISREG(info.st_mode))
        code = read_file(files, fd, path, inside, (size_t)info.st_size, err);
    else
        files->n_left_out++;
    close(fd);
    return code;
}

/* Takes fd. path has PATH_BYTES_MAX and is as it was afterwards. */
static enum err_code
read_folder(struct static_files *files, int fd, char *path, size_t inside, unsigned depth,
            struct err *err)
{
    size_t n = strlen(path);
    enum err_code code = ERR_OK;
    DIR *folder = fdopendir(fd);

    if (folder == NULL) {
        code = fault(err, errno, "open folder", path);
        close(fd);
        return code;
    }
    if (depth > DEPTH_MAX)
        code = err_set(err, ERR_TOO_LARGE, "%s lies more than %d folders deep", path, DEPTH_MAX);
    while (code == ERR_OK) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(folder); /* NOLINT(concurrency-mt-unsafe): safe on a stream of our own */
        if (entry == NULL) {
            if (errno != 0)
                code = fault(err, errno, "read folder", path);
            break;
        }
        if (entry->d_name[0] == '.')
            continue;
        if ((size_t)snprintf(path + n, PATH_BYTES_MAX - n, "/%s", entry->d_name) >=
            PATH_BYTES_MAX - n)
            code = err_set(err, ERR_TOO_LARGE, "a path in the folder is longer than %d bytes",
                           PATH_BYTES_MAX);
        else
            code = read_entry(files, dirfd(folder), entry->d_name, path, inside, depth, err);
        path[n] = '\0';
    }
    closedir(folder);
    return code;
}

/* ---- the list ---- */

static int
compare_files(const void *a, const void *b)
{
    const struct static_file *left = a, *right = b;

    return str_compare(left->path, right->path);
}

static struct static_file *
find(const struct static_files *files, struct str path)
{
    const struct static_file key = {.path = path};

    if (files->n == 0)
        return NULL;
    return bsearch(&key, files->files, files->n, sizeof key, compare_files);
}

/* "a.gz" where there is "a" goes into it and leaves the list, whose order stays. */
static void
fold_compressed(struct static_files *files)
{
    size_t n = 0;

    for (size_t i = 0; i < files->n; i++) { /* first find them all: moving would spoil the search */
        struct static_file *packed = &files->files[i], *file;
        struct str path = packed->path;

        if (path.len < 4 || memcmp(path.data + path.len - 3, ".gz", 3) != 0)
            continue;
        file = find(files, (struct str){path.data, path.len - 3});
        if (file == NULL)
            continue;
        file->gzip_bytes = packed->bytes;
        file->gzip_etag = packed->etag;
        packed->media_type.len = 0;
    }
    for (size_t i = 0; i < files->n; i++)
        if (files->files[i].media_type.len != 0)
            files->files[n++] = files->files[i];
    files->n = n;
}

enum err_code
static_files_open(const char *folder, const struct static_limits *limits, struct static_files **out,
                  struct err *err)
{
    struct static_files *files;
    char path[PATH_BYTES_MAX];
    size_t n = strlen(folder);
    enum err_code code;
    int fd;

    while (n > 1 && folder[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof path)
        return err_set(err, ERR_INVALID_PARAMS, "the folder's path has no bytes or %d and more",
                       PATH_BYTES_MAX);
    memcpy(path, folder, n);
    path[n] = '\0';
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the folder itself may be a link */
    if (fd < 0)
        return fault(err, errno, "open folder", path);
    files = mem_alloc_zeroed(1, sizeof *files);
    if (files == NULL) {
        close(fd);
        return err_no_memory(err);
    }
    files->n_holders = 1;
    files->limits = limits != NULL ? *limits : static_limits_preset;
    files->arena = arena_create(files->limits.total_bytes + NAMES_LIMIT);
    if (files->arena == NULL) {
        close(fd);
        code = err_no_memory(err);
    } else {
        code = read_folder(files, fd, path, n, 0, err);
    }
    if (code != ERR_OK) {
        static_files_drop(files);
        return code;
    }
    if (files->n != 0)
        qsort(files->files, files->n, sizeof *files->files, compare_files);
    fold_compressed(files);
    *out = files;
    return ERR_OK;
}

struct static_files *
static_files_hold(struct static_files *files)
{
    atomic_fetch_add_explicit(&files->n_holders, 1, memory_order_relaxed);
    return files;
}

void
static_files_drop(struct static_files *files)
{
    if (files == NULL || atomic_fetch_sub_explicit(&files->n_holders, 1, memory_order_acq_rel) != 1)
        return;
    arena_destroy(files->arena);
    mem_free(files->files);
    mem_free(files);
}

const struct static_file *
static_files_find(const struct static_files *files, struct str path)
{
    static const struct str index = {"index.html", 10};
    char whole[PATH_BYTES_MAX];

    if (path.len == 0 || path.data[path.len - 1] != '/')
        return find(files, path);
    if (path.len + index.len > sizeof whole)
        return NULL;
    memcpy(whole, path.data, path.len);
    memcpy(whole + path.len, index.data, index.len);
    return find(files, (struct str){whole, path.len + index.len});
}

size_t
static_files_count(const struct static_files *files)
{
    return files->n;
}

size_t
static_files_bytes(const struct static_files *files)
{
    return files->bytes;
}

size_t
static_files_left_out(const struct static_files *files)
{
    return files->n_left_out;
}
