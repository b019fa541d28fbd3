#include "profile.h"

#include "field.h"

#include <stdlib.h>

/*
 * A profile is taken apart once into its schema fields, then written field by field in the order of
 * the schema, so that the same profile gives the same bytes in whatever order it came. The
 * confidential part goes the same way, with its free fields after the schema's.
 */
enum { FREE_FIELDS_MAX = 64, OVERHEAD_BYTES = 3 + 13 }; /* map header and the key `confidential` */

/* What profile.get adds and profile.put must not mind. */
static const char *const ignored_names[] = {"version", "updated_at", "seq"};

/* A map sorted into fields; the others by position in rest. */
struct taken_apart {
    const msgpack_object *fields[FIELD_COUNT];
    size_t *rest;
    size_t n_rest;
};

struct profile_checker {
    struct field_checker field;
    struct str kind; /* empty if unknown: then no field is refused for its kind */
};

static bool
is_ignored(struct str name)
{
    for (size_t i = 0; i < sizeof ignored_names / sizeof ignored_names[0]; i++)
        if (str_is(name, ignored_names[i]))
            return true;
    return false;
}

static bool
take_apart(struct profile_checker *checker, const msgpack_object *map, struct taken_apart *parts)
{
    *parts = (struct taken_apart){.n_rest = 0};
    parts->rest = arena_alloc(checker->field.faults->arena, value_size(map), sizeof *parts->rest);
    if (parts->rest == NULL) {
        faults_no_memory(checker->field.faults);
        return false;
    }
    for (size_t i = 0; i < value_size(map); i++) {
        const struct field *field = schema_find(value_key(map, i));

        if (field != NULL)
            parts->fields[field->id] = value_of(map, i);
        else
            parts->rest[parts->n_rest++] = i;
    }
    return true;
}

static void
refuse_unknown(struct profile_checker *checker, struct str name)
{
    struct faults *faults = checker->field.faults;
    const struct field *nearest = schema_nearest(name);
    size_t mark = faults_push_str(faults, name);

    if (nearest != NULL)
        faults_add(faults, ERR_INVALID_PARAMS, "%s is no field of a profile; did you mean %s?",
                   quote(name).text, nearest->name);
    else
        faults_add(faults, ERR_INVALID_PARAMS,
                   "%s is no field of a profile; put it under confidential or external_ids",
                   quote(name).text);
    faults_pop(faults, mark);
}

static bool
check_kind(struct profile_checker *checker, const struct field *field)
{
    struct faults *faults = checker->field.faults;
    struct str kinds = {"", 0};
    size_t end;

    if (checker->kind.len == 0 || schema_has_kind(field, checker->kind))
        return true;
    for (size_t at = 0, len = strlen(field->kinds); at < len; at = end + 1) {
        struct str rest = str_from(field->kinds);

        end = str_find(rest, ' ', at);
        kinds = arena_format(faults->arena, "%.*s%s%.*s", STR_ARG(kinds),
                             at == 0      ? ""
                             : end == len ? " or "
                                          : ", ",
                             (int)(end - at), field->kinds + at);
    }
    faults_add(faults, ERR_INVALID_PARAMS,
               "%s is a field of the kind %.*s, not of %.*s; leave it out", field->name,
               STR_ARG(kinds), STR_ARG(checker->kind));
    return false;
}

/* Writes name and value of one field; counts it in *n if there was something. */
static enum taken
encode_field(struct profile_checker *checker, const struct field *field,
             const msgpack_object *value, struct buf *out, uint32_t *n)
{
    size_t mark = faults_push(checker->field.faults, field->name), before = out->len;
    enum taken taken = TAKEN_FAULT;

    if (value_is_nil(value)) {
        taken = TAKEN_NOTHING;
    } else if (check_kind(checker, field)) {
        pack_key(out, field->name);
        taken = field_encode(&checker->field, field, value, out);
    }
    if (taken == TAKEN_VALUE)
        ++*n;
    else if (out->len > before)
        out->len = before;
    faults_pop(checker->field.faults, mark);
    return taken;
}

/* ---- the open part ---- */

static void
encode_open(struct profile_checker *checker, const msgpack_object *given,
            const struct taken_apart *parts, struct buf *out, uint32_t *n)
{
    struct faults *faults = checker->field.faults;

    for (int i = 0; i < FIELD_CONFIDENTIAL; i++) {
        const struct field *field = &schema[i];
        size_t mark;

        if (encode_field(checker, field, parts->fields[i], out, n) != TAKEN_NOTHING ||
            (field->flags & FIELD_REQUIRED) == 0)
            continue;
        mark = faults_push(faults, field->name);
        faults_add(faults, ERR_INVALID_PARAMS,
                   "%s is missing; a profile needs an id, a kind and a name", field->name);
        faults_pop(faults, mark);
    }
    for (size_t i = 0; i < parts->n_rest && !faults_is_full(faults); i++) {
        struct str name = value_key(given, parts->rest[i]);

        if (!is_ignored(name))
            refuse_unknown(checker, name);
    }
}

