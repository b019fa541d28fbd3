#ifndef JML_RESULT_CHECK_H
#define JML_RESULT_CHECK_H

#include "method.h"
#include "value.h"

/*
 * result_check: does an answer look as the method table says?
 *
 * Each field that a row names by path is there, unless it is optional, and of its type. An answer may hold
 * more than its row names. Without Criterion, so that fuzz and race programs hold answers against
 * the table too.
 */

/* The first path that does not fit, "(the answer)" for the whole of it; NULL if all fit. */
const char *result_check(const struct method *method, const msgpack_object *answer);

#endif
