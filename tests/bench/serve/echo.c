/*
 * echo.c: the least that libevent can do: bytes in, the same bytes out.
 *
 *     bench_echo [PATH [PORT]]    listens at a port, which it prints, and at the unix socket PATH; ends
 *                                 with its input
 *
 * What a request costs here is the floor for any service on libevent: one event, one read, one
 * write. The bench compares jumelaged with it.
 */
#include <event2/event.h>
#include <event2/event_struct.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 };

static char buffer[BUFFER_BYTES];

struct peer {
    struct event readable;
    int fd;
};

static void
drop(struct peer *peer)
{
    event_del(&peer->readable);
    close(peer->fd);
    free(peer);
}

static void
on_readable(evutil_socket_t fd, short what, void *context)
{
    struct peer *peer = context;
    ssize_t n = read(fd, buffer, sizeof buffer);

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* the bench never sends more than the socket holds, so that nothing has to wait */
    if (n <= 0 || write(fd, buffer, (size_t)n) != n)
        drop(peer);
}

static void
on_connection(evutil_socket_t listening, short what, void *context)
{
    int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), on = 1;
    struct peer *peer = fd >= 0 ? malloc(sizeof *peer) : NULL;

    (void)what;
    if (peer == NULL)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    peer->fd = fd;
    event_assign(&peer->readable, context, fd, EV_READ | EV_PERSIST, on_readable, peer);
    event_add(&peer->readable, NULL);
}

static void
on_input_end(evutil_socket_t fd, short what, void *context)
{
    char byte;

    (void)what;
    if (read(fd, &byte, 1) == 0)
        event_base_loopbreak(context);
}

static int
listen_at(const void *name, socklen_t length)
{
    int family = ((const struct sockaddr *)name)->sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, name, length) != 0 || listen(fd, 1024) != 0) {
        perror("bench_echo");
        exit(1);
    }
    return fd;
}

static int
listen_at_path(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    strncpy(name.sun_path, path, sizeof name.sun_path - 1);
    unlink(path); /* of the last run */
    return listen_at(&name, sizeof name);
}

int
main(int argc, char **argv)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    struct event_config *config = event_config_new();
    struct event_base *base;
    int listening;
    struct event connection, local, input;

    signal(SIGPIPE, SIG_IGN);
    if (argc > 2)
        name.sin_port = htons((uint16_t)atoi(argv[2])); /* NOLINT: our own bench's argument */
    listening = listen_at(&name, sizeof name);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    if (base == NULL || getsockname(listening, (struct sockaddr *)&name, &length) != 0) {
        perror("bench_echo");
        return 1;
    }
    event_assign(&connection, base, listening, EV_READ | EV_PERSIST, on_connection, base);
    event_add(&connection, NULL);
    if (argc > 1) {
        event_assign(&local, base, listen_at_path(argv[1]), EV_READ | EV_PERSIST, on_connection,
                     base);
        event_add(&local, NULL);
    }
    event_assign(&input, base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input_end, base);
    event_add(&input, NULL);
    printf("%u\n", ntohs(name.sin_port));
    fflush(stdout);
    event_base_dispatch(base);
    return 0;
}
