#include "disturb.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STEPS_MAX = 400000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct disturbance current;
static char below[PATH_MAX];
static long n_seen;
static atomic_bool is_on, is_recording;
static atomic_bool *has_happened; /* shared with what is forked: it may happen there */

static dev_t recorded_dev;
static ino_t recorded_ino;
static struct record_step *steps;
static size_t n_steps;

#define REAL(name, ...) ((__typeof__(name) *)(uintptr_t)dlsym(RTLD_NEXT, #name))(__VA_ARGS__)

/* ---- the fault ---- */

void
disturb_set(const struct disturbance *fault)
{
    pthread_mutex_lock(&lock);
    if (has_happened == NULL)
        has_happened = mmap(NULL, sizeof *has_happened, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (has_happened == MAP_FAILED)
        abort();
    current = fault != NULL ? *fault : (struct disturbance){.n = 0};
    snprintf(below, sizeof below, "%s", current.below != NULL ? current.below : "");
    n_seen = 0;
    atomic_store(has_happened, false);
    atomic_store(&is_on, current.n > 0);
    pthread_mutex_unlock(&lock);
}

bool
disturb_happened(void)
{
    return atomic_load(has_happened);
}

long
disturb_seen(void)
{
    long n;

    pthread_mutex_lock(&lock);
    n = n_seen;
    pthread_mutex_unlock(&lock);
    return n;
}

static bool
path_fits(int fd, const char *path)
{
    char link[64], name[PATH_MAX];
    ssize_t n;

    if (below[0] == '\0')
        return true;
    if (path != NULL)
        return strncmp(path, below, strlen(below)) == 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, name, sizeof name - 1);
    if (n < 0)
        return false;
    name[n] = '\0';
    return strncmp(name, below, strlen(below)) == 0;
}

/* Is it this one's turn? Sets errno. */
static bool
fails(enum disturb_call call, int fd, const char *path, bool *is_short)
{
    int kept = errno;
    bool is_hit = false;

    *is_short = false;
    if (!atomic_load(&is_on))
        return false;
    pthread_mutex_lock(&lock);
    if ((current.calls & call) != 0 && (call == DISTURB_ACCEPT || path_fits(fd, path))) {
        n_seen++;
        is_hit = n_seen == current.n || (current.and_after && n_seen > current.n);
    }
    pthread_mutex_unlock(&lock);
    errno = kept;
    if (!is_hit)
        return false;
    atomic_store(has_happened, true);
    *is_short = call == DISTURB_WRITE && current.error_number == 0;
    errno = current.error_number != 0 ? current.error_number : EIO;
    return true;
}

/* ---- the record ---- */

void
record_begin_for(const char *path)
{
    struct stat st;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_steps; i++)
        free(steps[i].bytes);
    n_steps = 0;
    if (steps == NULL)
        steps = calloc(STEPS_MAX, sizeof *steps);
    if (steps == NULL || stat(path, &st) != 0)
        abort();
    recorded_dev = st.st_dev;
    recorded_ino = st.st_ino;
    atomic_store(&is_recording, true);
    pthread_mutex_unlock(&lock);
}

size_t
record_count(void)
{
    size_t n;

    pthread_mutex_lock(&lock);
    n = n_steps;
    pthread_mutex_unlock(&lock);
    return n;
}

const struct record_step *
record_steps(void)
{
    return steps;
}

static bool
is_recorded(int fd)
{
    struct stat st;

    return atomic_load(&is_recording) && fstat(fd, &st) == 0 && st.st_dev == recorded_dev &&
           st.st_ino == recorded_ino;
}

static void
record(enum record_kind kind, off_t at, const void *bytes, size_t n)
{
    struct record_step step = {.kind = kind, .at = at, .n = n};

    if (n > 0) {
        step.bytes = malloc(n);
        if (step.bytes == NULL)
            abort();
        memcpy(step.bytes, bytes, n);
    }
    pthread_mutex_lock(&lock);
    if (n_steps == STEPS_MAX)
        abort();
    steps[n_steps++] = step;
    pthread_mutex_unlock(&lock);
}

