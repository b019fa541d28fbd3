#include "pairs_measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * bench_pairs [-v] DATA PAIRS.csv [site.csv]: prints how many texts find their counterpart, in per
 * cent, literal ones and paraphrases; -v names each that doesn't.
 */
static void
tell_miss(void *context, const struct pair *pair, enum lang lang, const struct pair *instead)
{
    enum lang other = lang == LANG_FR ? LANG_EN : LANG_FR;

    (void)context;
    printf("%s: %.*s\n  wanted: %.*s\n  found:  %.*s\n",
           pair->kind == PAIR_PARAPHRASE ? "paraphrase" : "literal", STR_ARG(pair->texts[lang]),
           STR_ARG(pair->texts[other]), STR_ARG(instead->texts[other]));
}

int
main(int argc, char **argv)
{
    bool tells = argc > 1 && strcmp(argv[1], "-v") == 0;
    char **paths = argv + 1 + tells;
    int n_paths = argc - 1 - tells;
    struct pair_figures figures;
    struct lexicon *lexicon = NULL;
    struct arena *arena = arena_create(256 * 1024 * 1024);
    struct pair *pairs;
    struct err err = {0};
    size_t n;
    enum err_code code;

    if (n_paths < 2 || n_paths > 3 || arena == NULL) {
        fputs("usage: bench_pairs [-v] DATA PAIRS.csv [site.csv]\n", stderr);
        arena_destroy(arena);
        return EXIT_FAILURE;
    }
    code = pairs_lexicon(paths[0], n_paths == 3 ? paths[2] : NULL, &lexicon, &err);
    if (code == ERR_OK)
        code = pairs_read(paths[1], arena, &pairs, &n, &err);
    if (code == ERR_OK)
        code =
            pairs_measure(lexicon, pairs, n, arena, tells ? tell_miss : NULL, NULL, &figures, &err);
    if (code == ERR_OK)
        for (int kind = 0; kind < PAIR_KIND_COUNT; kind++)
            printf("%-12s %3d of %3d first: %5.1f %%\n",
                   kind == PAIR_PARAPHRASE ? "paraphrase" : "literal", figures.first[kind],
                   figures.n[kind],
                   figures.n[kind] > 0 ? 100.0 * figures.first[kind] / figures.n[kind] : 0.0);
    else
        fprintf(stderr, "bench_pairs: %s\n", err.message);
    lexicon_destroy(lexicon);
    arena_destroy(arena);
    return code == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
