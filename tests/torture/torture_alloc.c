/*
 * torture_alloc: the N-th allocation fails, for each method that writes and for N = 1, 2, 3 … until none
 * does: the call works, or it fails cleanly and nothing of it is stored; afterwards the same call works.
 *
 * Each method is called on what its own example in the method table asks for, put there before.
 */
#include "alloc.h"
#include "method.h"
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_MOST = 20000, ALL_UP_TO = 10 };

/* %d is a number of its own for each try, so that a call is never a repetition. */
static const struct {
    const char *method;
    const char *prepare[3], *json;
} calls[] = {
    {"profile.put",
     {NULL},
     "{\"profile\": {\"id\": \"a%d\", \"kind\": \"startup\", \"name\": \"A\", \"description\": "
     "{\"en\": \"robots for hospitals\"}, \"confidential\": {\"notes\": \"c\"}}}"},
    {"profile.put_many",
     {NULL},
     "{\"profiles\": [{\"id\": \"b%d\", \"kind\": \"startup\", \"name\": \"B\"}, {\"id\": \"bb%d\", "
     "\"kind\": \"startup\", \"name\": \"B\"}]}"},
    {"profile.patch", {NULL}, "{\"id\": \"base\", \"changes\": {\"team\": %d}}"},
    {"profile.delete",
     {"{\"profile\": {\"id\": \"d%d\", \"kind\": \"startup\", \"name\": \"D\"}}"},
     "{\"id\": \"d%d\"}"},
    {"profile.delete",
     {"{\"profile\": {\"id\": \"e%d\", \"kind\": \"startup\", \"name\": \"E\"}}"},
     "{\"id\": \"e%d\", \"erase\": true}"},
    {"profile.merge",
     {"{\"profile\": {\"id\": \"k%d\", \"kind\": \"startup\", \"name\": \"K\"}}",
      "{\"profile\": {\"id\": \"l%d\", \"kind\": \"startup\", \"name\": \"L\", \"city\": \"Paris\"}}"},
     "{\"keep\": \"k%d\", \"drop\": \"l%d\"}"},
    {"outcome.put",
     {NULL},
     "{\"from\": \"base\", \"to\": \"other\", \"kind\": \"hosted\", \"at\": \"2026-01-02\", "
     "\"note\": \"n%d\"}"},
    {"programme.put",
     {NULL},
     "{\"programme\": {\"id\": \"g%d\", \"name\": {\"en\": \"Example\", \"fr\": \"Exemple\"}, "
     "\"pairings\": [{\"id\": \"hosting\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": "
     "\"incubator\"}, \"from_wants\": [{\"id\": \"fit\", \"type\": \"overlap\", \"of\": "
     "\"sectors\", \"by\": \"sectors\", \"weight\": 1}]}]}}"},
    {"token.create", {NULL}, "{\"role\": \"reader\", \"name\": \"t%d\"}"},
    {"backup.create", {NULL}, "{\"name\": \"n%d\"}"},
};

static uint64_t
newest(struct engine *engine)
{
    struct store_read *read;
    struct err err = {0};
    uint64_t seq = 0;

    if (store_read_begin(engine_store(engine), &read, &err) == ERR_OK) {
        seq = store_seq(read);
        store_read_end(read);
    }
    return seq;
}

static void
fill_in(char out[1024], const char *pattern, int n)
{
    size_t used = 0;

    for (; *pattern != '\0' && used < 1000; pattern++)
        if (pattern[0] == '%' && pattern[1] == 'd') {
            used += (size_t)snprintf(out + used, 1024 - used, "%d", n);
            pattern++;
        } else {
            out[used++] = *pattern;
        }
    out[used] = '\0';
}

static void
torture_one(struct engine *engine, size_t i, int stride)
{
    const char *method = calls[i].method;
    bool happened = true;
    int n = 1, n_refused = 0;

    /* Each erasure makes the ledger longer, which the next one reads: where every piece of an arena is an
     * allocation, the last of them would run ahead of n for ever. */
    if (strstr(calls[i].json, "\"erase\"") != NULL && stride < 5)
        stride = 5;

    for (; happened && n < N_MOST; n += n < ALL_UP_TO ? 1 : stride) {
        char json[1024];
        struct err err;
        uint64_t before;
        enum err_code code;

        for (size_t k = 0; k < 3 && calls[i].prepare[k] != NULL; k++) {
            fill_in(json, calls[i].prepare[k], n);
            torture_check(torture_call(engine, "profile.put", json, &err) == ERR_OK, "%s",
                          err.message);
        }
        fill_in(json, calls[i].json, n);
        before = newest(engine);
        code = torture_call_short(engine, method, json, n, &happened, &err);
        if (code == ERR_OK)
            continue;
        n_refused++;
        torture_check(happened && err.message[0] != '\0', "%s, n=%d: %s: %s", method, n,
                      err_name(code), err.message);
        torture_check(newest(engine) == before || strstr(err.message, "it is gone") != NULL,
                      "%s, n=%d: refused, and something is stored", method, n);
        code = torture_call(engine, method, json, &err);
        torture_check(code == ERR_OK, "%s, n=%d, once more: %s", method, n, err.message);
    }
    torture_check(n < N_MOST && n_refused > 0, "%s: %d refused", method, n_refused);
    printf("%s: up to the %d-th allocation, %d refused\n", method, n, n_refused);
    fflush(stdout);
}

int
main(void)
{
    int stride = torture_rounds(0) >= TORTURE_DEEP ? 1 : 5;
    char dir[TORTURE_PATH];
    struct err err = {0};
    struct engine *engine;

    torture_dir(dir);
    engine = torture_engine(dir, &err);
    torture_check(engine != NULL, "%s", err.message);
    if (engine == NULL)
        return torture_end("torture_alloc");
    torture_check(
        torture_call(
            engine, "profile.put_many",
            "{\"profiles\": [{\"id\": \"base\", \"kind\": \"startup\", \"name\": \"Base\"}, "
            "{\"id\": \"other\", \"kind\": \"incubator\", \"name\": \"Other\"}]}",
            &err) == ERR_OK,
        "%s", err.message);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        torture_one(engine, i, stride);
    torture_check(torture_call(engine, "journal.verify", "{}", &err) == ERR_OK, "%s", err.message);
    torture_check_journal(engine_store(engine));
    engine_close(engine);
    engine = torture_engine(dir, &err); /* what is on disk can be read back */
    torture_check(engine != NULL, "%s", err.message);
    engine_close(engine);
    torture_remove(dir);
    return torture_end("torture_alloc");
}
