#include "day_watch.h"

static void
on_time(void *context)
{
    struct day_watch *watch = context;

    timer_set(&watch->timer, engine_day_look(watch->engine), 0);
}

enum err_code
day_watch_start(struct day_watch *watch, struct event_base *base, struct engine *engine,
                struct err *err)
{
    enum err_code code = timer_open(&watch->timer, base, on_time, watch, err);

    if (code != ERR_OK)
        return code;
    watch->engine = engine;
    engine_day_settle(engine);
    on_time(watch);
    return ERR_OK;
}

void
day_watch_stop(struct day_watch *watch)
{
    if (watch->engine != NULL)
        timer_close(&watch->timer);
    watch->engine = NULL;
}
