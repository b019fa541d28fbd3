#include "importer.h"

#include "answers.h"
#include "buf.h"
#include "frame.h"
#include "tell.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_PROFILES = 500, BATCH_BYTES = 8 * 1024 * 1024, IDS_ROOM = 1024 };
enum { HEAD_BYTES = 64, HEAD_ITEMS = 8 }; /* of put_many's parameters around the profiles */
#define WAITING_BYTES_MAX (UINT64_C(1) << 30)

/* An id seen in this import, with its row: two rows of one file must not fight over one profile. */
struct seen {
    struct str id;
    size_t row;
};

struct importer {
    struct cli *cli;
    struct import_options options;
    struct import_counts counts;
    struct arena *batch_arena; /* reset with each batch */
    struct arena *ids_arena;
    struct buf profiles; /* of the batch, packed one behind the other */
    size_t *rows;
    size_t n, room, n_items;
    struct seen *seen; /* open addressing by hash of the id */
    size_t n_seen, seen_room;
};

struct importer *
importer_create(struct cli *cli, const struct import_options *options)
{
    struct importer *importer = calloc(1, sizeof *importer);

    if (importer == NULL)
        fail_memory();
    importer->cli = cli;
    importer->options = *options;
    importer->batch_arena = arena_create(WAITING_BYTES_MAX);
    importer->ids_arena = arena_create(WAITING_BYTES_MAX);
    importer->seen_room = IDS_ROOM;
    importer->seen = calloc(importer->seen_room, sizeof *importer->seen);
    if (importer->batch_arena == NULL || importer->ids_arena == NULL || importer->seen == NULL)
        fail_memory();
    buf_init(&importer->profiles, WAITING_BYTES_MAX);
    return importer;
}

void
importer_destroy(struct importer *importer)
{
    if (importer == NULL)
        return;
    buf_fini(&importer->profiles);
    arena_destroy(importer->batch_arena);
    arena_destroy(importer->ids_arena);
    free(importer->rows);
    free(importer->seen);
    free(importer);
}

void
importer_set_columns(struct importer *importer,
                     struct str (*column_of)(void *context, struct str path), void *context)
{
    importer->options.column_of = column_of;
    importer->options.column_context = context;
}

const struct import_counts *
importer_counts(const struct importer *importer)
{
    return &importer->counts;
}

void
importer_count_row(struct importer *importer)
{
    importer->counts.n_read++;
}

/* ---- refusals ---- */

static void
say_refused(struct importer *importer, size_t row, struct str column, struct str reason)
{
    struct cli *cli = importer->cli;
    struct arena_mark mark = arena_mark(cli->arena);
    struct str number = arena_format(cli->arena, "%zu", row);
    struct str text =
        column.len > 0 ? TELL(cli, "import.row_refused", {"row", number}, {"column", column},
                              {"reason", reason})
                       : TELL(cli, "import.row_refused_whole", {"row", number}, {"reason", reason});

    fprintf(stderr, "%.*s\n", STR_ARG(text));
    arena_release(cli->arena, mark);
}

void
importer_refuse(struct importer *importer, size_t row, struct str column, struct str reason)
{
    importer->counts.n_refused++;
    say_refused(importer, row, column, reason);
}

/* ---- ids ---- */

static size_t
id_place(const struct seen *table, size_t room, struct str id)
{
    uint64_t hash = 1469598103934665603u; /* FNV-1a */

    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.data[i]) * 1099511628211u;
    for (size_t at = hash & (room - 1);; at = (at + 1) & (room - 1))
        if (table[at].id.len == 0 || str_equal(table[at].id, id))
            return at;
}

static void
ids_grow(struct importer *importer)
{
    size_t room = importer->seen_room * 2;
    struct seen *table = calloc(room, sizeof *table);

    if (table == NULL)
        fail_memory();
    for (size_t i = 0; i < importer->seen_room; i++)
        if (importer->seen[i].id.len > 0)
            table[id_place(table, room, importer->seen[i].id)] = importer->seen[i];
    free(importer->seen);
    importer->seen = table;
    importer->seen_room = room;
}

/* The row that gave this id before; 0 if none did. */
static size_t
id_seen(struct importer *importer, struct str id, size_t row)
{
    struct seen *place;

    if (importer->n_seen * 2 >= importer->seen_room)
        ids_grow(importer);
    place = &importer->seen[id_place(importer->seen, importer->seen_room, id)];
    if (place->id.len > 0)
        return place->row;
    *place = (struct seen){arena_str(importer->ids_arena, id), row};
    importer->n_seen++;
    return 0;
}

/* ---- batches ---- */

/* The engine's paths begin at the profile; a row's begin at its fields. */
static struct str
without_root(struct str path)
{
    static const char root[] = "profile.";
    size_t n = sizeof root - 1;

    return path.len > n && memcmp(path.data, root, n) == 0
               ? (struct str){path.data + n, path.len - n}
               : path;
}

static void
say_failures(struct importer *importer, const msgpack_object *failed)
{
    for (size_t i = 0; i < value_size(failed); i++) {
        const msgpack_object *one = value_at(failed, i), *error = value_find(one, "error");
        struct str path = without_root(text_of(error, "field")), column = {NULL, 0};
        size_t index = (size_t)number_of(one, "index");

        if (index >= importer->n) /* a service may say anything */
            continue;
        if (path.len > 0 && importer->options.column_of != NULL)
            column = importer->options.column_of(importer->options.column_context, path);
        importer_refuse(importer, importer->rows[index], column.len > 0 ? column : path,
                        text_of(error, "message"));
    }
}

