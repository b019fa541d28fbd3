#ifndef JML_INTERRUPT_H
#define JML_INTERRUPT_H

#include <stdbool.h>

/*
 * interrupt: Ctrl-C and SIGTERM while a store is open in this process.
 *
 * The first asks the work to stop, so that the store is closed as always and need not be looked through
 * when it is next opened; a second ends the process at once.
 */
void interrupt_watch(void); /* from here on; again does nothing */
bool interrupt_came(void);
/* Once everything is closed: ends the process by the signal that came, as its parent expects; returns
 * if none did. */
void interrupt_end(void);

#endif
