#include "code_set.h"
#include "plan.h"
#include "requirement.h"
#include "view.h"

/* What all steps of one explanation work on. */
struct explainer {
    const struct match_plan *plan;
    struct pair pair;
    struct arena *arena;
};

/* ---- evidence ---- */

/* Symbols are numbered in order of arrival, which must not show: lists go by their text. */
static void
sort_by_text(const struct match_plan *plan, symbol *codes, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        symbol code = codes[i];
        struct str text = match_symbol_text(plan, code);
        size_t at = i;

        for (; at > 0 && str_compare(match_symbol_text(plan, codes[at - 1]), text) > 0; at--)
            codes[at] = codes[at - 1];
        codes[at] = code;
    }
}

/* Parts the viewer's codes into those shared and those unmet, and for `overlap` tells which of the
 * unmet are near. */
static enum err_code
explain_codes(const struct explainer *explainer, const struct slot_codes *a,
              const struct slot_codes *b, bool by_group, struct want_reason *out, struct err *err)
{
    const struct match_plan *plan = explainer->plan;
    symbol *shared = arena_alloc(explainer->arena, a->n, sizeof *shared);
    symbol *near = arena_alloc(explainer->arena, by_group ? a->n : 0, sizeof *near);
    symbol *unmet = arena_alloc(explainer->arena, a->n, sizeof *unmet);

    if (shared == NULL || near == NULL || unmet == NULL)
        return err_no_memory(err);
    for (uint32_t i = 0; i < a->n; i++) {
        if (code_set_has(b, a->codes[i])) {
            shared[out->n_shared++] = a->codes[i];
            continue;
        }
        unmet[out->n_unmet++] = a->codes[i];
        if (by_group && code_set_has_group(b, a, i, plan->scope))
            near[out->n_near++] = a->codes[i];
    }
    sort_by_text(plan, shared, out->n_shared);
    sort_by_text(plan, near, out->n_near);
    sort_by_text(plan, unmet, out->n_unmet);
    out->shared = shared;
    out->near = near;
    out->unmet = unmet;
    return ERR_OK;
}

static void
explain_period(const struct slot *a, const struct slot *b, struct want_reason *out)
{
    struct period_common common;

    period_quality(&a->period, &b->period, &common);
    out->period_from = common.from;
    out->period_to = common.to;
    out->period_days = common.days;
}

static void
explain_record(const struct explainer *explainer, const struct plan_want *want,
               const struct slot *a, int viewer, struct want_reason *out)
{
    struct record_count count;

    record_counts(explainer->plan, want, &a->codes, &explainer->pair, viewer, &count);
    out->record_count = count.most;
    out->record_code = count.code;
    out->is_confidential |= count.saw_confidential;
}

/* Evidence of a want both of whose values are there. */
static enum err_code
explain_known(const struct explainer *explainer, const struct plan_want *want, int viewer,
              struct want_reason *out, struct err *err)
{
    const struct match_plan *plan = explainer->plan;
    const struct slot *a = plan_slot(&want->of, explainer->pair.facts[viewer]);
    const struct slot *b = plan_slot(&want->by, explainer->pair.facts[1 - viewer]);
    bool a_has, b_has;

    switch (want->want->type) {
    case WANT_OVERLAP:
        return explain_codes(explainer, &a->codes, &b->codes, true, out, err);
    case WANT_COVER:
    case WANT_ANY:
    case WANT_SAME:
        return explain_codes(explainer, &a->codes, &b->codes, false, out, err);
    case WANT_STAGE:
        out->distance =
            (int32_t)stage_distance(&a->codes, &b->codes, &plan->orders, &a_has, &b_has);
        break;
    case WANT_RANGE:
    case WANT_AT_LEAST:
        (void)plan_range(plan, &want->of, a, &out->of_min, &out->of_max);
        (void)plan_range(plan, &want->by, b, &out->by_min, &out->by_max);
        break;
    case WANT_PERIOD:
        explain_period(a, b, out);
        break;
    case WANT_RECORD:
        explain_record(explainer, want, a, viewer, out);
        break;
    case WANT_TEXT: /* its evidence needs the texts themselves: text_shared_terms */
    case WANT_MODEL:
    case WANT_TYPE_COUNT:
        break;
    }
    return ERR_OK;
}

