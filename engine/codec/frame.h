#ifndef JML_FRAME_H
#define JML_FRAME_H

#include <stddef.h>
#include <stdint.h>

/*
 * frame: where does the next msgpack value end?
 *
 * A resumable scanner that walks bytes in place, without allocating or recursing, and checks
 * depth, item count and length against limits before msgpack-c sees a byte (its allocations follow
 * the headers it believes). Feed it the same growing buffer again and again: scan->pos remembers.
 * In place, no release, one thread.
 */
enum { FRAME_DEPTH_MAX = 32 };

enum frame_state {
    FRAME_MORE,     /* not whole yet */
    FRAME_DONE,     /* bytes[0..scan->pos) are one value */
    FRAME_BAD,      /* a byte that msgpack does not have (0xc1) */
    FRAME_TOO_DEEP, /* over the depth limit */
    FRAME_TOO_MANY, /* over the item limit */
    FRAME_TOO_LONG, /* over the byte limit, by what its own headers announce */
};

struct frame_scan {
    size_t pos;
    uint64_t skip;                      /* bytes of a str/bin/ext/number body still to pass */
    uint64_t left[FRAME_DEPTH_MAX + 1]; /* children still to come, per open container */
    size_t items, max_bytes, max_items;
    unsigned depth, max_depth;
};

void frame_scan_init(struct frame_scan *scan, size_t max_bytes, size_t max_items,
                     unsigned max_depth);
enum frame_state frame_scan(struct frame_scan *scan, const uint8_t *bytes, size_t n);

#endif
