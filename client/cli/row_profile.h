#ifndef JML_ROW_PROFILE_H
#define JML_ROW_PROFILE_H

#include "mapping.h"

/*
 * row_profile: one row of a spreadsheet as a profile, by a mapping.
 *
 * Faults are told one by one with their column; a row with a fault is refused. Labels that a crosswalk
 * or vocabulary does not know, in columns that leave doubtful values out, are counted instead.
 */
struct label_count {
    struct str label;
    size_t n;
};

struct label_tally {
    struct label_count *unknown;
    size_t n_unknown, room;
    size_t n_understood, n_ignored, n_not_understood; /* occurrences in columns with a crosswalk */
};

struct row_fault {
    struct str column; /* header */
    struct str reason;
};

enum { ROW_FAULTS_MAX = 16 };

struct row_job {
    struct cli *cli;
    const struct mapping *mapping;
    const struct csv_row *header;
    const int *bound;
    struct label_tally *tally;
    struct arena *arena; /* of the row */
};

/* Packs the profile of a row. Returns the number of faults; with any, nothing is to be used. */
size_t row_profile_pack(const struct row_job *job, const struct csv_row *row, struct buf *out,
                        struct row_fault faults[ROW_FAULTS_MAX]);
/* Header of the column that gave a field path such as "raising.min"; empty if none did. */
struct str row_profile_column(const struct row_job *job, struct str path);
void label_tally_sort(struct label_tally *tally); /* most frequent first, then by label */

#endif
