#include "sample_reference.h"

#include "yaml_doc.h"

#include <criterion/criterion.h>

struct reference *
sample_reference(void)
{
    struct str files[REFERENCE_FILE_COUNT];
    struct reference *reference = NULL;
    struct err err = {.code = ERR_OK};

    sample_files(files);
    cr_assert_eq(reference_parse(files, &reference, &err), ERR_OK, "%s: %s", err.field,
                 err.message);
    return reference;
}

const msgpack_object *
sample_value(struct arena *arena, const char *yaml)
{
    struct yaml_doc *doc = NULL;
    struct err err = {.code = ERR_OK};

    cr_assert_eq(yaml_decode(str_from(yaml), &value_limits_default, arena, &doc, &err), ERR_OK,
                 "%s: %s", yaml, err.message);
    return yaml_doc_root(doc);
}
