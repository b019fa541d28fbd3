#include "alloc.h"
#include "text_bag.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

/*
 * The weight of a term is class × frequency in the text × rarity, all three whole numbers; the exact
 * formula, with worked vectors, is in client/doc/en/text-vectors.md. Both logarithms are straight
 * lines between the powers of two, in sixteenths: close enough, and the same on every machine.
 */
static const uint32_t class_weights[TERM_CLASS_COUNT] = {[TERM_GRAM3] = 10,
                                                         [TERM_GRAM4] = 20,
                                                         [TERM_STEM] = 50,
                                                         [TERM_CONCEPT] = 100,
                                                         [TERM_TOPIC] = 200};
enum { WEIGHT_SCALE = 4096 };

struct lexicon_reader {
    const struct lexicon *lexicon;
    struct text_bag bag;
};

struct lexicon_reader *
lexicon_reader_create(const struct lexicon *lexicon)
{
    struct lexicon_reader *reader = mem_alloc_zeroed(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->lexicon = lexicon;
    if (text_bag_init(&reader->bag, lexicon, NULL) != ERR_OK) {
        mem_free(reader);
        return NULL;
    }
    return reader;
}

void
lexicon_reader_destroy(struct lexicon_reader *reader)
{
    if (reader == NULL)
        return;
    text_bag_fini(&reader->bag);
    mem_free(reader);
}

/* ---- weights ---- */

/* 128 for one occurrence, 64 more each time that it doubles; less than one counts in proportion. */
static uint32_t
frequency_128(uint32_t units)
{
    if (units < BAG_UNIT)
        return 128 * units / BAG_UNIT;
    return 128 + 4 * (log2_16(units) - log2_16(BAG_UNIT));
}

static uint16_t
weight_of(const struct lexicon *lexicon, uint32_t term, uint32_t units)
{
    uint32_t frequency = frequency_128(units), rarity;
    uint32_t weight;

    rarity = rarity_16(lexicon_documents_all(lexicon), lexicon_documents(lexicon, term));
    /* class <= 200, frequency <= 128 + 4 * 300 (2^25 units), rarity <= 16 + 16 * 27 (10^8
     * documents): the product < 2^27 */
    weight = class_weights[term_class_of(term)] * frequency * rarity / WEIGHT_SCALE;
    if (weight > TEXT_WEIGHT_MAX)
        return TEXT_WEIGHT_MAX;
    return weight > 0 ? (uint16_t)weight : 1;
}

/* ---- the strongest 256 ---- */

struct weighed {
    uint32_t term;
    uint32_t label;
    uint16_t weight;
};

/* By term, which are all different, a byte at a time from the lowest; spare is as long as the list.
 * qsort took a third of the time of a vector. */
static void
sort_by_term(struct weighed *list, size_t n, struct weighed *spare)
{
    for (unsigned shift = 0; shift < 32; shift += 8) {
        size_t starts[257] = {0};
        struct weighed *from = list;

        for (size_t i = 0; i < n; i++)
            starts[(list[i].term >> shift & 255) + 1]++;
        for (size_t byte = 0; byte < 256; byte++)
            starts[byte + 1] += starts[byte];
        for (size_t i = 0; i < n; i++)
            spare[starts[list[i].term >> shift & 255]++] = list[i];
        list = spare;
        spare = from;
    }
}

/* Of a list in order of term, keeps the `most` heaviest, of equal ones those with the smallest term:
 * everything above the weight that the last one has, then of that weight the first. */
static size_t
keep_heaviest(struct weighed *list, size_t n, size_t most)
{
    size_t counts[TEXT_WEIGHT_MAX + 1] = {0}, above = 0, n_kept = 0, n_ties = 0;
    size_t limit = TEXT_WEIGHT_MAX;

    if (n <= most)
        return n;
    for (size_t i = 0; i < n; i++)
        counts[list[i].weight]++;
    while (above + counts[limit] < most)
        above += counts[limit--];
    for (size_t i = 0; i < n; i++) {
        bool is_tie = list[i].weight == limit;

        if (list[i].weight < limit || (is_tie && n_ties == most - above))
            continue;
        n_ties += is_tie;
        list[n_kept++] = list[i];
    }
    return n_kept;
}

/* What is in the bag, weighed, the strongest only, by term. In the bag's scratch. */
static enum err_code
weigh(struct text_bag *bag, struct weighed **out, size_t *n, struct err *err)
{
    struct weighed *list = arena_alloc(bag->scratch, bag->n_entries, sizeof *list);
    struct weighed *spare = arena_alloc(bag->scratch, bag->n_entries, sizeof *list);

    if (list == NULL || spare == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < bag->n_entries; i++)
        list[i] = (struct weighed){
            .term = bag->entries[i].term,
            .label = bag->entries[i].label,
            .weight = weight_of(bag->lexicon, bag->entries[i].term, bag->entries[i].most),
        };
    sort_by_term(list, bag->n_entries, spare); /* four passes: it ends where it began */
    *n = keep_heaviest(list, bag->n_entries, TEXT_TERMS_MAX);
    *out = list;
    return ERR_OK;
}

static_assert((int64_t)TEXT_TERMS_MAX * TEXT_WEIGHT_MAX * TEXT_WEIGHT_MAX < INT64_C(1) << 31,
              "the sum of squares fits 31 bits");

/* The arrays of a vector in the arena, to be filled; false if it is full. */
static bool
alloc_vector(struct arena *arena, size_t n, uint32_t **terms, uint16_t **weights)
{
    *terms = arena_alloc(arena, n, sizeof **terms);
    *weights = arena_alloc(arena, n, sizeof **weights);
    return *terms != NULL && *weights != NULL;
}

enum err_code
text_vector_make(struct lexicon_reader *reader, const struct text_source *sources, size_t n_sources,
                 struct arena *arena, struct text_vector *out, struct err *err)
{
    struct err unheard;
    struct weighed *list;
    uint32_t *terms, norm2 = 0;
    uint16_t *weights;
    size_t n;

    if (err == NULL)
        err = &unheard;
    if (text_bag_fill(&reader->bag, sources, n_sources, err) != ERR_OK ||
        weigh(&reader->bag, &list, &n, err) != ERR_OK)
        return err->code;
    if (!alloc_vector(arena, n, &terms, &weights))
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        terms[i] = list[i].term;
        weights[i] = list[i].weight;
        norm2 += (uint32_t)list[i].weight * list[i].weight;
    }
    *out =
        (struct text_vector){.terms = terms, .weights = weights, .n = (uint32_t)n, .norm2 = norm2};
    return ERR_OK;
}

