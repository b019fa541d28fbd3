#ifndef JML_KEPT_PROFILES_H
#define JML_KEPT_PROFILES_H

#include "buf.h"
#include "engine.h"

/*
 * kept_profiles: generated profiles, one a line on standard input, and the shipped programme, in an engine and a
 * temporary folder of a bench's own: `bench DATA < profiles.jsonl`.
 *
 * A bench ends with a sentence where something fails.
 */
struct kept_side {
    const char *label; /* "a startup" */
    char (*ids)[80];
    size_t n;
};

struct kept_bench {
    char folder[64];
    struct engine_options options;
    struct engine *engine;
    struct kept_side both[2]; /* startups, then all others */
};

/* Stores what comes on standard input, on a map of so many bytes. */
void kept_open(struct kept_bench *bench, int argc, char **argv, size_t map_bytes);
void kept_reopen(struct kept_bench *bench, size_t helpers);
void kept_close(struct kept_bench *bench); /* and removes the folder */
/* A call with JSON that is then cleared; the answer is dropped. */
void kept_call(struct engine *engine, const char *method, struct buf *json);

/* For a bench that keeps its engine. */
void kept_put(struct engine *engine, struct kept_side both[2]);
void kept_free(struct kept_side both[2]);
void kept_must(enum err_code code, const char *what, const struct err *err);

#endif
