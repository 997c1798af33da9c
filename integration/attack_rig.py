# SPDX-License-Identifier: Apache-2.0
"""A node that has neighbours and is attacked, and the trial that tells whether
the neighbours suffer.

A trial runs a healthy client in phases: quiet, attack, quiet, attack, quiet (the
last one of a trial is the first one of the next). The client has connections
from before the attack and sends requests on a timetable; latency counts from when
a request was due. Each phase gives one p99, of all its requests.

What is compared:

    band = max(the worst of the trial's quiet phases,
               the middle of the worst fifth of the whole run's quiet phases)
    allowed = max(1.1 * median(quiet), min(band, 5 * median(quiet)),
                  median(quiet) + 200 us)
    verdict: median(attack) <= allowed

The middle of what the trial's phases without the attack gave, plus a tenth; or,
where phases without any attack differ by more than that among themselves, as much
as they do: that is what this machine does by itself in this very run; or 0.2 ms
more, which is a turn of somebody else: with two processors, a request that comes
while both start a connection (or serve a neighbour that behaves) waits for one of
them, and that says nothing of queues or locks. The noise can excuse a factor of five at most, so that no single hiccup excuses everything.
While the verdict is no, further rounds are added, up to ROUNDS, and all of the
phases count: a difference that is there stays, one that was chance goes away.
Nothing is dropped or measured again. It is the same with a client that comes
while the node is attacked, and with what has to be counted and logged: where the
machine stands still for seconds, rounds pass in which little is done.

Where it may (root), kproxy gets a real-time priority (round robin, all of its
threads alike), the healthy client and its broker one above: they then are as
if alone on the machine, whatever else goes on there, the attacker included, and
a p99 is some 0.2 ms instead of 20. Between kproxy's own threads this is harder
than the usual scheduler: who comes later waits for all who came before.
"""

import contextlib
import dataclasses
import os
import pathlib
import resource
import statistics
import sys
import threading
import time

from fake_broker import FakeBroker
from kproxy_rig import BUILD, Kproxy, wait_until
from hostile import closed, is_served

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "bench"), str(HERE.parent / "scripts")]
import certificates  # noqa: E402
import programs  # noqa: E402

SECONDS = float(os.environ.get("KP_ATTACK_SECONDS", "0.8"))
RATE, CONNECTIONS = 1000, 5
ROUNDS_AT_LEAST, ROUNDS = 2, 10
TENTH, FACTOR, TURN_US = 1.1, 5, 200
NEWCOMER_SECONDS = 1.0
REST_SECONDS = 0.5
KIB, MIB = 1024, 1 << 20

# Large enough for what is tried here, and times as short as they can be.
MEMORY = 1024 * MIB
LIMITS = """connections: 12000
connectionsOpening: 1000
memory: 1GiB
memoryPerConnection: 64MiB
frame: 64MiB
handshakeTimeout: 500ms
firstRequestTimeout: 500ms
requestTimeout: 500ms
frameTimeout: 3s
writeTimeout: 500ms
idleTimeout: 8s"""
SMALL_VIRTUAL_CLUSTER = 50

# Beyond buffers, which are charged: what a process of this kind needs anyway.
# Free buffers of the pool are 4 MiB of it.
SLACK = 16 * MIB
# Thread, stack, state of one connection.
CONNECTION = 32 * KIB
# Two events, ten lines a second each, the rest is counted.
LOG_PER_SECOND = 2 * 10 * 450

NODE_PORTS = 3
DOORS = ("plain", "tls", "proxied", "hostile", "small")


@contextlib.contextmanager
def preferred(pid, policy, priority):
    """Inside, and for what is started there, if we may."""
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))


def prefer(pid):
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(2))


class HostileBroker(FakeBroker):
    """Does to each connection what the attack at hand says."""

    def __init__(self):
        super().__init__(serve=self.misbehave)
        self.behaviour = FakeBroker.serve_requests
        self.num_served = 0

    def misbehave(self, sock):
        self.num_served += 1
        self.behaviour(self, sock)


