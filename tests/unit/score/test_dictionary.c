#include "alloc.h"
#include "dictionary.h"

#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 4000, SET_MOST = 9 };

static uint64_t
random_below(uint64_t *state, uint64_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % n;
}

static struct slot
number_of(int64_t number)
{
    return (struct slot){.state = SLOT_KNOWN, .number = number};
}

/* Few different ones of each type, so that many come again. Codes and groups last as long as the test. */
static struct slot
random_slot(enum slot_type type, uint64_t *state)
{
    static symbol codes[ROUNDS][SET_MOST], groups[ROUNDS][SET_MOST];
    static size_t n_sets;
    struct slot slot = {.state = SLOT_KNOWN, .is_confidential = random_below(state, 2) != 0};
    uint32_t n;

    switch (type) {
    case SLOT_CODES:
        n = 1 + (uint32_t)random_below(state, SET_MOST);
        for (uint32_t i = 0; i < n; i++) {
            codes[n_sets][i] =
                (i > 0 ? codes[n_sets][i - 1] : 0) + 1 + (symbol)random_below(state, 2);
            groups[n_sets][i] = codes[n_sets][i] / 4 + 1;
        }
        slot.codes = (struct slot_codes){.codes = codes[n_sets], .n = n, .groups = groups[n_sets]};
        n_sets++;
        break;
    case SLOT_MONEY:
        slot.money.min = (int64_t)random_below(state, 6);
        slot.money.max = slot.money.min + (int64_t)random_below(state, 6);
        slot.money.currency = (int32_t)random_below(state, 4) - 1;
        break;
    case SLOT_PERIOD:
        slot.period.from = (int32_t)random_below(state, 12) - 6;
        slot.period.to = slot.period.from + (int32_t)random_below(state, 12);
        break;
    case SLOT_NUMBER:
    case SLOT_DAY:
        slot.number = (int64_t)random_below(state, 90) - 40;
        break;
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
    if (random_below(state, 2) != 0) /* who has the hash at hand brings it */
        slot.hash = slot_hash(type, &slot);
    return slot;
}

static bool
is_same_value(enum slot_type type, const struct slot *a, const struct slot *b)
{
    switch (type) {
    case SLOT_CODES:
        if (a->codes.n != b->codes.n)
            return false;
        for (uint32_t i = 0; i < a->codes.n; i++)
            if (a->codes.codes[i] != b->codes.codes[i] || a->codes.groups[i] != b->codes.groups[i])
                return false;
        return true;
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

/* Holds the dictionary against a list that is searched from its beginning. */
static void
expect_codes_of_values(enum slot_type type)
{
    static struct slot met[ROUNDS];
    struct dictionary *dictionary = dictionary_create(type);
    uint64_t state = 20261126 + (uint64_t)type;
    uint32_t n = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct slot slot = random_slot(type, &state);
        uint32_t code = 0, got;

        while (code < n && !is_same_value(type, &met[code], &slot))
            code++;
        if (code == n)
            met[n++] = slot;
        got = dictionary_code(dictionary, &slot);
        cr_assert_eq(got, code + 1, "type %d, round %d: code %u", (int)type, i, got);
        cr_assert(is_same_value(type, dictionary_slot(dictionary, got), &slot));
        cr_assert_eq(dictionary_slot(dictionary, got)->state, SLOT_KNOWN);
        cr_assert_not(dictionary_slot(dictionary, got)->is_confidential);
    }
    cr_expect_eq(dictionary_count(dictionary), n + 1);
    cr_expect_gt(n, 80);
    dictionary_destroy(dictionary);
}

Test(dictionary, two_values_have_one_code_exactly_if_they_are_equal)
{
    expect_codes_of_values(SLOT_MONEY);
    expect_codes_of_values(SLOT_PERIOD);
    expect_codes_of_values(SLOT_NUMBER);
    expect_codes_of_values(SLOT_DAY);
}

Test(dictionary, two_sets_have_one_code_exactly_if_they_are_equal)
{
    expect_codes_of_values(SLOT_CODES);
}

Test(dictionary, a_missing_value_is_code_0)
{
    struct dictionary *dictionary = dictionary_create(SLOT_NUMBER);
    struct slot missing = {.state = SLOT_MISSING, .number = 7}, known = number_of(0);

    cr_expect_eq(dictionary_code(dictionary, &missing), DICTIONARY_MISSING);
    cr_expect_eq(dictionary_count(dictionary), 1);
    cr_expect_eq(dictionary_slot(dictionary, DICTIONARY_MISSING)->state, SLOT_MISSING);
    cr_expect_eq(dictionary_code(dictionary, &known), 1);
    dictionary_destroy(dictionary);
}

static int
compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* So many that some share a hash of 32 bits. */
Test(dictionary, grows_without_moving_a_value_and_tells_values_of_one_hash_apart)
{
    enum { MANY = 400000 };
    struct dictionary *dictionary = dictionary_create(SLOT_NUMBER);
    uint64_t *hashes = malloc(MANY * sizeof *hashes);
    struct slot one = number_of(1);
    const struct slot *first;
    size_t n_shared = 0, bytes = dictionary_bytes(dictionary);

    cr_assert_eq(dictionary_code(dictionary, &one), 1);
    first = dictionary_slot(dictionary, 1);
    for (uint32_t i = 1; i < MANY; i++) {
        struct slot slot = number_of(1 + i * INT64_C(1000003));

        cr_assert_eq(dictionary_code(dictionary, &slot), i + 1);
    }
    cr_expect_eq(dictionary_slot(dictionary, 1), first);
    for (uint32_t i = 0; i < MANY; i++) {
        struct slot slot = number_of(1 + i * INT64_C(1000003));

        cr_assert_eq(dictionary_code(dictionary, &slot), i + 1);
        cr_assert_eq(dictionary_slot(dictionary, i + 1)->number, slot.number);
        hashes[i] = slot_hash(SLOT_NUMBER, &slot);
    }
    qsort(hashes, MANY, sizeof *hashes, compare_hashes);
    for (size_t i = 1; i < MANY; i++)
        n_shared += hashes[i] == hashes[i - 1];
    cr_expect_gt(n_shared, 0);
    cr_expect_lt(n_shared, 100); /* chance alone gives 19 */
    cr_expect_gt(dictionary_bytes(dictionary), bytes + MANY * sizeof(struct slot));
    free(hashes);
    dictionary_destroy(dictionary);
}

Test(dictionary, without_memory_it_is_full_and_goes_on_when_there_is_some)
{
    enum slot_type types[] = {SLOT_CODES, SLOT_MONEY, SLOT_NUMBER};

    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        struct dictionary *dictionary = dictionary_create(types[t]);
        uint64_t state = 11;
        uint32_t n_full = 0;

        for (int i = 0; i < 700; i++) {
            struct slot slot = random_slot(types[t], &state);
            uint32_t before = dictionary_count(dictionary), code;

            mem_fail_at(1);
            code = dictionary_code(dictionary, &slot);
            mem_fail_happened();
            n_full += code == DICTIONARY_FULL;
            if (code == DICTIONARY_FULL) {
                cr_assert_eq(dictionary_count(dictionary), before);
                code = dictionary_code(dictionary, &slot);
                cr_assert_eq(code, before);
            }
            cr_assert(is_same_value(types[t], dictionary_slot(dictionary, code), &slot));
        }
        cr_expect(n_full > 0 || types[t] == SLOT_MONEY, "type %d", (int)types[t]);
        dictionary_destroy(dictionary);
    }
}

Test(dictionary, is_not_made_without_memory)
{
    bool happened = true;

    for (long n = 1; happened; n++) {
        struct dictionary *dictionary;

        mem_fail_at(n);
        dictionary = dictionary_create(SLOT_MONEY);
        happened = mem_fail_happened();
        cr_expect_eq(dictionary == NULL, happened);
        dictionary_destroy(dictionary);
    }
}

Test(dictionary, cells_of_an_amount_follow_the_rate_that_is_asked_for)
{
    struct dictionary *dictionary = dictionary_create(SLOT_MONEY);
    struct slot slot = {.state = SLOT_KNOWN, .money = {1000, 2000, 0}};
    uint32_t code = dictionary_code(dictionary, &slot);
    int64_t rates[] = {1000000, 1100000, 1000000, 500000};

    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        struct cell_range cells = dictionary_cells(dictionary, code, rates[i]);
        struct cell_range right =
            cell_range_of(rates_to_usd(1000, rates[i]), rates_to_usd(2000, rates[i]));

        cr_expect_eq(cells.lo, right.lo);
        cr_expect_eq(cells.hi, right.hi);
    }
    dictionary_destroy(dictionary);
}
