"""TLS before what speaks none: accepts it at a port of its own and moves the bytes to a plain address.

    fronts = Fronts(context(folder, "right"))
    fronts.address("unix:/run/s")    tls:127.0.0.1:PORT, the same one for the same address

All of them run on one thread of their own until `stop`.
"""
import asyncio
import os
import socket
import ssl
import subprocess
import tempfile
import threading

MAKE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "certificates",
                    "make-certificates")


class Certificates:
    """The certificates of tests/certificates, in a folder that ends with `stop`."""

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="jml")
        subprocess.run([MAKE, self.dir.name], check=True)

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def context(self, name, newest=ssl.TLSVersion.TLSv1_3):
        """What a service with this certificate has."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name + ".pem"), self.path(name + ".key"))
        if newest < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = newest
        return context

    def stop(self):
        self.dir.cleanup()


class Fronts:
    def __init__(self, context):
        self.context = context
        self.addresses = {}
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def address(self, plain):
        if plain not in self.addresses:
            made = asyncio.run_coroutine_threadsafe(self._listen(plain), self.loop)
            self.addresses[plain] = f"tls:127.0.0.1:{made.result()}"
        return self.addresses[plain]

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _listen(self, plain):
        async def serve(reader, writer):
            inner = await self._reach(plain)
            if inner is not None:
                with inner:
                    await asyncio.gather(self._move_in(reader, inner),
                                         self._move_out(inner, writer))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self.context)
        return server.sockets[0].getsockname()[1]

    async def _reach(self, plain):
        kind, _, rest = plain.partition(":")
        host, _, port = rest.rpartition(":")
        inner = socket.socket(socket.AF_UNIX if kind == "unix" else socket.AF_INET)
        inner.setblocking(False)
        try:
            await self.loop.sock_connect(inner, rest if kind == "unix" else (host, int(port)))
        except OSError:
            inner.close()
            return None
        return inner

    async def _move_in(self, reader, inner):
        """Where the service takes no more, what it has said before is still moved out."""
        try:
            while data := await reader.read(1 << 16):
                await self.loop.sock_sendall(inner, data)
            inner.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    async def _move_out(self, inner, writer):
        """Until the service ends; then the client is told, with a goodbye."""
        try:
            while data := await self.loop.sock_recv(inner, 1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.close()
