#ifndef JML_HTTP_LINES_H
#define JML_HTTP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * http_lines: where does the head of an HTTP request, or of an answer, end?
 *
 * Bytes and lines, before anybody asks what they say: no control byte, every line ends with CR LF, none is
 * folded, and the whole is within its limits. What is wrong is found at the byte that is wrong. Feed it
 * the same growing buffer again and again: the scan remembers how far it came, so that a head that
 * dribbles costs no more than one that comes at once.
 *
 * The service reads requests with it (http_head.h), the client library answers: it sees nothing else of
 * the engine, and is compiled into both. In place, no release, one thread.
 */
struct http_scan {
    size_t pos;     /* bytes that need not be looked at again */
    size_t line;    /* where the line begins that is being read */
    size_t n_lines; /* lines that have ended, the first one too */
};
void http_scan_init(struct http_scan *scan);

enum http_lines_state {
    HTTP_LINES_MORE,     /* not whole yet */
    HTTP_LINES_DONE,     /* bytes[0..scan->pos) are the head, its empty line too */
    HTTP_LINES_CR,       /* a CR without its LF */
    HTTP_LINES_CONTROL,  /* bytes[scan->pos] is a control character, a bare LF perhaps */
    HTTP_LINES_INDENTED, /* a line begins with white space */
    HTTP_LINES_EMPTY,    /* an empty line where the first should be */
    HTTP_LINES_MANY,     /* more than max_lines behind the first */
    HTTP_LINES_LONG      /* max_bytes, and not at its end */
};
enum http_lines_state http_lines_scan(struct http_scan *scan, const uint8_t *bytes, size_t n,
                                      size_t max_bytes, size_t max_lines);

/* Whether it could be the name of a header: RFC 9110's token. */
bool http_lines_is_token(const char *text, size_t n);

#endif
