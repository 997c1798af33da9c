#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a policy server under many agents: how long a change takes to be in
force everywhere, what the server takes of memory, and how it fares when all
come back at once. See README.md.

    control.py                          1 000 agents, a server of its own
    control.py --agents 50 --rounds 3   does it work at all?
    control.py --server host:port --ca F --operator F.crt,F.key --pairs DIR
                                        a kpserver that is there already
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent
sys.path[:0] = [str(ROOT / "scripts")]

import certificates  # noqa: E402
import proc  # noqa: E402
from programs import JsonProcess  # noqa: E402

PER_CERTIFICATE = 31  # as in control_agents.c
PATIENCE = 120


class Setting:
    """Where the server is, and the certificates of all."""

    def __init__(self, options, folder):
        self.programs = options.build / "bin"
        self.agents = options.agents
        self.folder = folder
        self.server = options.server
        self.server_name = options.server_name
        if options.server:
            self.ca, self.pairs = options.ca, options.pairs
            self.operator = options.operator.split(",")
            return
        authority = certificates.Authority(folder / "certificates")
        self.ca, self.pairs = authority.ca, authority.folder
        made = authority.issue("server", "IP:127.0.0.1")
        self.server_pair = made.certificate, made.key
        for group in range((self.agents - 1) // PER_CERTIFICATE + 1):
            first = group * PER_CERTIFICATE
            authority.issue(
                f"agents-{group}",
                *(f"DNS:agent-{first + i}" for i in range(PER_CERTIFICATE)))


class OwnServer:
    """kp_bench_hub over a store of its own."""

    def __init__(self, setting, resources):
        self.setting = setting
        self.store = setting.folder / f"store-{resources}.db"
        self.resources = resources
        self.listen = "127.0.0.1:0"
        self.start()

    def start(self):
        certificate, key = self.setting.server_pair
        self.process = JsonProcess([
            self.setting.programs / "kp_bench_hub", f"--listen={self.listen}",
            f"--store={self.store}", f"--resources={self.resources}",
            f"--ca={self.setting.ca}", f"--certificate={certificate}",
            f"--key={key}"])
        self.port = self.process.next("listening", PATIENCE)["port"]
        self.listen = f"127.0.0.1:{self.port}"

    def ask(self, command, event):
        self.process.process.stdin.write(f"{command}\n".encode())
        return self.process.next(event, PATIENCE)

    def change(self, num):
        return self.ask(f"change {num}", "applied")

    def rss_mib(self):
        return proc.rss_kib(self.process.pid) / 1024

    def peak_mib(self):
        return proc.peak_rss_kib(self.process.pid) / 1024

    def stop(self):
        self.process.close()


class ThatServer:
    """A kpserver that somebody else has started."""

    def __init__(self, setting):
        certificate, key = setting.operator
        command = [setting.programs / "kp_bench_operator",
                   f"--server={setting.server}", f"--ca={setting.ca}",
                   f"--certificate={certificate}", f"--key={key}"]
        if setting.server_name:
            command.append(f"--server-name={setting.server_name}")
        self.listen = setting.server
        self.process = JsonProcess(command)

    def ask(self, command, event):
        self.process.process.stdin.write(f"{command}\n".encode())
        return self.process.next(event, PATIENCE)

    def change(self, num):
        return self.ask(f"change {num}", "applied")

    def stop(self):
        self.process.close()


def start_agents(setting, server):
    command = [setting.programs / "kp_bench_agents",
               f"--agents={setting.agents}", f"--server={server.listen}",
               f"--ca={setting.ca}", f"--pairs={setting.pairs}"]
    if setting.server_name:
        command.append(f"--server-name={setting.server_name}")
    return JsonProcess(command)


def next_of(agents, event, **wanted):
    """The next line of that event, others are passed over."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        while b"\n" not in agents.pending:
            if not agents.has_output(PATIENCE):
                raise TimeoutError(f"no {event} within {PATIENCE} s")
            data = agents.process.stdout.read(1 << 16)
            if not data:
                raise RuntimeError(agents.process.stderr.read().decode())
            agents.pending += data
        line, _, agents.pending = agents.pending.partition(b"\n")
        found = json.loads(line)
        if found["event"] == event and all(
                found[key] == value for key, value in wanted.items()):
            return found
    raise TimeoutError(f"no {event} {wanted} within {PATIENCE} s")


def measure_pushes(server, agents, rounds, num, results):
    lags = []
    for _ in range(rounds):
        applied = server.change(num)
        lags.append(next_of(agents, "revision", revision=applied["revision"]))
    name = f"push of {num} changed resource{'s' * (num > 1)}"
    results[f"{name}: in force everywhere, median ms"] = statistics.median(
        lag["max_ms"] for lag in lags)
    results[f"{name}: in force everywhere, worst ms"] = max(
        lag["max_ms"] for lag in lags)
    results[f"{name}: an agent's median ms"] = statistics.median(
        lag["median_ms"] for lag in lags)


def measure_storm(server, agents, results):
    server.stop()
    server.start()
    start = time.monotonic()
    next_of(agents, "connected")
    results["storm: all are back, s"] = time.monotonic() - start
    results["storm: peak RSS, MiB"] = server.peak_mib()
    applied = server.change(1)
    lag = next_of(agents, "revision", revision=applied["revision"])
    results["storm: the first push after it, ms"] = lag["max_ms"]


def measure_fleet(setting, options, results):
    is_own = not options.server
    server = OwnServer(setting, options.resources) if is_own else ThatServer(setting)
    with contextlib.closing(Stopper(server)):
        with start_agents(setting, server) as agents:
            start = time.monotonic()
            next_of(agents, "connected")
            results[f"{setting.agents} agents connect, s"] = (
                time.monotonic() - start)
            server.change(1)
            measure_pushes(server, agents, options.rounds, 1, results)
            measure_pushes(server, agents, max(2, options.rounds // 4),
                           options.resources, results)
            if is_own:
                results["RSS of the server, MiB"] = server.rss_mib()
                results["RSS of the server, peak, MiB"] = server.peak_mib()
                measure_storm(server, agents, results)


class Stopper:
    def __init__(self, server):
        self.server = server

    def close(self):
        self.server.stop()


def measure_changes(setting, options, results):
    """One transaction with 1 000 resources, and 10 000 to be read."""
    if options.server:
        server = ThatServer(setting)
        with contextlib.closing(Stopper(server)):
            results["apply of 1 000 resources, ms"] = statistics.median(
                server.change(1000)["ms"] for _ in range(5))
            listed = server.ask("list", "listed")
            results[f"list of {listed['resources']} resources, ms"] = (
                statistics.median(server.ask("list", "listed")["ms"]
                                  for _ in range(5)))
        return
    for there in (1000, 10000):
        server = OwnServer(setting, there)
        with contextlib.closing(Stopper(server)):
            results[f"apply of 1 000 of {there} resources, ms"] = (
                statistics.median(server.change(1000)["ms"] for _ in range(5)))
            results[f"read {there} resources from the store, ms"] = (
                statistics.median(server.ask("load", "loaded")["ms"]
                                  for _ in range(5)))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--resources", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release")
    parser.add_argument("--server", help="host:port of a kpserver")
    parser.add_argument("--server-name")
    parser.add_argument("--ca")
    parser.add_argument("--operator", help="certificate,key of an editor")
    parser.add_argument("--pairs", help="folder, see kp_bench_agents --help")
    options = parser.parse_args()
    if options.server and not (
            options.ca and options.operator and options.pairs):
        parser.error("--server needs --ca, --operator and --pairs")
    return options


def main():
    options = parse()
    results = {}
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kp-bench-control-"))
    try:
        setting = Setting(options, folder)
        measure_fleet(setting, options, results)
        measure_changes(setting, options, results)
    finally:
        shutil.rmtree(folder)
    results["load of the machine at the end"] = os.getloadavg()[0]
    for name, value in results.items():
        print(f"{name:60} {value:10.1f}")


if __name__ == "__main__":
    main()
