#ifndef JML_DATE_H
#define JML_DATE_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * date: civil days of the proleptic Gregorian calendar, as whole numbers.
 *
 * A day is the number of days since 1970-01-01 (negative before). Text is `YYYY-MM-DD`, and where a
 * field allows it `YYYY-MM` or `YYYY`, which stand for their first day. Years 1000 to 9999. Pure.
 */
enum date_precision { DATE_DAY, DATE_MONTH, DATE_YEAR };

int32_t date_from_civil(int year, int month, int day);
void date_to_civil(int32_t days, int *year, int *month, int *day);
int32_t date_from_ms(int64_t wall_ms); /* the UTC day of an instant */
/* ERR_INVALID_PARAMS naming text and the form wanted; `coarsest` is the least precise form allowed. */
enum err_code date_parse(struct str text, enum date_precision coarsest, int32_t *days,
                         enum date_precision *precision, struct err *err);
void date_format(int32_t days, char text[11]); /* YYYY-MM-DD and NUL */

/* What an open end of a period is stored as. */
#define DATE_OPEN_FROM INT32_MIN
#define DATE_OPEN_TO INT32_MAX

#endif
