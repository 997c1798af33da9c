# SPDX-License-Identifier: Apache-2.0
"""Which faults happen, and how. The order comes from a seed."""
import collections
import os
import random
import signal
import threading
from typing import NamedTuple

import kproxy_rig
import leaders
import rig
from history import wire

BROKER_KILL = "broker kill"
BROKER_RESTART = "broker hard restart"
LEADERS_MOVE = "leaders move"
BROKER_STOP = "broker SIGSTOP"
WORKER_KILL = "worker kill"
AGENT_KILL = "agent kill"
RELOAD = "reload"
BROKEN_RELOAD = "reload of a broken file"

# Two lanes run beside each other: never two brokers at once are away.
BROKERS = (BROKER_KILL, BROKER_RESTART, LEADERS_MOVE, BROKER_STOP)
OTHERS = (wire.SLOW, wire.BYTES, wire.HALF_OPEN, wire.ANSWERS_LOST,
          wire.RESET, WORKER_KILL, AGENT_KILL)
KILLS = (WORKER_KILL, AGENT_KILL)
ALL = (*BROKERS, *OTHERS, RELOAD, BROKEN_RELOAD)

NODES = (1, 2, 3)
LONGEST_S = 7
LONGEST_STOP_S = 12  # twice as long as a broker's session
WHOLE_S = 90
READY_S = 20
EFFECT_S = 60
RELOAD_S = 1
BROKEN_EVERY = 10
BROKEN = "apiVersion: kproxy/v1\nkind: Clustr\nmetadata: {name: x}\n"


class Fault(NamedTuple):
    """node and seconds mean nothing to some kinds; rest_s is how long nothing
    happens afterwards."""
    kind: str
    node: int
    seconds: float
    rest_s: float

    def __str__(self):
        if self.kind in (*KILLS, LEADERS_MOVE):
            return self.kind
        if self.kind == BROKER_RESTART:
            return f"{self.kind}, broker {self.node}"
        return f"{self.kind}, broker {self.node}, {self.seconds} s"


def plan(seed, kinds):
    """Faults without end, the same for the same seed, in rounds: each has
    every kind once."""
    rng = random.Random(f"{seed} {kinds}")
    while True:
        for kind in rng.sample(kinds, len(kinds)):
            longest = LONGEST_STOP_S if kind == BROKER_STOP else LONGEST_S
            yield Fault(kind, rng.choice(NODES),
                        round(rng.uniform(1, longest), 1),
                        round(rng.uniform(0.5, 2.5), 1))


