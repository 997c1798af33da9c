#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real Kafka clusters for tests and for `make run`.

As a module: Cluster, a context manager whose brokers end with the process.
As a program: fetch, up, down, tool. Needs mvn, java >= 17, and openssl for
TLS. Broker i listens on 127.77.0.i unless told otherwise, an address that
nothing else uses, so that tests can look for leaked addresses.
"""
import argparse
import base64
import contextlib
import ctypes
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import uuid

import certificates
import kafka_jars

KafkaError = kafka_jars.KafkaError
DEFAULT_VERSION = "4.3.1"
USERS = {"admin": "admin-secret", "alice": "alice-secret",
         "bob": "bob-secret"}
SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
START_TIMEOUT_S = 300  # machines are shared
STOP_TIMEOUT_S = 30
PR_SET_PDEATHSIG = 1
PORTS = range(12000, 32768)
TRIES = 1000
LIBC = ctypes.CDLL(None)

# The host name that listener NAMED advertises: resolvable nowhere, so only
# its bootstrap connection is of use.
SECRET_NAME = "broker-{}.kafka-egress.internal"

LOGIN = "org.apache.kafka.common.security."
TOOLS = {
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-consumer-groups":
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-console-consumer":
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-metadata-quorum":
        "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-broker-api-versions":
        "org.apache.kafka.tools.BrokerApiVersionsCommand",
}

# One machine with few cores: few threads, small internal topics, short waits,
# but not so short that a controller which waits for a processor is replaced.
# Leaders move when a test moves them, and not at some other time.
SMALL_BROKER = {
    "num.network.threads": 2, "num.io.threads": 4, "background.threads": 2,
    "log.cleaner.dedupe.buffer.size": 4 << 20,
    "log.index.size.max.bytes": 1 << 20, "log.segment.bytes": 64 << 20,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 2,
    "group.initial.rebalance.delay.ms": 0,
    "broker.heartbeat.interval.ms": 500, "broker.session.timeout.ms": 6000,
    "replica.lag.time.max.ms": 5000, "replica.fetch.wait.max.ms": 100,
    "controller.quorum.fetch.timeout.ms": 5000,
    "auto.leader.rebalance.enable": "false",
    "delegation.token.secret.key": "for-tests-only",
}


def end_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(address, names):
    """A port for each name, no two the same: all are held until all are known.

    They are below the range that the kernel takes for outgoing connections: a
    broker needs seconds before it listens.
    """
    with contextlib.ExitStack() as stack:
        return {name: hold_port(stack, address) for name in names}


def hold_port(stack, address):
    """A port that nobody listens on, held until the stack is unwound."""
    for _ in range(TRIES):
        port = random.choice(PORTS)
        probe = socket.socket()
        try:
            probe.bind((address, port))
        except OSError:
            probe.close()
            continue
        stack.enter_context(probe)
        return port
    raise KafkaError(f"no free ports at {address}")


def new_id():
    """22 characters as Kafka prints a Uuid; never with a leading '-'."""
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()
    return text.rstrip("=").replace("-", "A")


def brokers_seen(address, port):
    """How many brokers one broker lists in Metadata v1; OSError if none."""
    body = struct.pack(">hhihi", 3, 1, 7, -1, 0)
    with socket.create_connection((address, port), 1) as peer:
        peer.settimeout(3)
        peer.sendall(struct.pack(">i", len(body)) + body)
        head = b""
        while len(head) < 12:
            more = peer.recv(12 - len(head))
            if not more:
                raise OSError("closed")
            head += more
    return struct.unpack(">iii", head)[2]


class Broker:
    """One node: a broker and a controller in one process."""

    def __init__(self, cluster, node_id):
        self.id = node_id
        self.address = cluster.address.format(node_id)
        self.folder = cluster.folder / f"node{node_id}"
        self.folder.mkdir(parents=True)
        self.process = None
        names = ["PLAINTEXT", "NAMED"]
        if cluster.sasl:
            names.append("SASL_PLAINTEXT")
        if cluster.tls:
            names.append("SSL")
        if cluster.sasl and cluster.tls:
            names.append("SASL_SSL")
        self.ports = free_ports(self.address, [*names, "CONTROLLER"])
        if cluster.port and node_id == 1:
            self.ports["PLAINTEXT"] = cluster.port

    def endpoint(self, listener):
        return f"{self.address}:{self.ports[listener]}"

    def listeners(self, named=None):
        """The value of listeners, or of advertised.listeners with named."""
        return ",".join(
            f"{name}://{named if named and name == 'NAMED' else self.address}"
            f":{port}" for name, port in self.ports.items()
            if not named or name != "CONTROLLER")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def log_tail(self):
        return (self.folder / "broker.log").read_text(
            errors="replace")[-3000:]


class Cluster:
    """A KRaft cluster of 1 or 3 brokers in a folder of its own.

    With `owned` its processes get SIGKILL when this process ends; without,
    they outlive it and `down` ends them. acl switches the authorizer on:
    nothing is forbidden until a test creates an ACL for that resource.
    """

    def __init__(self, version, folder, brokers=1, sasl=False, tls=False,
                 acl=False, owned=True, address="127.77.0.{}", port=None,
                 settings=None):
        self.version = version
        self.folder = pathlib.Path(folder).resolve()
        self.sasl, self.tls, self.acl = sasl, tls, acl
        self.owned, self.address, self.port = owned, address, port
        self.settings = settings or {}
        self.jvm_options = []
        self.id = new_id()
        self.authority = None
        kafka_jars.fetch(version)
        self.brokers = [Broker(self, i + 1) for i in range(brokers)]

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def broker(self, node_id):
        return self.brokers[node_id - 1]

    def bootstrap(self, listener="PLAINTEXT"):
        return ",".join(b.endpoint(listener) for b in self.brokers)

    def secrets(self):
        """Every text that must never reach a client of a proxy."""
        found = {broker.address for broker in self.brokers}
        found |= {SECRET_NAME.format(b.id) for b in self.brokers}
        return sorted(found)

    # -- set up

    def start(self):
        if self.tls:
            self.authority = certificates.Authority(self.folder / "tls")
            self.authority.issue(
                "server", "DNS:localhost", "IP:127.0.0.1",
                *(f"IP:{b.address}" for b in self.brokers))
        for broker in self.brokers:
            self.configure(broker)
        self.format()
        for broker in self.brokers:
            self.spawn(broker)
        self.wait_ready()

    def configure(self, broker):
        text = "".join(f"{key}={value}\n" for key, value
                       in self.configuration(broker).items())
        (broker.folder / "server.properties").write_text(text)

    def configuration(self, broker):
        copies = min(3, len(self.brokers))
        in_sync = min(2, len(self.brokers))
        settings = {
            "process.roles": "broker,controller",
            "node.id": broker.id,
            "broker.rack": f"rack{broker.id}",
            "controller.quorum.voters": ",".join(
                f"{b.id}@{b.endpoint('CONTROLLER')}" for b in self.brokers),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map":
                "CONTROLLER:PLAINTEXT,NAMED:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
                "SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
            "listeners": broker.listeners(),
            "advertised.listeners":
                broker.listeners(SECRET_NAME.format(broker.id)),
            "log.dirs": broker.folder / "data",
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "group.coordinator.rebalance.protocols": "classic,consumer",
            **SMALL_BROKER,
        }
        for topic in ("offsets.topic", "transaction.state.log",
                      "share.coordinator.state.topic"):
            settings[f"{topic}.replication.factor"] = copies
        for topic in ("transaction.state.log",
                      "share.coordinator.state.topic"):
            settings[f"{topic}.min.isr"] = in_sync
        if kafka_jars.is_modern(self.version):
            del settings["group.coordinator.rebalance.protocols"]
        return {**settings, **self.security(broker), **self.settings}

    def security(self, broker):
        settings = {}
        if self.acl:
            settings["authorizer.class.name"] = (
                "org.apache.kafka.metadata.authorizer.StandardAuthorizer")
            settings["super.users"] = "User:ANONYMOUS;User:admin"
            settings["allow.everyone.if.no.acl.found"] = "true"
        for name in broker.ports:
            if name.startswith("SASL"):
                settings.update(sasl_settings(name))
        if self.tls:
            folder = self.folder / "tls"
            settings.update({
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": folder / "server.pem",
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": folder / "ca.pem",
                "ssl.client.auth": "requested"})
        return settings

    def format(self):
        """Formats node 1; the others get a copy with ids of their own."""
        first = self.brokers[0].folder
        arguments = ["format", "-t", self.id,
                     "-c", first / "server.properties"]
        if self.sasl:
            for user, password in USERS.items():
                for mechanism in SCRAM:
                    arguments += ["--add-scram", f"{mechanism}=[name={user},"
                                                 f"password={password}]"]
        done = subprocess.run(
            kafka_jars.command(self.version, "kafka.tools.StorageTool",
                               *arguments, heap="128m", level="WARN",
                               options=self.archive_options()),
            capture_output=True, text=True)
        if done.returncode != 0:
            raise KafkaError(f"format failed: {done.stdout}{done.stderr}")
        for broker in self.brokers[1:]:
            shutil.copytree(first / "data", broker.folder / "data")
            path = broker.folder / "data" / "meta.properties"
            text = re.sub(r"(?m)^node\.id=.*$", f"node.id={broker.id}",
                          path.read_text())
            path.write_text(re.sub(r"(?m)^directory\.id=.*$",
                                   f"directory.id={new_id()}", text))

    # -- processes

    def archive_options(self):
        archive = kafka_jars.archive(self.version)
        if archive.exists():
            return [f"-XX:SharedArchiveFile={archive}"]
        return []

    def spawn(self, broker):
        command = kafka_jars.command(
            self.version, "kafka.Kafka", broker.folder / "server.properties",
            options=[*self.archive_options(), *self.jvm_options])
        with open(broker.folder / "broker.log", "ab") as log:
            broker.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=broker.folder, start_new_session=True,
                preexec_fn=end_with_parent if self.owned else None)

    def start_broker(self, node_id):
        self.spawn(self.broker(node_id))
        self.wait_ready()

    def stop_broker(self, node_id, how=signal.SIGTERM):
        broker = self.broker(node_id)
        broker.process.send_signal(how)
        try:
            broker.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            broker.process.kill()
            broker.process.wait()

    def change_ports(self, node_id):
        """Gives a stopped broker other ports for its clients."""
        broker = self.broker(node_id)
        broker.ports |= free_ports(broker.address, [
            name for name in broker.ports if name != "CONTROLLER"])
        self.configure(broker)

    def wait_ready(self):
        """Waits until every running broker lists all running brokers."""
        running = [b for b in self.brokers if b.process is not None
                   and b.process.poll() is None]
        waiting = list(running)
        deadline = time.monotonic() + START_TIMEOUT_S
        while waiting:
            broker = waiting[0]
            if not broker.is_running():
                raise KafkaError(
                    f"broker {broker.id} ended:\n{broker.log_tail()}")
            if time.monotonic() > deadline:
                raise KafkaError(f"broker {broker.id} is not ready after "
                                 f"{START_TIMEOUT_S} s:\n{broker.log_tail()}")
            try:
                port = broker.ports["PLAINTEXT"]
                if brokers_seen(broker.address, port) >= len(running):
                    waiting.pop(0)
                    continue
            except OSError:
                pass
            time.sleep(0.05)

    def stop(self):
        """Ends all brokers at once; their data is not needed again."""
        for broker in self.brokers:
            if broker.is_running():
                broker.process.kill()
                broker.process.wait()


def sasl_settings(listener):
    prefix = f"listener.name.{listener.lower()}."
    users = " ".join(f'user_{name}="{password}"'
                     for name, password in USERS.items())
    scram = f"{LOGIN}scram.ScramLoginModule required;"
    return {
        f"{prefix}sasl.enabled.mechanisms":
            ",".join(("PLAIN", *SCRAM, "OAUTHBEARER")),
        f"{prefix}plain.sasl.jaas.config":
            f"{LOGIN}plain.PlainLoginModule required {users};",
        f"{prefix}scram-sha-256.sasl.jaas.config": scram,
        f"{prefix}scram-sha-512.sasl.jaas.config": scram,
        # Unsigned tokens: for tests only.
        f"{prefix}oauthbearer.sasl.jaas.config":
            f"{LOGIN}oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";',
    }


def make_archive(version):
    """Runs a broker once to record its classes for all later starts."""
    archive = kafka_jars.archive(version)
    if archive.exists():
        return
    work = kafka_jars.cache() / "kafka" / f"warm-{os.getpid()}"
    cluster = Cluster(version, work)
    part = archive.with_suffix(".part")
    cluster.jvm_options = [f"-XX:ArchiveClassesAtExit={part}"]
    try:
        with cluster:
            broker = cluster.broker(1)
            broker.process.terminate()
            broker.process.wait(120)
        part.rename(archive)
    finally:
        shutil.rmtree(work)


# -- the program

def fetch(options):
    kafka_jars.fetch(options.version, options.pin)
    make_archive(options.version)
    print(kafka_jars.home(options.version))


def up(options):
    folder = pathlib.Path(options.dir)
    if folder.exists():
        raise KafkaError(f'folder "{folder}" exists; `down` removes it')
    kafka_jars.fetch(options.version)
    make_archive(options.version)
    cluster = Cluster(options.version, folder, options.brokers,
                      options.sasl, options.tls, options.acl, owned=False,
                      address=options.address, port=options.port)
    try:
        cluster.start()
    except BaseException:
        cluster.stop()
        raise
    state = [b.process.pid for b in cluster.brokers]
    (folder / "pids.json").write_text(json.dumps(state))
    print(cluster.bootstrap())


def down(options):
    folder = pathlib.Path(options.dir).resolve()
    for pid in json.loads((folder / "pids.json").read_text()):
        if runs_in(pid, folder):
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder)


def runs_in(pid, folder):
    """Guards against a pid that now belongs to somebody else."""
    try:
        return folder in pathlib.Path(os.readlink(f"/proc/{pid}/cwd")).parents
    except OSError:
        return False


def tool(options):
    kafka_jars.fetch(DEFAULT_VERSION)
    command = kafka_jars.command(DEFAULT_VERSION, TOOLS[options.name],
                                 *options.arguments, level="WARN")
    os.execvp(command[0], command)


def parser():
    top = argparse.ArgumentParser(description="Kafka for tests and make run.")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("fetch", help="download and verify a version")
    one.set_defaults(run=fetch)
    one.add_argument("version", nargs="?", default=DEFAULT_VERSION)
    one.add_argument("--pin", action="store_true",
                     help="write the checksum file (maintainers)")
    one = commands.add_parser(
        "up", help="start a cluster, print its address, leave it running")
    one.set_defaults(run=up)
    one.add_argument("--dir", required=True)
    one.add_argument("--version", default=DEFAULT_VERSION)
    one.add_argument("--brokers", type=int, default=1)
    one.add_argument("--address", default="127.77.0.{}",
                     help="where brokers listen; {} is the node id")
    one.add_argument("--port", type=int,
                     help="plaintext port of broker 1 (default: any free)")
    for name in ("sasl", "tls", "acl"):
        one.add_argument(f"--{name}", action="store_true")
    one = commands.add_parser("down", help="end a cluster, remove its folder")
    one.set_defaults(run=down)
    one.add_argument("--dir", required=True)
    one = commands.add_parser("tool", help="run one of Kafka's own tools")
    one.set_defaults(run=tool)
    one.add_argument("name", choices=sorted(TOOLS))
    one.add_argument("arguments", nargs=argparse.REMAINDER)
    return top


def main():
    options = parser().parse_args()
    try:
        options.run(options)
    except KafkaError as error:
        sys.exit(f"kafka.py: {error}")


if __name__ == "__main__":
    main()
