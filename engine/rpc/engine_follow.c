/* engine_follow.c: what a group changes is noted in an arena of bounded size, told, and forgotten. */
#include "engine_follow.h"

#include "arena.h"

void
follow_desk_init(struct follow_desk *desk)
{
    *desk = (struct follow_desk){.followers = NULL};
    pthread_mutex_init(&desk->lock, NULL);
}

void
follow_desk_fini(struct follow_desk *desk)
{
    arena_destroy(desk->arena);
    arena_destroy(desk->erased_arena);
    pthread_mutex_destroy(&desk->lock);
}

void
follow_desk_add(struct follow_desk *desk, struct follower *follower)
{
    pthread_mutex_lock(&desk->lock);
    follower->is_new = true; /* of a group in progress it may hear the end only */
    follower->next = desk->followers;
    desk->followers = follower;
    pthread_mutex_unlock(&desk->lock);
}

void
follow_desk_remove(struct follow_desk *desk, struct follower *follower)
{
    struct follower **link = &desk->followers;

    pthread_mutex_lock(&desk->lock);
    while (*link != NULL && *link != follower)
        link = &(*link)->next;
    if (*link != NULL)
        *link = follower->next;
    pthread_mutex_unlock(&desk->lock);
}

/* ---- noting ---- */

/* From here on no list is kept: it would not be whole. */
static void
note_everything(struct follow_desk *desk)
{
    struct engine_changes *changes = &desk->changes;

    changes->is_everything = true;
    changes->profiles = changes->programmes = NULL;
    changes->outcomes = NULL;
    desk->last_profile = desk->last_programme = NULL;
    desk->last_outcome = NULL;
    if (desk->arena != NULL)
        arena_reset(desk->arena);
}

/* NULL where everything is said to have changed, be it for want of memory. */
static void *
note_alloc(struct follow_desk *desk, size_t size)
{
    void *memory = NULL;

    if (desk->changes.is_everything)
        return NULL;
    if (desk->arena == NULL)
        desk->arena = arena_create(FOLLOW_BYTES);
    if (desk->arena != NULL)
        memory = arena_alloc(desk->arena, 1, size);
    if (memory == NULL)
        note_everything(desk);
    return memory;
}

static struct str
note_str(struct follow_desk *desk, struct str s)
{
    char *memory = note_alloc(desk, s.len);

    if (memory == NULL)
        return (struct str){NULL, 0};
    for (size_t i = 0; i < s.len; i++)
        memory[i] = s.data[i];
    return (struct str){memory, s.len};
}

static void
note_id(struct follow_desk *desk, const struct changed_id **first, struct changed_id **last,
        struct str id, bool is_gone)
{
    struct str copy = note_str(desk, id);
    struct changed_id *changed = note_alloc(desk, sizeof *changed);

    if (changed == NULL)
        return;
    *changed = (struct changed_id){.id = copy, .is_gone = is_gone};
    if (*last != NULL)
        (*last)->next = changed;
    else
        *first = changed;
    *last = changed;
}

void
follow_note_profile(struct follow_desk *desk, struct str id, bool is_gone)
{
    note_id(desk, &desk->changes.profiles, &desk->last_profile, id, is_gone);
}

void
follow_note_programme(struct follow_desk *desk, struct str id, bool is_gone)
{
    note_id(desk, &desk->changes.programmes, &desk->last_programme, id, is_gone);
}

void
follow_note_outcome(struct follow_desk *desk, struct str from, struct str to)
{
    struct str from_copy = note_str(desk, from), to_copy = note_str(desk, to);
    struct added_outcome *outcome = note_alloc(desk, sizeof *outcome);

    if (outcome == NULL)
        return;
    *outcome = (struct added_outcome){.from = from_copy, .to = to_copy};
    if (desk->last_outcome != NULL)
        desk->last_outcome->next = outcome;
    else
        desk->changes.outcomes = outcome;
    desk->last_outcome = outcome;
}

/* What must not be told can't be left out for want of memory: then no id is, and has_erased alone says it. */
void
follow_note_erased(struct follow_desk *desk, struct str id)
{
    struct engine_changes *changes = &desk->changes;
    bool was_lost = changes->has_erased && changes->erased == NULL;
    struct changed_id *erased = NULL;

    changes->has_erased = true;
    if (desk->erased_arena == NULL)
        desk->erased_arena = arena_create(FOLLOW_BYTES);
    if (desk->erased_arena != NULL && !was_lost)
        erased = arena_alloc(desk->erased_arena, 1, sizeof *erased);
    if (erased != NULL)
        *erased = (struct changed_id){.id = arena_str(desk->erased_arena, id), .is_gone = true};
    if (erased == NULL || erased->id.data == NULL) {
        changes->erased = NULL;
        return;
    }
    if (changes->erased != NULL)
        desk->last_erased->next = erased;
    else
        changes->erased = erased;
    desk->last_erased = erased;
}

void
follow_note_rows(struct follow_desk *desk)
{
    note_everything(desk);
    desk->changes.has_new_rows = true;
}

void
follow_note_tables(struct follow_desk *desk)
{
    follow_note_rows(desk);
    desk->changes.has_new_tables = true;
}

void
follow_note_day(struct follow_desk *desk, int32_t day)
{
    desk->changes.has_new_day = true;
    desk->changes.day = day;
}

/* ---- telling ---- */

void
follow_forget(struct follow_desk *desk)
{
    note_everything(desk); /* drops the lists */
    if (desk->erased_arena != NULL)
        arena_reset(desk->erased_arena);
    desk->changes = (struct engine_changes){.seq = 0};
}

static bool
is_anything(const struct engine_changes *changes)
{
    return changes->is_everything || changes->has_new_day || changes->has_erased ||
           changes->profiles != NULL || changes->programmes != NULL || changes->outcomes != NULL;
}

static void
tell_one(struct follower *follower, const struct engine_changes *changes)
{
    struct engine_changes first = *changes;

    if (!follower->is_new) {
        follower->tell(follower->context, changes);
        return;
    }
    follower->is_new = false;
    first.is_everything = true;
    first.profiles = first.programmes = NULL;
    first.outcomes = NULL;
    follower->tell(follower->context, &first);
}

void
follow_tell(struct follow_desk *desk, uint64_t seq)
{
    if (is_anything(&desk->changes)) {
        desk->changes.seq = seq;
        pthread_mutex_lock(&desk->lock);
        for (struct follower *f = desk->followers; f != NULL; f = f->next)
            tell_one(f, &desk->changes);
        pthread_mutex_unlock(&desk->lock);
    }
    follow_forget(desk);
}
