#ifndef JML_TALLY_H
#define JML_TALLY_H

#include "buf.h"

#include <stdatomic.h>
#include <stdint.h>

/*
 * tally: what the service counts about itself; shown by system.stats as "service".
 *
 * Counters only grow; gauges say how it stands now. Any thread may add; a reader sees each number
 * whole, not all of one instant. What a counter is to be divided by stands in its text.
 */
enum tally {
    TALLY_CONNECTIONS, /* gauge */
    TALLY_HELD_BYTES,  /* gauge */
    TALLY_IN_FLIGHT,   /* gauge */
    TALLY_ACCEPTED,
    TALLY_REFUSED,
    TALLY_CLOSED_IDLE,
    TALLY_CLOSED_SLOW,
    TALLY_CLOSED_UNREAD,
    TALLY_CLOSED_OVER_TOTAL,
    TALLY_ACCEPT_PAUSES,
    TALLY_REQUESTS,
    TALLY_NOTIFICATIONS,
    TALLY_NOTIFICATIONS_FAILED,
    TALLY_BAD_FRAMES,
    TALLY_HTTP_REQUESTS,
    TALLY_HTTP_PAGES,
    TALLY_TLS_FAILED,
    TALLY_UNAUTHENTICATED,
    TALLY_BUSY,
    TALLY_JOBS,
    TALLY_READS,
    TALLY_WRITES,
    TALLY_BYTES_IN,
    TALLY_BYTES_OUT,
    TALLY_PAUSES,
    TALLY_DROPPED_ANSWERS,
    TALLY_SLOW_CALLBACKS,
    TALLY_COUNT
};

struct tally_row {
    const char *name, *unit, *text;
    bool is_gauge;
};
extern const struct tally_row tally_rows[TALLY_COUNT];

struct tallies {
    _Atomic int64_t values[TALLY_COUNT];
};

static inline void
tally_add(struct tallies *tallies, enum tally which, int64_t n)
{
    atomic_fetch_add_explicit(&tallies->values[which], n, memory_order_relaxed);
}

static inline int64_t
tally_get(const struct tallies *tallies, enum tally which)
{
    return atomic_load_explicit(&tallies->values[which], memory_order_relaxed);
}

/* One map, by name. */
void tally_pack(const struct tallies *tallies, struct buf *out);

#endif
