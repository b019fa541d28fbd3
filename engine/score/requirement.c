#include "requirement.h"

#include "cell.h"
#include "code_set.h"
#include "columns.h"

#include <inttypes.h>

/* ---- the pairing's own ---- */

static bool
ranges_meet(const struct match_plan *plan, const struct plan_requirement *requirement,
            const struct slot *of, const struct slot *by, struct requirement_state *state)
{
    int64_t a_min = 0, a_max = 0, b_min = 0, b_max = 0;

    state->of_missing = !plan_range(plan, &requirement->of, of, &a_min, &a_max);
    state->by_missing = !plan_range(plan, &requirement->by, by, &b_min, &b_max);
    if (state->of_missing || state->by_missing)
        return false;
    return cell_range_common(cell_range_of(a_min, a_max), cell_range_of(b_min, b_max)) > 0;
}

static bool
periods_share_a_day(const struct slot_period *a, const struct slot_period *b)
{
    return a->from <= b->to && b->from <= a->to; /* open ends lie beyond every day */
}

static bool
values_satisfy(const struct match_plan *plan, const struct plan_requirement *requirement,
               const struct slot *of, const struct slot *by, struct requirement_state *state)
{
    switch (requirement->requirement->type) {
    case REQUIRE_ANY:
    case REQUIRE_WITHIN: /* of stages: `self` has no order, but meets itself like any code */
        return code_set_meets(&of->codes, &by->codes);
    case REQUIRE_ALL:
        return code_set_common(&of->codes, &by->codes) == of->codes.n;
    case REQUIRE_MEETS:
        return ranges_meet(plan, requirement, of, by, state);
    case REQUIRE_EQUALS:
        return code_set_equal(&of->codes, &by->codes);
    case REQUIRE_DIFFERS:
        return !code_set_equal(&of->codes, &by->codes);
    case REQUIRE_AT_LEAST:
        return of->number >= by->number;
    case REQUIRE_AT_MOST:
        return of->number <= by->number;
    case REQUIRE_BEFORE:
        return of->number < by->number;
    case REQUIRE_AFTER:
        return of->number > by->number;
    case REQUIRE_OVERLAPS:
        return periods_share_a_day(&of->period, &by->period);
    case REQUIRE_TYPE_COUNT: /* no type */
        break;
    }
    return false;
}

void
requirement_judge_values(const struct match_plan *plan, const struct plan_requirement *requirement,
                         const struct slot *of, const struct slot *by,
                         struct requirement_state *out)
{
    *out = (struct requirement_state){.of_missing = of->state == SLOT_MISSING,
                                      .by_missing = by->state == SLOT_MISSING};
    if (!out->of_missing && !out->by_missing)
        out->holds = values_satisfy(plan, requirement, of, by, out);
    if (out->of_missing || out->by_missing)
        out->holds = requirement->requirement->missing_passes;
}

void
requirement_judge(const struct match_plan *plan, const struct plan_requirement *requirement,
                  const struct facts *from, const struct facts *to, struct requirement_state *out)
{
    requirement_judge_values(plan, requirement, plan_slot(&requirement->of, from),
                             plan_slot(&requirement->by, to), out);
}

/* ---- those that hold everywhere ---- */

bool
side_takes(const struct plan_side *side, symbol kind, symbol metro)
{
    return (side->kind == SYMBOL_NONE || side->kind == kind) &&
           (side->metro == SYMBOL_NONE || side->metro == metro);
}

bool
side_fits(const struct plan_side *side, const struct facts *facts)
{
    return side_takes(side, facts->kind, facts->metro);
}

bool
match_stands(const struct match_plan *plan, bool on_from, const struct facts *facts)
{
    return side_fits(&plan->sides[on_from ? PLAN_FROM : PLAN_TO], facts);
}

/* Ids are read most: they lie in the profiles, two lines of memory away. */
static void
visit_block(const struct block *block,
            void (*take)(void *context, const struct facts *facts, uint32_t row), void *context)
{
    enum { AHEAD = 8 };

    for (uint32_t place = 0; place < block->n_rows; place++) {
        const struct facts *facts = block->facts[place];

        if (place + 2 * AHEAD < block->n_rows)
            fetch(block->facts[place + 2 * AHEAD], 1);
        if (place + AHEAD < block->n_rows && block->facts[place + AHEAD] != NULL)
            fetch(block->facts[place + AHEAD]->id.data, 1);
        if (facts != NULL)
            take(context, facts, block->rows[place]);
    }
}

