#ifndef JML_BUF_H
#define JML_BUF_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * buf: bytes that grow up to a limit.
 *
 * A failed growth (limit or memory) sticks: later appends do nothing, and buf_check says so once at
 * the end, so that writers need no test after each piece. Owner: whoever called buf_init, who must
 * call buf_fini. Not shared between threads.
 */
struct buf {
    char *data;
    size_t len, room, limit;
    bool is_over;      /* an append would have passed the limit */
    bool is_exhausted; /* the machine's memory ended */
};

void buf_init(struct buf *buf, size_t limit); /* bytes it may ever hold; allocates nothing yet */
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* empty again, failure forgotten, memory kept */

void buf_append(struct buf *buf, const void *bytes, size_t n);
void buf_append_str(struct buf *buf, struct str s);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for n more bytes, to be written at data + len; NULL on failure, which sticks. The caller
 * adds what it wrote to len. */
char *buf_reserve(struct buf *buf, size_t n);

/* ERR_OK; ERR_TOO_LARGE naming the limit; ERR_BUSY if out of memory. */
enum err_code buf_check(const struct buf *buf, struct err *err);
struct str buf_str(const struct buf *buf); /* borrowed until the next append */
/* Hands the bytes over: *data is the caller's, to be freed with free(); buf is empty. */
void buf_take(struct buf *buf, char **data, size_t *len);

#endif
