#include "pairs_measure.h"

#include "csv_reader.h"
#include "file.h"

#include <stdio.h>

enum { PAIRS_BYTES_MAX = 16 * 1024 * 1024, TABLE_BYTES_MAX = 64 * 1024 * 1024 };

static size_t
column_of(const struct csv_row *header, const char *name)
{
    size_t i = 0;

    while (i < header->n_cells && !str_is(header->cells[i], name))
        i++;
    return i;
}

static enum err_code
read_rows(const struct csv_table *table, struct pair *pairs, struct err *err)
{
    const struct csv_row *header = &table->rows[0];
    size_t kind = column_of(header, "kind"), fr = column_of(header, "fr");
    size_t en = column_of(header, "en");

    for (size_t i = 1; i < table->n_rows; i++) {
        const struct csv_row *row = &table->rows[i];

        if (kind >= row->n_cells || fr >= row->n_cells || en >= row->n_cells)
            return err_set(err, ERR_INVALID_PARAMS, "line %zu: kind, fr or en is missing",
                           row->line);
        if (!str_is(row->cells[kind], "literal") && !str_is(row->cells[kind], "paraphrase"))
            return err_set(err, ERR_INVALID_PARAMS, "line %zu: unknown kind \"%.*s\"", row->line,
                           STR_ARG(row->cells[kind]));
        pairs[i - 1].kind = str_is(row->cells[kind], "paraphrase") ? PAIR_PARAPHRASE : PAIR_LITERAL;
        pairs[i - 1].texts[LANG_FR] = row->cells[fr];
        pairs[i - 1].texts[LANG_EN] = row->cells[en];
    }
    return ERR_OK;
}

enum err_code
pairs_read(const char *path, struct arena *arena, struct pair **pairs, size_t *n, struct err *err)
{
    struct csv_form form;
    struct csv_table table;
    struct buf bytes;
    enum err_code code;

    buf_init(&bytes, PAIRS_BYTES_MAX);
    code = file_read(path, &bytes, err);
    if (code == ERR_OK)
        code = csv_detect(buf_str(&bytes), &form, err);
    if (code == ERR_OK)
        code = csv_decode(buf_str(&bytes), &form, &csv_limits_default, arena, &table, err);
    if (code == ERR_OK && table.n_rows < 2)
        code = err_set(err, ERR_INVALID_PARAMS, "%s holds no pairs", path);
    if (code == ERR_OK) {
        *n = table.n_rows - 1;
        *pairs = arena_alloc(arena, *n, sizeof **pairs);
        code = *pairs != NULL ? read_rows(&table, *pairs, err) : err_no_memory(err);
    }
    buf_fini(&bytes);
    return code;
}

enum err_code
pairs_lexicon(const char *data, const char *site, struct lexicon **lexicon, struct err *err)
{
    struct buf bytes[LEXICON_FILE_COUNT] = {{0}};
    struct str files[LEXICON_FILE_COUNT] = {{0}};
    enum err_code code = ERR_OK;

    for (int i = 0; code == ERR_OK && i < LEXICON_FILE_COUNT; i++) {
        char path[4096];

        if (i == LEXICON_SITE && site == NULL)
            continue;
        snprintf(path, sizeof path, "%s/lexicon/%s", data, lexicon_file_name(i));
        buf_init(&bytes[i], TABLE_BYTES_MAX);
        code = file_read(i == LEXICON_SITE ? site : path, &bytes[i], err);
        files[i] = buf_str(&bytes[i]);
    }
    if (code == ERR_OK)
        code = lexicon_parse(files, lexicon, err);
    for (int i = 0; i < LEXICON_FILE_COUNT; i++)
        buf_fini(&bytes[i]);
    return code;
}

static int32_t
quality(const struct text_vector *a, const struct text_vector *b)
{
    return a->n == 0 || b->n == 0 ? 0 : text_vector_quality(a, b);
}

/* The best of the others than pair i for its text in lang. */
static size_t
best_other(const struct pair *pairs, size_t n, size_t i, enum lang lang, int32_t *best)
{
    enum lang other = lang == LANG_FR ? LANG_EN : LANG_FR;
    size_t at = i;

    *best = -1;
    for (size_t j = 0; j < n; j++) {
        int32_t q = j != i ? quality(&pairs[i].vectors[lang], &pairs[j].vectors[other]) : -1;

        if (q > *best) {
            *best = q;
            at = j;
        }
    }
    return at;
}

enum err_code
pairs_measure(const struct lexicon *lexicon, struct pair *pairs, size_t n, struct arena *arena,
              pair_miss *miss, void *context, struct pair_figures *figures, struct err *err)
{
    struct lexicon_reader *reader = lexicon_reader_create(lexicon);
    enum err_code code = reader != NULL ? ERR_OK : err_no_memory(err);

    *figures = (struct pair_figures){0};
    for (size_t i = 0; i < n; i++)
        for (int lang = 0; code == ERR_OK && lang < LANG_COUNT; lang++) {
            struct text_source source = {str_from(lang_code((enum lang)lang)),
                                         pairs[i].texts[lang]};

            code = text_vector_make(reader, &source, 1, arena, &pairs[i].vectors[lang], err);
        }
    for (size_t i = 0; code == ERR_OK && i < n; i++)
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            int32_t best;
            size_t other = best_other(pairs, n, i, (enum lang)lang, &best);
            bool is_first = quality(&pairs[i].vectors[LANG_FR], &pairs[i].vectors[LANG_EN]) > best;

            figures->n[pairs[i].kind]++;
            figures->first[pairs[i].kind] += is_first;
            if (!is_first && miss != NULL)
                miss(context, &pairs[i], (enum lang)lang, &pairs[other]);
        }
    lexicon_reader_destroy(reader);
    return code;
}
