#include "alloc.h"
#include "cases.h"
#include "file.h"
#include "reference.h"
#include "sample_reference.h"

#include <stdio.h>

Test(reference, holds_every_table_and_names_its_files)
{
    struct reference *reference = sample_reference();

    for (int i = 0; i < VOCABULARY_COUNT; i++) {
        cr_expect_gt(vocabulary_size(reference->vocabularies[i]), 0);
        cr_expect_str_eq(vocabulary_name(reference->vocabularies[i]),
                         vocabulary_id_name((enum vocabulary_id)i));
    }
    cr_expect_str_eq(reference_file_name(VOCABULARY_SECTORS), "sectors.csv");
    cr_expect_str_eq(reference_file_name(REFERENCE_MESSAGES), "messages/messages.csv");
    cr_expect_null(reference_file_name(REFERENCE_FILE_COUNT));
    cr_expect_null(reference_file_name(-1));
    reference_destroy(reference);
}

static const struct {
    const char *says;
    int file;
    bool changes_scores;
} digest_cases[] = {
    {"sectors change scores", VOCABULARY_SECTORS, true},
    {"currencies change scores", VOCABULARY_CURRENCIES, true},
    {"rates change scores", REFERENCE_RATES, true},
    {"phrases don't", REFERENCE_PHRASES, false},
    {"messages don't", REFERENCE_MESSAGES, false},
};

EACH_CASE(reference, digest_names_every_file_and_the_scoring_digest_what_scores_depend_on,
          digest_cases)
{
    struct reference *before = sample_reference(), *after = NULL;
    struct str files[REFERENCE_FILE_COUNT];
    int file = digest_cases[*case_index].file;
    char text[4096];

    sample_files(files);
    snprintf(text, sizeof text, "%s\n",
             sample_texts[file]); /* an empty line: other bytes, no row */
    files[file] = str_from(text);
    cr_assert_eq(reference_parse(files, &after, NULL), ERR_OK);
    cr_expect_not(digest_equal(&before->digest, &after->digest));
    cr_expect_not(digest_equal(&before->file_digests[file], &after->file_digests[file]));
    cr_expect_eq(!digest_equal(&before->scoring_digest, &after->scoring_digest),
                 digest_cases[*case_index].changes_scores, "%s", digest_cases[*case_index].says);
    reference_destroy(before);
    reference_destroy(after);
}

static const struct {
    int file;
    const char *text, *field, *message;
} bad_cases[] = {
    {VOCABULARY_METROS, "code,country,label_en,label_fr\nrome,IT,Rome,Rome\n", "metros.csv",
     "the country \"IT\" of \"rome\" is no row of countries.csv"},
    {VOCABULARY_METROS, "code,label_en,label_fr\nrome,Rome,Rome\n", "metros.csv",
     "metros has no column \"country\"; its first line must name it"},
    {VOCABULARY_STAGES, "code,label_en,label_fr\nseed,Seed,Seed\n", "stages.csv",
     "stages has no column \"order\"; its first line must name it"},
    {VOCABULARY_OUTCOMES, "code,label_en,label_fr\nmet,Met,Vu\n", "outcomes.csv",
     "outcomes has no column \"positive\"; its first line must name it"},
    {VOCABULARY_KINDS, "code,label_en\nstartup,Startup\n", "kinds.csv",
     "kinds has no column \"label_fr\"; its first line must name it"},
    {VOCABULARY_SECTORS, "code,label_en,label_fr\nfin.pay,Pay,Pay\n", "sectors.csv",
     "the group of \"fin.pay\" has no row in sectors; add \"fin\""},
    {VOCABULARY_NEEDS, "code\n\"a\n", "needs.csv", NULL},
    {REFERENCE_RATES, "currency,rate_ppm,date\nGBP,1,2024-01-01\n", "rates.csv",
     "the currency \"GBP\" is no row of currencies.csv"},
    {REFERENCE_RATES, "currency,rate_ppm,date\nEUR,x,2024-01-01\n", "rates.csv",
     "line 2 of rates: rate_ppm is \"x\"; write a whole number from 1 to 1000000000"},
    {REFERENCE_PHRASES, "label\n", "phrases.csv",
     "phrases has no column \"code\"; its first line must name it"},
    {REFERENCE_MESSAGES, "key\n", "messages/messages.csv",
     "messages has no column \"en\"; its first line must name it"},
};

