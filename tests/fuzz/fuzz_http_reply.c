#include "fuzz.h"
#include "http_reply.h"

#include <string.h>
#include <strings.h>

/*
 * Heads of answers, as the client library reads them. The verdict is the same however the bytes come, and
 * what is accepted passes a second reader that knows nothing but lines.
 */

static void
check_piecewise(const uint8_t *bytes, size_t n, const struct http_scan *whole,
                enum http_reply_state state)
{
    enum http_reply_state now = HTTP_REPLY_MORE;
    struct http_reply reply;
    struct http_scan scan;
    const char *why;

    http_scan_init(&scan);
    for (size_t i = 1; i <= n && now == HTTP_REPLY_MORE; i++)
        now = jmli_http_reply_read(&scan, bytes, i, &reply, &why);
    FUZZ_CLAIM(n == 0 || now == state);
    FUZZ_CLAIM(state == HTTP_REPLY_FOREIGN || scan.pos == whole->pos);
}

static size_t
count_lines(const char *bytes, size_t n, const char *name)
{
    size_t count = 0, len = strlen(name);

    for (size_t at = 0; at + len < n;) {
        const char *end = memmem(bytes + at, n - at, "\r\n", 2);

        count += strncasecmp(bytes + at, name, len) == 0 && bytes[at + len] == ':';
        at = (size_t)(end - bytes) + 2;
    }
    return count;
}

static bool
is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

static void
check_accepted(const uint8_t *bytes, size_t n, const struct http_reply *reply)
{
    const char *text = (const char *)bytes;

    FUZZ_CLAIM(n >= 16 && memcmp(text + n - 4, "\r\n\r\n", 4) == 0);
    FUZZ_CLAIM(memmem(text, n - 1, "\r\n\r\n", 4) == NULL);
    FUZZ_CLAIM(reply->status >= 100 && reply->status <= 999);
    FUZZ_CLAIM(count_lines(text, n, "content-length") == (reply->has_length ? 1 : 0));
    FUZZ_CLAIM(count_lines(text, n, "transfer-encoding") == 0);
    FUZZ_CLAIM(reply->length <= INT64_MAX && reply->retry_ms >= 0);
    FUZZ_CLAIM(is_plain(reply->reason) && is_plain(reply->location));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum http_reply_state state = HTTP_REPLY_MORE;
    struct http_reply reply;
    struct http_scan scan;
    const char *why = NULL;

    http_scan_init(&scan);
    if (n != 0)
        state = jmli_http_reply_read(&scan, bytes, n, &reply, &why);
    FUZZ_CLAIM(scan.pos <= n && scan.pos <= REPLY_HEAD_BYTES);
    check_piecewise(bytes, n, &scan, state);
    if (state == HTTP_REPLY_DONE)
        check_accepted(bytes, scan.pos, &reply);
    FUZZ_CLAIM(state != HTTP_REPLY_REFUSED || (why != NULL && why[0] != '\0'));
    return 0;
}
