#include "alloc.h"
#include "lexicon_parts.h"

#include <assert.h>

/* frequencies.csv leaves out what is rarer than this */
enum { DOCUMENTS_ABSENT = 1, GRAM_DOCUMENTS_ABSENT = 5 };

/* ---- names by hash ---- */

static uint64_t
fnv1a_64(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
    return hash;
}

#define FNV_64_START UINT64_C(0xcbf29ce484222325)

uint32_t
term_of(enum term_class class, struct str text)
{
    uint32_t hash = UINT32_C(0x811c9dc5);

    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (unsigned char)text.data[i]) * UINT32_C(0x01000193);
    hash = (hash >> TERM_HASH_BITS) ^ (hash & ((UINT32_C(1) << TERM_HASH_BITS) - 1));
    return (uint32_t) class << TERM_HASH_BITS | hash;
}

uint64_t
phrase_begin(enum lang lang)
{
    return fnv1a_64(FNV_64_START, lang == LANG_FR ? STR_LIT("fr:") : STR_LIT("en:"));
}

uint64_t
phrase_add(uint64_t key, struct str stem)
{
    return fnv1a_64(fnv1a_64(key, stem), STR_LIT(" "));
}

uint64_t
lexicon_word_key(struct str folded)
{
    return fnv1a_64(FNV_64_START, folded);
}

/* ---- its files ---- */

/* clang-format off */
static const char *const names[] = {
    [LEXICON_GLOSSARY] = "glossary.csv",
    [LEXICON_STOPWORDS_EN] = "stopwords_en.txt",
    [LEXICON_STOPWORDS_FR] = "stopwords_fr.txt",
    [LEXICON_ELISIONS_FR] = "elisions_fr.txt",
    [LEXICON_FREQUENCIES] = "frequencies.csv",
    [LEXICON_TOPICS] = "topics.csv",
    [LEXICON_SITE] = "site.csv",
};
/* clang-format on */
static_assert(sizeof names / sizeof names[0] == LEXICON_FILE_COUNT, "every file has its name");

const char *
lexicon_file_name(int file)
{
    assert(file >= 0 && file < LEXICON_FILE_COUNT);
    return names[file];
}

struct digest
lexicon_files_digest(const struct str files[LEXICON_FILE_COUNT])
{
    struct digest_state state;

    digest_begin(&state);
    digest_add_u64(&state, TEXT_VECTOR_FORMULA);
    for (int i = 0; i < LEXICON_FILE_COUNT; i++)
        digest_add_str(&state, files[i]);
    return digest_end(&state);
}

/* ---- a lexicon ---- */

void
lexicon_destroy(struct lexicon *lexicon)
{
    if (lexicon == NULL)
        return;
    key_table_fini(&lexicon->phrases);
    key_table_fini(&lexicon->stops[LANG_EN]);
    key_table_fini(&lexicon->stops[LANG_FR]);
    key_table_fini(&lexicon->elisions);
    key_table_fini(&lexicon->documents);
    key_table_fini(&lexicon->topics);
    key_table_fini(&lexicon->site);
    mem_free(lexicon->pulls);
    mem_free(lexicon->translations);
    mem_free(lexicon->named);
    mem_free(lexicon->concepts);
    arena_destroy(lexicon->arena);
    mem_free(lexicon);
}

struct digest
lexicon_digest(const struct lexicon *lexicon)
{
    return lexicon->digest;
}

/* ---- what vectors ask ---- */

/* IT and US are names, it and us say nothing. */
static bool
is_capitals(struct str written)
{
    for (size_t i = 0; i < written.len; i++)
        if (written.data[i] < 'A' || written.data[i] > 'Z')
            return false;
    return written.len > 1;
}

bool
lexicon_drops(const struct lexicon *lexicon, const struct word *word, enum lang lang)
{
    uint64_t key = lexicon_word_key(word->folded);

    if (lang != LANG_EN && word->before_apostrophe && key_table_find(&lexicon->elisions, key) > 0)
        return true;
    if (is_capitals(word->written))
        return false;
    return (lang != LANG_FR && key_table_find(&lexicon->stops[LANG_EN], key) > 0) ||
           (lang != LANG_EN && key_table_find(&lexicon->stops[LANG_FR], key) > 0);
}

int32_t
lexicon_find(const struct lexicon *lexicon, uint64_t phrase)
{
    return key_table_find(&lexicon->phrases, phrase);
}

uint32_t
lexicon_concept(const struct lexicon *lexicon, int32_t at, int32_t *next)
{
    *next = lexicon->named[at].next;
    return lexicon->named[at].concept;
}

size_t
lexicon_concepts(const struct lexicon *lexicon)
{
    return lexicon->n_concepts;
}

uint32_t
lexicon_concept_term(const struct lexicon *lexicon, uint32_t concept)
{
    return lexicon->concepts[concept].term;
}

struct str
lexicon_concept_code(const struct lexicon *lexicon, uint32_t concept)
{
    return lexicon->concepts[concept].code;
}

struct str
lexicon_concept_form(const struct lexicon *lexicon, uint32_t concept, enum lang lang)
{
    return lexicon->concepts[concept].forms[lang];
}

int32_t
lexicon_translations(const struct lexicon *lexicon, uint64_t phrase)
{
    return key_table_find(&lexicon->site, phrase);
}

const struct translation *
lexicon_translation(const struct lexicon *lexicon, int32_t at)
{
    return &lexicon->translations[at];
}

const struct pull *
lexicon_pulls(const struct lexicon *lexicon, uint32_t term)
{
    int32_t first = key_table_find(&lexicon->topics, (uint64_t)term + 1);

    return first >= 0 ? &lexicon->pulls[first] : NULL;
}

uint32_t
lexicon_documents(const struct lexicon *lexicon, uint32_t term)
{
    int32_t n = key_table_find(&lexicon->documents, (uint64_t)term + 1);

    if (n >= 0)
        return (uint32_t)n;
    return term_class_of(term) <= TERM_GRAM4 ? GRAM_DOCUMENTS_ABSENT : DOCUMENTS_ABSENT;
}

uint32_t
lexicon_documents_all(const struct lexicon *lexicon)
{
    return lexicon->n_documents;
}

uint32_t
log2_16(uint32_t x)
{
    uint32_t k = 31 - (uint32_t)__builtin_clz(x);

    return LOG2_ONE * k + (uint32_t)(((uint64_t)x - (UINT64_C(1) << k)) * LOG2_ONE >> k);
}

uint32_t
rarity_16(uint32_t documents_all, uint32_t documents)
{
    uint32_t with = documents < documents_all ? documents : documents_all;

    return LOG2_ONE + log2_16(documents_all + 1) - log2_16(with + 1);
}
