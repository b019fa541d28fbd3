#include "clock.h"

#include <time.h>

static int64_t
read_us(clockid_t id)
{
    struct timespec now = {0};

    clock_gettime(id, &now); /* fails only for a clock that does not exist */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t
system_wall_ms(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_REALTIME) / 1000;
}

static int64_t
system_steady_ms(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC) / 1000;
}

static int64_t
system_steady_us(const struct clock *clock)
{
    (void)clock;
    return read_us(CLOCK_MONOTONIC);
}

static int64_t
fixed_wall_ms(const struct clock *clock)
{
    return clock->fixed_wall_ms;
}

static int64_t
fixed_steady_ms(const struct clock *clock)
{
    return clock->fixed_steady_ms;
}

static int64_t
fixed_steady_us(const struct clock *clock)
{
    return clock->fixed_steady_ms * 1000;
}

const struct clock *
clock_system(void)
{
    static const struct clock system = {
        .wall_ms = system_wall_ms, .steady_ms = system_steady_ms, .steady_us = system_steady_us};

    return &system;
}

struct clock
clock_fixed(int64_t wall_ms, int64_t steady_ms)
{
    return (struct clock){
        .wall_ms = fixed_wall_ms,
        .steady_ms = fixed_steady_ms,
        .steady_us = fixed_steady_us,
        .fixed_wall_ms = wall_ms,
        .fixed_steady_ms = steady_ms,
    };
}