/* Would the batch, with this much more, still be one call? */
static bool
fits(const struct importer *importer, size_t bytes, size_t items)
{
    const struct call_bounds *bounds = &importer->options.bounds;

    return HEAD_BYTES + importer->profiles.len + bytes <= bounds->bytes &&
           HEAD_ITEMS + importer->n_items + items <= bounds->items;
}

static enum err_code
batch_send(struct importer *importer, bool is_dry_run, struct err *err)
{
    const msgpack_object *answer;
    struct buf params;
    enum err_code code;

    if (importer->n == 0)
        return ERR_OK;
    if (importer->options.is_atomic && !fits(importer, 0, 0))
        return err_set(
            err, ERR_TOO_LARGE,
            "--atomic sends everything at once: %zu bytes, where %zu are taken; leave it "
            "out, or import in parts",
            importer->profiles.len, importer->options.bounds.bytes);
    buf_init(&params, WAITING_BYTES_MAX + 4096);
    pack_map(&params, 3);
    pack_key_bool(&params, "dry_run", is_dry_run);
    pack_key_bool(&params, "atomic", importer->options.is_atomic && !is_dry_run);
    pack_key(&params, "profiles");
    pack_array(&params, importer->n);
    buf_append_str(&params, buf_str(&importer->profiles));
    code = buf_check(&params, err);
    if (code == ERR_OK)
        code = backend_call(importer->cli, "profile.put_many", buf_str(&params),
                            importer->batch_arena, &answer, err);
    buf_fini(&params);
    if (code == ERR_OK) {
        say_failures(importer, value_find(answer, "failed"));
        importer->counts.n_put += number_of(answer, "put");
        importer->counts.n_created += number_of(answer, "created");
        importer->counts.n_unchanged += number_of(answer, "unchanged");
    }
    return code;
}

static void
batch_clear(struct importer *importer)
{
    buf_clear(&importer->profiles);
    importer->n = importer->n_items = 0;
    arena_reset(importer->batch_arena);
}

static struct str
id_of(struct str profile, struct arena *arena)
{
    const msgpack_object *value;
    struct err ignored = {0};

    return value_decode(profile.data, profile.len, &value_limits_default, arena, &value,
                        &ignored) == ERR_OK
               ? text_of(value, "id")
               : (struct str){NULL, 0};
}

static size_t
items_of(struct str profile)
{
    struct frame_scan scan;

    frame_scan_init(&scan, profile.len, SIZE_MAX / 2, FRAME_DEPTH_MAX);
    frame_scan(&scan, (const uint8_t *)profile.data, profile.len);
    return scan.items;
}

static bool
is_full(const struct importer *importer, size_t bytes, size_t items)
{
    return importer->n >= BATCH_PROFILES || importer->profiles.len >= BATCH_BYTES ||
           !fits(importer, bytes, items);
}

enum err_code
importer_add(struct importer *importer, size_t row, struct str profile, struct err *err)
{
    size_t items = items_of(profile), before;
    enum err_code code = ERR_OK;
    struct str id;

    if (importer->n > 0 && !importer->options.is_atomic && is_full(importer, profile.len, items)) {
        code = batch_send(importer, importer->options.is_dry_run, err);
        batch_clear(importer);
    }
    if (code != ERR_OK)
        return code;
    if (importer->n == 0 && !fits(importer, profile.len, items)) {
        struct str reason = arena_format(importer->batch_arena,
                                         "the profile has %zu bytes; no more than %zu are taken",
                                         profile.len, importer->options.bounds.bytes);

        importer_refuse(importer, row, STR_LIT(""), reason);
        return ERR_OK;
    }
    id = id_of(profile, importer->batch_arena);
    before = id.len > 0 ? id_seen(importer, id, row) : 0;
    if (before > 0) {
        struct str reason = arena_format(
            importer->batch_arena, "the id %.*s stands in row %zu already", STR_ARG(id), before);

        importer_refuse(importer, row, STR_LIT("id"), reason);
        return ERR_OK;
    }
    if (importer->n == importer->room) {
        importer->room = importer->room != 0 ? importer->room * 2 : 256;
        importer->rows = realloc(importer->rows, importer->room * sizeof *importer->rows);
        if (importer->rows == NULL)
            fail_memory();
    }
    buf_append_str(&importer->profiles, profile);
    importer->rows[importer->n++] = row;
    importer->n_items += items;
    return buf_check(&importer->profiles, err);
}

enum err_code
importer_finish(struct importer *importer, struct err *err)
{
    enum err_code code = ERR_OK;

    if (importer->options.is_atomic && !importer->options.is_dry_run) {
        code =
            batch_send(importer, true, err); /* one look at everything before anything is stored */
        if (code != ERR_OK || importer->counts.n_refused > 0) {
            importer->counts.n_put = importer->counts.n_created = importer->counts.n_unchanged = 0;
            batch_clear(importer);
            return code;
        }
        importer->counts = (struct import_counts){.n_read = importer->counts.n_read};
    }
    code = batch_send(importer, importer->options.is_dry_run, err);
    batch_clear(importer);
    return code;
}
