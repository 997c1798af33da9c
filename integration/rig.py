# SPDX-License-Identifier: Apache-2.0
"""kproxy and client programs put together: what most tests start from."""
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import os
import pathlib
import signal
import subprocess

import kafka
import kafka_jars
import kafka_wire
import kproxy_rig
import relay

FOLDER = pathlib.Path(__file__).resolve().parent
CLIENT_TIMEOUT_S = 600  # machines are shared
BROKER_TIMEOUT_S = 120
# kproxy knows the newest release; a broker behind it may be older.
NEWEST = "4.4.0"
RELAY_ADDRESS = "127.0.0.2"
NODE_PORTS = 8
RECORDS = 11
PARTITIONS = 3
GROUP, TRANSACTION = 0, 1  # what coordinators are for
# COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
NOT_COORDINATED = (14, 15, 16)

unique = itertools.count(1)


@dataclasses.dataclass(frozen=True)
class Security:
    """How a client talks directly, and how through kproxy.

    direct and upstream are listeners of the brokers; with is_tls kproxy's own
    listener talks TLS. So the legs before and behind kproxy differ on purpose.
    """
    direct: str
    upstream: str
    is_tls: bool = False
    login: str = ""


SECURITY = {
    "plaintext": Security("PLAINTEXT", "PLAINTEXT"),
    "tls": Security("SSL", "SSL", is_tls=True),
    "plain": Security("SASL_PLAINTEXT", "SASL_PLAINTEXT",
                      login="PLAIN:alice:alice-secret"),
    "scram-512": Security("SASL_SSL", "SASL_PLAINTEXT", is_tls=True,
                          login="SCRAM-SHA-512:alice:alice-secret"),
    "scram-256": Security("SASL_PLAINTEXT", "SASL_SSL",
                          login="SCRAM-SHA-256:bob:bob-secret"),
    "oauth": Security("SASL_PLAINTEXT", "SASL_PLAINTEXT",
                      login="OAUTHBEARER:alice:"),
}

JAVA = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-Xss512k", "-XX:-UsePerfData"]


