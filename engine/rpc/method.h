#ifndef JML_METHOD_H
#define JML_METHOD_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * method: what can be called, as one table.
 *
 * Dispatch, validation, roles, system.methods, the reference page, the tool's help and completion, and
 * the tests' check of every answer read it. A new method is one row here and one handler.
 */
struct call;

enum role {
    ROLE_ANY = 1 << 0, /* no token needed */
    ROLE_READER = 1 << 1,
    ROLE_OFFICER = 1 << 2,
    ROLE_ADMIN = 1 << 3,
    ROLE_PARTNER = 1 << 4,
    ROLE_BATCH = 1 << 5
};
const char *role_name(enum role role);
enum role role_parse(struct str name); /* 0 if there is no such role */
/* May one who holds `held` do what is granted to the roles of `wanted` (flags)? admin holds officer,
 * officer holds reader; partner and batch hold nothing but themselves (and ROLE_ANY). */
bool role_allows(enum role held, unsigned wanted);

enum param_type {
    PARAM_ID,   /* profile or programme id */
    PARAM_TEXT, /* max: code points */
    PARAM_INT,  /* min..max */
    PARAM_BOOL,
    PARAM_MAP,      /* a document: profile, programme, changes */
    PARAM_ARRAY,    /* max: elements */
    PARAM_CHOICE,   /* choices: "en fr" */
    PARAM_DATE,     /* YYYY-MM-DD */
    PARAM_INSTANT,  /* ms since 1970 UTC */
    PARAM_DOCUMENT, /* id or map (programme.check) */
    PARAM_ANY
};

struct param {
    const char *name;
    enum param_type type;
    bool required;
    int64_t min, max; /* PARAM_INT: both 0 means any; TEXT, ARRAY: max length, 0 the common limit */
    int64_t preset;   /* PARAM_INT, PARAM_BOOL: what is taken when absent */
    bool has_preset;
    const char *choices;
    const char *unit; /* "matches", "basis points", "ms" */
    const char *text;
};

enum result_type {
    RESULT_MAP,
    RESULT_ARRAY,
    RESULT_TEXT,
    RESULT_INT,
    RESULT_BOOL,
    RESULT_ANY,
    RESULT_NIL
};

/* One field of the answer. Nested fields are named by path: "matches[].score". */
struct result {
    const char *name; /* "" for the answer itself */
    enum result_type type;
    bool optional;
    const char *unit;
    const char *text;
};

enum method_flags {
    METHOD_WRITES = 1 << 0,       /* has `apply`, run by the writer */
    METHOD_LONG = 1 << 1,         /* scores or walks: a worker's job, never the loop's */
    METHOD_LISTS = 1 << 2,        /* takes limit and after */
    METHOD_SPEAKS = 1 << 3,       /* takes lang */
    METHOD_CONFIDENTIAL = 1 << 4, /* may answer confidential parts: such reads are logged */
    METHOD_GREETS = 1 << 5,       /* may change who the connection is: never a worker's job */
    METHOD_WATCHES = 1 << 7,      /* of notifications: needs a connection that they can go to */
    METHOD_ONCE = 1 << 6          /* leaves something behind, though not in the store: a client that
                                     lost the answer does not ask again by itself */
};

struct express;
struct caller;

struct method {
    const char *name;
    unsigned roles; /* flags of enum role */
    unsigned flags;
    const struct param
        *params; /* ends with a NULL name; deadline_ms, limit, after, lang are implied */
    const struct result *results; /* ends with a NULL name */
    /* Reads: checks and answers. Writes: checks and prepares call->state, before the queue. */
    enum err_code (*handle)(struct call *call, struct err *err);
    /* Writes only: on the writer's thread, inside the transaction; then fills the answer. */
    enum err_code (*apply)(struct call *call, struct err *err);
    /* Answers at once what needs no call (express.h); NULL for most methods. */
    struct str (*express)(struct express *express, const struct caller *caller, struct str params);
    const char *summary;
    const char *details; /* more for the reference; may be NULL */
    const char
        *example; /* parameters as JSON, used by the reference and run by the tests; or NULL */
};

extern const struct method methods[]; /* ends with a NULL name; sorted by name */
extern const size_t n_methods;
const struct method *method_find(struct str name);
const struct method *method_nearest(struct str name);

/* The methods that one thread was asked for last, found again without a search. Zero to begin with. */
enum { METHOD_MEMO_PLACES = 64 };
struct method_memo {
    struct {
        const struct method *method;
        size_t name_len;
    } places[METHOD_MEMO_PLACES];
};
const struct method *method_recall(struct method_memo *memo, struct str name);
/* The parameters that a method takes besides its own, by its flags; returns how many. */
enum { METHOD_COMMON_MAX = 4 };
size_t method_common_params(const struct method *method,
                            const struct param *list[METHOD_COMMON_MAX]);

#endif
