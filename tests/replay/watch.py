#!/usr/bin/python3
"""Standing matches over a real service: what a watch is told, laid over the lists of its beginning, is what
match.top answers.

    watch.py        JUMELAGE and JUMELAGED name the programs; JML_SEED and JML_ROUNDS

Each wait is for an event: a ping of the watching connection comes back behind whatever it was told.
"""
import http.client
import json
import os
import random
import sys
import time

import msgpack

from replay import DEADLINE_S, Failure, Peer, Service

PROGRAMME, PAIRING = "bilocation", "hosting"


def check(holds, what):
    if not holds:
        raise Failure(what)


class Watcher(Peer):
    """A peer that asks, keeps what it is told, and knows lists by nothing else."""

    def __init__(self, service, token=None):
        super().__init__(service.tcp if token else service.unix)
        self.msgid = 0
        self.told = []
        self.lists = {}
        if token:
            self.ask("system.hello", token=token)

    def request(self, method, **params):
        self.msgid += 1
        self.send(msgpack.packb([0, self.msgid, method, [params]]))
        while True:
            frame = self.next()
            if frame is None:
                raise Failure(f"{method}: the service closed")
            if frame[0] == 2:
                check(frame[1] == "match.changed", f"told {frame[1]}")
                self.told.append(frame[2][0])
                continue
            check(frame[1] == self.msgid, f"an answer to {frame[1]}, not {self.msgid}")
            return frame[2], frame[3]

    def ask(self, method, **params):
        error, result = self.request(method, **params)
        if error is not None:
            raise Failure(f"{method}: {error}")
        return result

    def refused(self, name, method, **params):
        error, _ = self.request(method, **params)
        check(error is not None and error["name"] == name,
              f"{method} {params}: {error}, not {name}")
        return error

    def watch(self, **more):
        answer = self.ask("match.watch", programme=PROGRAMME, pairing=PAIRING, snapshot=True, **more)
        check(answer["lists"] == len(answer["best"]), "lists and best")
        self.lists[answer["watch"]] = {
            "seq": answer["seq"],
            "best": {one["id"]: {m["id"]: (rank, m["score"])
                                 for rank, m in enumerate(one["matches"], 1)}
                     for one in answer["best"]}}
        return answer

    def apply_told(self):
        for told in self.told:
            lists = self.lists[told["watch"]]
            check(told["complete"], f"not complete: {told}")
            check(told["from_seq"] == lists["seq"], f"{told['from_seq']} behind {lists['seq']}")
            check(told["seq"] >= told["from_seq"], "seq goes back")
            lists["seq"] = told["seq"]
            for change in told["changes"]:
                best = lists["best"].setdefault(change["id"], {})
                if change.get("erased"):  # nobody is named: the place is
                    check(change["other"] is None and change["score_before"] is None and
                          change["change"] == "left" and change["rank"] is None, f"{change}")
                    other = next(one for one, (rank, _) in best.items() if rank == change["rank_before"])
                    del best[other]
                    continue
                before = best.pop(change["other"], (None, None))
                check(before == (change["rank_before"], change["score_before"]),
                      f"{change} where {before} stood")
                check((change["rank"] is None) == (change["change"] == "left"), "rank of one that left")
                check((before[0] is None) == (change["change"] == "entered"), "before of one that entered")
                if change["rank"] is not None:
                    best[change["other"]] = (change["rank"], change["score"])
        self.told = []


def fresh(watcher, side, k, min_score, ids):
    lists = {}
    for one in ids:
        error, top = watcher.request("match.top", programme=PROGRAMME, pairing=PAIRING, side=side, id=one,
                                     k=k, min_score=min_score)
        if error is None:
            lists[one] = {m["id"]: (rank, m["score"]) for rank, m in enumerate(top["matches"], 1)}
    return lists


def agrees(watcher, watch, side, k, min_score, ids):
    watcher.apply_told()
    known = watcher.lists[watch]["best"]
    for one, best in fresh(watcher, side, k, min_score, ids).items():
        check(known.get(one, {}) == best,
              f"{one}: told {known.get(one, {})}, a search finds {best}")
    for one, best in known.items():
        check(one in ids or not best, f"a list of {one}, who is not there")


def profiles_of(service, kind):
    answer = service.call("profile.list", {"kind": kind, "limit": 1000})
    return [one["id"] for one in answer["profiles"]]


def bare(profile):
    return {key: value for key, value in profile.items()
            if key not in ("version", "updated_at", "seq", "created_at")}


