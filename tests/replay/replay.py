#!/usr/bin/python3
"""Plays a scenario against a running service: real sockets, peers that follow a script.

    replay.py FILE.scenario     JUMELAGE and JUMELAGED name the programs, JUMELAGE_SHARE the data

A scenario is read line by line. `#` begins a comment. Values are JSON; in them

    "*"            anything                    {"$text": 70000}   a text of so many x
    "~abc"         a text that holds abc       {"$bin": "ff00"}   bytes
    "$name"        a token made by `token`     {"$f64": 7}        a number as a float
    "#"            the index, in lines with *N {"$u64": 7}        a number in nine bytes
    {"$list": 60}  so many zeros               {"$deep": 30}      a zero in so many lists

    service [OPTIONS]        starts a service on a fresh demonstration store
    service term             SIGTERM; `service ends 0` waits for its end and checks the status
    token NAME ROLE [k=v]    makes a token as admin
    peer A unix|tcp [stranger]   connects
    A> VALUE                 sends; lines that follow one another leave in one write
    A> *1000 VALUE           a thousand times
    A>hex 94 00 …            raw bytes, likewise
    A>drip VALUE             one byte in each write
    A< VALUE                 the next frame; of a map only the keys given are compared
    A< *1000 VALUE           a thousand frames, in any order
    A<any VALUE              lines that follow one another: these frames, in any order
    A! shut|close|reset      half-close, close, close with a reset
    A! eof                   the peer's end comes, and nothing before it
    A! stuff VALUE           sends copies without reading until the service takes no more for a while
    stat NAME >= N           of system.stats' service, awaited
    memory <= N              resident MiB of the service

Every successful answer is held against the result that system.methods tells of its method.
Nothing sleeps: every wait is for an event, with a deadline of 20 s. The service runs in the strict
sandbox, where a system call that nobody listed ends it.
"""
import json
import os
import re
import shlex
import signal
import socket
import struct
import sys
import time

import msgpack

from service import DEADLINE_S, Failure, Peer, Service


def pack(value, index=None, tokens=None):
    """JSON with the marks above as msgpack bytes."""
    if isinstance(value, dict) and len(value) == 1:
        (key, inner), = value.items()
        if key == "$text":
            return msgpack.packb("x" * inner)
        if key == "$list":
            return msgpack.packb([0] * inner)
        if key == "$deep":
            return b"\x91" * inner + b"\x00"
        if key == "$bin":
            return msgpack.packb(bytes.fromhex(inner), use_bin_type=True)
        if key == "$f64":
            return b"\xcb" + struct.pack(">d", inner)
        if key == "$u64":
            return b"\xcf" + struct.pack(">Q", inner)
        if key == "$raw":
            return bytes.fromhex(inner)
    if isinstance(value, dict):
        packer = msgpack.Packer()
        return packer.pack_map_header(len(value)) + b"".join(
            pack(k, index, tokens) + pack(v, index, tokens) for k, v in value.items())
    if isinstance(value, list):
        packer = msgpack.Packer()
        return packer.pack_array_header(len(value)) + b"".join(
            pack(v, index, tokens) for v in value)
    if value == "#":
        return msgpack.packb(index)
    if isinstance(value, str) and value.startswith("$") and tokens and value[1:] in tokens:
        return msgpack.packb(tokens[value[1:]])
    return msgpack.packb(value, use_bin_type=True)


