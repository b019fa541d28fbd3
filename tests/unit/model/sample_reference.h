#ifndef JML_SAMPLE_REFERENCE_H
#define JML_SAMPLE_REFERENCE_H

#include "arena.h"
#include "reference.h"
#include "value.h"

/*
 * A small reference whose content the tests know by heart, and values written as YAML.
 */
extern const char *const sample_texts[REFERENCE_FILE_COUNT];
void sample_files(struct str files[REFERENCE_FILE_COUNT]);
struct reference *sample_reference(void); /* ends the test on failure; reference_destroy it */
/* Ends the test if text is no YAML. In the arena. */
const msgpack_object *sample_value(struct arena *arena, const char *yaml);

#endif
