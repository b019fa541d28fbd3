#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { HOST_BYTES = 256, PORT_BYTES = 8, SOCKET_MODE = 0666 };

static enum err_code
parse_unix(struct str path, struct address *out, struct err *err)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&out->socket;

    if (path.len == 0 || memchr(path.data, '\0', path.len) != NULL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "unix: needs a path, as in unix:/run/jumelage.sock");
    if (path.len >= sizeof name->sun_path)
        return err_set(err, ERR_INVALID_PARAMS,
                       "the path of a unix socket has %zu bytes; the system takes %zu at most",
                       path.len, sizeof name->sun_path - 1);
    *out = (struct address){.kind = ADDRESS_UNIX, .is_loopback = true, .length = sizeof *name};
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path.data, path.len);
    return ERR_OK;
}

bool
address_is_loopback(const struct sockaddr *name)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)name;
    const struct sockaddr_in *four = (const struct sockaddr_in *)name;

    if (name->sa_family == AF_INET)
        return (ntohl(four->sin_addr.s_addr) >> 24) == 127;
    if (name->sa_family != AF_INET6)
        return false;
    return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr) && six->sin6_addr.s6_addr[12] == 127);
}

static enum err_code
resolve(const char *host, const char *port, struct address *out, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    int rc = getaddrinfo(host, port, &hints, &found);

    if (rc != 0)
        return err_set(err, ERR_INVALID_PARAMS, "the host \"%.80s\" cannot be found: %s", host,
                       gai_strerror(rc));
    *out = (struct address){
        .kind = ADDRESS_TCP,
        .is_loopback = address_is_loopback(found->ai_addr),
        .length = found->ai_addrlen,
    };
    memcpy(&out->socket, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return ERR_OK;
}

static bool
is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

/* HOST:PORT, with a v6 address in brackets. */
static enum err_code
parse_tcp(struct str text, struct address *out, struct err *err)
{
    char host[HOST_BYTES], port[PORT_BYTES];
    size_t colon = text.len;
    struct str name, number;

    while (colon > 0 && text.data[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return err_set(err, ERR_INVALID_PARAMS,
                       "tcp: needs a host and a port, as in tcp:127.0.0.1:7420");
    name = (struct str){text.data, colon - 1};
    number = (struct str){text.data + colon, text.len - colon};
    if (name.len >= 2 && name.data[0] == '[' && name.data[name.len - 1] == ']')
        name = (struct str){name.data + 1, name.len - 2};
    else if (memchr(name.data, ':', name.len) != NULL)
        return err_set(
            err, ERR_INVALID_PARAMS,
            "\"%.*s\" is taken for a v6 address; write it in brackets, as in tcp:[::1]:0",
            STR_ARG(name));
    if (name.len == 0 || name.len >= sizeof host)
        return err_set(err, ERR_INVALID_PARAMS, "tcp: needs a host, as in tcp:127.0.0.1:7420");
    if (number.len == 0 || number.len > 5 || !is_digits(number))
        return err_set(err, ERR_INVALID_PARAMS,
                       "the port \"%.*s\" must be a number from 0 (any) to 65535", STR_ARG(number));
    snprintf(host, sizeof host, "%.*s", STR_ARG(name));
    snprintf(port, sizeof port, "%.*s", STR_ARG(number));
    if (strlen(port) == 5 && strcmp(port, "65535") > 0)
        return err_set(err, ERR_INVALID_PARAMS,
                       "the port \"%s\" must be a number from 0 (any) to 65535", port);
    return resolve(host, port, out, err);
}

/* What stands before the host, and what is spoken there. */
static const struct {
    const char *prefix;
    bool is_tls, is_http;
} schemes[] = {
    {"tcp:", false, false}, {"tls:", true, false}, {"http:", false, true}, {"https:", true, true}};
enum { N_SCHEMES = sizeof schemes / sizeof schemes[0] };

static bool
begins_with(struct str text, const char *prefix)
{
    return text.len >= strlen(prefix) && memcmp(text.data, prefix, strlen(prefix)) == 0;
}

enum err_code
address_parse(struct str text, struct address *out, struct err *err)
{
    if (begins_with(text, "unix:"))
        return parse_unix((struct str){text.data + 5, text.len - 5}, out, err);
    for (size_t i = 0; i < N_SCHEMES; i++) {
        size_t skip = strlen(schemes[i].prefix);
        enum err_code code;

        if (!begins_with(text, schemes[i].prefix))
            continue;
        code = parse_tcp((struct str){text.data + skip, text.len - skip}, out, err);
        if (code == ERR_OK) {
            out->is_tls = schemes[i].is_tls;
            out->is_http = schemes[i].is_http;
        }
        return code;
    }
    return err_set(
        err, ERR_INVALID_PARAMS,
        "\"%.*s\" is no address; it begins with unix:, tcp:, tls:, http: or https:, as in "
        "unix:/run/jumelage.sock or tcp:127.0.0.1:7420",
        (int)(text.len < 80 ? text.len : 80), text.data != NULL ? text.data : "");
}

uint16_t
address_port(const struct address *address)
{
    const struct sockaddr *name = (const struct sockaddr *)&address->socket;

    if (name->sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)name)->sin6_port);
    return name->sa_family == AF_INET ? ntohs(((const struct sockaddr_in *)name)->sin_port) : 0;
}

void
address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES])
{
    const struct sockaddr *name = (const struct sockaddr *)&address->socket;
    char host[INET6_ADDRSTRLEN] = "?";
    const char *prefix = "tcp:";

    if (address->kind == ADDRESS_UNIX) {
        snprintf(text, ADDRESS_TEXT_BYTES, "unix:%s", ((const struct sockaddr_un *)name)->sun_path);
        return;
    }
    for (size_t i = 0; i < N_SCHEMES; i++)
        if (schemes[i].is_tls == address->is_tls && schemes[i].is_http == address->is_http)
            prefix = schemes[i].prefix;
    if (name->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)name)->sin6_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "%s[%s]:%u", prefix, host, address_port(address));
    } else {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)name)->sin_addr, host, sizeof host);
        snprintf(text, ADDRESS_TEXT_BYTES, "%s%s:%u", prefix, host, address_port(address));
    }
}

