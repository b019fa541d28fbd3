/* test_sandbox.c: what a process may still do, tried in a child that shuts itself in. */
#include "clock.h"
#include "sandbox.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_INSIDE = 99, PATH_ROOM = 256 };

static char folder[] = "/tmp/jml-sandbox-XXXXXX";
static int before; /* a descriptor from before the walls */

/* ---- what is tried: 0 if it was done, else its errno ---- */

static int
answer(long result)
{
    return result >= 0 ? 0 : errno;
}

static const char *
inside(const char *name)
{
    static char path[PATH_ROOM];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int
try_execve(void)
{
    char *words[] = {(char[]){"/bin/true"}, NULL};

    return answer(execve(words[0], words, words + 1));
}

static int
try_ptrace(void)
{
    return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_inet_socket(void)
{
    return answer(socket(AF_INET, SOCK_STREAM, 0));
}

static int
try_connect(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    return answer(connect(before, (struct sockaddr *)&name, sizeof name));
}

static int
try_shadow(void)
{
    return answer(open("/etc/shadow", O_RDONLY));
}

static int
try_write_elsewhere(void)
{
    return answer(open("/tmp/jml-sandbox-stray", O_WRONLY | O_CREAT, 0600));
}

static int
try_write_what_is_read(void)
{
    return answer(open("/etc/group", O_WRONLY));
}

static int
try_executable_memory(void)
{
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED ? 0 : errno;
}

static int
try_read_own(void)
{
    return answer(open("/etc/group", O_RDONLY));
}

static int
try_keep_a_file(void)
{
    char other[PATH_ROOM];
    int fd = open(inside("new"), O_RDWR | O_CREAT, 0600);

    if (fd < 0 || write(fd, "x", 1) != 1 || fsync(fd) != 0 || close(fd) != 0)
        return errno;
    snprintf(other, sizeof other, "%s/other", folder);
    return rename(inside("new"), other) == 0 ? answer(unlink(other)) : errno;
}

static void *
nothing(void *context)
{
    return context;
}

static int
try_thread(void)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, nothing, NULL);

    return rc != 0 ? rc : pthread_join(thread, NULL);
}

static int
try_child(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(0);
    return child < 0 || waitpid(child, &status, 0) != child ? errno : status;
}

