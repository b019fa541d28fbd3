#include "kernel_cases.h"

#include <stddef.h>
#include <string.h>

enum {
    WORDS_MAX = 32,
    PLACES_MAX = 64 * WORDS_MAX,
    ELEMENTS_MAX = 1024,
    OTHERS_MAX = 40,
    PLANES_MAX = 24,
    RANDOM_CASES = 300
};

static uint8_t codes_pool[3 * PLACES_MAX];
static int16_t days_pool[2 * PLACES_MAX];
static _Alignas(16) uint8_t table[KERNEL_CODES];
static uint64_t planes_pool[(PLANES_MAX + KERNEL_TOPS + KERNEL_CLASSES) * WORDS_MAX];
static const uint64_t *planes[PLANES_MAX];
enum { BITS_MAX = KERNEL_LEVELS * WORDS_MAX };
static uint64_t before[BITS_MAX], wanted_bits[BITS_MAX], got_bits[BITS_MAX + 2];
static uint64_t asked[WORDS_MAX]; /* the places in question */
static uint64_t sums[KERNEL_SUM_BITS * WORDS_MAX], sums_before[KERNEL_SUM_BITS * WORDS_MAX];
static int8_t vector_pool[ELEMENTS_MAX];
static int8_t others_pool[OTHERS_MAX * (ELEMENTS_MAX + 1)];
static const int8_t *others[OTHERS_MAX];
static int32_t products[OTHERS_MAX + 2];

static const uint64_t GUARD = UINT64_C(0xfeedfacecafebeef);
static const int32_t PRODUCT_GUARD = 0x5aa5c33c;

/* ---- random numbers: splitmix64, Steele et al. 2014 ---- */

static uint64_t
next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t
below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((next(state) >> 32) * n >> 32);
}

static void
fill(uint64_t *state, uint8_t *bytes, size_t n, uint32_t limit)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)below(state, limit);
}

static size_t
some_words(uint64_t *state)
{
    return KERNEL_WORDS * (1 + below(state, WORDS_MAX / KERNEL_WORDS));
}

static bool
has_bit(const uint64_t *words, size_t place)
{
    return (words[place / 64] & UINT64_C(1) << place % 64) != 0;
}

/* ---- bits, with a guard before and after ---- */

static void
bits_prepare(size_t n_words)
{
    got_bits[0] = GUARD;
    memcpy(got_bits + 1, before, n_words * sizeof *before);
    got_bits[n_words + 1] = GUARD;
}

static bool
bits_agree(size_t n_words, struct kernel_fault *fault)
{
    for (size_t word = 0; word < n_words + 2; word++) {
        bool is_guard = word == 0 || word == n_words + 1;
        uint64_t wanted = is_guard ? GUARD : wanted_bits[word - 1];

        if (got_bits[word] != wanted) {
            fault->at = word - 1; /* SIZE_MAX, n_words: the guards */
            fault->got = got_bits[word];
            fault->wanted = wanted;
            return false;
        }
    }
    return true;
}

/* As many words as asked for before `end`, which moves there; each bit is set so often in 8. */
static const uint64_t *
make_plane(uint64_t *state, uint64_t **end, size_t n_words, uint32_t in_8)
{
    *end -= n_words;
    for (size_t word = 0; word < n_words; word++) {
        uint64_t bits = 0;

        for (unsigned i = 0; i < 64; i++)
            bits |= (uint64_t)(below(state, 8) < in_8) << i;
        (*end)[word] = bits;
    }
    return *end;
}

static void
make_bits(uint64_t *state, int sort, size_t n_words)
{
    for (size_t word = 0; word < n_words; word++) {
        uint64_t any = next(state);

        if (sort == 0 || sort == 1)
            before[word] = sort == 1 ? UINT64_MAX : 0;
        else if (sort == 2)
            before[word] = (any & 3) == 0 ? UINT64_C(1) << (any >> 58) : 0;
        else
            before[word] = any;
    }
}

