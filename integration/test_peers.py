# SPDX-License-Identifier: Apache-2.0
"""Misbehaving clients and brokers: what they cost, what is logged, what counts.

Every case ends with a counter and a working proxy."""

import concurrent.futures
import contextlib
import random
import socket
import struct
import threading
import time

import pytest

from fake_broker import (API_VERSIONS, FETCH, METADATA, PRODUCE,
                         SASL_AUTHENTICATE, SASL_HANDSHAKE, Client, FakeBroker,
                         Request, answer, api_versions_answer, frame, receive,
                         receive_frame, request)
from kproxy_rig import Kproxy, wait_until

HEARTBEAT = 12


def closed(proxy, reason):
    return proxy.metric(
        f'kproxy_connections_closed_total{{reason="{reason}"}}')


def expect_closed(proxy, reason, before=0):
    wait_until(lambda: closed(proxy, reason) == before + 1, 5,
               f"connection closed for {reason}")


def assert_alive(proxy):
    """A new connection works and nobody had to restart."""
    with Client(proxy) as client:
        data = client.ask(API_VERSIONS, 0, 4711)
        assert data[:6] == struct.pack(">ih", 4711, 0)
    assert proxy.metric(
        'kproxy_process_restarts_total{process="worker"}') == 0


@pytest.fixture(scope="module")
def node():
    """One broker that behaves, one proxy with short waits."""
    limits = ("frame: 1MiB\nframeBeforeAuthentication: 64KiB\ninFlight: 8\n"
              "requestTimeout: 300ms\nfirstRequestTimeout: 400ms")
    with FakeBroker() as broker, Kproxy(broker.address, limits=limits) as proxy:
        proxy.broker = broker
        yield proxy


def versions_request(correlation=1):
    return request(API_VERSIONS, 0, correlation)


def test_a_request_cut_off_at_every_byte(node):
    whole = versions_request()
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


def test_a_client_that_says_nothing(node):
    before = closed(node, "first_request_timeout")
    with Client(node) as client:
        assert client.is_closed()
    expect_closed(node, "first_request_timeout", before)


def test_a_client_that_never_finishes_a_request(node):
    before = closed(node, "request_timeout")
    with Client(node) as client:
        client.ask(API_VERSIONS, 0, 1)
        client.send(versions_request()[:-1])
        assert client.is_closed()
    expect_closed(node, "request_timeout", before)


def test_more_in_flight_than_allowed_waits_and_keeps_order():
    """A broker that answers only after it has seen eight requests."""
    seen = []

    def on_request(sock, got):
        seen.append(got.correlation)
        if len(seen) == 8:
            for correlation in list(seen):
                sock.sendall(answer(correlation, b"\0\0"))
        elif len(seen) > 8:
            sock.sendall(answer(got.correlation, b"\0\0"))

    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits="inFlight: 8") as proxy, \
            Client(proxy) as client:
        client.send(b"".join(request(HEARTBEAT, 0, i) for i in range(100)))
        got = [struct.unpack(">ih", client.receive_frame())[0]
               for _ in range(100)]
        assert got == list(range(100))
        assert seen == got


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


@pytest.mark.parametrize("reply, text", [
    (lambda r: answer(r.correlation + 1, b"\0\0"), "correlation"),
    (lambda r: answer(r.correlation, b"\0\0") * 2, "nobody asked"),
    (lambda r: struct.pack(">i", -1), "bad length"),
    (lambda r: struct.pack(">i", 3) + b"abc", "bad length"),
    (lambda r: struct.pack(">i", 2**31 - 1), "limit"),
])
def test_brokers_that_answer_nonsense(reply, text):
    def on_request(sock, got):
        sock.sendall(reply(got))

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy:
        with Client(proxy) as client:
            client.send(request(HEARTBEAT, 0, 7))
            try:
                client.receive_frame()
                assert client.is_closed()
            except (EOFError, ConnectionResetError):
                pass
        wait_until(lambda: closed(proxy, "protocol_error")
                   + closed(proxy, "frame_too_large") == 1, 5, "counted")
        wait_until(lambda: text in proxy.text(), 5, f"log line with {text!r}")


