#include "lens.h"

#include "code_set.h"
#include "curve.h"
#include "requirement.h"
#include "span.h"
#include "view.h"

#include <string.h>

static const struct slot missing_slot = {.state = SLOT_MISSING};

static uint32_t
codes_in(const struct dictionary *dictionary)
{
    return dictionary != NULL ? dictionary_count(dictionary) : 1;
}

/* ---- making ---- */

static const struct plan_operand *
candidate_operand(const struct plan_want *want, bool is_lookers)
{
    return is_lookers ? &want->by : &want->of;
}

static const struct plan_operand *
looker_operand(const struct plan_want *want, bool is_lookers)
{
    return is_lookers ? &want->of : &want->by;
}

static enum lens_kind
kind_of(const struct plan_want *want, bool is_lookers)
{
    if (want->want->type == WANT_TEXT)
        return LENS_TEXT;
    if (want->want->type == WANT_RECORD)
        return is_lookers ? LENS_CANDIDATE_RECORD : LENS_LOOKER_RECORD;
    return candidate_operand(want, is_lookers)->kind == OPERAND_FIELD ? LENS_COLUMN : LENS_FIXED;
}

/* How many values lookers may hold in a column of their own table. */
static uint32_t
looker_codes(const struct lens *lens, const struct plan_operand *operand)
{
    if (operand->kind != OPERAND_FIELD)
        return 1;
    return codes_in(table_dictionary(lens->lookers, (enum column_id)operand->field));
}

static bool
want_look(struct lens *lens, const struct plan_want *want, int view, struct arena *arena,
          struct lens_want *out)
{
    bool is_lookers = view == lens->side;
    const struct plan_operand *candidate = candidate_operand(want, is_lookers);

    *out = (struct lens_want){.want = want,
                              .kind = kind_of(want, is_lookers),
                              .view = view,
                              .is_lookers = is_lookers,
                              .weight = want->want->weight,
                              .most = curve_most(want->want->curve, want->want->n_knots, SCORE_MAX),
                              .n_codes = 1};
    if (out->kind == LENS_COLUMN || out->kind == LENS_LOOKER_RECORD) {
        out->column = (enum column_id)candidate->field;
        out->dictionary = table_dictionary(lens->table, out->column);
        out->n_codes = codes_in(out->dictionary);
    }
    if (lens->lookers == NULL || out->kind == LENS_TEXT)
        return true;
    out->n_shared = looker_codes(lens, looker_operand(want, is_lookers));
    out->shared = arena_alloc(arena, out->n_shared, sizeof(struct points_row *));
    return out->shared != NULL;
}

static const struct plan_operand *
rule_operand(const struct lens *lens, const struct plan_requirement *requirement, bool of_looker)
{
    return (lens->side == PLAN_FROM) == of_looker ? &requirement->of : &requirement->by;
}

/* Does it hold exactly where the two sets share a code? */
static bool
rule_meets(const struct plan_requirement *requirement)
{
    return requirement->requirement->type == REQUIRE_ANY ||
           requirement->requirement->type == REQUIRE_WITHIN;
}

static bool
rule_look(struct lens *lens, const struct plan_requirement *requirement, struct arena *arena,
          struct lens_rule *out)
{
    const struct plan_operand *candidate = rule_operand(lens, requirement, false);

    *out = (struct lens_rule){
        .requirement = requirement, .is_fixed = candidate->kind != OPERAND_FIELD, .n_codes = 1};
    if (!out->is_fixed) {
        out->column = (enum column_id)candidate->field;
        out->dictionary = table_dictionary(lens->table, out->column);
        out->n_codes = codes_in(out->dictionary);
        out->has_planes = rule_meets(requirement) && column_planes(out->column) != PLANE_SETS &&
                          table_has_planes(lens->table, column_planes(out->column));
        out->has_cells = requirement->requirement->type == REQUIRE_MEETS && span_has(out->column);
        out->has_days = requirement->requirement->type == REQUIRE_OVERLAPS && span_has(out->column);
    }
    if (lens->lookers == NULL)
        return true;
    out->n_shared = looker_codes(lens, rule_operand(lens, requirement, true));
    out->shared = arena_alloc(arena, out->n_shared, sizeof(struct holds_row *));
    return out->shared != NULL;
}

/* Lookers hold so few values that one is met again before long. */
enum { KEPT_VALUES = 1024 };

/* Room for what a shared row says of each block: the next looker of its value finds it there. */
static bool
holds_keep(const struct lens *lens, struct arena *arena, struct holds_row *row)
{
    size_t n_blocks = lens->table->n_blocks;

    row->all = arena_alloc(arena, n_blocks * BLOCK_WORDS, sizeof *row->all);
    row->are_read = arena_alloc(arena, n_blocks / 64 + 1, sizeof *row->are_read);
    return row->all != NULL && row->are_read != NULL;
}

