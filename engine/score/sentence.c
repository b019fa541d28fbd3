#include "sentence.h"

#include "wording.h"

#include <stdio.h>
#include <string.h>

enum { KEY_CHARS = 160, N_PLACEHOLDERS = 12, WORDS_SHOWN = 5 };
enum { CHANCE_QUALITY = 1000 }; /* basis points that letters in common bring without meaning */

static struct wording
wording_of(const struct sentence_context *context, struct arena *arena)
{
    return (struct wording){.reference = context->reference,
                            .plan = context->plan,
                            .lang = context->lang,
                            .arena = arena};
}

/* ---- which row speaks ---- */

/* "overlap.sectors" if phrases.csv has it, else "overlap". */
static void
row_of(const struct sentence_context *context, struct str phrase, const char *prefix,
       const char *type, const struct operand *of, const struct operand *by, char row[KEY_CHARS])
{
    const struct catalogue *catalogue = context->reference->catalogue;
    const struct operand *named = of->kind == OPERAND_FIELD || of->kind == OPERAND_RECORD ? of : by;

    if (phrase.len > 0 && catalogue_has_phrase(catalogue, phrase)) {
        snprintf(row, KEY_CHARS, "%.*s", STR_ARG(phrase));
        return;
    }
    snprintf(row, KEY_CHARS, "%s%s.%s", prefix, type,
             named->field < FIELD_COUNT ? schema[named->field].name : "");
    if (!catalogue_has_phrase(catalogue, str_from(row)))
        snprintf(row, KEY_CHARS, "%s%s", prefix, type);
}

static void
want_row(const struct sentence_context *context, const struct want *want, char row[KEY_CHARS])
{
    row_of(context, want->phrase, "", want_type_name(want->type), &want->of, &want->by, row);
}

static struct str
column(const struct sentence_context *context, const char *row, const char *part,
       const struct catalogue_argument *arguments, struct arena *arena)
{
    char key[KEY_CHARS + 16];

    snprintf(key, sizeof key, "%s/%s", row, part);
    return catalogue_format(context->reference->catalogue, key, context->lang, arguments, arena);
}

/* Row `<row>.<variant>` where there is one. */
static void
prefer_variant(const struct sentence_context *context, char row[KEY_CHARS], const char *variant)
{
    char longer[KEY_CHARS];

    if ((size_t)snprintf(longer, sizeof longer, "%s.%s", row, variant) < sizeof longer &&
        catalogue_has_phrase(context->reference->catalogue, str_from(longer)))
        memcpy(row, longer, sizeof longer);
}

/* ---- what it is filled with ---- */

static struct str
operand_words(const struct wording *wording, const struct operand *operand,
              const struct facts *facts)
{
    switch (operand->kind) {
    case OPERAND_FIELD:
        return wording_slot(wording, &schema[operand->field], facts_slot(facts, operand->field));
    case OPERAND_NUMBER:
        return wording_number(wording, operand->number);
    case OPERAND_RECORD:
    case OPERAND_VALUE:
        return STR_LIT("");
    }
    return STR_LIT("");
}

static const struct field *
codes_field(const struct want *want)
{
    return &schema[want->of.kind == OPERAND_FIELD ? want->of.field : want->by.field];
}

static struct str
words_list(const struct wording *wording, const struct text_shared *words, size_t n)
{
    struct str items[WORDS_SHOWN];

    n = n < WORDS_SHOWN ? n : WORDS_SHOWN;
    for (size_t i = 0; i < n; i++)
        items[i] = words[i].word;
    return wording_list(wording, items, n);
}

struct filled {
    struct catalogue_argument list[N_PLACEHOLDERS];
    size_t n;
};

static void
fill(struct filled *filled, const char *name, struct str value)
{
    filled->list[filled->n++] = (struct catalogue_argument){name, value};
    filled->list[filled->n] = (struct catalogue_argument){NULL, {NULL, 0}};
}