int64_t
text_vector_dot(const struct text_vector *a, const struct text_vector *b)
{
    int64_t dot = 0;
    uint32_t i = 0, j = 0;

    while (i < a->n && j < b->n) {
        uint32_t x = a->terms[i], y = b->terms[j];

        if (x == y)
            dot += (int64_t)a->weights[i] * b->weights[j];
        i += x <= y;
        j += y <= x;
    }
    return dot;
}

uint64_t
isqrt_u64(uint64_t x)
{
    uint64_t root = 0, bit = x != 0 ? UINT64_C(1) << (62 - (__builtin_clzll(x) & ~1)) : 0;

    for (; bit != 0; bit >>= 2) { /* without a branch: no processor guesses digits */
        uint64_t taken = -(uint64_t)(x >= root + bit);

        x -= (root + bit) & taken;
        root = (root >> 1) + (bit & taken);
    }
    return root;
}

int32_t
text_dot_quality(int64_t dot, uint32_t a_norm2, uint32_t b_norm2)
{
    /* dot < 2^31 by Cauchy and Schwarz, the product of the norms < 2^62, its root >= 1 */
    uint64_t root = isqrt_u64((uint64_t)a_norm2 * b_norm2);
    uint64_t quality = 10000 * (uint64_t)dot / root;

    return quality < 10000 ? (int32_t)quality : 10000;
}

int32_t
text_vector_quality(const struct text_vector *a, const struct text_vector *b)
{
    return text_dot_quality(text_vector_dot(a, b), a->norm2, b->norm2);
}

