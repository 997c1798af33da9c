# SPDX-License-Identifier: Apache-2.0
"""The workloads: what is run, and what is read off it."""

import dataclasses
import typing

import measure
import special


@dataclasses.dataclass(frozen=True)
class Metric:
    """One figure of a row. key: in what the row's function returns."""

    key: str
    title: str
    digits: int = 2
    # Less what the same round measured without a proxy.
    is_added: bool = False
    # Beside the table: not compared.
    is_aside: bool = False


CPU_PER_GIB = (
    Metric("cpu_s_per_gib", "CPU-s/GiB", 3),
    Metric("mib_per_s", "MiB/s", 0),
    Metric("cpu_all_s_per_gib", "CPU-s/GiB, all processes", 3, is_aside=True),
)
CPU_PER_REQUEST = (
    Metric("cpu_us_per_request", "CPU µs/request", 1),
    Metric("requests_per_s", "requests/s", 0),
    Metric("cpu_all_us_per_request", "CPU µs/request, all processes", 1,
           is_aside=True),
)
LATENCY = (
    Metric("p50_us", "added p50, µs", 1, is_added=True),
    Metric("p99_us", "added p99, µs", 1, is_added=True),
    Metric("p50_us", "p50, µs", 1, is_aside=True),
    Metric("p99_us", "p99, µs", 1, is_aside=True),
    Metric("p999_us", "p99.9, µs", 1, is_aside=True),
)


@dataclasses.dataclass(frozen=True)
class Row:
    id: str
    title: str
    load: dict
    metrics: tuple
    is_tls: bool = False
    api: str = "Produce"
    run: typing.Callable = measure.traffic
    # Which kinds of peers; all where it is empty.
    kinds: tuple = ()
    # Deterministic or slow ones need no more.
    max_rounds: int = 1000
    # Whether it uses the peers that run all the time, or starts its own.
    is_fresh: bool = False

    def is_of_cpu(self):
        """Does it read CPU time off a load without a timetable?"""
        return ("rate" not in self.load
                and any(m.key.startswith("cpu") for m in self.metrics))

    def suits(self, peer):
        if self.kinds and type(peer).__name__ not in self.kinds:
            return False
        return peer.has_tls or not self.is_tls


def produce(size, connections, in_flight, **more):
    return {"op": "produce", "bytes": size, "connections": connections,
            "in_flight": in_flight, **more}


def fetch(size, connections, in_flight, **more):
    return {"op": "fetch", "bytes": size, "connections": connections,
            "in_flight": in_flight, **more}


# With its header a Produce frame of 1.1 kB.
SMALL = 1054

TRAFFIC = (
    Row("G1-produce-1", "Produce 1 MiB, 1 connection, 5 in flight",
        produce("1MiB", 1, 5), CPU_PER_GIB),
    Row("G1-produce-16", "Produce 1 MiB, 16 connections, 1 in flight",
        produce("1MiB", 16, 1), CPU_PER_GIB),
    Row("G1-fetch-1", "Fetch 1 MiB, 1 connection, 2 in flight",
        fetch("1MiB", 1, 2), CPU_PER_GIB, api="Fetch"),
    Row("G1-fetch-16", "Fetch 1 MiB, 16 connections, 1 in flight",
        fetch("1MiB", 16, 1), CPU_PER_GIB, api="Fetch"),
    Row("G2", "Produce 1.1 kB, 1 connection, 5 in flight",
        produce(SMALL, 1, 5), CPU_PER_REQUEST),
    Row("G2b-200", "Produce 1.1 kB, 200 connections, 1 in flight",
        produce(SMALL, 200, 1), CPU_PER_REQUEST),
    Row("G2b-16k", "Produce 16 KiB, 50 connections, 1 in flight",
        produce("16KiB", 50, 1), CPU_PER_REQUEST),
    Row("G3-produce", "TLS in, Produce 1 MiB, 1 connection, 5 in flight",
        produce("1MiB", 1, 5), CPU_PER_GIB, is_tls=True),
    Row("G3-fetch", "TLS in, Fetch 1 MiB, 1 connection, 2 in flight",
        fetch("1MiB", 1, 2), CPU_PER_GIB, is_tls=True, api="Fetch"),
    Row("G3-small", "TLS in, Produce 1.1 kB, 1 connection, 5 in flight",
        produce(SMALL, 1, 5), CPU_PER_REQUEST, is_tls=True),
    Row("G4-closed", "Produce 1.1 kB, 1 connection, 1 in flight",
        produce(SMALL, 1, 1), LATENCY),
    Row("G4-open", "Produce 1.1 kB, 1 000 requests/s over 10 connections",
        produce(SMALL, 10, 64, rate=1000), LATENCY),
    Row("G10", "connect, ApiVersions, close; 16 at a time",
        {"op": "churn", "connections": 16}, (
            Metric("requests_per_s", "connections/s", 0),
            Metric("cpu_us_per_request", "CPU µs/connection", 1)),
        api="ApiVersions"),
    Row("G19", "Metadata of 1 000 topics with 10 partitions",
        {"op": "metadata", "connections": 1, "in_flight": 1}, (
            Metric("cpu_us_per_request", "CPU µs/answer", 0),
            Metric("requests_per_s", "answers/s", 0)),
        api="Metadata"),
)

