#include "alloc.h"
#include "columns.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Columns are held against a mirror: a list of who is there, with what. What one set must be is read off
 * the facts themselves.
 */
enum { KINDS_OF_FACTS = 48, PROFILES = 5200, JSON_ROOM = 1024 };

struct entry {
    const struct facts *facts; /* NULL: not there */
    uint32_t place;
    uint32_t n_outcomes;
};
struct mirror {
    struct entry entries[PROFILES];
};

static struct world world;
static struct facts *pool[KINDS_OF_FACTS];
static uint64_t state = 20261126;

static uint32_t
below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

/* `, "field": [some of the codes]`, or nothing. */
static void
some_codes(char *json, const char *field, const char *const *codes, uint32_t n)
{
    uint32_t chosen = below(1U << n);
    size_t at = strlen(json);

    if (chosen == 0)
        return;
    at += (size_t)snprintf(json + at, JSON_ROOM - at, ", \"%s\": [", field);
    for (uint32_t i = 0; i < n; i++)
        if ((chosen >> i & 1) != 0)
            at += (size_t)snprintf(json + at, JSON_ROOM - at, "%s\"%s\"",
                                   (chosen & ((1U << i) - 1)) != 0 ? ", " : "", codes[i]);
    snprintf(json + at, JSON_ROOM - at, "]");
}

/* `, "embedding": [...]` of this length; 0 everywhere, or not. */
static void
add_embedding(char *json, uint32_t length, bool is_zero)
{
    size_t at = strlen(json);

    at += (size_t)snprintf(json + at, JSON_ROOM - at, ", \"embedding\": [");
    for (uint32_t i = 0; i < length; i++)
        at += (size_t)snprintf(json + at, JSON_ROOM - at, "%s%d", i > 0 ? ", " : "",
                               is_zero ? 0 : (int)below(256) - 128);
    snprintf(json + at, JSON_ROOM - at, "]");
}

static struct facts *
random_facts(int number)
{
    static const uint32_t lengths[] = {3, 3, 5, 70};
    static const char *const kinds[] = {"startup", "incubator", "investor"};
    static const char *const sectors[] = {"health.bio", "health.care", "health",
                                          "food.agri",  "food.retail", "energy"};
    static const char *const needs[] = {"space.desk", "space.lab", "legal", "funding"};
    static const char *const languages[] = {"en", "fr", "de"};
    static const char *const stages[] = {"seed", "series_a"};
    char json[JSON_ROOM];
    int at =
        snprintf(json, sizeof json, "{\"id\": \"p%d\", \"kind\": \"%s\"", number, kinds[below(3)]);

    if (below(4) != 0)
        at += snprintf(json + at, sizeof json - (size_t)at, ", \"metro\": \"%s\"",
                       below(2) != 0 ? "paris" : "berlin");
    if (below(2) != 0)
        at += snprintf(json + at, sizeof json - (size_t)at, ", \"team\": %u", below(400));
    if (below(3) == 0)
        at += snprintf(json + at, sizeof json - (size_t)at,
                       ", \"raising\": {\"min\": %u, \"currency\": \"EUR\"}", below(5));
    if (below(3) == 0)
        at += snprintf(json + at, sizeof json - (size_t)at, ", \"organisation\": \"group%u\"",
                       below(3));
    if (below(3) == 0)
        at += snprintf(json + at, sizeof json - (size_t)at, ", \"terms\": [7, 30, 900000000, %u]",
                       1 + below(2000));
    if (below(4) == 0)
        at += snprintf(json + at, sizeof json - (size_t)at, ", \"conflicts\": [\"p%u\"]", below(9));
    if (below(4) == 0)
        snprintf(json + at, sizeof json - (size_t)at, ", \"consent\": {\"match\": true}");
    some_codes(json, "sectors", sectors, 6);
    some_codes(json, "needs", needs, 4);
    some_codes(json, "languages", languages, 3);
    if (number > 0) /* the first is one of the first quarter */
        some_codes(json, "stages", stages, 2);
    if (below(3) != 0)
        add_embedding(json, lengths[below(4)], below(8) == 0);
    strcat(json, "}");
    return world_facts(&world, NULL, json);
}

/* A profile of an embedding of this length. */
static struct facts *
embedded_facts(uint32_t length)
{
    char json[JSON_ROOM] = "{\"id\": \"e\", \"kind\": \"startup\"";

    add_embedding(json, length, false);
    strcat(json, "}");
    return world_facts(&world, NULL, json);
}

