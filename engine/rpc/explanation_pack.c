#include "explanation_pack.h"

#include "profile_write.h"
#include "sentence.h"

#include <stdio.h>

enum { TERMS_MAX = 5 };

/* ---- shared terms ---- */

struct texts {
    struct text_source *sources;
    size_t n;
};

static enum err_code
read_texts(struct call *call, struct store_read *read, struct str id, struct texts *out,
           struct err *err)
{
    const msgpack_object *open, *confidential;
    struct profile_record record;
    bool has_confidential;
    enum err_code code = store_profile_get(read, id, &record, err);

    *out = (struct texts){NULL, 0};
    if (code == ERR_NOT_FOUND) /* deleted since the roster was held: no words to show */
        return ERR_OK;
    if (code == ERR_OK)
        code = profile_record_decode(&record, call->arena, &open, &confidential, err);
    if (code == ERR_OK)
        code = facts_text_sources(open, confidential, call->arena, &out->sources, &out->n,
                                  &has_confidential, err);
    return code;
}

static bool
has_text_want(const struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->n_from; i++)
        if (explanation->from_reasons[i].want->type == WANT_TEXT)
            return true;
    for (size_t i = 0; i < explanation->n_to; i++)
        if (explanation->to_reasons[i].want->type == WANT_TEXT)
            return true;
    return false;
}

static enum err_code
find_terms(struct explanation_job *job, struct err *err)
{
    struct call *call = job->call;
    struct text_shared *terms = NULL;
    struct lexicon_reader *reader;
    struct texts from, to;
    struct store_read *read;
    enum err_code code = store_read_begin(engine_store(call->engine), &read, err);

    if (code != ERR_OK)
        return code;
    code = read_texts(call, read, job->from->id, &from, err);
    if (code == ERR_OK)
        code = read_texts(call, read, job->to->id, &to, err);
    store_read_end(read);
    if (code == ERR_OK)
        code = lexicon_reader_take(call->view.lexicon, &reader, err);
    if (code != ERR_OK)
        return code;
    code = text_shared_terms(reader, from.sources, from.n, to.sources, to.n, call->lang, TERMS_MAX,
                             call->arena, &terms, &job->n_terms, err);
    job->terms = terms;
    lexicon_reader_give(call->view.lexicon, reader);
    return code;
}

enum err_code
explanation_make(struct call *call, const struct match_plan *plan, const struct facts *from,
                 uint32_t from_row, const struct facts *to, uint32_t to_row,
                 struct explanation_job *out, struct err *err)
{
    struct explanation *explanation = arena_alloc(call->arena, 1, sizeof *explanation);
    enum err_code code;

    if (explanation == NULL)
        return err_no_memory(err);
    code = match_explain(plan, from, from_row, to, to_row, call->arena, explanation, err);
    *out = (struct explanation_job){
        .call = call,
        .plan = plan,
        .from = from,
        .to = to,
        .explanation = explanation,
        .sees_confidential =
            call_sees_confidential(call, from->id) && call_sees_confidential(call, to->id),
    };
    return code == ERR_OK && has_text_want(explanation) ? find_terms(out, err) : code;
}

/* ---- values ---- */

static void
pack_codes(const struct explanation_job *job, struct buf *out, const char *key, const symbol *codes,
           size_t n)
{
    pack_key(out, key);
    pack_array(out, n);
    for (size_t i = 0; i < n; i++)
        pack_str(out, match_symbol_text(job->plan, codes[i]));
}

static void
pack_day(struct buf *out, const char *key, int32_t day)
{
    char text[11];

    pack_key(out, key);
    if (day == DATE_OPEN_FROM || day == DATE_OPEN_TO) {
        pack_nil(out);
        return;
    }
    date_format(day, text);
    pack_text(out, text);
}

static void
pack_slot(const struct explanation_job *job, struct buf *out, const char *key,
          const struct field *field, const struct slot *slot)
{
    if (slot == NULL || slot->state == SLOT_MISSING) {
        pack_key(out, key);
        pack_nil(out);
        return;
    }
    switch (field->slot) {
    case SLOT_CODES:
        pack_codes(job, out, key, slot->codes.codes, slot->codes.n);
        return;
    case SLOT_MONEY:
        pack_key(out, key);
        pack_map(out, 2);
        pack_key_int(out, "min", slot->money.min);
        pack_key_int(out, "max", slot->money.max);
        return;
    case SLOT_NUMBER:
        pack_key_int(out, key, slot->number);
        return;
    case SLOT_DAY:
        pack_day(out, key, (int32_t)slot->number);
        return;
    case SLOT_PERIOD:
        pack_key(out, key);
        pack_map(out, 2);
        pack_day(out, "from", slot->period.from);
        pack_day(out, "to", slot->period.to);
        return;
    case SLOT_TEXT:
    case SLOT_NONE:
        pack_key(out, key);
        pack_nil(out);
        return;
    }
}

