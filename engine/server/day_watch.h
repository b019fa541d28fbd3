#ifndef JML_DAY_WATCH_H
#define JML_DAY_WATCH_H

#include "engine.h"
#include "timer.h"

/*
 * day_watch: looks for the next UTC day at its first moment, and once a minute, since clocks are set.
 *
 * On the main loop's thread; the noting is the engine's and the writer's (engine_day_look).
 */
struct day_watch {
    struct engine *engine;
    struct timer timer;
};

/* Waits for the writer where the day is not noted yet: before anybody is served. */
enum err_code day_watch_start(struct day_watch *watch, struct event_base *base,
                              struct engine *engine, struct err *err);
void day_watch_stop(struct day_watch *watch); /* also of one that was never started, all zeros */

#endif