static void
set_up(void)
{
    world_open(&world);
    for (int i = 0; i < KINDS_OF_FACTS; i++)
        pool[i] = random_facts(i);
}

static void
tear_down(void)
{
    for (int i = 0; i < KINDS_OF_FACTS; i++)
        facts_drop(pool[i]);
    world_close(&world);
}

TestSuite(columns, .init = set_up, .fini = tear_down);

/* ---- what must be there ---- */

static bool
bit(const uint64_t *bits, uint32_t at)
{
    return bits != NULL && (bits[at / 64] >> at % 64 & 1) != 0;
}

static bool
same_slot(enum slot_type type, const struct slot *a, const struct slot *b)
{
    switch (type) {
    case SLOT_CODES:
        return a->codes.n == b->codes.n &&
               memcmp(a->codes.codes, b->codes.codes, a->codes.n * sizeof(symbol)) == 0;
    case SLOT_MONEY:
        return a->money.min == b->money.min && a->money.max == b->money.max &&
               a->money.currency == b->money.currency;
    case SLOT_PERIOD:
        return a->period.from == b->period.from && a->period.to == b->period.to;
    case SLOT_NUMBER:
    case SLOT_DAY:
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
    return a->number == b->number;
}

static void
expect_codes(const struct table *table, const struct block *block, uint32_t at,
             const struct facts *facts)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        enum slot_type type = column_type((enum column_id)i);
        const struct dictionary *dictionary = table_dictionary(table, (enum column_id)i);
        uint32_t code = column_code(&block->columns[i], at);
        struct slot own = {.state = SLOT_KNOWN, .number = columns_consent_pack(facts)};
        const struct slot *slot = &own;

        if (i == COLUMN_ORGANISATION || i < FIELD_COUNT)
            slot = facts_slot(facts, i < FIELD_COUNT ? (enum field_id)i : FIELD_ORGANISATION);
        if (type == SLOT_NONE || slot->state == SLOT_MISSING)
            cr_assert_eq(code, DICTIONARY_MISSING, "column %d", i);
        else
            cr_assert(code != DICTIONARY_MISSING &&
                          same_slot(type, dictionary_slot(dictionary, code), slot),
                      "column %d", i);
    }
}

/* Each bit that must be set is, and there are no more of them. */
static void
expect_planes(const struct table *table, const struct block *block, uint32_t at,
              const struct facts *facts)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        enum plane_set set = column_planes((enum column_id)i);
        uint32_t planes[PLANES_MAX], n_planes = 0, n_set = 0;
        const struct slot *slot;

        if (set == PLANE_SETS)
            continue;
        slot = facts_slot(facts, (enum field_id)i);
        for (uint32_t plane = 0; plane < block->planes[set].n; plane++)
            n_set += bit(block_plane(block, set, plane), at);
        if (!table_has_planes(table, set))
            continue;
        for (uint32_t j = 0; slot->state == SLOT_KNOWN && j < slot->codes.n; j++) {
            planes[n_planes++] = table_plane(table, set, slot->codes.codes[j], false);
            if (slot->codes.groups != NULL)
                planes[n_planes++] = table_plane(table, set, slot->codes.groups[j], true);
            if (j < PLANE_SIZES)
                planes[n_planes++] = plane_of_size(j + 1);
        }
        for (uint32_t j = 0; j < n_planes; j++) {
            bool is_again = false;

            cr_assert(bit(block_plane(block, set, planes[j]), at), "column %d", i);
            for (uint32_t k = 0; k < j; k++)
                is_again |= planes[k] == planes[j];
            n_set -= !is_again;
        }
        cr_assert_eq(n_set, 0, "column %d", i);
    }
}

/* Its row, if there is one, is the embedding and zeros; there is one if its page is of that length. */
static void
expect_embedding(const struct block *block, uint32_t at, const struct facts *facts)
{
    const struct embedding_page *page = block->embedding_pages[at / EMBEDDING_PAGE_ROWS];
    const int8_t *row = block_embedding(block, at, facts->n_embedding);
    bool has_row = facts->embedding_norm2 > 0 && page != NULL && page->length == facts->n_embedding;

    cr_assert_eq(embedding_length(block->embedded[at]), facts->n_embedding);
    cr_assert_eq(block->embedded[at].root, isqrt_u64(facts->embedding_norm2));
    cr_assert_eq(row != NULL, has_row);
    cr_assert_null(block_embedding(block, at, facts->n_embedding + 1));
    cr_assert(facts->embedding_norm2 == 0 || page != NULL);
    for (uint32_t i = 0; has_row && i < embedding_stride(facts->n_embedding); i++)
        cr_assert_eq(row[i], i < facts->n_embedding ? facts->embedding[i] : 0);
    cr_assert_eq((uintptr_t)row % EMBEDDING_STEP, 0);
}

