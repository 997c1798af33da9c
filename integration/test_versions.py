# SPDX-License-Identifier: Apache-2.0
"""The oldest and the newest Kafka behind kproxy."""
import kafka_wire
import pytest
import rig
from test_protocol import ask_unknown_version

MODES = {
    "java": ["classic", "consumer", "txn", "streams-classic", "admin"],
    "confluent": ["classic", "txn"],
    "kafka-python": ["classic"],
    "aiokafka": ["classic"],
    "franz-go": ["classic", "txn"],
    "sarama": ["classic"],
    "kafkajs": ["classic"],
    "platformatic": ["classic"],
}


@pytest.fixture(scope="module")
def other_proxy(other_cluster):
    with rig.proxy_for(other_cluster, rig.SECURITY["plaintext"]) as found:
        yield found
        assert found.relay.scanned > 0
        assert found.relay.hits == []


@pytest.mark.parametrize("client", MODES)
def test_prints_the_same(other_cluster, other_proxy, clients, client):
    direct = clients.run(client, other_cluster, other_cluster.bootstrap(),
                         MODES[client])
    through = clients.run(client, other_cluster, other_proxy.address,
                          MODES[client])
    assert direct.count("consumed large") >= 1
    assert through == direct


def test_unknown_version_of_api_versions(other_cluster, other_proxy):
    """Each broker knows another highest one, and it is what clients hear."""
    known = rig.definitions(other_cluster.version)
    broker = other_cluster.brokers[0]
    direct = (broker.address, broker.ports["PLAINTEXT"])
    answers = []
    for endpoint in (direct, other_proxy.endpoint()):
        with kafka_wire.Connection(known, *endpoint) as connection:
            answers.append(ask_unknown_version(connection))
    assert answers[0] == answers[1]
