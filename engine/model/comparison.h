#ifndef JML_COMPARISON_H
#define JML_COMPARISON_H

#include "field.h"
#include "programme.h"

/*
 * comparison: which fields a want or a requirement of each type may compare, as tables.
 *
 * programme checks operands by them; the same tables give the messages that list what would fit.
 * Constant data and pure functions.
 */
enum comparable {
    COMPARABLE_SETS,     /* two sets of codes, terms or ids that can share one */
    COMPARABLE_GROUPS,   /* two sets of codes `group.leaf` of one vocabulary */
    COMPARABLE_ORDINALS, /* two sets of codes with an order */
    COMPARABLE_RANGES,   /* money with money, or whole numbers */
    COMPARABLE_NUMBERS,  /* two whole numbers */
    COMPARABLE_DAYS,     /* two dates */
    COMPARABLE_PERIODS,  /* two periods */
    COMPARABLE_TEXTS,    /* two texts */
    COMPARABLE_RECORD    /* a set of codes, and the counterpart's track record on a field */
};

struct comparison {
    const char *name;
    enum comparable comparable;
    bool takes_number; /* a whole number may stand for a field */
    bool is_refused;   /* known, but not to be had yet */
};

extern const struct comparison want_comparisons[WANT_TYPE_COUNT];
extern const struct comparison require_comparisons[REQUIRE_TYPE_COUNT];
extern const char *const combine_names[];

bool comparison_fits(enum comparable comparable, const struct field *field);
/* Can the two ever be equal, or be compared at all? Each fits on its own. */
bool comparison_pairs(const struct field *a, const struct field *b);
/* Names of all fields that fit: "sectors, needs or offers". Empty if the arena is full. */
struct str comparison_fields(enum comparable comparable, struct arena *arena);

#endif
