/*
 * sandbox.c: Landlock by its system calls (the C library of today offers none), seccomp by libseccomp.
 *
 * The list of calls: those that tracing every scenario of tests/replay showed, those that LMDB's copy and
 * the check of a store take (a child, files renamed), and beside each what glibc takes instead on other
 * kernels and machines. Names that a machine does not know are passed over. What is left out answers
 * ENOSYS, not EPERM: for that answer the C library has another way (clone3 to clone, faccessat2 to
 * faccessat). What is known and refused for good answers EPERM, in strict mode too: looking a group up
 * asks for nscd's socket, and is content without.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- Landlock: newer kernels know more than the header that this is built with ---- */

#define ACCESS_REFER (UINT64_C(1) << 13)    /* from version 2 */
#define ACCESS_TRUNCATE (UINT64_C(1) << 14) /* 3 */
#define ACCESS_IOCTL (UINT64_C(1) << 15)    /* 5 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)     /* 6 */

struct ruleset { /* grows with the versions; the kernel is told how much of it we mean */
    uint64_t files, net, scopes;
};

static const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                LANDLOCK_ACCESS_FS_MAKE_REG | ACCESS_REFER | ACCESS_TRUNCATE;
static const uint64_t binding = LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
static const uint64_t of_a_file =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE;

/* All that a version knows is taken away; the rules give back. */
static struct ruleset
ruleset_of(int version)
{
    struct ruleset rules = {.files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};

    if (version >= 2)
        rules.files |= ACCESS_REFER;
    if (version >= 3)
        rules.files |= ACCESS_TRUNCATE;
    if (version >= 5)
        rules.files |= ACCESS_IOCTL;
    if (version >= 6)
        rules.scopes = SCOPE_SIGNAL;
    return rules;
}

static size_t
ruleset_bytes(int version)
{
    if (version >= 6)
        return sizeof(struct ruleset);
    return version >= 4 ? offsetof(struct ruleset, scopes) : offsetof(struct ruleset, net);
}

