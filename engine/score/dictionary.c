#include "dictionary.h"

#include "alloc.h"
#include "names.h"

#include <assert.h>
#include <string.h>

/*
 * A value is the name of its bytes. Every name here is a whole number of 8 bytes long, so that each
 * begins aligned in the memory of names and its symbols can be read where they lie; a set of an odd
 * number of symbols is filled up, and the note says how many they are.
 */
enum { WORD = 8 };

struct dictionary {
    enum slot_type type;
    struct names *names;
};

union key { /* the bytes of a value */
    symbol codes[SLOT_CODES_MAX];
    struct {
        int64_t min, max, currency;
    } money;
    struct slot_period period;
    int64_t number;
};
static_assert(sizeof(struct slot_period) == WORD, "a period is one word");

struct dictionary *
dictionary_create(enum slot_type type)
{
    struct dictionary *dictionary = mem_alloc(sizeof *dictionary);

    if (dictionary == NULL)
        return NULL;
    dictionary->type = type;
    dictionary->names = names_create();
    if (dictionary->names == NULL) {
        mem_free(dictionary);
        return NULL;
    }
    return dictionary;
}

void
dictionary_destroy(struct dictionary *dictionary)
{
    if (dictionary == NULL)
        return;
    names_destroy(dictionary->names);
    mem_free(dictionary);
}

static size_t
codes_key(const struct slot_codes *codes, union key *key)
{
    memcpy(key->codes, codes->codes, codes->n * sizeof(symbol));
    if (codes->n % 2 != 0)
        key->codes[codes->n] = SYMBOL_NONE;
    return (codes->n + 1) / 2 * WORD;
}

static size_t
key_of(enum slot_type type, const struct slot *slot, union key *key)
{
    switch (type) {
    case SLOT_CODES:
        return codes_key(&slot->codes, key);
    case SLOT_MONEY:
        key->money.min = slot->money.min;
        key->money.max = slot->money.max;
        key->money.currency = slot->money.currency;
        return sizeof key->money;
    case SLOT_PERIOD:
        key->period = slot->period;
        return sizeof key->period;
    case SLOT_NUMBER:
    case SLOT_DAY:
        key->number = slot->number;
        return sizeof key->number;
    case SLOT_NONE:
    case SLOT_TEXT: /* no column */
        break;
    }
    return 0;
}

uint32_t
dictionary_code(struct dictionary *dictionary, const struct slot *slot)
{
    union key key;
    uint32_t note = dictionary->type == SLOT_CODES ? slot->codes.n : 0, name;
    size_t bytes;

    if (slot->state == SLOT_MISSING)
        return DICTIONARY_MISSING;
    assert(note <= SLOT_CODES_MAX);
    bytes = key_of(dictionary->type, slot, &key);
    name = names_add(dictionary->names, (struct str){(const char *)&key, bytes}, note);
    return name != NAME_NONE ? name : DICTIONARY_FULL;
}

void
dictionary_slot(const struct dictionary *dictionary, uint32_t code, struct slot *out)
{
    const union key *key;

    *out = (struct slot){.state = code == DICTIONARY_MISSING ? SLOT_MISSING : SLOT_KNOWN};
    if (code == DICTIONARY_MISSING)
        return;
    key = (const void *)names_text(dictionary->names, code).data;
    switch (dictionary->type) {
    case SLOT_CODES:
        out->codes =
            (struct slot_codes){.codes = key->codes, .n = names_note(dictionary->names, code)};
        break;
    case SLOT_MONEY:
        out->money =
            (struct slot_money){key->money.min, key->money.max, (int32_t)key->money.currency};
        break;
    case SLOT_PERIOD:
        out->period = key->period;
        break;
    case SLOT_NUMBER:
    case SLOT_DAY:
        out->number = key->number;
        break;
    case SLOT_NONE:
    case SLOT_TEXT:
        break;
    }
}

uint32_t
dictionary_count(const struct dictionary *dictionary)
{
    return names_count(dictionary->names) + 1;
}

size_t
dictionary_bytes(const struct dictionary *dictionary)
{
    return sizeof *dictionary + names_bytes(dictionary->names);
}
