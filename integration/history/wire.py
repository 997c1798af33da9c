# SPDX-License-Identifier: Apache-2.0
"""TCP relays before and behind kproxy: they count requests, and do harm.

Those before kproxy note what clients sent; those behind it, which are all of
kproxy's ways to the brokers, note what arrived there. A request that arrives
without having been sent is in Ledger.invented. All run in one thread.
"""
import asyncio
import collections
import contextlib
import hashlib
import socket
import struct
from typing import Callable, NamedTuple

import relay

REQUESTS, ANSWERS = "requests", "answers"
CHUNK = 1 << 16

# Modes of a route.
CLEAR = "clear"
SLOW = "slow"
BYTES = "one byte at a time"
HALF_OPEN = "half-open"
ANSWERS_LOST = "half-open for answers"
RESET = "reset in mid-frame"

PACE = {CLEAR: (CHUNK, 0), SLOW: (512, 0.05), BYTES: (1, 0.001)}
SILENT = {HALF_OPEN: {REQUESTS, ANSWERS}, ANSWERS_LOST: {ANSWERS}}
BEFORE_RESET_S = 0.02  # so that what went before is not lost with it


class Splitter:
    """Cuts a stream of bytes into frames."""

    def __init__(self):
        self.data = bytearray()

    @property
    def is_inside(self):
        """Has a frame begun and not ended?"""
        return bool(self.data)

    def feed(self, data):
        """The frames that end with these bytes, without their lengths."""
        self.data += data
        frames = []
        while len(self.data) >= 4:
            end = 4 + max(0, struct.unpack_from(">i", self.data)[0])
            if len(self.data) < end:
                break
            frames.append(bytes(self.data[4:end]))
            del self.data[:end]
        return frames


class Ledger:
    """Requests that were sent against requests that arrived, byte by byte.

    names is {API key: name}. sent and arrived count by (client id, API).
    """

    def __init__(self, names):
        self.names = names
        self.sent = collections.Counter()
        self.arrived = collections.Counter()
        self.invented = []
        self.on_the_way = collections.Counter()

    def note_sent(self, frame):
        self.sent[self.describe(frame)] += 1
        self.on_the_way[digest(frame)] += 1

    def note_arrived(self, frame):
        key = digest(frame)
        self.arrived[self.describe(frame)] += 1
        if self.on_the_way[key] == 0:
            self.invented.append((self.describe(frame), len(frame),
                                  frame[:64]))
        else:
            self.on_the_way[key] -= 1
        if self.on_the_way[key] == 0:
            del self.on_the_way[key]

    def describe(self, frame):
        """(client id, name of the API) of a request."""
        if len(frame) < 10:
            return "", "no request"
        key, _, _, length = struct.unpack_from(">hhih", frame)
        client = frame[10:10 + max(length, 0)].decode(errors="replace")
        return client, self.names.get(key, str(key))


def digest(frame):
    return hashlib.blake2b(frame, digest_size=16).digest()


class Route(NamedTuple):
    """listen and target are (host, port); note is called with each request."""
    name: str
    listen: tuple
    target: tuple
    note: Callable


class Link:
    """One connection that passes, with all that is known of it."""

    def __init__(self, route, client, server):
        self.route, self.client, self.server = route, client, server
        self.splitters = {REQUESTS: Splitter(), ANSWERS: Splitter()}
        self.silent = set()  # directions whose bytes go nowhere any more

    def note(self, direction, data):
        for frame in self.splitters[direction].feed(data):
            if direction == REQUESTS:
                self.route.note(frame)

    def silence(self, directions):
        """For good, as when the host at the other end has lost its power."""
        self.silent = directions
        if REQUESTS in directions:
            reset(self.server)


class Wire(relay.Servers):
    """All routes. modes may be changed by any thread, by a route's name; a
    mode takes hold of a connection when its next bytes come. counts says how
    often it did. What goes wrong in a relay itself is raised at the end."""

    def __init__(self, routes):
        super().__init__()
        self.routes = routes
        self.modes = {route.name: CLEAR for route in routes}
        self.counts = collections.Counter()
        self.errors = []

    def __exit__(self, *why):
        super().__exit__(*why)
        if self.errors:
            raise self.errors[0]

    async def _listen(self):
        for route in self.routes:
            await asyncio.start_server(
                lambda r, w, route=route: self._serve(route, r, w),
                *route.listen)

    async def _serve(self, route, client_in, client_out):
        try:
            server_in, server_out = await asyncio.open_connection(
                *route.target)
        except OSError:
            reset(client_out)
            return
        link = self.link(route, client_out, server_out)
        try:
            send_at_once(client_out, server_out)
            await asyncio.gather(
                self._pump(link, REQUESTS, client_in, server_out),
                self._pump(link, ANSWERS, server_in, client_out))
        except asyncio.CancelledError:
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            client_out.close()
            server_out.close()

    def link(self, route, client, server):
        return Link(route, client, server)

    async def _pump(self, link, direction, source, sink):
        """Copies until the end, which it passes on unless that is silent."""
        with contextlib.suppress(OSError):
            while data := await source.read(CHUNK):
                await self._pass(link, direction, sink, data)
        if direction not in link.silent:
            sink.close()
        if direction == REQUESTS:
            link.client.close()
            link.server.close()

    async def _pass(self, link, direction, sink, data):
        while data and direction not in link.silent:
            mode = CLEAR if link.silent else self.modes[link.route.name]
            if mode in SILENT:
                self.counts[mode] += 1
                link.silence(SILENT[mode])
            elif mode == RESET:
                self.counts[mode] += await self._cut(link, direction, sink,
                                                     data)
                return
            else:
                size, pause_s = PACE[mode]
                self.counts[mode] += 1
                await self._send(link, direction, sink, data[:size])
                data = data[size:]
                if pause_s:
                    await asyncio.sleep(pause_s)

    @staticmethod
    async def _send(link, direction, sink, data):
        link.note(direction, data)
        sink.write(data)
        await sink.drain()

    async def _cut(self, link, direction, sink, data):
        """Sends a part that ends inside a frame, then resets both ends.
        Returns whether it did end inside a frame."""
        half = max(1, len(data) // 2)
        await self._send(link, direction, sink, data[:half])
        splitter = link.splitters[direction]
        if not splitter.is_inside:
            await self._send(link, direction, sink, data[half:half + 1])
        await asyncio.sleep(BEFORE_RESET_S)
        link.silent = {REQUESTS, ANSWERS}  # what was read already is gone, too
        reset(link.client)
        reset(link.server)
        return splitter.is_inside


def send_at_once(*writers):
    with contextlib.suppress(OSError):  # gone already
        for writer in writers:
            writer.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def reset(writer):
    """Closes with RST."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
