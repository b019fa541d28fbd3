/*
 * guest.c: the first program of an emulated machine on which servers are counted (emulated.py makes it).
 *
 * The emulator gives every instruction one nanosecond of the machine's time, so that the processor time of
 * a process is the number of instructions that it ran, in the kernel's code as in its own. What is to be
 * done stands in /plan, a line a step, words apart by single spaces:
 *
 *     start NAME PROGRAM ARGUMENT…          runs from now on; its output goes to /NAME.log
 *     await NAME TEXT                       until its output holds TEXT
 *     run PROGRAM ARGUMENT…                 to its end, which must be a good one
 *     count LABEL NAME PROGRAM ARGUMENT…    the same, and says what it has cost the server NAME
 *     hurry NAME                            from now on its first thread runs as soon as it can
 *
 * Else nobody is interrupted by being awaited: who runs goes on until nothing is left to do or the time is up. So
 * a server that is asked over N connections finds N requests when it wakes, whoever it is; in a hurry, always one.
 *
 * A count is a line "count LABEL SERVER ASKER SWITCHES" on the console: instructions of the server, those of the
 * program from its start to its end, and how often the server was switched away from. At the plan's end "all right"
 * is said; at the first fault what is wrong. Then the machine is switched off.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SERVERS = 8, WORDS = 64, LINE_BYTES = 16 * 1024, LOG_BYTES = 64 * 1024 };
enum { LOOKS = 3000, LOOK_NS = 10 * 1000 * 1000 }; /* at a log that is waited for: half a minute */

static struct server {
    char name[32];
    pid_t pid;
    clockid_t clock;
} servers[SERVERS];

static _Noreturn void
end(void)
{
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

static _Noreturn void
fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("failed: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    end();
}

static int64_t
now_ns(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) != 0)
        fail("a clock: %s", strerror(errno));
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static const char *
log_of(const char *name)
{
    static char path[64];

    snprintf(path, sizeof path, "/%s.log", name);
    return path;
}