static void
fill_want(const struct sentence_context *context, const struct want_reason *reason,
          bool viewer_is_from, const struct text_shared *words, size_t n_words,
          const struct wording *wording, struct filled *out)
{
    const struct facts *viewer = viewer_is_from ? context->from : context->to;
    const struct facts *counterpart = viewer_is_from ? context->to : context->from;
    const struct want *want = reason->want;
    const struct field *field = codes_field(want);
    size_t m = reason->n_shared + reason->n_unmet;
    int64_t n = want->type == WANT_PERIOD ? reason->period_days : (int64_t)reason->n_shared;

    fill(out, "viewer", viewer->name);
    fill(out, "counterpart", counterpart->name);
    fill(out, "who", reason->of_missing ? viewer->name : counterpart->name);
    fill(out, "a", operand_words(wording, &want->of, viewer));
    fill(out, "b", operand_words(wording, &want->by, counterpart));
    fill(out, "shared", wording_codes(wording, field, reason->shared, reason->n_shared));
    fill(out, "missing", wording_codes(wording, field, reason->unmet, reason->n_unmet));
    fill(out, "n", wording_number(wording, n));
    fill(out, "m", wording_number(wording, (int64_t)m));
    if (want->type == WANT_RECORD)
        fill(out, "record", wording_number(wording, reason->record_count));
    else if (want->type == WANT_TEXT)
        fill(out, "terms", words_list(wording, words, n_words));
    else
        fill(out, "d", wording_number(wording, reason->distance));
}

/* ---- a value that is missing ---- */

/* "missing.needs" where phrases.csv has it, else "missing". */
static void
missing_row(const struct sentence_context *context, const struct want_reason *reason,
            char row[KEY_CHARS])
{
    const struct operand *operand = reason->of_missing ? &reason->want->of : &reason->want->by;
    enum field_id field = reason->want->type == WANT_TEXT ? FIELD_DESCRIPTION : operand->field;

    snprintf(row, KEY_CHARS, "missing");
    if (operand->kind == OPERAND_FIELD || reason->want->type == WANT_TEXT)
        prefer_variant(context, row, schema[field].name);
}

struct str
sentence_want(const struct sentence_context *context, const struct want_reason *reason,
              bool viewer_is_from, const struct text_shared *words, size_t n_words,
              struct arena *arena)
{
    struct wording wording = wording_of(context, arena);
    struct filled filled = {.n = 0};
    char row[KEY_CHARS];
    const char *part;
    bool is_for;

    fill_want(context, reason, viewer_is_from, words, n_words, &wording, &filled);
    want_row(context, reason->want, row);
    if (!reason->is_known) {
        missing_row(context, reason, row);
        return column(context, row, "unknown", filled.list, arena);
    }
    if (reason->want->type == WANT_OVERLAP && reason->quality > 0 && reason->n_shared == 0)
        prefer_variant(context, row, "near");
    if (reason->want->type == WANT_TEXT && n_words == 0)
        prefer_variant(context, row, "plain");
    /* spelling alike by chance is no likeness worth a sentence */
    is_for =
        reason->quality > (reason->want->type == WANT_TEXT && n_words == 0 ? CHANCE_QUALITY : 0);
    part = is_for ? "for" : "against";
    return column(context, row, part, filled.list, arena);
}

/* A help that lists what the counterpart lacks says nothing where it lacks nothing. */
static bool
help_has_content(const struct sentence_context *context, const struct want_reason *reason,
                 const char *row)
{
    char key[KEY_CHARS + 16];
    struct str text;

    snprintf(key, sizeof key, "%s/help", row);
    text = catalogue_text(context->reference->catalogue, key, context->lang);
    return reason->n_unmet > 0 ||
           memmem(text.data != NULL ? text.data : "", text.len, "{missing}", 9) == NULL;
}

struct str
sentence_help(const struct sentence_context *context, const struct want_reason *reason,
              bool viewer_is_from, struct arena *arena)
{
    struct wording wording = wording_of(context, arena);
    struct filled filled = {.n = 0};
    char row[KEY_CHARS];

    if (reason->is_known && reason->points >= SCORE_MAX)
        return STR_LIT("");
    want_row(context, reason->want, row);
    if (!reason->is_known)
        missing_row(context, reason, row);
    else if (reason->quality >= SCORE_MAX || !help_has_content(context, reason, row))
        return STR_LIT("");
    fill_want(context, reason, viewer_is_from, NULL, 0, &wording, &filled);
    return column(context, row, "help", filled.list, arena);
}

