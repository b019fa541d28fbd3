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