static bool
text_was_confidential(const struct facts *a, const struct facts *b)
{
    if (pair_uses_embedding(a, b))
        return a->embedding_is_confidential || b->embedding_is_confidential;
    return a->text_is_confidential || b->text_is_confidential;
}

static enum err_code
explain_want(struct explainer *explainer, const struct plan_want *want, int viewer,
             struct want_reason *out, struct err *err)
{
    struct pair *pair = &explainer->pair;
    const struct slot *a = plan_slot(&want->of, pair->facts[viewer]);
    const struct slot *b = plan_slot(&want->by, pair->facts[1 - viewer]);
    struct judgement judgement;

    want_judge(explainer->plan, want, pair, viewer, &judgement);
    *out = (struct want_reason){.want = want->want,
                                .quality = judgement.quality,
                                .points = judgement.points,
                                .is_known = judgement.is_known,
                                .of_missing = judgement.of_missing,
                                .by_missing = judgement.by_missing};
    out->is_confidential = want->want->type == WANT_TEXT
                               ? text_was_confidential(pair->facts[0], pair->facts[1])
                               : a->is_confidential || b->is_confidential;
    return judgement.is_known ? explain_known(explainer, want, viewer, out, err) : ERR_OK;
}

/* ---- shares ---- */

/* Each want's part of the view score, rounded down; the units still missing go one each to the
 * largest remainders, of equal ones to the first. At most n - 1 units are missing. */
static void
share_out(struct want_reason *reasons, size_t n, int64_t weight, int32_t score)
{
    int64_t remainders[WANTS_MAX];
    int32_t left = score;

    for (size_t i = 0; i < n; i++) {
        int64_t part = (int64_t)reasons[i].want->weight * reasons[i].points;

        reasons[i].share = (int32_t)(part / weight);
        remainders[i] = part % weight;
        left -= reasons[i].share;
    }
    for (; left > 0; left--) {
        size_t largest = 0;

        for (size_t i = 1; i < n; i++)
            if (remainders[i] > remainders[largest])
                largest = i;
        reasons[largest].share++;
        remainders[largest] = -1;
    }
}

static enum err_code
explain_view(struct explainer *explainer, int viewer, int32_t score, struct want_reason **out,
             size_t *n_out, struct err *err)
{
    const struct plan_view *view = &explainer->plan->views[viewer];
    size_t n = (size_t)view->n_wants;
    struct want_reason *reasons = arena_alloc(explainer->arena, n, sizeof *reasons);

    if (reasons == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        enum err_code code = explain_want(explainer, &view->wants[i], viewer, &reasons[i], err);

        if (code != ERR_OK)
            return code;
    }
    if (n > 0)
        share_out(reasons, n, view->weight, score);
    *out = reasons;
    *n_out = n;
    return ERR_OK;
}

/* ---- failing rules ---- */

enum { GENERAL_RULES_MAX = 1 + 2 + 1 + 2 + 2 }; /* self, sides, conflict, consents, pauses */

static struct failed_rule *
add_rule(struct explanation *explanation, enum rule rule, const struct facts *subject)
{
    struct failed_rule *failed = &explanation->failed[explanation->n_failed++];

    *failed = (struct failed_rule){.rule = rule, .subject = subject};
    return failed;
}

static void
add_side(struct explanation *explanation, const struct plan_side *side, const struct facts *facts)
{
    bool kind_fits = side->kind == SYMBOL_NONE || side->kind == facts->kind;
    const struct slot *slot = facts_slot(facts, kind_fits ? FIELD_METRO : FIELD_KIND);
    struct failed_rule *failed;

    if (side_fits(side, facts))
        return;
    failed = add_rule(explanation, RULE_SIDE, facts);
    failed->of = slot;
    failed->is_missing = slot->state == SLOT_MISSING;
    failed->is_confidential = slot->is_confidential;
}

