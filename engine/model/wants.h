#ifndef JML_WANTS_H
#define JML_WANTS_H

#include "decoder.h"

/*
 * wants: what one side of a pairing looks for, decoded from a list and checked.
 */
struct view_kinds { /* of the two sides as the viewer sees them; empty: any */
    struct str viewer, counterpart;
};

/* The path stands at the list (from_wants, to_wants), which may be absent. */
void wants_take(struct decoder *decoder, const msgpack_object *value,
                const struct view_kinds *kinds, struct view *view);

#endif
