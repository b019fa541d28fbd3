#include "listener.h"

#include "alloc.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64, PAUSE_MS = 100 };

struct listener {
    struct listener_host *host;
    const struct door *door;
    struct event readable, resume;
    int fd;
};

static struct service *
service_of(const struct listener *listener)
{
    return listener->host->loops[0]->service;
}

static void
pause_accepting(struct listener *listener, int error_number)
{
    const struct timeval pause = {0, PAUSE_MS * 1000};
    struct service *service = service_of(listener);

    if (event_add(&listener->resume, &pause) != 0)
        return; /* no memory for the timer: rather spin than never come back */
    event_del(&listener->readable);
    if (tally_get(&service->tallies, TALLY_ACCEPT_PAUSES) % 100 == 0)
        log_event(service->log, LOG_LEVEL_WARN, "accept.paused", log_int("errno", error_number));
    tally_add(&service->tallies, TALLY_ACCEPT_PAUSES, 1);
}

static void
on_resume(evutil_socket_t fd, short what, void *context)
{
    struct listener *listener = context;

    (void)fd;
    (void)what;
    if (event_add(&listener->readable, NULL) != 0)
        pause_accepting(listener, ENOMEM);
}

static bool
is_lack(int error_number)
{
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS ||
           error_number == ENOMEM;
}

/* What is no lack was one connection's own misfortune, and the next may fare better; but where none of a whole
 * turn did (a firewall forbids them all, the network is down) the socket may stay readable for long. */
static void
accept_some(struct listener *listener)
{
    struct listener_host *host = listener->host;
    bool has_one = false;
    int error_number = 0;

    for (int i = 0; i < ACCEPTS_A_TURN && !is_lack(error_number); i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            error_number = errno;
            if (error_number == EAGAIN || error_number == EWOULDBLOCK)
                return;
            continue;
        }
        has_one = true;
        loop_adopt(host->loops[host->next], fd, listener->door);
        host->next = (host->next + 1) % host->n_loops;
    }
    if (is_lack(error_number) || !has_one)
        pause_accepting(listener, error_number);
}

static void
on_acceptable(evutil_socket_t listening, short what, void *context)
{
    struct listener *listener = context;

    (void)listening;
    (void)what;
    loop_callback_begin(listener->host->loops[0]);
    accept_some(listener);
    loop_callback_end(listener->host->loops[0], "accept");
}

enum err_code
listener_open(struct door *door, struct listener_host *host, struct listener **out, struct err *err)
{
    struct listener *listener = mem_alloc_zeroed(1, sizeof *listener);
    char text[ADDRESS_TEXT_BYTES];
    enum err_code code;

    if (listener == NULL)
        return err_no_memory(err);
    code = address_listen(&door->address, BACKLOG, &listener->fd, err);
    if (code != ERR_OK) {
        mem_free(listener);
        return code;
    }
    listener->host = host;
    door->guard.port = address_port(&door->address);
    listener->door = door;
    event_assign(&listener->readable, host->loops[0]->base, listener->fd, EV_READ | EV_PERSIST,
                 on_acceptable, listener);
    event_assign(&listener->resume, host->loops[0]->base, -1, 0, on_resume, listener);
    if (event_add(&listener->readable, NULL) != 0) {
        listener_close(listener);
        return err_no_memory(err);
    }
    address_format(&door->address, text);
    log_event(service_of(listener)->log, LOG_LEVEL_INFO, "listening", log_text("address", text));
    *out = listener;
    return ERR_OK;
}

void
listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    event_del(&listener->readable);
    event_del(&listener->resume);
    close(listener->fd);
    if (listener->door->address.kind == ADDRESS_UNIX)
        unlink(((struct sockaddr_un *)&listener->door->address.socket)->sun_path);
    mem_free(listener);
}
