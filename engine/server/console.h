#ifndef JML_CONSOLE_H
#define JML_CONSOLE_H

#include "log.h"
#include "static_files.h"

#include <pthread.h>
#include <stdbool.h>

/*
 * console: the files of --console that are served now, and how the next set takes their place.
 *
 * The first set is read at the start. Each console_reload has the folder read again by a thread of its
 * own, since that may be tens of megabytes and the loops wait for nobody; once all of it is there it
 * takes the old one's place in one step. A fault keeps the old one. Either is logged: `reloaded` or
 * `reload.failed`, with part=console. Asking again while a reading goes on has it done once more.
 *
 * Holding from any thread; the rest on the main loop's.
 */
struct console {
    const char *folder; /* NULL: nothing is served */
    struct log *log;
    pthread_mutex_t lock; /* of the rest, but for the thread */
    struct static_files *files;
    bool is_reading, is_wanted_again;
    bool has_thread;
    pthread_t thread;
};

void console_init(struct console *console);
void console_fini(struct console *console); /* waits for a reading that goes on */

/* Errors as static_files_open. folder NULL: nothing to read. It and the log must outlive us. */
enum err_code console_open(struct console *console, const char *folder, struct log *log,
                           struct err *err);
void console_reload(struct console *console);

/* The files as they are now; to be dropped (static_files_drop). NULL: nothing is served. */
struct static_files *console_hold(struct console *console);

#endif
