# SPDX-License-Identifier: Apache-2.0
"""The relays count what they should, and each mode does its harm."""
import contextlib
import socket
import struct
import threading

import pytest

import kproxy_rig
from history import wire

PRODUCE, FETCH = 0, 1
NAMES = {PRODUCE: "Produce", FETCH: "Fetch"}
ROUTE = "route"


def frame(number, client="c", api=PRODUCE, size=100):
    """A request with its length; number is its correlation id."""
    head = struct.pack(">hhih", api, 9, number, len(client)) + client.encode()
    body = head.ljust(size, bytes([number]))
    return struct.pack(">i", len(body)) + body


@contextlib.contextmanager
def echo():
    """Sends back what it gets. Yields its address and the open sockets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = []

        def serve(peer):
            with contextlib.suppress(OSError):
                while data := peer.recv(1 << 16):
                    peer.sendall(data)
            peer.close()

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])
                    threading.Thread(target=serve, args=(taken[-1],),
                                     daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname(), taken
        server.shutdown(socket.SHUT_RDWR)


class Rig:
    """A relay in front of an echo; before is what it notes."""

    def __init__(self, target, before):
        port = kproxy_rig.free_ports()
        self.listen = "127.0.0.1", port
        self.wire = wire.Wire(
            [wire.Route(ROUTE, self.listen, target, before)])

    def connect(self):
        client = socket.create_connection(self.listen, 60)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client


@pytest.fixture
def noted():
    return []


@pytest.fixture
def rig(noted):
    with echo() as (address, taken):
        found = Rig(address, noted.append)
        found.taken = taken
        with found.wire:
            yield found


def receive(client, count):
    """Up to so many bytes; what there was when the connection ended."""
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            break
        data += more
    return data


def test_frames_are_whole_however_they_come():
    data = frame(1) + frame(2, size=3000) + frame(3)
    for step in (1, 7, 100, len(data)):
        splitter = wire.Splitter()
        found = []
        for at in range(0, len(data), step):
            found += splitter.feed(data[at:at + step])
        assert [one[7] for one in found] == [1, 2, 3]
        assert not splitter.is_inside
        splitter.feed(frame(4)[:-1])
        assert splitter.is_inside


def test_ledger_finds_what_no_client_sent():
    ledger = wire.Ledger(NAMES)
    first, second = frame(1)[4:], frame(1, api=FETCH)[4:]
    for one in (first, first, second):
        ledger.note_sent(one)
    for one in (second, first, first):
        ledger.note_arrived(one)
    assert not ledger.invented and not ledger.on_the_way
    assert ledger.sent == ledger.arrived == {("c", "Produce"): 2,
                                             ("c", "Fetch"): 1}
    ledger.note_arrived(first)  # once more than it was sent
    ledger.note_arrived(frame(2)[4:])
    ledger.note_arrived(b"short")
    assert [who for who, *_ in ledger.invented] == [
        ("c", "Produce"), ("c", "Produce"), ("", "no request")]


def test_ledger_keeps_what_did_not_arrive():
    ledger = wire.Ledger(NAMES)
    ledger.note_sent(frame(1)[4:])
    ledger.note_sent(frame(2)[4:])
    ledger.note_arrived(frame(2)[4:])
    assert ledger.on_the_way.total() == 1 and not ledger.invented


def test_clear_passes_all_and_notes_requests(rig, noted):
    data = b"".join(frame(number, size=20000) for number in range(20))
    with rig.connect() as client:
        client.sendall(data)
        assert receive(client, len(data)) == data
        assert [one[7] for one in noted] == list(range(20))


@pytest.mark.parametrize("mode,size", [(wire.SLOW, 1500), (wire.BYTES, 60)])
def test_slow_modes_change_nothing(rig, noted, mode, size):
    rig.wire.modes[ROUTE] = mode
    data = frame(1, size=size)
    with rig.connect() as client:
        client.sendall(data)
        assert receive(client, len(data)) == data
    pieces = -(-len(data) // wire.PACE[mode][0])
    assert rig.wire.counts[mode] >= 2 * pieces
    assert len(noted) == 1


def test_reset_is_in_mid_frame(rig, noted):
    rig.wire.modes[ROUTE] = wire.RESET
    with rig.connect() as client:
        # half of this is exactly a frame
        client.sendall(frame(1) + frame(2))
        with pytest.raises(ConnectionResetError):
            receive(client, 1000)
    assert rig.wire.counts[wire.RESET] == 1
    assert len(noted) == 1


def test_nothing_follows_a_reset(rig, noted, monkeypatch):
    """Not even what the relay had read already, as part of another frame."""
    monkeypatch.setattr(wire, "BEFORE_RESET_S", 0.2)
    rig.wire.modes[ROUTE] = wire.RESET
    data = b"".join(frame(number, size=9000) for number in range(100))
    with rig.connect() as client:
        # on a slow machine it comes while the client still sends
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client.sendall(data)
            assert receive(client, 1)
            rig.wire.modes[ROUTE] = wire.CLEAR
            receive(client, len(data) + 1)
    assert noted == [frame(number, size=9000)[4:]
                     for number in range(len(noted))]


def test_others_pass_after_a_reset(rig):
    rig.wire.modes[ROUTE] = wire.RESET
    with rig.connect() as client:
        client.sendall(frame(1))
        with pytest.raises(ConnectionResetError):
            receive(client, 104)
    rig.wire.modes[ROUTE] = wire.CLEAR
    with rig.connect() as client:
        client.sendall(frame(1))
        assert receive(client, 104) == frame(1)


@pytest.mark.parametrize("mode,arrives", [
    (wire.HALF_OPEN, 1), (wire.ANSWERS_LOST, 3)])
def test_half_open_stays_so(rig, noted, mode, arrives):
    with rig.connect() as client:
        client.sendall(frame(1))
        assert receive(client, 104) == frame(1)
        rig.wire.modes[ROUTE] = mode
        client.sendall(frame(2))
        kproxy_rig.wait_until(lambda: rig.wire.counts[mode] == 1)
        rig.wire.modes[ROUTE] = wire.CLEAR
        client.sendall(frame(3))
        kproxy_rig.wait_until(lambda: len(noted) == arrives)
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        with rig.connect() as other:
            other.sendall(frame(4))
            assert receive(other, 104) == frame(4)
    assert len(noted) == arrives + 1


def test_a_target_that_is_gone_resets_the_client(noted):
    nobody = "127.0.0.1", kproxy_rig.free_ports()
    found = Rig(nobody, noted.append)
    with found.wire, pytest.raises(ConnectionResetError):
        with found.connect() as client:
            client.recv(1)


def test_what_goes_wrong_in_a_relay_is_raised():
    def note(_):
        raise ValueError("note")
    with echo() as (address, _):
        found = Rig(address, note)
        with pytest.raises(ValueError, match="note"), found.wire:
            with found.connect() as client:
                client.sendall(frame(1))
                assert receive(client, 104) == b""