/* The id and kind that the other fields are checked against; empty where they are wrong, which is
 * told when they are encoded. */
static void
find_identity(struct profile_checker *checker, const struct taken_apart *parts)
{
    const struct reference *reference = checker->field.reference;
    struct str text;

    if (value_str(parts->fields[FIELD_ID], &text) && id_is_valid(str_trim(text)))
        checker->field.own_id = str_trim(text);
    if (value_str(parts->fields[FIELD_KIND], &text) &&
        vocabulary_find(reference->vocabularies[VOCABULARY_KINDS], str_trim(text)) !=
            VOCABULARY_NONE)
        checker->kind = str_trim(text);
}

/* ---- the confidential part ---- */

static void
encode_confidential_fields(struct profile_checker *checker, const struct taken_apart *parts,
                           struct buf *out, uint32_t *n)
{
    struct faults *faults = checker->field.faults;

    for (int i = 0; i < FIELD_COUNT; i++) {
        const msgpack_object *value = parts->fields[i];
        size_t mark;

        if ((schema[i].flags & FIELD_OPEN_ONLY) == 0) {
            encode_field(checker, &schema[i], value, out, n);
            continue;
        }
        if (value_is_nil(value))
            continue;
        mark = faults_push(faults, schema[i].name);
        faults_add(faults, ERR_INVALID_PARAMS,
                   "%s is never confidential; move it to the open part of the profile",
                   schema[i].name);
        faults_pop(faults, mark);
    }
}

static void
warn_if_near(struct profile_checker *checker, struct str name)
{
    const struct field *nearest = schema_nearest(name);

    if (nearest != NULL && (nearest->flags & FIELD_OPEN_ONLY) == 0)
        faults_warn(checker->field.faults,
                    "%s is kept as a free field, which scoring does not read; did you mean %s?",
                    quote(name).text, nearest->name);
}

static void
encode_free_fields(struct profile_checker *checker, const msgpack_object *map,
                   const struct taken_apart *parts, struct buf *out, uint32_t *n)
{
    struct faults *faults = checker->field.faults;
    msgpack_object_kv *rest;
    msgpack_object free_map = {.type = MSGPACK_OBJECT_MAP};
    struct field_pair *pairs;
    size_t n_pairs;

    rest = arena_alloc(faults->arena, parts->n_rest, sizeof *rest);
    if (rest == NULL) {
        faults_no_memory(faults);
        return;
    }
    for (size_t i = 0; i < parts->n_rest; i++)
        rest[i] = map->via.map.ptr[parts->rest[i]];
    free_map.via.map.ptr = rest;
    free_map.via.map.size = (uint32_t)parts->n_rest;
    if (!field_take_pairs(&checker->field, &free_map, FREE_FIELDS_MAX, &pairs, &n_pairs))
        return;
    for (size_t i = 0; i < n_pairs; i++) {
        size_t mark = faults_push_str(faults, pairs[i].key), before = out->len;

        warn_if_near(checker, pairs[i].key);
        pack_str(out, pairs[i].key);
        if (field_encode_free(&checker->field, pairs[i].value, FREE_DEPTH_MAX, out) == TAKEN_VALUE)
            ++*n;
        else if (out->len > before)
            out->len = before;
        faults_pop(faults, mark);
    }
}

/* Writes the whole packed map, or nothing if nothing stands in it. */
static void
encode_confidential(struct profile_checker *checker, const msgpack_object *value, struct buf *out)
{
    struct taken_apart parts;
    struct buf body;
    uint32_t n = 0;

    if (value_is_nil(value))
        return;
    if (!value_is_map(value)) {
        field_wrong_type(&checker->field, value, "a map of fields");
        return;
    }
    if (!take_apart(checker, value, &parts))
        return;
    buf_init(&body, PROFILE_BYTES_MAX);
    encode_confidential_fields(checker, &parts, &body, &n);
    encode_free_fields(checker, value, &parts, &body, &n);
    if (n != 0) {
        pack_map(out, n);
        buf_append_str(out, buf_str(&body));
    }
    out->is_over |= body.is_over;
    out->is_exhausted |= body.is_exhausted;
    buf_fini(&body);
}

