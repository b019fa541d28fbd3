/*
 * backup.c: backups made while serving, and stores made of backups.
 *
 * The copy is made from one snapshot, record by record (data.c), so that it is as dense as can be and holds
 * nothing that was deleted or erased. The writer goes on meanwhile: the snapshot's pages are kept
 * until it ends, so the store's file may grow by what is rewritten during the copy.
 *
 *     NAME.partial/data.mdb          the copy, synced, then walked by the check in a child process
 *     NAME.partial/jumelage.backup   written last: format, the store's UUID, the backup's own, time, seq, bytes
 *     NAME/                          renamed, and the folder synced
 */
#include "alloc.h"
#include "erase.h"
#include "file.h"
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

const char backup_marker_name[] = "jumelage.backup";
static const char partial_suffix[] = ".partial";
enum { MARKER_BYTES = 512 };

/* ---- the marker ---- */

static enum err_code
marker_write(const char *dir, const struct store_backup *backup, struct err *err)
{
    char path[STORE_PATH_BYTES], text[MARKER_BYTES];
    int n = snprintf(text, sizeof text,
                     "jumelage backup\nformat %d\nuuid %s\nbackup %s\nat %" PRId64 "\nseq %" PRIu64
                     "\nbytes %" PRIu64 "\n",
                     STORE_FORMAT, backup->store_uuid, backup->uuid, backup->at, backup->seq,
                     backup->bytes);

    store_path(path, dir, backup_marker_name);
    return file_write(path, text, (size_t)n, 0600, err);
}

static void
name_of_folder(const char *dir, char name[BACKUP_NAME_BYTES])
{
    size_t len = strlen(dir), start;

    while (len > 1 && dir[len - 1] == '/')
        len--;
    for (start = len; start > 0 && dir[start - 1] != '/'; start--)
        ;
    snprintf(name, BACKUP_NAME_BYTES, "%.*s", (int)(len - start < 64 ? len - start : 64),
             dir + start);
}

static enum err_code
marker_parse(const char *dir, const char *text, struct store_backup *out, struct err *err)
{
    int format = 0;
    int n = sscanf(text, /* NOLINT: numbers are bounded by their widths, or wrap harmlessly */
                   "jumelage backup\nformat %9d\nuuid %36[0-9a-f-]\nbackup %36[0-9a-f-]\nat "
                   "%18" SCNd64 "\nseq %18" SCNu64 "\nbytes %18" SCNu64,
                   &format, out->store_uuid, out->uuid, &out->at, &out->seq, &out->bytes);

    if (format > STORE_FORMAT) {
        err_set(err, ERR_CONFLICT,
                "%.100s is a backup of format %d; this release knows up to %d: upgrade jumelage",
                dir, format, STORE_FORMAT);
        err_at(err, "backup");
        return ERR_CONFLICT;
    }
    if (n == 6)
        return ERR_OK;
    err_set(err, ERR_CONFLICT, "%.100s has a damaged jumelage.backup; take another backup", dir);
    err_at(err, "backup");
    return ERR_CONFLICT;
}

enum err_code
store_backup_read(const char *dir, struct store_backup *out, struct err *err)
{
    char path[STORE_PATH_BYTES], text[MARKER_BYTES];
    struct stat st;
    struct buf bytes;
    enum err_code code;

    *out = (struct store_backup){.at = 0};
    store_path(path, dir, backup_marker_name);
    if (!file_exists(path)) {
        if (err != NULL)
            err->code = ERR_NOT_FOUND;
        return ERR_NOT_FOUND;
    }
    buf_init(&bytes, sizeof text - 1);
    code = file_read(path, &bytes, err);
    snprintf(text, sizeof text, "%.*s", (int)bytes.len, bytes.len != 0 ? bytes.data : "");
    buf_fini(&bytes);
    if (code == ERR_OK)
        code = marker_parse(dir, text, out, err);
    if (code != ERR_OK)
        return code;
    name_of_folder(dir, out->name);
    store_path(path, dir, "data.mdb");
    out->is_verified = stat(path, &st) == 0 && (uint64_t)st.st_size == out->bytes;
    return ERR_OK;
}

/* ---- making one ---- */

/* Takes away a flat folder of ours and what is in it. */
void
store_folder_remove(const char *dir)
{
    char path[STORE_PATH_BYTES];
    char **names;
    size_t n;

    if (file_list(dir, "", &names, &n, NULL) == ERR_OK) {
        for (size_t i = 0; i < n; i++) {
            store_path(path, dir, names[i]);
            unlink(path);
        }
        file_free_names(names, n);
    }
    rmdir(dir);
}

