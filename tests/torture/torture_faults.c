/*
 * torture_faults: the N-th write, sync, open or rename of a scripted sequence fails, for N = 1, 2, 3 … until
 * none does. What was answered is there after the next opening, what was refused is not, nothing is in
 * part, and the store opens.
 *
 * The sequence runs in a child process, on a copy of a prepared store, so that a crash is seen and what is
 * looked at afterwards was on disk. In the plain suite each seventh N is tried; with 50 JML_ROUNDS and more all of them.
 */
#include "disturb.h"
#include "file.h"
#include "torture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEPS_MOST = 16, STRIDE = 7 };
#define PROFILE(id, name) \
    "{\"id\": \"" id "\", \"kind\": \"incubator\", \"metro\": \"paris\", \"name\": \"" name "\"}"

/* What a step leaves in the store. */
struct look {
    struct store_read *read;
    const char *dir;
};

static bool
has_profile(struct look *look, const char *id)
{
    struct profile_record record;
    struct err err = {0};

    return store_profile_get(look->read, str_from(id), &record, &err) == ERR_OK;
}

static bool
profile_says(struct look *look, const char *id, const char *text)
{
    struct profile_record record;
    struct err err = {0};

    return store_profile_get(look->read, str_from(id), &record, &err) == ERR_OK &&
           memmem(record.open.data, record.open.len, text, strlen(text)) != NULL;
}

static enum torture_state
state_of(bool is_done)
{
    return is_done ? TORTURE_WHOLE : TORTURE_ABSENT;
}

static enum torture_state
look_put(struct look *look)
{
    return state_of(has_profile(look, "new-1"));
}

static enum torture_state
look_patch(struct look *look)
{
    return state_of(profile_says(look, "old-1", "patched"));
}

static enum torture_state
look_many(struct look *look)
{
    bool a = has_profile(look, "new-2"), b = has_profile(look, "new-3");

    return a == b ? state_of(a) : TORTURE_TORN;
}

static enum torture_state
look_outcome(struct look *look)
{
    struct outcome_record record;
    struct store_walk *walk;
    struct err err = {0};
    bool is_there;

    if (store_walk_outcomes(look->read, 0, &walk, &err) != ERR_OK)
        return TORTURE_TORN;
    is_there = store_walk_next_outcome(walk, &record, &err);
    store_walk_end(walk);
    return state_of(is_there);
}

static enum torture_state
look_delete(struct look *look)
{
    return state_of(!has_profile(look, "old-2"));
}

static enum torture_state
look_merge(struct look *look)
{
    struct str note;
    struct err err = {0};
    bool is_gone = !has_profile(look, "old-4");
    bool is_noted = store_setting_get(look->read, "merge/old-4", &note, &err) == ERR_OK;

    return is_gone == is_noted ? state_of(is_gone) : TORTURE_TORN;
}

static enum torture_state
look_erase(struct look *look)
{
    struct version_record version;
    struct err err = {0};
    bool has_history =
        store_profile_version(look->read, STR_LIT("old-5"), 1, &version, &err) == ERR_OK;

    return has_profile(look, "old-5") == has_history ? state_of(!has_history) : TORTURE_TORN;
}

static enum torture_state
look_after(struct look *look)
{
    return state_of(has_profile(look, "new-4"));
}

static enum torture_state
look_backup(struct look *look)
{
    struct store_backup backup;
    struct err err = {0};
    char path[2 * TORTURE_PATH];

    snprintf(path, sizeof path, "%s/backups/b", look->dir);
    return state_of(store_backup_read(path, &backup, &err) == ERR_OK && backup.is_verified);
}

