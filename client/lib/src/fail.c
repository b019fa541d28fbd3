#include "fail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct {
    enum jml_code code;
    const char *name;
} names[] = {
    {JML_OK, "ok"}, {JML_BAD_FRAME, "bad_frame"}, {JML_UNKNOWN_METHOD, "unknown_method"},
    {JML_INVALID_PARAMS, "invalid_params"}, {JML_UNAUTHENTICATED, "unauthenticated"},
    {JML_FORBIDDEN, "forbidden"}, {JML_NOT_FOUND, "not_found"}, {JML_CONFLICT, "conflict"},
    {JML_TOO_LARGE, "too_large"}, {JML_BUSY, "busy"}, {JML_DEADLINE, "deadline"},
    {JML_DRAINING, "draining"}, {JML_STORAGE_FULL, "storage_full"}, {JML_INTERNAL, "internal"},
    {JML_CANCELLED, "cancelled"}, {JML_READ_ONLY, "read_only"},
    {JML_TIMEOUT, "timeout"}, {JML_LOST, "lost"}, {JML_UNREACHABLE, "unreachable"},
    {JML_BAD_ANSWER, "bad_answer"}, {JML_NO_MEMORY, "no_memory"}, {JML_BAD_OPTION, "bad_option"},
    {JML_CLOSED, "closed"}, {JML_MISUSE, "misuse"},
};
/* clang-format on */

const char *
jml_code_name(enum jml_code code)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].code == code)
            return names[i].name;
    return "unknown";
}

void
jmli_copy_text(char *out, size_t room, const char *text, size_t len)
{
    size_t n = len < room ? len : room - 1;

    while (n < len && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
    out[n] = '\0';
}

void
jmli_copy_ascii(char *out, size_t room, const char *text, size_t len)
{
    jmli_copy_text(out, room, text, len < room ? len : room - 1);
    for (char *at = out; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
}

static enum jml_code fail_with(struct jml_error *error, enum jml_code code, const char *field,
                               const char *format, va_list args)
    __attribute__((format(printf, 4, 0)));

static enum jml_code
fail_with(struct jml_error *error, enum jml_code code, const char *field, const char *format,
          va_list args)
{
    char text[2 * sizeof error->message];
    const char *name = jml_code_name(code);
    int n;

    if (error == NULL)
        return code;
    n = vsnprintf(text, sizeof text, format, args);
    memset(error, 0, sizeof *error);
    error->code = code;
    if (n > 0)
        jmli_copy_text(error->message, sizeof error->message, text, strlen(text));
    jmli_copy_text(error->name, sizeof error->name, name, strlen(name));
    jmli_copy_text(error->field, sizeof error->field, field, strlen(field));
    return code;
}

enum jml_code
jmli_fail(struct jml_error *error, enum jml_code code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail_with(error, code, "", format, args);
    va_end(args);
    return code;
}

enum jml_code
jmli_fail_at(struct jml_error *error, enum jml_code code, const char *field, const char *format,
             ...)
{
    va_list args;

    va_start(args, format);
    fail_with(error, code, field, format, args);
    va_end(args);
    return code;
}

enum jml_code
jmli_no_memory(struct jml_error *error)
{
    return jmli_fail(error, JML_NO_MEMORY, "the allocator gave no memory; free some and try again");
}

bool
jmli_fail_from_map(struct jml_error *error, const msgpack_object *map)
{
    const msgpack_object *details = jml_view_find(map, "details");
    struct jml_text text;
    int64_t code;

    if (!jml_view_int(jml_view_find(map, "code"), &code) || code < 1 || code > JML_CODE_LAST)
        return false;
    memset(error, 0, sizeof *error);
    error->code = (enum jml_code)code;
    if (jml_view_text(jml_view_find(map, "name"), &text))
        jmli_copy_text(error->name, sizeof error->name, text.data, text.len);
    if (jml_view_text(jml_view_find(map, "message"), &text))
        jmli_copy_text(error->message, sizeof error->message, text.data, text.len);
    if (jml_view_text(jml_view_find(map, "field"), &text))
        jmli_copy_text(error->field, sizeof error->field, text.data, text.len);
    if (!jml_view_int(jml_view_find(details, "retry_ms"), &error->retry_ms) || error->retry_ms < 0)
        error->retry_ms = 0;
    return true;
}

enum jml_code
jmli_copy_sized(void *own, size_t first, size_t known, const void *given, const char *field,
                struct jml_error *error)
{
    const unsigned char *bytes = given;
    uint32_t size;

    if (given == NULL)
        return jmli_fail_at(error, JML_BAD_OPTION, field, "%s is NULL; give a structure", field);
    memcpy(&size, given, sizeof size);
    if (size < first)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "the size of %s is %" PRIu32
                            ", less than %zu; begin with the structure's _INIT macro",
                            field, size, first);
    if (size > known + 4096)
        return jmli_fail_at(error, JML_BAD_OPTION, field,
                            "the size of %s is %" PRIu32
                            ", which no version has; begin with the structure's _INIT macro",
                            field, size);
    for (size_t i = known; i < size; i++)
        if (bytes[i] != 0)
            return jmli_fail_at(error, JML_BAD_OPTION, field,
                                "%s sets a field that jumelage %s does not know; "
                                "leave it out, or install a later library",
                                field, JML_VERSION_TEXT);
    memset(own, 0, known);
    memcpy(own, given, size < known ? size : known);
    return JML_OK;
}

void *
jmli_resize(const struct jml_allocator *allocator, void *old, size_t size)
{
    if (allocator->resize != NULL)
        return allocator->resize(allocator->context, old, size);
    if (size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, size);
}
