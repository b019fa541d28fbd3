/*
 * race_each: pages of match.each, worked on by teams, while one writes the profiles that they are about. Two pages
 * of the same moment must be the same bytes, and say of each profile what match.top says of it then; one
 * asker in four goes away in the middle. In the end all helpers have been given back.
 */
#include "call.h"
#include "json.h"
#include "race_store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { READERS = 3, ROUNDS = 150, PROFILES = 120, HELPERS = 2 };

static struct race_store store;
static atomic_bool is_over;
static atomic_int n_compared, n_cancelled;

static int64_t
seq_of(const msgpack_object *answer)
{
    int64_t seq = -1;

    value_int(value_find(answer, "seq"), &seq);
    return seq;
}

struct said { /* an answer, in its arena */
    struct arena *arena;
    struct str bytes;
    const msgpack_object *value;
    enum err_code code;
};

static void
ask(struct said *said, const char *method, const char *json, bool (*is_cancelled)(void *context),
    void *context)
{
    const struct caller caller = {.role = ROLE_ADMIN, .name = STR_LIT("race")};
    const msgpack_object *params;
    struct err err = {0};
    struct call call;

    *said = (struct said){.arena = arena_create((size_t)1 << 28)};
    call_init(&call, store.engine, &caller, said->arena, 0);
    call.is_cancelled = is_cancelled;
    call.cancel_context = context;
    if (json_decode(str_from(json), &value_limits_default, said->arena, &params, &err) == ERR_OK &&
        call_open(&call, str_from(method), params, &err) == ERR_OK &&
        call_run(&call, &err) == ERR_OK) {
        said->bytes = (struct str){arena_copy(said->arena, call.answer.data, call.answer.len),
                                   call.answer.len};
        value_decode(said->bytes.data, said->bytes.len, &value_limits_default, said->arena,
                     &said->value, NULL);
    }
    said->code = err.code;
    if (err.code != ERR_OK && err.code != ERR_NOT_FOUND && err.code != ERR_CANCELLED) {
        fprintf(stderr, "%s %s: ", method, json);
        race_fault(err.message);
    }
    call_fini(&call);
}

static bool
at_some_question(void *context)
{
    return atomic_fetch_sub((atomic_int *)context, 1) <= 0;
}

/* The first list of the page and match.top, if nothing was written in between. */
static void
compare_with_top(const struct said *page)
{
    const msgpack_object *list = value_at(value_find(page->value, "lists"), 0);
    struct str id = {NULL, 0};
    struct said top;
    char json[200];

    if (!value_str(value_find(list, "id"), &id))
        return;
    snprintf(json, sizeof json, "{\"programme\": \"p\", \"id\": \"%.*s\", \"k\": 5}", STR_ARG(id));
    ask(&top, "match.top", json, NULL, NULL);
    if (top.code == ERR_OK && seq_of(top.value) == seq_of(page->value)) {
        if (!value_equal(value_find(top.value, "matches"), value_find(list, "matches")))
            race_fault("a list is another than that of match.top");
        n_compared++;
    }
    arena_destroy(top.arena);
}

static void *
read_on(void *context)
{
    unsigned seed = *(unsigned *)context;

    for (unsigned round = seed; !atomic_load(&is_over); round++) {
        const char *json =
            round % 2 == 0 ? "{\"programme\": \"p\", \"k\": 5, \"limit\": 50}"
                           : "{\"programme\": \"p\", \"k\": 5, \"side\": \"to\", \"limit\": 50}";
        atomic_int left = (int)(round % 7);
        bool goes_away = round % 4 == 3;
        struct said one, other;

        ask(&one, "match.each", json, goes_away ? at_some_question : NULL, &left);
        n_cancelled += one.code == ERR_CANCELLED;
        ask(&other, "match.each", json, NULL, NULL);
        if (one.code == ERR_OK && other.code == ERR_OK &&
            seq_of(one.value) == seq_of(other.value) && !str_equal(one.bytes, other.bytes))
            race_fault("two pages of one moment are not the same");
        if (other.code == ERR_OK)
            compare_with_top(&other);
        arena_destroy(one.arena);
        arena_destroy(other.arena);
    }
    return NULL;
}

static void
write_on(void)
{
    for (int round = 1; round <= ROUNDS; round++) {
        char json[80];

        race_put(&store, round % PROFILES, round);
        snprintf(json, sizeof json, "{\"id\": \"p%d\"}", round * 5 % PROFILES);
        if (round % 5 == 0)
            race_tell(&store, "profile.delete", json);
        if (round % 50 == 0)
            race_tell(&store, "profile.delete", "{\"id\": \"p4\", \"erase\": true}");
        if (round % 11 == 0)
            race_tell(&store, "outcome.put",
                      "{\"from\": \"p1\", \"to\": \"p6\", \"kind\": \"hosted\", \"at\": "
                      "\"2025-01-01\"}");
    }
}

int
main(void)
{
    pthread_t readers[READERS];
    unsigned seeds[READERS];

    race_store_open(&store, (struct engine_options){.helpers = HELPERS});
    race_put_programme(&store, 3);
    for (int i = 0; i < PROFILES; i++)
        race_put(&store, i, 0);
    for (unsigned i = 0; i < READERS; i++) {
        seeds[i] = i;
        if (pthread_create(&readers[i], NULL, read_on, &seeds[i]) != 0)
            return 1;
    }
    write_on();
    atomic_store(&is_over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    if (engine_helpers_take(store.engine, HELPERS + 1) != HELPERS)
        race_fault("not all helpers were given back");
    race_store_close(&store);
    if (n_compared == 0 || n_cancelled == 0)
        race_fault("nothing was compared, or nobody went away");
    return race_status();
}
