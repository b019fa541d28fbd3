#include "torture.h"

#include "alloc.h"
#include "call.h"
#include "file.h"
#include "json.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static atomic_int n_checks, n_faults;

int
torture_rounds(int preset)
{
    const char *text = getenv("JML_ROUNDS");

    return text != NULL ? atoi(text) : preset; /* NOLINT: a test's own variable */
}

uint32_t
torture_seed(void)
{
    const char *text = getenv("JML_SEED");
    uint32_t seed = text != NULL ? (uint32_t)atoi(text) : (uint32_t)time(NULL); /* NOLINT */

    printf("JML_SEED=%u\n", seed);
    return seed != 0 ? seed : 1;
}

uint32_t
torture_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

void
torture_check(bool holds, const char *format, ...)
{
    va_list list;

    n_checks++;
    if (holds)
        return;
    n_faults++;
    fputs("FAULT: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

int
torture_end(const char *what)
{
    printf("%s: %d checks, %d faults\n", what, n_checks, n_faults);
    if (n_checks == 0)
        fputs("FAULT: nothing was checked\n", stderr);
    return n_faults == 0 && n_checks > 0 ? 0 : 1;
}

static _Noreturn void
stop(const char *what, const struct err *err)
{
    fprintf(stderr, "FAULT: cannot %s: %s\n", what, err != NULL ? err->message : "");
    exit(1);
}

/* ---- folders ---- */

void
torture_dir(char dir[TORTURE_PATH])
{
    const char *base = getenv("TMPDIR");
    char name[TORTURE_PATH], *real;

    if (base == NULL) /* in memory where that can be: what a sync costs is not the matter here */
        base = access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(name, sizeof name, "%.200s/jumelage-torture-XXXXXX", base);
    if (mkdtemp(name) == NULL || (real = realpath(name, NULL)) == NULL)
        stop("make a folder", NULL);
    snprintf(dir, TORTURE_PATH, "%s", real);
    free(real);
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void
torture_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
torture_copy(const char *from, const char *to)
{
    struct err err = {0};
    char **names;
    size_t n;

    if (file_make_dir(to, 0700, &err) != ERR_OK || file_list(from, "", &names, &n, &err) != ERR_OK)
        stop("copy a folder", &err);
    for (size_t i = 0; i < n; i++) {
        char source[2 * TORTURE_PATH], target[2 * TORTURE_PATH];
        struct buf bytes;

        snprintf(source, sizeof source, "%s/%s", from, names[i]);
        snprintf(target, sizeof target, "%s/%s", to, names[i]);
        buf_init(&bytes, (size_t)1 << 30);
        if (file_read(source, &bytes, &err) == ERR_OK &&
            file_write(target, bytes.len != 0 ? bytes.data : "", bytes.len, 0600, &err) != ERR_OK)
            stop("copy a file", &err);
        buf_fini(&bytes);
    }
    file_free_names(names, n);
}

/* ---- engines and stores ---- */

struct engine *
torture_engine(const char *dir, struct err *err)
{
    struct engine_options options = {.data_dir = dir, .share_dir = JML_DATA};
    struct engine *engine;

    return engine_open(&options, &engine, err) == ERR_OK ? engine : NULL;
}

enum err_code
torture_call_short(struct engine *engine, const char *method, const char *json, long n,
                   bool *happened, struct err *err)
{
    struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("torture")};
    struct arena *arena = arena_create((size_t)1 << 28);
    const msgpack_object *params;
    struct call call;
    enum err_code code;

    if (arena == NULL)
        stop("get memory", NULL);
    *err = (struct err){0};
    call_init(&call, engine, &caller, arena, 0);
    code = json_decode(str_from(json), &value_limits_default, arena, &params, err);
    if (code != ERR_OK)
        stop("read a call's parameters", err);
    mem_fail_at(n);
    code = call_open(&call, str_from(method), params, err);
    if (code == ERR_OK)
        code = call_run(&call, err);
    *happened = mem_fail_happened();
    call_fini(&call);
    arena_destroy(arena);
    return code;
}

enum err_code
torture_call(struct engine *engine, const char *method, const char *json, struct err *err)
{
    bool happened;

    return torture_call_short(engine, method, json, 0, &happened, err);
}

struct store *
torture_store(const char *dir, struct err *err)
{
    struct store_options options = {.dir = dir, .full_check = true, .must_exist = true};
    struct store *store;

    return store_open(&options, &store, err) == ERR_OK ? store : NULL;
}

/* ---- one profile ---- */

/* Made of the id alone, longer than a page for some of them, so that each kind of page takes part. */
static void
text_of_id(const char *id, struct buf *out)
{
    size_t n = 20 + (size_t)id[strlen(id) - 1] % 8 * 200;

    for (size_t i = 0; i < n; i++)
        buf_append_text(out, id);
}

static enum err_code
run_put(struct store_txn *txn, void *context, struct err *err)
{
    const char *id = context;
    struct journal_entry entry = {.actor = STR_LIT("torture"),
                                  .method = STR_LIT("profile.put"),
                                  .subject = str_from(id),
                                  .what = STR_LIT("\x80")};
    struct profile_put put = {.id = str_from(id),
                              .n_pairs = 2,
                              .actor = entry.actor,
                              .method = entry.method,
                              .changed = STR_LIT("\x91\xa4name")};
    struct buf pairs, text;
    uint64_t version;
    enum err_code code;

    buf_init(&pairs, 1 << 20);
    buf_init(&text, 1 << 20);
    text_of_id(id, &text);
    pack_key_text(&pairs, "id", id);
    pack_key_str(&pairs, "name", buf_str(&text));
    put.pairs = buf_str(&pairs);
    code = store_journal_add(txn, &entry, &put.seq, err);
    if (code == ERR_OK)
        code = store_profile_put(txn, &put, &version, err);
    buf_fini(&pairs);
    buf_fini(&text);
    return code;
}

enum err_code
torture_put(struct store *store, const char *id, struct err *err)
{
    *err = (struct err){0};
    return store_write(store, run_put, (void *)(uintptr_t)id, err);
}

enum torture_state
torture_look(struct store_read *read, const char *id)
{
    struct profile_record record;
    struct version_record version;
    struct err err = {0};
    struct buf text;
    enum err_code code = store_profile_get(read, str_from(id), &record, &err);
    bool is_whole;

    if (code == ERR_NOT_FOUND)
        return store_profile_version(read, str_from(id), 1, &version, &err) == ERR_NOT_FOUND
                   ? TORTURE_ABSENT
                   : TORTURE_TORN;
    buf_init(&text, 1 << 20);
    text_of_id(id, &text);
    is_whole = code == ERR_OK &&
               memmem(record.open.data, record.open.len, text.data, text.len) != NULL &&
               store_profile_version(read, str_from(id), 1, &version, &err) == ERR_OK;
    buf_fini(&text);
    return is_whole ? TORTURE_WHOLE : TORTURE_TORN;
}

void
torture_check_journal(struct store *store)
{
    struct journal_verdict verdict = {.n = 0};
    struct store_read *read;
    struct err err = {0};

    if (store_read_begin(store, &read, &err) != ERR_OK)
        stop("read the store", &err);
    torture_check(store_journal_verify(read, 0, &verdict, &err) == ERR_OK && verdict.broken_at == 0,
                  "the journal is broken at %d: %s", (int)verdict.broken_at, err.message);
    store_read_end(read);
}
