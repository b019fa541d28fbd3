#include "outgoing.h"

#include "alloc.h"
#include "tls.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { LARGE_BYTES = PIECE_BYTES, PIECES_A_WRITE = 64 };

static void
piece_put(struct piece_stock *stock, struct piece *piece)
{
    if (piece->data != piece->room)
        mem_free(piece->data);
    else if (stock->n < STOCK_PIECES) {
        piece->next = stock->first;
        stock->first = piece;
        stock->n++;
        return;
    }
    mem_free(piece);
}

static struct piece *
piece_take(struct piece_stock *stock)
{
    struct piece *piece = stock->first;

    if (piece != NULL) {
        stock->first = piece->next;
        stock->n--;
    } else {
        piece = mem_alloc(sizeof *piece + PIECE_BYTES);
        if (piece == NULL)
            return NULL;
        piece->data = piece->room;
    }
    piece->next = NULL;
    piece->len = piece->sent = 0;
    return piece;
}

void
piece_stock_fini(struct piece_stock *stock)
{
    while (stock->first != NULL) {
        struct piece *next = stock->first->next;

        mem_free(stock->first);
        stock->first = next;
    }
    stock->n = 0;
}

void
outgoing_fini(struct outgoing *out, struct piece_stock *stock)
{
    while (out->first != NULL) {
        struct piece *next = out->first->next;

        piece_put(stock, out->first);
        out->first = next;
    }
    *out = (struct outgoing){0};
}

static void
append(struct outgoing *out, struct piece *piece)
{
    if (out->last != NULL)
        out->last->next = piece;
    else
        out->first = piece;
    out->last = piece;
}

void
outgoing_add(struct outgoing *out, struct piece_stock *stock, const void *bytes, size_t n)
{
    const char *from = bytes;

    while (n > 0) {
        struct piece *last = out->last;
        size_t fits;

        if (last == NULL || last->data != last->room || last->len == PIECE_BYTES) {
            last = piece_take(stock);
            if (last == NULL) {
                out->is_broken = true;
                return;
            }
            append(out, last);
        }
        fits = PIECE_BYTES - last->len < n ? PIECE_BYTES - last->len : n;
        memcpy(last->data + last->len, from, fits);
        last->len += fits;
        out->bytes += fits;
        from += fits;
        n -= fits;
    }
}

uint8_t *
outgoing_room(struct outgoing *out, struct piece_stock *stock, size_t n)
{
    struct piece *last = out->last;

    if (n > PIECE_BYTES)
        return NULL;
    if (last == NULL || last->data != last->room || PIECE_BYTES - last->len < n) {
        last = piece_take(stock);
        if (last == NULL) {
            out->is_broken = true;
            return NULL;
        }
        append(out, last);
    }
    return (uint8_t *)last->data + last->len;
}

void
outgoing_add_buf(struct outgoing *out, struct piece_stock *stock, struct buf *buf)
{
    struct piece *piece;

    if (buf->len < LARGE_BYTES) {
        outgoing_add(out, stock, buf->data, buf->len);
        return;
    }
    piece = mem_alloc(sizeof *piece);
    if (piece == NULL) {
        out->is_broken = true;
        return;
    }
    *piece = (struct piece){0};
    buf_take(buf, &piece->data, &piece->len);
    append(out, piece);
    out->bytes += piece->len;
}

static void
advance(struct outgoing *out, struct piece_stock *stock, size_t written)
{
    out->bytes -= written;
    while (written > 0) {
        struct piece *first = out->first;
        size_t left = first->len - first->sent;

        if (written < left) {
            first->sent += written;
            return;
        }
        written -= left;
        out->first = first->next;
        if (out->first == NULL)
            out->last = NULL;
        piece_put(stock, first);
    }
}

struct attempt {
    ssize_t written;
    size_t asked;
};

/* Several pieces, or for encryption, by one call. Apart from what is usual, which needs no list. */
static __attribute__((noinline)) struct attempt
write_list(const struct piece *first, int fd, struct tls *tls)
{
    struct iovec parts[PIECES_A_WRITE];
    struct msghdr message = {.msg_iov = parts};
    size_t asked = 0;
    int n = 0;

    for (const struct piece *p = first; p != NULL && n < PIECES_A_WRITE; p = p->next, n++) {
        parts[n] = (struct iovec){p->data + p->sent, p->len - p->sent};
        asked += parts[n].iov_len;
    }
    message.msg_iovlen = (size_t)n;
    return (struct attempt){
        tls != NULL ? tls_write(tls, parts, n) : sendmsg(fd, &message, MSG_NOSIGNAL), asked};
}

static struct attempt
write_one(const struct piece *piece, int fd)
{
    size_t asked = piece->len - piece->sent;

    return (struct attempt){send(fd, piece->data + piece->sent, asked, MSG_NOSIGNAL), asked};
}

int64_t
outgoing_write(struct outgoing *out, struct piece_stock *stock, int fd, struct tls *tls)
{
    int64_t total = 0;

    while (out->first != NULL) {
        struct attempt attempt = out->first->next != NULL || tls != NULL
                                     ? write_list(out->first, fd, tls)
                                     : write_one(out->first, fd);

        if (attempt.written < 0 && errno == EINTR)
            continue;
        if (attempt.written < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? total : -1;
        advance(out, stock, (size_t)attempt.written);
        total += attempt.written;
        if ((size_t)attempt.written < attempt.asked)
            break; /* the socket is full */
    }
    return total;
}
