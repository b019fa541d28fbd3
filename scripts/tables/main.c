#include "file.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/*
 * jumelage-lexicon: makes the tables that the lexicon is joined with.
 *
 *     jumelage-lexicon frequencies DATA OUT     DATA/lexicon/frequencies.csv anew, into OUT
 *     jumelage-lexicon site DATA OUT EN-FR.dict EN-FR.index FR-EN.dict FR-EN.index
 *
 * Run by scripts/frequencies and scripts/lexicon, which find their arguments.
 */
enum { TABLE_BYTES_MAX = 256 * 1024 * 1024 };

static enum err_code
read_file(const char *path, struct buf *bytes, struct err *err)
{
    buf_init(bytes, TABLE_BYTES_MAX);
    return file_read(path, bytes, err);
}

static enum err_code
make_site(char **paths, const struct lexicon *lexicon, struct buf *out, size_t *n, struct err *err)
{
    struct buf bytes[4] = {{0}};
    enum err_code code = ERR_OK;

    for (int i = 0; code == ERR_OK && i < 4; i++)
        code = read_file(paths[i], &bytes[i], err);
    if (code == ERR_OK) {
        struct dictionary_files files = {buf_str(&bytes[0]), buf_str(&bytes[1]), buf_str(&bytes[2]),
                                         buf_str(&bytes[3])};

        code = tables_site(&files, lexicon, out, n, err);
    }
    for (int i = 0; i < 4; i++)
        buf_fini(&bytes[i]);
    return code;
}

int
main(int argc, char **argv)
{
    bool is_site = argc == 8 && strcmp(argv[1], "site") == 0;
    bool is_frequencies = argc == 4 && strcmp(argv[1], "frequencies") == 0;
    struct lexicon *lexicon = NULL;
    struct err err = {0};
    struct buf out;
    enum err_code code;
    size_t n = 0;

    if (!is_site && !is_frequencies) {
        fputs("usage: jumelage-lexicon frequencies DATA OUT\n"
              "       jumelage-lexicon site DATA OUT EN-FR.dict EN-FR.index FR-EN.dict "
              "FR-EN.index\n",
              stderr);
        return EX_USAGE;
    }
    buf_init(&out, TABLE_BYTES_MAX);
    code = tables_lexicon(argv[2], &lexicon, &err);
    if (code == ERR_OK)
        code = is_site ? make_site(argv + 4, lexicon, &out, &n, &err)
                       : tables_frequencies(argv[2], lexicon, &out, &n, &err);
    if (code == ERR_OK)
        code = file_write(argv[3], out.data, out.len, 0644, &err);
    if (code == ERR_OK)
        printf("%s: %zu %s\n", argv[3], n, is_site ? "pairs" : "terms");
    else
        fprintf(stderr, "jumelage-lexicon: %s\n", err.message);
    buf_fini(&out);
    lexicon_destroy(lexicon);
    return code == ERR_OK ? EX_OK : code == ERR_NOT_FOUND ? EX_NOINPUT : EX_DATAERR;
}
