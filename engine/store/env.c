/*
 * env.c: opening and closing a store's folder.
 *
 *     jumelage.store     the marker: format and UUID; written last, so that a store that has it is whole
 *     jumelage.creating  there from the first step of making a store until its marker stands
 *     jumelage.lock      flock: one process at a time; its text says who
 *     jumelage.unclean   there from the first write until a clean close
 *     jumelage.head      the newest journal entry at the last clean close: an older data file has it not
 *     jumelage.erasing   there from before an erasure is committed until no byte of it is left
 *     jumelage.fresh     a folder: the data file that erasure puts in the old one's place (erase.c)
 *     jumelage.erased    the erasure ledger, for restores of older backups (erase.c)
 *     jumelage.restoring there until a restore has applied the ledger (backup.c)
 *     data.mdb lock.mdb  LMDB's
 *
 * LMDB itself opens a foreign, emptied or already opened folder without a word, hence all this. The
 * map is as large as it may ever become from the start: that is address space, not memory or disk, so
 * nothing has to stop in order to grow it.
 */
#include "alloc.h"
#include "erase.h"
#include "file.h"
#include "kv.h"

#include <sodium.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HOLDER_BYTES = 512, POLL_MS = 20 };
enum { FULL_CHECK_BELOW_BYTES = 32 * 1024 * 1024 };
#define MAP_BYTES_DEFAULT (UINT64_C(16) << 30)

static const char marker_name[] = "jumelage.store";
static const char creating_name[] = "jumelage.creating";
static const char lock_name[] = "jumelage.lock";
static const char unclean_name[] = "jumelage.unclean";
static const char head_name[] = "jumelage.head";
const char restoring_name[] = "jumelage.restoring";
const char erasing_name[] = "jumelage.erasing";

enum err_code
store_refuse(struct err *err, const char *dir, const char *reason)
{
    err_set(err, ERR_CONFLICT, "%.100s %s", dir, reason);
    err_at(err, "store");
    return ERR_CONFLICT;
}

void
store_path(char path[STORE_PATH_BYTES], const char *dir, const char *name)
{
    snprintf(path, STORE_PATH_BYTES, "%s/%s", dir, name);
}

static bool
has(const char *dir, const char *name)
{
    char path[STORE_PATH_BYTES];

    store_path(path, dir, name);
    return file_exists(path);
}

/* ---- flags: empty files whose being there says something ---- */

enum err_code
store_flag_raise(const struct store *store, const char *name, struct err *err)
{
    char path[STORE_PATH_BYTES];

    store_path(path, store->dir, name);
    return file_exists(path) ? ERR_OK : file_write(path, "", 0, 0600, err);
}

void
store_flag_lower(const struct store *store, const char *name)
{
    char path[STORE_PATH_BYTES];

    store_path(path, store->dir, name);
    unlink(path);
}

/* ---- what the folder is ---- */

enum folder { FOLDER_NEW, FOLDER_HALF_MADE, FOLDER_STORE, FOLDER_FOREIGN };

static bool
is_ours(const char *name)
{
    return strncmp(name, "jumelage.", 9) == 0 || strcmp(name, "lost+found") == 0 ||
           strcmp(name, "data.mdb") == 0 || strcmp(name, "lock.mdb") == 0;
}

static enum err_code
folder_look(const char *dir, enum folder *out, struct err *err)
{
    bool has_foreign = false, has_data = false;
    char **names;
    size_t n;
    enum err_code code = file_list(dir, "", &names, &n, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; i < n; i++) {
        has_foreign |= !is_ours(names[i]);
        has_data |= strcmp(names[i], "data.mdb") == 0;
    }
    file_free_names(names, n);
    if (has(dir, marker_name))
        *out = FOLDER_STORE;
    else if (has(dir, creating_name))
        *out = FOLDER_HALF_MADE;
    else
        *out = has_foreign || has_data ? FOLDER_FOREIGN : FOLDER_NEW;
    return ERR_OK;
}

