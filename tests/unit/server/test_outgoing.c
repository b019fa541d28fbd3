#include "alloc.h"
#include "cases.h"
#include "outgoing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct piece_stock stock;
static struct outgoing out;
static int ends[2]; /* written to, read from */

static void
setup(void)
{
    int small = 4096;

    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    cr_assert_eq(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

static void
teardown(void)
{
    outgoing_fini(&out, &stock);
    piece_stock_fini(&stock);
    close(ends[0]);
    close(ends[1]);
}

TestSuite(outgoing, .init = setup, .fini = teardown);

static uint8_t
byte_at(size_t i)
{
    return (uint8_t)(i * 2654435761u >> 13);
}

static size_t
pieces(void)
{
    size_t n = 0;

    for (const struct piece *piece = out.first; piece != NULL; piece = piece->next)
        n++;
    return n;
}

/* Bytes of the running pattern, so that one lost, doubled or moved shows. */
static void
add_pattern(size_t at, size_t n)
{
    uint8_t *bytes = malloc(n);

    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_at(at + i);
    outgoing_add(&out, &stock, bytes, n);
    free(bytes);
}

static void
add_pattern_buf(size_t at, size_t n)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    for (size_t i = 0; i < n; i++)
        buf_append_char(&buf, (char)byte_at(at + i));
    outgoing_add_buf(&out, &stock, &buf);
    buf_fini(&buf);
}

/* Reads what is there; false if a byte is not the pattern's. */
static bool
read_some(size_t *at)
{
    uint8_t bytes[1000];
    ssize_t n = read(ends[1], bytes, sizeof bytes);

    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != byte_at((*at)++))
            return false;
    return true;
}

Test(outgoing, small_answers_share_a_piece)
{
    for (size_t i = 0; i < 100; i++)
        add_pattern(i * 100, 100);
    cr_expect_eq(pieces(), 1);
    cr_expect_eq(out.bytes, 10000);
    add_pattern(10000, PIECE_BYTES - 10000);
    cr_expect_eq(pieces(), 1, "filled to its last byte");
    add_pattern(PIECE_BYTES, 1);
    cr_expect_eq(pieces(), 2);
}

Test(outgoing, a_large_buffer_is_taken_and_a_small_one_copied)
{
    struct buf buf;
    const char *memory;

    buf_init(&buf, SIZE_MAX);
    for (size_t i = 0; i < PIECE_BYTES; i++)
        buf_append_char(&buf, 'x');
    memory = buf.data;
    outgoing_add_buf(&out, &stock, &buf);
    cr_expect_eq(out.first->data, memory);
    cr_expect_eq(buf.len, 0);
    cr_expect_null(buf.data);
    buf_append(&buf, "small", 5);
    memory = buf.data;
    outgoing_add_buf(&out, &stock, &buf);
    cr_expect_eq(buf.data, memory, "the lent buffer stays whose it was");
    cr_expect_eq(pieces(), 2, "nothing is added to memory of another's size");
    cr_expect_eq(out.bytes, PIECE_BYTES + 5);
    buf_fini(&buf);
}

/* A full socket at every turn: nothing is lost, doubled or out of order. */
Test(outgoing, partial_writes_go_on_where_they_stopped)
{
    size_t added = 0, got = 0;
    int64_t written = 0;

    for (size_t n = 1; added < 600000; n = n * 7 % 30011 + 1) {
        if (n % 3 == 0)
            add_pattern_buf(added, n);
        else
            add_pattern(added, n);
        added += n;
    }
    while (out.bytes > 0) {
        int64_t n = outgoing_write(&out, &stock, ends[0], NULL);

        cr_assert_geq(n, 0);
        written += n;
        cr_assert_eq(out.bytes + (size_t)written, added);
        cr_assert(read_some(&got), "byte %zu is another", got);
    }
    while (got < added)
        cr_assert(read_some(&got), "byte %zu is another", got);
    cr_expect_null(out.first);
    cr_expect_null(out.last);
}

Test(outgoing, a_full_socket_is_no_failure)
{
    add_pattern(0, 1000000);
    while (outgoing_write(&out, &stock, ends[0], NULL) > 0)
        ;
    cr_expect_eq(outgoing_write(&out, &stock, ends[0], NULL), 0);
    cr_expect_gt(out.bytes, 0);
}

Test(outgoing, a_peer_that_has_gone_is_a_failure)
{
    add_pattern(0, 10);
    shutdown(ends[1], SHUT_RDWR);
    cr_expect_eq(outgoing_write(&out, &stock, ends[0], NULL), -1);
    cr_expect_eq(errno, EPIPE);
}

Test(outgoing, pieces_go_back_to_a_stock_that_does_not_grow_without_end)
{
    add_pattern(0, (STOCK_PIECES + 10) * PIECE_BYTES);
    outgoing_fini(&out, &stock);
    cr_expect_eq(stock.n, STOCK_PIECES);
    cr_expect_eq(out.bytes, 0);
    add_pattern(0, 3 * PIECE_BYTES);
    cr_expect_eq(stock.n, STOCK_PIECES - 3);
}

Test(outgoing, a_failed_allocation_sticks)
{
    bool happened = true;
    long n;

    for (n = 1; happened; n++) {
        mem_fail_at(n);
        outgoing_add(&out, &stock, (uint8_t[PIECE_BYTES * 2 + 1]){0}, PIECE_BYTES * 2 + 1);
        happened = mem_fail_happened();
        cr_expect_eq(out.is_broken, happened);
        outgoing_fini(&out, &stock);
        piece_stock_fini(&stock);
        cr_expect_not(out.is_broken);
    }
    cr_expect_eq(n, 5, "three pieces were asked for");
}

Test(outgoing, a_large_buffer_that_cannot_be_taken_stays_its_owners)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    for (size_t i = 0; i < PIECE_BYTES; i++)
        buf_append_char(&buf, 'x');
    mem_fail_at(1);
    outgoing_add_buf(&out, &stock, &buf);
    cr_expect(mem_fail_happened());
    cr_expect(out.is_broken);
    cr_expect_eq(buf.len, PIECE_BYTES);
    buf_fini(&buf);
}
