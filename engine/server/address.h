#ifndef JML_ADDRESS_H
#define JML_ADDRESS_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * address: where the service listens, as people write it.
 *
 *     unix:/run/jumelage/jumelage.sock      tcp:127.0.0.1:7420      tcp:[::1]:0
 *     tls:0.0.0.0:7421                      http:127.0.0.1:8080     https:[::]:443
 *
 * Resolving a host's name may ask the network: at start only, never on a loop.
 */
enum address_kind { ADDRESS_UNIX, ADDRESS_TCP };

enum { ADDRESS_TEXT_BYTES = 160 };

struct address {
    enum address_kind kind;
    bool is_tls, is_http; /* what is spoken there; neither: frames, plain */
    bool is_loopback;     /* or a unix socket: nobody from elsewhere can reach it */
    socklen_t length;
    struct sockaddr_storage socket;
};

/* ERR_INVALID_PARAMS naming the text and what would be right. */
enum err_code address_parse(struct str text, struct address *out, struct err *err);
/* As it would be written, the port that the system chose included. Always ends with a NUL. */
void address_format(const struct address *address, char text[ADDRESS_TEXT_BYTES]);
/* 127.0.0.0/8, ::1, and the former written as the latter. */
bool address_is_loopback(const struct sockaddr *name);
uint16_t address_port(const struct address *address); /* 0 for a unix socket */
/* A listening socket, non-blocking; *address gets the port. A unix socket that nobody serves any more
 * is replaced; one that somebody serves is ERR_CONFLICT. */
enum err_code address_listen(struct address *address, int backlog, int *fd, struct err *err);

#endif