static void
expect_entry(const struct columns *columns, const struct entry *entry, uint32_t row)
{
    const struct facts *facts = entry->facts;
    const struct table *table = columns_table(columns, facts->kind, facts->metro);
    uint32_t at = entry->place % BLOCK_ROWS;
    const struct block *block;

    cr_assert(table != NULL && entry->place / BLOCK_ROWS < table->n_blocks);
    block = table->blocks[entry->place / BLOCK_ROWS];
    cr_assert(bit(block->present, at));
    cr_assert_eq(block->facts[at], facts);
    cr_assert_eq(block->rows[at], row);
    cr_assert_eq(bit(block->with_record, at), entry->n_outcomes > 0);
    cr_assert_eq(block->outcomes[at],
                 entry->n_outcomes < OUTCOMES_MANY ? entry->n_outcomes : OUTCOMES_MANY);
    cr_assert_eq(bit(block->with_conflicts, at), facts->conflicts.n > 0);
    cr_assert_arr_eq(&block->texts[at], &facts->text.measure, sizeof facts->text.measure);
    cr_assert_arr_eq(block->sketches[at], facts->text.sketch, sizeof facts->text.sketch);
    cr_assert_lt(at, block->n_rows);
    expect_codes(table, block, at, facts);
    expect_planes(table, block, at, facts);
    expect_embedding(block, at, facts);
}

/* Nothing but what the mirror shows, in any table; and nothing behind the places in use. */
static void
expect_counts(const struct columns *columns, const struct mirror *mirror)
{
    size_t n_there = 0, n_present = 0, n_counted = 0, n_records = 0, n_marked = 0;

    for (uint32_t row = 0; row < PROFILES; row++) {
        n_there += mirror->entries[row].facts != NULL;
        n_records += mirror->entries[row].facts != NULL && mirror->entries[row].n_outcomes > 0;
    }
    for (uint32_t t = 0; t < columns->n_tables; t++) {
        const struct table *table = &columns->tables[t];

        n_counted += table->n_profiles;
        for (uint32_t i = 0; i < table->n_blocks; i++)
            for (uint32_t at = 0; at < BLOCK_ROWS; at++) {
                const struct block *block = table->blocks[i];

                n_present += bit(block->present, at);
                n_marked += bit(block->with_record, at);
                for (int c = 0; at >= block->n_rows && c < COLUMN_COUNT; c++)
                    cr_assert(block->columns[c].width == 0 ||
                              column_code(&block->columns[c], at) == DICTIONARY_MISSING);
            }
    }
    cr_assert_eq(n_present, n_there);
    cr_assert_eq(n_counted, n_there);
    cr_assert_eq(n_marked, n_records);
}

static void
expect_bytes(const struct columns *columns)
{
    size_t bytes = sizeof *columns + columns->n_tables * sizeof *columns->tables;

    for (uint32_t t = 0; t < columns->n_tables; t++)
        for (uint32_t i = 0; i < columns->tables[t].n_blocks; i++) {
            const struct block *block = columns->tables[t].blocks[i];

            bytes += block->bytes;
            for (uint32_t at = 0; at < BLOCK_ROWS; at += EMBEDDING_PAGE_ROWS) {
                const struct embedding_page *page =
                    block->embedding_pages[at / EMBEDDING_PAGE_ROWS];

                bytes += page != NULL ? page->bytes : 0;
            }
        }
    cr_assert_eq(columns->bytes, bytes);
}

static void
expect_mirror(const struct columns *columns, const struct mirror *mirror)
{
    for (uint32_t row = 0; row < PROFILES; row++)
        if (mirror->entries[row].facts != NULL)
            expect_entry(columns, &mirror->entries[row], row);
    expect_counts(columns, mirror);
    expect_bytes(columns);
}

/* ---- the script ---- */

static bool
put(struct columns *columns, struct mirror *mirror, uint32_t row, const struct facts *facts)
{
    struct entry *entry = &mirror->entries[row];

    if (!columns_put(columns, entry->facts, facts, row, entry->n_outcomes, &entry->place))
        return false;
    entry->facts = facts;
    return true;
}

