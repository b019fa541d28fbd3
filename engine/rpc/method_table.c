/* method_table.c: every method, as rows; method.h says what a row means. Sorted by name. */
#include "express.h"
#include "handle.h"
#include "method.h"

/* clang-format off */

/* ---- parameters ---- */

#define PARAM_IF_VERSION {.name = "if_version", .type = PARAM_INT, .min = 0, .max = INT64_MAX, .text = "only if this version is stored; 0: only if it is new"}
#define PARAM_PROGRAMME  {.name = "programme", .type = PARAM_ID, .required = true, .text = "the programme to match in"}
#define PARAM_PAIRING    {.name = "pairing", .type = PARAM_ID, .text = "which of its pairings; needed where several fit"}
#define PARAM_SIDE       {.name = "side", .type = PARAM_CHOICE, .choices = "from to", .text = "where the profile stands, if it fits both sides"}
#define PARAM_DAY        {.name = "day", .type = PARAM_DATE, .text = "the day that consents, rates and track records are of; today where it is left out"}
#define PARAM_K          {.name = "k", .type = PARAM_INT, .min = 1, .max = 1000, .preset = 10, .has_preset = true, .unit = "matches", .text = "how many, best first"}

static const struct param hello_params[] = {
    {.name = "token", .type = PARAM_TEXT, .max = 200, .text = "the token, as token.create showed it"},
    {.name = "client", .type = PARAM_TEXT, .max = 200, .text = "name and version of the asking program, for the log"},
    {.name = "language", .type = PARAM_CHOICE, .choices = "en fr", .text = "language of sentences from here on"},
    {0},
};

static const struct param profile_put_params[] = {
    {.name = "profile", .type = PARAM_MAP, .required = true, .text = "the whole profile; see profile.schema"},
    PARAM_IF_VERSION,
    {0},
};
static const struct param profile_put_many_params[] = {
    {.name = "profiles", .type = PARAM_ARRAY, .required = true, .max = 10000, .unit = "profiles", .text = "whole profiles"},
    {.name = "atomic", .type = PARAM_BOOL, .has_preset = true, .text = "none is stored if one is refused"},
    {.name = "dry_run", .type = PARAM_BOOL, .has_preset = true, .text = "everything is checked, nothing stored"},
    {0},
};
static const struct param profile_patch_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile to change"},
    {.name = "changes", .type = PARAM_MAP, .required = true, .text = "fields to set; null removes one"},
    PARAM_IF_VERSION,
    {0},
};
static const struct param profile_get_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile to read"},
    {.name = "version", .type = PARAM_INT, .min = 1, .max = INT64_MAX, .text = "an earlier version"},
    {0},
};
static const struct param profile_list_params[] = {
    {.name = "kind", .type = PARAM_TEXT, .max = 64, .text = "code of kinds"},
    {.name = "metro", .type = PARAM_TEXT, .max = 64, .text = "code of metros"},
    {.name = "sector", .type = PARAM_TEXT, .max = 64, .text = "code of sectors; a group finds its leaves too"},
    {.name = "stage", .type = PARAM_TEXT, .max = 64, .text = "code of stages: its own, or accepted"},
    {.name = "text", .type = PARAM_TEXT, .max = 200, .text = "stands in name, tags or description; case and accents ignored"},
    {.name = "sort", .type = PARAM_CHOICE, .choices = "id name updated", .text = "order: id (preset), name, or newest change first"},
    {0},
};
static const struct param profile_delete_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile to delete"},
    {.name = "erase", .type = PARAM_BOOL, .has_preset = true, .text = "with its history and every byte of it; for admins"},
    PARAM_IF_VERSION,
    {0},
};
static const struct param backup_create_params[] = {
    {.name = "name", .type = PARAM_ID, .required = true, .text = "of the folder that it will be"},
    {0},
};
static const struct param profile_history_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile, even a deleted one"},
    {0},
};
static const struct param profile_duplicates_params[] = {
    {.name = "id", .type = PARAM_ID, .text = "only those of this profile"},
    {0},
};
static const struct param profile_merge_params[] = {
    {.name = "keep", .type = PARAM_ID, .required = true, .text = "the profile that stays"},
    {.name = "drop", .type = PARAM_ID, .required = true, .text = "the one that is taken into it"},
    {0},
};
static const struct param profile_unmerge_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile that was taken into another"},
    {0},
};
static const struct param programme_put_params[] = {
    {.name = "programme", .type = PARAM_MAP, .required = true, .text = "the whole programme"},
    PARAM_IF_VERSION,
    {0},
};
static const struct param programme_check_params[] = {
    {.name = "programme", .type = PARAM_DOCUMENT, .required = true, .text = "a programme, or the id of a stored one"},
    {0},
};
static const struct param programme_get_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the programme to read"},
    {.name = "version", .type = PARAM_INT, .min = 1, .max = INT64_MAX, .text = "an earlier version"},
    {0},
};
static const struct param programme_delete_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the programme to delete"},
    PARAM_IF_VERSION,
    {0},
};
static const struct param outcome_put_params[] = {
    {.name = "from", .type = PARAM_ID, .required = true, .text = "one party, as a rule the startup"},
    {.name = "to", .type = PARAM_ID, .required = true, .text = "the other party"},
    {.name = "programme", .type = PARAM_ID, .text = "the programme that it came of"},
    {.name = "kind", .type = PARAM_TEXT, .required = true, .max = 64, .text = "code of outcomes: hosted, invested, piloted, declined …"},
    {.name = "at", .type = PARAM_DATE, .required = true, .text = "the day, not after today"},
    {.name = "note", .type = PARAM_TEXT, .max = 2000, .text = "a free remark"},
    {0},
};
static const struct param outcome_list_params[] = {
    {.name = "profile", .type = PARAM_ID, .text = "on either side"},
    {.name = "from", .type = PARAM_ID, .text = "on the from side"},
    {.name = "to", .type = PARAM_ID, .text = "on the to side"},
    {.name = "kind", .type = PARAM_TEXT, .max = 64, .text = "of this kind"},
    {.name = "programme", .type = PARAM_ID, .text = "of this programme"},
    {0},
};
static const struct param match_top_params[] = {
    PARAM_PROGRAMME,
    PARAM_PAIRING,
    PARAM_SIDE,
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile to match, on either side"},
    PARAM_K,
    {.name = "min_score", .type = PARAM_INT, .min = 0, .max = 10000, .unit = "basis points", .text = "leaves out what scores less"},
    {.name = "explain", .type = PARAM_BOOL, .has_preset = true, .text = "adds the reasons of each match"},
    PARAM_DAY,
    {0},
};
static const struct param match_watch_params[] = {
    PARAM_PROGRAMME,
    PARAM_PAIRING,
    PARAM_SIDE,
    {.name = "id", .type = PARAM_ID, .text = "the one profile whose list is watched; those of all of the side where it is left out"},
    PARAM_K,
    {.name = "min_score", .type = PARAM_INT, .min = 0, .max = 10000, .unit = "basis points", .text = "leaves out what scores less"},
    {.name = "snapshot", .type = PARAM_BOOL, .has_preset = true, .text = "adds the lists as they are now"},
    {0},
};
static const struct param match_unwatch_params[] = {
    {.name = "watch", .type = PARAM_INT, .required = true, .min = 1, .max = INT64_MAX, .text = "its number, as match.watch answered it"},
    {0},
};
static const struct param match_each_params[] = {
    PARAM_PROGRAMME,
    PARAM_PAIRING,
    {.name = "side", .type = PARAM_CHOICE, .choices = "from to", .text = "whose lists: the profiles of this side; from where it is left out"},
    {.name = "mirrored", .type = PARAM_BOOL, .text = "only this direction of a pairing with `mirror`; both where it is left out"},
    PARAM_K,
    {.name = "min_score", .type = PARAM_INT, .min = 0, .max = 10000, .unit = "basis points", .text = "leaves out what scores less"},
    PARAM_DAY,
    {0},
};
static const struct param match_explain_params[] = {
    PARAM_PROGRAMME,
    PARAM_PAIRING,
    {.name = "from", .type = PARAM_ID, .required = true, .text = "the profile on the from side"},
    {.name = "to", .type = PARAM_ID, .required = true, .text = "the profile on the to side"},
    PARAM_DAY,
    {0},
};
static const struct param match_whatif_params[] = {
    PARAM_PROGRAMME,
    PARAM_PAIRING,
    PARAM_SIDE,
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the profile to match"},
    {.name = "changes", .type = PARAM_MAP, .text = "fields of the profile as they might be; null removes one"},
    {.name = "programme_changes", .type = PARAM_MAP, .text = "{weights: {want: weight, 0 leaves it out}, without: [wants or requirements]}"},
    PARAM_K,
    PARAM_DAY,
    {0},
};
static const struct param journal_list_params[] = {
    {.name = "subject", .type = PARAM_ID, .text = "what was changed: a profile, a programme"},
    {.name = "method", .type = PARAM_TEXT, .max = 64, .text = "by which method"},
    {0},
};
static const struct param journal_verify_params[] = {
    {.name = "from", .type = PARAM_INT, .min = 0, .max = INT64_MAX, .text = "first entry to check; 0: all"},
    {0},
};

