#ifndef JML_REQUIREMENTS_H
#define JML_REQUIREMENTS_H

#include "decoder.h"

/*
 * requirements: what makes a pair eligible, decoded from a pairing's list and checked.
 */

/* The path stands at the list, which may be absent. The pairing's sides are known already. */
void requirements_take(struct decoder *decoder, const msgpack_object *value,
                       struct pairing *pairing);

#endif
