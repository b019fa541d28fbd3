#include "comparison.h"

/* clang-format off */
const struct comparison want_comparisons[WANT_TYPE_COUNT] = {
    [WANT_OVERLAP]  = {"overlap",  COMPARABLE_GROUPS,   false, false},
    [WANT_COVER]    = {"cover",    COMPARABLE_SETS,     false, false},
    [WANT_ANY]      = {"any",      COMPARABLE_SETS,     false, false},
    [WANT_STAGE]    = {"stage",    COMPARABLE_ORDINALS, false, false},
    [WANT_RANGE]    = {"range",    COMPARABLE_RANGES,   true,  false},
    [WANT_AT_LEAST] = {"at_least", COMPARABLE_NUMBERS,  true,  false},
    [WANT_PERIOD]   = {"period",   COMPARABLE_PERIODS,  false, false},
    [WANT_SAME]     = {"same",     COMPARABLE_SETS,     false, false},
    [WANT_TEXT]     = {"text",     COMPARABLE_TEXTS,    false, false},
    [WANT_RECORD]   = {"record",   COMPARABLE_RECORD,   false, false},
    [WANT_MODEL]    = {"model",    COMPARABLE_TEXTS,    false, true},
};

const struct comparison require_comparisons[REQUIRE_TYPE_COUNT] = {
    [REQUIRE_ANY]      = {"any",      COMPARABLE_SETS,    false, false},
    [REQUIRE_ALL]      = {"all",      COMPARABLE_SETS,    false, false},
    [REQUIRE_WITHIN]   = {"within",   COMPARABLE_SETS,    false, false},
    [REQUIRE_MEETS]    = {"meets",    COMPARABLE_RANGES,  false, false},
    [REQUIRE_EQUALS]   = {"equals",   COMPARABLE_SETS,    false, false},
    [REQUIRE_DIFFERS]  = {"differs",  COMPARABLE_SETS,    false, false},
    [REQUIRE_AT_LEAST] = {"at_least", COMPARABLE_NUMBERS, false, false},
    [REQUIRE_AT_MOST]  = {"at_most",  COMPARABLE_NUMBERS, false, false},
    [REQUIRE_BEFORE]   = {"before",   COMPARABLE_DAYS,    false, false},
    [REQUIRE_AFTER]    = {"after",    COMPARABLE_DAYS,    false, false},
    [REQUIRE_OVERLAPS] = {"overlaps", COMPARABLE_PERIODS, false, false},
};

const char *const combine_names[] = {
    [COMBINE_HARMONIC] = "harmonic", [COMBINE_MEAN] = "mean", [COMBINE_MIN] = "min",
    [COMBINE_FROM] = "from",         [COMBINE_TO] = "to",     NULL,
};
/* clang-format on */

/* Where a field's codes come from, one bit each: two fields can share a code only if they share a
 * bit. */
enum {
    SPACE_TERMS = 1 << VOCABULARY_COUNT,
    SPACE_IDS = 2 << VOCABULARY_COUNT,
    SPACE_CITIES = 4 << VOCABULARY_COUNT
};

static unsigned
code_spaces(const struct field *field)
{
    unsigned spaces = 0;

    if (field->type == FIELD_TYPE_TERMS)
        return SPACE_TERMS;
    if (field->type == FIELD_TYPE_ID || field->type == FIELD_TYPE_IDS)
        return SPACE_IDS;
    if (field->type == FIELD_TYPE_TEXT)
        return SPACE_CITIES;
    if (field->vocabulary >= 0)
        spaces |= 1U << field->vocabulary;
    if (field->vocabulary_too >= 0)
        spaces |= 1U << field->vocabulary_too;
    return spaces;
}

bool
comparison_fits(enum comparable comparable, const struct field *field)
{
    switch (comparable) {
    case COMPARABLE_SETS:
    case COMPARABLE_RECORD:
        return field->slot == SLOT_CODES;
    case COMPARABLE_GROUPS:
        return field->slot == SLOT_CODES && (field->flags & FIELD_TWO_LEVEL) != 0;
    case COMPARABLE_ORDINALS:
        return field->slot == SLOT_CODES && (field->flags & FIELD_ORDINAL) != 0;
    case COMPARABLE_RANGES:
        return field->slot == SLOT_MONEY || field->slot == SLOT_NUMBER;
    case COMPARABLE_NUMBERS:
        return field->slot == SLOT_NUMBER;
    case COMPARABLE_DAYS:
        return field->slot == SLOT_DAY;
    case COMPARABLE_PERIODS:
        return field->slot == SLOT_PERIOD;
    case COMPARABLE_TEXTS:
        return field->slot == SLOT_TEXT;
    }
    return false;
}

bool
comparison_pairs(const struct field *a, const struct field *b)
{
    if (a->slot != b->slot)
        return false;
    return a->slot != SLOT_CODES || (code_spaces(a) & code_spaces(b)) != 0;
}

struct str
comparison_fields(enum comparable comparable, struct arena *arena)
{
    struct str list = {"", 0};
    int last = -1;

    for (int i = 0; i < FIELD_COUNT; i++)
        if (comparison_fits(comparable, &schema[i]))
            last = i;
    for (int i = 0; i <= last && list.data != NULL; i++)
        if (comparison_fits(comparable, &schema[i]))
            list = arena_format(arena, "%.*s%s%s", STR_ARG(list),
                                list.len == 0 ? ""
                                : i == last   ? " or "
                                              : ", ",
                                schema[i].name);
    return list.data != NULL ? list : (struct str){"", 0};
}