class Site:
    """One kproxy with several doors (listeners), a good broker and a bad one."""

    def __init__(self, folder):
        self.authority = certificates.Authority(folder)
        self.issued = self.authority.issue("proxy", "IP:127.0.0.1",
                                           "DNS:localhost")
        self.vanished = []
        self.quiet = []  # p99 of all quiet phases of this run
        self.quiet_rss, self.changed = None, 0  # when it changed last
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        enter = self.stack.enter_context
        self.sink = enter(programs.Sink(BUILD / "bin", nodes=NODE_PORTS))
        prefer(self.sink.pid)
        self.hostile = enter(HostileBroker())
        proxy = Kproxy(self.sink.address, limits=LIMITS,
                       count=len(DOORS) * (1 + NODE_PORTS) - 1)
        proxy.write(self.resources(proxy))
        with preferred(0, os.SCHED_RR, 1):
            self.proxy = enter(proxy)
        self.worker = proxy.child("worker")
        wait_until(self.is_at_rest, 10, "the worker to be at rest")
        return self

    def is_at_rest(self):
        """Has its memory been the same for a while?"""
        rss, now = self.rss(), time.monotonic()
        if rss != self.quiet_rss:
            self.quiet_rss, self.changed = rss, now
        return now > self.changed + REST_SECONDS

    def __exit__(self, *why):
        for crowd in self.vanished:
            crowd.forget()
        self.stack.__exit__(*why)

    def resources(self, proxy):
        def document(kind, name, spec):
            return (f"apiVersion: kproxy/v1\nkind: {kind}\n"
                    f"metadata: {{name: {name}}}\nspec:\n{spec}---\n")
        more = {
            "tls": f"  tls:\n    certificate: {{file: "
                   f"\"{self.issued.certificate}\"}}\n"
                   f"    key: {{file: \"{self.issued.key}\"}}\n",
            "proxied": "  proxyProtocol: true\n",
        }
        text = ""
        for name, address in (("good", self.sink.address),
                              ("bad", self.hostile.address)):
            text += document("Cluster", name, f"  bootstrap: [\"{address}\"]\n")
        for name in DOORS:
            port = self.port(name, proxy)
            cluster = "bad" if name == "hostile" else "good"
            text += document(
                "Listener", name,
                f"  bind: {proxy.host}\n  advertisedHost: {proxy.host}\n"
                f"  ports: {{bootstrap: {port}, first: {port + 1}, "
                f"count: {NODE_PORTS}}}\n{more.get(name, '')}")
            limits = (f"  limits: {{connections: {SMALL_VIRTUAL_CLUSTER}}}\n"
                      if name == "small" else "")
            text += document("VirtualCluster", name, f"  cluster: {cluster}\n"
                             f"  listener: {name}\n{limits}")
        return text

    def port(self, door, proxy=None):
        return (proxy or self.proxy).port + DOORS.index(door) * (1 + NODE_PORTS)

    def door(self, name):
        return self.proxy.host, self.port(name)

    def rss(self):
        for line in pathlib.Path(
                f"/proc/{self.worker}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * KIB
        raise AssertionError("the worker has gone")

    @contextlib.contextmanager
    def load(self):
        """The healthy client, with its connections open. Where the machine stands
        still for half a second, the node ends them before they have asked."""
        def ready():
            load = stack.enter_context(programs.Load(
                BUILD / "bin", bootstrap=self.proxy.bootstrap, op="heartbeat",
                connections=CONNECTIONS, rate=RATE, in_flight=64,
                warmup="100ms", duration=f"{int(SECONDS * 1000)}ms"))
            with contextlib.suppress(programs.BenchError):
                load.ready()
                return load
        with contextlib.ExitStack() as stack:
            yield wait_until(ready, 20, "a healthy client")


class Watch:
    """Highest values while it is entered."""

    def __init__(self, site):
        self.site, self.rss, self.buffers, self.connections = site, 0, 0, 0
        self.has_ended, self.lock = threading.Event(), threading.Lock()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        for turn in range(1 << 30):
            self.rss = max(self.rss, self.site.rss())
            if turn % 8 == 0:
                self.look()
            if self.has_ended.wait(0.03):
                return

    def look(self):
        values = {}
        for line in self.site.proxy.get("/metrics")[1].splitlines():
            name, _, value = line.rpartition(" ")
            values[name] = value
        with self.lock:
            self.buffers = max(self.buffers,
                               int(values.get("kproxy_buffer_bytes", 0)))
            self.connections = max(self.connections,
                                   int(values.get("kproxy_connections", 0)))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.has_ended.set()
        self.thread.join(60)


def allowed(quiet, of_run=()):
    middle = statistics.median(quiet)
    worst_fifth = sorted(of_run)[-(len(of_run) // 5):] if of_run else quiet
    band = max(max(quiet), statistics.median(worst_fifth))
    return max(TENTH * middle, min(band, FACTOR * middle), middle + TURN_US)


@dataclasses.dataclass
class Outcome:
    """One row of the report; latencies are p99 in us, one for each phase."""
    name: str
    quiet: list = dataclasses.field(default_factory=list)
    of_run: list = dataclasses.field(default_factory=list)  # quiet ones of all
    attack: list = dataclasses.field(default_factory=list)
    worst_us: float = 0  # of all requests during attacks
    newcomer_ms: list = dataclasses.field(default_factory=list)
    rss_peak: int = 0
    rss_limit: int = 0
    rss_after: int = 0
    buffers_peak: int = 0
    connections_peak: int = 0
    counted: dict = dataclasses.field(default_factory=dict)
    log_bytes: int = 0
    log_limit: float = 0
    attack_seconds: float = 0
    attacker_cpu: float = 0  # cores

    def are_neighbours_fine(self):
        return (statistics.median(self.attack)
                <= allowed(self.quiet, self.of_run))

    def are_newcomers_fine(self):
        return statistics.median(self.newcomer_ms) < 1000 * NEWCOMER_SECONDS

    def __str__(self):
        counted = ", ".join(f"{name} {number}" for name, number
                            in self.counted.items())
        return (
            f"| {self.name} | {counted} "
            f"| {statistics.median(self.quiet):.0f} "
            f"({min(self.quiet):.0f} to {max(self.quiet):.0f}) "
            f"| {statistics.median(self.attack):.0f} "
            f"({', '.join(f'{one:.0f}' for one in self.attack)}) "
            f"| {allowed(self.quiet, self.of_run):.0f} | {self.worst_us / 1000:.1f} "
            f"| {max(self.newcomer_ms):.1f} "
            f"| {self.rss_peak / MIB:.0f} / {self.rss_limit / MIB:.0f} / "
            f"{self.rss_after / MIB:.0f} | {self.buffers_peak / MIB:.0f} "
            f"| {self.connections_peak} | {self.log_bytes / KIB:.0f} "
            f"| {self.attacker_cpu:.2f} |")


HEADER = """| attack | counted | p99 quiet us | p99 attack us | allowed us \
| worst ms | newcomer ms | RSS MiB peak / limit / after | buffers MiB \
| connections | log KiB | attacker's cores |
|---|---|---|---|---|---|---|---|---|---|---|---|"""


class Trial:
    """Runs an attack against a site; `outcome` is what came of it."""

    def __init__(self, site, attack):
        self.site, self.attack = site, attack
        self.outcome = Outcome(attack.name, quiet=site.quiet[-1:],
                               of_run=site.quiet)

    def run(self):
        self.before = {reason: closed(self.site.proxy, reason)
                       for reason in self.attack.reasons}
        self.log_before = self.site.proxy.log.stat().st_size
        if not self.outcome.quiet:
            self.quiet_phase()
        for number in range(1, ROUNDS + 1):
            self.attack_phase()
            self.quiet_phase()
            self.look_back()
            if number >= ROUNDS_AT_LEAST and self.is_enough():
                break
        self.outcome.attacker_cpu /= self.outcome.attack_seconds
        return self.outcome

    def look_back(self):
        self.outcome.counted = {
            reason: int(closed(self.site.proxy, reason) - old)
            for reason, old in self.before.items()}
        with open(self.site.proxy.log, "rb") as log:
            log.seek(self.log_before)
            self.log = log.read().decode(errors="replace")
        self.outcome.log_bytes = len(self.log)

    def is_enough(self):
        return (self.outcome.are_neighbours_fine()
                and self.outcome.are_newcomers_fine()
                and not self.uncounted() and not self.not_logged())

    def uncounted(self):
        """Reasons that fewer connections ended for than should have."""
        return [reason for reason, least in self.attack.reasons.items()
                if self.outcome.counted[reason] < least]

    def not_logged(self):
        return [reason for reason in self.attack.reasons
                if reason not in self.attack.unlogged
                and f'"reason":"{reason}"' not in self.log]

    def quiet_phase(self):
        with self.site.load() as load:
            p99 = self.measure(load)["p99"]
        self.outcome.quiet.append(p99)
        self.site.quiet.append(p99)

    def attack_phase(self):
        outcome, attack = self.outcome, self.attack
        with self.site.load() as load, Watch(self.site) as watch:
            began = time.monotonic()
            with attack.running(self.site) as crowds:
                wait_until(lambda: all(crowd.has_begun() for crowd in crowds),
                           20, f"{attack.name} to begin")
                latency = self.measure(load, self.let_newcomer_in)
                outcome.attack.append(latency["p99"])
                outcome.worst_us = max(outcome.worst_us, latency["max"])
                # however late its turn comes, it has seen all that are there
                watch.look()
            outcome.attack_seconds += time.monotonic() - began
            outcome.attacker_cpu += sum(crowd.cpu_seconds for crowd in crowds)
            self.recover()
            # lines of the second before and of the one behind count as well
            outcome.log_limit += LOG_PER_SECOND * (
                time.monotonic() - began + 1)
        outcome.rss_peak = max(outcome.rss_peak, watch.rss)
        outcome.buffers_peak = max(outcome.buffers_peak, watch.buffers)
        outcome.connections_peak = max(outcome.connections_peak,
                                       watch.connections)
        outcome.rss_limit = max(
            outcome.rss_limit, self.site.quiet_rss + SLACK + watch.buffers
            + watch.connections * (CONNECTION + attack.more_per_connection))

    def measure(self, load, meanwhile=lambda: None):
        prefer(load.pid)
        load.go()
        meanwhile()
        done = load.done(SECONDS + 60)
        assert done["failed"] == 0
        load.finish()
        return done["latency_us"]

    def let_newcomer_in(self):
        """Who does not ask in time is turned away, and comes again."""
        began = time.monotonic()
        wait_until(lambda: is_served(self.site.proxy), 20, "a newcomer")
        self.outcome.newcomer_ms.append(1000 * (time.monotonic() - began))

    def recover(self):
        """All connections end, all buffers and all other memory come back."""
        site, after = self.site, f"after {self.attack.name}"
        for gauge in ("kproxy_connections", "kproxy_buffer_bytes"):
            wait_until(lambda: site.proxy.metric(gauge) == 0, 20,
                       f"{gauge} {after}")
        wait_until(lambda: site.rss() <= site.quiet_rss + SLACK, 5,
                   f"memory {after}")
        self.outcome.rss_after = max(self.outcome.rss_after, site.rss())

    def check(self):
        """What holds for every attack."""
        outcome, proxy = self.outcome, self.site.proxy
        assert outcome.are_neighbours_fine(), "neighbours suffer"
        assert outcome.are_newcomers_fine(), "newcomers wait"
        assert outcome.buffers_peak <= MEMORY
        assert outcome.rss_peak <= outcome.rss_limit, "memory beyond the limit"
        assert not self.uncounted(), outcome.counted
        assert not self.not_logged(), "not logged"
        assert outcome.log_bytes <= outcome.log_limit, "log flooded"
        for process in ("worker", "agent"):
            assert proxy.metric("kproxy_process_restarts_total"
                                f'{{process="{process}"}}') == 0
        assert proxy.child("worker") == self.site.worker
