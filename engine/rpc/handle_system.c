/* handle_system.c: who is there, what can be called, how it goes. */
#include "handle.h"
#include "kernel.h"
#include "limit_table.h"
#include "params.h"
#include "tokens.h"
#include "watch_desk.h"

enum { PROTOCOL_VERSION = 1 };

enum err_code
handle_system_hello(struct call *call, struct err *err)
{
    const struct clock *clock = engine_clock(call->engine);
    struct buf *out = &call->answer;
    enum role role = call->caller.role;

    if (call_has(call, "token")) {
        struct caller *granted = arena_alloc(call->arena, 1, sizeof *granted);
        enum err_code code = granted != NULL
                                 ? token_check(engine_tokens(call->engine), call_str(call, "token"),
                                               call->arena, granted, err)
                                 : err_no_memory(err);

        if (code != ERR_OK)
            return code;
        call->granted = granted;
        role = granted->role;
    }
    pack_map(out, 6);
    pack_key_text(out, "name", "jumelage");
    pack_key_text(out, "version", JML_VERSION);
    pack_key_int(out, "protocol", PROTOCOL_VERSION);
    pack_key_text(out, "role", role_name(role));
    pack_key(out, "limits");
    pack_map(out, LIMIT_COUNT);
    for (int i = 0; i < LIMIT_COUNT; i++)
        pack_key_int(out, limit_rows[i].name,
                     call->limits != NULL ? call->limits[i] : limit_rows[i].preset);
    pack_key_int(out, "time", clock->wall_ms(clock));
    return ERR_OK;
}

enum err_code
handle_system_ping(struct call *call, struct err *err)
{
    (void)err;
    pack_text(&call->answer, "pong");
    return ERR_OK;
}

/* ---- system.methods ---- */

static size_t
count_params(const struct method *method)
{
    size_t n = 0;

    while (method->params != NULL && method->params[n].name != NULL)
        n++;
    return n;
}

static void
pack_param(struct buf *out, const struct param *param)
{
    bool has_range = param->min != 0 || param->max != 0;
    size_t n = 3U + (param->text != NULL) + (param->unit != NULL) + (param->choices != NULL) +
               (has_range ? 2U : 0U) + param->has_preset;

    pack_map(out, n);
    pack_key_text(out, "name", param->name);
    pack_key_text(out, "type", param_type_name(param->type));
    pack_key_bool(out, "required", param->required);
    if (param->unit != NULL)
        pack_key_text(out, "unit", param->unit);
    if (has_range) {
        pack_key_int(out, "min", param->min);
        pack_key_int(out, "max", param->max);
    }
    if (param->choices != NULL)
        pack_key_text(out, "choices", param->choices);
    if (param->has_preset) {
        if (param->type == PARAM_BOOL)
            pack_key_bool(out, "default", param->preset != 0);
        else
            pack_key_int(out, "default", param->preset);
    }
    if (param->text != NULL)
        pack_key_text(out, "text", param->text);
}

static void
pack_results(struct buf *out, const struct result *results)
{
    size_t n = 0;

    while (results != NULL && results[n].name != NULL)
        n++;
    pack_array(out, n);
    for (size_t i = 0; i < n; i++) {
        pack_map(out, 3U + (results[i].unit != NULL) + (results[i].text != NULL));
        pack_key_text(out, "name", results[i].name);
        pack_key_text(out, "type", result_type_name(results[i].type));
        pack_key_bool(out, "optional", results[i].optional);
        if (results[i].unit != NULL)
            pack_key_text(out, "unit", results[i].unit);
        if (results[i].text != NULL)
            pack_key_text(out, "text", results[i].text);
    }
}

static void
pack_roles(struct buf *out, unsigned roles)
{
    static const enum role all[] = {ROLE_ANY,   ROLE_READER,  ROLE_OFFICER,
                                    ROLE_ADMIN, ROLE_PARTNER, ROLE_BATCH};
    struct pack_open list = pack_array_open(out);
    size_t n = 0;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (roles & all[i]) {
            pack_text(out, role_name(all[i]));
            n++;
        }
    pack_close(out, list, n);
}

static enum role
first_role(unsigned roles)
{
    return (enum role)(roles & (0U - roles));
}

