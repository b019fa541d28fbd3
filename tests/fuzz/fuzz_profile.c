#include "fuzz.h"
#include "json.h"
#include "profile.h"
#include "sample_tables.h"

/*
 * A profile from outside, as JSON (input that starts with `{`) or msgpack: whatever comes, it is
 * refused with a sentence, or stored in a form that put again gives the same bytes and differs from
 * itself in nothing.
 */
enum { ARENA_BYTES = 64 << 20 };

static const struct value_limits limits = {.bytes = 1 << 20, .items = 100000, .depth = 32};

static const struct reference *
reference_once(void)
{
    static struct reference *reference;
    struct str files[REFERENCE_FILE_COUNT];

    sample_files(files);
    FUZZ_CLAIM(reference != NULL || reference_parse(files, &reference, NULL) == ERR_OK);
    return reference;
}

static const msgpack_object *
whole_of(const struct profile_form *form, struct arena *arena)
{
    const msgpack_object *whole = NULL;
    struct buf packed;
    char *bytes;

    buf_init(&packed, 2 * PROFILE_BYTES_MAX);
    pack_map(&packed, form->n_pairs + (form->confidential.len != 0));
    buf_append_str(&packed, form->pairs);
    if (form->confidential.len != 0) {
        pack_key(&packed, "confidential");
        buf_append_str(&packed, form->confidential);
    }
    FUZZ_CLAIM(packed.len <= PROFILE_BYTES_MAX);
    bytes = arena_copy(arena, packed.data, packed.len);
    FUZZ_CLAIM(bytes != NULL);
    FUZZ_CLAIM(value_decode(bytes, packed.len, &limits, arena, &whole, NULL) == ERR_OK);
    buf_fini(&packed);
    return whole;
}

static void
check_form(const struct profile_form *form, struct arena *arena)
{
    const msgpack_object *whole = whole_of(form, arena), *patched;
    struct profile_form again = {.n_pairs = 0};
    struct faults faults;
    const char **names;
    size_t n = 0;

    faults_init(&faults, arena);
    profile_encode(whole, reference_once(), &faults, &again);
    FUZZ_CLAIM(faults.n_errors == 0);
    FUZZ_CLAIM(str_equal(form->pairs, again.pairs) && form->n_pairs == again.n_pairs);
    FUZZ_CLAIM(str_equal(form->confidential, again.confidential));
    FUZZ_CLAIM(id_is_valid(form->id) && str_equal(form->id, again.id));
    FUZZ_CLAIM(profile_diff(whole, whole, arena, &names, &n, NULL) == ERR_OK && n == 0);
    patched = profile_patch(whole, whole, arena);
    FUZZ_CLAIM(patched != NULL);
    FUZZ_CLAIM(profile_diff(whole, patched, arena, &names, &n, NULL) == ERR_OK && n == 0);
}

/* Faults are text that can be sent. */
static void
check_faults(const struct faults *faults)
{
    FUZZ_CLAIM((faults->n_errors == 0) == (faults_first(faults, NULL) == ERR_OK));
    for (size_t i = 0; i < faults->n; i++) {
        FUZZ_CLAIM(str_is_utf8(str_from(faults->list[i].path)));
        FUZZ_CLAIM(str_is_utf8(str_from(faults->list[i].message)) &&
                   faults->list[i].message[0] != 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    struct str text = {(const char *)bytes, n};
    const msgpack_object *given = NULL;
    struct profile_form form = {.n_pairs = 0};
    struct faults faults;
    enum err_code code;

    if (arena == NULL)
        return 0;
    code = n != 0 && bytes[0] == '{' ? json_decode(text, &limits, arena, &given, NULL)
                                     : value_decode(bytes, n, &limits, arena, &given, NULL);
    if (code == ERR_OK) {
        faults_init(&faults, arena);
        profile_encode(given, reference_once(), &faults, &form);
        check_faults(&faults);
        if (faults.n_errors == 0)
            check_form(&form, arena);
        for (int i = 0; i < FIELD_COUNT; i++) /* anything as any field */
            field_check(&schema[i], given, reference_once(), &faults);
        check_faults(&faults);
    }
    arena_destroy(arena);
    return 0;
}
