"""A service to be tested, and peers that speak to it byte by byte.

JUMELAGE and JUMELAGED name the programs, JUMELAGE_SHARE the data. Nothing sleeps: every wait is for an
event, with a deadline.
"""
import os
import select
import signal
import socket
import subprocess
import tempfile
import time

import msgpack

DEADLINE_S = 20


class Failure(Exception):
    pass


class Peer:
    def __init__(self, address):
        kind, _, rest = address.partition(":")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(rest)
        else:
            host, _, port = rest.rpartition(":")
            self.socket = socket.create_connection((host, int(port)))
        self.socket.settimeout(DEADLINE_S)
        self.unpacker = msgpack.Unpacker(raw=False, strict_map_key=False,
                                         max_buffer_size=1 << 30)
        self.has_ended = False

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the service has closed; what it said is still to be read

    def next(self):
        """The next frame; None at the end."""
        while True:
            for frame in self.unpacker:
                return frame
            try:
                data = self.socket.recv(1 << 20)
            except ConnectionResetError:
                data = b""
            except socket.timeout:
                raise Failure(f"nothing came for {DEADLINE_S} s")
            if not data:
                self.has_ended = True
                return None
            self.unpacker.feed(data)

    def stuff(self, data, patience_ms=1000):
        """Sends copies until the other side takes no more for so long."""
        self.socket.setblocking(False)
        sent = 0
        block = data * max(1, 65536 // len(data))
        view = memoryview(block)
        waiting = select.poll()
        waiting.register(self.socket, select.POLLOUT)
        while sent < 1 << 30:
            if not waiting.poll(patience_ms):
                break
            try:
                n = self.socket.send(view)
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                break
            sent += n
            view = view[n:] if n < len(view) else memoryview(block)
        self.socket.settimeout(DEADLINE_S)
        return sent


class Service:
    """A service on a fresh demonstration store, at unix and at tcp, with the tokens made for it."""

    def __init__(self, options):
        self.options = options
        self.dir = tempfile.TemporaryDirectory(prefix="jml")
        self.store = os.path.join(self.dir.name, "store")
        self.log_path = os.path.join(self.dir.name, "log")
        subprocess.run([os.environ["JUMELAGE"], "demo", self.store], check=True,
                       stdout=subprocess.DEVNULL)
        self.unix = f"unix:{self.store}/jumelage.sock"
        self.tcp = None
        self.tokens = {}
        self.start()

    def start(self):
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(
            [os.environ["JUMELAGED"], "--data", self.store, "--listen", self.unix,
             "--listen", "tcp:127.0.0.1:0", "--sandbox", "strict", *self.options], stderr=self.log)
        deadline = time.monotonic() + DEADLINE_S
        with open(self.log_path, "rb") as reading:
            while True:
                for line in reading:
                    words = line.decode().split()
                    if "listening" in words and "address=tcp:" in line.decode():
                        self.tcp = words[-1].split("=", 1)[1]
                    if "ready" in words:
                        self.admin = Peer(self.unix)
                        return
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Failure("the service did not start: " + self.tail())
                select.select([], [], [], 0.005)

    def tail(self):
        with open(self.log_path, "rb") as reading:
            return reading.read()[-2000:].decode(errors="replace")

    def call(self, method, params):
        request = msgpack.packb([0, 0, method, [params]])
        self.admin.send(request)
        answer = self.admin.next()
        if answer is None:  # it has sat idle for too long
            self.admin = Peer(self.unix)
            self.admin.send(request)
            answer = self.admin.next()
        if answer is None or answer[2] is not None:
            raise Failure(f"{method}: {answer}")
        return answer[3]

    def make_token(self, name, role, **more):
        answer = self.call("token.create", {"role": role, "name": name, **more})
        self.tokens[name] = answer["token"]
        self.tokens[name + "_id"] = answer["id"]
        return answer["token"]

    def end(self, how=signal.SIGKILL):
        """Ends the process, leaves the store."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(DEADLINE_S)
        self.log.close()

    def stop(self):
        self.end()
        self.dir.cleanup()
