/*
 * check.c: is the data file whole? Asked in a child process, before the parent opens it: a damaged page
 * makes LMDB abort, a truncated file is a SIGBUS, and then only the child dies.
 *
 * The child opens the environment on its own, read-only and without LMDB's lock file, walks each table
 * (or a bounded sample), holds the order of the keys, the checksum of each record and the number of
 * entries against what LMDB counts, and answers by its exit status. An opening calls it while the
 * process has no other thread of ours; a backup has to call it beside them, so the child may take no
 * lock that one of them could have held: it asks nothing of the house but record_open and memory, whose
 * locks libc looks after in a fork.
 */
#include "kv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLE_RECORDS = 2000 };

/* From CANNOT_OPEN on: the system's error number behind it. */
enum verdict { WHOLE, DAMAGED, OTHER_UUID, TRUNCATED, NO_RESOURCES, CANNOT_OPEN = 64 };
enum { ERRNO_MAX = 255 - CANNOT_OPEN };

enum { FREE_LIST = 0 }; /* LMDB's own table: by transaction, a count and so many page numbers */

/* So many pages from `first` on are free. */
static uint64_t
count_free_from(MDB_env *env, uint64_t first)
{
    MDB_cursor *cursor;
    MDB_txn *txn;
    MDB_val k, v;
    uint64_t n = 0;

    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return 0;
    if (mdb_cursor_open(txn, FREE_LIST, &cursor) == 0) {
        while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
            const size_t *pages = v.mv_data;

            for (size_t i = 1; i < v.mv_size / sizeof *pages && i <= pages[0]; i++)
                n += pages[i] >= first;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return n;
}

static void
end_as_truncated(int signal_number)
{
    (void)signal_number;
    _exit(TRUNCATED);
}

/*
 * Does the file hold every page that is in use? It may end before the last one that was ever handed out:
 * a page that one transaction takes at the end and gives back is on the free list and was never written.
 */
static bool
file_is_long_enough(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat stat_;
    struct stat st;
    uint64_t n_there, n_wanted;
    int fd;

    if (mdb_env_info(env, &info) != 0 || mdb_env_stat(env, &stat_) != 0 ||
        mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &st) != 0)
        return false;
    n_there = (uint64_t)st.st_size / stat_.ms_psize;
    n_wanted = (uint64_t)info.me_last_pgno + 1;
    if (n_there >= n_wanted)
        return true;
    signal(SIGBUS, end_as_truncated); /* the free list itself may be gone */
    return count_free_from(env, n_there) == n_wanted - n_there;
}

static enum verdict
check_table(MDB_txn *txn, MDB_dbi dbi, uint64_t most)
{
    struct record_reader reader;
    MDB_val k, v, last = {0, NULL};
    MDB_cursor *cursor;
    MDB_stat stat_;
    uint64_t n = 0;
    int rc;

    if (mdb_stat(txn, dbi, &stat_) != 0 || mdb_cursor_open(txn, dbi, &cursor) != 0)
        return DAMAGED;
    while ((rc = mdb_cursor_get(cursor, &k, &v, n == 0 ? MDB_FIRST : MDB_NEXT)) == 0) {
        struct str key = {k.mv_data, k.mv_size};

        if (!record_open(key, (struct str){v.mv_data, v.mv_size}, &reader))
            break;
        if (last.mv_data != NULL && str_compare((struct str){last.mv_data, last.mv_size}, key) >= 0)
            break;
        last = k;
        if (++n == most)
            break;
    }
    mdb_cursor_close(cursor);
    return (n == most && rc == 0) || (rc == MDB_NOTFOUND && n == stat_.ms_entries) ? WHOLE
                                                                                   : DAMAGED;
}

static enum verdict
check_uuid(MDB_txn *txn, MDB_dbi meta, const char *uuid)
{
    struct record_reader reader;
    MDB_val k = {META_FORMAT_KEY_CHARS, (void *)(uintptr_t) "store"}, v;

    if (mdb_get(txn, meta, &k, &v) != 0 ||
        !record_open(STR_LIT("store"), (struct str){v.mv_data, v.mv_size}, &reader))
        return DAMAGED;
    record_get_u64(&reader);
    return str_is(record_get_str(&reader), uuid) ? WHOLE : OTHER_UUID;
}

static enum verdict
check_tables(MDB_env *env, const char *uuid, bool is_sample)
{
    uint64_t most = is_sample ? SAMPLE_RECORDS : UINT64_MAX;
    enum verdict verdict = WHOLE;
    MDB_txn *txn;

    if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0)
        return DAMAGED;
    for (int i = 0; i < TABLE_COUNT && verdict == WHOLE; i++) {
        MDB_dbi dbi;
        int rc = mdb_dbi_open(txn, table_names[i], 0, &dbi);

        if (rc == MDB_NOTFOUND && table_may_lack((enum table)i))
            continue;
        if (rc != 0)
            verdict = DAMAGED;
        else if (i == TABLE_META)
            verdict = check_uuid(txn, dbi, uuid);
        if (verdict == WHOLE)
            verdict = check_table(txn, dbi, most);
    }
    mdb_txn_abort(txn);
    return verdict;
}

static enum verdict
check_env(const char *dir, const char *uuid, size_t map_bytes, bool is_sample)
{
    enum verdict verdict;
    MDB_env *env;
    int rc;

    if (mdb_env_create(&env) != 0)
        return NO_RESOURCES;
    mdb_env_set_maxdbs(env, TABLE_COUNT);
    mdb_env_set_mapsize(env, map_bytes);
    rc = mdb_env_open(env, dir, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600);
    if (rc == ENOMEM)
        return NO_RESOURCES;
    if (rc > 0 && rc <= ERRNO_MAX && rc != EINVAL) /* not the file's fault */
        return (enum verdict)(CANNOT_OPEN + rc);
    if (rc != 0)
        return DAMAGED;
    verdict = file_is_long_enough(env) ? check_tables(env, uuid, is_sample) : TRUNCATED;
    mdb_env_close(env);
    return verdict;
}

/* In the child: nothing of it may be heard or left behind. */
static void
child_be_quiet(void)
{
    struct rlimit none = {0, 0};
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    setrlimit(RLIMIT_CORE, &none);
    if (null >= 0) {
        dup2(null, STDERR_FILENO);
        dup2(null, STDOUT_FILENO);
    }
}

enum err_code
store_check(const char *dir, const char *uuid, size_t map_bytes, bool is_sample, struct err *err)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        return err_set_sys(err, errno, "start the check of the store");
    if (child == 0) {
        child_be_quiet();
        _exit((int)check_env(dir, uuid, map_bytes, is_sample));
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_set_sys(err, errno, "wait for the check of the store");
    if (WIFEXITED(status) && WEXITSTATUS(status) == WHOLE)
        return ERR_OK;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_RESOURCES)
        return err_no_memory(err);
    if (WIFEXITED(status) && WEXITSTATUS(status) > CANNOT_OPEN)
        return err_set_sys(err, WEXITSTATUS(status) - CANNOT_OPEN, "open %.100s for its check",
                           dir);
    err_set(err, ERR_CONFLICT, "the store %.100s %s; restore a backup", dir,
            WIFEXITED(status) && WEXITSTATUS(status) == OTHER_UUID
                ? "has the data file of another store"
            : WIFEXITED(status) && WEXITSTATUS(status) == TRUNCATED ? "has a data file cut short"
                                                                    : "is damaged");
    err_at(err, "store");
    return ERR_CONFLICT;
}
