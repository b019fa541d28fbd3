#!/usr/bin/python3
"""Descriptors run out: the service stops accepting for a while instead of spinning, and goes on when it can."""
import os
import resource
import socket
import sys
import time

import msgpack

from service import DEADLINE_S, Failure, Peer, Service

DESCRIPTORS = 60


def cpu_s(service):
    with open(f"/proc/{service.process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def pauses(service):
    return service.call("system.stats", {})["service"]["accept_pauses"]


def main():
    service = Service([])
    crowd = []
    try:
        resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))
        name = service.unix[5:]
        for _ in range(2 * DESCRIPTORS):  # the system takes them for the service, in its backlog
            peer = socket.socket(socket.AF_UNIX)
            peer.connect(name)
            crowd.append(peer)
        deadline = time.monotonic() + DEADLINE_S
        while pauses(service) < 3:  # who came before is served all the while
            if time.monotonic() > deadline:
                raise Failure("it never paused")
        began, used, n = time.monotonic(), cpu_s(service), pauses(service)
        while pauses(service) < n + 5:
            pass
        # Five pauses of a tenth of a second; a loop that spins would have used all of that time. Our own
        # calls cost it something too.
        share = (cpu_s(service) - used) / (time.monotonic() - began)
        print(f"{share * 100:.0f} % of a processor while descriptors are out, our own calls included")
        if pauses(service) > n + 50:
            raise Failure("it tries again and again")
        for peer in crowd:
            peer.close()
        crowd.clear()
        late = Peer(service.unix)
        late.send(msgpack.packb([0, 1, "system.ping", []]))
        if late.next() != [1, 1, None, "pong"]:
            raise Failure("not served after descriptors came free")
    except Failure as failure:
        print(f"{failure}\n    log: {service.tail()}")
        return 1
    finally:
        for peer in crowd:
            peer.close()
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
