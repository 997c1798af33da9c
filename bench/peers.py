# SPDX-License-Identifier: Apache-2.0
"""The proxies that are measured, each in front of the same sink.

A peer is started once for a whole run, and anew for rows that need a fresh
process. It knows where it listens and which process is the proxy; everything
else is the same for all of them.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import install
import proc
from programs import BenchError

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "integration"))
import kproxy_rig  # noqa: E402

HOST = "127.0.0.1"
START_SECONDS = 60


class Setting:
    """What all peers of a run have in common: sink, certificate, folder."""

    def __init__(self, folder, sink, certificate, ca):
        self.folder = pathlib.Path(folder)
        self.sink = sink
        self.certificate = certificate
        self.ca = ca


def is_answering(address):
    """Does somebody answer ApiVersions there?"""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), 1) as sock:
            sock.settimeout(1)
            sock.sendall(API_VERSIONS)
            return len(sock.recv(8, socket.MSG_WAITALL)) == 8
    except OSError:
        return False


# Version 0 with correlation id 1 and client id "b".
API_VERSIONS = bytes.fromhex("0000000b" "0012" "0000" "00000001" "000162")


class Peer:
    """One proxy. name is its column; is_rewriting: clients may follow its
    Metadata answers; process is the one that was started."""

    is_rewriting = True
    has_tls = True
    warmup_seconds = 0.0
    process = None

    def __init__(self, name):
        self.name = name

    def describe(self):
        """Version and settings, for the report."""
        return self.name

    def missing(self):
        """Why it cannot be had; "" if it can."""
        return ""

    def prepare(self, setting):
        """Chooses ports and writes what it is configured with."""
        raise NotImplementedError

    def launch(self, setting):
        """Starts it and waits for nothing."""
        raise NotImplementedError

    def start(self, setting, **options):
        self.prepare(setting, **options)
        self.launch(setting)
        self.wait_ready(setting)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def address(self, is_tls):
        return self.tls_address if is_tls else self.plain_address

    def pid(self, is_tls=False):
        """The process that carries the traffic."""
        return self.process.pid

    def pids(self):
        """All processes that belong to it."""
        return proc.family(self.process.pid)

    def counters(self, api):
        """(request bytes, answer bytes) by its own account; None without."""
        return None

    def spawn(self, command, setting, **environment):
        folder = setting.folder / self.name
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "log", "ab") as log:
            return subprocess.Popen(
                [str(word) for word in command], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment})

    def wait_ready(self, setting):
        deadline = time.monotonic() + START_SECONDS
        for address, is_up in ((self.plain_address, is_answering),
                               (self.tls_address, is_open)):
            while not is_up(address):
                if time.monotonic() > deadline:
                    raise BenchError(
                        f"{self.name} does not serve {address}: see "
                        f"{setting.folder / self.name / 'log'}")
                time.sleep(0.02)


def is_open(address):
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close()
    except OSError:
        return False
    return True


class Direct(Peer):
    """No proxy at all: what the two ends cost and how long they take."""

    has_tls = False  # the sink speaks none

    def describe(self):
        return "no proxy"

    def start(self, setting, **options):
        self.plain_address = setting.sink.address

    def pid(self, is_tls=False):
        return None

    def pids(self):
        return []


class HAProxy(Peer):
    """Debian's, in TCP mode."""

    is_rewriting = False
    THREADS, MAX_CONNECTIONS = 2, 9000

    def __init__(self, name, buffer_size=None):
        super().__init__(name)
        self.buffer_size = buffer_size

    def missing(self):
        return "" if shutil.which("haproxy") else "haproxy is not installed"

    def describe(self):
        done = subprocess.run(["haproxy", "-v"], stdout=subprocess.PIPE,
                              text=True, check=True)
        size = self.buffer_size or "default"
        return (f"{' '.join(done.stdout.split()[:3])}, mode tcp, "
                f"nbthread {self.THREADS}, tune.bufsize {size}")

    def prepare(self, setting):
        port = kproxy_rig.free_ports(2)
        self.plain_address = f"{HOST}:{port}"
        self.tls_address = f"{HOST}:{port + 1}"
        folder = setting.folder / self.name
        folder.mkdir(parents=True, exist_ok=True)
        size = (f"    tune.bufsize {self.buffer_size}\n"
                if self.buffer_size else "")
        self.config = folder / "haproxy.cfg"
        self.config.write_text(
            f"global\n    nbthread {self.THREADS}\n"
            f"    maxconn {self.MAX_CONNECTIONS}\n{size}"
            "defaults\n    mode tcp\n"
            f"    maxconn {self.MAX_CONNECTIONS}\n"
            "    timeout connect 10s\n    timeout client 1h\n"
            "    timeout server 1h\n    default_backend sink\n"
            f"frontend plain\n    bind {self.plain_address}\n"
            f"frontend tls\n    bind {self.tls_address} ssl crt "
            f"{setting.certificate.bundle}\n"
            f"backend sink\n    server sink {setting.sink.address}\n")

    def launch(self, setting):
        self.process = self.spawn(["haproxy", "-db", "-f", self.config],
                                  setting)


