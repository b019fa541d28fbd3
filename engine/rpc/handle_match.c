/* handle_match.c: the best counterparts, and the reasons. */
#include "explanation_pack.h"
#include "handle.h"
#include "kernel.h"
#include "match.h"
#include "match_select.h"

#include <stdlib.h>
#include <string.h>

/* ---- shared ---- */

static bool
is_time_up(void *context)
{
    struct err ignored = {0};

    return call_check_time(context, &ignored) != ERR_OK;
}

enum err_code
match_told_why(struct call *call, enum err_code code, struct err *err)
{
    if (code == ERR_CANCELLED) {
        *err = (struct err){0};
        code = call_check_time(call, err);
        if (code == ERR_OK)
            code = err_set(err, ERR_CANCELLED, "%s was cancelled", call->method->name);
    }
    return code;
}

/* The day that the asker named, checked by the guards; else today. */
static int32_t
day_of(const struct call *call)
{
    enum date_precision precision;
    int32_t day;

    if (call_has(call, "day") &&
        date_parse(call_str(call, "day"), DATE_DAY, &day, &precision, NULL) == ERR_OK)
        return day;
    return engine_today(call->engine);
}

enum err_code
match_make_plan(struct call *call, const struct pairing *pairing, bool is_mirrored,
                struct symbol_scope *scope, struct match_plan **out, struct err *err)
{
    struct match_context context = {.pairing = pairing,
                                    .is_mirrored = is_mirrored,
                                    .roster = call->view.roster,
                                    .reference = call->view.reference,
                                    .symbols = call->view.symbols,
                                    .scope = scope,
                                    .day = day_of(call),
                                    .kernel = engine_kernel(call->engine)};

    return match_plan_make(&context, call->arena, out, err);
}

enum err_code
match_run_query(struct call *call, const struct match_plan *plan, const struct facts *viewer,
                uint32_t row, bool on_from, int32_t min_score, struct match_list *out,
                struct err *err)
{
    struct match_query query = {.viewer = viewer,
                                .row = row,
                                .on_from = on_from,
                                .k = (size_t)call_int(call, "k"),
                                .min_score = min_score,
                                .is_cancelled = is_time_up,
                                .cancel_context = call};

    return match_told_why(call, match_top(plan, &query, call->arena, out, err), err);
}

static void
pack_hit(struct buf *out, const struct facts *facts, const struct match_score *score, size_t n_more)
{
    pack_map(out, 6 + n_more);
    pack_key_str(out, "id", facts->id);
    pack_key_str(out, "name", facts->name);
    pack_key_int(out, "score", score->score);
    pack_key_int(out, "from_view", score->from_view);
    pack_key_int(out, "to_view", score->to_view);
    pack_key_int(out, "coverage", score->coverage);
}

void
match_pack_day(struct call *call)
{
    char text[11];

    date_format(day_of(call), text);
    pack_key_text(&call->answer, "day", text);
}

void
match_pack_list(struct call *call, const struct match_list *list)
{
    pack_array(&call->answer, list->n);
    for (size_t i = 0; i < list->n; i++)
        pack_hit(&call->answer, roster_facts(call->view.roster, list->hits[i].row),
                 &list->hits[i].score, 0);
}

/* ---- match.top ---- */

static enum err_code
pack_reasons(struct call *call, const struct match_plan *plan, const struct selection *selection,
             uint32_t row, struct err *err)
{
    const struct facts *other = roster_facts(call->view.roster, row);
    bool on_from = selection->on_from;
    struct buf *out = &call->answer;
    struct explanation_job job;
    enum err_code code = explanation_make(
        call, plan, on_from ? selection->facts : other, on_from ? selection->row : row,
        on_from ? other : selection->facts, on_from ? row : selection->row, &job, err);

    if (code != ERR_OK)
        return code;
    pack_key(out, "reasons");
    pack_map(out, 2);
    pack_key(out, "from_reasons");
    explanation_pack_reasons(&job, true, out);
    pack_key(out, "to_reasons");
    explanation_pack_reasons(&job, false, out);
    return call_check_time(call, err);
}

