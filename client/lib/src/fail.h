#ifndef JMLI_FAIL_H
#define JMLI_FAIL_H

#include <jumelage/jumelage.h>

#include <stddef.h>

/*
 * fail: how the library fills a struct jml_error, and copies what it was given.
 *
 * Names inside the library begin with jmli_, so that the static archive shares no name with the
 * program that it is linked into.
 */

/* Fills error (NULL is fine) and returns code. The field stays empty. */
enum jml_code jmli_fail(struct jml_error *error, enum jml_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with a field. */
enum jml_code jmli_fail_at(struct jml_error *error, enum jml_code code, const char *field,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));
enum jml_code jmli_no_memory(struct jml_error *error);
/* Fills error from the protocol's map {code, name, message, field?, details?}. False if `map` is
 * none; then error is untouched. */
bool jmli_fail_from_map(struct jml_error *error, const msgpack_object *map);

/* Cuts at a whole UTF-8 character, ends with NUL; control characters, which could steer a terminal,
 * become spaces. */
void jmli_copy_text(char *out, size_t room, const char *text, size_t len);

/* The same for what may be of any encoding: bytes that are not ASCII become '?'. */
void jmli_copy_ascii(char *out, size_t room, const char *text, size_t len);

/* A structure that begins with its own size, as the caller knows it: copied into `own`, of `known`
 * bytes. Shorter ones, of an earlier version, are filled up with zeros; the first version had `first`
 * bytes. Larger ones are fine while what we don't know of them is zero. */
enum jml_code jmli_copy_sized(void *own, size_t first, size_t known, const void *given,
                              const char *field, struct jml_error *error);

/* allocator->resize, or the C library's. */
void *jmli_resize(const struct jml_allocator *allocator, void *old, size_t size);

#endif
