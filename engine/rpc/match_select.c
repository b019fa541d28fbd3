#include "match_select.h"

#include <stdio.h>
#include <string.h>

/* ---- sides ---- */

static struct str
kind_of(const struct call *call, const struct facts *facts)
{
    return symbols_text(call->view.symbols, facts->kind);
}

static struct str
metro_of(const struct call *call, const struct facts *facts)
{
    return facts->metro != SYMBOL_NONE ? symbols_text(call->view.symbols, facts->metro)
                                       : STR_LIT("");
}

static bool
fits(const struct call *call, const struct pairing *pairing, bool mirrored, bool on_from,
     const struct facts *facts)
{
    return (!mirrored || pairing->is_mirrored) &&
           pairing_fits(pairing, mirrored, on_from, kind_of(call, facts), metro_of(call, facts));
}

/* Where the profile stands in one pairing; false if nowhere. `wanted_side` may be empty. */
static bool
stand(const struct call *call, const struct pairing *pairing, const struct facts *facts,
      struct str wanted_side, bool *is_mirrored, bool *on_from)
{
    for (int side = 0; side < 2; side++)
        for (int mirrored = 0; mirrored < 2; mirrored++) {
            if (wanted_side.len > 0 && str_is(wanted_side, "from") != (side == 0))
                continue;
            if (fits(call, pairing, mirrored != 0, side == 0, facts)) {
                *is_mirrored = mirrored != 0;
                *on_from = side == 0;
                return true;
            }
        }
    return false;
}

/* ---- errors that say what there is ---- */

static struct str
pairing_names(struct call *call, const struct programme *programme, const bool *which)
{
    struct str list = STR_LIT("");

    for (int i = 0; i < programme->n_pairings; i++)
        if (which == NULL || which[i])
            list = arena_format(call->arena, "%.*s%s%.*s", STR_ARG(list), list.len > 0 ? ", " : "",
                                STR_ARG(programme->pairings[i].id));
    return list;
}

static enum err_code
no_such_pairing(struct call *call, const struct programme *programme, struct str id,
                struct err *err)
{
    err_set(err, ERR_INVALID_PARAMS, "the programme %.*s has no pairing \"%.*s\"; it has: %.*s",
            STR_ARG(programme->id), STR_ARG(id), STR_ARG(pairing_names(call, programme, NULL)));
    err_at(err, "pairing");
    return ERR_INVALID_PARAMS;
}

static struct str
side_words(struct call *call, const struct side *side)
{
    return arena_format(call->arena, "%.*s%s%.*s",
                        STR_ARG(side->kind.len > 0 ? side->kind : STR_LIT("any kind")),
                        side->metro.len > 0 ? " in " : "", STR_ARG(side->metro));
}

static enum err_code
fits_nowhere(struct call *call, const struct programme *programme, const struct facts *facts,
             const struct pairing *only, struct str side, struct err *err)
{
    const char *where = side.len == 0          ? "stands on no side"
                        : str_is(side, "from") ? "does not stand on the from side"
                                               : "does not stand on the to side";
    const struct pairing *pairing = only != NULL ? only : &programme->pairings[0];
    struct str metro = metro_of(call, facts);

    err_set(err, ERR_INVALID_PARAMS,
            "%.*s, of kind %.*s in %.*s, %s of %.*s, whose pairing %.*s is of %.*s and %.*s",
            STR_ARG(facts->id), STR_ARG(kind_of(call, facts)),
            STR_ARG(metro.len > 0 ? metro : STR_LIT("no metro")), where, STR_ARG(programme->id),
            STR_ARG(pairing->id), STR_ARG(side_words(call, &pairing->from)),
            STR_ARG(side_words(call, &pairing->to)));
    err_at(err, "id");
    return ERR_INVALID_PARAMS;
}

static enum err_code
several_fit(struct call *call, const struct programme *programme, const bool *which,
            struct err *err)
{
    err_set(err, ERR_INVALID_PARAMS, "several pairings of %.*s fit: %.*s; name one in `pairing`",
            STR_ARG(programme->id), STR_ARG(pairing_names(call, programme, which)));
    err_at(err, "pairing");
    return ERR_INVALID_PARAMS;
}

/* ---- selecting ---- */

static enum err_code
named_pairing(struct call *call, const struct programme *programme, const struct pairing **out,
              struct err *err)
{
    struct str id = call_str(call, "pairing");

    *out = NULL;
    if (id.len == 0)
        return ERR_OK;
    *out = programme_pairing(programme, id);
    return *out != NULL ? ERR_OK : no_such_pairing(call, programme, id, err);
}

static enum err_code
find_profile(struct call *call, const char *param, const struct facts **facts, uint32_t *row,
             struct err *err)
{
    struct str id = call_str(call, param);

