#include "cases.h"
#include "http_answer.h"

#define S(literal) STR_LIT(literal)

static char *
write_answer(const struct http_answer *answer)
{
    struct buf out;
    struct err err = {0};
    char *text;
    size_t n;

    buf_init(&out, 64 * 1024);
    cr_assert_eq(http_answer_write(&out, answer, &err), ERR_OK, "%s", err.message);
    buf_append_char(&out, '\0');
    buf_take(&out, &text, &n);
    return text;
}

static size_t
count(const char *text, const char *piece)
{
    size_t n = 0;

    for (const char *at = text; (at = strstr(at, piece)) != NULL; at++)
        n++;
    return n;
}

/* clang-format off */
static const struct {
    const char *says;
    struct http_answer answer;
    const char *has[5], *lacks[4];
    const char *body;
} answers[] = {
    {"a page", {.status = 200, .keep_alive = true, .content_type = S("text/html"), .body = S("<p>")},
     {"HTTP/1.1 200 OK\r\n", "Content-Type: text/html\r\n", "Content-Length: 3\r\n", "Connection: keep-alive\r\n", "Cache-Control: no-store\r\n"},
     {"ETag", "Retry-After", "Content-Encoding", "Vary"}, "<p>"},
    {"the last one", {.status = 200, .body = S("x")}, {"Connection: close\r\n", "Content-Length: 1\r\n"}, {"\r\nContent-Type", "keep-alive"}, "x"},
    {"an empty body has a length", {.status = 200}, {"Content-Length: 0\r\n"}, {0}, ""},
    {"HEAD tells the length", {.status = 200, .is_head = true, .content_type = S("a/b"), .body = S("abc")}, {"Content-Length: 3\r\n", "Content-Type: a/b\r\n"}, {0}, ""},
    {"a file", {.status = 200, .etag = S("\"abc\""), .body = S("x")}, {"ETag: \"abc\"\r\n", "Cache-Control: no-cache\r\n"}, {"no-store"}, "x"},
    {"a file in gzip", {.status = 200, .is_gzip = true, .varies = true, .etag = S("\"abc\""), .body = S("x")}, {"Content-Encoding: gzip\r\n", "Vary: Accept-Encoding\r\n"}, {0}, "x"},
    {"a file that is known", {.status = 304, .etag = S("\"abc\""), .body = S("x")}, {"HTTP/1.1 304 Not Modified\r\n", "ETag: \"abc\"\r\n"}, {"Content-Length", "\r\nContent-Type"}, ""},
    {"a notification", {.status = 204}, {"HTTP/1.1 204 No Content\r\n"}, {"Content-Length"}, ""},
    {"no token", {.status = 401, .body = S("x")}, {"HTTP/1.1 401 Unauthorized\r\n", "WWW-Authenticate: Bearer\r\n"}, {0}, "x"},
    {"another method", {.status = 405, .body = S("x")}, {"Allow: GET, HEAD, POST\r\n"}, {0}, "x"},
    {"another method for calls", {.status = 405, .allow = "POST", .body = S("x")}, {"Allow: POST\r\n"}, {"GET"}, "x"},
    {"not now", {.status = 503, .retry_s = 7, .body = S("x")}, {"HTTP/1.1 503 Service Unavailable\r\n", "Retry-After: 7\r\n"}, {0}, "x"},
    {"not now, without a time", {.status = 503, .body = S("x")}, {"Retry-After: 1\r\n"}, {0}, "x"},
    {"too often", {.status = 429, .retry_s = 2, .body = S("x")}, {"HTTP/1.1 429 Too Many Requests\r\n", "Retry-After: 2\r\n"}, {0}, "x"},
    {"a status that the table lacks", {.status = 299, .body = S("x")}, {"HTTP/1.1 299 Unknown\r\n"}, {0}, "x"},
};
/* clang-format on */

CASES(http_answer, has_the_headers_of_its_status, answers)
{
    char *text = write_answer(&answers[*i].answer);
    const char *end = strstr(text, "\r\n\r\n");

    cr_assert_not_null(end, "%s", answers[*i].says);
    cr_expect_str_eq(end + 4, answers[*i].body, "%s", answers[*i].says);
    for (size_t k = 0; k < 5 && answers[*i].has[k] != NULL; k++)
        cr_expect_eq(count(text, answers[*i].has[k]), 1, "%s: %s", answers[*i].says,
                     answers[*i].has[k]);
    for (size_t k = 0; k < 4 && answers[*i].lacks[k] != NULL; k++)
        cr_expect_eq(count(text, answers[*i].lacks[k]), 0, "%s: %s", answers[*i].says,
                     answers[*i].lacks[k]);
    free(text);
}

#define POLICY                                                                               \
    "\r\nContent-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; " \
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

