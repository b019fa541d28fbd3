#include "faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
faults_init(struct faults *faults, struct arena *arena)
{
    *faults = (struct faults){.arena = arena};
}

/* Appends to the path what fits, cut at a whole character; control characters become `?`. */
static void
path_append(struct faults *faults, struct str step)
{
    size_t room = sizeof faults->path - 1 - faults->path_len;
    size_t n = step.len < room ? step.len : room;

    while (n < step.len && n > 0 && ((unsigned char)step.data[n] & 0xC0) == 0x80)
        n--;
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)step.data[i];

        faults->path[faults->path_len + i] = byte < 0x20 || byte == 0x7F ? '?' : step.data[i];
    }
    faults->path_len += n;
    faults->path[faults->path_len] = '\0';
}

size_t
faults_push(struct faults *faults, const char *step)
{
    return faults_push_str(faults, str_from(step));
}

size_t
faults_push_str(struct faults *faults, struct str step)
{
    size_t mark = faults->path_len;

    if (faults->path_len != 0 && step.len != 0 && step.data[0] != '[')
        path_append(faults, STR_LIT("."));
    path_append(faults, step);
    return mark;
}

size_t
faults_push_index(struct faults *faults, size_t index)
{
    char step[24];

    snprintf(step, sizeof step, "[%zu]", index);
    return faults_push_str(faults, str_from(step));
}

void
faults_pop(struct faults *faults, size_t mark)
{
    if (mark < faults->path_len)
        faults->path_len = mark;
    faults->path[faults->path_len] = '\0';
}

bool
faults_is_full(const struct faults *faults)
{
    return faults->n >= FAULTS_MAX || faults->is_exhausted;
}

static bool
make_room(struct faults *faults)
{
    size_t room = faults->room != 0 ? faults->room * 2 : 8;
    struct fault *list;

    if (faults->n < faults->room)
        return true;
    list = arena_alloc(faults->arena, room, sizeof *list);
    if (list == NULL)
        return false;
    if (faults->n != 0)
        memcpy(list, faults->list, faults->n * sizeof *list);
    faults->list = list;
    faults->room = room;
    return true;
}

/* Length of text without a last character that was cut in its middle. */
static size_t
whole_characters(const char *text)
{
    size_t len = strlen(text), start = len;
    size_t wanted;
    unsigned char lead;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0 || start == len)
        start = len > 0 ? len : 1; /* no continuation bytes at the end: the last byte decides */
    lead = (unsigned char)text[start - 1];
    wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    return wanted > len - (start - 1) ? start - 1 : len;
}

static void keep(struct faults *faults, const struct fault *fault, const char *format,
                 va_list arguments) __attribute__((format(printf, 3, 0)));

static void
keep(struct faults *faults, const struct fault *fault, const char *format, va_list arguments)
{
    char sentence[sizeof((struct err *)0)->message];
    size_t len;
    char *path, *message;

    if (!fault->is_warning)
        faults->n_errors++;
    if (faults_is_full(faults) || (fault->is_warning && faults->n >= FAULTS_MAX / 2))
        return;
    vsnprintf(sentence, sizeof sentence, format, arguments);
    len = whole_characters(sentence);
    path = arena_text(faults->arena, (struct str){faults->path, faults->path_len});
    message = arena_text(faults->arena, (struct str){sentence, len});
    if (path == NULL || message == NULL || !make_room(faults)) {
        faults_no_memory(faults);
        return;
    }
    faults->list[faults->n] = *fault;
    faults->list[faults->n].path = path;
    faults->list[faults->n++].message = message;
}

void
faults_add(struct faults *faults, enum err_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(faults, &(struct fault){.code = code}, format, arguments);
    va_end(arguments);
}

void
faults_warn(struct faults *faults, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    keep(faults, &(struct fault){.is_warning = true}, format, arguments);
    va_end(arguments);
}

void
faults_add_err(struct faults *faults, const struct err *err)
{
    if (err->code == ERR_BUSY) {
        faults_no_memory(faults);
    } else if (err->field[0] != '\0') {
        size_t mark = faults_push(faults, err->field);

        faults_add(faults, err->code, "%s", err->message);
        faults_pop(faults, mark);
    } else {
        faults_add(faults, err->code, "%s", err->message);
    }
}

void
faults_no_memory(struct faults *faults)
{
    faults->n_errors++;
    faults->is_exhausted = true;
}

enum err_code
faults_first(const struct faults *faults, struct err *err)
{
    if (faults->is_exhausted)
        return err_no_memory(err);
    for (size_t i = 0; i < faults->n; i++) {
        const struct fault *fault = &faults->list[i];

        if (fault->is_warning)
            continue;
        err_set(err, fault->code, "%s", fault->message);
        if (fault->path[0] != '\0')
            err_at(err, fault->path);
        return fault->code;
    }
    return ERR_OK;
}