/* Sets the bit of a place in plane j of n_words each. */
static void
want_bit(size_t j, size_t n_words, size_t place)
{
    wanted_bits[j * n_words + place / 64] |= UINT64_C(1) << place % 64;
}

/* ---- count ---- */

static bool
count_case(const struct kernel *kernel, uint32_t number, uint64_t *state,
           struct kernel_fault *fault)
{
    uint64_t *end = planes_pool + sizeof planes_pool / sizeof *planes_pool;
    uint32_t n_tops = 1 + number % KERNEL_TOPS;
    uint32_t n = number / KERNEL_TOPS % (PLANES_MAX + 1), in_8 = 1 + below(state, 8);
    size_t n_words = some_words(state);

    for (uint32_t i = 0; i < n; i++)
        planes[i] = make_plane(state, &end, n_words, in_8);
    memset(wanted_bits, 0, sizeof wanted_bits);
    for (size_t place = 0; place < n_words * 64; place++) {
        uint32_t sum = 0;

        for (uint32_t i = 0; i < n; i++)
            sum += has_bit(planes[i], place);
        for (uint32_t j = 0; j < n_tops && j < sum; j++)
            want_bit(j, n_words, place);
    }
    make_bits(state, -1, n_tops * n_words); /* what stood there doesn't count */
    bits_prepare(n_tops * n_words);
    kernel->count(planes, n, n_tops, n_words, got_bits + 1);
    *fault = (struct kernel_fault){.sort = "tops", .size = (uint32_t)n_words, .others = n};
    return bits_agree(n_tops * n_words, fault);
}

static uint32_t
run_count(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 3;
    uint32_t n = 0;

    *is_right = true;
    for (; n < 2 * KERNEL_TOPS * (PLANES_MAX + 1) && *is_right; n++)
        *is_right = count_case(kernel, n, &state, fault);
    fault->number = n - 1;
    return n;
}

/* ---- levels ---- */

/* Levels of places that are not in question mean nothing: they are taken as wanted. */
static bool
levels_agree(uint32_t n_levels, size_t n_words, struct kernel_fault *fault)
{
    for (uint32_t level = 0; level < n_levels; level++)
        for (size_t word = 0; word < n_words; word++) {
            uint64_t *got = &got_bits[1 + level * n_words + word];
            uint64_t wanted = wanted_bits[level * n_words + word];

            *got = (*got & asked[word]) | (wanted & ~asked[word]);
        }
    return bits_agree(n_levels * n_words, fault);
}

/* Which places are in question: any, none, all, few. */
static void
ask(uint64_t *state, uint32_t number, size_t n_words)
{
    make_bits(state, (int)(number % 4) - 1, n_words);
    memcpy(asked, before, n_words * sizeof *asked);
}

static void
levels_prepare(uint64_t *state, uint32_t n_levels, size_t n_words)
{
    memset(wanted_bits, 0, sizeof wanted_bits);
    make_bits(state, -1, n_levels * n_words);
    bits_prepare(n_levels * n_words);
}