static const struct step {
    const char *method, *json;
    enum torture_state (*look)(struct look *look);
    bool may_be_half; /* its own sentence says that it is to be asked again */
} steps[] = {
    {"profile.put", "{\"profile\": " PROFILE("new-1", "new") "}", look_put, false},
    {"profile.patch", "{\"id\": \"old-1\", \"changes\": {\"name\": \"patched\"}}", look_patch,
     false},
    {"profile.put_many",
     "{\"profiles\": [" PROFILE("new-2", "new") ", " PROFILE("new-3", "new") "]}", look_many,
     false},
    {"outcome.put",
     "{\"from\": \"old-1\", \"to\": \"old-3\", \"kind\": \"hosted\", \"at\": \"2026-01-02\"}",
     look_outcome, false},
    {"profile.delete", "{\"id\": \"old-2\"}", look_delete, false},
    {"profile.merge", "{\"keep\": \"old-3\", \"drop\": \"old-4\"}", look_merge, false},
    {"profile.delete", "{\"id\": \"old-5\", \"erase\": true}", look_erase, true},
    {"profile.put", "{\"profile\": " PROFILE("new-4", "new") "}", look_after, false},
    {"backup.create", "{\"name\": \"b\"}", look_backup, true},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static const struct kind {
    const char *says;
    unsigned calls;
    int error_number;
    bool and_after;
} kinds[] = {
    {"a write: EIO", DISTURB_WRITE, EIO, false},
    {"a write: no space", DISTURB_WRITE, ENOSPC, false},
    {"a write comes back short", DISTURB_WRITE, 0, false},
    {"this write and every later one: no space", DISTURB_WRITE, ENOSPC, true},
    {"a sync: EIO", DISTURB_SYNC, EIO, false},
    {"this sync and every later one: EIO", DISTURB_SYNC, EIO, true},
    {"an open: no permission", DISTURB_OPEN, EACCES, false},
    {"a rename: EIO", DISTURB_RENAME, EIO, false},
};

/* Shared with the child: what was answered, until it died. */
struct report {
    bool has_opened, has_happened, has_ended;
    int n_answered;
    enum err_code codes[STEPS_MOST];
};

static void
run_steps(const char *dir, const struct disturbance *fault, struct report *report)
{
    struct err err = {0};
    struct engine *engine;

    disturb_set(fault);
    engine = torture_engine(dir, &err);
    if (engine != NULL) {
        report->has_opened = true;
        for (int i = 0; i < STEPS; i++) {
            report->codes[i] = torture_call(engine, steps[i].method, steps[i].json, &err);
            report->n_answered = i + 1;
        }
        engine_close(engine);
    }
    report->has_happened = disturb_happened();
    report->has_ended = true;
}

static void
check_step(int i, struct look *look, const struct report *report, const char *kind, long n)
{
    enum torture_state state = steps[i].look(look);
    enum err_code code = report->codes[i];
    bool was_asked = i < report->n_answered;

    torture_check(state != TORTURE_TORN, "%s, n=%ld: step %d is there in part", kind, n, i);
    if (was_asked && code == ERR_OK)
        torture_check(state == TORTURE_WHOLE, "%s, n=%ld: step %d was answered and is lost", kind,
                      n, i);
    else if (!was_asked || (code != ERR_INTERNAL && !steps[i].may_be_half))
        torture_check(state == TORTURE_ABSENT, "%s, n=%ld: step %d was refused (%s) and is there",
                      kind, n, i, err_name(was_asked ? code : ERR_OK));
}

static void
check_after(const char *dir, const struct report *report, const char *kind, long n)
{
    struct look look = {.dir = dir};
    struct err err = {0};
    struct store *store = torture_store(dir, &err);

    torture_check(store != NULL, "%s, n=%ld: the store does not open: %s", kind, n, err.message);
    if (store == NULL)
        return;
    if (store_read_begin(store, &look.read, &err) == ERR_OK) {
        for (int i = 0; i < STEPS; i++)
            check_step(i, &look, report, kind, n);
        store_read_end(look.read);
    }
    torture_check_journal(store);
    store_close(store);
}

static int
    n_refused; /* by this program's own count: a run that refuses nothing has shown nothing */

/* False: nothing failed any more. */
static bool
try(const char *template, const char *work, const struct kind *kind, long n, struct report *report)
{
    struct disturbance fault = {.calls = kind->calls,
                                .n = n,
                                .error_number = kind->error_number,
                                .and_after = kind->and_after,
                                .below = work};
    int status;
    pid_t child;

    torture_copy(template, work);
    *report = (struct report){.n_answered = 0};
    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(60);
        run_steps(work, &fault, report);
        _exit(0);
    }
    waitpid(child, &status, 0);
    for (int i = 0; i < report->n_answered; i++)
        n_refused += report->codes[i] != ERR_OK;
    torture_check(WIFEXITED(status) && WEXITSTATUS(status) == 0 && report->has_ended,
                  "%s, n=%ld: the process died (%d) after %d answers", kind->says, n, status,
                  report->n_answered);
    check_after(work, report, kind->says, n);
    torture_remove(work);
    return report->has_happened;
}

static void
prepare(const char *dir)
{
    static const char *const ids[] = {"old-1", "old-2", "old-3", "old-4", "old-5"};
    struct err err = {0};
    struct engine *engine = torture_engine(dir, &err);

    torture_check(engine != NULL, "cannot prepare a store: %s", err.message);
    if (engine == NULL)
        exit(torture_end("torture_faults"));
    for (int i = 0; i < 5; i++) {
        char json[256];

        snprintf(json, sizeof json,
                 "{\"profile\": {\"id\": \"%s\", \"kind\": \"incubator\", \"metro\": \"paris\", "
                 "\"name\": \"old\"}}",
                 ids[i]);
        torture_check(torture_call(engine, "profile.put", json, &err) == ERR_OK, "%s", err.message);
    }
    engine_close(engine);
}

int
main(void)
{
    int stride = torture_rounds(0) >= TORTURE_DEEP ? 1 : STRIDE;
    char dir[TORTURE_PATH], template[2 * TORTURE_PATH], work[2 * TORTURE_PATH];
    struct report *report =
        mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (report == MAP_FAILED)
        return 1;
    torture_dir(dir);
    snprintf(template, sizeof template, "%s/template", dir);
    snprintf(work, sizeof work, "%s/work", dir);
    prepare(template);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        long n = 1 + (long)k % stride, n_tried = 0;

        for (; try(template, work, &kinds[k], n, report); n += stride)
            n_tried++;
        torture_check(n_tried > 0, "%s: nothing failed", kinds[k].says);
        torture_check(report->has_opened && report->codes[0] == ERR_OK,
                      "%s: without a fault it does not work", kinds[k].says);
        torture_check(n_refused > 0, "%s: nothing was refused", kinds[k].says);
        printf("%s: %ld tried, up to n=%ld; %d refused\n", kinds[k].says, n_tried, n, n_refused);
        n_refused = 0;
        fflush(stdout);
    }
    torture_remove(dir);
    munmap(report, sizeof *report);
    return torture_end("torture_faults");
}
