"""TLS before what speaks none: accepts it at a port of its own and moves the bytes to a plain address.

    fronts = Fronts(context(folder, "right"))
    fronts.address("unix:/run/s")    tls:127.0.0.1:PORT, the same one for the same address

All of them run on one thread of their own until `stop`.
"""
import asyncio
import os
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
            try:
                inner_reader, inner_writer = await self._reach(plain)
            except OSError:
                writer.close()
                return
            await asyncio.gather(self._move(reader, inner_writer), self._move(inner_reader, writer))

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=self.context)
        return server.sockets[0].getsockname()[1]

    @staticmethod
    async def _reach(plain):
        kind, _, rest = plain.partition(":")
        if kind == "unix":
            return await asyncio.open_unix_connection(rest)
        host, _, port = rest.rpartition(":")
        return await asyncio.open_connection(host, int(port))

    @staticmethod
    async def _move(reader, writer):
        """Until one side ends: then the other one is told, in TLS with a goodbye."""
        try:
            while True:
                data = await reader.read(1 << 16)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
