#include "plan.h"

#include "comparison.h"
#include "kernel.h"

/* ---- what can be compared with what ---- */

static bool
operand_fits(const struct comparison *comparison, const struct plan_operand *operand)
{
    if (operand->kind == OPERAND_NUMBER)
        return comparison->takes_number;
    return comparison_fits(comparison->comparable, &schema[operand->field]);
}

/* A constant whole number stands beside money as well: whole dollars. */
static bool
may_compare(const struct comparison *comparison, const struct plan_operand *of,
            const struct plan_operand *by)
{
    return !comparison->is_refused && operand_fits(comparison, of) &&
           operand_fits(comparison, by) &&
           (of->type == by->type || of->kind == OPERAND_NUMBER || by->kind == OPERAND_NUMBER);
}

/* ---- making ---- */

static enum err_code
operand_make(const struct match_plan *plan, const struct reference *reference,
             const struct operand *operand, struct arena *arena, struct plan_operand *out,
             struct err *err)
{
    *out = (struct plan_operand){.kind = operand->kind, .field = operand->field};
    switch (operand->kind) {
    case OPERAND_FIELD:
    case OPERAND_RECORD:
        out->type = schema[operand->field].slot;
        return ERR_OK;
    case OPERAND_NUMBER:
        out->type = SLOT_NUMBER;
        out->constant = (struct slot){.state = SLOT_KNOWN, .number = operand->number};
        return ERR_OK;
    case OPERAND_VALUE:
        out->type = schema[operand->field].slot;
        return slot_of_value(&schema[operand->field], operand->value, reference, plan->scope, arena,
                             &out->constant, err);
    }
    return ERR_OK;
}

static enum err_code
want_make(const struct match_plan *plan, const struct reference *reference, const struct want *want,
          struct arena *arena, struct plan_want *out, struct err *err)
{
    bool needs_record = want->type == WANT_RECORD;
    enum err_code code;

    out->want = want;
    if (want->type == WANT_MODEL)
        return err_set(err, ERR_INVALID_PARAMS,
                       "a want of type model needs a learned scorecard, and there is none");
    if (want->type == WANT_TEXT) { /* `of` and `by` say nothing: a profile has one text vector */
        out->of = out->by = (struct plan_operand){
            .kind = OPERAND_FIELD, .field = FIELD_DESCRIPTION, .type = SLOT_TEXT};
        return ERR_OK;
    }
    code = operand_make(plan, reference, &want->of, arena, &out->of, err);
    if (code == ERR_OK)
        code = operand_make(plan, reference, &want->by, arena, &out->by, err);
    if (code != ERR_OK)
        return code;
    if (!may_compare(&want_comparisons[want->type], &out->of, &out->by) ||
        out->of.kind == OPERAND_RECORD || (out->by.kind == OPERAND_RECORD) != needs_record)
        return err_set(err, ERR_INVALID_PARAMS, "a want of type %s can't compare these fields",
                       want_type_name(want->type));
    if ((out->of.kind == OPERAND_NUMBER && out->of.constant.number < 0) ||
        (out->by.kind == OPERAND_NUMBER && out->by.constant.number < 0))
        return err_set(err, ERR_INVALID_PARAMS, "a constant is a whole number from 0 on");
    return ERR_OK;
}

static enum err_code
view_make(const struct match_plan *plan, const struct reference *reference, const struct view *view,
          struct arena *arena, struct plan_view *out, struct err *err)
{
    *out = (struct plan_view){.n_wants = view->n_wants};
    out->wants = arena_alloc(arena, (size_t)view->n_wants, sizeof *out->wants);
    if (out->wants == NULL)
        return err_no_memory(err);
    for (int i = 0; i < view->n_wants; i++) {
        enum err_code code =
            want_make(plan, reference, &view->wants[i], arena, &out->wants[i], err);

        if (code != ERR_OK) {
            err_at_index(err, (uint64_t)i);
            return code;
        }
        out->weight += view->wants[i].weight;
    }
    return ERR_OK;
}

static enum err_code
requirement_make(const struct match_plan *plan, const struct reference *reference,
                 const struct requirement *requirement, struct arena *arena,
                 struct plan_requirement *out, struct err *err)
{
    enum err_code code = operand_make(plan, reference, &requirement->of, arena, &out->of, err);

    out->requirement = requirement;
    if (code == ERR_OK)
        code = operand_make(plan, reference, &requirement->by, arena, &out->by, err);
    if (code != ERR_OK)
        return code;
    if (!may_compare(&require_comparisons[requirement->type], &out->of, &out->by) ||
        out->of.kind == OPERAND_RECORD || out->by.kind == OPERAND_RECORD)
        return err_set(err, ERR_INVALID_PARAMS,
                       "a requirement of type %s can't compare these fields",
                       require_type_name(requirement->type));
    return ERR_OK;
}

static enum err_code
requirements_make(struct match_plan *plan, const struct match_context *context, struct arena *arena,
                  struct err *err)
{
    const struct pairing *pairing = context->pairing;

