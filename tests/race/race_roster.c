#include "columns.h"
#include "roster.h"
#include "value.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * One writer publishes roster after roster while three readers hold, read and drop them. In each
 * round the writer gives every profile the team size that is the round's number and an embedding that begins with
 * it, deletes and brings back one of them, and adds an outcome and a new id: so a roster that is seen
 * half-made, or changed after it was published, shows two numbers at once or a count that does not fit its seq.
 */
enum { N_READERS = 3, N_ROUNDS = 150, N_PROFILES = 600 };

static struct symbols *symbols;
static struct reference *reference; /* none of these values needs a table */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct roster *published;
static atomic_bool is_done;
static atomic_int n_wrong, n_read;

static void
expect(bool claim, const char *what, uint64_t seq)
{
    if (!claim) {
        fprintf(stderr, "seq %llu: %s\n", (unsigned long long)seq, what);
        atomic_fetch_add(&n_wrong, 1);
    }
}

static struct str
id_of(char text[32], int i)
{
    return (struct str){text, (size_t)snprintf(text, 32, "p%d", i)};
}

static struct facts *
facts_of(int i, int team)
{
    struct arena *arena = arena_create(1 << 16);
    const msgpack_object *open;
    struct facts *facts = NULL;
    struct buf packed;
    char id[32];
    const int8_t embedding[3] = {(int8_t)(1 + team % 100), (int8_t)(i % 100), 7};
    struct facts_input input = {.reference = reference, .symbols = symbols};

    buf_init(&packed, 1024);
    pack_map(&packed, 3);
    pack_key_str(&packed, "id", id_of(id, i));
    pack_key_int(&packed, "team", team);
    pack_key(&packed, "embedding");
    pack_bin(&packed, embedding, 2 + (uint32_t)team % 2); /* another length each round */
    if (arena != NULL && value_decode(packed.data, packed.len, &value_limits_default, arena, &open,
                                      NULL) == ERR_OK) {
        input.open = open;
        facts_build(&input, &facts, NULL);
    }
    buf_fini(&packed);
    arena_destroy(arena);
    if (facts == NULL)
        abort();
    return facts;
}

/* A row beside the others', if there is one, is of the same round. */
static uint32_t
read_row(const struct roster *roster, uint32_t row, uint64_t seq)
{
    uint32_t place = roster_place(roster, row);
    const struct block *block = roster_columns(roster)->tables[0].blocks[place / BLOCK_ROWS];
    const int8_t *embedding = block_embedding(block, place % BLOCK_ROWS, 2 + seq % 2);

    expect(embedding == NULL || embedding[0] == (int8_t)(1 + seq % 100), "another round's row",
           seq);
    return embedding != NULL;
}

static void
read_roster(const struct roster *roster)
{
    uint64_t seq = roster_seq(roster);
    uint32_t n = 0, n_embeddings = 0;
    char text[32];

    for (uint32_t row = 0; row < roster_rows(roster); row++) {
        const struct facts *facts = roster_facts(roster, row);
        const struct record *record = roster_record(roster, row);

        if (facts != NULL) {
            n++;
            n_embeddings += read_row(roster, row, seq);
            expect(facts_slot(facts, FIELD_TEAM)->number == (int64_t)seq, "another round's value",
                   seq);
        }
        for (uint32_t i = 1; record != NULL && i < record->n; i++)
            expect(record->outcomes[i - 1].day <= record->outcomes[i].day, "days out of order",
                   seq);
    }
    expect(n == roster_profiles(roster), "a wrong count", seq);
    expect(n_embeddings > n / 2, "rows for few", seq);
    expect(n == N_PROFILES - seq % 2, "deleted in odd rounds, there in even ones", seq);
    expect((roster_find(roster, STR_LIT("p7")) == ROSTER_NO_ROW) == (seq % 2 == 1),
           "found, though deleted, or not, though there", seq);
    for (int i = 0; i < N_PROFILES; i += 97) {
        uint32_t row = roster_find(roster, id_of(text, i));

        expect(row != ROSTER_NO_ROW && str_equal(roster_facts(roster, row)->id, id_of(text, i)),
               "not found", seq);
    }
    if (seq > 0)
        expect(roster_record(roster, roster_find(roster, STR_LIT("p0")))->n == seq,
               "one outcome a round", seq);
}

static void *
read_on(void *context)
{
    (void)context;
    while (!atomic_load(&is_done)) {
        struct roster *roster;

        pthread_mutex_lock(&lock);
        roster = roster_hold(published);
        pthread_mutex_unlock(&lock);
        read_roster(roster);
        roster_drop(roster);
        atomic_fetch_add(&n_read, 1);
    }
    return NULL;
}

static void
publish_round(int round)
{
    struct roster_edit *edit = roster_edit_begin(published);
    struct roster *next, *old;
    char ghost[32];
    bool is_well = edit != NULL;

    for (int i = 0; i < N_PROFILES && is_well; i++)
        is_well = roster_edit_put(edit, facts_of(i, round), NULL) == ERR_OK;
    if (is_well && round % 2 == 1)
        is_well = roster_edit_delete(edit, STR_LIT("p7")) == ERR_OK;
    snprintf(ghost, sizeof ghost, "ghost%d", round);
    if (is_well && round > 0)
        is_well = roster_edit_outcome(edit, STR_LIT("p0"), str_from(ghost), (round * 37) % 100,
                                      true, NULL) == ERR_OK;
    next = is_well ? roster_publish(edit, (uint64_t)round, NULL) : NULL;
    if (next == NULL)
        abort();
    pthread_mutex_lock(&lock);
    old = published;
    published = next;
    pthread_mutex_unlock(&lock);
    roster_drop(old);
}

int
main(void)
{
    static struct reference no_tables;
    pthread_t readers[N_READERS];

    reference = &no_tables;
    symbols = symbols_create();
    if (symbols == NULL)
        return EXIT_FAILURE;
    publish_round(0);
    for (int i = 0; i < N_READERS; i++)
        if (pthread_create(&readers[i], NULL, read_on, NULL) != 0)
            return EXIT_FAILURE;
    for (int round = 1; round <= N_ROUNDS; round++) {
        publish_round(round);
        while (atomic_load(&n_read) < round) /* the readers keep pace */
            sched_yield();
    }
    atomic_store(&is_done, true);
    for (int i = 0; i < N_READERS; i++)
        pthread_join(readers[i], NULL);
    roster_drop(published);
    symbols_destroy(symbols);
    printf("%d rounds, %d rosters read, %d wrong\n", N_ROUNDS, atomic_load(&n_read),
           atomic_load(&n_wrong));
    return atomic_load(&n_wrong) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
