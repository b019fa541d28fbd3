#include "http_lines.h"

#include <string.h>

void
http_scan_init(struct http_scan *scan)
{
    *scan = (struct http_scan){0};
}

/* A CR, with what follows it. HTTP_LINES_MORE also where the line has ended: scan->pos tells. */
static enum http_lines_state
end_line(struct http_scan *scan, const uint8_t *bytes, size_t n, size_t max_lines)
{
    bool is_empty = scan->pos == scan->line;

    if (scan->pos + 1 >= n)
        return HTTP_LINES_MORE;
    if (bytes[scan->pos + 1] != '\n')
        return HTTP_LINES_CR;
    if (is_empty && scan->n_lines == 0)
        return HTTP_LINES_EMPTY;
    if (!is_empty && scan->n_lines > max_lines)
        return HTTP_LINES_MANY;
    scan->pos += 2;
    scan->line = scan->pos;
    scan->n_lines++;
    return is_empty ? HTTP_LINES_DONE : HTTP_LINES_MORE;
}

enum http_lines_state
http_lines_scan(struct http_scan *scan, const uint8_t *bytes, size_t n, size_t max_bytes,
                size_t max_lines)
{
    size_t end = n < max_bytes ? n : max_bytes;

    while (scan->pos < end) {
        uint8_t byte = bytes[scan->pos];

        if (byte == '\r') {
            size_t before = scan->pos;
            enum http_lines_state state = end_line(scan, bytes, end, max_lines);

            if (state != HTTP_LINES_MORE)
                return state;
            if (scan->pos == before)
                break; /* what follows the CR has not come */
            continue;
        }
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return HTTP_LINES_CONTROL;
        if (scan->pos == scan->line && (byte == ' ' || byte == '\t'))
            return HTTP_LINES_INDENTED;
        scan->pos++;
    }
    return n < max_bytes ? HTTP_LINES_MORE : HTTP_LINES_LONG;
}

bool
http_lines_is_token(const char *text, size_t n)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < n; i++) {
        char c = text[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            (c == '\0' || strchr(others, c) == NULL))
            return false;
    }
    return n != 0;
}
