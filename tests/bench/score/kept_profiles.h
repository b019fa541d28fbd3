#ifndef JML_KEPT_PROFILES_H
#define JML_KEPT_PROFILES_H

#include "buf.h"
#include "engine.h"

/*
 * kept_profiles: generated profiles, one a line on standard input, put into an engine of a bench's own.
 *
 * A bench ends with a sentence where something fails.
 */
struct kept_side {
    const char *label; /* "a startup" */
    char (*ids)[80];
    size_t n;
};

void kept_must(enum err_code code, const char *what, const struct err *err);
/* A call with JSON that is then cleared; the answer is dropped. */
void kept_call(struct engine *engine, const char *method, struct buf *json);
void kept_put(struct engine *engine, struct kept_side both[2]); /* startups, then all others */
void kept_free(struct kept_side both[2]);

#endif
