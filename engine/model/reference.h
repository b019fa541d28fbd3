#ifndef JML_REFERENCE_H
#define JML_REFERENCE_H

#include "catalogue.h"
#include "digest.h"
#include "rates.h"
#include "vocabulary.h"

/*
 * reference: all tables in force at one time: vocabularies, rates, phrases and messages.
 *
 * Built from the files' bytes (rpc reads them; the store keeps them by digest), then read-only and
 * shared; the owner destroys it when the last reader is done.
 */
enum vocabulary_id {
    VOCABULARY_SECTORS,
    VOCABULARY_NEEDS,
    VOCABULARY_STAGES,
    VOCABULARY_METROS,
    VOCABULARY_KINDS,
    VOCABULARY_OUTCOMES,
    VOCABULARY_COUNTRIES,
    VOCABULARY_LANGUAGES,
    VOCABULARY_CURRENCIES,
    VOCABULARY_COUNT
};

/* The files a reference is made of, in a fixed order: the vocabularies (`sectors.csv` …), then
 * `rates.csv`, `phrases.csv`, `messages/messages.csv`. */
enum reference_file {
    REFERENCE_RATES = VOCABULARY_COUNT,
    REFERENCE_PHRASES,
    REFERENCE_MESSAGES,
    REFERENCE_FILE_COUNT
};
const char *reference_file_name(int file);             /* path below data/ */
const char *vocabulary_id_name(enum vocabulary_id id); /* "sectors" */

struct reference {
    struct vocabulary *vocabularies[VOCABULARY_COUNT];
    struct rates *rates;
    struct catalogue *catalogue;
    struct digest file_digests[REFERENCE_FILE_COUNT];
    struct digest scoring_digest; /* of what scores depend on: vocabularies and rates */
    struct digest digest;         /* of all files */
};

/* err->field names the file. Checks across files too: a metro's country, a rate's currency. */
enum err_code reference_parse(const struct str files[REFERENCE_FILE_COUNT], struct reference **out,
                              struct err *err);
void reference_destroy(struct reference *reference);

#endif
