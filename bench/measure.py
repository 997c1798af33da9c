# SPDX-License-Identifier: Apache-2.0
"""One load through one peer, and the proof that it went that way.

A figure is believed only if the bytes that the load sent are the bytes that the
sink got and, where the proxy counts, the bytes that the proxy counted; and if
the sockets that the sink saw belong to the proxy's process.
"""

import time

import proc
from kproxy_rig import wait_until
from programs import BenchError, Load, Sink, delta

GIB, MIB = 1 << 30, 1 << 20
# Beyond its duration, for draining and for machines that are busy.
PATIENCE_SECONDS = 60
# What a figure of CPU time rests on, so that a tick of 10 ms is 0.4 %; and by
# how much a load may be longer for it.
ENOUGH_CPU_SECONDS = 2.5
MAX_STRETCH = 4
POLL_SECONDS = 0.05


class Clock:
    """CPU time of a peer, and of everybody else, over an interval."""

    def __init__(self, peer, is_tls, ours):
        self.pid, self.pids, self.ours = peer.pid(is_tls), peer.pids(), ours

    def proxy_seconds(self):
        return proc.cpu_seconds(self.pid) if self.pid else 0.0

    def sample(self):
        return {
            "wall": time.monotonic(),
            "busy": proc.busy_seconds(),
            "proxy": self.proxy_seconds(),
            "all": sum(map(proc.cpu_seconds, self.pids)),
            "ours": sum(map(proc.cpu_seconds, self.ours)),
        }

    def start(self):
        self.before = self.sample()

    def is_enough(self, seconds):
        """Has it lasted long enough to be told from ticks of 10 ms?"""
        used = self.proxy_seconds() - self.before["proxy"]
        return time.monotonic() - self.before["wall"] >= seconds and (
            used >= ENOUGH_CPU_SECONDS or not self.pid)

    def stop(self):
        """What was used since start; "other" in cores: above some tenths the
        machine was not quiet."""
        after = self.sample()
        used = {name: after[name] - self.before[name] for name in after}
        others = used["busy"] - used["all"] - used["ours"]
        return {"wall_s": used["wall"], "cpu_s": used["proxy"],
                "cpu_all_s": used["all"], "has_proxy": bool(self.pid),
                "other_cores": max(0.0, others / used["wall"])}


def must(is_true, text):
    if not is_true:
        raise BenchError(text)


def check_owner(peer, pid, sink, report):
    """Every connection that carried something must be the proxy's."""
    ports = report["ports"]
    must(ports, f"{peer.name}: the sink saw no connection")
    strange = set(ports) - proc.owned_ports(pid, sink.ports)
    must(not strange, f"{peer.name}: {len(strange)} of {len(ports)} "
         f"connections at the sink are not of process {pid}")


def check_bytes(peer, row, done, seen):
    """seen: what the sink counted of the row's API."""
    told = {name: done[name] for name in
            ("requests", "request_bytes", "answer_bytes")}
    if row.api == "Metadata":  # the load has asked once before, answers change
        told = {"requests": told["requests"] + 1}
    if row.load["op"] == "churn":
        told = {"requests": told["requests"] + 1}
    for name, value in told.items():
        must(seen[name] == value, f"{peer.name}: {value} {name} by the load, "
             f"{seen[name]} by the sink")


def check_counters(peer, row, before, done):
    """The proxy's own account grew by what the load moved."""
    if before is None or row.api in ("Metadata", "ApiVersions"):
        return
    told = (done["request_bytes"], done["answer_bytes"])

    def grown():
        after = peer.counters(row.api)
        return tuple(new - old for new, old in zip(after, before))
    try:
        wait_until(lambda: grown() == told, 3, "counters")
    except AssertionError:
        raise BenchError(f"{peer.name}: its counters grew by {grown()} bytes "
                         f"of {row.api}, the load has {told}") from None