static bool
change_one(struct columns *columns, struct mirror *mirror, uint32_t n_rows)
{
    uint32_t row = below(n_rows), what = below(8);
    struct entry *entry = &mirror->entries[row];

    if (entry->facts == NULL || what < 4) {
        if (entry->facts != NULL && what < 2) {
            columns_foresee(columns, pool[what]);
            columns_foresee_values(columns, pool[what]);
        }
        return put(columns, mirror, row, pool[below(KINDS_OF_FACTS)]);
    }
    if (what < 6) {
        if (!columns_remove(columns, entry->facts, entry->place))
            return false;
        entry->facts = NULL;
        return true;
    }
    if (!columns_set_outcomes(columns, entry->facts, entry->place, entry->n_outcomes + 1))
        return false;
    entry->n_outcomes++;
    return true;
}

Test(columns, hold_what_was_put_last_through_a_random_script, .timeout = 120)
{
    enum { EDITS = 40, CHANGES = 220, HELD = 5 };
    struct mirror *now = calloc(1, sizeof *now), *held_mirrors[HELD] = {NULL};
    struct columns *columns = columns_edit(NULL, 1), *held[HELD] = {NULL}, *next;

    for (uint64_t edit = 2; edit < 2 + EDITS; edit++) {
        uint32_t n_rows = edit < 8 ? 40 : PROFILES, slot = below(HELD);

        for (int i = 0; i < CHANGES; i++)
            cr_assert(change_one(columns, now, n_rows));
        expect_mirror(columns, now);
        /* published: one of those that are still held goes, this one stays */
        columns_destroy(held[slot]);
        free(held_mirrors[slot]);
        held[slot] = columns;
        held_mirrors[slot] = malloc(sizeof *now);
        memcpy(held_mirrors[slot], now, sizeof *now);
        next = columns_edit(columns, edit);
        cr_assert_not_null(next);
        columns = next;
    }
    for (int i = 0; i < HELD; i++)
        if (held[i] != NULL)
            expect_mirror(held[i], held_mirrors[i]);
    for (int i = 0; i < HELD; i++) {
        columns_destroy(held[i]);
        free(held_mirrors[i]);
    }
    expect_mirror(columns, now);
    columns_destroy(columns);
    free(now);
}

Test(columns, share_every_block_in_which_nothing_changed)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct columns *base = columns_edit(NULL, 1), *next;
    const struct table *before, *after;

    for (uint32_t row = 0; row < PROFILES; row++)
        cr_assert(put(base, mirror, row, pool[0]));
    before = columns_table(base, pool[0]->kind, pool[0]->metro);
    cr_assert_eq(before->n_blocks, 3);
    next = columns_edit(base, 2);
    after = columns_table(next, pool[0]->kind, pool[0]->metro);
    for (uint32_t i = 0; i < 3; i++)
        cr_expect_eq(after->blocks[i], before->blocks[i]);
    cr_assert(columns_set_outcomes(next, pool[0], mirror->entries[BLOCK_ROWS + 5].place, 300));
    cr_expect_eq(after->blocks[0], before->blocks[0]);
    cr_expect_neq(after->blocks[1], before->blocks[1]);
    cr_expect_eq(after->blocks[2], before->blocks[2]);
    cr_expect_not(bit(before->blocks[1]->with_record, 5));
    expect_mirror(base, mirror);
    mirror->entries[BLOCK_ROWS + 5].n_outcomes = 300;
    expect_mirror(next, mirror);
    columns_destroy(base);
    expect_mirror(next, mirror);
    columns_destroy(next);
    free(mirror);
}

/* ---- quarters ---- */

enum { KIN = 3 }; /* the last of them states no stages */

static void
facts_of_stages(struct facts *facts[KIN])
{
    facts[0] = world_facts(&world, NULL,
                           "{\"id\": \"a\", \"kind\": \"investor\", \"stages\": [\"seed\"]}");
    facts[1] = world_facts(
        &world, NULL, "{\"id\": \"b\", \"kind\": \"investor\", \"stages\": [\"idea\", \"seed\"]}");
    facts[2] = world_facts(&world, NULL, "{\"id\": \"c\", \"kind\": \"investor\"}");
}

/* How many of the block's profiles are these. */
static uint32_t
count_in(const struct block *block, const struct facts *facts)
{
    uint32_t n = 0;

    for (uint32_t at = 0; at < BLOCK_ROWS; at++)
        n += bit(block->present, at) && block->facts[at] == facts;
    return n;
}

