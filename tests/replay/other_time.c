/*
 * other_time: preloaded, moves the wall clock of a service by JML_TIME_OFFSET_S seconds, so that its UTC midnight
 * comes when a test wants it. The steady clock stays, and so does the kernel's own: backwards only, since what
 * waits until a wall time would otherwise wait for it.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t id, struct timespec *now);

static long offset_s;

static __attribute__((constructor)) void
read_offset(void)
{
    const char *text = getenv("JML_TIME_OFFSET_S");

    offset_s = text != NULL ? strtol(text, NULL, 10) : 0;
    if (offset_s > 0)
        abort();
}

__attribute__((visibility("default"))) int
clock_gettime(clockid_t id, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, id, now) != 0)
        return -1;
    if (id == CLOCK_REALTIME)
        now->tv_sec += offset_s;
    return 0;
}