/* How many of the terms are grams: they stand first. */
static uint32_t
count_grams(const struct text_vector *vector)
{
    uint32_t from = 0, to = vector->n;

    while (from < to) {
        uint32_t middle = (from + to) / 2;

        if (term_class_of(vector->terms[middle]) <= TERM_GRAM4)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

uint32_t
text_gram_root(const struct text_vector *vector, uint32_t *n_grams)
{
    uint32_t n = count_grams(vector), squares = 0; /* no more than the norm's, < 2^31 */

    for (uint32_t i = 0; i < n; i++)
        squares += (uint32_t)vector->weights[i] * vector->weights[i];
    *n_grams = n;
    return squares > 0 ? (uint32_t)isqrt_u64(squares) + 1 : 0;
}

/* ---- the stored form ---- */

enum { STORED_HEAD = 4, STORED_TERM = 6 };

static void
put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t
get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

size_t
text_vector_bytes(const struct text_vector *vector)
{
    return STORED_HEAD + (size_t)vector->n * STORED_TERM;
}

void
text_vector_write(const struct text_vector *vector, uint8_t *out)
{
    put_u32(out, vector->n);
    out += STORED_HEAD;
    for (uint32_t i = 0; i < vector->n; i++, out += STORED_TERM) {
        put_u32(out, vector->terms[i]);
        out[4] = (uint8_t)vector->weights[i];
        out[5] = (uint8_t)(vector->weights[i] >> 8);
    }
}

/* Names the first of a vector that has one. */
static enum err_code
refuse_terms(const uint32_t *terms, const uint16_t *weights, uint32_t n, struct err *err)
{
    uint32_t i = 0;

    while (i + 1 < n && (i == 0 || terms[i] > terms[i - 1]) && weights[i] != 0 &&
           weights[i] <= TEXT_WEIGHT_MAX)
        i++;
    return err_set(err, ERR_INTERNAL,
                   "term %u of a stored text vector is out of order or weighs %u", i + 1,
                   weights[i]);
}

enum err_code
text_vector_count(struct str bytes, uint32_t *n, struct err *err)
{
    uint32_t claimed;

    if (bytes.len < STORED_HEAD)
        return err_set(err, ERR_INTERNAL, "a stored text vector has %zu bytes; it needs 4",
                       bytes.len);
    claimed = get_u32((const uint8_t *)bytes.data);
    if (claimed > TEXT_TERMS_MAX || bytes.len != STORED_HEAD + (size_t)claimed * STORED_TERM)
        return err_set(err, ERR_INTERNAL, "a stored text vector of %zu bytes claims %u terms",
                       bytes.len, claimed);
    *n = claimed;
    return ERR_OK;
}

static uint64_t
get_word(const uint8_t *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof word);
    return le64toh(word);
}

/* Each term and its weight are read as one word, which reaches two bytes into the next; so not the last. */
static void
take_terms(const uint8_t *restrict at, uint32_t n, uint32_t *restrict terms,
           uint16_t *restrict weights)
{
    uint32_t i = 0;

    for (; i + 4 < n; i += 4, at += 4 * (size_t)STORED_TERM)
        for (uint32_t j = 0; j < 4; j++) {
            uint64_t word = get_word(at + j * (size_t)STORED_TERM);

            terms[i + j] = (uint32_t)word;
            weights[i + j] = (uint16_t)(word >> 32);
        }
    for (; i < n; i++, at += STORED_TERM) {
        terms[i] = get_u32(at);
        weights[i] = (uint16_t)(at[4] | at[5] << 8);
    }
}

/* What the checks and the norm need to know of terms; loops of their own, several at a time. */
struct seen_terms {
    uint32_t norm2; /* may have wrapped where a weight is bad */
    uint32_t n_bad; /* not above the one before */
    uint16_t bits;  /* of all weights, and of each less one */
};

static struct seen_terms
see_terms(const uint32_t *terms, const uint16_t *weights, uint32_t first, uint32_t n)
{
    struct seen_terms seen = {.norm2 = 0};

    for (uint32_t i = first; i < n; i++) {
        seen.norm2 += (uint32_t)weights[i] * weights[i];
        seen.bits |= weights[i] | (uint16_t)(weights[i] - 1);
    }
    for (uint32_t i = first > 0 ? first : 1; i < n; i++)
        seen.n_bad += terms[i] <= terms[i - 1];
    return seen;
}

#if defined(__x86_64__)
enum { WIDE_TERMS = 8 };

static uint32_t
sum_of_lanes(__m128i lanes)
{
    lanes = _mm_add_epi32(lanes, _mm_srli_si128(lanes, 8));
    return (uint32_t)_mm_cvtsi128_si32(_mm_add_epi32(lanes, _mm_srli_si128(lanes, 4)));
}

/*
 * take_terms and see_terms in one, of n terms, a multiple of WIDE_TERMS and not 0: four terms are 24 bytes, of
 * which the first 16 and the last 16 hold two each. A start does this for all profiles there are.
 */
__attribute__((target("ssse3"))) static struct seen_terms
take_wide(const uint8_t *at, uint32_t n, uint32_t *terms, uint16_t *weights)
{
    const __m128i front = _mm_setr_epi8(0, 1, 2, 3, 6, 7, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1);
    const __m128i back = _mm_setr_epi8(4, 5, 6, 7, 10, 11, 12, 13, 8, 9, 14, 15, -1, -1, -1, -1);
    const __m128i sign = _mm_set1_epi32(INT32_MIN), less_one = _mm_set1_epi16(-1);
    __m128i before = sign, squares = _mm_setzero_si128(), bits = squares, above = squares;
    const uint8_t *end = at + (size_t)n * STORED_TERM;
    uint32_t *next = terms;

    for (; at < end; at += WIDE_TERMS * (size_t)STORED_TERM, next += WIDE_TERMS) {
        __m128i a = _mm_shuffle_epi8(_mm_loadu_si128((const void *)at), front);
        __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(at + 8)), back);
        __m128i c = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(at + 24)), front);
        __m128i d = _mm_shuffle_epi8(_mm_loadu_si128((const void *)(at + 32)), back);
        __m128i x = _mm_unpacklo_epi64(a, b), y = _mm_unpacklo_epi64(c, d);
        __m128i w = _mm_unpacklo_epi64(_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, d));

        _mm_storeu_si128((void *)next, x);
        _mm_storeu_si128((void *)(next + 4), y);
        _mm_storeu_si128((void *)weights, w);
        weights += WIDE_TERMS;
        squares = _mm_add_epi32(squares, _mm_madd_epi16(w, w));
        bits = _mm_or_si128(bits, _mm_or_si128(w, _mm_add_epi16(w, less_one)));
        x = _mm_xor_si128(x, sign); /* compared as signed ones, these are in the same order */
        y = _mm_xor_si128(y, sign);
        above = _mm_sub_epi32(above, _mm_cmpgt_epi32(x, _mm_alignr_epi8(x, before, 12)));
        above = _mm_sub_epi32(above, _mm_cmpgt_epi32(y, _mm_alignr_epi8(y, x, 12)));
        before = y;
    }
    bits = _mm_or_si128(bits, _mm_srli_si128(bits, 8));
    bits = _mm_or_si128(bits, _mm_srli_si128(bits, 4));
    bits = _mm_or_si128(bits, _mm_srli_si128(bits, 2));
    return (struct seen_terms){
        .norm2 = sum_of_lanes(squares),
        .n_bad = n - (sum_of_lanes(above) + (terms[0] == 0)), /* the first is above nothing */
        .bits = (uint16_t)_mm_cvtsi128_si32(bits),
    };
}
#endif

