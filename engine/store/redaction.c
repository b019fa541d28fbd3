#include "redaction.h"

#include "alloc.h"
#include "ledger.h"
#include "value.h"

#include <sodium.h>

#include <stdlib.h>
#include <string.h>

enum { SALT_BYTES = 16, SALT_HEX_CHARS = 2 * SALT_BYTES, WHAT_BYTES_MAX = 8 * 1024 * 1024 };
enum { WORK_ARENA_BYTES = 256 * 1024 * 1024 };

static const struct kind {
    const char *by_key, *flag_key;
    struct str head, head_before; /* of the redactor's details; of an earlier release */
} kinds[] = {
    [REDACTION_ERASE] = {"erased_by", "erase",
                         STR_LIT("\x84\xa5"
                                 "erase\xc3"),
                         STR_LIT("\x82\xa5"
                                 "erase\xc3")},
    [REDACTION_EXPIRE] = {"expired_by",
                          "expire",
                          STR_LIT("\x84\xa6"
                                  "expire\xc3"),
                          {NULL, 0}},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static bool
begins(struct str text, struct str head)
{
    return head.len > 0 && text.len >= head.len && memcmp(text.data, head.data, head.len) == 0;
}

/* Its kind; KINDS: none. */
static unsigned
kind_of(const struct journal_record *record)
{
    unsigned kind = 0;

    while (kind < KINDS &&
           (record->is_redacted || (!begins(record->what, kinds[kind].head) &&
                                    !begins(record->what, kinds[kind].head_before))))
        kind++;
    return kind;
}

bool
record_is_redactor(const struct journal_record *record)
{
    return kind_of(record) != KINDS;
}

bool
record_is_expired_unsaid(const struct journal_record *record)
{
    return record->is_redacted && str_equal(record->what, STR_LIT("\x81\xa7"
                                                                  "expired\xc3"));
}

static struct digest
leaf_of(const struct journal_record *record, struct str salt)
{
    struct digest_state state;

    digest_begin(&state);
    digest_add_str(&state, salt);
    digest_add_u64(&state, record->seq);
    digest_add(&state, record->digest.bytes, DIGEST_BYTES);
    digest_add_u64(&state, (uint64_t)record->at);
    digest_add_str(&state, record->actor);
    digest_add_str(&state, record->method);
    digest_add_str(&state, record->subject);
    return digest_end(&state);
}

static void
fold_in(struct digest *fold, const struct digest *leaf)
{
    struct digest_state state;

    digest_begin(&state);
    digest_add(&state, fold->bytes, DIGEST_BYTES);
    digest_add(&state, leaf->bytes, DIGEST_BYTES);
    *fold = digest_end(&state);
}

static enum err_code
decode(struct arena *arena, struct str bytes, const msgpack_object **value, struct err *err)
{
    return value_read(bytes.data, bytes.len, &value_limits_default, arena, value, err);
}

/* ---- what a redacted entry says ---- */

struct said {
    unsigned kind;
    int64_t by;
    struct str salt; /* empty: of an earlier release */
    const msgpack_object *before;
};

static bool
said_read(const msgpack_object *what, struct said *out)
{
    *out = (struct said){.kind = 0};
    while (out->kind < KINDS && !value_int(value_find(what, kinds[out->kind].by_key), &out->by))
        out->kind++;
    if (out->kind == KINDS || out->by <= 0)
        return false;
    value_str(value_find(what, "salt"), &out->salt);
    out->before = value_find(what, "before");
    return true;
}

/* ---- making one ---- */

enum err_code
redaction_begin(struct redaction *redaction, struct store_txn *txn, enum redaction_kind kind,
                struct err *err)
{
    *redaction = (struct redaction){.txn = txn, .kind = kind, .by = txn->seq + 1};
    redaction->arena = arena_create(WORK_ARENA_BYTES);
    if (redaction->arena == NULL)
        return err_no_memory(err);
    buf_init(&redaction->seqs, WHAT_BYTES_MAX);
    return ERR_OK;
}

void
redaction_fini(struct redaction *redaction)
{
    buf_fini(&redaction->seqs);
    arena_destroy(redaction->arena);
}

/* The leaves of those who redacted it before, and its own of the last of them. */
static enum err_code
pack_before(struct redaction *redaction, const struct journal_record *record, struct buf *out,
            size_t *n_pairs, struct err *err)
{
    const msgpack_object *what;
    struct said said;
    char hex[DIGEST_HEX_CHARS + 1];
    struct digest leaf;
    enum err_code code = decode(redaction->arena, record->what, &what, err);

    if (code != ERR_OK || !said_read(what, &said) || said.salt.len == 0)
        return code;
    leaf = leaf_of(record, said.salt);
    digest_format(&leaf, hex);
    pack_key(out, "before");
    pack_array(out, value_size(said.before) + 1);
    for (size_t i = 0; i < value_size(said.before); i++)
        pack_value(out, value_at(said.before, i));
    pack_array(out, 2);
    pack_int(out, said.by);
    pack_text(out, hex);
    ++*n_pairs;
    return ERR_OK;
}

static enum err_code
pack_said(struct redaction *redaction, const struct journal_record *record, const char *salt,
          struct buf *out, struct err *err)
{
    struct pack_open map = pack_map_open(out);
    size_t n_pairs = 2;
    enum err_code code = ERR_OK;

    pack_key_int(out, kinds[redaction->kind].by_key, (int64_t)redaction->by);
    pack_key_text(out, "salt", salt);
    if (record->is_redacted)
        code = pack_before(redaction, record, out, &n_pairs, err);
    pack_close(out, map, n_pairs);
    return code == ERR_OK ? buf_check(out, err) : code;
}

enum err_code
redaction_take(struct redaction *redaction, uint64_t seq, struct str subject, struct str actor,
               struct err *err)
{
    struct arena_mark mark = arena_mark(redaction->arena);
    unsigned char random[SALT_BYTES];
    char salt[SALT_HEX_CHARS + 1];
    struct journal_record record;
    struct digest leaf;
    struct buf what;
    enum err_code code = store_journal_get(&redaction->txn->read, seq, &record, err);

    if (code != ERR_OK)
        return code;
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(salt, sizeof salt, random, sizeof random);
    buf_init(&what, WHAT_BYTES_MAX);
    code = pack_said(redaction, &record, salt, &what, err);
    if (subject.len > 0)
        record.subject = subject;
    if (actor.len > 0)
        record.actor = actor;
    leaf = leaf_of(&record, str_from(salt));
    fold_in(&redaction->fold, &leaf);
    pack_int(&redaction->seqs, (int64_t)seq);
    redaction->n++;
    if (code == ERR_OK)
        code = journal_redact(redaction->txn, seq, subject, actor, buf_str(&what), err);
    buf_fini(&what);
    arena_release(redaction->arena, mark);
    return code;
}

enum err_code
redaction_end(struct redaction *redaction, struct str actor, struct str method, struct str subject,
              uint64_t *seq, struct err *err)
{
    struct journal_entry entry = {.actor = actor, .method = method, .subject = subject};
    char hex[DIGEST_HEX_CHARS + 1];
    struct buf what;
    enum err_code code = buf_check(&redaction->seqs, err);

    if (code != ERR_OK)
        return code;
    digest_format(&redaction->fold, hex);
    buf_init(&what, redaction->seqs.len + 1024);
    pack_map(&what, 4);
    pack_key_bool(&what, kinds[redaction->kind].flag_key, true);
    pack_key_int(&what, "entries", (int64_t)redaction->n);
    pack_key(&what, "seqs");
    pack_array(&what, redaction->n);
    buf_append_str(&what, buf_str(&redaction->seqs));
    pack_key_text(&what, "of", hex);
    entry.what = buf_str(&what);
    code = buf_check(&what, err);
    if (code == ERR_OK)
        code = store_journal_add(redaction->txn, &entry, seq, err);
    buf_fini(&what);
    return code;
}

/* ---- proving them ---- */

/* What cannot be read says nothing: NULL. */
static enum err_code
decode_if_sound(struct arena *arena, struct str bytes, const msgpack_object **value,
                struct err *err)
{
    enum err_code code = decode(arena, bytes, value, err);

    if (code != ERR_INVALID_PARAMS && code != ERR_TOO_LARGE)
        return code;
    *value = NULL;
    *err = (struct err){0};
    return ERR_OK;
}

struct redactor {
    uint64_t seq;
    unsigned kind;
    uint64_t *seqs; /* NULL: of an earlier release, which told their number only */
    size_t n, n_met;
    bool is_cut;            /* some of them lie before the walk */
    struct digest fold, of; /* of those met; of all, as it says itself */
};

struct proofs {
    struct store_read *read;
    struct arena *arena;
    uint64_t from, *listed; /* redactors in the erasure ledger */
    size_t n_listed;
    struct redactor **ahead; /* by seq */
    size_t n, room;
};

static int
compare_seqs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

enum err_code
proofs_create(struct store_read *read, uint64_t from, struct proofs **out, struct err *err)
{
    struct proofs *proofs = mem_alloc_zeroed(1, sizeof *proofs);
    enum err_code code;

    if (proofs == NULL)
        return err_no_memory(err);
    proofs->read = read;
    proofs->from = from;
    proofs->arena = arena_create(WORK_ARENA_BYTES);
    code = proofs->arena == NULL ? err_no_memory(err)
                                 : ledger_redactors(read, &proofs->listed, &proofs->n_listed, err);
    if (code != ERR_OK) {
        proofs_destroy(proofs);
        return code;
    }
    if (proofs->n_listed > 1)
        qsort(proofs->listed, proofs->n_listed, sizeof *proofs->listed, compare_seqs);
    *out = proofs;
    return ERR_OK;
}

static void
redactor_free(struct redactor *redactor)
{
    if (redactor != NULL)
        mem_free(redactor->seqs);
    mem_free(redactor);
}

void
proofs_destroy(struct proofs *proofs)
{
    if (proofs == NULL)
        return;
    for (size_t i = 0; i < proofs->n; i++)
        redactor_free(proofs->ahead[i]);
    mem_free(proofs->ahead);
    mem_free(proofs->listed);
    arena_destroy(proofs->arena);
    mem_free(proofs);
}

static void
accuse(struct journal_verdict *verdict, uint64_t seq, enum journal_fault fault)
{
    verdict->broken_at = seq;
    verdict->fault = fault;
}

/* Where it stands, or belongs. */
static size_t
place_of(const struct proofs *proofs, uint64_t seq)
{
    size_t low = 0, high = proofs->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (proofs->ahead[middle]->seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err_code
insert(struct proofs *proofs, size_t place, struct redactor *redactor, struct err *err)
{
    if (proofs->n == proofs->room) {
        size_t room = proofs->room != 0 ? 2 * proofs->room : 16;
        struct redactor **wider = mem_realloc(proofs->ahead, room * sizeof(struct redactor *));

        if (wider == NULL)
            return err_no_memory(err);
        proofs->ahead = wider;
        proofs->room = room;
    }
    memmove(proofs->ahead + place + 1, proofs->ahead + place,
            (proofs->n++ - place) * sizeof(struct redactor *));
    proofs->ahead[place] = redactor;
    return ERR_OK;
}

static void
take_away(struct proofs *proofs, size_t place)
{
    redactor_free(proofs->ahead[place]);
    memmove(proofs->ahead + place, proofs->ahead + place + 1,
            (--proofs->n - place) * sizeof(struct redactor *));
}

/* Rising, and before the redactor itself: else its list is none. */
static bool
read_seqs(const struct proofs *proofs, struct redactor *redactor, const msgpack_object *seqs)
{
    uint64_t last = 0;

    for (size_t i = 0; i < redactor->n; i++) {
        int64_t seq;

        if (!value_int(value_at(seqs, i), &seq) || seq <= 0 || (uint64_t)seq <= last ||
            (uint64_t)seq >= redactor->seq)
            return false;
        last = redactor->seqs[i] = (uint64_t)seq;
        redactor->n_met += last < proofs->from;
    }
    redactor->is_cut = redactor->n_met > 0;
    return true;
}

/* *has_list false: what it says is no list of what it took. */
static enum err_code
read_redactor(const struct proofs *proofs, const struct journal_record *record,
              struct redactor *redactor, bool *has_list, struct err *err)
{
    const msgpack_object *what, *seqs;
    struct str of;
    int64_t n = 0;
    enum err_code code = decode_if_sound(proofs->arena, record->what, &what, err);

    *has_list = false;
    if (code != ERR_OK)
        return code;
    seqs = value_find(what, "seqs");
    value_int(value_find(what, "entries"), &n);
    redactor->n = value_is_array(seqs) ? value_size(seqs) : (size_t)(n > 0 ? n : 0);
    *has_list = true;
    if (!value_is_array(seqs))
        return ERR_OK;
    redactor->seqs = mem_alloc_zeroed(redactor->n + 1, sizeof *redactor->seqs);
    if (redactor->seqs == NULL)
        return err_no_memory(err);
    *has_list = read_seqs(proofs, redactor, seqs) && value_str(value_find(what, "of"), &of) &&
                digest_parse(of, &redactor->of);
    return ERR_OK;
}

/* The redactor that is to be met at seq, from the store the first time; *out NULL: there is none. */
static enum err_code
find_redactor(struct proofs *proofs, uint64_t seq, unsigned kind, struct redactor **out,
              struct err *err)
{
    size_t place = place_of(proofs, seq);
    struct journal_record record;
    struct redactor *redactor;
    bool has_list;
    enum err_code code;

    *out = NULL;
    if (place < proofs->n && proofs->ahead[place]->seq == seq) {
        *out = proofs->ahead[place]->kind == kind ? proofs->ahead[place] : NULL;
        return ERR_OK;
    }
    code = store_journal_get(proofs->read, seq, &record, err);
    if (code != ERR_OK || kind == KINDS || kind_of(&record) != kind)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    redactor = mem_alloc_zeroed(1, sizeof *redactor);
    if (redactor == NULL)
        return err_no_memory(err);
    redactor->seq = seq;
    redactor->kind = kind;
    code = read_redactor(proofs, &record, redactor, &has_list, err);
    if (code == ERR_OK && has_list)
        code = insert(proofs, place, redactor, err);
    if (code != ERR_OK || !has_list)
        redactor_free(redactor);
    else
        *out = redactor;
    return code;
}

/* The entry seq says that the redactor took it: is it the next on the redactor's list? */
static enum err_code
meet(struct proofs *proofs, uint64_t seq, int64_t by, unsigned kind, const struct digest *leaf,
     struct journal_verdict *verdict, struct err *err)
{
    struct redactor *redactor = NULL;
    enum err_code code = ERR_OK;

    if (by > 0 && (uint64_t)by > seq)
        code = find_redactor(proofs, (uint64_t)by, kind, &redactor, err);
    if (code != ERR_OK)
        return code;
    if (redactor == NULL || redactor->n_met == redactor->n ||
        (redactor->seqs != NULL ? leaf == NULL || redactor->seqs[redactor->n_met] > seq
                                : leaf != NULL)) {
        accuse(verdict, seq, JOURNAL_FAULT_UNEXPLAINED);
        return ERR_OK;
    }
    if (redactor->seqs == NULL) {
        verdict->n_unproved++;
    } else if (redactor->seqs[redactor->n_met] < seq) {
        accuse(verdict, redactor->seqs[redactor->n_met], JOURNAL_FAULT_RETURNED);
        return ERR_OK;
    } else {
        fold_in(&redactor->fold, leaf);
    }
    redactor->n_met++;
    return ERR_OK;
}

/* [[seq, leaf] …]: earlier redactors of the same entry, of either kind. */
static enum err_code
meet_before(struct proofs *proofs, uint64_t seq, const struct said *said,
            struct journal_verdict *verdict, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < value_size(said->before) && code == ERR_OK && verdict->broken_at == 0;
         i++) {
        const msgpack_object *pair = value_at(said->before, i);
        struct journal_record redactor;
        struct digest leaf;
        struct str hex;
        int64_t by = 0;

        if (!value_int(value_at(pair, 0), &by) || by <= 0 || by >= said->by ||
            !value_str(value_at(pair, 1), &hex) || !digest_parse(hex, &leaf)) {
            accuse(verdict, seq, JOURNAL_FAULT_UNEXPLAINED);
            return ERR_OK;
        }
        code = store_journal_get(proofs->read, (uint64_t)by, &redactor, err);
        if (code == ERR_OK)
            code = meet(proofs, seq, by, kind_of(&redactor), &leaf, verdict, err);
    }
    if (code != ERR_NOT_FOUND)
        return code;
    accuse(verdict, seq, JOURNAL_FAULT_UNEXPLAINED);
    return ERR_OK;
}

static enum err_code
look_at_redacted(struct proofs *proofs, const struct journal_record *record,
                 struct journal_verdict *verdict, struct err *err)
{
    const msgpack_object *what;
    struct digest leaf;
    struct said said;
    enum err_code code = decode_if_sound(proofs->arena, record->what, &what, err);

    if (code != ERR_OK)
        return code;
    if (!said_read(what, &said)) {
        accuse(verdict, record->seq, JOURNAL_FAULT_UNEXPLAINED);
        return ERR_OK;
    }
    verdict->n_erased += said.kind == REDACTION_ERASE;
    leaf = leaf_of(record, said.salt);
    code = meet_before(proofs, record->seq, &said, verdict, err);
    if (code == ERR_OK && verdict->broken_at == 0)
        code = meet(proofs, record->seq, said.by, said.kind, said.salt.len > 0 ? &leaf : NULL,
                    verdict, err);
    return code;
}

/* The walk has come to it: all on its list was met, and stands as it was left. */
static enum err_code
look_at_redactor(struct proofs *proofs, const struct journal_record *record,
                 struct journal_verdict *verdict, struct err *err)
{
    uint64_t seq = record->seq;
    struct redactor *redactor;
    enum err_code code = find_redactor(proofs, seq, kind_of(record), &redactor, err);

    if (code != ERR_OK)
        return code;
    if (redactor == NULL) {
        accuse(verdict, seq, JOURNAL_FAULT_ALTERED);
        return ERR_OK;
    }
    if (redactor->seqs == NULL)
        ; /* nothing more can be asked of it */
    else if (redactor->n_met < redactor->n)
        accuse(verdict, redactor->seqs[redactor->n_met], JOURNAL_FAULT_RETURNED);
    else if (!redactor->is_cut && !digest_equal(&redactor->fold, &redactor->of))
        accuse(verdict, seq, JOURNAL_FAULT_ALTERED);
    else if (redactor->kind == REDACTION_ERASE &&
             bsearch(&seq, proofs->listed, proofs->n_listed, sizeof seq, compare_seqs) == NULL)
        accuse(verdict, seq, JOURNAL_FAULT_UNLISTED);
    take_away(proofs, place_of(proofs, seq));
    return ERR_OK;
}

enum err_code
proofs_look(struct proofs *proofs, const struct journal_record *record,
            struct journal_verdict *verdict, struct err *err)
{
    struct arena_mark mark = arena_mark(proofs->arena);
    enum err_code code = ERR_OK;

    if (record->is_redacted)
        code = look_at_redacted(proofs, record, verdict, err);
    else if (record_is_redactor(record))
        code = look_at_redactor(proofs, record, verdict, err);
    arena_release(proofs->arena, mark);
    return code;
}
