# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost, twice, out of order, changed or invented, whatever fails.

KP_HISTORY_SECONDS is how long faults happen (105), KP_HISTORY_SEED which ones
(by default another seed each time; it is printed). `make soak` runs it for an
hour.
"""
import os
import random

import conftest
import kproxy_rig
import pytest
import rig
from history import checker, figures, run, sabotage

SECONDS = int(os.environ.get("KP_HISTORY_SECONDS", "105"))
SEED = int(os.environ.get("KP_HISTORY_SEED") or random.randrange(10**6))

# Small enough for some records to be refused.
SETTINGS = {"message.max.bytes": 131072}


@pytest.fixture(scope="module")
def history_cluster(tmp_path_factory):
    with conftest.running_cluster(tmp_path_factory, "4.3.1", run.Cluster,
                                  brokers=3, settings=SETTINGS) as found:
        yield found


def test_nothing_is_lost(history_cluster, clients, tmp_path, capsys):
    def say(text):
        with capsys.disabled():
            print(f"\n{text}", end="", flush=True)
    say(f"seed {SEED}, {SECONDS} s")
    with run.Run(history_cluster, clients.commands, tmp_path, SEED,
                 say) as one:
        one.wait_flowing()
        one.disturb(SECONDS, lambda counts: not any(
            figures.too_few_ended(counts, SECONDS)))
        one.settle()
        one.judge()
        one.wait_idle()
        one.note("idle")
        for line in figures.lines_of(one, SECONDS):
            say(line)
        assert not list(figures.faults_of(one, SECONDS))


def test_what_a_broken_relay_does_is_found(history_cluster, clients, tmp_path):
    """One request sent twice and one only acknowledged, among thousands; and a
    group that gets what is not committed."""
    known = rig.definitions(history_cluster.version)
    with run.Run(history_cluster, clients.commands, tmp_path, SEED, print,
                 lambda routes: sabotage.Broken(
                     routes, known, "java-plain", "java-classic")) as one:
        one.wait_flowing()
        kproxy_rig.wait_until(lambda: not one.wire.todo, 30, "sabotage")
        kproxy_rig.wait_until(lambda: one.counts()["flushed"], 30,
                              "a transaction to abort that is stored")
        one.settle()
        one.judge()
    # whether it got a transaction before its commit is a matter of time
    assert one.verdict.counts.keys() - {checker.EARLY_READ} == {
        checker.LOST, checker.DUPLICATED, checker.ABORTED_READ}
    assert [who for who, *_ in one.ledger.invented if who[1] != "Fetch"] == [
        ("java-plain", "Produce")]
    assert {client.rpartition("-")[0] for (client, api), *_ in
            one.ledger.invented if api == "Fetch"} == {"java-classic"}