static const struct param token_create_params[] = {
    {.name = "role", .type = PARAM_CHOICE, .choices = "reader officer admin partner batch", .required = true, .text = "what its holder may do"},
    {.name = "name", .type = PARAM_TEXT, .required = true, .max = 80, .text = "who will hold it; stands in the journal beside the role"},
    {.name = "metro", .type = PARAM_TEXT, .max = 64, .text = "an officer's own metro"},
    {.name = "profile", .type = PARAM_ID, .text = "the one profile of a partner; needed for one"},
    {.name = "expires", .type = PARAM_DATE, .text = "its last day, UTC; never where it is left out"},
    {.name = "note", .type = PARAM_TEXT, .max = 500, .text = "a free remark"},
    {0},
};
static const struct param token_revoke_params[] = {
    {.name = "id", .type = PARAM_ID, .required = true, .text = "the public id, as token.list shows it"},
    {0},
};

/* ---- results ---- */

#define RESULT_NEXT {"next", RESULT_TEXT, true, NULL, "give it as `after` for the page that follows; absent on the last"}
#define RESULT_SEQ  {"seq", RESULT_INT, false, NULL, "number of the change in the journal"}
#define RESULT_FAULTS(path) \
    {path, RESULT_ARRAY, false, NULL, NULL}, \
    {path "[].path", RESULT_TEXT, false, NULL, "where, such as pairings[0].require[1].of"}, \
    {path "[].message", RESULT_TEXT, false, NULL, "the value, and what would be right"}, \
    {path "[].warning", RESULT_BOOL, false, NULL, "worth reading, forbids nothing"}

