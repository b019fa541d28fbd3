#include "request.h"

#include <string.h>

/*
 * A cursor over whole bytes; every reader answers REQUEST_MORE at their end, so that the same code
 * serves the frame that came whole and the one that never will.
 */
struct cursor {
    const uint8_t *at, *end;
};

static uint64_t
big_endian(const uint8_t *at, size_t n)
{
    uint64_t number = 0;

    for (size_t i = 0; i < n; i++)
        number = number << 8 | at[i];
    return number;
}

/* A type byte and n bytes after it. */
static bool
has(const struct cursor *cursor, size_t n)
{
    return (size_t)(cursor->end - cursor->at) > n;
}

/* Whole numbers of a float, as far as an id or a type can go. */
static bool
whole_of_float(double value, uint64_t *out)
{
    if (!(value >= 0 && value <= 4294967295.0) || (double)(uint64_t)value != value)
        return false;
    *out = (uint64_t)value;
    return true;
}

static bool
float_of(const uint8_t *at, uint8_t type, uint64_t *out)
{
    uint32_t narrow_bits = (uint32_t)big_endian(at, 4);
    uint64_t wide_bits;
    float narrow;
    double wide;

    if (type == 0xca) {
        memcpy(&narrow, &narrow_bits, sizeof narrow);
        return whole_of_float((double)narrow, out);
    }
    wide_bits = big_endian(at, 8);
    memcpy(&wide, &wide_bits, sizeof wide);
    return whole_of_float(wide, out);
}

/* An unsigned number in any encoding that msgpack has for it. */
static enum request_state
read_number(struct cursor *cursor, uint64_t *out)
{
    size_t width;
    uint8_t type;

    if (!has(cursor, 0))
        return REQUEST_MORE;
    type = cursor->at[0];
    if (type < 0x80) {
        *out = type;
        cursor->at++;
        return REQUEST_OK;
    }
    if (type < 0xca || type > 0xd3)
        return REQUEST_BAD;
    if (type <= 0xcb)
        width = type == 0xca ? 4 : 8;
    else
        width = (size_t)1 << ((type - 0xcc) & 3);
    if (!has(cursor, width))
        return REQUEST_MORE;
    if (type <= 0xcb) {
        if (!float_of(cursor->at + 1, type, out))
            return REQUEST_BAD;
    } else {
        if (type >= 0xd0 && (cursor->at[1] & 0x80) != 0) /* negative */
            return REQUEST_BAD;
        *out = big_endian(cursor->at + 1, width);
    }
    cursor->at += 1 + width;
    return REQUEST_OK;
}

/* The length of an array, a map, or a text, by the widths of their headers. */
static enum request_state
read_length(struct cursor *cursor, uint8_t fix, uint8_t fix_mask, uint8_t wide, uint64_t *out)
{
    size_t width;
    uint8_t type;

    if (!has(cursor, 0))
        return REQUEST_MORE;
    type = cursor->at[0];
    if ((type & (uint8_t)~fix_mask) == fix) {
        *out = type & fix_mask;
        cursor->at++;
        return REQUEST_OK;
    }
    if (type != wide && type != wide + 1)
        return REQUEST_BAD;
    width = type == wide ? 2 : 4;
    if (!has(cursor, width))
        return REQUEST_MORE;
    *out = big_endian(cursor->at + 1, width);
    cursor->at += 1 + width;
    return REQUEST_OK;
}

static enum request_state
read_array(struct cursor *cursor, uint64_t *n)
{
    return read_length(cursor, 0x90, 0x0f, 0xdc, n);
}

/* str or bin */
static enum request_state
read_text(struct cursor *cursor, struct str *out)
{
    enum request_state state;
    uint64_t n;

    if (!has(cursor, 0))
        return REQUEST_MORE;
    if ((cursor->at[0] & 0xe0) == 0xa0) {
        n = *cursor->at++ & 0x1f;
    } else if (cursor->at[0] == 0xd9 || cursor->at[0] == 0xc4) {
        if (!has(cursor, 1))
            return REQUEST_MORE;
        n = cursor->at[1];
        cursor->at += 2;
    } else if (cursor->at[0] == 0xc5 || cursor->at[0] == 0xc6) {
        if ((state = read_length(cursor, 0xff, 0, 0xc5, &n)) != REQUEST_OK)
            return state;
    } else if ((state = read_length(cursor, 0xa0, 0x1f, 0xda, &n)) != REQUEST_OK) {
        return state;
    }
    if ((uint64_t)(cursor->end - cursor->at) < n)
        return REQUEST_MORE;
    *out = (struct str){(const char *)cursor->at, (size_t)n};
    cursor->at += n;
    return REQUEST_OK;
}

static bool
is_map(uint8_t type)
{
    return (type & 0xf0) == 0x80 || type == 0xde || type == 0xdf;
}

