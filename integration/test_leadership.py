# SPDX-License-Identifier: Apache-2.0
"""Brokers and leaders change while producers and consumers run."""
import contextlib
import signal

import kafka_wire
import leaders
import pytest
import rig


class Steady:
    """A client that produces and consumes until told to stop."""

    def __init__(self, clients, name, cluster, bootstrap):
        self.name = name
        self.process = clients.start(name, cluster, bootstrap, ["steady"])
        assert self.line() == "== steady"

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise AssertionError(f"{self.name} ended: "
                                 f"{self.process.stderr.read()}")
        return text.rstrip()

    def expect_progress(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.line() == "still running"

    def finish(self):
        self.process.stdin.close()
        return self.line()

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def running(clients, cluster, proxy):
    """A Java and a librdkafka client at work through kproxy."""
    with contextlib.ExitStack() as stack:
        found = []
        for name in ("java", "confluent"):
            one = Steady(clients, name, cluster, proxy.address)
            stack.callback(one.close)
            found.append(one)
        for one in found:
            assert one.line() == "running"
        yield found


def expect_progress(running):
    for one in running:
        one.expect_progress()


def expect_nothing_lost(running, proxy):
    for one in running:
        assert one.finish() == "lost 0 twice 0 failure none", one.name
    assert proxy.relay.hits == []


def test_leadership_moves(cluster, proxy, running):
    direct = rig.definitions(cluster.version)
    host, port = cluster.brokers[0].endpoint("PLAINTEXT").split(":")
    with kafka_wire.Connection(direct, host, int(port)) as connection:
        topics = steady_topics(connection)
        assert len(topics) >= len(running)
        for first in (2, 3, 1):
            leaders.move(connection, topics, lambda _: first)
            expect_progress(running)
    expect_nothing_lost(running, proxy)


def test_a_broker_stops_and_starts(cluster, proxy, running):
    for node, how in ((2, signal.SIGTERM), (3, signal.SIGKILL)):
        cluster.stop_broker(node, how)
        expect_progress(running)
        cluster.start_broker(node)
        expect_progress(running)
    expect_nothing_lost(running, proxy)


def test_a_broker_moves_to_another_port(cluster, proxy, running):
    cluster.stop_broker(3)
    cluster.change_ports(3)
    cluster.start_broker(3)
    expect_progress(running)
    # With one of the others gone clients cannot do without it.
    cluster.stop_broker(1)
    expect_progress(running)
    cluster.start_broker(1)
    expect_nothing_lost(running, proxy)


def steady_topics(connection):
    return sorted({topic for topic, _ in leaders.partitions(connection)
                   if topic.endswith("-steady")})
