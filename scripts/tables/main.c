#include "file.h"
#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/*
 * jumelage-lexicon: makes the tables that the lexicon is joined with.
 *
 *     jumelage-lexicon frequencies DATA FOLDER  frequencies.csv and topics.csv anew, into FOLDER
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

static enum err_code
run_site(char **argv, const struct lexicon *lexicon, struct err *err)
{
    struct buf out;
    size_t n = 0;
    enum err_code code;

    buf_init(&out, TABLE_BYTES_MAX);
    code = make_site(argv + 4, lexicon, &out, &n, err);
    if (code == ERR_OK)
        code = file_write(argv[3], out.data, out.len, 0644, err);
    if (code == ERR_OK)
        printf("%s: %zu pairs\n", argv[3], n);
    buf_fini(&out);
    return code;
}

static enum err_code
write_into(const char *folder, int file, const struct buf *bytes, size_t n, struct err *err)
{
    char path[4096];
    enum err_code code;

    if (snprintf(path, sizeof path, "%s/%s", folder, lexicon_file_name(file)) >= (int)sizeof path)
        return err_set(err, ERR_INVALID_PARAMS, "the path %s is too long", folder);
    code = file_write(path, bytes->data, bytes->len, 0644, err);
    if (code == ERR_OK)
        printf("%s: %zu rows\n", path, n);
    return code;
}

static enum err_code
run_frequencies(char **argv, const struct lexicon *lexicon, struct err *err)
{
    struct buf frequencies, topics;
    size_t n_terms = 0, n_pulls = 0;
    enum err_code code;

    buf_init(&frequencies, TABLE_BYTES_MAX);
    buf_init(&topics, TABLE_BYTES_MAX);
    code = tables_count(argv[2], lexicon, &frequencies, &topics, &n_terms, &n_pulls, err);
    if (code == ERR_OK)
        code = write_into(argv[3], LEXICON_FREQUENCIES, &frequencies, n_terms, err);
    if (code == ERR_OK)
        code = write_into(argv[3], LEXICON_TOPICS, &topics, n_pulls, err);
    buf_fini(&frequencies);
    buf_fini(&topics);
    return code;
}

int
main(int argc, char **argv)
{
    bool is_site = argc == 8 && strcmp(argv[1], "site") == 0;
    bool is_frequencies = argc == 4 && strcmp(argv[1], "frequencies") == 0;
    struct lexicon *lexicon = NULL;
    struct err err = {0};
    enum err_code code;

    if (!is_site && !is_frequencies) {
        fputs("usage: jumelage-lexicon frequencies DATA FOLDER\n"
              "       jumelage-lexicon site DATA OUT EN-FR.dict EN-FR.index FR-EN.dict "
              "FR-EN.index\n",
              stderr);
        return EX_USAGE;
    }
    code = tables_lexicon(argv[2], &lexicon, &err);
    if (code == ERR_OK)
        code = is_site ? run_site(argv, lexicon, &err) : run_frequencies(argv, lexicon, &err);
    if (code != ERR_OK)
        fprintf(stderr, "jumelage-lexicon: %s\n", err.message);
    lexicon_destroy(lexicon);
    return code == ERR_OK ? EX_OK : code == ERR_NOT_FOUND ? EX_NOINPUT : EX_DATAERR;
}
