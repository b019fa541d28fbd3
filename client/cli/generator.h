#ifndef JML_GENERATOR_H
#define JML_GENERATOR_H

#include "arena.h"
#include "buf.h"
#include "random.h"
#include "reference.h"

/*
 * generator: synthetic profiles of realistic shape.
 *
 * The same bytes for the same numbers and seeds. Frequencies are skewed as in life: some sectors, needs
 * and stages are common, most are rare; a few fields are missing. Each says that it is generated.
 * Owned by its maker, who fills it in, and ends it with buf_fini(&record).
 */
enum generated_kind {
    GENERATED_STARTUP,
    GENERATED_INCUBATOR,
    GENERATED_INVESTOR,
    GENERATED_KIND_COUNT
};
extern const char *const generated_kinds[GENERATED_KIND_COUNT];

enum { GENERATED_BYTES_MAX = 64 * 1024, GENERATED_SENTENCES_MAX = 16 };

struct generator {
    const struct reference *reference;
    struct arena *arena; /* for scratch, which is released */
    struct random random;
    struct random *texts; /* descriptions are drawn from it; may be &random */
    unsigned n_sentences; /* of a description, 1 to GENERATED_SENTENCES_MAX */
    struct buf record;    /* buf_init with GENERATED_BYTES_MAX */
};
/* One profile as a packed map, as a client would send it, in `record` until the next. */
struct str generator_make(struct generator *generator, enum generated_kind kind, int64_t number);

#endif
