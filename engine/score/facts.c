#include "facts.h"

#include "alloc.h"
#include "load.h"
#include "names.h"
#include "profile.h"
#include "slot_reader.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Values are read into a draft whose arrays lie in an arena of their own, then the whole is copied
 * into one block: the struct, its slots, then arrays in falling order of their alignment, so that nothing
 * is padded. A kept text vector is unpacked straight into it.
 */
enum { DRAFT_BYTES_MAX = 8 * 1024 * 1024 };

/* ---- the draft of a profile ---- */

/* The fields' values of a map: those that are there and not nil. */
struct found_fields {
    uint64_t fields;                           /* a bit each */
    uint64_t are_read;                         /* of them those that stand in the draft's `codes` */
    const msgpack_object *values[FIELD_COUNT]; /* of the others */
};
static_assert(FIELD_COUNT <= 64, "a bit for each field");

/* NULL where there is none, or it is read. */
static const msgpack_object *
found_value(const struct found_fields *found, enum field_id field)
{
    return ((found->fields & ~found->are_read) >> field & 1) != 0 ? found->values[field] : NULL;
}

struct draft {
    struct slot_reader reader;
    struct found_fields open, confidential;
    bool is_for_settling;
    msgpack_object nodes[FIELD_COUNT];    /* what open.values leads to, of open_bytes */
    struct slot_codes codes[FIELD_COUNT]; /* of open.are_read */
    struct slot slots[FIELD_COUNT];       /* the first facts.n_slots of them */
    struct facts facts;                   /* without them */
};

static symbol
group_of(const struct slot_reader *reader, symbol code)
{
    return reader->symbols != NULL ? symbols_group(reader->symbols, code)
                                   : symbol_scope_group(reader->scope, code);
}

static enum err_code
draft_groups(struct draft *draft, struct slot_codes *codes, struct err *err)
{
    symbol *groups = slot_take_codes(&draft->reader, codes->n);

    if (groups == NULL)
        return err_no_memory(err);
    for (uint32_t i = 0; i < codes->n; i++)
        groups[i] = group_of(&draft->reader, codes->codes[i]);
    codes->groups = groups;
    return ERR_OK;
}

/* What the store adds as the last pairs (profiles.c): nobody's field, and not to be looked for. */
static bool
is_of_store(struct str name)
{
    return str_equal(name, STR_LIT("version")) || str_equal(name, STR_LIT("updated_at")) ||
           str_equal(name, STR_LIT("seq"));
}

/* Most names are of 4 to 16 bytes, which two words at each end cover; a call to memcmp takes longer. */
static bool
is_named(const struct field *field, struct str name)
{
    const char *a = field->name, *b = name.data;
    size_t n = name.len;

    if (field->name_len != n)
        return false;
    if (n < sizeof(uint32_t) || n > 2 * sizeof(uint64_t))
        return memcmp(a, b, n) == 0;
    if (n < sizeof(uint64_t))
        return load_u32(a) == load_u32(b) && load_u32(a + n - 4) == load_u32(b + n - 4);
    return load_u64(a) == load_u64(b) && load_u64(a + n - 8) == load_u64(b + n - 8);
}

/* The field of that name, looked for from `from` on and round; FIELD_NONE if there is none. */
static int
find_field(struct str name, int from)
{
    for (int tried = 0, field = from; tried < FIELD_COUNT; tried++) {
        if (is_named(&schema[field], name))
            return field;
        if (tried == 0 && is_of_store(name))
            return FIELD_NONE;
        field = field + 1 < FIELD_COUNT ? field + 1 : 0;
    }
    return FIELD_NONE;
}

static void
note_value(struct found_fields *found, int field, const msgpack_object *value)
{
    uint64_t is_there = value->type != MSGPACK_OBJECT_NIL;

    found->values[field] = value;
    found->fields = (found->fields & ~(UINT64_C(1) << field)) | is_there << field;
    found->are_read &= ~(UINT64_C(1) << field);
}

static void
note_codes(struct found_fields *found, int field)
{
    found->fields |= UINT64_C(1) << field;
    found->are_read |= UINT64_C(1) << field;
}