static const struct result hello_results[] = {
    {"name", RESULT_TEXT, false, NULL, "jumelage"},
    {"version", RESULT_TEXT, false, NULL, "of the engine"},
    {"protocol", RESULT_INT, false, NULL, "version of the protocol"},
    {"role", RESULT_TEXT, false, NULL, "what the asker may do"},
    {"limits", RESULT_MAP, false, NULL, "every bound, by name"},
    {"time", RESULT_INT, false, "ms", "since 1970 UTC"},
    {0},
};
static const struct result ping_results[] = {{"", RESULT_TEXT, false, NULL, "pong"}, {0}};
static const struct result methods_results[] = {
    {"", RESULT_ARRAY, false, NULL, "one a method"},
    {"[].name", RESULT_TEXT, false, NULL, NULL},
    {"[].role", RESULT_TEXT, false, NULL, "the least that may call it"},
    {"[].roles", RESULT_ARRAY, false, NULL, "all that are named"},
    {"[].summary", RESULT_TEXT, false, NULL, NULL},
    {"[].details", RESULT_TEXT, true, NULL, NULL},
    {"[].params", RESULT_ARRAY, false, NULL, "name, type, required, unit, min, max, choices, default, text"},
    {"[].result", RESULT_ARRAY, false, NULL, "name, type, optional, unit, text"},
    {"[].example", RESULT_TEXT, true, NULL, "parameters as JSON"},
    {0},
};
static const struct result stats_results[] = {
    {"version", RESULT_TEXT, false, NULL, NULL},
    {"kernel", RESULT_TEXT, false, NULL, "the scoring kernel in use"},
    {"seq", RESULT_INT, false, NULL, "newest change that readers see"},
    {"store", RESULT_MAP, false, NULL, "sizes and counts of the data file"},
    {"store.file_bytes", RESULT_INT, false, "bytes", NULL},
    {"store.map_bytes", RESULT_INT, false, "bytes", "most it may grow to"},
    {"store.used_bytes", RESULT_INT, false, "bytes", NULL},
    {"store.commits", RESULT_INT, false, NULL, "since opening; divide writes by it for the size of a group"},
    {"store.failed_syncs", RESULT_INT, false, NULL, "writes that the disk may have lost; more than 0: the store writes no more"},
    {"store.backups", RESULT_INT, false, NULL, "made since opening"},
    {"store.erasures", RESULT_INT, false, NULL, "since opening"},
    {"index", RESULT_MAP, false, NULL, "what is held in memory for scoring"},
    {"index.profiles", RESULT_INT, false, NULL, NULL},
    {"index.bytes", RESULT_INT, false, "bytes", "divide by profiles; grows while matches read texts, which a start leaves in the store"},
    {"methods", RESULT_MAP, false, NULL, "by name: calls, errors, microseconds, latency_buckets (the i-th counts calls under 2^i microseconds)"},
    {"service", RESULT_MAP, true, NULL, "connections, requests, bytes and pauses, where a service answers"},
    {"watches", RESULT_MAP, true, NULL, "standing matches: watches, lists, updates and how long they took, where a service answers"},
    {0},
};
#define RESULT_TOKEN(path) \
    {path "role", RESULT_TEXT, false, NULL, NULL}, \
    {path "name", RESULT_TEXT, false, NULL, NULL}, \
    {path "metro", RESULT_TEXT, true, NULL, NULL}, \
    {path "profile", RESULT_TEXT, true, NULL, NULL}, \
    {path "note", RESULT_TEXT, true, NULL, NULL}, \
    {path "expires", RESULT_TEXT, true, NULL, "last day, UTC"}
static const struct result token_create_results[] = {
    {"id", RESULT_TEXT, false, NULL, "public; names it in token.revoke"},
    {"token", RESULT_TEXT, false, NULL, "the secret, shown this once: whoever has it comes in"},
    RESULT_TOKEN(""),
    RESULT_SEQ,
    {0},
};
static const struct result token_list_results[] = {
    {"tokens", RESULT_ARRAY, false, NULL, "without their secrets"},
    {"tokens[].id", RESULT_TEXT, false, NULL, NULL},
    RESULT_TOKEN("tokens[]."),
    {"tokens[].created_at", RESULT_INT, false, "ms", "since 1970 UTC"},
    {"tokens[].created_by", RESULT_TEXT, false, NULL, "role and name"},
    {"tokens[].last_used_at", RESULT_INT, true, "ms", "within a day; absent if never"},
    {"tokens[].revoked_at", RESULT_INT, true, "ms", NULL},
    {"tokens[].holds", RESULT_BOOL, false, NULL, "neither revoked nor expired"},
    RESULT_NEXT,
    {0},
};
static const struct result profile_put_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"version", RESULT_INT, false, NULL, "1 for a new profile"},
    RESULT_SEQ,
    {"created", RESULT_BOOL, false, NULL, "it was new"},
    {"unchanged", RESULT_BOOL, false, NULL, "it was stored just so already: no new version"},
    {0},
};
static const struct result profile_put_many_results[] = {
    {"put", RESULT_INT, false, "profiles", "taken, the unchanged ones too"},
    {"created", RESULT_INT, false, "profiles", NULL},
    {"unchanged", RESULT_INT, false, "profiles", NULL},
    {"failed", RESULT_ARRAY, false, NULL, "one a refused profile"},
    {"failed[].index", RESULT_INT, false, NULL, "its place in `profiles`, from 0"},
    {"failed[].error", RESULT_MAP, false, NULL, "as the protocol's errors"},
    RESULT_SEQ,
    {0},
};
static const struct result profile_get_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"kind", RESULT_TEXT, false, NULL, NULL},
    {"name", RESULT_TEXT, false, NULL, NULL},
    {"version", RESULT_INT, false, NULL, NULL},
    {"updated_at", RESULT_INT, false, "ms", "since 1970 UTC"},
    RESULT_SEQ,
    {"confidential", RESULT_MAP, true, NULL, "for officers and the profile's own partner"},
    {0},
};
static const struct result profile_list_results[] = {
    {"profiles", RESULT_ARRAY, false, NULL, "without their confidential parts"},
    {"profiles[].id", RESULT_TEXT, false, NULL, NULL},
    {"profiles[].kind", RESULT_TEXT, false, NULL, NULL},
    {"profiles[].name", RESULT_TEXT, false, NULL, NULL},
    {"total", RESULT_INT, false, "profiles", "on all pages"},
    RESULT_NEXT,
    {0},
};
static const struct result id_seq_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    RESULT_SEQ,
    {0},
};
static const struct result profile_delete_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    RESULT_SEQ,
    {"erased", RESULT_MAP, true, NULL, "with erase: what went"},
    {"erased.ids", RESULT_ARRAY, true, NULL, "the profile, and those that were merged into it"},
    {"erased.versions", RESULT_INT, true, NULL, NULL},
    {"erased.entries", RESULT_INT, true, NULL, "of the journal, whose content went"},
    {"erased.outcomes", RESULT_INT, true, NULL, "that go on under a pseudonym, without their notes"},
    {"erased.tokens", RESULT_INT, true, NULL, "that were bound to it, and hold no more"},
    {0},
};
#define RESULT_BACKUP(path) \
    {path "name", RESULT_TEXT, false, NULL, NULL}, \
    {path "bytes", RESULT_INT, false, "bytes", NULL}, \
    {path "at", RESULT_INT, false, "ms", "the moment that it shows, since 1970 UTC"}, \
    {path "seq", RESULT_INT, false, NULL, "newest change in it"}, \
    {path "verified", RESULT_BOOL, false, NULL, "it was opened and walked when it was made, and is as long as it was"}
