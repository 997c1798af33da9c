# SPDX-License-Identifier: Apache-2.0
"""Many bad clients in one thread: what attacks are made of.

One epoll and one thread serve all of them, and everything goes by a timetable:
so many connections a second, a byte now and then. So what a crowd costs is
bounded by its plan and not by what the machine can give; it is measured, too
(`cpu_seconds`): on a machine that attacker and victim share, neighbours must
suffer from what the victim does and not from what the attacker needs.
"""

import ctypes
import dataclasses
import errno
import heapq
import select
import socket
import ssl
import struct
import threading
import time
import typing

TICK_SECONDS = 0.005
CHUNK = 1 << 16
RESET = struct.pack("ii", 1, 0)
SO_ATTACH_FILTER = 26


@dataclasses.dataclass(frozen=True)
class Plan:
    """What each connection of a crowd does.

    size        so many at the same time
    per_second  opened at this pace until there are `size`
    again       those that end are replaced, at the same pace
    first       bytes to begin with: of all, or a function of a number
    drip        seconds between single bytes of `rest`, over and over
    reads       False: what the other side sends stays where it is
    hangs_up    seconds after which it closes; None: never
    resets      it closes with RST instead of FIN
    vanishes    once it was answered it is gone, as if its machine had lost its
                power: nothing comes from it, what comes for it is dropped
    tls         shakes hands, and then does what the others do
    beneath     what it sends after that is not encrypted
    """
    size: int
    per_second: int
    again: bool = True
    first: typing.Union[bytes, typing.Callable[[int], bytes]] = b""
    drip: float = 0
    rest: bytes = b"\0"
    reads: bool = True
    hangs_up: typing.Optional[float] = None
    resets: bool = False
    vanishes: bool = False
    tls: typing.Optional[ssl.SSLContext] = None
    beneath: bool = False


class One:
    """A connection of a crowd."""

    def __init__(self, number, sock, first):
        self.number, self.sock, self.unsent = number, sock, first
        self.num_dripped = 0
        self.is_shaking_hands = self.is_answered = False


def vanish(sock):
    """The kernel drops all that comes for this socket before TCP sees it: no
    data arrives, nothing is acknowledged, nothing is refused."""
    instruction = (ctypes.c_uint64 * 1)(0x06)  # return 0: keep no byte
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


class Crowd:
    """Runs a Plan against (host, port) from start() to stop().

    Those that vanish stay open after stop(), until forget().
    """

    def __init__(self, address, plan):
        self.address, self.plan = address, plan
        self.poll = select.epoll()
        self.open = {}  # by descriptor
        self.agenda = []  # (when, number, descriptor, what)
        self.num_opened = self.num_refused = 0
        self.cpu_seconds = 0.0
        self.is_stopping = False
        self.error = None
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.pace_from = time.monotonic()
        self.num_paced = 0
        self.thread.start()

    def has_begun(self):
        """Is it at strength, or 0.4 s on its way there?"""
        assert self.error is None, self.error
        return self.num_opened >= min(self.plan.size,
                                      0.4 * self.plan.per_second)

    def stop(self):
        self.is_stopping = True
        self.thread.join(60)
        if self.error is not None:
            raise self.error

    def forget(self):
        for fd in list(self.open):
            self.close(fd)

    def run(self):
        try:
            while not self.is_stopping:
                self.open_due()
                self.do_due()
                for fd, events in self.poll.poll(TICK_SECONDS):
                    self.handle(fd, events)
        except Exception as error:  # stop() raises it
            self.error = error
        self.poll.close()
        if not self.plan.vanishes:
            self.forget()
        self.cpu_seconds = time.thread_time()

    def open_due(self):
        """What could not be opened in time is not made up for later."""
        elapsed = time.monotonic() - self.pace_from
        due = int(elapsed * self.plan.per_second) - self.num_paced
        self.num_paced += due
        room = self.plan.size - (len(self.open) if self.plan.again
                                 else self.num_opened)
        for _ in range(min(due, room)):
            self.open_one()

    def open_one(self):
        first = self.plan.first
        if callable(first):
            first = first(self.num_opened)
        sock = socket.socket()
        sock.setblocking(False)
        if not self.plan.reads:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one = One(self.num_opened, sock, first)
        self.num_opened += 1
        failure = sock.connect_ex(self.address)
        if failure not in (0, errno.EINPROGRESS):
            self.num_refused += 1
            sock.close()
            return
        fd = sock.fileno()
        self.open[fd] = one
        self.poll.register(fd, select.EPOLLOUT)
        if self.plan.hangs_up is not None:
            self.remember(self.plan.hangs_up, one, fd, self.close)

    def remember(self, seconds, one, fd, what):
        heapq.heappush(self.agenda,
                       (time.monotonic() + seconds, one.number, fd, what))

    def do_due(self):
        now = time.monotonic()
        while self.agenda and self.agenda[0][0] <= now:
            _, number, fd, what = heapq.heappop(self.agenda)
            if fd in self.open and self.open[fd].number == number:
                what(fd)

    def drip(self, fd):
        one, rest = self.open[fd], self.plan.rest
        try:
            one.sock.send(rest[one.num_dripped % len(rest):][:1])
        except OSError:
            self.close(fd)
            return
        one.num_dripped += 1
        self.remember(self.plan.drip, one, fd, self.drip)

    def handle(self, fd, events):
        one = self.open.get(fd)
        if one is None:
            return
        try:
            if self.plan.tls is not None and not self.shake_hands(fd, one):
                return
            if events & select.EPOLLOUT:
                self.send(fd, one)
            if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
                self.receive(fd, one)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            self.close(fd)

    def shake_hands(self, fd, one):
        """True once that is done."""
        if not one.is_shaking_hands:
            one.is_shaking_hands = True
            one.sock = self.plan.tls.wrap_socket(
                one.sock, server_hostname="localhost",
                do_handshake_on_connect=False)
            self.poll.modify(fd, select.EPOLLIN)
        if one.sock.version() is None:
            one.sock.do_handshake()
            self.poll.modify(fd, select.EPOLLOUT)
            return False
        return True

    def send(self, fd, one):
        if one.unsent:
            send = socket.socket.send if self.plan.beneath else (
                type(one.sock).send)
            one.unsent = one.unsent[send(one.sock, one.unsent):]
        if one.unsent:
            return
        self.poll.modify(fd, select.EPOLLIN if self.plan.reads else 0)
        if self.plan.drip:
            self.remember(self.plan.drip, one, fd, self.drip)

    def receive(self, fd, one):
        if not one.sock.recv(CHUNK):
            self.close(fd)
        elif self.plan.vanishes and not one.is_answered:
            one.is_answered = True
            vanish(one.sock)

    def close(self, fd):
        one = self.open.pop(fd)
        if self.plan.resets:
            one.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        one.sock.close()
