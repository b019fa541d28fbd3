#include "kernel_cases.h"

#include <string.h>

enum {
    WORDS_MAX = 32,
    PLACES_MAX = 64 * WORDS_MAX,
    LOSSES_MAX = 300, /* 300 losses of 1 are beyond what a byte holds */
    ELEMENTS_MAX = 1024,
    OTHERS_MAX = 40,
    BIT_LOSSES_MAX = 12,
    BIT_CODES = 1 << KERNEL_BITS,
    PLANES_MAX = 24,
    RANDOM_CASES = 300,
    SUM_GUARD = 0xa7
};

static uint8_t codes_pool[(LOSSES_MAX + 1) * PLACES_MAX];
static _Alignas(16) uint8_t tables[LOSSES_MAX][KERNEL_CODES];
static struct kernel_loss losses[LOSSES_MAX];
static _Alignas(16) uint8_t bit_tables[BIT_LOSSES_MAX][BIT_CODES];
static struct kernel_bit_loss bit_losses[BIT_LOSSES_MAX];
static uint64_t planes_pool[(BIT_LOSSES_MAX * KERNEL_BITS + PLANES_MAX) * WORDS_MAX];
static const uint64_t *planes[PLANES_MAX];
static uint64_t before[3 * WORDS_MAX], wanted_bits[3 * WORDS_MAX], got_bits[3 * WORDS_MAX + 2];
static int8_t vector_pool[ELEMENTS_MAX];
static int8_t others_pool[OTHERS_MAX * (ELEMENTS_MAX + 1)];
static const int8_t *others[OTHERS_MAX];
static int32_t products[OTHERS_MAX + 2];

static _Alignas(64) uint8_t sums[PLACES_MAX + 64]; /* and a guard */

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

/* ---- prune ---- */

static const struct prune_sort {
    const char *says;
    uint32_t n_losses; /* LOSSES_MAX: any number up to 40 */
    uint32_t n_bits;   /* losses by bits; BIT_LOSSES_MAX: any number up to that */
    uint32_t n_words;  /* 0: any */
    uint32_t n_codes;  /* 0: any */
    uint32_t loss_max; /* of one entry */
    int most;          /* -1: any; -2: near the middle of the sums */
    int bits;          /* -1: any; 0: none; 1: all; 2: one in 64, words of none */
} prune_sorts[] = {
    {"no column, all stay", 0, 0, 0, 0, 255, -1, -1},
    {"one column", 1, 0, 0, 0, 255, -1, -1},
    {"one code", 2, 0, 0, 1, 255, -1, -1},
    {"all codes", 2, 0, 0, KERNEL_CODES, 255, -1, -1},
    {"nothing may be lost", 3, 0, 0, 0, 1, 0, 1},
    {"most 1", 3, 0, 0, 0, 2, 1, 1},
    {"the greatest most", 2, 0, 0, 0, 255, 254, 1},
    {"signs of bytes don't matter: most 127", 2, 0, 0, 0, 255, 127, 1},
    {"signs of bytes don't matter: most 128", 2, 0, 0, 0, 255, 128, 1},
    {"sums beyond a byte stay too much", 300, 0, 1, 0, 1, 254, 1},
    {"sums far beyond a byte", 40, 0, 2, 0, 255, 254, 1},
    {"sums of 16 bits' length", 300, 0, 1, 0, 255, 254, 1},
    {"no place in question", 4, 0, 0, 0, 255, -1, 0},
    {"few places in question", 4, 0, 32, 0, 30, -1, 2},
    {"one word", 6, 0, 1, 0, 60, -2, 1},
    {"the largest block", 6, 0, 32, 0, 60, -2, 1},
    {"one loss by bits", 0, 1, 0, 0, 255, -1, 1},
    {"losses by bits, one word", 0, 4, 1, 0, 60, -2, 1},
    {"losses by bits, the largest block", 0, 6, 32, 0, 60, -2, 1},
    {"losses by bits far beyond a byte", 0, 12, 2, 0, 255, 254, 1},
    {"losses by bits, few places in question", 0, 3, 32, 0, 30, -1, 2},
    {"losses by bits and by bytes beyond a byte", 9, 9, 2, 0, 40, 254, 1},
    {"any", LOSSES_MAX, BIT_LOSSES_MAX, 0, 0, 12, -2, -1},
};
enum { PRUNE_SORTS = sizeof prune_sorts / sizeof prune_sorts[0] };

/* Codes at any address, the first to the end of the array; tables at multiples of 16, with rubbish in the
 * entries that don't count. */