/* The last of what a program has said. */
static const char *
last_words(const char *path)
{
    static char text[LOG_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;

    if (fd >= 0) {
        off_t size = lseek(fd, 0, SEEK_END);

        n = pread(fd, text, sizeof text - 1, size < LOG_BYTES ? 0 : size - LOG_BYTES + 1);
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static pid_t
launch(char **words, const char *log)
{
    pid_t pid = fork();

    if (pid < 0)
        fail("fork: %s", strerror(errno));
    if (pid == 0) {
        int in[2], out = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        /* an input that never ends: the echo ends with it */
        if (pipe(in) != 0 || out < 0 || dup2(in[0], 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
            _exit(126);
        execv(words[0], words);
        dprintf(2, "%s: %s\n", words[0], strerror(errno));
        _exit(127);
    }
    return pid;
}

static struct server *
server_of(const char *name)
{
    for (size_t i = 0; i < SERVERS; i++)
        if (servers[i].pid != 0 && strcmp(servers[i].name, name) == 0)
            return &servers[i];
    fail("there is no server %s", name);
}

static void
start(char **words)
{
    struct server *server = servers;

    while (server->pid != 0)
        if (++server == servers + SERVERS)
            fail("too many servers");
    snprintf(server->name, sizeof server->name, "%s", words[0]);
    server->pid = launch(words + 1, log_of(words[0]));
    if (clock_getcpuclockid(server->pid, &server->clock) != 0)
        fail("the clock of %s", words[0]);
}

static void
await(char **words)
{
    const struct timespec look = {0, LOOK_NS};

    for (int i = 0; strstr(last_words(log_of(words[0])), words[1]) == NULL; i++) {
        if (i == LOOKS || waitpid(server_of(words[0])->pid, NULL, WNOHANG) != 0)
            fail("%s did not start: %s", words[0], last_words(log_of(words[0])));
        nanosleep(&look, NULL); /* of the machine's time, which passes at once while nothing runs */
    }
}

/* Returns the processor time that it took, as instructions. */
static int64_t
run(char **words)
{
    struct rusage used;
    int status;
    pid_t pid = launch(words, "/run.log");

    if (wait4(pid, &status, 0, &used) != pid || status != 0)
        fail("%s ended with %d: %s", words[0], status, last_words("/run.log"));
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
           ((int64_t)used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static uint64_t
switches_of(const struct server *server)
{
    char path[64];
    const char *text;
    uint64_t total = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    text = last_words(path);
    for (const char *at = text; (at = strstr(at, "ctxt_switches:")) != NULL; at++)
        total += strtoull(at + strlen("ctxt_switches:"), NULL, 10);
    return total;
}

static void
count(char **words)
{
    const struct server *server = server_of(words[1]);
    uint64_t switches = switches_of(server);
    int64_t before = now_ns(server->clock);
    int64_t asker = run(words + 2);
    int64_t cost = now_ns(server->clock) - before;

    printf("count %s %" PRId64 " %" PRId64 " %" PRIu64 "\n", words[0], cost, asker,
           switches_of(server) - switches);
    fflush(stdout);
}

/* So many instructions of our own, and what the clock says they were: the timer's interrupts come on top. */
static void
prove(void)
{
    const int64_t instructions = 100 * 1000 * 1000;
    int64_t rounds = instructions / 2, before = now_ns(CLOCK_PROCESS_CPUTIME_ID);

    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds) : : "cc");
    printf("proof %" PRId64 " %" PRId64 "\n", instructions,
           now_ns(CLOCK_PROCESS_CPUTIME_ID) - before);
}

static void
hurry(char **words)
{
    const struct sched_param first = {.sched_priority = 1};

    if (sched_setscheduler(server_of(words[0])->pid, SCHED_FIFO, &first) != 0)
        fail("hurry %s: %s", words[0], strerror(errno));
}

static void
follow(const char *plan)
{
    static const struct {
        const char *name;
        void (*take)(char **words);
        size_t n_least;
    } steps[] = {
        {"start", start, 2}, {"await", await, 2}, {"count", count, 3}, {"hurry", hurry, 1}};
    FILE *file = fopen(plan, "re");
    static char line[LINE_BYTES];

    if (file == NULL)
        fail("%s: %s", plan, strerror(errno));
    while (fgets(line, sizeof line, file) != NULL) {
        char *words[WORDS + 1] = {NULL}, *rest = NULL;
        size_t n = 0, i = 0;

        for (char *word = strtok_r(line, " \n", &rest); word != NULL && n < WORDS;
             word = strtok_r(NULL, " \n", &rest))
            words[n++] = word;
        if (n >= 2 && strcmp(words[0], "run") == 0) {
            run(words + 1);
            continue;
        }
        while (i < sizeof steps / sizeof steps[0] &&
               (n == 0 || strcmp(words[0], steps[i].name) != 0))
            i++;
        if (i == sizeof steps / sizeof steps[0] || n <= steps[i].n_least)
            fail("no step: %s", line);
        steps[i].take(words + 1);
    }
    fclose(file);
}

static void
set_up(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    mkdir("/proc", 0755);
    mkdir("/dev", 0755);
    mkdir("/tmp", 01777);
    if (mount("proc", "/proc", "proc", 0, NULL) != 0 ||
        (mount("dev", "/dev", "devtmpfs", 0, NULL) != 0 && errno != EBUSY))
        fail("mount: %s", strerror(errno));
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
        fail("the loopback interface: %s", strerror(errno));
    close(fd);
}

int
main(void)
{
    const struct sched_param none = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    if (sched_setscheduler(0, SCHED_BATCH, &none) != 0)
        fail("the order of turns: %s", strerror(errno));
    setenv("JUMELAGE_SHARE", "/share", 1); /* NOLINT: one thread */
    prove();
    follow("/plan");
    printf("all right\n");
    end();
}
