#include "http_head.h"

#include <http_parser.h>

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

/*
 * Three readers in a row, each leaving less to the next:
 *
 *     scan      bytes and lines (http_lines.h): the head is whole, sound and within its limit before
 *               anything else sees it
 *     library   http-parser: first line, names and values, Content-Length, Connection
 *     judge     what the library lets through, or reads in a way of its own
 *
 * Debian builds the library without its strict mode. Tried with 2.9.4-5, it lets through: bare LF,
 * folded lines, spaces in and after names, two Host lines, several spaces between the words of the
 * first line, empty lines before it, no version at all, versions up to 9.9, targets of any byte above
 * 0x20, absolute and `*` targets under GET, "SOURCE / ICE/1.0". It does refuse two Content-Length
 * lines and any that is not digits, Content-Length beside Transfer-Encoding, and what is no method.
 */

const struct http_limits http_limits_preset = {
    .head_bytes = 8 * 1024,
    .target_bytes = 2 * 1024,
    .lines = 64,
    .body_bytes = UINT64_C(8) * 1024 * 1024,
};

bool
http_refuse(struct http_refusal *refusal, int status, const char *format, ...)
{
    va_list args;

    *refusal = (struct http_refusal){.status = status};
    va_start(args, format);
    vsnprintf(refusal->sentence, sizeof refusal->sentence, format, args);
    va_end(args);
    return false;
}

/* ---- scan ---- */

static enum http_head_state
scan_head(struct http_scan *scan, const uint8_t *bytes, size_t n, const struct http_limits *limits,
          struct http_refusal *refusal)
{
    switch (http_lines_scan(scan, bytes, n, limits->head_bytes, limits->lines)) {
    case HTTP_LINES_MORE:
        return HTTP_HEAD_MORE;
    case HTTP_LINES_DONE:
        return HTTP_HEAD_DONE;
    case HTTP_LINES_CR:
        http_refuse(refusal, 400, "a CR without LF in the head; lines end with CR LF");
        break;
    case HTTP_LINES_CONTROL:
        http_refuse(refusal, 400, "byte 0x%02x in the head; %s", bytes[scan->pos],
                    bytes[scan->pos] == '\n' ? "lines end with CR LF"
                                             : "it may hold no control characters");
        break;
    case HTTP_LINES_INDENTED:
        http_refuse(refusal, 400, "a line of the head begins with white space");
        break;
    case HTTP_LINES_EMPTY:
        http_refuse(refusal, 400, "an empty line where a request should begin");
        break;
    case HTTP_LINES_MANY:
        http_refuse(refusal, 431, "more than %zu header lines", limits->lines);
        break;
    case HTTP_LINES_LONG:
        if (scan->n_lines == 0)
            http_refuse(refusal, 414, "the first line is longer than %zu bytes",
                        limits->head_bytes);
        else
            http_refuse(refusal, 431, "the head is longer than %zu bytes", limits->head_bytes);
        break;
    }
    return HTTP_HEAD_REFUSED;
}

/* ---- library ---- */

/* What the library's callbacks collect. */
struct reading {
    struct http_head *head;
    struct http_refusal *refusal;
    struct str target, name, content_length, transfer_encoding, expect, upgrade;
    bool is_named; /* name is waiting for its value */
    bool keep_alive;
    bool is_complete;
};

/* Where the value of a header goes; NULL for one that nobody here asks for. */
static struct str *
slot_of(struct reading *reading, struct str name)
{
    struct http_head *head = reading->head;
    const struct {
        struct str name;
        struct str *slot;
    } rows[] = {
        {STR_LIT("host"), &head->host},
        {STR_LIT("origin"), &head->origin},
        {STR_LIT("authorization"), &head->authorization},
        {STR_LIT("content-type"), &head->content_type},
        {STR_LIT("content-encoding"), &head->content_encoding},
        {STR_LIT("content-length"), &reading->content_length},
        {STR_LIT("transfer-encoding"), &reading->transfer_encoding},
        {STR_LIT("sec-fetch-site"), &head->sec_fetch_site},
        {STR_LIT("if-none-match"), &head->if_none_match},
        {STR_LIT("accept-encoding"), &head->accept_encoding},
        {STR_LIT("accept-language"), &head->accept_language},
        {STR_LIT("expect"), &reading->expect},
        {STR_LIT("upgrade"), &reading->upgrade},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].name.len == name.len &&
            strncasecmp(rows[i].name.data, name.data, name.len) == 0)
            return rows[i].slot;
    return NULL;
}

