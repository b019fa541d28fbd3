#!/usr/bin/python3
"""Clients of others, as they are, against the service.

    third_party.py COMMAND…    is called with two more arguments: the path of the unix socket, the TCP port

Each of the programs it runs speaks through an msgpack-RPC library that knows nothing of jumelage, checks what
comes, and ends with a status other than 0 where that is wrong.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "replay"))
from service import DEADLINE_S, Service  # noqa: E402


def main():
    service = Service([])
    try:
        token = service.make_token("third", "officer")
        _, _, path = service.unix.partition(":")
        port = service.tcp.rpartition(":")[2]
        return subprocess.run([*sys.argv[1:], path, port], env={**os.environ, "TOKEN": token},
                              timeout=4 * DEADLINE_S, check=False).returncode
    finally:
        service.stop()


if __name__ == "__main__":
    sys.exit(main())
