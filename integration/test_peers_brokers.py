# SPDX-License-Identifier: Apache-2.0
"""Brokers that lie, stop, name too many addresses, come and go."""

import struct

import pytest

from fake_broker import (FETCH, METADATA, Client, FakeBroker, answer, nobody,
                         receive, request)
from kproxy_rig import Kproxy, wait_until
from hostile import (HEARTBEAT, closed, fetch_answer_16, metadata_answer,
                     string, uvarint)


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


def test_answers_cut_off_at_every_byte():
    """Of one that has to be rewritten, the client sees all or nothing."""
    whole = metadata_answer(1, b"\0")
    cut = 0

    def on_request(sock, got):
        sock.sendall(whole[:cut])
        sock.close()

    with FakeBroker(on_request) as broker, Kproxy(broker.address) as proxy:
        for cut in range(len(whole) + 1):
            with Client(proxy) as client:
                client.send(request(METADATA, 9, 1, b"\1\0\0\0\0", tags=b"\0"))
                got = client.receive_all()
            assert (got[4:8] == whole[4:8]) == (cut == len(whole))
            assert got or cut < len(whole)
        wait_until(lambda: closed(proxy, "broker_closed") == len(whole) + 1, 5,
                   "counted")


def test_a_broker_that_answers_before_it_was_asked():
    def serve(sock):
        sock.sendall(answer(1, b"\0\0"))
        receive(sock, 1)

    with FakeBroker(serve=serve) as broker, Kproxy(broker.address) as proxy:
        with Client(proxy) as client:
            client.send(b"\0")
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "protocol_error") == 1, 5, "counted")
        wait_until(lambda: "nobody asked" in proxy.text(), 5, "logged")


def test_nobody_at_the_other_end():
    with nobody() as address, Kproxy(address) as proxy:
        with Client(proxy) as client:
            client.send(b"\0")
            assert client.is_closed()
        wait_until(lambda: closed(proxy, "upstream_unavailable") == 1, 5,
                   "counted")
        wait_until(lambda: "refused" in proxy.text().lower(), 5, "logged")


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
