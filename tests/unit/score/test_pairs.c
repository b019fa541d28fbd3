#include "file.h"
#include "pairs_measure.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

/*
 * The two languages meet: of sixty pairs of one-liners, written before the glossary and never changed
 * for it, the counterpart of a text comes first among all sixty.
 */
static void
check(const char *site, int literal_percent, int paraphrase_percent)
{
    const int least[PAIR_KIND_COUNT] = {
        [PAIR_LITERAL] = literal_percent, [PAIR_PARAPHRASE] = paraphrase_percent};
    struct arena *arena = arena_create(256 << 20);
    struct lexicon *lexicon = NULL;
    struct pair *pairs = NULL;
    struct pair_figures figures;
    struct err err = {0};
    size_t n = 0;

    cr_assert_eq(pairs_lexicon(JML_DATA, site, &lexicon, &err), ERR_OK, "%s", err.message);
    cr_assert_eq(pairs_read(JML_TEST_DATA "/pairs/pairs.csv", arena, &pairs, &n, &err), ERR_OK,
                 "%s", err.message);
    cr_assert_eq(n, 60);
    cr_assert_eq(pairs_measure(lexicon, pairs, n, arena, NULL, NULL, &figures, &err), ERR_OK, "%s",
                 err.message);
    for (int kind = 0; kind < PAIR_KIND_COUNT; kind++) {
        cr_assert_eq(figures.n[kind], 60, "thirty pairs of each kind, both ways");
        cr_expect(100 * figures.first[kind] >= least[kind] * figures.n[kind],
                  "kind %d: %d of %d come first; at least %d %% should", kind, figures.first[kind],
                  figures.n[kind], least[kind]);
    }
    lexicon_destroy(lexicon);
    arena_destroy(arena);
}

Test(pairs, meet_by_the_glossary_alone)
{
    check(NULL, 90, 65);
}

/* The aim with the table is 80 in 100 of the paraphrases. It is not reached: where the glossary is broad
 * the dictionary adds little (measured: as without it). What must hold is that the table harms nothing. */
Test(pairs, meet_as_well_with_the_sites_table)
{
    const char *folder = getenv("JUMELAGE_SITE");
    char path[4096];

    snprintf(path, sizeof path, "%s/site.csv", folder != NULL ? folder : JML_SOURCE "/build/site");
    if (!file_exists(path))
        cr_skip_test("no %s: scripts/lexicon builds it", path);
    check(path, 90, 65);
}
