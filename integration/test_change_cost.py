# SPDX-License-Identifier: Apache-2.0
"""What a node leaves out when changes come one upon the other, and that nothing
is lost by it, whoever is killed and when.
"""

import ctypes
import os
import pathlib
import struct
import time

from kproxy_rig import wait_until
from test_control_peers import (authority, broker, node,  # noqa: F401
                                pass_through, peer, revision, serve)
from test_processes import answers, generation, is_alive, is_open

CHANGES = 20
LIBC = ctypes.CDLL(None, use_errno=True)
IN_MOVED_TO = 0x80
# What is saved later is saved after a second; a busy machine may need longer.
SAVED_S = 10


class Replaced:
    """Counts how often a file of a folder was replaced by another."""

    def __init__(self, path):
        self.name, self.times = path.name.encode(), 0
        self.fd = LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert self.fd >= 0
        assert LIBC.inotify_add_watch(
            self.fd, os.fsencode(path.parent), IN_MOVED_TO) >= 0

    def count(self):
        try:
            events = os.read(self.fd, 1 << 16)
        except BlockingIOError:
            return self.times
        while events:
            length = struct.unpack_from("iIII", events)[3]
            self.times += events[16:16 + length].rstrip(b"\0") == self.name
            events = events[16 + length:]
        return self.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)


def changed(node, broker, number):
    """Resources that differ from all others by a number, but not in ports."""
    return {key: text.replace("listener: clients\n", "listener: clients\n"
                              f"  limits: {{connections: {number}}}\n")
            for key, text in pass_through(node, broker).items()}


def change(node, peer, broker, first, number):
    """Makes so many changes one after the other; returns the last revision."""
    for one in range(first, first + number):
        peer.push(one, changed(node, broker, 1000 + one))
        peer.wait(f"ack {one}")
    return first + number - 1


def times_slept(pid):
    """How often a process has waited for something, so far."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches:"):
            return int(line.split()[1])
    raise AssertionError("no such line")


def kill_all(node):
    """As a machine does that ends: nobody is told."""
    children = [node.child("worker"), node.child("agent")]
    node.kill()
    wait_until(lambda: not any(map(is_alive, children)), 10, "the end of all")


def generation_kept(node):
    """Of the tables in stateDir: the first field of the file, a varint; 0
    before there are any."""
    path = node.folder / "state" / "tables.pb"
    if not path.exists():
        return 0
    data, value, shift = path.read_bytes(), 0, 0
    assert data[0] == 0x08
    for byte in data[1:]:
        value |= (byte & 0x7f) << shift
        shift += 7
        if byte < 0x80:
            return value
    raise AssertionError(data)


def test_the_supervisor_sleeps_through_changes_that_keep_the_ports(
        node, peer, broker):
    serve(node, peer, broker)
    last = change(node, peer, broker, 4, 1)
    before, tables = times_slept(node.process.pid), generation(node)
    last = change(node, peer, broker, last + 1, CHANGES)
    assert generation(node) == tables + CHANGES
    # it is woken twice where a change asks for ports
    assert times_slept(node.process.pid) - before < CHANGES // 2
    # and is there for those that do
    peer.push(last + 1, pass_through(node, broker, 2))
    peer.wait(f"ack {last + 1}")
    wait_until(lambda: not is_open(node.port + 3), what="a closed port")
    assert times_slept(node.process.pid) > before
    peer.push(last + 2, pass_through(node, broker, 4))
    peer.wait(f"ack {last + 2}")
    assert is_open(node.port + 3) and answers(node.bootstrap)


def test_a_new_worker_has_the_ports_of_changes_that_asked_for_none(
        node, peer, broker):
    serve(node, peer, broker)
    change(node, peer, broker, 4, 3)
    tables, pid = generation(node), node.child("worker")
    os.kill(pid, 9)
    wait_until(lambda: node.child("worker") not in (None, pid), 5,
               "a new worker")
    wait_until(lambda: answers(node.bootstrap), what="answers")
    assert generation(node) == tables
    change(node, peer, broker, 7, 1)
    assert answers(node.bootstrap) and is_open(node.port + 4)


def test_quick_changes_write_the_tables_once_a_second_and_the_last_of_them(
        node, peer, broker):
    serve(node, peer, broker)
    state = node.folder / "state"
    with Replaced(state / "tables.pb") as tables:
        begin = time.monotonic()
        change(node, peer, broker, 4, CHANGES)
        counted = tables.count()
        took_s = time.monotonic() - begin
        assert counted <= took_s + 1
        wait_until(lambda: generation_kept(node) == generation(node), SAVED_S,
                   "the last tables")
        assert tables.count() <= took_s + 3
    # they are what a start without any set begins with
    kill_all(node)
    before = generation_kept(node)
    (state / "resources.pb").unlink()
    peer.stop()
    node.start()
    node.wait_ready()
    assert answers(node.bootstrap) and generation(node) == before
    assert revision(node) == 0


def test_what_was_acknowledged_is_there_after_everything_was_killed(
        node, peer, broker):
    """The set is; the tables may be a second older by then."""
    serve(node, peer, broker)
    peer.push(4, pass_through(node, broker, 2))
    peer.wait("ack 4")
    kill_all(node)
    peer.stop()
    node.start()
    node.wait_ready()
    assert revision(node) == 4 and answers(node.bootstrap)
    assert is_open(node.port + 2) and not is_open(node.port + 3)


def test_a_stop_writes_tables_that_are_not_written_yet(node, peer, broker):
    serve(node, peer, broker)
    change(node, peer, broker, 4, 2)
    tables = generation(node)
    node.stop()
    assert generation_kept(node) == tables