/* ---- the whole ---- */

static void
check_size(struct faults *faults, const struct buf *pairs, const struct buf *confidential)
{
    size_t n = pairs->len + confidential->len + OVERHEAD_BYTES;

    if (pairs->is_exhausted || confidential->is_exhausted)
        faults_no_memory(faults);
    else if (pairs->is_over || confidential->is_over || n > PROFILE_BYTES_MAX)
        faults_add(faults, ERR_TOO_LARGE,
                   "the profile is larger than %d bytes packed; shorten its texts and lists",
                   PROFILE_BYTES_MAX);
}

/* Copies what was written out of the buffers; only of a profile without fault. */
static bool
keep_form(const struct profile_checker *checker, const struct buf *pairs, uint32_t n_pairs,
          const struct buf *confidential, struct profile_form *form)
{
    struct arena *arena = checker->field.faults->arena;
    struct profile_form kept = {.n_pairs = n_pairs};

    kept.pairs = arena_str(arena, buf_str(pairs));
    kept.id = arena_str(arena, checker->field.own_id);
    kept.kind = arena_str(arena, checker->kind);
    if (confidential->len != 0)
        kept.confidential = arena_str(arena, buf_str(confidential));
    if (kept.pairs.data == NULL || kept.id.data == NULL || kept.kind.data == NULL ||
        (confidential->len != 0 && kept.confidential.data == NULL))
        return false;
    *form = kept;
    return true;
}

static void
encode_parts(struct profile_checker *checker, const msgpack_object *given,
             struct profile_form *form)
{
    struct faults *faults = checker->field.faults;
    size_t n_errors = faults->n_errors, mark;
    struct taken_apart parts;
    struct buf pairs, confidential;
    uint32_t n_pairs = 0;

    if (!take_apart(checker, given, &parts))
        return;
    find_identity(checker, &parts);
    buf_init(&pairs, PROFILE_BYTES_MAX);
    buf_init(&confidential, PROFILE_BYTES_MAX);
    encode_open(checker, given, &parts, &pairs, &n_pairs);
    mark = faults_push(faults, schema[FIELD_CONFIDENTIAL].name);
    encode_confidential(checker, parts.fields[FIELD_CONFIDENTIAL], &confidential);
    faults_pop(faults, mark);
    check_size(faults, &pairs, &confidential);
    if (faults->n_errors == n_errors && !keep_form(checker, &pairs, n_pairs, &confidential, form))
        faults_no_memory(faults);
    buf_fini(&pairs);
    buf_fini(&confidential);
}

void
profile_encode(const msgpack_object *given, const struct reference *reference,
               struct faults *faults, struct profile_form *form)
{
    struct profile_checker checker = {.field = {.reference = reference, .faults = faults}};
    size_t mark = faults->path_len == 0 ? faults_push(faults, "profile") : faults->path_len;

    if (!value_is_map(given))
        field_wrong_type(&checker.field, given, "a map of fields");
    else if (field_keys_are_good(faults, given))
        encode_parts(&checker, given, form);
    faults_pop(faults, mark);
}

void
field_check(const struct field *field, const msgpack_object *value,
            const struct reference *reference, struct faults *faults)
{
    struct profile_checker checker = {.field = {.reference = reference, .faults = faults}};
    struct buf scratch;

    buf_init(&scratch, PROFILE_BYTES_MAX);
    if (!field_keys_are_good(faults, value))
        goto out;
    if (field->type == FIELD_TYPE_CONFIDENTIAL)
        encode_confidential(&checker, value, &scratch);
    else
        field_encode(&checker.field, field, value, &scratch);
    if (scratch.is_exhausted)
        faults_no_memory(faults);
    else if (scratch.is_over)
        faults_add(faults, ERR_TOO_LARGE, "%s is larger than %d bytes packed; shorten it",
                   field->name, PROFILE_BYTES_MAX);
out:
    buf_fini(&scratch);
}

/* ---- patch ---- */

static bool
is_patched_by_key(struct str name)
{
    return str_is(name, schema[FIELD_CONFIDENTIAL].name) ||
           str_is(name, schema[FIELD_DESCRIPTION].name) ||
           str_is(name, schema[FIELD_EXTERNAL_IDS].name);
}

/* The pairs of base that changes does not name, then those of changes that are not null, one below
 * the other (deep: of the maps that are patched by key). NULL if the arena is full. */