/* A socket file stays behind when a service is killed. Whoever can be connected to is alive. */
static enum err_code
clear_the_way(const struct address *address, struct err *err)
{
    const struct sockaddr_un *name = (const struct sockaddr_un *)&address->socket;
    struct stat st;
    int fd, rc;

    if (lstat(name->sun_path, &st) != 0)
        return errno == ENOENT ? ERR_OK : err_set_sys(err, errno, "look at %s", name->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, ERR_CONFLICT, "%s exists and is no socket; name another path",
                       name->sun_path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_sys(err, errno, "make a socket");
    rc = connect(fd, (const struct sockaddr *)name, address->length);
    close(fd);
    if (rc == 0 || errno == EAGAIN)
        return err_set(err, ERR_CONFLICT, "another program serves %s already", name->sun_path);
    if (errno != ECONNREFUSED)
        return err_set_sys(err, errno, "look at the socket %s", name->sun_path);
    if (unlink(name->sun_path) != 0)
        return err_set_sys(err, errno, "remove the stale socket %s", name->sun_path);
    return ERR_OK;
}

/* A v6 socket speaks v6, so that [::] and 0.0.0.0 can both be named; but a v4 address written as v6 is
 * reached by v4 only. */
static void
set_v6_only(int fd, const struct sockaddr *name)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)name;
    int only = !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);

    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only);
}

static enum err_code
bind_and_listen(struct address *address, int backlog, int fd, struct err *err)
{
    struct sockaddr *name = (struct sockaddr *)&address->socket;
    char text[ADDRESS_TEXT_BYTES];
    int on = 1;

    address_format(address, text);
    if (address->kind == ADDRESS_TCP) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (name->sa_family == AF_INET6)
            set_v6_only(fd, name);
    }
    if (bind(fd, name, address->length) != 0)
        return errno == EADDRINUSE
                   ? err_set(err, ERR_CONFLICT, "%s is taken by another program", text)
                   : err_set_sys(err, errno, "listen at %s", text);
    /* Who may do what is settled by the peer's user or a token, not by the socket's mode. */
    if (address->kind == ADDRESS_UNIX &&
        chmod(((struct sockaddr_un *)name)->sun_path, SOCKET_MODE) != 0)
        return err_set_sys(err, errno, "open %s to others", text);
    if (listen(fd, backlog) != 0)
        return err_set_sys(err, errno, "listen at %s", text);
    if (address->kind == ADDRESS_TCP && getsockname(fd, name, &address->length) != 0)
        return err_set_sys(err, errno, "learn the port of %s", text);
    return ERR_OK;
}

enum err_code
address_listen(struct address *address, int backlog, int *out, struct err *err)
{
    int fd;
    enum err_code code;

    if (address->kind == ADDRESS_UNIX && (code = clear_the_way(address, err)) != ERR_OK)
        return code;
    fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return err_set_sys(err, errno, "make a socket");
    code = bind_and_listen(address, backlog, fd, err);
    if (code != ERR_OK) {
        close(fd);
        return code;
    }
    *out = fd;
    return ERR_OK;
}