def test_a_malformed_answer_is_not_passed_on():
    """Metadata with a count of 2^31-1 brokers: cut short, nothing leaks."""
    def on_request(sock, got):
        sock.sendall(answer(got.correlation,
                            struct.pack(">i", 2**31 - 1) + b"kafka-1"))

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy:
        with Client(proxy) as client:
            client.send(request(METADATA, 0, 1, struct.pack(">i", 0)))
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "protocol_error") == 1, 5, "counted")


def test_a_broker_that_closes_in_the_middle_of_an_answer():
    def on_request(sock, got):
        sock.sendall(answer(got.correlation, b"\0\0" * 50)[:40])
        sock.close()

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy:
        with Client(proxy) as client:
            client.send(request(HEARTBEAT, 0, 1))
            receive(client.sock, 40)
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "broker_closed") == 1, 5, "counted")


def test_nobody_at_the_other_end():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = "127.0.0.1:%d" % unused.getsockname()[1]
    with Kproxy(address) as proxy:
        with Client(proxy) as client:
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "upstream_unavailable") == 1, 5,
                   "counted")
        assert "refused" in proxy.text().lower()


def uvarint(number):
    data = b""
    while number >= 0x80:
        data += bytes([number & 0x7f | 0x80])
        number >>= 7
    return data + bytes([number])


def compact(text):
    return uvarint(len(text) + 1) + text


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


@pytest.mark.parametrize("size", [100, 60_000, 65_000, 66_000, 1_000_000])
@pytest.mark.parametrize("host", [
    b"k2", b"kafka-2.internal.example", b"kafka-2." + b"x" * 150])
def test_endpoints_behind_records_of_any_size(size, host):
    """The hint comes after the records; the address must not get through,
    the records must, and the length must be the one that was announced."""
    records = bytes(range(256)) * (size // 256 + 1)

    def on_request(sock, got):
        sock.sendall(fetch_answer_16(got.correlation, records[:size], host))

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.send(request(FETCH, 16, 9, b"", tags=b"\0"))
        data = client.receive_frame()
        assert data[:4] == struct.pack(">i", 9)
        assert records[:size] in data
        assert host not in data
        assert struct.pack(">i", 29092) not in data[-250:]
        if size == 100:
            assert b"127.0.0.1" + struct.pack(">i", proxy.port + 3) in data
        client.send(request(FETCH, 16, 10, b"", tags=b"\0"))
        assert client.receive_frame()[:4] == struct.pack(">i", 10)


def produce_request(correlation, records):
    """Produce v9 of one partition."""
    body = (b"\0" + struct.pack(">hi", 1, 1000) + b"\2\6topic\2"
            + struct.pack(">i", 0) + uvarint(len(records) + 1) + records
            + b"\0\0\0")
    return request(PRODUCE, 9, correlation, body, tags=b"\0")


def uvarint(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7f | 0x80])
        value >>= 7
    return out + bytes([value])


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
            Client(proxy, timeout=30) as client, \
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


def test_a_client_that_does_not_read_holds_back_the_broker():
    """64 MiB of answers for a client that takes nothing: memory stays within
    two buffers and a pipe; after the write timeout the connection is gone."""
    sent = [0]

    def on_request(sock, got):
        big = answer(got.correlation, b"\0" * (4 << 20))
        for _ in range(16):
            sock.sendall(big)
            sent[0] += len(big)

    limits = "writeTimeout: 1s\nframe: 100MiB"
    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits=limits) as proxy:
        with Client(proxy) as client:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            client.send(b"".join(
                request(HEARTBEAT, 0, i) for i in range(20)))
            seen = []

            def is_closed():
                seen.append(proxy.metric("kproxy_buffer_bytes"))
                return closed(proxy, "write_timeout") == 1
            wait_until(is_closed, 10, "write timeout")
        # two windows, and what is on its way unseen
        assert max(seen) <= 2 * 65536 + 1024 * 1024
        assert sent[0] < 64 << 20


