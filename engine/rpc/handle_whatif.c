/* handle_whatif.c: match.whatif: a list as it is, and as it would be if the profile or the programme were another. */
#include "handle.h"
#include "match.h"
#include "match_select.h"
#include "profile_write.h"

#include <stdlib.h>
#include <string.h>

/* ---- the profile as it might be ---- */

/* The stored profile with the changes laid over it, checked as a put would be, and its facts under
 * names of the call's own (nothing is interned, nothing stored). */
static enum err_code
changed_facts(struct call *call, const struct facts *facts, struct symbol_scope *scope,
              struct facts **out, struct err *err)
{
    const msgpack_object *base, *patched;
    struct facts_input input = {.reference = call->view.reference, .scope = scope};
    struct profile_record record;
    struct profile_write write;
    struct store_read *read;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = store_profile_get(read, facts->id, &record, err);
    if (code == ERR_NOT_FOUND)
        code = call_no_profile(call, "id", facts->id, err);
    if (code == ERR_OK)
        code = profile_record_whole(&record, call->arena, &base, err);
    store_read_end(read);
    if (code != ERR_OK)
        return code;
    patched = profile_patch(base, call_value(call, "changes"), call->arena);
    if (patched == NULL)
        return err_no_memory(err);
    code = profile_write_prepare(call, patched, "changes", true, &write, err);
    if (code == ERR_OK && !str_equal(write.form.id, facts->id)) {
        err_set(err, ERR_INVALID_PARAMS, "the id of a profile does not change");
        err_at(err, "changes.id");
        return ERR_INVALID_PARAMS;
    }
    if (code == ERR_OK)
        code = profile_form_decode(call, &write.form, &input.open, &input.confidential, err);
    if (code == ERR_OK)
        code = text_vector_read(write.vector.bytes, call->arena, &input.text, err);
    input.has_confidential_text = facts->text_is_confidential;
    if (code == ERR_OK)
        code = facts_build(&input, out, err);
    if (code == ERR_OK && !arena_defer(call->arena, (void (*)(void *))facts_drop, *out)) {
        facts_drop(*out);
        code = err_no_memory(err);
    }
    return code;
}

/* ---- the programme as it might be ---- */

static bool
list_has(const msgpack_object *list, struct str id)
{
    for (size_t i = 0; i < value_size(list); i++) {
        struct str one;

        if (value_str(value_at(list, i), &one) && str_equal(one, id))
            return true;
    }
    return false;
}

static bool
pairing_names(const struct pairing *pairing, struct str id)
{
    for (int i = 0; i < pairing->n_require; i++)
        if (str_equal(pairing->require[i].id, id))
            return true;
    for (int i = 0; i < pairing->from_view.n_wants; i++)
        if (str_equal(pairing->from_view.wants[i].id, id))
            return true;
    for (int i = 0; i < pairing->to_view.n_wants; i++)
        if (str_equal(pairing->to_view.wants[i].id, id))
            return true;
    return false;
}

static enum err_code
unknown_want(const struct pairing *pairing, struct str id, const char *where, struct err *err)
{
    err_set(err, ERR_INVALID_PARAMS, "the pairing %.*s has no want \"%.*s\"", STR_ARG(pairing->id),
            (int)(id.len < 60 ? id.len : 60), id.data);
    err_at(err, where);
    err_at(err, "programme_changes");
    return ERR_INVALID_PARAMS;
}

