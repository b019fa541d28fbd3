#ifndef JML_BACKEND_KIND_H
#define JML_BACKEND_KIND_H

#include "backend.h"

/*
 * backend_kind: what backend.c asks of either kind: backend_local.c, backend_service.c.
 *
 * Each kind's own struct begins with a struct backend, so that a pointer to one is a pointer to the
 * other.
 */
struct reply {
    struct str answer;  /* one packed value, in the call's arena */
    struct str details; /* of a failure: one packed map in the same arena, or empty */
};

struct backend_kind {
    enum err_code (*call)(struct backend *backend, const char *method, struct str params,
                          struct arena *arena, struct reply *reply, struct err *err);
    enum err_code (*bounds)(struct backend *backend, struct call_bounds *out, struct err *err);
    /* NULL: nothing is ever told */
    void (*listen)(struct backend *backend, const struct listening *listening);
    enum err_code (*hear)(struct backend *backend, const bool *is_done, struct err *err);
    const struct reference *(*reference)(const struct backend *backend);
    void (*close)(struct backend *backend); /* and frees it */
};

struct backend {
    const struct backend_kind *kind;
    const msgpack_object *details; /* of the last failed call; in the tool's arena */
    _Atomic bool has_failed;       /* the store here writes no more: its disk failed */
    bool stands_for_store;         /* a service that holds the store which the options name */
};

/* An engine on the store in `dir`. Held by another process: ERR_BUSY at "store" after wait_ms. */
enum err_code backend_local_open(const char *dir, bool must_exist, int64_t wait_ms,
                                 struct backend **out, struct err *err);

/* Where a service is, and what is shown to it; the names are for sentences about them. */
struct service_place {
    const char *address, *address_name;
    const char *token_file, *token_file_name; /* NULL: none */
    const char *ca_file, *ca_file_name;       /* NULL: the system's */
};
enum err_code backend_service_open(const struct service_place *place, struct backend **out,
                                   struct err *err);

#endif
