#include "fuzz.h"
#include "json.h"

#include <math.h>

/*
 * msgpack in: packed again it is the same value, and packed once more the same bytes. As JSON it
 * comes back the same, if it holds only what JSON can say.
 */
enum { ARENA_BYTES = 64 * 1024 * 1024 };

static const struct value_limits limits = {.bytes = 1 << 20, .items = 10000, .depth = 32};

static bool
fits_json(const msgpack_object *value)
{
    int64_t number;
    bool fits = true;

    switch (value->type) {
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
        return false;
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return isfinite(value->via.f64);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return value_int(value, &number);
    case MSGPACK_OBJECT_ARRAY:
        for (size_t i = 0; fits && i < value_size(value); i++)
            fits = fits_json(value_at(value, i));
        return fits;
    case MSGPACK_OBJECT_MAP:
        for (size_t i = 0; fits && i < value_size(value); i++)
            fits = fits_json(value_of(value, i));
        return fits;
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BOOLEAN:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_STR:
        return true;
    }
    return false;
}

/* Every accessor on every node, and the lookup of every key. */
static void
use(const msgpack_object *value)
{
    struct str text;
    int64_t number;
    bool truth;
    int n_types = value_is_nil(value) + value_str(value, &text) + value_bin(value, &text) +
                  value_bool(value, &truth) + value_is_map(value) + value_is_array(value) +
                  value_int(value, &number);

    FUZZ_CLAIM(n_types <= 1);
    FUZZ_CLAIM(value_type_name(value)[0] != '\0');
    FUZZ_CLAIM(value_equal(value, value));
    for (size_t i = 0; value_is_array(value) && i < value_size(value); i++)
        use(value_at(value, i));
    for (size_t i = 0; value_is_map(value) && i < value_size(value); i++) {
        struct str key = value_key(value, i);

        if (key.data != NULL)
            FUZZ_CLAIM(value_find_str(value, key) != NULL);
        use(value_of(value, i));
    }
}

static void
check_pack(const msgpack_object *value, struct arena *arena)
{
    const msgpack_object *again;
    struct buf first, second;

    buf_init(&first, 16 << 20);
    buf_init(&second, 16 << 20);
    pack_value(&first, value);
    FUZZ_CLAIM(buf_check(&first, NULL) == ERR_OK);
    /* floats grow from four bytes to eight, so the limit of bytes is not that of the input */
    FUZZ_CLAIM(value_decode(first.data, first.len, &value_limits_default, arena, &again, NULL) ==
               ERR_OK);
    FUZZ_CLAIM(value_equal(value, again));
    pack_value(&second, again);
    FUZZ_CLAIM(str_equal(buf_str(&first), buf_str(&second)));
    buf_fini(&first);
    buf_fini(&second);
}

static void
check_json(const msgpack_object *value, bool has_bad_key, struct arena *arena)
{
    const msgpack_object *again;
    struct buf buf;

    buf_init(&buf, 1 << 20);
    json_encode(&buf, value, JSON_COMPACT);
    if (buf_check(&buf, NULL) == ERR_OK) { /* text as keys inside keys may outgrow any limit */
        FUZZ_CLAIM(str_is_utf8(buf_str(&buf)));
        if (!has_bad_key && fits_json(value)) {
            struct value_limits wide = value_limits_default;

            wide.bytes = buf.len;
            FUZZ_CLAIM(json_decode(buf_str(&buf), &wide, arena, &again, NULL) == ERR_OK);
            FUZZ_CLAIM(value_equal(value, again));
        }
    }
    buf_fini(&buf);
}

/* By hand as by msgpack-c; only texts that are not UTF-8 pass. */
static void
check_read(const uint8_t *bytes, size_t n, enum err_code code, const msgpack_object *value,
           struct arena *arena)
{
    const msgpack_object *read;
    enum err_code read_code = value_read(bytes, n, &limits, arena, &read, NULL);

    if (code == ERR_OK) {
        FUZZ_CLAIM(read_code == ERR_OK);
        FUZZ_CLAIM(value_equal(value, read));
    } else {
        FUZZ_CLAIM(read_code != ERR_OK || code == ERR_INVALID_PARAMS);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    const msgpack_object *value = NULL;
    struct err err;
    enum err_code code;

    if (arena == NULL)
        return 0;
    code = value_decode(bytes, n, &limits, arena, &value, &err);
    check_read(bytes, n, code, value, arena);
    if (code == ERR_OK) {
        struct str path;
        bool has_bad_key = value_find_bad_key(value, arena, &path);

        FUZZ_CLAIM(!has_bad_key || (path.len != 0 && str_is_utf8(path)));
        use(value);
        check_pack(value, arena);
        check_json(value, has_bad_key, arena);
    } else {
        fuzz_check_err(code, &err);
    }
    arena_destroy(arena);
    return 0;
}
