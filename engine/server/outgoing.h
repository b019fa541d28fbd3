#ifndef JML_OUTGOING_H
#define JML_OUTGOING_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * outgoing: the bytes that a peer has still to read, as a list of pieces.
 *
 * Small answers are copied together into pieces from the loop's stock, so that many of them leave in
 * one system call; a large one keeps the memory it was built in. Nothing is held while nothing
 * waits. A failed allocation sticks (is_broken): the connection cannot keep its promise any more and
 * must be closed. One thread.
 */
enum { PIECE_BYTES = 16 * 1024, STOCK_PIECES = 32 };

struct piece {
    struct piece *next;
    size_t len, sent;
    char *data; /* `room` of a stock piece, or memory of its own */
    char room[];
};

struct piece_stock { /* of one loop */
    struct piece *first;
    size_t n;
};
void piece_stock_fini(struct piece_stock *stock);

struct outgoing {
    struct piece *first, *last;
    size_t bytes; /* not yet sent */
    bool is_broken;
};
void outgoing_fini(struct outgoing *out, struct piece_stock *stock);

void outgoing_add(struct outgoing *out, struct piece_stock *stock, const void *bytes, size_t n);
/* Room for n bytes in a row, to be written by the caller at once, who then says how many they became
 * (outgoing_fill). NULL as above, or if n is over PIECE_BYTES. */
uint8_t *outgoing_room(struct outgoing *out, struct piece_stock *stock, size_t n);
static inline void
outgoing_fill(struct outgoing *out, size_t n)
{
    out->last->len += n;
    out->bytes += n;
}

/* Takes the buf's memory if it is large, else copies; the buf is empty or as it was, afterwards. */
void outgoing_add_buf(struct outgoing *out, struct piece_stock *stock, struct buf *buf);

/* Writes what the socket takes, through tls if it is not NULL. >= 0: bytes written; -1 with errno: the peer is gone. */
struct tls;
int64_t outgoing_write(struct outgoing *out, struct piece_stock *stock, int fd, struct tls *tls);

#endif
