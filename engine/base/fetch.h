#ifndef JML_FETCH_H
#define JML_FETCH_H

#include <stddef.h>

/*
 * fetch: what will be read soon begins to come from memory meanwhile.
 *
 * A hint: nothing waits for it, and nothing is read by it. Of what is read in its order the first few lines will do,
 * since the processor goes on by itself.
 */
enum { FETCH_LINE = 64, FETCH_FEW = 4 * FETCH_LINE };

/* Of a function of one file that does nothing else: gcc 12 takes it for one that does nothing at all, and leaves
 * out its calls, where it is not inlined before that is asked. */
#define FETCHING static inline __attribute__((always_inline))

/* The lines of n bytes; NULL: none. */
FETCHING void
fetch(const void *at, size_t n)
{
    for (size_t i = 0; at != NULL && i < n; i += FETCH_LINE)
        __builtin_prefetch((const char *)at + i);
}

#endif
