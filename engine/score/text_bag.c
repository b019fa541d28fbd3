#include "text_bag.h"

#include "alloc.h"

/*
 * Each content word gives, where the glossary knows it (or the longest phrase that starts with it),
 * its concepts; else its stem. Both pull to topics: what is spoken of together in one line of
 * business. The site's table adds what words mean in the other language. Character grams let cognates
 * and misspellings meet: of words that nobody knows in full, of known ones a little. How much of
 * each was found by measuring pairs of one-liners (tests/bench/pairs).
 */
enum {
    INNER_UNITS = 60,      /* a concept of a word inside a longer phrase that was met */
    KNOWN_STEM_UNITS = 30, /* the stem of a word that names a concept */
    KNOWN_GRAM_UNITS = 30, /* its grams */
    GRAM_UNITS = BAG_UNIT, /* the grams of other words */
    SITE_UNITS = 60,       /* all translations of a word together; the word itself has BAG_UNIT */
    SITE_KNOWN_UNITS = 30, /* those of a word that names a concept */
};
enum {
    SOURCE_WORDS_MAX = 8192, /* what stands after them in one source is not read */
    UNITS_MAX = 1 << 24,
    GRAM_WORD_MIN = 3, /* characters of a word that is worth cutting up */
    SCRATCH_MAX = 64 * 1024 * 1024,
};

/* ---- the bag ---- */

enum err_code
text_bag_init(struct text_bag *bag, const struct lexicon *lexicon, struct err *err)
{
    *bag = (struct text_bag){.lexicon = lexicon, .places_mask = 1023, .entries_room = 512};
    bag->stemmers = stemmers_create();
    bag->scratch = arena_create(SCRATCH_MAX);
    bag->entries = mem_alloc_zeroed(bag->entries_room, sizeof *bag->entries);
    bag->places = mem_alloc_zeroed(bag->places_mask + 1, sizeof *bag->places);
    if (bag->stemmers == NULL || bag->scratch == NULL || bag->entries == NULL ||
        bag->places == NULL) {
        text_bag_fini(bag);
        return err_no_memory(err);
    }
    return ERR_OK;
}

void
text_bag_fini(struct text_bag *bag)
{
    stemmers_destroy(bag->stemmers);
    arena_destroy(bag->scratch);
    mem_free(bag->entries);
    mem_free(bag->places);
    *bag = (struct text_bag){0};
}

static void
clear(struct text_bag *bag)
{
    memset(bag->places, 0, (bag->places_mask + 1) * sizeof *bag->places);
    bag->n_entries = 0;
    arena_reset(bag->scratch);
    bag->words = NULL;
    bag->n_words = bag->words_room = 0;
}

static size_t
place_of(const struct text_bag *bag, uint32_t term)
{
    size_t at = (term * UINT32_C(0x9E3779B1) >> 7) & bag->places_mask;

    while (bag->places[at] != 0 && bag->entries[bag->places[at] - 1].term != term)
        at = (at + 1) & bag->places_mask;
    return at;
}

static bool
grow(struct text_bag *bag)
{
    size_t room = 2 * bag->entries_room, n_places = 2 * (bag->places_mask + 1);
    struct bag_entry *entries = mem_realloc(bag->entries, room * sizeof *entries);
    uint32_t *places;

    if (entries == NULL)
        return false;
    bag->entries = entries;
    places = mem_alloc_zeroed(n_places, sizeof *places);
    if (places == NULL)
        return false;
    mem_free(bag->places);
    bag->places = places;
    bag->places_mask = n_places - 1;
    bag->entries_room = room;
    for (size_t i = 0; i < bag->n_entries; i++)
        places[place_of(bag, entries[i].term)] = (uint32_t)i + 1;
    return true;
}

static enum err_code
add(struct text_bag *bag, uint32_t term, uint32_t units, uint32_t label, struct err *err)
{
    struct bag_entry *entry;
    size_t at;

    if (units == 0)
        return ERR_OK;
    if (bag->n_entries == bag->entries_room && !grow(bag))
        return err_no_memory(err);
    at = place_of(bag, term);
    if (bag->places[at] == 0) {
        bag->entries[bag->n_entries] = (struct bag_entry){.term = term, .label = label};
        bag->places[at] = (uint32_t)++bag->n_entries;
    }
    entry = &bag->entries[bag->places[at] - 1];
    entry->units += units;
    if (entry->units > UNITS_MAX)
        entry->units = UNITS_MAX;
    return ERR_OK;
}

