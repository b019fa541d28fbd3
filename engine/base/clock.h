#ifndef JML_CLOCK_H
#define JML_CLOCK_H

#include <stdint.h>

/*
 * clock: what time it is, behind a value so that tests can say.
 *
 * wall_ms: milliseconds since 1970 UTC, for what is stored. steady_ms: monotonic milliseconds, for
 * deadlines; steady_us the same finer, for how long something took. The system's clock from clock_system(); a test fills its own. Any thread may read.
 */
struct clock {
    int64_t (*wall_ms)(const struct clock *clock);
    int64_t (*steady_ms)(const struct clock *clock);
    int64_t (*steady_us)(const struct clock *clock);
    int64_t fixed_wall_ms, fixed_steady_ms; /* what clock_fixed answers */
};

const struct clock *clock_system(void);
struct clock clock_fixed(int64_t wall_ms, int64_t steady_ms);

#endif
