#ifndef JML_MATCH_SELECT_H
#define JML_MATCH_SELECT_H

#include "call.h"
#include "match.h"
#include "programme.h"

/*
 * match_select: which pairing of a programme is meant, in which direction, and where a profile stands.
 *
 * It follows from the profile's kind and metro. One that fits both sides of a pairing stands on the from
 * side unless the request says otherwise; several pairings that fit and none named is an error that
 * names them, as is none that fits. In the call's arena.
 */
struct selection {
    const struct programme *programme;
    uint64_t programme_version;
    const struct pairing *pairing;
    bool is_mirrored, on_from;
    const struct facts *facts; /* of the profile */
    uint32_t row;
};

/* For match.top and match.whatif: parameters programme, pairing?, side?, id. */
enum err_code match_select(struct call *call, struct selection *out, struct err *err);
/* For match.watch without an id: parameters programme, pairing?, side?. No profile; is_mirrored is false. */
enum err_code match_select_side(struct call *call, struct selection *out, struct err *err);
/* For match.each: parameters programme, pairing?. Several and none named is an error that names them. */
enum err_code match_select_pairing(struct call *call, const struct programme **programme,
                                   const struct pairing **out, struct err *err);
/* For match.explain: parameters programme, pairing?, from, to. */
struct pair_selection {
    const struct programme *programme;
    const struct pairing *pairing;
    bool is_mirrored;
    const struct facts *from, *to;
    uint32_t from_row, to_row;
};
enum err_code match_select_pair(struct call *call, struct pair_selection *out, struct err *err);

/* ---- what the handlers of matches share (handle_match.c) ---- */
/* On the day that the call names, in its arena; scope may be NULL. */
enum err_code match_make_plan(struct call *call, const struct pairing *pairing, bool is_mirrored,
                              struct symbol_scope *scope, struct match_plan **out, struct err *err);
/* A search says only that it was cancelled: whether by the asker or by the clock. */
enum err_code match_told_why(struct call *call, enum err_code code, struct err *err);
/* match_top with the call's k; ends when the asker or the clock says so. */
enum err_code match_run_query(struct call *call, const struct match_plan *plan,
                              const struct facts *viewer, uint32_t row, bool on_from,
                              int32_t min_score, struct match_list *out, struct err *err);
void match_pack_day(struct call *call); /* "day" */
void match_pack_list(struct call *call, const struct match_list *list);

#endif
