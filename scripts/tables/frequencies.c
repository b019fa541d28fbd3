#include "file.h"
#include "tables.h"
#include "text_bag.h"
#include "vocabulary.h"

#include <jansson.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * How many documents hold each term. The documents are our own: each description of the sample
 * profiles in each language, each row of the vocabularies and each concept of the glossary in each
 * language. The bag tells the terms of a document by number only; the names that go into the file
 * are made here, from every word's stem and grams.
 */
enum {
    FILE_BYTES_MAX = 256 * 1024 * 1024,
    TABLES_ARENA_MAX = 1024 * 1024 * 1024,
    /* rarer ones are left out; lexicon_documents counts them as 1 and 5 */
    DOCUMENTS_MIN = 2,
    GRAM_DOCUMENTS_MIN = 10,
    NAME_BYTES_MAX = 2 + WORD_BYTES_MAX,
};

static const char *const vocabularies[] = {"sectors", "needs",    "stages",
                                           "kinds",   "outcomes", "metros"};

struct counted {
    uint32_t term, documents;
    char name[NAME_BYTES_MAX + 1];
};

struct counter {
    struct text_bag bag;
    struct stemmers *stemmers;
    struct arena *arena;
    struct counted **places; /* by term; open addressing */
    size_t mask, n;
    uint32_t n_documents;
};

static struct counted **
place_of(const struct counter *counter, uint32_t term)
{
    size_t at = term * UINT32_C(0x9E3779B1) & counter->mask;

    while (counter->places[at] != NULL && counter->places[at]->term != term)
        at = (at + 1) & counter->mask;
    return &counter->places[at];
}

static enum err_code
grow(struct counter *counter, struct err *err)
{
    struct counted **old = counter->places;
    size_t n_old = counter->mask + 1;

    counter->places = calloc(2 * n_old, sizeof(struct counted *));
    if (counter->places == NULL) {
        counter->places = old;
        return err_no_memory(err);
    }
    counter->mask = 2 * n_old - 1;
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            *place_of(counter, old[i]->term) = old[i];
    free(old);
    return ERR_OK;
}

static enum err_code
name_term(struct counter *counter, enum term_class class, struct str text, struct err *err)
{
    static const char letters[TERM_CLASS_COUNT + 1] = "34sc";
    uint32_t term = term_of(class, text);
    struct counted **place = place_of(counter, term);

    if (*place != NULL)
        return ERR_OK;
    *place = arena_alloc(counter->arena, 1, sizeof **place);
    if (*place == NULL)
        return err_no_memory(err);
    (*place)->term = term;
    snprintf((*place)->name, sizeof(*place)->name, "%c:%.*s", letters[class], STR_ARG(text));
    if (++counter->n > counter->mask / 2)
        return grow(counter, err);
    return ERR_OK;
}

static enum err_code
name_grams(struct counter *counter, struct str word, struct err *err)
{
    char marked[WORD_BYTES_MAX + 2];
    size_t starts[WORD_BYTES_MAX + 3], n = 0;

    marked[0] = marked[word.len + 1] = '_';
    memcpy(marked + 1, word.data, word.len);
    for (size_t i = 0; i < word.len + 2; i++)
        if (((unsigned char)marked[i] & 0xC0) != 0x80)
            starts[n++] = i;
    starts[n] = word.len + 2;
    for (size_t size = 3; size <= 4; size++)
        for (size_t i = 0; i + size <= n; i++) {
            struct str gram = {marked + starts[i], starts[i + size] - starts[i]};
            enum err_code code = name_term(counter, size == 3 ? TERM_GRAM3 : TERM_GRAM4, gram, err);

            if (code != ERR_OK)
                return code;
        }
    return ERR_OK;
}

