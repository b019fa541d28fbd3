#include "http_reply.h"

#include "fail.h"

#include <http_parser.h>

#include <string.h>
#include <strings.h>

enum {
    LINE_BYTES = 12, /* "HTTP/1.1 200" */
    DIGITS_MAX = 18, /* of a length: below 2^63 */
    RETRY_S_MAX = 3600
};

/* What the library's callbacks collect. Texts point into the caller's bytes. */
struct reading {
    struct jml_text reason, name, length, transfer_encoding, content_encoding, content_type,
        retry_after, location;
    bool is_named; /* name is waiting for its value */
    bool keep_alive, is_complete;
    const char *why; /* NULL: nothing is wrong */
};

/* ---- library ---- */

static int
refuse(struct reading *reading, const char *why)
{
    if (reading->why == NULL)
        reading->why = why;
    return 1; /* which stops the library */
}

static bool
is_same(struct jml_text text, const char *other)
{
    return text.len == strlen(other) && strncasecmp(text.data, other, text.len) == 0;
}

/* Where the value of a header goes; NULL for one that nobody here asks for. */
static struct jml_text *
slot_of(struct reading *reading)
{
    const struct {
        const char *name;
        struct jml_text *slot;
    } rows[] = {
        {"content-length", &reading->length},
        {"transfer-encoding", &reading->transfer_encoding},
        {"content-encoding", &reading->content_encoding},
        {"content-type", &reading->content_type},
        {"retry-after", &reading->retry_after},
        {"location", &reading->location},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (is_same(reading->name, rows[i].name))
            return rows[i].slot;
    return NULL;
}

static struct jml_text
trim(const char *at, size_t n)
{
    while (n != 0 && (at[0] == ' ' || at[0] == '\t'))
        at++, n--;
    while (n != 0 && (at[n - 1] == ' ' || at[n - 1] == '\t'))
        n--;
    return (struct jml_text){at, n};
}

static int
on_reason(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;

    reading->reason = (struct jml_text){at, n};
    return 0;
}

static int
on_name(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;

    if (reading->is_named || !http_lines_is_token(at, n) || at[n] != ':')
        return refuse(reading, "has a header whose name is none, or has no colon behind it");
    reading->name = (struct jml_text){at, n};
    reading->is_named = true;
    return 0;
}

static int
on_value(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;
    struct jml_text *slot = slot_of(reading);

    if (!reading->is_named)
        return refuse(reading, "has a header line without a name");
    reading->is_named = false;
    if (slot == NULL)
        return 0;
    if (slot->data != NULL)
        return refuse(reading, slot == &reading->length ? "gives its Content-Length twice"
                                                        : "gives a header twice that is unique");
    *slot = trim(at, n);
    return 0;
}

static int
on_complete(http_parser *parser)
{
    struct reading *reading = parser->data;

    reading->is_complete = true;
    /* under 1.0 the library lets "close, keep-alive" mean the latter */
    reading->keep_alive =
        http_should_keep_alive(parser) != 0 && (parser->flags & F_CONNECTION_CLOSE) == 0;
    return 1; /* the body is ours */
}

static bool
parse(struct reading *reading, const uint8_t *bytes, size_t n)
{
    static const http_parser_settings settings = {
        .on_status = on_reason,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_complete,
    };
    http_parser parser;

    http_parser_init(&parser, HTTP_RESPONSE);
    parser.data = reading;
    http_parser_execute(&parser, &settings, (const char *)bytes, n);
    if (reading->why == NULL && (!reading->is_complete || reading->is_named)) {
        switch ((int)HTTP_PARSER_ERRNO(&parser)) {
        case HPE_INVALID_CONTENT_LENGTH:
            reading->why = "has a Content-Length that is no number of digits only";
            break;
        case HPE_UNEXPECTED_CONTENT_LENGTH:
            reading->why = "gives its Content-Length twice, or beside a transfer coding";
            break;
        default:
            reading->why = "has no head of HTTP/1.1";
        }
    }
    return reading->why == NULL;
}

/* ---- judge ---- */

static bool
is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* `HTTP/1.x DDD`, then a space or the line's end. */
static bool
judge_first_line(struct reading *reading, const uint8_t *bytes)
{
    if ((bytes[7] != '0' && bytes[7] != '1') || bytes[8] != ' ' || bytes[9] < '1' ||
        !is_digit(bytes[9]) || !is_digit(bytes[10]) || !is_digit(bytes[11]) ||
        (bytes[12] != ' ' && bytes[12] != '\r'))
        return !refuse(reading, "has a first line that is not HTTP/1.1 and a status");
    return true;
}

static bool
read_number(struct jml_text text, uint64_t *out)
{
    *out = 0;
    if (text.len == 0 || text.len > DIGITS_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit((uint8_t)text.data[i]))
            return false;
        *out = *out * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

static bool
judge_body(struct reading *reading, struct http_reply *out)
{
    if (reading->transfer_encoding.data != NULL)
        return !refuse(reading,
                       "comes in a transfer coding (chunked), which is not taken here; a proxy in "
                       "between must pass Content-Length on");
    if (reading->content_encoding.data != NULL && !is_same(reading->content_encoding, "identity"))
        return !refuse(reading, "is compressed, which nobody asked for");
    out->has_length = reading->length.data != NULL;
    if (out->has_length && !read_number(reading->length, &out->length))
        return !refuse(reading, "has a Content-Length that is no number of digits only");
    return true;
}

/* The media type alone, or with parameters behind it. */
static bool
is_media(struct jml_text type, const char *name)
{
    const char *mark = type.data != NULL ? memchr(type.data, ';', type.len) : NULL;
    size_t n = mark != NULL ? (size_t)(mark - type.data) : type.len;

    return type.data != NULL && is_same(trim(type.data, n), name);
}

static void
tell(const struct reading *reading, const uint8_t *bytes, struct http_reply *out)
{
    struct jml_text reason = reading->reason, location = reading->location;
    uint64_t seconds;

    out->status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
    out->keep_alive = reading->keep_alive;
    out->is_msgpack = is_media(reading->content_type, "application/msgpack");
    out->is_text = is_media(reading->content_type, "text/plain");
    if (read_number(reading->retry_after, &seconds)) /* a date is passed over */
        out->retry_ms = (int64_t)(seconds < RETRY_S_MAX ? seconds : RETRY_S_MAX) * 1000;
    if (reason.data != NULL)
        jmli_copy_ascii(out->reason, sizeof out->reason, reason.data, reason.len);
    if (location.data != NULL)
        jmli_copy_ascii(out->location, sizeof out->location, location.data, location.len);
}

static const char *
why_lines(enum http_lines_state state)
{
    switch (state) {
    case HTTP_LINES_CR:
    case HTTP_LINES_CONTROL:
        return "has a control character in its head, or a line that does not end with CR LF";
    case HTTP_LINES_INDENTED:
        return "has a line in its head that begins with white space";
    case HTTP_LINES_MANY:
        return "has more than 100 header lines";
    case HTTP_LINES_LONG:
        return "has a head of more than 16 KiB";
    case HTTP_LINES_EMPTY:
    case HTTP_LINES_MORE:
    case HTTP_LINES_DONE:
        break;
    }
    return "has no head of HTTP/1.1";
}

enum http_reply_state
jmli_http_reply_read(struct http_scan *scan, const uint8_t *bytes, size_t n, struct http_reply *out,
                     const char **why)
{
    static const char begin[] = "HTTP/1.";
    size_t shown = n < sizeof begin - 1 ? n : sizeof begin - 1;
    struct http_reply reply = {.status = 0};
    struct reading reading = {.is_named = false};
    enum http_lines_state state;

    if (memcmp(bytes, begin, shown) != 0)
        return HTTP_REPLY_FOREIGN;
    state = http_lines_scan(scan, bytes, n, REPLY_HEAD_BYTES, REPLY_LINES);
    if (state == HTTP_LINES_MORE)
        return HTTP_REPLY_MORE;
    if (state != HTTP_LINES_DONE) {
        *why = why_lines(state);
        return HTTP_REPLY_REFUSED;
    }
    if (scan->pos <= LINE_BYTES)
        reading.why = "has no head of HTTP/1.1";
    if (reading.why != NULL || !judge_first_line(&reading, bytes) ||
        !parse(&reading, bytes, scan->pos) || !judge_body(&reading, &reply)) {
        *why = reading.why;
        return HTTP_REPLY_REFUSED;
    }
    tell(&reading, bytes, &reply);
    *out = reply;
    return HTTP_REPLY_DONE;
}
