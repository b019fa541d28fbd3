#include "fuzz.h"
#include "json.h"

/* JSON in: written in either style, or packed, it is the same value again. */
enum { ARENA_BYTES = 64 * 1024 * 1024 };

static const struct value_limits limits = {.bytes = 1 << 20, .items = 10000, .depth = 32};

static void
check_style(const msgpack_object *value, enum json_style style, struct arena *arena)
{
    const msgpack_object *again;
    struct buf first, second;
    struct value_limits wide = limits;

    buf_init(&first, 64 << 20);
    buf_init(&second, 64 << 20);
    json_encode(&first, value, style);
    FUZZ_CLAIM(buf_check(&first, NULL) == ERR_OK);
    FUZZ_CLAIM(style == JSON_INDENTED || str_find(buf_str(&first), '\n', 0) == first.len);
    wide.bytes = first.len;
    FUZZ_CLAIM(json_decode(buf_str(&first), &wide, arena, &again, NULL) == ERR_OK);
    FUZZ_CLAIM(value_equal(value, again));
    json_encode(&second, again, style);
    FUZZ_CLAIM(str_equal(buf_str(&first), buf_str(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

static void
check_pack(const msgpack_object *value, struct arena *arena)
{
    const msgpack_object *again;
    struct buf buf;

    buf_init(&buf, 16 << 20);
    pack_value(&buf, value);
    FUZZ_CLAIM(buf_check(&buf, NULL) == ERR_OK);
    /* the same count of items and levels on both sides, so the same limits */
    FUZZ_CLAIM(value_decode(buf.data, buf.len,
                            &(struct value_limits){buf.len, limits.items, limits.depth}, arena,
                            &again, NULL) == ERR_OK);
    FUZZ_CLAIM(value_equal(value, again));
    buf_fini(&buf);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    const msgpack_object *value;
    struct err err;
    enum err_code code;

    if (arena == NULL)
        return 0;
    code = json_decode((struct str){(const char *)bytes, n}, &limits, arena, &value, &err);
    if (code == ERR_OK) {
        struct str path;

        FUZZ_CLAIM(!value_find_bad_key(value, arena, &path));
        check_style(value, JSON_COMPACT, arena);
        check_style(value, JSON_INDENTED, arena);
        check_pack(value, arena);
    } else {
        fuzz_check_err(code, &err);
    }
    arena_destroy(arena);
    return 0;
}
