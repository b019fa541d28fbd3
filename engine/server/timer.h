#ifndef JML_TIMER_H
#define JML_TIMER_H

#include "err.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdint.h>

/*
 * timer: a timer of the kernel's, heard through a descriptor.
 *
 * For what waits always. While a base has a timer of libevent's own, each of its waits reads the clock, arms a
 * timer in the kernel and takes it back, whatever it is that wakes it; this one is armed once and costs
 * nothing until it is due. For what waits seldom libevent's is as good. Steady time; one thread.
 */
struct timer {
    struct event due;
    int fd;
    void (*callback)(void *context);
    void *context;
};

/* Not armed yet. On failure its fd is -1, and nothing is to be closed. */
enum err_code timer_open(struct timer *timer, struct event_base *base,
                         void (*callback)(void *context), void *context, struct err *err);
/* Due after first_ms, at the least one, and from then on every every_ms; 0: once. What it was set to before is
 * forgotten. */
void timer_set(struct timer *timer, int64_t first_ms, int64_t every_ms);
void timer_unset(struct timer *timer);
void timer_close(struct timer *timer);

#endif