    plan->n_requirements = pairing->n_require;
    plan->requirements = arena_alloc(arena, (size_t)pairing->n_require, sizeof *plan->requirements);
    if (plan->requirements == NULL)
        return err_no_memory(err);
    for (int i = 0; i < pairing->n_require; i++) {
        enum err_code code = requirement_make(plan, context->reference, &pairing->require[i], arena,
                                              &plan->requirements[i], err);

        if (code != ERR_OK) {
            err_at_index(err, (uint64_t)i);
            err_at(err, "require");
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code
side_make(struct symbol_scope *scope, struct str kind, struct str metro, struct plan_side *out,
          struct err *err)
{
    *out = (struct plan_side){SYMBOL_NONE, SYMBOL_NONE};
    if ((kind.len > 0 && (out->kind = symbol_scope_intern(scope, kind)) == SYMBOL_NONE) ||
        (metro.len > 0 && (out->metro = symbol_scope_intern(scope, metro)) == SYMBOL_NONE))
        return err_no_memory(err);
    return ERR_OK;
}

static enum err_code
sides_make(struct match_plan *plan, const struct match_context *context, struct err *err)
{
    const struct side *from = &context->pairing->from, *to = &context->pairing->to;
    bool is_mirrored = context->is_mirrored;
    enum err_code code = side_make(plan->scope, from->kind, is_mirrored ? to->metro : from->metro,
                                   &plan->sides[PLAN_FROM], err);

    if (code == ERR_OK)
        code = side_make(plan->scope, to->kind, is_mirrored ? from->metro : to->metro,
                         &plan->sides[PLAN_TO], err);
    return code;
}

enum err_code
match_plan_make(const struct match_context *context, struct arena *arena, struct match_plan **out,
                struct err *err)
{
    const struct pairing *pairing = context->pairing;
    const struct reference *reference = context->reference;
    struct match_plan *plan = arena_alloc(arena, 1, sizeof *plan);
    enum err_code code;

    if (plan == NULL)
        return err_no_memory(err);
    plan->roster = context->roster;
    plan->rates = reference->rates;
    plan->kernel = context->kernel != NULL ? context->kernel : kernel_best();
    plan->day = context->day;
    plan->combine = pairing->combine;
    plan->scope = context->scope;
    if (plan->scope == NULL)
        plan->scope = symbol_scope_create(context->symbols, arena);
    if (plan->scope == NULL)
        return err_no_memory(err);
    code = sides_make(plan, context, err);
    if (code == ERR_OK)
        code = order_map_make(reference->vocabularies[VOCABULARY_STAGES], plan->scope, arena,
                              &plan->orders, err);
    if (code == ERR_OK)
        code = requirements_make(plan, context, arena, err);
    if (code == ERR_OK) {
        code = view_make(plan, reference, &pairing->from_view, arena, &plan->views[PLAN_FROM], err);
        if (code != ERR_OK)
            err_at(err, "from_wants");
    }
    if (code == ERR_OK) {
        code = view_make(plan, reference, &pairing->to_view, arena, &plan->views[PLAN_TO], err);
        if (code != ERR_OK)
            err_at(err, "to_wants");
    }
    if (code == ERR_OK)
        *out = plan;
    return code;
}

/* ---- varying ---- */

static enum err_code
view_vary(const struct plan_view *whole, const struct view *view, struct arena *arena,
          struct plan_view *out, struct err *err)
{
    *out = (struct plan_view){.n_wants = view->n_wants};
    out->wants = arena_alloc(arena, (size_t)view->n_wants, sizeof *out->wants);
    if (out->wants == NULL)
        return err_no_memory(err);
    for (int i = 0, at = 0; i < view->n_wants; i++, at++) { /* in the same order */
        while (!str_equal(whole->wants[at].want->id, view->wants[i].id))
            at++;
        out->wants[i] = whole->wants[at];
        out->wants[i].want = &view->wants[i];
        out->weight += view->wants[i].weight;
    }
    return ERR_OK;
}

static enum err_code
requirements_vary(const struct match_plan *whole, const struct pairing *pairing,
                  struct arena *arena, struct match_plan *out, struct err *err)
{
    out->n_requirements = pairing->n_require;
    out->requirements = arena_alloc(arena, (size_t)pairing->n_require, sizeof *out->requirements);
    if (out->requirements == NULL)
        return err_no_memory(err);
    for (int i = 0, at = 0; i < pairing->n_require; i++, at++) {
        while (!str_equal(whole->requirements[at].requirement->id, pairing->require[i].id))
            at++;
        out->requirements[i] = whole->requirements[at];
        out->requirements[i].requirement = &pairing->require[i];
    }
    return ERR_OK;
}

enum err_code
match_plan_vary(const struct match_plan *plan, const struct pairing *pairing, struct arena *arena,
                struct match_plan **out, struct err *err)
{
    struct match_plan *other = arena_alloc(arena, 1, sizeof *other);
    enum err_code code;

    if (other == NULL)
        return err_no_memory(err);
    *other = *plan;
    code = requirements_vary(plan, pairing, arena, other, err);
    if (code == ERR_OK)
        code = view_vary(&plan->views[PLAN_FROM], &pairing->from_view, arena,
                         &other->views[PLAN_FROM], err);
    if (code == ERR_OK)
        code =
            view_vary(&plan->views[PLAN_TO], &pairing->to_view, arena, &other->views[PLAN_TO], err);
    if (code == ERR_OK)
        *out = other;
    return code;
}

/* ---- what every room of the scorer asks ---- */

struct str
match_symbol_text(const struct match_plan *plan, symbol s)
{
    return symbol_scope_text(plan->scope, s);
}

bool
match_money_usd(const struct match_plan *plan, const struct slot_money *money, int64_t *min_usd,
                int64_t *max_usd)
{
    int64_t rate_ppm;

    if (money->currency < 0 || !rates_find(plan->rates, money->currency, plan->day, &rate_ppm))
        return false;
    *min_usd = rates_to_usd(money->min, rate_ppm);
    *max_usd = rates_to_usd(money->max, rate_ppm);
    return true;
}

bool
plan_range(const struct match_plan *plan, const struct plan_operand *operand,
           const struct slot *slot, int64_t *min, int64_t *max)
{
    if (slot->state == SLOT_MISSING)
        return false;
    if (operand->type == SLOT_MONEY)
        return match_money_usd(plan, &slot->money, min, max);
    *min = *max = slot->number;
    return true;
}