EACH_CASE(reference, refuses_tables_that_do_not_go_together, bad_cases)
{
    struct str files[REFERENCE_FILE_COUNT];
    struct reference *none = NULL;
    struct err err = {.code = ERR_OK};
    size_t i = *case_index;

    sample_files(files);
    files[bad_cases[i].file] = str_from(bad_cases[i].text);
    cr_expect_eq(reference_parse(files, &none, &err), ERR_INVALID_PARAMS);
    cr_expect_str_eq(err.field, bad_cases[i].field);
    if (bad_cases[i].message != NULL)
        cr_expect_str_eq(err.message, bad_cases[i].message);
    cr_expect(err.message[0] != '\0');
    cr_expect_null(none);
}

Test(reference, survives_the_failure_of_each_allocation)
{
    struct str files[REFERENCE_FILE_COUNT];
    bool happened = true;

    sample_files(files);
    for (long n = 1; happened; n++) {
        struct reference *reference = NULL;
        struct err err = {.code = ERR_OK};
        enum err_code code;

        mem_fail_at(n);
        code = reference_parse(files, &reference, &err);
        happened = mem_fail_happened();
        cr_assert(code == ERR_OK || (happened && code == ERR_BUSY), "%ld: %s", n, err.message);
        cr_assert_eq(reference == NULL, code != ERR_OK);
        reference_destroy(reference);
    }
}

/* ---- what ships ---- */

static struct reference *
shipped_reference(struct buf bufs[REFERENCE_FILE_COUNT])
{
    struct str files[REFERENCE_FILE_COUNT];
    struct reference *reference = NULL;
    struct err err = {.code = ERR_OK};

    for (int i = 0; i < REFERENCE_FILE_COUNT; i++) {
        char path[1024];

        snprintf(path, sizeof path, "%s/%s", JML_DATA, reference_file_name(i));
        buf_init(&bufs[i], 8 << 20);
        cr_assert_eq(file_read(path, &bufs[i], &err), ERR_OK, "%s", err.message);
        files[i] = buf_str(&bufs[i]);
    }
    cr_assert_eq(reference_parse(files, &reference, &err), ERR_OK, "%s: %s", err.field,
                 err.message);
    return reference;
}

Test(reference, the_tables_that_ship_are_without_fault)
{
    struct buf bufs[REFERENCE_FILE_COUNT];
    struct reference *reference = shipped_reference(bufs);
    static const struct {
        enum vocabulary_id vocabulary;
        const char *code;
    } known[] = {
        {VOCABULARY_METROS, "paris"},      {VOCABULARY_METROS, "silicon-valley"},
        {VOCABULARY_KINDS, "startup"},     {VOCABULARY_KINDS, "incubator"},
        {VOCABULARY_KINDS, "investor"},    {VOCABULARY_KINDS, "lab"},
        {VOCABULARY_KINDS, "company"},     {VOCABULARY_KINDS, "city-service"},
        {VOCABULARY_KINDS, "training"},    {VOCABULARY_KINDS, "event"},
        {VOCABULARY_STAGES, "seed"},       {VOCABULARY_OUTCOMES, "hosted"},
        {VOCABULARY_OUTCOMES, "invested"}, {VOCABULARY_LANGUAGES, "fr"},
        {VOCABULARY_COUNTRIES, "FR"},      {VOCABULARY_CURRENCIES, "EUR"},
    };

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        cr_expect_neq(
            vocabulary_find(reference->vocabularies[known[i].vocabulary], str_from(known[i].code)),
            VOCABULARY_NONE, "%s", known[i].code);
    reference_destroy(reference);
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        buf_fini(&bufs[i]);
}

Test(reference, every_label_that_ships_is_recognised_as_its_own_row_or_not_at_all)
{
    struct buf bufs[REFERENCE_FILE_COUNT];
    struct reference *reference = shipped_reference(bufs);

    for (int i = 0; i < VOCABULARY_COUNT; i++) {
        const struct vocabulary *vocabulary = reference->vocabularies[i];

        for (int row = 0; row < (int)vocabulary_size(vocabulary); row++) {
            int found = vocabulary_recognise(vocabulary, vocabulary_code(vocabulary, row));

            cr_expect_eq(found, row, "%s: %.*s", vocabulary_name(vocabulary),
                         STR_ARG(vocabulary_code(vocabulary, row)));
            for (int lang = 0; lang < LANG_COUNT; lang++) {
                struct str label = vocabulary_label(vocabulary, row, (enum lang)lang);

                found = vocabulary_recognise(vocabulary, label);
                cr_expect(found == row, "%s: %.*s gives row %d, not %d",
                          vocabulary_name(vocabulary), STR_ARG(label), found, row);
            }
        }
    }
    reference_destroy(reference);
    for (int i = 0; i < REFERENCE_FILE_COUNT; i++)
        buf_fini(&bufs[i]);
}
