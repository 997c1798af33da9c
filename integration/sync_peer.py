# SPDX-License-Identifier: Apache-2.0
"""A policy server that does what a test says, above all what none should do.

    with SyncPeer(authority) as peer:
        peer.push(3, documents)
        peer.wait("ack 3")

runs tests/support/sync_peer.c, which has the commands and the lines.
"""

import json
import pathlib
import subprocess
import tempfile
import threading

import yaml

from kproxy_rig import BUILD, free_ports, wait_until


def documents(text):
    """{(kind, name): document} of YAML text with several documents."""
    found = {}
    for part in text.split("---\n"):
        loaded = yaml.safe_load(part)
        found[loaded["kind"], loaded["metadata"]["name"]] = part
    return found


class SyncPeer:
    """port stays the same over restarts; lines is all that it has printed."""

    def __init__(self, authority, port=None, certificate=None):
        self.authority = authority
        self.port = port or free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self.certificate = certificate or authority.issue(
            "server", "IP:127.0.0.1", "DNS:localhost")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sync-peer-"))
        self.lines, self.process, self.num_files = [], None, 0

    def start(self):
        self.process = subprocess.Popen(
            [BUILD / "bin" / "kp_sync_peer", str(self.port), self.authority.ca,
             self.certificate.certificate, self.certificate.key],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines = []
        threading.Thread(target=self._read, daemon=True,
                         args=(self.process.stdout, self.lines)).start()
        self.wait("port ")
        return self

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def set(self, resources):
        """Lets documents be part of the next push."""
        for (kind, name), text in resources.items():
            self.num_files += 1
            path = self.folder / f"{self.num_files}.yaml"
            path.write_text(text)
            self.say(f"set {kind} {name} {path}")

    def push(self, revision, resources, base=0, words=""):
        self.set(resources)
        self.say(f"push {revision} {base} {words}")

    def count(self, start):
        return sum(line.startswith(start) for line in self.lines)

    def wait(self, start, count=1, seconds=20):
        """Waits for the count-th line that begins so, and returns it."""
        def found():
            lines = [line for line in self.lines if line.startswith(start)]
            return len(lines) >= count and lines[count - 1]
        try:
            return wait_until(found, seconds, start)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.lines}") from None

    def stop(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def control(authority, *peers, certificate="node.crt", key="node.key"):
    """What node.yaml says of those servers; the files are in its folder."""
    addresses = [peer.address for peer in peers]
    return (f"{{server: {{addresses: {json.dumps(addresses)}, ca: ./ca.pem, "
            f"certificate: ./{certificate}, key: ./{key}}}}}")


def revision(proxy):
    return int(proxy.metric("kproxy_control_revision"))