static bool
consent_look(struct lens *lens, struct arena *arena)
{
    const struct dictionary *dictionary = table_dictionary(lens->table, COLUMN_CONSENT);
    struct lens_rule *rule = &lens->consent_rule;
    struct holds_row *row = &lens->consent;

    *rule = (struct lens_rule){
        .column = COLUMN_CONSENT, .dictionary = dictionary, .n_codes = codes_in(dictionary)};
    row->holds = arena_alloc(arena, rule->n_codes, 1);
    if (row->holds == NULL)
        return false;
    for (uint32_t code = 1; code < rule->n_codes; code++)
        row->holds[code] =
            columns_consent_allows(dictionary_slot(dictionary, code)->number, lens->plan->day);
    if (lens_is_small(rule->n_codes))
        memcpy(row->table, row->holds, rule->n_codes);
    return lens->lookers == NULL || holds_keep(lens, arena, row);
}

/* Near the golden section of n, so that visits lie evenly (Fibonacci hashing; Knuth, vol. 3, 6.4), and prime to it, so
 * that each block is met. */
static uint32_t
stride_for(uint32_t n)
{
    uint32_t stride = (uint32_t)((uint64_t)n * 618 / 1000);
    uint32_t divisor;

    do {
        uint32_t a = n, b = ++stride;

        while (b != 0) { /* Euclid */
            uint32_t rest = a % b;

            a = b;
            b = rest;
        }
        divisor = a;
    } while (divisor > 1);
    return stride;
}

enum err_code
lens_make(const struct match_plan *plan, int side, const struct table *table,
          const struct table *lookers, struct arena *arena, struct arena *rows, struct lens **out,
          struct err *err)
{
    size_t n_wants = (size_t)(plan->views[PLAN_FROM].n_wants + plan->views[PLAN_TO].n_wants);
    size_t n_rules = (size_t)plan->n_requirements;
    struct lens *lens = arena_alloc_wide(arena, 1, sizeof *lens);

    if (lens == NULL)
        return err_no_memory(err);
    lens->plan = plan;
    lens->table = table;
    lens->lookers = lookers;
    lens->side = side;
    lens->stride = stride_for(table->n_blocks);
    lens->arena = rows;
    lens->wants = arena_alloc(arena, n_wants, sizeof *lens->wants);
    lens->rules = arena_alloc(arena, n_rules, sizeof *lens->rules);
    if (lens->wants == NULL || lens->rules == NULL || !consent_look(lens, arena))
        return err_no_memory(err);
    for (int view = 0; view < PLAN_SIDES; view++)
        for (int i = 0; i < plan->views[view].n_wants; i++)
            if (!want_look(lens, &plan->views[view].wants[i], view, arena,
                           &lens->wants[lens->n_wants++]))
                return err_no_memory(err);
    for (size_t i = 0; i < n_rules; i++)
        if (!rule_look(lens, &plan->requirements[i], arena, &lens->rules[lens->n_rules++]))
            return err_no_memory(err);
    *out = lens;
    return ERR_OK;
}

void
lens_forget(struct lens *lens)
{
    for (size_t i = 0; i < lens->n_wants; i++)
        if (lens->wants[i].shared != NULL)
            memset(lens->wants[i].shared, 0, lens->wants[i].n_shared * sizeof(struct points_row *));
    for (size_t i = 0; i < lens->n_rules; i++)
        if (lens->rules[i].shared != NULL)
            memset(lens->rules[i].shared, 0, lens->rules[i].n_shared * sizeof(struct holds_row *));
}

/* ---- cells ---- */

static struct looker_cells
looker_cells(const struct lens *lens, const struct plan_operand *operand, const struct slot *value)
{
    struct looker_cells range = {0};
    int64_t min, max;

    if (operand->type != SLOT_MONEY && operand->type != SLOT_NUMBER)
        return range;
    range.are_known = plan_range(lens->plan, operand, value, &min, &max);
    if (range.are_known)
        range.cells = cell_range_of(min, max);
    return range;
}

/* The cells of a candidate's money; false without a rate on the day. */
static bool
money_cells(const struct lens *lens, const struct dictionary *dictionary, uint32_t code,
            struct cell_range *out)
{
    const struct slot *slot;
    int64_t rate_ppm;

    if (dictionary == NULL || code == DICTIONARY_MISSING)
        return false;
    slot = dictionary_slot(dictionary, code);
    if (slot->money.currency < 0 ||
        !rates_find(lens->plan->rates, slot->money.currency, lens->plan->day, &rate_ppm))
        return false;
    *out = dictionary_cells(dictionary, code, rate_ppm);
    return true;
}

