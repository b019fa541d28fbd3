#!/usr/bin/python3
"""SIGTERM under load, again and again (JML_ROUNDS, 5): nothing that was accepted is dropped.

Each of several connections keeps requests under way, reads and writes both, when the signal comes. Every
request must be answered: with its result, or with `draining` because it came too late. A request that
left after the service had closed its end counts as not accepted, and then nothing behind it may be
answered either. The status must be 0, and every answered write must be there afterwards.
"""
import os
import random
import select
import signal
import sys
import time

import msgpack

from service import DEADLINE_S, Failure, Peer, Service

PEERS, DEPTH = 8, 16


def question(peer_i, n):
    if n % 4 == 3:
        return ["profile.patch", [{"id": f"demo-startup-{peer_i + 1:03}", "changes": {"team": n % 900}}]]
    return [["system.ping", []], ["profile.get", [{"id": "yc"}]],
            ["match.top", [{"programme": "bilocation", "pairing": "hosting",
                            "id": "demo-startup-042"}]]][n % 3]


class Asker:
    def __init__(self, service, i):
        self.peer = Peer(service.unix)
        self.i = i
        self.sent, self.answered = 0, {}
        self.last_write = None
        self.is_open = True

    def ask(self):
        frames = b""
        while self.sent - len(self.answered) < DEPTH:
            frames += msgpack.packb([0, self.sent, *question(self.i, self.sent)])
            self.sent += 1
        self.peer.send(frames)

    def take(self):
        try:
            data = self.peer.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            self.is_open = False
            return
        self.peer.unpacker.feed(data)
        for frame in self.peer.unpacker:
            if frame[1] in self.answered:
                raise Failure(f"two answers to {frame[1]}")
            self.answered[frame[1]] = None if frame[2] is None else frame[2]["name"]
            if frame[1] % 4 == 3 and frame[2] is None:
                self.last_write = max(self.last_write or 0, frame[1])


def play(service, seed):
    chance = random.Random(seed)
    askers = [Asker(service, i) for i in range(PEERS)]
    for asker in askers:
        asker.ask()
    left = chance.randint(20, 400)
    asked_to_end = None
    while any(asker.is_open for asker in askers):
        ready, _, _ = select.select([a.peer.socket for a in askers if a.is_open], [], [], DEADLINE_S)
        if not ready:
            raise Failure("nothing came")
        for asker in askers:
            if asker.peer.socket in ready:
                asker.take()
                if asker.is_open and asked_to_end is None:
                    asker.ask()
        left -= 1
        if left == 0:
            service.process.send_signal(signal.SIGTERM)
            asked_to_end = time.monotonic()
    status = service.process.wait(DEADLINE_S)
    took = time.monotonic() - asked_to_end
    if status != 0:
        raise Failure(f"ended with {status}")
    for asker in askers:
        missing = [i for i in range(asker.sent) if i not in asker.answered]
        if missing:
            raise Failure(f"{len(missing)} requests without an answer, the first {missing[0]} of {asker.sent}")
        wrong = {name for name in asker.answered.values() if name not in (None, "draining")}
        if wrong:
            raise Failure(f"answered {wrong}")
    return took, askers


def main():
    rounds = int(os.environ.get("JML_ROUNDS", "5"))
    seed = int(os.environ.get("JML_SEED", "1"))
    service = Service([])
    longest = 0
    try:
        for i in range(rounds):
            took, askers = play(service, seed + i)
            longest = max(longest, took)
            service.log.close()
            service.start()
            for asker in askers:
                if asker.last_write is None:
                    continue
                team = service.call("profile.get", {"id": f"demo-startup-{asker.i + 1:03}"})["team"]
                if team != asker.last_write % 900:
                    raise Failure(f"the write {asker.last_write} was answered, and is not there: {team}")
    except Failure as failure:
        print(f"seed {seed}, round {i}: {failure}\n    log: {service.tail()}")
        return 1
    finally:
        service.stop()
    print(f"{rounds} ends under load: nothing dropped; the longest took {longest:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
