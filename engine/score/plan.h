#ifndef JML_PLAN_H
#define JML_PLAN_H

#include "match.h"
#include "order_map.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * plan: a pairing made ready for many pairs: constants as slots, codes as symbols. Private to score/.
 *
 * In an arena, read-only once made. The types of all operands have been checked against what each
 * want and requirement can compare, so that nothing below reads the wrong member of a slot.
 */
struct plan_operand {
    enum operand_kind kind;
    enum field_id field; /* FIELD, RECORD */
    enum slot_type type;
    struct slot constant; /* NUMBER, VALUE */
};

struct plan_want {
    const struct want *want;
    struct plan_operand of, by; /* of the viewer, of the counterpart */
};

struct plan_view {
    struct plan_want *wants;
    int n_wants;
    int64_t weight; /* of all wants: at most WANTS_MAX * WEIGHT_MAX */
};

struct plan_requirement {
    const struct requirement *requirement;
    struct plan_operand of, by; /* of the from side, of the to side */
};

struct plan_side {
    symbol kind, metro; /* SYMBOL_NONE: any */
};

enum { PLAN_FROM, PLAN_TO, PLAN_SIDES };

struct match_plan {
    const struct roster *roster;
    const struct rates *rates;
    const struct kernel *kernel;
    struct symbol_scope *scope;
    int32_t day;
    enum combine combine;
    struct plan_side sides[PLAN_SIDES];
    struct plan_view views[PLAN_SIDES]; /* [PLAN_FROM]: what the from side wants */
    struct plan_requirement *requirements;
    int n_requirements;
    struct order_map orders; /* of stages */
};

/* The value that an operand stands for at a profile. */
static inline const struct slot *
plan_slot(const struct plan_operand *operand, const struct facts *facts)
{
    return operand->kind == OPERAND_FIELD ? facts_slot(facts, operand->field) : &operand->constant;
}

/* A money or number value as a range of dollars or numbers; false where it is missing. */
bool plan_range(const struct match_plan *plan, const struct plan_operand *operand,
                const struct slot *slot, int64_t *min, int64_t *max);

#endif