/* ---- rows ---- */

/* The looker's own code, by which lookers of one value share a row. */
static uint32_t
shared_at(const struct plan_operand *operand, const struct block *block, uint32_t place)
{
    return operand->kind == OPERAND_FIELD ? column_code(&block->columns[operand->field], place) : 0;
}

struct points_row *
lens_points_row(struct lens *lens, size_t want_at, const struct facts *looker,
                const struct block *block, uint32_t place)
{
    struct lens_want *want = &lens->wants[want_at];
    const struct plan_operand *operand = looker_operand(want->want, want->is_lookers);
    struct points_row **shared = NULL, *row;

    if (want->shared != NULL && block != NULL)
        shared = &want->shared[shared_at(operand, block, place)];
    if (shared != NULL && *shared != NULL)
        return *shared;
    row = arena_alloc(lens->arena, 1, sizeof *row);
    if (row == NULL)
        return NULL;
    row->value = plan_slot(operand, looker);
    row->range = looker_cells(lens, operand, row->value);
    row->most = -1;
    if (want->n_codes <= LENS_ROW_CODES) {
        row->points = arena_alloc(lens->arena, want->n_codes, sizeof *row->points);
        if (row->points == NULL)
            return NULL;
    }
    row->is_missing = want->kind == LENS_COLUMN && row->value->state == SLOT_MISSING;
    if (shared != NULL)
        *shared = row;
    return row;
}

/* A range of money, by the cells that its dictionary keeps; false: not of that kind, or nothing known. */
static bool
money_points(const struct lens *lens, const struct lens_want *want, const struct points_row *row,
             uint32_t code, int32_t *points)
{
    const struct want *how = want->want->want;
    struct cell_range cells;
    int32_t quality;

    if (how->type != WANT_RANGE || column_type(want->column) != SLOT_MONEY ||
        !row->range.are_known || !money_cells(lens, want->dictionary, code, &cells))
        return false;
    quality = want->is_lookers ? range_quality(row->range.cells, cells)
                               : range_quality(cells, row->range.cells);
    *points = curve_points(how->curve, how->n_knots, quality);
    return true;
}

static int32_t
value_points(const struct lens *lens, const struct lens_want *want, const struct points_row *row,
             uint32_t code)
{
    const struct slot *candidate = &missing_slot;

    if (want->kind == LENS_FIXED)
        candidate = &candidate_operand(want->want, want->is_lookers)->constant;
    else if (want->dictionary != NULL)
        candidate = dictionary_slot(want->dictionary, code);
    return want_points(lens->plan, want->want, want->is_lookers ? row->value : candidate,
                       want->is_lookers ? candidate : row->value);
}

int32_t
lens_points_make(const struct lens *lens, const struct lens_want *want, struct points_row *row,
                 uint32_t code)
{
    int32_t points;

    if (want->kind != LENS_COLUMN || !money_points(lens, want, row, code, &points))
        points = value_points(lens, want, row, code);
    if (row->points != NULL)
        row->points[code] = (uint16_t)(points + 1);
    return points;
}

int32_t
lens_row_most(const struct lens *lens, const struct lens_want *want, struct points_row *row)
{
    if (row->most < 0)
        for (uint32_t code = 0; code < want->n_codes; code++) {
            int32_t points = lens_points(lens, want, row, code);

            row->most = points > row->most ? points : row->most;
        }
    return row->most;
}

/* A row with its table of small codes aligned for the kernels; n_codes 0: it keeps none. */
static struct holds_row *
holds_row_alloc(struct lens *lens, uint32_t n_codes)
{
    struct holds_row *row = arena_alloc_wide(lens->arena, 1, sizeof *row);

    if (row == NULL)
        return NULL;
    if (n_codes == 0)
        return row;
    row->holds = arena_alloc(lens->arena, n_codes, 1);
    return row->holds != NULL ? row : NULL;
}

static bool
planes_seek(const struct lens *lens, const struct lens_rule *rule, struct holds_row *row)
{
    const struct slot_codes *codes = &row->value->codes;

    row->planes = arena_alloc(lens->arena, codes->n, sizeof *row->planes);
    for (uint32_t i = 0; row->planes != NULL && i < codes->n; i++) {
        uint32_t plane =
            table_plane(lens->table, column_planes(rule->column), codes->codes[i], false);

        if (plane != NO_PLANE)
            row->planes[row->n_planes++] = plane;
    }
    return row->planes != NULL;
}

