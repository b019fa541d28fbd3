/*
 * torture_accept: the N-th accept4 fails, in each way that it can, N = 1, 2, 3 … until none does, while visitors
 * stand before every listener; then every one of them does. Nobody is lost: who waits in the backlog is
 * answered, who was in before is answered meanwhile, and who comes later is. And nobody spins: how often
 * accept4 is called is counted.
 */
#include "disturb.h"
#include "served.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { A_WAY = 2, VISITORS = A_WAY * WAYS, STRIDE = 5, PINGS = 300, ACCEPTS_A_TURN = 64 };
enum { CALLS_MOST = 4 * VISITORS + ACCEPTS_A_TURN, PAUSE_LEAST_MS = 50 };

static const struct kind {
    const char *says;
    int error_number;
} kinds[] = {
    {"too many files of the process", EMFILE},
    {"too many files of the system", ENFILE},
    {"no buffers", ENOBUFS},
    {"no memory", ENOMEM},
    {"a connection given up", ECONNABORTED},
    {"interrupted", EINTR},
    {"forbidden by a firewall", EPERM},
    {"a fault of the protocol", EPROTO},
    {"the network is down", ENETDOWN},
    {"no such host any more", EHOSTUNREACH},
    {"timed out", ETIMEDOUT},
    {"nobody there after all", EAGAIN},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
come(struct served *served, struct visitor visitors[VISITORS])
{
    for (int i = 0; i < VISITORS; i++)
        visitor_connect(&visitors[i], served, (enum way)(i % WAYS));
}

static void
be_answered(struct visitor visitors[VISITORS], const char *says, long n)
{
    for (int i = 0; i < VISITORS; i++)
        visitor_ask(&visitors[i]);
    for (int i = 0; i < VISITORS; i++) {
        enum way way = visitors[i].way;
        enum visit how = visitor_await(&visitors[i]);

        torture_check(how == VISIT_ANSWERED, "%s, n=%ld: %s: %d", says, n, way_names[way], how);
    }
}

/* False: nothing failed any more. */
static bool
try(struct served *served, const struct kind *kind, long n)
{
    struct disturbance fault = {
        .calls = DISTURB_ACCEPT, .n = n, .error_number = kind->error_number};
    struct visitor visitors[VISITORS];
    bool happened;
    long seen;

    disturb_set(&fault);
    come(served, visitors);
    be_answered(visitors, kind->says, n);
    seen = disturb_seen();
    happened = disturb_happened();
    disturb_set(NULL);
    torture_check(seen <= CALLS_MOST, "%s, n=%ld: %ld calls for %d visitors", kind->says, n, seen,
                  VISITORS);
    for (enum way way = 0; way < WAYS; way++)
        torture_check(visit(served, way) == VISIT_ANSWERED, "%s, n=%ld: later, by %s", kind->says,
                      n, way_names[way]);
    return happened;
}

/* It fails for as long as somebody who is in already needs for many answers; then no more. */
static void
try_lasting(struct served *served, const struct kind *kind)
{
    struct disturbance fault = {
        .calls = DISTURB_ACCEPT, .n = 1, .error_number = kind->error_number, .and_after = true};
    struct visitor inside, visitors[VISITORS];
    int64_t n_pauses = served_count(served, "accept_pauses"), before = now_ms(), most;
    long seen;

    visitor_connect(&inside, served, WAY_UNIX);
    visitor_ask(&inside);
    torture_check(visitor_await_one(&inside) == VISIT_ANSWERED, "%s: before", kind->says);
    disturb_set(&fault);
    come(served, visitors);
    for (int i = 0; i < PINGS; i++) {
        visitor_ask(&inside);
        torture_check(visitor_await_one(&inside) == VISIT_ANSWERED, "%s: who is in, at %d",
                      kind->says, i);
    }
    seen = disturb_seen();
    disturb_set(NULL);
    visitor_leave(&inside);
    be_answered(visitors, kind->says, 0);
    n_pauses = served_count(served, "accept_pauses") - n_pauses;
    most = WAYS * ((now_ms() - before) / PAUSE_LEAST_MS + 1);
    torture_check(seen > 0, "%s: nothing failed", kind->says);
    torture_check(n_pauses <= most, "%s: %d pauses, where %d had room", kind->says, (int)n_pauses,
                  (int)most);
    torture_check(seen <= ACCEPTS_A_TURN * (n_pauses + WAYS), "%s: %ld calls in %d pauses",
                  kind->says, seen, (int)n_pauses);
    printf("%s, lasting: %ld calls, %d pauses\n", kind->says, seen, (int)n_pauses);
}

int
main(void)
{
    int stride = torture_rounds(0) >= TORTURE_DEEP ? 1 : STRIDE;
    struct served *served = served_start();

    for (int k = 0; k < KINDS; k++) {
        long n = 1 + k % stride, n_tried = 0;

        for (; try(served, &kinds[k], n); n += stride)
            n_tried++;
        torture_check(n_tried > 0, "%s: nothing failed", kinds[k].says);
        printf("%s: %ld tried, up to n=%ld\n", kinds[k].says, n_tried, n);
        if (kinds[k].error_number != EAGAIN) /* says that there is nothing, and then there is not */
            try_lasting(served, &kinds[k]);
        fflush(stdout);
    }
    served_stop(served);
    return torture_end("torture_accept");
}
