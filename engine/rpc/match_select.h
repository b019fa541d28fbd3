#ifndef JML_MATCH_SELECT_H
#define JML_MATCH_SELECT_H

#include "call.h"
#include "programme.h"

/*
 * match_select: which pairing of a programme is meant, in which direction, and where a profile stands.
 *
 * It follows from the profile's kind and metro. One that fits both sides of a pairing stands on the from
 * side unless the request says otherwise; several pairings that fit and none named is an error that
 * names them, as is none that fits. In the call's arena.
 */
struct selection {
    struct programme *programme;
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
/* For match.explain: parameters programme, pairing?, from, to. */
struct pair_selection {
    struct programme *programme;
    const struct pairing *pairing;
    bool is_mirrored;
    const struct facts *from, *to;
    uint32_t from_row, to_row;
};
enum err_code match_select_pair(struct call *call, struct pair_selection *out, struct err *err);

#endif
