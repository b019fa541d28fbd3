#include "http_answer.h"

#include <inttypes.h>
#include <stdio.h>

/* clang-format off */
static const struct {
    int status;
    const char *text;
} statuses[] = {
    {200, "OK"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};
/* clang-format on */

/* The console's own files, and nothing that stands inside a page. */
static const char guards[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
    "img-src 'self'; font-src 'self'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

const struct str http_continue = {"HTTP/1.1 100 Continue\r\n\r\n", 25};

const char *
http_status_text(int status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "Unknown";
}

static bool
is_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)s.data[i] < ' ' || s.data[i] == 0x7f)
            return false;
    return true;
}

static bool
has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void
add_status_headers(struct buf *out, const struct http_answer *answer)
{
    switch (answer->status) {
    case 401:
        buf_append_text(out, "WWW-Authenticate: Bearer\r\n");
        break;
    case 405:
        buf_printf(out, "Allow: %s\r\n", answer->allow != NULL ? answer->allow : "GET, HEAD, POST");
        break;
    case 429:
    case 503:
        buf_printf(out, "Retry-After: %" PRId64 "\r\n", answer->retry_s > 0 ? answer->retry_s : 1);
        break;
    }
}

enum err_code
http_answer_write_head(struct buf *out, const struct http_answer *answer, struct err *err)
{
    if (!is_value(answer->content_type) || !is_value(answer->etag) ||
        !is_value(str_from(answer->allow)))
        return err_set(err, ERR_INTERNAL, "a header of the answer has a control character");
    buf_printf(out, "HTTP/1.1 %d %s\r\n", answer->status, http_status_text(answer->status));
    if (has_body(answer->status)) {
        if (answer->content_type.len != 0)
            buf_printf(out, "Content-Type: %.*s\r\n", STR_ARG(answer->content_type));
        if (answer->is_gzip)
            buf_append_text(out, "Content-Encoding: gzip\r\n");
        buf_printf(out, "Content-Length: %zu\r\n", answer->body.len);
    }
    buf_printf(out, "Connection: %s\r\n", answer->keep_alive ? "keep-alive" : "close");
    add_status_headers(out, answer);
    if (answer->varies)
        buf_append_text(out, "Vary: Accept-Encoding\r\n");
    if (answer->etag.len != 0)
        buf_printf(out, "ETag: %.*s\r\nCache-Control: no-cache\r\n", STR_ARG(answer->etag));
    else
        buf_append_text(out, "Cache-Control: no-store\r\n");
    buf_append_text(out, guards);
    buf_append_text(out, "\r\n");
    return buf_check(out, err);
}

enum err_code
http_answer_write(struct buf *out, const struct http_answer *answer, struct err *err)
{
    enum err_code code = http_answer_write_head(out, answer, err);

    if (code != ERR_OK || answer->is_head || !has_body(answer->status))
        return code;
    buf_append_str(out, answer->body);
    return buf_check(out, err);
}

enum err_code
http_answer_refuse(struct buf *out, const struct http_refusal *refusal, bool is_head,
                   bool keep_alive, struct err *err)
{
    char text[HTTP_SENTENCE_BYTES + 1];
    int n = snprintf(text, sizeof text, "%s\n", refusal->sentence);
    const struct http_answer answer = {
        .status = refusal->status,
        .keep_alive = keep_alive,
        .is_head = is_head,
        .content_type = STR_LIT("text/plain; charset=utf-8"),
        .body = {text, (size_t)n},
        .allow = refusal->allow,
        .retry_s = refusal->retry_s,
    };

    return http_answer_write(out, &answer, err);
}

/* One entity tag at *at, which moves behind it and the comma that follows; false if none is there. */
static bool
next_etag(struct str list, size_t *at, struct str *tag)
{
    size_t end;

    while (*at < list.len &&
           (list.data[*at] == ' ' || list.data[*at] == '\t' || list.data[*at] == ','))
        (*at)++;
    if (list.len - *at >= 2 && list.data[*at] == 'W' && list.data[*at + 1] == '/')
        *at += 2;
    if (*at >= list.len || list.data[*at] != '"')
        return false;
    end = str_find(list, '"', *at + 1);
    if (end == list.len)
        return false;
    *tag = (struct str){list.data + *at, end + 1 - *at};
    *at = end + 1;
    return true;
}

bool
http_etag_is_known(struct str if_none_match, struct str etag)
{
    struct str tag;
    size_t at = 0;

    if (etag.len == 0)
        return false;
    if (str_is(if_none_match, "*"))
        return true;
    while (next_etag(if_none_match, &at, &tag))
        if (str_equal(tag, etag))
            return true;
    return false;
}
