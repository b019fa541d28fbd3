#ifndef JML_SAMPLE_TABLES_H
#define JML_SAMPLE_TABLES_H

#include "reference.h"

/*
 * The files of a small reference, whose content tests and fuzzers know by heart.
 */
extern const char *const sample_texts[REFERENCE_FILE_COUNT];
void sample_files(struct str files[REFERENCE_FILE_COUNT]);

#endif
