#ifndef JML_LENS_H
#define JML_LENS_H

#include "arena.h"
#include "columns.h"
#include "kernel.h"
#include "plan.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * lens: a pairing as one side sees it, over one table of the other side.
 *
 * Whatever a want compares, seen from one profile it is a function of one column of the candidates: a
 * row of points by dictionary code. So every type of want, curve and weight costs the same. Rows are
 * filled as codes are met. Many searches through one lens share the rows of those that hold the same
 * value. The *looker* is the profile that searches; a *candidate* is a profile of the table.
 *
 * In an arena; one thread. Private to score/.
 */
enum {
    LENS_ROW_CODES = 4096
}; /* of larger dictionaries no rows are kept: values are judged anew */

enum lens_kind {
    LENS_FIXED,            /* the candidate's value does not matter: a constant stands for it */
    LENS_COLUMN,           /* points by the code of a column */
    LENS_TEXT,             /* text vectors or embeddings of the two */
    LENS_CANDIDATE_RECORD, /* the looker's want of a candidate's track record */
    LENS_LOOKER_RECORD     /* a candidate's want of the looker's: a column where there is none */
};

struct looker_cells { /* its money or number, where cells are compared */
    bool are_known;
    struct cell_range cells;
};

struct points_row { /* of one want and one value of the looker */
    const struct slot *value;
    struct looker_cells range;
    uint16_t *points; /* by code; one more than they are, 0: not yet known. NULL: none are kept */
    int32_t most;     /* of all codes, once lens_row_most was asked; else -1 */
    bool is_missing;  /* then the points are those of code 0 at every candidate */
};

struct lens_want {
    const struct plan_want *want;
    enum lens_kind kind;
    int view;        /* PLAN_FROM, PLAN_TO: whose want it is */
    bool is_lookers; /* then the candidate's value is `by`, else `of` */
    int32_t weight;
    int32_t most; /* points at most, whatever the quality */
    enum column_id column;
    const struct dictionary *dictionary; /* NULL: missing at all candidates */
    uint32_t n_codes;
    struct points_row **shared; /* by the looker's code in its own table, below n_shared */
    uint32_t n_shared;
};

struct holds_row { /* of one requirement and one value of the looker */
    const struct slot *value;
    struct looker_cells range;
    bool is_alike; /* the looker has no value: every candidate has the verdict of code 0 */
    bool has_days; /* `from` and `to` are the looker's period as spans number days */
    int16_t from, to;
    uint8_t *holds; /* by code: 1 where it holds. NULL: there are too many codes, or other means */
    uint64_t *all;  /* of a shared row: what it says of every block that was read; or NULL */
    uint64_t *are_read; /* a bit a block */
    uint32_t
        *planes; /* of a rule that holds where sets meet: those of the looker's codes; or NULL */
    uint32_t n_planes;
    _Alignas(64) uint8_t table[KERNEL_CODES]; /* small dictionaries: holds, for the kernels */
};

struct lens_rule {
    const struct plan_requirement *requirement;
    bool is_fixed;   /* a constant stands on the candidates' side */
    bool has_planes; /* any, within over a column with planes */
    bool has_cells;  /* meets over a column of cells (span.h) */
    bool has_days;   /* overlaps over a column of periods */
    enum column_id column;
    const struct dictionary *dictionary;
    uint32_t n_codes;
    struct holds_row **shared; /* likewise */
    uint32_t n_shared;
};

struct lens {
    const struct match_plan *plan;
    const struct table *table;
    const struct table *lookers; /* table of the lookers, whose rows are shared; NULL: not shared */
    int side;                    /* PLAN_FROM, PLAN_TO: where the looker stands */
    uint32_t stride;             /* from block to block, as lens_visit goes */
    struct lens_want *wants;
    size_t n_wants;
    struct lens_rule *rules;
    size_t n_rules;
    struct lens_rule consent_rule; /* may a candidate be matched at all, on the day? */
    struct holds_row consent;
    struct arena *arena; /* of the rows */
};

/* Rows go into `rows`, everything else into `arena`; they may be the same. lookers: the table that those
 * who will look stand in, whose rows are then shared; or NULL. ERR_BUSY if memory ends. */
enum err_code lens_make(const struct match_plan *plan, int side, const struct table *table,
                        const struct table *lookers, struct arena *arena, struct arena *rows,
                        struct lens **out, struct err *err);
/* Forgets all shared rows; their arena is the caller's to empty. */
void lens_forget(struct lens *lens);

/* The block to visit as the at-th. Any few that are visited one after the other lie evenly among all, so that they
 * are a fair sample, in whatever order profiles came. */
static inline uint32_t
lens_visit(const struct lens *lens, uint32_t at)
{
    return (uint32_t)((uint64_t)at * lens->stride % lens->table->n_blocks);
}

/* The row for a looker; `block` and `place` are where it stands in the lens's `lookers`, or NULL. NULL if
 * memory ends. */
struct points_row *lens_points_row(struct lens *lens, size_t want, const struct facts *looker,
                                   const struct block *block, uint32_t place);
struct holds_row *lens_holds_row(struct lens *lens, size_t rule, const struct facts *looker,
                                 const struct block *block, uint32_t place);
/* The looker's conflicts with organisations: 1 where there is none. NULL if memory ends. */
struct holds_row *lens_organisation_row(struct lens *lens, const struct facts *looker);

int32_t lens_points_make(const struct lens *lens, const struct lens_want *want,
                         struct points_row *row, uint32_t code);
/* 0..10000 */
static inline int32_t
lens_points(const struct lens *lens, const struct lens_want *want, struct points_row *row,
            uint32_t code)
{
    int32_t points = row->points != NULL ? row->points[code] : 0;

    return points != 0 ? points - 1 : lens_points_make(lens, want, row, code);
}

/* The most points of any code of a small dictionary. */
int32_t lens_row_most(const struct lens *lens, const struct lens_want *want,
                      struct points_row *row);

bool lens_holds_make(const struct lens *lens, const struct lens_rule *rule,
                     const struct holds_row *row, uint32_t code);
static inline bool
lens_holds(const struct lens *lens, const struct lens_rule *rule, const struct holds_row *row,
           uint32_t code)
{
    return row->holds != NULL ? row->holds[code] != 0 : lens_holds_make(lens, rule, row, code);
}

/* Fewer codes than a kernel's tables hold: the column is of bytes. */
static inline bool
lens_is_small(uint32_t n_codes)
{
    return n_codes <= KERNEL_CODES;
}

#endif
