# SPDX-License-Identifier: Apache-2.0
"""Logins and PROXY headers, with clients that do not keep to the usual."""

import contextlib
import struct

import pytest

from fake_broker import (SASL_AUTHENTICATE, SASL_HANDSHAKE, Client, FakeBroker,
                         Request, answer, frame, receive_frame, request)
from kproxy_rig import Kproxy, wait_until
from hostile import HEARTBEAT, closed, expect_closed, string, versions_request


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


def test_tokens_that_never_end():
    """2000 steps of a login, each with an answer: the proxy keeps none of them.
    A token that is too long ends it."""
    def serve(sock):
        handshake = Request(receive_frame(sock))
        sock.sendall(answer(handshake.correlation,
                            struct.pack(">hi", 0, 1) + string(b"GSSAPI")))
        while True:
            sock.sendall(frame(receive_frame(sock)))

    token = b"\x60" + b"t" * 999
    limits = "frameBeforeAuthentication: 64KiB"
    with FakeBroker(serve=serve) as broker, \
            Kproxy(broker.address, limits=limits) as proxy, \
            Client(proxy) as client:
        client.ask(SASL_HANDSHAKE, 0, 1, string(b"GSSAPI"))
        for _ in range(2000):
            client.send(frame(token))
            assert client.receive_frame() == token
        assert proxy.metric("kproxy_requests_in_flight") == 0
        wait_until(lambda: proxy.metric("kproxy_buffer_bytes") == 0, 5,
                   "nothing is held")
        client.send(frame(b"\x60" * 65537)[:100])
        assert client.is_closed()
        expect_closed(proxy, "frame_too_large")


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


@pytest.mark.parametrize("begun", [b"", b"P", PROXY_V1[:20], PROXY_V2[:14]])
def test_a_header_has_a_time_for_all_of_it(begun):
    """However often its bytes come."""
    with FakeBroker() as broker, \
            Kproxy(broker.address, listener="proxyProtocol: true",
                   limits="handshakeTimeout: 1s") as proxy:
        with Client(proxy) as client:
            client.sock.settimeout(0.02)
            for byte in begun:
                # a machine that is slow may see the end among them
                with contextlib.suppress(ConnectionError):
                    client.send(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    assert client.is_closed()
            client.sock.settimeout(60)
            assert client.is_closed()
        expect_closed(proxy, "handshake_timeout")
        assert broker.connections == []


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
