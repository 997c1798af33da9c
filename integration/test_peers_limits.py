# SPDX-License-Identifier: Apache-2.0
"""Peers that are slow, silent, too many or too large: what it costs, when it ends,
and what counts it."""

import concurrent.futures
import contextlib
import pathlib
import socket
import struct
import threading
import time

import pytest

import crowd
from fake_broker import (API_VERSIONS, METADATA, SASL_HANDSHAKE, Client,
                         FakeBroker, answer, request)
from kproxy_rig import Kproxy, frozen, wait_until
from hostile import (HEARTBEAT, LIST_GROUPS, assert_alive, closed,
                     expect_closed, is_served, versions_request)


@contextlib.contextmanager
def node(limits):
    """One broker that behaves, one proxy; only one wait is short, so that a machine
    that stands still ends nothing else."""
    with FakeBroker() as broker, Kproxy(broker.address, limits=limits) as proxy:
        proxy.broker = broker
        yield proxy


def test_a_client_that_says_nothing():
    """No broker hears of it; of one that says something, one does."""
    with node("firstRequestTimeout: 400ms") as proxy:
        with Client(proxy) as client:
            assert client.is_closed()
        expect_closed(proxy, "first_request_timeout")
        assert proxy.broker.connections == []
    with node("requestTimeout: 300ms") as proxy:
        with Client(proxy) as client:
            client.send(b"\0")
            assert client.is_closed()
        wait_until(lambda: proxy.broker.connections, 5, "a connection")
        assert len(proxy.broker.connections) == 1


def test_a_client_that_goes_before_it_says_anything():
    with node("") as proxy:
        with Client(proxy):
            pass
        expect_closed(proxy, "client_closed")
        assert proxy.broker.connections == []


def test_a_client_that_never_finishes_a_request():
    with node("requestTimeout: 300ms") as proxy:
        with Client(proxy) as client:
            client.ask(API_VERSIONS, 0, 1)
            client.send(versions_request()[:-1])
            assert client.is_closed()
        expect_closed(proxy, "request_timeout")


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


def test_who_was_closed_finds_room_at_once():
    """There is one place, and it is free before its client sees the end."""
    count = 300
    with node("connections: 1") as proxy:
        for _ in range(count):
            with Client(proxy) as client:
                with contextlib.suppress(ConnectionError):
                    client.send(struct.pack(">i", -1))
                assert client.is_closed()
        wait_until(lambda: closed(proxy, "protocol_error")
                   + closed(proxy, "connection_limit") == count, 5, "counted")
        assert closed(proxy, "connection_limit") == 0


def at_the_door(proxy):
    """Whoever connects meanwhile is there at once when the worker goes on."""
    return frozen(proxy.child("worker"))


def test_a_crowd_at_one_port_does_not_keep_others_out():
    """They would fill the node, if all of them were let in before anybody looks
    at the next port."""
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="connections: 100") as proxy, \
            contextlib.ExitStack() as stack:
        with at_the_door(proxy):
            for _ in range(400):
                stack.enter_context(Client(proxy))
            other = stack.enter_context(Client(proxy, proxy.port + 1))
        assert other.ask(API_VERSIONS, 0, 1)[:4] == struct.pack(">i", 1)
        wait_until(lambda: closed(proxy, "connection_limit") == 301, 5,
                   "the others")


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
              "frameBeforeAuthentication: 1MiB")
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


def test_requests_that_are_held_leave_memory_to_others():
    """Clients that nobody knows say 14 bytes each, or one, and have all memory
    held for them if they are let. A neighbour, old or new, does not notice."""
    limits = ("memory: 16MiB\nmemoryPerConnection: 1MiB\nframe: 1MiB\n"
              "frameBeforeAuthentication: 512KiB")
    def login(length):
        return struct.pack(">ihhih", length, SASL_HANDSHAKE, 1, 1, -1)

    with FakeBroker() as broker, \
            Kproxy(broker.address, limits=limits) as proxy, \
            Client(proxy) as old, contextlib.ExitStack() as stack:
        old.ask(API_VERSIONS, 0, 1)
        refused = 0
        # the large ones first, all of them: eight and two of the small fit
        # into 4 MiB
        for number, begun, fit in ((40, login(500_000), 8),
                                   (10, login(66_000), 2),
                                   (20, b"\0", 20)):
            for _ in range(number):
                stack.enter_context(Client(proxy)).send(begun)
            refused += number - fit
            wait_until(lambda: closed(proxy, "memory_limit") == refused, 5,
                       "those that do not fit")
            assert old.ask(API_VERSIONS, 0, number)[:4] == struct.pack(
                ">i", number)
            assert_alive(proxy)
        stack.close()
        wait_until(lambda: proxy.metric("kproxy_buffer_bytes") == 0, 5,
                   "memory came back")


