#include "team.h"

#include <criterion/criterion.h>

#include <stdatomic.h>

enum { TASKS = 100 };

struct count {
    _Atomic int done[TASKS];
    _Atomic size_t n_done, n_members;
    size_t fails_at;
};

static enum err_code
count_task(struct team *team, size_t member, size_t task, struct err *err)
{
    struct count *count = team_context(team);

    if (task == count->fails_at)
        return err_set(err, ERR_BUSY, "task %zu", task);
    cr_assert_lt(member, count->n_members);
    count->done[task]++;
    count->n_done++;
    return ERR_OK;
}

Test(team, every_task_is_done_once_whatever_the_number_of_members)
{
    for (size_t n_members = 1; n_members <= 5; n_members++) {
        struct count count = {.fails_at = TASKS, .n_members = n_members};
        struct team_work work = {.n_tasks = TASKS, .run = count_task, .context = &count};
        struct err err = {0};

        cr_expect_eq(team_run(&work, n_members, &err), ERR_OK);
        for (int i = 0; i < TASKS; i++)
            cr_expect_eq(count.done[i], 1);
    }
}

Test(team, the_first_error_is_the_teams_and_no_task_begins_after_it)
{
    struct count count = {.fails_at = 7, .n_members = 1};
    struct team_work work = {.n_tasks = TASKS, .run = count_task, .context = &count};
    struct err err = {0};

    cr_expect_eq(team_run(&work, 1, &err), ERR_BUSY);
    cr_expect_str_eq(err.message, "task 7");
    cr_expect_eq(count.n_done, 7);
    count.n_members = 3;
    err = (struct err){0};
    cr_expect_eq(team_run(&work, 3, &err), ERR_BUSY);
    cr_expect_eq(count.done[7], 0);
}