static bool
sets_case(const struct kernel *kernel, uint32_t number, uint64_t *state, struct kernel_fault *fault)
{
    struct kernel_sets sets = {.n_tops = 1 + below(state, KERNEL_TOPS),
                               .n_classes = 1 + below(state, KERNEL_CLASSES)};
    uint32_t n_levels = number % (KERNEL_LEVELS + 1);
    size_t n_words = some_words(state);
    uint64_t *end = planes_pool + sizeof planes_pool / sizeof *planes_pool;
    uint64_t *tops = end - sets.n_tops * n_words;
    uint64_t *larger = tops - (sets.n_classes - 1) * n_words;

    memset(larger, 0, (size_t)((end - larger) * (ptrdiff_t)sizeof *larger));
    for (uint32_t c = 0; c + 1 < sets.n_classes; c++)
        sets.planes[c] = larger + c * n_words;
    ask(state, number, n_words);
    levels_prepare(state, n_levels, n_words);
    for (uint32_t level = 0; level < n_levels; level++)
        for (uint32_t c = 0; c < sets.n_classes; c++)
            sets.needs[level][c] = (uint8_t)below(
                state, level > 0 ? sets.needs[level - 1][c] + UINT32_C(1) : sets.n_tops + 2);
    for (size_t place = 0; place < n_words * 64; place++) {
        uint32_t of = below(state, sets.n_classes), count = below(state, sets.n_tops + 1);

        for (uint32_t c = 0; c < of; c++)
            larger[c * n_words + place / 64] |= UINT64_C(1) << place % 64;
        for (uint32_t j = 0; j < count; j++)
            tops[j * n_words + place / 64] |= UINT64_C(1) << place % 64;
        for (uint32_t level = 0; level < n_levels; level++)
            if (count >= sets.needs[level][of])
                want_bit(level, n_words, place);
    }
    sets.tops = tops;
    kernel->reach_sets(&sets, n_levels, n_words, asked, got_bits + 1);
    *fault =
        (struct kernel_fault){.sort = "sets", .size = (uint32_t)n_words, .others = sets.n_classes};
    return levels_agree(n_levels, n_words, fault);
}

/* Numbers near the ends as often as others, so that sums run over. */
static int
edge_number(uint64_t *state, int least, int greatest)
{
    uint32_t sort = below(state, 4);

    if (sort == 0)
        return least + (int)below(state, 3);
    if (sort == 1)
        return greatest - (int)below(state, 3);
    return least + (int)below(state, (uint32_t)(greatest - least) + 1);
}

static int
met(int lo, int hi, int from, int to, int least, int greatest)
{
    int common = (hi < to ? hi : to) - (lo > from ? lo : from);

    return common < least ? least : common > greatest ? greatest : common;
}

static bool
cells_case(const struct kernel *kernel, uint32_t number, uint64_t *state,
           struct kernel_fault *fault)
{
    size_t n_words = some_words(state), n = n_words * 64;
    uint8_t *classes = codes_pool + sizeof codes_pool - n;
    int8_t *hi = (int8_t *)classes - n, *lo = hi - n;
    struct kernel_cells cells = {.lo = lo,
                                 .hi = hi,
                                 .classes = classes,
                                 .from = (int8_t)edge_number(state, INT8_MIN, INT8_MAX),
                                 .to = (int8_t)edge_number(state, INT8_MIN, INT8_MAX)};
    uint32_t n_levels = number % (KERNEL_LEVELS + 1);

    ask(state, number, n_words);
    levels_prepare(state, n_levels, n_words);
    for (uint32_t level = 0; level < n_levels; level++)
        for (uint32_t c = 0; c < KERNEL_WIDTHS; c++)
            cells.needs[level][c] = (int8_t)edge_number(state, INT8_MIN, INT8_MAX);
    for (size_t i = 0; i < n; i++) {
        lo[i] = (int8_t)edge_number(state, INT8_MIN, INT8_MAX);
        hi[i] = (int8_t)edge_number(state, INT8_MIN, INT8_MAX);
        classes[i] = (uint8_t)below(state, KERNEL_WIDTHS);
        for (uint32_t level = 0; level < n_levels; level++)
            if (met(lo[i], hi[i], cells.from, cells.to, INT8_MIN, INT8_MAX) >=
                cells.needs[level][classes[i]])
                want_bit(level, n_words, i);
    }
    kernel->reach_cells(&cells, n_levels, n_words, asked, got_bits + 1);
    *fault = (struct kernel_fault){.sort = "cells", .size = (uint32_t)n_words, .others = n_levels};
    return levels_agree(n_levels, n_words, fault);
}

