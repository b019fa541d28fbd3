#ifndef JML_REQUEST_H
#define JML_REQUEST_H

#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * request: the envelope of msgpack-RPC, read by hand from the bytes of one frame.
 *
 *     [0, msgid, method, params]      a request
 *     [2, method, params]             a notification
 *
 * The frame was scanned before (frame.h), so that its bytes are one whole value. Liberal: any width of
 * array header, type and msgid in any integer encoding or as a whole float, method as str or bin.
 * Strict: msgid is an unsigned number of 32 bits. Nothing is allocated or copied: method and
 * params point into the frame. Pure.
 */
struct request {
    bool is_notification;
    uint32_t msgid; /* 0 for a notification */
    struct str method;
    struct str params; /* the bytes of the one map of parameters; empty for an empty array */
    bool has_one_map;  /* false: params is something else than [] or [map], and `params` is empty */
};

enum request_state {
    REQUEST_OK,
    REQUEST_MORE, /* the envelope is not whole yet */
    REQUEST_BAD   /* neither a request nor a notification */
};

enum request_state request_read(const uint8_t *bytes, size_t n, struct request *out);

/*
 * Reads a request whose end can be seen at once, as most can, and returns its length: [0, msgid, method,
 * params] with method a short text and params empty, or one map of one short key and a short text or
 * small number. At most REQUEST_SMALL_BYTES, 8 values, 3 containers deep, so that no limit has anything to
 * say about it. 0: not of this kind, or not whole: ask the scanner; *out is worth nothing.
 */
enum { REQUEST_SMALL_BYTES = 512 };
size_t request_read_small(const uint8_t *bytes, size_t n, struct request *out);

/* Of a frame that will never be whole: was it a request, and which? For the answer that it is too
 * large. */
bool request_peek_msgid(const uint8_t *bytes, size_t n, uint32_t *msgid);

/* Writes what precedes the result of an answer without error, `[1, msgid, nil,`; returns how many
 * bytes, at most REQUEST_ANSWER_HEAD. With has_error the nil is left out: the error follows, then the
 * result (nil). */
enum { REQUEST_ANSWER_HEAD = 8 };
size_t request_answer_head(uint8_t out[REQUEST_ANSWER_HEAD], uint32_t msgid, bool has_error);

#endif
