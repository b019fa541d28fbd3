#!/usr/bin/python3
"""The same question gets the same bytes, however the service is set up and by whatever way it is asked.

    same_bytes.py   JUMELAGE and JUMELAGED name the programs

Each method that changes nothing is called with its own example on copies of one store: by services with
one worker and four, one event thread and two, over a unix socket and over TCP, as reader and as
officer; the bytes of the answers must be equal. As admin it is asked over the unix socket and by
the tool in its own process; the tool's JSON must be the same value, keys in the same order.
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import msgpack

from replay import Peer, Service

SETUPS = [("1", "1"), ("1", "2"), ("4", "1"), ("4", "2")]  # workers, threads
ROLES = ("reader", "officer")
WRITES = {"put", "put_many", "patch", "delete", "merge", "unmerge", "create", "revoke"}
ABOUT_TIME = {
    "system.hello": "tells the time",
    "system.stats": "counts what was asked before",
    "match.watch": "needs a service, and a connection to tell",
    "match.unwatch": "needs a watch of its own connection",
    "token.list": "tells when a token was last used, which the questions themselves move",
}


def tool(store, *arguments):
    done = subprocess.run([os.environ["JUMELAGE"], "--data", store, *arguments, "--format",
                           "json"], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


def methods_of(store):
    for method in json.loads(tool(store, "call", "system.methods", "{}")):
        if (method["name"] not in ABOUT_TIME and
                method["name"].rpartition(".")[2] not in WRITES):
            yield method["name"], method["example"]


def next_bytes(peer):
    """The next frame as it came."""
    data = b""
    while True:
        part = peer.socket.recv(1 << 20)
        if not part:
            sys.exit("the service closed the connection")
        data += part
        unpacker = msgpack.Unpacker(max_buffer_size=1 << 30, strict_map_key=False)
        unpacker.feed(data)
        try:
            unpacker.skip()
        except msgpack.OutOfData:
            continue
        if unpacker.tell() != len(data):
            sys.exit("more than one answer to one request")
        return data


def ask(peer, method, params):
    peer.send(msgpack.packb([0, 7, method, [params]]))
    return next_bytes(peer)


def as_pairs(value):
    """What JSON can say of a value, maps as lists of pairs so that order counts."""
    if isinstance(value, dict):
        return [[key, as_pairs(inner)] for key, inner in value.items()]
    if isinstance(value, list):
        return [as_pairs(inner) for inner in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def check_tool(store, method, example, answer):
    said = as_pairs(json.loads(tool(store, "call", method, example)))
    error, result = msgpack.unpackb(answer, strict_map_key=False)[2:]
    if error is not None:
        return f"{method}: as admin: {error['message']}"
    if said != as_pairs(result):
        return f"{method}: the tool in its own process says otherwise"
    return None


def answers(store, workers, threads, tokens, methods):
    """(way, method): bytes."""
    service = Service(["--data", store, "--workers", workers, "--threads", threads])
    found = {}
    try:
        for kind, address in (("unix", service.unix), ("tcp", service.tcp)):
            for role in ROLES:
                peer = Peer(address)
                ask(peer, "system.hello", {"token": tokens[role]})
                for method, example in methods:
                    found[(role, kind), method] = ask(peer, method, json.loads(example))
        peer = Peer(service.unix)
        for method, example in methods:
            found[("admin", "unix"), method] = ask(peer, method, json.loads(example))
    finally:
        service.stop()
    return found


def note_day(store):
    """A service notes the day when it starts: once for all copies."""
    service = Service(["--data", store])
    service.end(signal.SIGTERM)
    service.stop()


def main():
    faults = []
    with tempfile.TemporaryDirectory(prefix="jml") as folder:
        origin = os.path.join(folder, "origin")
        subprocess.run([os.environ["JUMELAGE"], "demo", origin], check=True,
                       stdout=subprocess.DEVNULL)
        tokens = {role: json.loads(tool(origin, "call", "token.create", json.dumps(
            {"role": role, "name": role})))["token"] for role in ROLES}
        note_day(origin)
        methods = list(methods_of(origin))
        seen = {}
        for workers, threads in SETUPS:
            store = os.path.join(folder, f"{workers}-{threads}")
            shutil.copytree(origin, store)
            for (way, method), data in answers(store, workers, threads, tokens, methods).items():
                first = seen.setdefault((way[0], method), (way, workers, threads, data))
                if first[3] != data:
                    faults.append(f"{method} as {way[0]}: {workers} workers, {threads} threads, "
                                  f"{way[1]} differ from {first[1]}, {first[2]}, {first[0][1]}")
        for method, example in methods:
            faults.append(check_tool(origin, method, example, seen["admin", method][3]))
    faults = [fault for fault in faults if fault is not None]
    allowed = sum(1 for (_, _), (_, _, _, data) in seen.items()
                  if msgpack.unpackb(data, strict_map_key=False)[2] is None)
    print(f"{len(methods)} methods, {len(seen)} answers, {allowed} of them no refusal; "
          f"left out: {', '.join(sorted(ABOUT_TIME))}")
    print("\n".join(faults))
    return 1 if faults or len(methods) < 10 or allowed < len(methods) * 2 else 0


if __name__ == "__main__":
    sys.exit(main())