static const msgpack_object *
lay_over(const msgpack_object *base, const msgpack_object *changes, bool deep, struct arena *arena)
{
    size_t room = value_size(base) + value_size(changes);
    msgpack_object_kv *pairs = arena_alloc(arena, room, sizeof *pairs);
    msgpack_object *map = arena_alloc(arena, 1, sizeof *map);
    uint32_t n = 0;

    if (pairs == NULL || map == NULL || room > UINT32_MAX)
        return NULL;
    for (size_t i = 0; i < value_size(base); i++)
        if (value_find_str(changes, value_key(base, i)) == NULL)
            pairs[n++] = base->via.map.ptr[i];
    for (size_t i = 0; i < value_size(changes); i++) {
        const msgpack_object *value = value_of(changes, i);
        const msgpack_object *old = value_find_str(base, value_key(changes, i));

        if (value_is_nil(value))
            continue;
        pairs[n] = changes->via.map.ptr[i];
        if (deep && value_is_map(value) && is_patched_by_key(value_key(changes, i))) {
            const msgpack_object *merged =
                lay_over(value_is_map(old) ? old : NULL, value, false, arena);

            if (merged == NULL)
                return NULL;
            pairs[n].val = *merged;
        }
        n++;
    }
    map->type = MSGPACK_OBJECT_MAP;
    map->via.map.ptr = pairs;
    map->via.map.size = n;
    return map;
}

const msgpack_object *
profile_patch(const msgpack_object *base, const msgpack_object *changes, struct arena *arena)
{
    return lay_over(base, changes, true, arena);
}

/* ---- what scoring reads ---- */

const msgpack_object *
profile_effective(const msgpack_object *open, const msgpack_object *confidential,
                  const struct field *field, bool *is_confidential)
{
    const msgpack_object *value = NULL;

    *is_confidential = false;
    if ((field->flags & FIELD_OPEN_ONLY) == 0)
        value = value_find(confidential, field->name);
    if (!value_is_nil(value)) {
        *is_confidential = true;
        return value;
    }
    value = value_find(open, field->name);
    return value_is_nil(value) ? NULL : value;
}

/* ---- difference ---- */

static bool
value_differs(const msgpack_object *a, const msgpack_object *b)
{
    if (value_is_nil(a) || value_is_nil(b))
        return value_is_nil(a) != value_is_nil(b);
    return !value_equal(a, b);
}

struct name_list {
    struct arena *arena;
    const char **names;
    size_t n, room;
    bool is_exhausted;
};

static void
add_name(struct name_list *list, const char *prefix, struct str name)
{
    struct str text = arena_format(list->arena, "%s%.*s", prefix, STR_ARG(name));

    if (text.data == NULL || list->n == list->room)
        list->is_exhausted = true;
    else
        list->names[list->n++] = text.data;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of the fields of the schema, in its order, then of the free ones, in byte order. */
static void
diff_maps(struct name_list *list, const char *prefix, const msgpack_object *a,
          const msgpack_object *b)
{
    size_t first_free;

    for (int i = 0; i < FIELD_CONFIDENTIAL; i++)
        if (value_differs(value_find(a, schema[i].name), value_find(b, schema[i].name)))
            add_name(list, prefix, str_from(schema[i].name));
    if (prefix[0] == '\0')
        return; /* the open part has no free fields: version, updated_at and seq don't count */
    first_free = list->n;
    for (size_t i = 0; i < value_size(a); i++)
        if (schema_find(value_key(a, i)) == NULL &&
            value_differs(value_of(a, i), value_find_str(b, value_key(a, i))))
            add_name(list, prefix, value_key(a, i));
    for (size_t i = 0; i < value_size(b); i++)
        if (schema_find(value_key(b, i)) == NULL && value_find_str(a, value_key(b, i)) == NULL)
            add_name(list, prefix, value_key(b, i));
    if (list->n > first_free)
        qsort(list->names + first_free, list->n - first_free, sizeof *list->names, compare_names);
}

enum err_code
profile_diff(const msgpack_object *old_profile, const msgpack_object *new_profile,
             struct arena *arena, const char ***names, size_t *n, struct err *err)
{
    const char *confidential = schema[FIELD_CONFIDENTIAL].name;
    const msgpack_object *a = value_find(old_profile, confidential);
    const msgpack_object *b = value_find(new_profile, confidential);
    struct name_list list = {.arena = arena};

    list.room = 2 * (size_t)FIELD_COUNT + value_size(a) + value_size(b);
    list.names = arena_alloc(arena, list.room, sizeof *list.names);
    if (list.names == NULL)
        return err_no_memory(err);
    diff_maps(&list, "", old_profile, new_profile);
    diff_maps(&list, "confidential.", a, b);
    if (list.is_exhausted)
        return err_no_memory(err);
    *names = list.names;
    *n = list.n;
    return ERR_OK;
}
