#!/usr/bin/python3
"""How long writes wait while another lexicon comes into force.

    reload_under_load.py JUMELAGED STORE DATA [WRITERS]

STORE is filled by `jumelage generate`. One connection patches startup after startup without a pause (with
WRITERS, so many do), first alone, then while a lexicon with one more row is put in force by SIGHUP,
then while a vocabulary is. Prints the median and the longest of the writes, and what the service says of
the reload. Nothing here passes or fails by time.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import msgpack

from ping_under_load import ask, connect, wait_ready

ALONE_S = 1


class Lines(threading.Thread):
    """What the service says, read as it comes."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.reloaded, self.last = stream, threading.Event(), ""

    def run(self):
        for line in self.stream:
            text = line.decode(errors="replace")
            if "part=vocabularies" in text:
                self.last = text.split(" ", 2)[2].strip()
                self.reloaded.set()


def write_once(peer, i, n):
    sent = time.perf_counter()
    answer = ask(peer, msgpack.packb([0, 1, "profile.patch", [
        {"id": f"gen-startup-{i % n + 1:07}", "changes": {"team": i % 900 + 1}}]]))
    if answer[2] is not None:
        sys.exit(f"profile.patch: {answer[2]}")
    return (time.perf_counter() - sent) * 1000


def write_on(path, n, first, is_over, times):
    peer, i = connect(path), first
    while not is_over():
        times.append(write_once(peer, i, n))
        i += 7


def write_until(path, n, writers, is_over):
    """The times of all writes that `writers` connections made until then."""
    times = []
    others = [threading.Thread(target=write_on, args=(path, n, w * 1009, is_over, times))
              for w in range(1, writers)]
    for other in others:
        other.start()
    write_on(path, n, 0, is_over, times)
    for other in others:
        other.join()
    return times


def tell(what, times):
    times.sort()
    print(f"{what}: {len(times)} writes, median {times[len(times) // 2]:.2f} ms, "
          f"longest {times[-1]:.2f} ms", flush=True)


def change(share, name, row):
    with open(os.path.join(share, name), "a", encoding="utf-8") as file:
        file.write(row)


def measure(service, path, share, writers):
    peer = connect(path)
    n = ask(peer, msgpack.packb([0, 1, "profile.list", [{"kind": "startup", "limit": 1}]]))[3]["total"]
    lines = Lines(service.stderr)
    lines.start()
    alone = time.monotonic() + ALONE_S
    tell("alone", write_until(path, n, writers, lambda: time.monotonic() > alone))
    for what, name, row in [("another lexicon", "lexicon/glossary.csv", "zorgle,zorgle,blirpe\n"),
                            ("other vocabularies", "outcomes.csv", "feted,1,Feted,Fêté,party,fête\n")]:
        lines.reloaded.clear()
        change(share, name, row)
        service.send_signal(signal.SIGHUP)
        tell(what, write_until(path, n, writers, lines.reloaded.is_set))
        print("    " + lines.last, flush=True)


def main():
    program, store, data = sys.argv[1:4]
    writers = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    with tempfile.TemporaryDirectory(prefix="jml") as folder:
        share, path = os.path.join(folder, "share"), os.path.join(folder, "socket")
        shutil.copytree(data, share)
        service = subprocess.Popen([program, "--data", store, "--listen", "unix:" + path],
                                   stderr=subprocess.PIPE,
                                   env={**os.environ, "JUMELAGE_SHARE": share})
        try:
            wait_ready(service)
            measure(service, path, share, writers)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait()


if __name__ == "__main__":
    main()
