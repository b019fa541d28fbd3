#include "buf.h"

#include "alloc.h"

#include <stdarg.h>
#include <stdio.h>

enum { ROOM_MIN = 64 };

void
buf_init(struct buf *buf, size_t limit)
{
    *buf = (struct buf){.limit = limit};
}

void
buf_fini(struct buf *buf)
{
    mem_free(buf->data);
    *buf = (struct buf){.limit = buf->limit};
}

void
buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->is_over = false;
    buf->is_exhausted = false;
}

char *
buf_reserve(struct buf *buf, size_t n)
{
    size_t need, room;
    char *data;

    if (buf->is_over || buf->is_exhausted)
        return NULL;
    if (n > buf->limit - buf->len) {
        buf->is_over = true;
        return NULL;
    }
    need = buf->len + n;
    if (need > buf->room || buf->data == NULL) {
        room = buf->room <= buf->limit / 2 ? 2 * buf->room : buf->limit;
        if (room < ROOM_MIN)
            room = ROOM_MIN;
        if (room < need)
            room = need;
        data = mem_realloc(buf->data, room);
        if (data == NULL) {
            buf->is_exhausted = true;
            return NULL;
        }
        buf->data = data;
        buf->room = room;
    }
    return buf->data + buf->len;
}

void
buf_append(struct buf *buf, const void *bytes, size_t n)
{
    char *at;

    if (n == 0)
        return;
    at = buf_reserve(buf, n);
    if (at != NULL) {
        memcpy(at, bytes, n);
        buf->len += n;
    }
}

void
buf_append_str(struct buf *buf, struct str s)
{
    buf_append(buf, s.data, s.len);
}

void
buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void
buf_append_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

/* The NUL of vsnprintf would need a byte over the limit, so long texts pass through the stack or a
 * block of their own. */
void
buf_printf(struct buf *buf, const char *format, ...)
{
    char small[256], *text = small;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n < 0) {
        buf->is_exhausted = true;
        return;
    }
    if ((size_t)n >= sizeof small) {
        if (buf_reserve(buf, (size_t)n) == NULL)
            return;
        text = mem_alloc((size_t)n + 1);
        if (text == NULL) {
            buf->is_exhausted = true;
            return;
        }
        va_start(args, format);
        vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    buf_append(buf, text, (size_t)n);
    if (text != small)
        mem_free(text);
}

enum err_code
buf_check(const struct buf *buf, struct err *err)
{
    if (buf->is_over)
        return err_set(err, ERR_TOO_LARGE, "larger than the limit of %zu bytes", buf->limit);
    if (buf->is_exhausted)
        return err_no_memory(err);
    return ERR_OK;
}

struct str
buf_str(const struct buf *buf)
{
    return (struct str){buf->data, buf->len};
}

void
buf_take(struct buf *buf, char **data, size_t *len)
{
    *data = buf->data;
    *len = buf->len;
    *buf = (struct buf){.limit = buf->limit};
}