def test_requests_in_flight_have_a_limit():
    """The ninth is read when an answer has come; that is counted once."""
    held = []
    with FakeBroker(lambda sock, got: held.append((sock, got))) as broker, \
            Kproxy(broker.address, limits="inFlight: 8") as proxy, \
            Client(proxy) as client:
        client.send(b"".join(request(HEARTBEAT, 0, i) for i in range(12)))
        wait_until(lambda: len(held) == 8, 5, "eight at the broker")
        wait_until(lambda: proxy.metric("kproxy_requests_in_flight") == 8, 5,
                   "eight in flight")
        wait_until(lambda: proxy.metric(
            "kproxy_in_flight_limit_reached_total") == 1, 5, "counted")
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


KEEPALIVE = "02"


def timers(port):
    """What runs for the established connections to or from a local port, by the
    port at the other end."""
    found = {}
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, state, _, timer = line.split()[:6]
        if state == "01" and int(here.split(":")[1], 16) == port:
            found[int(there.split(":")[1], 16)] = timer.split(":")[0]
    return found


def test_peers_that_say_nothing_are_asked_whether_they_are_there():
    """The kernel does it, for clients and brokers alike."""
    with FakeBroker() as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.ask(API_VERSIONS, 0, 1)
        mine = client.sock.getsockname()[1]
        wait_until(lambda: timers(proxy.port).get(mine) == KEEPALIVE, 5,
                   "a timer towards the client")
        upstream = broker.connections[0].getpeername()[1]
        wait_until(lambda: list(timers(upstream).values()) == [KEEPALIVE], 5,
                   "a timer towards the broker")


def answered(stack, proxy, client_id=b"test"):
    """A client that was answered: where a second without a byte ends a connection,
    a machine that stands still ends some before."""
    while True:
        client = stack.enter_context(Client(proxy))
        with contextlib.suppress(EOFError, ConnectionError):
            client.send(request(HEARTBEAT, 0, 1, client_id=client_id))
            client.receive_frame()
            return client


@pytest.mark.parametrize("num_asked, limits, reason", [
    (0, "idleTimeout: 1s", "idle_timeout"),
    (1, "idleTimeout: 1s", "idle_timeout"),
    (100, "writeTimeout: 500ms", "write_timeout")])
def test_a_client_that_vanishes(num_asked, limits, reason):
    """As if its machine had lost its power: no FIN, no RST, nothing is
    acknowledged. What is on its way to it fits into the kernel's buffers, or it
    does not."""
    def on_request(sock, got):
        if got.client_id == b"large":
            sock.sendall(answer(got.correlation, b"\0" * 200_000))
        else:
            broker.answer_usual(sock, got)

    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits=limits) as proxy, \
            contextlib.ExitStack() as stack:
        client = answered(stack, proxy)
        crowd.vanish(client.sock)
        client.send(b"".join(request(HEARTBEAT, 0, i, client_id=b"large")
                             for i in range(num_asked)))

        def has_ended():
            return (is_served(proxy) and closed(proxy, reason) >= 1
                    and proxy.metric("kproxy_connections") == 0)
        wait_until(has_ended, 10, reason)


def test_a_broker_that_vanishes():
    """Whoever waits for it is let go; others do not wait."""
    def on_request(sock, got):
        if got.client_id == b"last":
            crowd.vanish(sock)
        broker.answer_usual(sock, got)

    with FakeBroker(on_request) as broker, \
            Kproxy(broker.address, limits="idleTimeout: 1s") as proxy, \
            contextlib.ExitStack() as stack:
        client = answered(stack, proxy, b"last")
        client.send(request(HEARTBEAT, 0, 2))
        wait_until(lambda: is_served(proxy), 5, "somebody else")
        assert client.is_closed()
        wait_until(lambda: closed(proxy, "idle_timeout") >= 1, 5, "counted")


def test_requests_that_are_answered_locally_wait_their_turn():
    """3000 at once, none of which is for the broker, by a client that does not
    read before the last one: not more than inFlight are held, all are answered
    in order."""
    count = 3000
    asked = b"".join(request(LIST_GROUPS, 0, i) for i in range(count))
    with FakeBroker() as broker, Kproxy(broker.address) as proxy, \
            Client(proxy) as client:
        client.ask(API_VERSIONS, 0, 1)
        client.send(asked)
        for i in range(count):
            assert client.receive_frame() == struct.pack(">ihi", i, 35, 0)
        assert len(broker.received) == 1
        assert proxy.metric('kproxy_local_answers_total'
                            '{reason="unsupported_version"}') == count
        assert proxy.metric("kproxy_requests_in_flight") == 0


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
        assert proxy.process.wait(60) == 0


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
        # 30 s unless something else is said
        assert 0.4 < time.monotonic() - start < 25
        assert proxy.process.wait(60) == 0
