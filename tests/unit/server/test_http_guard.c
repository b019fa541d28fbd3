#include "cases.h"
#include "http_guard.h"

#define S(literal) STR_LIT(literal)

static const struct str names[] = {S("match.example.org"), S("Console.Example.org:8443"),
                                   S("[2001:db8::1]"), S("192.0.2.7")};
static const struct http_guard plain = {names, 4, 7480, false};
static const struct http_guard secure = {names, 4, 7443, true};
static const struct http_guard alone = {NULL, 0, 80, false};

/* clang-format off */
static const struct {
    const struct http_guard *guard;
    const char *host;
    bool is_known;
} hosts[] = {
    {&plain, "127.0.0.1:7480", true},
    {&plain, "localhost:7480", true},
    {&plain, "LocalHost:7480", true},
    {&plain, "[::1]:7480", true},
    {&plain, "localhost:07480", false},
    {&plain, "localhost", false},
    {&plain, "localhost:7481", false},
    {&plain, "localhost:80", false},
    {&plain, "localhost:", false},
    {&plain, "localhost:7480:7480", false},
    {&plain, "localhost.:7480", false},
    {&plain, "localhost:73016", false}, /* 7480 + 65536 */
    {&plain, "localhost:748", false},
    {&plain, "localhost:+7480", false},
    {&plain, "localhost.evil.org:7480", false},
    {&plain, "evil-localhost:7480", false},
    {&plain, "evil.org", false},
    {&plain, "evil.org:7480", false},
    {&plain, "127.0.0.2:7480", false},
    {&plain, "127.1:7480", false},
    {&plain, "2130706433:7480", false},
    {&plain, "0.0.0.0:7480", false},
    {&plain, "::1:7480", false},
    {&plain, "[::1]7480", false},
    {&plain, "[::1", false},
    {&plain, "[::1]", false},
    {&plain, "[0:0:0:0:0:0:0:1]:7480", false},
    {&plain, "match.example.org", true},
    {&plain, "MATCH.example.ORG", true},
    {&plain, "match.example.org:7480", true},
    {&plain, "match.example.org:80", false},
    {&plain, "match.example.org.", false},
    {&plain, "xmatch.example.org", false},
    {&plain, "match.example.org.evil.org", false},
    {&plain, "console.example.org:8443", true},
    {&plain, "console.example.org", false},
    {&plain, "console.example.org:7480", false},
    {&plain, "[2001:db8::1]", true},
    {&plain, "[2001:DB8::1]:7480", true},
    {&plain, "[2001:db8::2]", false},
    {&plain, "192.0.2.7", true},
    {&plain, "192.0.2.70", false},
    {&plain, "", false},
    {&plain, ":7480", false},
    {&plain, NULL, false},
    {&secure, "localhost:7443", true},
    {&secure, "localhost", false},
    {&secure, "match.example.org", true},
    {&alone, "localhost", true},
    {&alone, "localhost:80", true},
    {&alone, "localhost:443", false},
    {&alone, "match.example.org", false},
};

static const struct {
    const struct http_guard *guard;
    const char *origin;
    bool is_known;
} origins[] = {
    {&plain, "http://localhost:7480", true},
    {&plain, "HTTP://LOCALHOST:7480", true},
    {&plain, "http://[::1]:7480", true},
    {&plain, "http://localhost", false},
    {&plain, "https://localhost:7480", false},
    {&plain, "http://match.example.org", true},
    {&plain, "https://match.example.org", true}, /* a proxy with TLS in front */
    {&plain, "https://console.example.org:8443", true},
    {&plain, "https://console.example.org", false},
    {&plain, "http://evil.org", false},
    {&plain, "http://localhost:7480.evil.org", false},
    {&plain, "http://localhost:7480/", false},
    {&plain, "http://localhost:7480@evil.org", false},
    {&plain, "http://user@localhost:7480", false},
    {&plain, "http:localhost:7480", false},
    {&plain, "ftp://localhost:7480", false},
    {&plain, "localhost:7480", false},
    {&plain, "null", false},
    {&plain, "", false},
    {&plain, "http://", false},
    {&plain, "http://localhost:7480 http://evil.org", false},
    {&plain, "http://localhost:7480, http://evil.org", false},
    {&secure, "https://localhost:7443", true},
    {&secure, "http://localhost:7443", false},
    {&secure, "https://match.example.org", true},
    {&secure, "http://match.example.org", false},
    {&alone, "http://localhost", true},
    {&alone, "http://localhost:80", true},
};
/* clang-format on */