def fits(want, got, index=None, tokens=None):
    if isinstance(want, str) and want.startswith("$") and tokens and want[1:] in tokens:
        return got == tokens[want[1:]]
    if want == "*":
        return True
    if want == "#":
        return got == index
    if isinstance(want, str) and want.startswith("~"):
        return isinstance(got, str) and want[1:] in got
    if isinstance(want, dict):
        return isinstance(got, dict) and all(
            k in got and fits(v, got[k], index, tokens) for k, v in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and len(want) == len(got) and all(
            fits(w, g, index, tokens) for w, g in zip(want, got))
    return type(want) is type(got) and want == got


TYPES = {"map": dict, "list": list, "text": str, "whole number": int, "true or false": bool,
         "null": type(None)}


def is_as_told(answer, path, row):
    """Does every value that a path such as "matches[].score" stands for fit its row of system.methods?"""
    if path == "":
        if answer is None:
            return row.get("optional", False) or row["type"] == "null"
        return row["type"] == "anything" or type(answer) is TYPES[row["type"]]
    if path.startswith("[]"):
        return isinstance(answer, list) and all(is_as_told(v, path[2:], row) for v in answer)
    key = re.match(r"[^.\[]*", path.lstrip("."))[0]
    if not isinstance(answer, dict) or key not in answer:
        return row.get("optional", False)
    return is_as_told(answer[key], path.lstrip(".")[len(key):], row)


class Play:
    def __init__(self):
        self.service = None
        self.results = {}          # of each method, as system.methods tells them
        self.asked = {}            # (peer, msgid): methods
        self.peers = {}
        self.sends = (None, b"")   # peer, bytes: what follows one another leaves together
        self.any_order = (None, [])

    def flush(self):
        name, data = self.sends
        self.sends = (None, b"")
        if name is not None:
            self.peers[name].send(data)

    def flush_any(self):
        name, wants = self.any_order
        self.any_order = (None, [])
        for _ in range(len(wants)):
            got = self.received(name)
            for want in wants:
                if fits(want, got, None, self.service.tokens):
                    wants.remove(want)
                    break
            else:
                raise Failure(f"nobody expected {got!r}; expected {wants!r}")

    def line(self, text):
        word, _, rest = text.partition(" ")
        rest = rest.strip()
        if not (word.endswith(">") or word.endswith(">hex")) or word.split(">")[0] != self.sends[0]:
            self.flush()
        if not word.endswith("<any"):
            self.flush_any()
        for mark, act in (("<any", self.expect_any), (">hex", self.send_hex),
                          (">drip", self.drip), (">", self.send), ("<", self.expect),
                          ("!", self.act)):
            if word.endswith(mark):
                return act(word[:-len(mark)], rest)
        return getattr(self, "do_" + word)(rest)

    # ---- answers against the table; they may hold more than it tells ----

    def note(self, name, value, count):
        if not isinstance(value, list) or len(value) != 4 or not isinstance(value[2], str):
            return
        msgid = next(iter(value[1].values())) if isinstance(value[1], dict) else value[1]
        for i in range(count):
            self.asked.setdefault((name, i if msgid == "#" else msgid), []).append(value[2])

    def received(self, name):
        got = self.peers[name].next()
        if not isinstance(got, list) or len(got) != 4 or got[0] != 1:
            return got
        methods = self.asked.get((name, got[1]), [])
        if got[2] is not None or not methods:
            return got
        faults = []
        for method in methods:
            rows = [row["name"] for row in self.results.get(method, [])
                    if not is_as_told(got[3], row["name"], row)]
            if not rows:
                methods.remove(method)
                return got
            faults.append(f"{method} at {rows[0] or '(the answer)'}")
        raise Failure(f"not as the table says: {', '.join(faults)}\n    got      {got!r:.2000}")

    # ---- peers ----

    def send(self, name, rest):
        count, value = self.counted(rest)
        self.note(name, value, count)
        data = b"".join(pack(value, i, self.service.tokens) for i in range(count))
        self.sends = (name, self.sends[1] + data)

    def send_hex(self, name, rest):
        self.sends = (name, self.sends[1] + bytes.fromhex(rest))

    def drip(self, name, rest):
        self.note(name, json.loads(rest), 1)
        data = pack(json.loads(rest), tokens=self.service.tokens)
        for i in range(len(data)):
            self.peers[name].send(data[i:i + 1])

    @staticmethod
    def counted(rest):
        if rest.startswith("*"):
            n, _, rest = rest[1:].partition(" ")
            return int(n), json.loads(rest)
        return 1, json.loads(rest)

    def expect(self, name, rest):
        if not rest.startswith("*"):
            want, got = json.loads(rest), self.received(name)
            if not fits(want, got, None, self.service.tokens):
                raise Failure(f"expected {rest}\n    got      {got!r:.2000}")
            return
        count, want = self.counted(rest)
        left = set(range(count))
        for _ in range(count):
            got = self.received(name)
            index = got[1] if isinstance(got, list) and len(got) > 1 else None
            if index not in left or not fits(want, got, index, self.service.tokens):
                raise Failure(f"expected {rest}\n    got      {got!r:.2000}")
            left.remove(index)

    def expect_any(self, name, rest):
        if self.any_order[0] not in (None, name):
            self.flush_any()
        self.any_order = (name, self.any_order[1] + [json.loads(rest)])

    def act(self, name, rest):
        peer = self.peers[name]
        what, _, value = rest.partition(" ")
        if what == "shut":
            peer.socket.shutdown(socket.SHUT_WR)
        elif what == "close":
            peer.socket.close()
        elif what == "reset":
            peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.socket.close()
        elif what == "eof":
            got = peer.next()
            if not peer.has_ended:
                raise Failure(f"expected the end, got {got!r:.500}")
            peer.socket.close()
        elif what == "stuff":
            peer.stuff(pack(json.loads(value), 7, self.service.tokens))
        else:
            raise Failure(f"no such act: {rest}")

    # ---- the service ----

    def do_service(self, rest):
        if rest == "term":
            self.service.process.send_signal(signal.SIGTERM)
        elif rest.startswith("ends "):
            status = self.service.process.wait(DEADLINE_S)
            if status != int(rest[5:]):
                raise Failure(f"it ended with {status}: {self.service.tail()}")
        else:
            self.service = Service(shlex.split(rest))
            self.results = {method["name"]: method["result"]
                            for method in self.service.call("system.methods", {})}

    def do_token(self, rest):
        name, role, *pairs = shlex.split(rest)
        self.service.make_token(name, role, **dict(p.split("=", 1) for p in pairs))

    def do_peer(self, rest):
        name, kind = rest.split()
        self.peers[name] = Peer(self.service.unix if kind == "unix" else self.service.tcp)

    def do_stat(self, rest):
        name, relation, wanted = rest.split()
        deadline = time.monotonic() + DEADLINE_S
        while True:
            got = self.service.call("system.stats", {})["service"][name]
            if {">=": got >= int(wanted), "<=": got <= int(wanted), "=": got == int(wanted)}[relation]:
                return
            if time.monotonic() > deadline:
                raise Failure(f"{name} is {got}")

    def do_memory(self, rest):
        relation, mib = rest.split()
        with open(f"/proc/{self.service.process.pid}/status", encoding="ascii") as status:
            kib = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        if relation != "<=" or kib > int(mib) * 1024:
            raise Failure(f"resident: {kib} KiB")


def main():
    path = sys.argv[1]
    play = Play()
    number, text = 0, ""
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                text = line.strip()
                if text and not text.startswith("#"):
                    play.line(text)
        play.flush()
        play.flush_any()
    except (Failure, json.JSONDecodeError, OSError, KeyError, AttributeError) as failure:
        print(f"{os.path.basename(path)}:{number}: {text}\n    {failure!s}")
        if play.service is not None:
            print("    log: " + play.service.tail())
        return 1
    finally:
        if play.service is not None:
            play.service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
