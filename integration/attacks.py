# SPDX-License-Identifier: Apache-2.0
"""The attacks: each is one or more crowds (crowd.py), each at a door of the site
(attack_rig.py), and at the hostile door what the broker does.

Times are those of attack_rig.LIMITS, where half a second stands for the ten to
sixty of a real node: a byte in 0.3 s is a byte in ten. So crowds that drip are of
500: they send more bytes a second (1 700) and open more connections (500) than
10 000 at a node that closes each after 30 s. What an attack costs the attacker is
bounded by its plan; in cores it is in the report.
"""

import contextlib
import dataclasses
import itertools
import socket
import ssl
import struct
import time
import typing

from crowd import RESET, Crowd, Plan
from fake_broker import (API_VERSIONS, METADATA, PRODUCE, SASL_HANDSHAKE,
                         FakeBroker, Request, answer, receive, receive_frame,
                         request)
from hostile import (HEARTBEAT, LIST_GROUPS, compact, metadata_answer, string,
                     uvarint, versions_request)

HUGE, TWENTY_MILLION = 2**31 - 1, 20_000_000
DRIP = 0.3  # stands for ten seconds
KIB, MIB = 1 << 10, 1 << 20
TLS_SIDE = 128 * KIB  # docs/limits.md


@dataclasses.dataclass(frozen=True)
class Attack:
    """name     what is done
    plans    by door
    reasons  why connections end, and how often at least
    broker   what the hostile broker does with one connection
    more_per_connection  bytes beyond what each connection needs anyway
    """
    name: str
    plans: typing.Dict[str, Plan]
    reasons: typing.Dict[str, int]
    broker: typing.Callable = FakeBroker.serve_requests
    more_per_connection: int = 0

    # Ends that everybody expects are counted, and logged by debug alone.
    unlogged = ("client_closed", "broker_closed", "idle_timeout")

    @contextlib.contextmanager
    def running(self, site):
        site.hostile.behaviour = self.broker
        crowds = [Crowd(site.door(door), plan)
                  for door, plan in self.plans.items()]
        for crowd in crowds:
            crowd.start()
        try:
            yield crowds
        finally:
            for crowd in crowds:
                crowd.stop()
                if crowd.plan.vanishes:
                    site.vanished.append(crowd)


# -- what clients send

def header(length, key=HEARTBEAT, version=0):
    """A request's first 14 bytes, of a frame as long as it says."""
    return struct.pack(">ihhih", length, key, version, 1, -1)


PRODUCE_BEGIN = b"\0" + struct.pack(">hi", 1, 1000)
LIES = [
    header(-1), header(-2**31), header(0), header(9),
    request(HEARTBEAT, 4, 1, tags=uvarint(HUGE)),
    request(API_VERSIONS, 3, 1, tags=uvarint(TWENTY_MILLION) + b"\1\0" * 1000),
    request(API_VERSIONS, 3, 1, tags=b"\x80\x80\x80\x80\x80\0"),
    request(API_VERSIONS, 3, 1, tags=b"\1\1" + uvarint(HUGE)),
    request(PRODUCE, 9, 1, PRODUCE_BEGIN + uvarint(HUGE), tags=b"\0"),
    request(PRODUCE, 9, 1, PRODUCE_BEGIN + b"\x82\0\2a", tags=b"\0"),
    request(PRODUCE, 9, 1, PRODUCE_BEGIN + b"\1" + uvarint(TWENTY_MILLION)
            + b"\1\0" * 1000, tags=b"\0"),
    request(PRODUCE, 3, 1, struct.pack(">hhii", -1, 1, 1000, HUGE)),
    request(SASL_HANDSHAKE, 1, 1, struct.pack(">h", -2)),
]
TOO_LARGE = [header(HUGE), header(64 * MIB + 1),
             header(512 * KIB + 1, SASL_HANDSHAKE, 1)]
WHOLE = request(METADATA, 1, 1, struct.pack(">i", 1) + string(b"topic"))


