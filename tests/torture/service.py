"""A jumelaged of the test's own: started on a folder, waited for, killed or asked to end.

The programs come from the environment: JUMELAGE, JUMELAGED, JUMELAGE_SHARE.
"""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "client" / "python"))
try:
    import jumelage
except ImportError as problem:  # without msgpack there is no client
    print(f"skipped: {problem}")
    sys.exit(77)

READY_SECONDS = 60
faults = 0


def check(holds, text):
    global faults
    if not holds:
        faults += 1
        print(f"FAULT: {text}", file=sys.stderr)


def folder():
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) and "TMPDIR" not in os.environ else None
    return tempfile.TemporaryDirectory(prefix="jumelage-torture-", dir=base)


class Service:
    def __init__(self, data, *options, environment=None):
        self.data = pathlib.Path(data)
        self.address = f"unix:{self.data}/jumelage.sock"
        self.log = self.data.parent / "log"
        started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [os.environ["JUMELAGED"], "--data", str(self.data), "--drain-s", "5", *options],
                stdout=log, stderr=log, env=dict(os.environ, **(environment or {})))
        self.is_ready = self._wait(started + READY_SECONDS)
        self.ready_s = time.monotonic() - started

    def client(self):
        return jumelage.Client(self.address, timeout_s=30)

    def _wait(self, deadline):
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                with self.client() as client:
                    return client.ping() == "pong"
            except jumelage.JumelageError:
                # nothing tells when it listens: look again
                try:
                    self.process.wait(0.002)
                except subprocess.TimeoutExpired:
                    pass
        return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(READY_SECONDS)