Test(columns, profiles_that_state_the_same_stages_come_to_lie_together)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct columns *columns = columns_edit(NULL, 1);
    struct facts *facts[KIN];
    uint32_t n_apart[KIN] = {0}, n_each = PROFILES / KIN;
    const struct table *table;

    facts_of_stages(facts);
    for (uint32_t row = 0; row < n_each * KIN; row++)
        cr_assert(put(columns, mirror, row, facts[row % KIN]));
    expect_mirror(columns, mirror);
    table = columns_table(columns, facts[0]->kind, facts[0]->metro);
    for (uint32_t i = 0; i < table->n_blocks; i++)
        for (int kin = 0; kin < KIN; kin++) {
            uint32_t n = count_in(table->blocks[i], facts[kin]), n_others = 0;

            for (int other = 0; other < KIN; other++)
                n_others += other != kin ? count_in(table->blocks[i], facts[other]) : 0;
            n_apart[kin] += n_others == 0 ? n : 0;
        }
    cr_expect_eq(n_apart[0], n_each - QUARTER_FROM);
    cr_expect_eq(n_apart[1], n_each - QUARTER_FROM);
    cr_expect_eq(n_apart[2], n_each + 2 * QUARTER_FROM - BLOCK_ROWS); /* in the second block */
    columns_destroy(columns);
    for (int kin = 0; kin < KIN; kin++)
        facts_drop(facts[kin]);
    free(mirror);
}

Test(columns, blocks_that_become_empty_are_taken_by_other_quarters)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct columns *columns = columns_edit(NULL, 1);
    struct facts *facts[KIN];
    const struct table *table;
    uint32_t n_blocks;

    facts_of_stages(facts);
    for (uint32_t row = 0; row < PROFILES; row++)
        cr_assert(put(columns, mirror, row, facts[0]));
    table = columns_table(columns, facts[0]->kind, facts[0]->metro);
    n_blocks = table->n_blocks;
    for (int kin = 1; kin >= 0; kin--) {
        for (uint32_t row = 0; row < PROFILES; row++) {
            cr_assert(
                columns_remove(columns, mirror->entries[row].facts, mirror->entries[row].place));
            mirror->entries[row].facts = NULL;
        }
        for (uint32_t row = 0; row < PROFILES; row++)
            cr_assert(put(columns, mirror, row, facts[kin]));
        expect_mirror(columns, mirror);
        cr_expect_leq(table->n_blocks, n_blocks + 1);
    }
    columns_destroy(columns);
    for (int kin = 0; kin < KIN; kin++)
        facts_drop(facts[kin]);
    free(mirror);
}

/* ---- embeddings ---- */

static const struct embedding_page *
page_at(const struct columns *columns, const struct entry *entry)
{
    const struct table *table = columns_table(columns, entry->facts->kind, entry->facts->metro);
    uint32_t at = entry->place % BLOCK_ROWS;

    return table->blocks[entry->place / BLOCK_ROWS]->embedding_pages[at / EMBEDDING_PAGE_ROWS];
}

Test(columns, copy_a_page_of_embeddings_only_if_one_of_them_changed)
{
    enum { LAST = EMBEDDING_PAGE_ROWS };
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct facts *facts = embedded_facts(64), *same = embedded_facts(64);
    struct facts *other = embedded_facts(64);
    struct columns *base = columns_edit(NULL, 1), *next;
    const struct embedding_page *first, *last;

    memcpy((int8_t *)(uintptr_t)same->embedding, facts->embedding, 64);
    for (uint32_t row = 0; row <= LAST; row++)
        cr_assert(put(base, mirror, row, facts));
    first = page_at(base, &mirror->entries[0]);
    last = page_at(base, &mirror->entries[LAST]);
    cr_expect_neq(first, last);
    next = columns_edit(base, 2);
    cr_assert(columns_set_outcomes(next, facts, mirror->entries[3].place, 1));
    mirror->entries[3].n_outcomes = 1;
    cr_assert(put(next, mirror, 5, same));
    cr_assert(columns_remove(next, facts, mirror->entries[7].place));
    mirror->entries[7].facts = NULL;
    cr_expect_eq(page_at(next, &mirror->entries[0]), first);
    expect_mirror(next, mirror);
    cr_assert(put(next, mirror, 9, pool[1]));
    columns_destroy(base);
    base = columns_edit(next, 3);
    cr_assert(put(base, mirror, 5, other));
    cr_expect_neq(page_at(base, &mirror->entries[0]), first);
    cr_expect_eq(page_at(base, &mirror->entries[LAST]), last);
    expect_mirror(base, mirror);
    columns_destroy(next);
    expect_mirror(base, mirror);
    columns_destroy(base);
    facts_drop(facts);
    facts_drop(same);
    facts_drop(other);
    free(mirror);
}