class Clients:
    """Client programs by name: the command that runs each."""

    def __init__(self):
        kinds = ("java", "go", "node", "python")
        done = subprocess.run([FOLDER / "clients" / "install.sh", *kinds],
                              stdout=subprocess.PIPE, text=True, check=True)
        at = dict(zip(kinds, done.stdout.split()))
        python = [f"{at['python']}/venv/bin/python", "-B"]
        self.commands = {
            "java": [*JAVA, "-cp", f"{at['java']}/classes:{at['java']}/lib/*",
                     "Client"],
            "confluent": [*python, f"{at['python']}/confluent.py"],
            "kafka-python": [*python, f"{at['python']}/kafka_python.py"],
            "aiokafka": [*python, f"{at['python']}/aiokafka_client.py"],
            "franz-go": [f"{at['go']}/bin/franz-go"],
            "sarama": [f"{at['go']}/bin/sarama"],
            "kafkajs": [f"{at['node']}/node", f"{at['node']}/kafkajs.mjs"],
            "platformatic": [f"{at['node']}/node",
                             f"{at['node']}/platformatic.mjs"],
        }

    def start(self, name, cluster, bootstrap, modes,
              security=Security("", ""), ca=None, environment=None, own=None):
        """Starts a program on topics of its own, whose names begin with `own`; it
        dies with the test.

        Their topics are there before: more than one library stores records
        twice, or none, when a new topic is not known everywhere yet.
        """
        own = own or f"test-{next(unique)}"
        make_topics(cluster, [topic for mode in modes
                              for topic in topics_of(f"{own}-{mode}", mode)])
        environment = {**os.environ, **(environment or {}),
                       "CLIENT_SASL": security.login,
                       "CLIENT_CA": str(ca) if ca else ""}
        return subprocess.Popen(
            [*self.commands[name], bootstrap, own, *modes],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=environment,
            preexec_fn=kafka.end_with_parent)

    def run(self, name, cluster, bootstrap, modes,
            security=Security("", ""), ca=None, environment=None, own=None):
        """What a program prints; fails with its errors if it fails."""
        process = self.start(name, cluster, bootstrap, modes, security, ca,
                             environment, own)
        try:
            out, errors = process.communicate(timeout=CLIENT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{name} did not end\n{last_words(process)}") from None
        assert process.returncode == 0, f"{name}:\n{out}\n{errors}"
        return out


def last_words(process):
    """Output until now; a JVM adds where each of its threads is."""
    process.send_signal(signal.SIGQUIT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=2)
    process.kill()
    return "\n".join(process.communicate())


def topics_of(name, mode):
    if mode == "admin":
        return []  # makes its own
    if mode.startswith("streams"):
        return [f"{name}-in", f"{name}-out"]
    if mode == "governed":
        return [f"{name}-grown", f"{name}-kept", f"{name}-gone"]
    if mode == "named":
        return [f"{name}-old-bad"]
    return [name]


def make_topics(cluster, topics):
    """Creates topics and waits until every broker knows their leaders."""
    wanted = [{"Name": topic, "NumPartitions": PARTITIONS,
               "ReplicationFactor": -1} for topic in topics]
    for broker in cluster.brokers:
        with connect_to(cluster, broker) as connection:
            if wanted:
                made = connection.call("CreateTopics", 7, {
                    "timeoutMs": 30000, "Topics": wanted}).body
                assert not any(one["ErrorCode"] for one in made["Topics"])
                wanted = []
            kproxy_rig.wait_until(lambda: has_leaders(connection, topics),
                                  seconds=30, what="leaders")


def has_leaders(connection, topics):
    body = connection.call("Metadata", 12, {
        "AllowAutoTopicCreation": False,
        "Topics": [{"Name": topic} for topic in topics]}).body
    return all(len(topic["Partitions"]) == PARTITIONS
               and not any(one["ErrorCode"] for one in topic["Partitions"])
               for topic in body["Topics"])


def connect_to(cluster, broker):
    """Past kproxy, and with patience for a broker that has no processor."""
    return kafka_wire.Connection(
        definitions(cluster.version), broker.address,
        broker.ports["PLAINTEXT"], BROKER_TIMEOUT_S)


def make_internal_topics(cluster):
    """The first group and transaction of a cluster would wait for them, and the
    first of each of their partitions until it is loaded."""
    # names that have hash codes in a row
    names = [f"any-{i}" for i in range(
        kafka.SMALL_BROKER["offsets.topic.num.partitions"])]
    for kind in (GROUP, TRANSACTION):
        for name in names:
            kproxy_rig.wait_until(lambda: is_coordinated(cluster, kind, name),
                                  60, "coordinator")


def is_coordinated(cluster, kind, name):
    """Does the coordinator of a group or transaction answer for it?"""
    with connect_to(cluster, cluster.brokers[0]) as connection:
        (row,) = connection.call("FindCoordinator", 4, {
            "KeyType": kind, "CoordinatorKeys": [name]}).body["Coordinators"]
    if row["ErrorCode"] != 0:
        return False
    with connect_to(cluster, cluster.broker(row["NodeId"])) as connection:
        if kind == GROUP:
            (row,) = connection.call("DescribeGroups", 5, {
                "Groups": [name]}).body["Groups"]
        else:
            (row,) = connection.call("DescribeTransactions", 0, {
                "TransactionalIds": [name]}).body["TransactionStates"]
    return row["ErrorCode"] not in NOT_COORDINATED


def together(*calls):
    """Results of calls made at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(c) for c in calls]]


class Proxy(kproxy_rig.Kproxy):
    """kproxy that advertises an address where a relay listens and looks.

    Clients connect to `address`. Without needles there is no relay, and they
    reach kproxy itself, unless advertised says otherwise.
    """

    def __init__(self, bootstrap, needles=(), advertised=None, **settings):
        self.advertised = advertised or (
            RELAY_ADDRESS if needles else "127.0.0.1")
        super().__init__(bootstrap.split(","), count=NODE_PORTS, **settings)
        self.relay = None
        if needles:
            ports = range(self.port, self.port + NODE_PORTS + 1)
            self.relay = relay.Relay(RELAY_ADDRESS, self.host, ports, needles)
        self.address = f"{self.advertised}:{self.port}"

    def resources(self, servers, *more):
        return super().resources(servers, *more).replace(
            f"advertisedHost: {self.host}",
            f"advertisedHost: {self.advertised}")

    def endpoint(self, node_id=None):
        """(host, port) of a node, or of the bootstrap port."""
        offset = 0 if node_id is None else 1 + node_id - self.first_node
        return self.advertised, self.port + offset

    def __enter__(self):
        super().__enter__()
        if self.relay:
            self.relay.__enter__()
        return self

    def __exit__(self, *why):
        if self.relay:
            self.relay.__exit__()
        super().__exit__(*why)


def proxy_for(cluster, security, **settings):
    """A Proxy in front of a cluster that talks to clients as security says.

    TLS legs use the cluster's certificate authority. Encrypted traffic passes
    no relay: it could see nothing.
    """
    needles = () if security.is_tls else cluster.secrets()
    listener = upstream = ""
    if security.is_tls:
        own = cluster.authority.issue(
            "kproxy", "DNS:localhost", "IP:127.0.0.1")
        listener = (f'tls: {{certificate: {{file: "{own.bundle}"}}, '
                    f'key: {{file: "{own.key}"}}}}')
    if security.upstream.endswith("SSL"):
        upstream = f'tls: {{ca: {{file: "{cluster.authority.ca}"}}}}'
    return Proxy(cluster.bootstrap(security.upstream), needles,
                 listener=listener, cluster=upstream, **settings)


@functools.cache
def definitions(version):
    """The protocol as the broker of this version defines it."""
    return kafka_wire.Definitions(kafka_jars.fetch(version) / "lib"
                                  / f"kafka-clients-{version}.jar")
