#ifndef JML_STATIC_FILES_H
#define JML_STATIC_FILES_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * static_files: the files of one folder, read once into memory and served from there.
 *
 * Afterwards no request reaches the file system, so that no path of a request can: a file is found by
 * its whole name in a sorted list, or it is not there. What changes on disk is seen when the folder is
 * opened again.
 *
 * Left out: names that begin with a dot, symbolic links, and whatever is no file or folder.
 * "app.js.gz" beside "app.js" is its compressed form and no file of its own.
 *
 * Immutable and counted: answers that are still being sent hold the set that they began with, while
 * the next one is served. Opening blocks; finding, holding and dropping from any thread.
 */
struct static_files;

struct static_limits {
    size_t total_bytes, file_bytes, n_files;
};
extern const struct static_limits static_limits_preset; /* 64 MiB, 16 MiB, 2,000 */

struct static_file {
    struct str path; /* "/app.js" */
    struct str media_type;
    struct str bytes, etag;           /* the tag with its quotes, from the bytes' BLAKE2b */
    struct str gzip_bytes, gzip_etag; /* data NULL: there is no compressed form */
};

/* Held once. Missing or unreadable folder or file: as file.h, naming it. ERR_TOO_LARGE over a limit.
 * limits NULL: the preset. */
enum err_code static_files_open(const char *folder, const struct static_limits *limits,
                                struct static_files **out, struct err *err);
struct static_files *static_files_hold(struct static_files *files);
void static_files_drop(struct static_files *files); /* NULL is fine */

/* By decoded path (http_path_decode), exactly as it is spelled; a path that ends in a slash is the
 * index.html of that folder. NULL: no such file. */
const struct static_file *static_files_find(const struct static_files *files, struct str path);

size_t static_files_count(const struct static_files *files);
size_t static_files_bytes(const struct static_files *files);
size_t static_files_left_out(const struct static_files *files); /* links and devices; for the log */

/* By the path's ending, in any case; "application/octet-stream" for one that is not in the table. */
struct str static_media_type(struct str path);

#endif