static bool
days_case(const struct kernel *kernel, uint32_t number, uint64_t *state, struct kernel_fault *fault)
{
    size_t n_words = some_words(state), n = n_words * 64;
    int16_t *hi = days_pool + 2 * PLACES_MAX - n, *lo = hi - n;
    struct kernel_days days = {.lo = lo,
                               .hi = hi,
                               .from = (int16_t)edge_number(state, INT16_MIN, INT16_MAX),
                               .to = (int16_t)edge_number(state, INT16_MIN, INT16_MAX)};
    uint32_t n_levels = number % (KERNEL_LEVELS + 1);

    ask(state, number, n_words);
    levels_prepare(state, n_levels, n_words);
    for (uint32_t level = 0; level < n_levels; level++)
        days.needs[level] = (int16_t)edge_number(state, INT16_MIN, INT16_MAX);
    for (size_t i = 0; i < n; i++) {
        lo[i] = (int16_t)edge_number(state, INT16_MIN, INT16_MAX);
        hi[i] = (int16_t)edge_number(state, INT16_MIN, INT16_MAX);
        for (uint32_t level = 0; level < n_levels; level++)
            if (met(lo[i], hi[i], days.from, days.to, INT16_MIN, INT16_MAX) >= days.needs[level])
                want_bit(level, n_words, i);
    }
    kernel->reach_days(&days, n_levels, n_words, asked, got_bits + 1);
    *fault = (struct kernel_fault){.sort = "days", .size = (uint32_t)n_words, .others = n_levels};
    return levels_agree(n_levels, n_words, fault);
}

static bool
codes_case(const struct kernel *kernel, uint32_t number, uint64_t *state,
           struct kernel_fault *fault)
{
    size_t n_words = some_words(state), n = n_words * 64;
    uint8_t *codes = codes_pool + sizeof codes_pool - n;
    struct kernel_codes by = {.codes = codes, .table = table, .n_codes = 1 + number % KERNEL_CODES};
    uint32_t n_levels = number / KERNEL_CODES % (KERNEL_LEVELS + 1);

    ask(state, number, n_words);
    levels_prepare(state, n_levels, n_words);
    fill(state, table, KERNEL_CODES, 256); /* with rubbish in those that don't count */
    fill(state, codes, n, by.n_codes);
    for (uint32_t level = 0; level < n_levels; level++)
        by.needs[level] = (uint8_t)edge_number(state, 0, UINT8_MAX);
    for (size_t i = 0; i < n; i++)
        for (uint32_t level = 0; level < n_levels; level++)
            if (table[codes[i]] < by.needs[level])
                want_bit(level, n_words, i);
    kernel->reach_codes(&by, n_levels, n_words, asked, got_bits + 1);
    *fault =
        (struct kernel_fault){.sort = "codes", .size = (uint32_t)n_words, .others = by.n_codes};
    return levels_agree(n_levels, n_words, fault);
}

static uint32_t
run_reach(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 5;
    uint32_t n = 0;

    *is_right = true;
    for (; n < 4 * RANDOM_CASES && *is_right; n++)
        *is_right = n % 4 == 0   ? sets_case(kernel, n / 4, &state, fault)
                    : n % 4 == 1 ? cells_case(kernel, n / 4, &state, fault)
                    : n % 4 == 2 ? days_case(kernel, n / 4, &state, fault)
                                 : codes_case(kernel, n * 5, &state, fault);
    fault->number = n - 1;
    return n;
}

/* ---- lose ---- */

static uint32_t
sum_at(const uint64_t *of, size_t n_words, size_t place)
{
    uint32_t sum = 0;

    for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++)
        sum |= (uint32_t)has_bit(of + b * n_words, place) << b;
    return sum;
}