static struct str
trim(struct str s)
{
    while (s.len != 0 && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = (struct str){s.data + 1, s.len - 1};
    while (s.len != 0 && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* The head comes in one piece, so each name and value does as well: two in a row would be a reading
 * of its lines that is not ours. Callbacks that answer other than 0 stop the library. */
static int
on_target(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;

    if (reading->target.data != NULL)
        return !http_refuse(reading->refusal, 400, "the first line has no single target");
    reading->target = (struct str){at, n};
    return 0;
}

static int
on_name(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;

    reading->name = (struct str){at, n};
    if (reading->is_named || !http_lines_is_token(at, n) || at[n] != ':')
        return !http_refuse(reading->refusal, 400,
                            "a header name has a character that names may not have, or no colon "
                            "right behind it");
    reading->is_named = true;
    return 0;
}

static int
on_value(http_parser *parser, const char *at, size_t n)
{
    struct reading *reading = parser->data;
    struct str *slot = slot_of(reading, reading->name);

    if (!reading->is_named)
        return !http_refuse(reading->refusal, 400, "a header line without a name");
    reading->is_named = false;
    if (slot == NULL)
        return 0;
    if (slot->data != NULL)
        return !http_refuse(reading->refusal, 400, "header %.*s comes twice",
                            STR_ARG(reading->name));
    *slot = trim((struct str){at, n});
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
    return 0;
}

static bool
refuse_for(const struct reading *reading, enum http_errno number)
{
    if (reading->refusal->status != 0)
        return false; /* by a callback */
    switch ((int)number) {
    case HPE_INVALID_METHOD:
        return http_refuse(reading->refusal, 501,
                           "no method of HTTP; GET, HEAD and POST are known");
    case HPE_INVALID_CONTENT_LENGTH:
        return http_refuse(reading->refusal, 400, "Content-Length is not a number of digits only");
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return http_refuse(reading->refusal, 400,
                           "Content-Length comes twice, or beside Transfer-Encoding");
    case HPE_INVALID_TRANSFER_ENCODING:
        return http_refuse(reading->refusal, 501,
                           "Transfer-Encoding is not known here; send Content-Length");
    default:
        return http_refuse(reading->refusal, 400, "not a head of HTTP/1.1: %s",
                           http_errno_description(number));
    }
}

static bool
parse_head(struct reading *reading, const uint8_t *bytes, size_t n, http_parser *parser)
{
    static const http_parser_settings settings = {
        .on_url = on_target,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_complete,
    };

    http_parser_init(parser, HTTP_REQUEST);
    parser->data = reading;
    http_parser_execute(parser, &settings, (const char *)bytes, n);
    /* an error behind the last line is about a transfer coding, which is judged with a better word */
    if (HTTP_PARSER_ERRNO(parser) != HPE_OK && !reading->is_complete)
        return refuse_for(reading, HTTP_PARSER_ERRNO(parser));
    if (!reading->is_complete || reading->is_named)
        return http_refuse(reading->refusal, 400, "not a head of HTTP/1.1");
    return true;
}

/* ---- judge ---- */

/* `METHOD target HTTP/1.x`, with one space at each place and nothing else: the library has read these
 * words, so their lengths must add up to the line. */
static bool
judge_first_line(const struct reading *reading, const http_parser *parser, const uint8_t *bytes,
                 const struct http_limits *limits)
{
    const char *method = http_method_str((enum http_method)parser->method);
    const char *behind = reading->target.data + reading->target.len;
    size_t n = strlen(method);

    if (reading->target.data == NULL || reading->target.data != (const char *)bytes + n + 1 ||
        memcmp(bytes, method, n) != 0 || bytes[n] != ' ')
        return http_refuse(reading->refusal, 400,
                           "the first line is not: method, one space, target, one space, version");
    if (parser->http_major == 0)
        return http_refuse(reading->refusal, 505, "no version; HTTP/1.1 and 1.0 are known");
    if (memcmp(behind, " HTTP/", 6) != 0 || memcmp(behind + 9, "\r\n", 2) != 0)
        return http_refuse(reading->refusal, 400,
                           "the first line is not: method, one space, target, one space, version");
    if (parser->http_major != 1 || parser->http_minor > 1)
        return http_refuse(reading->refusal, 505, "not a known version; HTTP/1.1 and 1.0 are");
    if (reading->target.len > limits->target_bytes || reading->target.len > HTTP_TARGET_MAX)
        return http_refuse(reading->refusal, 414, "the target is longer than %zu bytes",
                           limits->target_bytes);
    switch (parser->method) {
    case HTTP_GET:
        reading->head->verb = HTTP_VERB_GET;
        break;
    case HTTP_HEAD:
        reading->head->verb = HTTP_VERB_HEAD;
        break;
    case HTTP_POST:
        reading->head->verb = HTTP_VERB_POST;
        break;
    default:
        return http_refuse(reading->refusal, 405, "a method that nothing here allows");
    }
    reading->head->minor = parser->http_minor;
    return true;
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that stands at i, an escape resolved, and *i moved behind it; -1 if the escape is broken. */
static int
next_byte(struct str s, size_t *i)
{
    int high, low;

    if (s.data[*i] != '%')
        return (uint8_t)s.data[(*i)++];
    if (s.len - *i < 3 || (high = hex_value(s.data[*i + 1])) < 0 ||
        (low = hex_value(s.data[*i + 2])) < 0)
        return -1;
    *i += 3;
    return high * 16 + low;
}

/* Whether a decoded path has a segment of dots only; either slash parts segments, since a file system
 * or a proxy may take either. */
static bool
has_dots(struct str path)
{
    size_t begin = 0;

    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.data[i] != '/' && path.data[i] != '\\')
            continue;
        if ((i - begin == 1 && path.data[begin] == '.') ||
            (i - begin == 2 && path.data[begin] == '.' && path.data[begin + 1] == '.'))
            return true;
        begin = i + 1;
    }
    return false;
}

bool
http_path_decode(struct str path, char *room, struct str *decoded)
{
    struct str result = {room, 0};

    for (size_t i = 0; i < path.len;) {
        int byte = next_byte(path, &i);

        if (byte < ' ' || byte == 0x7f)
            return false;
        room[result.len++] = (char)byte;
    }
    if (!str_is_utf8(result) || has_dots(result))
        return false;
    *decoded = result;
    return true;
}

/* What an URI may be written with (RFC 3986), the characters of escapes included. */
static bool
is_target_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("\"#<>\\^`{|}", c) == NULL;
}

static bool
judge_target(const struct reading *reading)
{
    char room[HTTP_TARGET_MAX]; /* decoded only to be looked at */
    struct http_head *head = reading->head;
    struct str target = reading->target, decoded;
    size_t mark = str_find(target, '?', 0);

    if (target.len == 0 || target.data[0] != '/')
        return http_refuse(reading->refusal, 400,
                           "the target is not a path; it begins with '/', and Host names the host");
    for (size_t i = 0; i < target.len; i++)
        if (!is_target_char(target.data[i]))
            return http_refuse(reading->refusal, 400,
                               "the target has a character that must be written as an escape");
    head->path = (struct str){target.data, mark};
    if (mark != target.len) {
        head->query = (struct str){target.data + mark + 1, target.len - mark - 1};
        for (size_t i = 0; i < head->query.len;)
            if (next_byte(head->query, &i) < 0)
                return http_refuse(reading->refusal, 400, "the query has a broken escape");
    }
    if (!http_path_decode(head->path, room, &decoded))
        return http_refuse(
            reading->refusal, 400,
            "the path has a broken escape, a control character or a segment of dots");
    return true;
}

/* A name or an address, perhaps with a port: no user, path or list can hide in it. */
static bool
judge_host(const struct reading *reading)
{
    struct str host = reading->head->host;

    if (host.data == NULL && reading->head->minor == 0)
        return true;
    if (host.data == NULL)
        return http_refuse(reading->refusal, 400, "no Host; HTTP/1.1 wants one");
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') &&
            (c == '\0' || strchr("-._:[]", c) == NULL))
            return http_refuse(reading->refusal, 400, "Host is not a name with an optional port");
    }
    return host.len != 0 || http_refuse(reading->refusal, 400, "Host is empty");
}

