#ifndef JML_DAEMON_H
#define JML_DAEMON_H

#include "tool.h"

#include <sys/types.h>

/*
 * daemon: the real service on a store in a tool's folder, for as long as a test needs it.
 *
 * Listens at `<dir>/the sock`, since a path may hold a space, and at ports of 127.0.0.1 that the system chooses. Waiting is for
 * lines of its log, with a deadline.
 */
struct daemon {
    pid_t pid;      /* 0: not running */
    int log;        /* its standard error */
    char tcp[64];   /* tcp:127.0.0.1:PORT */
    char unix_[96]; /* unix:<dir>/the sock */
    char http[64];  /* http://127.0.0.1:PORT */
    char tls[64];   /* tls:127.0.0.1:PORT, if it was started so */
};

/* Returns when it is ready. store: a folder in the tool's; limit: NULL, or one such as
 * "frame_bytes=65536". */
void daemon_start(struct daemon *daemon, const struct tool *tool, const char *store,
                  const char *limit);
/* Listens in TLS too, with right.pem and right.key of a folder in the tool's. */
void daemon_start_tls(struct daemon *daemon, const struct tool *tool, const char *store,
                      const char *certificates);
void daemon_stop(struct daemon *daemon); /* SIGTERM, and its end with status 0 */
void daemon_kill(struct daemon *daemon); /* SIGKILL; nothing if it does not run */

#endif
