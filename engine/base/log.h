#ifndef JML_LOG_H
#define JML_LOG_H

#include "clock.h"
#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * log: one line an event, for people and for grep.
 *
 *     2026-03-01T09:15:02.418Z info call.slow method=match.top ms=312 peer="local socket"
 *
 * The event is a fixed name of the source; what varies stands in fields. Values are escaped, so that
 * no input can start a line or a field of its own. Confidential fields and tokens are never given
 * to it. Each event is one write(2): any thread may log, lines don't mix. A line that cannot be
 * written is counted, not waited for.
 */
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log {
    int fd;                       /* borrowed */
    _Atomic enum log_level least; /* lower ones are left out */
    const struct clock *clock;    /* borrowed */
    _Atomic uint64_t n_lost;      /* lines that could not be written */
};

void log_init(struct log *log, int fd, enum log_level least, const struct clock *clock);
bool log_is_on(const struct log *log, enum log_level level); /* false for a NULL log */

/* "debug", "info", "warn", "error". */
const char *log_level_name(enum log_level level);
bool log_level_parse(struct str text, enum log_level *level);

struct log_field {
    const char *key; /* a fixed name; NULL: the field is left out */
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } kind;
    struct str text;
    int64_t number;
};

static inline struct log_field
log_str(const char *key, struct str value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_STR, .text = value};
}

static inline struct log_field
log_text(const char *key, const char *value)
{
    return log_str(key, str_from(value));
}

static inline struct log_field
log_int(const char *key, int64_t value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_INT, .number = value};
}

static inline struct log_field
log_bool(const char *key, bool value)
{
    return (struct log_field){.key = key, .kind = LOG_FIELD_BOOL, .number = value};
}

/*     log_event(log, LOG_LEVEL_INFO, "call.slow", log_text("method", name), log_int("ms", ms));
 * An event without fields: log_event(log, LOG_LEVEL_INFO, "server.ready", LOG_NO_FIELD).
 * A NULL log is fine. A line longer than LOG_LINE_BYTES is cut after a whole field: cut=true. */
enum { LOG_LINE_BYTES = 4096, LOG_VALUE_BYTES = 512 };
#define LOG_NO_FIELD ((struct log_field){0})
#define log_event(log, level, event, ...)                                       \
    log_write((log), (level), (event), (const struct log_field[]){__VA_ARGS__}, \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))
void log_write(struct log *log, enum log_level level, const char *event,
               const struct log_field *fields, size_t n_fields);
/* A failure: its code, sentence, path and origin as fields, with a subject. */
void log_err(struct log *log, enum log_level level, const char *event, const char *subject,
             const struct err *err);

#endif