def test_connection_limits():
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="connections: 3") as proxy:
        clients = [Client(proxy) for _ in range(3)]
        for client in clients:
            client.ask(API_VERSIONS, 0, 1)
        with Client(proxy) as fourth:
            assert fourth.is_closed()
        assert closed(proxy, "connection_limit") == 1
        clients.pop().__exit__()
        wait_until(lambda: proxy.metric("kproxy_connections") == 2, 5, "room")
        assert_alive(proxy)
        for client in clients:
            client.__exit__()


def test_connection_limits_of_an_address_and_a_virtual_cluster():
    with FakeBroker() as broker:
        with Kproxy(broker.address,
                    limits="connectionsPerAddress: 1") as proxy, \
                Client(proxy) as first:
            first.ask(API_VERSIONS, 0, 1)
            with Client(proxy) as second:
                assert second.is_closed()
            assert closed(proxy, "address_limit") == 1
        with Kproxy(broker.address,
                    virtual="limits: {connections: 1}") as proxy, \
                Client(proxy) as first:
            first.ask(API_VERSIONS, 0, 1)
            with Client(proxy) as second:
                assert second.is_closed()
            assert closed(proxy, "virtual_cluster_limit") == 1


def test_connections_without_a_request_make_room_for_others():
    """Five that say nothing, room for three: the oldest two go. One that has
    asked something stays, however many come after it."""
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="connectionsOpening: 3") as proxy, \
            Client(proxy) as busy, contextlib.ExitStack() as stack:
        busy.ask(API_VERSIONS, 0, 1)
        silent = []
        for count in range(1, 6):
            silent.append(stack.enter_context(Client(proxy)))
            wait_until(lambda: proxy.metric("kproxy_connections_total")
                       == 1 + count, 5, "connection accepted")
        for client in silent[:2]:
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "opening_limit") == 2, 5, "evicted")
        wait_until(lambda: proxy.metric("kproxy_connections_opening") == 3, 5,
                   "the gauge")
        for client in (busy, *silent[2:]):
            assert client.ask(API_VERSIONS, 0, 2)[:4] == struct.pack(">i", 2)
        assert proxy.metric("kproxy_connections_opening") <= 3


def test_a_frame_has_a_time_for_all_of_it():
    """Bytes keep coming often enough, but the frame never ends: a request that
    is passed on, one that has to be held, and an answer."""
    limits = "requestTimeout: 10s\nframeTimeout: 500ms"

    def drip(sock, stop):
        while not stop.wait(0.02):
            try:
                sock.sendall(b"x")
            except OSError:
                return

    def answer_slowly(sock, got):
        if got.key == API_VERSIONS:
            broker.answer_usual(sock, got)
            return
        sock.sendall(struct.pack(">ii", 1000, got.correlation))
        drip(sock, stop)

    slow_header = struct.pack(">ihhih", 1000, HEARTBEAT, 0, 2, -1)
    slow_login = struct.pack(">ihhih", 1000, SASL_HANDSHAKE, 1, 2, -1)
    for first in (slow_header, slow_login, request(HEARTBEAT, 0, 2)):
        stop = threading.Event()
        with FakeBroker(answer_slowly) as broker, \
                Kproxy(broker.address, limits=limits) as proxy, \
                Client(proxy) as client, \
                concurrent.futures.ThreadPoolExecutor(1) as pool:
            client.ask(API_VERSIONS, 0, 1)
            client.send(first)
            if first in (slow_header, slow_login):
                pool.submit(drip, client.sock, stop)
            wait_until(lambda: closed(proxy, "frame_timeout") == 1, 5,
                       "frame timeout")
            stop.set()
            assert_alive(proxy)


