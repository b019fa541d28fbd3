#include "alloc.h"
#include "csv_reader.h"
#include "json.h"
#include "yaml_doc.h"

#include <criterion/criterion.h>

#include <stdatomic.h>
#include <stdlib.h>

/*
 * Memory ends at the first, second, third … request of each decoder, until none fails any more: once
 * for that request alone, once for it and all after it. Each time it must say busy (or do without),
 * give back all that it took, and leave no half result.
 *
 * Under sanitizers the requests are those of our own code and of jansson and libcsv, which take an
 * allocator. In other builds this program's malloc stands before the C library's, so that those
 * inside msgpack-c and libyaml fail, too, and what is not given back is counted.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_MALLOC 0
#endif
#endif
#ifndef OWN_MALLOC
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static atomic_long calls_to_failure, n_live;
static atomic_bool is_armed, persists, has_failed;

static bool
fails_now(void)
{
    long left;

    if (!atomic_load(&is_armed))
        return false;
    left = atomic_fetch_sub(&calls_to_failure, 1);
    if (left > 1 || (left < 1 && !atomic_load(&persists)))
        return false;
    atomic_store(&has_failed, true);
    return true;
}

static void *
counted(void *memory)
{
    if (memory != NULL && atomic_load(&is_armed))
        atomic_fetch_add(&n_live, 1);
    return memory;
}

void *
malloc(size_t size)
{
    return fails_now() ? NULL : counted(__libc_malloc(size));
}

void *
calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : counted(__libc_calloc(count, size));
}

void *
realloc(void *memory, size_t size)
{
    if (fails_now())
        return NULL;
    return memory == NULL ? counted(__libc_realloc(NULL, size)) : __libc_realloc(memory, size);
}

void
free(void *memory)
{
    if (memory != NULL && atomic_load(&is_armed))
        atomic_fetch_sub(&n_live, 1);
    __libc_free(memory);
}
#endif

static void
arm(long n, bool and_after)
{
#if OWN_MALLOC
    persists = and_after;
    has_failed = false;
    n_live = 0;
    calls_to_failure = n;
    is_armed = true;
#else
    if (and_after)
        mem_fail_from(n);
    else
        mem_fail_at(n);
#endif
}

/* Did a request fail since? *leaked: blocks taken since and not given back. */
static bool
disarm(long *leaked)
{
#if OWN_MALLOC
    is_armed = false;
    *leaked = n_live;
    return has_failed;
#else
    *leaked = 0; /* LeakSanitizer sees to it */
    return mem_fail_happened();
#endif
}

/* Decodes into the arena; 0 on success with a digest of the result in *result. */
typedef enum err_code decoder(struct arena *arena, struct buf *result, struct err *err);

static enum err_code
decode_msgpack(struct arena *arena, struct buf *result, struct err *err)
{
    static const char bytes[] = "\x83\xa1"
                                "a\x93\x01\x81\xa1k\xc0\xa6h\xc3\xa9llo\xa1"
                                "b\xdc\x00\x14"
                                "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90"
                                "\x90\x90\x90\x90\x90\x90\x90\x90\x90\x91\x80\xa1"
                                "c\x01";
    const msgpack_object *value;
    enum err_code code =
        value_decode(bytes, sizeof bytes - 1, &value_limits_default, arena, &value, err);

    if (code == ERR_OK)
        json_encode(result, value, JSON_INDENTED);
    return code != ERR_OK ? code : buf_check(result, err);
}

static enum err_code
decode_json(struct arena *arena, struct buf *result, struct err *err)
{
    const msgpack_object *value;
    enum err_code code =
        json_decode(STR_LIT("{\"a\":[1,2.5,\"héllo\",{}],\"b\":{\"c\":null,\"d\":[[[]]]}}"),
                    &value_limits_default, arena, &value, err);

    if (code == ERR_OK)
        pack_value(result, value);
    return code != ERR_OK ? code : buf_check(result, err);
}

