#include "served.h"

#include "address.h"
#include "server.h"
#include "value.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 60, LINE_BYTES = 4096, CONFIG_BYTES = 16 * 1024 * 1024 };
const char *const way_names[WAYS] = {"unix", "tcp", "tls", "http", "https"};
static const char ping[] = "\x94\x00\x07\xabsystem.ping\x90", pong[] = "\x94\x01\x07\xc0\xa4pong";

struct served {
    char folder[TORTURE_PATH], store[TORTURE_PATH + 16];
    char addresses[WAYS][TORTURE_PATH + 32];
    struct address places[WAYS];
    struct arena *arena;
    struct config config;
    struct server *server;
    struct log log;
    pthread_t runner;
    int log_fd;
    char line[LINE_BYTES];
    size_t line_len;
    SSL_CTX *context;
};

static _Noreturn void
stop(const char *what, const char *why)
{
    fprintf(stderr, "FAULT: %s: %s\n", what, why);
    exit(1);
}

/* ---- the service ---- */

/* The next whole line of the log, without its end; borrowed until the next one. */
static const char *
next_line(struct served *served)
{
    struct pollfd log = {.fd = served->log_fd, .events = POLLIN};
    char *end;

    while ((end = memchr(served->line, '\n', served->line_len)) == NULL) {
        ssize_t n;

        if (poll(&log, 1, PATIENCE_S * 1000) != 1)
            stop("the log", "nothing came");
        n = read(served->log_fd, served->line + served->line_len,
                 sizeof served->line - served->line_len);
        if (n <= 0)
            stop("the log", "it ended, or a line is too long");
        served->line_len += (size_t)n;
    }
    *end = '\0';
    return served->line;
}

static void
drop_line(struct served *served)
{
    size_t n = strlen(served->line) + 1;

    served->line_len -= n;
    memmove(served->line, served->line + n, served->line_len);
}

void
served_await_log(struct served *served, const char *text)
{
    bool is_it;

    do {
        is_it = strstr(next_line(served), text) != NULL;
        drop_line(served);
    } while (!is_it);
}

static void
learn_address(struct served *served, enum way way)
{
    const char *text;
    struct err err = {0};

    while ((text = strstr(next_line(served), "listening address=")) == NULL)
        drop_line(served);
    text = strchr(text, '=') + 1;
    snprintf(served->addresses[way], sizeof served->addresses[way], "%s", text);
    if (address_parse(str_from(served->addresses[way]), &served->places[way], &err) != ERR_OK)
        stop(text, err.message);
    drop_line(served);
}

static void *
run(void *context)
{
    struct served *served = context;

    server_run(served->server);
    server_close(served->server);
    return NULL;
}

static void
make_certificates(const char *folder)
{
    char command[2 * TORTURE_PATH];

    snprintf(command, sizeof command, "%s/tests/certificates/make-certificates %s", JML_SOURCE,
             folder);
    if (system(command) != 0) /* NOLINT: a test's own words */
        stop(command, "it failed");
}

static void
configure(struct served *served)
{
    char cert[TORTURE_PATH + 16], key[TORTURE_PATH + 16];
    const char *argv[] = {"jumelaged",
                          "--data",
                          served->store,
                          "--listen",
                          served->addresses[WAY_UNIX],
                          "--listen",
                          "tcp:127.0.0.1:0",
                          "--listen",
                          "tls:127.0.0.1:0",
                          "--listen",
                          "http:127.0.0.1:0",
                          "--listen",
                          "https:127.0.0.1:0",
                          "--tls-cert",
                          cert,
                          "--tls-key",
                          key,
                          "--threads",
                          "2",
                          "--workers",
                          "2"};
    size_t n = sizeof argv / sizeof argv[0];
    char **copy = arena_alloc(served->arena, n + 1, sizeof *copy);
    struct err err = {0};

    snprintf(cert, sizeof cert, "%s/right.pem", served->folder);
    snprintf(key, sizeof key, "%s/right.key", served->folder);
    for (size_t i = 0; i < n; i++) /* it is read again with each reload */
        copy[i] = arena_text(served->arena, str_from(argv[i]));
    if (config_read((int)n, copy, served->arena, &served->config, &err) != ERR_OK)
        stop("the settings", err.message);
}

struct served *
served_start(void)
{
    struct served *served = calloc(1, sizeof *served);
    struct err err = {0};
    int ends[2];

    if (served == NULL || (served->arena = arena_create(CONFIG_BYTES)) == NULL ||
        pipe2(ends, O_CLOEXEC) != 0)
        stop("a service", "no memory, or no pipe");
    torture_dir(served->folder);
    snprintf(served->store, sizeof served->store, "%s/store", served->folder);
    snprintf(served->addresses[WAY_UNIX], sizeof served->addresses[WAY_UNIX], "unix:%s/socket",
             served->folder);
    make_certificates(served->folder);
    setenv("JUMELAGE_SHARE", JML_DATA, 1);
    configure(served);
    fcntl(ends[1], F_SETFL, O_NONBLOCK); /* the service waits for nobody who reads */
    served->log_fd = ends[0];
    log_init(&served->log, ends[1], LOG_LEVEL_INFO, clock_system());
    served->context = SSL_CTX_new(TLS_client_method());
    if (server_open(&served->config, &served->log, &served->server, &err) != ERR_OK)
        stop("a service", err.message);
    for (enum way way = 0; way < WAYS; way++)
        learn_address(served, way);
    if (pthread_create(&served->runner, NULL, run, served) != 0)
        stop("a service", "no thread");
    served_await_log(served, " ready ");
    return served;
}

