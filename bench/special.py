# SPDX-License-Identifier: Apache-2.0
"""Rows that are more than a load through a running peer: memory, start,
instructions, system calls. Each takes (bench, row, peer) and returns figures.
"""

import contextlib
import copy
import dataclasses
import functools
import os
import re
import select
import shutil
import signal
import subprocess
import time

import measure
import proc
from install import NotToBeHad
from kproxy_rig import wait_until
from peers import START_SECONDS, Setting, is_answering
from programs import BenchError, Load

# Below the limit of 100 MiB for a frame, header included.
HUGE = 104850000
HUGE_CONNECTIONS = 64
STALL_AFTER = "8MiB"
STILL, STILL_SECONDS = "500ms", 1.0

CROWD, CROWD_ACTIVE = 9900, 100
FEW_REQUESTS, MORE_REQUESTS = 500, 3000
# What a connection does nothing for before it counts as idle.
IDLE_SECONDS = 8
SETTLE_SECONDS = 0.2


@contextlib.contextmanager
def fresh(bench, peer, sink=None, **options):
    """The peer started anew, in front of a sink of its own if one is given."""
    setting = bench.setting
    if sink is not None:
        setting = Setting(setting.folder, sink, setting.certificate,
                          setting.ca)
    peer = copy.copy(peer)
    peer.start(setting, **options)
    try:
        yield peer, setting
    finally:
        peer.stop()


def settled_rss(pid):
    """RSS once it no longer changes, in KiB; 0 without a process."""
    if not pid:
        return 0
    last = -1
    for _ in range(20):
        now = proc.rss_kib(pid)
        if now == last:
            break
        last = now
        time.sleep(SETTLE_SECONDS)
    return now


def idle_options(row, peer, setting, connections):
    options = measure.load_options(row, peer, setting, 1)
    options.update(connections=connections)
    return options


def try_once(bench, row, peer, setting):
    """One connection before the first reading: what is made once is made."""
    options = idle_options(row, peer, setting, 1)
    with Load(bench.programs, **options) as load:
        load.ready()
        load.go()
        load.done(10)
        load.finish()


def idle(bench, row, peer):
    """Memory of connections that were answered once and then do nothing."""
    count = 300 if bench.is_quick else 2000
    with fresh(bench, peer) as (peer, setting):
        try_once(bench, row, peer, setting)
        pid = peer.pid(row.is_tls)
        base, kernel = settled_rss(pid), proc.kernel_kib()
        options = idle_options(row, peer, setting, count)
        with Load(bench.programs, **options) as load:
            ready = load.ready()
            measure.must(ready["failed"] == 0, f"{peer.name}: "
                         f"{ready['failed']} connections were refused")
            time.sleep(IDLE_SECONDS)
            rss = settled_rss(pid)
            stack, slab = (new - old for new, old in
                           zip(proc.kernel_kib(), kernel))
            measure.check_owner(peer, pid or load.pid, setting.sink,
                                setting.sink.report())
            load.go()
            load.done(10)
            load.finish()
    return {"rss_kib": (rss - base) / count, "stack_kib": stack / count,
            "slab_kib": slab / count, "base_mib": base / 1024,
            "connections": count, "tls": ready["tls"],
            "cipher": ready["cipher"]}


def crowd(bench, row, peer):
    """Very many connections at once, and what traffic notices of them."""
    count = 1000 if bench.is_quick else CROWD
    with fresh(bench, peer) as (peer, setting):
        alone = measure.traffic(bench, row, peer, setting=setting)
        options = {**idle_options(row, peer, setting, count - CROWD_ACTIVE),
                   "op": "idle", "rate": None, "in_flight": None}
        with Load(bench.programs, **options) as load:
            ready = load.ready(300)
            setting.sink.report()  # from here on: ports with traffic
            among = measure.traffic(bench, row, peer, setting=setting)
            rss = proc.rss_kib(peer.pid())
            load.go()
            lost = load.done(10)["failed"]
            load.finish()
    return {"refused": lost, "connections": ready["connections"],
            "rss_mib": rss / 1024,
            "unloaded_p99_us": alone["p99_us"], "loaded_p99_us":
            among["p99_us"], "p99_ratio": among["p99_us"] / alone["p99_us"]}


def wait_until_still(sink):
    """Until every buffer on the way is full: the sink moves nothing more."""
    last = -1
    for _ in range(60):
        now = sink.report()["moved_bytes"]
        if now == last:
            return
        last = now
        time.sleep(STILL_SECONDS)
    raise BenchError("stalled connections do not come to rest")


def in_a_frame(bench, row, peer, sink, is_there=lambda: None, **options):
    """RSS while every connection has moved a part of a frame and no more.
    is_there waits for that, where the load cannot know."""
    with fresh(bench, peer, sink) as (peer, setting):
        try_once(bench, IDLE, peer, setting)
        pid = peer.pid()
        base = settled_rss(pid)
        options = {**measure.load_options(row, peer, setting, 1),
                   "until_still": STILL, **options}
        with Load(bench.programs, **options) as load:
            load.ready()
            load.go()
            load.done(120)
            is_there()
            wait_until_still(sink)
            rss, peak = settled_rss(pid), proc.peak_rss_kib(pid)
            owned = proc.owned_ports(pid, sink.ports)
            measure.must(len(owned) >= HUGE_CONNECTIONS, f"{peer.name}: only "
                         f"{len(owned)} connections at the sink")
            load.finish()
    return {"rss_kib": (rss - base) / HUGE_CONNECTIONS,
            "peak_kib": (peak - base) / HUGE_CONNECTIONS}


