#include "tables.h"

#include "file.h"

#include <stdio.h>

enum { TABLE_BYTES_MAX = 64 * 1024 * 1024 };

enum err_code
tables_lexicon(const char *data, struct lexicon **out, struct err *err)
{
    struct buf bytes[LEXICON_FREQUENCIES] = {{0}};
    struct str files[LEXICON_FILE_COUNT] = {{0}};
    enum err_code code = ERR_OK;

    for (int i = 0; code == ERR_OK && i < LEXICON_FREQUENCIES; i++) {
        char path[4096];

        snprintf(path, sizeof path, "%s/lexicon/%s", data, lexicon_file_name(i));
        buf_init(&bytes[i], TABLE_BYTES_MAX);
        code = file_read(path, &bytes[i], err);
        files[i] = buf_str(&bytes[i]);
    }
    files[LEXICON_FREQUENCIES] = STR_LIT("term,documents\n*,1\n");
    if (code == ERR_OK)
        code = lexicon_parse(files, out, err);
    for (int i = 0; i < LEXICON_FREQUENCIES; i++)
        buf_fini(&bytes[i]);
    return code;
}