def test_one_connection_has_a_limit_of_its_own():
    """Two frames that have to be held fit into the memory of all, not of one;
    the other connection is served meanwhile."""
    limits = ("memory: 1GiB\nmemoryPerConnection: 1MiB\nframe: 1MiB\n"
              "frameBeforeAuthentication: 1MiB\nrequestTimeout: 10s")
    length = 700_000

    def metadata(sock, got):
        if got.key != METADATA:
            broker.answer_usual(sock, got)
            return
        sock.sendall(struct.pack(">ii", length, got.correlation) + b"\0")

    with FakeBroker(metadata) as broker, \
            Kproxy(broker.address, limits=limits) as proxy, \
            Client(proxy) as client, Client(proxy) as other:
        client.ask(API_VERSIONS, 0, 1)
        other.ask(API_VERSIONS, 0, 1)
        client.send(request(METADATA, 9, 2, b"\0\0\0\0\0", tags=b"\0"))
        wait_until(lambda: proxy.metric("kproxy_buffer_bytes") >= length, 5,
                   "the answer is held")
        client.send(struct.pack(">ihhih", length, SASL_HANDSHAKE, 1, 3, -1)
                    + b"x" * 1000)
        assert client.is_closed()
        assert closed(proxy, "connection_memory_limit") == 1
        assert other.ask(API_VERSIONS, 0, 2)[:4] == struct.pack(">i", 2)
        wait_until(lambda: proxy.metric("kproxy_buffer_bytes") == 0, 5,
                   "memory came back")


def test_requests_in_flight_have_a_limit(node):
    """The ninth is read when an answer has come; that is counted once."""
    before = node.metric("kproxy_in_flight_limit_reached_total")
    held = []
    with FakeBroker(lambda sock, got: held.append((sock, got))) as broker, \
            Kproxy(broker.address, limits="inFlight: 8") as proxy, \
            Client(proxy) as client:
        client.send(b"".join(request(HEARTBEAT, 0, i) for i in range(12)))
        wait_until(lambda: len(held) == 8, 5, "eight at the broker")
        wait_until(lambda: proxy.metric("kproxy_requests_in_flight") == 8, 5,
                   "eight in flight")
        assert proxy.metric("kproxy_in_flight_limit_reached_total") == 1
        assert node.metric("kproxy_in_flight_limit_reached_total") == before
        for i in range(12):
            wait_until(lambda: len(held) > i, 5, "the next one")
            held[i][0].sendall(answer(held[i][1].correlation, b"\0\0"))
            assert client.receive_frame() == struct.pack(">ih", i, 0)


@pytest.mark.parametrize("count, length", [(900, 60_000), (1, 60_000_000)])
def test_a_reader_that_takes_too_little(count, length):
    """It reads, but not enough of what is copied or moved unseen: that is no
    progress."""
    def on_request(sock, got):
        if got.key == API_VERSIONS:
            broker.answer_usual(sock, got)
            return
        with contextlib.suppress(OSError):
            sock.sendall(answer(got.correlation, b"\0" * length))

    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits="writeTimeout: 500ms") as proxy, \
            Client(proxy) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(b"".join(request(HEARTBEAT, 0, i) for i in range(count)))

        def is_closed():
            with contextlib.suppress(OSError):
                client.sock.recv(100)
            return closed(proxy, "write_timeout") == 1
        wait_until(is_closed, 10, "write timeout")


def test_a_request_in_flight_is_answered_while_draining():
    """SIGTERM with one request at the broker: it gets its answer, then the
    connection closes; nothing is accepted meanwhile."""
    class Slow(FakeBroker):
        waiting = None

        def answer_usual(self, sock, got):
            if got.key == HEARTBEAT:
                self.waiting = (sock, got)
            else:
                super().answer_usual(sock, got)

    with Slow() as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client, Client(proxy) as idle:
        client.ask(API_VERSIONS, 0, 1)
        idle.ask(API_VERSIONS, 0, 1)
        client.send(request(HEARTBEAT, 0, 2))
        wait_until(lambda: broker.waiting, 5, "request at the broker")
        proxy.process.terminate()
        assert idle.is_closed()
        wait_until(lambda: is_refused(proxy), 5, "no more connections")
        sock, got = broker.waiting
        sock.sendall(answer(got.correlation, b"\0\0"))
        assert client.receive_frame() == struct.pack(">ih", 2, 0)
        assert client.is_closed()
        assert proxy.process.wait(10) == 0