/* The frame is whole, so what is left after the array's header is its elements. */
static enum request_state
read_params(struct cursor *cursor, struct request *out)
{
    struct cursor rest = *cursor;
    uint64_t n;

    out->params = (struct str){NULL, 0};
    out->has_one_map = false;
    if (!has(&rest, 0))
        return REQUEST_MORE;
    if (*rest.at == 0x90) {
        out->has_one_map = true;
        return REQUEST_OK;
    }
    if (read_array(&rest, &n) != REQUEST_OK)
        return REQUEST_OK; /* params that are no array: the request can be told so */
    if (n == 0) {
        out->has_one_map = true;
    } else if (n == 1 && has(&rest, 0) && is_map(rest.at[0])) {
        out->params = (struct str){(const char *)rest.at, (size_t)(rest.end - rest.at)};
        out->has_one_map = true;
    }
    return REQUEST_OK;
}

/* The array's header, the type and, for a request, the msgid. */
static enum request_state
read_envelope(struct cursor *cursor, struct request *out)
{
    enum request_state state;
    uint64_t n, type, msgid = 0;

    if (has(cursor, 2) && cursor->at[0] == 0x94 && cursor->at[1] == 0 && cursor->at[2] < 0x80) {
        out->is_notification = false; /* as most begin: three bytes */
        out->msgid = cursor->at[2];
        cursor->at += 3;
        return REQUEST_OK;
    }
    if ((state = read_array(cursor, &n)) != REQUEST_OK)
        return state;
    if (n != 3 && n != 4)
        return REQUEST_BAD;
    if ((state = read_number(cursor, &type)) != REQUEST_OK)
        return state;
    if (!(type == 0 && n == 4) && !(type == 2 && n == 3))
        return REQUEST_BAD;
    out->is_notification = type == 2;
    if (type == 0) {
        if ((state = read_number(cursor, &msgid)) != REQUEST_OK)
            return state;
        if (msgid > UINT32_MAX)
            return REQUEST_BAD;
    }
    out->msgid = (uint32_t)msgid;
    return REQUEST_OK;
}

/* The length of the short text that `type` begins; SIZE_MAX if it begins none. */
static size_t
short_text(uint8_t type)
{
    return (type & 0xe0) == 0xa0 ? type & 0x1f : SIZE_MAX;
}

/* The end of [{key: value}] as it may stand in a small request; NULL if it does not. */
static const uint8_t *
small_map_end(const uint8_t *at, const uint8_t *end)
{
    size_t len;

    if (end - at < 4 || at[0] != 0x91 || at[1] != 0x81)
        return NULL;
    len = short_text(at[2]);
    at += 3;
    if (len >= (size_t)(end - at))
        return NULL;
    at += len;
    if (*at < 0x80)
        return at + 1;
    if (*at == 0xd9) {
        if (end - at < 2)
            return NULL;
        len = *++at;
    } else {
        len = short_text(*at);
    }
    at++;
    return len <= (size_t)(end - at) ? at + len : NULL;
}

size_t
request_read_small(const uint8_t *bytes, size_t n, struct request *out)
{
    const uint8_t *at = bytes + 3, *end = bytes + n, *params;
    size_t len;

    if (n < 5 || bytes[0] != 0x94 || bytes[1] != 0)
        return 0;
    out->msgid = bytes[2];
    if (bytes[2] >= 0x80) {
        size_t width = (size_t)1 << (bytes[2] & 3); /* 8, 16 or 32 bits */

        if (bytes[2] < 0xcc || bytes[2] > 0xce || n < 5 + width)
            return 0;
        out->msgid = (uint32_t)big_endian(at, width);
        at += width;
    }
    len = short_text(*at++);
    if (len >= (size_t)(end - at))
        return 0;
    out->method = (struct str){(const char *)at, len};
    params = at + len;
    out->is_notification = false;
    out->has_one_map = true;
    out->params = (struct str){NULL, 0};
    if (*params == 0x90)
        return (size_t)(params + 1 - bytes);
    end = small_map_end(params, end);
    if (end == NULL)
        return 0;
    out->params = (struct str){(const char *)params + 1, (size_t)(end - params - 1)};
    return (size_t)(end - bytes);
}

enum request_state
request_read(const uint8_t *bytes, size_t n, struct request *out)
{
    struct cursor cursor = {bytes, bytes + n};
    enum request_state state;

    if ((state = read_envelope(&cursor, out)) != REQUEST_OK ||
        (state = read_text(&cursor, &out->method)) != REQUEST_OK)
        return state;
    return read_params(&cursor, out);
}

bool
request_peek_msgid(const uint8_t *bytes, size_t n, uint32_t *msgid)
{
    struct cursor cursor = {bytes, bytes + n};
    struct request request;

    if (read_envelope(&cursor, &request) != REQUEST_OK || request.is_notification)
        return false;
    *msgid = request.msgid;
    return true;
}

size_t
request_answer_head(uint8_t out[REQUEST_ANSWER_HEAD], uint32_t msgid, bool has_error)
{
    size_t n = 0;
    size_t width = msgid < 0x80 ? 0 : msgid < 0x100 ? 1 : msgid < 0x10000 ? 2 : 4;

    out[n++] = 0x94;
    out[n++] = 0x01;
    if (width == 0)
        out[n++] = (uint8_t)msgid;
    else
        out[n++] = width == 1 ? 0xcc : width == 2 ? 0xcd : 0xce;
    for (size_t i = width; i > 0; i--)
        out[n++] = (uint8_t)(msgid >> (8 * (i - 1)));
    if (!has_error)
        out[n++] = 0xc0;
    return n;
}
