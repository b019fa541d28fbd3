#ifndef JML_LISTENER_H
#define JML_LISTENER_H

#include "door.h"
#include "loop.h"

#include <stddef.h>

/*
 * listener: one address where connections come in, spread over the loops in turn.
 *
 * Lives on the main loop's thread. When descriptors or memory run out, or a whole turn of tries brings
 * nobody in, it stops accepting for a tenth of a second instead of spinning on a socket that stays
 * readable; who waits in the backlog waits on.
 */
struct listener;

struct listener_host { /* of all listeners; outlives them */
    struct loop **loops;
    size_t n_loops, next;
};

/* Listens and logs `listening` with the address, the port that the system chose included. */
enum err_code listener_open(struct door *door, struct listener_host *host, struct listener **out,
                            struct err *err);
void listener_close(struct listener *listener); /* NULL is fine; removes a unix socket's file */

#endif
