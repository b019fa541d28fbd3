#include "http_guard.h"

#include <strings.h>

enum { PORT_HTTP = 80, PORT_HTTPS = 443, HOST_BYTES_MAX = 255 };

static const char *const own_names[] = {"127.0.0.1", "localhost", "[::1]"};

static bool
is_same_name(struct str a, struct str b)
{
    return a.len == b.len && a.len != 0 && strncasecmp(a.data, b.data, a.len) == 0;
}

/* A host without and with its port; -1 without. False if it is not of that form. */
static bool
split_host(struct str host, struct str *name, int32_t *port)
{
    size_t colon = host.len;
    int32_t number = 0;

    if (host.len != 0 && host.data[0] == '[') { /* colons within belong to the address */
        colon = str_find(host, ']', 0) + 1;
        if (colon > host.len)
            return false;
    } else {
        colon = str_find(host, ':', 0);
    }
    *name = (struct str){host.data, colon};
    *port = -1;
    if (colon == host.len)
        return name->len != 0;
    if (host.data[colon] != ':' || host.len - colon < 2 || host.len - colon > 6 ||
        host.data[colon + 1] == '0')
        return false;
    for (size_t i = colon + 1; i < host.len; i++) {
        if (host.data[i] < '0' || host.data[i] > '9')
            return false;
        number = number * 10 + (host.data[i] - '0');
    }
    *port = number;
    return name->len != 0 && number <= UINT16_MAX;
}

static bool
is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Labels of letters, digits and inner hyphens with dots between; an address of IPv4 is that, too. */
static bool
is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool is_edge = i == 0 || i + 1 == s.len || s.data[i - 1] == '.' || s.data[i + 1] == '.';

        if (!is_letter_or_digit(s.data[i]) && (is_edge || (s.data[i] != '-' && s.data[i] != '.')))
            return false;
    }
    return s.len != 0;
}

static bool
is_bracketed(struct str s)
{
    if (s.len < 4 || s.data[0] != '[' || s.data[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.len; i++) {
        char c = (char)(s.data[i] | 0x20);

        if (!(s.data[i] >= '0' && s.data[i] <= '9') && !(c >= 'a' && c <= 'f') &&
            s.data[i] != ':' && s.data[i] != '.')
            return false;
    }
    return true;
}

enum err_code
http_host_check(struct str text, struct err *err)
{
    struct str name;
    int32_t port;

    if (text.len > HOST_BYTES_MAX || !split_host(text, &name, &port) ||
        !(is_bracketed(name) || is_name(name)))
        return err_set(err, ERR_INVALID_PARAMS,
                       "%.*s is not a host; write a name such as match.example.org, or an address, "
                       "with a port or without",
                       text.len < 80 ? (int)text.len : 80, text.len != 0 ? text.data : "");
    return ERR_OK;
}

static bool
is_own(const struct http_guard *guard, struct str name, int32_t port, int32_t scheme_port)
{
    if ((port >= 0 ? port : scheme_port) != guard->port)
        return false;
    for (size_t i = 0; i < sizeof own_names / sizeof own_names[0]; i++)
        if (is_same_name(name, str_from(own_names[i])))
            return true;
    return false;
}

static bool
is_listed(const struct http_guard *guard, struct str name, int32_t port)
{
    for (size_t i = 0; i < guard->n_names; i++) {
        struct str listed;
        int32_t listed_port;

        if (!split_host(guard->names[i], &listed, &listed_port) || !is_same_name(name, listed))
            continue;
        if (listed_port >= 0 ? port == listed_port : port < 0 || port == guard->port)
            return true;
    }
    return false;
}

bool
http_guard_knows_host(const struct http_guard *guard, struct str host)
{
    struct str name;
    int32_t port;

    return split_host(host, &name, &port) &&
           (is_own(guard, name, port, guard->is_tls ? PORT_HTTPS : PORT_HTTP) ||
            is_listed(guard, name, port));
}

/* What follows prefix, or data NULL. */
static struct str
behind(struct str s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (s.len < n || strncasecmp(s.data, prefix, n) != 0)
        return (struct str){NULL, 0};
    return (struct str){s.data + n, s.len - n};
}

bool
http_guard_knows_origin(const struct http_guard *guard, struct str origin)
{
    struct str secure = behind(origin, "https://"), plain = behind(origin, "http://"), name;
    int32_t port;

    if (secure.data != NULL && split_host(secure, &name, &port))
        return (guard->is_tls && is_own(guard, name, port, PORT_HTTPS)) ||
               is_listed(guard, name, port);
    if (plain.data != NULL && split_host(plain, &name, &port))
        return !guard->is_tls &&
               (is_own(guard, name, port, PORT_HTTP) || is_listed(guard, name, port));
    return false;
}

static bool
check_site(const struct http_head *head, struct http_refusal *refusal)
{
    static const char *const fine[] = {"same-origin", "none", "same-site"};
    size_t n = head->verb == HTTP_VERB_POST ? 2 : 3;

    if (head->sec_fetch_site.data == NULL) /* no browser, or an old one */
        return true;
    for (size_t i = 0; i < n; i++)
        if (str_is(head->sec_fetch_site, fine[i]))
            return true;
    return http_refuse(refusal, 403, "asked for by a page of another site");
}

bool
http_guard_check(const struct http_guard *guard, const struct http_head *head,
                 struct http_refusal *refusal)
{
    if (!http_guard_knows_host(guard, head->host))
        return http_refuse(refusal, 421,
                           "no such host here; the service's hosts are given with --http-host");
    if (head->origin.data != NULL && !http_guard_knows_origin(guard, head->origin))
        return http_refuse(refusal, 403, "asked for by a page of another origin");
    return check_site(head, refusal);
}

/* The media type alone, or with parameters behind it. */
static bool
is_msgpack(struct str type)
{
    struct str name = str_trim((struct str){type.data, str_find(type, ';', 0)});

    return is_same_name(name, STR_LIT("application/msgpack")) ||
           is_same_name(name, STR_LIT("application/vnd.msgpack")) ||
           is_same_name(name, STR_LIT("application/x-msgpack"));
}

/* token68 of RFC 9110 */
static bool
is_token68(struct str s)
{
    size_t n = s.len;

    while (n != 0 && s.data[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++)
        if (!is_letter_or_digit(s.data[i]) &&
            (s.data[i] == '\0' || strchr("-._~+/", s.data[i]) == NULL))
            return false;
    return n != 0;
}

bool
http_guard_bearer(const struct http_head *head, struct str *token, struct http_refusal *refusal)
{
    struct str text = {NULL, 0};

    if (head->authorization.data != NULL) {
        text = behind(head->authorization, "Bearer ");
        while (text.len != 0 && text.data[0] == ' ')
            text = (struct str){text.data + 1, text.len - 1};
        if (!is_token68(text))
            return http_refuse(refusal, 401, "Authorization is not: Bearer and a token");
    }
    *token = text;
    return true;
}

bool
http_guard_check_call(const struct http_head *head, struct str *token, struct http_refusal *refusal)
{
    if (head->verb != HTTP_VERB_POST) {
        http_refuse(refusal, 405, "calls are made with POST");
        refusal->allow = "POST";
        return false;
    }
    if (!is_msgpack(head->content_type))
        return http_refuse(refusal, 415, "a call is a frame of Content-Type application/msgpack");
    if (head->content_encoding.data != NULL &&
        !is_same_name(head->content_encoding, STR_LIT("identity")))
        return http_refuse(refusal, 415, "no Content-Encoding is known here; send the frame plain");
    return http_guard_bearer(head, token, refusal);
}
