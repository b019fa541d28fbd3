#ifndef JML_BENCH_RELATIONS_H
#define JML_BENCH_RELATIONS_H

#include "match.h"
#include "population.h"

/*
 * relations: the population as tables of a database, for COPY in CSV: candidates, records, viewers.
 *
 * Sets are written as arrays of row numbers in their vocabulary and as bit strings, money and counts as
 * cells, days as numbers of days: whatever can be worked out when a row is stored is worked out here,
 * so that the database has at query time only to compare. rules.py says what each column is for.
 * Missing values are the numbers below, which let a row pass where its requirement does.
 */
enum {
    RELATION_NO_DAY = 2000000,   /* from: less it, to: it */
    RELATION_OPEN_DAY = 1000000, /* an open end */
    RELATION_NO_CELL = 32767     /* as the upper end; the lower is 0 */
};

/* Writes candidates.csv, records.csv and viewers.csv into a folder that is there. The plan is one of the
 * population's roster. ERR_BUSY if memory ends, otherwise what the file system says. */
enum err_code relations_write(const struct population *population, const struct match_plan *plan,
                              const char *folder, struct err *err);
/* embeddings.i8 and queries.i8: the vectors of candidates and viewers, one after the other. */
enum err_code relations_write_embeddings(const struct population *population, const char *folder,
                                         struct err *err);

#endif