static enum err_code
changes_check(const struct pairing *pairing, const msgpack_object *changes, struct err *err)
{
    const msgpack_object *weights = value_find(changes, "weights");
    const msgpack_object *without = value_find(changes, "without");

    for (size_t i = 0; i < value_size(changes); i++)
        if (!str_is(value_key(changes, i), "weights") &&
            !str_is(value_key(changes, i), "without")) {
            err_set(err, ERR_INVALID_PARAMS,
                    "programme_changes takes weights and without, not \"%.*s\"",
                    STR_ARG(value_key(changes, i)));
            err_at(err, "programme_changes");
            return ERR_INVALID_PARAMS;
        }
    if ((!value_is_nil(weights) && !value_is_map(weights)) ||
        (!value_is_nil(without) && !value_is_array(without))) {
        err_set(err, ERR_INVALID_PARAMS,
                "weights is a map of want and weight, without a list of wants and requirements");
        err_at(err, "programme_changes");
        return ERR_INVALID_PARAMS;
    }
    for (size_t i = 0; i < value_size(weights); i++) {
        int64_t weight;

        if (!pairing_names(pairing, value_key(weights, i)))
            return unknown_want(pairing, value_key(weights, i), "weights", err);
        if (!value_int(value_of(weights, i), &weight) || weight < 0 || weight > WEIGHT_MAX) {
            err_set(err, ERR_INVALID_PARAMS,
                    "the weight of %.*s must be a whole number from 0 (left out) to %d",
                    STR_ARG(value_key(weights, i)), WEIGHT_MAX);
            err_at(err, "weights");
            err_at(err, "programme_changes");
            return ERR_INVALID_PARAMS;
        }
    }
    for (size_t i = 0; i < value_size(without); i++) {
        struct str id = {NULL, 0};

        if (!value_str(value_at(without, i), &id) || !pairing_names(pairing, id))
            return unknown_want(pairing, id, "without", err);
    }
    return ERR_OK;
}

static enum err_code
changed_view(struct call *call, struct view *view, const msgpack_object *changes, struct err *err)
{
    const msgpack_object *weights = value_find(changes, "weights");
    const msgpack_object *without = value_find(changes, "without");
    struct want *wants = arena_alloc(call->arena, (size_t)view->n_wants, sizeof *wants);
    int n = 0;

    if (wants == NULL)
        return err_no_memory(err);
    for (int i = 0; i < view->n_wants; i++) {
        int64_t weight = view->wants[i].weight;

        value_int(value_find_str(weights, view->wants[i].id), &weight);
        if (weight == 0 || list_has(without, view->wants[i].id))
            continue;
        wants[n] = view->wants[i];
        wants[n++].weight = (int32_t)weight;
    }
    view->wants = wants;
    view->n_wants = n;
    return ERR_OK;
}

static enum err_code
changed_pairing(struct call *call, const struct pairing *pairing, struct pairing *out,
                struct err *err)
{
    const msgpack_object *changes = call_value(call, "programme_changes");
    const msgpack_object *without = value_find(changes, "without");
    struct requirement *require;
    enum err_code code = changes_check(pairing, changes, err);

    *out = *pairing;
    if (code == ERR_OK)
        code = changed_view(call, &out->from_view, changes, err);
    if (code == ERR_OK)
        code = changed_view(call, &out->to_view, changes, err);
    if (code != ERR_OK)
        return code;
    require = arena_alloc(call->arena, (size_t)pairing->n_require, sizeof *require);
    if (require == NULL)
        return err_no_memory(err);
    out->require = require;
    out->n_require = 0;
    for (int i = 0; i < pairing->n_require; i++)
        if (!list_has(without, pairing->require[i].id))
            require[out->n_require++] = pairing->require[i];
    return ERR_OK;
}

/* ---- what moved ---- */

struct whatif { /* one of the two states */
    const struct match_plan *plan;
    const struct facts *facts;
    struct match_list list;
};

static size_t
rank_of(const struct match_list *list, uint32_t row)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->hits[i].row == row)
            return i + 1;
    return 0;
}

static enum err_code
explain_state(struct call *call, const struct whatif *state, const struct selection *selection,
              uint32_t row, struct explanation *out, struct err *err)
{
    const struct facts *other = roster_facts(call->view.roster, row);

    return selection->on_from ? match_explain(state->plan, state->facts, selection->row, other, row,
                                              call->arena, out, err)
                              : match_explain(state->plan, other, row, state->facts, selection->row,
                                              call->arena, out, err);
}

static const struct want_reason *
reason_find(const struct want_reason *reasons, size_t n, struct str id)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(reasons[i].want->id, id))
            return &reasons[i];
    return NULL;
}

