#ifndef JML_CALL_H
#define JML_CALL_H

#include "arena.h"
#include "buf.h"
#include "engine.h"
#include "method.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * call: one method call from parameters to answer, whoever asks: the tool in its own process, the service
 * for a connection, a test.
 *
 * Steps: call_open checks the guards, each with its own error (known? allowed? well-formed? within
 * limits? before its deadline?); then call_run (waits) or call_start (does not) does the work. The
 * answer is packed msgpack in call->answer. Everything lives in call->arena.
 */
struct caller {
    enum role role;
    struct str name;     /* for the journal: "officer marie" is role and name */
    struct str metro;    /* an officer's own metro, or empty */
    struct str profile;  /* a partner's own profile */
    struct str token_id; /* of the token that was shown, or empty */
    int64_t expires_ms;  /* wall ms at which that token ends; 0: never */
};

/* What the asker's side adds to answers about the running service. */
struct watch_desk;
struct call_host {
    void (*pack_stats)(const struct call_host *host, struct buf *out); /* one map */
    struct watch_desk *watches;
};

struct watch_seat;
struct call {
    /* set by the asker */
    struct engine *engine;
    struct caller caller;
    struct arena *arena;
    bool (*is_cancelled)(void *context); /* may be NULL; asked between steps of long work */
    void *cancel_context;
    int64_t received_ms;           /* steady; 0: now */
    const struct call_host *host;  /* NULL: there is no service around */
    const _Atomic int64_t *limits; /* LIMIT_COUNT values in force; NULL: the presets */
    enum lang default_lang;        /* where has_default_lang: for calls that name no `lang` */
    bool has_default_lang;
    struct watch_seat *seat; /* where notifications can be sent; NULL: nowhere. The asker's hold */

    /* set by call_open */
    const struct method *method;
    const msgpack_object *params; /* a map, or NULL for none */
    struct str after;             /* the key that `after` names; or empty */
    enum lang lang;
    bool speaks;             /* `lang` was given: add sentences */
    int64_t deadline_ms;     /* steady; INT64_MAX: none */
    uint64_t started_us;     /* monotonic */
    struct engine_view view; /* held from call_run/start on */

    /* filled by the handlers */
    const struct caller *granted; /* by system.hello with a token that holds; in the arena */
    uint64_t watch;               /* by match.watch: its number */
    void *state;                  /* what handle prepares for apply, in the arena */
    struct buf answer;            /* one packed value */
    struct buf error_details;     /* packed map for the error's `details`, or empty */

    /* call_start's own */
    struct write_request request;
    void (*done)(struct call *call, const struct err *err);
    void *done_context;
    struct store_txn *txn; /* while apply runs */
};

/* In place; the arena must outlive the call. answer_limit bounds the answer (0: 64 MiB). */
void call_init(struct call *call, struct engine *engine, const struct caller *caller,
               struct arena *arena, size_t answer_limit);
void call_fini(struct call *call);

enum err_code call_open(struct call *call, struct str method, const msgpack_object *params,
                        struct err *err);
/* The same where the row of the table is known already. */
enum err_code call_open_method(struct call *call, const struct method *method,
                               const msgpack_object *params, struct err *err);
/* Runs an opened call to its end in this thread; a write waits for its commit. Counts it. */
enum err_code call_run(struct call *call, struct err *err);
/* Reads run at once in this thread; writes are prepared here and finished on the writer's thread.
 * done is called exactly once, here or there. */
void call_start(struct call *call, void (*done)(struct call *call, const struct err *err),
                void *context);

/* ---- for handlers: parameters are checked, so these cannot fail ---- */
struct str call_str(const struct call *call, const char *name); /* empty if absent */
int64_t call_int(const struct call *call, const char *name);    /* the preset if absent */
bool call_bool(const struct call *call, const char *name);
const msgpack_object *call_value(const struct call *call, const char *name); /* NULL if absent */
bool call_has(const struct call *call, const char *name);
size_t call_limit(const struct call *call);             /* of a list: 1..1000 */
struct str call_after(const struct call *call);         /* the key that `after` names, or empty */
void call_pack_next(struct call *call, struct str key); /* "next": opaque form of key */
/* The same for lists whose key is a number. */
uint64_t call_after_number(const struct call *call);
void call_pack_next_number(struct call *call, uint64_t key);
bool call_sees_confidential(const struct call *call, struct str profile_id);
struct str call_actor(struct call *call); /* "officer marie" */
/* ERR_CANCELLED or ERR_DEADLINE when it is time to stop, else ERR_OK. */
enum err_code call_check_time(struct call *call, struct err *err);
/* ERR_NOT_FOUND naming the id and the nearest one that exists. */
enum err_code call_no_profile(struct call *call, const char *param, struct str id, struct err *err);
/* The stored programme, held with the call's arena; ERR_NOT_FOUND naming it. */
enum err_code call_programme(struct call *call, struct str id, const struct programme **out,
                             uint64_t *version, struct err *err);

/* Likewise, in steps: ERR_NOT_FOUND with its sentence; bytes decoded into the call's arena. */
enum err_code programme_record_find(struct store_read *read, struct str id,
                                    struct programme_record *out, struct err *err);
enum err_code call_programme_decode(struct call *call, struct str bytes, struct programme **out,
                                    struct err *err);

/* The error as the protocol's map {code, name, message, field?, details?}. */
void call_pack_error(struct buf *out, const struct err *err, const struct buf *details);

#endif
