#include "engine.h"
#include "facts.h"
#include "file.h"
#include "generator.h"
#include "profile.h"
#include "start_scan.h"
#include "value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/*
 * bench_start FOLDER [N [ROUNDS]]: how long an engine takes from opening to ready, beside a bare scan
 * and unpacking of the same profiles.
 *
 * FOLDER is made with a store of N profiles (1,000,000) of about 1 KB each if there is nothing yet, else
 * measured as it is; it stays. The profiles are those of `jumelage generate`, with longer
 * descriptions drawn from TEXTS different ones, so that as many vectors need to be made.
 */
enum {
    TEXTS = 4096,
    VECTORS_ROOM = 16 * TEXTS, /* a power of two; texts differ by metro too */
    SENTENCES = 7,
    BATCH = 2000,
    COUNT_PRESET = 1000000,
    ARENA_BYTES = 1 << 30
};

static double
seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- making the store ---- */

struct kept_vector {
    uint64_t key;
    struct made_vector made; /* its bytes; not its terms */
};

struct maker {
    struct engine *engine;
    struct engine_view view;
    struct generator generator;
    struct random texts;
    struct arena *arena, *kept; /* a batch's; what lasts */
    struct kept_vector *vectors;
    uint64_t wanted, made;
};

/* The vector of a profile's texts, made once for each text. */
static enum err_code
vector_find(struct maker *maker, const msgpack_object *profile, struct kept_vector **out,
            struct err *err)
{
    struct text_source *sources;
    bool is_confidential;
    struct kept_vector *place;
    struct buf texts;
    uint64_t key;
    size_t n;
    enum err_code code =
        facts_text_sources(profile, NULL, maker->arena, &sources, &n, &is_confidential, err);

    if (code != ERR_OK)
        return code;
    buf_init(&texts, GENERATED_BYTES_MAX);
    for (size_t i = 0; i < n; i++) {
        buf_append_str(&texts, sources[i].lang);
        buf_append_str(&texts, sources[i].text);
    }
    key = digest_short(texts.data, texts.len);
    buf_fini(&texts);
    for (place = &maker->vectors[key % VECTORS_ROOM];
         place->made.bytes.data != NULL && place->key != key;)
        place = place + 1 < maker->vectors + VECTORS_ROOM ? place + 1 : maker->vectors;
    *out = place;
    if (place->made.bytes.data != NULL)
        return ERR_OK;
    place->key = key;
    code = made_vector_make(maker->view.lexicon, profile, NULL, maker->arena, &place->made, err);
    if (code == ERR_OK)
        place->made.bytes = arena_str(maker->kept, place->made.bytes);
    return code == ERR_OK && place->made.bytes.data == NULL ? err_no_memory(err) : code;
}

/* Of ten: seven startups, two incubators, one investor. */
static enum err_code
make_one(struct maker *maker, struct profile_form *form, struct kept_vector **vector,
         struct err *err)
{
    static const enum generated_kind kinds[10] = {
        [7] = GENERATED_INCUBATOR, GENERATED_INCUBATOR, GENERATED_INVESTOR};
    struct faults faults;
    const msgpack_object *given;
    struct str record;
    enum err_code code;

    maker->texts.state = random_skewed(&maker->generator.random, TEXTS);
    record = generator_make(&maker->generator, kinds[maker->made % 10], (int64_t)maker->made);
    code = value_decode(record.data, record.len, &value_limits_default, maker->arena, &given, err);
    if (code != ERR_OK)
        return code;
    faults_init(&faults, maker->arena);
    profile_encode(given, maker->generator.reference, &faults, form);
    code = faults_first(&faults, err);
    return code == ERR_OK ? vector_find(maker, given, vector, err) : code;
}

static enum err_code
put_batch(struct store_txn *txn, void *context, struct err *err)
{
    struct maker *maker = context;
    enum err_code code = ERR_OK;

    for (int i = 0; i < BATCH && maker->made < maker->wanted && code == ERR_OK; i++) {
        struct journal_entry entry = {
            .actor = STR_LIT("bench"), .method = STR_LIT("profile.put"), .what = STR_LIT("\x80")};
        struct profile_put put = {
            .actor = entry.actor, .method = entry.method, .changed = STR_LIT("\x90")};
        struct kept_vector *vector = NULL;
        struct profile_form form;
        uint64_t version;

        maker->made++;
        code = make_one(maker, &form, &vector, err);
        if (code != ERR_OK)
            break;
        entry.subject = put.id = form.id;
        put.pairs = form.pairs;
        put.n_pairs = form.n_pairs;
        code = store_journal_add(txn, &entry, &put.seq, err);
        if (code == ERR_OK)
            code = store_profile_put(txn, &put, &version, err);
        if (code == ERR_OK)
            code = made_vector_store(txn, put.id, put.seq, &vector->made, err);
        arena_reset(maker->arena);
    }
    return code;
}

