#ifndef JMLI_HTTP_TURN_H
#define JMLI_HTTP_TURN_H

#include "http_reply.h"

#include <jumelage/jumelage.h>

/*
 * http_turn: one call over HTTP: a POST out, its answer in. A connection has one at a time.
 *
 *     IDLE ──begin──▶ HEAD ──head is whole──▶ BODY ──body is whole──▶ IDLE, on the same connection …
 *                      │ ▲                     │
 *                      └─┘ 1xx                 └──▶ … or on the next: a status other than 200, `close`
 *
 * Requests wait in the client's `out` as they do for a stream; the turn lends each a head of its own, with
 * the token in it. What comes goes to the client's `in`, from the head's first byte on.
 *
 * A connection of HTTP is nobody's: it is known by what each request says. So one that ends between two
 * turns is made anew (jmli_link_renew) without anybody being told, and without a greeting. One that ends
 * within a turn takes that call with it, as on a stream. A call that is given up within its turn ends the
 * connection, since nothing else could follow on it.
 */
enum http_step { TURN_IDLE, TURN_HEAD, TURN_BODY };

enum {
    TURN_HEAD_BYTES = 1024, /* of a request: host and token have less than 520 */
    TURN_INTERIM_MAX = 8,   /* answers 1xx before the one that counts */
    TURN_WORDS_MAX = 400    /* of a refusal's sentence that are told */
};

struct http_turn {
    enum http_step step;
    char head[TURN_HEAD_BYTES];
    size_t head_len, head_sent;
    uint64_t start, end; /* of the request, as struct pending counts; UINT64_MAX: the greeting */
    struct http_scan scan;
    struct http_reply reply; /* from BODY on */
    unsigned n_interim;
};

/* The greeting's frame stands in `hello`: its head is put before it. False if memory is out. */
bool jmli_turn_greet(jml_client *client);
/* The next request in `out` begins. */
void jmli_turn_begin(jml_client *client);
/* What came in `in`. May end or renew the connection, and call back. */
void jmli_turn_take(jml_client *client);
/* No turn is under way any more. The token is wiped. */
void jmli_turn_reset(struct http_turn *turn);

#endif
