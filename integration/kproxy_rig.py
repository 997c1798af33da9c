# SPDX-License-Identifier: Apache-2.0
"""A kproxy node for tests: one command, all three processes, torn down for sure.

    with Kproxy(bootstrap="127.0.0.1:9092") as proxy:
        client.connect(proxy.bootstrap)

writes node.yaml and a pass-through virtual cluster to a folder of its own, on
ports that are free, starts kproxy, waits until /readyz says 200, and at the end
stops it with SIGTERM and asserts exit code 0 and a log without sanitizer output
or a worker that made a forbidden system call.

The programs come from $KP_BUILD/bin.
"""

import collections
import contextlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

BUILD = pathlib.Path(os.environ.get("KP_BUILD", "build/dev")).resolve()
# How many bytes a sanitizer keeps of each that the program holds.
SHADOW = {"asan": 2, "tsan": 6}.get(BUILD.name, 1)
BAD_LOG = ("Sanitizer", "runtime error:", "assertion failed", '"signal":"SYS"')


# Machines are shared: a wait fails only after so many times what a quiet one needs.
PATIENCE = 4


def wait_until(is_true, seconds=10.0, what="condition"):
    """Polls is_true() and returns its first true value; fails after PATIENCE
    times these seconds. What has to be quick is for the test to measure."""
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = is_true()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.005)


def whole_lines(path, errors="strict"):
    """Those of a file that somebody is writing: what has no end yet is none."""
    text, _, _ = path.read_bytes().rpartition(b"\n")
    return text.decode(errors=errors).split("\n") if text else []


def is_stopped(pid):
    """Have all of its threads taken note of SIGSTOP?"""
    return all(stat.read_text().rpartition(") ")[2][0] == "T" for stat
               in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"))


@contextlib.contextmanager
def frozen(pid):
    """A process stands still meanwhile, which takes a moment to begin."""
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: is_stopped(pid), 5, "all threads stopped")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def is_free(ports):
    """Can all of these be listened on?"""
    try:
        for port in ports:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def ports_of(text):
    """(lowest, how many) of "12000-29999"."""
    first, _, last = text.partition("-")
    return int(first), int(last) - int(first) + 1


# Runs beside each other are given ranges of their own.
PORTS = ports_of(os.environ.get("KP_PORTS", "12000-29999"))
SLOT = 64


def free_ports(count=1):
    """The first of `count` ports in a row that nobody listens on.

    They are below the range that the kernel takes for outgoing connections, so
    that no client gets one in between; the process id spreads parallel runs. Those
    that were given last are not given again: they may not be listened on yet."""
    lowest, num = PORTS
    slots = num // SLOT
    for step in range(slots):
        first = lowest + (os.getpid() + step) % slots * SLOT
        if first not in free_ports.given and is_free(range(first, first + count)):
            free_ports.given.append(first)
            return first
    raise AssertionError("no free ports")


