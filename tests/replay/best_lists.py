#!/usr/bin/python3
"""The best list of each, as the tool prints it, is what match.top says of one profile after another.

    best_lists.py   JUMELAGE and JUMELAGED name the programs

The tool gets its lists in pages from match.each. Asked of a service that is older than that method (a
front that knows all but it) it asks match.top for each profile instead: the bytes must be the
same, in every format, for either side. And what they say is looked up here: profile.list for who stands there,
match.top for each of them.
"""
import json
import os
import subprocess
import sys
import tempfile
import threading
from socket import AF_UNIX, SHUT_RDWR, socket

import msgpack

from replay import Failure, Peer, Service

PROGRAMME = "bilocation"
COLUMNS = ("pairing", "rank", "name", "score", "coverage")


def check(holds, what):
    if not holds:
        raise Failure(what)


class Older:
    """Before a service: passes on what is asked, but for one method, which it does not know."""

    def __init__(self, service, unknown):
        self.service, self.unknown, self.asked = service, unknown, []
        self.dir = tempfile.TemporaryDirectory(prefix="jml")
        self.listener = socket(AF_UNIX)
        self.listener.bind(f"{self.dir.name}/older.sock")
        self.listener.listen()
        self.address = f"unix:{self.dir.name}/older.sock"
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            with connected:
                self.pass_on(connected, Peer(self.service.unix))

    def pass_on(self, connected, behind):
        unpacker = msgpack.Unpacker(raw=False)
        while data := connected.recv(1 << 16):
            unpacker.feed(data)
            for frame in unpacker:
                self.asked.append(frame[2])
                connected.sendall(msgpack.packb(self.answer(frame, behind)))
        behind.socket.close()

    def answer(self, frame, behind):
        if frame[2] == self.unknown:
            return [1, frame[1], {"code": 2, "name": "unknown_method",
                                  "message": f"there is no method {self.unknown}"}, None]
        behind.send(msgpack.packb(frame))
        return behind.next()

    def stop(self):
        self.listener.shutdown(SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        self.dir.cleanup()


def tool(address, *arguments, status=0):
    done = subprocess.run([os.environ["JUMELAGE"], "--server", address, "match", PROGRAMME, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    check(done.returncode == status, f"match {arguments}: status {done.returncode}, {done.stderr.decode()}")
    return done.stdout


def standing(service, side):
    """Who stands on one side: by kind and metro, as the pairing says and then as its mirror does, by id."""
    for pairing in service.call("programme.get", {"id": PROGRAMME})["pairings"]:
        own, other = pairing[side], pairing["to" if side == "from" else "from"]
        for metro in [own.get("metro")] + ([other["metro"]] if pairing.get("mirror") else []):
            wanted = {key: value for key, value in (("kind", own.get("kind")), ("metro", metro)) if value}
            page = service.call("profile.list", {**wanted, "limit": 1000})
            check("next" not in page, "more profiles than one page has")
            for profile in page["profiles"]:
                yield pairing["id"], profile["id"]


def looked_up(service, side, **more):
    for pairing, one in standing(service, side):
        top = service.call("match.top", {"programme": PROGRAMME, "pairing": pairing, "side": side,
                                         "id": one, **more})
        for rank, match in enumerate(top["matches"], 1):
            yield {side: one, "pairing": pairing, "rank": rank,
                   "to" if side == "from" else "from": match["id"],
                   **{name: match[name] for name in ("name", "score", "coverage")}}


def lists_are_those_of_match_top(service, older):
    for side, options, more in (("from", ("-k", "3"), {"k": 3}),
                                ("to", ("-k", "4", "--min-score", "2500"), {"k": 4, "min_score": 2500})):
        said = [json.loads(line) for line in
                tool(service.unix, *options, "--side", side, "--format", "json").splitlines()]
        wanted = list(looked_up(service, side, **more))
        check(len(wanted) > 50, f"only {len(wanted)} lines of {side}")
        for line, want in zip(said, wanted):
            check(line == want and list(line) == list(want), f"{side}: {line}, where match.top says {want}")
        check(len(said) == len(wanted), f"{side}: {len(said)} lines, not {len(wanted)}")
        for form in ("json", "csv", "tsv", "table"):
            arguments = (*options, "--side", side, "--format", form, "--lang", "fr")
            older.asked.clear()
            check(tool(service.unix, *arguments) == tool(older.address, *arguments),
                  f"{side} as {form}: one by one the lines are others")
            check(older.asked.count("match.each") == 1 and older.asked.count("match.top") > 50,
                  "the tool asked once whether there is match.each, then for each profile")
    check(tool(service.unix, "-k", "2", "--format", "csv") ==
          tool(service.unix, "-k", "2", "--format", "csv", "--side", "from"), "the first side by itself")
    for address in (service.unix, older.address):
        tool(address, "--side", "both", status=64)
        tool(address, "--day", "yesterday", status=65)


def main():
    service = Service([])
    older = Older(service, "match.each")
    try:
        lists_are_those_of_match_top(service, older)
    finally:
        older.stop()
        service.stop()


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"best_lists: {failure}")
