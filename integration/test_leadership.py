# SPDX-License-Identifier: Apache-2.0
"""Brokers and leaders change while producers and consumers run."""
import signal

import leaders
import pytest
import rig
import steady


@pytest.fixture
def running(clients, cluster, proxy):
    """A Java and a librdkafka client at work through kproxy."""
    with steady.Clients(clients, cluster, dict.fromkeys(
            ("java", "confluent"), proxy.address)) as found:
        yield found


def expect_nothing_lost(running, proxy):
    running.expect_nothing_lost()
    assert proxy.relay.hits == []


def test_leadership_moves(cluster, proxy, running):
    with rig.connect_to(cluster, cluster.brokers[0]) as connection:
        topics = steady_topics(connection)
        assert len(topics) >= len(running.running)
        for first in (2, 3, 1):
            leaders.move(connection, topics, lambda _: first)
            running.expect_progress()
    expect_nothing_lost(running, proxy)


def test_a_broker_stops_and_starts(cluster, proxy, running):
    for node, how in ((2, signal.SIGTERM), (3, signal.SIGKILL)):
        cluster.stop_broker(node, how)
        running.expect_progress()
        cluster.start_broker(node)
        running.expect_progress()
    expect_nothing_lost(running, proxy)


def test_a_broker_moves_to_another_port(cluster, proxy, running):
    cluster.stop_broker(3)
    cluster.change_ports(3)
    cluster.start_broker(3)
    running.expect_progress()
    # With one of the others gone clients cannot do without it.
    cluster.stop_broker(1)
    running.expect_progress()
    cluster.start_broker(1)
    expect_nothing_lost(running, proxy)


def steady_topics(connection):
    return sorted({topic for topic, _ in leaders.partitions(connection)
                   if topic.endswith("-steady")})
