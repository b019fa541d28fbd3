#include "identity.h"

#include "alloc.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

enum { GROUPS_MAX = 1024 };

static struct str
put_text(char **at, struct str text)
{
    struct str copy = {*at, text.len};

    if (text.len > 0)
        memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

struct identity *
identity_create(const struct caller *caller)
{
    size_t room = caller->name.len + caller->metro.len + caller->profile.len + caller->token_id.len;
    struct identity *identity = mem_alloc(sizeof *identity + room + 1);
    char *at;

    if (identity == NULL)
        return NULL;
    at = identity->text;
    identity->n_holders = 1;
    identity->caller = *caller;
    identity->caller.name = put_text(&at, caller->name);
    identity->caller.metro = put_text(&at, caller->metro);
    identity->caller.profile = put_text(&at, caller->profile);
    identity->caller.token_id = put_text(&at, caller->token_id);
    return identity;
}

struct identity *
identity_hold(struct identity *identity)
{
    atomic_fetch_add_explicit(&identity->n_holders, 1, memory_order_relaxed);
    return identity;
}

void
identity_drop(struct identity *identity)
{
    if (identity != NULL &&
        atomic_fetch_sub_explicit(&identity->n_holders, 1, memory_order_acq_rel) == 1)
        mem_free(identity);
}

/* The kernel keeps the groups that the peer had when it connected: no name service is asked. */
static bool
peer_is_in(int fd, gid_t first, gid_t wanted)
{
    gid_t groups[GROUPS_MAX];
    socklen_t length = sizeof groups;

    if (first == wanted)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0)
        return false;
    for (size_t i = 0; i < length / sizeof groups[0]; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

enum role
identity_of_peer(int fd, const struct peer_rights *rights, uid_t *uid)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    *uid = (uid_t)-1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 || length != sizeof peer)
        return ROLE_ANY;
    *uid = peer.uid;
    if (peer.uid == rights->own_uid || peer.uid == 0 ||
        (rights->has_admin_group && peer_is_in(fd, peer.gid, rights->admin_group)))
        return ROLE_ADMIN;
    return ROLE_ANY;
}
