/*
 * bench_erase: what an erasure costs in a store of MEGABYTES (100): how long it takes, and how long the
 * slowest of the other writes waits meanwhile.
 */
#include "torture.h"
#include "value.h"
#include "writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES = 2000, A_WRITE = 500 };

static struct store *store;
static atomic_bool is_over;
static double slowest_s;

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static enum err_code
put_some(struct store_txn *txn, void *context, struct err *err)
{
    int first = *(int *)context;
    static char text[TEXT_BYTES];
    enum err_code code = ERR_OK;

    memset(text, 'x', sizeof text);
    for (int i = first; i < first + A_WRITE && code == ERR_OK; i++) {
        char id[32] = "";
        struct journal_entry entry = {
            .actor = STR_LIT("bench"), .method = STR_LIT("profile.put"), .what = STR_LIT("\x80")};
        struct profile_put put = {.n_pairs = 2,
                                  .actor = entry.actor,
                                  .method = entry.method,
                                  .changed = STR_LIT("\x91\xa4name")};
        struct buf pairs;
        uint64_t version;

        snprintf(id, sizeof id, "p%d", i);
        entry.subject = put.id = str_from(id);
        buf_init(&pairs, 65536);
        pack_key_text(&pairs, "id", id);
        pack_key_str(&pairs, "name", (struct str){text, sizeof text});
        put.pairs = buf_str(&pairs);
        code = store_journal_add(txn, &entry, &put.seq, err);
        if (code == ERR_OK)
            code = store_profile_put(txn, &put, &version, err);
        buf_fini(&pairs);
    }
    return code;
}

static void *
write_on(void *unused)
{
    for (int i = 0; !atomic_load(&is_over); i++) {
        char id[32];
        struct err err;
        double started = seconds(), took;

        snprintf(id, sizeof id, "w%d", i * 10 + 1);
        if (torture_put(store, id, &err) != ERR_OK)
            fprintf(stderr, "%s\n", err.message);
        took = seconds() - started;
        if (took > slowest_s)
            slowest_s = took;
    }
    return unused;
}

static enum err_code
erase(struct store_txn *txn, void *context, struct err *err)
{
    struct profile_erasure erasure = {
        .id = str_from(context), .actor = STR_LIT("bench"), .method = STR_LIT("profile.delete")};

    return store_profile_erase(txn, &erasure, err);
}

static int
fail(const struct err *err)
{
    fprintf(stderr, "bench_erase: %s\n", err->message);
    return 1;
}

int
main(int argc, char **argv)
{
    uint64_t wanted = (uint64_t)(argc > 1 ? atoi(argv[1]) : 100) * 1000000; /* NOLINT */
    struct store_sizes sizes = {.file_bytes = 0};
    char dir[TORTURE_PATH];
    struct store_options options = {.dir = dir};
    struct err err = {0};
    pthread_t writer;
    double started, took;

    setenv("TMPDIR", "/var/tmp", 0); /* a disk, not memory: the sync is most of it */
    torture_dir(dir);
    if (store_open(&options, &store, &err) != ERR_OK)
        return fail(&err);
    for (int first = 0; sizes.used_bytes < wanted; first += A_WRITE)
        if (store_write(store, put_some, &first, &err) != ERR_OK ||
            store_sizes(store, &sizes, &err) != ERR_OK)
            return fail(&err);
    pthread_create(&writer, NULL, write_on, NULL);
    started = seconds();
    if (store_write(store, erase, (void *)(uintptr_t) "p7", &err) != ERR_OK)
        fprintf(stderr, "%s\n", err.message);
    took = seconds() - started;
    atomic_store(&is_over, true);
    pthread_join(writer, NULL);
    printf(
        "a store of %.0f MB, %llu profiles: erased in %.2f s; the slowest other write waited %.2f s\n",
        (double)sizes.used_bytes / 1e6, (unsigned long long)sizes.profiles, took, slowest_s);
    store_close(store);
    torture_remove(dir);
    return 0;
}
