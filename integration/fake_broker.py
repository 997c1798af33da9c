# SPDX-License-Identifier: Apache-2.0
"""A broker that does what a test tells it, and a client that sends raw bytes.

Real brokers never misbehave on demand. Everything that a real one can show is
tested against a real one; this is for the rest.
"""

import contextlib
import socket
import struct
import threading

API_VERSIONS, METADATA, FETCH, PRODUCE, FIND_COORDINATOR = 18, 3, 1, 0, 10
SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
CHUNK = 1 << 20


def receive(sock, length):
    """Exactly length bytes; raises EOFError when the peer closes before."""
    data = bytearray()
    while len(data) < length:
        chunk = sock.recv(min(length - len(data), CHUNK))
        if not chunk:
            raise EOFError(f"closed after {len(data)} of {length} bytes")
        data += chunk
    return bytes(data)


def receive_frame(sock):
    return receive(sock, struct.unpack(">i", receive(sock, 4))[0])


def frame(body):
    return struct.pack(">i", len(body)) + body


def request(key, version, correlation, body=b"", client_id=b"test", tags=b""):
    """A whole request frame; tags is b"\\0" for header v2."""
    return frame(struct.pack(">hhih", key, version, correlation, len(client_id))
                 + client_id + tags + body)


def answer(correlation, body=b"", tags=b""):
    return frame(struct.pack(">i", correlation) + tags + body)


def api_versions_answer(correlation, rows):
    """An ApiVersions answer v0 with rows (key, lowest, highest)."""
    body = struct.pack(">hi", 0, len(rows))
    for row in rows:
        body += struct.pack(">hhh", *row)
    return answer(correlation, body)


class Request:
    """A request as the broker got it."""

    def __init__(self, data):
        self.key, self.version, self.correlation, length = struct.unpack_from(
            ">hhih", data)
        self.client_id = data[10:10 + max(length, 0)]
        self.body = data[10 + max(length, 0):]


class FakeBroker:
    """Listens on a free port and runs serve(sock) for each connection.

    The default answers ApiVersions v0 and Heartbeat; a test passes its own
    `on_request(sock, request)`, or `serve` to have the bare socket. With an
    ssl.SSLContext it speaks TLS.
    """

    ROWS = [(0, 0, 9), (1, 4, 17), (3, 0, 12), (10, 0, 4), (12, 0, 4),
            (17, 0, 1), (18, 0, 3), (36, 0, 2)]

    def __init__(self, on_request=None, serve=None, context=None):
        self.context = context
        self.on_request = on_request or self.answer_usual
        self.serve = serve or self.serve_requests
        self.received, self.errors, self.connections = [], [], []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]

    def accept(self):
        while True:
            try:
                sock, _ = self.listening.accept()
            except OSError:
                return
            self.connections.append(sock)
            thread = threading.Thread(target=self.run, args=(sock,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def run(self, sock):
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(sock, server_side=True)
                self.connections.append(sock)
            self.serve(sock)
        except (EOFError, OSError) as error:
            self.errors.append(error)
        finally:
            sock.close()

    def serve_requests(self, sock):
        while True:
            got = Request(receive_frame(sock))
            self.received.append(got)
            self.on_request(sock, got)

    def answer_usual(self, sock, got):
        if got.key == API_VERSIONS and got.version > 3:
            sock.sendall(answer(got.correlation, struct.pack(
                ">hihhh", 35, 1, API_VERSIONS, 0, 3)))
        elif got.key == API_VERSIONS:
            sock.sendall(api_versions_answer(got.correlation, self.ROWS))
        else:
            sock.sendall(answer(got.correlation, b"\0\0"))

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for sock in self.connections:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(60)


@contextlib.contextmanager
def nobody():
    """An address where nobody listens, and nobody else can meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield "127.0.0.1:%d" % bound.getsockname()[1]


class Client:
    """A raw connection to the bootstrap port of a proxy."""

    def __init__(self, proxy, port=None, timeout=60):
        self.sock = socket.create_connection(
            (proxy.host, port or proxy.port), timeout=timeout)

    def send(self, data):
        self.sock.sendall(data)

    def receive_frame(self):
        return receive_frame(self.sock)

    def is_closed(self):
        """True once the proxy closes; fails if it sends something first."""
        try:
            data = self.sock.recv(1)
        except ConnectionResetError:
            return True
        assert data == b"", data
        return True

    def receive_all(self):
        """What comes until the proxy closes."""
        data = b""
        try:
            while chunk := self.sock.recv(1 << 16):
                data += chunk
        except ConnectionResetError:
            pass
        return data

    def ask(self, key, version, correlation, body=b""):
        self.send(request(key, version, correlation, body))
        return self.receive_frame()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()
