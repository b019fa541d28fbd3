#include "fuzz.h"
#include "http_answer.h"
#include "http_guard.h"

#include <strings.h>

/*
 * Hosts, origins, tokens and lists of tags, one input for all of them. What the guard lets through is
 * held against every text that it may let through, written out.
 */
static const struct str names[] = {STR_LIT("match.example.org"), STR_LIT("a.b:8443")};
static const struct http_guard guard = {names, 2, 7480, false};

static const char *const hosts[] = {
    "127.0.0.1:7480",    "localhost:7480",         "[::1]:7480",
    "match.example.org", "match.example.org:7480", "a.b:8443",
};

static bool
is_text(struct str s, const char *scheme, const char *host)
{
    size_t n = strlen(scheme), m = strlen(host);

    return s.len == n + m && strncasecmp(s.data, scheme, n) == 0 &&
           strncasecmp(s.data + n, host, m) == 0;
}

static bool
is_written(struct str s, const char *scheme, size_t first)
{
    for (size_t i = first; i < sizeof hosts / sizeof hosts[0]; i++)
        if (is_text(s, scheme, hosts[i]))
            return true;
    return false;
}

static void
check_token(struct str text)
{
    const struct http_head head = {.authorization = text};
    struct http_refusal refusal = {0};
    struct str token;

    if (!http_guard_bearer(&head, &token, &refusal)) {
        FUZZ_CLAIM(refusal.status == 401 && refusal.sentence[0] != '\0');
        return;
    }
    FUZZ_CLAIM(token.len != 0 && token.len + strlen("Bearer ") <= text.len);
    FUZZ_CLAIM(token.data + token.len == text.data + text.len);
    for (size_t i = 0; i < token.len; i++)
        FUZZ_CLAIM(token.data[i] > ' ' && token.data[i] < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const struct str tag = STR_LIT("\"abc\"");
    struct str text = {n != 0 ? (const char *)bytes : "", n};
    struct err err = {0};

    FUZZ_CLAIM(http_guard_knows_host(&guard, text) == is_written(text, "", 0));
    FUZZ_CLAIM(http_guard_knows_origin(&guard, text) ==
               (is_written(text, "http://", 0) || is_written(text, "https://", 3)));
    if (http_host_check(text, &err) == ERR_OK) {
        const struct http_guard own = {&text, 1, 7480, false};

        FUZZ_CLAIM(http_guard_knows_host(&own, text));
    } else {
        FUZZ_CLAIM(err.code == ERR_INVALID_PARAMS && err.message[0] != '\0');
    }
    if (http_etag_is_known(text, tag))
        FUZZ_CLAIM(str_is(text, "*") || memmem(text.data, text.len, tag.data, tag.len) != NULL);
    check_token(text);
    return 0;
}
