#ifndef JML_RPC_FIXTURE_H
#define JML_RPC_FIXTURE_H

#include "call.h"
#include "limit_table.h"
#include "result_check.h"

/*
 * rpc_fixture: an engine on a temporary folder, with the shipped tables and a clock that stands still.
 *
 * Calls are made with JSON and answered with values of the fixture's arena. Every answer is held against
 * the result description of the method table. Failed set-up ends the test.
 */
struct rpc {
    char dir[64];
    struct clock clock;
    struct engine *engine;
    struct arena *arena;
    size_t helpers;                /* of engines that rpc_reopen opens */
    struct caller caller;          /* admin "test" unless a test says otherwise */
    struct err err;                /* of the last call */
    const msgpack_object *details; /* of the last error; NULL if there were none */
    bool (*is_cancelled)(void *context);
    void *cancel_context;
    long fail_at;          /* which allocation of the next call is to fail; 0: none */
    bool has_failed;       /* it came to that */
    struct call_host host; /* once rpc_seat was called: */
    struct watch_seat *seat;
    _Atomic int64_t limits[LIMIT_COUNT];
    uint64_t watch; /* of the last call: what match.watch made */
    bool has_received;
    int64_t received_ms;
};

#define RPC_TODAY "2026-06-01"
void rpc_open(struct rpc *rpc);
void rpc_close(struct rpc *rpc);  /* and removes the folder */
void rpc_reopen(struct rpc *rpc); /* closes the engine and opens it again on the same folder */
/* In between something is done to the folder. */
void rpc_reopen_after(struct rpc *rpc, void (*meanwhile)(const char *dir));
/* As another role; name may be NULL. */
void rpc_act_as(struct rpc *rpc, enum role role, const char *name);

/* The answer, or NULL with rpc->err. */
const msgpack_object *rpc_call(struct rpc *rpc, const char *method, const char *json);
/* The answer; a failure ends the test with its sentence. */
const msgpack_object *rpc_ok(struct rpc *rpc, const char *method, const char *json);
/* The call must fail with this code and field (NULL: whatever field), and nothing stored may change. */
void rpc_fails(struct rpc *rpc, const char *method, const char *json, enum err_code code,
               const char *field);

/* From here on calls come over a connection that can be told of changes: host.watches, seat. */
void rpc_seat(struct rpc *rpc);

/* Pieces of an answer by a path such as "matches[0].score". */
const msgpack_object *rpc_at(const msgpack_object *value, const char *path);
int64_t rpc_int(const msgpack_object *value, const char *path);
const char *rpc_text(struct rpc *rpc, const msgpack_object *value, const char *path);
bool rpc_bool(const msgpack_object *value, const char *path);
uint64_t rpc_seq(struct rpc *rpc); /* of the newest change */

/* A few profiles and the bilocation programme, from the shipped data: all of it. */
void rpc_load_demo(struct rpc *rpc);

#endif
