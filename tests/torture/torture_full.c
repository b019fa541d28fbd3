/*
 * torture_full: a disk that is full, and a map that is. Writes, erasures and backups are refused with
 * storage_full, reads go on, and with room made all goes on; opening on a full disk is an ordinary
 * error. Needs a small file system of its own, so root; elsewhere it is skipped with 77.
 */
#include "file.h"
#include "torture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PUTS_MOST = 20000 };

static char disk[TORTURE_PATH], dir[2 * TORTURE_PATH], filler[2 * TORTURE_PATH];

static void
fill_disk(void)
{
    static char page[4096];
    FILE *file = fopen(filler, "w");

    if (file == NULL) {
        torture_check(false, "cannot fill the disk");
        return;
    }
    setvbuf(file, NULL, _IONBF, 0);
    while (fwrite(page, 1, sizeof page, file) == sizeof page)
        ;
    fclose(file);
}

static void
free_disk(void)
{
    unlink(filler);
}

static enum torture_state
look(struct store *store, const char *id)
{
    enum torture_state state;
    struct store_read *read;
    struct err err = {0};

    if (store_read_begin(store, &read, &err) != ERR_OK)
        return TORTURE_TORN;
    state = torture_look(read, id);
    store_read_end(read);
    return state;
}

/* Puts until one is refused: how it was refused. The last id that was answered stands in `last`. */
static enum err_code
put_until_refused(struct store *store, const char *prefix, char last[32], struct err *err)
{
    enum err_code code = ERR_OK;
    char id[32];

    for (int i = 0; i < PUTS_MOST && code == ERR_OK; i++) {
        snprintf(id, sizeof id, "%s%d", prefix, i * 10 + 7);
        code = torture_put(store, id, err);
        if (code == ERR_OK)
            memcpy(last, id, sizeof id);
        else
            torture_check(look(store, id) == TORTURE_ABSENT, "%s was refused and is there", id);
    }
    return code;
}

static void
full_while_writing(void)
{
    struct store_options options = {.dir = dir};
    char last[32] = "";
    struct err err = {0};
    struct store *store;
    enum err_code code = store_open(&options, &store, &err);

    torture_check(code == ERR_OK, "open: %s", err.message);
    torture_check(torture_put(store, "first", &err) == ERR_OK, "put: %s", err.message);
    fill_disk();
    code = put_until_refused(store, "f", last, &err);
    torture_check(code == ERR_STORAGE_FULL, "a full disk: %s: %s", err_name(code), err.message);
    for (int i = 0; i < 3; i++) /* as long as it stays full */
        torture_check(torture_put(store, "again7", &err) == ERR_STORAGE_FULL, "still: %s",
                      err.message);
    torture_check(look(store, "first") == TORTURE_WHOLE, "reads go on");
    torture_check(last[0] == '\0' || look(store, last) == TORTURE_WHOLE, "%s is lost", last);
    free_disk();
    torture_check(torture_put(store, "again7", &err) == ERR_OK, "with room again: %s", err.message);
    torture_check_journal(store);
    store_close(store);
}

static void
full_while_copying(void)
{
    char folder[3 * TORTURE_PATH];
    struct err err = {0};
    struct store *store = torture_store(dir, &err);
    struct store_backup backup;
    enum err_code code;

    torture_check(store != NULL, "open: %s", err.message);
    if (store == NULL)
        return;
    snprintf(folder, sizeof folder, "%s/backups", dir);
    fill_disk();
    code = store_backup_create(store, folder, STR_LIT("b"), NULL, &backup, &err);
    torture_check(code == ERR_STORAGE_FULL, "a backup on a full disk: %s: %s", err_name(code),
                  err.message);
    snprintf(folder, sizeof folder, "%s/backups/b.partial", dir);
    torture_check(!file_exists(folder), "half a backup is left");
    snprintf(folder, sizeof folder, "%s/backups", dir);
    free_disk();
    err = (struct err){0};
    code = store_backup_create(store, folder, STR_LIT("b"), NULL, &backup, &err);
    torture_check(code == ERR_OK, "a backup with room again: %s", err.message);
    store_close(store);
}

static enum err_code
run_erase(struct store_txn *txn, void *context, struct err *err)
{
    struct profile_erasure erasure = {
        .id = str_from(context), .actor = STR_LIT("torture"), .method = STR_LIT("profile.delete")};

    return store_profile_erase(txn, &erasure, err);
}