CASES(http_guard, knows_the_hosts_of_its_list_and_no_other, hosts)
{
    cr_expect_eq(http_guard_knows_host(hosts[*i].guard, str_from(hosts[*i].host)),
                 hosts[*i].is_known, "%s", hosts[*i].host != NULL ? hosts[*i].host : "none");
}

CASES(http_guard, knows_the_origins_of_the_same_list, origins)
{
    cr_expect_eq(http_guard_knows_origin(origins[*i].guard, str_from(origins[*i].origin)),
                 origins[*i].is_known, "%s", origins[*i].origin);
}

static const struct {
    const char *says;
    struct http_head head;
    int status; /* 0: let through */
} asked[] = {
    {"a tool", {.host = S("localhost:7480")}, 0},
    {"the console's page", {.host = S("localhost:7480"), .sec_fetch_site = S("same-origin")}, 0},
    {"the address line", {.host = S("localhost:7480"), .sec_fetch_site = S("none")}, 0},
    {"a link on another port", {.host = S("localhost:7480"), .sec_fetch_site = S("same-site")}, 0},
    {"a call from another port",
     {.verb = HTTP_VERB_POST, .host = S("localhost:7480"), .sec_fetch_site = S("same-site")},
     403},
    {"a call from the console",
     {.verb = HTTP_VERB_POST,
      .host = S("localhost:7480"),
      .origin = S("http://localhost:7480"),
      .sec_fetch_site = S("same-origin")},
     0},
    {"a page of another site",
     {.host = S("localhost:7480"), .sec_fetch_site = S("cross-site")},
     403},
    {"a word that browsers don't have",
     {.host = S("localhost:7480"), .sec_fetch_site = S("same-planet")},
     403},
    {"an empty word", {.host = S("localhost:7480"), .sec_fetch_site = S("")}, 403},
    {"a name looked up again",
     {.host = S("evil.org:7480"), .origin = S("http://evil.org:7480")},
     421},
    {"another origin", {.host = S("localhost:7480"), .origin = S("http://evil.org")}, 403},
    {"an origin that hides", {.host = S("localhost:7480"), .origin = S("null")}, 403},
    {"an empty origin", {.host = S("localhost:7480"), .origin = S("")}, 403},
    {"another allowed origin", {.host = S("localhost:7480"), .origin = S("http://[::1]:7480")}, 0},
    {"no host at all", {.origin = S("http://localhost:7480")}, 421},
};

CASES(http_guard, lets_through_who_may_ask, asked)
{
    struct http_refusal refusal = {0};

    cr_expect_eq(http_guard_check(&plain, &asked[*i].head, &refusal), asked[*i].status == 0, "%s",
                 asked[*i].says);
    cr_expect_eq(refusal.status, asked[*i].status, "%s", asked[*i].says);
    cr_expect_eq(refusal.sentence[0] == '\0', asked[*i].status == 0, "%s", asked[*i].says);
}

#define MSGPACK S("application/msgpack")

