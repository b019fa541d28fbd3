#!/usr/bin/python3
"""A connection that goes while the lists of its watch are being made: its place is free again and nothing of it
is left, others are served all the while, and so is who waited for the same lists.

One that is reset is known to be gone, and the making stops. One that is closed looks like one that has said all and
still listens (PROTOCOL: half-close), so what it asked for is finished first.

    watch_lost.py        JUMELAGE and JUMELAGED name the programs; JML_ROUNDS

No wait for a time: `being_made` of system.stats tells that lists are being made, and only then a peer goes.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

import msgpack

from service import DEADLINE_S, Failure, Service
from watch import PAIRING, PROGRAMME, Watcher, await_stats, check

ROUNDS = int(os.environ.get("JML_ROUNDS", "2"))
STARTUPS, HOSTS, TOGETHER, K = 2000, 200, 500, 150
HELD = 2     # connections: that of Service.call, and the other's
WATCHES = 2  # as many as all connections may have: one place that is not given back is seen


def fill(service):
    lines = subprocess.run(
        [os.environ["JUMELAGE"], "generate", "--startups", str(STARTUPS), "--incubators", str(HOSTS),
         "--seed", "5"], check=True, capture_output=True, text=True).stdout.splitlines()
    profiles = [json.loads(line) for line in lines]
    for first in range(0, len(profiles), TOGETHER):
        answer = service.call("profile.put_many", {"profiles": profiles[first:first + TOGETHER]})
        check(not answer["failed"], f"{answer['failed'][:1]}")


def reset(peer):
    """Of TCP: by RST."""
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


def shut(peer):
    peer.socket.close()


def ask_to_watch(watcher, **more):
    watcher.msgid += 1
    watcher.send(msgpack.packb([0, watcher.msgid, "match.watch",
                                [{"programme": PROGRAMME, "pairing": PAIRING, **more}]]))


def is_being_made(service, other):
    """Until lists are being made, or are made; others are answered meanwhile."""
    for _ in range(20000):
        check(other.ask("system.ping") == "pong", "no pong")
        stats = service.call("system.stats", {})["watches"]
        if stats["being_made"] > 0:
            return True
        if stats["lists"] > 0:
            return False
    raise Failure(f"no lists are ever made: {stats}")


def nothing_is_left(service, other):
    deadline = time.monotonic() + 3 * DEADLINE_S
    while True:
        check(other.ask("system.ping") == "pong", "no pong")
        stats = service.call("system.stats", {})
        left = {name: stats["watches"][name] for name in
                ("watches", "standings", "lists", "list_bytes", "being_made", "pending_bytes")}
        if not any(left.values()) and stats["service"]["connections"] == HELD:
            return
        check(time.monotonic() < deadline, f"{left}, {stats['service']['connections']} connections")


def n_refused(service):
    return service.call("system.stats", {})["methods"]["match.watch"]["errors"]


def all_places_are_free(service):
    watchers = [Watcher(service) for _ in range(WATCHES)]
    for i, watcher in enumerate(watchers):
        watcher.watch(id=f"demo-startup-00{i + 1}")
    watchers[0].refused("busy", "match.watch", programme=PROGRAMME, pairing=PAIRING, id="demo-startup-003")
    for watcher in watchers:
        watcher.socket.close()


def one_goes(service, other, is_reset):
    n_caught = 0
    for i in range(2 * ROUNDS):
        watcher = Watcher(service, service.tokens["reader"] if is_reset or i % 4 > 1 else None)
        refused = n_refused(service)
        ask_to_watch(watcher, side=("from", "to")[i % 2], k=K - i, snapshot=i % 3 == 0)
        is_caught = is_being_made(service, other)
        (reset if is_reset else shut)(watcher)
        nothing_is_left(service, other)
        n_caught += is_caught and (not is_reset or n_refused(service) == refused + 1)
        all_places_are_free(service)
        nothing_is_left(service, other)
    check(n_caught > 0, f"none of {2 * ROUNDS} went while lists were made")
    return n_caught


def two_want_the_same(service, other):
    """Whose thread makes the lists is reset, or the one who waits for them: the other is answered."""
    n_caught, answers = 0, {"ok": 0, "busy": 0}
    for i in range(2 * ROUNDS):
        pair = [Watcher(service, service.tokens["reader"]) for _ in range(2)]
        wish = {"side": "from", "k": K - i}
        ask_to_watch(pair[0], **wish)
        is_being_made(service, other)
        ask_to_watch(pair[1], **wish)
        stats = await_stats(service, watches=2)
        n_caught += stats["being_made"] > 0
        reset(pair[i % 2])
        left = pair[1 - i % 2]
        frame = left.next()
        check(frame is not None and frame[0] == 1, f"{frame}")
        answers["ok" if frame[2] is None else frame[2]["name"]] += 1
        if frame[2] is not None:
            ask_to_watch(left, **wish)
            frame = left.next()
            check(frame[2] is None, f"asked again: {frame[2]}")
        check(frame[3]["lists"] > 0, f"{frame[3]}")
        await_stats(service, watches=1, standings=1, being_made=0)
        left.socket.close()
        nothing_is_left(service, other)
    check(n_caught > 0, "nobody went while lists were made for two")
    return n_caught, answers


def it_ends_well(service):
    """With a leak, a sanitizer would have ended it another way."""
    service.process.send_signal(signal.SIGTERM)
    status = service.process.wait(DEADLINE_S)
    check(status == 0, f"status {status}: {service.tail()}")
    check("Sanitizer" not in service.tail() and "runtime error" not in service.tail(), service.tail())


def main():
    service = Service(["--workers", "3", "--limit", f"watches={WATCHES}", "--limit",
                       f"watches_total={WATCHES}"])
    try:
        service.make_token("reader", "reader")
        fill(service)
        other = Watcher(service)
        nothing_is_left(service, other)  # of the look whether it was ready, either
        n_reset = one_goes(service, other, is_reset=True)
        n_shut = one_goes(service, other, is_reset=False)
        n_two, answers = two_want_the_same(service, other)
        print(f"while lists were made: {n_reset} reset, {n_shut} closed, {n_two} reset of two who wanted "
              f"the same; the other: {answers}")
        it_ends_well(service)
    except Failure as failure:
        sys.exit(f"watch_lost: {failure}")
    finally:
        service.stop()


if __name__ == "__main__":
    main()
