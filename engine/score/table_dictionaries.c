#include "table_dictionaries.h"

#include "alloc.h"

#include <string.h>

struct table_dictionaries *
table_dictionaries_create(void)
{
    struct table_dictionaries *dictionaries = mem_alloc_zeroed(1, sizeof *dictionaries);

    if (dictionaries != NULL)
        atomic_init(&dictionaries->references, 1);
    return dictionaries;
}

struct table_dictionaries *
table_dictionaries_hold(struct table_dictionaries *dictionaries)
{
    atomic_fetch_add_explicit(&dictionaries->references, 1, memory_order_relaxed);
    return dictionaries;
}

void
table_dictionaries_drop(struct table_dictionaries *dictionaries)
{
    if (dictionaries == NULL ||
        atomic_fetch_sub_explicit(&dictionaries->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < COLUMN_COUNT; i++)
        dictionary_destroy(dictionaries->of[i]);
    mem_free(dictionaries);
}

const struct dictionary *
table_dictionary(const struct table *table, enum column_id column)
{
    return atomic_load_explicit(&table->dictionaries->of[column], memory_order_acquire);
}

/* ---- codes ---- */

/* The value as one word, if it is one: two values of a column have the same word only if they are equal. */
static bool
word_of(enum slot_type type, const struct slot *slot, uint64_t *word)
{
    switch (type) {
    case SLOT_CODES:
        *word = slot->codes.codes[0];
        if (slot->codes.n == 2)
            *word |= (uint64_t)slot->codes.codes[1] << 32;
        return slot->codes.n <= 2;
    case SLOT_NUMBER:
    case SLOT_DAY:
        *word = (uint64_t)slot->number;
        return true;
    case SLOT_PERIOD:
        *word = (uint64_t)(uint32_t)slot->period.from << 32 | (uint32_t)slot->period.to;
        return true;
    case SLOT_MONEY:
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
    return false;
}

/* As dictionary_code, of a value that is not missing. */
static uint32_t
code_of(struct dictionary *dictionary, enum slot_type type, const struct slot *slot,
        struct recent_code recent[RECENT_CODES])
{
    struct recent_code *kept;
    uint64_t word;
    uint32_t code;

    if (!word_of(type, slot, &word))
        return dictionary_code(dictionary, slot);
    kept = &recent[(word * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - RECENT_BITS)];
    if (kept->word == word && kept->code != DICTIONARY_MISSING)
        return kept->code;
    code = dictionary_code(dictionary, slot);
    if (code != DICTIONARY_FULL)
        *kept = (struct recent_code){.word = word, .code = code};
    return code;
}

/* The code of a value in a column, whose dictionary is made for its first; false if out of memory. */
static bool
code_in(struct table_dictionaries *dictionaries, enum column_id column, enum slot_type type,
        const struct slot *slot, struct codes *codes)
{
    struct dictionary *dictionary =
        atomic_load_explicit(&dictionaries->of[column], memory_order_relaxed);

    if (dictionary == NULL) {
        dictionary = dictionary_create(type);
        if (dictionary == NULL)
            return false;
        atomic_store_explicit(&dictionaries->of[column], dictionary, memory_order_release);
    }
    codes->of[column] = code_of(dictionary, type, slot, dictionaries->recent[column]);
    codes->known[codes->n_known++] = (uint8_t)column;
    return codes->of[column] != DICTIONARY_FULL;
}

/* Of the two columns that are no field. */
static bool
codes_of_standing(struct table_dictionaries *dictionaries, const struct facts *facts,
                  struct codes *codes)
{
    struct slot consent = {.state = SLOT_KNOWN, .number = columns_consent_pack(facts)};
    struct slot organisation = {.state = SLOT_KNOWN,
                                .codes = {.codes = &facts->organisation, .n = 1}};

    return code_in(dictionaries, COLUMN_CONSENT, SLOT_NUMBER, &consent, codes) &&
           (facts->organisation == SYMBOL_NONE ||
            code_in(dictionaries, COLUMN_ORGANISATION, SLOT_CODES, &organisation, codes));
}

bool
table_dictionaries_code(struct table_dictionaries *dictionaries, const struct facts *facts,
                        struct codes *codes)
{
    memset(codes->of, 0, sizeof codes->of); /* DICTIONARY_MISSING */
    codes->n_known = 0;
    for (int i = 0; i < facts->n_slots; i++) {
        const struct slot *slot = &facts->slots[i];
        enum slot_type type = schema[slot->field].slot;

        if (type != SLOT_TEXT &&
            !code_in(dictionaries, (enum column_id)slot->field, type, slot, codes))
            return false;
    }
    return codes_of_standing(dictionaries, facts, codes);
}

/* ---- planes ---- */

bool
table_has_planes(const struct table *table, enum plane_set set)
{
    return plane_names_tell(&table->dictionaries->planes[set]);
}

uint32_t
table_plane(const struct table *table, enum plane_set set, symbol code, bool is_group)
{
    return plane_names_find(&table->dictionaries->planes[set], code, is_group);
}
