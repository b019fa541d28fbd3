#ifndef JML_WATCH_SEAT_H
#define JML_WATCH_SEAT_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * watch_seat: a connection as the watch desk knows it: the watches that it has, and what they have to tell it.
 *
 * Made by a connection, held by it and by its jobs, closed with it; it may outlive the desk once closed.
 * Any thread; the desk's lock is taken inside.
 */
struct watch_seat;
struct watch_desk;

/* `poke` says that there is something to take; it is called with the desk's lock held, from any thread, and must
 * not call back. NULL if out of memory. */
struct watch_seat *watch_seat_create(struct watch_desk *desk, void (*poke)(void *context),
                                     void *context);
struct watch_seat *watch_seat_hold(struct watch_seat *seat);
void watch_seat_drop(struct watch_seat *seat);  /* NULL is fine */
void watch_seat_close(struct watch_seat *seat); /* the connection has gone: its watches end */
/* The answer that names this watch has been put out: notifications may follow it. */
void watch_seat_start(struct watch_seat *seat, uint64_t watch);
/* False: the connection has no such watch. */
bool watch_seat_unwatch(struct watch_seat *seat, uint64_t watch);
/* All its watches end, and it is told why. */
void watch_seat_end(struct watch_seat *seat, const char *why);
/* Packs the next notification as a whole frame; false if there is none. Empties `out` first. */
bool watch_seat_take(struct watch_seat *seat, struct buf *out);
bool watch_seat_is_watching(const struct watch_seat *seat);

#endif