/* What every code says. Small dictionaries' tables are for the kernels. */
static void
holds_fill(const struct lens *lens, const struct lens_rule *rule, struct holds_row *row)
{
    if (row->holds == NULL)
        return;
    for (uint32_t code = 0; code < rule->n_codes; code++)
        row->holds[code] = lens_holds_make(lens, rule, row, code);
    if (lens_is_small(rule->n_codes))
        memcpy(row->table, row->holds, rule->n_codes);
}

/* What a requirement asks of candidates, as far as it is told without their codes: false where codes are to
 * be judged. */
static bool
holds_without_codes(const struct lens_rule *rule, struct holds_row *row)
{
    if (rule->is_fixed)
        return false;
    row->is_alike = row->value->state == SLOT_MISSING || (rule->has_cells && !row->range.are_known);
    row->has_days =
        !row->is_alike && rule->has_days && span_period(&row->value->period, &row->from, &row->to);
    return row->is_alike || row->has_days || rule->has_cells || rule->has_planes;
}

/* A row for the looker, without what candidates' values say. */
static struct holds_row *
holds_row_make(struct lens *lens, const struct lens_rule *rule, const struct facts *looker)
{
    const struct plan_operand *operand = rule_operand(lens, rule->requirement, true);
    struct holds_row head = {.value = plan_slot(operand, looker)}, *row;
    bool has_codes;

    head.range = looker_cells(lens, operand, head.value);
    has_codes = !holds_without_codes(rule, &head) && rule->n_codes <= LENS_ROW_CODES;
    row = holds_row_alloc(lens, has_codes ? rule->n_codes : 0);
    if (row == NULL)
        return NULL;
    head.holds = row->holds;
    *row = head;
    if (rule->has_planes && !row->is_alike && !planes_seek(lens, rule, row))
        return NULL;
    holds_fill(lens, rule, row);
    return row;
}

struct holds_row *
lens_holds_row(struct lens *lens, size_t rule_at, const struct facts *looker,
               const struct block *block, uint32_t place)
{
    struct lens_rule *rule = &lens->rules[rule_at];
    struct holds_row **shared = NULL, *row;

    if (rule->shared != NULL && block != NULL)
        shared =
            &rule->shared[shared_at(rule_operand(lens, rule->requirement, true), block, place)];
    if (shared != NULL && *shared != NULL)
        return *shared;
    row = holds_row_make(lens, rule, looker);
    if (row == NULL || shared == NULL)
        return row;
    if (!rule->is_fixed && !row->is_alike && rule->n_codes <= LENS_ROW_CODES &&
        rule->n_shared <= KEPT_VALUES && !holds_keep(lens, lens->arena, row))
        return NULL;
    *shared = row;
    return row;
}

/* Two ranges that must meet, likewise. */
static bool
money_meets(const struct lens *lens, const struct lens_rule *rule, const struct holds_row *row,
            uint32_t code, bool *holds)
{
    struct cell_range cells;

    if (rule->is_fixed || rule->requirement->requirement->type != REQUIRE_MEETS ||
        column_type(rule->column) != SLOT_MONEY || !row->range.are_known ||
        !money_cells(lens, rule->dictionary, code, &cells))
        return false;
    *holds = cell_range_common(row->range.cells, cells) > 0;
    return true;
}

static bool
value_holds(const struct lens *lens, const struct lens_rule *rule, const struct holds_row *row,
            uint32_t code)
{
    const struct slot *candidate = &missing_slot;
    struct requirement_state state;

    if (rule->is_fixed)
        candidate = &rule_operand(lens, rule->requirement, false)->constant;
    else if (rule->dictionary != NULL)
        candidate = dictionary_slot(rule->dictionary, code);
    if (lens->side == PLAN_FROM)
        requirement_judge_values(lens->plan, rule->requirement, row->value, candidate, &state);
    else
        requirement_judge_values(lens->plan, rule->requirement, candidate, row->value, &state);
    return state.holds;
}

bool
lens_holds_make(const struct lens *lens, const struct lens_rule *rule, const struct holds_row *row,
                uint32_t code)
{
    bool holds;

    if (!money_meets(lens, rule, row, code, &holds))
        holds = value_holds(lens, rule, row, code);
    return holds;
}

struct holds_row *
lens_organisation_row(struct lens *lens, const struct facts *looker)
{
    const struct dictionary *dictionary = table_dictionary(lens->table, COLUMN_ORGANISATION);
    uint32_t n_codes = codes_in(dictionary);
    struct holds_row *row = holds_row_alloc(lens, n_codes);

    for (uint32_t code = 0; row != NULL && code < n_codes; code++) {
        row->holds[code] = 1;
        if (code != DICTIONARY_MISSING &&
            code_set_has(&looker->conflicts, dictionary_slot(dictionary, code)->codes.codes[0]))
            row->holds[code] = 0;
    }
    return row;
}
