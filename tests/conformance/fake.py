"""A peer that is no jumelage service, or a sick one: it does what a script says.

    with FakeService(script) as address: …            at a unix socket
    with FakeService(script, context) as address: …   in TLS; where it ends, it says no goodbye
    with FakeService(script, RAW) as address: …       at an address of TLS, which the script speaks or not

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


class FakeService:
    def __init__(self, script, context=None):
        self.script = script
        self.context = context
        self.dir = tempfile.TemporaryDirectory(prefix="jml")
        if context is None:
            path = os.path.join(self.dir.name, "s")
            self.address = "unix:" + path
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"tls:127.0.0.1:{self.listener.getsockname()[1]}"
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
            connection = Connection(connected)
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
