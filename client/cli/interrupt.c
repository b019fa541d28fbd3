#include "interrupt.h"

#include <signal.h>

/* The one state that a signal handler can reach. */
static volatile sig_atomic_t came;

static void
note(int number)
{
    came = number;
}

void
interrupt_watch(void)
{
    /* RESETHAND: the second one finds the system's own handler */
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND};
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof numbers / sizeof numbers[0] && came == 0; i++) {
        struct sigaction before;

        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, NULL);
    }
}

bool
interrupt_came(void)
{
    return came != 0;
}

void
interrupt_end(void)
{
    if (came != 0)
        raise(came); /* its handler is the system's again */
}
