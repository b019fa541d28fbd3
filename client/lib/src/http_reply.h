#ifndef JMLI_HTTP_REPLY_H
#define JMLI_HTTP_REPLY_H

#include "http_lines.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * http_reply: the head of one answer of HTTP/1.1 or 1.0, read so that no two readers can differ on it.
 *
 * As the service reads requests (engine/codec/http_head.h): the lines by http_lines, names and values by
 * the library http-parser, and then a judgement on what that lets through. An answer whose end would have
 * to be guessed is refused: one in a transfer coding, with two lengths, or with one that is no number.
 *
 * Feed it the same growing buffer again and again. What it tells is copied. Pure.
 */
enum { REPLY_HEAD_BYTES = 16 << 10, REPLY_LINES = 100 };

struct http_reply {
    int status; /* 100 to 999 */
    bool keep_alive, has_length;
    bool is_msgpack, is_text; /* application/msgpack; text/plain */
    uint64_t length;
    int64_t retry_ms;   /* Retry-After in seconds; 0: none */
    char reason[64];    /* the words behind the status; may be empty */
    char location[200]; /* likewise */
};

enum http_reply_state {
    HTTP_REPLY_MORE,    /* not whole yet */
    HTTP_REPLY_DONE,    /* bytes[0..scan->pos) are the head */
    HTTP_REPLY_FOREIGN, /* it does not begin as HTTP does */
    HTTP_REPLY_REFUSED  /* why: the end of a sentence that begins with "its answer" */
};

enum http_reply_state jmli_http_reply_read(struct http_scan *scan, const uint8_t *bytes, size_t n,
                                           struct http_reply *out, const char **why);

#endif