def run_load(load, clock, seconds, is_stretched):
    """Lets the load run for its time, and longer where the proxy was given so
    little of the machine that its CPU time could not be told well."""
    load.go()
    if is_stretched:
        while not load.is_done(POLL_SECONDS):
            if clock.is_enough(1.1 * seconds):
                load.end()
                break
    return load.done(1.2 * seconds + PATIENCE_SECONDS)


def load_options(row, peer, setting, seconds, stretch=1):
    options = dict(row.load)
    if row.is_tls:
        options.update(tls=True, ca=setting.ca)
    if "requests" not in options:
        options.setdefault("warmup", f"{max(50, int(seconds * 100))}ms")
        options.setdefault("duration", f"{int(seconds * stretch * 1000)}ms")
    return {"bootstrap": peer.address(row.is_tls),
            "stay": not peer.is_rewriting, **options}


def traffic(bench, row, peer, seconds=None, during=None, setting=None):
    """Runs the row's load through a running peer; returns the raw figures.

    during(go) is called with the function that runs the load, to watch it."""
    setting = setting or bench.setting
    seconds = seconds or bench.seconds
    sink = setting.sink
    counters = peer.counters(row.api)
    before = sink.report()
    is_stretched = row.is_of_cpu() and not bench.is_quick and not during
    options = load_options(row, peer, setting, seconds,
                           MAX_STRETCH if is_stretched else 1)
    with Load(bench.programs, **options) as load:
        ready = load.ready()
        clock = Clock(peer, row.is_tls, (load.pid, sink.pid))
        clock.start()

        def go():
            return run_load(load, clock, seconds, is_stretched)
        watched = during(go) if during else {"done": go()}
        used = clock.stop()
        after = sink.report()
        if row.load["op"] != "churn":
            check_owner(peer, peer.pid(row.is_tls) or load.pid, sink, after)
        load.finish()
    done = watched.pop("done")
    check_bytes(peer, row, done, delta(before, after, row.api))
    check_counters(peer, row, counters, done)
    return {**figures(done, ready, used), **watched}


def figures(done, ready, used):
    """Derived values beside the raw ones. The frames before the clock started
    are not counted: connections were opened, one request was tried."""
    requests = max(1, done["requests"] - 1)
    share = requests / max(1, done["requests"])
    gib = (done["request_bytes"] + done["answer_bytes"]) * share / GIB
    rate = done["measured"] / done["seconds"] if done["seconds"] > 0 else 0.0
    per_request = ((done["request_bytes"] + done["answer_bytes"])
                   / max(1, done["requests"]))
    latency = done["latency_us"]
    found = {
        **used,
        "requests": requests,
        "cpu_s_per_gib": used["cpu_s"] / gib if gib else 0.0,
        "cpu_all_s_per_gib": used["cpu_all_s"] / gib if gib else 0.0,
        "cpu_us_per_request": used["cpu_s"] / requests * 1e6,
        "cpu_all_us_per_request": used["cpu_all_s"] / requests * 1e6,
        "requests_per_s": rate,
        "mib_per_s": rate * per_request / MIB,
        "p50_us": latency["p50"],
        "p99_us": latency["p99"],
        "p999_us": latency["p999"],
        "tls": ready["tls"],
        "cipher": ready["cipher"],
        "versions": ready["versions"],
        "load": done,
    }
    if not used["has_proxy"]:
        found.update({key: None for key in found if key.startswith("cpu")})
    return found


def must_fail_when_stopped(bench, row, peer):
    """The same load without the proxy must not work."""
    options = load_options(row, peer, bench.setting, 0.2)
    with Load(bench.programs, **options) as load:
        try:
            load.ready(10)
        except BenchError:
            return
    raise BenchError(f"{peer.name}: the load works although it is stopped: "
                     "it never went through it")


def own_sink(bench, **options):
    """A sink beside the run's, for rows that need it to behave otherwise."""
    return Sink(bench.programs, nodes=len(bench.setting.sink.ports), **options)
