# SPDX-License-Identifier: Apache-2.0
"""TLS in and out, by every combination; who is meant by a server name; who is
let in. The other end is Python's OpenSSL, so nothing is BoringSSL's word alone."""

import contextlib
import pathlib
import socket
import ssl
import struct
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent
                       / "scripts"))
from certificates import Authority  # noqa: E402
from fake_broker import (API_VERSIONS, METADATA, Client, FakeBroker,  # noqa: E402
                         answer, receive_frame, request)
from kproxy_rig import Kproxy, wait_until  # noqa: E402

LOCAL = ("IP:127.0.0.1", "DNS:localhost")


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """Certificates for every role, and one of a stranger."""
    folder = tmp_path_factory.mktemp("pki")
    ours, theirs = Authority(folder / "ours"), Authority(folder / "theirs")
    ours.issue("proxy", *LOCAL)
    ours.issue("broker", *LOCAL)
    ours.issue("elsewhere", "DNS:elsewhere.example")
    ours.issue("client", "DNS:client")
    ours.issue("boot", "DNS:boot.kafka.example", "DNS:*.kafka.example")
    theirs.issue("broker", *LOCAL)
    theirs.issue("client", "DNS:client")
    return folder


def reference(pki, name):
    return (f"certificate: {{file: {pki}/{name}.crt}}, "
            f"key: {{file: {pki}/{name}.key}}")


def server_context(pki, name, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
    if client_ca is not None:
        context.load_verify_locations(pki / client_ca / "ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(pki, name=None):
    context = ssl.create_default_context(cafile=pki / "ours" / "ca.pem")
    if name is not None:
        context.load_cert_chain(pki / f"{name}.crt", pki / f"{name}.key")
    return context


class TlsClient(Client):
    def __init__(self, proxy, context, name="localhost", session=None):
        super().__init__(proxy)
        self.sock = context.wrap_socket(self.sock, server_hostname=name,
                                        session=session)


def works(client):
    assert client.ask(API_VERSIONS, 0, 5)[:6] == struct.pack(">ih", 5, 0)
    return True


def is_let_in(proxy, context, name="localhost"):
    """With TLS 1.3 a refusal comes after the client's side of the handshake."""
    try:
        with TlsClient(proxy, context, name) as client:
            return works(client)
    except (EOFError, OSError):
        return False


LISTENER = "tls: {%s}"
CLUSTER = "tls: {ca: {file: %s/ours/ca.pem}%s}"


@pytest.mark.parametrize("tls_out", [False, True])
@pytest.mark.parametrize("tls_in", [False, True])
def test_every_combination(pki, tls_in, tls_out):
    """The handshakes are counted on the side where they happen."""
    broker_tls = server_context(pki, "ours/broker") if tls_out else None
    listener = LISTENER % reference(pki, "ours/proxy") if tls_in else ""
    cluster = CLUSTER % (pki, "") if tls_out else ""
    with FakeBroker(context=broker_tls) as broker, \
            Kproxy(broker.address, listener=listener, cluster=cluster) as proxy:
        if tls_in:
            assert is_let_in(proxy, client_context(pki))
            with Client(proxy) as plain:
                plain.send(request(API_VERSIONS, 0, 1))
                assert plain.receive_all()[:1] in (b"", b"\x15")   # an alert
        else:
            with Client(proxy) as client:
                works(client)
        for side, is_tls in (("client", tls_in), ("broker", tls_out)):
            assert proxy.metric('kproxy_tls_handshakes_total{side="%s",'
                                'result="ok",resumed="false"}' % side) == is_tls


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2,
                                     ssl.TLSVersion.TLSv1_3])