static enum err_code
name_words(struct counter *counter, struct str lang, struct str text, struct err *err)
{
    struct arena_mark mark = arena_mark(counter->bag.scratch);
    struct word_cursor cursor = words_begin(text);
    struct word word;
    bool found;

    for (;;) {
        enum err_code code = words_next(&cursor, counter->bag.scratch, &word, &found, err);
        struct str stem;

        if (code != ERR_OK)
            return code;
        if (!found)
            break;
        stem = stemmers_stem(counter->stemmers, lang, word.folded);
        if (stem.data == NULL)
            return err_no_memory(err);
        code = name_term(counter, TERM_STEM, stem, err);
        if (code == ERR_OK)
            code = name_grams(counter, word.folded, err);
        if (code != ERR_OK)
            return code;
    }
    arena_release(counter->bag.scratch, mark);
    return ERR_OK;
}

static enum err_code
add_document(struct counter *counter, const char *lang, struct str text, struct err *err)
{
    struct text_source source = {str_from(lang), text};
    enum err_code code = name_words(counter, source.lang, text, err);

    if (code == ERR_OK)
        code = text_bag_fill(&counter->bag, &source, 1, err);
    if (code != ERR_OK || counter->bag.n_entries == 0)
        return code;
    counter->n_documents++;
    for (size_t i = 0; i < counter->bag.n_entries; i++) {
        struct counted *counted = *place_of(counter, counter->bag.entries[i].term);

        if (counted != NULL)
            counted->documents++;
    }
    return ERR_OK;
}

/* ---- the documents ---- */

static enum err_code
read_path(const char *data, const char *name, struct buf *bytes, struct err *err)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", data, name) >= (int)sizeof path)
        return err_set(err, ERR_INVALID_PARAMS, "the path of the data folder is too long");
    buf_clear(bytes);
    return file_read(path, bytes, err);
}

static enum err_code
count_vocabulary(struct counter *counter, const char *data, const char *name, struct buf *bytes,
                 struct err *err)
{
    char file[64];
    struct vocabulary *vocabulary = NULL;
    enum err_code code;

    snprintf(file, sizeof file, "%s.csv", name);
    code = read_path(data, file, bytes, err);
    if (code == ERR_OK)
        code = vocabulary_parse(name, buf_str(bytes), &vocabulary, err);
    for (size_t row = 0; code == ERR_OK && row < vocabulary_size(vocabulary); row++)
        for (int lang = 0; code == ERR_OK && lang < LANG_COUNT; lang++) {
            struct str label = vocabulary_label(vocabulary, (int)row, (enum lang)lang);
            struct str synonyms = vocabulary_cell(vocabulary, (int)row,
                                                  lang == LANG_FR ? "synonyms_fr" : "synonyms_en");
            struct str both =
                arena_format(counter->arena, "%.*s; %.*s", STR_ARG(label), STR_ARG(synonyms));

            code = both.data == NULL ? err_no_memory(err)
                                     : add_document(counter, lang_code((enum lang)lang), both, err);
        }
    vocabulary_destroy(vocabulary);
    return code;
}

/* The glossary was checked when the lexicon was parsed: three cells a row, quotes around some. */
static enum err_code
count_glossary(struct counter *counter, struct str text, struct err *err)
{
    size_t end;
    enum err_code code = ERR_OK;

    for (size_t at = str_find(text, '\n', 0) + 1; code == ERR_OK && at < text.len; at = end + 1) {
        struct str cells[3] = {{0}};
        size_t from;

        end = str_find(text, '\n', at);
        from = at;
        if (end == at || text.data[at] == '#')
            continue;
        for (int i = 0; i < 3 && from <= end; i++) {
            bool is_quoted = text.data[from] == '"';
            size_t to = str_find(text, is_quoted ? '"' : ',', from + is_quoted);

            to = to > end ? end : to;
            cells[i] = (struct str){text.data + from + is_quoted, to - from - is_quoted};
            from = to + 1 + is_quoted;
        }
        code = name_term(counter, TERM_CONCEPT, cells[0], err);
        if (code == ERR_OK)
            code = add_document(counter, "en", cells[1], err);
        if (code == ERR_OK)
            code = add_document(counter, "fr", cells[2], err);
    }
    return code;
}