static enum err_code
pack_matches(struct call *call, const struct match_plan *plan, const struct selection *selection,
             const struct match_list *list, struct err *err)
{
    bool explains = call_bool(call, "explain");
    struct buf *out = &call->answer;
    enum err_code code = ERR_OK;

    pack_key(out, "matches");
    pack_array(out, list->n);
    for (size_t i = 0; i < list->n && code == ERR_OK; i++) {
        const struct match_hit *hit = &list->hits[i];

        pack_hit(out, roster_facts(call->view.roster, hit->row), &hit->score, explains);
        if (explains)
            code = pack_reasons(call, plan, selection, hit->row, err);
    }
    return code;
}

enum err_code
handle_match_top(struct call *call, struct err *err)
{
    struct buf *out = &call->answer;
    struct match_list list = {0};
    struct selection selection;
    struct match_plan *plan;
    enum rule why;
    enum err_code code = match_select(call, &selection, err);

    if (code == ERR_OK)
        code = match_make_plan(call, selection.pairing, selection.is_mirrored, NULL, &plan, err);
    if (code != ERR_OK)
        return code;
    why = match_profile_rule(plan, selection.facts);
    code = match_run_query(call, plan, selection.facts, selection.row, selection.on_from,
                           (int32_t)call_int(call, "min_score"), &list, err);
    if (code != ERR_OK)
        return code;
    pack_map(out, why != RULE_NONE ? 12 : 11);
    pack_key_str(out, "programme", selection.programme->id);
    pack_key_str(out, "pairing", selection.pairing->id);
    pack_key_text(out, "side", selection.on_from ? "from" : "to");
    pack_key_bool(out, "mirrored", selection.is_mirrored);
    pack_key_str(out, "id", selection.facts->id);
    pack_key_str(out, "name", selection.facts->name);
    match_pack_day(call);
    pack_key_int(out, "seq", (int64_t)call->view.seq);
    code = pack_matches(call, plan, &selection, &list, err);
    pack_key_int(out, "considered", (int64_t)list.considered);
    pack_key_int(out, "eligible", (int64_t)list.eligible);
    if (why != RULE_NONE) {
        pack_key(out, "why");
        explanation_pack_why(call, plan, selection.facts, why, out);
    }
    return code;
}

/* ---- match.explain ---- */

enum err_code
handle_match_explain(struct call *call, struct err *err)
{
    struct buf *out = &call->answer;
    const struct match_score *score;
    struct pair_selection pair;
    struct explanation_job job;
    struct match_plan *plan;
    enum err_code code = match_select_pair(call, &pair, err);

    if (code == ERR_OK)
        code = match_make_plan(call, pair.pairing, pair.is_mirrored, NULL, &plan, err);
    if (code == ERR_OK)
        code =
            explanation_make(call, plan, pair.from, pair.from_row, pair.to, pair.to_row, &job, err);
    if (code != ERR_OK)
        return code;
    score = &job.explanation->score;
    pack_map(out, 18);
    pack_key_str(out, "programme", pair.programme->id);
    pack_key_str(out, "pairing", pair.pairing->id);
    pack_key_bool(out, "mirrored", pair.is_mirrored);
    pack_key_str(out, "from", pair.from->id);
    pack_key_str(out, "to", pair.to->id);
    pack_key_str(out, "from_name", pair.from->name);
    pack_key_str(out, "to_name", pair.to->name);
    match_pack_day(call);
    pack_key_int(out, "seq", (int64_t)call->view.seq);
    pack_key_bool(out, "eligible", job.explanation->is_eligible);
    pack_key(out, "failed");
    explanation_pack_failed(&job, out);
    pack_key_int(out, "score", score->score);
    pack_key_int(out, "from_view", score->from_view);
    pack_key_int(out, "to_view", score->to_view);
    pack_key_text(out, "combine", combine_name(pair.pairing->combine));
    pack_key_int(out, "coverage", score->coverage);
    pack_key(out, "from_reasons");
    explanation_pack_reasons(&job, true, out);
    pack_key(out, "to_reasons");
    explanation_pack_reasons(&job, false, out);
    return ERR_OK;
}
