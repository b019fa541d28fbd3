#ifndef JML_SCHEMA_H
#define JML_SCHEMA_H

#include "reference.h"
#include "str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * schema: the fields of a profile, as one table.
 *
 * Validation, profile.schema, import, scoring slots and the reference pages all read it; a new field
 * is one row in schema.c (and, if it has a type of its own, one checker). Order of the rows is
 * the order of keys in the stored form. Constant data; any thread.
 */
enum field_id {
    FIELD_ID,
    FIELD_KIND,
    FIELD_NAME,
    FIELD_METRO,
    FIELD_CITY,
    FIELD_COUNTRY,
    FIELD_WEBSITE,
    FIELD_DESCRIPTION,
    FIELD_SECTORS,
    FIELD_TAGS,
    FIELD_LANGUAGES,
    FIELD_STAGE,
    FIELD_STAGES,
    FIELD_FOUNDED,
    FIELD_LATITUDE,
    FIELD_LONGITUDE,
    FIELD_TEAM,
    FIELD_RAISING,
    FIELD_TICKET,
    FIELD_NEEDS,
    FIELD_OFFERS,
    FIELD_MARKETS,
    FIELD_AVAILABLE,
    FIELD_CAPACITY,
    FIELD_PREFERENCES,
    FIELD_CONFLICTS,
    FIELD_ORGANISATION,
    FIELD_EMBEDDING,
    FIELD_CONSENT,
    FIELD_STATUS,
    FIELD_SOURCE,
    FIELD_EXTERNAL_IDS,
    FIELD_CONFIDENTIAL,
    FIELD_COUNT,
    FIELD_NONE = FIELD_COUNT
};

enum field_type {
    FIELD_TYPE_ID,       /* [a-z0-9][a-z0-9._-]{0,63} */
    FIELD_TYPE_TEXT,     /* one line of text */
    FIELD_TYPE_URL,      /* http or https */
    FIELD_TYPE_CODE,     /* one code of a vocabulary */
    FIELD_TYPE_CODES,    /* a set of codes */
    FIELD_TYPE_TERMS,    /* a set of free terms */
    FIELD_TYPE_IDS,      /* a set, or ordered list, of profile ids */
    FIELD_TYPE_DATE,     /* date, year-month or year */
    FIELD_TYPE_NUMBER,   /* a whole number */
    FIELD_TYPE_MONEY,    /* {min, max?, currency} */
    FIELD_TYPE_PERIOD,   /* {from?, to?} */
    FIELD_TYPE_TEXTS,    /* language → text */
    FIELD_TYPE_BYTES,    /* the embedding */
    FIELD_TYPE_CHOICE,   /* active, paused */
    FIELD_TYPE_CONSENT,  /* DATA.md */
    FIELD_TYPE_FREE_MAP, /* external_ids: text → text or whole number */
    FIELD_TYPE_CONFIDENTIAL
};

/* What a want or requirement can do with a field's value. */
enum slot_type {
    SLOT_NONE,   /* not scored */
    SLOT_CODES,  /* a set of codes, terms or ids; a single one is a set of one */
    SLOT_MONEY,  /* a range of money */
    SLOT_NUMBER, /* a whole number >= 0 */
    SLOT_DAY,    /* a date */
    SLOT_PERIOD, /* a range of days */
    SLOT_TEXT    /* the text vector (or embedding) of the profile */
};

enum field_flags {
    FIELD_REQUIRED = 1 << 0,
    FIELD_ORDERED = 1 << 1,   /* a list, not a set */
    FIELD_OPEN_ONLY = 1 << 2, /* not allowed in `confidential` */
    FIELD_TWO_LEVEL = 1 << 3, /* codes `group.leaf` */
    FIELD_ORDINAL = 1 << 4    /* codes with an order */
};

struct field {
    enum field_id id;
    const char *name;
    uint32_t name_len; /* its bytes */
    enum field_type type;
    enum slot_type slot;
    unsigned flags;
    const char *kinds;   /* "startup" or "incubator investor event"; NULL for all */
    int vocabulary;      /* enum vocabulary_id, or -1 */
    int vocabulary_too;  /* a second one (markets: metros or countries), or -1 */
    int64_t min, max;    /* numbers: the range; texts: max code points; sets: max elements */
    int64_t element_max; /* bytes of an element of a set of terms */
    const char *unit;    /* "people", "millionths of a degree", NULL */
    const char *text;    /* one line for the reference */
};

enum { PROFILE_BYTES_MAX = 64 * 1024, ID_CHARS_MAX = 64 };

extern const struct field schema[FIELD_COUNT];
const struct field *schema_find(struct str name);
const struct field *schema_nearest(struct str name); /* for "did you mean"; NULL if none is near */
bool schema_has_kind(const struct field *field, struct str kind);
bool id_is_valid(struct str id);

#endif
