#ifndef JML_IDENTITY_H
#define JML_IDENTITY_H

#include "call.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * identity: who asks, shared by a connection and the jobs that it has started.
 *
 * Immutable and counted: a second system.hello gives the connection another identity while jobs go on
 * with the one they began with. Any thread.
 */
struct identity {
    _Atomic unsigned n_holders;
    struct caller caller;
    char text[]; /* what caller points to */
};

/* A copy; NULL if out of memory. Held once. */
struct identity *identity_create(const struct caller *caller);
struct identity *identity_hold(struct identity *identity);
void identity_drop(struct identity *identity); /* NULL is fine */

/*
 * Who stands at the other end of a unix socket, by the kernel's word: this process' own user, user 0,
 * and members of admin_group (their first or a further group) are admin; anyone else is unknown
 * until a token is shown. ROLE_ANY as well if the kernel cannot tell.
 */
struct peer_rights {
    uid_t own_uid;
    gid_t admin_group;
    bool has_admin_group;
};
enum role identity_of_peer(int fd, const struct peer_rights *rights, uid_t *uid);

#endif