static void
full_while_erasing(void)
{
    struct err err = {0};
    struct store *store = torture_store(dir, &err);
    enum err_code code;

    torture_check(store != NULL, "open: %s", err.message);
    if (store == NULL)
        return;
    fill_disk();
    code = store_write(store, run_erase, (void *)(uintptr_t) "first", &err);
    torture_check(code == ERR_STORAGE_FULL, "an erasure on a full disk: %s: %s", err_name(code),
                  err.message);
    free_disk();
    err = (struct err){0};
    code = store_write(store, run_erase, (void *)(uintptr_t) "first", &err);
    torture_check(code == ERR_OK, "with room again: %s", err.message);
    torture_check(look(store, "first") == TORTURE_ABSENT, "it is erased");
    torture_check_journal(store);
    store_close(store);
}

static void
full_while_opening(void)
{
    static const char *const gone[] = {NULL, "lock.mdb", "jumelage.lock"};
    struct err err = {0};
    struct store *store;

    for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
        char path[3 * TORTURE_PATH];

        snprintf(path, sizeof path, "%s/%s", dir, gone[i] != NULL ? gone[i] : "nothing");
        unlink(path);
        fill_disk();
        err = (struct err){0};
        store = torture_store(dir, &err); /* works, or is told: a SIGBUS would end us here */
        torture_check(store != NULL || err.code == ERR_STORAGE_FULL, "opening on a full disk: %s",
                      err.message);
        store_close(store);
        free_disk();
        err = (struct err){0};
        store = torture_store(dir, &err);
        torture_check(store != NULL && look(store, "again7") == TORTURE_WHOLE,
                      "opening with room again: %s", err.message);
        store_close(store);
    }
}

static void
new_on_a_full_disk(void)
{
    char fresh[3 * TORTURE_PATH];
    struct store_options options = {.dir = fresh};
    struct err err = {0};
    struct store *store = NULL;

    snprintf(fresh, sizeof fresh, "%s/new", disk);
    mkdir(fresh, 0700);
    fill_disk();
    torture_check(store_open(&options, &store, &err) == ERR_STORAGE_FULL,
                  "a new store on a full disk: %s", err.message);
    free_disk();
    err = (struct err){0};
    torture_check(store_open(&options, &store, &err) == ERR_OK, "with room again: %s", err.message);
    store_close(store);
}

static enum err_code
run_delete(struct store_txn *txn, void *context, struct err *err)
{
    struct journal_entry entry = {.actor = STR_LIT("torture"),
                                  .method = STR_LIT("profile.delete"),
                                  .subject = str_from(context),
                                  .what = STR_LIT("\x80")};
    uint64_t seq;
    enum err_code code = store_journal_add(txn, &entry, &seq, err);

    return code == ERR_OK
               ? store_profile_delete(txn, entry.subject, seq, entry.actor, entry.method, err)
               : code;
}

/* The map's end, not the disk's: needs no root, so it is looked at in any case. Here erasing makes room,
 * since a deleted profile's history stays. */
static void
full_map(void)
{
    char place[TORTURE_PATH], last[32] = "";
    struct store_options options = {.dir = place, .map_bytes = 2 * 1024 * 1024};
    struct err err = {0};
    struct store *store;
    enum err_code code;

    torture_dir(place);
    torture_check(store_open(&options, &store, &err) == ERR_OK, "%s", err.message);
    code = put_until_refused(store, "m", last, &err);
    torture_check(code == ERR_STORAGE_FULL && strstr(err.message, "map-size") != NULL,
                  "a full map: %s: %s", err_name(code), err.message);
    torture_check(look(store, last) == TORTURE_WHOLE, "%s is lost", last);
    store_close(store);
    options.map_bytes = 8 * 1024 * 1024; /* what the sentence says */
    err = (struct err){0};
    torture_check(store_open(&options, &store, &err) == ERR_OK, "%s", err.message);
    torture_check(torture_put(store, "m-more7", &err) == ERR_OK, "a larger map: %s", err.message);
    torture_check(store_write(store, run_delete, last, &err) == ERR_OK, "%s", err.message);
    torture_check_journal(store);
    store_close(store);
    torture_remove(place);
}

int
main(void)
{
    int status;

    full_map();
    torture_dir(disk);
    snprintf(dir, sizeof dir, "%s/store", disk);
    snprintf(filler, sizeof filler, "%s/filler", disk);
    if (mount("none", disk, "tmpfs", 0, "size=6m") != 0) {
        printf("no file system of our own here: %s\n", strerror(errno));
        rmdir(disk);
        status = torture_end("torture_full (the map only)");
        return status != 0 ? status : TORTURE_SKIPPED;
    }
    full_while_writing();
    full_while_copying();
    full_while_erasing();
    full_while_opening();
    new_on_a_full_disk();
    umount(disk);
    rmdir(disk);
    return torture_end("torture_full");
}
