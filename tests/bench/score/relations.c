#include "relations.h"

#include "cell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CODES_MOST = 512, PATH_BYTES = 4096, NO_NUMBER = -1, NO_LIMIT = -1, STAGE_REACH = 3 };

struct writing {
    const struct population *population;
    const struct match_plan *plan;
    FILE *file;
};

/* ---- values ---- */

/* The rows of a set's codes in their vocabulary, as marks; how many. */
static size_t
rows_of(const struct writing *writing, const struct slot *slot, enum vocabulary_id id,
        bool marks[CODES_MOST])
{
    size_t n = slot->state == SLOT_KNOWN ? slot->codes.n : 0;

    memset(marks, 0, CODES_MOST * sizeof *marks);
    for (size_t i = 0; i < n; i++)
        marks[vocabulary_find(writing->population->reference->vocabularies[id],
                              symbols_text(writing->population->symbols, slot->codes.codes[i]))] =
            true;
    return n;
}

/* All codes that share a group with one that is marked. */
static void
widen(const struct vocabulary *vocabulary, const bool marks[CODES_MOST], bool wide[CODES_MOST])
{
    size_t n = vocabulary_size(vocabulary);

    memset(wide, 0, CODES_MOST * sizeof *wide);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; marks[i] && j < n; j++)
            wide[j] |= str_equal(code_group(vocabulary_code(vocabulary, (int)i)),
                                 code_group(vocabulary_code(vocabulary, (int)j)));
}

/* One bit a code among those of the list; 0 where the value is missing. */
static int64_t
mask_of(const struct writing *writing, const struct slot *slot, const struct str *codes, size_t n)
{
    int64_t mask = 0;

    for (size_t i = 0; slot->state == SLOT_KNOWN && i < slot->codes.n; i++) {
        struct str code = symbols_text(writing->population->symbols, slot->codes.codes[i]);

        for (size_t j = 0; j < n; j++)
            if (str_equal(codes[j], code))
                mask |= INT64_C(1) << j;
    }
    return mask;
}

static int64_t
language_mask(const struct writing *writing, const struct slot *slot)
{
    struct str codes[LANGUAGES_MOST];

    for (size_t i = 0; i < LANGUAGES_MOST; i++)
        codes[i] = str_from(population_languages[i]);
    return slot->state == SLOT_KNOWN ? mask_of(writing, slot, codes, LANGUAGES_MOST) : NO_LIMIT;
}

/* Bits of the rows of stages, and of their places in the order. */
static int32_t
stage_masks(const struct writing *writing, const struct slot *slot, int32_t *orders)
{
    const struct vocabulary *stages =
        writing->population->reference->vocabularies[VOCABULARY_STAGES];
    bool marks[CODES_MOST];
    int32_t mask = 0, order;

    *orders = 0;
    if (rows_of(writing, slot, VOCABULARY_STAGES, marks) == 0)
        return NO_LIMIT;
    for (size_t i = 0; i < vocabulary_size(stages); i++) {
        mask |= marks[i] << i;
        if (marks[i] && vocabulary_order(stages, (int)i, &order))
            *orders |= 1 << order;
    }
    return mask;
}

/* ---- columns, each with a comma after it ---- */

static void
put_int(const struct writing *writing, int64_t value)
{
    fprintf(writing->file, "%" PRId64 ",", value);
}

static void
put_id(const struct writing *writing, const struct facts *facts)
{
    fprintf(writing->file, "%.*s,", STR_ARG(facts->id));
}

static void
put_marks(const struct writing *writing, enum vocabulary_id id, const bool marks[CODES_MOST])
{
    size_t n = vocabulary_size(writing->population->reference->vocabularies[id]);
    const char *comma = "";

    fputs("\"{", writing->file);
    for (size_t i = 0; i < n; i++)
        if (marks[i]) {
            fprintf(writing->file, "%s%zu", comma, i);
            comma = ",";
        }
    fputs("}\",", writing->file);
    for (size_t i = 0; i < n; i++)
        fputc(marks[i] ? '1' : '0', writing->file);
    fputc(',', writing->file);
}

/* How many codes; they as array and bits; the sectors also with all of their groups. */
static void
put_set(const struct writing *writing, const struct slot *slot, enum vocabulary_id id)
{
    bool marks[CODES_MOST], wide[CODES_MOST];

    put_int(writing, (int64_t)rows_of(writing, slot, id, marks));
    put_marks(writing, id, marks);
    if (id != VOCABULARY_SECTORS)
        return;
    widen(writing->population->reference->vocabularies[id], marks, wide);
    put_marks(writing, id, wide);
}

