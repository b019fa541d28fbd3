#include "counts.h"

#include <stdio.h>
#include <stdlib.h>

enum { COUNTS_ARENA_MAX = 1024 * 1024 * 1024, PLACES_AT_FIRST = 65536, TOPIC_NONE = -1 };

static struct counted **
place_of(const struct counts *counts, uint32_t term)
{
    size_t at = term * UINT32_C(0x9E3779B1) & counts->mask;

    while (counts->places[at] != NULL && counts->places[at]->term != term)
        at = (at + 1) & counts->mask;
    return &counts->places[at];
}

static enum err_code
grow(struct counts *counts, struct err *err)
{
    struct counted **old = counts->places;
    size_t n_old = counts->mask + 1;

    counts->places = calloc(2 * n_old, sizeof(struct counted *));
    if (counts->places == NULL) {
        counts->places = old;
        return err_no_memory(err);
    }
    counts->mask = 2 * n_old - 1;
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            *place_of(counts, old[i]->term) = old[i];
    free(old);
    return ERR_OK;
}

/* ---- names ---- */

static enum err_code
name_term(struct counts *counts, enum term_class class, struct str text, struct err *err)
{
    static const char letters[TERM_CLASS_COUNT + 1] = "34sct";
    uint32_t term = term_of(class, text);
    struct counted **place = place_of(counts, term);
    struct str name;

    if (*place != NULL)
        return ERR_OK;
    *place = arena_alloc(counts->arena, 1, sizeof **place);
    name = arena_format(counts->arena, "%c:%.*s", letters[class], STR_ARG(text));
    if (*place == NULL || name.data == NULL)
        return err_no_memory(err);
    **place = (struct counted){.term = term, .name = name.data};
    return ++counts->n > counts->mask / 2 ? grow(counts, err) : ERR_OK;
}

static enum err_code
name_grams(struct counts *counts, struct str word, struct err *err)
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
            enum err_code code = name_term(counts, size == 3 ? TERM_GRAM3 : TERM_GRAM4, gram, err);

            if (code != ERR_OK)
                return code;
        }
    return ERR_OK;
}

static enum err_code
name_words(struct counts *counts, struct str lang, struct str text, struct err *err)
{
    struct arena_mark mark = arena_mark(counts->bag.scratch);
    struct word_cursor cursor = words_begin(text);
    struct word word;
    bool found;

    for (;;) {
        enum err_code code = words_next(&cursor, counts->bag.scratch, &word, &found, err);
        struct str stem;

        if (code != ERR_OK)
            return code;
        if (!found)
            break;
        stem = stemmers_stem(counts->stemmers, lang, word.folded);
        if (stem.data == NULL)
            return err_no_memory(err);
        code = name_term(counts, TERM_STEM, stem, err);
        if (code == ERR_OK)
            code = name_grams(counts, word.folded, err);
        if (code != ERR_OK)
            return code;
    }
    arena_release(counts->bag.scratch, mark);
    return ERR_OK;
}

/* ---- topics ---- */

static enum err_code
number_topic(struct counts *counts, struct str name, uint32_t *number, struct err *err)
{
    size_t i = 0;

    while (i < counts->n_topics && !str_equal(counts->topics[i], name))
        i++;
    if (i == counts->topics_room) {
        size_t room = i != 0 ? 2 * i : 256;
        struct str *topics = realloc(counts->topics, room * sizeof *topics);

        if (topics == NULL)
            return err_no_memory(err);
        counts->topics = topics;
        counts->topics_room = room;
    }
    if (i == counts->n_topics) {
        counts->topics[i] = arena_str(counts->arena, name);
        if (counts->topics[i].data == NULL)
            return err_no_memory(err);
        counts->n_topics++;
    }
    *number = (uint32_t)i;
    return ERR_OK;
}

static enum err_code
meet(struct counts *counts, struct counted *counted, uint32_t topic, uint32_t share_6,
     struct err *err)
{
    struct met *met = counted->met;

    while (met != NULL && met->topic != topic)
        met = met->next;
    if (met == NULL) {
        met = arena_alloc(counts->arena, 1, sizeof *met);
        if (met == NULL)
            return err_no_memory(err);
        *met = (struct met){.topic = topic, .next = counted->met};
        counted->met = met;
    }
    met->share_6 += share_6;
    return ERR_OK;
}

/* ---- documents ---- */

static enum err_code
count_document(void *context, const struct document *document, struct err *err)
{
    struct counts *counts = context;
    struct text_source source = {document->lang, document->text};
    uint32_t topics[DOCUMENT_TOPICS_MAX];
    uint32_t share_6 = document->is_definition ? 12 : 6;
    enum err_code code = name_words(counts, document->lang, document->text, err);

    if (code == ERR_OK && document->concept.len > 0)
        code = name_term(counts, TERM_CONCEPT, document->concept, err);
    for (size_t i = 0; code == ERR_OK && i < document->n_topics; i++)
        code = number_topic(counts, document->topics[i], &topics[i], err);
    if (code == ERR_OK)
        code = text_bag_fill(&counts->bag, &source, 1, err);
    if (code == ERR_OK && counts->bag.n_entries > 0)
        counts->n_documents++;
    for (size_t i = 0; code == ERR_OK && i < counts->bag.n_entries; i++) {
        struct counted *counted = *place_of(counts, counts->bag.entries[i].term);

        if (counted == NULL) /* no word's own: cannot be named, so it counts as rare */
            continue;
        counted->documents++;
        if (term_class_of(counted->term) != TERM_STEM &&
            term_class_of(counted->term) != TERM_CONCEPT)
            continue;
        for (size_t j = 0; code == ERR_OK && j < document->n_topics; j++)
            code = meet(counts, counted, topics[j], share_6 / (uint32_t)document->n_topics, err);
    }
    return code;
}

enum err_code
counts_make(const char *data, const struct lexicon *lexicon, struct counts *counts, struct err *err)
{
    enum err_code code;

    *counts = (struct counts){.mask = PLACES_AT_FIRST - 1};
    code = text_bag_init(&counts->bag, lexicon, err);
    if (code != ERR_OK)
        return code;
    counts->stemmers = stemmers_create();
    counts->arena = arena_create(COUNTS_ARENA_MAX);
    counts->places = calloc(PLACES_AT_FIRST, sizeof(struct counted *));
    if (counts->stemmers == NULL || counts->arena == NULL || counts->places == NULL)
        return err_no_memory(err);
    return documents_visit(data, count_document, counts, err);
}

void
counts_fini(struct counts *counts)
{
    free(counts->topics);
    free(counts->places);
    arena_destroy(counts->arena);
    stemmers_destroy(counts->stemmers);
    text_bag_fini(&counts->bag);
    *counts = (struct counts){0};
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp((*(struct counted *const *)a)->name, (*(struct counted *const *)b)->name);
}

enum err_code
counts_by_name(struct counts *counts, struct counted ***list, size_t *n, struct err *err)
{
    *list = arena_alloc(counts->arena, counts->n, sizeof(struct counted *));
    *n = 0;
    if (*list == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i <= counts->mask; i++)
        if (counts->places[i] != NULL && counts->places[i]->documents > 0)
            (*list)[(*n)++] = counts->places[i];
    qsort(*list, *n, sizeof(struct counted *), compare_names);
    return ERR_OK;
}
