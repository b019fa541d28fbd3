#ifndef JML_BASE64_H
#define JML_BASE64_H

#include "str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * base64: bytes from text as RFC 4648 has them, with padding, without white space, unused bits zero.
 * out has room for three quarters of the text, rounded up to three. False if text is anything else.
 */
bool base64_decode(struct str text, unsigned char *out, size_t *n);

#endif