static enum err_code
folder_make(const struct store_options *options, struct err *err)
{
    struct stat st;

    if (stat(options->dir, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return ERR_OK;
        return err_set(err, ERR_INVALID_PARAMS, "%s is a file; a store is a folder", options->dir);
    }
    if (errno != ENOENT)
        return err_set_sys(err, errno, "open the store %s", options->dir);
    if (options->must_exist)
        return err_set(err, ERR_NOT_FOUND, "there is no store at %s; check the name of the folder",
                       options->dir);
    return file_make_dir(options->dir, 0700, err);
}

/* ---- the lock ---- */

static void
sleep_ms(int64_t ms)
{
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000};

    nanosleep(&pause, NULL);
}

static void
holder_read(int fd, char text[HOLDER_BYTES])
{
    ssize_t n = pread(fd, text, HOLDER_BYTES - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    text[strcspn(text, "\n")] = '\0';
}

/* Says who holds it: for people, and for a tool that then speaks to the service instead. A full disk
 * costs the text, not the lock. */
static void
holder_write(int fd, const char *holder)
{
    char text[HOLDER_BYTES];
    int n = snprintf(text, sizeof text, "%s\n", holder != NULL ? holder : "tool");

    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return;
}

static enum err_code
lock_take(struct store *store, const struct store_options *options, struct err *err)
{
    char path[STORE_PATH_BYTES], holder[HOLDER_BYTES];
    int64_t waited_ms = 0;

    store_path(path, store->dir, lock_name);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0)
        return err_set_sys(err, errno, "open %s", path);
    while (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return err_set_sys(err, errno, "lock %s", path);
        if (waited_ms >= options->wait_ms) {
            holder_read(store->lock_fd, holder);
            err_set(err, ERR_BUSY, "%.100s is in use by another program (%.60s); try again later",
                    store->dir, holder[0] != '\0' ? holder : "unnamed");
            err_at(err, "store");
            return ERR_BUSY;
        }
        sleep_ms(POLL_MS);
        waited_ms += POLL_MS;
    }
    holder_write(store->lock_fd, options->holder);
    return ERR_OK;
}

void
store_name_holder(struct store *store, const char *holder)
{
    holder_write(store->lock_fd, holder);
}

enum err_code
store_holder(const char *dir, struct arena *arena, struct str *holder, struct err *err)
{
    char path[STORE_PATH_BYTES], text[HOLDER_BYTES];
    int fd;

    *holder = (struct str){NULL, 0};
    store_path(path, dir, lock_name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? ERR_OK
                                                   : err_set_sys(err, errno, "open %s", path);
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        holder_read(fd, text);
        *holder = arena_str(arena, str_from(text[0] != '\0' ? text : "unnamed"));
    }
    close(fd);
    return holder->len == 0 || holder->data != NULL ? ERR_OK : err_no_memory(err);
}

/* ---- the marker ---- */

static enum err_code
marker_write(const struct store *store, struct err *err)
{
    char path[STORE_PATH_BYTES], text[128];
    int n = snprintf(text, sizeof text, "jumelage store\nformat %d\nuuid %s\n", STORE_FORMAT,
                     store->uuid);

    store_path(path, store->dir, marker_name);
    return file_write(path, text, (size_t)n, 0600, err);
}

static enum err_code
marker_read(struct store *store, int *format, struct err *err)
{
    char path[STORE_PATH_BYTES], text[256];
    struct buf bytes;
    enum err_code code;

    store_path(path, store->dir, marker_name);
    buf_init(&bytes, sizeof text - 1);
    code = file_read(path, &bytes, err);
    if (code == ERR_OK) {
        memcpy(text, bytes.len != 0 ? bytes.data : "", bytes.len);
        text[bytes.len] = '\0';
    }
    buf_fini(&bytes);
    if (code == ERR_TOO_LARGE ||
        (code == ERR_OK &&
         sscanf(text, "jumelage store\nformat %9d\nuuid %36[0-9a-f-]", format, store->uuid) != 2))
        return store_refuse(err, store->dir,
                            "has a jumelage.store that is not ours; name another folder");
    return code;
}

