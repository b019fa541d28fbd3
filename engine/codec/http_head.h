#ifndef JML_HTTP_HEAD_H
#define JML_HTTP_HEAD_H

#include "http_lines.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * http_head: the head of one HTTP/1.1 or 1.0 request, read so that no two readers can differ on it.
 *
 * Feed it the same growing buffer again and again; the scan (http_lines.h) remembers how far it came, and
 * what is wrong is refused at the byte that is wrong. The bytes after the head are not looked at: a body of content_length bytes, then
 * the next request. Nothing is allocated or copied: texts point into the caller's bytes.
 *
 * Liberal nowhere. What HTTP lets a server forgive (a bare LF, folded lines, an empty line in front)
 * is refused, since each has served to smuggle a request past one reader to another. So are things
 * that are lawful and that no client of ours sends: a transfer coding, an absolute target, an upgrade,
 * a body under GET.
 *
 * Pure; in place, no release, one thread.
 */
enum http_verb { HTTP_VERB_GET, HTTP_VERB_HEAD, HTTP_VERB_POST };

enum { HTTP_TARGET_MAX = 8 * 1024 };
struct http_limits {
    size_t head_bytes;   /* of the whole head; over it 431, or 414 if its first line is that long.
                            At most 64 KiB: the library has a limit of its own beyond it */
    size_t target_bytes; /* path and query, at most HTTP_TARGET_MAX; over it 414 */
    size_t lines;        /* header lines; over it 431 */
    uint64_t body_bytes; /* over it 413; at most 2^60 */
};
extern const struct http_limits http_limits_preset; /* 8 KiB, 2 KiB, 64 lines, 8 MiB */

/* A header that did not come has data NULL; one that came empty has len 0. Of each there was at most
 * one line, without the white space around it. */
struct http_head {
    enum http_verb verb;
    unsigned minor;      /* HTTP/1.minor: 0 or 1 */
    bool keep_alive;     /* the connection may carry another request */
    bool has_body;       /* Content-Length is there and above 0: POST only */
    bool wants_continue; /* sends its body only after "100 Continue" */
    bool accepts_gzip;   /* named in Accept-Encoding, and not with q=0 */
    uint64_t content_length;
    struct str path;  /* as written, begins with '/'; its escapes are sound (http_path_decode) */
    struct str query; /* without the '?'; data NULL if there is none */
    struct str host, origin, authorization, content_type, content_encoding, sec_fetch_site,
        if_none_match, accept_encoding, accept_language;
};

/* Why a request is not served: the status to answer with and one sentence, in which nothing stands
 * that the peer wrote, but for a header's name. The connection is to be closed after it. */
enum { HTTP_SENTENCE_BYTES = 160 };
struct http_refusal {
    int status;
    char sentence[HTTP_SENTENCE_BYTES];
    const char *allow; /* with 405: the methods that would do; NULL: GET, HEAD, POST */
    int64_t retry_s;   /* with 429 and 503 */
};
/* Fills it (allow and retry_s empty) and answers false, so that a guard can end with it. */
bool http_refuse(struct http_refusal *refusal, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum http_head_state {
    HTTP_HEAD_MORE,   /* not whole yet */
    HTTP_HEAD_DONE,   /* bytes[0..scan->pos) are the head */
    HTTP_HEAD_REFUSED /* 400, 405, 411, 413, 414, 417, 431, 501 or 505 */
};

/* out is written with HTTP_HEAD_DONE only, refusal with HTTP_HEAD_REFUSED only. For the next request
 * begin with a new scan behind the body. */
enum http_head_state http_head_read(struct http_scan *scan, const uint8_t *bytes, size_t n,
                                    const struct http_limits *limits, struct http_head *out,
                                    struct http_refusal *refusal);

/* A path with its escapes resolved, once; at most path.len bytes, written to room, which has as many.
 * False if an escape is broken, if the result is not UTF-8 or has a control character, or if a
 * segment of it is "." or ".." (a backslash counts as a slash). A path that http_head_read
 * let through never fails. */
bool http_path_decode(struct str path, char *room, struct str *decoded);

#endif
