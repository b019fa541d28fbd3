#ifndef JML_ERR_H
#define JML_ERR_H

#include <stdbool.h>
#include <stdint.h>

/*
 * err: one failure, as it will be told.
 *
 * Codes are the protocol's, so that a handler's error already is the client's error. Whoever
 * meets the failure first fills it, once (err_set); callers pass it up and may only lengthen the
 * path (err_at), from the inside out. A value, owned by whoever declared it; no thread, no heap.
 * A NULL `err` is allowed everywhere: the code is returned all the same.
 */
enum err_code {
    ERR_OK = 0,
    ERR_BAD_FRAME = 1,
    ERR_UNKNOWN_METHOD = 2,
    ERR_INVALID_PARAMS = 3,
    ERR_UNAUTHENTICATED = 4,
    ERR_FORBIDDEN = 5,
    ERR_NOT_FOUND = 6,
    ERR_CONFLICT = 7,
    ERR_TOO_LARGE = 8,
    ERR_BUSY = 9,
    ERR_DEADLINE = 10,
    ERR_DRAINING = 11,
    ERR_STORAGE_FULL = 12,
    ERR_INTERNAL = 13,
    ERR_CANCELLED = 14,
    ERR_READ_ONLY = 15,
    ERR_COUNT
};

struct err {
    enum err_code code;
    char message[240];  /* one plain sentence: the value that was wrong, and what would be right */
    char field[96];     /* path such as "profile.raising.min", or empty */
    int64_t retry_ms;   /* with ERR_BUSY */
    const char *origin; /* "file.c:line" of the first report; for the log, never sent */
};

/* The protocol's name of a code, e.g. "invalid_params"; "ok" for ERR_OK. */
const char *err_name(enum err_code code);

/* Fills err and returns code. The text is cut to fit at a whole UTF-8 character. */
#define err_set(err, code, ...) err_set_from((err), (code), JML_ORIGIN, __VA_ARGS__)
enum err_code err_set_from(struct err *err, enum err_code code, const char *origin,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for a failed system call: ENOSPC and EDQUOT are storage_full, ENOENT not_found, EACCES,
 * EPERM and EROFS forbidden, ENOMEM and EMFILE busy, any other internal with its number.
 * The sentence reads "cannot <what>: <reason>". */
#define err_set_sys(err, error_number, ...) \
    err_set_sys_from((err), (error_number), JML_ORIGIN, __VA_ARGS__)
enum err_code err_set_sys_from(struct err *err, int error_number, const char *origin,
                               const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Out of memory, told the same way everywhere (ERR_BUSY, try again). */
#define err_no_memory(err) err_set((err), ERR_BUSY, "out of memory; try again later")

/* Puts a step before the path: "min" then err_at "raising" gives "raising.min"; err_at_index 3 gives
 * "[3]…" as in "profiles[3].raising.min". Does nothing when err is NULL or ok. */
void err_at(struct err *err, const char *step);
void err_at_index(struct err *err, uint64_t index);

#define JML_ORIGIN_TEXT(line) #line
#define JML_ORIGIN_LINE(line) JML_ORIGIN_TEXT(line)
#define JML_ORIGIN __FILE_NAME__ ":" JML_ORIGIN_LINE(__LINE__)
#ifndef __FILE_NAME__
#define __FILE_NAME__ __FILE__ /* older compilers: the whole path */
#endif

#endif
