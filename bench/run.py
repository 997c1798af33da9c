#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures kproxy beside its peers: all started at once, in front of the same
sink, under the same load, round by round in turn. See README.md.

    run.py                              everything, about half an hour
    run.py --only G1,G2 --peers direct,haproxy,kproxy
    run.py --kproxy before=DIR --kproxy after=build/release --only G2
    run.py --quick                      does it work at all?
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "integration")]

import certificates  # noqa: E402
import measure  # noqa: E402
import peers as all_peers  # noqa: E402
import proc  # noqa: E402
import report  # noqa: E402
import rows as all_rows  # noqa: E402
from install import NotToBeHad  # noqa: E402
from programs import BenchError, Sink  # noqa: E402

OUT = ROOT / "build" / "bench"
NODES, TOPICS, PARTITIONS = 3, 1000, 10


class Bench:
    """What rows need to know of the run."""

    def __init__(self, options, setting):
        self.programs = ROOT / "build" / "release" / "bin"
        self.out = OUT
        self.seconds = options.seconds
        self.is_quick = options.quick
        self.setting = setting


def say(text):
    print(text, flush=True)


def parse_kproxy(text):
    label, equals, build = text.partition("=")
    if not equals or not label or not pathlib.Path(build).is_dir():
        raise argparse.ArgumentTypeError(f"not LABEL=BUILD_DIR: {text}")
    return label, build


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    comma = lambda text: text.split(",")  # noqa: E731
    parser.add_argument("--only", type=comma, metavar="ROW,…",
                        help="rows, or beginnings of them: G1, G2b-16k")
    parser.add_argument("--peers", type=comma, metavar="NAME,…",
                        help="peers (default: all that can be had)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=4.0, metavar="S",
                        help="of load for each point (4)")
    parser.add_argument("--kproxy", type=parse_kproxy, action="append",
                        metavar="LABEL=BUILD_DIR", default=[],
                        help="a build to measure; may be given again\n"
                        "(default: kproxy=build/release)")
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE",
                        help="write the tables there as well")
    parser.add_argument("--quick", action="store_true",
                        help="one short round: to see that all works")
    parser.add_argument("--list", action="store_true", help="rows and peers")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    options.kproxy = dict(options.kproxy) or {
        "kproxy": str(ROOT / "build" / "release")}
    return options


def list_all(options):
    for row in all_rows.ALL:
        say(f"{row.id:<14}{row.title}")
    for peer in all_peers.known(options.kproxy).values():
        why = peer.missing()
        say(f"{peer.name:<14}{f'not to be had: {why}' if why else 'here'}")


def choose_peers(options):
    """(peers to measure, {name: why not})."""
    known = all_peers.known(options.kproxy)
    names = options.peers or list(known)
    strange = [name for name in names if name not in known]
    if strange:
        raise SystemExit(f"run.py: no peer {strange[0]}; there are "
                         f"{', '.join(known)}")
    found, missing = [], {}
    for name in known:
        if name not in names:
            continue
        why = known[name].missing()
        if why:
            missing[name] = why
            say(f"peer {name}: not to be had: {why}")
        else:
            found.append(known[name])
    if not found:
        raise SystemExit("run.py: none of the peers can be had")
    return found, missing


def must_be_able_to_look():
    """The worker is not dumpable: only root sees its sockets and memory."""
    if os.geteuid() != 0:
        raise SystemExit("run.py: run as root, for kproxy's worker lets nobody "
                         "else see its sockets and memory")




def context(options, peers, missing):
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return {
        "date": datetime.date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "machine": proc.machine(),
        "rounds": options.rounds,
        "seconds": options.seconds,
        "quick": options.quick,
        "peers": {peer.name: peer.describe() for peer in peers},
        "missing": missing,
    }


def warm_up(bench, peer):
    """A virtual machine is measured once it has compiled what it runs."""
    if peer.warmup_seconds == 0 or bench.is_quick:
        return
    some = [row for row in all_rows.TRAFFIC
            if row.id in ("G1-produce-1", "G1-fetch-1", "G2", "G2b-200",
                          "G3-produce", "G3-small")]
    for row in some:
        say(f"  {peer.name} warms up: {row.id}")
        measure.traffic(bench, row, peer, peer.warmup_seconds / len(some))