static enum err_code
copy_snapshot(struct store *store, const char *partial, const struct store_patience *patience,
              struct store_backup *out, struct err *err)
{
    char path[STORE_PATH_BYTES];
    struct store_read *read;
    struct data *copy = NULL;
    struct stat st;
    enum err_code code = store_read_begin(store, &read, err);

    if (code != ERR_OK)
        return code;
    out->seq = store_seq(read);
    out->at = store->clock->wall_ms(store->clock);
    code = data_open(partial, store->map_bytes, MDB_NOSYNC, true, &copy, err);
    if (code == ERR_OK)
        code = data_copy(read, copy, patience, err);
    store_read_end(read);
    data_drop(copy);
    store_path(path, partial, "lock.mdb");
    unlink(path);
    store_path(path, partial, "data.mdb");
    if (code == ERR_OK && stat(path, &st) != 0)
        code = err_set_sys(err, errno, "look at %s", path);
    if (code == ERR_OK)
        out->bytes = (uint64_t)st.st_size;
    return code;
}

static enum err_code
make_backup(struct store *store, const char *partial, const char *final,
            const struct store_patience *patience, struct store_backup *out, struct err *err)
{
    enum err_code code;

    store_folder_remove(partial); /* what an interrupted one left */
    code = file_make_dir(partial, 0700, err);
    if (code == ERR_OK)
        code = copy_snapshot(store, partial, patience, out, err);
    if (code == ERR_OK)
        code = store_check(partial, store->uuid, store->map_bytes, false, err);
    if (code == ERR_OK && patience != NULL)
        code = patience->check(patience->context, err);
    if (code == ERR_OK)
        code = marker_write(partial, out, err);
    if (code == ERR_OK && rename(partial, final) != 0)
        code = err_set_sys(err, errno, "name the backup %s", final);
    if (code != ERR_OK)
        store_folder_remove(partial);
    return code == ERR_OK ? file_sync_folder_of(final, err) : code;
}

static bool
is_partial(struct str name)
{
    size_t n = sizeof partial_suffix - 1;

    return name.len >= n && memcmp(name.data + name.len - n, partial_suffix, n) == 0;
}

enum err_code
store_backup_create(struct store *store, const char *folder, struct str name,
                    const struct store_patience *patience, struct store_backup *out,
                    struct err *err)
{
    char final[STORE_PATH_BYTES], partial[STORE_PATH_BYTES + sizeof partial_suffix];
    enum err_code code;

    if (strlen(folder) + name.len + sizeof partial_suffix + 32 > STORE_PATH_BYTES ||
        name.len >= BACKUP_NAME_BYTES || is_partial(name)) {
        err_set(err, ERR_INVALID_PARAMS, "\"%.*s\" cannot name a backup", STR_ARG(name));
        err_at(err, "name");
        return ERR_INVALID_PARAMS;
    }
    snprintf(final, sizeof final, "%s/%.*s", folder, STR_ARG(name));
    snprintf(partial, sizeof partial, "%s%s", final, partial_suffix);
    if (file_exists(final)) {
        err_set(err, ERR_CONFLICT, "there is a backup \"%.*s\" already; take another name",
                STR_ARG(name));
        err_at(err, "name");
        return ERR_CONFLICT;
    }
    if (atomic_exchange(&store->is_backing_up, true))
        return err_set(err, ERR_BUSY, "another backup is being made; try again when it is done");
    *out = (struct store_backup){.is_verified = true};
    snprintf(out->name, sizeof out->name, "%.*s", STR_ARG(name));
    memcpy(out->store_uuid, store->uuid, sizeof out->store_uuid);
    store_uuid_make(out->uuid);
    code = file_make_dir(folder, 0700, err);
    if (code == ERR_OK)
        code = make_backup(store, partial, final, patience, out, err);
    if (code == ERR_OK)
        store->backups++;
    atomic_store(&store->is_backing_up, false);
    return code;
}

/* ---- a store from one ---- */

static enum err_code
copy_bytes(int from, int to, const char *path, struct err *err)
{
    ssize_t n;

    do
        n = sendfile(to, from, NULL, 1 << 24);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        return err_set_sys(err, errno, "copy to %s", path);
    return fsync(to) == 0 ? ERR_OK : err_set_sys(err, errno, "sync %s", path);
}

