#ifndef JML_STANDING_H
#define JML_STANDING_H

#include "match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * standing: the best lists of all profiles of one side, or of one profile, kept as profiles change.
 *
 * At any moment the first k of each list are what match_top answers on the same roster and day with
 * the same k and min_score: held to that by tests/property. One changed profile costs its own list and one
 * match_sweep, not the matrix.
 *
 * A list keeps more than the k that are shown: a reserve, as for top-k views in Yi, Yu, Yang, Xia and
 * Chen, "Efficient maintenance of materialized top-k views" (ICDE 2003). Of what is not kept it is known
 * only that it stands behind every entry that is, and scores at most `floor`. So an entry that leaves is
 * replaced from the reserve, and the list is searched anew only when that has run out.
 *
 *     rank   1 … k  k+1 … room │ not kept
 *            shown    reserve  │ at most `floor`
 *
 * What a change can touch: the pairs of the profile itself; and, where a want asks for a track record, those
 * of the other parties of its positive outcomes, since a record counts what these are now. An outcome
 * touches the records of its two parties, and nothing else.
 *
 * Memory of a list: 20 bytes and 9 * (k + max(8, k)), in pages of 256 lists; and 6 bytes for each row of the
 * roster. Pure; one thread at a time, but for standing_fill. Holds its roster.
 */
struct standing;

struct standing_spec {
    bool on_from;      /* those whose lists these are stand on the from side */
    size_t k;          /* 1..1000 */
    int32_t min_score; /* 0..10000 */
    struct str
        only; /* the id of the one profile whose list is kept; empty: all of the side. Copied */
    size_t bytes_max; /* of all lists; over it ERR_TOO_LARGE */
};

/* The pairing on the roster at hand. Those that stand on the side of `other` have their list there (the
 * pairing's other direction): they have none here. */
struct standing_plans {
    const struct match_plan *plan;
    const struct match_plan *other; /* NULL: there is none */
};

/* A place among the first k that is another than before. */
enum standing_change { STANDING_LEFT, STANDING_ENTERED, STANDING_MOVED };
const char *standing_change_name(enum standing_change change); /* "left" */
struct standing_event {
    enum standing_change change;
    struct str id, other;     /* whose list; who is on it. Borrowed for the time of the telling */
    uint32_t rank, before;    /* from 1; 0: not on the list */
    int32_t score, old_score; /* 0 where it is not on the list */
};
/* In order of id; of one list first those that left, then the others by rank. */
struct standing_teller {
    void (*tell)(void *context, const struct standing_event *event);
    void *context;
};

struct standing_stop { /* may it go on? asked between steps of long work; is_asked NULL: yes */
    bool (*is_asked)(void *context);
    void *context;
};

/* All lists laid out and empty: standing_fill makes them right. */
enum err_code standing_create(const struct standing_spec *spec, const struct standing_plans *plans,
                              struct standing **out, struct err *err);
void standing_destroy(struct standing *standing); /* NULL is fine */
/* Searches the lists `first` to `first + n - 1`, of standing_n_places. Several threads at the same time where
 * their lists are different ones; the outcome does not depend on who searched what. */
enum err_code standing_fill(struct standing *standing, const struct standing_plans *plans,
                            size_t first, size_t n, const struct standing_stop *stop,
                            struct err *err);

/*
 * The lists as they are on the next roster, the plans' own, and on the same day, the same programme and
 * tables; rows mean the same in both. `rows`: of the profiles that were put or deleted since, in any
 * order, repeats allowed; `parties`: of those that a new outcome names. May name more than have changed.
 * *is_too_much: so many pairs are touched that a new standing is the cheaper way; nothing was done.
 * After an error the standing is of no use any more but for standing_destroy.
 */
struct standing_changes {
    const uint32_t *rows, *parties;
    size_t n_rows, n_parties;
};
enum err_code standing_update(struct standing *standing, const struct standing_plans *plans,
                              const struct standing_changes *changes,
                              const struct standing_teller *teller,
                              const struct standing_stop *stop, bool *is_too_much, struct err *err);
/* What is other in `next` than in `standing`, both of one spec; rows need not mean the same. */
enum err_code standing_compare(const struct standing *standing, const struct standing *next,
                               const struct standing_teller *teller, struct err *err);

/* ---- looking ---- */

struct standing_list {
    struct str id; /* whose it is */
    const uint32_t *rows;
    const int32_t *scores;
    size_t n; /* at most k */
};
size_t standing_n_places(const struct standing *standing); /* lists, and places without one */
size_t standing_n_lists(const struct standing *standing);
size_t standing_bytes(const struct standing *standing);
const struct roster *standing_roster(const struct standing *standing);
/* False: no list there. */
bool standing_look(const struct standing *standing, size_t place, struct standing_list *out);
/* The list of one profile; false: it has none (it may not be matched, or stands elsewhere). */
bool standing_find(const struct standing *standing, struct str id, struct standing_list *out);

struct standing_counts {
    uint64_t updates, sweeps, searches; /* searches: of one list anew */
};
struct standing_counts standing_counts(const struct standing *standing);

#endif
