#include "code_set.h"

enum { FEW = 8 }; /* so many are looked through faster than they are halved */

bool
code_set_has(const struct slot_codes *set, symbol code)
{
    uint32_t lo = 0, hi = set->n;

    while (hi - lo > FEW) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (set->codes[mid] < code)
            lo = mid + 1;
        else
            hi = mid + 1;
    }
    for (; lo < hi; lo++)
        if (set->codes[lo] == code)
            return true;
    return false;
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

/* The group of a set's i-th code. */
static symbol
group_of(const struct slot_codes *set, uint32_t i, const struct symbol_scope *scope)
{
    return set->groups != NULL ? set->groups[i] : symbol_scope_group(scope, set->codes[i]);
}

bool
code_set_has_group(const struct slot_codes *set, const struct slot_codes *other, uint32_t i,
                   const struct symbol_scope *scope)
{
    symbol group = group_of(other, i, scope);

    for (uint32_t j = 0; j < set->n; j++)
        if (group_of(set, j, scope) == group)
            return true;
    return false;
}
