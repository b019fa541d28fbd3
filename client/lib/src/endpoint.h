#ifndef JMLI_ENDPOINT_H
#define JMLI_ENDPOINT_H

#include "fail.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * endpoint: where a service is: the text of an address, and what a socket connects to.
 *
 * A host's name is looked up once, when the client is made; all of its addresses are tried in turn
 * at each attempt to connect. A value.
 */
enum { ENDPOINT_ADDRESSES_MAX = 8, ENDPOINT_TEXT_MAX = 300, ENDPOINT_PORT_MAX = 8 };

union endpoint_address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct endpoint {
    char text[ENDPOINT_TEXT_MAX]; /* as it was given, for sentences */
    char host[ENDPOINT_TEXT_MAX]; /* where there is one, without brackets */
    char authority[ENDPOINT_TEXT_MAX + ENDPOINT_PORT_MAX]; /* of HTTP: what its Host header says */
    bool is_tls, is_http;
    union endpoint_address addresses[ENDPOINT_ADDRESSES_MAX];
    socklen_t lengths[ENDPOINT_ADDRESSES_MAX];
    size_t n;
};

/* JML_BAD_OPTION where the text is no address; JML_UNREACHABLE where the host has none. Waits for
 * the look-up of a name; for numbers and paths it does not. */
enum jml_code jmli_endpoint_parse(const char *text, struct endpoint *out, struct jml_error *error);

#endif