static bool
judge_body(const struct reading *reading, const struct http_limits *limits)
{
    struct http_head *head = reading->head;
    struct str text = reading->content_length;

    if (reading->transfer_encoding.data != NULL)
        return http_refuse(reading->refusal, 501,
                           "Transfer-Encoding is not known here; send Content-Length");
    if (text.data == NULL)
        return head->verb != HTTP_VERB_POST ||
               http_refuse(reading->refusal, 411, "POST wants a Content-Length");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return http_refuse(reading->refusal, 400,
                               "Content-Length is not a number of digits only");
        if (head->content_length <= limits->body_bytes)
            head->content_length = head->content_length * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (text.len == 0)
        return http_refuse(reading->refusal, 400, "Content-Length is empty");
    if (head->content_length > limits->body_bytes)
        return http_refuse(reading->refusal, 413, "the body is larger than %llu bytes",
                           (unsigned long long)limits->body_bytes);
    head->has_body = head->content_length != 0;
    if (head->has_body && head->verb != HTTP_VERB_POST)
        return http_refuse(reading->refusal, 400, "a body comes with POST only");
    return true;
}

static bool
judge_wishes(const struct reading *reading)
{
    struct http_head *head = reading->head;
    struct str expect = reading->expect;

    if (reading->upgrade.data != NULL)
        return http_refuse(reading->refusal, 400, "no upgrade to another protocol is offered");
    if (expect.data == NULL || head->minor == 0) /* 1.0 knows no Expect */
        return true;
    if (expect.len != 12 || strncasecmp(expect.data, "100-continue", 12) != 0)
        return http_refuse(reading->refusal, 417, "only 100-continue can be expected");
    head->wants_continue = head->has_body;
    return true;
}