static void
pack_difference(struct buf *out, const char *view, struct str id, const struct want_reason *before,
                const struct want_reason *after)
{
    pack_map(out, 6);
    pack_key_text(out, "view", view);
    pack_key_str(out, "want", id);
    pack_key_int(out, "before_points", before != NULL ? before->points : 0);
    pack_key_int(out, "after_points", after != NULL ? after->points : 0);
    pack_key_int(out, "before_share", before != NULL ? before->share : 0);
    pack_key_int(out, "after_share", after != NULL ? after->share : 0);
}

/* The wants of one view whose share or points differ; those that a state does not have count as 0. */
static size_t
pack_differences(struct buf *out, const char *view, const struct want_reason *before,
                 size_t n_before, const struct want_reason *after, size_t n_after)
{
    size_t n = 0;

    for (size_t i = 0; i < n_before; i++) {
        const struct want_reason *now = reason_find(after, n_after, before[i].want->id);

        if (now != NULL && now->share == before[i].share && now->points == before[i].points)
            continue;
        pack_difference(out, view, before[i].want->id, &before[i], now);
        n++;
    }
    for (size_t i = 0; i < n_after; i++)
        if (reason_find(before, n_before, after[i].want->id) == NULL) {
            pack_difference(out, view, after[i].want->id, NULL, &after[i]);
            n++;
        }
    return n;
}

static enum err_code
pack_moved(struct call *call, const struct whatif states[2], const struct selection *selection,
           uint32_t row, struct err *err)
{
    size_t rank[2] = {rank_of(&states[0].list, row), rank_of(&states[1].list, row)};
    const struct facts *other = roster_facts(call->view.roster, row);
    struct buf *out = &call->answer;
    struct explanation explanation[2];
    struct pack_open list;
    size_t n;

    for (int i = 0; i < 2; i++) {
        enum err_code code = explain_state(call, &states[i], selection, row, &explanation[i], err);

        if (code != ERR_OK)
            return code;
    }
    pack_map(out, 9);
    pack_key_str(out, "id", other->id);
    pack_key_str(out, "name", other->name);
    for (int i = 0; i < 2; i++) {
        pack_key(out, i == 0 ? "before_rank" : "after_rank");
        if (rank[i] != 0)
            pack_int(out, (int64_t)rank[i]);
        else
            pack_nil(out);
        pack_key_int(out, i == 0 ? "before_score" : "after_score", explanation[i].score.score);
        pack_key_bool(out, i == 0 ? "before_eligible" : "after_eligible",
                      explanation[i].is_eligible);
    }
    pack_key(out, "by");
    list = pack_array_open(out);
    n = pack_differences(out, "from", explanation[0].from_reasons, explanation[0].n_from,
                         explanation[1].from_reasons, explanation[1].n_from);
    n += pack_differences(out, "to", explanation[0].to_reasons, explanation[0].n_to,
                          explanation[1].to_reasons, explanation[1].n_to);
    pack_close(out, list, n);
    return ERR_OK;
}

static bool
has_moved(const struct whatif states[2], uint32_t row)
{
    size_t before = rank_of(&states[0].list, row), after = rank_of(&states[1].list, row);

    return before != after || states[0].list.hits[before - 1].score.score !=
                                  states[1].list.hits[after - 1].score.score;
}

static void
pack_only_in(struct call *call, struct buf *out, const char *key, const struct match_list *in,
             const struct match_list *not_in)
{
    struct pack_open list;
    size_t n = 0;

    pack_key(out, key);
    list = pack_array_open(out);
    for (size_t i = 0; i < in->n; i++)
        if (rank_of(not_in, in->hits[i].row) == 0) {
            pack_str(out, roster_facts(call->view.roster, in->hits[i].row)->id);
            n++;
        }
    pack_close(out, list, n);
}

static void
pack_list(struct call *call, struct buf *out, const char *key, const struct match_list *list)
{
    pack_key(out, key);
    match_pack_list(call, list);
}

/* Everything that is in one list or the other and is not in both alike: those of the new list first,
 * in its order, then those that fell out. */