static enum err_code
count_profiles(struct counter *counter, struct str lines, const char *name, struct err *err)
{
    size_t number = 0, end;
    enum err_code code = ERR_OK;

    for (size_t at = 0; code == ERR_OK && at < lines.len; at = end + 1) {
        json_error_t fault;
        json_t *profile, *text;
        const char *lang;

        number++;
        end = str_find(lines, '\n', at);
        if (end == at)
            continue;
        profile = json_loadb(lines.data + at, end - at, 0, &fault);
        if (profile == NULL)
            return err_set(err, ERR_INVALID_PARAMS, "%s, line %zu: %s", name, number, fault.text);
        json_object_foreach(json_object_get(profile, "description"), lang, text)
        {
            if (code == ERR_OK && json_is_string(text))
                code = add_document(counter, lang,
                                    (struct str){json_string_value(text), json_string_length(text)},
                                    err);
        }
        json_decref(profile);
    }
    return code;
}

static enum err_code
count_all_profiles(struct counter *counter, const char *data, struct buf *bytes, struct err *err)
{
    char folder[4096], **names = NULL;
    size_t n = 0;
    enum err_code code;

    if (snprintf(folder, sizeof folder, "%s/profiles", data) >= (int)sizeof folder)
        return err_set(err, ERR_INVALID_PARAMS, "the path of the data folder is too long");
    code = file_list(folder, ".jsonl", &names, &n, err);
    for (size_t i = 0; code == ERR_OK && i < n; i++) {
        code = read_path(folder, names[i], bytes, err);
        if (code == ERR_OK)
            code = count_profiles(counter, buf_str(bytes), names[i], err);
    }
    file_free_names(names, n);
    return code;
}

/* ---- the file ---- */

static int
compare_counted(const void *a, const void *b)
{
    return strcmp((*(struct counted *const *)a)->name, (*(struct counted *const *)b)->name);
}

static size_t
write_counts(struct counter *counter, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i <= counter->mask; i++) {
        struct counted *counted = counter->places[i];
        uint32_t least = counted != NULL && term_class_of(counted->term) <= TERM_GRAM4
                             ? GRAM_DOCUMENTS_MIN
                             : DOCUMENTS_MIN;

        if (counted != NULL && counted->documents >= least)
            counter->places[n++] = counted;
    }
    qsort(counter->places, n, sizeof(struct counted *), compare_counted);
    buf_printf(out, "term,documents\n*,%" PRIu32 "\n", counter->n_documents);
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s,%" PRIu32 "\n", counter->places[i]->name,
                   counter->places[i]->documents);
    return n;
}

static enum err_code
count_documents(struct counter *counter, const char *data, struct buf *bytes, struct err *err)
{
    enum err_code code = read_path(data, "lexicon/glossary.csv", bytes, err);

    if (code == ERR_OK)
        code = count_glossary(counter, buf_str(bytes), err);
    for (size_t i = 0; code == ERR_OK && i < sizeof vocabularies / sizeof vocabularies[0]; i++)
        code = count_vocabulary(counter, data, vocabularies[i], bytes, err);
    if (code == ERR_OK)
        code = count_all_profiles(counter, data, bytes, err);
    return code;
}

enum err_code
tables_frequencies(const char *data, const struct lexicon *lexicon, struct buf *out,
                   size_t *n_terms, struct err *err)
{
    struct counter counter = {.mask = 65535};
    struct buf bytes;
    enum err_code code;

    buf_init(&bytes, FILE_BYTES_MAX);
    code = text_bag_init(&counter.bag, lexicon, err);
    if (code != ERR_OK)
        goto out;
    counter.stemmers = stemmers_create();
    counter.arena = arena_create(TABLES_ARENA_MAX);
    counter.places = calloc(counter.mask + 1, sizeof(struct counted *));
    if (counter.stemmers == NULL || counter.arena == NULL || counter.places == NULL) {
        code = err_no_memory(err);
        goto out;
    }
    code = count_documents(&counter, data, &bytes, err);
    if (code != ERR_OK)
        goto out;
    *n_terms = write_counts(&counter, out);
    code = buf_check(out, err);
out:
    free(counter.places);
    arena_destroy(counter.arena);
    stemmers_destroy(counter.stemmers);
    text_bag_fini(&counter.bag);
    buf_fini(&bytes);
    return code;
}
