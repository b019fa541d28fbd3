#include "small_store.h"

#include "file.h"
#include "json.h"
#include "yaml_doc.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STARTUPS = 24, FILE_BYTES_MAX = 8 * 1024 * 1024 };

static void
stop(const char *what, const struct err *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

void
small_store_folder(char *path)
{
    if (mkdtemp(path) == NULL) {
        perror(path);
        exit(1);
    }
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void
small_store_remove(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

enum err_code
small_store_call(struct engine *engine, const char *method, const char *json, struct err *err)
{
    const struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("small-store")};
    struct arena *arena = arena_create((size_t)1 << 28);
    const msgpack_object *params;
    struct call call;
    enum err_code code;

    if (arena == NULL)
        return err_no_memory(err);
    call_init(&call, engine, &caller, arena, 0);
    code = json_decode(str_from(json), &value_limits_default, arena, &params, err);
    if (code == ERR_OK)
        code = call_open(&call, str_from(method), params, err);
    if (code == ERR_OK)
        code = call_run(&call, err);
    call_fini(&call);
    arena_destroy(arena);
    return code;
}

static void
must_call(struct engine *engine, const char *method, const char *json)
{
    struct err err = {0};

    if (small_store_call(engine, method, json, &err) != ERR_OK)
        stop(method, &err);
}

static void
read_data(const char *data, const char *name, struct buf *out)
{
    struct err err = {0};
    char path[512];

    snprintf(path, sizeof path, "%s/%s", data, name);
    buf_init(out, FILE_BYTES_MAX);
    if (file_read(path, out, &err) != ERR_OK)
        stop(path, &err);
}

/* The first `most` lines of a JSON Lines file, each between `before` and `after`. */
static void
call_lines(struct engine *engine, const char *data, const char *name, size_t most,
           const char *method, const char *before, const char *after)
{
    struct buf text, json;
    size_t at = 0;

    read_data(data, name, &text);
    buf_init(&json, FILE_BYTES_MAX);
    for (size_t i = 0; i < most && at < text.len; i++) {
        size_t end = str_find(buf_str(&text), '\n', at);

        buf_clear(&json);
        buf_printf(&json, "%s%.*s%s", before, (int)(end - at), text.data + at, after);
        buf_append_char(&json, '\0');
        must_call(engine, method, json.data);
        at = end + 1;
    }
    buf_fini(&json);
    buf_fini(&text);
}

void
small_store_put_programme(struct engine *engine, const char *data, const char *name)
{
    struct arena *arena = arena_create(FILE_BYTES_MAX * 4);
    struct yaml_doc *doc;
    struct buf text, json;
    struct err err = {0};

    read_data(data, name, &text);
    if (yaml_decode(buf_str(&text), &value_limits_default, arena, &doc, &err) != ERR_OK)
        stop(name, &err);
    buf_init(&json, FILE_BYTES_MAX);
    buf_append_text(&json, "{\"programme\": ");
    json_encode(&json, yaml_doc_root(doc), JSON_COMPACT);
    buf_append(&json, "}", 2);
    must_call(engine, "programme.put", json.data);
    buf_fini(&json);
    buf_fini(&text);
    arena_destroy(arena);
}

void
small_store_fill(struct engine *engine, const char *data)
{
    call_lines(engine, data, "profiles/startups.jsonl", STARTUPS, "profile.put",
               "{\"profile\": ", "}");
    call_lines(engine, data, "profiles/demo-hosts.jsonl", SIZE_MAX, "profile.put",
               "{\"profile\": ", "}");
    small_store_put_programme(engine, data, "programmes/bilocation.yaml");
    small_store_put_programme(engine, data, "programmes/events.yaml");
    must_call(engine, "outcome.put",
              "{\"from\": \"demo-startup-001\", \"to\": \"demo-host-01\", \"kind\": \"hosted\", "
              "\"at\": \"2026-03-02\"}");
}