CASES(http_answer, every_answer_bears_the_guards, answers)
{
    static const char *const guards[] = {
        POLICY,
        "\r\nX-Content-Type-Options: nosniff\r\n",
        "\r\nReferrer-Policy: no-referrer\r\n",
        "\r\nCache-Control: no-",
        "\r\nConnection: ",
    };
    char *text = write_answer(&answers[*i].answer);

    for (size_t k = 0; k < sizeof guards / sizeof guards[0]; k++)
        cr_expect_eq(count(text, guards[k]), 1, "%s: %s", answers[*i].says, guards[k]);
    cr_expect_eq(count(text, "Access-Control"), 0, "no other origin is let in");
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        cr_expect_eq(at[-1], '\r', "%s", answers[*i].says);
    free(text);
}

static const struct {
    const char *says;
    struct http_answer answer;
} torn[] = {
    {"CR LF in a type", {.status = 200, .content_type = S("a/b\r\nSet-Cookie: x")}},
    {"LF in a type", {.status = 200, .content_type = S("a/b\nX: y")}},
    {"NUL in a type", {.status = 200, .content_type = S("a\0b")}},
    {"CR in an ETag", {.status = 200, .etag = S("\"a\r\"")}},
    {"DEL in an ETag", {.status = 200, .etag = S("\"\x7f\"")}},
    {"LF in Allow", {.status = 405, .allow = "GET\nX: y"}},
};

CASES(http_answer, a_value_cannot_begin_another_line, torn)
{
    struct buf out;
    struct err err = {0};

    buf_init(&out, 4096);
    buf_append_text(&out, "before");
    cr_expect_eq(http_answer_write(&out, &torn[*i].answer, &err), ERR_INTERNAL, "%s",
                 torn[*i].says);
    cr_expect_str_neq(err.message, "");
    cr_expect(str_is(buf_str(&out), "before"));
    buf_fini(&out);
}

Test(http_answer, a_refusal_is_a_sentence_of_plain_text)
{
    struct http_refusal refusal;
    struct buf out;

    cr_expect_not(http_refuse(&refusal, 405, "calls are made with %s", "POST"));
    refusal.allow = "POST";
    buf_init(&out, 4096);
    cr_assert_eq(http_answer_refuse(&out, &refusal, false, false, NULL), ERR_OK);
    buf_append_char(&out, '\0');
    cr_expect_not_null(strstr(out.data, "HTTP/1.1 405 Method Not Allowed\r\n"));
    cr_expect_not_null(strstr(out.data, "Content-Type: text/plain; charset=utf-8\r\n"));
    cr_expect_not_null(strstr(out.data, "Allow: POST\r\n"));
    cr_expect_not_null(strstr(out.data, "Connection: close\r\n"));
    cr_expect_not_null(strstr(out.data, "\r\n\r\ncalls are made with POST\n"));
    buf_clear(&out);
    cr_assert_eq(http_answer_refuse(&out, &refusal, true, true, NULL), ERR_OK);
    buf_append_char(&out, '\0');
    cr_expect_not_null(strstr(out.data, "Content-Length: 25\r\n"));
    cr_expect_not_null(strstr(out.data, "Connection: keep-alive\r\n"));
    cr_expect_str_eq(strstr(out.data, "\r\n\r\n"), "\r\n\r\n");
    buf_fini(&out);
}

Test(http_answer, a_buffer_that_is_full_says_so)
{
    const struct http_answer answer = {.status = 200};
    struct buf out;
    struct err err;

    buf_init(&out, 100);
    cr_expect_eq(http_answer_write(&out, &answer, &err), ERR_TOO_LARGE);
    buf_fini(&out);
}

Test(http_answer, every_status_that_a_head_is_refused_with_has_a_text)
{
    static const int refused[] = {400, 401, 403, 405, 408, 411, 413, 414,
                                  415, 417, 421, 429, 431, 501, 503, 505};

    for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++)
        cr_expect_str_neq(http_status_text(refused[k]), "Unknown", "%d", refused[k]);
    cr_expect(str_is(http_continue, "HTTP/1.1 100 Continue\r\n\r\n"));
}

static const struct {
    const char *list;
    bool is_known;
} tags[] = {
    {NULL, false},
    {"", false},
    {"*", true},
    {"\"abc\"", true},
    {"W/\"abc\"", true},
    {"\"x\", \"abc\"", true},
    {"\"x\",W/\"y\" ,\t\"abc\"", true},
    {"\"a,\", \"abc\"", true},
    {"\"abcd\"", false},
    {"\"ab\"", false},
    {"abc", false},
    {"\"abc", false},
    {"x \"abc\"", false},
    {"W/", false},
    {"\"x\", *", false},
};

CASES(http_answer, an_etag_is_found_in_a_list, tags)
{
    cr_expect_eq(http_etag_is_known(str_from(tags[*i].list), S("\"abc\"")), tags[*i].is_known, "%s",
                 tags[*i].list != NULL ? tags[*i].list : "none");
    cr_expect_not(http_etag_is_known(str_from(tags[*i].list), S("")), "a file without one");
}