static void
record_write(int fd, off_t at, const void *bytes, ssize_t n)
{
    int kept = errno;

    if (n > 0 && is_recorded(fd))
        record((fcntl(fd, F_GETFL) & O_DSYNC) != 0 ? RECORD_WRITE_THROUGH : RECORD_WRITE, at, bytes,
               (size_t)n);
    errno = kept;
}

/* ---- the calls ---- */

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    bool is_short;
    ssize_t written;

    if (fails(DISTURB_WRITE, fd, NULL, &is_short)) {
        if (!is_short)
            return -1;
        n /= 2;
    }
    written = REAL(pwrite, fd, bytes, n, at);
    record_write(fd, at, bytes, written);
    return written;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
    off_t at = atomic_load(&is_recording) ? lseek(fd, 0, SEEK_CUR) : 0;
    bool is_short;
    ssize_t written;

    if (fails(DISTURB_WRITE, fd, NULL, &is_short)) {
        if (!is_short)
            return -1;
        n = (n + 1) / 2;
    }
    written = REAL(write, fd, bytes, n);
    record_write(fd, at, bytes, written);
    return written;
}

ssize_t
writev(int fd, const struct iovec *list, int n_list)
{
    off_t at = atomic_load(&is_recording) ? lseek(fd, 0, SEEK_CUR) : 0;
    bool is_short;
    ssize_t written, left;

    if (fails(DISTURB_WRITE, fd, NULL, &is_short)) {
        if (!is_short)
            return -1;
        n_list = (n_list + 1) / 2;
    }
    written = REAL(writev, fd, list, n_list);
    left = written;
    for (int i = 0; i < n_list && left > 0; i++) {
        ssize_t here = (ssize_t)list[i].iov_len < left ? (ssize_t)list[i].iov_len : left;

        record_write(fd, at, list[i].iov_base, here);
        at += here;
        left -= here;
    }
    return written;
}

static void
record_sync(int fd, int rc)
{
    int kept = errno;

    if (rc == 0 && is_recorded(fd))
        record(RECORD_SYNC, 0, NULL, 0);
    errno = kept;
}

int
fdatasync(int fd)
{
    bool is_short;
    int rc = fails(DISTURB_SYNC, fd, NULL, &is_short) ? -1 : REAL(fdatasync, fd);

    record_sync(fd, rc);
    return rc;
}

int
fsync(int fd)
{
    bool is_short;
    int rc = fails(DISTURB_SYNC, fd, NULL, &is_short) ? -1 : REAL(fsync, fd);

    record_sync(fd, rc);
    return rc;
}

int
msync(void *memory, size_t n, int flags)
{
    bool is_short;

    return fails(DISTURB_SYNC, -1, "", &is_short) ? -1 : REAL(msync, memory, n, flags);
}

int
ftruncate(int fd, off_t size)
{
    bool is_short;

    return fails(DISTURB_RESIZE, fd, NULL, &is_short) ? -1 : REAL(ftruncate, fd, size);
}

int
rename(const char *from, const char *to)
{
    bool is_short;

    return fails(DISTURB_RENAME, -1, to, &is_short) ? -1 : REAL(rename, from, to);
}

int
open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    bool is_short;

    if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
        va_list list;

        va_start(list, flags);
        mode = va_arg(list, mode_t);
        va_end(list);
    }
    return fails(DISTURB_OPEN, -1, path, &is_short) ? -1 : REAL(open, path, flags, mode);
}

int
accept4(int fd, struct sockaddr *address, socklen_t *n, int flags)
{
    bool is_short;

    return fails(DISTURB_ACCEPT, fd, NULL, &is_short) ? -1 : REAL(accept4, fd, address, n, flags);
}

/* ---- told by the environment ---- */

static unsigned
call_of(const char *name)
{
    static const char *const names[] = {"write", "sync", "open", "rename", "resize", "accept"};

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return 1U << i;
    return 0;
}

__attribute__((constructor)) static void
read_environment(void)
{
    const char *text = getenv("JML_DISTURB");
    struct disturbance fault = {.below = getenv("JML_DISTURB_BELOW")};
    char name[16], after[8] = "";

    if (text == NULL ||
        sscanf(text, "%15[a-z]:%ld:%d:%7s", name, &fault.n, &fault.error_number, after) < 3)
        return;
    fault.calls = call_of(name);
    fault.and_after = strcmp(after, "from") == 0;
    disturb_set(&fault);
}
