#include "dictionary.h"
#include "span.h"
#include "world.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

/* Spans are held against the facts that they were made of, place by place. Two blocks of profiles. */
enum { PROFILES = BLOCK_ROWS + 300, JSON_ROOM = 512 };

static struct world world;
static uint64_t state = 20261126;

static uint32_t
below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

static void
put_one(int number)
{
    static const char *const currencies[] = {"USD", "EUR", "JPY"};
    static const char *const ends[] = {"1999-12-31", "2026-02-28", "2119-01-01", "2300-05-05"};
    char json[JSON_ROOM];
    size_t at = (size_t)snprintf(
        json, sizeof json, "{\"id\": \"p%d\", \"kind\": \"startup\", \"metro\": \"paris\"", number);

    if (below(4) != 0)
        at += (size_t)snprintf(json + at, sizeof json - at,
                               ", \"raising\": {\"min\": %u, \"max\": %u, \"currency\": \"%s\"}",
                               below(3) != 0 ? below(100000) : 0, 100000 + below(9) * 1000000,
                               currencies[below(3)]);
    if (below(4) != 0)
        at += (size_t)snprintf(json + at, sizeof json - at, ", \"team\": %u", below(300));
    switch (below(5)) {
    case 0:
        at += (size_t)snprintf(json + at, sizeof json - at,
                               ", \"available\": {\"from\": \"19%u-03-01\", \"to\": \"%s\"}",
                               30 + below(60), ends[below(4)]);
        break;
    case 1:
        at += (size_t)snprintf(json + at, sizeof json - at, ", \"available\": {\"to\": \"%s\"}",
                               ends[below(4)]);
        break;
    case 2:
        at += (size_t)snprintf(json + at, sizeof json - at,
                               ", \"available\": {\"from\": \"20%u-07-15\"}", 10 + below(80));
        break;
    default:
        break;
    }
    snprintf(json + at, sizeof json - at, "}");
    world_put(&world, json);
}

static void
set_up(void)
{
    world_open(&world);
    for (int i = 0; i < PROFILES; i++)
        put_one(i);
    world_publish(&world);
}

static void
tear_down(void)
{
    world_close(&world);
}

TestSuite(span, .init = set_up, .fini = tear_down);

static const struct table *
the_table(void)
{
    const struct columns *columns = roster_columns(world.roster);

    cr_assert_eq(columns->n_tables, 1);
    cr_assert_eq(columns->tables[0].n_blocks, 2);
    return &columns->tables[0];
}

static const struct span *
span_on(uint32_t block, enum field_id field, const char *day)
{
    const struct table *table = the_table();
    enum column_id column = (enum column_id)field;

    return span_of(table->blocks[block], table_dictionary(table, column), column,
                   world.reference->rates, day_of(day));
}

static bool
bit(const uint64_t *bits, uint32_t place)
{
    return (bits[place / 64] >> place % 64 & 1) != 0;
}

/* ---- what a place must be ---- */

static bool
cells_should_be(const struct slot *slot, enum field_id field, int32_t day, struct cell_range *out)
{
    int64_t rate;

    if (slot->state == SLOT_MISSING)
        return false;
    if (field == FIELD_TEAM) {
        *out = cell_range_of(slot->number, slot->number);
        return true;
    }
    if (!rates_find(world.reference->rates, slot->money.currency, day, &rate))
        return false;
    *out = cell_range_of(rates_to_usd(slot->money.min, rate), rates_to_usd(slot->money.max, rate));
    return true;
}

static uint32_t
expect_cells(enum field_id field, const char *day)
{
    uint32_t n_known = 0;

    for (uint32_t b = 0; b < 2; b++) {
        const struct block *block = the_table()->blocks[b];
        const struct span *span = span_on(b, field, day);

        cr_assert_not_null(span);
        cr_expect_not(span->has_odd);
        for (uint32_t place = 0; place < BLOCK_ROWS; place++) {
            struct cell_range cells = {0, 0};
            bool is_known =
                bit(block->present, place) &&
                cells_should_be(facts_slot(block->facts[place], field), field, day_of(day), &cells);
            int width = cells.hi - cells.lo < SPAN_WIDTHS ? cells.hi - cells.lo : SPAN_WIDTHS;

            cr_assert_eq(bit(span->known, place), is_known, "place %u", place);
            cr_assert_eq(span->cells.classes[place], is_known ? width : SPAN_WIDTHS + 1);
            if (!is_known)
                continue;
            cr_assert_eq(span->cells.lo[place], span_cell(cells.lo), "place %u", place);
            cr_assert_eq(span->cells.hi[place], span_cell(cells.hi), "place %u", place);
            n_known++;
        }
    }
    return n_known;
}

