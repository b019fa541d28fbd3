#!/usr/bin/python3
"""A thousand peers that write a byte now and then, twenty that never read: what do the others notice?

Every honest request must be answered, and the service must not grow without bound. How long the answers
took is printed, and judged by nobody: machines differ.
"""
import contextlib
import os
import socket
import sys
import time

import msgpack

from service import DEADLINE_S, Failure, Peer, Service

SLOW, DEAF = 1000, 20
REQUESTS = int(os.environ.get("JML_HOSTILE_REQUESTS", "1000"))
GROWTH_MIB = 64 + DEAF * 16  # each of the deaf may be owed unread_bytes


def resident_mib(service):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def is_sanitized():
    """A sanitizer keeps what was freed: how much memory is used then says nothing of the program."""
    with open(os.environ["JUMELAGED"], "rb") as program:
        return b"__asan_init" in program.read()


def main():
    service = Service(["--limit", "frame_s=600", "--limit", "idle_s=600"])
    try:
        with contextlib.ExitStack() as stack:
            before = resident_mib(service)
            slow = []
            frame = msgpack.packb([0, 1, "profile.list", [{"text": "x" * 60}]])
            for _ in range(SLOW):
                peer = socket.socket(socket.AF_UNIX)
                stack.callback(peer.close)
                peer.connect(service.unix[5:])
                slow.append(peer)
            deaf = [Peer(service.unix) for _ in range(DEAF)]
            for peer in deaf:
                stack.callback(peer.socket.close)
                peer.stuff(msgpack.packb([0, 1, "profile.schema", []]), patience_ms=100)
            honest = Peer(service.tcp)
            honest.send(msgpack.packb([0, 0, "system.hello",
                                       [{"token": service.make_token("anna", "reader")}]]))
            honest.next()
            took = []
            for i in range(REQUESTS):
                slow[i % SLOW].send(frame[i // SLOW:i // SLOW + 1])
                asked = time.monotonic()
                method, params = (("system.ping", []) if i % 2 else
                                  ("profile.get", [{"id": "demo-startup-001"}]))
                honest.send(msgpack.packb([0, i, method, params]))
                answer = honest.next()
                took.append(time.monotonic() - asked)
                if answer is None or answer[1] != i or answer[2] is not None:
                    raise Failure(f"request {i}: {answer}")
            took.sort()
            grown = resident_mib(service) - before
            print(f"{SLOW} slow writers, {DEAF} that never read: {REQUESTS} answers, median "
                  f"{took[len(took) // 2] * 1000:.2f} ms, 99 % {took[len(took) * 99 // 100] * 1000:.2f} "
                  f"ms, longest {took[-1] * 1000:.2f} ms; grown by {grown:.0f} MiB")
            if grown > GROWTH_MIB and not is_sanitized():
                raise Failure(f"grown by {grown:.0f} MiB")
    except Failure as failure:
        print(f"{failure}\n    log: {service.tail()}")
        return 1
    finally:
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
