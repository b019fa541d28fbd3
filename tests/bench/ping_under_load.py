#!/usr/bin/python3
"""How long a ping takes while others have the service score.

    ping_under_load.py JUMELAGED STORE PROGRAMME PAIRING ID [PINGS]

Starts the service on the store. Two connections, each in a process of its own, ask for match.top
without a pause, the next question as soon as the answer is there; a third pings one after another.
Prints one line: median and 99th percentile of the pings, and how many matches were answered
meanwhile. Nothing here passes or fails by time.
"""
import multiprocessing
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time

import msgpack

LOADERS, PINGS, START_S = 2, 2000, 30


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    return peer


def ask(peer, request):
    """The answer's bytes are counted off, not looked into."""
    peer.sendall(request)
    unpacker = msgpack.Unpacker(max_buffer_size=1 << 30)
    while True:
        data = peer.recv(1 << 20)
        if not data:
            sys.exit("the service closed the connection")
        unpacker.feed(data)
        try:
            return unpacker.unpack()
        except msgpack.OutOfData:
            continue


def load(path, request, answered, is_over):
    peer = connect(path)
    while not is_over.is_set():
        answer = ask(peer, request)
        if answer[2] is not None:
            sys.exit(f"match.top: {answer[2]}")
        with answered.get_lock():
            answered.value += 1


def wait_ready(service):
    deadline = time.monotonic() + START_S
    for line in service.stderr:
        if b" ready " in line:
            return
        if time.monotonic() > deadline:
            break
    sys.exit("the service did not start")


def measure(path, request, n_pings):
    answered = multiprocessing.Value("q", 0)
    is_over = multiprocessing.Event()
    loaders = [multiprocessing.Process(target=load, args=(path, request, answered, is_over))
               for _ in range(LOADERS)]
    for loader in loaders:
        loader.start()
    peer, ping, times = connect(path), msgpack.packb([0, 1, "system.ping", []]), []
    while answered.value < LOADERS and all(loader.is_alive() for loader in loaders):
        select.select([], [], [], 0.01)
    first, began = answered.value, time.monotonic()
    for _ in range(n_pings):
        sent = time.perf_counter()
        ask(peer, ping)
        times.append((time.perf_counter() - sent) * 1000)
    matches, took = answered.value - first, time.monotonic() - began
    is_over.set()
    for loader in loaders:
        loader.join()
        if loader.exitcode != 0:
            sys.exit("a loader failed")
    times.sort()
    print(f"ping while {LOADERS} connections match: median "
          f"{times[len(times) // 2]:.2f} ms, 99 % {times[len(times) * 99 // 100]:.2f} ms, "
          f"longest {times[-1]:.2f} ms; {matches / took:.0f} matches/s meanwhile")


def main():
    program, store, programme, pairing, profile = sys.argv[1:6]
    n_pings = int(sys.argv[6]) if len(sys.argv) > 6 else PINGS
    request = msgpack.packb([0, 2, "match.top", [
        {"programme": programme, "pairing": pairing, "id": profile, "k": 10}]])
    with tempfile.TemporaryDirectory(prefix="jml") as folder:
        path = os.path.join(folder, "socket")
        service = subprocess.Popen([program, "--data", store, "--listen", "unix:" + path],
                                   stderr=subprocess.PIPE)
        try:
            wait_ready(service)
            measure(path, request, n_pings)
        finally:
            service.send_signal(signal.SIGTERM)
            service.communicate()


if __name__ == "__main__":
    main()
