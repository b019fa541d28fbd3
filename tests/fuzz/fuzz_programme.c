#include "fuzz.h"
#include "programme.h"
#include "sample_tables.h"
#include "yaml_doc.h"

/*
 * A programme file: whatever comes, each fault has a line of the file, or the programme is stored in
 * a form that decoded again gives the same bytes.
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

static void
check_programme(const struct programme *programme, struct arena *arena)
{
    const msgpack_object *stored = NULL;
    struct programme *again = NULL;
    struct buf once, twice;
    struct faults faults;

    buf_init(&once, 4 << 20);
    buf_init(&twice, 4 << 20);
    faults_init(&faults, arena);
    programme_encode(programme, &once);
    FUZZ_CLAIM(value_decode(once.data, once.len, &value_limits_default, arena, &stored, NULL) ==
               ERR_OK);
    programme_decode(stored, reference_once(), &faults, &again);
    FUZZ_CLAIM(faults.n_errors == 0 && again != NULL);
    programme_encode(again, &twice);
    FUZZ_CLAIM(str_equal(buf_str(&once), buf_str(&twice)));
    FUZZ_CLAIM(again->n_pairings == programme->n_pairings && programme->n_pairings >= 1);
    FUZZ_CLAIM(id_is_valid(again->id));
    for (int i = 0; i < again->n_pairings; i++)
        FUZZ_CLAIM(programme_pairing(again, again->pairings[i].id) == &again->pairings[i]);
    buf_fini(&once);
    buf_fini(&twice);
}

static void
check_faults(const struct faults *faults, const struct yaml_doc *doc)
{
    FUZZ_CLAIM((faults->n_errors == 0) == (faults_first(faults, NULL) == ERR_OK));
    for (size_t i = 0; i < faults->n; i++) {
        FUZZ_CLAIM(str_is_utf8(str_from(faults->list[i].path)));
        FUZZ_CLAIM(str_is_utf8(str_from(faults->list[i].message)));
        FUZZ_CLAIM(yaml_doc_line(doc, faults->list[i].path) >= 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena *arena = arena_create(ARENA_BYTES);
    struct str text = {(const char *)bytes, n};
    struct programme *programme = NULL;
    struct yaml_doc *doc = NULL;
    struct faults faults;

    if (arena == NULL)
        return 0;
    if (yaml_decode(text, &limits, arena, &doc, NULL) == ERR_OK) {
        faults_init(&faults, arena);
        programme_decode(yaml_doc_root(doc), reference_once(), &faults, &programme);
        check_faults(&faults, doc);
        FUZZ_CLAIM((programme != NULL) == (faults.n_errors == 0));
        if (programme != NULL)
            check_programme(programme, arena);
    }
    arena_destroy(arena);
    return 0;
}