def change_something(service, rng, startups, hosts, gone):
    what = rng.randrange(10)
    if what < 6:
        one = rng.choice(startups + hosts)
        if one in gone:
            service.call("profile.put", {"profile": gone.pop(one)})
            return
        changes = {"sectors": rng.sample(["health", "mob", "bio", "fin"], 2)} if what < 4 \
            else {"languages": rng.sample(["en", "fr", "es"], rng.randrange(1, 3))}
        service.call("profile.patch", {"id": one, "changes": changes})
    elif what < 8:
        one = rng.choice(startups + hosts)
        if one not in gone:
            gone[one] = bare(service.call("profile.get", {"id": one}))
            service.call("profile.delete", {"id": one})
    else:
        pair = {"from": rng.choice(startups), "to": rng.choice(hosts)}
        if not set(pair.values()) & set(gone):
            service.call("outcome.put", {**pair, "kind": "hosted", "at": "2026-01-15"})


def tries():
    """For what comes about by itself: again and again, but not for ever, however slow the machine is."""
    deadline = time.monotonic() + 3 * DEADLINE_S
    while True:
        yield
        if time.monotonic() > deadline:
            return


def await_lists(service, watcher, watch, side, k, min_score, ids):
    """The desk works behind the answers: until the lists are those of a search."""
    for _ in tries():
        watcher.ask("system.ping")
        try:
            agrees(watcher, watch, side, k, min_score, ids)
            return
        except Failure as failure:
            last = failure
    raise last


def edits_are_told(service):
    seed, rounds = int(os.environ.get("JML_SEED", "7")), int(os.environ.get("JML_ROUNDS", "12"))
    rng = random.Random(seed)
    startups, hosts, gone = profiles_of(service, "startup"), profiles_of(service, "incubator"), {}
    watchers = []
    for side, k, min_score in (("from", 5, 0), ("to", 3, 2500)):
        watcher = Watcher(service)
        watch = watcher.watch(side=side, k=k, min_score=min_score)["watch"]
        watchers.append((watcher, watch, side, k, min_score))
        agrees(watcher, watch, side, k, min_score, startups + hosts)
    for i in range(rounds):
        for _ in range(rng.randrange(1, 4)):
            change_something(service, rng, startups, hosts, gone)
        for watcher, watch, side, k, min_score in watchers:
            await_lists(service, watcher, watch, side, k, min_score,
                        [one for one in startups + hosts if one not in gone])
    for profile in gone.values():
        service.call("profile.put", {"profile": profile})
    stats = service.call("system.stats", {})["watches"]
    check(stats["watches"] == 2 and stats["standings"] == 2 and stats["lists"] > 0, f"{stats}")
    check(stats["missed"] == 0 and stats["updates"] > 0 and stats["notifications"] > 0, f"{stats}")
    print(f"seed {seed}, {rounds} rounds: {stats}")
    for watcher, *_ in watchers:
        watcher.socket.close()


def the_same_wish_is_one_standing(service):
    one, other = Watcher(service), Watcher(service)
    a, b = one.watch(id="demo-startup-001", k=3), other.watch(id="demo-startup-001", k=3)
    check(a["watch"] != b["watch"] and a["lists"] == b["lists"] == 1, f"{a} {b}")
    other.watch(id="demo-startup-002", k=3)
    stats = service.call("system.stats", {})["watches"]
    check(stats["watches"] == 3 and stats["standings"] == 2, f"{stats}")
    host = next(iter(one.lists[a["watch"]]["best"]["demo-startup-001"]))
    service.call("profile.patch", {"id": host, "changes": {"status": "paused"}})
    for watcher, watch in ((one, a), (other, b)):
        while not watcher.told:
            watcher.ask("system.ping")
        watcher.apply_told()
        check(host not in watcher.lists[watch["watch"]]["best"]["demo-startup-001"], "still there")
    service.call("profile.patch", {"id": host, "changes": {"status": None}})
    answer = one.ask("match.unwatch", watch=a["watch"])
    check(answer["watch"] == a["watch"], f"{answer}")
    one.refused("not_found", "match.unwatch", watch=a["watch"])
    one.refused("not_found", "match.unwatch", watch=b["watch"])  # another's
    one.socket.close()
    other.socket.close()


def await_stats(service, **wanted):
    for _ in tries():
        stats = service.call("system.stats", {})["watches"]
        if all(stats[name] == value for name, value in wanted.items()):
            return stats
    raise Failure(f"{stats}, not {wanted}")


