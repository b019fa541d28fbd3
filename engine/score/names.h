#ifndef JML_NAMES_H
#define JML_NAMES_H

#include "str.h"

#include <stddef.h>
#include <stdint.h>

/*
 * names: distinct texts as the numbers 1, 2, 3 …, in order of arrival. Private to score/.
 *
 * What symbols and the rows of a roster stand on. Equal texts have equal numbers; a text is copied
 * once and stays where it is. Each carries a note of 32 bits that its first writer chose.
 *
 * One writer (names_add), any number of readers at the same time without a lock. Only grows. Owner:
 * whoever called names_create.
 */
enum { NAME_NONE = 0, NAMES_MAX = INT32_MAX };

struct names;

struct names *names_create(void); /* NULL if out of memory */
void names_destroy(struct names *names);
/* The text's number, which is new if the text is; then the note is kept. NAME_NONE if out of memory
 * (and nothing has changed). Writer only. */
uint32_t names_add(struct names *names, struct str text, uint32_t note);
uint32_t names_find(const struct names *names, struct str text);   /* NAME_NONE if unknown */
struct str names_text(const struct names *names, uint32_t number); /* 1..names_count */
uint32_t names_note(const struct names *names, uint32_t number);
uint32_t names_count(const struct names *names);
size_t names_bytes(const struct names *names); /* memory held; writer only */

/* So many will be there: the index is made for them at once. What cannot be had now is had later. Writer
 * only. */
void names_reserve(struct names *names, uint32_t n);

uint64_t names_hash(struct str text);
/* The same of a text whose names_hash is at hand. */
uint32_t names_find_hashed(const struct names *names, struct str text, uint64_t hash);
uint32_t names_add_hashed(struct names *names, struct str text, uint64_t hash, uint32_t note);
/* It will soon be found or added: its place begins to come from memory. */
void names_foresee(const struct names *names, uint64_t hash);

#endif