def stalled_produce(bench, row, peer):
    with measure.own_sink(bench, stall_after=STALL_AFTER) as sink:
        def is_there():
            wait_until(lambda: sink.report()["stalled"] == HUGE_CONNECTIONS,
                       60, "connections inside a frame")
        return in_a_frame(bench, row, peer, sink, is_there)


def stalled_fetch(bench, row, peer):
    with measure.own_sink(bench) as sink:
        return in_a_frame(bench, row, peer, sink, stall_after=STALL_AFTER)


class Idle:
    """Stands for a row where only its connections matter."""

    load = {"op": "idle"}
    is_tls = False
    api = "ApiVersions"


IDLE = Idle()


def milliseconds_to_answer(setting, peer):
    """From starting the process to the first answer that a client gets; one
    or two of them are the starting of any process."""
    started = time.perf_counter()
    peer.launch(setting)
    while not is_answering(peer.plain_address):
        measure.must(time.perf_counter() - started < START_SECONDS,
                     f"{peer.name} does not answer")
        time.sleep(0.0002)
    return (time.perf_counter() - started) * 1000


def cold_start(bench, row, peer):
    """The first start of a node, and a second one with the state of it."""
    found = {}
    peer = copy.copy(peer)
    peer.prepare(bench.setting)
    for key in ("first_ms", "again_ms"):
        try:
            found[key] = milliseconds_to_answer(bench.setting, peer)
            peer.wait_ready(bench.setting)
        finally:
            peer.stop()
    return found


def instructions(bench, row, peer):
    """User instructions of the worker for a frame, by callgrind: the difference
    of two runs, so that starting and stopping cancel out. A request and its
    answer are two frames."""
    totals = [count_instructions(bench, row, peer, requests)
              for requests in (FEW_REQUESTS, MORE_REQUESTS)]
    frames = 2 * (MORE_REQUESTS - FEW_REQUESTS)
    return {"instructions": (totals[1] - totals[0]) / frames,
            "method": "callgrind on the worker, built without its sandbox"}


def without_sandbox(peer):
    """The same peer of the preset "profile", which is built beside it."""
    peer = copy.copy(peer)
    peer.build = peer.build.parent / "profile"
    if peer.missing():
        raise NotToBeHad(f"{peer.missing()}: cmake --preset profile")
    return peer


def count_instructions(bench, row, peer, requests):
    must_have("valgrind")
    peer = without_sandbox(peer)
    out = bench.out / f"callgrind-{peer.name}-{row.id}-{requests}"
    log = out.with_suffix(".log")
    log.unlink(missing_ok=True)
    preload = bench.programs / "libkp_bench_under.so"
    environment = {
        "LD_PRELOAD": str(preload),
        "KP_BENCH_UNDER": f"valgrind --tool=callgrind --log-file={log} "
                          f"--callgrind-out-file={out.with_suffix('.out')}"}
    row = dataclasses.replace(row, load={**row.load, "requests": requests})
    with fresh(bench, peer, env=environment) as (peer, setting):
        measure.traffic(bench, row, peer, setting=setting)
    found = re.search(r"Collected : (\d+)", log.read_text())
    measure.must(found, f"callgrind has not counted: see {log}")
    return int(found.group(1))


def must_have(program):
    if shutil.which(program) is None:
        raise NotToBeHad(f"{program} is not installed")


def system_calls(bench, row, peer):
    """System calls of the proxy for a frame."""
    pid = peer.pid(row.is_tls)
    count = with_perf if has_tracepoints() else with_strace

    def during(go):
        calls, done, method = count(bench, pid, go)
        frames = 2 * (done["requests"] - 1)
        return {"done": done, "calls": calls / frames, "method": method}
    return measure.traffic(bench, row, peer, during=during)


TRACEPOINT = "raw_syscalls:sys_enter"


@functools.cache
def has_tracepoints():
    if shutil.which("perf") is None:
        return False
    done = subprocess.run(["perf", "stat", "-e", TRACEPOINT, "true"],
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    return done.returncode == 0


def with_perf(bench, pid, go):
    """Counts at the kernel's tracepoint: costs next to nothing."""
    control, ack = os.pipe(), os.pipe()
    out = bench.out / "perf.csv"
    perf = subprocess.Popen(
        ["perf", "stat", "-x", ",", "-o", out, "-e", TRACEPOINT, "-D", "-1",
         "-p", str(pid), f"--control=fd:{control[0]},{ack[1]}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, pass_fds=(control[0], ack[1]))
    try:
        for command in (b"enable", b"disable"):
            os.write(control[1], command + b"\n")
            ready, _, _ = select.select([ack[0]], [], [], 10)
            measure.must(ready and os.read(ack[0], 16).startswith(b"ack"),
                         "perf does not answer")
            if command == b"enable":
                done = go()
    finally:
        perf.send_signal(signal.SIGINT)
        perf.wait()
        for fd in (*control, *ack):
            os.close(fd)
    found = re.search(rf"^(\d+),.*{TRACEPOINT}", out.read_text(), re.M)
    measure.must(found, f"perf has not counted: see {out}")
    return int(found.group(1)), done, "counted with perf at " + TRACEPOINT


def with_strace(bench, pid, go):
    """Counts by stopping the process at each call, which slows it down."""
    must_have("strace")
    out = bench.out / "strace.txt"
    strace = subprocess.Popen(
        ["strace", "-c", "-f", "-p", str(pid), "-o", out],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True)
    try:
        line = strace.stderr.readline()
        measure.must("attached" in line, f"strace: {line.strip()}")
        done = go()
    finally:
        strace.send_signal(signal.SIGINT)
        strace.communicate()
    found = re.search(r"^100\.00\s+\S+\s+(?:\d+\s+)?(\d+).*total$",
                      out.read_text(), re.M)
    measure.must(found, f"strace has not counted: see {out}")
    return int(found.group(1)), done, "counted with strace"