/* Bits of weights that none from 1 to TEXT_WEIGHT_MAX has. */
enum { WEIGHT_BAD = UINT16_MAX ^ TEXT_WEIGHT_MAX };
static_assert((TEXT_WEIGHT_MAX & (TEXT_WEIGHT_MAX + 1)) == 0, "they are the upper ones");

enum err_code
text_vector_unpack(struct str bytes, uint32_t *terms, uint16_t *weights, struct text_vector *out,
                   struct err *err)
{
    struct seen_terms wide = {.norm2 = 0}, rest;
    const uint8_t *at;
    uint32_t n, n_wide = 0;
    enum err_code code = text_vector_count(bytes, &n, err);

    if (code != ERR_OK)
        return code;
    if (n == 0) { /* and no arrays */
        *out = (struct text_vector){.terms = terms, .weights = weights};
        return ERR_OK;
    }
    at = (const uint8_t *)bytes.data + STORED_HEAD;
#if defined(__x86_64__)
    if (n >= WIDE_TERMS && __builtin_cpu_supports("ssse3")) {
        n_wide = n / WIDE_TERMS * WIDE_TERMS;
        wide = take_wide(at, n_wide, terms, weights);
    }
#endif
    take_terms(at + (size_t)n_wide * STORED_TERM, n - n_wide, terms + n_wide, weights + n_wide);
    rest = see_terms(terms, weights, n_wide, n);
    if (wide.n_bad + rest.n_bad > 0 || ((wide.bits | rest.bits) & WEIGHT_BAD) != 0)
        return refuse_terms(terms, weights, n, err); /* nearly none */
    *out = (struct text_vector){
        .terms = terms, .weights = weights, .n = n, .norm2 = wide.norm2 + rest.norm2};
    return ERR_OK;
}

