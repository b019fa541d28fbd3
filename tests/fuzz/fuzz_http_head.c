#include "buf.h"
#include "fuzz.h"
#include "http_head.h"

#include <strings.h>

/*
 * Heads of requests. The verdict is the same however the bytes come; what is accepted passes a second
 * reader that knows nothing but lines, and written out from its fields and read again it is the same.
 */
static const struct http_limits limits = {
    .head_bytes = 2048, .target_bytes = 512, .lines = 16, .body_bytes = 1 << 20};

static enum http_head_state
read_copy(const uint8_t *bytes, size_t n, struct http_scan *scan, struct http_head *head,
          struct http_refusal *refusal)
{
    http_scan_init(scan);
    return http_head_read(scan, bytes, n, &limits, head, refusal);
}

static void
check_piecewise(const uint8_t *bytes, size_t n, const struct http_scan *whole,
                enum http_head_state state, int status)
{
    enum http_head_state now = HTTP_HEAD_MORE;
    struct http_refusal refusal = {0};
    struct http_head head;
    struct http_scan scan;

    http_scan_init(&scan);
    for (size_t i = 0; i <= n && now == HTTP_HEAD_MORE; i++)
        now = http_head_read(&scan, bytes, i, &limits, &head, &refusal);
    FUZZ_CLAIM(now == state);
    FUZZ_CLAIM(scan.pos == whole->pos);
    FUZZ_CLAIM(refusal.status == status);
}

static bool
is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool
is_named(struct str line, const char *name)
{
    size_t n = strlen(name);

    return line.len > n && line.data[n] == ':' && strncasecmp(line.data, name, n) == 0;
}

/* Line by line, by hand: what another server might make of the same bytes. */
static void
check_lines(const char *bytes, size_t n, const struct http_head *head)
{
    size_t n_hosts = 0, n_lengths = 0, n_lines = 0, begin = 0;

    FUZZ_CLAIM(n >= 4 && memcmp(bytes + n - 4, "\r\n\r\n", 4) == 0);
    FUZZ_CLAIM(memmem(bytes, n - 1, "\r\n\r\n", 4) == NULL);
    while (begin + 2 < n) {
        const char *end = memmem(bytes + begin, n - begin, "\r\n", 2);
        struct str line = {bytes + begin, (size_t)(end - bytes) - begin};

        for (size_t i = 0; i < line.len; i++)
            FUZZ_CLAIM((uint8_t)line.data[i] >= ' ' || line.data[i] == '\t');
        if (n_lines++ != 0) {
            size_t colon = str_find(line, ':', 0);

            FUZZ_CLAIM(colon != 0 && colon != line.len);
            for (size_t i = 0; i < colon; i++)
                FUZZ_CLAIM(is_name_char(line.data[i]));
            FUZZ_CLAIM(!is_named(line, "transfer-encoding"));
            n_hosts += is_named(line, "host");
            n_lengths += is_named(line, "content-length");
        }
        begin += line.len + 2;
    }
    FUZZ_CLAIM(n_lines <= limits.lines + 1);
    FUZZ_CLAIM(n_hosts == 1 || (n_hosts == 0 && head->minor == 0));
    FUZZ_CLAIM(n_lengths <= 1);
    FUZZ_CLAIM(n_lengths == 1 || head->verb != HTTP_VERB_POST);
}

static void
put(struct buf *buf, const char *name, struct str value)
{
    if (value.data != NULL)
        buf_printf(buf, "%s: %.*s\r\n", name, STR_ARG(value));
}

static void
write_head(struct buf *buf, const struct http_head *head)
{
    static const char *const verbs[] = {"GET", "HEAD", "POST"};

    buf_printf(buf, "%s %.*s%s%.*s HTTP/1.%u\r\n", verbs[head->verb], STR_ARG(head->path),
               head->query.data != NULL ? "?" : "", STR_ARG(head->query), head->minor);
    put(buf, "Host", head->host);
    put(buf, "Origin", head->origin);
    put(buf, "Authorization", head->authorization);
    put(buf, "Content-Type", head->content_type);
    put(buf, "Content-Encoding", head->content_encoding);
    put(buf, "Sec-Fetch-Site", head->sec_fetch_site);
    put(buf, "If-None-Match", head->if_none_match);
    put(buf, "Accept-Encoding", head->accept_encoding);
    put(buf, "Accept-Language", head->accept_language);
    buf_printf(buf, "Connection: %s\r\n", head->keep_alive ? "keep-alive" : "close");
    if (head->verb == HTTP_VERB_POST)
        buf_printf(buf, "Content-Length: %llu\r\n", (unsigned long long)head->content_length);
    if (head->wants_continue)
        buf_append_text(buf, "Expect: 100-continue\r\n");
    buf_append_text(buf, "\r\n");
}