static const struct result backup_create_results[] = {
    RESULT_BACKUP(""),
    {"path", RESULT_TEXT, false, NULL, "where it is, on the machine of the store"},
    {"seconds", RESULT_INT, false, "s", NULL},
    {0},
};
static const struct result backup_list_results[] = {
    {"backups", RESULT_ARRAY, false, NULL, "by name"},
    RESULT_BACKUP("backups[]."),
    RESULT_NEXT,
    {0},
};
static const struct result profile_history_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"versions", RESULT_ARRAY, false, NULL, "oldest first"},
    {"versions[].version", RESULT_INT, false, NULL, NULL},
    {"versions[].seq", RESULT_INT, false, NULL, NULL},
    {"versions[].at", RESULT_INT, false, "ms", "since 1970 UTC"},
    {"versions[].actor", RESULT_TEXT, false, NULL, "role and name"},
    {"versions[].method", RESULT_TEXT, false, NULL, NULL},
    {"versions[].changed", RESULT_ARRAY, false, NULL, "names of the fields"},
    {"versions[].deleted", RESULT_BOOL, false, NULL, NULL},
    RESULT_NEXT,
    {0},
};
static const struct result profile_schema_results[] = {
    {"kinds", RESULT_ARRAY, false, NULL, "code and labels"},
    {"fields", RESULT_ARRAY, false, NULL, "name, type, required, min, max, unit, kinds, vocabularies, text"},
    {"vocabularies", RESULT_MAP, false, NULL, "by name: code, labels, order"},
    {"limits", RESULT_MAP, false, NULL, NULL},
    {0},
};
static const struct result profile_duplicates_results[] = {
    {"duplicates", RESULT_ARRAY, false, NULL, "strongest first"},
    {"duplicates[].a", RESULT_TEXT, false, NULL, "id"},
    {"duplicates[].b", RESULT_TEXT, false, NULL, "id"},
    {"duplicates[].strength", RESULT_INT, false, "basis points", "sum of the hints, at most 10000"},
    {"duplicates[].evidence", RESULT_ARRAY, false, NULL, "hint, points, value"},
    RESULT_NEXT,
    {0},
};
static const struct result profile_merge_results[] = {
    {"id", RESULT_TEXT, false, NULL, "the profile that stays"},
    {"version", RESULT_INT, false, NULL, NULL},
    {"dropped", RESULT_TEXT, false, NULL, NULL},
    RESULT_SEQ,
    {0},
};
static const struct result profile_unmerge_results[] = {
    {"id", RESULT_TEXT, false, NULL, "the profile that is back"},
    {"parted_from", RESULT_TEXT, false, NULL, NULL},
    RESULT_SEQ,
    {0},
};
static const struct result programme_put_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"version", RESULT_INT, false, NULL, NULL},
    RESULT_SEQ,
    {"created", RESULT_BOOL, false, NULL, NULL},
    {"unchanged", RESULT_BOOL, false, NULL, NULL},
    RESULT_FAULTS("warnings"),
    {0},
};
static const struct result programme_check_results[] = {
    {"ok", RESULT_BOOL, false, NULL, "it could be put"},
    RESULT_FAULTS("faults"),
    {0},
};
static const struct result programme_get_results[] = {
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"pairings", RESULT_ARRAY, false, NULL, NULL},
    {"version", RESULT_INT, false, NULL, NULL},
    {"updated_at", RESULT_INT, false, "ms", "since 1970 UTC"},
    RESULT_SEQ,
    {0},
};
static const struct result programme_list_results[] = {
    {"programmes", RESULT_ARRAY, false, NULL, NULL},
    {"programmes[].id", RESULT_TEXT, false, NULL, NULL},
    {"programmes[].name", RESULT_MAP, false, NULL, "by language"},
    {"programmes[].version", RESULT_INT, false, NULL, NULL},
    {"programmes[].updated_at", RESULT_INT, false, "ms", NULL},
    {"programmes[].pairings", RESULT_ARRAY, false, NULL, "id, from, to, mirror"},
    RESULT_NEXT,
    {0},
};
static const struct result seq_results[] = {RESULT_SEQ, {0}};
static const struct result outcome_list_results[] = {
    {"outcomes", RESULT_ARRAY, false, NULL, "oldest first"},
    {"outcomes[].seq", RESULT_INT, false, NULL, NULL},
    {"outcomes[].from", RESULT_TEXT, false, NULL, NULL},
    {"outcomes[].to", RESULT_TEXT, false, NULL, NULL},
    {"outcomes[].kind", RESULT_TEXT, false, NULL, NULL},
    {"outcomes[].at", RESULT_TEXT, false, NULL, "YYYY-MM-DD"},
    {"outcomes[].programme", RESULT_TEXT, true, NULL, NULL},
    {"outcomes[].note", RESULT_TEXT, true, NULL, NULL},
    {"outcomes[].merged_from", RESULT_TEXT, true, NULL, "the party's id before a merge"},
    RESULT_NEXT,
    {0},
};
static const struct result match_top_results[] = {
    {"programme", RESULT_TEXT, false, NULL, NULL},
    {"pairing", RESULT_TEXT, false, NULL, NULL},
    {"side", RESULT_TEXT, false, NULL, "where `id` stands: from or to"},
    {"mirrored", RESULT_BOOL, false, NULL, "the pairing's two metros are exchanged"},
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"name", RESULT_TEXT, false, NULL, NULL},
    {"day", RESULT_TEXT, false, NULL, "the day that rates, consents and records are of"},
    RESULT_SEQ,
    {"matches", RESULT_ARRAY, false, NULL, "best first; equal scores by id"},
    {"matches[].id", RESULT_TEXT, false, NULL, NULL},
    {"matches[].name", RESULT_TEXT, false, NULL, NULL},
    {"matches[].score", RESULT_INT, false, "basis points", NULL},
    {"matches[].from_view", RESULT_INT, false, "basis points", "what the from side's wants say"},
    {"matches[].to_view", RESULT_INT, false, "basis points", "what the to side's wants say"},
    {"matches[].coverage", RESULT_INT, false, "basis points", "share of the weight whose values are known"},
    {"matches[].reasons", RESULT_MAP, true, NULL, "with explain: from_reasons and to_reasons as in match.explain"},
    {"considered", RESULT_INT, false, "profiles", "on the other side, less the profile itself"},
    {"eligible", RESULT_INT, false, "profiles", "that pass every rule, before min_score"},
    {"why", RESULT_MAP, true, NULL, "the rule that keeps `id` itself from being matched"},
    {0},
};
static const struct result match_watch_results[] = {
    {"watch", RESULT_INT, false, NULL, "its number, of this connection"},
    {"programme", RESULT_TEXT, false, NULL, NULL},
    {"pairing", RESULT_TEXT, false, NULL, NULL},
    {"side", RESULT_TEXT, false, NULL, "where those stand whose lists these are: from or to"},
    {"id", RESULT_TEXT, true, NULL, "the one profile that is watched"},
    {"k", RESULT_INT, false, "matches", NULL},
    {"min_score", RESULT_INT, false, "basis points", NULL},
    RESULT_SEQ,
    {"lists", RESULT_INT, false, "lists", "that are watched: of the profiles that may be matched"},
    {"best", RESULT_ARRAY, true, NULL, "with snapshot: the lists, by id"},
    {"best[].id", RESULT_TEXT, true, NULL, "whose list it is"},
    {"best[].matches", RESULT_ARRAY, true, NULL, "best first: [{id, score}]"},
    {0},
};
static const struct result match_unwatch_results[] = {
    {"watch", RESULT_INT, false, NULL, NULL},
    RESULT_SEQ,
    {0},
};
static const struct result match_each_results[] = {
    {"programme", RESULT_TEXT, false, NULL, NULL},
    {"pairing", RESULT_TEXT, false, NULL, NULL},
    {"side", RESULT_TEXT, false, NULL, "whose lists these are: from or to"},
    {"day", RESULT_TEXT, false, NULL, "the day that rates, consents and records are of"},
    RESULT_SEQ,
    {"total", RESULT_INT, false, "lists", "on all pages together"},
    {"lists", RESULT_ARRAY, false, NULL, "one a profile of the side, by id; each as match.top gives it"},
    {"lists[].id", RESULT_TEXT, false, NULL, NULL},
    {"lists[].name", RESULT_TEXT, false, NULL, NULL},
    {"lists[].side", RESULT_TEXT, false, NULL, NULL},
    {"lists[].mirrored", RESULT_BOOL, false, NULL, "the pairing's two metros are exchanged"},
    {"lists[].considered", RESULT_INT, false, "profiles", "on the other side, less the profile itself"},
    {"lists[].eligible", RESULT_INT, false, "profiles", "that pass every rule, before min_score"},
    {"lists[].why", RESULT_MAP, true, NULL, "the rule that keeps the profile itself from being matched"},
    {"lists[].matches", RESULT_ARRAY, false, NULL, "best first; equal scores by id; fields as in match.top"},
    RESULT_NEXT,
    {0},
};
static const struct result match_explain_results[] = {
    {"programme", RESULT_TEXT, false, NULL, NULL},
    {"pairing", RESULT_TEXT, false, NULL, NULL},
    {"mirrored", RESULT_BOOL, false, NULL, NULL},
    {"from", RESULT_TEXT, false, NULL, NULL},
    {"to", RESULT_TEXT, false, NULL, NULL},
    {"from_name", RESULT_TEXT, false, NULL, NULL},
    {"to_name", RESULT_TEXT, false, NULL, NULL},
    {"eligible", RESULT_BOOL, false, NULL, NULL},
    {"failed", RESULT_ARRAY, false, NULL, "every rule that fails, with the values that failed it"},
    {"failed[].rule", RESULT_TEXT, false, NULL, NULL},
    {"score", RESULT_INT, false, "basis points", NULL},
    {"from_view", RESULT_INT, false, "basis points", NULL},
    {"to_view", RESULT_INT, false, "basis points", NULL},
    {"combine", RESULT_TEXT, false, NULL, "how the two views make the score"},
    {"coverage", RESULT_INT, false, "basis points", NULL},
    {"from_reasons", RESULT_ARRAY, false, NULL, "one a want, in the programme's order"},
    {"from_reasons[].id", RESULT_TEXT, false, NULL, NULL},
    {"from_reasons[].weight", RESULT_INT, false, NULL, NULL},
    {"from_reasons[].share", RESULT_INT, false, "basis points", "the shares sum to the view"},
    {"to_reasons", RESULT_ARRAY, false, NULL, "likewise for the to side"},
    {"to_reasons[].id", RESULT_TEXT, false, NULL, NULL},
    {"to_reasons[].weight", RESULT_INT, false, NULL, NULL},
    {"to_reasons[].share", RESULT_INT, false, "basis points", NULL},
    {0},
};
static const struct result match_whatif_results[] = {
    {"programme", RESULT_TEXT, false, NULL, NULL},
    {"pairing", RESULT_TEXT, false, NULL, NULL},
    {"side", RESULT_TEXT, false, NULL, NULL},
    {"id", RESULT_TEXT, false, NULL, NULL},
    {"before", RESULT_ARRAY, false, NULL, "matches as things are"},
    {"after", RESULT_ARRAY, false, NULL, "matches with the changes"},
    {"entered", RESULT_ARRAY, false, NULL, "ids that come into the list"},
    {"left", RESULT_ARRAY, false, NULL, "ids that fall out of it"},
    {"moved", RESULT_ARRAY, false, NULL, "what changed rank or score, and by which wants"},
    {0},
};
static const struct result journal_list_results[] = {
    {"entries", RESULT_ARRAY, false, NULL, "oldest first"},
    {"entries[].seq", RESULT_INT, false, NULL, NULL},
    {"entries[].at", RESULT_INT, false, "ms", "since 1970 UTC"},
    {"entries[].actor", RESULT_TEXT, false, NULL, NULL},
    {"entries[].method", RESULT_TEXT, false, NULL, NULL},
    {"entries[].subject", RESULT_TEXT, false, NULL, NULL},
    {"entries[].what", RESULT_MAP, false, NULL, "details, never confidential values"},
    {"entries[].digest", RESULT_TEXT, false, NULL, "BLAKE2b-256 over the entry and the digest before it"},
    {"entries[].redacted", RESULT_BOOL, true, NULL, "its content is gone; the digest is of what it was"},
    RESULT_NEXT,
    {0},
};
static const struct result journal_verify_results[] = {
    {"ok", RESULT_BOOL, false, NULL, "the chain holds, and every entry without content is accounted for"},
    {"entries", RESULT_INT, false, NULL, "read"},
    {"redacted", RESULT_INT, false, NULL, "of them without content: erased, or out of their time; the chain goes through them"},
    {"erased", RESULT_INT, false, NULL, "of the redacted, by an erasure"},
    {"expired", RESULT_INT, false, NULL, "of the redacted, at the end of their time"},
    {"unproved", RESULT_INT, false, NULL, "of the redacted, by an earlier release, whose erasures said how many entries they took, not which"},
    {"head", RESULT_TEXT, false, NULL, "digest of the last one read"},
    {"broken_at", RESULT_INT, true, NULL, "an entry that does not hold, the first that was met"},
    {"fault", RESULT_TEXT, true, NULL, "why: chain (missing or altered), unexplained (its content is gone and nothing took it), returned (its content was taken and is there again), altered (what it took the content of does not stand as it left it), unlisted (an erasure that the erasure ledger does not know)"},
    {0},
};

