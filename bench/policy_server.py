# SPDX-License-Identifier: Apache-2.0
"""A kpserver for the control plane's bench, with certificates for all, and who
asks it: an operator that times what it does, kpctl, and agents without number.
"""

import json
import pathlib
import subprocess
import tempfile
import time

import certificates
import control_rig
import proc
from programs import JsonProcess

PER_CERTIFICATE = 31  # as in control_agents.c
PATIENCE = 120
OPERATOR = "operator"
CONFIG = """name: bench
listen: ["127.0.0.1:9190"]
admin: {{listen: "127.0.0.1:9191"}}
store: {{sqlite: ./kpserver.db}}
tls: {{ca: {ca}, certificate: {certificate}, key: {key}}}
log: {{level: warn}}
roles:
  - {{role: admin, identities: ["CN:operator"]}}
  - {{role: node, identities: ["DNS:*"]}}
"""


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


class PolicyServer(control_rig.Server):
    """The rig's server, of a given build, with certificates of the setting and
    so many resources in it from the start.

    with PolicyServer(setting, 200) as server:
        server.change(1)
    """

    def __init__(self, setting, resources):
        self.setting, self.resources = setting, resources
        folder = pathlib.Path(tempfile.mkdtemp(dir=setting.folder))
        (folder / "server").mkdir()
        (folder / "server" / "kpserver.yaml").write_text(CONFIG.format(
            ca=setting.ca, certificate=setting.server_pair.certificate,
            key=setting.server_pair.key))
        super().__init__(folder, is_made=True)
        self.address = self.address.replace("localhost", "127.0.0.1")
        self.program, self.operator = setting.programs / "kpserver", None

    def start(self):
        super().start()
        # who pushes works on a machine of his own: here he has what is left
        self.operator = JsonProcess([
            "chrt", "--idle", "0", self.setting.programs / "kp_bench_operator",
            f"--server={self.address}", *self.credentials(OPERATOR)])

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
        self.operator.close()
        super().stop()

    def __enter__(self):
        try:
            self.start()
            if self.resources:
                self.change(self.resources)
        except BaseException:
            self.kill()
            raise
        return self


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