/* A concept or stem, and a share of its units for the topics that it belongs to. */
static enum err_code
add_telling(struct text_bag *bag, uint32_t term, uint32_t units, uint32_t label,
            uint32_t topic_label, struct err *err)
{
    enum err_code code = add(bag, term, units, label, err);

    for (const struct pull *pull = lexicon_pulls(bag->lexicon, term);
         code == ERR_OK && pull != NULL && pull->topic != 0; pull++)
        code = add(bag, pull->topic, units * pull->thousandths / PULL_WHOLE, topic_label, err);
    return code;
}

/* ---- the words of one source ---- */

struct token {
    struct str folded;
    struct str stems[LANG_COUNT]; /* data NULL until asked for */
    uint32_t label;
    bool starts_piece, is_number;
};

/* A source being read. */
struct reading {
    struct text_bag *bag;
    struct token *tokens; /* in the bag's scratch; stop words and elisions are gone */
    size_t n_tokens, room;
    enum lang first;    /* the glossary's side that is asked first */
    enum lang dropping; /* whose stop words go; LANG_COUNT: both */
    struct str lang;    /* whose stemmer names the stem terms */
    bool has_own_stems; /* lang is neither English nor French */
};

static bool
add_word(struct text_bag *bag, struct str written, uint32_t *label)
{
    if (bag->n_words == bag->words_room) {
        size_t room = bag->words_room != 0 ? 2 * bag->words_room : 128;
        struct str *words = arena_alloc(bag->scratch, room, sizeof *words);

        if (words == NULL)
            return false;
        if (bag->n_words > 0)
            memcpy(words, bag->words, bag->n_words * sizeof *words);
        bag->words = words;
        bag->words_room = room;
    }
    *label = (uint32_t)bag->n_words;
    bag->words[bag->n_words++] = written;
    return true;
}

static bool
add_token(struct reading *reading, const struct word *word, bool starts_piece)
{
    struct token *token;

    if (reading->n_tokens == reading->room) {
        size_t room = reading->room != 0 ? 2 * reading->room : 64;
        struct token *tokens = arena_alloc(reading->bag->scratch, room, sizeof *tokens);

        if (tokens == NULL)
            return false;
        if (reading->n_tokens > 0)
            memcpy(tokens, reading->tokens, reading->n_tokens * sizeof *tokens);
        reading->tokens = tokens;
        reading->room = room;
    }
    token = &reading->tokens[reading->n_tokens];
    *token = (struct token){
        .folded = word->folded, .starts_piece = starts_piece, .is_number = word->is_number};
    if (!add_word(reading->bag, word->written, &token->label))
        return false;
    reading->n_tokens++;
    return true;
}

static enum err_code
read_words(struct reading *reading, struct str text, struct err *err)
{
    struct word_cursor cursor = words_begin(text);
    bool starts_piece = false, found = true;

    for (size_t n = 0; n < SOURCE_WORDS_MAX; n++) {
        struct word word;

        if (words_next(&cursor, reading->bag->scratch, &word, &found, err) != ERR_OK)
            return err->code;
        if (!found)
            break;
        starts_piece = starts_piece || word.starts_piece;
        if (lexicon_drops(reading->bag->lexicon, &word, reading->dropping))
            continue;
        if (!add_token(reading, &word, starts_piece))
            return err_no_memory(err);
        starts_piece = false;
    }
    return ERR_OK;
}

static enum err_code
stem_of(struct reading *reading, struct token *token, enum lang lang, struct str *stem,
        struct err *err)
{
    struct str *kept = &token->stems[lang];

    if (kept->data == NULL) {
        *kept = stemmers_stem(reading->bag->stemmers, str_from(lang_code(lang)), token->folded);
        if (kept->data != NULL)
            *kept = arena_str(reading->bag->scratch, *kept);
        if (kept->data == NULL)
            return err_no_memory(err);
    }
    *stem = *kept;
    return ERR_OK;
}

/* keys[n - 1] is that of the n tokens from `at`; how many there are before a phrase must end. */
static enum err_code
phrase_keys(struct reading *reading, size_t at, enum lang lang, uint64_t keys[PHRASE_WORDS_MAX],
            size_t *n, struct err *err)
{
    uint64_t key = phrase_begin(lang);

    for (*n = 0; *n < PHRASE_WORDS_MAX && at + *n < reading->n_tokens; ++*n) {
        struct token *token = &reading->tokens[at + *n];
        struct str stem;

        if (*n > 0 && token->starts_piece)
            break;
        if (stem_of(reading, token, lang, &stem, err) != ERR_OK)
            return err->code;
        key = phrase_add(key, stem);
        keys[*n] = key;
    }
    return ERR_OK;
}

/* ---- what a word brings ---- */