Test(columns, keep_rows_for_the_length_that_most_embeddings_have)
{
    enum { MANY = 101 };
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct facts *facts[] = {embedded_facts(5), embedded_facts(70)};
    struct columns *columns = columns_edit(NULL, 1);

    for (uint32_t row = 0; row < MANY; row++)
        cr_assert(put(columns, mirror, row, facts[0]));
    for (uint32_t row = 0; row < MANY; row++) { /* a new model, profile after profile */
        if (row % 20 == 0) {
            struct columns *next = columns_edit(columns, 2 + row);

            columns_destroy(columns);
            columns = next;
        }
        cr_assert_eq(page_at(columns, &mirror->entries[0])->length, 2 * row > MANY ? 70 : 5);
        cr_assert(put(columns, mirror, row, facts[1]));
        expect_mirror(columns, mirror);
    }
    columns_destroy(columns);
    facts_drop(facts[0]);
    facts_drop(facts[1]);
    free(mirror);
}

Test(columns, a_column_of_one_value_takes_no_room)
{
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct columns *columns = columns_edit(NULL, 1);
    const struct table *table;

    for (uint32_t row = 0; row < 100; row++)
        cr_assert(put(columns, mirror, row, pool[0]));
    table = columns_table(columns, pool[0]->kind, pool[0]->metro);
    for (int i = 0; i < COLUMN_COUNT; i++)
        cr_expect_eq(table->blocks[0]->columns[i].width, 0, "column %d", i);
    columns_destroy(columns);
    free(mirror);
}

/* One profile of `n` sectors that nobody else has. */
static struct facts *
facts_of_sectors(int number, int n)
{
    static char json[64 * 1024];
    int at = snprintf(json, sizeof json, "{\"id\": \"s%d\", \"kind\": \"startup\", \"sectors\": [",
                      number);

    for (int i = 0; i < n; i++)
        at += snprintf(json + at, sizeof json - (size_t)at, "%s\"g%d.s%d\"", i > 0 ? ", " : "",
                       number, i);
    snprintf(json + at, sizeof json - (size_t)at, "]}");
    return world_facts(&world, NULL, json);
}

Test(columns, a_vocabulary_too_large_for_planes_has_none_and_keeps_its_codes)
{
    enum { MANY = 4, EACH = 200 };
    struct mirror *mirror = calloc(1, sizeof *mirror);
    struct columns *columns = columns_edit(NULL, 1);
    struct facts *facts[MANY];
    const struct table *table;

    for (int i = 0; i < MANY; i++) {
        facts[i] = facts_of_sectors(i, EACH);
        cr_assert(put(columns, mirror, (uint32_t)i, facts[i]));
        expect_mirror(columns, mirror);
        table = columns_table(columns, facts[i]->kind, facts[i]->metro);
        cr_expect_eq(table_has_planes(table, PLANES_SECTORS),
                     (i + 1) * (EACH + 1) <= PLANES_MAX - PLANE_SIZES);
    }
    cr_assert(columns_remove(columns, facts[1], mirror->entries[1].place));
    mirror->entries[1].facts = NULL;
    expect_mirror(columns, mirror);
    columns_destroy(columns);
    for (int i = 0; i < MANY; i++)
        facts_drop(facts[i]);
    free(mirror);
}

Test(columns, a_change_that_memory_does_not_suffice_for_was_not_made)
{
    struct mirror *mirror = calloc(1, sizeof *mirror), *before = malloc(sizeof *before);
    struct columns *columns = columns_edit(NULL, 1), *next;
    int n_failed = 0;

    for (int i = 0; i < 300; i++) {
        bool is_made;

        if (i % 10 == 9) {
            next = columns_edit(columns, 2 + (uint64_t)i);
            cr_assert_not_null(next);
            columns_destroy(columns);
            columns = next;
        }
        *before = *mirror;
        mem_fail_at(1 + (long)below(3));
        is_made = change_one(columns, mirror, 60);
        mem_fail_happened();
        n_failed += !is_made;
        if (!is_made)
            cr_assert_eq(memcmp(before, mirror, sizeof *before), 0);
        expect_mirror(columns, mirror);
    }
    cr_expect_gt(n_failed, 10);
    columns_destroy(columns);
    free(before);
    free(mirror);
}
