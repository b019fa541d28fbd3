#ifndef JML_FACTS_H
#define JML_FACTS_H

#include "date.h"
#include "err.h"
#include "fetch.h"
#include "lexicon.h"
#include "reference.h"
#include "schema.h"
#include "shelf.h"
#include "symbols.h"
#include "text_sketch.h"
#include "value.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * facts: one profile as scoring sees it: each field a slot of symbols, numbers or days.
 *
 * Built once when a profile is stored (or what-if'd), one heap block, immutable, counted references.
 * The confidential value of a field wins. Values that the scoring page calls missing are
 * SLOT_MISSING here already, but for money without a rate on the day, which only a day can tell.
 *
 * Most fields of most profiles are missing, so that only the known slots are there, in the order of their
 * fields; facts_slot finds one by its field.
 */
enum slot_state { SLOT_MISSING, SLOT_KNOWN };
enum { SLOT_CODES_MAX = 256 }; /* in one set; the union of two lists of conflicts is the longest */

struct slot_codes {
    const symbol *codes; /* ascending by number, no repeats */
    uint32_t n;
    const symbol *groups; /* of a profile's two-level codes: the group of each; else NULL */
};
struct slot_money {
    int64_t min, max;
    int32_t currency; /* rates_currency, or -1 */
};
struct slot_period {
    int32_t from, to; /* DATE_OPEN_FROM, DATE_OPEN_TO */
};

struct slot {
    uint8_t state;           /* enum slot_state */
    uint8_t is_confidential; /* the value came from `confidential` */
    uint8_t field;           /* enum field_id, of the slots of facts */
    uint32_t hash;           /* slot_hash, of the slots of facts */
    union {
        struct slot_codes codes;
        struct slot_money money;
        struct slot_period period;
        int64_t number; /* SLOT_NUMBER, SLOT_DAY */
    };
};

struct facts {
    _Atomic uint32_t references;
    uint32_t bytes;                              /* of the whole block */
    struct str id, name;                         /* the open ones */
    uint64_t id_hash;                            /* names_hash of the id */
    symbol id_symbol, kind, metro, organisation; /* SYMBOL_NONE where absent */
    bool may_match;                              /* consent.match */
    bool is_paused;
    int32_t consent_until;           /* last valid day; DATE_OPEN_TO without one */
    struct slot_codes conflicts;     /* union of open and confidential */
    _Atomic(const uint32_t *) terms; /* text.n, then as many uint16_t weights; facts_text */
    struct text_outline text;        /* what a search reads of it first lies beside them */
    struct text_keeper *keeper;      /* NULL: they lie in the block */
    uint64_t made_of;                /* what the keeper knows them by */
    bool is_on_shelf;
    bool text_is_confidential; /* a description or tag stands in `confidential` */
    const int8_t *embedding;   /* n_embedding of them; NULL without */
    uint32_t n_embedding;
    uint32_t embedding_norm2; /* sum of squares, <= 2^24; 0: all zeros */
    bool embedding_is_confidential;
    uint8_t n_slots;
    uint8_t slot_places[FIELD_COUNT]; /* 0: missing; else where its slot is, and one */
    struct slot slots[];              /* the known ones, ascending by field */
};

extern const struct slot slot_missing;

/* What the profile holds in a field; slot_missing where it holds nothing that is scored. */
static inline const struct slot *
facts_slot(const struct facts *facts, enum field_id field)
{
    uint8_t place = facts->slot_places[field];

    return place != 0 ? &facts->slots[place - 1] : &slot_missing;
}

/*
 * Where the terms of texts are that were left out when facts were built: a start reads outlines alone, and most
 * searches ask for few vectors. `fetch` finds the stored form of the vector that `made_of` names and hands it to
 * facts_take_text while it can be read. It outlives its facts; any thread calls it.
 */
struct text_taking; /* facts.c */
struct text_keeper {
    enum err_code (*fetch)(const struct text_keeper *keeper, struct str id, uint64_t made_of,
                           struct text_taking *taking, struct err *err);
    _Atomic size_t bytes; /* of texts that were fetched and are still held */
    bool has_shelf;       /* they are laid there: where many are, a search finds them faster */
    struct shared_shelf shelf;
};
enum err_code facts_take_text(struct text_taking *taking, struct str bytes, struct err *err);

/* Has the terms at hand from here on. ERR_BUSY if memory ends; what fetch fails with; ERR_INTERNAL if what it
 * finds is another vector than the outline tells of. */
enum err_code facts_fetch_text(const struct facts *facts, struct err *err);
static inline bool
facts_have_text(const struct facts *facts)
{
    return facts->text.n == 0 || atomic_load_explicit(&facts->terms, memory_order_acquire) != NULL;
}
static inline enum err_code
facts_need_text(const struct facts *facts, struct err *err)
{
    return facts_have_text(facts) ? ERR_OK : facts_fetch_text(facts, err);
}
/* The vector, which is at hand. */
static inline struct text_vector
facts_text(const struct facts *facts)
{
    const uint32_t *terms = atomic_load_explicit(&facts->terms, memory_order_acquire);

    return (struct text_vector){.terms = terms,
                                .weights = (const uint16_t *)(terms + facts->text.n),
                                .n = facts->text.n,
                                .norm2 = facts->text.norm2};
}

/* Interns through the writer's table, or through a scope (exactly one of the two is given). `text` is
 * copied; or `kept_text` is read (text_vector_read: ERR_INTERNAL if it is no vector); or `kept_outline`
 * (text_outline_read, likewise), and the terms stay with the keeper. */
struct facts_input {
    const msgpack_object *open, *confidential; /* stored forms; confidential may be NULL */
    struct str open_bytes; /* packed, in place of `open` where nothing is confidential */
    const struct reference *reference;
    struct symbols *symbols;
    struct symbol_scope *scope;
    struct text_vector text;
    struct str kept_text;    /* its stored form, in place of text */
    struct str kept_outline; /* likewise, with the two below */
    struct text_keeper *keeper;
    uint64_t made_of;
    bool has_confidential_text;
    struct arena *scratch; /* NULL: one is made */
    struct shelf **shelf;  /* the block is laid there; NULL: a block of its own */
    bool is_for_settling;  /* facts_settle follows: with a scope, the id gets no symbol yet */
};
/* ERR_INVALID_PARAMS with the field if a value is not of the field's type (the stored forms are
 * checked: this is damage, or a form that nobody checked), of open_bytes also as value_read; ERR_BUSY if
 * memory ends. */
enum err_code facts_build(const struct facts_input *input, struct facts **out, struct err *err);
/*
 * What was built through a scope, for good: its local symbols become the writer's own, its id gets one.
 * So that any thread can build, while the writer alone gives out numbers, in its own order: the same
 * numbers whoever built. Nobody else sees the facts yet. Writer only; ERR_BUSY if memory ends.
 */
enum err_code facts_settle(struct facts *facts, const struct symbol_scope *scope,
                           struct symbols *symbols, struct err *err);
/* They will soon be read: their slots begin to come from memory. */
FETCHING void
facts_foresee(const struct facts *facts)
{
    fetch(facts, sizeof *facts + 8 * sizeof(struct slot));
}
struct facts *facts_hold(struct facts *facts);
void facts_drop(struct facts *facts); /* NULL is fine */

/* What text_vector_make reads for this profile: descriptions by language code, then tags; the
 * confidential value of a field wins. In the arena. */
enum err_code facts_text_sources(const msgpack_object *open, const msgpack_object *confidential,
                                 struct arena *arena, struct text_source **out, size_t *n,
                                 bool *has_confidential, struct err *err);

/* ---- slot_reader.c: one value ---- */

/* Of a known value of a field whose slot is of this type: equal values have equal ones. Never 0. */
uint32_t slot_hash(enum slot_type type, const struct slot *slot);

/* The slot of one value as `field`'s (a requirement's constant), codes in the arena. A list may stand
 * where the field has one code. Fails as facts_build. */
enum err_code slot_of_value(const struct field *field, const msgpack_object *value,
                            const struct reference *reference, struct symbol_scope *scope,
                            struct arena *arena, struct slot *out, struct err *err);

#endif
