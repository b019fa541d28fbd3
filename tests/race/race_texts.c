/*
 * race_texts: texts that a start left in the store are read by several who ask at once, while a writer puts others
 * in their place, takes them away, and has all of them made by another lexicon. Whoever holds a roster from before
 * finds in it, whenever it looks, every text that was there. Run under the thread sanitizer too.
 */
#include "race_store.h"
#include "small_store.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { READERS = 3, ROUNDS = 6, PROFILES = 120 };

static struct race_store store;
static sem_t is_told;

static void *
match_all(void *context)
{
    intptr_t first = (intptr_t)context;
    char json[64];

    for (int i = 0; i < PROFILES; i++) {
        snprintf(json, sizeof json, "{\"programme\": \"p\", \"id\": \"p%d\"}",
                 (int)((first + i) % PROFILES));
        race_tell(&store, "match.top", json);
        race_tell(&store, "system.stats", "{}");
    }
    return NULL;
}

static void *
need_all(void *context)
{
    const struct engine_view *view = context;
    struct err err = {0};

    for (uint32_t row = roster_rows(view->roster); row-- > 0;)
        if (roster_facts(view->roster, row) != NULL &&
            facts_need_text(roster_facts(view->roster, row), &err) != ERR_OK)
            race_fault(err.message);
    return NULL;
}

static void
tables_told(void *context, const struct tables_reloaded *reloaded, const struct err *err)
{
    (void)context, (void)reloaded;
    if (err->code != ERR_OK)
        race_fault(err->message);
    sem_post(&is_told);
}

static void
grow_lexicon(const char *share, int round)
{
    char path[128];
    struct err err = {0};
    FILE *file;

    snprintf(path, sizeof path, "%s/lexicon/glossary.csv", share);
    file = fopen(path, "a");
    if (file == NULL || fprintf(file, "race%d,zorgle%d,blirpe%d\n", round, round, round) < 0 ||
        fclose(file) != 0 || engine_tables_reload(store.engine, tables_told, NULL, &err) != ERR_OK)
        race_fault("the lexicon cannot be changed");
    else
        sem_wait(&is_told);
}

static void
write_all(const char *share, int round)
{
    char json[64];

    for (int i = 0; i < PROFILES; i += 3)
        race_put_text(&store, i, round);
    for (int i = 1; i < PROFILES; i += 15) {
        snprintf(json, sizeof json, "{\"id\": \"p%d\", \"erase\": %s}", i,
                 i % 2 ? "true" : "false");
        race_tell(&store, "profile.delete", json);
    }
    if (round % 2 == 0)
        grow_lexicon(share, round);
}

/* A start of its own; what it left is asked for from all sides. */
static void
run_round(const char *share, int round)
{
    pthread_t readers[READERS], needing;
    struct engine_view view;

    engine_view_hold(store.engine, &view);
    for (intptr_t i = 0; i < READERS; i++)
        if (pthread_create(&readers[i], NULL, match_all, (void *)(i * PROFILES / READERS)) != 0)
            exit(EXIT_FAILURE);
    if (pthread_create(&needing, NULL, need_all, &view) != 0)
        exit(EXIT_FAILURE);
    write_all(share, round);
    pthread_join(needing, NULL);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    need_all(&view);
    engine_view_drop(&view);
}

int
main(void)
{
    char share[] = "/tmp/jumelage-share-XXXXXX", copy[256];

    sem_init(&is_told, 0, 0);
    small_store_folder(share);
    snprintf(copy, sizeof copy, "cp -r %s/. %s", JML_DATA, share);
    if (system(copy) != 0)
        return EXIT_FAILURE;
    race_store_open(&store, (struct engine_options){.share_dir = share});
    race_tell(&store, "programme.put",
              "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": "
              "\"h\", \"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, "
              "\"from_wants\": [{\"id\": \"t\", \"type\": \"text\", \"weight\": 1}]}]}}");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < PROFILES; i++)
            race_put_text(&store, i, round);
        race_store_reopen(&store, (struct engine_options){.share_dir = share});
        run_round(share, round);
    }
    race_store_close(&store);
    small_store_remove(share);
    return race_status();
}
