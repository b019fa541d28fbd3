#include "file.h"
#include "tables.h"

#include <criterion/criterion.h>

#include <stdio.h>

/*
 * frequencies.csv and topics.csv are made from the glossary, the vocabularies and the sample profiles;
 * a change to one of them without scripts/frequencies would leave weights that count what is gone.
 */
static void
expect_kept(const char *name, const struct buf *made)
{
    struct buf kept;
    struct err err = {0};
    char path[4096];

    snprintf(path, sizeof path, "%s/lexicon/%s", JML_DATA, name);
    buf_init(&kept, 64 << 20);
    cr_assert_eq(file_read(path, &kept, &err), ERR_OK, "%s", err.message);
    cr_expect(str_equal(buf_str(made), buf_str(&kept)),
              "data/lexicon/%s is out of date: run scripts/frequencies", name);
    buf_fini(&kept);
}

Test(frequencies, the_files_are_what_the_data_gives)
{
    struct lexicon *lexicon = NULL;
    struct buf frequencies, topics;
    struct err err = {0};
    size_t n_terms = 0, n_pulls = 0;

    buf_init(&frequencies, 64 << 20);
    buf_init(&topics, 64 << 20);
    cr_assert_eq(tables_lexicon(JML_DATA, &lexicon, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(tables_count(JML_DATA, lexicon, &frequencies, &topics, &n_terms, &n_pulls, &err),
                 ERR_OK, "%s", err.message);
    cr_expect(n_terms > 1000 && n_pulls > 1000);
    expect_kept("frequencies.csv", &frequencies);
    expect_kept("topics.csv", &topics);
    lexicon_destroy(lexicon);
    buf_fini(&frequencies);
    buf_fini(&topics);
}

/* ---- the site's table, from a dictionary small enough to be seen whole ---- */

static const char en_fr[] =
    "00-database-info\nnot an entry\n"
    "plough /plau/ <n>\n1. charrue\n2. labour (act)\n sentence, with commas\n"
    "robot /roubot/\nrobot\n"
    "the /di/\nle, la\n"
    "quick brown foxes jump lazily /x/\nmot\n";
static const char en_fr_index[] = "00databaseinfo\tA\te\n"
                                  "plough\te\tBE\n"
                                  "robot\tBi\tV\n"
                                  "the\tB3\tQ\n"
                                  "quick brown foxes jump lazily\tCH\tm\n";
static const char fr_en[] = "charrue /ʃaʀy/\nplough, plow\n";
static const char fr_en_index[] = "charrue\tA\te\n";

static enum err_code
make(const char *index, struct buf *out, struct err *err)
{
    struct dictionary_files files = {STR_LIT(en_fr), str_from(index), STR_LIT(fr_en),
                                     STR_LIT(fr_en_index)};
    struct lexicon *lexicon = NULL;
    enum err_code code;
    size_t n;

    cr_assert_eq(tables_lexicon(JML_DATA, &lexicon, err), ERR_OK, "%s", err->message);
    code = tables_site(&files, lexicon, out, &n, err);
    lexicon_destroy(lexicon);
    return code;
}

Test(site_table, pairs_weigh_by_sense_and_direction)
{
    struct err err = {0};
    struct buf out;

    buf_init(&out, 1 << 20);
    cr_assert_eq(make(en_fr_index, &out, &err), ERR_OK, "%s", err.message);
    buf_append_char(&out, '\0');
    cr_expect_str_eq(out.data,
                     "en,fr,weight\n"
                     "plough,charru,12\n" /* the first sense, both ways */
                     "plough,labour,3\n"  /* the second sense; what is in brackets is not */
                     "plow,charru,6\n");
    buf_fini(&out);
}

Test(site_table, a_bad_index_is_refused_with_its_line)
{
    static const char *const bad[] = {"plough\te\n", "plough\tA\t////\n", "plough\t////\tA\n",
                                      "plough\t*\tA\n", "plough\tA\t\n"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = {0};
        struct buf out;

        buf_init(&out, 1 << 20);
        cr_expect_eq(make(bad[i], &out, &err), ERR_INVALID_PARAMS);
        cr_expect(strstr(err.message, "line 1") != NULL, "%s", err.message);
        buf_fini(&out);
    }
}