class Run:
    """All rows, one after the other."""

    def __init__(self, bench, options, peers):
        self.bench, self.options, self.peers = bench, options, peers
        self.tables, self.raw, self.failures = [], [], []

    def one(self, table, row, number, peer):
        label = f"{row.id} {number + 1} {peer.name}"
        try:
            found = row.run(self.bench, row, peer)
        except (BenchError, AssertionError, proc.GoneError) as error:
            self.failures.append(f"{label}: {error}")
            say(f"  {label}: FAILED: {error}")
            return
        except NotToBeHad as error:
            self.failures.append(f"{label}: {error}")
            say(f"  {label}: {error}")
            return
        table.add(peer.name, number, found)
        self.raw.append({"row": row.id, "round": number + 1,
                         "peer": peer.name, **found})
        texts = [f"{metric.title} {found[metric.key]:.{metric.digits}f}"
                 for metric in row.metrics
                 if not metric.is_added and found[metric.key] is not None]
        say(f"  {label:<34}{'  '.join(texts)}")

    def row(self, row):
        peers = [peer for peer in self.peers if row.suits(peer)]
        rounds = min(self.options.rounds, row.max_rounds)
        say(f"{row.id}: {row.title}; {rounds} rounds of "
            f"{', '.join(peer.name for peer in peers) or 'nobody'}")
        table = report.Table(row, peers)
        for number in range(rounds):
            for peer in peers:
                self.one(table, row, number, peer)
        self.tables.append(table)
        for line in report.lines(table):
            say(line)

    def check_stopped(self):
        """Without a proxy no load may work: else it went past it."""
        row = all_rows.choose(["G2"])[0]
        for peer in self.peers:
            if isinstance(peer, all_peers.Direct):
                continue
            peer.stop()
            try:
                measure.must_fail_when_stopped(self.bench, row, peer)
                say(f"{peer.name}: stopped, and the load fails as it must")
            except BenchError as error:
                self.failures.append(str(error))
                say(f"FAILED: {error}")


def save(run, about, options):
    about["load_average_after"] = os.getloadavg()
    results = {**about, "failures": run.failures,
               "summary": report.summaries(run.tables), "rows": run.raw}
    path = OUT / "results.json"
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    say(f"raw rows: {path.relative_to(ROOT)}")
    if options.markdown:
        text = "\n".join(report.markdown(run.tables, about)) + "\n"
        options.markdown.write_text(text)
        say(f"tables: {options.markdown}")


def measure_all(options, chosen, peers, missing):
    folder = OUT / "run"
    shutil.rmtree(folder, ignore_errors=True)
    authority = certificates.Authority(folder / "certificates")
    certificate = authority.issue("proxy", f"IP:{all_peers.HOST}")
    about = context(options, peers, missing)
    programs = ROOT / "build" / "release" / "bin"
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(
            Sink(programs, nodes=NODES, topics=TOPICS, partitions=PARTITIONS))
        setting = all_peers.Setting(folder, sink, certificate, authority.ca)
        bench = Bench(options, setting)
        for peer in peers:
            stack.callback(peer.stop)
            peer.start(setting)
            say(f"peer {peer.name}: {about['peers'][peer.name]}")
        for peer in peers:
            warm_up(bench, peer)
        run = Run(bench, options, peers)
        for row in chosen:
            run.row(row)
        run.check_stopped()
        sink.stop()
    save(run, about, options)
    return run.failures


def main():
    options = parse()
    if options.list:
        list_all(options)
        return 0
    chosen = all_rows.choose(options.only)
    must_be_able_to_look()
    peers, missing = choose_peers(options)
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    failures = measure_all(options, chosen, peers, missing)
    say(f"took {int(time.monotonic() - started)} s")
    for failure in failures:
        say(f"failed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
