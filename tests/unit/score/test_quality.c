#include "quality.h"
#include "world.h"

#include <criterion/criterion.h>

/* The functions by themselves, at their edges; what the want types mean as a whole, missing values
 * included, is in test_scoring_page.c, from the tables of the users' page. */

static const struct {
    const char *says;
    int64_t distance;
    int32_t quality;
} stages[] = {
    {"the same stage", 0, 10000},
    {"one apart", 1, 6000},
    {"two apart", 2, 2000},
    {"three apart is nothing", 3, 0},
    {"and so is as far as orders reach", UINT32_MAX, 0},
};

Test(quality, of_stages_falls_by_four_tenths_a_step)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        cr_expect_eq(stage_quality(stages[i].distance), stages[i].quality, "%s", stages[i].says);
}

static const struct {
    const char *says;
    struct cell_range a, b;
    int32_t quality;
} ranges[] = {
    {"equal ranges satisfy fully", {8, 11}, {8, 11}, 10000},
    {"a counterpart that covers all satisfies fully", {8, 11}, {0, 251}, 10000},
    {"a counterpart that covers half gives half", {8, 11}, {10, 40}, 5000},
    {"one cell of three rounds down", {8, 10}, {10, 40}, 3333},
    {"the viewer's range is the measure", {0, 251}, {10, 10}, 39},
    {"neighbours without a gap give half", {8, 11}, {12, 20}, 5000},
    {"each cell of gap costs an eighth", {0, 3}, {6, 7}, 2500},
    {"the gap counts downwards too", {6, 7}, {0, 3}, 2500},
    {"three cells of gap", {0, 3}, {7, 7}, 1250},
    {"four cells of gap are nothing", {0, 3}, {8, 8}, 0},
    {"the farthest are nothing", {0, 0}, {251, 251}, 0},
};

Test(quality, of_ranges_counts_cells)
{
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        cr_expect_eq(range_quality(ranges[i].a, ranges[i].b), ranges[i].quality, "%s",
                     ranges[i].says);
}

static const struct {
    const char *says;
    int64_t a, b;
    int32_t quality;
} numbers[] = {
    {"enough", 10, 10, 10000},
    {"more than enough", 10, 11, 10000},
    {"half", 10, 5, 5000},
    {"rounds down", 3, 2, 6666},
    {"none", 10, 0, 0},
    {"nothing asked is always met", 0, 0, 10000},
    {"the largest numbers", INT64_MAX, INT64_MAX - 1, 9999},
    {"the largest against one", INT64_MAX, 1, 0},
    {"the largest is enough for itself", INT64_MAX, INT64_MAX, 10000},
};

Test(quality, of_at_least_is_the_part_that_is_there)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        cr_expect_eq(at_least_quality(numbers[i].a, numbers[i].b), numbers[i].quality, "%s",
                     numbers[i].says);
}

#define OPEN_FROM DATE_OPEN_FROM
#define OPEN_TO DATE_OPEN_TO

static const struct {
    const char *says;
    struct slot_period a, b;
    int32_t quality;
    struct period_common common;
} periods[] = {
    {"equal", {100, 109}, {100, 109}, 10000, {100, 109, 10}},
    {"half", {100, 109}, {105, 200}, 5000, {105, 109, 5}},
    {"one shared day", {100, 109}, {109, 200}, 1000, {109, 109, 1}},
    {"none, though neighbours", {100, 109}, {110, 200}, 0, {0, 0, 0}},
    {"one day", {100, 100}, {100, 100}, 10000, {100, 100, 1}},
    {"an open end of the counterpart has no bound",
     {100, 109},
     {OPEN_FROM, 104},
     5000,
     {100, 104, 5}},
    {"both its ends open cover all", {100, 109}, {OPEN_FROM, OPEN_TO}, 10000, {100, 109, 10}},
    {"an open end of the viewer is the counterpart's",
     {OPEN_FROM, 109},
     {100, 200},
     10000,
     {100, 109, 10}},
    {"the other end likewise", {150, OPEN_TO}, {100, 199}, 10000, {150, 199, 50}},
    {"completed, it ends before it begins", {OPEN_FROM, 50}, {100, 200}, 0, {0, 0, 0}},
    {"likewise at the other end", {300, OPEN_TO}, {100, 200}, 0, {0, 0, 0}},
    {"an end open in both says nothing", {100, OPEN_TO}, {90, OPEN_TO}, -1, {0, 0, 0}},
    {"and so at the beginning", {OPEN_FROM, 100}, {OPEN_FROM, 90}, -1, {0, 0, 0}},
    {"3660 days are kept whole", {0, 3659}, {0, 365}, 1000, {0, 365, 366}},
    {"one day more is cut at its end", {0, 3660}, {0, 365}, 1000, {0, 365, 366}},
    {"what lies in the part cut off is not shared", {0, 4000}, {3660, 4000}, 0, {0, 0, 0}},
    {"the last day that is kept", {0, 4000}, {3659, 4000}, 2, {3659, 3659, 1}},
    {"the longest there can be",
     {-354285, 2932896},
     {-354285, 2932896},
     10000,
     {-354285, -354285 + 3659, 3660}},
};

Test(quality, of_periods_counts_days_with_both_ends)
{
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++) {
        struct period_common common;

        cr_expect_eq(period_quality(&periods[i].a, &periods[i].b, &common), periods[i].quality,
                     "%s", periods[i].says);
        cr_expect(common.from == periods[i].common.from && common.to == periods[i].common.to &&
                      common.days == periods[i].common.days,
                  "%s: %d to %d", periods[i].says, common.from, common.to);
    }
}

Test(quality, of_a_record_comes_near_full_and_never_reaches_it)
{
    cr_expect_eq(record_quality(0), 0);
    cr_expect_eq(record_quality(1), 2500);
    cr_expect_eq(record_quality(3), 5000);
    cr_expect_eq(record_quality(4), 5714);
    cr_expect_eq(record_quality(UINT32_MAX), 9999);
}

static const struct {
    const char *says, *a, *b;
    int32_t quality;
} embeddings[] = {
    {"the same direction", "[3, 4]", "[3, 4]", 10000},
    {"the same direction, other length", "[3, 4]", "[6, 8]", 10000},
    {"across", "[1, 0]", "[0, 1]", 0},
    {"against", "[1, 2]", "[-1, -2]", 0},
    {"half way: 10000 * 1 / isqrt(2)", "[1, 0]", "[1, 1]", 10000},
    {"a little over 60 degrees: 80010000 / 16098", "[127, 0]", "[63, 110]", 4970},
    {"the largest elements", "[-128, -128]", "[-128, -128]", 10000},
};

Test(quality, of_embeddings_is_the_cosine_and_nothing_below_0)
{
    struct world world;

    world_open(&world);
    for (size_t i = 0; i < sizeof embeddings / sizeof embeddings[0]; i++) {
        struct str a =
            arena_format(world.arena, "{\"id\": \"a\", \"embedding\": %s}", embeddings[i].a);
        struct str b =
            arena_format(world.arena, "{\"id\": \"b\", \"embedding\": %s}", embeddings[i].b);
        struct facts *x = world_facts(&world, NULL, a.data), *y = world_facts(&world, NULL, b.data);

        cr_expect_eq(embedding_quality(x, y), embeddings[i].quality, "%s: %d", embeddings[i].says,
                     embedding_quality(x, y));
        facts_drop(x);
        facts_drop(y);
    }
    world_close(&world);
}
