/* Heads of answers: what is taken, what is refused, and that the pieces they come in change nothing. */
#include "http_reply.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static enum http_reply_state
read_reply(const char *text, struct http_reply *reply, const char **why)
{
    struct http_scan scan;

    http_scan_init(&scan);
    return jmli_http_reply_read(&scan, (const uint8_t *)text, strlen(text), reply, why);
}

Test(http_reply, an_answer_of_the_service_is_read)
{
    const char *text =
        "HTTP/1.1 200 OK\r\nContent-Type: application/msgpack\r\n"
        "Content-Length: 42\r\nConnection: keep-alive\r\nCache-Control: no-store\r\n\r\n";
    struct http_reply reply;
    const char *why;

    cr_assert_eq(read_reply(text, &reply, &why), HTTP_REPLY_DONE);
    cr_expect(reply.status == 200 && reply.keep_alive && reply.has_length && reply.length == 42);
    cr_expect(reply.is_msgpack && !reply.is_text && reply.retry_ms == 0);
    cr_expect_str_eq(reply.reason, "OK");
    cr_expect_str_eq(reply.location, "");
}

Test(http_reply, what_a_refusal_tells_is_read_and_made_fit_for_a_terminal)
{
    const char *text = "HTTP/1.0 503 T\xe9mporaire\r\ncontent-type: TEXT/plain ; charset=utf-8\r\n"
                       "RETRY-AFTER:  7 \r\nLocation: https://example.org/\xc3\xa9\r\n\r\n";
    struct http_reply reply;
    const char *why;

    cr_assert_eq(read_reply(text, &reply, &why), HTTP_REPLY_DONE);
    cr_expect(reply.status == 503 && !reply.keep_alive && !reply.has_length && reply.is_text);
    cr_expect_eq(reply.retry_ms, 7000);
    cr_expect_str_eq(reply.reason, "T?mporaire");
    cr_expect_str_eq(reply.location, "https://example.org/??");
}

static const struct {
    const char *says, *head;
    bool keep_alive;
} connections[] = {
    {"1.1 is kept", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", true},
    {"1.1 with close is not", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n",
     false},
    {"1.0 is not", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false},
    {"1.0 that asks for it is",
     "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n", true},
    {"1.0 that asks for both is not",
     "HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: close, keep-alive\r\n\r\n", false},
    {"without a length nothing can follow", "HTTP/1.1 200 OK\r\n\r\n", false},
};

Test(http_reply, whether_the_connection_is_kept_is_told)
{
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        struct http_reply reply;
        const char *why;

        cr_assert_eq(read_reply(connections[i].head, &reply, &why), HTTP_REPLY_DONE, "%s",
                     connections[i].says);
        cr_expect_eq(reply.keep_alive, connections[i].keep_alive, "%s", connections[i].says);
    }
}

static const struct {
    const char *says, *head, *why;
} refused[] = {
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", "twice"},
    {"one length twice", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
     "twice"},
    {"a signed length", "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n", "digits only"},
    {"a length of 19 digits", "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\n",
     "digits only"},
    {"an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "digits only"},
    {"a list of lengths", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n", "digits only"},
    {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer coding"},
    {"an unknown coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n", "transfer coding"},
    {"a length and a coding",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
     "transfer coding"},
    {"compressed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "compressed"},
    {"a bare line feed", "HTTP/1.1 200 OK\nContent-Length: 3\n\n", "CR LF"},
    {"a CR alone", "HTTP/1.1 200 OK\rX: 1\r\n\r\n", "CR LF"},
    {"a NUL", "HTTP/1.1 200 O\x01K\r\n\r\n", "control character"},
    {"a folded line", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "white space"},
    {"a space before the colon", "HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\n", "header"},
    {"no colon", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", ""},
    {"no name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n", ""},
    {"version 1.2", "HTTP/1.2 200 OK\r\n\r\n", "first line"},
    {"version 1.10", "HTTP/1.10 200 OK\r\n\r\n", "first line"},
    {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", "first line"},
    {"a status of two digits", "HTTP/1.1 99 OK\r\n\r\n", "first line"},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "first line"},
    {"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "first line"},
    {"no status", "HTTP/1.1\r\n\r\n", ""},
    {"nothing", "HTTP/1.\r\n\r\n", ""},
};

Test(http_reply, what_could_be_read_in_two_ways_is_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct http_reply reply;
        const char *why = NULL;

        cr_expect_eq(read_reply(refused[i].head, &reply, &why), HTTP_REPLY_REFUSED, "%s",
                     refused[i].says);
        cr_expect(why != NULL && strstr(why, refused[i].why) != NULL, "%s: %s", refused[i].says,
                  why);
    }
}

Test(http_reply, what_is_no_http_is_known_by_its_first_bytes)
{
    static const char *const others[] = {
        "SSH-2.0-x",    "\x93\x02",      "\x15\x03\x03",       "<html>",
        "http/1.1 200", "HTTP/2 200 OK", "\r\nHTTP/1.1 200 OK"};
    struct http_reply reply;
    const char *why;

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_eq(read_reply(others[i], &reply, &why), HTTP_REPLY_FOREIGN, "%s", others[i]);
    cr_expect_eq(read_reply("HTT", &reply, &why), HTTP_REPLY_MORE);
    cr_expect_eq(read_reply("HTTP/1.", &reply, &why), HTTP_REPLY_MORE);
}

/* A head of n bytes. */
static size_t
long_head(char *out, size_t n)
{
    size_t len = (size_t)sprintf(out, "HTTP/1.1 200 OK\r\nX: ");

    memset(out + len, 'a', n - len - 4);
    strcpy(out + n - 4, "\r\n\r\n");
    return n;
}

Test(http_reply, a_head_is_taken_at_its_limits_and_refused_over_them)
{
    static char text[REPLY_HEAD_BYTES + 2];
    struct http_reply reply;
    const char *why;
    size_t n;

    long_head(text, REPLY_HEAD_BYTES);
    cr_expect_eq(read_reply(text, &reply, &why), HTTP_REPLY_DONE);
    long_head(text, REPLY_HEAD_BYTES + 1);
    cr_expect_eq(read_reply(text, &reply, &why), HTTP_REPLY_REFUSED);
    cr_expect_str_eq(why, "has a head of more than 16 KiB");

    n = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < REPLY_LINES; i++)
        n += (size_t)sprintf(text + n, "X: %d\r\n", i);
    strcpy(text + n, "\r\n");
    cr_expect_eq(read_reply(text, &reply, &why), HTTP_REPLY_DONE);
    strcpy(text + n, "X: 1\r\n\r\n");
    cr_expect_eq(read_reply(text, &reply, &why), HTTP_REPLY_REFUSED);
    cr_expect_str_eq(why, "has more than 100 header lines");
}
