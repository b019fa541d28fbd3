#include "refusals.h"

#include "buf.h"
#include "call.h"
#include "clock.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEPT_MS = 1000, SWEEP_MS = 250, WORDS_BYTES = 1024, RETRY_MS = 1000, PEEK_BYTES = 512 };

static int64_t
now_ms(const struct refusals *refusals)
{
    return refusals->clock->steady_us(refusals->clock) / 1000;
}

/* ---- places ---- */

static void
free_place(struct refusal *refusal)
{
    if (refusal->fd < 0)
        return;
    if (refusal->tls != NULL)
        event_del(&refusal->readable);
    tls_end(refusal->tls);
    close(refusal->fd);
    refusal->tls = NULL;
    refusal->fd = -1;
}

/* How many are left. */
static unsigned
sweep(struct refusal *places, unsigned n, int64_t before_ms)
{
    unsigned n_left = 0;

    for (unsigned i = 0; i < n; i++) {
        if (places[i].fd >= 0 && places[i].since_ms <= before_ms)
            free_place(&places[i]);
        n_left += places[i].fd >= 0;
    }
    return n_left;
}

static void
on_sweep(evutil_socket_t fd, short what, void *context)
{
    struct refusals *refusals = context;
    int64_t before_ms = now_ms(refusals) - KEPT_MS;
    unsigned n_left = sweep(refusals->plain, REFUSED_PLAIN, before_ms);

    (void)fd;
    (void)what;
    n_left += sweep(refusals->encrypted, REFUSED_ENCRYPTED, before_ms);
    if (n_left > 0)
        return;
    event_del(&refusals->sweep);
    refusals->is_sweeping = false;
}

static void
take_place(struct refusals *refusals, struct refusal *refusal, int fd, const struct door *door)
{
    const struct timeval every = {0, SWEEP_MS * 1000};

    free_place(refusal);
    *refusal =
        (struct refusal){.all = refusals, .door = door, .since_ms = now_ms(refusals), .fd = fd};
    if (!refusals->is_sweeping)
        refusals->is_sweeping = event_add(&refusals->sweep, &every) == 0;
}

/* ---- words ---- */

static void
build_words(const struct door *door, struct buf *words)
{
    static const char unavailable[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                                      "Content-Length: 0\r\nConnection: close\r\n\r\n";
    struct err err = {0};

    err_set(&err, ERR_BUSY, "the service has as many connections as it may; try again later");
    err.retry_ms = RETRY_MS;
    buf_init(words, WORDS_BYTES);
    if (door->address.is_http) {
        buf_append_text(words, unavailable);
    } else {
        pack_array(words, 3);
        pack_int(words, 2);
        pack_text(words, "system.error");
        pack_array(words, 1);
        call_pack_error(words, &err, NULL);
    }
}

/* Who does not get the words sees the end all the same. */
static void
say_and_end(struct refusal *refusal)
{
    struct buf words;

    build_words(refusal->door, &words);
    if (buf_check(&words, NULL) == ERR_OK) {
        const struct iovec part = {words.data, words.len};
        ssize_t written = refusal->tls != NULL ? tls_write(refusal->tls, &part, 1)
                                               : write(refusal->fd, words.data, words.len);

        (void)written;
    }
    buf_fini(&words);
    if (refusal->tls != NULL) {
        event_del(&refusal->readable);
        tls_say_end(refusal->tls);
        tls_end(refusal->tls);
        refusal->tls = NULL;
    }
    shutdown(refusal->fd, SHUT_WR);
    refusal->since_ms = now_ms(refusal->all);
}

/* ---- who comes encrypted ---- */

/* Reading does the handshake. Its own answers are small and go into an empty socket: where one has to
 * wait for room the peer is not worth it. */
static void
on_handshake(evutil_socket_t fd, short what, void *context)
{
    struct refusal *refusal = context;
    char unread[PEEK_BYTES];
    ssize_t n = tls_read(refusal->tls, unread, sizeof unread);

    (void)fd;
    (void)what;
    if (tls_is_open(refusal->tls)) {
        say_and_end(refusal);
    } else if (n >= 0 || errno != EAGAIN || tls_read_wants_writable(refusal->tls)) {
        event_del(&refusal->readable);
        tls_end(refusal->tls);
        refusal->tls = NULL;
        shutdown(refusal->fd, SHUT_WR);
    }
}

static struct refusal *
free_encrypted(struct refusals *refusals)
{
    for (unsigned i = 0; i < REFUSED_ENCRYPTED; i++)
        if (refusals->encrypted[i].fd < 0)
            return &refusals->encrypted[i];
    return NULL;
}

static void
add_encrypted(struct refusals *refusals, int fd, const struct door *door)
{
    struct refusal *refusal = free_encrypted(refusals);
    struct tls *tls = refusal != NULL ? tls_begin(refusals->desk, fd) : NULL;

    if (tls == NULL) {
        close(fd);
        return;
    }
    take_place(refusals, refusal, fd, door);
    refusal->tls = tls;
    event_assign(&refusal->readable, refusals->base, fd, EV_READ | EV_PERSIST, on_handshake,
                 refusal);
    if (event_add(&refusal->readable, NULL) != 0)
        free_place(refusal);
}

/* ---- life ---- */

void
refusals_init(struct refusals *refusals, struct event_base *base, const struct clock *clock,
              struct tls_desk *desk)
{
    refusals->base = base;
    refusals->clock = clock;
    refusals->desk = desk;
    for (unsigned i = 0; i < REFUSED_PLAIN; i++)
        refusals->plain[i].fd = -1;
    for (unsigned i = 0; i < REFUSED_ENCRYPTED; i++)
        refusals->encrypted[i].fd = -1;
    event_assign(&refusals->sweep, base, -1, EV_PERSIST, on_sweep, refusals);
}

void
refusals_fini(struct refusals *refusals)
{
    sweep(refusals->plain, REFUSED_PLAIN, INT64_MAX);
    sweep(refusals->encrypted, REFUSED_ENCRYPTED, INT64_MAX);
    event_del(&refusals->sweep);
}

void
refusals_add(struct refusals *refusals, int fd, const struct door *door)
{
    struct refusal *refusal;

    if (door->address.is_tls) {
        add_encrypted(refusals, fd, door);
        return;
    }
    refusal = &refusals->plain[refusals->next_plain++ % REFUSED_PLAIN];
    take_place(refusals, refusal, fd, door);
    say_and_end(refusal);
}