RESOURCES = """apiVersion: kproxy/v1
kind: Cluster
metadata: {{name: real}}
spec:
  bootstrap: ["{sink}"]
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: plain}}
spec:
  bind: {host}
  advertisedHost: {host}
  ports: {{bootstrap: {plain}, first: {plain_first}, count: {count}}}
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: tls}}
spec:
  bind: {host}
  advertisedHost: {host}
  ports: {{bootstrap: {tls}, first: {tls_first}, count: {count}}}
  tls:
    certificate: {{file: "{certificate}"}}
    key: {{file: "{key}"}}
---
apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {{name: plain}}
spec: {{cluster: real, listener: plain}}
---
apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {{name: tls}}
spec: {{cluster: real, listener: tls}}
"""


class KproxyNode(kproxy_rig.Kproxy):
    """The rig's node, of a given build, with a plain and a TLS listener."""

    def __init__(self, build, setting, **options):
        nodes = len(setting.sink.ports)
        super().__init__(setting.sink.address, count=2 * nodes + 1, **options)
        self.build = build
        self.tls_port = self.port + nodes + 1
        self.write(RESOURCES.format(
            sink=setting.sink.address, host=HOST, count=nodes,
            plain=self.port, plain_first=self.port + 1,
            tls=self.tls_port, tls_first=self.tls_port + 1,
            certificate=setting.certificate.certificate,
            key=setting.certificate.key))

    def command(self, *args):
        return [str(self.build / "bin" / "kproxy"), *args]


class Kproxy(Peer):
    """A build of this project, started as its users start it."""

    def __init__(self, name, build):
        super().__init__(name)
        self.build = pathlib.Path(build).resolve()

    def missing(self):
        for program in ("kproxy", "kpagent"):
            if not (self.build / "bin" / program).exists():
                return f"{self.build}/bin/{program} is not built"
        return ""

    def describe(self):
        done = subprocess.run([self.build / "bin" / "kproxy", "--version"],
                              stdout=subprocess.PIPE, text=True, check=True)
        return f"{done.stdout.strip()}, {relative(self.build)}"

    def prepare(self, setting, **options):
        folder = setting.folder / self.name
        folder.mkdir(parents=True, exist_ok=True)
        self.node = KproxyNode(
            self.build, setting, wait=False,
            folder=tempfile.mkdtemp(prefix="node-", dir=folder), **options)
        self.plain_address = self.node.bootstrap
        self.tls_address = f"{HOST}:{self.node.tls_port}"

    def launch(self, setting):
        self.process = self.node.start().process

    def wait_ready(self, setting):
        try:
            self.node.wait_ready()
        except AssertionError as error:
            self.node.kill()
            raise BenchError(f"{self.name}: {error}") from None
        super().wait_ready(setting)

    def stop(self):
        if self.process is None:
            return
        self.process = None
        try:
            self.node.stop()
        except AssertionError as error:
            raise BenchError(f"{self.name}: {error}") from None
        finally:
            self.node.kill()

    def pid(self, is_tls=False):
        return self.node.child("worker")

    def pids(self):
        return [self.process.pid, self.pid(), self.node.child("agent")]

    def counters(self, api):
        return tuple(
            int(self.node.metric(f'kproxy_{side}_bytes_total{{api="{api}"}}'))
            for side in ("request", "response"))


def relative(path):
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


