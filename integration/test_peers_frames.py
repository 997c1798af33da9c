# SPDX-License-Identifier: Apache-2.0
"""Bytes of clients that are no request, or not one that is offered; and what has
to pass as it is.

Every case ends with a counter and a working proxy."""

import concurrent.futures
import random
import struct

import pytest

from fake_broker import (API_VERSIONS, METADATA, PRODUCE, SASL_HANDSHAKE,
                         Client, FakeBroker, answer, frame, request)
from kproxy_rig import Kproxy, wait_until
from hostile import (HEARTBEAT, assert_alive, closed, expect_closed, uvarint,
                     versions_request, wait_at_rest)


@pytest.fixture(scope="module")
def node():
    """One broker that behaves, one proxy with small limits."""
    limits = "frame: 1MiB\nframeBeforeAuthentication: 64KiB\ninFlight: 8"
    with FakeBroker() as broker, Kproxy(broker.address, limits=limits) as proxy:
        proxy.broker = broker
        yield proxy


def test_a_request_cut_off_at_every_byte(node):
    whole = versions_request()
    wait_at_rest(node)
    before = closed(node, "client_closed")
    for length in range(len(whole)):
        with Client(node) as client:
            client.send(whole[:length])
    wait_until(lambda: closed(node, "client_closed") == before + len(whole), 5,
               "all connections closed")
    assert_alive(node)


@pytest.mark.parametrize("length, reason", [
    (-1, "protocol_error"), (-2**31, "protocol_error"), (0, "protocol_error"),
    (9, "protocol_error"), (2**31 - 1, "frame_too_large"),
    (1024 * 1024 + 1, "frame_too_large")])
def test_impossible_lengths(node, length, reason):
    before = closed(node, reason)
    with Client(node) as client:
        client.send(struct.pack(">ihhih", length, HEARTBEAT, 0, 1, -1))
        assert client.is_closed()
    expect_closed(node, reason, before)
    assert_alive(node)


def test_a_large_frame_before_authentication(node):
    before = closed(node, "frame_too_large")
    with Client(node) as client:
        client.send(request(SASL_HANDSHAKE, 1, 1, b"\0" * 65536))
        assert client.is_closed()
    expect_closed(node, "frame_too_large", before)


@pytest.mark.parametrize("client_id_length", [-2, 32767, 100])
def test_client_ids_beyond_the_frame(node, client_id_length):
    before = closed(node, "protocol_error")
    with Client(node) as client:
        client.send(frame(struct.pack(
            ">hhih", HEARTBEAT, 0, 1, client_id_length) + b"short"))
        assert client.is_closed()
    expect_closed(node, "protocol_error", before)


@pytest.mark.parametrize("key, version", [
    (4, 0), (7, 3), (95, 0), (600, 0), (-1, 0), (METADATA, 99),
    (METADATA, -1), (52, 0)])
def test_unknown_apis_and_versions_end_the_connection(node, key, version):
    before = closed(node, "unsupported_api")
    with Client(node) as client:
        client.send(request(key, version, 1, b"anything"))
        assert client.is_closed()
    expect_closed(node, "unsupported_api", before)


def test_an_unknown_version_of_api_versions_is_answered_as_kafka_does(node):
    """The range is the broker's; it does not get to see the request."""
    with Client(node) as client:
        data = client.ask(API_VERSIONS, 77, 5, b"\1\2\3 whatever")
        assert data == struct.pack(">ihihhh", 5, 35, 1, API_VERSIONS, 0, 3)
        assert client.ask(API_VERSIONS, 0, 6)[:6] == struct.pack(">ih", 6, 0)
    asked = [got for got in node.broker.received if got.correlation == 5]
    assert [(got.version, got.client_id, got.body) for got in asked] == [
        (32767, b"", b"\0")]


def test_the_range_of_api_versions_is_what_broker_and_proxy_share():
    def refuse(sock, got):
        sock.sendall(answer(got.correlation, struct.pack(
            ">hihhh", 35, 1, API_VERSIONS, 0, 99)))
    with FakeBroker(refuse) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        data = client.ask(API_VERSIONS, 0, 7)
        assert data == struct.pack(">ihihhh", 7, 35, 1, API_VERSIONS, 0, 5)