/* `gzip` in a list such as "br;q=0.5, gzip, *"; "gzip;q=0" and "gzip;q=0.0" decline it. */
static bool
names_gzip(struct str list)
{
    size_t begin = 0;

    while (begin < list.len) {
        size_t end = str_find(list, ',', begin);
        struct str item = trim((struct str){list.data + begin, end - begin});
        size_t mark = str_find(item, ';', 0);
        struct str name = trim((struct str){item.data, mark});

        if (name.len == 4 && strncasecmp(name.data, "gzip", 4) == 0) {
            for (size_t i = mark; i < item.len; i++)
                if (item.data[i] >= '1' && item.data[i] <= '9')
                    return true;
            return mark == item.len;
        }
        begin = end + 1;
    }
    return false;
}

static bool
judge(struct reading *reading, const http_parser *parser, const uint8_t *bytes,
      const struct http_limits *limits)
{
    if (!judge_first_line(reading, parser, bytes, limits) || !judge_target(reading) ||
        !judge_host(reading) || !judge_body(reading, limits) || !judge_wishes(reading))
        return false;
    reading->head->keep_alive = reading->keep_alive;
    reading->head->accepts_gzip = names_gzip(reading->head->accept_encoding);
    return true;
}

enum http_head_state
http_head_read(struct http_scan *scan, const uint8_t *bytes, size_t n,
               const struct http_limits *limits, struct http_head *out,
               struct http_refusal *refusal)
{
    struct http_head head = {0};
    struct http_refusal why = {0};
    struct reading reading = {.head = &head, .refusal = &why};
    enum http_head_state state = scan_head(scan, bytes, n, limits, &why);
    http_parser parser;

    if (state == HTTP_HEAD_DONE) {
        if (parse_head(&reading, bytes, scan->pos, &parser) &&
            judge(&reading, &parser, bytes, limits))
            *out = head;
        else
            state = HTTP_HEAD_REFUSED;
    }
    if (state == HTTP_HEAD_REFUSED)
        *refusal = why;
    return state;
}
