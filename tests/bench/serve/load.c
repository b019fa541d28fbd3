/*
 * load.c: asks a service the same thing again and again, over many connections.
 *
 *     bench_load ADDRESS CONNECTIONS DEPTH REQUESTS FIRST REQUEST [spin]
 *
 * ADDRESS is unix:PATH or tcp:HOST:PORT; FIRST and REQUEST are bytes in hexadecimal: FIRST is sent once
 * on each connection and its answer awaited ("-": nothing), REQUEST is repeated, DEPTH of them unanswered
 * at any time. How long one answer is is learnt from the first, since all are alike; where they are
 * not (writes answer with a growing number) "frames:REQUEST" counts msgpack values instead, and the texts
 * CCCCCCCC and NNNNNNNN in it become the connection's number and the request's.
 * With `spin` it never sleeps, so that no answer has to wake it: what that costs differs from machine to
 * machine and is not the service's. With REQUESTS 0 the connections are opened, and held until the input ends.
 * Prints: requests, seconds, and the median and 99th percentile of the time of an answer in microseconds.
 */
#include "frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER_BYTES = 256 * 1024, EVENTS = 256 };

struct bytes {
    uint8_t *data;
    size_t len;
};

struct connection {
    int fd;
    size_t partial; /* bytes of an answer that is not whole */
    uint8_t *kept;  /* those bytes, where values are counted */
    struct frame_scan scan;
    uint64_t n_sent, n_answered;
    uint64_t *sent_ns; /* ring of `depth` */
};

static struct {
    struct connection *connections;
    size_t n, depth;
    uint64_t wanted, n_sent, n_answered;
    struct bytes request, burst; /* burst: `depth` requests */
    size_t answer_bytes;
    bool counts_frames;
    uint32_t *took_us;
    int epoll;
    bool spins;
} load;

static uint8_t buffer[BUFFER_BYTES];

static void
fail(const char *what)
{
    fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct bytes
from_hex(const char *text)
{
    size_t len = strlen(text) / 2;
    struct bytes bytes = {malloc(len + 1), len};

    for (size_t i = 0; i < len; i++) {
        char pair[3] = {text[2 * i], text[2 * i + 1], '\0'};

        bytes.data[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static int
connect_to(const char *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in v4;
    } name;
    socklen_t length;
    const char *port = strrchr(address, ':');
    int on = 1, fd;

    memset(&name, 0, sizeof name);
    if (strncmp(address, "unix:", 5) == 0) {
        name.local.sun_family = AF_UNIX;
        strncpy(name.local.sun_path, address + 5, sizeof name.local.sun_path - 1);
        length = sizeof name.local;
    } else {
        name.v4.sin_family = AF_INET;
        name.v4.sin_port = htons((uint16_t)atoi(port + 1)); /* NOLINT: our own bench's argument */
        name.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        length = sizeof name.v4;
    }
    fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    while (fd >= 0 && connect(fd, &name.any, length) != 0)
        if (errno != EAGAIN && errno != EINTR)
            fail(address);
    if (fd < 0)
        fail("socket");
    if (name.any.sa_family == AF_INET)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void
write_all(int fd, struct bytes bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.data, bytes.len);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            fail("write");
        if (n > 0)
            bytes = (struct bytes){bytes.data + n, bytes.len - (size_t)n};
    }
}

/* Reads one whole msgpack value, or one Redis or echo answer: whatever came after `quiet` of nothing. */
static size_t
read_one(int fd, bool is_frame)
{
    struct frame_scan scan;
    size_t n = 0;

    frame_scan_init(&scan, SIZE_MAX / 2, SIZE_MAX / 2, 32);
    for (;;) {
        ssize_t got = read(fd, buffer + n, sizeof buffer - n);

        if (got <= 0)
            fail("read");
        n += (size_t)got;
        if (!is_frame || frame_scan(&scan, buffer, n) == FRAME_DONE)
            return n;
    }
}

static void
set_number(uint8_t *request, const char *mark, uint64_t number)
{
    uint8_t *at = memmem(request, load.request.len, mark, 8);
    char digits[16];

    if (at == NULL)
        return;
    snprintf(digits, sizeof digits, "%08u", (unsigned)(number % 100000000));
    memcpy(at, digits, 8);
}

/* `n` requests in load.burst, each with its own numbers. */
static void
number_burst(const struct connection *connection, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t *request = load.burst.data + i * load.request.len;

        memcpy(request, load.request.data, load.request.len);
        set_number(request, "CCCCCCCC", (uint64_t)(connection - load.connections));
        set_number(request, "NNNNNNNN", load.n_sent + i);
    }
}

static void
send_some(struct connection *connection, size_t n)
{
    uint64_t now = now_ns();

    if (n > load.wanted - load.n_sent)
        n = (size_t)(load.wanted - load.n_sent);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        connection->sent_ns[(connection->n_sent + i) % load.depth] = now;
    if (load.counts_frames)
        number_burst(connection, n);
    connection->n_sent += n;
    load.n_sent += n;
    write_all(connection->fd, (struct bytes){load.burst.data, n * load.request.len});
}

static void
note_answers(struct connection *connection, size_t n)
{
    uint64_t now = now_ns();

    for (size_t i = 0; i < n; i++)
        load.took_us[load.n_answered++] =
            (uint32_t)((now - connection->sent_ns[connection->n_answered++ % load.depth]) / 1000);
}

static size_t
count_frames(struct connection *connection, size_t n)
{
    size_t whole = 0, at = 0;
    uint8_t *all = realloc(connection->kept, connection->partial + n);

    memcpy(all + connection->partial, buffer, n);
    n += connection->partial;
    while (at < n && frame_scan(&connection->scan, all + at, n - at) == FRAME_DONE) {
        at += connection->scan.pos;
        frame_scan_init(&connection->scan, SIZE_MAX / 2, SIZE_MAX / 2, 32);
        whole++;
    }
    connection->partial = n - at;
    memmove(all, all + at, n - at);
    connection->kept = all;
    return whole;
}

static void
take(struct connection *connection)
{
    ssize_t got = read(connection->fd, buffer, sizeof buffer);
    size_t n;

    if (got <= 0)
        fail("an answer");
    if (load.counts_frames) {
        n = count_frames(connection, (size_t)got);
    } else {
        connection->partial += (size_t)got;
        n = connection->partial / load.answer_bytes;
        connection->partial %= load.answer_bytes;
    }
    note_answers(connection, n);
    send_some(connection, n);
}

static int
compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void
open_all(const char *address, const char *first)
{
    struct bytes greeting = from_hex(first[0] == '-' ? "" : first);
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < load.n; i++) {
        struct connection *connection = &load.connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};

        connection->fd = connect_to(address);
        connection->sent_ns = calloc(load.depth, sizeof *connection->sent_ns);
        frame_scan_init(&connection->scan, SIZE_MAX / 2, SIZE_MAX / 2, 32);
        if (greeting.len > 0) {
            write_all(connection->fd, greeting);
            read_one(connection->fd, true);
        }
        epoll_ctl(load.epoll, EPOLL_CTL_ADD, connection->fd, &event);
    }
}