/* Values that rise from level to level; what a place loses that does not reach the first n. */
static void
make_steps(uint64_t *state, uint32_t n, struct kernel_steps *steps, uint8_t losses[])
{
    *steps = (struct kernel_steps){.n = n, .start = (uint8_t)below(state, 8)};
    losses[0] = steps->start;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t room =
            KERNEL_SUM_MOST - losses[i] - (n - 1 - i); /* each later one is one more at least */

        losses[i + 1] = (uint8_t)(losses[i] + 1 + below(state, room < 7 ? room : 7));
        for (uint32_t b = 0; b < KERNEL_SUM_BITS; b++)
            steps->turns[b] |= (uint16_t)(((losses[i + 1] ^ losses[i]) >> b & 1) << i);
    }
}

static bool
sums_agree(const uint64_t *levels, uint32_t n_levels, const uint8_t losses[], size_t n_words,
           struct kernel_fault *fault)
{
    for (size_t place = 0; place < n_words * 64; place++) {
        uint32_t missed = 0, sum;
        bool stays;

        for (uint32_t j = 0; j < n_levels; j++)
            missed += !has_bit(levels + j * n_words, place);
        sum = sum_at(sums_before, n_words, place) + losses[missed];
        stays = has_bit(asked, place) && sum <= KERNEL_SUM_MOST;
        *fault = (struct kernel_fault){.sort = fault->sort, .size = fault->size, .at = place};
        fault->got = has_bit(got_bits + 1, place);
        fault->wanted = stays;
        if (fault->got == fault->wanted && stays) {
            fault->got = sum_at(sums, n_words, place);
            fault->wanted = sum;
        }
        if (fault->got != fault->wanted)
            return false;
    }
    return got_bits[0] == GUARD && got_bits[n_words + 1] == GUARD;
}

static bool
lose_case(const struct kernel *kernel, uint32_t number, uint64_t *state, struct kernel_fault *fault)
{
    uint64_t *levels;
    uint32_t n_levels = number % (KERNEL_LEVELS + 1);
    size_t n_words = some_words(state);
    struct kernel_steps steps = {0};
    uint8_t losses[KERNEL_LEVELS + 1];

    make_steps(state, n_levels, &steps, losses);
    levels = planes_pool + sizeof planes_pool / sizeof *planes_pool - n_levels * n_words;
    memset(levels, 0, n_levels * n_words * sizeof *levels);
    for (size_t place = 0; place < n_words * 64; place++) { /* who reaches one reaches the next */
        uint32_t first = below(state, n_levels + 1);

        for (uint32_t j = first; j < n_levels; j++)
            levels[j * n_words + place / 64] |= UINT64_C(1) << place % 64;
    }
    for (size_t word = 0; word < KERNEL_SUM_BITS * n_words; word++)
        sums_before[word] = sums[word] = next(state);
    ask(state, number / (KERNEL_LEVELS + 1), n_words);
    memcpy(before, asked, n_words * sizeof *before);
    bits_prepare(n_words);
    kernel->lose(&steps, levels, n_words, sums, got_bits + 1);
    *fault = (struct kernel_fault){.sort = "losses", .size = (uint32_t)n_words};
    return sums_agree(levels, n_levels, losses, n_words, fault);
}

static uint32_t
run_lose(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 6;
    uint32_t n = 0;

    *is_right = true;
    for (; n < RANDOM_CASES && *is_right; n++)
        *is_right = lose_case(kernel, n, &state, fault);
    fault->number = n - 1;
    return n;
}

/* ---- meeting ---- */

