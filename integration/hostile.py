# SPDX-License-Identifier: Apache-2.0
"""What the tests of misbehaving peers have in common."""

import struct

from fake_broker import API_VERSIONS, Client, answer, request
from kproxy_rig import wait_until

HEARTBEAT, LIST_GROUPS = 12, 16


def closed(proxy, reason):
    return proxy.metric(
        f'kproxy_connections_closed_total{{reason="{reason}"}}')


def expect_closed(proxy, reason, before=0):
    wait_until(lambda: closed(proxy, reason) == before + 1, 5,
               f"connection closed for {reason}")


def is_served(proxy):
    """Is a new connection let in and answered?"""
    try:
        with Client(proxy) as client:
            return client.ask(API_VERSIONS, 0, 4711)[:6] == struct.pack(
                ">ih", 4711, 0)
    except (EOFError, OSError):
        return False


def wait_at_rest(proxy):
    """Until all connections of before have ended, and are counted."""
    wait_until(lambda: proxy.metric("kproxy_connections") == 0, 5,
               "the end of all connections")


def assert_alive(proxy):
    """A new connection works and nobody had to restart."""
    with Client(proxy) as client:
        data = client.ask(API_VERSIONS, 0, 4711)
        assert data[:6] == struct.pack(">ih", 4711, 0)
    assert proxy.metric(
        'kproxy_process_restarts_total{process="worker"}') == 0


def versions_request(correlation=1):
    return request(API_VERSIONS, 0, correlation)


def uvarint(number):
    data = b""
    while number >= 0x80:
        data += bytes([number & 0x7f | 0x80])
        number >>= 7
    return data + bytes([number])


def compact(text):
    return uvarint(len(text) + 1) + text


def string(text):
    return struct.pack(">h", len(text)) + text


def fetch_answer_16(correlation, records, host):
    """A Fetch answer v16 with one partition and a NodeEndpoints hint."""
    partition = (struct.pack(">ihqqq", 0, 6, 100, 100, 0) + uvarint(0)
                 + struct.pack(">i", -1) + uvarint(len(records) + 1) + records
                 + uvarint(1) + uvarint(1) + uvarint(9)
                 + struct.pack(">ii", 2, 5) + b"\0")
    topic = b"\7" * 16 + uvarint(2) + partition + b"\0"
    endpoint = (uvarint(2) + struct.pack(">i", 2) + compact(host)
                + struct.pack(">i", 29092) + uvarint(0) + b"\0")
    body = (struct.pack(">ihi", 0, 0, 0) + uvarint(2) + topic + uvarint(1)
            + uvarint(0) + uvarint(len(endpoint)) + endpoint)
    return answer(correlation, body, tags=b"\0")


def metadata_answer(correlation, tags):
    """A Metadata answer v9: one broker, no topic, and these tagged fields."""
    return answer(correlation, struct.pack(">i", 0) + b"\2"
                  + struct.pack(">i", 1) + b"\2k" + struct.pack(">i", 9092)
                  + b"\0\0" + b"\0" + struct.pack(">i", 1) + b"\1"
                  + struct.pack(">i", 0) + tags, tags=b"\0")
