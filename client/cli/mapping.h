#ifndef JML_MAPPING_H
#define JML_MAPPING_H

#include "cells.h"
#include "cli.h"
#include "csv_reader.h"
#include "schema.h"
#include "value.h"

/*
 * mapping: how the columns of a spreadsheet become fields of profiles.
 *
 * From a file an officer writes (YAML), or, without one, from the headers themselves: field names, their
 * labels in both languages, and data/mappings/headers.csv. client/doc explains the file. Lives in the
 * tool's arena.
 */
enum { FROM_MAX = 16, COLUMNS_MAPPED_MAX = 512 };

enum cell_form {
    CELL_BY_FIELD, /* what the field's type asks for */
    CELL_TEXT,
    CELL_NUMBER,
    CELL_MONEY,
    CELL_DATE,
    CELL_BOOL,
    CELL_CODES,
    CELL_LIST
};

struct crosswalk; /* a foreign list of labels mapped to our codes */

struct mapped_column {
    struct str from[FROM_MAX]; /* headers, any of them */
    int n_from;
    struct str to; /* "raising", "raising.max", "description.fr", "external_ids.siren" */
    const struct field *field; /* of the first step of `to`; NULL when ignored */
    struct str key;            /* the rest of `to`, or empty */
    enum cell_form form;
    int vocabulary; /* enum vocabulary_id, or -1: the field's own */
    struct crosswalk *crosswalk;
    struct str split; /* characters that part a list; empty: the common ones */
    struct str currency;
    enum date_order date_order;
    enum decimal_mark decimal;
    const msgpack_object *values; /* cell text → value */
    int64_t most;                 /* of a list; 0: the field's limit is a fault */
    bool is_ignored, leaves_doubtful_out;
};

enum unknown_columns { UNKNOWN_REPORT, UNKNOWN_IGNORE, UNKNOWN_REFUSE };

struct mapping {
    struct mapped_column columns[COLUMNS_MAPPED_MAX];
    int n_columns;
    struct str kind;
    const msgpack_object *constants; /* field → value */
    struct str id_from, id_prefix;
    enum unknown_columns unknown_columns;
    bool has_form;
    struct csv_form form; /* when the mapping tells encoding or separator */
    bool has_encoding, has_separator;
    bool is_french; /* headers were French: dates dmy, decimal comma */
};

enum err_code mapping_read(struct cli *cli, const char *path, struct mapping **out,
                           struct err *err);
struct mapping *mapping_empty(struct cli *cli);

/* Which mapped column each column of the header is: indices into mapping->columns, -1 for none. Adds
 * columns for headers that it recognises by itself. */
enum err_code mapping_bind(struct cli *cli, struct mapping *mapping, const struct csv_row *header,
                           int *bound, struct err *err);

/* ---- crosswalks: data/crosswalks/<file>.csv, rows of one scheme ---- */
enum err_code crosswalk_read(struct cli *cli, struct str scheme, struct crosswalk **out,
                             struct err *err);
enum crosswalk_answer { CROSSWALK_UNKNOWN, CROSSWALK_CODE, CROSSWALK_NOTHING };
enum crosswalk_answer crosswalk_find(const struct crosswalk *crosswalk, struct str label,
                                     struct arena *arena, struct str *code);

#endif