def test_versions_and_session_tickets(pki, version):
    context = client_context(pki)
    context.minimum_version = context.maximum_version = version
    with FakeBroker() as broker, \
            Kproxy(broker.address,
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy:
        with TlsClient(proxy, context) as first:
            works(first)
            session = first.sock.session
            assert not first.sock.session_reused
        with TlsClient(proxy, context, session=session) as second:
            works(second)
            assert second.sock.session_reused


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(pki):
    context = client_context(pki)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with FakeBroker() as broker, \
            Kproxy(broker.address,
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy:
        assert not is_let_in(proxy, context)
        wait_until(lambda: proxy.metric('kproxy_connections_closed_total'
                                        '{reason="tls_error"}') == 1)
        assert broker.connections == []


@pytest.mark.parametrize("auth, certificate, expected", [
    ("required", None, False), ("required", "ours/client", True),
    ("required", "theirs/client", False), ("optional", None, True),
    ("optional", "ours/client", True), ("optional", "theirs/client", False)])
def test_client_certificates(pki, auth, certificate, expected):
    listener = ("tls: {%s, clientCa: {file: %s/ours/ca.pem}, clientAuth: %s}"
                % (reference(pki, "ours/proxy"), pki, auth))
    with FakeBroker() as broker, \
            Kproxy(broker.address, listener=listener) as proxy:
        context = client_context(pki, certificate)
        assert is_let_in(proxy, context) == expected


@pytest.mark.parametrize("certificate, options, expected", [
    ("ours/broker", "", True),
    ("theirs/broker", "", False),           # another authority
    ("ours/elsewhere", "", False),          # another name
    ("ours/elsewhere", ", verifyHostname: false", True),
    ("theirs/broker", ", verifyHostname: false", False)])
def test_the_broker_is_who_it_must_be(pki, certificate, options, expected):
    with FakeBroker(context=server_context(pki, certificate)) as broker, \
            Kproxy(broker.address, cluster=CLUSTER % (pki, options)) as proxy, \
            Client(proxy) as client:
        if expected:
            works(client)
        else:
            client.send(request(API_VERSIONS, 0, 1))
            assert client.is_closed()
            wait_until(lambda: "TLS with broker" in proxy.text())


def test_the_proxy_shows_its_certificate_to_the_broker(pki):
    context = server_context(pki, "ours/broker", client_ca="ours")
    with FakeBroker(context=context) as broker:
        options = ", " + reference(pki, "ours/client")
        with Kproxy(broker.address, cluster=CLUSTER % (pki, options)) as proxy, \
                Client(proxy) as client:
            works(client)
        with Kproxy(broker.address, cluster=CLUSTER % (pki, "")) as proxy, \
                Client(proxy) as client:
            client.send(request(API_VERSIONS, 0, 1))
            assert client.is_closed()


SNI = """apiVersion: kproxy/v1
kind: Cluster
metadata: {{name: real}}
spec: {{bootstrap: ["{server}"]}}
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: clients}}
spec:
  bind: 127.0.0.1
  sni: {{port: {port}, bootstrap: boot.kafka.example, broker: "b{{node}}.kafka.example"}}
  tls:
    {default}
    additionalCertificates: [{{{extra}}}]
---
apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {{name: shop}}
spec: {{cluster: real, listener: clients}}
"""


def string(text):
    return struct.pack(">h", len(text)) + text


def test_server_names_choose_node_and_certificate(pki):
    """Metadata through the bootstrap name teaches where the nodes are; the name
    of a node leads there; a name of nobody leads nowhere."""
    with FakeBroker() as seed, FakeBroker() as node_7:
        seed_port, node_port = (int(b.address.split(":")[1])
                                for b in (seed, node_7))

        def metadata(sock, got):
            if got.key != METADATA:
                return FakeBroker.answer_usual(seed, sock, got)
            brokers = b"".join(
                struct.pack(">i", node) + string(b"127.0.0.1")
                + struct.pack(">i", port)
                for node, port in ((3, seed_port), (7, node_port)))
            return sock.sendall(answer(got.correlation, struct.pack(">i", 2)
                                       + brokers + struct.pack(">i", 0)))
        seed.on_request = metadata
        proxy = Kproxy(seed.address)
        proxy.write(SNI.format(
            server=seed.address, port=proxy.port,
            default="certificate: {file: %s/ours/proxy.crt}\n"
                    "    key: {file: %s/ours/proxy.key}" % (pki, pki),
            extra=reference(pki, "ours/boot")))
        context = client_context(pki)
        with proxy:
            with TlsClient(proxy, context, "boot.kafka.example") as client:
                data = client.ask(METADATA, 0, 1, struct.pack(">i", 0))
            for node in (3, 7):
                assert (struct.pack(">i", node)
                        + string(b"b%d.kafka.example" % node)
                        + struct.pack(">i", proxy.port)) in data
            assert b"127.0.0.1" not in data
            before = len(node_7.connections)
            with TlsClient(proxy, context, "b7.kafka.example") as client:
                works(client)
            assert len(node_7.connections) == before + 1
            # the default certificate is for localhost, which is no name of ours
            assert not is_let_in(proxy, context, "localhost")
            wait_until(lambda: proxy.metric(
                'kproxy_connections_closed_total{reason="unknown_node"}') == 1)


def test_proxy_header_before_the_handshake(pki):
    listener = "proxyProtocol: true\n" + LISTENER % reference(
        pki, "ours/proxy")
    with FakeBroker() as broker, \
            Kproxy(broker.address, listener=listener) as proxy:
        sock = socket.create_connection((proxy.host, proxy.port), timeout=60)
        sock.sendall(b"PROXY TCP4 203.0.113.9 127.0.0.1 999 9092\r\n")
        with client_context(pki).wrap_socket(
                sock, server_hostname="localhost") as secure:
            secure.sendall(request(API_VERSIONS, 0, 1) + request(600, 0, 2))
            assert receive_frame(secure)[:4] == struct.pack(">i", 1)
        wait_until(lambda: "203.0.113.9:999" in proxy.text())


def client_hello(pki):
    """The first bytes of a client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(pki).wrap_bio(incoming, outgoing,
                                       server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_a_client_hello_of_single_bytes(pki):
    """Each a segment of its own; the server answers when it has all of them."""
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="handshakeTimeout: 1m",
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy, \
            Client(proxy) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in client_hello(pki):
            client.send(bytes([byte]))
        assert client.sock.recv(1) == b"\x16"


@pytest.mark.parametrize("part", [0, 1, 5, 100, 10_000])
def test_a_handshake_has_a_time_for_all_of_it(pki, part):
    """A client that stops somewhere, or goes on too slowly."""
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="handshakeTimeout: 300ms",
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy:
        with Client(proxy) as client:
            client.send(client_hello(pki)[:part])
            client.receive_all()
        wait_until(lambda: proxy.metric('kproxy_connections_closed_total'
                                        '{reason="handshake_timeout"}') == 1)
        assert broker.connections == []


def test_a_request_right_behind_the_handshake(pki):
    """In one segment, so that both are received at once."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(pki).wrap_bio(incoming, outgoing,
                                       server_hostname="localhost")
    with FakeBroker() as broker, \
            Kproxy(broker.address,
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy, \
            Client(proxy) as client:
        def take():
            data = client.sock.recv(1 << 16)
            assert data, "closed"
            incoming.write(data)

        while tls.version() is None:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                take()
        tls.write(request(API_VERSIONS, 0, 5))
        client.send(outgoing.read())
        got = b""
        while len(got) < 8:
            try:
                got += tls.read(8 - len(got))
            except ssl.SSLWantReadError:
                take()
        assert got[4:] == struct.pack(">i", 5)


def test_nothing_at_all_behind_the_handshake(pki):
    with FakeBroker() as broker, \
            Kproxy(broker.address, limits="firstRequestTimeout: 1s",
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy:
        with TlsClient(proxy, client_context(pki)) as silent:
            assert silent.is_closed()
        wait_until(lambda: proxy.metric(
            'kproxy_connections_closed_total'
            '{reason="first_request_timeout"}') == 1)
        assert broker.connections == []


JUNK = {
    "Kafka": request(API_VERSIONS, 0, 1),
    "HTTP": b"GET / HTTP/1.1\r\n\r\n",
    "noise": b"\x16" * 100,
    "a record of 64 KiB": b"\x16\x03\x01\xff\xff" + b"\1" * 65535,
    "a message of 16 MiB": b"\x16\x03\x01\x40\0\1\xff\xff\xff" + b"\0" * 16380,
}


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK.keys())
def test_what_is_no_client_hello(pki, junk):
    with FakeBroker() as broker, \
            Kproxy(broker.address,
                   listener=LISTENER % reference(pki, "ours/proxy")) as proxy:
        with Client(proxy) as client:
            with contextlib.suppress(ConnectionError):  # refused half-way
                client.send(junk)
            client.receive_all()
        wait_until(lambda: proxy.metric('kproxy_connections_closed_total'
                                        '{reason="tls_error"}') == 1)
        assert broker.connections == []


def test_a_broker_that_does_not_shake_hands(pki):
    with FakeBroker(serve=lambda sock: sock.recv(10) and sock.recv(1 << 20)
                    and sock.recv(1)) as broker, \
            Kproxy(broker.address, cluster=CLUSTER % (pki, "") +
                   "\nconnectTimeout: 300ms") as proxy, \
            Client(proxy) as client:
        client.send(request(API_VERSIONS, 0, 1))
        assert client.is_closed()
        wait_until(lambda: proxy.metric('kproxy_connections_closed_total'
                                        '{reason="upstream_unavailable"}') == 1)


def test_megabytes_in_both_directions(pki):
    """TLS on both sides with frames larger than any buffer."""
    def echo(sock, got):
        sock.sendall(answer(got.correlation, got.body))

    body = bytes(range(256)) * 20000
    with FakeBroker(echo, context=server_context(pki, "ours/broker")) as broker, \
            Kproxy(broker.address, listener=LISTENER % reference(
                pki, "ours/proxy"), cluster=CLUSTER % (pki, "")) as proxy, \
            TlsClient(proxy, client_context(pki)) as client:
        for correlation in range(5):
            assert client.ask(12, 0, correlation, body)[4:] == body