static enum err_code
allow_path(int ruleset, const struct sandbox_path *path, uint64_t known, struct err *err)
{
    static const uint64_t rights[] = {
        [SANDBOX_READS] = reading, [SANDBOX_WRITES] = reading | writing, [SANDBOX_BINDS] = binding};
    struct landlock_path_beneath_attr rule = {.allowed_access = rights[path->use] & known};
    enum err_code code = ERR_OK;
    struct stat st;

    rule.parent_fd = open(path->path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                   ? ERR_OK
                   : err_set_sys(err, errno, "open %s", path->path);
    if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.allowed_access &= of_a_file;
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        code = err_set_sys(err, errno, "leave %s to the sandbox", path->path);
    close(rule.parent_fd);
    return code;
}

static enum err_code
restrict_files(int version, const struct sandbox_path *paths, size_t n, struct err *err)
{
    const struct ruleset rules = ruleset_of(version);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, ruleset_bytes(version), 0);
    enum err_code code = ERR_OK;

    if (ruleset < 0)
        return err_set_sys(err, errno, "make the sandbox's rules of files");
    for (size_t i = 0; i < n && code == ERR_OK; i++)
        if (paths[i].path != NULL)
            code = allow_path(ruleset, &paths[i], rules.files, err);
    if (code == ERR_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        code = err_set_sys(err, errno, "enter the sandbox of files");
    close(ruleset);
    return code;
}

/* ---- seccomp ---- */

static const char *const allowed[] = {
    /* descriptors and sockets that are there already */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64", "lseek",
    "_llseek", "accept", "accept4", "recvfrom", "recvmsg", "recvmmsg", "recv", "sendto", "sendmsg",
    "sendmmsg", "send", "sendfile", "sendfile64", "shutdown", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "pipe2", "pipe", "eventfd2",
    /* waiting */
    "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "poll", "ppoll", "ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "nanosleep", "clock_nanosleep",
    "clock_nanosleep_time64", "futex", "futex_time64", "futex_waitv", "restart_syscall",
    "sched_yield",
    /* files, as far as Landlock and the permissions let us */
    "open", "openat", "openat2", "creat", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
    "newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd",
    "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link",
    "linkat", "ftruncate", "ftruncate64", "truncate", "fallocate", "fsync", "fdatasync",
    "sync_file_range", "syncfs", "flock", "chmod", "fchmod", "fchmodat", "umask", "fadvise64",
    "fadvise64_64", "copy_file_range", "utimensat", "readahead",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "msync", "mlock", "mlock2", "munlock", "mincore",
    "membarrier", "get_mempolicy",
    /* threads, the checking child, ends and signals */
    "fork", "vfork", "wait4", "waitid", "waitpid", "exit", "exit_group", "set_robust_list",
    "get_robust_list", "set_tid_address", "rseq", "gettid", "getpid", "getppid", "getpgrp",
    "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigpending",
    "rt_sigsuspend", "sigaltstack", "sigreturn", "arch_prctl", "sched_getaffinity",
    "sched_getparam", "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
    /* who and when */
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "getuid32",
    "geteuid32", "getgid32", "getegid32", "getrandom", "clock_gettime", "clock_gettime64",
    "clock_getres", "gettimeofday", "time", "times", "uname", "sysinfo", "getcpu", "getrlimit",
    "ugetrlimit", "setrlimit", "prlimit64", "getrusage", "getpriority"};

/* Known, and refused in strict mode as well. */
static const char *const refused[] = {"connect", "bind", "listen", "execve", "execveat", "ptrace"};

/* What is done where arguments are as said. */
struct condition {
    const char *name;
    uint32_t action;
    struct scmp_arg_cmp first, second;
    bool has_second;
};
enum {
    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                 CLONE_NEWPID | CLONE_NEWNET
};
/* The service manager is told through a datagram socket of the unix kind. */
enum { SOCKET_KIND = 0xf };
enum { NAME_OF_MEMORY = 0x53564d41 }; /* PR_SET_VMA: malloc names what it takes */

/* clang-format off */
static const struct condition conditions[] = {
    {"socket", SCMP_ACT_ALLOW, {0, SCMP_CMP_EQ, AF_UNIX, 0}, {1, SCMP_CMP_MASKED_EQ, SOCKET_KIND, SOCK_DGRAM}, true},
    {"socket", SCMP_ACT_ERRNO(EPERM), {0, SCMP_CMP_EQ, AF_UNIX, 0}, {1, SCMP_CMP_MASKED_EQ, SOCKET_KIND, SOCK_STREAM}, true},
    {"socket", SCMP_ACT_ERRNO(EPERM), {0, SCMP_CMP_NE, AF_UNIX, 0}, {0}, false},
    {"mmap", SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}, {0}, false},
    {"mmap", SCMP_ACT_ERRNO(EPERM), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC}, {0}, false},
    {"mmap2", SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}, {0}, false},
    {"mmap2", SCMP_ACT_ERRNO(EPERM), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC}, {0}, false},
    {"mprotect", SCMP_ACT_ALLOW, {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}, {0}, false},
    {"mprotect", SCMP_ACT_ERRNO(EPERM), {2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC}, {0}, false},
    {"clone", SCMP_ACT_ALLOW, {0, SCMP_CMP_MASKED_EQ, NAMESPACES, 0}, {0}, false},
    /* its flags lie in memory, where no filter looks; glibc takes clone instead */
    {"clone3", SCMP_ACT_ERRNO(ENOSYS), {0, SCMP_CMP_NE, 0, 0}, {0}, false},
    {"ioctl", SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, TCGETS, 0}, {0}, false},
    {"ioctl", SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, FIONREAD, 0}, {0}, false},
    {"ioctl", SCMP_ACT_ALLOW, {1, SCMP_CMP_EQ, FIONBIO, 0}, {0}, false},
    {"prctl", SCMP_ACT_ALLOW, {0, SCMP_CMP_EQ, PR_SET_NAME, 0}, {0}, false},
    {"prctl", SCMP_ACT_ALLOW, {0, SCMP_CMP_EQ, NAME_OF_MEMORY, 0}, {0}, false},
};
/* clang-format on */

