#include "frame.h"
#include "fuzz.h"

#include <msgpack.h>

/*
 * The scanner against msgpack-c: the same verdict and the same length, and no difference between
 * bytes that come at once and bytes that come one by one. What is over a limit of items or bytes is
 * not shown to msgpack-c, which would ask for the memory that a header announces.
 */
enum { BYTES_MAX = 1 << 20, ITEMS_MAX = 10000 };

static void
check_piecewise(const uint8_t *bytes, size_t n, const struct frame_scan *whole,
                enum frame_state state)
{
    enum frame_state now = FRAME_MORE;
    struct frame_scan scan;

    frame_scan_init(&scan, BYTES_MAX, ITEMS_MAX, FRAME_DEPTH_MAX);
    for (size_t i = 0; i <= n && now == FRAME_MORE; i++)
        now = frame_scan(&scan, bytes, i);
    FUZZ_CLAIM(now == state);
    FUZZ_CLAIM(scan.pos == whole->pos);
    FUZZ_CLAIM(scan.items == whole->items);
}

static void
check_against_library(const uint8_t *bytes, size_t n, const struct frame_scan *scan,
                      enum frame_state state)
{
    msgpack_unpack_return result;
    msgpack_unpacked unpacked;
    size_t end = 0;

    msgpack_unpacked_init(&unpacked);
    result = msgpack_unpack_next(&unpacked, (const char *)bytes, n, &end);
    switch (state) {
    case FRAME_MORE:
        FUZZ_CLAIM(result == MSGPACK_UNPACK_CONTINUE);
        break;
    case FRAME_DONE:
        FUZZ_CLAIM(result == MSGPACK_UNPACK_SUCCESS);
        FUZZ_CLAIM(end == scan->pos);
        break;
    case FRAME_BAD:
        FUZZ_CLAIM(result == MSGPACK_UNPACK_PARSE_ERROR);
        break;
    case FRAME_TOO_DEEP:
        FUZZ_CLAIM(result == MSGPACK_UNPACK_NOMEM_ERROR);
        break;
    case FRAME_TOO_MANY:
    case FRAME_TOO_LONG:
        break;
    }
    msgpack_unpacked_destroy(&unpacked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct frame_scan scan;
    enum frame_state state;

    frame_scan_init(&scan, BYTES_MAX, ITEMS_MAX, FRAME_DEPTH_MAX);
    state = frame_scan(&scan, bytes, n);
    FUZZ_CLAIM(scan.pos <= n);
    FUZZ_CLAIM(scan.items <= ITEMS_MAX);
    FUZZ_CLAIM(scan.depth <= FRAME_DEPTH_MAX);
    check_piecewise(bytes, n, &scan, state);
    if (state != FRAME_TOO_MANY && state != FRAME_TOO_LONG && n != 0)
        check_against_library(bytes, n, &scan, state);
    return 0;
}
