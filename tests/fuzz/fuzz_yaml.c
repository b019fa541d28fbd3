#include "fuzz.h"
#include "json.h"
#include "yaml_doc.h"

/*
 * YAML in: as JSON, and packed, the same value comes back; every path has a line of the file, no
 * smaller than that of what holds it.
 */
enum { ARENA_BYTES = 64 * 1024 * 1024 };

static const struct value_limits limits = {.bytes = 1 << 20, .items = 10000, .depth = 32};

struct walk {
    const struct yaml_doc *doc;
    struct arena *arena;
    int n_lines;
};

/* A key that itself reads as a path leads elsewhere. */
static bool
is_plain_key(struct str key)
{
    return key.len != 0 && str_find(key, '.', 0) == key.len && str_find(key, '[', 0) == key.len;
}

static void
check_lines(const struct walk *walk, const msgpack_object *value, struct str path, int line)
{
    struct arena_mark mark = arena_mark(walk->arena);

    for (size_t i = 0; i < value_size(value); i++) {
        struct str key = value_key(value, i), inner;
        int here;

        if (value_is_array(value))
            inner = arena_format(walk->arena, "%.*s[%zu]", STR_ARG(path), i);
        else if (is_plain_key(key))
            inner = arena_format(walk->arena, "%.*s%s%.*s", STR_ARG(path), path.len != 0 ? "." : "",
                                 STR_ARG(key));
        else
            continue;
        if (inner.data == NULL)
            return;
        here = yaml_doc_line(walk->doc, inner.data);
        FUZZ_CLAIM(here >= line && here <= walk->n_lines);
        check_lines(walk, value_is_array(value) ? value_at(value, i) : value_of(value, i), inner,
                    here);
        arena_release(walk->arena, mark);
    }
}

static void
check_again(const msgpack_object *value, struct arena *arena)
{
    struct value_limits wide = limits;
    const msgpack_object *again;
    struct buf json, packed;

    buf_init(&json, 64 << 20);
    buf_init(&packed, 16 << 20);
    json_encode(&json, value, JSON_INDENTED);
    pack_value(&packed, value);
    FUZZ_CLAIM(buf_check(&json, NULL) == ERR_OK && buf_check(&packed, NULL) == ERR_OK);
    wide.bytes = json.len + packed.len;
    FUZZ_CLAIM(json_decode(buf_str(&json), &wide, arena, &again, NULL) == ERR_OK);
    FUZZ_CLAIM(value_equal(value, again));
    FUZZ_CLAIM(value_decode(packed.data, packed.len, &wide, arena, &again, NULL) == ERR_OK);
    FUZZ_CLAIM(value_equal(value, again));
    buf_fini(&json);
    buf_fini(&packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str text = {(const char *)bytes, n};
    struct arena *arena = arena_create(ARENA_BYTES);
    struct yaml_doc *doc;
    struct err err;
    enum err_code code;

    if (arena == NULL)
        return 0;
    code = yaml_decode(text, &limits, arena, &doc, &err);
    if (code == ERR_OK) {
        struct walk walk = {doc, arena, 1};
        struct str path;

        for (size_t i = 0; i < n; i++) /* CR, LF, U+0085, U+2028 and U+2029 end lines */
            walk.n_lines += strchr("\n\r\x85\xA8\xA9", bytes[i]) != NULL;
        FUZZ_CLAIM(yaml_doc_line(doc, "") >= 1);
        FUZZ_CLAIM(!value_find_bad_key(yaml_doc_root(doc), arena, &path));
        check_lines(&walk, yaml_doc_root(doc), (struct str){"", 0}, 1);
        check_again(yaml_doc_root(doc), arena);
    } else {
        fuzz_check_err(code, &err);
    }
    arena_destroy(arena);
    return 0;
}
