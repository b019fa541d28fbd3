#include "base64.h"

#include <stdint.h>

static int
base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = c != '\0' ? strchr(digits, c) : NULL;

    return found != NULL ? (int)(found - digits) : -1;
}

bool
base64_decode(struct str text, unsigned char *out, size_t *n)
{
    size_t padding = 0;

    *n = 0;
    if (text.len == 0 || text.len % 4 != 0)
        return false;
    while (padding < 2 && text.data[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n_digits = i + 4 == text.len ? 4 - padding : 4;
        uint32_t bits = 0;

        for (size_t j = 0; j < 4; j++) {
            int digit = j < n_digits ? base64_digit(text.data[i + j]) : 0;

            if (digit < 0)
                return false;
            bits = bits << 6 | (uint32_t)digit;
        }
        for (size_t j = 0; j < n_digits - 1; j++)
            out[(*n)++] = (unsigned char)(bits >> (16 - 8 * j));
        if ((bits & (n_digits == 2 ? 0xFFFFU : n_digits == 3 ? 0xFFU : 0U)) != 0)
            return false;
    }
    return true;
}