static enum err_code
copy_file(const char *from, const char *to, struct err *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    enum err_code code;

    if (in < 0)
        return err_set_sys(err, errno, "open %s", from);
    out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    code = out < 0 ? err_set_sys(err, errno, "make %s", to) : copy_bytes(in, out, to, err);
    close(in);
    if (out >= 0 && close(out) != 0 && code == ERR_OK)
        code = err_set_sys(err, errno, "close %s", to);
    return code;
}

enum err_code
backup_copy_data(const char *from, struct store *store, struct err *err)
{
    char source[STORE_PATH_BYTES], path[STORE_PATH_BYTES];
    struct store_backup backup;
    enum err_code code = store_backup_read(from, &backup, err);

    if (code == ERR_NOT_FOUND)
        return err_set(err, ERR_NOT_FOUND, "there is no backup at %.150s", from);
    if (code == ERR_OK)
        code = store_check(from, backup.store_uuid, store->map_bytes, false, err);
    if (code != ERR_OK)
        return code;
    memcpy(store->uuid, backup.store_uuid, sizeof store->uuid);
    store_path(source, from, "data.mdb");
    store_path(path, store->dir, "data.mdb");
    return copy_file(source, path, err);
}

/* The folder of a backup that was named by one of its files. */
static enum err_code
find_folder(const char *source, char folder[STORE_PATH_BYTES], struct err *err)
{
    struct stat st;
    char *slash;

    if (strlen(source) > STORE_PATH_BYTES - 128)
        return err_set(err, ERR_INVALID_PARAMS, "the path of the backup is too long");
    if (stat(source, &st) != 0)
        return err_set_sys(err, errno, "open the backup %s", source);
    snprintf(folder, STORE_PATH_BYTES, "%s", source);
    if (S_ISDIR(st.st_mode))
        return ERR_OK;
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder] = '\0';
    else
        snprintf(folder, STORE_PATH_BYTES, ".");
    return ERR_OK;
}

struct carry_out {
    struct erasure_list *list;
    struct str actor;
    size_t n_done;
};

static enum err_code
run_ledger(struct store_txn *txn, void *context, struct err *err)
{
    struct carry_out *carry = context;

    return erasures_apply(txn, carry->list, carry->actor, &carry->n_done, err);
}

static enum err_code
finish_restore(struct store *store, const struct store_restoring *restoring,
               struct erasure_list *list, struct store_restored *out, struct err *err)
{
    struct carry_out carry = {.list = list, .actor = restoring->actor};
    struct store_read *read;
    enum err_code code = ERR_OK;

    if (list->n > 0)
        code = store_write(store, run_ledger, &carry, err);
    if (code == ERR_OK)
        code = store_read_begin(store, &read, err);
    if (code != ERR_OK)
        return code;
    out->n_ledger = list->n;
    out->n_erased = carry.n_done;
    out->profiles = kv_count(read, TABLE_PROFILES);
    out->seq = store_seq(read);
    store_read_end(read);
    return ERR_OK;
}

enum err_code
store_restore(const struct store_restoring *restoring, struct store_restored *out, struct err *err)
{
    char folder[STORE_PATH_BYTES];
    struct store_options options = {.dir = restoring->dir,
                                    .clock = restoring->clock,
                                    .holder = "restore",
                                    .restore_from = folder};
    struct erasure_list list = {0};
    struct store *store = NULL;
    enum err_code code = find_folder(restoring->source, folder, err);

    *out = (struct store_restored){.seq = 0};
    if (code == ERR_OK)
        code = store_backup_read(folder, &out->backup, err);
    if (code == ERR_NOT_FOUND && (err == NULL || err->message[0] == '\0')) {
        err_set(err, ERR_NOT_FOUND, "%.150s is no backup: it has no %s", restoring->source,
                backup_marker_name);
        err_at(err, "backup");
    }
    if (code == ERR_OK && restoring->ledger != NULL)
        code = ledger_read(restoring->ledger, &list, err);
    if (code == ERR_OK)
        code = store_open(&options, &store, err);
    if (code == ERR_OK)
        code = finish_restore(store, restoring, &list, out, err);
    if (code == ERR_OK)
        store_flag_lower(store, restoring_name);
    store_close(store);
    ledger_free(&list);
    return code;
}