# Of a small range half: who needs ports is to find some.
free_ports.given = collections.deque(maxlen=min(96, PORTS[1] // SLOT // 2))


def page(url):
    """(status, body) of an admin page; (0, reason) if nobody answers, or ends in
    the middle of it."""
    try:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)


class Kproxy:
    """One node. All keyword arguments have defaults that suit most tests.

    bootstrap   address or list of addresses of the real cluster
    count       number of node ports behind the bootstrap port
    first_node  node id that the first of them stands for
    limits      lines below `limits:` of node.yaml, e.g. "connections: 10"
    listener    lines added to the Listener's spec, e.g. tls
    cluster     lines added to the Cluster's spec
    virtual     lines added to the VirtualCluster's spec
    resources   replaces all three resources (YAML text)
    control     what stands in node.yaml after `control: `; with a server in it
                there are no files of resources
    name        of the node
    folder      an existing folder to use (kept), e.g. to start a second time
    args, env   more arguments and environment variables of kproxy
    wait        False: do not wait for /readyz

    Attributes: bootstrap, host, port (of the listener), admin ("host:port"),
    folder, config, resources_file, log (path), process; bad_log: words that
    must not be in the log at the end.
    """

    def __init__(self, bootstrap="127.0.0.1:9092", *, count=4, first_node=0,
                 limits="", listener="", cluster="", virtual="",
                 resources=None, folder=None, args=(), env=None, wait=True,
                 control="{files: ./resources}", name="test"):
        self.is_own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="kproxy-"))
        self.config = self.folder / "node.yaml"
        self.resources_file = self.folder / "resources" / "all.yaml"
        self.log = self.folder / "kproxy.log"
        self.args, self.env, self.wait = list(args), env or {}, wait
        self.count, self.first_node = count, first_node
        self.control, self.name = control, name
        self.host, self.process = "127.0.0.1", None
        self.is_told_to_stop, self.bad_log = False, BAD_LOG
        self.port = free_ports(count + 2)
        self.admin = f"127.0.0.1:{self.port + count + 1}"
        self.bootstrap = f"{self.host}:{self.port}"
        servers = [bootstrap] if isinstance(bootstrap, str) else bootstrap
        self.write_config(limits)
        if "files" in control:
            self.write(resources or self.resources(
                servers, listener, cluster, virtual))

    def write_config(self, limits=""):
        """Writes node.yaml."""
        lines = "".join(f"  {line}\n" for line in limits.splitlines())
        text = (f"node: {self.name}\nstateDir: ./state\n"
                f"admin: {{listen: \"{self.admin}\"}}\n"
                f"control: {self.control}\n"
                + (f"limits:\n{lines}" if lines else ""))
        replace(self.config, text)

    def resources(self, servers, listener="", cluster="", virtual=""):
        """The three resources of one pass-through virtual cluster."""
        def more(text):
            return "".join(f"  {line}\n" for line in text.splitlines())
        return (
            "apiVersion: kproxy/v1\nkind: Cluster\nmetadata: {name: real}\n"
            f"spec:\n  bootstrap: [{', '.join(map(quote, servers))}]\n"
            f"{more(cluster)}---\n"
            "apiVersion: kproxy/v1\nkind: Listener\n"
            "metadata: {name: clients}\nspec:\n"
            f"  bind: {self.host}\n  advertisedHost: {self.host}\n"
            f"  ports: {{bootstrap: {self.port}, first: {self.port + 1}, "
            f"count: {self.count}, firstNodeId: {self.first_node}}}\n"
            f"{more(listener)}---\n"
            "apiVersion: kproxy/v1\nkind: VirtualCluster\n"
            "metadata: {name: shop}\nspec:\n  cluster: real\n"
            f"  listener: clients\n{more(virtual)}")

    def write(self, text, name="all.yaml"):
        """Replaces one file of resources in one step, as an editor does."""
        folder = self.folder / "resources"
        folder.mkdir(exist_ok=True)
        replace(folder / name, text)

    def command(self, *args):
        return [str(BUILD / "bin" / "kproxy"), *args]

    def start(self):
        log = open(self.log, "ab")
        self.process = subprocess.Popen(
            self.command("--config", str(self.config), *self.args),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**os.environ, **self.env})
        log.close()
        self.is_told_to_stop = False
        if self.wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=20):
        def is_ready():
            assert self.process.poll() is None, self.text()
            return self.get("/readyz")[0] == 200
        try:
            wait_until(is_ready, seconds, "/readyz")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None

    def get(self, path):
        """What page() says of an admin page."""
        return page(f"http://{self.admin}{path}")

    def metric(self, series):
        """Value of one series, e.g. 'kproxy_requests_total{api="Fetch"}'; 0
        if it is not there."""
        for line in self.get("/metrics")[1].splitlines():
            if line.rpartition(" ")[0] == series:
                return float(line.rpartition(" ")[2])
        return 0.0

    def text(self):
        """All lines that the node has logged so far."""
        return "".join(f"{line}\n" for line in whole_lines(self.log, "replace"))

    def child(self, name):
        """Process id of "worker" or "agent", None while there is none."""
        started = None
        for line in self.text().splitlines():
            if f'"name":"{name}"' not in line:
                continue
            if '"event":"process_started"' in line:
                started = int(line.rpartition('"pid":')[2].rstrip("}"))
            elif '"event":"process_ended"' in line:
                started = None
        return started

    def terminate(self, number=signal.SIGTERM):
        """Begins to stop; a second signal would cut the draining short."""
        self.is_told_to_stop = True
        self.process.send_signal(number)

    def stop(self, expect=0, seconds=40 * PATIENCE):
        """SIGTERM unless it was sent; asserts exit code and a clean log."""
        if self.process.poll() is None and not self.is_told_to_stop:
            self.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop\n{self.text()}") from None
        assert code == expect, f"exit code {code}\n{self.text()}"
        for word in self.bad_log:
            assert word not in self.text(), self.text()

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.kill()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
        finally:
            self.kill()
        if kind is None and self.is_own_folder:
            shutil.rmtree(self.folder)


def quote(text):
    return f'"{text}"'


def replace(path, text):
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text)
    temporary.rename(path)
