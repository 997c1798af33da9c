# SPDX-License-Identifier: Apache-2.0
"""Every client library prints the same through kproxy as directly."""
import pytest
import rig

MODES = {
    "java": ["classic", "consumer", "txn"],
    "confluent": ["classic", "consumer", "txn"],
    "kafka-python": ["classic"],
    "aiokafka": ["classic", "txn"],
    "franz-go": ["classic", "txn"],
    "sarama": ["classic"],
    "kafkajs": ["classic", "txn"],
    "platformatic": ["classic", "consumer"],
}
MORE_JAVA = ["share", "streams", "streams-classic"]
EVERYWHERE = ["plaintext", "tls", "plain", "scram-512"]
RUNS = [(client, security) for security in EVERYWHERE for client in MODES]
RUNS += [("java", "oauth"), ("confluent", "oauth"), ("franz-go", "scram-256")]


@pytest.mark.parametrize("client,security", RUNS)
def test_prints_the_same(cluster, clients, proxies, client, security):
    modes = list(MODES[client])
    if (client, security) == ("java", "plaintext"):
        modes += MORE_JAVA
    security = rig.SECURITY[security]
    proxy = proxies(security)
    direct, through = rig.together(
        lambda: clients.run(client, cluster, cluster.bootstrap(security.direct),
                            modes, security,
                            ca_of(cluster, security.direct)),
        lambda: clients.run(client, cluster, proxy.address, modes, security,
                            cluster.authority.ca if security.is_tls
                            else None))
    assert has_all_records(direct, modes), direct
    assert through == direct


@pytest.fixture(scope="module", autouse=True)
def no_broker_address_was_sent(proxies):
    """After all runs: the relays saw traffic, but no broker's address."""
    yield
    for security in rig.SECURITY.values():
        relay = proxies(security).relay
        if relay:
            assert relay.scanned > 0
            assert relay.hits == []


def ca_of(cluster, listener):
    return cluster.authority.ca if listener.endswith("SSL") else None


def has_all_records(text, modes):
    read = sum(line.startswith(("consumed ", "streamed "))
               for line in text.splitlines())
    return read == rig.RECORDS * len(modes)