MEMORY = (
    Metric("rss_kib", "RSS KiB/connection", 1),
    Metric("stack_kib", "kernel stack KiB/connection (machine)", 1,
           is_aside=True),
    Metric("slab_kib", "slab KiB/connection (machine)", 1, is_aside=True),
    Metric("base_mib", "RSS MiB before", 1, is_aside=True),
)
IN_A_FRAME = (
    Metric("rss_kib", "RSS KiB/connection", 1),
    Metric("peak_kib", "peak RSS KiB/connection", 1, is_aside=True),
)
PROXIES = ("HAProxy", "Kproxy", "Grepplabs", "Kroxylicious")

SPECIAL = (
    Row("G7-plain", "idle connections, plain", {"op": "idle"}, MEMORY,
        run=special.idle, kinds=PROXIES + ("Direct",), is_fresh=True,
        max_rounds=3),
    Row("G7-tls", "idle connections, TLS", {"op": "idle"}, MEMORY,
        is_tls=True, run=special.idle, kinds=PROXIES, is_fresh=True,
        max_rounds=3),
    Row("G9", "9 900 connections at once, traffic on 100",
        produce(SMALL, 100, 64, rate=1000), (
            Metric("refused", "refused", 0),
            Metric("rss_mib", "RSS MiB", 1),
            Metric("p99_ratio", "p99 loaded / unloaded", 2),
            Metric("unloaded_p99_us", "p99 unloaded, µs", 1, is_aside=True),
            Metric("loaded_p99_us", "p99 loaded, µs", 1, is_aside=True)),
        run=special.crowd, kinds=("Kproxy",), is_fresh=True, max_rounds=3),
    Row("G11-produce", "in the middle of 100 MiB Produce frames",
        produce(special.HUGE, special.HUGE_CONNECTIONS, 1), IN_A_FRAME,
        run=special.stalled_produce, kinds=PROXIES, is_fresh=True,
        max_rounds=3),
    Row("G11-fetch", "in the middle of 100 MiB Fetch answers",
        fetch(special.HUGE, special.HUGE_CONNECTIONS, 1), IN_A_FRAME,
        api="Fetch", run=special.stalled_fetch, kinds=PROXIES, is_fresh=True,
        max_rounds=3),
    Row("G12", "from exec to the first answer", {}, (
        Metric("first_ms", "first start, ms", 1),
        Metric("again_ms", "with state, ms", 1, is_aside=True)),
        run=special.cold_start, kinds=PROXIES, is_fresh=True),
    Row("G15-produce", "user instructions, Produce 1.1 kB",
        produce(SMALL, 1, 1), (
            Metric("instructions", "instructions/frame", 0),),
        run=special.instructions, kinds=("Kproxy",), is_fresh=True,
        max_rounds=1),
    Row("G15-fetch", "user instructions, Fetch 1 kB",
        fetch(1000, 1, 1), (
            Metric("instructions", "instructions/frame", 0),),
        api="Fetch", run=special.instructions, kinds=("Kproxy",),
        is_fresh=True, max_rounds=1),
    Row("G15-other", "user instructions, Heartbeat",
        {"op": "heartbeat", "connections": 1, "in_flight": 1}, (
            Metric("instructions", "instructions/frame", 0),),
        api="Heartbeat", run=special.instructions, kinds=("Kproxy",),
        is_fresh=True, max_rounds=1),
    Row("G16-1", "system calls, Produce 1.1 kB, 1 in flight",
        produce(SMALL, 1, 1, requests=20000), (
            Metric("calls", "calls/frame", 2),),
        run=special.system_calls, kinds=PROXIES, max_rounds=3),
    Row("G16-5", "system calls, Produce 1.1 kB, 5 in flight",
        produce(SMALL, 1, 5, requests=20000), (
            Metric("calls", "calls/frame", 2),),
        run=special.system_calls, kinds=PROXIES, max_rounds=3),
)

ALL = TRAFFIC + SPECIAL


def choose(names):
    """Rows by id or by the beginning of one ("G1" is all of G1-…)."""
    if not names:
        return list(ALL)
    found = []
    for name in names:
        fits = [row for row in ALL
                if row.id == name or row.id.startswith(f"{name}-")]
        if not fits:
            known = ", ".join(row.id for row in ALL)
            raise SystemExit(f"run.py: no row {name}; there are {known}")
        found += [row for row in fits if row not in found]
    return found