def who_may_not(service):
    port = service.http.rpartition(":")[2]
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    connection.request("POST", "/rpc",
                       msgpack.packb([0, 1, "match.watch", [{"programme": PROGRAMME,
                                                            "pairing": PAIRING}]]),
                       {"Content-Type": "application/msgpack",
                        "Authorization": f"Bearer {service.tokens['reader']}"})
    answer = msgpack.unpackb(connection.getresponse().read())
    check(answer[2]["name"] == "invalid_params" and "HTTP" in answer[2]["message"], f"{answer}")
    connection.close()
    partner = Watcher(service, service.make_token("own", "partner", profile="demo-startup-001"))
    partner.refused("forbidden", "match.watch", programme=PROGRAMME, pairing=PAIRING)
    partner.socket.close()
    reader = Watcher(service, service.tokens["reader"])
    reader.refused("invalid_params", "match.watch", programme=PROGRAMME)  # several pairings
    reader.refused("not_found", "match.watch", programme=PROGRAMME, pairing=PAIRING, id="nobody")
    reader.refused("not_found", "match.watch", programme="nothing", pairing=PAIRING)
    reader.socket.close()


def limits_hold(service):
    first = Watcher(service)
    for i in range(3):
        first.watch(id="demo-startup-001", k=i + 1)
    error = first.refused("busy", "match.watch", programme=PROGRAMME, pairing=PAIRING, id="demo-startup-001")
    check("3 watches" in error["message"], error["message"])
    second = Watcher(service)
    second.watch(id="demo-startup-001")
    second.watch(id="demo-startup-002")
    error = second.refused("busy", "match.watch", programme=PROGRAMME, pairing=PAIRING, id="demo-startup-003")
    check("all connections" in error["message"], error["message"])
    first.ask("match.unwatch", watch=next(iter(first.lists)))
    second.watch(id="demo-startup-003")
    first.socket.close()
    second.socket.close()
    await_stats(service, watches=0, standings=0, lists=0, list_bytes=0)
    # 1 MiB of lists: those of the whole side with k 1000 are more
    third = Watcher(service)
    error = third.refused("too_large", "match.watch", programme=PROGRAMME, pairing=PAIRING, k=1000)
    check("fewer" in error["message"], error["message"])
    third.watch(k=10)
    third.socket.close()
    await_stats(service, watches=0)


def ends_are_told(service):
    token = service.make_token("leaver", "reader")
    watcher = Watcher(service, token)
    watcher.watch()
    service.call("token.revoke", {"id": service.tokens["leaver_id"]})
    told = watcher.next()
    check(told[1] == "match.changed" and told[2][0]["ended"] and "token" in told[2][0]["why"], f"{told}")
    error, _ = watcher.request("match.watch", programme=PROGRAMME, pairing=PAIRING)
    check(error["name"] == "unauthenticated", f"{error}")
    watcher.socket.close()

    programme = service.call("programme.get", {"id": PROGRAMME})
    copy = dict(programme["programme"] if "programme" in programme else bare(programme), id="other")
    service.call("programme.put", {"programme": copy})
    watcher = Watcher(service)
    answer = watcher.ask("match.watch", programme="other", pairing=PAIRING, id="demo-startup-001")
    service.call("programme.delete", {"id": "other"})
    told = watcher.next()
    check(told[2][0]["watch"] == answer["watch"] and told[2][0]["ended"], f"{told}")
    check("no programme" in told[2][0]["why"], f"{told}")
    await_stats(service, watches=0, standings=0)
    watcher.refused("not_found", "match.unwatch", watch=answer["watch"])
    watcher.socket.close()


def first_of(best, rank=1):
    return next(one for one, (at, _) in best.items() if at == rank)


def names(told, one):
    return f'"{one}"' in json.dumps(told)


def the_erased_are_not_named(service):
    """What is told after an erasure was answered does not hold the id, whoever watches whatever."""
    startup = "demo-startup-001"
    side, own, other = Watcher(service), Watcher(service), Watcher(service)
    hosts = side.watch(side="from", k=5)["watch"]
    own.watch(id=startup, k=5)
    other.watch(side="to", k=3)
    host = first_of(side.lists[hosts]["best"][startup])
    profile = bare(service.call("profile.get", {"id": host}))
    service.call("profile.delete", {"id": host, "erase": True})
    late = Watcher(service)
    again = late.ask("match.watch", programme=PROGRAMME, pairing=PAIRING, side="from", k=5, snapshot=True)
    check(not names(again, host), "a list that is shown names who was erased before")
    late.socket.close()
    await_lists(service, side, hosts, "from", 5, 0, profiles_of(service, "startup"))
    for watcher in (own, other):
        while not watcher.told:
            watcher.ask("system.ping")
        check(not names(watcher.told, host), f"{watcher.told}")
    check(any(one.get("missed") for one in other.told), "its own list was one of them")
    own.apply_told()
    service.call("profile.delete", {"id": startup, "erase": True})
    told = []
    while not any(one.get("ended") for one in told):
        own.ask("system.ping")
        told, own.told = told + own.told, []
    check(not names(told, startup) and "erased" in told[-1]["why"], f"{told}")
    while not any(one.get("missed") for one in side.told):
        side.ask("system.ping")
    check(not names(side.told, startup) and not names(side.told, host), f"{side.told}")
    for watcher in (side, own, other):
        watcher.socket.close()
    service.call("profile.put", {"profile": profile})


