#!/usr/bin/python3
"""A request that comes in small pieces costs the service work in proportion to its size, not to its square.

    dribble.py      JUMELAGE and JUMELAGED name the programs

A frame and one of four times its size are sent in pieces of 64 bytes, each once the service has read the one
before, and the processor time that the service itself took (/proc) is compared: about 4 where
each byte is looked at once, towards 16 where each piece has the whole frame moved or scanned again.
"""
import fcntl
import os
import struct
import sys
import termios
import time

import msgpack

from replay import DEADLINE_S, Service

SMALL, TIMES, PIECE, BOUND, TRIES = 1 << 19, 4, 64, 6, 3


def long_text(size):
    return msgpack.packb([0, 1, "profile.get", [{"id": "x" * size}]])


def many_numbers(size):
    number = b"\xcb" + struct.pack(">d", 0.5)
    n = size // len(number)
    head = b"\x94\x00\x01" + msgpack.packb("profile.get") + b"\x91\x81" + msgpack.packb("id")
    return head + b"\xdd" + struct.pack(">I", n) + number * n


def seconds_of(service):
    """Of all its threads, by the scheduler's own count."""
    total, folder = 0, f"/proc/{service.process.pid}/task"
    for task in os.listdir(folder):
        with open(f"{folder}/{task}/schedstat", encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def reads_of(service):
    return service.call("system.stats", {})["service"]["reads"]


def await_read(peer):
    """Until nothing of what was sent waits in the socket (SIOCOUTQ)."""
    deadline = time.monotonic() + DEADLINE_S
    waiting = bytearray(4)
    while True:
        fcntl.ioctl(peer.socket, termios.TIOCOUTQ, waiting)
        if not any(waiting):
            return
        if time.monotonic() > deadline:
            sys.exit("the service does not read")


def cost(service, frame):
    """Processor seconds and reads of the service for one frame in pieces."""
    reads, seconds = reads_of(service), seconds_of(service)
    for at in range(0, len(frame), PIECE):
        service.admin.send(frame[at:at + PIECE])
        await_read(service.admin)
    answer = service.admin.next()
    if answer is None or answer[0] != 1 or answer[2]["name"] != "invalid_params":
        sys.exit(f"not answered as expected: {answer}")
    return seconds_of(service) - seconds, reads_of(service) - reads


def ratio(service, make):
    small, large = cost(service, make(SMALL)), cost(service, make(SMALL * TIMES))
    if large[1] < len(make(SMALL)) // PIECE:
        sys.exit(f"pieces were read together ({large[1]} reads): nothing was measured")
    print(f"{make.__name__}: {small[0]:.2f} s in {small[1]} reads, {large[0]:.2f} s in "
          f"{large[1]} reads: x{large[0] / small[0]:.1f}, less than x{BOUND}")
    return large[0] / small[0]


def main():
    service = Service(["--limit", "frame_s=600"])
    try:
        for make in (long_text, many_numbers):
            # a busy machine may spoil one measurement; what is square is square each time
            if all(ratio(service, make) >= BOUND for _ in range(TRIES)):
                return 1
    finally:
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
