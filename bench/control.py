#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a policy server, what it takes to be heard by many nodes, and a node
with many resources. See README.md.

    control.py                          1 000 agents
    control.py --agents 50 --rounds 3   does it work at all?
    control.py --only node,traffic      a part
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "integration"), str(ROOT / "scripts")]

import control_node  # noqa: E402
import policy_server  # noqa: E402
from policy_server import PolicyServer  # noqa: E402

FEW, MANY = 1000, 10000
TRIES = 5


def median(values):
    return statistics.median(list(values))


def measure_pushes(server, agents, rounds, number, results):
    lags = []
    for _ in range(rounds):
        applied = server.change(number)
        lags.append(agents.wait_for("revision", revision=applied["revision"]))
    name = f"push of {number} changed resource{'s' * (number > 1)}"
    results[f"{name}: the last agent, median ms"] = median(
        lag["max_ms"] for lag in lags)
    results[f"{name}: the last agent, worst ms"] = max(
        lag["max_ms"] for lag in lags)
    results[f"{name}: an agent's median ms"] = median(
        lag["median_ms"] for lag in lags)


def measure_storm(server, agents, results):
    """The server starts anew, and all come back at once."""
    server.stop()
    start = time.monotonic()
    server.start()
    agents.wait_for("connected")
    results["storm: all are back, s"] = time.monotonic() - start
    results["storm: peak RSS, MiB"] = server.peak_mib()
    applied = server.change(1)
    lag = agents.wait_for("revision", revision=applied["revision"])
    results["storm: the first push after it, ms"] = lag["max_ms"]


def measure_fleet(setting, options, results):
    with PolicyServer(setting, options.resources) as server:
        start = time.monotonic()
        with policy_server.Agents(setting, server) as agents:
            agents.wait_for("connected")
            results[f"{setting.agents} agents connect, s"] = (
                time.monotonic() - start)
            server.change(1)
            measure_pushes(server, agents, options.rounds, 1, results)
            measure_pushes(server, agents, max(2, options.rounds // 4),
                           options.resources, results)
            results["RSS of the server, MiB"] = server.rss_mib()
            results["RSS of the server, peak, MiB"] = server.peak_mib()
            measure_storm(server, agents, results)


def measure_answers(setting, options, results):
    """Transactions of 1 000 resources, and 10 000 that are read."""
    for there in (FEW, MANY):
        with PolicyServer(setting, there) as server:
            results[f"Apply of {FEW} of {there} resources, ms"] = median(
                server.change(FEW)["ms"] for _ in range(TRIES))
            results[f"Apply of one of {there} resources, ms"] = median(
                server.change(1)["ms"] for _ in range(TRIES))
            results[f"List of {there} resources, ms"] = median(
                server.list()["ms"] for _ in range(TRIES))
            for words in (("get", "clusters"), ("get", "clusters", "-o", "yaml"),
                          ("get", "cluster", "bench-00007"), ("status",)):
                results[f"kpctl {' '.join(words)} with {there} resources, ms"] = (
                    median(server.kpctl(*words)[1] for _ in range(TRIES)))


PARTS = {
    "fleet": measure_fleet,
    "answers": measure_answers,
    "node": control_node.measure_many,
    "traffic": control_node.measure_traffic,
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--resources", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", default=",".join(PARTS),
                        help=f"of {', '.join(PARTS)}")
    parser.add_argument("--build", type=pathlib.Path,
                        default=ROOT / "build" / "release")
    options = parser.parse_args()
    options.only = options.only.split(",")
    strange = [name for name in options.only if name not in PARTS]
    if strange:
        parser.error(f"no part {strange[0]}; there are {', '.join(PARTS)}")
    return options


def main():
    options = parse()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="kp-bench-control-"))
    try:
        setting = policy_server.Setting(options.build, options.agents, folder)
        for name in options.only:
            results = {}
            PARTS[name](setting, options, results)
            for what, value in results.items():
                print(f"{what:64} {value:10.2f}", flush=True)
    finally:
        shutil.rmtree(folder)
    print(f"load of the machine at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
