#ifndef JMLI_PENDING_H
#define JMLI_PENDING_H

#include "fail.h"

/*
 * pending: the calls under way, found by the id of their answer.
 *
 * An id is a slot's number and the slot's generation, which changes whenever the slot is freed: an
 * answer that comes twice, or to a call that never was, finds nobody. A call that was given up
 * after its request had left keeps its slot until the answer comes, so that this one is known, and
 * dropped. Slots move when the table grows: hold numbers, not pointers, over a callback.
 */
enum pending_state { PENDING_FREE, PENDING_WAITS, PENDING_GIVEN_UP };

struct pending {
    enum pending_state state;
    uint16_t generation; /* never 0, so that no id is below 65536 */
    uint32_t next_free;
    uint64_t epoch;       /* which connection it was meant for */
    uint64_t start;       /* of its request, in bytes sent since the client was made */
    size_t len;           /* bytes of its request */
    bool has_left;        /* noted when its connection ends: some of it had been sent */
    int64_t deadline_ms;  /* INT64_MAX: none */
    jml_answer_fn answer; /* and its context */
    void *context;
};

struct pending_table {
    const struct jml_allocator *allocator;
    struct pending *slots;
    uint32_t n_slots, n_used, max;
    uint32_t first_free;      /* UINT32_MAX: none */
    int64_t next_deadline_ms; /* not later than the first deadline; INT64_MAX: none */
};

void jmli_pending_init(struct pending_table *table, const struct jml_allocator *allocator,
                       uint32_t max);
void jmli_pending_fini(struct pending_table *table);
/* A slot that waits; NULL if memory is out (the caller asks before whether n_used < max). */
struct pending *jmli_pending_add(struct pending_table *table, int64_t deadline_ms, uint32_t *id);
/* NULL if no call of that id is under way. */
struct pending *jmli_pending_find(struct pending_table *table, uint32_t id);
/* The call of this connection whose request starts there; NULL if there is none. */
struct pending *jmli_pending_at(struct pending_table *table, uint64_t epoch, uint64_t start);
void jmli_pending_free(struct pending_table *table, struct pending *slot);

#endif
