#ifndef JML_FUZZ_H
#define JML_FUZZ_H

#include "err.h"
#include "str.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * fuzz: what the fuzz programs share. A claim that does not hold ends the process in every build,
 * with its sentence, so that libFuzzer keeps the input.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define FUZZ_CLAIM(condition)                                                              \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

/* A failure is told: its code is the one returned, with a sentence that can be sent. */
static inline void
fuzz_check_err(enum err_code code, const struct err *err)
{
    FUZZ_CLAIM(code > ERR_OK && code < ERR_COUNT);
    FUZZ_CLAIM(code != ERR_INTERNAL);
    FUZZ_CLAIM(err->code == code);
    FUZZ_CLAIM(err->message[0] != '\0');
    FUZZ_CLAIM(str_is_utf8(str_from(err->message)));
    FUZZ_CLAIM(str_is_utf8(str_from(err->field)));
    FUZZ_CLAIM(err->origin != NULL);
}

#endif