uint64_t
match_visit_side(const struct match_plan *plan, bool on_from,
                 void (*take)(void *context, const struct facts *facts, uint32_t row),
                 void *context)
{
    const struct columns *columns = roster_columns(plan->roster);
    uint64_t n = 0;

    for (uint32_t i = 0; i < columns->n_tables; i++) {
        const struct table *table = &columns->tables[i];

        if (!side_takes(&plan->sides[on_from ? PLAN_FROM : PLAN_TO], table->kind, table->metro))
            continue;
        n += table->n_profiles;
        for (uint32_t j = 0; j < table->n_blocks; j++)
            visit_block(table->blocks[j], take, context);
    }
    return n;
}

bool
query_viewer_may(const struct match_plan *plan, const struct match_query *query)
{
    return match_stands(plan, query->on_from, query->viewer) &&
           match_profile_rule(plan, query->viewer) == RULE_NONE;
}

enum err_code
query_go_on(const struct match_query *query, uint64_t considered, struct err *err)
{
    if (query->is_cancelled != NULL && query->is_cancelled(query->cancel_context))
        return err_set(err, ERR_CANCELLED, "cancelled after %" PRIu64 " candidates", considered);
    return ERR_OK;
}

bool
is_same_profile(const struct facts *a, const struct facts *b)
{
    return a->id_symbol == b->id_symbol;
}

bool
lists_as_conflict(const struct facts *a, const struct facts *b)
{
    return a->conflicts.n > 0 &&
           (code_set_has(&a->conflicts, b->id_symbol) ||
            (b->organisation != SYMBOL_NONE && code_set_has(&a->conflicts, b->organisation)));
}

enum rule
match_profile_rule(const struct match_plan *plan, const struct facts *facts)
{
    if (!facts->may_match)
        return RULE_CONSENT;
    if (facts->consent_until < plan->day)
        return RULE_CONSENT_LAPSED;
    return facts->is_paused ? RULE_PAUSED : RULE_NONE;
}

enum rule
together_rule(const struct match_plan *plan, const struct facts *from, const struct facts *to,
              int *requirement)
{
    struct requirement_state state;

    if (lists_as_conflict(from, to) || lists_as_conflict(to, from))
        return RULE_CONFLICT;
    for (int i = 0; i < plan->n_requirements; i++) {
        requirement_judge(plan, &plan->requirements[i], from, to, &state);
        if (!state.holds) {
            *requirement = i;
            return RULE_REQUIREMENT;
        }
    }
    return RULE_NONE;
}

/* Of two rules the one that is tested first; RULE_NONE comes after all. */
static enum rule
earlier(enum rule a, enum rule b)
{
    if (a == RULE_NONE || b == RULE_NONE)
        return a == RULE_NONE ? b : a;
    return a < b ? a : b;
}

enum rule
match_pair_rule(const struct match_plan *plan, const struct facts *from, const struct facts *to,
                int *requirement)
{
    if (is_same_profile(from, to))
        return RULE_SELF;
    if (!side_fits(&plan->sides[PLAN_FROM], from) || !side_fits(&plan->sides[PLAN_TO], to))
        return RULE_SIDE;
    return earlier(together_rule(plan, from, to, requirement),
                   earlier(match_profile_rule(plan, from), match_profile_rule(plan, to)));
}

const char *
rule_name(enum rule rule)
{
    switch (rule) {
    case RULE_NONE:
        return "none";
    case RULE_SELF:
        return "self";
    case RULE_SIDE:
        return "side";
    case RULE_CONFLICT:
        return "conflict";
    case RULE_CONSENT:
        return "consent";
    case RULE_CONSENT_LAPSED:
        return "consent_lapsed";
    case RULE_PAUSED:
        return "paused";
    case RULE_REQUIREMENT:
        return "requirement";
    }
    return "none";
}