void
served_stop(struct served *served)
{
    kill(getpid(), SIGTERM);
    pthread_join(served->runner, NULL);
    SSL_CTX_free(served->context);
    close(served->log_fd);
    close(served->log.fd);
    arena_destroy(served->arena);
    torture_remove(served->folder);
    free(served);
}

const char *
served_folder(const struct served *served)
{
    return served->folder;
}

/* ---- visitors ---- */

void
visitor_connect(struct visitor *visitor, struct served *served, enum way way)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const struct address *place = &served->places[way];

    *visitor = (struct visitor){.served = served, .way = way};
    visitor->fd = socket(way == WAY_UNIX ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(visitor->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(visitor->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(visitor->fd, (const struct sockaddr *)&place->socket, place->length) != 0)
        stop(way_names[way], strerror(errno));
}

static void
send_bytes(struct visitor *visitor, const char *bytes, size_t n)
{
    ERR_clear_error();
    if (visitor->ssl == NULL)
        send(visitor->fd, bytes, n, MSG_NOSIGNAL);
    else
        SSL_write(visitor->ssl, bytes, (int)n);
}

/* What cannot be sent shows in what comes back. */
void
visitor_ask(struct visitor *visitor)
{
    if (visitor->way == WAY_TLS || visitor->way == WAY_HTTPS) {
        visitor->ssl = SSL_new(visitor->served->context);
        SSL_set_fd(visitor->ssl, visitor->fd);
        ERR_clear_error();
        errno = 0;
        if (SSL_connect(visitor->ssl) != 1) {
            visitor->is_left_waiting = errno == EAGAIN || errno == EWOULDBLOCK;
            visitor->is_refused = !visitor->is_left_waiting;
            return;
        }
    }
    if (visitor->way == WAY_HTTP || visitor->way == WAY_HTTPS) {
        const char *host = strchr(visitor->served->addresses[visitor->way], ':') + 1;
        char head[256];
        int n = snprintf(head, sizeof head,
                         "GET /healthz HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);

        send_bytes(visitor, head, (size_t)n);
    } else {
        send_bytes(visitor, ping, sizeof ping - 1);
    }
}

/* As recv: 0 at the end, whatever ended it; -1 if nothing came. */
static ssize_t
receive(struct visitor *visitor, char *bytes, size_t n)
{
    ssize_t got;

    if (visitor->is_refused || visitor->is_left_waiting)
        return visitor->is_refused ? 0 : -1;
    errno = 0;
    ERR_clear_error();
    got = visitor->ssl == NULL ? recv(visitor->fd, bytes, n, 0)
                               : SSL_read(visitor->ssl, bytes, (int)n);
    if (got > 0)
        return got;
    return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : 0;
}

enum visit
visitor_await_one(struct visitor *visitor)
{
    bool is_http = visitor->way == WAY_HTTP || visitor->way == WAY_HTTPS;
    static const char http[] = "HTTP/1.1 200";
    const char *wanted = is_http ? http : pong;
    size_t n_wanted = is_http ? sizeof http - 1 : sizeof pong - 1, have = 0;
    char bytes[64];

    while (have < n_wanted) {
        ssize_t n = receive(visitor, bytes + have, n_wanted - have);

        if (n <= 0)
            return n == 0 ? VISIT_ENDED : VISIT_SILENT;
        have += (size_t)n;
    }
    if (memcmp(bytes, wanted, n_wanted) == 0)
        return VISIT_ANSWERED;
    if (memcmp(bytes, is_http ? "HTTP/1.1 503" : "\x93\x02\xacsystem", n_wanted) == 0)
        return VISIT_REFUSED;
    fprintf(stderr, "it answers \"%.*s\"\n", (int)n_wanted, bytes);
    return VISIT_WRONG;
}

void
visitor_leave(struct visitor *visitor)
{
    SSL_free(visitor->ssl);
    close(visitor->fd);
}

enum visit
visitor_await(struct visitor *visitor)
{
    enum visit how = visitor_await_one(visitor);

    visitor_leave(visitor);
    return how;
}

enum visit
visit(struct served *served, enum way way)
{
    struct visitor visitor;

    visitor_connect(&visitor, served, way);
    visitor_ask(&visitor);
    return visitor_await(&visitor);
}

/* ---- counters ---- */

static const msgpack_object *
ask_stats(struct visitor *visitor, struct arena *arena, struct buf *bytes)
{
    static const char asked[] = "\x94\x00\x08\xacsystem.stats\x90";
    const msgpack_object *answer = NULL;
    struct err err;
    ssize_t n;

    send_bytes(visitor, asked, sizeof asked - 1);
    do {
        char *room = buf_reserve(bytes, 65536);

        n = room != NULL ? receive(visitor, room, 65536) : 0;
        if (n <= 0)
            return NULL;
        bytes->len += (size_t)n;
        err = (struct err){0};
    } while (value_decode(bytes->data, bytes->len, &value_limits_default, arena, &answer, &err) !=
             ERR_OK);
    return value_at(answer, 3);
}

int64_t
served_count(struct served *served, const char *counter)
{
    struct arena *arena = arena_create(CONFIG_BYTES);
    struct visitor visitor;
    struct buf bytes;
    int64_t number = -1;

    buf_init(&bytes, CONFIG_BYTES);
    visitor_connect(&visitor, served, WAY_UNIX);
    value_int(value_find(value_find(ask_stats(&visitor, arena, &bytes), "service"), counter),
              &number);
    torture_check(number >= 0, "system.stats does not tell %s", counter);
    close(visitor.fd);
    buf_fini(&bytes);
    arena_destroy(arena);
    return number;
}