def is_refused(proxy):
    try:
        Client(proxy).sock.close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_hard_stop_ends_what_does_not_end_itself():
    def on_request(sock, got):
        pass

    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits="drainTimeout: 500ms") as proxy, \
            Client(proxy) as client:
        client.send(request(HEARTBEAT, 0, 2))
        wait_until(lambda: broker.received, 5, "request at the broker")
        start = time.monotonic()
        proxy.process.terminate()
        assert client.is_closed()
        assert 0.4 < time.monotonic() - start < 5
        assert proxy.process.wait(10) == 0


def string(text):
    return struct.pack(">h", len(text)) + text


def test_sasl_handshake_v0_is_followed_by_bare_tokens():
    """PLAIN as old clients do it: no Kafka header around the token."""
    def serve(sock):
        handshake = Request(receive_frame(sock))
        assert (handshake.key, handshake.version) == (SASL_HANDSHAKE, 0)
        sock.sendall(answer(handshake.correlation,
                            struct.pack(">hi", 0, 1) + string(b"PLAIN")))
        token = receive_frame(sock)
        sock.sendall(frame(b"" if token == b"\0alice\0secret" else b"no"))
        while True:
            got = Request(receive_frame(sock))
            sock.sendall(answer(got.correlation, b"\0\0"))

    with FakeBroker(serve=serve) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        # the token right behind the handshake: it must not be taken for a
        # request before the broker has agreed
        client.send(request(SASL_HANDSHAKE, 0, 1, string(b"PLAIN"))
                    + frame(b"\0alice\0secret"))
        assert client.receive_frame()[:6] == struct.pack(">ih", 1, 0)
        assert client.receive_frame() == b""
        assert client.ask(HEARTBEAT, 0, 2) == struct.pack(">ih", 2, 0)
        wait_until(lambda: '"principal":"alice"' in proxy.text(), 5, "log")
        assert "secret" not in proxy.text()


def test_gssapi_tokens_of_any_number_pass_untouched():
    tokens = [b"\x60\x82\x01\x00" + b"g" * 300, b"\x60\x05abc", b"\5\4final"]

    def serve(sock):
        handshake = Request(receive_frame(sock))
        sock.sendall(answer(handshake.correlation,
                            struct.pack(">hi", 0, 1) + string(b"GSSAPI")))
        for index, token in enumerate(tokens):
            assert receive_frame(sock) == token
            if index < 2:       # the last one gets no answer
                sock.sendall(frame(b"server" + bytes([index])))
        while True:
            got = Request(receive_frame(sock))
            sock.sendall(answer(got.correlation, b"\0\0"))

    with FakeBroker(serve=serve) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.ask(SASL_HANDSHAKE, 0, 1, string(b"GSSAPI"))
        for index in range(2):
            client.send(frame(tokens[index]))
            assert client.receive_frame() == b"server" + bytes([index])
        client.send(frame(tokens[2]))
        assert client.ask(HEARTBEAT, 0, 2) == struct.pack(">ih", 2, 0)


def test_authenticating_again_in_the_middle_of_the_stream():
    """KIP-368: handshake and SaslAuthenticate between other requests, while an
    answer to an earlier one is still out."""
    def on_request(sock, got):
        if got.key == SASL_HANDSHAKE:
            sock.sendall(answer(got.correlation,
                                struct.pack(">hi", 0, 1) + string(b"PLAIN")))
        elif got.key == SASL_AUTHENTICATE:
            sock.sendall(answer(got.correlation, struct.pack(">hhi", 0, -1, 0)
                                + struct.pack(">q", 60000)))
        else:
            sock.sendall(answer(got.correlation, b"\0\0"))

    token = b"\0alice\0secret"
    authenticate = struct.pack(">i", len(token)) + token
    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        for start in (0, 100):
            client.send(request(HEARTBEAT, 0, start)
                        + request(SASL_HANDSHAKE, 1, start + 1,
                                  string(b"PLAIN"))
                        + request(SASL_AUTHENTICATE, 1, start + 2,
                                  authenticate)
                        + request(HEARTBEAT, 0, start + 3))
            got = [struct.unpack_from(">i", client.receive_frame())[0]
                   for _ in range(4)]
            assert got == list(range(start, start + 4))
        wait_until(lambda: proxy.text().count('"principal":"alice"') >= 2, 5,
                   "both in the log")


