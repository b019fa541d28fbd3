#include "code_set.h"

bool
code_set_has(const struct slot_codes *set, symbol code)
{
    uint32_t lo = 0, hi = set->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (set->codes[mid] < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < set->n && set->codes[lo] == code;
}

uint32_t
code_set_common(const struct slot_codes *a, const struct slot_codes *b)
{
    uint32_t i = 0, j = 0, n = 0;

    while (i < a->n && j < b->n) {
        symbol x = a->codes[i], y = b->codes[j];

        n += x == y;
        i += x <= y;
        j += y <= x;
    }
    return n;
}

bool
code_set_meets(const struct slot_codes *a, const struct slot_codes *b)
{
    uint32_t i = 0, j = 0;

    while (i < a->n && j < b->n) {
        symbol x = a->codes[i], y = b->codes[j];

        if (x == y)
            return true;
        i += x < y;
        j += y < x;
    }
    return false;
}

bool
code_set_equal(const struct slot_codes *a, const struct slot_codes *b)
{
    return a->n == b->n && code_set_common(a, b) == a->n;
}

bool
code_set_has_group(const struct slot_codes *set, symbol code, const struct symbol_scope *scope)
{
    symbol group = symbol_scope_group(scope, code);

    for (uint32_t i = 0; i < set->n; i++)
        if (symbol_scope_group(scope, set->codes[i]) == group)
            return true;
    return false;
}
