#ifndef JML_PROGRAMME_H
#define JML_PROGRAMME_H

#include "arena.h"
#include "faults.h"
#include "reference.h"
#include "schema.h"
#include "value.h"

/*
 * programme: what an officer runs: pairings, requirements, wants, cohort settings; decoded and checked.
 *
 * Decoded from a value (a YAML file, JSON or msgpack); lives in an arena, read-only afterwards. The
 * stored form is the canonical msgpack of programme_encode. Limits: 16 pairings, 32 requirements and
 * 64 wants a view, 16 knots a curve. Pure.
 */
enum { PAIRINGS_MAX = 16, REQUIREMENTS_MAX = 32, WANTS_MAX = 64, KNOTS_MAX = 16 };
enum { SCORE_MAX = 10000, WEIGHT_MAX = 1000, MISSING_DEFAULT = 5000 };

enum combine { COMBINE_HARMONIC, COMBINE_MEAN, COMBINE_MIN, COMBINE_FROM, COMBINE_TO };

enum want_type {
    WANT_OVERLAP,
    WANT_COVER,
    WANT_ANY,
    WANT_STAGE,
    WANT_RANGE,
    WANT_AT_LEAST,
    WANT_PERIOD,
    WANT_SAME,
    WANT_TEXT,
    WANT_RECORD,
    WANT_MODEL, /* a learned scorecard; refused until models exist, naming that */
    WANT_TYPE_COUNT
};

enum require_type {
    REQUIRE_ANY,
    REQUIRE_ALL,
    REQUIRE_WITHIN,
    REQUIRE_MEETS,
    REQUIRE_EQUALS,
    REQUIRE_DIFFERS,
    REQUIRE_AT_LEAST,
    REQUIRE_AT_MOST,
    REQUIRE_BEFORE,
    REQUIRE_AFTER,
    REQUIRE_OVERLAPS,
    REQUIRE_TYPE_COUNT
};

const char *want_type_name(enum want_type type);
const char *require_type_name(enum require_type type);
const char *combine_name(enum combine combine);

enum operand_kind {
    OPERAND_FIELD,  /* a field of the profile */
    OPERAND_NUMBER, /* a constant whole number (at_least, range; beside money: US dollars) */
    OPERAND_RECORD, /* record.<field>: the counterpart's track record */
    OPERAND_VALUE   /* a requirement's constant, of the type of the other operand */
};

struct operand {
    enum operand_kind kind;
    enum field_id field;         /* FIELD, RECORD; for VALUE the field whose type it has */
    int64_t number;              /* NUMBER */
    const msgpack_object *value; /* VALUE; of a set: one code or a list */
};

struct knot {
    int32_t q, p;
};

struct want {
    struct str id;
    enum want_type type;
    struct operand of, by;
    int32_t weight;
    int32_t missing; /* quality where a value is missing */
    struct knot curve[KNOTS_MAX];
    int n_knots; /* 0: p = q */
    struct str phrase;
};

struct requirement {
    struct str id;
    enum require_type type;
    struct operand of, by; /* of the from side, of the to side (or a constant) */
    bool missing_passes;
    struct str phrase;
};

struct side {
    struct str kind, metro; /* empty: any */
};

struct view {
    struct want *wants;
    int n_wants;
};

struct pairing {
    struct str id;
    struct side from, to;
    bool is_mirrored;
    enum combine combine;
    struct requirement *require;
    int n_require;
    struct view from_view, to_view; /* from_wants: the from side looks at the to side */
};

struct programme {
    struct str id;
    struct str name[LANG_COUNT]; /* the other language's name where one is missing */
    struct pairing *pairings;
    int n_pairings;
    const msgpack_object *source; /* the whole document, canonical; cohort … as settings.h says */
};

/* All faults with their paths ("programme" is not part of them). *out only without errors. */
void programme_decode(const msgpack_object *given, const struct reference *reference,
                      struct faults *faults, struct programme **out);
/* Canonical bytes: keys in a fixed order, texts in NFC, presets left as written. */
void programme_encode(const struct programme *programme, struct buf *out);
const struct pairing *programme_pairing(const struct programme *programme, struct str id);
/* Does a profile of this kind and metro stand on the side? A side that names a metro refuses a
 * profile without one. mirrored exchanges the two metros first. */
bool pairing_fits(const struct pairing *pairing, bool mirrored, bool on_from, struct str kind,
                  struct str metro);

#endif