void
store_uuid_make(char text[37])
{
    uint8_t b[16];

    randombytes_buf(b, sizeof b);
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(text, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

/* ---- LMDB ---- */

/* The head of a new store: its format and UUID, inside the data as in the marker. */
static enum err_code
meta_write(struct store *store, struct err *err)
{
    struct store_txn txn = {.read = {.store = store, .data = store->data}};
    enum err_code code;
    int rc = mdb_txn_begin(store->data->env, NULL, 0, &txn.read.txn);

    if (rc != 0)
        return store_err(err, rc, "write to the store");
    buf_init(&txn.scratch, 1024);
    record_begin(&txn.scratch);
    record_put_u64(&txn.scratch, STORE_FORMAT);
    record_put_str(&txn.scratch, str_from(store->uuid));
    code = kv_put(&txn, TABLE_META, STR_LIT("store"), err);
    buf_fini(&txn.scratch);
    if (code != ERR_OK) {
        mdb_txn_abort(txn.read.txn);
        return code;
    }
    rc = mdb_txn_commit(txn.read.txn);
    return rc == 0 ? ERR_OK : store_err(err, rc, "write to the store");
}

/* Takes away what an interrupted creation left. */
static void
half_made_remove(const struct store *store)
{
    static const char *const left[] = {"data.mdb", "lock.mdb"};
    char path[STORE_PATH_BYTES];

    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        store_path(path, store->dir, left[i]);
        unlink(path);
    }
}

/* Everything of a new store but the marker, which comes last. */
static enum err_code
make_data(struct store *store, const struct store_options *options, struct err *err)
{
    enum err_code code = ERR_OK;

    if (options->restore_from != NULL)
        code = backup_copy_data(options->restore_from, store, err);
    else
        store_uuid_make(store->uuid);
    if (code == ERR_OK)
        code = data_open(store->dir, store->map_bytes, 0, options->restore_from == NULL,
                         &store->data, err);
    if (code == ERR_OK)
        code = options->restore_from == NULL ? meta_write(store, err)
                                             : store_flag_raise(store, restoring_name, err);
    return code;
}

static enum err_code
create(struct store *store, const struct store_options *options, struct err *err)
{
    enum err_code code = store_flag_raise(store, creating_name, err);

    if (code != ERR_OK)
        return code;
    half_made_remove(store);
    code = make_data(store, options, err);
    if (code == ERR_OK)
        code = marker_write(store, err);
    if (code == ERR_OK)
        store_flag_lower(store, creating_name);
    store->is_new = true;
    return code;
}

/* ---- migration ---- */

/* One step from a format to the next, in one transaction, which also writes the new format. Format 1
 * is the first, so the table is empty; a step is a row. */
struct migration {
    int from;
    enum err_code (*run)(struct store *store, struct err *err);
};
static const struct migration migrations[] = {{0, NULL}};

static enum err_code
migrate(struct store *store, int format, struct err *err)
{
    while (format < STORE_FORMAT) {
        const struct migration *step = migrations;
        enum err_code code;

        while (step->run != NULL && step->from != format)
            step++;
        if (step->run == NULL)
            return store_refuse(err, store->dir,
                                "has a format that no release of jumelage wrote; restore a backup");
        code = step->run(store, err);
        if (code != ERR_OK)
            return code;
        format++;
    }
    return ERR_OK;
}

/* ---- the head ---- */

/*
 * A data file put back from an older copy is whole, and no check of it alone can tell. So a clean close notes
 * the newest journal entry with its digest, and the next opening wants to find that very entry: the
 * chain of digests vouches for everything before it. What cannot be told is a file that is older than
 * an unclean stop but younger than the last clean close, or a whole folder put back, head and all.
 */
static void
head_write(struct store *store)
{
    char path[STORE_PATH_BYTES], text[128], hex[DIGEST_HEX_CHARS + 1];
    struct journal_record newest;
    struct store_read *read;
    struct err ignored; /* the older note is still true, only less strict */
    uint64_t seq;
    int n;

    if (store_read_begin(store, &read, &ignored) != ERR_OK)
        return;
    seq = store_seq(read);
    if (seq != 0 && store_journal_get(read, seq, &newest, &ignored) == ERR_OK) {
        digest_format(&newest.digest, hex);
        n = snprintf(text, sizeof text, "seq %" PRIu64 "\ndigest %s\n", seq, hex);
        store_path(path, store->dir, head_name);
        file_write(path, text, (size_t)n, 0600, &ignored);
    }
    store_read_end(read);
}

static enum err_code
head_read(const struct store *store, uint64_t *seq, struct digest *digest, struct err *err)
{
    char path[STORE_PATH_BYTES], text[128], hex[DIGEST_HEX_CHARS + 1] = "";
    struct buf bytes;
    enum err_code code;

    *seq = 0;
    store_path(path, store->dir, head_name);
    if (!file_exists(path))
        return ERR_OK;
    buf_init(&bytes, sizeof text - 1);
    code = file_read(path, &bytes, err);
    snprintf(text, sizeof text, "%.*s", (int)bytes.len, bytes.len != 0 ? bytes.data : "");
    buf_fini(&bytes);
    if (code != ERR_OK && code != ERR_TOO_LARGE)
        return code;
    if (code == ERR_TOO_LARGE ||
        sscanf(text, "seq %18" SCNu64 "\ndigest %64[0-9a-f]", seq, hex) != 2 || /* NOLINT */
        !digest_parse(str_from(hex), digest))
        return store_refuse(
            err, store->dir,
            "has a damaged jumelage.head; if the data is as it should be, take that "
            "file away");
    return ERR_OK;
}

static enum err_code
head_check(struct store *store, struct err *err)
{
    struct journal_record record;
    struct store_read *read;
    struct digest digest;
    uint64_t seq;
    enum err_code code = head_read(store, &seq, &digest, err);

    if (code != ERR_OK || seq == 0)
        return code;
    code = store_read_begin(store, &read, err);
    if (code != ERR_OK)
        return code;
    code = store_journal_get(read, seq, &record, err);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && !digest_equal(&record.digest, &digest))) {
        err_set(err, ERR_CONFLICT,
                "%.80s has a data file older than its last clean stop (change %" PRIu64
                "); put the newer one back, or restore a backup into an empty folder",
                store->dir, seq);
        err_at(err, "store");
        code = ERR_CONFLICT;
    }
    store_read_end(read);
    return code;
}