static int
add_plain(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        int number = seccomp_syscall_resolve_name(names[i]);

        if (number != __NR_SCMP_ERROR && number >= 0)
            rc = seccomp_rule_add(filter, action, number, 0);
    }
    return rc;
}

static int
add_conditions(scmp_filter_ctx filter, uint32_t preset)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0] && rc == 0; i++) {
        const struct condition *c = &conditions[i];
        const struct scmp_arg_cmp arguments[] = {c->first, c->second};
        int number = seccomp_syscall_resolve_name(c->name);

        /* libseccomp wants no rule that says what is done anyway */
        if (number != __NR_SCMP_ERROR && number >= 0 && c->action != preset)
            rc =
                seccomp_rule_add_array(filter, c->action, number, c->has_second ? 2 : 1, arguments);
    }
    return rc;
}

static int
filter_load(scmp_filter_ctx filter, uint32_t preset)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

    if (rc == 0) /* else each thread pays for a guard against guesses that nothing here needs */
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    if (rc == 0)
        rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (rc == 0)
        rc = add_plain(filter, SCMP_ACT_ALLOW, allowed, sizeof allowed / sizeof allowed[0]);
    if (rc == 0)
        rc = add_plain(filter, SCMP_ACT_ERRNO(EPERM), refused, sizeof refused / sizeof refused[0]);
    if (rc == 0)
        rc = add_conditions(filter, preset);
    return rc == 0 ? seccomp_load(filter) : rc;
}

static enum err_code
filter_calls(bool is_strict, struct err *err)
{
    const uint32_t preset = is_strict ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS);
    scmp_filter_ctx filter = seccomp_init(preset);
    int rc;

    if (filter == NULL)
        return err_no_memory(err);
    rc = filter_load(filter, preset);
    seccomp_release(filter);
    return rc == 0 ? ERR_OK : err_set_sys(err, -rc, "enter the sandbox of system calls");
}

/* ---- both ---- */

void
sandbox_init(struct sandbox *sandbox, enum sandbox_mode wanted)
{
    const char *preloaded = getenv("LD_PRELOAD"); /* NOLINT: one thread so far */

    *sandbox = (struct sandbox){.mode = wanted};
#ifdef JML_INSTRUMENTED
    sandbox->why_off = "an instrumented build";
#endif
    if (preloaded != NULL && strstr(preloaded, "vgpreload") != NULL)
        sandbox->why_off = "valgrind";
    if (wanted == SANDBOX_OFF)
        sandbox->why_off = "the setting";
}

enum err_code
sandbox_enclose(struct sandbox *sandbox, const struct sandbox_path *paths, size_t n,
                struct err *err)
{
    int version;

    if (sandbox->why_off != NULL)
        return ERR_OK;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return err_set_sys(err, errno, "give up new rights");
    version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version <= 0) {
        if (sandbox->mode == SANDBOX_STRICT)
            return err_set_sys(err, errno, "enter the sandbox of files");
        return ERR_OK;
    }
    sandbox->files_version = version;
    return restrict_files(version, paths, n, err);
}

enum err_code
sandbox_seal(struct sandbox *sandbox, struct err *err)
{
    const struct rlimit none = {0, 0};
    struct err failure = {0};

    if (sandbox->why_off != NULL)
        return ERR_OK;
    /* No memory of ours in a file, nor in the hands of another process of this user. */
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    sandbox->has_call_filter = filter_calls(sandbox->mode == SANDBOX_STRICT, &failure) == ERR_OK;
    if (sandbox->has_call_filter || sandbox->mode != SANDBOX_STRICT)
        return ERR_OK;
    if (err != NULL)
        *err = failure;
    return failure.code;
}

void
sandbox_tell(const struct sandbox *sandbox, struct log *log)
{
    if (sandbox->why_off != NULL) {
        log_event(log, sandbox->mode == SANDBOX_OFF ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, "sandbox",
                  log_bool("on", false), log_text("why", sandbox->why_off));
        return;
    }
    log_event(log, sandbox->has_call_filter ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "sandbox",
              log_bool("on", true), log_bool("strict", sandbox->mode == SANDBOX_STRICT),
              log_bool("calls", sandbox->has_call_filter),
              log_int("landlock", sandbox->files_version));
}