def one_of(messages):
    return lambda number: messages[number % len(messages)]


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def trusting():
    """A client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


# -- what the hostile broker does with one connection

def lie(broker, sock):
    """Answers with something else for each connection."""
    got = Request(receive_frame(sock))
    right = answer(got.correlation, b"\0\0")
    sock.sendall([
        answer(got.correlation + 1, b"\0\0"), right + right,
        struct.pack(">i", -1), struct.pack(">i", HUGE), right[:-1] + right,
        answer(got.correlation, uvarint(TWENTY_MILLION) + b"\1\0" * 1000),
    ][broker.num_served % 6])
    receive(sock, 1)


def speak_first(broker, sock):
    sock.sendall(answer(1, b"\0\0"))
    receive(sock, 1)


def break_off(broker, sock):
    """In the middle of an answer, with FIN or RST."""
    got = Request(receive_frame(sock))
    sock.sendall(answer(got.correlation, b"\0" * 100)[:50])
    if broker.num_served % 2:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


def drip(broker, sock):
    """Answers, a byte now and then."""
    got = Request(receive_frame(sock))
    for byte in itertools.chain(answer(got.correlation, b"\0" * 1000)):
        sock.sendall(bytes([byte]))
        time.sleep(DRIP)


def be_silent(broker, sock):
    receive(sock, 1 << 30)


# metadata_answer() without its header, and with topics: a MiB that costs the
# proxy, which walks through all of it, as little as it can.
MANY_TOPICS = (metadata_answer(0, b"")[9:-5] + uvarint(4_001)
               + (struct.pack(">h", 0) + compact(b"t" * 249) + b"\0\1"
                  + struct.pack(">i", 0) + b"\0") * 4_000
               + struct.pack(">i", 0) + b"\0")


def flood(broker, sock):
    """A MiB for each request, of the kind that has to be held."""
    while True:
        got = Request(receive_frame(sock))
        sock.sendall(answer(got.correlation, MANY_TOPICS, tags=b"\0"))


def never_agree(broker, sock):
    """A login with a step for each token, for ever."""
    got = Request(receive_frame(sock))
    sock.sendall(answer(got.correlation,
                        struct.pack(">hi", 0, 1) + string(b"GSSAPI")))
    while True:
        token = receive_frame(sock)
        sock.sendall(struct.pack(">i", len(token)) + token)


ATTACKS = [
    Attack("10 000 that say nothing",
           {"plain": Plan(10_000, 4_000)},
           {"opening_limit": 1_000}),
    Attack("500 that send a byte in ten seconds",
           {"plain": Plan(500, 500, first=b"\0", drip=DRIP,
                          rest=b"\0\0\x10")},
           {"first_request_timeout": 200}),
    Attack("500 that asked once and go on with a byte in ten seconds",
           {"plain": Plan(500, 500, first=versions_request(), drip=DRIP,
                          rest=b"\0\1\0\0")},
           {"request_timeout": 200}),
    Attack("4 000 that asked once and do nothing more",
           {"plain": Plan(4_000, 3_000, first=versions_request())},
           {"client_closed": 1_000}),
    Attack("500 that vanish without FIN",
           {"plain": Plan(500, 500, again=False, first=versions_request(),
                          vanishes=True)},
           {"idle_timeout": 500}),
    Attack("connect and close, 2 000 a second",
           {"plain": Plan(1_000, 2_000, hangs_up=0)},
           {"client_closed": 1_000}),
    Attack("connect and reset, 2 000 a second",
           {"plain": Plan(1_000, 2_000, hangs_up=0, resets=True)},
           {"client_closed": 1_000}),
    Attack("a crowd at a virtual cluster that is full",
           {"small": Plan(1_000, 2_000)},
           {"virtual_cluster_limit": 1_000}),
    Attack("lengths, counts, tags and varints that lie",
           {"plain": Plan(200, 500, first=one_of(LIES))},
           {"protocol_error": 500}),
    Attack("frames of 2 GiB",
           {"plain": Plan(200, 500, first=one_of(TOO_LARGE))},
           {"frame_too_large": 500}),
    Attack("requests cut off at every byte",
           {"plain": Plan(200, 500, hangs_up=0.1, first=lambda number: WHOLE[
               :number % len(WHOLE)])},
           {"client_closed": 500}),
    Attack("2 000 logins of 500 KiB that do not come",
           {"plain": Plan(2_000, 1_500, first=header(500 * KIB,
                                                     SASL_HANDSHAKE, 1))},
           {"memory_limit": 100, "request_timeout": 200}),
    Attack("logins without an end",
           {"hostile": Plan(50, 50, first=request(SASL_HANDSHAKE, 0, 1, string(
               b"GSSAPI")), drip=0.01, rest=struct.pack(">i", 1) + b"t")},
           {"client_closed": 50}, broker=never_agree),
    Attack("1 000 at once that are answered locally, and not read",
           {"hostile": Plan(100, 100, first=versions_request() + b"".join(
               request(LIST_GROUPS, 0, i) for i in range(1_000)),
               reads=False, hangs_up=0.5)},
           {"client_closed": 100}, more_per_connection=128 * KIB),
    Attack("clients that never read",
           {"hostile": Plan(20, 20, again=False, reads=False, first=request(
               METADATA, 9, 1, b"\1\0\0\0\0", tags=b"\0") * 10)},
           {"write_timeout": 20}, broker=flood),
    Attack("ClientHello, a byte in ten seconds",
           {"tls": Plan(500, 500, first=client_hello()[:1], drip=DRIP,
                        rest=client_hello()[1:])},
           {"handshake_timeout": 200}),
    Attack("bytes that are no TLS",
           {"tls": Plan(200, 400, first=one_of([
               versions_request(), b"\x16\x03\x01\xff\xff" + b"\1" * 1000]))},
           {"tls_error": 200}),
    Attack("TLS handshakes, 100 a second",
           {"tls": Plan(100, 100, tls=trusting(), hangs_up=0.3)},
           {"client_closed": 100}, more_per_connection=TLS_SIDE),
    Attack("TLS records that do not come to an end",
           {"tls": Plan(200, 200, tls=trusting(), beneath=True,
                        first=b"\x17\x03\x03\x41\0" + bytes(16_000))},
           {"first_request_timeout": 100}, more_per_connection=TLS_SIDE),
    Attack("PROXY headers, a byte in ten seconds",
           {"proxied": Plan(500, 500, first=b"P", drip=DRIP, rest=b"ROXY ")},
           {"handshake_timeout": 200}),
    Attack("a broker that lies",
           {"hostile": Plan(50, 100, first=request(HEARTBEAT, 0, 1))},
           {"protocol_error": 80}, broker=lie),
    Attack("a broker that speaks before it is asked",
           {"hostile": Plan(50, 100, first=b"\0")},
           {"protocol_error": 50}, broker=speak_first),
    Attack("a broker that breaks off",
           {"hostile": Plan(50, 100, first=request(HEARTBEAT, 0, 1))},
           {"broker_closed": 80}, broker=break_off),
    Attack("a broker that answers a byte in ten seconds",
           {"hostile": Plan(100, 100, first=request(HEARTBEAT, 0, 1))},
           {"request_timeout": 50}, broker=drip),
    Attack("a broker that is silent",
           {"hostile": Plan(100, 100, first=request(HEARTBEAT, 0, 1))},
           {"client_closed": 100}, broker=be_silent),
]
