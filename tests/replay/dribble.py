#!/usr/bin/env python3
"""A request that comes in small pieces costs the service work in proportion to its size, not to its square.

    dribble.py      JUMELAGE and JUMELAGED name the programs

A frame and one of four times its size are sent eight bytes at a time, and the processor time that the
service itself took (/proc) is compared: about 4 where each byte is looked at once, 16 where each piece
has the whole frame moved or scanned again. How many pieces a read finds is the system's choice, so
the bound follows the reads that were made.
"""
import os
import struct
import sys

import msgpack

from replay import Service

SMALL, TIMES, PIECE, SLACK = 1 << 19, 4, 8, 1.5


def long_text(size):
    return msgpack.packb([0, 1, "profile.get", [{"id": "x" * size}]])


def many_numbers(size):
    number = b"\xcb" + struct.pack(">d", 0.5)
    n = size // len(number)
    head = b"\x94\x00\x01" + msgpack.packb("profile.get") + b"\x91\x81" + msgpack.packb("id")
    return head + b"\xdd" + struct.pack(">I", n) + number * n


def seconds_of(service):
    with open(f"/proc/{service.process.pid}/stat", encoding="ascii") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def reads_of(service):
    return service.call("system.stats", {})["service"]["reads"]


def cost(service, frame):
    """Processor seconds and reads of the service for one frame in pieces."""
    reads, seconds = reads_of(service), seconds_of(service)
    for at in range(0, len(frame), PIECE):
        service.admin.send(frame[at:at + PIECE])
    answer = service.admin.next()
    if answer is None or answer[2]["name"] != "invalid_params":
        sys.exit(f"not answered as expected: {answer}")
    return seconds_of(service) - seconds, reads_of(service) - reads


def main():
    service = Service([])
    has_failed = False
    try:
        for make in (long_text, many_numbers):
            small = cost(service, make(SMALL))
            large = cost(service, make(SMALL * TIMES))
            ratio = large[0] / max(small[0], 0.01)
            bound = SLACK * max(TIMES, large[1] / small[1])
            print(f"{make.__name__}: {small[0]:.2f} s in {small[1]} reads, "
                  f"{large[0]:.2f} s in {large[1]} reads: x{ratio:.1f}, at most x{bound:.1f}")
            has_failed = has_failed or ratio >= bound
    finally:
        service.stop()
    return has_failed


if __name__ == "__main__":
    sys.exit(main())
