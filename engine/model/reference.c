#include "reference.h"

#include "alloc.h"
#include "quote.h"

enum { FILE_NAMED_ALREADY = -1 }; /* the catalogue says itself which of its two files failed */

static const char *const vocabulary_names[VOCABULARY_COUNT] = {
    [VOCABULARY_SECTORS] = "sectors",       [VOCABULARY_NEEDS] = "needs",
    [VOCABULARY_STAGES] = "stages",         [VOCABULARY_METROS] = "metros",
    [VOCABULARY_KINDS] = "kinds",           [VOCABULARY_OUTCOMES] = "outcomes",
    [VOCABULARY_COUNTRIES] = "countries",   [VOCABULARY_LANGUAGES] = "languages",
    [VOCABULARY_CURRENCIES] = "currencies",
};

static const char *const file_names[REFERENCE_FILE_COUNT] = {
    [VOCABULARY_SECTORS] = "sectors.csv",       [VOCABULARY_NEEDS] = "needs.csv",
    [VOCABULARY_STAGES] = "stages.csv",         [VOCABULARY_METROS] = "metros.csv",
    [VOCABULARY_KINDS] = "kinds.csv",           [VOCABULARY_OUTCOMES] = "outcomes.csv",
    [VOCABULARY_COUNTRIES] = "countries.csv",   [VOCABULARY_LANGUAGES] = "languages.csv",
    [VOCABULARY_CURRENCIES] = "currencies.csv", [REFERENCE_RATES] = "rates.csv",
    [REFERENCE_PHRASES] = "phrases.csv",        [REFERENCE_MESSAGES] = "messages/messages.csv",
};

/* Columns without which a vocabulary cannot do its work, besides `code` and the labels. */
static const char *const needed_columns[VOCABULARY_COUNT] = {
    [VOCABULARY_STAGES] = "order",
    [VOCABULARY_METROS] = "country",
    [VOCABULARY_OUTCOMES] = "positive",
};

static const bool has_groups[VOCABULARY_COUNT] = {
    [VOCABULARY_SECTORS] = true,
    [VOCABULARY_NEEDS] = true,
};

const char *
reference_file_name(int file)
{
    return file >= 0 && file < REFERENCE_FILE_COUNT ? file_names[file] : NULL;
}

const char *
vocabulary_id_name(enum vocabulary_id id)
{
    return vocabulary_names[id];
}

static enum err_code
check_columns(const struct vocabulary *vocabulary, const char *needed, struct err *err)
{
    const char *const columns[] = {"label_en", "label_fr", needed};

    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        if (columns[i] != NULL && !vocabulary_has_column(vocabulary, columns[i]))
            return err_set(err, ERR_INVALID_PARAMS,
                           "%s has no column \"%s\"; its first line must name it",
                           vocabulary_name(vocabulary), columns[i]);
    return ERR_OK;
}

/* Every group that a leaf names must be a row, so that a profile can say the group alone. */
static enum err_code
check_groups(const struct vocabulary *vocabulary, struct err *err)
{
    for (size_t i = 0; i < vocabulary_size(vocabulary); i++) {
        struct str code = vocabulary_code(vocabulary, (int)i);

        if (vocabulary_find(vocabulary, code_group(code)) == VOCABULARY_NONE)
            return err_set(err, ERR_INVALID_PARAMS, "the group of %s has no row in %s; add %s",
                           quote(code).text, vocabulary_name(vocabulary),
                           quote(code_group(code)).text);
    }
    return ERR_OK;
}

static enum err_code
check_metros(const struct reference *reference, struct err *err)
{
    const struct vocabulary *metros = reference->vocabularies[VOCABULARY_METROS];

    for (size_t i = 0; i < vocabulary_size(metros); i++) {
        struct str country = vocabulary_cell(metros, (int)i, "country");

        if (vocabulary_find(reference->vocabularies[VOCABULARY_COUNTRIES], country) ==
            VOCABULARY_NONE)
            return err_set(err, ERR_INVALID_PARAMS,
                           "the country %s of %s is no row of countries.csv", quote(country).text,
                           quote(vocabulary_code(metros, (int)i)).text);
    }
    return ERR_OK;
}

