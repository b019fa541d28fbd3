#ifndef JML_TEAM_H
#define JML_TEAM_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * team: several threads for one piece of work, of which the caller's is the first.
 *
 * Tasks are numbers 0 … n_tasks - 1, handed out in order to whichever member is free; what they make must
 * not depend on who makes it. The first error ends the work: no task begins after it, those under way
 * can ask team_must_stop, and that error is the team's. Threads that the system refuses are done
 * without. team_run returns when every member has ended; nothing outlives it.
 */
enum { TEAM_MOST = 64 };
struct team;
struct team_work {
    size_t n_tasks;
    /* Any member's thread; member is 0 for the caller's, and below n_members. */
    enum err_code (*run)(struct team *team, size_t member, size_t task, struct err *err);
    void *context;
};

enum err_code team_run(const struct team_work *work, size_t n_members, struct err *err);
void *team_context(const struct team *team);
bool team_must_stop(const struct team *team); /* somebody has failed */

#endif