/* clang-format off */
static const struct {
    const char *says;
    enum http_verb verb;
    struct str type, encoding, authorization;
    int status;
    const char *token; /* NULL: none */
} calls[] = {
    {"with a token", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer abc"), 0, "abc"},
    {"with a token of all characters", HTTP_VERB_POST, MSGPACK, {0}, S("bearer  aZ09-._~+/=="), 0, "aZ09-._~+/=="},
    {"without one", HTTP_VERB_POST, MSGPACK, {0}, {0}, 0, NULL},
    {"type in capitals", HTTP_VERB_POST, S("Application/MsgPack"), {0}, {0}, 0, NULL},
    {"type with a parameter", HTTP_VERB_POST, S("application/msgpack ; v=1"), {0}, {0}, 0, NULL},
    {"the registered type", HTTP_VERB_POST, S("application/vnd.msgpack"), {0}, {0}, 0, NULL},
    {"an older type", HTTP_VERB_POST, S("application/x-msgpack"), {0}, {0}, 0, NULL},
    {"plain by name", HTTP_VERB_POST, MSGPACK, S("identity"), {0}, 0, NULL},
    {"GET", HTTP_VERB_GET, MSGPACK, {0}, S("Bearer abc"), 405, NULL},
    {"HEAD", HTTP_VERB_HEAD, MSGPACK, {0}, S("Bearer abc"), 405, NULL},
    {"no type", HTTP_VERB_POST, {0}, {0}, S("Bearer abc"), 415, NULL},
    {"an empty type", HTTP_VERB_POST, S(""), {0}, S("Bearer abc"), 415, NULL},
    {"a form", HTTP_VERB_POST, S("application/x-www-form-urlencoded"), {0}, S("Bearer abc"), 415, NULL},
    {"a form of parts", HTTP_VERB_POST, S("multipart/form-data; boundary=application/msgpack"), {0}, S("Bearer abc"), 415, NULL},
    {"plain text", HTTP_VERB_POST, S("text/plain"), {0}, S("Bearer abc"), 415, NULL},
    {"plain text with a parameter", HTTP_VERB_POST, S("text/plain; application/msgpack"), {0}, S("Bearer abc"), 415, NULL},
    {"two types in one", HTTP_VERB_POST, S("text/plain, application/msgpack"), {0}, S("Bearer abc"), 415, NULL},
    {"JSON", HTTP_VERB_POST, S("application/json"), {0}, S("Bearer abc"), 415, NULL},
    {"compressed", HTTP_VERB_POST, MSGPACK, S("gzip"), S("Bearer abc"), 415, NULL},
    {"an empty encoding", HTTP_VERB_POST, MSGPACK, S(""), S("Bearer abc"), 415, NULL},
    {"a password of the browser's", HTTP_VERB_POST, MSGPACK, {0}, S("Basic YTpi"), 401, NULL},
    {"no scheme", HTTP_VERB_POST, MSGPACK, {0}, S("abc"), 401, NULL},
    {"no token behind the scheme", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer"), 401, NULL},
    {"spaces behind the scheme", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer   "), 401, NULL},
    {"another scheme that begins like it", HTTP_VERB_POST, MSGPACK, {0}, S("Bearers abc"), 401, NULL},
    {"two tokens", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer abc def"), 401, NULL},
    {"a tab", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer abc\tdef"), 401, NULL},
    {"a padding alone", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer =="), 401, NULL},
    {"padding within", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer a=b"), 401, NULL},
    {"a byte above ASCII", HTTP_VERB_POST, MSGPACK, {0}, S("Bearer \xc3\xa9"), 401, NULL},
    {"an empty header", HTTP_VERB_POST, MSGPACK, {0}, S(""), 401, NULL},
};

static const struct {
    const char *text;
    bool is_host;
} given[] = {
    {"match.example.org", true},
    {"match.example.org:8443", true},
    {"localhost", true},
    {"a", true},
    {"a-b.c", true},
    {"192.0.2.7:80", true},
    {"[2001:db8::1]", true},
    {"[2001:db8::1]:65535", true},
    {"", false},
    {"*", false},
    {"*.example.org", false},
    {"a:0", false},
    {"a:65536", false},
    {"a:", false},
    {"a:b", false},
    {":80", false},
    {".a", false},
    {"a.", false},
    {"a..b", false},
    {"-a", false},
    {"a-", false},
    {"a_b", false},
    {"a b", false},
    {"http://a", false},
    {"a/b", false},
    {"2001:db8::1", false},
    {"[]", false},
    {"[::1", false},
    {"[::g]", false},
    {"caf\xc3\xa9.fr", false},
};
/* clang-format on */

CASES(http_guard, a_call_is_a_post_of_msgpack, calls)
{
    const struct http_head head = {.verb = calls[*i].verb,
                                   .content_type = calls[*i].type,
                                   .content_encoding = calls[*i].encoding,
                                   .authorization = calls[*i].authorization};
    struct http_refusal refusal = {0};
    struct str token = S("as it was");

    cr_expect_eq(http_guard_check_call(&head, &token, &refusal), calls[*i].status == 0, "%s",
                 calls[*i].says);
    cr_expect_eq(refusal.status, calls[*i].status, "%s", calls[*i].says);
    if (calls[*i].status != 0) {
        cr_expect(str_is(token, "as it was"), "%s", calls[*i].says);
        cr_expect_eq(refusal.allow != NULL, calls[*i].status == 405, "%s", calls[*i].says);
    } else {
        cr_expect_eq(token.data == NULL, calls[*i].token == NULL, "%s", calls[*i].says);
        cr_expect(str_equal(token, str_from(calls[*i].token)), "%s", calls[*i].says);
    }
}

CASES(http_guard, the_name_of_a_host_is_checked_when_it_is_given, given)
{
    struct err err = {0};
    enum err_code code = http_host_check(str_from(given[*i].text), &err);

    cr_expect_eq(code, given[*i].is_host ? ERR_OK : ERR_INVALID_PARAMS, "%s", given[*i].text);
    cr_expect_eq(err.message[0] == '\0', given[*i].is_host, "%s", given[*i].text);
    if (given[*i].is_host) {
        const struct str list[] = {str_from(given[*i].text)};
        const struct http_guard guard = {list, 1, 7480, false};

        cr_expect(http_guard_knows_host(&guard, list[0]), "%s", given[*i].text);
    }
}
