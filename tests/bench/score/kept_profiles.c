#include "kept_profiles.h"

#include "small_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_BYTES = 64 * 1024, PUT_AT_ONCE = 200, IDS_MOST = 100000 };

void
kept_must(enum err_code code, const char *what, const struct err *err)
{
    if (code == ERR_OK)
        return;
    fprintf(stderr, "bench: %s: %s %s\n", what, err->field, err->message);
    exit(EXIT_FAILURE);
}

void
kept_call(struct engine *engine, const char *method, struct buf *json)
{
    struct err err = {0};

    buf_append_char(json, '\0');
    kept_must(buf_check(json, &err), method, &err);
    kept_must(small_store_call(engine, method, json->data, &err), method, &err);
    buf_clear(json);
}

/* Generated lines begin with their id: {"id":"…". */
static void
note_id(struct kept_side both[2], const char *line)
{
    struct kept_side *these = &both[strstr(line, "\"kind\":\"startup\"") == NULL];
    const char *id = strstr(line, "\"id\":\"");
    size_t n = id != NULL ? strcspn(id + 6, "\"") : 0;

    if (n == 0 || n >= sizeof *these->ids || these->n == IDS_MOST) {
        fprintf(stderr, "bench: no line of a generated profile: %.60s\n", line);
        exit(EXIT_FAILURE);
    }
    memcpy(these->ids[these->n], id + 6, n);
    these->ids[these->n++][n] = '\0';
}

void
kept_put(struct engine *engine, struct kept_side both[2])
{
    static char line[LINE_BYTES];
    struct buf json;
    size_t n = 0;

    for (int i = 0; i < 2; i++) {
        both[i] = (struct kept_side){i == 0 ? "a startup" : "a host", NULL, 0};
        if ((both[i].ids = calloc(IDS_MOST, sizeof *both[i].ids)) == NULL)
            exit(EXIT_FAILURE);
    }
    buf_init(&json, (size_t)PUT_AT_ONCE * LINE_BYTES);
    while (fgets(line, sizeof line, stdin) != NULL) {
        note_id(both, line);
        buf_append_text(&json, n++ == 0 ? "{\"atomic\": true, \"profiles\": [" : ",");
        buf_append_text(&json, line);
        if (n < PUT_AT_ONCE)
            continue;
        buf_append_text(&json, "]}");
        kept_call(engine, "profile.put_many", &json);
        n = 0;
    }
    if (n > 0) {
        buf_append_text(&json, "]}");
        kept_call(engine, "profile.put_many", &json);
    }
    buf_fini(&json);
}

void
kept_free(struct kept_side both[2])
{
    for (int i = 0; i < 2; i++)
        free(both[i].ids);
}

static void
open_engine(struct kept_bench *bench)
{
    struct err err = {0};

    kept_must(engine_open(&bench->options, &bench->engine, &err), "engine_open", &err);
}

void
kept_open(struct kept_bench *bench, int argc, char **argv, size_t map_bytes)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DATA < profiles.jsonl\n", argv[0]);
        exit(EXIT_FAILURE);
    }
    snprintf(bench->folder, sizeof bench->folder, "/tmp/jumelage-bench-XXXXXX");
    small_store_folder(bench->folder);
    bench->options = (struct engine_options){.data_dir = bench->folder,
                                             .share_dir = argv[1],
                                             .clock = clock_system(),
                                             .map_bytes = map_bytes};
    open_engine(bench);
    kept_put(bench->engine, bench->both);
    small_store_put_programme(bench->engine, argv[1], "programmes/bilocation.yaml");
}

void
kept_reopen(struct kept_bench *bench, size_t helpers)
{
    engine_close(bench->engine);
    bench->options.helpers = helpers;
    open_engine(bench);
}

void
kept_close(struct kept_bench *bench)
{
    engine_close(bench->engine);
    small_store_remove(bench->folder);
    kept_free(bench->both);
}
