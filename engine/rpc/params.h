#ifndef JML_PARAMS_H
#define JML_PARAMS_H

#include "err.h"
#include "method.h"
#include "value.h"

/*
 * params: the parameters of a call held against its row of the method table.
 *
 * Unknown, missing, of another type, out of range: ERR_INVALID_PARAMS (ERR_TOO_LARGE for a text or
 * list over its limit) with the parameter in err->field and a sentence that says what would be right.
 * Whole numbers may come in any integer encoding or as a whole float. Pure.
 */
enum err_code params_check(const struct method *method, const msgpack_object *params,
                           struct err *err);
/* The row of one parameter, common ones too; NULL if the method has none of that name. */
const struct param *params_find(const struct method *method, struct str name);
/* Is word one of a PARAM_CHOICE's space-separated choices? */
bool choice_has(const char *choices, struct str word);
const char *param_type_name(enum param_type type); /* "id", "whole number", … */
const char *result_type_name(enum result_type type);

#endif
