#include "sample_text.h"

#include "csv_reader.h"

#include <stdlib.h>

enum { GRAMS_MAX = 48, WORD_BYTES = 24, WORDS_LEAST = 12, WORDS_MORE = 10, SHIFT_CLASS = 29 };
enum { CLASS_3GRAM, CLASS_4GRAM, CLASS_STEM, CLASS_CONCEPT, CLASS_TOPIC, CLASS_COUNT };
enum { TOPICS = 340, TOPICS_A_TEXT = 5, FULL_FREQUENCY = 128, GRAM_DOCUMENTS = 100 };

static const uint32_t class_weights[CLASS_COUNT] = {10, 20, 50, 100, 200};

struct sample_word { /* what one occurrence of it adds */
    struct text_term terms[GRAMS_MAX];
    uint32_t n;
};
struct sample_text {
    struct sample_word *words;
    struct draw draw, topics;
    uint32_t all; /* documents */
};

/* ---- drawing numbers ---- */

enum err_code
draw_make(struct draw *draw, size_t n, bool is_skewed, struct arena *arena, struct err *err)
{
    uint64_t *sums = arena_alloc(arena, n, sizeof *sums), sum = 0;

    if (sums == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n; i++)
        sums[i] = sum += is_skewed ? (UINT64_C(1) << 32) / (i + 1) : 1;
    *draw = (struct draw){sums, n};
    return ERR_OK;
}

