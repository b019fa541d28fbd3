#!/usr/bin/python3
"""A service notes the UTC day in the journal when it starts, once a day; the tool, which only reads, does not."""
import os
import signal
import subprocess
import sys

from service import Failure, Service

STARTS = 3


def expect(is_so, what):
    if not is_so:
        raise Failure(what)


def days(service):
    """The days noted. Whatever was asked of the writer at the start is done before the put is answered."""
    service.call("profile.put", {"profile": {"id": "a", "kind": "startup", "name": "A"}})
    return [(entry["subject"], entry["actor"]) for entry in
            service.call("journal.list", {"method": "system.day", "limit": 1000})["entries"]]


def days_by_tool(service):
    answer = subprocess.run(
        [os.environ["JUMELAGE"], "--data", service.store, "journal", "list", "--method", "system.day",
         "--format", "csv"], check=True, capture_output=True, text=True).stdout
    return sum("system.day" in line for line in answer.splitlines())


def main():
    service = Service([])
    try:
        noted = []
        for start in range(STARTS):
            before, noted = noted, days(service)
            names = [day for day, _ in noted]
            expect(names and len(set(names)) == len(names), f"start {start}: {noted}")
            expect(noted[:len(before)] == before, f"{before}, then {noted}")
            expect({actor for _, actor in noted} == {"engine"}, f"{noted}")
            expect(len(noted) <= len(before) + 1, f"{before}, then {noted}")
            service.end(signal.SIGTERM)
            expect(days_by_tool(service) == len(noted), "the tool has written")
            service.start()
        expect(len(noted) <= 2, f"{noted}")  # two if it was midnight meanwhile
    except Failure as failure:
        sys.exit(f"day: {failure}")
    finally:
        service.stop()


if __name__ == "__main__":
    main()