static bool
meet_case(const struct kernel *kernel, uint32_t number, uint64_t *state, struct kernel_fault *fault)
{
    bool is_cells = number % 2 == 0;
    int least = is_cells ? INT8_MIN : INT16_MIN, greatest = is_cells ? INT8_MAX : INT16_MAX;
    int from = edge_number(state, least, greatest), to = edge_number(state, least, greatest);
    size_t n_words = some_words(state), n = n_words * 64;
    int16_t *day_hi = days_pool + 2 * PLACES_MAX - n, *day_lo = day_hi - n;
    int8_t *cell_hi = (int8_t *)codes_pool + sizeof codes_pool - n, *cell_lo = cell_hi - n;

    levels_prepare(state, 1, n_words);
    for (size_t i = 0; i < n; i++) {
        int lo = edge_number(state, least, greatest), hi = edge_number(state, least, greatest);

        if (lo <= to && hi >= from)
            want_bit(0, n_words, i);
        if (is_cells) {
            cell_lo[i] = (int8_t)lo;
            cell_hi[i] = (int8_t)hi;
        } else {
            day_lo[i] = (int16_t)lo;
            day_hi[i] = (int16_t)hi;
        }
    }
    if (is_cells)
        kernel->meet_cells(cell_lo, cell_hi, (int8_t)from, (int8_t)to, n_words, got_bits + 1);
    else
        kernel->meet_days(day_lo, day_hi, (int16_t)from, (int16_t)to, n_words, got_bits + 1);
    *fault = (struct kernel_fault){.sort = is_cells ? "cells" : "days", .size = (uint32_t)n_words};
    return bits_agree(n_words, fault);
}

static uint32_t
run_meet(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 7;
    uint32_t n = 0;

    *is_right = true;
    for (; n < RANDOM_CASES && *is_right; n++)
        *is_right = meet_case(kernel, n, &state, fault);
    fault->number = n - 1;
    return n;
}

/* ---- tally ---- */

static uint32_t
run_tally(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 4;
    uint32_t n = 0;

    *is_right = true;
    for (; n < 4 * (WORDS_MAX + 1) && *is_right; n++) {
        uint32_t n_words = n % (WORDS_MAX + 1);
        uint64_t wanted = 0, got;

        make_bits(&state, (int)(n / (WORDS_MAX + 1)) - 1, n_words); /* any, none, all, few */
        for (size_t place = 0; place < (size_t)n_words * 64; place++)
            wanted += before[place / 64] >> place % 64 & 1;
        got = kernel->tally(before, n_words);
        *fault =
            (struct kernel_fault){.sort = "bits", .size = n_words, .got = got, .wanted = wanted};
        *is_right = got == wanted;
    }
    fault->number = n - 1;
    return n;
}

/* ---- members ---- */

/* Every number of codes, each in a block of a size of its own; entries: any, one, none or all. */
static bool
members_case(const struct kernel *kernel, uint32_t number, uint64_t *state,
             struct kernel_fault *fault)
{
    static const char *const sorts[] = {"any entries", "one entry", "no entry", "all entries"};
    uint32_t sort = number / KERNEL_CODES % 4, n_codes = 1 + number % KERNEL_CODES;
    size_t n_words = some_words(state);
    uint8_t *codes = codes_pool + sizeof codes_pool - n_words * 64;

    fill(state, codes, n_words * 64, n_codes);
    fill(state, table, KERNEL_CODES, 256); /* with rubbish in those that don't count */
    for (uint32_t i = 0; i < n_codes; i++)
        table[i] = (uint8_t)(sort == 0   ? (next(state) & 1) << below(state, 8)
                             : sort == 1 ? i == n_codes - 1
                             : sort == 2 ? 0
                                         : 1 + below(state, 255));
    make_bits(state, -1, n_words); /* what stood there doesn't count */
    memset(wanted_bits, 0, sizeof wanted_bits);
    for (size_t place = 0; place < n_words * 64; place++)
        if (table[codes[place]] != 0)
            wanted_bits[place / 64] |= UINT64_C(1) << place % 64;
    bits_prepare(n_words);
    kernel->members(codes, table, n_codes, n_words, got_bits + 1);
    *fault =
        (struct kernel_fault){.sort = sorts[sort], .size = (uint32_t)n_words, .others = n_codes};
    return bits_agree(n_words, fault);
}

