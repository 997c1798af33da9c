# SPDX-License-Identifier: Apache-2.0
"""Relays that are broken on purpose, for seeing that a run finds it."""
import struct

from history import wire

PRODUCE, FETCH = b"\0\0", b"\0\1"
CLIENT_AT = 10  # in a request: key, version, correlation id, length before it
NO_OFFSET = 10**6


class Broken(wire.Wire):
    """Behind kproxy, one Produce request of a client is sent twice, and one is
    answered but never sent, each when nothing else of its connection waits for
    an answer; and all Fetch requests of the readers whose client ids begin
    with reader ask for what is not committed, too. known are the definitions
    of the protocol."""

    def __init__(self, routes, known, client, reader):
        super().__init__(routes)
        self.known, self.client = known, client.encode()
        self.reader = reader.encode()
        self.todo = [self._send_twice, self._send_never]

    def link(self, *all_of_it):
        return BrokenLink(*all_of_it)

    async def _send(self, link, direction, sink, data):
        if not link.route.name.isdigit():  # before kproxy
            await super()._send(link, direction, sink, data)
            return
        for frame in link.cutters[direction].feed(data):
            if direction == wire.REQUESTS:
                await self._request(link, sink, frame)
            else:
                await self._answer(link, sink, frame)

    async def _request(self, link, sink, frame):
        is_wanted = (frame.startswith(PRODUCE) and link.num_waiting == 0
                     and frame[CLIENT_AT:].startswith(self.client))
        if is_wanted and self.todo:
            await self.todo.pop()(link, sink, frame)
            return
        link.num_waiting += 1
        if frame.startswith(FETCH) and (
                frame[CLIENT_AT:].startswith(self.reader)):
            frame = self.uncommitted(frame)
        await super()._send(link, wire.REQUESTS, sink, framed(frame))

    def uncommitted(self, frame):
        """A Fetch request for all that is stored."""
        _, version, _, length = struct.unpack_from(">hhih", frame)
        body_at = CLIENT_AT + length + 1
        layout = self.known.requests[1]
        request = layout.decode(version, frame[body_at:])
        return frame[:body_at] + layout.encode(
            version, {**request, "IsolationLevel": 0})

    async def _answer(self, link, sink, frame):
        link.num_waiting -= 1
        if link.has_double and not link.is_first:
            link.has_double = False
            return
        link.is_first = False
        await super()._send(link, wire.ANSWERS, sink, framed(frame))

    async def _send_twice(self, link, sink, frame):
        link.num_waiting += 2
        link.has_double = link.is_first = True
        for _ in range(2):
            await super()._send(link, wire.REQUESTS, sink, framed(frame))

    async def _send_never(self, link, _, frame):
        await super()._send(link, wire.ANSWERS, link.client,
                            framed(self.acknowledgement(frame)))

    def acknowledgement(self, frame):
        """The answer to a Produce request as if all of it had been stored."""
        _, version, correlation = struct.unpack_from(">hhi", frame)
        body = frame[CLIENT_AT + len(self.client) + 1:]
        request = self.known.requests[0].decode(version, body)
        topics = [{**{name: topic[name] for name in ("Name", "TopicId")
                      if name in topic},
                   "PartitionResponses": [
                       {"Index": one["Index"], "BaseOffset": NO_OFFSET}
                       for one in topic["PartitionData"]]}
                  for topic in request["TopicData"]]
        return struct.pack(">ib", correlation, 0) + (
            self.known.responses[0].encode(version, {"Responses": topics}))


class BrokenLink(wire.Link):
    def __init__(self, *all_of_it):
        super().__init__(*all_of_it)
        self.cutters = {wire.REQUESTS: wire.Splitter(),
                        wire.ANSWERS: wire.Splitter()}
        self.num_waiting = 0
        self.has_double = False  # one request was sent twice,
        self.is_first = False    # and neither of its answers has come


def framed(frame):
    return struct.pack(">i", len(frame)) + frame
