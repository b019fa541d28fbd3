#ifndef JML_SENTENCE_H
#define JML_SENTENCE_H

#include "arena.h"
#include "match.h"
#include "reference.h"

/*
 * sentence: reasons that an officer can read aloud, in French or English, from the phrases of data/.
 *
 * Pure: an explanation and the tables in, text of the arena out. Never stored. Codes are told by their
 * labels, amounts and dates by the language's habit (1 500 000 €, €1,500,000; 31/12/2025, 31 Dec
 * 2025). Which row of phrases.csv speaks is described in data/README.md, "Sentences". An empty str
 * means that there is nothing to say (or, where noted, that the arena is full: then data is NULL).
 */
struct sentence_context {
    const struct match_plan *plan;
    const struct reference *reference;
    const struct facts *from, *to;
    enum lang lang;
};

/* Why the want brings what it brings. viewer_is_from says whose want it is; words are the shared
 * terms for a `text` want, already chosen (may be none). */
struct str sentence_want(const struct sentence_context *context, const struct want_reason *reason,
                         bool viewer_is_from, const struct text_shared *words, size_t n_words,
                         struct arena *arena);
/* What is missing and would help; empty if nothing would (full points). */
struct str sentence_help(const struct sentence_context *context, const struct want_reason *reason,
                         bool viewer_is_from, struct arena *arena);
/* The want's name in a few words: "Needs covered". */
struct str sentence_label(const struct sentence_context *context, const struct want *want,
                          struct arena *arena);
/* A failing rule, and what would mend it. */
struct str sentence_rule(const struct sentence_context *context, const struct failed_rule *failed,
                         struct arena *arena);
struct str sentence_rule_help(const struct sentence_context *context,
                              const struct failed_rule *failed, struct arena *arena);
/* The one line that stands for the wants on confidential values. */
struct str sentence_confidential(const struct sentence_context *context, bool is_known,
                                 int32_t points, struct arena *arena);

#endif