static void
add_conflict(struct explanation *explanation, const struct facts *from, const struct facts *to)
{
    bool from_lists = lists_as_conflict(from, to), to_lists = lists_as_conflict(to, from);
    const struct slot *from_slot = facts_slot(from, FIELD_CONFLICTS);
    const struct slot *to_slot = facts_slot(to, FIELD_CONFLICTS);
    struct failed_rule *failed;

    if (!from_lists && !to_lists)
        return;
    failed = add_rule(explanation, RULE_CONFLICT,
                      from_lists && to_lists ? NULL
                      : from_lists           ? from
                                             : to);
    failed->of = from_lists ? from_slot : NULL;
    failed->by = to_lists ? to_slot : NULL;
    failed->is_confidential =
        (from_lists &&
         (from_slot->is_confidential || facts_slot(to, FIELD_ORGANISATION)->is_confidential)) ||
        (to_lists &&
         (to_slot->is_confidential || facts_slot(from, FIELD_ORGANISATION)->is_confidential));
}

static void
add_requirement(struct explanation *explanation, const struct match_plan *plan,
                const struct plan_requirement *requirement, const struct facts *from,
                const struct facts *to)
{
    struct requirement_state state;
    struct failed_rule *failed;
    const struct facts *subject = NULL;

    requirement_judge(plan, requirement, from, to, &state);
    if (state.holds)
        return;
    if (requirement->by.kind == OPERAND_VALUE || (state.of_missing && !state.by_missing))
        subject = from;
    else if (requirement->of.kind == OPERAND_VALUE || (state.by_missing && !state.of_missing))
        subject = to;
    failed = add_rule(explanation, RULE_REQUIREMENT, subject);
    failed->requirement = requirement->requirement;
    failed->of = plan_slot(&requirement->of, from);
    failed->by = plan_slot(&requirement->by, to);
    failed->is_missing = state.of_missing || state.by_missing;
    failed->is_confidential = failed->of->is_confidential || failed->by->is_confidential;
}

static enum err_code
explain_rules(const struct explainer *explainer, struct explanation *out, struct err *err)
{
    const struct match_plan *plan = explainer->plan;
    const struct pair *pair = &explainer->pair;
    const struct facts *from = pair->facts[PLAN_FROM], *to = pair->facts[PLAN_TO];
    enum rule rules[] = {RULE_CONSENT, RULE_CONSENT_LAPSED, RULE_PAUSED};

    out->failed = arena_alloc(explainer->arena, (size_t)plan->n_requirements + GENERAL_RULES_MAX,
                              sizeof *out->failed);
    if (out->failed == NULL)
        return err_no_memory(err);
    if (is_same_profile(from, to))
        add_rule(out, RULE_SELF, from);
    for (int side = 0; side < PLAN_SIDES; side++)
        add_side(out, &plan->sides[side], pair->facts[side]);
    add_conflict(out, from, to);
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        for (int side = 0; side < PLAN_SIDES; side++) {
            const struct facts *facts = pair->facts[side];

            /* a profile without consent may be paused as well: both are told */
            if (rules[i] == RULE_PAUSED ? facts->is_paused
                                        : match_profile_rule(plan, facts) == rules[i])
                add_rule(out, rules[i], facts);
        }
    for (int i = 0; i < plan->n_requirements; i++)
        add_requirement(out, plan, &plan->requirements[i], from, to);
    out->is_eligible = out->n_failed == 0;
    return ERR_OK;
}

enum err_code
match_explain(const struct match_plan *plan, const struct facts *from, uint32_t from_row,
              const struct facts *to, uint32_t to_row, struct arena *arena, struct explanation *out,
              struct err *err)
{
    struct explainer explainer = {
        .plan = plan, .pair = {.facts = {from, to}, .rows = {from_row, to_row}}, .arena = arena};
    struct explanation explanation = {0};
    enum err_code code = explain_rules(&explainer, &explanation, err);

    if (code == ERR_OK)
        code = match_need_texts(plan, from, to, err);
    if (code != ERR_OK)
        return code;
    pair_score(plan, &explainer.pair, &explanation.score);
    code = explain_view(&explainer, PLAN_FROM, explanation.score.from_view,
                        &explanation.from_reasons, &explanation.n_from, err);
    if (code == ERR_OK)
        code = explain_view(&explainer, PLAN_TO, explanation.score.to_view, &explanation.to_reasons,
                            &explanation.n_to, err);
    if (code == ERR_OK)
        *out = explanation;
    return code;
}
