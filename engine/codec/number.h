#ifndef JML_NUMBER_H
#define JML_NUMBER_H

#include "str.h"

#include <stdbool.h>

/*
 * number: floats as text, always with a point, whatever the process's locale says. Pure.
 */

/* The shortest digits that read back as the same value; a whole one keeps ".0". Finite only. */
enum { NUMBER_CHARS = 32 };
void number_format(double value, char text[NUMBER_CHARS]);
/* Decimal digits with an optional sign, point and exponent, and nothing else; false if it is
 * something else or overflows. */
bool number_parse(struct str text, double *value);

#endif
