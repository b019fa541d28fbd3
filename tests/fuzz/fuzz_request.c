#include "frame.h"
#include "fuzz.h"
#include "request.h"
#include "value.h"

/*
 * The envelope, read by hand, against msgpack-c: a frame that the scanner lets through is a request for
 * the one exactly if it is for the other, with the same id, method and parameters. On bytes that no
 * scanner has seen the reader points nowhere outside them.
 */
enum { BYTES_MAX = 1 << 20, ITEMS_MAX = 10000 };

static bool
is_inside(struct str piece, const uint8_t *bytes, size_t n)
{
    const char *begin = (const char *)bytes;

    return piece.len == 0 || (piece.data >= begin && piece.data + piece.len <= begin + n);
}

static void
check_any_bytes(const uint8_t *bytes, size_t n)
{
    struct request request;
    uint32_t msgid = 0;
    bool is_peeked = request_peek_msgid(bytes, n, &msgid);

    if (request_read(bytes, n, &request) != REQUEST_OK)
        return;
    FUZZ_CLAIM(is_inside(request.method, bytes, n));
    FUZZ_CLAIM(is_inside(request.params, bytes, n));
    FUZZ_CLAIM(request.has_one_map || request.params.len == 0);
    FUZZ_CLAIM(is_peeked == !request.is_notification);
    FUZZ_CLAIM(!is_peeked || msgid == request.msgid);
}

/* What is seen at once is what the scanner finds within the least limits that a service may have. */
static void
check_small(const uint8_t *bytes, size_t n)
{
    struct request small, request;
    size_t whole = request_read_small(bytes, n, &small);
    struct frame_scan scan;

    if (whole == 0)
        return;
    FUZZ_CLAIM(whole <= n && whole <= REQUEST_SMALL_BYTES);
    frame_scan_init(&scan, REQUEST_SMALL_BYTES, 8, 3);
    FUZZ_CLAIM(frame_scan(&scan, bytes, n) == FRAME_DONE && scan.pos == whole);
    FUZZ_CLAIM(request_read(bytes, whole, &request) == REQUEST_OK);
    FUZZ_CLAIM(small.has_one_map && request.has_one_map);
    FUZZ_CLAIM(!small.is_notification && !request.is_notification);
    FUZZ_CLAIM(small.msgid == request.msgid);
    FUZZ_CLAIM(small.method.data == request.method.data && small.method.len == request.method.len);
    FUZZ_CLAIM(small.params.data == request.params.data && small.params.len == request.params.len);
}

/* As the tree has it; value_int takes any encoding, and whole floats. */
static bool
is_number(const msgpack_object *value, int64_t least, int64_t most, int64_t *out)
{
    return value_int(value, out) && *out >= least && *out <= most;
}

static bool
text_or_bin(const msgpack_object *value, struct str *out)
{
    if (value->type != MSGPACK_OBJECT_STR && value->type != MSGPACK_OBJECT_BIN)
        return false;
    *out = (struct str){value->via.bin.ptr, value->via.bin.size};
    return true;
}

/* The same verdict, from the tree. */
static bool
library_reads(const msgpack_object *frame, struct request *out, const msgpack_object **params)
{
    int64_t type, msgid = 0;
    size_t n = value_size(frame);

    if (!value_is_array(frame) || (n != 3 && n != 4) ||
        !is_number(value_at(frame, 0), n == 4 ? 0 : 2, n == 4 ? 0 : 2, &type) ||
        (n == 4 && !is_number(value_at(frame, 1), 0, UINT32_MAX, &msgid)) ||
        !text_or_bin(value_at(frame, n - 2), &out->method))
        return false;
    out->is_notification = n == 3;
    out->msgid = (uint32_t)msgid;
    *params = value_at(frame, n - 1);
    out->has_one_map = value_is_array(*params) &&
                       (value_size(*params) == 0 ||
                        (value_size(*params) == 1 && value_is_map(value_at(*params, 0))));
    return true;
}

static void
check_params(const struct request *request, const msgpack_object *params)
{
    msgpack_unpacked unpacked;
    size_t end = 0;

    if (!request->has_one_map || value_size(params) == 0) {
        FUZZ_CLAIM(request->params.len == 0);
        return;
    }
    msgpack_unpacked_init(&unpacked);
    FUZZ_CLAIM(msgpack_unpack_next(&unpacked, request->params.data, request->params.len, &end) ==
               MSGPACK_UNPACK_SUCCESS);
    FUZZ_CLAIM(end == request->params.len);
    FUZZ_CLAIM(value_equal(&unpacked.data, value_at(params, 0)));
    msgpack_unpacked_destroy(&unpacked);
}

static void
check_frame(const uint8_t *bytes, size_t n)
{
    struct request ours, theirs = {.msgid = 0};
    const msgpack_object *params;
    msgpack_unpacked unpacked;
    enum request_state state = request_read(bytes, n, &ours);
    size_t end = 0;

    msgpack_unpacked_init(&unpacked);
    FUZZ_CLAIM(msgpack_unpack_next(&unpacked, (const char *)bytes, n, &end) ==
               MSGPACK_UNPACK_SUCCESS);
    FUZZ_CLAIM(state != REQUEST_MORE);
    FUZZ_CLAIM((state == REQUEST_OK) == library_reads(&unpacked.data, &theirs, &params));
    if (state == REQUEST_OK) {
        FUZZ_CLAIM(ours.is_notification == theirs.is_notification);
        FUZZ_CLAIM(ours.msgid == theirs.msgid);
        FUZZ_CLAIM(str_equal(ours.method, theirs.method));
        FUZZ_CLAIM(ours.has_one_map == theirs.has_one_map);
        check_params(&ours, params);
    }
    msgpack_unpacked_destroy(&unpacked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct frame_scan scan;

    check_any_bytes(bytes, n);
    check_small(bytes, n);
    frame_scan_init(&scan, BYTES_MAX, ITEMS_MAX, FRAME_DEPTH_MAX);
    if (frame_scan(&scan, bytes, n) == FRAME_DONE)
        check_frame(bytes, scan.pos);
    return 0;
}
