/*
 * race_engine: readers match, explain and list, and backups are made, while a writer puts, patches, deletes
 * and erases (which exchanges the data file under the readers), through the same calls that every asker
 * makes, while the vocabularies and the lexicon grow and others follow. Run under the thread sanitizer; a
 * bounded number of rounds.
 */
#include "engine_follow.h"
#include "race_store.h"
#include "small_store.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { BACKUPS = 3, READERS = 3, ROUNDS = 150, PROFILES = 20, TABLES_EVERY = 30 };

static struct race_store store;
static atomic_bool is_over;
static sem_t is_told;

/* On the writer's thread; the seq is the follower's own, so the follower's thread reads it only after it
 * has left. */
static void
note_seq(void *context, const struct engine_changes *changes)
{
    struct engine_view view;
    uint64_t *seq = context;

    engine_view_hold(store.engine, &view);
    if (changes->seq < *seq || changes->seq < view.seq)
        race_fault("a seq that goes back");
    engine_view_drop(&view);
    *seq = changes->seq;
}

static void *
follow_on(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        uint64_t seq = 0;
        struct follower follower = {.tell = note_seq, .context = &seq};

        engine_follow(store.engine, &follower);
        engine_day_look(store.engine);
        race_tell(&store, "profile.list", "{\"text\": \"number\"}");
        engine_unfollow(store.engine, &follower);
        seq = 0;
    }
    return NULL;
}

static void *
read_on(void *unused)
{
    (void)unused;
    while (!atomic_load(&is_over)) {
        race_tell(&store, "match.top",
                  "{\"programme\": \"p\", \"id\": \"p1\", \"explain\": true, \"lang\": \"fr\"}");
        race_tell(&store, "match.whatif",
                  "{\"programme\": \"p\", \"id\": \"p3\", \"changes\": {\"tags\": [\"new\"]}}");
        race_tell(&store, "profile.list", "{\"text\": \"robots\"}");
        race_tell(&store, "profile.history", "{\"id\": \"p4\"}");
        race_tell(&store, "system.stats", "{}");
    }
    return NULL;
}

/* On a thread of the engine's. */
static void
tables_told(void *context, const struct tables_reloaded *reloaded, const struct err *err)
{
    (void)context;
    if (err->code != ERR_OK)
        race_fault(err->message);
    (void)reloaded;
    sem_post(&is_told);
}

static bool
append_row(const char *share, const char *name, const char *row)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", share, name);
    file = fopen(path, "a");
    return file != NULL && fputs(row, file) >= 0 && fclose(file) == 0;
}

static void
grow_tables(const char *share, int round)
{
    struct err err = {0};
    char outcome[64], synonym[64];

    snprintf(outcome, sizeof outcome, "race%d,1,Race %d,Course %d,,\n", round, round, round);
    snprintf(synonym, sizeof synonym, "race%d,zorgle%d,blirpe%d\n", round, round, round);
    if (!append_row(share, "outcomes.csv", outcome) ||
        !append_row(share, "lexicon/glossary.csv", synonym) ||
        engine_tables_reload(store.engine, tables_told, NULL, &err) != ERR_OK) {
        race_fault(err.message);
    }
}

static void *
back_up(void *unused)
{
    char json[64];

    (void)unused;
    for (int i = 0; i < BACKUPS; i++) {
        snprintf(json, sizeof json, "{\"name\": \"b%d\"}", i);
        race_tell(&store, "backup.create", json);
    }
    return NULL;
}

int
main(void)
{
    char share[] = "/tmp/jumelage-share-XXXXXX", copy[256];
    pthread_t readers[READERS], backups, followers;

    sem_init(&is_told, 0, 0);
    small_store_folder(share);
    snprintf(copy, sizeof copy, "cp -r %s/. %s", JML_DATA, share);
    if (system(copy) != 0)
        return 1;
    race_store_open(&store, (struct engine_options){.share_dir = share});
    race_tell(
        &store, "programme.put",
        "{\"programme\": {\"id\": \"p\", \"name\": {\"en\": \"P\"}, \"pairings\": [{\"id\": \"h\", "
        "\"from\": {\"kind\": \"startup\"}, \"to\": {\"kind\": \"incubator\"}, \"from_wants\": "
        "[{\"id\": \"s\", \"type\": \"overlap\", \"of\": \"sectors\", \"by\": \"sectors\", "
        "\"weight\": 1}, {\"id\": \"t\", \"type\": \"text\", \"weight\": 1}]}]}}");
    for (int i = 0; i < PROFILES; i++)
        race_put_text(&store, i, 0);
    for (int i = 0; i < READERS; i++)
        if (pthread_create(&readers[i], NULL, read_on, NULL) != 0)
            return 1;
    if (pthread_create(&backups, NULL, back_up, NULL) != 0 ||
        pthread_create(&followers, NULL, follow_on, NULL) != 0)
        return 1;
    for (int round = 1; round <= ROUNDS; round++) {
        race_put_text(&store, round % PROFILES, round);
        if (round % TABLES_EVERY == 0)
            grow_tables(share, round);
        if (round % 7 == 0)
            race_tell(&store, "profile.delete", "{\"id\": \"p2\"}");
        if (round % 29 == 0)
            race_tell(&store, "profile.delete", "{\"id\": \"p4\", \"erase\": true}");
        if (round % 11 == 0)
            race_tell(
                &store, "outcome.put",
                "{\"from\": \"p1\", \"to\": \"p4\", \"kind\": \"hosted\", \"at\": \"2025-01-01\"}");
    }
    for (int round = TABLES_EVERY; round <= ROUNDS; round += TABLES_EVERY)
        sem_wait(&is_told);
    atomic_store(&is_over, true);
    pthread_join(backups, NULL);
    pthread_join(followers, NULL);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    race_store_close(&store);
    small_store_remove(share);
    return race_status();
}