/* ---- evidence ---- */

static void
pack_range(struct buf *out, const struct want_reason *reason)
{
    pack_map(out, 4);
    pack_key_int(out, "of_min", reason->of_min);
    pack_key_int(out, "of_max", reason->of_max);
    pack_key_int(out, "by_min", reason->by_min);
    pack_key_int(out, "by_max", reason->by_max);
}

static void
pack_period(struct buf *out, const struct want_reason *reason)
{
    pack_map(out, reason->period_days > 0 ? 3 : 1);
    pack_key_int(out, "days", reason->period_days);
    if (reason->period_days > 0) {
        pack_day(out, "from", reason->period_from);
        pack_day(out, "to", reason->period_to);
    }
}

static void
pack_record(const struct explanation_job *job, struct buf *out, const struct want_reason *reason)
{
    pack_map(out, reason->record_count > 0 ? 2 : 1);
    pack_key_int(out, "count", reason->record_count);
    if (reason->record_count > 0)
        pack_key_str(out, "code", match_symbol_text(job->plan, reason->record_code));
}

static void
pack_terms(const struct explanation_job *job, struct buf *out)
{
    pack_map(out, 1);
    pack_key(out, "terms");
    pack_array(out, job->n_terms);
    for (size_t i = 0; i < job->n_terms; i++)
        pack_str(out, job->terms[i].word);
}

static void
pack_evidence(const struct explanation_job *job, struct buf *out, const struct want_reason *reason)
{
    bool is_overlap = reason->want->type == WANT_OVERLAP;

    if (!reason->is_known) {
        pack_map(out, 2);
        pack_key_bool(out, "of_missing", reason->of_missing);
        pack_key_bool(out, "by_missing", reason->by_missing);
        return;
    }
    switch (reason->want->type) {
    case WANT_OVERLAP:
    case WANT_COVER:
    case WANT_ANY:
    case WANT_SAME:
        pack_map(out, is_overlap ? 3 : 2);
        pack_codes(job, out, "shared", reason->shared, reason->n_shared);
        pack_codes(job, out, "unmet", reason->unmet, reason->n_unmet);
        if (is_overlap)
            pack_codes(job, out, "near", reason->near, reason->n_near);
        return;
    case WANT_STAGE:
        pack_map(out, 1);
        pack_key_int(out, "distance", reason->distance);
        return;
    case WANT_RANGE:
    case WANT_AT_LEAST:
        pack_range(out, reason);
        return;
    case WANT_PERIOD:
        pack_period(out, reason);
        return;
    case WANT_TEXT:
        pack_terms(job, out);
        return;
    case WANT_RECORD:
        pack_record(job, out, reason);
        return;
    case WANT_MODEL:
    case WANT_TYPE_COUNT:
        pack_map(out, 0);
        return;
    }
}

/* ---- reasons ---- */

static struct sentence_context
speak(const struct explanation_job *job)
{
    return (struct sentence_context){.plan = job->plan,
                                     .reference = job->call->view.reference,
                                     .from = job->from,
                                     .to = job->to,
                                     .lang = job->call->lang};
}

static void
pack_operand(struct buf *out, const char *key, const struct operand *operand)
{
    char name[96];

    switch (operand->kind) {
    case OPERAND_NUMBER:
        pack_key_int(out, key, operand->number);
        return;
    case OPERAND_RECORD:
        snprintf(name, sizeof name, "record.%s", schema[operand->field].name);
        pack_key_text(out, key, name);
        return;
    case OPERAND_FIELD:
        pack_key_text(out, key, schema[operand->field].name);
        return;
    case OPERAND_VALUE:
        pack_key(out, key);
        pack_value(out, operand->value);
        return;
    }
}

static void
pack_reason(const struct explanation_job *job, struct buf *out, const struct want_reason *reason,
            bool of_from)
{
    struct sentence_context context = speak(job);
    struct arena *arena = job->call->arena;
    struct str help = STR_LIT("");
    size_t n = 10;

    if (job->call->speaks) {
        help = sentence_help(&context, reason, of_from, arena);
        n += help.len > 0 ? 3 : 2;
    }
    pack_map(out, n);
    pack_key_str(out, "id", reason->want->id);
    pack_key_text(out, "type", want_type_name(reason->want->type));
    pack_operand(out, "of", &reason->want->of);
    pack_operand(out, "by", &reason->want->by);
    pack_key_int(out, "weight", reason->want->weight);
    pack_key_int(out, "quality", reason->quality);
    pack_key_int(out, "points", reason->points);
    pack_key_bool(out, "known", reason->is_known);
    pack_key_int(out, "share", reason->share);
    pack_key(out, "evidence");
    pack_evidence(job, out, reason);
    if (!job->call->speaks)
        return;
    pack_key_str(out, "label", sentence_label(&context, reason->want, arena));
    pack_key_str(out, "sentence",
                 sentence_want(&context, reason, of_from, job->terms, job->n_terms, arena));
    if (help.len > 0)
        pack_key_str(out, "help", help);
}

