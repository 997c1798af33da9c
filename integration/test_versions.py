# SPDX-License-Identifier: Apache-2.0
"""The oldest and the newest Kafka behind kproxy."""
import pytest
import rig

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
