#include "daemon.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_MS = 30000, LOG_BYTES = 16384 };

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
become(const struct tool *tool, const char *store, const char *limit, const char *certificates,
       int log)
{
    char cert[100], key[100];
    const char *argv[20] = {"jumelaged",       "--data",        store,
                            "--listen",        "unix:the sock", "--listen",
                            "tcp:127.0.0.1:0", "--listen",      "http:127.0.0.1:0"};
    size_t n = 9;

    if (limit != NULL) {
        argv[n++] = "--limit";
        argv[n++] = limit;
    }
    if (certificates != NULL) {
        const char *more[] = {"--listen", "tls:127.0.0.1:0", "--tls-cert", cert, "--tls-key", key};

        snprintf(cert, sizeof cert, "%s/right.pem", certificates);
        snprintf(key, sizeof key, "%s/right.key", certificates);
        memcpy(argv + n, more, sizeof more);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    dup2(log, STDERR_FILENO);
    if (chdir(tool->dir) == 0)
        execv(JML_DAEMON, (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* Reads the log until a line holds the text; `all` has everything so far. */
static void
await(const struct daemon *daemon, const char *text, char all[LOG_BYTES])
{
    int64_t end_ms = now_ms() + DEADLINE_MS;
    size_t len = strlen(all);

    while (strstr(all, text) == NULL) {
        struct pollfd ready = {.fd = daemon->log, .events = POLLIN};
        ssize_t n = 0;

        if (poll(&ready, 1, (int)(end_ms - now_ms())) == 1)
            n = read(daemon->log, all + len, LOG_BYTES - 1 - len);
        cr_assert_gt(n, 0, "no \"%s\" in the log of the service:\n%s", text, all);
        len += (size_t)n;
        all[len] = '\0';
    }
}

/* An address that stands in the log. */
static void
find_address(char out[64], const char *all, const char *head)
{
    const char *address = strstr(all, head);

    cr_assert_not_null(address, "%s", all);
    snprintf(out, 64, "%.*s", (int)strcspn(address, " \n"), address);
}

static void
start(struct daemon *daemon, const struct tool *tool, const char *store, const char *limit,
      const char *certificates)
{
    char all[LOG_BYTES] = "", address[64];
    int fds[2];

    snprintf(daemon->unix_, sizeof daemon->unix_, "unix:%s/the sock", tool->dir);
    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    daemon->pid = fork();
    cr_assert_geq(daemon->pid, 0);
    if (daemon->pid == 0)
        become(tool, store, limit, certificates, fds[1]);
    close(fds[1]);
    daemon->log = fds[0];
    await(daemon, " ready ", all);
    find_address(daemon->tcp, all, "tcp:127.0.0.1:");
    find_address(address, all, "http:127.0.0.1:");
    snprintf(daemon->http, sizeof daemon->http, "http://%.50s", address + strlen("http:"));
    if (certificates != NULL)
        find_address(daemon->tls, all, "tls:127.0.0.1:");
}

void
daemon_start(struct daemon *daemon, const struct tool *tool, const char *store, const char *limit)
{
    start(daemon, tool, store, limit, NULL);
}

void
daemon_start_tls(struct daemon *daemon, const struct tool *tool, const char *store,
                 const char *certificates)
{
    start(daemon, tool, store, NULL, certificates);
}

void
daemon_stop(struct daemon *daemon)
{
    char all[LOG_BYTES] = "";
    int status;

    kill(daemon->pid, SIGTERM);
    await(daemon, " ended", all);
    cr_assert_eq(waitpid(daemon->pid, &status, 0), daemon->pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the service ended with %d", status);
    cr_expect_null(strstr(all, "Sanitizer"), "%s", all);
    close(daemon->log);
    daemon->pid = 0;
}

void
daemon_kill(struct daemon *daemon)
{
    if (daemon->pid == 0)
        return;
    kill(daemon->pid, SIGKILL);
    waitpid(daemon->pid, NULL, 0);
    close(daemon->log);
    daemon->pid = 0;
}