static void
put_period(const struct writing *writing, const struct slot *slot)
{
    int32_t from = -RELATION_NO_DAY, to = RELATION_NO_DAY;

    if (slot->state == SLOT_KNOWN) {
        from = slot->period.from != DATE_OPEN_FROM ? slot->period.from : -RELATION_OPEN_DAY;
        to = slot->period.to != DATE_OPEN_TO ? slot->period.to : RELATION_OPEN_DAY;
    }
    put_int(writing, from);
    put_int(writing, to);
}

static void
put_cells(const struct writing *writing, const struct slot *slot)
{
    struct cell_range cells = {0, RELATION_NO_CELL};
    int64_t min, max;

    if (slot->state == SLOT_KNOWN && match_money_usd(writing->plan, &slot->money, &min, &max))
        cells = cell_range_of(min, max);
    put_int(writing, cells.lo);
    put_int(writing, cells.hi);
}

static void
put_number(const struct writing *writing, const struct slot *slot)
{
    put_int(writing, slot->state == SLOT_KNOWN ? slot->number : NO_NUMBER);
}

static void
put_common(const struct writing *writing, const struct facts *facts)
{
    put_int(writing, language_mask(writing, facts_slot(facts, FIELD_LANGUAGES)));
    put_period(writing, facts_slot(facts, FIELD_AVAILABLE));
    put_int(writing, mask_of(writing, facts_slot(facts, FIELD_MARKETS),
                             writing->population->markets, MARKETS_MOST));
    put_set(writing, facts_slot(facts, FIELD_SECTORS), VOCABULARY_SECTORS);
}

/* ---- track records ---- */

/* Positive outcomes before the day by sector of the other party. */
static bool
count_record(const struct writing *writing, uint32_t row, int counts[CODES_MOST])
{
    const struct roster *roster = writing->population->roster;
    const struct record *record = roster_record(roster, row);
    bool any = false, marks[CODES_MOST];

    memset(counts, 0, CODES_MOST * sizeof *counts);
    for (uint32_t i = 0; record != NULL && i < record->n; i++) {
        const struct outcome *outcome = &record->outcomes[i];
        const struct facts *other = roster_facts(roster, outcome->other);

        if (!outcome->is_positive || outcome->day >= writing->population->day || other == NULL)
            continue;
        rows_of(writing, facts_slot(other, FIELD_SECTORS), VOCABULARY_SECTORS, marks);
        for (size_t code = 0; code < CODES_MOST; code++) {
            counts[code] += marks[code];
            any |= marks[code];
        }
    }
    return any;
}

/* As an array by row of sector for candidates.csv; nothing where there is none. */
static void
put_record(const struct writing *writing, uint32_t row)
{
    size_t n = vocabulary_size(writing->population->reference->vocabularies[VOCABULARY_SECTORS]);
    int counts[CODES_MOST];

    if (count_record(writing, row, counts)) {
        fputs("\"{", writing->file);
        for (size_t i = 0; i < n; i++)
            fprintf(writing->file, "%s%d", i == 0 ? "" : ",", counts[i]);
        fputs("}\"", writing->file);
    }
    fputc('\n', writing->file);
}

/* ---- files ---- */

static enum err_code
open_file(struct writing *writing, const char *folder, const char *name, struct err *err)
{
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    writing->file = fopen(path, "w");
    return writing->file != NULL ? ERR_OK : err_set_sys(err, errno, "open %s", path);
}

static enum err_code
close_file(struct writing *writing, struct err *err)
{
    bool has_failed = ferror(writing->file) != 0;

    has_failed |= fclose(writing->file) != 0;
    return has_failed ? err_set_sys(err, errno, "write a table of the bench") : ERR_OK;
}

static void
write_candidate(const struct writing *writing, size_t i)
{
    const struct population *population = writing->population;
    uint32_t row = population->candidates[i];
    const struct facts *facts = roster_facts(population->roster, row);
    int32_t orders, accepts = stage_masks(writing, facts_slot(facts, FIELD_STAGES), &orders);

    put_int(writing, (int64_t)i);
    put_id(writing, facts);
    fputs(match_profile_rule(writing->plan, facts) == RULE_NONE ? "t," : "f,", writing->file);
    put_int(writing, accepts);
    put_int(writing, orders);
    put_common(writing, facts);
    put_cells(writing, facts_slot(facts, FIELD_TICKET));
    put_number(writing, facts_slot(facts, FIELD_CAPACITY));
    put_set(writing, facts_slot(facts, FIELD_OFFERS), VOCABULARY_NEEDS);
    put_record(writing, row);
}