class Faults:
    """Does them to a cluster, a kproxy and the relays behind it, which are
    the routes called by node ids. say is called with a line for each."""

    def __init__(self, cluster, proxy, relays, say):
        self.cluster, self.proxy, self.relays = cluster, proxy, relays
        self.say = say
        self.counts = collections.Counter()
        self.is_cancelled = threading.Event()
        self.rotation = 0
        self.resources = proxy.resources_file.read_text()

    def run_lane(self, seed, kinds, is_over, may_kill):
        """Goes on until is_over(), but for one round at least. Processes of
        kproxy are killed while may_kill(), but once at least."""
        todo = set(kinds)
        for fault in plan(seed, kinds):
            if self.is_cancelled.is_set() or (is_over() and not todo):
                return
            if fault.kind in KILLS and not may_kill() and (
                    fault.kind not in todo):
                continue
            self.say(str(fault))
            ACTIONS[fault.kind](self, fault)
            self.counts[fault.kind] += 1
            todo.discard(fault.kind)
            self.is_cancelled.wait(fault.rest_s)

    def heal(self):
        """After the lanes have ended, however they ended."""
        for name in self.relays.modes:
            self.relays.modes[name] = wire.CLEAR
        for broker in self.cluster.brokers:
            if broker.is_running():
                broker.process.send_signal(signal.SIGCONT)

    # -- brokers

    def _kill_broker(self, fault):
        self.cluster.stop_broker(fault.node, signal.SIGKILL)
        if fault.kind == BROKER_KILL:
            self.is_cancelled.wait(fault.seconds)
        self.cluster.start_broker(fault.node)
        self.wait_whole()

    def _stop_broker(self, fault):
        process = self.cluster.broker(fault.node).process
        process.send_signal(signal.SIGSTOP)
        self.is_cancelled.wait(fault.seconds)
        process.send_signal(signal.SIGCONT)
        self.wait_whole()

    def _move_leaders(self, fault):
        """Each broker has some of the leaders before and after."""
        self.rotation += 1 + fault.node % 2
        with self.connect() as connection:
            leaders.move(connection, None, lambda partition:
                         NODES[(partition + self.rotation) % len(NODES)])

    def connect(self):
        return rig.connect_to(self.cluster, self.cluster.brokers[0])

    def wait_whole(self):
        """Until every replica of every partition is in sync again, as Kafka
        promises nothing if brokers go faster than they come back, and every
        broker has its leaders back, so that all of them have clients."""
        for broker in self.cluster.brokers:
            assert broker.is_running(), (
                f"broker {broker.id} ended: {broker.process.returncode}")
        with self.connect() as connection:
            def is_whole():
                return all(
                    len(entry["IsrNodes"]) == len(entry["ReplicaNodes"])
                    and entry["ErrorCode"] == leaders.NO_ERROR
                    for entry in leaders.partitions(connection).values())
            kproxy_rig.wait_until(is_whole, WHOLE_S, "replicas in sync")
            leaders.elect(connection, None)

    # -- between kproxy and brokers

    def _harm_relay(self, fault):
        before = self.relays.counts[fault.kind]
        self.relays.modes[str(fault.node)] = fault.kind
        self.is_cancelled.wait(fault.seconds)
        kproxy_rig.wait_until(
            lambda: self.relays.counts[fault.kind] > before, EFFECT_S,
            f"bytes for broker {fault.node}, to do {fault.kind}")
        self.relays.modes[str(fault.node)] = wire.CLEAR

    # -- kproxy

    def _kill_process(self, fault):
        name = "worker" if fault.kind == WORKER_KILL else "agent"
        old = kproxy_rig.wait_until(lambda: self.proxy.child(name), READY_S,
                                    name)
        os.kill(old, signal.SIGKILL)
        kproxy_rig.wait_until(
            lambda: self.proxy.child(name) not in (None, old), READY_S,
            f"a new {name}")
        kproxy_rig.wait_until(lambda: self.proxy.get("/readyz")[0] == 200,
                              READY_S, "/readyz")

    def reload(self, is_over):
        """Once a second something small in the resources is another."""
        number = 0
        while not is_over():
            number += 1
            if number % BROKEN_EVERY == 0:
                self.proxy.write(BROKEN, "broken.yaml")
                self.counts[BROKEN_RELOAD] += 1
            else:
                self._repair()
                self.proxy.write(changed(self.resources, number))
                self.counts[RELOAD] += 1
            self.is_cancelled.wait(RELOAD_S)
        self._repair()

    def _repair(self):
        (self.proxy.folder / "resources" / "broken.yaml").unlink(
            missing_ok=True)


def changed(resources, number):
    """The resources with another limit and, half of the time, one port less
    for brokers; what clients use stays."""
    if number % 4 < 2:
        resources = resources.replace(f"count: {rig.NODE_PORTS}",
                                      f"count: {rig.NODE_PORTS - 1}")
    return f"{resources}  limits: {{connections: {1000 + number % 100}}}\n"


ACTIONS = {
    BROKER_KILL: Faults._kill_broker,
    BROKER_RESTART: Faults._kill_broker,
    LEADERS_MOVE: Faults._move_leaders,
    BROKER_STOP: Faults._stop_broker,
    **dict.fromkeys((wire.SLOW, wire.BYTES, wire.HALF_OPEN, wire.ANSWERS_LOST,
                     wire.RESET), Faults._harm_relay),
    **dict.fromkeys(KILLS, Faults._kill_process),
}
