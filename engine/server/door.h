#ifndef JML_DOOR_H
#define JML_DOOR_H

#include "address.h"
#include "http_guard.h"

/*
 * door: what a connection is to be like, by the address where it came in. Owned by the server, unchanged
 * from before the first connection until after the last.
 */
struct door {
    struct address address;  /* with the port that the system chose */
    struct http_guard guard; /* where the address is for HTTP */
};

#endif