enum err_code
handle_system_methods(struct call *call, struct err *err)
{
    struct buf *out = &call->answer;

    (void)err;
    pack_array(out, n_methods);
    for (const struct method *m = methods; m->name != NULL; m++) {
        const struct param *common[METHOD_COMMON_MAX];
        size_t n_common = method_common_params(m, common), n = count_params(m);

        pack_map(out, 8);
        pack_key_text(out, "name", m->name);
        pack_key_text(out, "role", role_name(first_role(m->roles)));
        pack_key(out, "roles");
        pack_roles(out, m->roles);
        pack_key_text(out, "summary", m->summary);
        pack_key_text(out, "details", m->details);
        pack_key(out, "params");
        pack_array(out, n + n_common);
        for (size_t i = 0; i < n; i++)
            pack_param(out, &m->params[i]);
        for (size_t i = 0; i < n_common; i++)
            pack_param(out, common[i]);
        pack_key(out, "result");
        pack_results(out, m->results);
        pack_key_text(out, "example", m->example);
    }
    return ERR_OK;
}

/* ---- system.stats ---- */

static void
pack_method_stats(struct buf *out, const struct method_stats *stats)
{
    int last = STATS_BUCKETS;

    while (last > 0 && stats->buckets[last - 1] == 0)
        last--;
    pack_map(out, 4);
    pack_key_int(out, "calls", (int64_t)stats->calls);
    pack_key_int(out, "errors", (int64_t)stats->errors);
    pack_key_int(out, "microseconds", (int64_t)stats->microseconds);
    pack_key(out, "latency_buckets"); /* [i]: calls that took less than 2^i microseconds */
    pack_array(out, (size_t)last);
    for (int i = 0; i < last; i++)
        pack_int(out, (int64_t)stats->buckets[i]);
}

static enum err_code
pack_store_sizes(struct call *call, struct err *err)
{
    struct buf *out = &call->answer;
    struct store_sizes sizes;
    enum err_code code = store_sizes(engine_store(call->engine), &sizes, err);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"file_bytes", sizes.file_bytes},
        {"map_bytes", sizes.map_bytes},
        {"used_bytes", sizes.used_bytes},
        {"profiles", sizes.profiles},
        {"profile_versions", sizes.profile_versions},
        {"programmes", sizes.programmes},
        {"outcomes", sizes.outcomes},
        {"journal", sizes.journal},
        {"vectors", sizes.vectors},
        {"blobs", sizes.blobs},
        {"commits", sizes.commits},
        {"writes", sizes.writes},
        {"failed_commits", sizes.failed_commits},
        {"failed_syncs", sizes.failed_syncs},
        {"backups", sizes.backups},
        {"erasures", sizes.erasures},
    };
    enum { N = sizeof rows / sizeof rows[0] };

    if (code != ERR_OK)
        return code;
    pack_map(out, N);
    for (size_t i = 0; i < N; i++)
        pack_key_int(out, rows[i].name, (int64_t)rows[i].value);
    return ERR_OK;
}

enum err_code
handle_system_stats(struct call *call, struct err *err)
{
    const struct roster *roster = call->view.roster;
    struct watch_desk *watches = call->host != NULL ? call->host->watches : NULL;
    bool has_service = call->host != NULL && call->host->pack_stats != NULL;
    struct buf *out = &call->answer;
    struct method_stats stats;
    enum err_code code;

    pack_map(out, 6 + (size_t)has_service + (size_t)(watches != NULL));
    pack_key_text(out, "version", JML_VERSION);
    pack_key_text(out, "kernel", engine_kernel(call->engine)->name);
    pack_key_int(out, "seq", (int64_t)call->view.seq);
    pack_key(out, "store");
    code = pack_store_sizes(call, err);
    if (code != ERR_OK)
        return code;
    pack_key(out, "index");
    pack_map(out, 4);
    pack_key_int(out, "profiles", roster_profiles(roster));
    pack_key_int(out, "rows", roster_rows(roster));
    pack_key_int(out, "bytes", (int64_t)engine_index_bytes(call->engine, roster));
    pack_key_int(out, "symbols", symbols_count(call->view.symbols));
    pack_key(out, "methods");
    pack_map(out, n_methods);
    for (size_t i = 0; i < n_methods; i++) {
        engine_method_stats(call->engine, i, &stats);
        pack_key(out, methods[i].name);
        pack_method_stats(out, &stats);
    }
    if (has_service) {
        pack_key(out, "service");
        call->host->pack_stats(call->host, out);
    }
    if (watches != NULL) {
        pack_key(out, "watches");
        watch_desk_pack_stats(watches, out);
    }
    return ERR_OK;
}
