#ifndef JML_HTTP_ANSWER_H
#define JML_HTTP_ANSWER_H

#include "buf.h"
#include "err.h"
#include "http_head.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * http_answer: the head of an answer, with the headers that keep a browser from doing more with it
 * than it was meant for.
 *
 * Every answer bears them: a content policy that lets the console load its own files and nothing else,
 * no guessing of types, no referrer, no other origin (there is no CORS header at all), and no
 * storing, but for files that have an ETag, which are asked for again each time. No Date and no
 * Server: nothing here needs them. Pure.
 */
struct http_answer {
    int status;
    bool keep_alive;
    bool is_head;            /* HEAD was asked for: the length is told, the body not sent */
    bool is_gzip;            /* body is compressed */
    bool varies;             /* another asker may get it compressed, or not */
    struct str content_type; /* empty with an empty body */
    struct str etag;         /* with its quotes; empty: not to be stored */
    struct str body;
    const char *allow; /* of 405; NULL: "GET, HEAD, POST" */
    int64_t retry_s;   /* of 503 and 429; 0: 1 */
};

/* "Not Found"; "Unknown" for a number that is not in the table. */
const char *http_status_text(int status);

/* Appends head and body. 204 and 304 have no body and tell no length; 401 gets WWW-Authenticate, 405
 * Allow, 429 and 503 Retry-After. ERR_INTERNAL, with out as it was, if a value has a control character
 * (it would end the line and begin another); else as buf_check. */
enum err_code http_answer_write(struct buf *out, const struct http_answer *answer, struct err *err);
/* The same without the body, which the caller sends from where it lies. */
enum err_code http_answer_write_head(struct buf *out, const struct http_answer *answer,
                                     struct err *err);

/* One sentence as plain text; a newline is put behind it. The connection closes, since what follows a
 * refused head cannot be told from its body, unless keep_alive says that the body was read. */
enum err_code http_answer_refuse(struct buf *out, const struct http_refusal *refusal, bool is_head,
                                 bool keep_alive, struct err *err);

/* "Go on, send the body": before the answer to a head that wants_continue. */
extern const struct str http_continue;

/* Whether an If-None-Match (data NULL: there was none) names etag: `*`, or a list that has it, weakly
 * compared as for a GET. */
bool http_etag_is_known(struct str if_none_match, struct str etag);

#endif