    *row = roster_find(call->view.roster, id);
    *facts = *row != ROSTER_NO_ROW ? roster_facts(call->view.roster, *row) : NULL;
    return *facts != NULL ? ERR_OK : call_no_profile(call, param, id, err);
}

enum err_code
match_select(struct call *call, struct selection *out, struct err *err)
{
    struct str side = call_str(call, "side");
    bool which[PAIRINGS_MAX] = {false};
    const struct pairing *named;
    int n_fitting = 0;
    enum err_code code = call_programme(call, call_str(call, "programme"), &out->programme,
                                        &out->programme_version, err);

    if (code == ERR_OK)
        code = named_pairing(call, out->programme, &named, err);
    if (code == ERR_OK)
        code = find_profile(call, "id", &out->facts, &out->row, err);
    if (code != ERR_OK)
        return code;
    for (int i = 0; i < out->programme->n_pairings; i++) {
        const struct pairing *pairing = &out->programme->pairings[i];
        bool is_mirrored, on_from;

        if ((named != NULL && named != pairing) ||
            !stand(call, pairing, out->facts, side, &is_mirrored, &on_from))
            continue;
        which[i] = true;
        n_fitting++;
        out->pairing = pairing;
        out->is_mirrored = is_mirrored;
        out->on_from = on_from;
    }
    if (n_fitting == 0)
        return fits_nowhere(call, out->programme, out->facts, named, side, err);
    return n_fitting == 1 ? ERR_OK : several_fit(call, out->programme, which, err);
}

enum err_code
match_select_side(struct call *call, struct selection *out, struct err *err)
{
    const struct pairing *named;
    enum err_code code = call_programme(call, call_str(call, "programme"), &out->programme,
                                        &out->programme_version, err);

    if (code == ERR_OK)
        code = named_pairing(call, out->programme, &named, err);
    if (code != ERR_OK)
        return code;
    if (named == NULL && out->programme->n_pairings > 1)
        return several_fit(call, out->programme, NULL, err);
    out->pairing = named != NULL ? named : &out->programme->pairings[0];
    out->is_mirrored = false;
    out->on_from = !str_is(call_str(call, "side"), "to");
    out->facts = NULL;
    out->row = ROSTER_NO_ROW;
    return ERR_OK;
}

enum err_code
match_select_pairing(struct call *call, const struct programme **programme,
                     const struct pairing **out, struct err *err)
{
    enum err_code code = call_programme(call, call_str(call, "programme"), programme, NULL, err);

    if (code == ERR_OK)
        code = named_pairing(call, *programme, out, err);
    if (code != ERR_OK || *out != NULL)
        return code;
    *out = &(*programme)->pairings[0];
    return (*programme)->n_pairings == 1 ? ERR_OK : several_fit(call, *programme, NULL, err);
}

/* The direction in which the pair fits a pairing; with none, the one in which more of it does, so that
 * the explanation can say what is wrong. */
static int
pair_fit(const struct call *call, const struct pairing *pairing, const struct facts *from,
         const struct facts *to, bool *is_mirrored)
{
    int best = -1;

    for (int mirrored = 0; mirrored < (pairing->is_mirrored ? 2 : 1); mirrored++) {
        int n = fits(call, pairing, mirrored != 0, true, from) +
                fits(call, pairing, mirrored != 0, false, to);

        if (n > best) {
            best = n;
            *is_mirrored = mirrored != 0;
        }
    }
    return best;
}

enum err_code
match_select_pair(struct call *call, struct pair_selection *out, struct err *err)
{
    bool which[PAIRINGS_MAX] = {false};
    const struct pairing *named;
    int n_fitting = 0;
    enum err_code code =
        call_programme(call, call_str(call, "programme"), &out->programme, NULL, err);

    if (code == ERR_OK)
        code = named_pairing(call, out->programme, &named, err);
    if (code == ERR_OK)
        code = find_profile(call, "from", &out->from, &out->from_row, err);
    if (code == ERR_OK)
        code = find_profile(call, "to", &out->to, &out->to_row, err);
    if (code != ERR_OK)
        return code;
    if (named != NULL || out->programme->n_pairings == 1) {
        out->pairing = named != NULL ? named : &out->programme->pairings[0];
        pair_fit(call, out->pairing, out->from, out->to, &out->is_mirrored);
        return ERR_OK;
    }
    for (int i = 0; i < out->programme->n_pairings; i++) {
        const struct pairing *pairing = &out->programme->pairings[i];
        bool is_mirrored;

        if (pair_fit(call, pairing, out->from, out->to, &is_mirrored) < 2)
            continue;
        which[i] = true;
        n_fitting++;
        out->pairing = pairing;
        out->is_mirrored = is_mirrored;
    }
    if (n_fitting == 0)
        return fits_nowhere(call, out->programme, out->from, NULL, STR_LIT(""), err);
    return n_fitting == 1 ? ERR_OK : several_fit(call, out->programme, which, err);
}
