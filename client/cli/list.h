#ifndef JML_LIST_H
#define JML_LIST_H

#include "backend.h"
#include "table.h"

/*
 * list: a method that lists, asked page by page.
 *
 * filters: n_filters packed pairs of the parameters' map; list_key: where an answer has its rows; each
 * adds one row to the table. Ends after `most` rows, or with the list.
 */
enum err_code list_walk(struct cli *cli, const char *method, const char *list_key,
                        const struct buf *filters, size_t n_filters, int64_t most,
                        void (*each)(struct cli *cli, struct table *table,
                                     const msgpack_object *row),
                        struct table *table, struct err *err);

#endif
