# SPDX-License-Identifier: Apache-2.0
"""A real node of a policy server: how long it takes with many resources, and
what its clients notice of changes.
"""

import contextlib
import datetime
import json
import statistics
import tempfile
import threading
import time

import kproxy_rig
import peers
from policy_server import PATIENCE, PolicyServer
from programs import Load, Sink

NAME = "edge-1"
MANY = 10000  # its own three among them
OWN = 3
FEW = 200
CHANGES = 10
STARTS = 5
PUSH_S = 0.1
ROUNDS = 5
LOAD = {"op": "produce", "bytes": 1054, "connections": 10, "in_flight": 64,
        "rate": 1000, "warmup": "500ms", "duration": "5s"}


class Node(kproxy_rig.Kproxy):
    """One that runs what the server has for it: everything."""

    def __init__(self, setting, server, bootstrap):
        pair = setting.authority.issue(NAME, f"DNS:{NAME}")
        super().__init__(
            bootstrap, name=NAME, wait=False,
            folder=tempfile.mkdtemp(prefix="node-", dir=setting.folder),
            control=f"{{server: {{addresses: [\"{server.address}\"], "
                    f"ca: {setting.ca}, certificate: {pair.certificate}, "
                    f"key: {pair.key}}}}}")
        self.programs = setting.programs
        server.kpctl("apply", "-f", "-", stdin=self.resources([bootstrap]))

    def command(self, *args):
        return [str(self.programs / "kproxy"), *args]

    def seconds_to_answer(self):
        """From starting the process to the first answer a client gets."""
        start = time.perf_counter()
        self.start()
        kproxy_rig.wait_until(lambda: peers.is_answering(self.bootstrap),
                              PATIENCE, "an answer of the node")
        return time.perf_counter() - start

    def in_force(self):
        """Of each of the worker's tables, in order: since when, in seconds."""
        return [datetime.datetime.fromisoformat(
                    json.loads(line)["time"].replace("Z", "+00:00")).timestamp()
                for line in self.text().splitlines()
                if '"event":"tables_published"' in line]


@contextlib.contextmanager
def running(setting, server, bootstrap):
    node = Node(setting, server, bootstrap)
    try:
        yield node
        node.stop()
    finally:
        node.kill()


def wait_current(node, server):
    """Until it runs the newest revision; whoever changes is the only one."""
    wanted = server.change(1)["revision"]
    kproxy_rig.wait_until(
        lambda: node.metric("kproxy_control_revision") == wanted, PATIENCE,
        f"revision {wanted} on the node")


def measure_change(node, server):
    """(milliseconds from asking for it until it is in force, and those of them
    until the server answered)"""
    before = len(node.in_force())
    begin = time.time()
    answered_ms = server.change(1)["ms"]
    kproxy_rig.wait_until(lambda: len(node.in_force()) > before, PATIENCE,
                          "new tables")
    return (node.in_force()[before] - begin) * 1000, answered_ms


def measure_changes(node, server, name, results):
    found = [measure_change(node, server) for _ in range(CHANGES)]
    results[f"{name}: one change, until in force, median ms"] = (
        statistics.median(whole for whole, _ in found))
    results[f"{name}: of that until the server answered, median ms"] = (
        statistics.median(answered for _, answered in found))


def measure_many(setting, _, results):
    with Sink(setting.programs, nodes=1) as sink, \
            PolicyServer(setting, MANY - OWN) as server, \
            running(setting, server, sink.address) as node:
        name = f"node with {MANY} resources"
        results[f"{name}: the very first start, s"] = node.seconds_to_answer()
        wait_current(node, server)
        measure_changes(node, server, name, results)
        starts = []
        for _ in range(STARTS):
            node.stop()
            starts.append(node.seconds_to_answer())
            wait_current(node, server)
        results[f"{name}: a start with what it kept, median s"] = (
            statistics.median(starts))


class Pushes:
    """While the block runs, one resource changes every PUSH_S."""

    def __init__(self, server):
        self.server, self.number = server, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.is_over.wait(PUSH_S):
            self.server.change(1)
            self.number += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.is_over.set()
        self.thread.join()


def p99_us(setting, node):
    with Load(setting.programs, bootstrap=node.bootstrap, **LOAD) as load:
        load.ready()
        load.go()
        done = load.done(PATIENCE)
        load.finish()
    return done["latency_us"]["p99"]


def measure_traffic(setting, _, results):
    """Load with and without pushes, in turn."""
    quiet, pushed, number = [], [], 0
    with Sink(setting.programs, nodes=1) as sink, \
            PolicyServer(setting, FEW) as server, \
            running(setting, server, sink.address) as node:
        node.start()
        wait_current(node, server)
        measure_changes(node, server, f"node with {FEW} resources", results)
        wait_current(node, server)
        before = len(node.in_force())
        for _ in range(ROUNDS):
            quiet.append(p99_us(setting, node))
            with Pushes(server) as pushes:
                pushed.append(p99_us(setting, node))
            number += pushes.number
        wait_current(node, server)
        results["traffic: changes that were pushed"] = number
        results["traffic: tables that came into force meanwhile"] = (
            len(node.in_force()) - before - 1)
    results["traffic: p99 without pushes, median µs"] = statistics.median(quiet)
    results[f"traffic: p99, a push every {PUSH_S * 1000:.0f} ms, median µs"] = (
        statistics.median(pushed))
    results["traffic: ratio of the two"] = (
        statistics.median(pushed) / statistics.median(quiet))
