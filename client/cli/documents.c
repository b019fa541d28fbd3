#include "documents.h"

#include "file.h"
#include "json.h"

#include <string.h>

enum { DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 };

static bool
ends_with(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);

    return n >= m && strcmp(text + n - m, suffix) == 0;
}

enum err_code
document_read(struct cli *cli, const char *path, const msgpack_object **value,
              struct yaml_doc **doc, struct err *err)
{
    struct buf bytes;
    struct str text = {NULL, 0};
    enum err_code code;

    *doc = NULL;
    buf_init(&bytes, DOCUMENT_BYTES_MAX);
    code = file_read(path, &bytes, err);
    if (code == ERR_OK) {
        text = arena_str(cli->arena, buf_str(&bytes));
        if (text.data == NULL)
            code = err_no_memory(err);
    }
    buf_fini(&bytes);
    if (code != ERR_OK)
        return code;
    if (!ends_with(path, ".yaml") && !ends_with(path, ".yml"))
        return json_decode(text, &value_limits_default, cli->arena, value, err);
    code = yaml_decode(text, &value_limits_default, cli->arena, doc, err);
    if (code == ERR_OK)
        *value = yaml_doc_root(*doc);
    return code;
}
