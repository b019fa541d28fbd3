#ifndef JML_SANDBOX_H
#define JML_SANDBOX_H

#include "err.h"
#include "log.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * sandbox: what the process gives up, so that a defect in it is worth little to whoever finds it.
 *
 * Two steps, since the kernel's two means reach differently. Landlock holds for the threads that are
 * born after it: sandbox_enclose comes before the first, and names every file that will be needed
 * from then on. The filter of system calls (seccomp) reaches all threads at once: sandbox_seal comes
 * when sockets are bound and threads stand, and takes away what only a start needs (new sockets
 * but for the service manager's, binding, executable memory) with what is never needed (other
 * programs, tracing, mounting).
 *
 * SANDBOX_ON lets a call that is not listed fail, so that a newer C library falls back to an older
 * call, and what a defect stops is one request; SANDBOX_STRICT ends the process there (SIGSYS), so
 * that a test sees it, and fails where the kernel lacks a part. Both steps belong to the main thread.
 */
enum sandbox_mode { SANDBOX_ON, SANDBOX_STRICT, SANDBOX_OFF };

enum sandbox_use {
    SANDBOX_READS,  /* a file, or a folder with all below */
    SANDBOX_WRITES, /* likewise, and makes, renames and removes files there */
    SANDBOX_BINDS   /* makes and removes unix sockets in this folder */
};
struct sandbox_path {
    const char *path; /* NULL or not there: left out */
    enum sandbox_use use;
};

struct sandbox {
    enum sandbox_mode mode;
    const char *why_off;  /* NULL: in force */
    int files_version;    /* Landlock's, 0: the kernel has none */
    bool has_call_filter; /* seccomp */
};

/* What this run can bear: off under valgrind and in builds with a sanitizer, whose runtimes need more. */
void sandbox_init(struct sandbox *sandbox, enum sandbox_mode wanted);
enum err_code sandbox_enclose(struct sandbox *sandbox, const struct sandbox_path *paths, size_t n,
                              struct err *err);
enum err_code sandbox_seal(struct sandbox *sandbox, struct err *err);
/* The line `sandbox`: what is in force. */
void sandbox_tell(const struct sandbox *sandbox, struct log *log);

#endif
