#include "day_watch.h"

static void
on_time(evutil_socket_t fd, short what, void *context)
{
    struct day_watch *watch = context;
    int64_t wait_ms = engine_day_look(watch->engine);
    const struct timeval wait = {(time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000)};

    (void)fd;
    (void)what;
    event_add(&watch->timer, &wait);
}

void
day_watch_start(struct day_watch *watch, struct event_base *base, struct engine *engine)
{
    watch->engine = engine;
    engine_day_settle(engine);
    event_assign(&watch->timer, base, -1, 0, on_time, watch);
    on_time(-1, 0, watch);
}

void
day_watch_stop(struct day_watch *watch)
{
    if (watch->engine != NULL)
        event_del(&watch->timer);
    watch->engine = NULL;
}
