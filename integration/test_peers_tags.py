# SPDX-License-Identifier: Apache-2.0
"""Tagged fields: the one part of Kafka's messages that anybody may add to, and
that brokers have been brought down with (20 million of them, two bytes each,
before any login). What is refused, and what it costs until then."""

import contextlib
import pathlib
import struct

import pytest

from fake_broker import (API_VERSIONS, FETCH, METADATA, PRODUCE, Client,
                         FakeBroker, answer, request)
from kproxy_rig import SHADOW, Kproxy, wait_until
from hostile import HEARTBEAT, assert_alive, closed, metadata_answer, uvarint

MIB = 1 << 20
MANY = 20_000_000
HEADER_LIMIT, BODY_LIMIT = 256, 1000


def tags(count, first=0):
    """That many, without content, and each with its number."""
    return b"".join(uvarint(number) + b"\0"
                    for number in range(first, first + count))


BOMBS = {
    "a number of five bytes that needs one": b"\x81\x80\x80\x80\0" + tags(1),
    "a number that never ends": b"\xff" * 12,
    "2^31-1": uvarint(2**31 - 1) + tags(10),
    "2^32-1": uvarint(2**32 - 1) + tags(10),
    "20 million": uvarint(MANY) + tags(10),
    "one too many": uvarint(HEADER_LIMIT + 1) + tags(HEADER_LIMIT + 1),
    "not in order": b"\2\2\0\1\0",
    "twice the same": b"\2\1\0\1\0",
    "a tag of two bytes that needs one": b"\1\x81\0\0",
    "a length of two bytes that needs one": b"\1\1\x80\0",
    "longer than the frame": b"\1\1" + uvarint(1000),
    "2^31-1 bytes long": b"\1\1" + uvarint(2**31 - 1),
}


@pytest.fixture(scope="module")
def node():
    def on_request(sock, got):
        if got.key in node.answers:
            with contextlib.suppress(OSError):
                sock.sendall(node.answers[got.key](got.correlation))
        else:
            broker.answer_usual(sock, got)
    with FakeBroker(on_request) as broker, Kproxy(broker.address) as node:
        node.broker, node.answers = broker, {}
        yield node


@pytest.mark.parametrize("key, version", [(API_VERSIONS, 3), (HEARTBEAT, 4)])
@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_in_the_header_of_a_request(node, key, version, bomb):
    before = closed(node, "protocol_error")
    with Client(node) as client:
        client.send(request(key, version, 1, tags=bomb))
        assert client.is_closed()
    wait_until(lambda: closed(node, "protocol_error") == before + 1, 5,
               "counted")


def test_as_many_as_a_header_may_have(node):
    with Client(node) as client:
        client.send(request(HEARTBEAT, 4, 1, tags=uvarint(HEADER_LIMIT)
                            + tags(HEADER_LIMIT)))
        assert client.receive_frame()[:4] == struct.pack(">i", 1)


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_in_the_header_of_an_answer(node, bomb):
    before = closed(node, "protocol_error")
    node.answers = {HEARTBEAT: lambda correlation: answer(
        correlation, b"", tags=bomb)}
    with Client(node) as client:
        client.send(request(HEARTBEAT, 4, 1, tags=b"\0"))
        assert client.is_closed()
    wait_until(lambda: closed(node, "protocol_error") == before + 1, 5,
               "counted")


def test_as_many_as_a_body_may_have(node):
    """They are unknown, so none of them goes on."""
    for count in (BODY_LIMIT, BODY_LIMIT + 1):
        node.answers = {METADATA: lambda correlation: metadata_answer(
            correlation, uvarint(count) + tags(count))}
        with Client(node) as client:
            client.send(request(METADATA, 9, 1, b"\1\0\0\0\0", tags=b"\0"))
            if count == BODY_LIMIT:
                assert client.receive_frame()[-1:] == b"\0"
            else:
                assert client.is_closed()


def highest_rss(node):
    """Of the worker, bytes."""
    status = pathlib.Path(f"/proc/{node.child('worker')}/status").read_text()
    line, = [x for x in status.splitlines() if x.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


@pytest.fixture
def many():
    """The count, and two bytes for each."""
    return uvarint(MANY) + b"\1\0" * MANY


REQUESTS = {
    "header": (HEARTBEAT, 4, b"", "protocol_error"),
    "body": (PRODUCE, 9, b"\0" + struct.pack(">hi", 1, 1000) + b"\1",
             "protocol_error"),
    "before anybody is known": (API_VERSIONS, 3, b"\1\1", "frame_too_large"),
}


@pytest.mark.parametrize("key, version, body, reason", REQUESTS.values(),
                         ids=REQUESTS.keys())
def test_20_million_in_a_request(node, many, key, version, body, reason):
    before, rss = closed(node, reason), highest_rss(node)
    header = b"" if key == HEARTBEAT else b"\0"
    with Client(node, timeout=240) as client:
        with contextlib.suppress(ConnectionError):
            client.send(request(key, version, 1, body + many, tags=header))
        assert client.is_closed()
    wait_until(lambda: closed(node, reason) == before + 1, 5, "counted")
    assert highest_rss(node) <= rss + SHADOW * 2 * MIB
    assert_alive(node)


def test_20_million_in_a_request_that_is_not_looked_at(node, many):
    """They are for the broker to refuse; the proxy does not hold them."""
    rss = highest_rss(node)
    node.answers = {METADATA: lambda correlation: metadata_answer(
        correlation, b"\0")}
    with Client(node, timeout=240) as client:
        client.send(request(METADATA, 9, 1, b"\1\0\0\0" + many, tags=b"\0"))
        assert client.receive_frame()[:4] == struct.pack(">i", 1)
    got = node.broker.received[-1]
    assert got.key == METADATA and len(got.body) > len(many)
    node.broker.received.clear()
    assert highest_rss(node) <= rss + SHADOW * 4 * MIB
    assert_alive(node)


def fetch_answer(correlation, more):
    """Version 16 without a topic, and tagged fields."""
    return answer(correlation, struct.pack(">ihi", 0, 0, 0) + b"\1" + more,
                  tags=b"\0")


ANSWERS = {
    "held": (METADATA, 9, b"\1\0\0\0\0", metadata_answer),
    "held from its end on": (FETCH, 16, b"", fetch_answer),
}


@pytest.mark.parametrize("key, version, body, reply", ANSWERS.values(),
                         ids=ANSWERS.keys())
def test_20_million_in_an_answer(node, many, key, version, body, reply):
    """They have to be held once, and are not made into anything larger."""
    before, rss = closed(node, "protocol_error"), highest_rss(node)
    node.answers = {key: lambda correlation: reply(correlation, many)}
    with Client(node, timeout=240) as client:
        client.send(request(key, version, 1, body, tags=b"\0"))
        assert len(client.receive_all()) < 100
    wait_until(lambda: closed(node, "protocol_error") == before + 1, 5,
               "counted")
    assert highest_rss(node) <= rss + SHADOW * (len(many) + 4 * MIB)
    assert_alive(node)
