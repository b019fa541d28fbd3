#!/usr/bin/python3
"""Every kernel of searches gives the same bytes: a service with each, and the tool with each.

    kernels.py   JUMELAGE and JUMELAGED name the programs

One store, some thousand profiles. A service is started with each kernel that kernel.h knows, and asked
match.top for startups, investors and incubators from either side; the bytes must be equal. What this
processor can't run must be refused, by the name of the setting, with what it can run; that is said as
"skipped".
"""
import json
import os
import subprocess
import sys

import msgpack

from replay import Peer, Service
from same_bytes import ask

KERNELS = ("plain", "avx2", "avx512")
BAD_CONFIGURATION, BAD_DATA = 78, 65  # of the service, of the tool
PAIRINGS = ("hosting", "funding")
KINDS = {"hosting": ("startup", "incubator"), "funding": ("startup", "investor")}
ASKERS = 25  # of each kind in each pairing


def expect(holds, *said):
    if not holds:
        sys.exit(" ".join(str(part) for part in said))


def tool(store, *arguments, kernel=None):
    environment = dict(os.environ)
    if kernel is not None:
        environment["JUMELAGE_KERNEL"] = kernel
    return subprocess.run([os.environ["JUMELAGE"], "--data", store, *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def fill(store):
    lines = os.path.join(os.path.dirname(store), "profiles.jsonl")
    made = tool(store, "generate", "--startups", "500", "--investors", "400", "--incubators", "400")
    expect(made.returncode == 0, made.stderr)
    with open(lines, "wb") as file:
        file.write(made.stdout)
    done = tool(store, "import", lines, "--yes")
    expect(done.returncode == 0, done.stderr)


def profiles(service, kind):
    answer = service.call("profile.list", {"kind": kind, "limit": ASKERS})
    return [profile["id"] for profile in answer["profiles"]]


def questions(service):
    for pairing in PAIRINGS:
        for kind in KINDS[pairing]:
            for profile in profiles(service, kind):
                for more in ({"k": 10}, {"k": 200, "min_score": 3000}):
                    yield {"programme": "bilocation", "pairing": pairing, "id": profile,
                           "day": "2026-05-04", **more}


def refused(store, kernel):
    """The sentence with which the service refuses the kernel; None if it takes it."""
    done = subprocess.run([os.environ["JUMELAGED"], "--data", store, "--check-config", "--kernel",
                           kernel], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode == 0:
        return None
    said = done.stderr.decode()
    expect(done.returncode == BAD_CONFIGURATION, kernel, done.returncode, said)
    expect(f'kernel is "{kernel}"; this processor can run plain' in said, said)
    return said.strip()


def check_tool(store, kernel, is_taken):
    """On a store that no service holds."""
    done = tool(store, "call", "system.stats", "{}", kernel=kernel)
    if is_taken:
        expect(json.loads(done.stdout)["kernel"] == kernel, "the tool does not run", kernel)
    else:
        expect(done.returncode == BAD_DATA, kernel, done.returncode, done.stderr)
        expect(f'kernel is "{kernel}"' in done.stderr.decode(), done.stderr)


def answers(service, kernel, asked):
    service.end()
    service.options = ["--kernel", kernel]
    service.start()
    shown = service.call("system.stats", {})["kernel"]
    expect(kernel in (shown, "auto"), kernel, shown)
    expect(f"kernel={shown}" in service.tail(), service.tail())
    peer = Peer(service.unix)
    return shown, [ask(peer, "match.top", question) for question in asked]


def main():
    service = Service(["--kernel", "plain"])
    try:
        service.end()
        fill(service.store)
        service.start()
        asked = list(questions(service))
        _, first = answers(service, "plain", asked)
        n_hits = 0
        for question, answer in zip(asked, first):
            error, result = msgpack.unpackb(answer, strict_map_key=False)[2:]
            expect(error is None, question, error)
            n_hits += len(result["matches"])
        expect(n_hits > 5 * len(asked), n_hits, "matches of", len(asked), "questions")
        expect(refused(service.store, "gpu") is not None, "gpu was taken")
        names = [name for name in KERNELS if refused(service.store, name) is None]
        for name in [*names, "auto"]:
            shown, again = answers(service, name, asked)
            for question, one, other in zip(asked, first, again):
                expect(one == other, name, "differs from plain at", question)
            if name == "auto":
                expect(shown == names[-1], "auto chose", shown, "of", names)
        service.end()
        for name in (*KERNELS, "gpu"):
            check_tool(service.store, name, name in names)
        for name in KERNELS:
            if name not in names:
                print("skipped:", refused(service.store, name))
        print(len(asked), "questions,", n_hits, "matches, the same by", ", ".join(names))
    finally:
        service.end()
        service.dir.cleanup()


if __name__ == "__main__":
    main()
