#ifndef JML_TEST_NAIVE_H
#define JML_TEST_NAIVE_H

#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * naive: the scoring page (client/doc/en/scoring.md) written a second time, as plainly as it goes.
 *
 * Profiles and pairings are trees, values are strings, every answer is counted out and every ranking
 * is a full sort; nothing of engine/score is used. Its orders and rates are those of world.h. Slow on
 * purpose. Pure; one thread; trees of the form that world_put takes.
 */
enum { NAIVE_WANTS_MAX = 64, NAIVE_FROM = 0, NAIVE_TO = 1 };

struct naive_outcome {
    struct str from, to;
    int32_t day;
    bool is_positive;
};

struct naive {
    const msgpack_object *const *profiles;
    size_t n_profiles;
    const struct naive_outcome *outcomes;
    size_t n_outcomes;
    const msgpack_object *pairing;
    bool is_mirrored;
    int32_t day;
};

struct naive_want {
    bool is_known;
    int64_t quality, points, share;
};
struct naive_score {
    int64_t score, views[2], coverage;
    struct naive_want wants[2][NAIVE_WANTS_MAX];
    size_t n_wants[2];
};
void naive_score(const struct naive *naive, const msgpack_object *from, const msgpack_object *to,
                 struct naive_score *out);

/* All rules that forbid the pair, one bit each; the lowest is the first. 0: eligible. */
enum {
    NAIVE_SELF = 1,
    NAIVE_SIDE = 2,
    NAIVE_CONFLICT = 4,
    NAIVE_CONSENT = 8,
    NAIVE_LAPSED = 16,
    NAIVE_PAUSED = 32,
    NAIVE_REQUIREMENT = 64 /* shifted by the requirement's index */
};
uint64_t naive_rules(const struct naive *naive, const msgpack_object *from,
                     const msgpack_object *to);

struct naive_hit {
    const msgpack_object *profile;
    int64_t score;
};
struct naive_list {
    struct naive_hit *hits; /* room for n_profiles, the caller's */
    size_t n;
    uint64_t considered, eligible;
};
void naive_top(const struct naive *naive, const msgpack_object *viewer, bool on_from, size_t k,
               int64_t min_score, struct naive_list *out);

struct str naive_id(const msgpack_object *profile);
int64_t naive_cell(int64_t x);

#endif