class Grepplabs(Peer):
    """kafka-proxy in Go. TLS is for all of its listeners or for none, so two
    processes stand for it."""

    VERSION = install.GREPPLABS_VERSION

    def __init__(self, name, buffer_size=None):
        super().__init__(name)
        self.buffer_size = buffer_size

    def missing(self):
        try:
            self.program = install.grepplabs()
        except install.NotToBeHad as error:
            return str(error)
        return ""

    def describe(self):
        return (f"grepplabs kafka-proxy {self.VERSION}, buffers "
                f"{self.buffer_size or 'default (4096)'}")

    def command(self, setting, first_port):
        words = [self.program, "server", "--default-listener-ip", HOST,
                 "--dynamic-listeners-disable", "--http-disable",
                 "--log-level", "warning"]
        for node, port in enumerate(setting.sink.ports):
            words += ["--bootstrap-server-mapping",
                      f"{HOST}:{port},{HOST}:{first_port + node}"]
        if self.buffer_size:
            words += ["--proxy-request-buffer-size", self.buffer_size,
                      "--proxy-response-buffer-size", self.buffer_size]
        return words

    def prepare(self, setting):
        nodes = len(setting.sink.ports)
        port = kproxy_rig.free_ports(2 * nodes)
        self.plain_address = f"{HOST}:{port}"
        self.tls_address = f"{HOST}:{port + nodes}"
        self.commands = (
            self.command(setting, port),
            [*self.command(setting, port + nodes),
             "--proxy-listener-tls-enable",
             "--proxy-listener-cert-file", setting.certificate.certificate,
             "--proxy-listener-key-file", setting.certificate.key])

    def launch(self, setting):
        self.process, self.tls_process = (
            self.spawn(command, setting) for command in self.commands)

    def stop(self):
        if self.process is not None:
            self.tls_process.kill()
            self.tls_process.wait()
        super().stop()

    def pid(self, is_tls=False):
        return (self.tls_process if is_tls else self.process).pid

    def pids(self):
        return [self.process.pid, self.tls_process.pid]


class Kroxylicious(Peer):
    """In Java: measured once its compiler has seen the traffic."""

    VERSION = install.KROXYLICIOUS_VERSION
    warmup_seconds = 60.0

    def missing(self):
        try:
            self.home, self.java_home = install.kroxylicious()
        except install.NotToBeHad as error:
            return str(error)
        return ""

    def describe(self):
        return f"Kroxylicious {self.VERSION} on {self.java_home.name}"

    def virtual_cluster(self, name, setting, port, tls=""):
        last = len(setting.sink.ports) - 1
        return (
            f"  - name: {name}\n"
            "    targetCluster:\n"
            f"      bootstrapServers: \"{setting.sink.address}\"\n"
            "    gateways:\n      - name: clients\n"
            "        portIdentifiesNode:\n"
            f"          bootstrapAddress: \"{HOST}:{port}\"\n"
            f"          advertisedBrokerAddressPattern: \"{HOST}\"\n"
            "          nodeIdRanges:\n"
            f"            - {{name: all, start: 0, end: {last}}}\n{tls}")

    def prepare(self, setting):
        nodes = len(setting.sink.ports)
        port = kproxy_rig.free_ports(2 * (nodes + 1))
        tls_port = port + nodes + 1
        self.plain_address = f"{HOST}:{port}"
        self.tls_address = f"{HOST}:{tls_port}"
        tls = ("        tls:\n          key:\n"
               f"            privateKeyFile: \"{setting.certificate.key}\"\n"
               "            certificateFile: "
               f"\"{setting.certificate.certificate}\"\n")
        folder = setting.folder / self.name
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "proxy.yaml"
        self.config.write_text(
            "virtualClusters:\n"
            + self.virtual_cluster("plain", setting, port)
            + self.virtual_cluster("tls", setting, tls_port, tls))

    def launch(self, setting):
        start = self.home / "bin" / "kroxylicious-start.sh"
        self.process = self.spawn([start, "--config", self.config], setting,
                                  JAVA_HOME=str(self.java_home))

    def pid(self, is_tls=False):
        for pid in proc.family(self.process.pid):
            if proc.read(f"/proc/{pid}/comm").strip() == "java":
                return pid
        raise BenchError(f"{self.name} has no process of java")


def known(kproxies):
    """All peers by name, in the order of columns; kproxies: {label: build}."""
    peers = [Direct("direct"), HAProxy("haproxy"),
             HAProxy("haproxy-64k", 65536)]
    peers += [Kproxy(label, build) for label, build in kproxies.items()]
    peers += [Grepplabs("grepplabs"), Grepplabs("grepplabs-64k", 65536),
              Kroxylicious("kroxylicious")]
    return {peer.name: peer for peer in peers}
