# SPDX-License-Identifier: Apache-2.0
"""Real etcd on loopback, of one or three nodes, and the program that stands for
policy servers over it (tests/programs/store_tool.c). All of it ends with the
test.

    with Etcd(folder, nodes=3) as etcd, Tool(etcd, "commit", "ada") as server:
        server.wait_for("ok", 10)
        etcd.kill(etcd.leader())
"""
import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request

from kproxy_rig import BUILD, PATIENCE, free_ports, wait_until

# of gRPC, which is not instrumented
SUPPRESSIONS = (pathlib.Path(__file__).resolve().parent.parent
                / "tests" / "support" / "tsan.supp")
TOOL = BUILD / "bin" / "kp_store_tool"
# Of commands that have to succeed; without a quorum half of it is waited for one.
TIMEOUT_MS = 12000
FAST = ["--heartbeat-interval", "50", "--election-timeout", "500"]
# Tests kill processes, not the machine: what was written is there all the same,
# and how long a disk takes is not what they ask.
NO_SYNC = ["--unsafe-no-fsync"]


def coded(text):
    """A key as JSON has it."""
    return base64.b64encode(text.encode()).decode()


def after(prefix):
    """The first key after all that begin with prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


class Etcd:
    """tls: a certificates.Authority; then clients show certificates of it. args:
    more of etcd's own."""

    def __init__(self, folder, nodes=1, tls=None, args=()):
        self.folder = pathlib.Path(folder)
        self.scheme = "https" if tls else "http"
        self.first = free_ports(2 * nodes)
        self.processes = [None] * nodes
        self.tls = tls
        self.args = args
        self.context = None
        if tls:
            self.use(tls, tls)

    def use(self, authority, *clients):
        """From the next start on: who signed what the nodes show, and who signs
        for clients; the last one does so for the tests' own."""
        self.certificate = authority.issue("etcd", "IP:127.0.0.1")
        self.client_ca = self.folder / "clients.pem"
        self.client_ca.write_text(
            "".join(one.ca.read_text() for one in clients))
        mine = clients[-1].issue("rig")
        self.context = ssl.create_default_context(cafile=authority.ca)
        self.context.load_cert_chain(mine.certificate, mine.key)

    def port(self, node):
        return self.first + 2 * node

    def endpoint(self, node):
        return f"{self.scheme}://127.0.0.1:{self.port(node)}"

    def endpoints(self):
        return [self.endpoint(node) for node in range(len(self.processes))]

    def store(self, prefix="/kproxy/", tls=""):
        """What kpserver.yaml says to be over it."""
        return (f"{{etcd: {{endpoints: {json.dumps(self.endpoints())}, "
                f"prefix: {prefix}, {tls}}}}}")

    def peer(self, node):
        return f"http://127.0.0.1:{self.port(node) + 1}"

    def start(self, node):
        cluster = ",".join(
            f"n{i}={self.peer(i)}" for i in range(len(self.processes)))
        extra = [] if not self.tls else [
            "--cert-file", self.certificate.certificate,
            "--key-file", self.certificate.key,
            "--trusted-ca-file", self.client_ca, "--client-cert-auth"]
        with open(self.folder / f"n{node}.log", "ab") as log:
            self.processes[node] = subprocess.Popen(
                ["etcd", "--name", f"n{node}", "--log-level", "warn",
                 "--data-dir", self.folder / f"n{node}",
                 "--listen-client-urls", self.endpoint(node),
                 "--advertise-client-urls", self.endpoint(node),
                 "--listen-peer-urls", self.peer(node),
                 "--initial-advertise-peer-urls", self.peer(node),
                 "--initial-cluster", cluster,
                 *FAST, *NO_SYNC, *extra, *self.args],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_healthy(self, node):
        assert self.processes[node].poll() is None, "etcd has ended"
        try:
            with urllib.request.urlopen(f"{self.endpoint(node)}/health",
                                        timeout=30, context=self.context) as x:
                return json.load(x)["health"] == "true"
        except (OSError, http.client.HTTPException):
            return False

    def wait(self, node):
        """It takes connections long before it answers."""
        wait_until(lambda: self.is_healthy(node), 60, f"etcd node {node}")

    def kill(self, node):
        self.processes[node].send_signal(signal.SIGKILL)
        self.processes[node].wait()
        self.processes[node] = None

    def ask(self, path, request, node=0, token=None):
        """etcd's JSON gateway: what our client is not to be asked for."""
        headers = {"Authorization": token} if token else {}
        call = urllib.request.Request(
            f"{self.endpoint(node)}/v3/{path}", json.dumps(request).encode(),
            headers)
        with urllib.request.urlopen(call, timeout=30) as answer:
            return json.load(answer)

    def alive(self):
        return [i for i, p in enumerate(self.processes) if p is not None]

    def leader(self):
        """The node that leads, once all that are alive agree on one."""
        def find():
            said = [self.ask("maintenance/status", {}, node)
                    for node in self.alive()]
            leaders = {status.get("leader", "0") for status in said}
            for node, status in zip(self.alive(), said):
                if leaders == {status["header"]["member_id"]}:
                    return [node]
            return None
        return wait_until(find, 30, "a leader")[0]

    def enable_password(self, password):
        self.ask("auth/user/add", {"name": "root", "password": password})
        self.ask("auth/role/add", {"name": "root"})
        self.ask("auth/user/grant", {"user": "root", "role": "root"})
        self.ask("auth/enable", {})

    def token(self, password):
        """What root shows with each request."""
        return self.ask("auth/authenticate",
                        {"name": "root", "password": password})["token"]

    def change_password(self, old, new):
        self.ask("auth/user/changepw", {"name": "root", "password": new},
                 token=self.token(old))

    def grant(self, role, permission, prefix, token=None):
        """Leave to READ or READWRITE all below prefix."""
        self.ask("auth/role/grant", {"name": role, "perm": {
            "permType": permission, "key": coded(prefix),
            "range_end": coded(after(prefix))}}, token=token)

    def count(self, prefix, token=None):
        """How many keys there are below prefix."""
        found = self.ask("kv/range", {
            "key": coded(prefix), "range_end": coded(after(prefix)),
            "count_only": True}, token=token)
        return int(found.get("count", 0))

    def __enter__(self):
        for node in range(len(self.processes)):
            self.start(node)
        for node in range(len(self.processes)):
            self.wait(node)
        return self

    def __exit__(self, *why):
        for node in self.alive():
            self.kill(node)
        for node in range(len(self.processes)):  # hundreds of MB each
            shutil.rmtree(self.folder / f"n{node}", ignore_errors=True)


class Tool:
    """One process; its lines are collected as they come."""

    def __init__(self, etcd, *command, endpoints=None, **options):
        options.setdefault("timeout", 3000)
        options["endpoints"] = ",".join(endpoints or etcd.endpoints())
        arguments = [str(word) for key, value in options.items()
                     for word in (f"--{key}", value)]
        self.lines = []
        self.errors = []
        self.process = subprocess.Popen(
            [TOOL, *arguments, *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "TSAN_OPTIONS": f"suppressions={SUPPRESSIONS}"})
        self.threads = [
            threading.Thread(target=self.collect, args=pair)
            for pair in ((self.process.stdout, self.lines),
                         (self.process.stderr, self.errors))]
        for thread in self.threads:
            thread.start()

    @staticmethod
    def collect(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def having(self, word, since=0):
        return [x for x in self.lines[since:] if x.split(" ")[0] == word]

    def wait_for(self, word, count=1, seconds=30.0, since=0):
        """count lines that begin with word, after the first `since` lines."""
        def enough():
            has_ended = self.process.poll() is not None
            if has_ended:
                self.join()  # it may have said more than was collected
            found = self.having(word, since)
            assert len(found) >= count or not has_ended, \
                self.lines[-3:] + self.errors[-3:]
            return found if len(found) >= count else None
        return wait_until(enough, seconds, f"{count} {word}")

    def newest(self):
        """What a follower has heard of last; 0 before it has heard anything."""
        return max((int(x.split(" ")[1]) for x in self.having("newest")),
                   default=0)

    def send(self, number):
        self.process.send_signal(number)

    def end(self, number=signal.SIGKILL):
        """Ends it; returns all lines, the last one whole or left out."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()
        self.join()
        bad = [x for x in self.errors if "Sanitizer" in x or "assert" in x]
        assert not bad, bad
        return self.lines

    def join(self):
        """After its end: until all that it said is collected."""
        for thread in self.threads:
            thread.join()

    def result(self, seconds=30):
        """Of a command that ends by itself."""
        self.process.wait(seconds * PATIENCE)
        return self.end()

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.end()


def acknowledged(lines):
    """{number: text} of what a server said it has committed."""
    found = {}
    for line in lines:
        words = line.split(" ")
        if words[0] == "ok" and len(words) == 5:
            found[int(words[1])] = " ".join(words[3:])
    return found


def history(etcd, **options):
    """{number: text} of what is there; the tool asserts that all is whole."""
    options.setdefault("timeout", TIMEOUT_MS)
    with Tool(etcd, "dump", **options) as tool:
        lines = tool.result()
    assert lines[-1] == "end", lines[-3:]
    newest = int(lines[0].split(" ")[2])
    found = {int(x.split(" ")[0]): x.split(" ", 1)[1]
             for x in lines[1:] if x[0].isdigit()}
    assert sorted(found) == list(range(1, newest + 1))
    return found


def check(etcd, *servers, **options):
    """All that any of these acknowledged is there, once, as it said."""
    options.setdefault("timeout", TIMEOUT_MS)
    there = history(etcd, **options)
    with Tool(etcd, "states", **options) as tool:
        assert tool.result(120)[-1] == "end", tool.lines
    for lines in servers:
        for number, text in acknowledged(lines).items():
            assert there[number] == text, (number, text, there[number])
    assert len(set(there.values())) == len(there), "committed twice"
    return there


class Relay:
    """Between a client and one node. While it is deaf, nothing of what the node
    answers gets through; `cut` closes all connections."""

    def __init__(self, port):
        self.target = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_deaf = False
        self.swallowed = 0
        self.pairs = []
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((client, server))
            for ends in ((client, server, False), (server, client, True)):
                self.threads.append(
                    threading.Thread(target=self.pump, args=ends))
                self.threads[-1].start()

    def pump(self, source, sink, is_answer):
        try:
            while data := source.recv(65536):
                if is_answer and self.is_deaf:
                    self.swallowed += len(data)
                else:
                    sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()
        for thread in self.threads:
            thread.join()