static bool
is_same(struct str a, struct str b)
{
    return (a.data == NULL) == (b.data == NULL) && str_equal(a, b);
}

static void
check_again(const struct http_head *head)
{
    /* written out it may be somewhat longer than it came */
    static const struct http_limits wide = {
        .head_bytes = 4096, .target_bytes = 512, .lines = 16, .body_bytes = 1 << 20};
    struct http_refusal refusal = {0};
    struct http_head again;
    struct http_scan scan;
    struct buf buf;

    buf_init(&buf, wide.head_bytes);
    write_head(&buf, head);
    FUZZ_CLAIM(buf_check(&buf, NULL) == ERR_OK);
    http_scan_init(&scan);
    FUZZ_CLAIM(http_head_read(&scan, (const uint8_t *)buf.data, buf.len, &wide, &again, &refusal) ==
               HTTP_HEAD_DONE);
    FUZZ_CLAIM(scan.pos == buf.len);
    FUZZ_CLAIM(again.verb == head->verb && again.minor == head->minor);
    FUZZ_CLAIM(again.keep_alive == head->keep_alive && again.has_body == head->has_body);
    FUZZ_CLAIM(again.content_length == head->content_length);
    FUZZ_CLAIM(again.wants_continue == head->wants_continue);
    FUZZ_CLAIM(again.accepts_gzip == head->accepts_gzip);
    FUZZ_CLAIM(is_same(again.path, head->path) && is_same(again.query, head->query));
    FUZZ_CLAIM(is_same(again.host, head->host) && is_same(again.origin, head->origin));
    FUZZ_CLAIM(is_same(again.authorization, head->authorization));
    FUZZ_CLAIM(is_same(again.content_type, head->content_type));
    FUZZ_CLAIM(is_same(again.content_encoding, head->content_encoding));
    FUZZ_CLAIM(is_same(again.sec_fetch_site, head->sec_fetch_site));
    FUZZ_CLAIM(is_same(again.if_none_match, head->if_none_match));
    FUZZ_CLAIM(is_same(again.accept_encoding, head->accept_encoding));
    FUZZ_CLAIM(is_same(again.accept_language, head->accept_language));
    buf_fini(&buf);
}

static void
check_accepted(const uint8_t *bytes, const struct http_scan *scan, const struct http_head *head)
{
    struct str decoded;
    char room[1024];

    FUZZ_CLAIM(head->content_length <= limits.body_bytes);
    FUZZ_CLAIM(head->has_body == (head->content_length != 0));
    FUZZ_CLAIM(!head->has_body || head->verb == HTTP_VERB_POST);
    FUZZ_CLAIM(head->path.len + head->query.len <= limits.target_bytes);
    FUZZ_CLAIM(head->path.len != 0 && head->path.data[0] == '/');
    FUZZ_CLAIM(http_path_decode(head->path, room, &decoded));
    FUZZ_CLAIM(decoded.len <= head->path.len && str_is_utf8(decoded));
    FUZZ_CLAIM(memmem(decoded.data, decoded.len, "/../", 4) == NULL);
    check_lines((const char *)bytes, scan->pos, head);
    check_again(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct http_refusal refusal = {0};
    struct http_head head;
    struct http_scan scan;
    enum http_head_state state = read_copy(bytes, n, &scan, &head, &refusal);

    FUZZ_CLAIM(scan.pos <= n && scan.pos <= limits.head_bytes);
    check_piecewise(bytes, n, &scan, state, refusal.status);
    switch (state) {
    case HTTP_HEAD_MORE:
        FUZZ_CLAIM(n < limits.head_bytes);
        FUZZ_CLAIM(refusal.status == 0);
        break;
    case HTTP_HEAD_DONE:
        check_accepted(bytes, &scan, &head);
        break;
    case HTTP_HEAD_REFUSED:
        FUZZ_CLAIM(refusal.status >= 400 && refusal.status < 600);
        FUZZ_CLAIM(refusal.sentence[0] != '\0' && str_is_utf8(str_from(refusal.sentence)));
        break;
    }
    return 0;
}
