#!/usr/bin/python3
"""How soon standing lists are current: one profile changed among N a side.

    standing.py [--side 100000] [--hosts N] [--changes 200] [-k 10] [--build build/release]

Rules. A fresh store, N startups in Paris and N incubators in Silicon Valley, made here from a seed; the shipped
programme `bilocation`, pairing `hosting`, with its text and track record wants. All lists of both
sides are watched: one changed profile is one list anew on its own side and one column on the other.
Every change is one profile.patch, of a startup and of a host by turns, its sectors others each time; the
next is sent when the lists are current. Two figures, each as median, 99 % and longest:

    lists   from the beginning of the desk's work until both sides' lists are current (system.stats)
    told    from the answer to the patch until the notification of the last list that moved has been read;
            changes that moved no list are left out

Making the lists of N a side is N x N pairs, minutes. With --hosts 1000 it is a hundredth of that, and a changed
host costs the same: one list among N startups, one column of N startups' lists.

The service runs as an operator's would; nothing else should. What one core does: taskset -c 0.
"""
import argparse
import os
import random
import select
import socket
import subprocess
import sys
import tempfile
import time

import msgpack

SECTORS = "ai soft dev sec net iot robo semi fin work edu health bio food energy clim mob city prop log".split()
STAGES = "idea proto preseed seed series_a series_b growth".split()
WORDS = ("robots care city energy data learning payments logistics batteries hospital school water air "
         "sensors satellites games music translation farms robots kitchen legal insurance drones maps "
         "materials chips vaccines proteins carbon solar wind storage travel housing").split()


class Peer:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.unpacker = msgpack.Unpacker(raw=False, max_buffer_size=1 << 31)
        self.told = []

    def read(self, wait=True):
        for frame in self.unpacker:
            return frame
        while wait or select.select([self.socket], [], [], 0)[0]:
            data = self.socket.recv(1 << 20)
            if not data:
                sys.exit("the service closed")
            self.unpacker.feed(data)
            for frame in self.unpacker:
                return frame
        return None

    def ask(self, method, **params):
        self.socket.sendall(msgpack.packb([0, 1, method, [params]]))
        while True:
            frame = self.read()
            if frame[0] == 2:
                self.told.append(frame)
                continue
            if frame[2] is not None:
                sys.exit(f"{method}: {frame[2]}")
            return frame[3]


def codes(rng, words, most):
    return rng.sample(words, rng.randrange(1, most + 1))


def profile(rng, kind, i, vocabularies):
    one = {"id": f"{kind}-{i:06d}", "name": f"{kind} {i}", "kind": kind,
           "metro": "paris" if kind == "startup" else "silicon-valley",
           "country": "FR" if kind == "startup" else "US",
           "sectors": codes(rng, SECTORS, 3), "languages": codes(rng, ["en", "fr", "es", "de"], 2),
           "description": {"en": " ".join(rng.choices(WORDS, k=12))},
           "consent": {"match": True, "share": True, "basis": "bench"}}
    if kind == "startup":
        one.update(stage=rng.choice(vocabularies["stages"]), needs=codes(rng, vocabularies["needs"], 4),
                   team=rng.randrange(1, 60))
    else:
        one.update(stages=codes(rng, vocabularies["stages"], 3), offers=codes(rng, vocabularies["needs"], 6))
    return one


def vocabulary(share, name):
    with open(os.path.join(share, name + ".csv"), encoding="utf-8") as table:
        rows = [line.split(",")[0].strip() for line in table if not line.startswith("#")]
    return [code for code in rows[1:] if code and code != "self"]


def fill(peer, args, vocabularies):
    rng = random.Random(20261126)
    begun = time.monotonic()
    for kind, n in (("startup", args.side), ("incubator", args.hosts)):
        for at in range(0, n, 2000):
            batch = [profile(rng, kind, i, vocabularies) for i in range(at, min(at + 2000, n))]
            answer = peer.ask("profile.put_many", profiles=batch)
            if answer["failed"]:
                sys.exit(f"refused: {answer['failed'][0]}")
    print(f"{args.side + args.hosts} profiles stored in {time.monotonic() - begun:.0f} s", flush=True)


def figures(name, values):
    values = sorted(values)
    if not values:
        print(f"{name:6} none")
        return
    print(f"{name:6} median {values[len(values) // 2]:.2f} ms, 99 % {values[len(values) * 99 // 100]:.2f} ms, "
          f"longest {values[-1]:.2f} ms ({len(values)})")


def settled(writer, updates):
    while True:
        stats = writer.ask("system.stats")["watches"]
        if stats["updates"] >= updates:
            return stats


def measure(writer, watcher, args):
    rng = random.Random(7)
    lists, told = {"startup": [], "incubator": []}, []
    stats = settled(writer, 0)
    for i in range(args.changes + 10):
        kind = ("startup", "incubator")[i % 2]
        watcher.told.clear()
        n = args.side if kind == "startup" else args.hosts
        if writer.ask("profile.patch", id=f"{kind}-{rng.randrange(n):06d}",
                      changes={"sectors": codes(rng, SECTORS, 3)})["unchanged"]:
            continue
        answered = time.monotonic()
        before, stats = stats, settled(writer, stats["updates"] + 2)
        last = None
        while (frame := watcher.read(wait=False)) is not None:
            last = frame
        if i >= 10:  # the first ones warm up
            lists[kind].append((stats["update_us"] - before["update_us"]) / 1000)
            if last is not None:
                told.append((time.monotonic() - answered) * 1000)
    for kind, values in lists.items():
        print(f"changed: {kind}")
        figures("lists", values)
    figures("told", told)
    print({name: stats[name] for name in ("lists", "list_bytes", "updates", "changes", "notifications",
                                          "missed")})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--side", type=int, default=100000)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--hosts", type=int)
    args = parser.parse_args()
    args.hosts = args.hosts or args.side
    share = os.environ.get("JUMELAGE_SHARE", "data")
    os.environ["JUMELAGE_SHARE"] = os.path.abspath(share)
    vocabularies = {name: vocabulary(share, name) for name in ("stages", "needs")}
    with tempfile.TemporaryDirectory(prefix="jml") as folder:
        store = os.path.join(folder, "store")
        subprocess.run([f"{args.build}/client/cli/jumelage", "demo", store], check=True,
                       stdout=subprocess.DEVNULL)
        service = subprocess.Popen([f"{args.build}/engine/server/jumelaged", "--data", store, "--map-size",
                                    "16GiB", "--limit", "standing_bytes=4294967296"],
                                   stderr=subprocess.PIPE, text=True)
        for line in service.stderr:
            if "ready" in line.split():
                break
        try:
            path = os.path.join(store, "jumelage.sock")
            writer, watcher = Peer(path), Peer(path)
            fill(writer, args, vocabularies)
            for side in ("from", "to"):
                begun = time.monotonic()
                answer = watcher.ask("match.watch", programme="bilocation", pairing="hosting", side=side, k=args.k)
                print(f"side {side}: {answer['lists']} lists of {args.k} made in {time.monotonic() - begun:.1f} s",
                      flush=True)
            measure(writer, watcher, args)
        finally:
            service.terminate()
            if service.wait() != 0:
                sys.exit(f"the service ended with {service.returncode}: {service.stderr.read()[-2000:]}")


if __name__ == "__main__":
    main()
