#ifndef JML_IMPORTER_H
#define JML_IMPORTER_H

#include "backend.h"
#include "cli.h"
#include "progress.h"

/*
 * importer: profiles on their way into the store, in batches of profile.put_many.
 *
 * Whoever reads a file gives each profile with the row it came from; what the engine refuses is told by
 * row, column and reason. A batch ends before it would pass the bounds of a call. With `atomic` all is
 * one batch, checked before it is stored.
 */
struct importer;

struct import_options {
    bool is_dry_run, is_atomic;
    struct call_bounds bounds; /* of whoever takes the profiles */
    /* Tells the column that gave a field path; NULL where there are no columns. */
    struct str (*column_of)(void *context, struct str path);
    void *column_context;
};

struct import_counts {
    int64_t n_read, n_put, n_created, n_unchanged, n_refused;
};

struct importer *importer_create(struct cli *cli, const struct import_options *options);
/* A packed profile of row `row` (line of the file, or index from 1). */
enum err_code importer_add(struct importer *importer, size_t row, struct str profile,
                           struct err *err);
/* A row that never became a profile. column may be empty. */
void importer_refuse(struct importer *importer, size_t row, struct str column, struct str reason);
void importer_count_row(struct importer *importer); /* a row read */
/* Sends what is left. */
enum err_code importer_finish(struct importer *importer, struct err *err);
const struct import_counts *importer_counts(const struct importer *importer);
void importer_set_columns(struct importer *importer,
                          struct str (*column_of)(void *context, struct str path), void *context);
void importer_destroy(struct importer *importer);

#endif
