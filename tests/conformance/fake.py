"""A peer that is no jumelage service, or a sick one: it does what a script says.

    with FakeService(script) as address: …            at a unix socket
    with FakeService(script, context) as address: …   in TLS; where it ends, it says no goodbye
    with FakeService(script, RAW) as address: …       at an address of TLS, which the script speaks or not
    with FakeService(script, scheme="http") as …      over HTTP: what is sent is the body of an answer, unless
                                                      it is sent raw; "https" with a context

`script(connection)` is called for each connection, in a thread of its own, and returns when it wants the
connection closed. The peer's end is raised inside it as EOFError, which ends it too.
"""
import os
import socket
import tempfile
import threading

import msgpack

from service import DEADLINE_S

HELLO = {"name": "jumelage", "version": "0", "protocol": 1, "role": "admin", "time": 0,
         "limits": {"in_flight": 1024}}


RAW = object()


class Connection:
    def __init__(self, connected):
        self.socket = connected
        self.socket.settimeout(DEADLINE_S)
        self.unpacker = msgpack.Unpacker(raw=False)

    def secure(self, context):
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except OSError:
            raise EOFError from None

    def next(self):
        """The next frame that came."""
        while True:
            for frame in self.unpacker:
                return frame
            try:
                data = self.socket.recv(1 << 16)
            except OSError:
                data = b""
            if not data:
                raise EOFError
            self.unpacker.feed(data)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise EOFError from None

    def answer(self, msgid, result=None, error=None):
        self.send(msgpack.packb([1, msgid, error, result]))

    def greet(self, **other):
        """Takes the greeting and answers it; what was asked in it."""
        _, msgid, method, params = self.next()
        assert method == "system.hello", method
        self.answer(msgid, {**HELLO, **other})
        return params[0]

    def until_end(self):
        while True:
            self.next()


class HttpConnection(Connection):
    """Frames as bodies of requests and answers."""

    def __init__(self, connected):
        super().__init__(connected)
        self.data = b""
        self.head = {}  # of the last request, its first line by the name ""
        self.kept = None

    def _more(self):
        try:
            data = self.socket.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            raise EOFError
        self.data += data

    def next(self):
        if self.kept is not None:
            frame, self.kept = self.kept, None
            return frame
        while b"\r\n\r\n" not in self.data:
            self._more()
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        first, *lines = head.decode("ascii").split("\r\n")
        self.head = {"": first}
        for line in lines:
            name, _, value = line.partition(": ")
            assert name.lower() not in self.head, f"{name} twice"
            self.head[name.lower()] = value
        n = int(self.head["content-length"])
        while len(self.data) < n:
            self._more()
        body, self.data = self.data[:n], self.data[n:]
        return msgpack.unpackb(body, raw=False)

    def greet(self, **other):
        """The greeting, where there is one: over HTTP not each connection is greeted."""
        frame = self.next()
        if frame[2] == "system.hello":
            self.kept = None
            self.answer(frame[1], {**HELLO, **other})
            return frame[3][0] if frame[3] else {}
        self.kept = frame
        return None

    raw = Connection.send

    def send(self, data):
        self.raw(http_answer(data))


def http_answer(body, *headers, status="200 OK", media="application/msgpack", version="1.1"):
    lines = [f"HTTP/{version} {status}", f"Content-Type: {media}", f"Content-Length: {len(body)}", *headers]
    return "".join(line + "\r\n" for line in lines).encode("latin-1") + b"\r\n" + body


class FakeService:
    def __init__(self, script, context=None, scheme=None):
        self.script = script
        self.context = context
        self.make = Connection if scheme is None else HttpConnection
        self.dir = tempfile.TemporaryDirectory(prefix="jml")
        if context is None and scheme is None:
            path = os.path.join(self.dir.name, "s")
            self.address = "unix:" + path
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            kind = "tls:" if scheme is None else scheme + "://"
            self.address = f"{kind}127.0.0.1:{self.listener.getsockname()[1]}"
        self.listener.listen()
        self.threads = [threading.Thread(target=self.accept)]
        self.open = []
        self.problem = None

    def __enter__(self):
        self.threads[0].start()
        return self.address

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        for connected in self.open:
            try:
                socket.socket.shutdown(connected, socket.SHUT_RDWR)  # that of TLS would forget TLS
            except OSError:
                pass
        for thread in self.threads:
            thread.join()
        self.listener.close()
        self.dir.cleanup()
        if self.problem is not None:
            raise self.problem

    def accept(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connected)
            thread = threading.Thread(target=self.play, args=(connected,))
            self.threads.append(thread)
            thread.start()

    def play(self, connected):
        try:
            connection = self.make(connected)
            if self.context is not None and self.context is not RAW:
                connection.secure(self.context)
                connected = connection.socket  # the one before has handed its descriptor on
                self.open.append(connected)
            self.script(connection)
        except EOFError:
            pass
        except Exception as problem:  # told in __exit__, where the test sees it
            self.problem = problem
        finally:
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connected.close()
