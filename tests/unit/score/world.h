#ifndef JML_TEST_WORLD_H
#define JML_TEST_WORLD_H

#include "match.h"
#include "roster.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * world: a small world to score in: tables of its own, profiles and programmes from JSON.
 *
 * Profiles are given in the stored form, `confidential` inside, and are not checked. Two things
 * differ from a stored profile: `embedding` is a list of numbers, and `terms` is the text vector, term
 * and weight by turns: [7, 30, 9, 40]. Whatever fails ends the test. One thread.
 *
 * Codes: sectors health(.bio .care .med) food(.agri .retail) energy; needs space(.desk .lab) legal
 * funding; stages idea 1 proto 2 seed 4 growth 8, self without order; metros paris silicon-valley
 * berlin; kinds startup incubator investor; USD, EUR (1.10 from 2020, 1.20 from 2025), JPY without
 * a rate.
 */
struct world {
    bool
        leaves_texts; /* every second profile that is put leaves its text with a keeper (facts.h) */
    struct left_texts *texts;
    struct arena *arena;
    struct reference *reference;
    struct symbols *symbols;
    struct roster_edit *edit; /* what world_put fills, until world_publish */
    struct roster *roster;
};

void world_open(struct world *world);
void world_close(struct world *world);

int32_t day_of(const char *text); /* YYYY-MM-DD */
const msgpack_object *world_json(struct world *world, const char *json);

/* One reference, the caller's. With a scope the codes are interned there. */
struct facts *world_facts(struct world *world, struct symbol_scope *scope, const char *json);
enum err_code world_try_facts(struct world *world, struct symbol_scope *scope, const char *json,
                              struct facts **out, struct err *err);

void world_put(struct world *world, const char *json);
void world_delete(struct world *world, const char *id);
void world_outcome(struct world *world, const char *from, const char *to, const char *day,
                   bool is_positive);
void world_publish(struct world *world); /* the world's roster is the next one now */
uint32_t world_row(const struct world *world, const char *id); /* must be there */

/* The plan of the first pairing, {"from": …, "to": …}, of a programme of one; id and the rest of the
 * programme are added. */
struct match_plan *world_plan(struct world *world, const char *pairing, bool is_mirrored,
                              const char *day, struct symbol_scope *scope);
const struct programme *world_programme(struct world *world, const char *pairing);

/* Everything about two profiles of the roster. */
void world_explain(struct world *world, const struct match_plan *plan, const char *from,
                   const char *to, struct explanation *out);
bool text_is(const struct match_plan *plan, symbol s, const char *text);

#endif
