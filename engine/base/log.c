#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {
    [LOG_LEVEL_DEBUG] = "debug",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_WARN] = "warn",
    [LOG_LEVEL_ERROR] = "error",
};
enum { N_LEVELS = sizeof level_names / sizeof level_names[0], CUT_BYTES = 10 };

/* A line in the making. The last CUT_BYTES are kept for " cut=true" and the line's end. */
struct line {
    char text[LOG_LINE_BYTES];
    size_t len;
    bool is_cut;
};

void
log_init(struct log *log, int fd, enum log_level least, const struct clock *clock)
{
    log->fd = fd;
    log->least = least;
    log->clock = clock;
    log->n_lost = 0;
}

bool
log_is_on(const struct log *log, enum log_level level)
{
    return log != NULL && level >= log->least;
}

const char *
log_level_name(enum log_level level)
{
    return level_names[level];
}

bool
log_level_parse(struct str text, enum log_level *level)
{
    for (int i = 0; i < N_LEVELS; i++)
        if (str_is(text, level_names[i])) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

static void
put(struct line *line, const char *bytes, size_t n)
{
    if (line->is_cut || n > sizeof line->text - CUT_BYTES - line->len) {
        line->is_cut = true;
        return;
    }
    memcpy(line->text + line->len, bytes, n);
    line->len += n;
}

static void
put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

static void
put_time(struct line *line, int64_t wall_ms)
{
    int64_t ms = wall_ms % 1000 < 0 ? wall_ms % 1000 + 1000 : wall_ms % 1000;
    time_t seconds = (time_t)((wall_ms - ms) / 1000);
    struct tm utc = {0};
    char text[64];

    gmtime_r(&seconds, &utc);
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
             utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)ms);
    put_text(line, text);
}

static bool
is_plain(struct str value)
{
    if (value.len == 0)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];

        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\')
            return false;
    }
    return true;
}

/* In quotes; backslash and quote escaped, control characters and bytes that are not UTF-8 as \xNN.
 * A control character of two bytes (U+0080..9F) counts as one that is not text, too. */
static void
put_quoted(struct line *line, struct str value)
{
    bool is_utf8 = str_is_utf8(value);

    put(line, "\"", 1);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        bool is_c1 = c == 0xC2 && i + 1 < value.len && (unsigned char)value.data[i + 1] < 0xA0;
        char escape[8];

        if (c == '"' || c == '\\') {
            put(line, (const char[]){'\\', (char)c}, 2);
        } else if (c == '\n') {
            put(line, "\\n", 2);
        } else if (c < ' ' || c == 0x7F || is_c1 || (c > 0x7F && !is_utf8)) {
            snprintf(escape, sizeof escape, "\\x%02x", c);
            put_text(line, escape);
            if (is_c1 && is_utf8) {
                snprintf(escape, sizeof escape, "\\x%02x", (unsigned char)value.data[++i]);
                put_text(line, escape);
            }
        } else {
            put(line, value.data + i, 1);
        }
    }
    put(line, "\"", 1);
}

/* A long value is cut before the character that does not fit, with dots after it. */
static void
put_value(struct line *line, struct str value)
{
    size_t n = LOG_VALUE_BYTES;

    if (value.len > n) {
        while (n > 0 && ((unsigned char)value.data[n] & 0xC0) == 0x80)
            n--;
        value.len = n;
        put_quoted(line, value);
        put(line, "...", 3);
    } else if (is_plain(value)) {
        put(line, value.data, value.len);
    } else {
        put_quoted(line, value);
    }
}

static void
put_field(struct line *line, const struct log_field *field)
{
    char number[24];
    size_t before = line->len;

    put(line, " ", 1);
    put_text(line, field->key);
    put(line, "=", 1);
    switch (field->kind) {
    case LOG_FIELD_STR:
        put_value(line, field->text);
        break;
    case LOG_FIELD_INT:
        snprintf(number, sizeof number, "%" PRId64, field->number);
        put_text(line, number);
        break;
    case LOG_FIELD_BOOL:
        put_text(line, field->number != 0 ? "true" : "false");
        break;
    }
    if (line->is_cut)
        line->len = before;
}

void
log_write(struct log *log, enum log_level level, const char *event, const struct log_field *fields,
          size_t n_fields)
{
    struct line line = {.len = 0};
    ssize_t n;

    if (!log_is_on(log, level))
        return;
    put_time(&line, log->clock->wall_ms(log->clock));
    put(&line, " ", 1);
    put_text(&line, level_names[level]);
    put(&line, " ", 1);
    put_text(&line, event);
    for (size_t i = 0; i < n_fields && !line.is_cut; i++)
        if (fields[i].key != NULL)
            put_field(&line, &fields[i]);
    if (line.is_cut) {
        memcpy(line.text + line.len, " cut=true", 9);
        line.len += 9;
    }
    line.text[line.len++] = '\n';
    do
        n = write(log->fd, line.text, line.len);
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)line.len)
        log->n_lost++;
}

void
log_err(struct log *log, enum log_level level, const char *event, const char *subject,
        const struct err *err)
{
    log_event(log, level, event, log_text(subject != NULL ? "subject" : NULL, subject),
              log_text("code", err_name(err->code)), log_text("message", err->message),
              log_text(err->field[0] != '\0' ? "field" : NULL, err->field),
              log_text(err->origin != NULL ? "origin" : NULL, err->origin));
}
