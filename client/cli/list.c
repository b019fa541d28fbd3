#include "list.h"

#include "answers.h"

enum { PARAMS_BYTES_MAX = 1024 * 1024, PAGE_ROWS = 1000 };

enum err_code
list_walk(struct cli *cli, const char *method, const char *list_key, const struct buf *filters,
          size_t n_filters, int64_t most,
          void (*each)(struct cli *cli, struct table *table, const msgpack_object *row),
          struct table *table, struct err *err)
{
    struct str after = {NULL, 0};
    enum err_code code;

    do {
        const msgpack_object *page, *rows;
        struct buf params;
        int64_t limit = most < PAGE_ROWS ? most : PAGE_ROWS;

        buf_init(&params, PARAMS_BYTES_MAX);
        pack_map(&params, n_filters + 1 + (after.len > 0));
        buf_append_str(&params, buf_str(filters));
        pack_key_int(&params, "limit", limit);
        if (after.len > 0)
            pack_key_str(&params, "after", after);
        code = backend_call(cli, method, buf_str(&params), cli->arena, &page, err);
        buf_fini(&params);
        if (code != ERR_OK)
            return code;
        rows = value_find(page, list_key);
        for (size_t i = 0; i < value_size(rows); i++)
            each(cli, table, value_at(rows, i));
        most -= (int64_t)value_size(rows);
        after = text_of(page, "next");
    } while (after.len > 0 && most > 0);
    return ERR_OK;
}
