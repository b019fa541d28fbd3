#ifndef JML_FILE_H
#define JML_FILE_H

#include "buf.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * file: whole small files, bounded, and folders. Blocking; not for the event loop.
 * Errors name the path. Missing file: ERR_NOT_FOUND; no permission: ERR_FORBIDDEN; no space:
 * ERR_STORAGE_FULL; a folder, device or FIFO where a file should be: ERR_INVALID_PARAMS.
 */

/* Appends the file's bytes to out (whose limit bounds the read: ERR_TOO_LARGE naming the path).
 * "-" is standard input. */
enum err_code file_read(const char *path, struct buf *out, struct err *err);
/* Writes a new file beside path, fsyncs, renames over it and fsyncs the folder: all or nothing.
 * mode as in open(2). */
enum err_code file_write(const char *path, const void *bytes, size_t n, unsigned mode,
                         struct err *err);
/* Makes the folder and its parents (each with mode); an existing folder is fine. */
enum err_code file_make_dir(const char *path, unsigned mode, struct err *err);
/* fsyncs the folder that path stands in: what was made or renamed there is there for good. */
enum err_code file_sync_folder_of(const char *path, struct err *err);
bool file_exists(const char *path); /* a regular file or folder of that name */
/* Names in a folder that end in suffix, sorted bytewise; free each and the array with
 * file_free_names. */
enum err_code file_list(const char *path, const char *suffix, char ***names, size_t *n,
                        struct err *err);
void file_free_names(char **names, size_t n);

#endif
