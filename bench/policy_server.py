# SPDX-License-Identifier: Apache-2.0
"""A kpserver for the control plane's bench, with certificates for all, and who
asks it: an operator that times what it does, kpctl, and agents without number.
"""

import json
import pathlib
import subprocess
import time
import urllib.request

import certificates
import kproxy_rig
import proc
from programs import JsonProcess

PER_CERTIFICATE = 31  # as in control_agents.c
PATIENCE = 120
OPERATOR = "operator"
CONFIG = """name: bench
listen: ["{address}"]
admin: {{listen: "{admin}"}}
store: {{sqlite: {store}}}
tls: {{ca: {ca}, certificate: {certificate}, key: {key}}}
audit: {{file: {store}.audit}}
log: {{level: warn}}
roles:
  - {{role: admin, identities: ["CN:operator"]}}
  - {{role: node, identities: ["DNS:*"]}}
"""


def is_ready_at(admin):
    try:
        with urllib.request.urlopen(f"http://{admin}/readyz", timeout=5):
            return True
    except OSError:
        return False


class Setting:
    """Programs, and the certificates of everybody; agents: how many of them."""

    def __init__(self, build, agents, folder):
        self.programs = pathlib.Path(build).resolve() / "bin"
        self.agents, self.folder = agents, folder
        self.authority = certificates.Authority(folder / "certificates")
        self.ca, self.pairs = self.authority.ca, self.authority.folder
        self.server_pair = self.authority.issue("server", "IP:127.0.0.1")
        self.operator_pair = self.authority.issue(OPERATOR)
        for group in range((agents - 1) // PER_CERTIFICATE + 1):
            first = group * PER_CERTIFICATE
            self.authority.issue(
                f"agents-{group}",
                *(f"DNS:agent-{first + i}" for i in range(PER_CERTIFICATE)))


class PolicyServer:
    """kpserver over SQLite, with so many resources in it from the start.

    with PolicyServer(setting, 200) as server:
        server.change(1)
    """

    def __init__(self, setting, resources):
        self.setting, self.resources = setting, resources
        port = kproxy_rig.free_ports(2)
        self.address = f"127.0.0.1:{port}"
        self.admin = f"127.0.0.1:{port + 1}"
        self.name = f"server-{port}"
        self.config = setting.folder / f"{self.name}.yaml"
        self.log = setting.folder / f"{self.name}.log"
        self.config.write_text(CONFIG.format(
            address=self.address, admin=self.admin,
            store=setting.folder / f"{self.name}.db", ca=setting.ca,
            certificate=setting.server_pair.certificate,
            key=setting.server_pair.key))
        self.process = self.operator = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.setting.programs / "kpserver", "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        kproxy_rig.wait_until(self.is_ready, PATIENCE, "/readyz of kpserver")
        self.operator = JsonProcess([
            self.setting.programs / "kp_bench_operator",
            f"--server={self.address}", *self.credentials(OPERATOR)])

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()
        return is_ready_at(self.admin)

    def credentials(self, name):
        return (f"--ca={self.setting.ca}",
                f"--certificate={self.setting.pairs / name}.crt",
                f"--key={self.setting.pairs / name}.key")

    def ask(self, command, event):
        self.operator.process.stdin.write(f"{command}\n".encode())
        return self.operator.next(event, PATIENCE)

    def change(self, number):
        return self.ask(f"change {number}", "applied")

    def list(self):
        return self.ask("list", "listed")

    def kpctl(self, *arguments, stdin=""):
        """Runs it as the operator; returns (output, milliseconds)."""
        start = time.perf_counter()
        done = subprocess.run(
            [self.setting.programs / "kpctl", *arguments,
             f"--server={self.address}", *self.credentials(OPERATOR)],
            input=stdin, capture_output=True, text=True, timeout=PATIENCE)
        took = (time.perf_counter() - start) * 1000
        if done.returncode != 0:
            raise RuntimeError(f"kpctl {arguments[0]}: {done.stderr}")
        return done.stdout, took

    def rss_mib(self):
        return proc.rss_kib(self.process.pid) / 1024

    def peak_mib(self):
        return proc.peak_rss_kib(self.process.pid) / 1024

    def stop(self):
        if self.operator is not None:
            self.operator.close()
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        if code != 0:
            raise RuntimeError(f"kpserver: exit code {code}: "
                               f"{self.log.read_text()}")

    def __enter__(self):
        try:
            self.start()
            if self.resources:
                self.change(self.resources)
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Agents(JsonProcess):
    """All of them, in one process."""

    def __init__(self, setting, server):
        super().__init__([
            setting.programs / "kp_bench_agents", f"--agents={setting.agents}",
            f"--server={server.address}", f"--ca={setting.ca}",
            f"--pairs={setting.pairs}"])

    def wait_for(self, event, **wanted):
        """The next line of that event, others are passed over."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = json.loads(self.next_line(PATIENCE))
            if found["event"] == event and all(
                    found[key] == value for key, value in wanted.items()):
                return found
        raise TimeoutError(f"no {event} {wanted} within {PATIENCE} s")