/* ---- methods ---- */

enum { OFFICER_OR_OWNER = ROLE_OFFICER | ROLE_PARTNER };

const struct method methods[] = {
    {.name = "backup.create", .roles = ROLE_BATCH | ROLE_ADMIN, .flags = METHOD_LONG | METHOD_ONCE,
     .params = backup_create_params, .results = backup_create_results, .handle = handle_backup_create,
     .summary = "Makes a copy of the store while it serves",
     .details = "One consistent moment; written, synced, opened and walked before it gets its name. Never in it: the key of the tokens' hashes. Writing goes on meanwhile.",
     .example = "{\"name\": \"nightly-1\"}"},
    {.name = "backup.list", .roles = ROLE_BATCH | ROLE_ADMIN, .flags = METHOD_LISTS | METHOD_LONG,
     .params = NULL, .results = backup_list_results, .handle = handle_backup_list,
     .summary = "The backups that stand in the backup folder",
     .example = "{}"},
    {.name = "journal.list", .roles = ROLE_OFFICER, .flags = METHOD_LISTS | METHOD_LONG,
     .params = journal_list_params, .results = journal_list_results, .handle = handle_journal_list,
     .summary = "Every change: when, by whom, what",
     .details = "Two are the engine's own, with the actor engine: tables.use (subject reference or lexicon: from here on other vocabularies and rates, or another lexicon, are in force) and system.day (subject the day: a service saw a UTC day begin, once a day). Each moves the answers of matches, as a changed profile does.",
     .example = "{\"limit\": 5}"},
    {.name = "journal.verify", .roles = ROLE_OFFICER, .flags = METHOD_LONG,
     .params = journal_verify_params, .results = journal_verify_results, .handle = handle_journal_verify,
     .summary = "Whether the chain of changes is whole",
     .details = "Each entry holds the digest of the one before it; an entry altered, moved or taken out shows.",
     .example = "{}"},
    {.name = "match.each", .roles = ROLE_READER, .flags = METHOD_SPEAKS | METHOD_LISTS | METHOD_LONG | METHOD_CONFIDENTIAL,
     .params = match_each_params, .results = match_each_results, .handle = handle_match_each,
     .summary = "The best counterparts of every profile of one side, in pages",
     .details = "The lists of match.top, worked out many at a time, which costs a fraction of as many calls. A page is shared among threads: its worker's own, and others that the service may start, `workers` less one for all calls together; the answer does not depend on how many there were. Pages follow each other by id; each is of the moment at which it is asked for, which `seq` tells.",
     .example = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"k\": 2, \"limit\": 2}"},
    {.name = "match.explain", .roles = ROLE_READER, .flags = METHOD_SPEAKS | METHOD_LONG | METHOD_CONFIDENTIAL,
     .params = match_explain_params, .results = match_explain_results, .handle = handle_match_explain,
     .summary = "Why a pair scores what it scores, want by want",
     .details = "Those who may not see confidential values get the wants that used one as a single line without evidence.",
     .example = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"from\": \"demo-startup-001\", \"to\": \"rocketspace\", \"lang\": \"en\"}"},
    {.name = "match.top", .roles = ROLE_READER, .flags = METHOD_SPEAKS | METHOD_LONG | METHOD_CONFIDENTIAL,
     .params = match_top_params, .results = match_top_results, .handle = handle_match_top,
     .summary = "The best counterparts of one profile, best first",
     .details = "Exact, never approximate: the first k of all eligible counterparts by score, then by id. The profile may stand on either side; from_view and to_view keep the pairing's own sides.",
     .example = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-001\", \"k\": 3}"},
    {.name = "match.unwatch", .roles = ROLE_READER, .flags = METHOD_LONG | METHOD_ONCE | METHOD_WATCHES,
     .params = match_unwatch_params, .results = match_unwatch_results, .handle = handle_match_unwatch,
     .summary = "Ends a watch of this connection",
     .details = "No notification of it comes after the answer.",
     .example = "{\"watch\": 1}"},
    {.name = "match.watch", .roles = ROLE_READER, .flags = METHOD_LONG | METHOD_ONCE | METHOD_WATCHES,
     .params = match_watch_params, .results = match_watch_results, .handle = handle_match_watch,
     .summary = "Tells from now on how best lists change",
     .details = "Needs a connection of its own kind: not over HTTP, and not in the tool's own process. After each change that moves a list, a notification [2, \"match.changed\", [{watch, programme, pairing, side, from_seq, seq, complete, changes}]] comes, with changes [{id, other, change, rank, rank_before, score, score_before}]: of the list of `id`, `other` has `entered`, `left` or `moved`; rank and score are nil where it is not on the list. Of an erased profile nothing is told any more: that it left has `erased`, rank_before, and nil for other and score_before; where its own list was among those watched, `missed` comes, and where it was the only one, `ended`. Lists are those of match.top at seq, exactly; from_seq is the seq of the last notification, or of this answer. Who reads too slowly is told `missed` and `resume_seq` instead: ask match.top, or watch anew with snapshot. With `ended` and `why` nothing follows: the programme is gone, or the token.",
     .example = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-001\", \"k\": 3, \"snapshot\": true}"},
    {.name = "match.whatif", .roles = ROLE_OFFICER, .flags = METHOD_SPEAKS | METHOD_LONG | METHOD_CONFIDENTIAL,
     .params = match_whatif_params, .results = match_whatif_results, .handle = handle_match_whatif,
     .summary = "How a profile's matches would move if it, or the weights, were different",
     .details = "Stores nothing.",
     .example = "{\"programme\": \"bilocation\", \"pairing\": \"hosting\", \"id\": \"demo-startup-001\", \"changes\": {\"languages\": [\"en\"]}, \"k\": 3}"},
    {.name = "outcome.list", .roles = ROLE_OFFICER, .flags = METHOD_LISTS | METHOD_LONG,
     .params = outcome_list_params, .results = outcome_list_results, .handle = handle_outcome_list,
     .summary = "What came of matches",
     .example = "{\"kind\": \"hosted\", \"limit\": 5}"},
    {.name = "outcome.put", .roles = ROLE_OFFICER, .flags = METHOD_WRITES,
     .params = outcome_put_params, .results = seq_results, .apply = apply_outcome_put,
     .summary = "Notes what came of a match",
     .example = "{\"from\": \"demo-startup-001\", \"to\": \"demo-host-01\", \"kind\": \"hosted\", \"at\": \"2026-03-02\"}"},
    {.name = "profile.delete", .roles = ROLE_OFFICER, .flags = METHOD_WRITES,
     .params = profile_delete_params, .results = profile_delete_results, .handle = handle_profile_delete, .apply = apply_profile_delete,
     .summary = "Takes a profile out; its history stays, or with `erase` goes too",
     .details = "`erase` (admin) also takes a profile that was deleted before. Everything that was stored of it goes, with what was merged into it, and the data file is made anew before the answer, which stops other writes for as long as that takes; its id stays in the erasure ledger, which a restore applies to older backups. Journal entries stay as links of the chain, under a pseudonym.",
     .example = "{\"id\": \"demo-startup-003\"}"},
    {.name = "profile.duplicates", .roles = ROLE_OFFICER, .flags = METHOD_LISTS | METHOD_LONG,
     .params = profile_duplicates_params, .results = profile_duplicates_results, .handle = handle_profile_duplicates,
     .summary = "Profiles that are probably the same organisation, with the evidence",
     .example = "{\"limit\": 5}"},
    {.name = "profile.get", .roles = ROLE_READER | ROLE_PARTNER, .flags = METHOD_CONFIDENTIAL,
     .params = profile_get_params, .results = profile_get_results, .handle = handle_profile_get, .express = express_profile_get,
     .summary = "One profile, as it is or as it was",
     .details = "Officers, and a partner asking for its own profile, get the confidential part too; such reads are logged.",
     .example = "{\"id\": \"demo-startup-001\"}"},
    {.name = "profile.history", .roles = OFFICER_OR_OWNER, .flags = METHOD_LISTS,
     .params = profile_history_params, .results = profile_history_results, .handle = handle_profile_history,
     .summary = "A profile's versions: when, by whom, which fields",
     .example = "{\"id\": \"demo-startup-001\"}"},
    {.name = "profile.list", .roles = ROLE_READER, .flags = METHOD_LISTS | METHOD_LONG,
     .params = profile_list_params, .results = profile_list_results, .handle = handle_profile_list,
     .summary = "Profiles that fit a filter",
     .example = "{\"kind\": \"incubator\", \"metro\": \"silicon-valley\", \"limit\": 5}"},
    {.name = "profile.merge", .roles = ROLE_OFFICER, .flags = METHOD_WRITES | METHOD_LONG,
     .params = profile_merge_params, .results = profile_merge_results, .apply = apply_profile_merge,
     .summary = "Makes one profile of two of the same organisation",
     .details = "The kept profile takes what it lacks; consent is never taken over. Outcomes of the dropped one are told of the kept one. profile.unmerge undoes it.",
     .example = "{\"keep\": \"demo-startup-004\", \"drop\": \"demo-startup-005\"}"},
    {.name = "profile.patch", .roles = OFFICER_OR_OWNER, .flags = METHOD_WRITES,
     .params = profile_patch_params, .results = profile_put_results, .handle = handle_profile_patch, .apply = apply_profile_patch,
     .summary = "Changes some fields of a profile",
     .details = "description, external_ids and confidential are changed key by key.",
     .example = "{\"id\": \"demo-startup-002\", \"changes\": {\"team\": 12}}"},
    {.name = "profile.put", .roles = OFFICER_OR_OWNER, .flags = METHOD_WRITES,
     .params = profile_put_params, .results = profile_put_results, .handle = handle_profile_put, .apply = apply_profile_put,
     .summary = "Stores a profile, new or in place of the old version",
     .details = "version, updated_at and seq are ignored, so that what profile.get gave can be put back.",
     .example = "{\"profile\": {\"id\": \"exemple\", \"kind\": \"startup\", \"name\": \"Exemple\", \"metro\": \"paris\"}}"},
    {.name = "profile.put_many", .roles = ROLE_OFFICER, .flags = METHOD_WRITES | METHOD_LONG,
     .params = profile_put_many_params, .results = profile_put_many_results, .handle = handle_profile_put_many, .apply = apply_profile_put_many,
     .summary = "Stores many profiles in one transaction",
     .example = "{\"profiles\": [{\"id\": \"exemple\", \"kind\": \"startup\", \"name\": \"Exemple\"}], \"dry_run\": true}"},
    {.name = "profile.schema", .roles = ROLE_ANY, .flags = 0,
     .results = profile_schema_results, .handle = handle_profile_schema,
     .summary = "Fields, kinds, vocabularies and limits of profiles",
     .example = "{}"},
    {.name = "profile.unmerge", .roles = ROLE_OFFICER, .flags = METHOD_WRITES | METHOD_LONG,
     .params = profile_unmerge_params, .results = profile_unmerge_results, .apply = apply_profile_unmerge,
     .summary = "Undoes a merge",
     .details = "Both profiles come back as they were before; refused if the kept one was changed since.",
     .example = "{\"id\": \"demo-startup-005\"}"},
    {.name = "programme.check", .roles = ROLE_READER, .flags = METHOD_LONG,
     .params = programme_check_params, .results = programme_check_results, .handle = handle_programme_check,
     .summary = "Every fault of a programme, with its path; stores nothing",
     .example = "{\"programme\": \"bilocation\"}"},
    {.name = "programme.delete", .roles = ROLE_OFFICER, .flags = METHOD_WRITES,
     .params = programme_delete_params, .results = id_seq_results, .apply = apply_programme_delete,
     .summary = "Takes a programme out; its versions stay",
     .example = "{\"id\": \"events\"}"},
    {.name = "programme.get", .roles = ROLE_READER, .flags = 0,
     .params = programme_get_params, .results = programme_get_results, .handle = handle_programme_get,
     .summary = "One programme, as it is or as it was",
     .example = "{\"id\": \"bilocation\"}"},
    {.name = "programme.list", .roles = ROLE_READER, .flags = METHOD_LISTS,
     .results = programme_list_results, .handle = handle_programme_list,
     .summary = "The programmes and their pairings",
     .example = "{}"},
    {.name = "programme.put", .roles = ROLE_OFFICER, .flags = METHOD_WRITES,
     .params = programme_put_params, .results = programme_put_results, .handle = handle_programme_put, .apply = apply_programme_put,
     .summary = "Stores a programme, new or in place of the old version",
     .details = "A faulty one is refused; details.faults of the error lists every fault with its path.",
     .example = "{\"programme\": {\"id\": \"exemple\", \"name\": {\"en\": \"Example\", \"fr\": \"Exemple\"}, \"pairings\": [{\"id\": \"hosting\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, \"from_wants\": [{\"id\": \"fit\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", \"weight\": 1}]}]}}"},
    {.name = "system.hello", .roles = ROLE_ANY, .flags = METHOD_GREETS,
     .params = hello_params, .results = hello_results, .handle = handle_system_hello,
     .summary = "Who is there, what may be done, and the limits",
     .example = "{\"client\": \"example 1.0\"}"},
    {.name = "system.methods", .roles = ROLE_ANY, .flags = 0,
     .results = methods_results, .handle = handle_system_methods,
     .summary = "What can be called, with parameters and results",
     .example = "{}"},
    {.name = "system.ping", .roles = ROLE_ANY, .flags = 0,
     .results = ping_results, .handle = handle_system_ping, .express = express_ping,
     .summary = "Answers \"pong\"",
     .example = "{}"},
    {.name = "system.stats", .roles = ROLE_OFFICER, .flags = 0,
     .results = stats_results, .handle = handle_system_stats,
     .summary = "Counters, sizes and latencies",
     .example = "{}"},
    {.name = "token.create", .roles = ROLE_ADMIN, .flags = METHOD_WRITES,
     .params = token_create_params, .results = token_create_results, .handle = handle_token_create, .apply = apply_token_create,
     .summary = "Makes a token, the key by which a program comes in",
     .details = "The secret is shown once and stored nowhere; only its keyed hash is. The key of the hashes is the file token.key in the store's folder, which no backup holds.",
     .example = "{\"role\": \"reader\", \"name\": \"example\"}"},
    {.name = "token.list", .roles = ROLE_ADMIN, .flags = METHOD_LISTS,
     .params = NULL, .results = token_list_results, .handle = handle_token_list,
     .summary = "The tokens that were made, without their secrets",
     .example = "{}"},
    {.name = "token.revoke", .roles = ROLE_ADMIN, .flags = METHOD_WRITES,
     .params = token_revoke_params, .results = id_seq_results, .apply = apply_token_revoke,
     .summary = "Ends a token, and what open connections may do with it",
     .example = "{\"id\": \"0f1e2d3c4b5a\"}"},
    {0},
};
/* clang-format on */

const size_t n_methods = sizeof methods / sizeof methods[0] - 1;