/* One pass over the pairs: stored forms have them in the order of the schema, so that the next field is
 * nearly always at hand. Of a key that stands twice the last counts, as for value_find. */
static void
find_fields(const msgpack_object *map, struct found_fields *found)
{
    uint32_t n = value_is_map(map) ? map->via.map.size : 0;
    int next = 0;

    found->fields = found->are_read = 0;
    for (uint32_t i = 0; i < n; i++) {
        const msgpack_object *key = &map->via.map.ptr[i].key, *value = &map->via.map.ptr[i].val;
        int field = FIELD_NONE;

        if (key->type == MSGPACK_OBJECT_STR)
            field = find_field((struct str){key->via.str.ptr, key->via.str.size}, next);
        if (field == FIELD_NONE)
            continue;
        note_value(found, field, value);
        next = field + 1 < FIELD_COUNT ? field + 1 : 0;
    }
}

/* From the conflicts on they are read in the order of the fields, so that symbols are met in that order
 * whichever way a profile comes. */
static bool
is_read_at_once(const struct field *field)
{
    return field->slot == SLOT_CODES && field->id < FIELD_CONFLICTS;
}

/* The key of a pair; *field is FIELD_NONE if no field has that name. */
static bool
find_field_at(struct value_cursor *cursor, int from, int *field)
{
    msgpack_object key;
    struct str name;

    *field = FIELD_NONE;
    if (value_cursor_short_text(cursor, &name)) {
        *field = find_field(name, from);
        return true;
    }
    if (!value_cursor_next(cursor, &key))
        return false;
    if (value_str(&key, &name))
        *field = find_field(name, from);
    return true;
}

/* Of a packed map the same as find_fields, but without a tree: codes are read where they stand. */
static enum err_code
find_fields_at(struct draft *draft, struct str bytes, struct err *err)
{
    struct found_fields *found = &draft->open;
    struct value_cursor cursor;
    uint64_t n;
    int field, next = 0;
    enum err_code code = value_cursor_begin(&cursor, bytes.data, bytes.len, &value_limits_default,
                                            draft->reader.arena, &n, err);

    found->fields = found->are_read = 0;
    for (uint64_t i = 0; code == ERR_OK && i < n; i++) {
        msgpack_object other, *node = &other;

        if (!find_field_at(&cursor, next, &field))
            return err->code;
        if (field != FIELD_NONE) {
            node = &draft->nodes[field];
            next = field + 1 < FIELD_COUNT ? field + 1 : 0;
            if (is_read_at_once(&schema[field]) &&
                slot_read_codes_at(&draft->reader, &schema[field], &cursor, &draft->codes[field])) {
                note_codes(found, field);
                continue;
            }
        }
        if (!value_cursor_next(&cursor, node))
            return err->code;
        if (field != FIELD_NONE)
            note_value(found, field, node);
    }
    return code == ERR_OK ? value_cursor_end(&cursor) : code;
}

/* As profile_effective. */
static const msgpack_object *
draft_value(const struct draft *draft, enum field_id field, bool *is_confidential)
{
    const msgpack_object *value = (schema[field].flags & FIELD_OPEN_ONLY) == 0
                                      ? found_value(&draft->confidential, field)
                                      : NULL;

    *is_confidential = value != NULL;
    return value != NULL ? value : found_value(&draft->open, field);
}

static enum err_code
draft_plain(struct draft *draft, const struct field *field, struct slot *slot, struct err *err)
{
    bool is_confidential;
    const msgpack_object *value = draft_value(draft, field->id, &is_confidential);
    enum err_code code = ERR_OK;

    if (value != NULL) {
        code = slot_read(&draft->reader, field, value, slot, err);
    } else if ((draft->open.are_read >> field->id & 1) != 0) {
        slot->codes = draft->codes[field->id];
        slot->state = slot->codes.n > 0 ? SLOT_KNOWN : SLOT_MISSING;
    }
    slot->is_confidential = is_confidential;
    if (code == ERR_OK && (field->flags & FIELD_TWO_LEVEL) != 0 && slot->state == SLOT_KNOWN)
        code = draft_groups(draft, &slot->codes, err);
    return code;
}