static void
write_record(const struct writing *writing, size_t i)
{
    int counts[CODES_MOST];

    if (!count_record(writing, writing->population->candidates[i], counts))
        return;
    for (size_t code = 0; code < CODES_MOST; code++)
        if (counts[code] > 0)
            fprintf(writing->file, "%zu,%zu,%d\n", i, code, counts[code]);
}

/* The orders at most 0, 1 and 2 places from the viewer's stage: what a stage want tells apart. */
static void
put_reach(const struct writing *writing, int32_t orders)
{
    for (int reach = 0; reach < STAGE_REACH; reach++) {
        put_int(writing, orders);
        orders |= orders << 1 | orders >> 1;
    }
}

/* Up to three sectors, from 1 as arrays count; the first again where there are fewer, 0 without any. */
static void
put_sectors(const struct writing *writing, const struct slot *slot)
{
    bool marks[CODES_MOST];
    int rows[3] = {0, 0, 0};
    size_t n = 0;

    rows_of(writing, slot, VOCABULARY_SECTORS, marks);
    for (int i = 0; i < CODES_MOST && n < 3; i++)
        if (marks[i])
            rows[n++] = i + 1;
    for (size_t i = 0; i < 3; i++)
        put_int(writing, i < n ? rows[i] : rows[0]);
}

static void
write_viewer(const struct writing *writing, size_t i)
{
    const struct population *population = writing->population;
    const struct facts *facts = roster_facts(population->roster, population->viewers[i]);
    int32_t orders, accepts = stage_masks(writing, facts_slot(facts, FIELD_STAGE), &orders);

    put_int(writing, (int64_t)i);
    put_int(writing, accepts);
    put_reach(writing, orders);
    put_common(writing, facts);
    put_cells(writing, facts_slot(facts, FIELD_RAISING));
    put_number(writing, facts_slot(facts, FIELD_TEAM));
    put_set(writing, facts_slot(facts, FIELD_NEEDS), VOCABULARY_NEEDS);
    put_sectors(writing, facts_slot(facts, FIELD_SECTORS));
    put_id(writing, facts);
    fputc('\n', writing->file);
}

enum err_code
relations_write(const struct population *population, const struct match_plan *plan,
                const char *folder, struct err *err)
{
    const struct {
        const char *name;
        void (*write)(const struct writing *writing, size_t i);
        size_t n;
    } relations[] = {{"candidates.csv", write_candidate, population->how.n_candidates},
                     {"records.csv", write_record, population->how.n_candidates},
                     {"viewers.csv", write_viewer, population->how.n_viewers}};
    struct writing writing = {.population = population, .plan = plan};
    enum err_code code = ERR_OK;

    for (size_t r = 0; r < sizeof relations / sizeof relations[0] && code == ERR_OK; r++) {
        code = open_file(&writing, folder, relations[r].name, err);
        if (code != ERR_OK)
            return code;
        for (size_t i = 0; i < relations[r].n; i++)
            relations[r].write(&writing, i);
        code = close_file(&writing, err);
    }
    return code;
}

enum err_code
relations_write_embeddings(const struct population *population, const char *folder, struct err *err)
{
    const struct {
        const char *name;
        const uint32_t *rows;
        size_t n;
    } parts[] = {{"embeddings.i8", population->candidates, population->how.n_candidates},
                 {"queries.i8", population->viewers, population->how.n_viewers}};
    struct writing writing = {.population = population};
    enum err_code code = ERR_OK;

    for (size_t p = 0; p < sizeof parts / sizeof parts[0] && code == ERR_OK; p++) {
        code = open_file(&writing, folder, parts[p].name, err);
        if (code != ERR_OK)
            return code;
        for (size_t i = 0; i < parts[p].n; i++) {
            const struct facts *facts = roster_facts(population->roster, parts[p].rows[i]);

            fwrite(facts->embedding, 1, facts->n_embedding, writing.file);
        }
        code = close_file(&writing, err);
    }
    return code;
}