static void
make_losses(uint64_t *state, const struct prune_sort *sort, uint32_t n, size_t n_words)
{
    uint8_t *codes = codes_pool + sizeof codes_pool;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t n_codes = sort->n_codes != 0 ? sort->n_codes : 1 + below(state, KERNEL_CODES);

        codes -= n_words * 64 + (i > 0 ? below(state, 2) : 0);
        fill(state, codes, n_words * 64, n_codes);
        fill(state, tables[i], n_codes, sort->loss_max + 1);
        fill(state, tables[i] + n_codes, KERNEL_CODES - n_codes, 256);
        losses[i] = (struct kernel_loss){codes, tables[i], n_codes};
    }
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
make_bit_losses(uint64_t *state, const struct prune_sort *sort, uint32_t n, size_t n_words)
{
    uint64_t *end = planes_pool + sizeof planes_pool / sizeof *planes_pool;

    for (uint32_t i = 0; i < n; i++) {
        struct kernel_bit_loss *loss = &bit_losses[i];
        uint32_t n_codes;

        *loss = (struct kernel_bit_loss){.n_bits = 1 + below(state, KERNEL_BITS),
                                         .table = bit_tables[i]};
        n_codes = UINT32_C(1) << loss->n_bits;
        for (uint32_t j = 0; j < loss->n_bits; j++)
            loss->bits[j] = make_plane(state, &end, n_words, 4);
        fill(state, bit_tables[i], n_codes, sort->loss_max + 1);
        fill(state, bit_tables[i] + n_codes, BIT_CODES - n_codes, 256);
    }
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

static uint32_t
lost(const struct kernel_losses *all, size_t place)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < all->n_bytes; i++)
        sum += all->bytes[i].table[all->bytes[i].codes[place]];
    for (size_t i = 0; i < all->n_bits; i++) {
        uint32_t code = 0;

        for (uint32_t j = 0; j < all->bits[i].n_bits; j++)
            if ((all->bits[i].bits[j][place / 64] & UINT64_C(1) << place % 64) != 0)
                code += UINT32_C(1) << j;
        sum += all->bits[i].table[code];
    }
    return sum;
}

static uint8_t
choose_most(uint64_t *state, const struct prune_sort *sort, const struct kernel_losses *all,
            size_t n_words)
{
    uint32_t middle;

    if (sort->most >= 0)
        return (uint8_t)sort->most;
    if (sort->most == -1)
        return (uint8_t)below(state, 255);
    middle = lost(all, below(state, (uint32_t)n_words * 64)); /* some have just as much */
    return (uint8_t)(middle < 254 ? middle : 254);
}

/* What the kernel leaves of the places that were in question; nothing is written behind them. */
static bool
sums_agree(const struct kernel_losses *all, size_t n_words, struct kernel_fault *fault)
{
    for (size_t place = 0; place < n_words * 64 + 64; place++) {
        bool is_guard = place >= n_words * 64;
        uint32_t wanted = SUM_GUARD;

        if (!is_guard && (before[place / 64] & UINT64_C(1) << place % 64) == 0)
            continue;
        if (!is_guard)
            wanted = lost(all, place);
        wanted = wanted < 255 ? wanted : 255;
        if (sums[place] != wanted) {
            fault->at = place;
            fault->got = sums[place];
            fault->wanted = wanted;
            return false;
        }
    }
    return true;
}

static bool
prune_case(const struct kernel *kernel, const struct prune_sort *sort, uint64_t *state,
           struct kernel_fault *fault)
{
    bool is_any = sort->n_losses == LOSSES_MAX && sort->n_words == 0;
    struct kernel_losses all = {losses, is_any ? below(state, 41) : sort->n_losses, bit_losses,
                                is_any ? below(state, BIT_LOSSES_MAX + 1) : sort->n_bits};
    size_t n_words = sort->n_words != 0 ? sort->n_words : 1 + below(state, WORDS_MAX);
    uint8_t most;

    make_losses(state, sort, (uint32_t)all.n_bytes, n_words);
    make_bit_losses(state, sort, (uint32_t)all.n_bits, n_words);
    make_bits(state, sort->bits, n_words);
    most = choose_most(state, sort, &all, n_words);
    for (size_t word = 0; word < n_words; word++) {
        wanted_bits[word] = before[word];
        for (unsigned i = 0; i < 64; i++)
            if (lost(&all, word * 64 + i) > most)
                wanted_bits[word] &= ~(UINT64_C(1) << i);
    }
    bits_prepare(n_words);
    memset(sums, SUM_GUARD, sizeof sums);
    kernel->prune(&all, most, n_words, got_bits + 1, sums);
    *fault = (struct kernel_fault){.sort = sort->says,
                                   .size = (uint32_t)n_words,
                                   .others = (uint32_t)(all.n_bytes + all.n_bits)};
    return bits_agree(n_words, fault) && sums_agree(&all, n_words, fault);
}