def resident_kib(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


TOGETHER = 50  # writes sent before the first is answered: they share commits, so that 10,000 take seconds


def write_together(service, calls):
    service.admin.send(b"".join(msgpack.packb([0, i, method, [params]])
                                for i, (method, params) in enumerate(calls)))
    for _ in calls:
        answer = service.admin.next()
        check(answer is not None and answer[2] is None, f"{answer}")


def watch_anew(watcher, watch):
    """What one does who has missed something: another watch in place of the old one."""
    again = watcher.watch(k=20)
    watcher.ask("match.unwatch", watch=watch)
    watcher.told = [one for one in watcher.told if one["watch"] == again["watch"]]
    return again


def a_slow_one_misses(service):
    """It never reads while others write: what waits for it is bounded, and in the end it is told."""
    slow, quick = Watcher(service), Watcher(service)
    watch = slow.watch(k=20)["watch"]
    quick.watch(id="demo-startup-001", k=1)
    n, before = int(os.environ.get("JML_CHANGES", "10000")), resident_kib(service)
    hosts, begun = profiles_of(service, "incubator"), time.monotonic()
    for first in range(0, n, TOGETHER):
        write_together(service, [
            ("profile.patch", {"id": hosts[i % len(hosts)], "changes": {
                "sectors": ["health"] if i // len(hosts) % 2 else ["mob", "bio"]}})
            for i in range(first, min(n, first + TOGETHER))])
        quick.ask("system.ping")
        stats = service.call("system.stats", {})["watches"]
        check(stats["pending_bytes"] <= 2 * 4096, f"{stats}")
    grown, took = resident_kib(service) - before, time.monotonic() - begun
    stats = service.call("system.stats", {})["watches"]
    check(stats["missed"] > 0, f"{stats}")
    slow.socket.settimeout(20)
    told = None
    slow.ask("system.ping")
    while not any(one.get("missed") for one in slow.told):
        slow.ask("system.ping")
    told = next(one for one in slow.told if one.get("missed"))
    check(not told["complete"] and told["resume_seq"] == told["seq"] and told["changes"] == [], f"{told}")
    print(f"{n} changes in {took:.1f} s, nothing read: {grown} KiB more resident, {stats['missed']} times missed")
    again = watch_anew(slow, watch)
    check(again["seq"] >= told["resume_seq"], f"{again['seq']}")
    startups = profiles_of(service, "startup")
    for _ in tries():  # the desk may still be at the last of the changes: that is missed likewise
        slow.ask("system.ping")
        if any(one.get("missed") for one in slow.told):
            again = watch_anew(slow, again["watch"])
        try:
            agrees(slow, again["watch"], "from", 20, 0, startups)
            break
        except Failure as failure:
            last = failure
    else:
        raise last
    slow.socket.close()
    quick.socket.close()


def main():
    service = Service(["--listen", "http:127.0.0.1:0"])
    try:
        with open(service.log_path, encoding="utf-8") as log:
            service.http = next(line.split("address=http:")[1].strip() for line in log
                                if "address=http:" in line)
        service.make_token("reader", "reader")
        edits_are_told(service)
        await_stats(service, watches=0)
        the_same_wish_is_one_standing(service)
        await_stats(service, watches=0, standings=0)
        who_may_not(service)
        ends_are_told(service)
        the_erased_are_not_named(service)
    finally:
        service.stop()
    service = Service(["--limit", "watches=3", "--limit", "watches_total=5", "--limit",
                       "standing_bytes=1048576"])
    try:
        limits_hold(service)
    finally:
        service.stop()
    service = Service(["--limit", "watch_bytes=4096"])
    try:
        a_slow_one_misses(service)
    finally:
        service.stop()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"watch: {failure}")