/* Shares the units among the concepts of a list. */
static enum err_code
add_concepts(struct text_bag *bag, int32_t list, uint32_t units, uint32_t label, struct err *err)
{
    uint32_t n = 0;
    int32_t at = list;

    for (; at >= 0; n++)
        lexicon_concept(bag->lexicon, at, &at);
    for (at = list; at >= 0;) {
        uint32_t concept = lexicon_concept(bag->lexicon, at, &at);

        if (add_telling(bag, lexicon_concept_term(bag->lexicon, concept), units / n, concept, label,
                        err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

/* The 3- and 4-grams of the word between two marks `_`, by characters. */
static enum err_code
add_grams(struct text_bag *bag, const struct token *token, uint32_t units, struct err *err)
{
    char marked[WORD_BYTES_MAX + 2];
    size_t starts[WORD_BYTES_MAX + 3], n = 0, len = token->folded.len;

    if (units == 0 || token->is_number)
        return ERR_OK;
    marked[0] = marked[len + 1] = '_';
    memcpy(marked + 1, token->folded.data, len);
    for (size_t i = 0; i < len + 2; i++)
        if (((unsigned char)marked[i] & 0xC0) != 0x80)
            starts[n++] = i;
    starts[n] = len + 2;
    if (n < GRAM_WORD_MIN + 2)
        return ERR_OK;
    for (size_t size = 3; size <= 4; size++)
        for (size_t i = 0; i + size <= n; i++) {
            struct str gram = {marked + starts[i], starts[i + size] - starts[i]};
            uint32_t term = term_of(size == 3 ? TERM_GRAM3 : TERM_GRAM4, gram);

            if (add(bag, term, units, token->label, err) != ERR_OK)
                return err->code;
        }
    return ERR_OK;
}

static enum err_code
add_stem(struct reading *reading, struct token *token, bool is_known, struct err *err)
{
    struct str stem;

    if (token->is_number || token->folded.len < 2)
        return ERR_OK;
    if (!reading->has_own_stems) {
        if (stem_of(reading, token, reading->first, &stem, err) != ERR_OK)
            return err->code;
    } else {
        stem = stemmers_stem(reading->bag->stemmers, reading->lang, token->folded);
        if (stem.data == NULL)
            return err_no_memory(err);
    }
    if (is_known) /* its concept pulls the topics */
        return add(reading->bag, term_of(TERM_STEM, stem), KNOWN_STEM_UNITS, token->label, err);
    return add_telling(reading->bag, term_of(TERM_STEM, stem), BAG_UNIT, token->label, token->label,
                       err);
}

/* What the site's table says the phrase means: the concepts or stems of its translations, which
 * share the units by their weights: a word with many meanings gives little to each. */
static enum err_code
add_translations(struct text_bag *bag, uint64_t phrase, uint32_t units, uint32_t label,
                 struct err *err)
{
    int32_t list = lexicon_translations(bag->lexicon, phrase);
    uint32_t total = 0;

    for (int32_t at = list; at >= 0; at = lexicon_translation(bag->lexicon, at)->next)
        total += lexicon_translation(bag->lexicon, at)->weight;
    for (int32_t at = list; at >= 0;) {
        const struct translation *to = lexicon_translation(bag->lexicon, at);
        uint32_t share = units * to->weight / total;
        int32_t concepts = lexicon_find(bag->lexicon, to->phrase);
        enum err_code code = ERR_OK;

        at = to->next;
        if (concepts >= 0)
            code = add_concepts(bag, concepts, share, label, err);
        else
            for (int i = 0; i < to->n_stems && code == ERR_OK; i++)
                code = add_telling(bag, to->stems[i], share / to->n_stems, label, label, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* The concepts that the words from `at` name, by the longest phrase, in the text's own language
 * before the other; *n words of it, 0 if there is none. */
static enum err_code
find_phrase(struct reading *reading, size_t at, size_t most, int32_t *list, size_t *n,
            struct err *err)
{
    enum lang order[2] = {reading->first, reading->first == LANG_FR ? LANG_EN : LANG_FR};
    uint64_t keys[2][PHRASE_WORDS_MAX];
    size_t n_keys[2];

    for (int i = 0; i < 2; i++)
        if (phrase_keys(reading, at, order[i], keys[i], &n_keys[i], err) != ERR_OK)
            return err->code;
    for (*n = n_keys[0] < most ? n_keys[0] : most; *n > 0; --*n)
        for (int i = 0; i < 2; i++) {
            *list = lexicon_find(reading->bag->lexicon, keys[i][*n - 1]);
            if (*list >= 0)
                return ERR_OK;
        }
    return ERR_OK;
}

/* The site's phrases that start at `at`, of two words and more; the words themselves follow. */
static enum err_code
read_site_phrase(struct reading *reading, size_t at, struct err *err)
{
    uint64_t keys[PHRASE_WORDS_MAX];
    size_t n;

    if (phrase_keys(reading, at, reading->first, keys, &n, err) != ERR_OK)
        return err->code;
    for (; n > 1; n--)
        if (lexicon_translations(reading->bag->lexicon, keys[n - 1]) >= 0)
            return add_translations(reading->bag, keys[n - 1], SITE_UNITS,
                                    reading->tokens[at].label, err);
    return ERR_OK;
}

static enum err_code
read_single(struct reading *reading, struct token *token, bool is_known, struct err *err)
{
    uint32_t site = is_known ? SITE_KNOWN_UNITS : SITE_UNITS;
    struct str stem;

    if (add_stem(reading, token, is_known, err) != ERR_OK ||
        add_grams(reading->bag, token, is_known ? KNOWN_GRAM_UNITS : GRAM_UNITS, err) != ERR_OK ||
        stem_of(reading, token, reading->first, &stem, err) != ERR_OK)
        return err->code;
    if (site == 0)
        return ERR_OK;
    return add_translations(reading->bag, phrase_add(phrase_begin(reading->first), stem), site,
                            token->label, err);
}

static enum err_code
read_inner_words(struct reading *reading, size_t at, size_t n, struct err *err)
{
    for (size_t i = at; i < at + n; i++) {
        size_t n_found = 0;
        int32_t list = -1;

        if (find_phrase(reading, i, 1, &list, &n_found, err) != ERR_OK ||
            (n_found > 0 && add_concepts(reading->bag, list, INNER_UNITS, reading->tokens[i].label,
                                         err) != ERR_OK) ||
            read_single(reading, &reading->tokens[i], true, err) != ERR_OK)
            return err->code;
    }
    return ERR_OK;
}

static enum err_code
read_tokens(struct reading *reading, struct err *err)
{
    for (size_t at = 0; at < reading->n_tokens;) {
        struct token *token = &reading->tokens[at];
        size_t n = 0;
        int32_t list = -1;
        enum err_code code;

        if (find_phrase(reading, at, PHRASE_WORDS_MAX, &list, &n, err) != ERR_OK)
            return err->code;
        if (n > 0 && add_concepts(reading->bag, list, BAG_UNIT, token->label, err) != ERR_OK)
            return err->code;
        if (n > 1) {
            code = read_inner_words(reading, at, n, err);
        } else {
            code = n == 0 ? read_site_phrase(reading, at, err) : ERR_OK;
            if (code == ERR_OK)
                code = read_single(reading, token, n == 1, err);
            n = 1;
        }
        if (code != ERR_OK)
            return code;
        at += n;
    }
    return ERR_OK;
}

static enum err_code
read_source(struct text_bag *bag, const struct text_source *source, struct err *err)
{
    bool is_fr = str_is(source->lang, "fr"), is_en = str_is(source->lang, "en");
    struct reading reading = {
        .bag = bag,
        .first = is_fr ? LANG_FR : LANG_EN,
        .dropping = is_fr   ? LANG_FR
                    : is_en ? LANG_EN
                            : LANG_COUNT,
        .lang = source->lang,
        .has_own_stems = !is_fr && !is_en && source->lang.len > 0,
    };

    if (read_words(&reading, source->text, err) != ERR_OK)
        return err->code;
    return read_tokens(&reading, err);
}

/* ---- sources ---- */

static bool
is_first_of_language(const struct text_source *sources, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (str_equal(sources[j].lang, sources[i].lang))
            return false;
    return true;
}

static enum err_code
read_language(struct text_bag *bag, const struct text_source *sources, size_t n_sources,
              struct str lang, struct err *err)
{
    for (size_t i = 0; i < n_sources; i++)
        if (str_equal(sources[i].lang, lang) && read_source(bag, &sources[i], err) != ERR_OK)
            return err->code;
    return ERR_OK;
}

enum err_code
text_bag_fill(struct text_bag *bag, const struct text_source *sources, size_t n_sources,
              struct err *err)
{
    struct err unheard;

    if (err == NULL)
        err = &unheard;
    clear(bag);
    for (size_t i = 0; i < n_sources; i++) {
        if (sources[i].lang.len == 0 || !is_first_of_language(sources, i))
            continue;
        if (read_language(bag, sources, n_sources, sources[i].lang, err) != ERR_OK)
            return err->code;
        for (size_t j = 0; j < bag->n_entries; j++) {
            struct bag_entry *entry = &bag->entries[j];

            if (entry->most < entry->units)
                entry->most = entry->units;
            entry->units = 0;
        }
    }
    if (read_language(bag, sources, n_sources, (struct str){NULL, 0}, err) != ERR_OK)
        return err->code;
    for (size_t j = 0; j < bag->n_entries; j++)
        bag->entries[j].most += bag->entries[j].units;
    return ERR_OK;
}
