#ifndef JML_RATES_H
#define JML_RATES_H

#include "err.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * rates: what a currency is worth in US dollars from a day on (data/rates.csv:
 * `currency,rate_ppm,date`; dollars per million units, whole). Read-only after parsing.
 */
struct rates;

enum { MONEY_AMOUNT_BITS = 40 };
#define MONEY_AMOUNT_MAX INT64_C(1000000000000) /* 10^12 units */

enum err_code rates_parse(struct str bytes, struct rates **out, struct err *err);
void rates_destroy(struct rates *rates);
/* A currency's number in this table (stable for its life), or -1. */
int rates_currency(const struct rates *rates, struct str code);
struct str rates_currency_code(const struct rates *rates, int currency);
/* The latest row dated on or before day; false if there is none. */
bool rates_find(const struct rates *rates, int currency, int32_t day, int64_t *rate_ppm);
/* amount * rate_ppm / 1000000, floor; amount 0 to MONEY_AMOUNT_MAX; rate_ppm at most 10^9, which
 * parsing enforces, so the product needs 128 bits and the result fits 63. */
int64_t rates_to_usd(int64_t amount, int64_t rate_ppm);

#endif
