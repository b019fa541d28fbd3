#ifndef JML_QUOTE_H
#define JML_QUOTE_H

#include "str.h"

/*
 * quote: a value from outside, fit to stand in a sentence of ours.
 *
 * In double quotes, cut with an ellipsis after about 60 bytes at a whole character, control
 * characters shown as `?`. A value passed by copy: err_set(err, code, "%s is no date", quote(s).text).
 * Cannot fail.
 */
struct quoted {
    char text[72];
};

struct quoted quote(struct str s);

#endif