/* The one field whose confidential value does not win but adds. */
static enum err_code
draft_conflicts(struct draft *draft, const struct field *field, struct slot *slot, struct err *err)
{
    const msgpack_object *open_value = found_value(&draft->open, FIELD_CONFLICTS),
                         *confidential_value = found_value(&draft->confidential, FIELD_CONFLICTS);
    struct slot open = {0}, confidential = {0};
    uint32_t n_open, n;
    enum err_code code;
    symbol *both;

    if (open_value == NULL && confidential_value == NULL)
        return ERR_OK;
    code = slot_read(&draft->reader, field, open_value, &open, err);
    if (code == ERR_OK)
        code = slot_read(&draft->reader, field, confidential_value, &confidential, err);
    if (code != ERR_OK)
        return code;
    n_open = open.codes.n;
    n = n_open + confidential.codes.n;
    both = arena_alloc(draft->reader.arena, n, sizeof *both);
    if (both == NULL)
        return err_no_memory(err);
    for (uint32_t i = 0; i < n; i++)
        both[i] = i < n_open ? open.codes.codes[i] : confidential.codes.codes[i - n_open];
    slot->codes = slot_sort_codes(both, n);
    slot->state = n > 0 ? SLOT_KNOWN : SLOT_MISSING;
    slot->is_confidential = confidential.codes.n > 0;
    draft->facts.conflicts = slot->codes;
    return ERR_OK;
}

/* Known as soon as there are terms; they stand in facts.text. */
static enum err_code
draft_description(struct draft *draft, const struct field *field, struct slot *slot,
                  struct err *err)
{
    (void)field, (void)err;
    slot->state = draft->facts.text.n > 0 ? SLOT_KNOWN : SLOT_MISSING;
    slot->is_confidential = draft->facts.text_is_confidential;
    return ERR_OK;
}

static enum err_code
draft_slots(struct draft *draft, struct err *err)
{
    uint64_t left = draft->open.fields | draft->confidential.fields |
                    UINT64_C(1) << FIELD_DESCRIPTION; /* that goes by the text vector */
    struct facts *facts = &draft->facts;
    enum err_code code = ERR_OK;

    for (; left != 0 && code == ERR_OK; left &= left - 1) {
        int i = __builtin_ctzll(left);
        const struct field *field = &schema[i];
        struct slot *slot = &draft->slots[facts->n_slots];

        if (field->slot == SLOT_NONE)
            continue;
        *slot = slot_missing;
        code = field->slot == SLOT_TEXT ? draft_description(draft, field, slot, err)
               : i == FIELD_CONFLICTS   ? draft_conflicts(draft, field, slot, err)
                                        : draft_plain(draft, field, slot, err);
        if (slot->state == SLOT_MISSING)
            continue;
        slot->field = (uint8_t)i;
        slot->hash = slot_hash(field->slot, slot);
        facts->slot_places[i] = ++facts->n_slots;
    }
    return code;
}

/* Consent and status are read in the open part only. */
static enum err_code
draft_standing(struct draft *draft, struct err *err)
{
    const msgpack_object *consent = found_value(&draft->open, FIELD_CONSENT);
    const msgpack_object *until = value_find(consent, "until");
    struct facts *facts = &draft->facts;
    struct str status;

    if (!value_bool(value_find(consent, "match"), &facts->may_match))
        facts->may_match = false;
    facts->is_paused =
        value_str(found_value(&draft->open, FIELD_STATUS), &status) && str_is(status, "paused");
    facts->consent_until = DATE_OPEN_TO;
    if (value_is_nil(until))
        return ERR_OK;
    return slot_read_day(&schema[FIELD_CONSENT], until, DATE_DAY, &facts->consent_until, err);
}

static symbol
only_code(const struct facts *facts, const struct slot *slots, enum field_id field)
{
    uint8_t place = facts->slot_places[field];

    return place != 0 ? slots[place - 1].codes.codes[0] : SYMBOL_NONE;
}

