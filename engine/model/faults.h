#ifndef JML_FAULTS_H
#define JML_FAULTS_H

#include "arena.h"
#include "err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * faults: everything that is wrong with one document, each with its path, so that an officer mends a
 * file in one go. Lives in an arena; at most FAULTS_MAX are kept (half of them warnings), the rest
 * counted.
 */
enum { FAULTS_MAX = 100 };

struct fault {
    const char *path;    /* "pairings[0].require[1].of" */
    const char *message; /* the value, and what would be right */
    bool is_warning;     /* worth reading; does not forbid */
    enum err_code code; /* ERR_INVALID_PARAMS, or ERR_TOO_LARGE for a list or text over its limit */
};

struct faults {
    struct arena *arena;
    struct fault *list;
    size_t n, n_errors, room;
    bool is_exhausted; /* memory ended: faults_first answers ERR_BUSY */
    char path[96];     /* where the checker is now; steps are pushed and popped */
    size_t path_len;
};

void faults_init(struct faults *faults, struct arena *arena);
/* Steps of the path: returns what to give to faults_pop. */
size_t faults_push(struct faults *faults, const char *step); /* ".step" or "step" */
size_t faults_push_str(struct faults *faults, struct str step);
size_t faults_push_index(struct faults *faults, size_t index); /* "[3]" */
void faults_pop(struct faults *faults, size_t mark);
void faults_add(struct faults *faults, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void faults_warn(struct faults *faults, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A failure of another part as a fault here: its message, its path below the one we are at;
 * ERR_BUSY as faults_no_memory. */
void faults_add_err(struct faults *faults, const struct err *err);
/* Memory ended while checking: no verdict. Counts as an error; faults_first answers ERR_BUSY. */
void faults_no_memory(struct faults *faults);
/* Nothing more will be kept, so that a checker of something huge may stop. */
bool faults_is_full(const struct faults *faults);
/* ERR_OK if there is no error, else the first one as err (message, field = path). */
enum err_code faults_first(const struct faults *faults, struct err *err);

#endif
