# SPDX-License-Identifier: Apache-2.0
"""Which readers asked again for what they had asked to go beyond.

librdkafka begins to validate its position when the leader of a partition
changes, and goes on from where it stood at that moment: what answers to fetches
on the way brought in the meantime it fetches a second time (at least once, as
its documentation says). That is a client's right, an old answer shown to it as a
new one is not: so a reader may go back to where it was seen to ask for, and
nowhere else."""
import collections
import struct

import kafka_wire

FETCH = 1
LIBRDKAFKA = "python-"  # what its client ids begin with


class Fetches:
    """back is {(client id, partition): offsets that were asked for after a
    later one}. Of one topic: partitions are not told apart by topics."""

    def __init__(self, definitions):
        self.message = definitions.requests[FETCH]
        self.back = collections.defaultdict(set)
        self.newest = collections.defaultdict(int)

    def note(self, frame):
        """Takes any request, without its length."""
        if len(frame) < 10 or struct.unpack_from(">h", frame)[0] != FETCH:
            return
        version = struct.unpack_from(">h", frame, 2)[0]
        reader = kafka_wire.Reader(frame[8:])
        client = reader.take(max(reader.number(">h"), 0)).decode(
            errors="replace")
        if not client.startswith(LIBRDKAFKA):
            return
        if self.message.is_flexible(version):
            for _ in range(reader.uvarint()):
                reader.uvarint()
                reader.take(reader.uvarint())
        body = self.message.decode(version, frame[8 + reader.at:])
        for topic in body["Topics"]:
            for one in topic["Partitions"]:
                self.note_asked(client, one["Partition"], one["FetchOffset"])

    def of(self, client):
        """{partition: offsets} of one client."""
        return {partition: offsets
                for (name, partition), offsets in self.back.items()
                if name == client}

    def note_asked(self, client, partition, offset):
        key = client, partition
        if offset < self.newest[key]:
            self.back[key].add(offset)
        self.newest[key] = offset
