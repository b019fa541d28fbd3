#include "job.h"

#include "alloc.h"
#include "limit_table.h"
#include "pool.h"
#include "watch_desk.h"

enum { JOB_ARENA_BYTES = 256 * 1024 * 1024 };

struct job *
job_create(const struct job_host *host, const struct method *method, struct str params,
           struct identity *identity, int64_t received_ms)
{
    struct job *job = mem_alloc_zeroed(1, sizeof *job);

    if (job == NULL)
        return NULL;
    job->tallies = host->tallies;
    job->method = method;
    job->is_write = (method->flags & METHOD_WRITES) != 0;
    job->identity = identity_hold(identity);
    job->arena = arena_create(JOB_ARENA_BYTES);
    if (job->arena != NULL && params.len > 0)
        job->params = (struct str){arena_copy(job->arena, params.data, params.len), params.len};
    if (job->arena == NULL || (params.len > 0 && job->params.data == NULL)) {
        job_destroy(job);
        return NULL;
    }
    job->held_bytes = sizeof *job + params.len;
    tally_add(job->tallies, TALLY_HELD_BYTES, (int64_t)job->held_bytes);
    tally_add(job->tallies, TALLY_IN_FLIGHT, 1);
    call_init(&job->call, host->engine, &job->identity->caller, job->arena,
              (size_t)host->limits[LIMIT_UNREAD_BYTES]);
    job->call.received_ms = received_ms;
    job->call.host = host->call_host;
    job->call.limits = host->limits;
    job->has_call = true;
    return job;
}

void
job_destroy(struct job *job)
{
    if (job == NULL)
        return;
    if (job->has_call) {
        call_fini(&job->call);
        tally_add(job->tallies, TALLY_HELD_BYTES, -(int64_t)job->held_bytes);
        tally_add(job->tallies, TALLY_IN_FLIGHT, -1);
    }
    arena_destroy(job->arena);
    identity_drop(job->identity);
    watch_seat_drop(job->seat);
    if (job->lane != NULL)
        lane_drop(job->lane);
    mem_free(job);
}

void
job_refuse(struct job *job, enum err_code code, const char *message)
{
    err_set(&job->err, code, "%s", message);
    job->finished(job);
}

static void
call_done(struct call *call, const struct err *err)
{
    struct job *job = call->done_context;

    job->err = *err;
    job->finished(job);
}

void
job_run(struct job *job, bool (*is_cancelled)(void *context), void *context)
{
    const msgpack_object *params = NULL;
    const struct value_limits limits = {
        .bytes = job->params.len,
        .items = (size_t)job->call.limits[LIMIT_FRAME_ITEMS],
        .depth = (unsigned)job->call.limits[LIMIT_FRAME_DEPTH],
    };
    enum err_code code = ERR_OK;

    job->call.is_cancelled = is_cancelled;
    job->call.cancel_context = context;
    if (job->params.len > 0)
        code = value_decode(job->params.data, job->params.len, &limits, job->arena, &params,
                            &job->err);
    if (code == ERR_OK)
        code = call_open(&job->call, str_from(job->method->name), params, &job->err);
    if (code == ERR_OK)
        call_start(&job->call, call_done, job);
    else
        job->finished(job);
}
