#include "err.h"

#include "str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const names[ERR_COUNT] = {
    [ERR_OK] = "ok",
    [ERR_BAD_FRAME] = "bad_frame",
    [ERR_UNKNOWN_METHOD] = "unknown_method",
    [ERR_INVALID_PARAMS] = "invalid_params",
    [ERR_UNAUTHENTICATED] = "unauthenticated",
    [ERR_FORBIDDEN] = "forbidden",
    [ERR_NOT_FOUND] = "not_found",
    [ERR_CONFLICT] = "conflict",
    [ERR_TOO_LARGE] = "too_large",
    [ERR_BUSY] = "busy",
    [ERR_DEADLINE] = "deadline",
    [ERR_DRAINING] = "draining",
    [ERR_STORAGE_FULL] = "storage_full",
    [ERR_INTERNAL] = "internal",
    [ERR_CANCELLED] = "cancelled",
    [ERR_READ_ONLY] = "read_only",
};

static const struct {
    int error_number;
    enum err_code code;
} system_codes[] = {
    {ENOSPC, ERR_STORAGE_FULL}, {EDQUOT, ERR_STORAGE_FULL}, {ENOENT, ERR_NOT_FOUND},
    {EACCES, ERR_FORBIDDEN},    {EPERM, ERR_FORBIDDEN},     {EROFS, ERR_FORBIDDEN},
    {ENOMEM, ERR_BUSY},         {EMFILE, ERR_BUSY},         {ENFILE, ERR_BUSY},
};

const char *
err_name(enum err_code code)
{
    return code >= 0 && code < ERR_COUNT ? names[code] : "internal";
}

/* Copies text, cut to fit before the first byte of a character that would not fit whole. */
static void
copy_cut(char *into, size_t room, const char *text)
{
    size_t n = strlen(text);

    if (n >= room) {
        n = room - 1;
        while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--;
    }
    memcpy(into, text, n);
    into[n] = '\0';
}

/* The text is made beside err first: an argument may point into err's own message. */
__attribute__((format(printf, 4, 0))) static void
fill(struct err *err, enum err_code code, const char *origin, const char *format, va_list args,
     const char *tail)
{
    char text[sizeof err->message + 64];
    int n = vsnprintf(text, sizeof text, format, args);

    if (n < 0)
        copy_cut(text, sizeof text, "(a message that could not be formatted)");
    if (n >= 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, "%s", tail);
    memset(err, 0, sizeof *err);
    err->code = code;
    err->origin = origin;
    copy_cut(err->message, sizeof err->message, text);
}

enum err_code
err_set_from(struct err *err, enum err_code code, const char *origin, const char *format, ...)
{
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        fill(err, code, origin, format, args, "");
        va_end(args);
    }
    return code;
}

enum err_code
err_set_sys_from(struct err *err, int error_number, const char *origin, const char *format, ...)
{
    enum err_code code = ERR_INTERNAL;
    const char *reason = strerrordesc_np(error_number); /* in no locale, for any thread */
    char sentence[sizeof err->message], tail[96];
    va_list args;

    for (size_t i = 0; i < sizeof system_codes / sizeof system_codes[0]; i++)
        if (system_codes[i].error_number == error_number)
            code = system_codes[i].code;
    if (err == NULL)
        return code;
    if (reason == NULL)
        reason = "unknown reason";
    if (code == ERR_INTERNAL)
        snprintf(tail, sizeof tail, ": %s (error %d)", reason, error_number);
    else
        snprintf(tail, sizeof tail, ": %s", reason);
    snprintf(sentence, sizeof sentence, "cannot %s", format);
    va_start(args, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* "cannot " and a checked format */
    fill(err, code, origin, sentence, args, tail);
#pragma GCC diagnostic pop
    va_end(args);
    return code;
}

static void
prepend(struct err *err, const char *step)
{
    const char *between = err->field[0] == '\0' || err->field[0] == '[' ? "" : ".";
    char path[2 * sizeof err->field];

    snprintf(path, sizeof path, "%s%s%s", step, between, err->field);
    copy_cut(err->field, sizeof err->field, path);
}

void
err_at(struct err *err, const char *step)
{
    if (err != NULL && err->code != ERR_OK)
        prepend(err, step);
}

void
err_at_index(struct err *err, uint64_t index)
{
    char step[24];

    if (err == NULL || err->code == ERR_OK)
        return;
    snprintf(step, sizeof step, "[%" PRIu64 "]", index);
    prepend(err, step);
}