/* slots: those of the facts, or of their draft. */
static void
name_by_slots(struct facts *facts, const struct slot *slots)
{
    facts->kind = only_code(facts, slots, FIELD_KIND);
    facts->metro = only_code(facts, slots, FIELD_METRO);
    facts->organisation = only_code(facts, slots, FIELD_ORGANISATION);
}

static enum err_code
draft_names(struct draft *draft, struct err *err)
{
    struct facts *facts = &draft->facts;

    if (!value_str(found_value(&draft->open, FIELD_ID), &facts->id) || facts->id.len == 0)
        return slot_refuse(&schema[FIELD_ID], "text", err);
    if (!value_str(found_value(&draft->open, FIELD_NAME), &facts->name))
        facts->name = (struct str){NULL, 0};
    facts->id_hash = names_hash(facts->id);
    name_by_slots(facts, draft->slots);
    if (draft->is_for_settling)
        return ERR_OK;
    facts->id_symbol = slot_intern(&draft->reader, facts->id);
    return facts->id_symbol != SYMBOL_NONE ? ERR_OK : err_no_memory(err);
}

/* Of a vector only the number of terms, until there is a block for it; of an outline all. */
static enum err_code
draft_text(struct draft *draft, const struct facts_input *input, struct err *err)
{
    struct facts *facts = &draft->facts;

    facts->text_is_confidential = input->has_confidential_text;
    if (input->kept_text.len > 0)
        return text_vector_count(input->kept_text, &facts->text.n, err);
    if (input->kept_outline.len == 0) {
        facts->text.n = input->text.n;
        return ERR_OK;
    }
    facts->keeper = input->keeper;
    facts->made_of = input->made_of;
    return text_outline_read(input->kept_outline, &facts->text, err);
}

static enum err_code
draft_embedding(struct draft *draft, struct err *err)
{
    const struct field *field = &schema[FIELD_EMBEDDING];
    struct facts *facts = &draft->facts;
    bool is_confidential;
    const msgpack_object *value = draft_value(draft, FIELD_EMBEDDING, &is_confidential);
    struct str bytes;

    if (value == NULL)
        return ERR_OK;
    if (!value_bin(value, &bytes) || bytes.len == 0 || bytes.len > (size_t)field->max)
        return slot_refuse(field, "a vector of 1 to 1024 bytes", err);
    facts->embedding = (const int8_t *)bytes.data;
    facts->n_embedding = (uint32_t)bytes.len;
    facts->embedding_is_confidential = is_confidential;
    for (size_t i = 0; i < bytes.len; i++) /* at most 1024 * 2^14 */
        facts->embedding_norm2 += (uint32_t)(facts->embedding[i] * facts->embedding[i]);
    return ERR_OK;
}

/* ---- the block ---- */

static bool
holds_codes(const struct slot *slot)
{
    return schema[slot->field].slot == SLOT_CODES;
}

/* Of terms and their weights. */
static size_t
text_bytes(uint32_t n)
{
    return n * (sizeof(uint32_t) + sizeof(uint16_t));
}

static size_t
block_bytes(const struct facts *facts, const struct slot *slots)
{
    size_t n_codes = 0;

    for (int i = 0; i < facts->n_slots; i++)
        if (holds_codes(&slots[i]))
            n_codes += slots[i].codes.n * (slots[i].codes.groups != NULL ? 2 : 1);
    return sizeof *facts + facts->n_slots * sizeof *slots + n_codes * sizeof(symbol) +
           (facts->keeper == NULL ? text_bytes(facts->text.n) : 0) + facts->n_embedding +
           facts->id.len + facts->name.len;
}

/* Copies n bytes to *at and moves it on; NULL for nothing. */
static const void *
lay(unsigned char **at, const void *bytes, size_t n)
{
    unsigned char *copy = *at;

    if (n == 0)
        return NULL;
    memcpy(copy, bytes, n);
    *at += n;
    return copy;
}

/* Room for what is not known yet. */
static void *
lay_room(unsigned char **at, size_t n)
{
    unsigned char *room = *at;

    *at += n;
    return n > 0 ? room : NULL;
}

