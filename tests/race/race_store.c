#include "race_store.h"

#include "small_store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int n_faults;

void
race_fault(const char *what)
{
    fprintf(stderr, "FAULT: %s\n", what);
    n_faults++;
}

int
race_status(void)
{
    return n_faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static void
open_on(struct race_store *store, struct engine_options options)
{
    struct err err = {0};

    options.data_dir = store->dir;
    if (options.share_dir == NULL)
        options.share_dir = JML_DATA;
    if (engine_open(&options, &store->engine, &err) == ERR_OK)
        return;
    race_fault(err.message);
    exit(EXIT_FAILURE);
}

void
race_store_open(struct race_store *store, struct engine_options options)
{
    snprintf(store->dir, sizeof store->dir, "/tmp/jumelage-race-XXXXXX");
    small_store_folder(store->dir);
    open_on(store, options);
}

void
race_store_reopen(struct race_store *store, struct engine_options options)
{
    engine_close(store->engine);
    open_on(store, options);
}

void
race_store_close(struct race_store *store)
{
    engine_close(store->engine);
    small_store_remove(store->dir);
}

void
race_tell(struct race_store *store, const char *method, const char *json)
{
    struct err err = {0};
    enum err_code code = small_store_call(store->engine, method, json, &err);

    if (code == ERR_OK || code == ERR_NOT_FOUND)
        return;
    fprintf(stderr, "%s %s: ", method, json);
    race_fault(err.message);
}

void
race_put(struct race_store *store, int i, int round)
{
    static const char *const sectors[] = {"health", "mob", "bio", "fin"};
    char json[400];

    snprintf(json, sizeof json,
             "{\"profile\": {\"id\": \"p%d\", \"name\": \"P %d\", \"kind\": \"%s\", \"metro\": "
             "\"paris\", \"country\": \"FR\", \"sectors\": [\"%s\", \"%s\"], \"consent\": "
             "{\"match\": %s, \"share\": true, \"basis\": \"race\"}}}",
             i, round, i % 2 != 0 ? "startup" : "incubator", sectors[(i + round) % 4],
             sectors[(i * 7 + round / 2) % 4], round % 13 == 5 ? "false" : "true");
    race_tell(store, "profile.put", json);
}

void
race_put_text(struct race_store *store, int i, int round)
{
    char json[512];

    snprintf(json, sizeof json,
             "{\"profile\": {\"id\": \"p%d\", \"kind\": \"%s\", \"name\": \"N%d\", \"metro\": "
             "\"paris\", \"sectors\": [\"ai\"], \"tags\": [\"t%d\"], \"description\": {\"en\": "
             "\"robots number %d of %d\"}, \"consent\": {\"match\": true, \"share\": true, "
             "\"basis\": \"race\"}}}",
             i, i % 2 ? "startup" : "incubator", round, round, i, round);
    race_tell(store, "profile.put", json);
}

void
race_put_programme(struct race_store *store, int weight)
{
    char json[600];

    snprintf(json, sizeof json,
             "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
             "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, "
             "\"from_wants\": [{\"id\": \"s\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": "
             "\"sectors\", \"weight\": %d}, {\"id\": \"r\", \"type\": \"record\", \"of\": "
             "\"sectors\", \"by\": \"record.sectors\", \"weight\": 2}]}]}}",
             weight);
    race_tell(store, "programme.put", json);
}
