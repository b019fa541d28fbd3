#include "store_fixture.h"

#include "value.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAP_BYTES = 64 * 1024 * 1024 };

enum err_code
fixture_try_open(const struct fixture *fixture, bool full_check, struct err *err)
{
    struct store_options options = {.dir = fixture->dir,
                                    .map_bytes = MAP_BYTES,
                                    .clock = &fixture->clock,
                                    .full_check = full_check};
    struct store *store = NULL;
    enum err_code code = store_open(&options, &store, err);

    if (code == ERR_OK)
        store_close(store);
    return code;
}

static void
open_store(struct fixture *fixture)
{
    struct store_options options = {
        .dir = fixture->dir, .map_bytes = MAP_BYTES, .clock = &fixture->clock};
    struct err err = {0};

    cr_assert_eq(store_open(&options, &fixture->store, &err), ERR_OK, "%s", err.message);
}

void
fixture_open(struct fixture *fixture)
{
    *fixture =
        (struct fixture){.clock = clock_fixed(1780000000000, 5), .arena = arena_create(1 << 26)};
    snprintf(fixture->dir, sizeof fixture->dir, "/tmp/jumelage-store-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture->dir));
    open_store(fixture);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void
remove_folder(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
fixture_close(struct fixture *fixture)
{
    store_close(fixture->store);
    arena_destroy(fixture->arena);
    remove_folder(fixture->dir);
}

void
fixture_reopen(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = NULL;
    open_store(fixture);
}

/* ---- profiles ---- */

enum err_code
put_in(struct store_txn *txn, const char *id, const char *name, uint64_t *version, struct err *err)
{
    struct journal_entry entry = {.actor = STR_LIT("officer test"),
                                  .method = STR_LIT("profile.put"),
                                  .subject = str_from(id),
                                  .what = STR_LIT("\x80")};
    struct profile_put put = {.id = str_from(id),
                              .n_pairs = 2,
                              .actor = entry.actor,
                              .method = entry.method,
                              .changed = STR_LIT("\x91\xa4name")};
    struct buf pairs;
    enum err_code code;

    buf_init(&pairs, 65536);
    pack_key_text(&pairs, "id", id);
    pack_key_text(&pairs, "name", name);
    put.pairs = buf_str(&pairs);
    code = store_journal_add(txn, &entry, &put.seq, err);
    if (code == ERR_OK)
        code = store_profile_put(txn, &put, version, err);
    buf_fini(&pairs);
    return code;
}

struct put_job {
    const char *id, *name;
    uint64_t version;
};

static enum err_code
run_put(struct store_txn *txn, void *context, struct err *err)
{
    struct put_job *job = context;

    return put_in(txn, job->id, job->name, &job->version, err);
}

uint64_t
put_profile(struct fixture *fixture, const char *id, const char *name)
{
    struct put_job job = {id, name, 0};
    struct err err = {0};

    cr_assert_eq(store_write(fixture->store, run_put, &job, &err), ERR_OK, "%s", err.message);
    return job.version;
}

static enum err_code
run_delete(struct store_txn *txn, void *context, struct err *err)
{
    struct journal_entry entry = {.actor = STR_LIT("officer test"),
                                  .method = STR_LIT("profile.delete"),
                                  .subject = str_from(context),
                                  .what = STR_LIT("\x80")};
    uint64_t seq;
    enum err_code code = store_journal_add(txn, &entry, &seq, err);

    return code == ERR_OK
               ? store_profile_delete(txn, str_from(context), seq, entry.actor, entry.method, err)
               : code;
}

void
delete_profile(struct fixture *fixture, const char *id)
{
    struct err err = {0};

    cr_assert_eq(store_write(fixture->store, run_delete, (void *)(uintptr_t)id, &err), ERR_OK, "%s",
                 err.message);
}

const char *
profile_name(struct fixture *fixture, const char *id)
{
    const msgpack_object *value;
    struct profile_record record;
    struct store_read *read;
    struct str name = {NULL, 0};
    struct err err = {0};
    enum err_code code;

    cr_assert_eq(store_read_begin(fixture->store, &read, &err), ERR_OK);
    code = store_profile_get(read, str_from(id), &record, &err);
    if (code == ERR_OK) {
        cr_assert_eq(value_decode(record.open.data, record.open.len, &value_limits_default,
                                  fixture->arena, &value, &err),
                     ERR_OK);
        cr_assert(value_str(value_find(value, "name"), &name));
    }
    const char *text = code == ERR_OK ? arena_text(fixture->arena, name) : NULL;
    store_read_end(read);
    return text;
}

uint64_t
newest_seq(struct fixture *fixture)
{
    struct store_read *read;
    struct err err = {0};
    uint64_t seq;

    cr_assert_eq(store_read_begin(fixture->store, &read, &err), ERR_OK);
    seq = store_seq(read);
    store_read_end(read);
    return seq;
}

unsigned char
flip_byte(const char *path, long offset)
{
    FILE *file = fopen(path, "r+b");
    int c;

    cr_assert_not_null(file);
    fseek(file, offset, SEEK_SET);
    c = fgetc(file);
    fseek(file, offset, SEEK_SET);
    fputc(c ^ 0x20, file);
    fclose(file);
    return (unsigned char)c;
}
