#ifndef JML_SAMPLE_REFERENCE_H
#define JML_SAMPLE_REFERENCE_H

#include "arena.h"
#include "sample_tables.h"
#include "value.h"

/*
 * The small reference of sample_tables, and values written as YAML.
 */
struct reference *sample_reference(void); /* ends the test on failure; reference_destroy it */
/* Ends the test if text is no YAML. In the arena. */
const msgpack_object *sample_value(struct arena *arena, const char *yaml);

#endif
