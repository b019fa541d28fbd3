/*
 * torture_power: the power goes at any moment, and takes with it what was written but not synced.
 *
 * A killed process shows nothing of that, since the kernel keeps the pages. So every write and sync of the
 * data file is recorded (disturb.c) while several threads put profiles, with how far the record had
 * come when each was answered. Then, for a moment drawn by lot, the file is made anew: all that a sync
 * had covered, and of the rest each sector by lot, in whatever order it came. What was answered before that
 * moment must be there, whole; nothing may be there in part; the store must open and its journal hold.
 * JML_ROUNDS: moments (10).
 */
#include "disturb.h"
#include "file.h"
#include "torture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 6, PUTS_A_THREAD = 60, CUTS_A_RECORD = 10, SECTOR = 512 };

struct put {
    char id[32];
    size_t n_steps; /* recorded when it was answered */
};

struct writing {
    struct store *store;
    int round, thread, n_answered;
    struct put puts[PUTS_A_THREAD];
};

static void *
write_on(void *context)
{
    struct writing *writing = context;

    for (int i = 0; i < PUTS_A_THREAD; i++) {
        struct put *put = &writing->puts[i];
        struct err err = {0};

        snprintf(put->id, sizeof put->id, "r%d-%d-%d", writing->round, writing->thread, i);
        torture_check(torture_put(writing->store, put->id, &err) == ERR_OK, "%s", err.message);
        put->n_steps = record_count();
        writing->n_answered = i + 1;
    }
    return NULL;
}

static void
put_sectors(int fd, const struct record_step *step, uint32_t *state)
{
    for (size_t at = 0; at < step->n; at += SECTOR) {
        size_t n = step->n - at < SECTOR ? step->n - at : SECTOR;

        if (torture_random(state) % 2 == 0 &&
            pwrite(fd, step->bytes + at, n, step->at + (off_t)at) != (ssize_t)n)
            torture_check(false, "cannot make the file anew");
    }
}

static void
put_whole(int fd, const struct record_step *step)
{
    if (pwrite(fd, step->bytes, step->n, step->at) != (ssize_t)step->n)
        torture_check(false, "cannot make the file anew");
}

/* The data file as the disk may have had it after the first n steps. */
static void
cut_at(const char *before, const char *after, size_t n, uint32_t *state)
{
    const struct record_step *steps = record_steps();
    char path[2 * TORTURE_PATH];
    size_t synced = n;
    int fd;

    torture_copy(before, after);
    snprintf(path, sizeof path, "%s/jumelage.unclean", after);
    file_write(path, "", 0, 0600, NULL);
    snprintf(path, sizeof path, "%s/data.mdb", after);
    fd = open(path, O_RDWR);
    while (synced > 0 && steps[synced - 1].kind != RECORD_SYNC)
        synced--;
    for (size_t i = 0; i < n; i++)
        if (steps[i].kind != RECORD_SYNC) {
            if (i < synced || steps[i].kind == RECORD_WRITE_THROUGH)
                put_whole(fd, &steps[i]);
            else
                put_sectors(fd, &steps[i], state);
        }
    close(fd);
}

static void
check_cut(const char *dir, const struct writing *writings, size_t n, size_t *n_kept)
{
    struct err err = {0};
    struct store *store = torture_store(dir, &err);
    struct store_read *read;

    torture_check(store != NULL, "cut after %zu steps: %s", n, err.message);
    if (store == NULL || store_read_begin(store, &read, &err) != ERR_OK)
        return;
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < writings[t].n_answered; i++) {
            const struct put *put = &writings[t].puts[i];
            enum torture_state state = torture_look(read, put->id);

            torture_check(state != TORTURE_TORN, "cut after %zu steps: %s is torn", n, put->id);
            if (put->n_steps > n)
                continue;
            torture_check(state == TORTURE_WHOLE, "cut after %zu steps: %s is lost", n, put->id);
            ++*n_kept;
        }
    store_read_end(read);
    torture_check_journal(store);
    store_close(store);
}

static void
one_record(const char *dir, int round, int n_cuts, uint32_t *state, size_t *n_kept)
{
    static struct writing writings[THREADS];
    char live[2 * TORTURE_PATH], before[2 * TORTURE_PATH], after[2 * TORTURE_PATH];
    char path[3 * TORTURE_PATH];
    pthread_t threads[THREADS];
    struct err err = {0};
    struct store *store;
    struct store_options options = {.dir = live};

    snprintf(live, sizeof live, "%s/live", dir);
    snprintf(before, sizeof before, "%s/before", dir);
    snprintf(after, sizeof after, "%s/after", dir);
    if (store_open(&options, &store, &err) != ERR_OK || torture_put(store, "first", &err) != ERR_OK)
        torture_check(false, "%s", err.message);
    store_close(store);
    torture_copy(live, before);
    if (store_open(&options, &store, &err) != ERR_OK)
        torture_check(false, "%s", err.message);
    snprintf(path, sizeof path, "%s/data.mdb", live);
    record_begin_for(path);
    for (int t = 0; t < THREADS; t++) {
        writings[t] = (struct writing){.store = store, .round = round, .thread = t};
        pthread_create(&threads[t], NULL, write_on, &writings[t]);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    store_close(store);
    for (int i = 0; i < n_cuts; i++) {
        size_t n = torture_random(state) % (record_count() + 1);

        cut_at(before, after, n, state);
        check_cut(after, writings, n, n_kept);
        torture_remove(after);
    }
    torture_remove(before);
    torture_remove(live);
}

int
main(void)
{
    int rounds = torture_rounds(CUTS_A_RECORD);
    uint32_t state = torture_seed();
    char dir[TORTURE_PATH];
    size_t n_kept = 0;

    torture_dir(dir);
    for (int done = 0; done < rounds; done += CUTS_A_RECORD)
        one_record(dir, done, rounds - done < CUTS_A_RECORD ? rounds - done : CUTS_A_RECORD, &state,
                   &n_kept);
    torture_remove(dir);
    printf("%d power cuts, %zu answered writes looked for\n", rounds, n_kept);
    torture_check(n_kept > 0, "no cut came after an answer");
    return torture_end("torture_power");
}
