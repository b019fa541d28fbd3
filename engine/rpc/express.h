#ifndef JML_EXPRESS_H
#define JML_EXPRESS_H

#include "engine.h"
#include "method.h"
#include "str.h"

/*
 * express: answers that need no call: no arena, no decoded parameters, no snapshot of the store.
 *
 * One of each event thread. A row of the method table names its express function, if it has one; it answers
 * exactly what a call would, or nothing, and then a call is made. So every error, every unusual
 * parameter and whatever must be logged keeps its one way through call.h. Who asks has been found to
 * be allowed before.
 *
 * For profile.get it keeps packed answers of the profiles that were asked for last, each with a reference to the
 * facts that were current when it was read: every change of a profile publishes other facts, and the
 * reference keeps their address from being given to others, so that equal addresses mean an unchanged
 * profile. Confidential parts are never kept (each read of one is logged).
 */
struct express;

/* answers_bytes bounds what is kept. NULL if out of memory. */
struct express *express_create(struct engine *engine, size_t answers_bytes);
void express_destroy(struct express *express); /* before the engine; NULL is fine */
/* So many calls of a method were answered, each in about so many microseconds. */
void express_count(struct express *express, const struct method *method, uint64_t calls,
                   uint64_t microseconds_each);

/* ---- the rows' functions: one packed value, borrowed until the next; {NULL, 0}: make a call ---- */
struct str express_ping(struct express *express, const struct caller *caller, struct str params);
struct str express_profile_get(struct express *express, const struct caller *caller,
                               struct str params);

#endif