/* Sums just at `most`, and one more, for every value that most can have. */
static bool
prune_at_limit(const struct kernel *kernel, uint8_t most, struct kernel_fault *fault)
{
    const struct kernel_losses all = {.bytes = losses, .n_bytes = 1};
    uint8_t *codes = codes_pool + sizeof codes_pool - 64;

    memset(tables[0], 0, sizeof tables[0]);
    tables[0][1] = most;
    tables[0][2] = (uint8_t)(most + 1);
    tables[0][3] = most > 0 ? (uint8_t)(most - 1) : 0;
    for (unsigned i = 0; i < 64; i++)
        codes[i] = (uint8_t)(i % 4);
    losses[0] = (struct kernel_loss){codes, tables[0], 4};
    before[0] = UINT64_MAX;
    wanted_bits[0] = UINT64_C(0xbbbbbbbbbbbbbbbb); /* all but code 2 */
    bits_prepare(1);
    kernel->prune(&all, most, 1, got_bits + 1, sums);
    *fault = (struct kernel_fault){.sort = "at the limit and one over", .size = 1, .others = most};
    return bits_agree(1, fault);
}

static uint32_t
run_prune(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed;
    uint32_t n = 0;

    *is_right = true;
    for (int most = 0; most < 255 && *is_right; most++, n++)
        *is_right = prune_at_limit(kernel, (uint8_t)most, fault);
    for (uint32_t i = 0; i < RANDOM_CASES && *is_right; i++, n++) {
        uint32_t sort = i < 3 * PRUNE_SORTS ? i % PRUNE_SORTS : PRUNE_SORTS - 1;

        *is_right = prune_case(kernel, &prune_sorts[sort], &state, fault);
    }
    fault->number = n - 1;
    return n;
}

/* ---- count ---- */

static bool
count_case(const struct kernel *kernel, uint32_t number, uint64_t *state,
           struct kernel_fault *fault)
{
    uint64_t *end = planes_pool + sizeof planes_pool / sizeof *planes_pool;
    uint32_t n_bits = 2 + number % 2, most = (UINT32_C(1) << n_bits) - 2;
    uint32_t n = number / 2 % (PLANES_MAX + 1), in_8 = 1 + below(state, 8);
    size_t n_words = 1 + below(state, WORDS_MAX);

    for (uint32_t i = 0; i < n; i++)
        planes[i] = make_plane(state, &end, n_words, in_8);
    memset(wanted_bits, 0, sizeof wanted_bits);
    for (size_t place = 0; place < n_words * 64; place++) {
        uint32_t sum = 0;

        for (uint32_t i = 0; i < n; i++)
            sum += (planes[i][place / 64] & UINT64_C(1) << place % 64) != 0;
        sum = sum < most ? sum : most;
        for (uint32_t j = 0; j < n_bits; j++)
            if ((sum & UINT32_C(1) << j) != 0)
                wanted_bits[j * n_words + place / 64] |= UINT64_C(1) << place % 64;
    }
    make_bits(state, -1, n_bits * n_words); /* what stood there doesn't count */
    bits_prepare(n_bits * n_words);
    kernel->count(planes, n, n_bits, n_words, got_bits + 1);
    *fault = (struct kernel_fault){.sort = n_bits == 2 ? "in two bits" : "in three bits",
                                   .size = (uint32_t)n_words,
                                   .others = n};
    return bits_agree(n_bits * n_words, fault);
}

static uint32_t
run_count(const struct kernel *kernel, uint64_t seed, bool *is_right, struct kernel_fault *fault)
{
    uint64_t state = seed ^ 3;
    uint32_t n = 0;

    *is_right = true;
    for (; n < 4 * (PLANES_MAX + 1) && *is_right; n++)
        *is_right = count_case(kernel, n, &state, fault);
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
    size_t n_words = 1 + below(state, WORDS_MAX);
    uint8_t *codes = codes_pool + sizeof codes_pool - n_words * 64, *table = tables[0];

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
        *is_right = dots_case(kernel, ANY_ELEMENT, size, 1 + size % 3, &state, fault);
    for (int sort = LEAST; sort < VECTOR_SORTS; sort++)
        for (uint32_t size = 1; size <= 129 && *is_right; size++, n++)
            *is_right = dots_case(kernel, (enum vector_sort)sort, size < 129 ? size : ELEMENTS_MAX,
                                  2, &state, fault);
    for (uint32_t n_others = 0; n_others <= OTHERS_MAX && *is_right; n_others++, n++)
        *is_right = dots_case(kernel, ANY_ELEMENT, 1 + below(&state, 256), n_others, &state, fault);
    fault->number = n - 1;
    return n;
}

const struct kernel_check kernel_checks[KERNEL_CHECKS] = {{"prune", run_prune},
                                                          {"count", run_count},
                                                          {"tally", run_tally},
                                                          {"members", run_members},
                                                          {"dots", run_dots}};
