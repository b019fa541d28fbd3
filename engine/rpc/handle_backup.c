/* handle_backup.c: backups made while serving, and those there are. */
#include "file.h"
#include "handle.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_BYTES = 512 };

static enum err_code
check_patience(void *context, struct err *err)
{
    return call_check_time(context, err);
}

static void
pack_backup(struct buf *out, const struct store_backup *backup)
{
    pack_key_text(out, "name", backup->name);
    pack_key_int(out, "bytes", (int64_t)backup->bytes);
    pack_key_int(out, "at", backup->at);
    pack_key_int(out, "seq", (int64_t)backup->seq);
    pack_key_bool(out, "verified", backup->is_verified);
}

enum err_code
handle_backup_create(struct call *call, struct err *err)
{
    const struct clock *clock = engine_clock(call->engine);
    struct store_patience patience = {check_patience, call};
    const char *folder = engine_backup_dir(call->engine);
    int64_t started_ms = clock->steady_ms(clock);
    struct buf *out = &call->answer;
    struct str path = arena_format(call->arena, "%s/%.*s", folder, STR_ARG(call_str(call, "name")));
    struct store_backup backup;
    enum err_code code;

    /* What the answer needs is taken before: a backup that nobody is told of would only be in the way. */
    if (path.data == NULL || buf_reserve(out, path.len + ANSWER_BYTES) == NULL)
        return err_no_memory(err);
    code = store_backup_create(engine_store(call->engine), folder, call_str(call, "name"),
                               &patience, &backup, err);
    if (code != ERR_OK)
        return code;
    pack_map(out, 7);
    pack_backup(out, &backup);
    pack_key_str(out, "path", path);
    pack_key_int(out, "seconds", (clock->steady_ms(clock) - started_ms + 500) / 1000);
    return ERR_OK;
}

/* Folders there that hold a backup's marker; one that cannot be read is not whole and is left out. */
enum err_code
handle_backup_list(struct call *call, struct err *err)
{
    const char *folder = engine_backup_dir(call->engine);
    struct buf *out = &call->answer;
    struct str after = call_after(call);
    size_t limit = call_limit(call), n = 0, n_names = 0, i;
    struct pack_open map, list;
    const char *last = NULL;
    char **names = NULL;
    enum err_code code =
        file_exists(folder) ? file_list(folder, "", &names, &n_names, err) : ERR_OK;

    if (code != ERR_OK)
        return code;
    map = pack_map_open(out);
    pack_key(out, "backups");
    list = pack_array_open(out);
    for (i = 0; i < n_names && n < limit; i++) {
        struct store_backup backup;
        struct str path;

        if (after.len > 0 && str_compare(str_from(names[i]), after) <= 0)
            continue;
        path = arena_format(call->arena, "%s/%s", folder, names[i]);
        if (path.data == NULL || store_backup_read(path.data, &backup, NULL) != ERR_OK)
            continue;
        pack_map(out, 5);
        pack_backup(out, &backup);
        last = names[i];
        n++;
    }
    pack_close(out, list, n);
    if (n == limit && i < n_names)
        call_pack_next(call, str_from(last));
    pack_close(out, map, n == limit && i < n_names ? 2 : 1);
    file_free_names(names, n_names);
    return ERR_OK;
}
