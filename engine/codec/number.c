#include "number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_BYTES_MAX = 1024, DIGITS_MIN = 15, DIGITS_MAX = 17 };

/* The C locale is built into the C library: this allocates nothing and cannot fail. */
static locale_t
c_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

void
number_format(double value, char text[NUMBER_CHARS])
{
    locale_t mine = c_locale(), others = uselocale(mine);

    for (int digits = DIGITS_MIN; digits <= DIGITS_MAX; digits++) {
        snprintf(text, NUMBER_CHARS - 2, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    uselocale(others);
    freelocale(mine);
    if (strpbrk(text, ".e") == NULL)
        memcpy(text + strlen(text), ".0", 3);
}

static size_t
count_digits(struct str text, size_t from)
{
    size_t i = from;

    while (i < text.len && text.data[i] >= '0' && text.data[i] <= '9')
        i++;
    return i - from;
}

static bool
is_decimal(struct str text)
{
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    size_t whole = count_digits(text, i), part = 0, power;

    i += whole;
    if (i < text.len && text.data[i] == '.') {
        part = count_digits(text, ++i);
        i += part;
    }
    if (whole + part == 0)
        return false;
    if (i < text.len && (text.data[i] == 'e' || text.data[i] == 'E')) {
        i++;
        if (i < text.len && (text.data[i] == '-' || text.data[i] == '+'))
            i++;
        power = count_digits(text, i);
        if (power == 0)
            return false;
        i += power;
    }
    return i == text.len;
}

bool
number_parse(struct str text, double *value)
{
    char copy[TEXT_BYTES_MAX];
    locale_t mine;
    double parsed;

    if (text.len >= sizeof copy || !is_decimal(text))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    mine = c_locale();
    parsed = strtod_l(copy, NULL, mine);
    freelocale(mine);
    if (!isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}