Test(span, cells_are_those_of_the_money_at_the_rates_of_the_day)
{
    uint32_t before_any = expect_cells(FIELD_RAISING, "2019-12-31");

    cr_expect_gt(before_any, 100); /* dollars have one always */
    cr_expect_gt(expect_cells(FIELD_RAISING, "2021-05-05"), before_any);
    cr_expect_gt(expect_cells(FIELD_RAISING, "2026-05-05"), before_any);
}

Test(span, cells_are_those_of_the_number)
{
    cr_expect_gt(expect_cells(FIELD_TEAM, "2026-05-05"), 1000);
}

Test(span, days_are_counted_and_what_has_no_number_is_odd)
{
    uint32_t n_known = 0, n_odd = 0;

    for (uint32_t b = 0; b < 2; b++) {
        const struct block *block = the_table()->blocks[b];
        const struct span *span = span_on(b, FIELD_AVAILABLE, "2026-05-05");

        cr_assert_not_null(span);
        for (uint32_t place = 0; place < BLOCK_ROWS; place++) {
            const struct slot *slot = bit(block->present, place)
                                          ? facts_slot(block->facts[place], FIELD_AVAILABLE)
                                          : NULL;
            int64_t from, to;
            bool fits;

            if (slot == NULL || slot->state == SLOT_MISSING) {
                cr_assert_not(bit(span->known, place) || bit(span->odd, place));
                continue;
            }
            from = slot->period.from == DATE_OPEN_FROM ? -SPAN_OPEN
                                                       : (int64_t)slot->period.from - SPAN_DAY_ZERO;
            to = slot->period.to == DATE_OPEN_TO ? SPAN_OPEN
                                                 : (int64_t)slot->period.to - SPAN_DAY_ZERO;
            fits =
                (slot->period.from == DATE_OPEN_FROM || (from > -SPAN_OPEN && from < SPAN_OPEN)) &&
                (slot->period.to == DATE_OPEN_TO || (to > -SPAN_OPEN && to < SPAN_OPEN));
            cr_assert_eq(bit(span->known, place), fits, "place %u", place);
            cr_assert_eq(bit(span->odd, place), !fits, "place %u", place);
            n_known += fits;
            n_odd += !fits;
            if (fits)
                cr_assert(span->days.lo[place] == from && span->days.hi[place] == to, "place %u",
                          place);
        }
        cr_expect(span->has_odd);
    }
    cr_expect(n_known > 500 && n_odd > 100, "%u known, %u odd", n_known, n_odd);
}

/* ---- whose they are ---- */

Test(span, days_of_the_same_rates_have_the_same_span)
{
    const struct span *in_2021 = span_on(0, FIELD_RAISING, "2021-05-05");

    cr_expect_eq(span_on(0, FIELD_RAISING, "2024-12-31"), in_2021);
    cr_expect_neq(span_on(0, FIELD_RAISING, "2025-01-01"), in_2021);
    cr_expect_eq(span_on(0, FIELD_RAISING, "2020-02-02"), in_2021);
    cr_expect_neq(span_on(1, FIELD_RAISING, "2021-05-05"), in_2021);
}

Test(span, a_block_that_changed_begins_anew_and_the_others_keep_theirs)
{
    size_t without = roster_bytes(world.roster), with, after;
    const struct span *second = span_on(1, FIELD_TEAM, "2026-05-05");
    uint32_t place = roster_place(world.roster, world_row(&world, "p0"));

    cr_assert_not_null(span_on(0, FIELD_TEAM, "2026-05-05"));
    with = roster_bytes(world.roster);
    cr_expect_eq(with - without, 2 * sizeof(struct span));
    cr_assert_lt(place, BLOCK_ROWS);
    world_put(&world,
              "{\"id\": \"p0\", \"kind\": \"startup\", \"metro\": \"paris\", \"team\": 299}");
    world_publish(&world);
    after = spans_bytes(roster_columns(world.roster));
    cr_expect_eq(after, sizeof(struct span));
    cr_expect_eq(span_on(1, FIELD_TEAM, "2026-05-05"), second);
    cr_expect_eq(span_on(0, FIELD_TEAM, "2026-05-05")->cells.lo[place], span_cell(cell_of(299)));
}

Test(span, a_column_that_nobody_has_has_none)
{
    cr_expect_null(span_on(0, FIELD_TICKET, "2026-05-05"));
}

Test(span, columns_of_ranges_are_told_from_the_others)
{
    for (int column = 0; column < COLUMN_COUNT; column++) {
        enum slot_type type = column_type((enum column_id)column);
        bool is_field = column < FIELD_COUNT;

        cr_expect_eq(span_has((enum column_id)column),
                     is_field && (type == SLOT_MONEY || type == SLOT_NUMBER || type == SLOT_PERIOD),
                     "column %d", column);
    }
}