size_t
draw_next(const struct draw *draw, struct random *random)
{
    uint64_t at = random_below(random, draw->sums[draw->n - 1]);
    size_t low = 0, high = draw->n - 1;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (draw->sums[middle] > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* ---- terms, as text-vectors.md has them ---- */

static uint32_t
log2_sixteenths(uint32_t x) /* x >= 1 */
{
    uint32_t k = 31 - (uint32_t)__builtin_clz(x);

    return 16 * k + 16 * (x - (UINT32_C(1) << k)) / (UINT32_C(1) << k);
}

static struct text_term
term_of(const struct sample_text *text, uint32_t class, struct str written, uint32_t documents)
{
    uint32_t f = UINT32_C(2166136261), low = (UINT32_C(1) << SHIFT_CLASS) - 1;
    uint32_t rarity = 16 + log2_sixteenths(text->all + 1) - log2_sixteenths(documents + 1);

    for (size_t i = 0; i < written.len; i++)
        f = (f ^ (unsigned char)written.data[i]) * UINT32_C(16777619);
    return (struct text_term){(class << SHIFT_CLASS) + ((f >> SHIFT_CLASS) ^ (f & low)),
                              (uint16_t)(class_weights[class] * FULL_FREQUENCY * rarity / 4096)};
}

static void
add_grams(const struct sample_text *text, struct str stem, struct sample_word *word)
{
    char marked[WORD_BYTES + 2];
    size_t len = stem.len < WORD_BYTES ? stem.len : WORD_BYTES;

    marked[0] = marked[len + 1] = '_';
    memcpy(marked + 1, stem.data, len);
    for (size_t size = 3; size <= 4; size++)
        for (size_t at = 0; at + size <= len + 2 && word->n < GRAMS_MAX; at++)
            word->terms[word->n++] = term_of(text, size == 3 ? CLASS_3GRAM : CLASS_4GRAM,
                                             (struct str){marked + at, size}, GRAM_DOCUMENTS);
}

/* ---- the words of the lexicon ---- */

static bool
read_count(struct str cell, uint32_t *out)
{
    uint32_t value = 0;

    for (size_t i = 0; i < cell.len; i++) {
        if (cell.data[i] < '0' || cell.data[i] > '9' || value > 100000000)
            return false;
        value = 10 * value + (uint32_t)(cell.data[i] - '0');
    }
    *out = value;
    return cell.len > 0 && value > 0;
}

static enum err_code
read_row(struct sample_text *text, const struct csv_row *row, uint64_t *sums, bool is_skewed,
         struct err *err)
{
    struct str written = row->cells[0], name;
    struct draw *draw = &text->draw;
    uint32_t documents;
    bool is_concept;

    if (row->n_cells != 2 || !read_count(row->cells[1], &documents))
        return err_set(err, ERR_INVALID_PARAMS, "frequencies, line %zu: no count of documents",
                       row->line);
    if (str_is(written, "*"))
        text->all = documents;
    if (written.len < 3 || (written.data[0] != 's' && written.data[0] != 'c'))
        return ERR_OK;
    is_concept = written.data[0] == 'c';
    name = (struct str){written.data + 2, written.len - 2};
    struct sample_word *word = &text->words[draw->n];
    word->terms[word->n++] =
        term_of(text, is_concept ? CLASS_CONCEPT : CLASS_STEM, name, documents);
    add_grams(text, name, word);
    sums[draw->n] = (draw->n > 0 ? sums[draw->n - 1] : 0) + (is_skewed ? documents : 1);
    draw->n++;
    return ERR_OK;
}

enum err_code
sample_text_make(struct str frequencies, bool is_skewed, struct arena *arena,
                 struct sample_text **out, struct err *err)
{
    struct csv_form form = {.separator = ','};
    struct csv_limits limits = csv_limits_default;
    struct sample_text *text = arena_alloc(arena, 1, sizeof *text);
    struct csv_table table;
    uint64_t *sums;
    enum err_code code;

    if (text == NULL)
        return err_no_memory(err);
    code = csv_decode(frequencies, &form, &limits, arena, &table, err);
    if (code == ERR_OK)
        code = draw_make(&text->topics, TOPICS, is_skewed, arena, err);
    if (code != ERR_OK)
        return code;
    text->words = arena_alloc(arena, table.n_rows, sizeof *text->words);
    sums = arena_alloc(arena, table.n_rows, sizeof *sums);
    if (text->words == NULL || sums == NULL)
        return err_no_memory(err);
    text->draw.sums = sums;
    for (size_t i = 1; i < table.n_rows && code == ERR_OK; i++)
        code = read_row(text, &table.rows[i], sums, is_skewed, err);
    if (code == ERR_OK && text->draw.n == 0)
        code = err_set(err, ERR_INVALID_PARAMS, "frequencies name no concept and no stem");
    *out = text;
    return code;
}

/* ---- one text ---- */

static int
compare_terms(const void *a, const void *b)
{
    uint32_t x = ((const struct text_term *)a)->term, y = ((const struct text_term *)b)->term;

    return (x > y) - (x < y);
}

static size_t
draw_terms(const struct sample_text *text, struct random *random, struct text_term *terms,
           size_t room)
{
    size_t n_words = WORDS_LEAST + random_below(random, WORDS_MORE), n = 0;

    for (size_t i = 0; i < TOPICS_A_TEXT; i++) {
        uint32_t topic = (uint32_t)draw_next(&text->topics, random);

        terms[n++] =
            (struct text_term){((uint32_t)CLASS_TOPIC << SHIFT_CLASS) + topic * UINT32_C(1500450),
                               (uint16_t)(20 + random_below(random, 380))};
    }
    for (size_t i = 0; i < n_words; i++) {
        const struct sample_word *word = &text->words[draw_next(&text->draw, random)];

        for (uint32_t j = 0; j < word->n && n < room; j++)
            terms[n++] = word->terms[j];
    }
    return n;
}

enum err_code
sample_text_draw(const struct sample_text *text, struct random *random, struct arena *arena,
                 struct text_vector *out, struct err *err)
{
    struct text_term terms[TEXT_TERMS_MAX];
    size_t n = draw_terms(text, random, terms, TEXT_TERMS_MAX);
    uint32_t *numbers = arena_alloc(arena, n, sizeof *numbers), kept = 0;
    uint16_t *weights = arena_alloc(arena, n, sizeof *weights);

    if (numbers == NULL || weights == NULL)
        return err_no_memory(err);
    qsort(terms, n, sizeof *terms, compare_terms);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 &&
            numbers[kept - 1] == terms[i].term) { /* twice the units: half as much again */
            uint32_t more = weights[kept - 1] + terms[i].weight / 2U;

            weights[kept - 1] = (uint16_t)(more < TEXT_WEIGHT_MAX ? more : TEXT_WEIGHT_MAX);
            continue;
        }
        numbers[kept] = terms[i].term;
        weights[kept++] = terms[i].weight > 0 ? terms[i].weight : 1;
    }
    *out = (struct text_vector){numbers, weights, kept, 0};
    for (uint32_t i = 0; i < kept; i++)
        out->norm2 += (uint32_t)weights[i] * weights[i];
    return ERR_OK;
}