static enum err_code
store_make(const char *folder, uint64_t n, struct err *err)
{
    struct engine_options options = {.data_dir = folder};
    struct maker maker = {.wanted = n,
                          .arena = arena_create(ARENA_BYTES),
                          .kept = arena_create(ARENA_BYTES),
                          .vectors = calloc(VECTORS_ROOM, sizeof *maker.vectors)};
    enum err_code code = maker.arena == NULL || maker.kept == NULL || maker.vectors == NULL
                             ? err_no_memory(err)
                             : engine_open(&options, &maker.engine, err);

    if (code == ERR_OK) {
        engine_view_hold(maker.engine, &maker.view);
        maker.generator = (struct generator){.reference = engine_reference(maker.engine),
                                             .arena = maker.kept,
                                             .random = {7},
                                             .texts = &maker.texts,
                                             .n_sentences = SENTENCES};
        buf_init(&maker.generator.record, GENERATED_BYTES_MAX);
        while (code == ERR_OK && maker.made < n)
            code = store_write(engine_store(maker.engine), put_batch, &maker, err);
        buf_fini(&maker.generator.record);
        engine_view_drop(&maker.view);
        engine_close(maker.engine);
    }
    free(maker.vectors);
    arena_destroy(maker.kept);
    arena_destroy(maker.arena);
    return code;
}

/* ---- measuring ---- */

/* Of all threads, and of children waited for. */
static double
processor_seconds(void)
{
    struct rusage own, children;

    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &children);
    return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec + children.ru_utime.tv_sec +
                    children.ru_stime.tv_sec) +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec + children.ru_utime.tv_usec +
                    children.ru_stime.tv_usec) /
               1e6;
}

/* Bytes of memory of our own: RssAnon of /proc/self/status. */
static double
resident_bytes(void)
{
    FILE *status = fopen("/proc/self/status", "re");
    char line[256];
    double kib = 0;

    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtod(line + 8, NULL);
    if (status != NULL)
        fclose(status);
    return kib * 1024;
}

static enum err_code
measure(const char *folder, struct err *err)
{
    struct engine_options options = {.data_dir = folder, .must_exist = true};
    struct engine *engine;
    struct engine_view view;
    struct start_scan scan;
    double began = seconds(), worked = processor_seconds(), before, n;
    double scan_s, scan_worked_s, ready_s, ready_worked_s;
    enum err_code code = start_scan(folder, &scan, err);

    if (code != ERR_OK)
        return code;
    scan_s = seconds() - began;
    scan_worked_s = processor_seconds() - worked;
    before = resident_bytes();
    began = seconds();
    worked = processor_seconds();
    code = engine_open(&options, &engine, err);
    if (code != ERR_OK)
        return code;
    ready_s = seconds() - began;
    ready_worked_s = processor_seconds() - worked;
    engine_view_hold(engine, &view);
    n = (double)scan.n;
    printf(
        "%" PRIu64
        " profiles of %.0f bytes: scanned and unpacked in %.3f s (processor %.3f); engine "
        "ready in %.3f s (processor %.3f): %.2f times; %.0f bytes resident a profile, of them the "
        "roster %.0f\n",
        scan.n, (double)scan.bytes / n, scan_s, scan_worked_s, ready_s, ready_worked_s,
        ready_s / scan_s, (resident_bytes() - before) / n, (double)roster_bytes(view.roster) / n);
    fflush(stdout);
    engine_view_drop(&view);
    engine_close(engine);
    return ERR_OK;
}

static uint64_t
number(const char *text, uint64_t most)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < 1 || value > most) {
        fprintf(stderr, "bench_start: %s is no whole number from 1 to %" PRIu64 "\n", text, most);
        exit(EXIT_FAILURE);
    }
    return value;
}

int
main(int argc, char **argv)
{
    uint64_t n = argc > 2 ? number(argv[2], 10000000) : COUNT_PRESET;
    uint64_t rounds = argc > 3 ? number(argv[3], 1000) : 1;
    struct err err = {0};
    char marker[4096];
    enum err_code code = ERR_OK;

    if (argc < 2 || argc > 4 || argv[1][0] == '-') {
        fputs("usage: bench_start FOLDER [N [ROUNDS]]\n", stderr);
        return EXIT_FAILURE;
    }
    snprintf(marker, sizeof marker, "%s/jumelage.store", argv[1]);
    if (!file_exists(marker)) {
        double began = seconds();

        code = store_make(argv[1], n, &err);
        if (code == ERR_OK)
            printf("a store of %" PRIu64 " profiles made in %.0f s\n", n, seconds() - began);
    }
    for (uint64_t i = 0; i < rounds && code == ERR_OK; i++)
        code = measure(argv[1], &err);
    if (code != ERR_OK)
        fprintf(stderr, "bench_start: %s\n", err.message);
    return code == ERR_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
