#include "str.h"

#include <endian.h>

enum { DISTANCE_BYTES = 64 };

size_t
str_find(struct str s, char c, size_t from)
{
    const char *found;

    if (from >= s.len)
        return s.len;
    found = memchr(s.data + from, c, s.len - from);
    return found != NULL ? (size_t)(found - s.data) : s.len;
}

static bool
is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes of the space that s starts with; 0 if it starts with none. */
static size_t
space_at_start(struct str s)
{
    if (s.len >= 1 && is_ascii_space(s.data[0]))
        return 1;
    if (s.len >= 2 && memcmp(s.data, "\xC2\xA0", 2) == 0)
        return 2;
    return s.len >= 3 && memcmp(s.data, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

static size_t
space_at_end(struct str s)
{
    if (s.len >= 1 && is_ascii_space(s.data[s.len - 1]))
        return 1;
    if (s.len >= 2 && memcmp(s.data + s.len - 2, "\xC2\xA0", 2) == 0)
        return 2;
    return s.len >= 3 && memcmp(s.data + s.len - 3, "\xE2\x80\xAF", 3) == 0 ? 3 : 0;
}

struct str
str_trim(struct str s)
{
    size_t n;

    while ((n = space_at_start(s)) != 0) {
        s.data += n;
        s.len -= n;
    }
    while ((n = space_at_end(s)) != 0)
        s.len -= n;
    return s;
}

/*
 * Bytes of the character at p, 0 if it is none. The second byte's range shuts out overlong forms
 * (E0, F0), surrogates (ED) and what lies over U+10FFFF (F4); the others are 80..BF.
 */
static size_t
utf8_length(const unsigned char *p, size_t n)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length;

    if (p[0] < 0x80)
        return p[0] != 0 ? 1 : 0;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    length = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    if (length > n)
        return 0;
    if (p[0] == 0xE0)
        low = 0xA0;
    else if (p[0] == 0xED)
        high = 0x9F;
    else if (p[0] == 0xF0)
        low = 0x90;
    else if (p[0] == 0xF4)
        high = 0x8F;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xBF)
            return 0;
    return length;
}

bool
str_is_utf8(struct str s)
{
    return str_utf8_prefix(s) == s.len;
}

/* How many bytes from 1 to 0x7F stand first: eight at a time, as most text is made of them. (A byte less 1
 * has its highest bit if it was 0, or if one before it was.) */
static size_t
ascii_prefix(const unsigned char *p, size_t n)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;
    size_t i = 0;

    for (uint64_t word; n - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        word = le64toh(word);
        word = (word | (word - ones)) & highs;
        if (word != 0)
            return i + (size_t)__builtin_ctzll(word) / 8;
    }
    while (i < n && p[i] != 0 && p[i] < 0x80)
        i++;
    return i;
}

size_t
str_utf8_prefix(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.data;
    size_t i = 0, n;

    while (i < s.len) {
        i += ascii_prefix(p + i, s.len - i);
        if (i == s.len || (n = utf8_length(p + i, s.len - i)) == 0)
            break;
        i += n;
    }
    return i;
}

size_t
str_count_points(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return n;
}

/*
 * Optimal string alignment (Levenshtein with exchanges of neighbours, no letter moved twice), three
 * rows of the table at a time.
 */
size_t
str_distance(struct str a, struct str b, size_t limit)
{
    size_t rows[3][DISTANCE_BYTES + 1];
    size_t n = a.len < DISTANCE_BYTES ? a.len : DISTANCE_BYTES;
    size_t m = b.len < DISTANCE_BYTES ? b.len : DISTANCE_BYTES;
    size_t result;

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = above[j - 1] + (a.data[i - 1] != b.data[j - 1]);

            if (above[j] + 1 < best)
                best = above[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && above2[j - 2] + 1 < best)
                best = above2[j - 2] + 1;
            row[j] = best;
        }
    }
    result = rows[n % 3][m];
    return result > limit ? limit + 1 : result;
}
