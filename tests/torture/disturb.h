#ifndef JML_DISTURB_H
#define JML_DISTURB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * disturb: system calls that fail when a test says so, and a record of what reached the disk.
 *
 * LMDB makes its own calls, so no seam of ours would reach them: this file defines the functions of libc
 * (write, pwrite, writev, fsync, fdatasync, msync, ftruncate, open, rename, accept4) and hands on to
 * the real ones. Linked into a test program it is told by the functions below; built as a library for
 * LD_PRELOAD it is told by the environment, for programs that are run as they are:
 *
 *     JML_DISTURB=CALL:N:ERRNO[:from]   such as sync:3:5; CALL is write, sync, open, rename, resize or accept
 *     JML_DISTURB_BELOW=PATH            only files whose path begins so (accept: any)
 *
 * The n-th call from then on fails, counted over all kinds in `calls`, whichever thread makes it. One
 * state for the process, like the fault of alloc.h, and for the same reason.
 */
enum disturb_call {
    DISTURB_WRITE = 1 << 0, /* write, pwrite, writev */
    DISTURB_SYNC = 1 << 1,  /* fsync, fdatasync, msync */
    DISTURB_OPEN = 1 << 2,
    DISTURB_RENAME = 1 << 3,
    DISTURB_RESIZE = 1 << 4, /* ftruncate */
    DISTURB_ACCEPT = 1 << 5
};

struct disturbance {
    unsigned calls;    /* flags of enum disturb_call */
    long n;            /* 0: none */
    int error_number;  /* 0: a write comes back short */
    bool and_after;    /* the n-th and every later one */
    const char *below; /* borrowed; NULL: whatever file */
};
void disturb_set(const struct disturbance *fault); /* NULL: none from here on */
bool disturb_happened(void);                       /* since the last disturb_set */
long disturb_seen(void); /* calls of those kinds since then, failed or not */

/* What was done to one file, in order. */
enum record_kind { RECORD_WRITE, RECORD_WRITE_THROUGH /* O_DSYNC */, RECORD_SYNC };
struct record_step {
    enum record_kind kind;
    off_t at;
    size_t n;
    unsigned char *bytes;
};
void record_begin_for(const char *path); /* forgets what was recorded before */
size_t record_count(void);
const struct record_step *record_steps(void); /* valid while nothing more is recorded */

#endif
