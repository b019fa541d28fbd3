#ifndef JML_MATCH_H
#define JML_MATCH_H

#include "arena.h"
#include "err.h"
#include "facts.h"
#include "programme.h"
#include "roster.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * match: the exact scorer: one pairing, one direction, one day.
 *
 * Integers only, no clock, no order but score and id. match_pair_score and match_top_plain are the
 * definition, pair by pair; match_top and match_batch search the roster's columns and give the very
 * same bytes. Read-only in everything it is given; scratch in the arena; any number of
 * threads at the same time, each with its own arena.
 */
struct match_context { /* what a pairing is applied to */
    const struct pairing *pairing;
    bool is_mirrored; /* the two metros exchanged */
    const struct roster *roster;
    const struct reference *reference;
    const struct symbols *symbols;
    struct symbol_scope
        *scope; /* what a what-if's facts were built with; NULL: the plan makes one */
    int32_t day;
    const struct kernel *kernel; /* of searches (kernel.h); NULL: the best of this processor */
};

/* A pairing made ready: constants as slots, fields resolved. In the arena, which must outlive it as
 * must the context's parts. ERR_INVALID_PARAMS with the path of a want or requirement that compares
 * what can't be compared (programme_decode says so earlier and better), or of type `model`. */
struct match_plan;
enum err_code match_plan_make(const struct match_context *context, struct arena *arena,
                              struct match_plan **out, struct err *err);

/* The same with other weights, or without some wants and requirements: all of `pairing` stand, by id and in the same order, in the pairing
 * that `plan` was made of, so that nothing is resolved anew. `plan` must outlive it. */
enum err_code match_plan_vary(const struct match_plan *plan, const struct pairing *pairing,
                              struct arena *arena, struct match_plan **out, struct err *err);

/* Which rule forbids, in the order tested. */
enum rule {
    RULE_NONE,
    RULE_SELF,           /* a profile with itself */
    RULE_SIDE,           /* kind or metro is not that of the side */
    RULE_CONFLICT,       /* either lists the other, or the other's organisation */
    RULE_CONSENT,        /* no consent to be matched */
    RULE_CONSENT_LAPSED, /* consent.until is past */
    RULE_PAUSED,
    RULE_REQUIREMENT /* a `require` of the pairing; requirement says which */
};
const char *rule_name(enum rule rule); /* "consent_lapsed" */

/* Does the profile stand on that side, in the plan's direction? */
bool match_stands(const struct match_plan *plan, bool on_from, const struct facts *facts);
/* All profiles that stand on that side, in no order; `take` is called with each. How many they are. */
uint64_t match_visit_side(const struct match_plan *plan, bool on_from,
                          void (*take)(void *context, const struct facts *facts, uint32_t row),
                          void *context);
/* One side's own rules: may this profile be matched at all on this day? RULE_NONE if so. */
enum rule match_profile_rule(const struct match_plan *plan, const struct facts *facts);
/* First failing rule of the pair; *requirement is its index for RULE_REQUIREMENT. */
enum rule match_pair_rule(const struct match_plan *plan, const struct facts *from,
                          const struct facts *to, int *requirement);

struct match_score {
    int32_t score, from_view, to_view, coverage; /* basis points */
};
/* What its score reads of the pair's texts is at hand from here on; fails as facts_need_text. */
enum err_code match_need_texts(const struct match_plan *plan, const struct facts *from,
                               const struct facts *to, struct err *err);
/* Whatever the rules say: the score of the pair. Rows are needed for the track record; texts are at hand. */
void match_pair_score(const struct match_plan *plan, const struct facts *from, uint32_t from_row,
                      const struct facts *to, uint32_t to_row, struct match_score *out);

struct match_hit {
    uint32_t row;
    struct match_score score;
};
struct match_list {
    struct match_hit *hits; /* best first; equal scores by id */
    size_t n;
    uint64_t considered, eligible;
    uint8_t n_passes; /* 2: a guess of the k-th best was too high, and all was searched once more */
};
/* The first k counterparts of `viewer` (whose facts need not be the roster's own: a what-if).
 * `row` is its row, or ROSTER_NO_ROW. on_from: the viewer stands on the from side.
 * is_cancelled may be NULL; asked every few thousand candidates: true ends with ERR_CANCELLED. */