static enum err_code
decode_yaml(struct arena *arena, struct buf *result, struct err *err)
{
    struct yaml_doc *doc;
    enum err_code code = yaml_decode(STR_LIT("a:\n  - b: 1\n    c: 'héllo'\n  - [1, 2.5, ~]\n"
                                             "d: |\n  long\n  text\ne: {f: g}\n"),
                                     &value_limits_default, arena, &doc, err);

    if (code == ERR_OK)
        pack_value(result, yaml_doc_root(doc));
    return code != ERR_OK ? code : buf_check(result, err);
}

static enum err_code
decode_csv(struct arena *arena, struct buf *result, struct err *err)
{
    struct str bytes =
        STR_LIT("nom;ville\r\n\"Soci\xe9t\xe9\r\n\"\"Un\"\"\";Paris\r\nDeux;Lyon\r\n");
    struct csv_table table;
    struct csv_form form;
    enum err_code code = csv_detect(bytes, &form, err);

    if (code == ERR_OK)
        code = csv_decode(bytes, &form, &csv_limits_default, arena, &table, err);
    for (size_t i = 0; code == ERR_OK && i < table.n_rows; i++)
        for (size_t k = 0; k < table.rows[i].n_cells; k++)
            csv_encode_cell(result, table.rows[i].cells[k], ';');
    return code != ERR_OK ? code : buf_check(result, err);
}

static enum err_code
check_keys(struct arena *arena, struct buf *result, struct err *err)
{
    static const char bytes[] = "\x83\xa1"
                                "a\x01\xa1"
                                "b\x82\xa1x\x01\xa1x\x02\xa1"
                                "c\x03";
    const msgpack_object *value;
    struct str path;
    enum err_code code =
        value_decode(bytes, sizeof bytes - 1, &value_limits_default, arena, &value, err);

    if (code != ERR_OK)
        return code;
    if (!value_find_bad_key(value, arena, &path))
        return err_set(err, ERR_INTERNAL, "a key twice was not seen");
    if (path.len == 0)
        return err_no_memory(err);
    buf_append_str(result, path);
    return buf_check(result, err);
}

/* True if a request failed. */
static bool
try_once(decoder *decode, struct str right, long n, bool and_after)
{
    struct arena *arena;
    struct buf result;
    struct err err = {0};
    enum err_code code = ERR_BUSY;
    bool is_right, happened;
    long leaked;

    buf_init(&result, 10000);
    arm(n, and_after);
    arena = arena_create(1000000);
    if (arena != NULL)
        code = decode(arena, &result, &err);
    arena_destroy(arena);
    is_right = str_equal(buf_str(&result), right);
    buf_fini(&result);
    happened = disarm(&leaked);
    cr_assert(code == ERR_OK || (code == ERR_BUSY && happened), "request %ld: %s %s", n,
              err_name(code), err.message);
    cr_assert(code != ERR_OK || is_right, "request %ld gave another result", n);
    cr_assert_eq(leaked, 0, "request %ld leaked %ld blocks", n, leaked);
    return happened;
}

static void
expect_survival(decoder *decode)
{
    struct arena *arena = arena_create(1000000);
    struct buf right;
    struct err err = {0};
    long n = 1;

    buf_init(&right, 10000);
    cr_assert_eq(decode(arena, &right, &err), ERR_OK, "%s", err.message);
    arena_destroy(arena);
    while (try_once(decode, buf_str(&right), n, false))
        cr_assert_lt(n++, 10000);
    cr_expect_gt(n, 3, "only %ld requests were made to fail", n - 1);
    for (n = 1; try_once(decode, buf_str(&right), n, true);)
        cr_assert_lt(n++, 10000);
    buf_fini(&right);
}

Test(codec_faults, msgpack_survives_the_end_of_memory)
{
    expect_survival(decode_msgpack);
}

Test(codec_faults, json_survives_the_end_of_memory)
{
    expect_survival(decode_json);
}

Test(codec_faults, yaml_survives_the_end_of_memory)
{
    expect_survival(decode_yaml);
}

Test(codec_faults, csv_survives_the_end_of_memory)
{
    expect_survival(decode_csv);
}

Test(codec_faults, the_look_for_bad_keys_survives_the_end_of_memory)
{
    expect_survival(check_keys);
}
