#ifndef JML_STR_H
#define JML_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * str: a borrowed piece of text, with its length and no terminator.
 *
 * A small value passed by copy; what it points to belongs to someone else and must outlive it.
 * data may be NULL when len is 0. Comparison is by bytes, which for UTF-8 is the order of code
 * points; no locale takes part.
 */
struct str {
    const char *data;
    size_t len;
};

/* For printf: printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).len, ((s).data != NULL ? (s).data : "")
#define STR_LIT(literal) ((struct str){(literal), sizeof(literal) - 1})

static inline struct str
str_from(const char *text)
{
    return (struct str){text, text != NULL ? strlen(text) : 0};
}

static inline bool
str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool
str_is(struct str a, const char *text)
{
    return str_equal(a, str_from(text));
}

static inline int
str_compare(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n != 0 ? memcmp(a.data, b.data, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* First position of c at or after from; len if there is none. */
size_t str_find(struct str s, char c, size_t from);
/* Without ASCII spaces and no-break spaces (U+00A0, U+202F) at either end. */
struct str str_trim(struct str s);
/* Whole UTF-8, without overlong forms, surrogates or a NUL byte? */
bool str_is_utf8(struct str s);
/* Bytes before the first that is not so; s.len if there is none. */
size_t str_utf8_prefix(struct str s);
/* Code points in valid UTF-8. */
size_t str_count_points(struct str s);
/* Smallest number of single-byte insertions, deletions, exchanges and swaps of neighbours from a to
 * b, or limit + 1 if it is more than limit; only the first 64 bytes of each count. */
size_t str_distance(struct str a, struct str b, size_t limit);

#endif
