# SPDX-License-Identifier: Apache-2.0
"""No answer of any API in any version carries an address of a broker.

The brokers' addresses and names appear nowhere else on the machine. Requests
are made from Kafka's own definitions, sent to every node, and the raw bytes
of the answers are searched. The same sweep without kproxy shows that the
search would find them.
"""
import itertools

import kafka
import kafka_wire
import rig
import samples

TIMEOUT_S = 120  # an outcome of its own; machines are shared
number = itertools.count(1)

# APIs in whose answers a broker itself is known to name addresses.
TELLING = {"Metadata", "FindCoordinator", "DescribeCluster",
           "DescribeConfigs", "Produce", "Fetch", "ShareFetch",
           "DescribeQuorum"}


class Sweep:
    """Sends every sample to every endpoint; keeps what came back."""

    def __init__(self, cluster, endpoints):
        self.definitions = rig.definitions(cluster.version)
        self.needles = [text.encode() for text in cluster.secrets()]
        self.outcomes = {}
        self.leaks = {}
        nodes = [broker.id for broker in cluster.brokers]
        with self.connect(endpoints[0]) as connection:
            self.offered = connection.api_versions()
            self.world = samples.prepare(connection, nodes,
                                         f"egress-{next(number)}")
        for endpoint in endpoints:
            self.connection = self.connect(endpoint)
            for request in samples.requests(self.world, self.offered):
                self.ask(endpoint, request)
            self.connection.socket.close()

    def connect(self, endpoint):
        return kafka_wire.Connection(self.definitions, *endpoint, TIMEOUT_S)

    def ask(self, endpoint, request):
        """One connection serves until the peer closes it."""
        outcome = "answered"
        try:
            for step in (*request.before, request):
                self.step(self.connection, step, request)
        except (kafka_wire.Closed, TimeoutError) as error:
            outcome = type(error).__name__
            self.connection.socket.close()
            self.connection = self.connect(endpoint)
        self.outcomes.setdefault(str(request), set()).add(outcome)

    def step(self, connection, step, request):
        connection.send(connection.encode(step.api, step.version, step.body))
        raw = connection.receive()
        for needle in self.needles:
            if needle in raw:
                self.leaks.setdefault(request.api, []).append(
                    (str(step), needle, raw))
        connection.decode(step.api, step.version, raw)


def endpoints_of(cluster, listener):
    return [(broker.address, broker.ports[listener])
            for broker in cluster.brokers]


def proxied(cluster, proxy):
    return [proxy.endpoint(), *(proxy.endpoint(broker.id)
                                for broker in cluster.brokers)]


def expect_no_leak(direct, through):
    assert TELLING - {"ShareFetch"} <= direct.leaks.keys()
    assert through.leaks == {}
    assert through.offered.keys() <= direct.offered.keys()
    shared = through.outcomes.keys() & direct.outcomes.keys()
    assert len(shared) == len(through.outcomes) > 0
    differing = {name: (direct.outcomes[name], through.outcomes[name])
                 for name in shared
                 if direct.outcomes[name] != through.outcomes[name]}
    assert differing == {}


def test_three_brokers(cluster, proxy):
    direct = Sweep(cluster, endpoints_of(cluster, "PLAINTEXT"))
    assert TELLING <= direct.leaks.keys()
    expect_no_leak(direct, Sweep(cluster, proxied(cluster, proxy)))


def test_brokers_that_advertise_names(cluster):
    """Nobody can resolve the names: the bootstrap port has to do."""
    bootstrap = cluster.bootstrap("NAMED")
    with rig.Proxy(bootstrap) as proxy:
        direct = Sweep(cluster, endpoints_of(cluster, "NAMED"))
        expect_no_leak(direct, Sweep(cluster, [proxy.endpoint()]))


def test_other_versions(other_cluster):
    with rig.Proxy(other_cluster.bootstrap()) as proxy:
        direct = Sweep(other_cluster,
                       endpoints_of(other_cluster, "PLAINTEXT"))
        assert "Metadata" in direct.leaks
        through = Sweep(other_cluster, proxied(other_cluster, proxy))
        assert through.leaks == {}
        assert through.outcomes.items() <= direct.outcomes.items()


def test_a_broker_that_advertises_localhost(tmp_path, clients):
    """The one name that every machine resolves, so clients get further."""
    with kafka.Cluster("4.3.1", tmp_path / "cluster",
                       address="localhost") as cluster, \
            rig.Proxy(cluster.bootstrap(), ["localhost"]) as proxy:
        direct = clients.run("confluent", cluster, cluster.bootstrap(),
                             ["classic"])
        through = clients.run("confluent", cluster, proxy.address, ["classic"])
        assert through == direct
        assert proxy.relay.scanned > 0
        assert proxy.relay.hits == []