struct str
sentence_label(const struct sentence_context *context, const struct want *want, struct arena *arena)
{
    static const struct catalogue_argument none[] = {{NULL, {NULL, 0}}};
    char row[KEY_CHARS];

    want_row(context, want, row);
    return column(context, row, "label", none, arena);
}

/* ---- rules ---- */

static struct str
constant_words(const struct wording *wording, const struct operand *operand,
               const struct slot *slot, const struct operand *other)
{
    enum field_id field = operand->kind == OPERAND_FIELD ? operand->field
                          : operand->field < FIELD_COUNT ? operand->field
                                                         : other->field;

    if (operand->kind == OPERAND_NUMBER)
        return wording_number(wording, operand->number);
    return slot != NULL ? wording_slot(wording, &schema[field], slot) : STR_LIT("");
}

/* Codes of the from side that the to side lacks: what `all` failed for. */
static struct str
lacking_words(const struct wording *wording, const struct failed_rule *failed)
{
    const struct slot *of = failed->of, *by = failed->by;
    const struct requirement *requirement = failed->requirement;
    symbol *lacking;
    size_t n = 0;

    if (requirement->type != REQUIRE_ALL || of == NULL || by == NULL || of->state == SLOT_MISSING ||
        by->state == SLOT_MISSING)
        return STR_LIT("");
    lacking = arena_alloc(wording->arena, of->codes.n, sizeof *lacking);
    for (uint32_t i = 0; lacking != NULL && i < of->codes.n; i++) {
        bool is_there = false;

        for (uint32_t j = 0; j < by->codes.n; j++)
            is_there |= by->codes.codes[j] == of->codes.codes[i];
        if (!is_there)
            lacking[n++] = of->codes.codes[i];
    }
    return wording_codes(wording, &schema[requirement->of.field], lacking, n);
}

static void
rule_row(const struct sentence_context *context, const struct failed_rule *failed,
         char row[KEY_CHARS])
{
    if (failed->rule == RULE_REQUIREMENT)
        row_of(context, failed->requirement->phrase, "require.",
               require_type_name(failed->requirement->type), &failed->requirement->of,
               &failed->requirement->by, row);
    else
        snprintf(row, KEY_CHARS, "rule.%s", rule_name(failed->rule));
}

static void
fill_rule(const struct sentence_context *context, const struct failed_rule *failed,
          const struct wording *wording, struct filled *out)
{
    const struct facts *who = failed->subject != NULL ? failed->subject : context->from;

    fill(out, "viewer", context->from->name);
    fill(out, "counterpart", context->to->name);
    fill(out, "who", who->name);
    if (failed->rule != RULE_REQUIREMENT)
        return;
    const struct requirement *requirement = failed->requirement;
    fill(out, "a", constant_words(wording, &requirement->of, failed->of, &requirement->by));
    fill(out, "b", constant_words(wording, &requirement->by, failed->by, &requirement->of));
    fill(out, "missing", lacking_words(wording, failed));
}

static struct str
rule_column(const struct sentence_context *context, const struct failed_rule *failed,
            const char *part, struct arena *arena)
{
    struct wording wording = wording_of(context, arena);
    struct filled filled = {.n = 0};
    char row[KEY_CHARS];

    rule_row(context, failed, row);
    fill_rule(context, failed, &wording, &filled);
    return column(context, row, part, filled.list, arena);
}

struct str
sentence_rule(const struct sentence_context *context, const struct failed_rule *failed,
              struct arena *arena)
{
    bool is_unknown = failed->rule == RULE_REQUIREMENT && failed->is_missing;

    return rule_column(context, failed, is_unknown ? "unknown" : "against", arena);
}

struct str
sentence_rule_help(const struct sentence_context *context, const struct failed_rule *failed,
                   struct arena *arena)
{
    return rule_column(context, failed, "help", arena);
}

struct str
sentence_confidential(const struct sentence_context *context, bool is_known, int32_t points,
                      struct arena *arena)
{
    static const struct catalogue_argument none[] = {{NULL, {NULL, 0}}};

    return column(context, "confidential",
                  !is_known    ? "unknown"
                  : points > 0 ? "for"
                               : "against",
                  none, arena);
}
