#include "cases.h"
#include "http_head.h"

#define S(literal) STR_LIT(literal)
#define HOST "Host: localhost\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST /rpc HTTP/1.1\r\n" HOST

static enum http_head_state
read_all(struct str bytes, struct http_head *head, struct http_refusal *refusal)
{
    struct http_scan scan;

    http_scan_init(&scan);
    return http_head_read(&scan, (const uint8_t *)bytes.data, bytes.len, &http_limits_preset, head,
                          refusal);
}

/* ---- what is served ---- */

/* clang-format off */
static const struct {
    const char *says;
    struct str bytes;
    enum http_verb verb;
    unsigned minor;
    bool keep_alive;
    uint64_t content_length;
    const char *path, *query, *host;
} good[] = {
    {"the shortest", S("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "a"},
    {"no space behind the colon", S("GET / HTTP/1.1\r\nHost:a\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "a"},
    {"white space around a value", S("GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "a"},
    {"names in any case", S("GET / HTTP/1.1\r\nhOST: a\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "a"},
    {"a port", S("GET / HTTP/1.1\r\nHost: [::1]:7420\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "[::1]:7420"},
    {"HEAD", S("HEAD /a/b.js HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_HEAD, 1, true, 0, "/a/b.js", NULL, "localhost"},
    {"a query", S("GET /a?b=%20&c=/../ HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_GET, 1, true, 0, "/a", "b=%20&c=/../", "localhost"},
    {"an empty query", S("GET /a? HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_GET, 1, true, 0, "/a", "", "localhost"},
    {"an escape", S("GET /caf%C3%A9 HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_GET, 1, true, 0, "/caf%C3%A9", NULL, "localhost"},
    {"dots that are no segment", S("GET /...a/b..c/.d HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_GET, 1, true, 0, "/...a/b..c/.d", NULL, "localhost"},
    {"an escape is resolved once", S("GET /%252e%252e HTTP/1.1\r\n" HOST "\r\n"), HTTP_VERB_GET, 1, true, 0, "/%252e%252e", NULL, "localhost"},
    {"POST", S(POST "Content-Length: 12\r\n\r\n"), HTTP_VERB_POST, 1, true, 12, "/rpc", NULL, "localhost"},
    {"POST of nothing", S(POST "Content-Length: 0\r\n\r\n"), HTTP_VERB_POST, 1, true, 0, "/rpc", NULL, "localhost"},
    {"leading zeros are digits", S(POST "Content-Length: 0012\r\n\r\n"), HTTP_VERB_POST, 1, true, 12, "/rpc", NULL, "localhost"},
    {"the largest body", S(POST "Content-Length: 8388608\r\n\r\n"), HTTP_VERB_POST, 1, true, 8388608, "/rpc", NULL, "localhost"},
    {"GET with a body of nothing", S(GET "Content-Length: 0\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
    {"close", S(GET "Connection: close\r\n\r\n"), HTTP_VERB_GET, 1, false, 0, "/", NULL, "localhost"},
    {"close in a list", S(GET "Connection: x, Close\r\n\r\n"), HTTP_VERB_GET, 1, false, 0, "/", NULL, "localhost"},
    {"close wins", S(GET "Connection: keep-alive, close\r\n\r\n"), HTTP_VERB_GET, 1, false, 0, "/", NULL, "localhost"},
    {"1.0 closes", S("GET / HTTP/1.0\r\n" HOST "\r\n"), HTTP_VERB_GET, 0, false, 0, "/", NULL, "localhost"},
    {"1.0 may stay", S("GET / HTTP/1.0\r\n" HOST "Connection: keep-alive\r\n\r\n"), HTTP_VERB_GET, 0, true, 0, "/", NULL, "localhost"},
    {"close wins under 1.0, too", S("GET / HTTP/1.0\r\n" HOST "Connection: close, keep-alive\r\n\r\n"), HTTP_VERB_GET, 0, false, 0, "/", NULL, "localhost"},
    {"1.0 needs no Host", S("GET / HTTP/1.0\r\n\r\n"), HTTP_VERB_GET, 0, false, 0, "/", NULL, NULL},
    {"an empty value of no interest", S(GET "X:\r\nY: \t\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
    {"UTF-8 in a value of no interest", S(GET "Cookie: caf\xc3\xa9\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
    {"a header of no interest twice", S(GET "Cookie: a\r\nCookie: b\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
    {"a value with colons", S(GET "X: a: b: c\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
    {"a name that is nearly Content-Length", S(GET "Content_Length: 4\r\n\r\n"), HTTP_VERB_GET, 1, true, 0, "/", NULL, "localhost"},
};
/* clang-format on */

CASES(http_head, reads_what_a_client_sends, good)
{
    struct http_head head;
    struct http_refusal refusal = {0};

    cr_assert_eq(read_all(good[*i].bytes, &head, &refusal), HTTP_HEAD_DONE, "%s: %d %s",
                 good[*i].says, refusal.status, refusal.sentence);
    cr_expect_eq(head.verb, good[*i].verb, "%s", good[*i].says);
    cr_expect_eq(head.minor, good[*i].minor, "%s", good[*i].says);
    cr_expect_eq(head.keep_alive, good[*i].keep_alive, "%s", good[*i].says);
    cr_expect_eq(head.content_length, good[*i].content_length, "%s", good[*i].says);
    cr_expect_eq(head.has_body, good[*i].content_length != 0, "%s", good[*i].says);
    cr_expect(str_is(head.path, good[*i].path), "%s", good[*i].says);
    cr_expect_eq(head.query.data == NULL, good[*i].query == NULL, "%s", good[*i].says);
    cr_expect(str_equal(head.query, str_from(good[*i].query)), "%s", good[*i].says);
    cr_expect_eq(head.host.data == NULL, good[*i].host == NULL, "%s", good[*i].says);
    cr_expect(str_equal(head.host, str_from(good[*i].host)), "%s", good[*i].says);
}

Test(http_head, wants_more_wherever_a_good_head_is_cut)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct str bytes = good[i].bytes;
        struct http_head head;
        struct http_refusal refusal;
        struct http_scan scan;

        http_scan_init(&scan);
        for (size_t n = 0; n < bytes.len; n++) {
            /* a copy of its own size: the sanitizer sees a read past the end */
            uint8_t *piece = malloc(n);

            memcpy(piece, bytes.data, n);
            cr_expect_eq(read_all((struct str){(char *)piece, n}, &head, &refusal), HTTP_HEAD_MORE,
                         "%s cut at %zu", good[i].says, n);
            free(piece);
            cr_expect_eq(http_head_read(&scan, (const uint8_t *)bytes.data, n, &http_limits_preset,
                                        &head, &refusal),
                         HTTP_HEAD_MORE, "%s grown to %zu", good[i].says, n);
            cr_expect_geq(scan.pos + 1, n, "each byte is looked at once, a CR twice");
        }
        cr_expect_eq(http_head_read(&scan, (const uint8_t *)bytes.data, bytes.len,
                                    &http_limits_preset, &head, &refusal),
                     HTTP_HEAD_DONE, "%s", good[i].says);
        cr_expect_eq(scan.pos, bytes.len, "%s", good[i].says);
    }
}

Test(http_head, does_not_look_at_what_follows_the_head)
{
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct http_head head;
        struct http_refusal refusal;
        struct http_scan scan;
        char bytes[512];

        memset(bytes, '\n', sizeof bytes);
        memcpy(bytes, good[i].bytes.data, good[i].bytes.len);
        http_scan_init(&scan);
        cr_expect_eq(http_head_read(&scan, (const uint8_t *)bytes, sizeof bytes,
                                    &http_limits_preset, &head, &refusal),
                     HTTP_HEAD_DONE, "%s", good[i].says);
        cr_expect_eq(scan.pos, good[i].bytes.len, "%s", good[i].says);
    }
}

Test(http_head, gives_the_headers_that_the_service_asks_for)
{
    struct http_head head;
    struct http_refusal refusal;

    cr_assert_eq(read_all(S(POST "Origin: http://localhost\r\nAUTHORIZATION: Bearer abc\r\n"
                                 "Content-Type:application/msgpack\r\nContent-Encoding: gzip\r\n"
                                 "Content-Length: 3\r\nSec-Fetch-Site: same-origin\r\n"
                                 "If-None-Match: \"x\"\r\nAccept-Encoding: br, gzip\r\n\r\n"),
                          &head, &refusal),
                 HTTP_HEAD_DONE);
    cr_expect(str_is(head.origin, "http://localhost"));
    cr_expect(str_is(head.authorization, "Bearer abc"));
    cr_expect(str_is(head.content_type, "application/msgpack"));
    cr_expect(str_is(head.content_encoding, "gzip"));
    cr_expect(str_is(head.sec_fetch_site, "same-origin"));
    cr_expect(str_is(head.if_none_match, "\"x\""));
    cr_expect(str_is(head.accept_encoding, "br, gzip"));
    cr_expect(head.accepts_gzip);
    cr_expect_not(head.wants_continue);
}

Test(http_head, a_header_that_did_not_come_is_told_from_an_empty_one)
{
    struct http_head head;
    struct http_refusal refusal;

    cr_assert_eq(read_all(S(GET "Origin:\r\n\r\n"), &head, &refusal), HTTP_HEAD_DONE);
    cr_expect_not_null(head.origin.data);
    cr_expect_eq(head.origin.len, 0);
    cr_expect_null(head.authorization.data);
}

static const struct {
    struct str bytes;
    bool wants_continue;
} continues[] = {
    {S(POST "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"), true},
    {S(POST "Content-Length: 4\r\nExpect: 100-Continue\r\n\r\n"), true},
    {S(POST "Content-Length: 4\r\n\r\n"), false},
    {S(POST "Content-Length: 0\r\nExpect: 100-continue\r\n\r\n"), false},
    {S("POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"), false},
    {S("POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: tea\r\n\r\n"), false},
};

CASES(http_head, a_body_is_waited_for_with_a_word, continues)
{
    struct http_head head;
    struct http_refusal refusal;

    cr_assert_eq(read_all(continues[*i].bytes, &head, &refusal), HTTP_HEAD_DONE);
    cr_expect_eq(head.wants_continue, continues[*i].wants_continue);
}

static const struct {
    struct str bytes;
    bool accepts;
} encodings[] = {
    {S(GET "\r\n"), false},
    {S(GET "Accept-Encoding:\r\n\r\n"), false},
    {S(GET "Accept-Encoding: gzip\r\n\r\n"), true},
    {S(GET "Accept-Encoding: GZIP;q=0.1\r\n\r\n"), true},
    {S(GET "Accept-Encoding: deflate, gzip ; q=1.0, br\r\n\r\n"), true},
    {S(GET "Accept-Encoding: gzip;q=0\r\n\r\n"), false},
    {S(GET "Accept-Encoding: gzip; q=0.000\r\n\r\n"), false},
    {S(GET "Accept-Encoding: x-gzip, br\r\n\r\n"), false},
    {S(GET "Accept-Encoding: *\r\n\r\n"), false},
    {S(GET "Accept-Encoding: ,,gzip,\r\n\r\n"), true},
};

CASES(http_head, gzip_is_accepted_where_it_is_named, encodings)
{
    struct http_head head;
    struct http_refusal refusal;

    cr_assert_eq(read_all(encodings[*i].bytes, &head, &refusal), HTTP_HEAD_DONE);
    cr_expect_eq(head.accepts_gzip, encodings[*i].accepts, "%.*s", STR_ARG(encodings[*i].bytes));
}

/* ---- what is not ---- */

/* clang-format off */
static const struct {
    const char *says;
    int status;
    struct str bytes;
} bad[] = {
    /* two readers would cut the bytes differently */
    {"bare LF after the first line", 400, S("GET / HTTP/1.1\nHost: a\r\n\r\n")},
    {"bare LF after a header", 400, S("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n")},
    {"bare LF as the last line", 400, S("GET / HTTP/1.1\r\nHost: a\r\n\n")},
    {"bare LF throughout", 400, S("GET / HTTP/1.1\nHost: a\n\n")},
    {"LF CR", 400, S("GET / HTTP/1.1\n\rHost: a\n\r\n\r")},
    {"bare CR in a value", 400, S(GET "X: a\rContent-Length: 4\r\n\r\n")},
    {"bare CR between lines", 400, S("GET / HTTP/1.1\rHost: a\r\n\r\n")},
    {"two CR before LF", 400, S(GET "X: a\r\r\n\r\n")},
    {"NUL in a value", 400, S(GET "X: a\0b\r\n\r\n")},
    {"NUL in the target", 400, S("GET /\0 HTTP/1.1\r\n" HOST "\r\n")},
    {"NUL in a name", 400, S(GET "X\0: a\r\n\r\n")},
    {"control byte in a value", 400, S(GET "X: a\x01\r\n\r\n")},
    {"escape byte in a value", 400, S(GET "X: \x1b[0m\r\n\r\n")},
    {"DEL in a value", 400, S(GET "X: \x7f\r\n\r\n")},
    {"a line folded by a space", 400, S(GET "X: a\r\n b\r\n\r\n")},
    {"a line folded by a tab", 400, S(GET "X: a\r\n\tb\r\n\r\n")},
    {"a folded Content-Length", 400, S(POST "Content-Length: 1\r\n 2\r\n\r\n")},
    {"a space before the first header", 400, S("GET / HTTP/1.1\r\n Host: a\r\n\r\n")},
    {"an empty line in front", 400, S("\r\nGET / HTTP/1.1\r\n" HOST "\r\n")},
    {"a space in front", 400, S(" GET / HTTP/1.1\r\n" HOST "\r\n")},
    {"the hello of TLS", 400, S("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
    {"a frame of msgpack-RPC", 501, S("\x94\xcc\xc8\xd9 \r\n\r\n")},
    /* names */
    {"space before the colon", 400, S("GET / HTTP/1.1\r\nHost : a\r\n\r\n")},
    {"tab before the colon", 400, S("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n")},
    {"space in a name", 400, S(GET "X Y: a\r\n\r\n")},
    {"space before the colon of Content-Length", 400, S(POST "Content-Length : 4\r\n\r\n")},
    {"a name of nothing", 400, S(GET ": a\r\n\r\n")},
    {"a line without a colon", 400, S(GET "X\r\n\r\n")},
    {"brackets in a name", 400, S(GET "X[0]: a\r\n\r\n")},
    {"UTF-8 in a name", 400, S(GET "\xc3\xa9: a\r\n\r\n")},
    /* Host */
    {"no Host", 400, S("GET / HTTP/1.1\r\n\r\n")},
    {"an empty Host", 400, S("GET / HTTP/1.1\r\nHost:\r\n\r\n")},
    {"two Host", 400, S("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")},
    {"the same Host twice", 400, S("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n")},
    {"an empty Host and another", 400, S("GET / HTTP/1.1\r\nHost:\r\nHost: b\r\n\r\n")},
    {"two Host under 1.0", 400, S("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n")},
    {"a list of hosts", 400, S("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n")},
    {"a user in Host", 400, S("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n")},
    {"a path in Host", 400, S("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
    {"an escape in Host", 400, S("GET / HTTP/1.1\r\nHost: a%00\r\n\r\n")},
    {"a byte above ASCII in Host", 400, S("GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n")},
    /* where a body ends */
    {"two Content-Length", 400, S(POST "Content-Length: 4\r\nContent-Length: 5\r\n\r\n")},
    {"the same Content-Length twice", 400, S(POST "Content-Length: 4\r\nContent-Length: 4\r\n\r\n")},
    {"a list of Content-Length", 400, S(POST "Content-Length: 4, 4\r\n\r\n")},
    {"Content-Length with plus", 400, S(POST "Content-Length: +4\r\n\r\n")},
    {"Content-Length with minus", 400, S(POST "Content-Length: -4\r\n\r\n")},
    {"Content-Length of minus nothing", 400, S(POST "Content-Length: -0\r\n\r\n")},
    {"Content-Length in hexadecimal", 400, S(POST "Content-Length: 0x4\r\n\r\n")},
    {"Content-Length with a fraction", 400, S(POST "Content-Length: 4.0\r\n\r\n")},
    {"Content-Length with a space within", 400, S(POST "Content-Length: 4 4\r\n\r\n")},
    {"Content-Length in quotes", 400, S(POST "Content-Length: \"4\"\r\n\r\n")},
    {"Content-Length of nothing", 400, S(POST "Content-Length:\r\n\r\n")},
    {"Content-Length of white space", 400, S(POST "Content-Length: \t\r\n\r\n")},
    {"Content-Length in wide digits", 400, S(POST "Content-Length: \xef\xbc\x94\r\n\r\n")},
    {"Content-Length beyond 64 bits", 400, S(POST "Content-Length: 18446744073709551620\r\n\r\n")},
    {"POST without Content-Length", 411, S(POST "\r\n")},
    {"POST without Content-Length under 1.0", 411, S("POST / HTTP/1.0\r\n\r\n")},
    {"a body one over", 413, S(POST "Content-Length: 8388609\r\n\r\n")},
    {"a body of nearly 64 bits", 413, S(POST "Content-Length: 9223372036854775807\r\n\r\n")},
    {"a body under GET", 400, S(GET "Content-Length: 4\r\n\r\n")},
    {"a body under HEAD", 400, S("HEAD / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n")},
    {"chunked", 501, S(POST "Transfer-Encoding: chunked\r\n\r\n")},
    {"chunked under GET", 501, S(GET "Transfer-Encoding: chunked\r\n\r\n")},
    {"chunked, Content-Length first", 400, S(POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"chunked, Content-Length last", 400, S(POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n")},
    {"chunked twice", 400, S(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"chunked and another", 400, S(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n")},
    {"nearly chunked", 501, S(POST "Transfer-Encoding: xchunked\r\n\r\n")},
    {"chunked in a list", 501, S(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {"chunked behind a vertical tab", 400, S(POST "Transfer-Encoding: \x0b" "chunked\r\n\r\n")},
    {"a transfer coding of nothing", 501, S(POST "Transfer-Encoding:\r\n\r\n")},
    {"identity beside Content-Length", 400, S(POST "Content-Length: 4\r\nTransfer-Encoding: identity\r\n\r\n")},
    {"chunked under 1.0", 501, S("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {"space before the colon of Transfer-Encoding", 400, S(POST "Transfer-Encoding : chunked\r\n\r\n")},
    /* the first line */
    {"two spaces before the target", 400, S("GET  / HTTP/1.1\r\n" HOST "\r\n")},
    {"two spaces behind the target", 400, S("GET /  HTTP/1.1\r\n" HOST "\r\n")},
    {"a tab before the target", 501, S("GET\t/ HTTP/1.1\r\n" HOST "\r\n")},
    {"a tab behind the target, which leaves no version", 505, S("GET /\tHTTP/1.1\r\n" HOST "\r\n")},
    {"a space at the end", 400, S("GET / HTTP/1.1 \r\n" HOST "\r\n")},
    {"a fourth word", 400, S("GET / x HTTP/1.1\r\n" HOST "\r\n")},
    {"no target", 400, S("GET HTTP/1.1\r\n" HOST "\r\n")},
    {"no version", 505, S("GET /\r\n" HOST "\r\n")},
    {"HTTP/0.9", 505, S("GET / HTTP/0.9\r\n" HOST "\r\n")},
    {"HTTP/1.2", 505, S("GET / HTTP/1.2\r\n" HOST "\r\n")},
    {"HTTP/2.0", 505, S("GET / HTTP/2.0\r\n" HOST "\r\n")},
    {"HTTP/1", 400, S("GET / HTTP/1\r\n" HOST "\r\n")},
    {"HTTP/1.10", 400, S("GET / HTTP/1.10\r\n" HOST "\r\n")},
    {"HTTP/01.1", 400, S("GET / HTTP/01.1\r\n" HOST "\r\n")},
    {"http/1.1", 400, S("GET / http/1.1\r\n" HOST "\r\n")},
    {"ICE/1.0", 400, S("SOURCE / ICE/1.0\r\n" HOST "\r\n")},
    {"the preface of HTTP/2", 501, S("PRI * HTTP/2.0\r\n\r\n")},
    {"method in small letters", 501, S("get / HTTP/1.1\r\n" HOST "\r\n")},
    {"no method of HTTP", 501, S("FETCH / HTTP/1.1\r\n" HOST "\r\n")},
    {"a method that begins like another", 501, S("GETS / HTTP/1.1\r\n" HOST "\r\n")},
    {"PUT", 405, S("PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n")},
    {"DELETE", 405, S("DELETE / HTTP/1.1\r\n" HOST "\r\n")},
    {"OPTIONS", 405, S("OPTIONS * HTTP/1.1\r\n" HOST "\r\n")},
    {"TRACE", 405, S("TRACE / HTTP/1.1\r\n" HOST "\r\n")},
    {"CONNECT", 405, S("CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n")},
    /* the target */
    {"an absolute target", 400, S("GET http://evil/ HTTP/1.1\r\n" HOST "\r\n")},
    {"an absolute target of the same host", 400, S("GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n")},
    {"a target of a star", 400, S("GET * HTTP/1.1\r\n" HOST "\r\n")},
    {"a query without a path", 400, S("GET ?a HTTP/1.1\r\n" HOST "\r\n")},
    {"a target without a slash", 400, S("GET a HTTP/1.1\r\n" HOST "\r\n")},
    {"a fragment", 400, S("GET /a#b HTTP/1.1\r\n" HOST "\r\n")},
    {"UTF-8 that is not escaped", 400, S("GET /caf\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n")},
    {"a backslash", 400, S("GET /..\\a HTTP/1.1\r\n" HOST "\r\n")},
    {"a quote", 400, S("GET /\" HTTP/1.1\r\n" HOST "\r\n")},
    {"an escape cut after the sign", 400, S("GET /% HTTP/1.1\r\n" HOST "\r\n")},
    {"an escape cut after a digit", 400, S("GET /%4 HTTP/1.1\r\n" HOST "\r\n")},
    {"an escape of no digits", 400, S("GET /%zz HTTP/1.1\r\n" HOST "\r\n")},
    {"an escape cut before the query", 400, S("GET /%4?1 HTTP/1.1\r\n" HOST "\r\n")},
    {"a broken escape in the query", 400, S("GET /?a=%g0 HTTP/1.1\r\n" HOST "\r\n")},
    {"an escaped NUL", 400, S("GET /a%00.js HTTP/1.1\r\n" HOST "\r\n")},
    {"an escaped LF", 400, S("GET /a%0a HTTP/1.1\r\n" HOST "\r\n")},
    {"an escaped byte that is no UTF-8", 400, S("GET /%ff HTTP/1.1\r\n" HOST "\r\n")},
    {"an overlong slash", 400, S("GET /%c0%af HTTP/1.1\r\n" HOST "\r\n")},
    {"a segment of two dots", 400, S("GET /a/../b HTTP/1.1\r\n" HOST "\r\n")},
    {"two dots at the end", 400, S("GET /.. HTTP/1.1\r\n" HOST "\r\n")},
    {"a segment of one dot", 400, S("GET /./a HTTP/1.1\r\n" HOST "\r\n")},
    {"escaped dots", 400, S("GET /%2e%2E/a HTTP/1.1\r\n" HOST "\r\n")},
    {"one escaped dot", 400, S("GET /.%2e/a HTTP/1.1\r\n" HOST "\r\n")},
    {"dots between escaped slashes", 400, S("GET /a%2f..%2fb HTTP/1.1\r\n" HOST "\r\n")},
    {"dots between escaped backslashes", 400, S("GET /a%5c..%5cb HTTP/1.1\r\n" HOST "\r\n")},
    /* wishes */
    {"Expect of something else", 417, S(POST "Content-Length: 4\r\nExpect: tea\r\n\r\n")},
    {"Expect of nothing", 417, S(POST "Content-Length: 4\r\nExpect:\r\n\r\n")},
    {"Expect of two", 417, S(POST "Content-Length: 4\r\nExpect: 100-continue, tea\r\n\r\n")},
    {"an upgrade", 400, S(GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")},
    {"an upgrade to HTTP/2", 400, S(GET "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n")},
    {"an upgrade that Connection doesn't name", 400, S(GET "Upgrade: h2c\r\n\r\n")},
    /* twice */
    {"two Origin", 400, S(GET "Origin: http://a\r\nOrigin: http://b\r\n\r\n")},
    {"two Authorization", 400, S(GET "Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n")},
    {"two Content-Type", 400, S(POST "Content-Length: 1\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n\r\n")},
    {"two Sec-Fetch-Site", 400, S(GET "Sec-Fetch-Site: none\r\nSec-Fetch-Site: cross-site\r\n\r\n")},
};
/* clang-format on */

CASES(http_head, refuses_what_could_be_read_in_two_ways_or_is_not_offered, bad)
{
    struct http_head head;
    struct http_refusal refusal = {0};

    cr_assert_eq(read_all(bad[*i].bytes, &head, &refusal), HTTP_HEAD_REFUSED, "%s", bad[*i].says);
    cr_expect_eq(refusal.status, bad[*i].status, "%s: %d %s", bad[*i].says, refusal.status,
                 refusal.sentence);
    cr_expect_neq(refusal.sentence[0], '\0', "%s", bad[*i].says);
}

Test(http_head, refuses_the_same_when_it_comes_byte_by_byte)
{
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        enum http_head_state state = HTTP_HEAD_MORE;
        struct str bytes = bad[i].bytes;
        struct http_refusal refusal = {0};
        struct http_head head;
        struct http_scan scan;

        http_scan_init(&scan);
        for (size_t n = 0; n <= bytes.len && state == HTTP_HEAD_MORE; n++)
            state = http_head_read(&scan, (const uint8_t *)bytes.data, n, &http_limits_preset,
                                   &head, &refusal);
        cr_expect_eq(state, HTTP_HEAD_REFUSED, "%s", bad[i].says);
        cr_expect_eq(refusal.status, bad[i].status, "%s", bad[i].says);
    }
}

/* ---- limits, at them and one over ---- */

struct text {
    char bytes[64 * 1024];
    size_t len;
};

static void
add(struct text *text, const char *piece, size_t times)
{
    for (size_t k = 0; k < times; k++) {
        memcpy(text->bytes + text->len, piece, strlen(piece));
        text->len += strlen(piece);
    }
}

static enum http_head_state
read_text(const struct text *text, struct http_refusal *refusal)
{
    struct http_head head;

    return read_all((struct str){text->bytes, text->len}, &head, refusal);
}

static void
make_head(struct text *text, size_t bytes)
{
    text->len = 0;
    add(text, GET "X: ", 1);
    add(text, "a", bytes - text->len - 4);
    add(text, "\r\n\r\n", 1);
    cr_assert_eq(text->len, bytes);
}

Test(http_head, a_head_may_have_8_kib_and_not_one_byte_more)
{
    struct http_refusal refusal = {0};
    static struct text text;

    make_head(&text, http_limits_preset.head_bytes);
    cr_expect_eq(read_text(&text, &refusal), HTTP_HEAD_DONE);
    make_head(&text, http_limits_preset.head_bytes + 1);
    cr_expect_eq(read_text(&text, &refusal), HTTP_HEAD_REFUSED);
    cr_expect_eq(refusal.status, 431);
    text.len = http_limits_preset.head_bytes; /* its last byte need not come */
    cr_expect_eq(read_text(&text, &refusal), HTTP_HEAD_REFUSED);
    text.len--;
    cr_expect_eq(read_text(&text, &refusal), HTTP_HEAD_MORE);
}

Test(http_head, a_first_line_without_end_is_refused_as_too_long_a_target)
{
    struct http_refusal refusal = {0};
    static struct text text;

    add(&text, "GET /", 1);
    add(&text, "a", http_limits_preset.head_bytes);
    cr_expect_eq(read_text(&text, &refusal), HTTP_HEAD_REFUSED);
    cr_expect_eq(refusal.status, 414);
}

Test(http_head, a_target_may_have_2_kib_and_not_one_byte_more)
{
    for (size_t over = 0; over <= 1; over++) {
        struct http_refusal refusal = {0};
        static struct text text;

        text.len = 0;
        add(&text, "GET /", 1);
        add(&text, "a", http_limits_preset.target_bytes - 1 + over);
        add(&text, " HTTP/1.1\r\n" HOST "\r\n", 1);
        cr_expect_eq(read_text(&text, &refusal), over ? HTTP_HEAD_REFUSED : HTTP_HEAD_DONE);
        cr_expect_eq(refusal.status, over ? 414 : 0);
    }
}

Test(http_head, a_head_may_have_64_lines_and_not_one_more)
{
    for (size_t over = 0; over <= 1; over++) {
        struct http_refusal refusal = {0};
        static struct text text;

        text.len = 0;
        add(&text, GET, 1);
        add(&text, "X: a\r\n", http_limits_preset.lines - 1 + over);
        add(&text, "\r\n", 1);
        cr_expect_eq(read_text(&text, &refusal), over ? HTTP_HEAD_REFUSED : HTTP_HEAD_DONE);
        cr_expect_eq(refusal.status, over ? 431 : 0);
    }
}

Test(http_head, limits_are_the_caller_s)
{
    static const struct http_limits narrow = {
        .head_bytes = 64, .target_bytes = 3, .lines = 2, .body_bytes = 9};
    static const struct {
        struct str bytes;
        int status;
    } rows[] = {
        {S("GET /ab HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n"), 0},
        {S("GET /abc HTTP/1.1\r\nHost: a\r\nX: b\r\n\r\n"), 414},
        {S("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\nX: c\r\n\r\n"), 431},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"), 0},
        {S("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"), 413},
    };

    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        struct http_refusal refusal = {0};
        struct http_head head;
        struct http_scan scan;

        http_scan_init(&scan);
        http_head_read(&scan, (const uint8_t *)rows[k].bytes.data, rows[k].bytes.len, &narrow,
                       &head, &refusal);
        cr_expect_eq(refusal.status, rows[k].status, "%.*s", STR_ARG(rows[k].bytes));
    }
}

/* ---- paths ---- */

static const struct {
    const char *path, *decoded; /* NULL: refused */
} paths[] = {
    {"/", "/"},
    {"/a%2Fb", "/a/b"},
    {"/%C3%a9t%C3%A9.txt", "/\xc3\xa9t\xc3\xa9.txt"},
    {"/%25", "/%"},
    {"/%252e%252e/", "/%2e%2e/"},
    {"/a+b", "/a+b"},
    {"/.a", "/.a"},
    {"/%2e%2e", NULL},
    {"/a/%2e", NULL},
    {"..", NULL},
    {"/%7f", NULL},
    {"/%1f", NULL},
    {"/%", NULL},
    {"/%e9", NULL},
};

CASES(http_head, a_path_is_decoded_once, paths)
{
    struct str decoded;
    char room[64];

    cr_assert_eq(http_path_decode(str_from(paths[*i].path), room, &decoded),
                 paths[*i].decoded != NULL, "%s", paths[*i].path);
    if (paths[*i].decoded != NULL)
        cr_expect(str_is(decoded, paths[*i].decoded), "%s", paths[*i].path);
}