static void
run(void)
{
    uint64_t from = now_ns(), took;

    for (size_t i = 0; i < load.n; i++)
        send_some(&load.connections[i], load.depth);
    while (load.n_answered < load.wanted) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(load.epoll, events, EVENTS, load.spins ? 0 : -1);

        for (int i = 0; i < n; i++)
            take(events[i].data.ptr);
    }
    took = now_ns() - from;
    qsort(load.took_us, load.wanted, sizeof load.took_us[0], compare);
    printf("%llu %.6f %u %u\n", (unsigned long long)load.wanted, (double)took / 1e9,
           load.took_us[load.wanted / 2], load.took_us[load.wanted * 99 / 100]);
}

int
main(int argc, char **argv)
{
    const char *request;

    if (argc != 7 && argc != 8) {
        fprintf(stderr,
                "usage: bench_load ADDRESS CONNECTIONS DEPTH REQUESTS FIRST REQUEST [spin]\n");
        return 64;
    }
    load.n = strtoul(argv[2], NULL, 10);
    load.depth = strtoul(argv[3], NULL, 10);
    load.wanted = strtoull(argv[4], NULL, 10);
    request = argv[6];
    load.spins = argc == 8;
    load.counts_frames = strncmp(request, "frames:", 7) == 0;
    load.request = from_hex(request + (load.counts_frames ? 7 : 0));
    load.connections = calloc(load.n, sizeof *load.connections);
    load.took_us = calloc(load.wanted + 1, sizeof *load.took_us);
    load.burst.data = malloc(load.depth * load.request.len + 1);
    for (size_t i = 0; i < load.depth; i++)
        memcpy(load.burst.data + i * load.request.len, load.request.data, load.request.len);
    open_all(argv[1], argv[5]);
    if (load.wanted == 0) {
        puts("open");
        fflush(stdout);
        return read(STDIN_FILENO, buffer, 1) != 0;
    }
    write_all(load.connections[0].fd, load.request);
    load.answer_bytes = read_one(load.connections[0].fd, load.counts_frames);
    run();
    return 0;
}