struct match_query {
    const struct facts *viewer;
    uint32_t row;
    bool on_from;
    size_t k;          /* 1..1000 */
    int32_t min_score; /* 0..10000 */
    bool (*is_cancelled)(void *context);
    void *cancel_context;
};
enum err_code match_top(const struct match_plan *plan, const struct match_query *query,
                        struct arena *arena, struct match_list *out, struct err *err);
/* The same, candidate by candidate over the whole roster: what match_top is held to. */
enum err_code match_top_plain(const struct match_plan *plan, const struct match_query *query,
                              struct arena *arena, struct match_list *out, struct err *err);
/*
 * One column of the matrix: every eligible counterpart of the query's viewer, in no order, with the score of
 * the pair, if it is at least what `leasts` says for that counterpart, and the query's min_score. query.k is
 * not read. Of a counterpart that has been told `leasts` may change.
 */
struct match_sweep {
    const uint16_t *leasts; /* of every row of the roster; 0: any; above 10000: never */
    void (*tell)(void *context, uint32_t row, int32_t score);
    void *context;
};
enum err_code match_sweep(const struct match_plan *plan, const struct match_query *query,
                          const struct match_sweep *sweep, struct arena *arena, struct err *err);
/*
 * match_top for each of n queries, in one pass: a piece of the columns that fits the processor's cache
 * meets all queries of a tile before the next piece comes, and queries of one value share what is
 * worked out for it. All on one side (on_from), each viewer the roster's own facts of its row.
 * is_cancelled of the first query is asked between pieces. Lists lie in the arena. Queries are
 * independent of each other: threads that each take some of them give the same lists.
 */
enum err_code match_batch(const struct match_plan *plan, const struct match_query *queries,
                          size_t n, struct arena *arena, struct match_list *lists, struct err *err);

/* ---- explanation ---- */

struct want_reason {
    const struct want *want;
    int32_t quality, points; /* quality as it entered the curve */
    int32_t share;           /* basis points of the view score; the shares sum to it */
    bool is_known;
    bool of_missing, by_missing;
    bool is_confidential; /* one of the two values is */
    /* evidence, by type */
    symbol *shared; /* codes of the viewer also at the counterpart (any, cover, overlap, same) */
    size_t n_shared;
    symbol *near; /* overlap: codes of the viewer that share only the group */
    size_t n_near;
    symbol *unmet; /* codes of the viewer that the counterpart lacks */
    size_t n_unmet;
    int32_t distance;                            /* stage */
    int64_t of_min, of_max, by_min, by_max;      /* range: dollars or numbers; at_least: numbers */
    int32_t period_from, period_to, period_days; /* the days in common; DATE_OPEN_… where open */
    int64_t record_count;
    symbol record_code;
};
struct failed_rule {
    enum rule rule;
    const struct requirement *requirement; /* for RULE_REQUIREMENT */
    const struct facts *subject;           /* the profile that fails; NULL where both do */
    bool is_missing, is_confidential;
    const struct slot *of, *by; /* the values that failed it */
};
struct explanation {
    bool is_eligible;
    struct failed_rule *failed;
    size_t n_failed;
    struct match_score score;
    struct want_reason *from_reasons, *to_reasons; /* in file order */
    size_t n_from, n_to;
};
/* Everything there is to say of a pair: every failing rule, every want. In the arena. */
enum err_code match_explain(const struct match_plan *plan, const struct facts *from,
                            uint32_t from_row, const struct facts *to, uint32_t to_row,
                            struct arena *arena, struct explanation *out, struct err *err);

/* The text of a symbol that an explanation names, constants of the programme included. */
struct str match_symbol_text(const struct match_plan *plan, symbol s);
/* Numbers of the slot's money in dollars on the plan's day; false without a rate. */
bool match_money_usd(const struct match_plan *plan, const struct slot_money *money,
                     int64_t *min_usd, int64_t *max_usd);

#endif