/* ---- opening ---- */

static enum err_code
data_file_check(struct store *store, bool full, struct err *err)
{
    char path[STORE_PATH_BYTES];
    struct stat st;
    bool is_sample;

    store_path(path, store->dir, "data.mdb");
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return store_refuse(err, store->dir,
                            "is a store whose data.mdb is empty or gone; restore a backup");
    store->has_unclean_file = has(store->dir, unclean_name);
    is_sample = !full && !store->has_unclean_file && st.st_size > FULL_CHECK_BELOW_BYTES;
    return store_check(store->dir, store->uuid, store->map_bytes, is_sample, err);
}

static enum err_code
open_existing(struct store *store, const struct store_options *options, struct err *err)
{
    int format;
    enum err_code code = marker_read(store, &format, err);

    if (code != ERR_OK)
        return code;
    if (format > STORE_FORMAT) {
        err_set(err, ERR_CONFLICT,
                "%.100s is a store of format %d; this release knows up to %d: upgrade jumelage",
                store->dir, format, STORE_FORMAT);
        err_at(err, "store");
        return ERR_CONFLICT;
    }
    if (has(store->dir, restoring_name))
        return store_refuse(err, store->dir,
                            "was restored in part only; empty the folder and restore once more");
    code = data_file_check(store, options->full_check, err);
    if (code == ERR_OK)
        code = data_open(store->dir, store->map_bytes, 0, true, &store->data, err);
    if (code == ERR_OK)
        code = head_check(store, err);
    if (code == ERR_OK)
        code = migrate(store, format, err);
    if (code == ERR_OK && has(store->dir, erasing_name)) {
        struct err ignored = {0}; /* if it cannot be done now, the flag stays for the next time */

        erasure_finish(store, &ignored);
    }
    return code;
}

static enum err_code
open_folder(struct store *store, const struct store_options *options, struct err *err)
{
    enum folder folder = FOLDER_NEW;
    enum err_code code = folder_make(options, err);

    if (code == ERR_OK)
        code = folder_look(store->dir, &folder, err);
    if (code != ERR_OK)
        return code;
    if (folder == FOLDER_FOREIGN)
        return store_refuse(
            err, store->dir,
            has(store->dir, backup_marker_name)
                ? "is a backup; jumelage restore makes a store of it in an empty folder"
                : "holds other files and is no store; name an empty folder, or a new one");
    code = lock_take(store, options, err);
    if (code == ERR_OK) /* once more: someone else may have made the store while we waited */
        code = folder_look(store->dir, &folder, err);
    if (code != ERR_OK)
        return code;
    if (folder == FOLDER_STORE && options->restore_from != NULL)
        return store_refuse(err, store->dir,
                            "holds a store already; restore into an empty folder, or a new one");
    return folder == FOLDER_STORE ? open_existing(store, options, err)
                                  : create(store, options, err);
}

