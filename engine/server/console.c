#include "console.h"

#include <signal.h>

void
console_init(struct console *console)
{
    *console = (struct console){.folder = NULL};
    pthread_mutex_init(&console->lock, NULL);
}

void
console_fini(struct console *console)
{
    if (console->has_thread)
        pthread_join(console->thread, NULL);
    static_files_drop(console->files);
    pthread_mutex_destroy(&console->lock);
}

enum err_code
console_open(struct console *console, const char *folder, struct log *log, struct err *err)
{
    console->folder = folder;
    console->log = log;
    return folder != NULL ? static_files_open(folder, NULL, &console->files, err) : ERR_OK;
}

struct static_files *
console_hold(struct console *console)
{
    struct static_files *files;

    if (console->folder == NULL)
        return NULL;
    pthread_mutex_lock(&console->lock);
    files = static_files_hold(console->files);
    pthread_mutex_unlock(&console->lock);
    return files;
}

/* ---- reading again ---- */

static void
tell_failed(const struct console *console, const struct err *err)
{
    log_event(console->log, LOG_LEVEL_ERROR, "reload.failed", log_text("part", "console"),
              log_text("why", err->message));
}

static void
read_again(struct console *console)
{
    struct static_files *next, *old;
    struct err err = {0};

    if (static_files_open(console->folder, NULL, &next, &err) != ERR_OK) {
        tell_failed(console, &err);
        return;
    }
    pthread_mutex_lock(&console->lock);
    old = console->files;
    console->files = next;
    pthread_mutex_unlock(&console->lock);
    static_files_drop(old);
    log_event(console->log, LOG_LEVEL_INFO, "reloaded", log_text("part", "console"),
              log_int("files", (int64_t)static_files_count(next)),
              log_int("bytes", (int64_t)static_files_bytes(next)),
              log_int("left_out", (int64_t)static_files_left_out(next)));
}

static void *
keep_reading(void *context)
{
    struct console *console = context;
    bool goes_on = true;

    while (goes_on) {
        read_again(console);
        pthread_mutex_lock(&console->lock);
        goes_on = console->is_wanted_again;
        console->is_wanted_again = false;
        console->is_reading = goes_on;
        pthread_mutex_unlock(&console->lock);
    }
    return NULL;
}

/* Signals are the main loop's. */
static int
start_reading(struct console *console)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&console->thread, NULL, keep_reading, console);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

void
console_reload(struct console *console)
{
    struct err err = {0};
    bool was_reading;
    int rc;

    if (console->folder == NULL)
        return;
    pthread_mutex_lock(&console->lock);
    was_reading = console->is_reading;
    console->is_wanted_again = was_reading;
    console->is_reading = true;
    pthread_mutex_unlock(&console->lock);
    if (was_reading)
        return;
    if (console->has_thread) /* it has read all it had to */
        pthread_join(console->thread, NULL);
    rc = start_reading(console);
    console->has_thread = rc == 0;
    if (rc == 0)
        return;
    console->is_reading = false; /* nobody else is there to see it */
    err_set_sys(&err, rc, "start a thread that reads the console's files");
    tell_failed(console, &err);
}