/* The slots with the codes that they lead to. */
static void
lay_slots(struct facts *facts, const struct slot *slots, unsigned char **at)
{
    memcpy(facts->slots, slots, facts->n_slots * sizeof *slots);
    for (int i = 0; i < facts->n_slots; i++) {
        struct slot_codes *codes = &facts->slots[i].codes;

        if (!holds_codes(&facts->slots[i]))
            continue;
        codes->codes = lay(at, codes->codes, codes->n * sizeof(symbol));
        if (codes->groups != NULL)
            codes->groups = lay(at, codes->groups, codes->n * sizeof(symbol));
    }
    facts->conflicts = facts_slot(facts, FIELD_CONFLICTS)->codes;
}

/* Copied, or unpacked from the stored form; then what columns tell of it. */
static enum err_code
lay_text(struct facts *facts, const struct facts_input *input, unsigned char **at, struct err *err)
{
    uint32_t n = facts->text.n, *terms;
    struct text_vector vector = input->text;
    uint16_t *weights;

    if (facts->keeper != NULL)
        return ERR_OK;
    terms = lay_room(at, n * sizeof *terms);
    weights = lay_room(at, n * sizeof *weights);
    if (input->kept_text.len > 0) {
        enum err_code code = text_vector_unpack(input->kept_text, terms, weights, &vector, err);

        if (code != ERR_OK)
            return code;
    } else if (n > 0) {
        memcpy(terms, vector.terms, n * sizeof *terms);
        memcpy(weights, vector.weights, n * sizeof *weights);
    }
    atomic_init(&facts->terms, terms);
    text_outline_make(&vector, &facts->text);
    return ERR_OK;
}

static enum err_code
block_make(const struct draft *draft, const struct facts_input *input, struct facts **out,
           struct err *err)
{
    size_t size = block_bytes(&draft->facts, draft->slots);
    struct facts *facts =
        input->shelf != NULL && size <= SHELF_THING_MAX ? shelf_lay(input->shelf, size) : NULL;
    bool is_on_shelf = facts != NULL;
    unsigned char *at;
    enum err_code code;

    if (facts == NULL && (facts = mem_alloc(size)) == NULL)
        return err_no_memory(err);
    memcpy(facts, &draft->facts, sizeof *facts);
    facts->is_on_shelf = is_on_shelf;
    atomic_init(&facts->references, 1);
    facts->bytes = (uint32_t)size;
    at = (unsigned char *)(facts->slots + facts->n_slots);
    lay_slots(facts, draft->slots, &at);
    code = lay_text(facts, input, &at, err);
    facts->embedding = lay(&at, draft->facts.embedding, facts->n_embedding);
    facts->id.data = lay(&at, draft->facts.id.data, facts->id.len);
    facts->name.data = lay(&at, draft->facts.name.data, facts->name.len);
    if (code == ERR_OK)
        *out = facts;
    else
        facts_drop(facts);
    return code;
}

enum err_code
facts_build(const struct facts_input *input, struct facts **out, struct err *err)
{
    struct arena *own = input->scratch == NULL ? arena_create(DRAFT_BYTES_MAX) : NULL;
    struct code_room room;
    struct err unheard; /* what fails writes it */
    struct draft draft;
    enum err_code code = ERR_OK;

    if (err == NULL)
        err = &unheard;
    room.used = 0;
    draft.reader = (struct slot_reader){.reference = input->reference,
                                        .symbols = input->symbols,
                                        .scope = input->scope,
                                        .arena = own != NULL ? own : input->scratch,
                                        .room = &room};
    draft.is_for_settling = input->is_for_settling;
    draft.facts = (struct facts){.references = 0};
    assert((input->symbols == NULL) != (input->scope == NULL));
    if (draft.reader.arena == NULL)
        return err_no_memory(err);
    find_fields(input->confidential, &draft.confidential);
    if (input->open_bytes.len > 0)
        code = find_fields_at(&draft, input->open_bytes, err);
    else
        find_fields(input->open, &draft.open);
    if (code == ERR_OK)
        code = draft_text(&draft, input, err);
    if (code == ERR_OK)
        code = draft_slots(&draft, err);
    if (code == ERR_OK)
        code = draft_standing(&draft, err);
    if (code == ERR_OK)
        code = draft_names(&draft, err);
    if (code == ERR_OK)
        code = draft_embedding(&draft, err);
    if (code == ERR_OK)
        code = block_make(&draft, input, out, err);
    arena_destroy(own);
    return code;
}

