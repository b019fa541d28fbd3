#include "endpoint.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define FORMS                                                                                        \
    "give unix:PATH, tcp:HOST:PORT, tls:HOST:PORT, http://HOST:PORT or https://HOST:PORT; HOST may " \
    "be [IPV6]"

static bool
begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static enum jml_code
bad_address(struct jml_error *error, const char *text, const char *why)
{
    return jmli_fail_at(error, JML_BAD_OPTION, "options.address", "the address \"%s\" %s; " FORMS,
                        text, why);
}

static enum jml_code
parse_unix(const char *path, struct endpoint *out, struct jml_error *error)
{
    struct sockaddr_un *local = &out->addresses[0].local;
    size_t len = strlen(path);

    if (len == 0)
        return bad_address(error, out->text, "has no path");
    if (len >= sizeof local->sun_path)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.address",
                            "the path of the address \"%s\" has %zu bytes; the system takes at "
                            "most %zu: use a shorter one, or a link to it",
                            out->text, len, sizeof local->sun_path - 1);
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, len + 1);
    out->lengths[0] = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    out->n = 1;
    return JML_OK;
}

static bool
is_port(const char *text)
{
    unsigned port = 0;
    size_t len = strlen(text);

    if (len == 0 || len > 5 || strspn(text, "0123456789") != len)
        return false;
    for (size_t i = 0; i < len; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    return port >= 1 && port <= 65535;
}

static enum jml_code
look_up(const char *host, const char *port, struct endpoint *out, struct jml_error *error)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int rc = getaddrinfo(host, port, &hints, &found);

    if (rc == EAI_MEMORY)
        return jmli_no_memory(error);
    if (rc != 0)
        return jmli_fail_at(error, JML_UNREACHABLE, "options.address",
                            "the host \"%s\" of the address \"%s\" was not found: %s", host,
                            out->text, gai_strerror(rc));
    for (const struct addrinfo *at = found; at != NULL && out->n < ENDPOINT_ADDRESSES_MAX;
         at = at->ai_next)
        if (at->ai_addrlen <= sizeof out->addresses[0]) {
            memcpy(&out->addresses[out->n], at->ai_addr, at->ai_addrlen);
            out->lengths[out->n++] = at->ai_addrlen;
        }
    freeaddrinfo(found);
    if (out->n == 0)
        return jmli_fail_at(error, JML_UNREACHABLE, "options.address",
                            "the host \"%s\" of the address \"%s\" has no address of IPv4 or IPv6",
                            host, out->text);
    return JML_OK;
}

static enum jml_code
parse_tcp(const char *rest, struct endpoint *out, struct jml_error *error)
{
    bool is_v6 = rest[0] == '[';
    const char *colon = strrchr(rest, ':');
    const char *host = is_v6 ? rest + 1 : rest;
    const char *end = is_v6 ? strchr(rest, ']') : colon;

    if (is_v6 && (end == NULL || end + 1 != colon))
        return bad_address(error, out->text, "has no \"]:\" and port behind its \"[\"");
    if (colon == NULL)
        return bad_address(error, out->text, "has no port");
    if (!is_port(colon + 1))
        return bad_address(error, out->text, "has no port from 1 to 65535");
    if (end == host)
        return bad_address(error, out->text, "has no host");
    if (!is_v6 && memchr(host, ':', (size_t)(end - host)) != NULL)
        return bad_address(error, out->text, "has an IPv6 address outside of [ ]");
    memcpy(out->host, host, (size_t)(end - host));
    out->host[end - host] = '\0';
    return look_up(out->host, colon + 1, out, error);
}

/* Nothing that could end a line, or be taken for more than a host. */
static enum jml_code
authority_check(const struct endpoint *out, const char *place, struct jml_error *error)
{
    for (const char *at = place; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~' || strchr("/?#@\\", *at) != NULL)
            return bad_address(error, out->text,
                               "holds more than a host and a port; calls go to its /rpc");
    return JML_OK;
}

/* The scheme's own port is left out: a service behind a proxy knows its name, and not the proxy's port. */
static void
authority_set(struct endpoint *out, const char *port, const char *preset_port)
{
    bool is_v6 = strchr(out->host, ':') != NULL, is_preset = strcmp(port, preset_port) == 0;

    snprintf(out->authority, sizeof out->authority, "%s%.*s%s%s%s", is_v6 ? "[" : "",
             (int)strcspn(out->host, "%"), out->host, is_v6 ? "]" : "", is_preset ? "" : ":",
             is_preset ? "" : port);
}

/* `//HOST:PORT/`, as a URL has it, or HOST:PORT, as the service's own log has it. */
static enum jml_code
parse_http(const char *rest, const char *preset_port, struct endpoint *out, struct jml_error *error)
{
    char place[ENDPOINT_TEXT_MAX + ENDPOINT_PORT_MAX];
    const char *colon, *bracket;
    enum jml_code code;
    size_t len;

    rest += begins_with(rest, "//") ? 2 : 0;
    len = strlen(rest);
    if (len > 0 && rest[len - 1] == '/')
        len--;
    memcpy(place, rest, len);
    place[len] = '\0';
    if (len == 0)
        return bad_address(error, out->text, "has no host");
    if (authority_check(out, place, error) != JML_OK)
        return JML_BAD_OPTION;
    colon = strrchr(place, ':');
    bracket = strrchr(place, ']');
    if (colon == NULL || (bracket != NULL && colon < bracket))
        snprintf(place + len, sizeof place - len, ":%s", preset_port);
    code = parse_tcp(place, out, error);
    if (code == JML_OK)
        authority_set(out, strrchr(place, ':') + 1, preset_port);
    return code;
}

enum jml_code
jmli_endpoint_parse(const char *text, struct endpoint *out, struct jml_error *error)
{
    memset(out, 0, sizeof *out);
    if (text == NULL || text[0] == '\0')
        return jmli_fail_at(error, JML_BAD_OPTION, "options.address",
                            "no address is given; " FORMS);
    if (strlen(text) >= sizeof out->text)
        return jmli_fail_at(error, JML_BAD_OPTION, "options.address",
                            "the address has %zu bytes, at most %zu are taken; " FORMS,
                            strlen(text), sizeof out->text - 1);
    memcpy(out->text, text, strlen(text) + 1);
    if (begins_with(text, "unix:"))
        return parse_unix(text + strlen("unix:"), out, error);
    if (begins_with(text, "tcp:"))
        return parse_tcp(text + strlen("tcp:"), out, error);
    out->is_tls = begins_with(text, "tls:");
    if (out->is_tls)
        return parse_tcp(text + strlen("tls:"), out, error);
    out->is_tls = begins_with(text, "https:");
    out->is_http = out->is_tls || begins_with(text, "http:");
    if (out->is_tls)
        return parse_http(text + strlen("https:"), "443", out, error);
    if (out->is_http)
        return parse_http(text + strlen("http:"), "80", out, error);
    return bad_address(error, text, "has no known scheme");
}
