# SPDX-License-Identifier: Apache-2.0
"""A TCP relay that looks for texts in everything a server sends.

It listens on another loopback address with the same port numbers as the
server, so clients that follow advertised addresses pass through it with every
connection. Runs in a thread of its own, as everything made of Servers does.
"""
import asyncio
import contextlib
import socket
import threading

CHUNK = 1 << 16


class Servers:
    """A thread with an event loop in which servers run, while in use.

    Whoever derives from it opens them in _listen().
    """

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self):
        self.thread.start()
        try:
            self._run(self._listen())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    async def _close(self):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


class Relay(Servers):
    """Relays listen:port to target:port for each port, while in use.

    needles are texts; hits are (port, text, the bytes around it).
    """

    def __init__(self, listen, target, ports, needles):
        super().__init__()
        self.listen, self.target, self.ports = listen, target, ports
        self.needles = [needle.encode() for needle in needles]
        self.overlap = max(map(len, self.needles)) - 1
        self.hits = []
        self.scanned = 0

    async def _listen(self):
        for port in self.ports:
            await asyncio.start_server(
                lambda r, w, port=port: self._serve(r, w, port),
                self.listen, port)

    async def _serve(self, client_in, client_out, port):
        try:
            server_in, server_out = await asyncio.open_connection(
                self.target, port)
        except OSError:
            client_out.close()
            return
        for stream in (client_out, server_out):
            stream.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pump(client_in, server_out, None),
                self._pump(server_in, client_out, port))

    async def _pump(self, source, sink, port):
        """Copies until the end, which it passes on; scans if port is set."""
        tail = b""
        try:
            while data := await source.read(CHUNK):
                if port is not None:
                    self._scan(tail, data, port)
                    tail = (tail + data)[-self.overlap:]
                sink.write(data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()

    def _scan(self, tail, data, port):
        """Looks also across the border to what came before."""
        text = tail + data
        self.scanned += len(data)
        for needle in self.needles:
            at = text.find(needle)
            if at >= 0:
                around = text[max(0, at - 60):at + 60]
                self.hits.append((port, needle.decode(), around))
