#include "team.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct team {
    const struct team_work *work;
    _Atomic size_t next;
    _Atomic bool must_stop;
    pthread_mutex_t lock; /* around the error */
    struct err err;       /* the first */
};

struct member {
    struct team *team;
    size_t number;
    pthread_t thread;
};

void *
team_context(const struct team *team)
{
    return team->work->context;
}

bool
team_must_stop(const struct team *team)
{
    return atomic_load(&team->must_stop);
}

static void
note_failure(struct team *team, const struct err *err)
{
    pthread_mutex_lock(&team->lock);
    if (team->err.code == ERR_OK)
        team->err = *err;
    atomic_store(&team->must_stop, true);
    pthread_mutex_unlock(&team->lock);
}

static void *
take_part(void *context)
{
    const struct member *member = context;
    struct team *team = member->team;

    while (!team_must_stop(team)) {
        size_t task = atomic_fetch_add(&team->next, 1);
        struct err err = {0};

        if (task >= team->work->n_tasks)
            break;
        if (team->work->run(team, member->number, task, &err) != ERR_OK)
            note_failure(team, &err);
    }
    return NULL;
}

enum err_code
team_run(const struct team_work *work, size_t n_members, struct err *err)
{
    struct team team = {.work = work, .lock = PTHREAD_MUTEX_INITIALIZER};
    struct member members[TEAM_MOST] = {{.team = &team}};
    size_t n = 1, most = n_members < TEAM_MOST ? n_members : TEAM_MOST;
    sigset_t all, before;

    sigfillset(&all); /* signals are for those who wait for them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; n < most && n < work->n_tasks; n++) {
        members[n] = (struct member){.team = &team, .number = n};
        if (pthread_create(&members[n].thread, NULL, take_part, &members[n]) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    take_part(&members[0]);
    while (n > 1)
        pthread_join(members[--n].thread, NULL);
    pthread_mutex_destroy(&team.lock);
    if (team.err.code != ERR_OK)
        *err = team.err;
    return team.err.code;
}