/* All wants that used a confidential value, as one. */
static void
pack_merged(const struct explanation_job *job, struct buf *out, const struct want_reason *reasons,
            size_t n)
{
    struct sentence_context context = speak(job);
    int64_t weight = 0, share = 0;
    bool is_known = false;
    int32_t points = 0;

    for (size_t i = 0; i < n; i++)
        if (reasons[i].is_confidential) {
            weight += reasons[i].want->weight;
            share += reasons[i].share;
            is_known |= reasons[i].is_known;
            points += reasons[i].points;
        }
    pack_map(out, job->call->speaks ? 5 : 4);
    pack_key_text(out, "id", "confidential");
    pack_key_int(out, "weight", weight);
    pack_key_int(out, "share", share);
    pack_key_bool(out, "known", is_known);
    if (job->call->speaks)
        pack_key_str(out, "sentence",
                     sentence_confidential(&context, is_known, points, job->call->arena));
}

void
explanation_pack_reasons(const struct explanation_job *job, bool of_from, struct buf *out)
{
    const struct explanation *explanation = job->explanation;
    const struct want_reason *reasons =
        of_from ? explanation->from_reasons : explanation->to_reasons;
    size_t n = of_from ? explanation->n_from : explanation->n_to, n_hidden = 0;

    for (size_t i = 0; i < n; i++)
        n_hidden += !job->sees_confidential && reasons[i].is_confidential;
    pack_array(out, n - n_hidden + (n_hidden > 0));
    for (size_t i = 0; i < n; i++)
        if (job->sees_confidential || !reasons[i].is_confidential)
            pack_reason(job, out, &reasons[i], of_from);
    if (n_hidden > 0)
        pack_merged(job, out, reasons, n);
}

/* ---- rules ---- */

static void
pack_requirement(const struct explanation_job *job, struct buf *out,
                 const struct failed_rule *failed, bool shows)
{
    const struct requirement *requirement = failed->requirement;
    enum field_id of = requirement->of.field, by = requirement->by.field;

    pack_key_str(out, "requirement", requirement->id);
    pack_key_text(out, "type", require_type_name(requirement->type));
    pack_key_bool(out, "missing", failed->is_missing);
    if (!shows)
        return;
    pack_slot(job, out, "of_value", &schema[of < FIELD_COUNT ? of : by], failed->of);
    pack_slot(job, out, "by_value", &schema[by < FIELD_COUNT ? by : of], failed->by);
}

static void
pack_failed_rule(const struct explanation_job *job, struct buf *out,
                 const struct failed_rule *failed)
{
    struct sentence_context context = speak(job);
    struct arena *arena = job->call->arena;
    bool shows = job->sees_confidential || !failed->is_confidential;
    bool is_requirement = failed->rule == RULE_REQUIREMENT;
    bool speaks = job->call->speaks && shows;

    pack_map(out, 1U + (failed->subject != NULL) + (is_requirement ? (shows ? 5U : 3U) : 0U) +
                      (speaks ? 2U : 0U));
    pack_key_text(out, "rule", rule_name(failed->rule));
    if (failed->subject != NULL)
        pack_key_str(out, "subject", failed->subject->id);
    if (is_requirement)
        pack_requirement(job, out, failed, shows);
    if (speaks) {
        pack_key_str(out, "sentence", sentence_rule(&context, failed, arena));
        pack_key_str(out, "help", sentence_rule_help(&context, failed, arena));
    }
}

void
explanation_pack_failed(const struct explanation_job *job, struct buf *out)
{
    pack_array(out, job->explanation->n_failed);
    for (size_t i = 0; i < job->explanation->n_failed; i++)
        pack_failed_rule(job, out, &job->explanation->failed[i]);
}

void
explanation_pack_why(struct call *call, const struct match_plan *plan, const struct facts *facts,
                     enum rule rule, struct buf *out)
{
    struct failed_rule failed = {.rule = rule, .subject = facts};
    struct sentence_context context = {.plan = plan,
                                       .reference = call->view.reference,
                                       .from = facts,
                                       .to = facts,
                                       .lang = call->lang};

    pack_map(out, call->speaks ? 3 : 1);
    pack_key_text(out, "rule", rule_name(rule));
    if (call->speaks) {
        pack_key_str(out, "sentence", sentence_rule(&context, &failed, call->arena));
        pack_key_str(out, "help", sentence_rule_help(&context, &failed, call->arena));
    }
}
