#ifndef JML_WORDING_H
#define JML_WORDING_H

#include "arena.h"
#include "facts.h"
#include "match.h"
#include "reference.h"

/*
 * wording: values as words of one language: labels, lists, numbers, money, dates.
 *
 * By the patterns of data/messages/messages.csv. Pure; text of the arena, data NULL if it is full.
 */
struct wording {
    const struct reference *reference;
    const struct match_plan *plan; /* whose symbols are told */
    enum lang lang;
    struct arena *arena;
};

struct str wording_message(const struct wording *wording, const char *key,
                           const struct catalogue_argument *arguments);
struct str wording_number(const struct wording *wording, int64_t number);
struct str wording_date(const struct wording *wording, int32_t day);
struct str wording_period(const struct wording *wording, int32_t from, int32_t to);
struct str wording_money(const struct wording *wording, const struct slot_money *money);
/* One code by its label, one tag or id as it is. */
struct str wording_code(const struct wording *wording, const struct field *field, symbol code);
/* "A, B and C"; codes in order of their labels' place in the vocabulary, then of text. */
struct str wording_codes(const struct wording *wording, const struct field *field,
                         const symbol *codes, size_t n);
struct str wording_list(const struct wording *wording, const struct str *items, size_t n);
/* A known slot of the field, whatever its type. Empty for a missing one. */
struct str wording_slot(const struct wording *wording, const struct field *field,
                        const struct slot *slot);

#endif
