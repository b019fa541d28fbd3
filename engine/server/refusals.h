#ifndef JML_REFUSALS_H
#define JML_REFUSALS_H

#include "door.h"
#include "tls.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * refusals: connections over the limit, which are told so (`busy`, when to come again) and closed.
 *
 * Closing a connection whose request was not read would reset it, and the words be lost; so it is kept a
 * little, and never read. Who comes encrypted has to go through the handshake first, or could not
 * read the words: that takes time and CPU, so that only a few may be at it at once, for a short while,
 * and each keeps its place as long as any other would; whoever comes beyond that sees the end only.
 *
 * Belongs to one loop and its thread. It makes no room that a flood could grow.
 */
enum { REFUSED_PLAIN = 64, REFUSED_ENCRYPTED = 16 };

struct refusal {
    struct refusals *all;
    const struct door *door;
    struct event readable; /* while there is tls */
    struct tls *tls;       /* NULL: plain, or told */
    int64_t since_ms;
    int fd; /* -1: a free place */
};

struct refusals {
    struct event_base *base;
    const struct clock *clock;
    struct tls_desk *desk;
    struct event sweep; /* while anybody is kept */
    struct refusal plain[REFUSED_PLAIN], encrypted[REFUSED_ENCRYPTED];
    unsigned next_plain; /* the oldest, which goes when there is no free place */
    bool is_sweeping;
};

void refusals_init(struct refusals *refusals, struct event_base *base, const struct clock *clock,
                   struct tls_desk *desk);
void refusals_fini(struct refusals *refusals); /* before the base's end; closes all */

/* Takes the descriptor, which must not block. */
void refusals_add(struct refusals *refusals, int fd, const struct door *door);

#endif
