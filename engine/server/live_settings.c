#include "live_settings.h"

#include "alloc.h"
#include "notify.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { SPARE_DESCRIPTORS = 64, GROUP_BYTES = 256 * 1024, CONFIG_ARENA_BYTES = 16 * 1024 * 1024 };

static enum err_code
find_group(const char *name, uint64_t *out, struct err *err)
{
    struct group group, *found = NULL;
    char *room;
    int rc;

    *out = 0;
    if (name == NULL)
        return ERR_OK;
    room = mem_alloc(GROUP_BYTES);
    if (room == NULL)
        return err_no_memory(err);
    rc = getgrnam_r(name, &group, room, GROUP_BYTES, &found);
    if (found != NULL)
        *out = (uint64_t)group.gr_gid + 1;
    mem_free(room);
    if (found == NULL && rc == ENOMEM)
        return err_no_memory(err);
    if (found == NULL)
        return err_set(err, ERR_INVALID_PARAMS, "there is no group \"%.80s\" (admin-group)", name);
    return ERR_OK;
}

/* As many descriptors as connections may need, as far as the system lets us. */
static void
raise_descriptors(const struct config *config, struct log *log)
{
    rlim_t wanted = (rlim_t)config->limits[LIMIT_CONNECTIONS] + SPARE_DESCRIPTORS;
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur >= wanted)
        return;
    now.rlim_cur = now.rlim_max < wanted ? now.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &now);
    if (now.rlim_cur < wanted)
        log_event(log, LOG_LEVEL_WARN, "descriptors.few", log_int("have", (int64_t)now.rlim_cur),
                  log_int("wanted", (int64_t)wanted));
}

enum err_code
live_settings_apply(const struct config *config, struct service *service, struct err *err)
{
    uint64_t group;
    enum err_code code = find_group(config->admin_group, &group, err);

    if (code != ERR_OK)
        return code;
    if (service->log != NULL)
        service->log->least = config->log_level;
    service->admin_group = group;
    service->drain_s = config->drain_s;
    for (int i = 0; i < LIMIT_COUNT; i++)
        service->limits[i] = config->limits[i];
    raise_descriptors(config, service->log);
    return ERR_OK;
}

/* systemd's word for it, with the instant that it asks for. */
static void
tell_reloading(void)
{
    char words[64];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(words, sizeof words, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify_system(words);
}

static void
tell_reloaded(const struct config *started, const struct config *next, struct log *log)
{
    int64_t n_waiting = 0;

    for (const struct setting_row *row = setting_rows; row->name != NULL; row++) {
        if (row->is_live || config_agrees(started, next, row))
            continue;
        n_waiting++;
        log_event(log, LOG_LEVEL_WARN, "reload.waits", log_text("setting", row->name),
                  log_text("for", "a restart"));
    }
    log_event(log, LOG_LEVEL_INFO, "reloaded", log_text("part", "settings"),
              log_text(next->file != NULL ? "file" : NULL, next->file),
              log_int("waiting", n_waiting));
}

/* On a thread of the engine's. */
static void
tell_tables(void *context, const struct tables_reloaded *reloaded, const struct err *err)
{
    struct log *log = context;

    if (err->code != ERR_OK)
        log_event(log, LOG_LEVEL_ERROR, "reload.failed", log_text("part", "vocabularies"),
                  log_text(err->field[0] != '\0' ? "file" : NULL, err->field),
                  log_text("why", err->message));
    else
        log_event(log, LOG_LEVEL_INFO, "reloaded", log_text("part", "vocabularies"),
                  log_bool("changed", reloaded->has_changed),
                  log_bool("lexicon_changed", reloaded->has_changed_lexicon),
                  log_int("profiles", (int64_t)reloaded->n_profiles),
                  log_int("late", (int64_t)reloaded->n_late), log_int("ms", reloaded->took_ms),
                  log_int("held_ms", reloaded->held_ms));
}

void
live_settings_reload(const struct config *started, struct service *service)
{
    struct arena *arena = arena_create(CONFIG_ARENA_BYTES);
    struct err err = {0};
    struct config next;
    enum err_code code;

    tell_reloading();
    code = arena == NULL ? err_no_memory(&err) : config_reread(started, arena, &next, &err);
    if (code == ERR_OK &&
        service->has_tls) /* what stands in the files now, for those who come now */
        code = tls_desk_load(&service->tls, started->tls_cert, started->tls_key, &err);
    if (code == ERR_OK)
        code = live_settings_apply(&next, service, &err);
    if (code == ERR_OK)
        tell_reloaded(started, &next, service->log);
    else
        log_event(service->log, LOG_LEVEL_ERROR, "reload.failed", log_text("part", "settings"),
                  log_text("why", err.message));
    if (service->engine != NULL &&
        engine_tables_reload(service->engine, tell_tables, service->log, &err) != ERR_OK)
        tell_tables(service->log, NULL, &err);
    console_reload(&service->console);
    notify_system("READY=1");
    arena_destroy(arena);
}