static enum err_code
pack_all_moved(struct call *call, const struct whatif states[2], const struct selection *selection,
               struct err *err)
{
    struct buf *out = &call->answer;
    struct pack_open list;
    size_t n = 0;
    enum err_code code = ERR_OK;

    pack_key(out, "moved");
    list = pack_array_open(out);
    for (int pass = 1; pass >= 0; pass--) {
        const struct match_list *hits = &states[pass].list;

        for (size_t i = 0; i < hits->n && code == ERR_OK; i++) {
            uint32_t row = hits->hits[i].row;

            if (pass == 0 ? rank_of(&states[1].list, row) != 0
                          : rank_of(&states[0].list, row) != 0 && !has_moved(states, row))
                continue;
            code = pack_moved(call, states, selection, row, err);
            n++;
        }
    }
    pack_close(out, list, n);
    return code;
}

/* ---- match.whatif ---- */

static bool
changes_profile(struct call *call)
{
    return value_size(call_value(call, "changes")) > 0;
}

static bool
changes_programme(struct call *call)
{
    const msgpack_object *changes = call_value(call, "programme_changes");

    return value_size(value_find(changes, "weights")) > 0 ||
           value_size(value_find(changes, "without")) > 0;
}

/* The two states, and what they have in common made once: the facts, where the profile stays as it is; the
 * plan, where the programme does; its constants and fields in any case, since other weights and fewer wants need no
 * others. One scope of names for both. */
static enum err_code
make_states(struct call *call, const struct selection *selection, struct whatif states[2],
            struct err *err)
{
    struct symbol_scope *scope = symbol_scope_create(call->view.symbols, call->arena);
    struct pairing *pairing = arena_alloc(call->arena, 1, sizeof *pairing);
    struct match_plan *plan, *other;
    struct facts *changed;
    enum err_code code = scope != NULL && pairing != NULL ? ERR_OK : err_no_memory(err);

    states[0].facts = states[1].facts = selection->facts;
    if (code == ERR_OK)
        code = changed_pairing(call, selection->pairing, pairing, err);
    if (code == ERR_OK && changes_profile(call)) {
        code = changed_facts(call, selection->facts, scope, &changed, err);
        if (code == ERR_OK)
            states[1].facts = changed;
    }
    if (code == ERR_OK)
        code = match_make_plan(call, selection->pairing, selection->is_mirrored, scope, &plan, err);
    if (code != ERR_OK)
        return code;
    states[0].plan = states[1].plan = plan;
    if (!changes_programme(call))
        return ERR_OK;
    code = match_plan_vary(plan, pairing, call->arena, &other, err);
    if (code == ERR_OK)
        states[1].plan = other;
    return code;
}

static enum err_code
search_states(struct call *call, const struct selection *selection, struct whatif states[2],
              struct err *err)
{
    for (int i = 0; i < 2; i++) {
        enum err_code code;

        if (i == 1 && states[1].plan == states[0].plan && states[1].facts == states[0].facts) {
            states[1].list = states[0].list;
            break;
        }
        code = match_run_query(call, states[i].plan, states[i].facts, selection->row,
                               selection->on_from, 0, &states[i].list, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

enum err_code
handle_match_whatif(struct call *call, struct err *err)
{
    struct whatif states[2] = {{0}};
    struct buf *out = &call->answer;
    struct selection selection;
    enum err_code code = match_select(call, &selection, err);

    if (code == ERR_OK)
        code = make_states(call, &selection, states, err);
    if (code == ERR_OK)
        code = search_states(call, &selection, states, err);
    if (code != ERR_OK)
        return code;
    pack_map(out, 9);
    pack_key_str(out, "programme", selection.programme->id);
    pack_key_str(out, "pairing", selection.pairing->id);
    pack_key_text(out, "side", selection.on_from ? "from" : "to");
    pack_key_str(out, "id", selection.facts->id);
    pack_list(call, out, "before", &states[0].list);
    pack_list(call, out, "after", &states[1].list);
    pack_only_in(call, out, "entered", &states[1].list, &states[0].list);
    pack_only_in(call, out, "left", &states[0].list, &states[1].list);
    return pack_all_moved(call, states, &selection, err);
}
