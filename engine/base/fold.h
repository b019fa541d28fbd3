#ifndef JML_FOLD_H
#define JML_FOLD_H

#include "arena.h"
#include "err.h"
#include "str.h"

/*
 * fold: the forms of a text in which two spellings of one thing are equal bytes (utf8proc).
 *
 * Pure: no locale. Folding twice changes nothing more. Results live in the arena; the scratch does
 * not. ERR_INVALID_PARAMS if the text is not UTF-8, ERR_TOO_LARGE over FOLD_BYTES_MAX, ERR_BUSY if
 * memory ends.
 */
enum { FOLD_BYTES_MAX = 1024 * 1024 };

/* For search and vocabularies: words of letters and digits, in small letters without accents, with
 * one space between: "L'Énergie — Œuvres (2ᵉ)" gives "l energie oeuvres 2e". Ligatures and
 * letters with a stroke are written out: œ oe, æ ae, ß ss, ł l, ø o, đ d. Characters that are not
 * seen (soft hyphen, zero-width space) vanish. */
enum err_code fold_text(struct str text, struct arena *arena, struct str *folded, struct err *err);
/* For tags, where punctuation tells: the same, but each character that is no white space stays:
 * " C++ ", "c#", ".NET", "IA  générative" give "c++", "c#", ".net", "ia generative". */
enum err_code fold_term(struct str text, struct arena *arena, struct str *folded, struct err *err);
/* Unicode normalisation form C: one encoding for é however it was typed; nothing else changes. */
enum err_code text_nfc(struct str text, struct arena *arena, struct str *nfc, struct err *err);

#endif
