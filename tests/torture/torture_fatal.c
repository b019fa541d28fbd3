/*
 * torture_fatal: after a failed sync, or a head that could not be written, the store writes no more, says so
 * once to its owner, and goes on reading; after a full disk it heals by itself.
 */
#include "disturb.h"
#include "torture.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { N_MOST = 40 };

static atomic_int n_told;

static void
on_fatal(void *context, const struct err *err)
{
    (void)context;
    torture_check(err->code == ERR_INTERNAL && strstr(err->message, "writes no more") != NULL,
                  "the owner is told: %s", err->message);
    n_told++;
}

static struct store *
open_one(const char *dir)
{
    struct store_options options = {.dir = dir, .on_fatal = on_fatal};
    struct store *store = NULL;
    struct err err = {0};

    torture_check(store_open(&options, &store, &err) == ERR_OK, "open: %s", err.message);
    return store;
}

static enum torture_state
look(struct store *store, const char *id)
{
    enum torture_state state = TORTURE_TORN;
    struct store_read *read;
    struct err err = {0};

    torture_check(store_read_begin(store, &read, &err) == ERR_OK, "reads go on: %s", err.message);
    if (err.code == ERR_OK) {
        state = torture_look(read, id);
        store_read_end(read);
    }
    return state;
}

/* False: nothing failed any more. */
static bool
try(const char *says, unsigned calls, int error_number, long n)
{
    struct disturbance fault = {.calls = calls, .n = n, .error_number = error_number};
    char dir[TORTURE_PATH], path[2 * TORTURE_PATH];
    struct err err = {0};
    struct store *store;
    enum err_code code, later;
    bool happened;

    torture_dir(dir);
    store = open_one(dir);
    torture_check(torture_put(store, "a5", &err) == ERR_OK, "put: %s", err.message);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    fault.below = path;
    n_told = 0;
    disturb_set(&fault);
    code = torture_put(store, "b6", &err);
    happened = disturb_happened();
    disturb_set(NULL);
    torture_check(happened == (code != ERR_OK), "%s, n=%ld: answered %s", says, n, err_name(code));
    torture_check(look(store, "a5") == TORTURE_WHOLE, "%s, n=%ld: what was there is lost", says, n);
    later = torture_put(store, "c7", &err);
    if (code == ERR_INTERNAL) {
        torture_check(later == ERR_INTERNAL, "%s, n=%ld: it writes on: %s", says, n,
                      err_name(later));
        torture_check(n_told == 1, "%s, n=%ld: told %d times", says, n, n_told);
    } else {
        torture_check(later == ERR_OK && n_told == 0, "%s, n=%ld: it does not heal: %s", says, n,
                      err.message);
        torture_check((look(store, "b6") == TORTURE_WHOLE) == (code == ERR_OK), "%s, n=%ld", says,
                      n);
    }
    store_close(store);
    store = open_one(dir); /* a new start writes again */
    torture_check(torture_put(store, "d1", &err) == ERR_OK, "%s, n=%ld: %s", says, n, err.message);
    torture_check(look(store, "b6") != TORTURE_TORN, "%s, n=%ld: in part", says, n);
    store_close(store);
    torture_remove(dir);
    return happened;
}

int
main(void)
{
    static const struct {
        const char *says;
        unsigned calls;
        int error_number;
        bool is_fatal;
    } kinds[] = {
        {"a sync: EIO", DISTURB_SYNC, EIO, true},
        {"a write: EIO", DISTURB_WRITE, EIO, true},
        {"a write: no space", DISTURB_WRITE, ENOSPC, false},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        long n = 1;

        while (n < N_MOST && try(kinds[i].says, kinds[i].calls, kinds[i].error_number, n))
            n++;
        torture_check(n > 1 && n < N_MOST, "%s: %ld calls", kinds[i].says, n - 1);
        printf("%s: %ld calls failed, one by one\n", kinds[i].says, n - 1);
    }
    return torture_end("torture_fatal");
}