/* ---- settling ---- */

/* In the block itself, which nobody else has seen. */
static enum err_code
settle_slot(struct slot *slot, const struct symbol_scope *scope, struct symbols *symbols,
            struct err *err)
{
    struct slot_codes *codes = &slot->codes;
    symbol *own = (symbol *)(uintptr_t)codes->codes, *groups; /* laid by block_make */

    if (own[codes->n - 1] < SYMBOL_LOCAL) /* the highest */
        return ERR_OK;
    for (uint32_t i = 0; i < codes->n; i++) {
        if (own[i] >= SYMBOL_LOCAL)
            own[i] = symbols_intern(symbols, symbol_scope_text(scope, own[i]));
        if (own[i] == SYMBOL_NONE)
            return err_no_memory(err);
    }
    codes->n = slot_sort_codes(own, codes->n).n;
    groups = (symbol *)(uintptr_t)codes->groups;
    for (uint32_t i = 0; groups != NULL && i < codes->n; i++)
        groups[i] = symbols_group(symbols, own[i]);
    slot->hash = slot_hash(SLOT_CODES, slot);
    return ERR_OK;
}

enum err_code
facts_settle(struct facts *facts, const struct symbol_scope *scope, struct symbols *symbols,
             struct err *err)
{
    bool has_locals = symbol_scope_count(scope) > 0; /* seldom: then no slot is looked at */
    enum err_code code = ERR_OK;

    for (int i = 0; i < facts->n_slots && has_locals && code == ERR_OK; i++)
        if (holds_codes(&facts->slots[i]))
            code = settle_slot(&facts->slots[i], scope, symbols, err);
    if (code != ERR_OK)
        return code;
    if (has_locals) {
        facts->conflicts = facts_slot(facts, FIELD_CONFLICTS)->codes;
        name_by_slots(facts, facts->slots);
    }
    facts->id_symbol = symbols_intern_hashed(symbols, facts->id, facts->id_hash);
    return facts->id_symbol != SYMBOL_NONE ? ERR_OK : err_no_memory(err);
}

struct facts *
facts_hold(struct facts *facts)
{
    atomic_fetch_add_explicit(&facts->references, 1, memory_order_relaxed);
    return facts;
}

/* What is fetched of a keeper. */
struct text_block {
    size_t on_shelf; /* so many bytes; 0: it has memory of its own */
    uint32_t terms[];
};

static void
text_block_free(struct text_block *block)
{
    if (block != NULL && block->on_shelf > 0)
        shelf_drop(block, block->on_shelf);
    else
        mem_free(block);
}

static void
forget_text(struct facts *facts)
{
    const uint32_t *terms = atomic_load_explicit(&facts->terms, memory_order_acquire);

    if (terms == NULL)
        return;
    atomic_fetch_sub_explicit(&facts->keeper->bytes, text_bytes(facts->text.n),
                              memory_order_relaxed);
    text_block_free((struct text_block *)((uintptr_t)terms - offsetof(struct text_block, terms)));
}

void
facts_drop(struct facts *facts)
{
    if (facts == NULL ||
        atomic_fetch_sub_explicit(&facts->references, 1, memory_order_acq_rel) != 1)
        return;
    if (facts->keeper != NULL)
        forget_text(facts);
    if (facts->is_on_shelf)
        shelf_drop(facts, facts->bytes);
    else
        mem_free(facts);
}

/* ---- texts that a keeper has ---- */

struct text_taking {
    struct text_keeper *keeper;
    struct text_block *block; /* NULL until there is one */
    struct text_vector vector;
};

