#include "alloc.h"
#include "identity.h"

#include <criterion/criterion.h>

#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

Test(identity, copies_all_that_it_is_told)
{
    char text[] = "marie;paris;acme;0f1e2d3c4b5a";
    struct caller caller = {
        .role = ROLE_OFFICER,
        .name = {text, 5},
        .metro = {text + 6, 5},
        .profile = {text + 12, 4},
        .token_id = {text + 17, 12},
        .expires_ms = 99,
    };
    struct identity *identity = identity_create(&caller);

    cr_assert_not_null(identity);
    memset(text, 'x', sizeof text);
    cr_expect_eq(identity->caller.role, ROLE_OFFICER);
    cr_expect(str_is(identity->caller.name, "marie"));
    cr_expect(str_is(identity->caller.metro, "paris"));
    cr_expect(str_is(identity->caller.profile, "acme"));
    cr_expect(str_is(identity->caller.token_id, "0f1e2d3c4b5a"));
    cr_expect_eq(identity->caller.expires_ms, 99);
    identity_drop(identity);
}

Test(identity, lives_as_long_as_its_last_holder)
{
    struct caller caller = {.role = ROLE_ANY, .name = STR_LIT("n")};
    struct identity *identity = identity_create(&caller);

    cr_assert_eq(identity_hold(identity), identity);
    identity_drop(identity);
    cr_expect(str_is(identity->caller.name, "n"));
    identity_drop(identity);
    identity_drop(NULL);
}

Test(identity, is_null_without_memory)
{
    struct caller caller = {.role = ROLE_ANY};

    mem_fail_at(1);
    cr_expect_null(identity_create(&caller));
    cr_expect(mem_fail_happened());
}

/* ---- who stands at the other end ---- */

enum { OTHER_UID = 4242, OTHER_GID = 4243, FURTHER_GID = 4244 };

static enum role
role_at(int fd, const struct peer_rights *rights)
{
    uid_t uid;

    return identity_of_peer(fd, rights, &uid);
}

Test(peer, the_services_own_user_is_admin)
{
    struct peer_rights rights = {.own_uid = geteuid()};
    int ends[2];
    uid_t uid;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    cr_expect_eq(identity_of_peer(ends[0], &rights, &uid), ROLE_ADMIN);
    cr_expect_eq(uid, geteuid());
    close(ends[0]);
    close(ends[1]);
}

Test(peer, nobody_can_tell_who_is_behind_another_kind_of_socket)
{
    struct peer_rights rights = {.own_uid = geteuid()};
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_expect_eq(role_at(ends[0], &rights), ROLE_ANY);
    close(ends[0]);
    close(ends[1]);
}

Test(peer, another_user_is_admin_by_group_only)
{
    struct peer_rights stranger = {.own_uid = geteuid() + 1};
    struct peer_rights first = stranger, further = stranger, elsewhere = stranger;
    gid_t groups[] = {FURTHER_GID};
    int ends[2], status;
    pid_t child;

    if (geteuid() != 0)
        cr_skip_test("only root can become another user");
    first.admin_group = OTHER_GID;
    further.admin_group = FURTHER_GID;
    elsewhere.admin_group = FURTHER_GID + 1;
    first.has_admin_group = further.has_admin_group = elsewhere.has_admin_group = true;
    child = fork(); /* the kernel keeps who made the pair */
    if (child == 0) {
        bool is_right;

        if (setgroups(1, groups) != 0 || setgid(OTHER_GID) != 0 || setuid(OTHER_UID) != 0 ||
            socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
            _exit(2);
        is_right =
            role_at(ends[0], &stranger) == ROLE_ANY && role_at(ends[0], &first) == ROLE_ADMIN &&
            role_at(ends[0], &further) == ROLE_ADMIN && role_at(ends[0], &elsewhere) == ROLE_ANY;
        _exit(is_right ? 0 : 1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status));
    cr_expect_eq(WEXITSTATUS(status), 0);
}