static uint32_t
run_members(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 1;
    uint32_t n = 0;

    *is_right = true;
    for (; n < 4 * KERNEL_CODES && *is_right; n++)
        *is_right = members_case(kernel, n, &state, fault);
    fault->number = n - 1;
    return n;
}

/* ---- dots ---- */

enum vector_sort { ANY_ELEMENT, LEAST, GREATEST, LEAST_BY_GREATEST, VECTOR_SORTS };

static int8_t
element(uint64_t *state, enum vector_sort sort, bool is_other)
{
    switch (sort) {
    case LEAST:
        return INT8_MIN;
    case GREATEST:
        return INT8_MAX;
    case LEAST_BY_GREATEST:
        return is_other ? INT8_MAX : INT8_MIN;
    case ANY_ELEMENT:
    case VECTOR_SORTS:
        break;
    }
    return (int8_t)((int)below(state, 256) - 128);
}

/* Vectors at any address; the last ends with its array. */
static void
make_vectors(uint64_t *state, enum vector_sort sort, uint32_t n, uint32_t n_others)
{
    int8_t *vector = vector_pool + sizeof vector_pool - n;
    int8_t *other = others_pool + sizeof others_pool;

    for (uint32_t i = 0; i < n; i++)
        vector[i] = element(state, sort, false);
    for (uint32_t k = 0; k < n_others; k++) {
        other -= n + (k > 0 ? below(state, 2) : 0);
        others[k] = other;
        for (uint32_t i = 0; i < n; i++)
            other[i] = element(state, sort, true);
    }
}

static bool
dots_case(const struct kernel *kernel, enum vector_sort sort, uint32_t n, uint32_t n_others,
          uint64_t *state, struct kernel_fault *fault)
{
    static const char *const sorts[] = {"any elements", "-128 by -128", "127 by 127",
                                        "-128 by 127"};
    const int8_t *vector = vector_pool + sizeof vector_pool - n;

    make_vectors(state, sort, n, n_others);
    for (uint32_t k = 0; k < n_others + 2; k++)
        products[k] = PRODUCT_GUARD;
    kernel->dots(vector, n, others, n_others, products + 1);
    for (uint32_t k = 0; k < n_others + 2; k++) {
        bool is_guard = k == 0 || k == n_others + 1;
        int32_t wanted = is_guard ? PRODUCT_GUARD : 0;

        for (uint32_t i = 0; i < n && !is_guard; i++)
            wanted += vector[i] * others[k - 1][i];
        if (products[k] != wanted) {
            *fault = (struct kernel_fault){.sort = sorts[sort],
                                           .size = n,
                                           .others = n_others,
                                           .at = (size_t)k - 1,
                                           .got = (uint64_t)(int64_t)products[k],
                                           .wanted = (uint64_t)(int64_t)wanted};
            return false;
        }
    }
    return true;
}

static uint32_t
run_dots(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 2;
    uint32_t n = 0;

    *is_right = true;
    for (uint32_t size = 1; size <= ELEMENTS_MAX && *is_right; size++, n++)
        *is_right = dots_case(kernel, ANY_ELEMENT, size, 1 + size % 7, &state, fault);
    for (int sort = LEAST; sort < VECTOR_SORTS; sort++)
        for (uint32_t size = 1; size <= 129 && *is_right; size++, n++)
            *is_right = dots_case(kernel, (enum vector_sort)sort, size < 129 ? size : ELEMENTS_MAX,
                                  2, &state, fault);
    for (uint32_t n_others = 0; n_others <= OTHERS_MAX && *is_right; n_others++, n++)
        *is_right = dots_case(kernel, ANY_ELEMENT, 1 + below(&state, 256), n_others, &state, fault);
    fault->number = n - 1;
    return n;
}

const struct kernel_check kernel_checks[KERNEL_CHECKS] = {
    {"count", run_count},     {"reach", run_reach}, {"lose", run_lose}, {"tally", run_tally},
    {"members", run_members}, {"meet", run_meet},   {"dots", run_dots}};