enum err_code
text_vector_read(struct str bytes, struct arena *arena, struct text_vector *out, struct err *err)
{
    uint32_t *terms, n;
    uint16_t *weights;
    enum err_code code = text_vector_count(bytes, &n, err);

    if (code != ERR_OK)
        return code;
    if (!alloc_vector(arena, n, &terms, &weights))
        return err_no_memory(err);
    return text_vector_unpack(bytes, terms, weights, out, err);
}

/* ---- the evidence ---- */

/* A vector's terms with words to name them, out of the bag's reach. In the arena. */
struct named_term {
    uint32_t term;
    uint16_t weight;
    struct str word;
};

static enum err_code
name_terms(struct lexicon_reader *reader, const struct text_source *sources, size_t n_sources,
           enum lang lang, struct arena *arena, struct named_term **out, size_t *n, struct err *err)
{
    struct text_bag *bag = &reader->bag;
    struct weighed *list;
    struct named_term *named;

    if (text_bag_fill(bag, sources, n_sources, err) != ERR_OK ||
        weigh(bag, &list, n, err) != ERR_OK)
        return err->code;
    named = arena_alloc(arena, *n, sizeof *named);
    if (named == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < *n; i++) {
        struct str word;

        if (term_class_of(list[i].term) == TERM_CONCEPT) {
            word = lexicon_concept_form(reader->lexicon, list[i].label, lang);
            if (word.len == 0)
                word = lexicon_concept_code(reader->lexicon, list[i].label);
        } else {
            word = bag->words[list[i].label];
        }
        named[i] = (struct named_term){list[i].term, list[i].weight, arena_str(arena, word)};
        if (named[i].word.data == NULL)
            return err_no_memory(err);
    }
    *out = named;
    return ERR_OK;
}

/* Adds to the word's product, or begins one. */
static void
add_shared(struct text_shared *list, size_t *n, struct str word, int64_t product)
{
    size_t i = 0;

    while (i < *n && !str_equal(list[i].word, word))
        i++;
    if (i == *n)
        list[(*n)++] = (struct text_shared){.word = word};
    list[i].product += product;
}

static int
compare_shared(const void *a, const void *b)
{
    const struct text_shared *x = a, *y = b;

    if (x->product != y->product)
        return x->product > y->product ? -1 : 1;
    return str_compare(x->word, y->word);
}

static void
collect(const struct named_term *a, size_t n_a, const struct named_term *b, size_t n_b,
        struct text_shared *list, size_t *n)
{
    size_t i = 0, j = 0;

    while (i < n_a && j < n_b) {
        bool is_word =
            term_class_of(a[i].term) == TERM_STEM || term_class_of(a[i].term) == TERM_CONCEPT;
        uint32_t x = a[i].term, y = b[j].term;

        if (x == y && is_word)
            add_shared(list, n, a[i].word, (int64_t)a[i].weight * b[j].weight);
        i += x <= y;
        j += y <= x;
    }
}

enum err_code
text_shared_terms(struct lexicon_reader *reader, const struct text_source *a, size_t n_a,
                  const struct text_source *b, size_t n_b, enum lang lang, size_t most,
                  struct arena *arena, struct text_shared **out, size_t *n, struct err *err)
{
    struct named_term *of_a, *of_b;
    struct text_shared *list;
    size_t n_of_a, n_of_b, n_list = 0;
    struct err unheard;

    if (err == NULL)
        err = &unheard;
    if (name_terms(reader, a, n_a, lang, arena, &of_a, &n_of_a, err) != ERR_OK ||
        name_terms(reader, b, n_b, lang, arena, &of_b, &n_of_b, err) != ERR_OK)
        return err->code;
    list = arena_alloc(arena, TEXT_TERMS_MAX, sizeof *list);
    if (list == NULL)
        return err_no_memory(err);
    /* Letters or topics in common name no word that stands in both: nothing is shown for them. */
    collect(of_a, n_of_a, of_b, n_of_b, list, &n_list);
    qsort(list, n_list, sizeof *list, compare_shared);
    *out = list;
    *n = n_list < most ? n_list : most;
    return ERR_OK;
}
