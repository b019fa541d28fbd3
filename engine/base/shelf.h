#ifndef JML_SHELF_H
#define JML_SHELF_H

#include <pthread.h>
#include <stddef.h>

/*
 * shelf: memory for many small things that are made one after another and end one by one.
 *
 * A start makes facts for every profile there is; asked of malloc, a third of its time went to the kernel,
 * which hands out memory by small pages at each one's first touch. A shelf is a piece of 2 MiB, aligned so
 * that the kernel may give it as one page. What ends gives its part back: the piece is cut into
 * units of 16 KiB, each counted, returned when nothing touches it any more; the piece itself with the last
 * of them. So one survivor holds two units at most, not the shelf.
 *
 * One thread lays on a shelf and closes it; any thread drops. Under AddressSanitizer there are no shelves
 * (shelf_lay answers NULL), so that an overrun of one thing into its neighbour is caught.
 */
struct shelf;

enum { SHELF_THING_MAX = 256 * 1024 };

/* Not zeroed, aligned for any type, on *shelf or on the next one that takes its place; *shelf is NULL at
 * first. NULL if there is none to be had: mem_alloc has to do. size: 1 to SHELF_THING_MAX. */
void *shelf_lay(struct shelf **shelf, size_t size);
void shelf_drop(void *thing, size_t size); /* the same size */
void shelf_close(struct shelf *shelf);     /* nothing more is laid on it; NULL is fine */

/* One that any thread lays on; shelf_drop drops. */
struct shared_shelf {
    pthread_mutex_t lock;
    struct shelf *shelf;
};
void shared_shelf_init(struct shared_shelf *shared);
void *shared_shelf_lay(struct shared_shelf *shared, size_t size);
void shared_shelf_fini(struct shared_shelf *shared); /* what lies there stays */

#endif
