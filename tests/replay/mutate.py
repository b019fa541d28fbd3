#!/usr/bin/python3
"""Damaged requests by the thousand, over many connections: nobody dies, nobody else is disturbed.

    mutate.py       JUMELAGE and JUMELAGED name the programs; JML_MUTATIONS says how many frames
                    (20000), JML_SEED from which seed (printed)

Frames are the examples of every method, with bytes flipped, taken out, put in, cut off, joined to another
frame's, or announcing a length that is not theirs. Frames that are still whole values travel
together; one that is not ends its connection, as the service must. After each connection a good
request on another one is answered. At the end the service lives, has not grown by more than 64 MiB,
and stops as it should.
"""
import json
import os
import random
import signal
import struct
import sys
import time

import msgpack

from replay import DEADLINE_S, Peer, Service

GROWTH_MIB, BATCH = 64, 16
# Lists of 10,000 profiles and runs of minutes are other tests' matter; here it is the bytes.
CALM = {"deadline_ms": 2000}


def templates(service):
    frames = []
    for method in service.call("system.methods", {}):
        params = json.loads(method.get("example", "{}"))
        for msgid in (1, 2**32 - 1):
            frames.append(msgpack.packb([0, msgid, method["name"], [params]]))
            frames.append(msgpack.packb([0, msgid, method["name"], [{**params, **CALM}]]))
        frames.append(msgpack.packb([2, method["name"], [params]]))
    return frames


def announce(dice, frame):
    """Somewhere, the head of a value that is longer than what follows."""
    at = dice.randrange(len(frame))
    kind = dice.choice(b"\xc4\xc5\xc6\xc7\xc9\xd9\xda\xdb\xdc\xdd\xde\xdf")
    width = {0xc4: 1, 0xc7: 1, 0xd9: 1, 0xc5: 2, 0xda: 2, 0xdc: 2, 0xde: 2}.get(kind, 4)
    length = dice.choice((0, 1, 255, 65535, 2**28, 2**32 - 1, dice.randrange(2**32)))
    head = bytes([kind]) + struct.pack(">I", length)[4 - width:]
    return frame[:at] + head + frame[at + dice.randrange(2):]


def mutate(dice, frames):
    frame = bytearray(dice.choice(frames))
    for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
        how, at = dice.randrange(8), dice.randrange(max(1, len(frame)))
        if not frame or how < 3:
            frame[at:at + 1] = bytes([dice.randrange(256)])
        elif how == 3:
            del frame[at:at + dice.randrange(1, 5)]
        elif how == 4:
            frame[at:at] = dice.randbytes(dice.randrange(1, 5))
        elif how == 5:
            other = dice.choice(frames)
            frame[at:] = other[dice.randrange(len(other)):]
        elif how == 6:
            frame[:] = announce(dice, bytes(frame))
        else:
            frame[at] ^= 1 << dice.randrange(8)
    return bytes(frame)


def is_whole(frame):
    try:
        msgpack.unpackb(frame, raw=True, strict_map_key=False)
        return True
    except Exception:  # whatever the library says of it
        return False


def mib_of(service, name):
    with open(f"/proc/{service.process.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name)) // 1024


def is_sanitized(service):
    """Its memory is then not the service's own."""
    with open(f"/proc/{service.process.pid}/maps", encoding="ascii") as maps:
        return any("libasan" in line or "libtsan" in line for line in maps)


def drain(peer):
    """Reads to the end, which must come: the peer has said all."""
    peer.socket.settimeout(DEADLINE_S)
    try:
        while peer.socket.recv(1 << 20):
            pass
    except ConnectionResetError:
        pass
    peer.socket.close()


def attack(service, dice, frames, count):
    slowest = 0.0
    sent = connections = 0
    hello = msgpack.packb([0, 0, "system.hello", [{"token": service.tokens["officer"]}]])
    while sent < count:
        kind = dice.randrange(3)  # admin, stranger, officer
        peer = Peer(service.unix if kind == 0 else service.tcp)
        batch = [hello] if kind == 2 else []
        for _ in range(min(BATCH, count - sent)):
            batch.append(mutate(dice, frames))
            sent += 1
            if not is_whole(batch[-1]):
                break
        peer.send(b"".join(batch))
        try:
            peer.socket.shutdown(1)
        except OSError:
            pass  # it has closed first
        began = time.monotonic()
        service.call("system.ping", {})
        slowest = max(slowest, time.monotonic() - began)
        drain(peer)
        connections += 1
    return connections, slowest


def main():
    count = int(os.environ.get("JML_MUTATIONS", "20000"))
    seed = int(os.environ.get("JML_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}", flush=True)
    dice = random.Random(seed)
    service = Service(["--threads", "2", "--workers", "2"])
    try:
        answer = service.call("token.create", {"role": "officer", "name": "mutate"})
        service.tokens["officer"] = answer["token"]
        frames = templates(service)
        attack(service, dice, frames, 500)  # what is made at first use is made
        before = mib_of(service, "VmRSS")
        with open(f"/proc/{service.process.pid}/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")
        connections, slowest = attack(service, dice, frames, count)
        grown = mib_of(service, "VmHWM") - before
        print(f"{count} frames, {connections} connections, slowest good answer "
              f"{slowest * 1000:.0f} ms, grown by {grown} MiB from {before} MiB")
        if grown > GROWTH_MIB and not is_sanitized(service):
            sys.exit(f"it grew by {grown} MiB; at most {GROWTH_MIB} are right")
        service.process.send_signal(signal.SIGTERM)
        service.admin.socket.close()
        if service.process.wait(DEADLINE_S) != 0:
            sys.exit("it did not end well: " + service.tail())
    except BaseException:
        print("log: " + service.tail())
        raise
    finally:
        service.stop()


if __name__ == "__main__":
    main()
