#ifndef JML_EXPLANATION_PACK_H
#define JML_EXPLANATION_PACK_H

#include "call.h"
#include "match.h"

/*
 * explanation_pack: an explanation as the protocol tells it, with or without sentences.
 *
 * Those who may not see the confidential part of either profile get the wants that used a confidential
 * value as one line without evidence, and failing rules without the values.
 */
struct explanation_job {
    struct call *call;
    const struct match_plan *plan;
    const struct facts *from, *to;
    const struct explanation *explanation;
    bool sees_confidential;
    /* the shared terms of the two texts, for `text` wants; none when there is no such want */
    const struct text_shared *terms;
    size_t n_terms;
};

/* Explains the pair and finds the shared terms; everything in the call's arena. */
enum err_code explanation_make(struct call *call, const struct match_plan *plan,
                               const struct facts *from, uint32_t from_row, const struct facts *to,
                               uint32_t to_row, struct explanation_job *out, struct err *err);
/* The list of one view's reasons. */
void explanation_pack_reasons(const struct explanation_job *job, bool of_from, struct buf *out);
/* The list of failing rules. */
void explanation_pack_failed(const struct explanation_job *job, struct buf *out);
/* One rule that keeps a single profile from being matched: {rule, sentence?, help?}. */
void explanation_pack_why(struct call *call, const struct match_plan *plan,
                          const struct facts *facts, enum rule rule, struct buf *out);

#endif
