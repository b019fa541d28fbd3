#include "timer.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* However often it was due meanwhile: once. Nothing to read: it was set anew since. */
static void
on_due(evutil_socket_t fd, short what, void *context)
{
    struct timer *timer = context;
    uint64_t n;

    (void)what;
    while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
        ;
    timer->callback(timer->context);
}

enum err_code
timer_open(struct timer *timer, struct event_base *base, void (*callback)(void *context),
           void *context, struct err *err)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    *timer = (struct timer){.fd = fd, .callback = callback, .context = context};
    if (fd < 0)
        return err_set_sys(err, errno, "make a timer");
    event_assign(&timer->due, base, fd, EV_READ | EV_PERSIST, on_due, timer);
    if (event_add(&timer->due, NULL) != 0) {
        close(fd);
        timer->fd = -1;
        return err_no_memory(err);
    }
    return ERR_OK;
}

static struct timespec
span(int64_t ms)
{
    return (struct timespec){(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
}

static void
arm(struct timer *timer, int64_t first_ms, int64_t every_ms)
{
    const struct itimerspec when = {.it_value = span(first_ms), .it_interval = span(every_ms)};

    timerfd_settime(timer->fd, 0, &when, NULL); /* fails only for what is no timer, or no time */
}

void
timer_set(struct timer *timer, int64_t first_ms, int64_t every_ms)
{
    arm(timer, first_ms > 0 ? first_ms : 1, every_ms);
}

void
timer_unset(struct timer *timer)
{
    arm(timer, 0, 0);
}

void
timer_close(struct timer *timer)
{
    event_del(&timer->due);
    close(timer->fd);
}