enum err_code
store_open(const struct store_options *options, struct store **out, struct err *err)
{
    struct store *store = mem_alloc(sizeof *store);
    enum err_code code;

    if (store == NULL)
        return err_no_memory(err);
    *store = (struct store){.lock_fd = -1,
                            .witness_fd = -1,
                            .on_fatal = options->on_fatal,
                            .fatal_context = options->fatal_context};
    retention_init(store, options);
    pthread_mutex_init(&store->data_lock, NULL);
    store->clock = options->clock != NULL ? options->clock : clock_system();
    store->map_bytes = options->map_bytes != 0 ? options->map_bytes : MAP_BYTES_DEFAULT;
    store->dir = mem_alloc(strlen(options->dir) + 1);
    if (store->dir == NULL) {
        code = err_no_memory(err);
    } else if (strlen(options->dir) > STORE_PATH_BYTES - 128) {
        store->dir[0] = '\0';
        code = err_set(err, ERR_INVALID_PARAMS, "the path of the store is too long");
    } else {
        memcpy(store->dir, options->dir, strlen(options->dir) + 1);
        code = open_folder(store, options, err);
    }
    if (code == ERR_OK) {
        store_watch_file(store);
        code = writer_start(store, err);
    }
    if (code != ERR_OK) {
        store_close(store);
        return code;
    }
    *out = store;
    return ERR_OK;
}

void
store_mark_unclean(struct store *store)
{
    char path[STORE_PATH_BYTES];
    int fd;

    if (store->has_unclean_file)
        return;
    store_path(path, store->dir, unclean_name);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) /* a full disk: the write itself will say so */
        close(fd);
    store->has_unclean_file = true;
}

void
store_close(struct store *store)
{
    char path[STORE_PATH_BYTES];

    if (store == NULL)
        return;
    writer_stop(store);
    if (store->has_unclean_file && !store->is_failed && store->has_writer)
        head_write(store);
    data_drop(store->data);
    if (store->has_unclean_file && !store->is_failed && store->has_writer) {
        store_path(path, store->dir, unclean_name);
        unlink(path);
    }
    if (store->witness_fd >= 0)
        close(store->witness_fd);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_mutex_destroy(&store->data_lock);
    mem_free(store->dir);
    mem_free(store);
}

const char *
store_dir(const struct store *store)
{
    return store->dir;
}

bool
store_is_new(const struct store *store)
{
    return store->is_new;
}

const char *
store_uuid(const struct store *store)
{
    return store->uuid;
}

/* ---- sizes ---- */

enum err_code
store_sizes(struct store *store, struct store_sizes *out, struct err *err)
{
    char path[STORE_PATH_BYTES];
    struct store_read *read;
    struct stat st;
    MDB_envinfo info;
    MDB_stat stat_;
    enum err_code code = store_read_begin(store, &read, err);

    if (code != ERR_OK)
        return code;
    store_path(path, store->dir, "data.mdb");
    mdb_env_info(read->data->env, &info);
    mdb_env_stat(read->data->env, &stat_);
    *out = (struct store_sizes){
        .file_bytes = stat(path, &st) == 0 ? (uint64_t)st.st_size : 0,
        .map_bytes = info.me_mapsize,
        .used_bytes = ((uint64_t)info.me_last_pgno + 1) * stat_.ms_psize,
        .profiles = kv_count(read, TABLE_PROFILES),
        .profile_versions = kv_count(read, TABLE_VERSIONS),
        .programmes = kv_count(read, TABLE_PROGRAMMES),
        .outcomes = kv_count(read, TABLE_OUTCOMES),
        .journal = kv_count(read, TABLE_JOURNAL),
        .vectors = kv_count(read, TABLE_VECTORS),
        .blobs = kv_count(read, TABLE_BLOBS),
        .commits = store->commits,
        .writes = store->writes,
        .failed_commits = store->failed_commits,
        .failed_syncs = store->failed_syncs,
        .backups = store->backups,
        .erasures = store->erasures,
    };
    store_read_end(read);
    return ERR_OK;
}