static enum err_code
check_rates(const struct reference *reference, struct err *err)
{
    struct str code;

    for (int i = 0; (code = rates_currency_code(reference->rates, i)).len != 0; i++)
        if (vocabulary_find(reference->vocabularies[VOCABULARY_CURRENCIES], code) ==
            VOCABULARY_NONE)
            return err_set(err, ERR_INVALID_PARAMS, "the currency %s is no row of currencies.csv",
                           quote(code).text);
    return ERR_OK;
}

static enum err_code
parse_vocabulary(struct reference *reference, enum vocabulary_id id, struct str bytes,
                 struct err *err)
{
    enum err_code code =
        vocabulary_parse(vocabulary_names[id], bytes, &reference->vocabularies[id], err);

    if (code == ERR_OK)
        code = check_columns(reference->vocabularies[id], needed_columns[id], err);
    if (code == ERR_OK && has_groups[id])
        code = check_groups(reference->vocabularies[id], err);
    return code;
}

static void
take_digests(struct reference *reference, const struct str files[REFERENCE_FILE_COUNT])
{
    struct digest_state scoring, all;

    digest_begin(&scoring);
    digest_begin(&all);
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++) {
        struct digest *digest = &reference->file_digests[i];
        bool is_scoring = i <= REFERENCE_RATES;

        *digest = digest_of(files[i].data, files[i].len);
        digest_add_str(&all, str_from(file_names[i]));
        digest_add(&all, digest->bytes, sizeof digest->bytes);
        if (is_scoring) {
            digest_add_str(&scoring, str_from(file_names[i]));
            digest_add(&scoring, digest->bytes, sizeof digest->bytes);
        }
    }
    reference->scoring_digest = digest_end(&scoring);
    reference->digest = digest_end(&all);
}

/* Parses file by file; *file says which one failed. */
static enum err_code
parse_files(struct reference *reference, const struct str files[REFERENCE_FILE_COUNT], int *file,
            struct err *err)
{
    enum err_code code = ERR_OK;

    for (int i = 0; i < VOCABULARY_COUNT; i++) {
        *file = i;
        code = parse_vocabulary(reference, (enum vocabulary_id)i, files[i], err);
        if (code != ERR_OK)
            return code;
    }
    *file = VOCABULARY_METROS;
    code = check_metros(reference, err);
    if (code != ERR_OK)
        return code;
    *file = REFERENCE_RATES;
    code = rates_parse(files[REFERENCE_RATES], &reference->rates, err);
    if (code == ERR_OK)
        code = check_rates(reference, err);
    if (code != ERR_OK)
        return code;
    *file = FILE_NAMED_ALREADY;
    return catalogue_parse(files[REFERENCE_MESSAGES], files[REFERENCE_PHRASES],
                           &reference->catalogue, err);
}

enum err_code
reference_parse(const struct str files[REFERENCE_FILE_COUNT], struct reference **out,
                struct err *err)
{
    struct reference *reference = mem_alloc_zeroed(1, sizeof *reference);
    enum err_code code;
    int file = 0;

    if (reference == NULL)
        return err_no_memory(err);
    code = parse_files(reference, files, &file, err);
    if (code != ERR_OK) {
        if (file != FILE_NAMED_ALREADY)
            err_at(err, file_names[file]);
        reference_destroy(reference);
        return code;
    }
    take_digests(reference, files);
    *out = reference;
    return ERR_OK;
}

void
reference_destroy(struct reference *reference)
{
    if (reference == NULL)
        return;
    for (int i = 0; i < VOCABULARY_COUNT; i++)
        vocabulary_destroy(reference->vocabularies[i]);
    rates_destroy(reference->rates);
    catalogue_destroy(reference->catalogue);
    mem_free(reference);
}