static int
try_notify(void)
{
    return answer(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int
try_more_rights(void)
{
    return answer(setuid(0));
}

static const struct {
    const char *says;
    int (*act)(void);
    int wanted; /* its errno; 0: it is done */
    bool needs_landlock;
} cases[] = {
    {"no other program is run", try_execve, EPERM, false},
    {"nothing is traced", try_ptrace, EPERM, false},
    {"no socket of the network is made", try_inet_socket, EPERM, false},
    {"nobody is called", try_connect, EPERM, false},
    {"no memory is made executable", try_executable_memory, EPERM, false},
    {"the user stays who it is", try_more_rights, ENOSYS, false},
    {"what was not named is not read", try_shadow, EACCES, true},
    {"nothing is written elsewhere", try_write_elsewhere, EACCES, true},
    {"what is named for reading is not written", try_write_what_is_read, EACCES, true},
    {"what is named for reading is read", try_read_own, 0, false},
    {"files of the own folder are made, renamed and removed", try_keep_a_file, 0, false},
    {"threads are made", try_thread, 0, false},
    {"a child can check a store", try_child, 0, false},
    {"the service manager can be told", try_notify, 0, false},
};

/* In a child: shuts itself in, and answers with what act answers. A signal's number is below 0. */
static int
try_inside(enum sandbox_mode mode, int (*act)(void), bool *has_landlock)
{
    int status, words[2];
    pid_t child;

    cr_assert_eq(pipe(words), 0);
    child = fork();
    if (child == 0) {
        const struct sandbox_path paths[] = {{"/etc/group", SANDBOX_READS},
                                             {folder, SANDBOX_WRITES},
                                             {"/tmp/there-is-no-such-file", SANDBOX_READS},
                                             {NULL, SANDBOX_READS}};
        struct sandbox sandbox;
        bool has;

        before = socket(AF_UNIX, SOCK_STREAM, 0);
        sandbox_init(&sandbox, mode);
        if (sandbox_enclose(&sandbox, paths, sizeof paths / sizeof paths[0], NULL) != ERR_OK ||
            sandbox_seal(&sandbox, NULL) != ERR_OK || sandbox.why_off != NULL ||
            !sandbox.has_call_filter)
            _exit(NOT_INSIDE);
        has = sandbox.files_version > 0;
        _exit(write(words[1], &has, sizeof has) == sizeof has ? act() : NOT_INSIDE);
    }
    close(words[1]);
    *has_landlock = false;
    if (read(words[0], has_landlock, sizeof *has_landlock) < 0)
        cr_assert_fail("the child cannot be read");
    close(words[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static bool
can_be_inside(void)
{
    struct sandbox sandbox;

    sandbox_init(&sandbox, SANDBOX_ON);
    return sandbox.why_off == NULL;
}

static void
make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
}

static void
remove_folder(void)
{
    rmdir(folder);
}

ParameterizedTestParameters(sandbox, leaves_what_is_needed_and_nothing_else)
{
    static size_t index[sizeof cases / sizeof cases[0]];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        index[i] = i;
    return cr_make_param_array(size_t, index, sizeof cases / sizeof cases[0]);
}

ParameterizedTest(size_t *i, sandbox, leaves_what_is_needed_and_nothing_else, .init = make_folder,
                  .fini = remove_folder)
{
    bool has_landlock;
    int got;

    if (!can_be_inside()) /* an instrumented build */
        return;
    got = try_inside(SANDBOX_ON, cases[*i].act, &has_landlock);
    if (cases[*i].needs_landlock && !has_landlock)
        return; /* this kernel has none */
    cr_expect_eq(got, cases[*i].wanted, "%s: %d (%s)", cases[*i].says, got, strerror(got));
}

Test(sandbox, a_strict_one_ends_the_process_at_a_call_that_nobody_listed, .init = make_folder,
     .fini = remove_folder)
{
    bool has_landlock;

    if (can_be_inside())
        cr_expect_eq(try_inside(SANDBOX_STRICT, try_more_rights, &has_landlock), -SIGSYS);
}

Test(sandbox, a_strict_one_refuses_what_is_known_and_goes_on, .init = make_folder,
     .fini = remove_folder)
{
    bool has_landlock;

    if (can_be_inside())
        cr_expect_eq(try_inside(SANDBOX_STRICT, try_connect, &has_landlock), EPERM);
}

Test(sandbox, off_is_off)
{
    struct sandbox sandbox;

    sandbox_init(&sandbox, SANDBOX_OFF);
    cr_assert_eq(sandbox_enclose(&sandbox, NULL, 0, NULL), ERR_OK);
    cr_assert_eq(sandbox_seal(&sandbox, NULL), ERR_OK);
    cr_expect_eq(try_inet_socket(), 0);
    cr_expect_not_null(sandbox.why_off);
}

Test(sandbox, tells_what_is_in_force)
{
    const struct sandbox in_force = {.files_version = 7, .has_call_filter = true};
    const struct sandbox off = {.mode = SANDBOX_OFF, .why_off = "the setting"};
    char text[512];
    struct log log;
    int words[2];
    ssize_t n;

    cr_assert_eq(pipe(words), 0);
    log_init(&log, words[1], LOG_LEVEL_INFO, clock_system());
    sandbox_tell(&in_force, &log);
    sandbox_tell(&off, &log);
    n = read(words[0], text, sizeof text - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    cr_expect_not_null(strstr(text, "info sandbox on=true strict=false calls=true landlock=7"),
                       "%s", text);
    cr_expect_not_null(strstr(text, "warn sandbox on=false why=\"the setting\""), "%s", text);
}