def test_api_versions_is_the_intersection(node):
    with Client(node) as client:
        data = client.ask(API_VERSIONS, 0, 1)
    count, = struct.unpack_from(">i", data, 6)
    rows = [struct.unpack_from(">hhh", data, 10 + 6 * i) for i in range(count)]
    assert rows == FakeBroker.ROWS


def test_what_the_broker_does_not_offer_is_refused_in_order(node):
    """FindCoordinator v5 is in our tables, this broker offers 0-4; ListGroups
    is not offered at all. Both can carry the error; Heartbeat around them goes
    to the broker."""
    with Client(node) as client:
        client.ask(API_VERSIONS, 0, 1)
        client.send(request(HEARTBEAT, 0, 2) + request(16, 0, 3)
                    + request(HEARTBEAT, 0, 4))
        assert client.receive_frame() == struct.pack(">ih", 2, 0)
        assert client.receive_frame() == struct.pack(">ihi", 3, 35, 0)
        assert client.receive_frame() == struct.pack(">ih", 4, 0)
    assert node.metric('kproxy_local_answers_total'
                       '{reason="unsupported_version"}') >= 1


def test_produce_without_acks_has_no_answer():
    """acks=0 in v3 (after the transactional id) and v0 (first)."""
    def quiet(sock, got):
        if got.key != PRODUCE:
            sock.sendall(answer(got.correlation, b"\0\0"))

    no_acks_3 = struct.pack(">hhii", -1, 0, 1000, 0)
    no_acks_0 = struct.pack(">hii", 0, 1000, 0)
    with FakeBroker(quiet) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.send(request(PRODUCE, 3, 1, no_acks_3)
                    + request(PRODUCE, 0, 2, no_acks_0)
                    + request(HEARTBEAT, 0, 3))
        assert client.receive_frame() == struct.pack(">ih", 3, 0)
        assert [got.key for got in broker.received] == [
            PRODUCE, PRODUCE, HEARTBEAT]


def produce_request(correlation, records):
    """Produce v9 of one partition."""
    body = (b"\0" + struct.pack(">hi", 1, 1000) + b"\2\6topic\2"
            + struct.pack(">i", 0) + uvarint(len(records) + 1) + records
            + b"\0\0\0")
    return request(PRODUCE, 9, correlation, body, tags=b"\0")


LENGTHS = [1, 4000, 65536 - 40, 65536, 200_000, 300_000, 3 << 20, 7, 1 << 20,
           (1 << 20) + 1, 262144, 262144 + 4096, 100, 5 << 20]


def large_request(number):
    """Every third has records with a header that says how long they are."""
    body = noise(number, LENGTHS[(number * 5 + 3) % len(LENGTHS)])
    if number % 3:
        return request(HEARTBEAT, 0, number, body)
    rest = b"\0" * 40 + struct.pack(">i", 1) + body
    head = struct.pack(">qiib", 0, 5 + len(rest), 0, 2)
    return produce_request(number, head + rest)


def large_answer(number, key):
    if key == PRODUCE:
        return answer(number, b"\1\0\0\0\0\0", tags=b"\0")
    return answer(number, noise(-number, LENGTHS[number % len(LENGTHS)]))


def test_large_frames_pass_byte_by_byte_among_small_ones():
    """Lengths around every buffer, in both directions at once: what is written
    by reference, what is moved unseen, and what is read for its header."""
    def on_request(sock, got):
        sock.sendall(large_answer(got.correlation, got.key))

    count = 3 * len(LENGTHS)
    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy, timeout=120) as client, \
            concurrent.futures.ThreadPoolExecutor(1) as pool:
        sending = pool.submit(lambda: [client.send(large_request(number))
                                       for number in range(count)])
        for number in range(count):
            key = HEARTBEAT if number % 3 else PRODUCE
            assert frame(client.receive_frame()) == large_answer(number, key)
        sending.result()
        for number, got in enumerate(broker.received):
            assert request(got.key, got.version, got.correlation,
                           got.body) == large_request(number)
        malformed = ('kproxy_record_batches_malformed_total'
                     '{direction="request"}')
        assert proxy.metric(malformed) == 0
        assert proxy.metric(
            'kproxy_records_total{direction="request"}') == len(
                range(0, count, 3))


def noise(seed, length):
    """Bytes that repeat nowhere soon."""
    return random.Random(seed).randbytes(length)