static struct text_block *
text_block_make(struct text_keeper *keeper, uint32_t n)
{
    size_t size = sizeof(struct text_block) + text_bytes(n);
    struct text_block *block = keeper->has_shelf ? shared_shelf_lay(&keeper->shelf, size) : NULL;

    if (block != NULL) {
        block->on_shelf = size;
        return block;
    }
    block = mem_alloc(size);
    if (block != NULL)
        block->on_shelf = 0;
    return block;
}

enum err_code
facts_take_text(struct text_taking *taking, struct str bytes, struct err *err)
{
    uint32_t n;
    enum err_code code = text_vector_count(bytes, &n, err);

    if (code != ERR_OK)
        return code;
    taking->block = text_block_make(taking->keeper, n);
    if (taking->block == NULL)
        return err_no_memory(err);
    return text_vector_unpack(bytes, taking->block->terms, (uint16_t *)(taking->block->terms + n),
                              &taking->vector, err);
}

static enum err_code
ask_keeper(const struct facts *facts, struct text_taking *taking, struct err *err)
{
    enum err_code code =
        facts->keeper->fetch(facts->keeper, facts->id, facts->made_of, taking, err);

    if (code != ERR_OK)
        return code;
    if (taking->vector.n != facts->text.n || taking->vector.norm2 != facts->text.norm2)
        return err_set(err, ERR_INTERNAL,
                       "the kept text vector of \"%.*s\" is not the one that its outline tells of",
                       STR_ARG(facts->id));
    return ERR_OK;
}

/* Several threads may want the same text at once: the first to have it gives it to all. So may a writer whose next
 * transaction puts another in its place: whoever finds that one finds these terms at hand, too. */
enum err_code
facts_fetch_text(const struct facts *facts, struct err *err)
{
    _Atomic(const uint32_t *) *terms = &((struct facts *)(uintptr_t)facts)->terms;
    struct text_taking taking = {.keeper = facts->keeper};
    const uint32_t *nothing = NULL;
    struct err why = {0}; /* what err holds by now may be another's */
    enum err_code code = ask_keeper(facts, &taking, &why);

    if (code == ERR_OK && atomic_compare_exchange_strong(terms, &nothing, taking.block->terms)) {
        atomic_fetch_add_explicit(&facts->keeper->bytes, text_bytes(facts->text.n),
                                  memory_order_relaxed);
        return ERR_OK;
    }
    text_block_free(taking.block);
    if (atomic_load(terms) != NULL)
        return ERR_OK;
    if (err != NULL)
        *err = why;
    return code;
}

/* ---- what the text vector is made of ---- */

static int
compare_sources(const void *a, const void *b)
{
    return str_compare(((const struct text_source *)a)->lang,
                       ((const struct text_source *)b)->lang);
}

enum err_code
facts_text_sources(const msgpack_object *open, const msgpack_object *confidential,
                   struct arena *arena, struct text_source **out, size_t *n, bool *has_confidential,
                   struct err *err)
{
    bool is_confidential[2] = {false, false};
    const msgpack_object *texts =
        profile_effective(open, confidential, &schema[FIELD_DESCRIPTION], &is_confidential[0]);
    const msgpack_object *tags =
        profile_effective(open, confidential, &schema[FIELD_TAGS], &is_confidential[1]);
    size_t n_texts = value_size(texts), n_tags = value_size(tags), n_sources = 0;
    struct text_source *sources = arena_alloc(arena, n_texts + n_tags, sizeof *sources);

    if (sources == NULL)
        return err_no_memory(err);
    for (size_t i = 0; i < n_texts; i++) {
        sources[n_sources].lang = value_key(texts, i);
        if (!value_str(value_of(texts, i), &sources[n_sources++].text))
            return slot_refuse(&schema[FIELD_DESCRIPTION], "texts by language", err);
    }
    if (n_texts > 1)
        qsort(sources, n_texts, sizeof *sources, compare_sources);
    for (size_t i = 0; i < n_tags; i++)
        if (!value_str(value_at(tags, i), &sources[n_sources++].text))
            return slot_refuse(&schema[FIELD_TAGS], "a list of texts", err);
    *out = sources;
    *n = n_sources;
    *has_confidential = is_confidential[0] || is_confidential[1];
    return ERR_OK;
}