PROXY_V1 = b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 9092\r\n"
PROXY_V2 = (b"\r\n\r\n\0\r\nQUIT\n" + b"\x21\x11\0\x0c"
            + bytes([203, 0, 113, 7, 127, 0, 0, 1]) + struct.pack(">HH", 4711, 9092))


@pytest.mark.parametrize("header", [PROXY_V1, PROXY_V2])
def test_the_proxy_protocol_says_who_the_client_is(header):
    with FakeBroker() as broker, \
            Kproxy(broker.address, listener="proxyProtocol: true") as proxy:
        with Client(proxy) as client:
            for i in range(len(header)):
                client.send(header[i:i + 1])
            client.send(versions_request(8) + request(600, 0, 9))
            assert client.receive_frame()[:6] == struct.pack(">ih", 8, 0)
        wait_until(lambda: "203.0.113.7:4711" in proxy.text(), 5, "log")


@pytest.mark.parametrize("junk", [
    versions_request(), b"PROXY TCP4 1.2.3.4\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_without_its_header_nobody_gets_in(junk):
    with FakeBroker() as broker, \
            Kproxy(broker.address, listener="proxyProtocol: true") as proxy:
        with Client(proxy) as client:
            client.send(junk)
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "proxy_protocol") == 1, 5, "counted")
        assert broker.connections == []


@pytest.mark.parametrize("size", [10, 100_000])
def test_tagged_fields_of_a_header_are_left_out(size):
    """InitProducerId v2 is passed on, Fetch v16 is walked: neither may bring a
    tagged field in its header, which no version of Kafka has."""
    tags = b"\1" + uvarint(3) + uvarint(16) + b"0" * 16

    def on_request(sock, got):
        if got.key == FETCH:
            data = fetch_answer_16(got.correlation, b"r" * size, b"k")
            body = data[9:]
        else:
            body = b"\0" * size
        sock.sendall(answer(got.correlation, body, tags))

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.send(request(22, 2, 1, b"", tags=b"\0") * 3)
        for _ in range(3):
            assert client.receive_frame() == struct.pack(
                ">i", 1) + b"\0" + b"\0" * size
        client.send(request(FETCH, 16, 2, b"", tags=b"\0"))
        data = client.receive_frame()
        assert data[:5] == struct.pack(">i", 2) + b"\0"
        assert b"0" * 16 not in data


def test_nodes_join_move_and_leave_at_run_time():
    """Where a node's port leads follows what the last metadata said; before
    any, and for nodes nobody has named, to a bootstrap server."""
    with FakeBroker() as seed, FakeBroker() as second, FakeBroker() as third:
        nodes = {}

        def metadata(sock, got):
            if got.key != METADATA:
                return FakeBroker.answer_usual(seed, sock, got)
            rows = b"".join(
                struct.pack(">i", node) + string(b"127.0.0.1")
                + struct.pack(">i", int(broker.address.split(":")[1]))
                for node, broker in nodes.items())
            return sock.sendall(answer(
                got.correlation, struct.pack(">i", len(nodes)) + rows
                + struct.pack(">i", 0)))
        seed.on_request = metadata

        with Kproxy(seed.address) as proxy:
            def shown():
                with Client(proxy) as client:
                    data = client.ask(METADATA, 0, 1, struct.pack(">i", 0))
                count, = struct.unpack_from(">i", data, 4)
                return count, data

            def reached(node):
                before = [len(b.connections) for b in (seed, second, third)]
                with Client(proxy, proxy.port + 1 + node) as client:
                    client.ask(HEARTBEAT, 0, 1)
                after = [len(b.connections) for b in (seed, second, third)]
                return [new - old for old, new in zip(before, after)].index(1)

            assert reached(2) == 0              # unknown: a bootstrap server
            nodes[0] = seed
            assert shown()[0] == 1
            nodes[2] = second                   # joins
            count, data = shown()
            assert count == 2
            assert struct.pack(">i", proxy.port + 3) in data
            assert reached(2) == 1
            nodes[2] = third                    # moves
            shown()
            assert reached(2) == 2
            del nodes[2]                        # leaves: nobody is sent there
            assert shown()[0] == 1
