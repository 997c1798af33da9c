# SPDX-License-Identifier: Apache-2.0
"""Every length, count and tag of every message that is looked at, lied about:
one at a time, with all else valid; and the messages cut off at every byte, in
frames that are whole. The messages come from Kafka's own definitions, whether a
lie is one is for a decoder to say that shares nothing with kproxy's."""

import struct
import uuid

import pytest

import kafka_wire
import rig
from fake_broker import API_VERSIONS, Client, FakeBroker, answer, frame
from kproxy_rig import Kproxy, wait_until
from hostile import closed, uvarint

HUGE, TWENTY_MILLION = 2**31 - 1, 20_000_000
CORRELATION = 5
MOST_CUTS = 400

REQUESTS = ["Produce", "SaslHandshake", "SaslAuthenticate"]
ANSWERS = ["ApiVersions", "Metadata", "FindCoordinator", "DescribeCluster",
           "Produce", "Fetch", "ShareFetch", "ShareAcknowledge",
           "SaslHandshake", "SaslAuthenticate"]


def overlong(value):
    """The same number in one more byte than it needs."""
    data = bytearray(uvarint(value))
    data[-1] |= 0x80
    return bytes(data) + b"\0"


LIES = {
    "overlong": overlong,
    "endless": lambda value: b"\xff" * 11,
    "huge": lambda value: uvarint(HUGE),
    "largest": lambda value: uvarint(2**32 - 1),
    "twenty million": lambda value: uvarint(TWENTY_MILLION),
}
# A count or length of 32 bits, and a length of 16.
FIXED_LIES = {
    "huge": {">i": HUGE, ">h": 2**15 - 1},
    "lowest": {">i": -2**31, ">h": -2**15},
    "-2": {">i": -2, ">h": -2},
    "twenty million": {">i": TWENTY_MILLION, ">h": 20_000},
}


class Lying(kafka_wire.Message):
    """A message that can be encoded with a lie in one of its places."""

    def __init__(self, message, version, records=b"abcdefgh"):
        self.__dict__.update(message.__dict__)
        self.version, self.records = version, records
        self.lies = LIES if self.is_flexible(version) else FIXED_LIES
        self.values = self.filled(self.fields)
        # An error ends a login, and tells nothing of versions.
        if "ErrorCode" in self.values:
            self.values["ErrorCode"] = 0
        self.truth = self.encode_with(-1, None)
        self.num_places = self.at

    def filled(self, fields):
        """Values with something in each field, so that every length is there."""
        return {field["name"]: self.fill(field["type"]) for field in fields
                if kafka_wire.in_range(field["versions"], self.version)}

    def fill(self, kind):
        if kind.startswith("[]"):
            return [self.fill(kind[2:])]
        if kind == "records":
            return self.records
        if kind == "bytes":
            return b"abcd"
        if kind == "string":
            return "abcd"
        if kind == "uuid":
            return uuid.UUID(int=7)
        if kind in kafka_wire.INTEGERS or kind == "bool":
            return 1
        return self.filled(self.fields_of(kind))

    def encode_with(self, place, lie):
        self.place, self.tell, self.at = place, self.lies.get(lie), 0
        return self.encode(self.version, self.values)

    def is_here(self):
        self.at += 1
        return self.at - 1 == self.place

    def _put_uvarint(self, out, value):
        out += self.tell(value) if self.is_here() else uvarint(value)

    def _put_fixed(self, out, value, code):
        out += struct.pack(code, self.tell[code] if self.is_here() else value)

    def is_legal(self, lie, body):
        """A tag that nobody knows is, whatever its number."""
        if lie in ("overlong", "endless"):
            return False
        try:
            self.decode(self.version, body)
        except (kafka_wire.WireError, UnicodeDecodeError):
            return False
        return True

    def all_lies(self):
        """(place, lie, body) of all that is wrong."""
        for length in range(min(len(self.truth), MOST_CUTS)):
            yield length, "cut", self.truth[:length]
        for place in range(self.num_places):
            for lie in self.lies:
                body = self.encode_with(place, lie)
                if not self.is_legal(lie, body):
                    yield place, lie, body


def versions_of(message):
    """The newest of each encoding."""
    valid = [version for version in range(30)
             if kafka_wire.in_range(message.valid, version)]
    return [max(found) for found in (
        [v for v in valid if message.is_flexible(v)],
        [v for v in valid if not message.is_flexible(v)]) if found]


class Exchange:
    """A request of some API and version and its answer."""

    def __init__(self, definitions, name, version, records):
        self.key, self.version = definitions.keys[name], version
        self.request = Lying(definitions.requests[self.key], version)
        self.answer = Lying(definitions.responses[self.key], version, records)

    def request_frame(self, body):
        tags = b"\0" if self.request.is_flexible(self.version) else b""
        return frame(struct.pack(">hhih", self.key, self.version, CORRELATION,
                                 -1) + tags + body)

    def answer_frame(self, body):
        is_flexible = (self.answer.is_flexible(self.version)
                       and self.key != API_VERSIONS)
        return answer(CORRELATION, body, tags=b"\0" if is_flexible else b"")


@pytest.fixture(scope="module")
def node():
    """The broker answers what `node.answer` is."""
    def on_request(sock, got):
        sock.sendall(node.answer)
    with FakeBroker(on_request) as broker, Kproxy(broker.address) as node:
        yield node


def exchanges(node, name, records=b"abcdefgh"):
    """Where the truth goes through."""
    definitions = rig.definitions(rig.NEWEST)
    for version in versions_of(definitions.requests[definitions.keys[name]]):
        made = Exchange(definitions, name, version, records)
        node.answer = made.answer_frame(made.answer.truth)
        with Client(node) as client:
            client.send(made.request_frame(made.request.truth))
            assert client.receive_frame()[:4] == node.answer[4:8]
        yield made


def expect_refused(node, lying, to_send, comes_at_most=lambda body: 0):
    """to_send makes what a client sends of a body that lies."""
    before, count = closed(node, "protocol_error"), 0
    for place, lie, body in lying.all_lies():
        count += 1
        with Client(node) as client:
            client.send(to_send(body))
            assert len(client.receive_all()) <= comes_at_most(body), (
                lying.version, place, lie)
    assert count > 3
    wait_until(lambda: closed(node, "protocol_error") == before + count, 5,
               "each of them counted")


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_that_lie_are_refused(node, name):
    for made in exchanges(node, name):
        expect_refused(node, made.request, made.request_frame)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_that_lie_are_not_passed_on(node, name):
    """Nothing of them has come when the connection ends."""
    for made in exchanges(node, name):
        def to_send(body):
            node.answer = made.answer_frame(body)
            return made.request_frame(made.request.truth)
        expect_refused(node, made.answer, to_send)


@pytest.mark.parametrize("name", ["Fetch", "ShareFetch"])
def test_answers_that_are_passed_on_as_they_come_end_at_the_lie(node, name):
    """They have begun, and must not become whole."""
    for made in exchanges(node, name, records=b"r" * 70_000):
        def to_send(body):
            node.answer = made.answer_frame(body)
            return made.request_frame(made.request.truth)
        expect_refused(node, made.answer, to_send,
                       lambda body: len(made.answer_frame(body)) - 1)
