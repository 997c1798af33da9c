# SPDX-License-Identifier: Apache-2.0
"""A run made by hand keeps all bounds; each thing that is wrong with one is
said.
"""
import collections
import types

import pytest

from history import checker, faults, figures, memory, record, wire

SECONDS = 10
PER_KIND = 400
HALF_S = figures.JUDGED_FROM_S


def samples(rise_of=None, rise=0):
    """Of a run whose second half is just long enough to be judged."""
    found = []
    for second in range(0, 2 * HALF_S + 1, 10):
        values = {"rss_kib": 5000, "fds": 80, "pipes": 2, "threads": 30}
        if rise_of:
            values[rise_of] += rise * second / HALF_S
        found.append(memory.Sample(second, 1, **values))
    return found


def good_run():
    one = types.SimpleNamespace(
        seed=1, verdict=checker.Verdict(), stored=4, hidden=2, generation=9,
        refused=1, restarts={"worker": 1, "agent": 1}, fault_began=0,
        fault_ended=2 * HALF_S, history=record.History(),
        ledger=wire.Ledger({}))
    for kind in figures.ACKED_PER_S:
        one.history.kinds[kind] = kind
        for number in range(PER_KIND):
            sent = one.history.sends[kind, number] = record.Sent(0, 0)
            sent.outcome = record.ACKED
    one.history.sends[record.PLAIN, 0].outcome = record.FAILED
    one.events = collections.Counter(committed=9, aborted=9)
    one.counts = lambda: one.events
    one.ledger.arrived.update(figures.SEEN)
    one.faults = types.SimpleNamespace(
        counts=collections.Counter({kind: 1 for kind in faults.ALL}))
    one.cluster = types.SimpleNamespace(
        brokers=[types.SimpleNamespace(address="127.77.0.1")])
    one.proxy = types.SimpleNamespace(text=lambda: "127.78.0.1")
    one.watch = types.SimpleNamespace(
        samples={name: samples() for name in memory.PROCESSES})
    return one


def said(one):
    return list(figures.faults_of(one, SECONDS))


def test_a_good_run_is_good():
    assert said(good_run()) == []
    first, *rest = figures.lines_of(good_run(), SECONDS)
    assert first.endswith("lost 0, duplicated 0, reordered 0")
    assert [line for line in rest if line.startswith("worker, last 240 s: "
                                                     "rss_kib 5000 to 5000")]


def test_a_violation_is_said():
    one = good_run()
    one.verdict.add(checker.LOST, "something")
    assert said(one) == ["lost: something"]


def test_an_invented_request_is_said():
    one = good_run()
    one.ledger.note_arrived(b"nobody sent this")
    assert len(said(one)) == 1


@pytest.mark.parametrize("kind", faults.ALL)
def test_a_kind_of_fault_that_is_missing_is_said(kind):
    one = good_run()
    del one.faults.counts[kind]
    assert f"there was no fault of kind {kind}" in said(one)


@pytest.mark.parametrize("change", [
    lambda one: setattr(one, "refused", 0),
    lambda one: setattr(one, "generation", 0),
    lambda one: setattr(one, "hidden", 0),
    lambda one: setattr(one, "restarts", {"worker": 2, "agent": 1}),
    lambda one: setattr(one.proxy, "text", lambda: "to 127.77.0.1:9092"),
    lambda one: one.events.pop("committed"),
    lambda one: one.events.pop("aborted"),
    lambda one: setattr(one.history.sends[record.PLAIN, 0], "outcome",
                        record.ACKED)])
def test_an_idle_run_is_said(change):
    one = good_run()
    change(one)
    assert len(said(one)) == 1


@pytest.mark.parametrize("client,api", figures.SEEN)
def test_a_client_that_was_not_seen_is_said(client, api):
    one = good_run()
    del one.ledger.arrived[client, api]
    assert said(one) == [f"no {api} of {client} was seen at a broker"]


@pytest.mark.parametrize("kind", figures.ACKED_PER_S)
def test_an_idle_producer_is_said(kind):
    one = good_run()
    for (producer, _), sent in one.history.sends.items():
        if producer == kind and sent.outcome == record.ACKED:
            sent.outcome = record.UNKNOWN
    assert said(one) == [f"only 0 records of {kind} producers acknowledged"]


@pytest.mark.parametrize("field,bound", figures.RISE.items())
@pytest.mark.parametrize("name", memory.PROCESSES)
def test_what_rises_is_said(name, field, bound):
    one = good_run()
    one.watch.samples[name] = samples(field, bound * 0.9)
    assert said(one) == []
    one.watch.samples[name] = samples(field, bound * 1.1)
    assert len(said(one)) == 1 and said(one)[0].startswith(
        f"{field} of {name} rose by")


def test_the_first_half_may_rise():
    one = good_run()
    one.watch.samples["worker"] = [
        each._replace(rss_kib=min(each.rss_kib, 5500))
        for each in samples("rss_kib", 500)]
    assert said(one) == []


def test_what_is_left_when_idle():
    before = memory.Sample(0, 1, 5000, 17, 0, 2)
    kept = memory.MOST_KEPT
    assert memory.is_as_before(before._replace(pipes=kept), before)
    for change in ({"pipes": kept + 1}, {"fds": 18}, {"threads": 3}):
        assert not memory.is_as_before(before._replace(**change), before)


def test_pipes_are_told_from_other_descriptors(tmp_path):
    for number, target in enumerate(("pipe:[1]", "socket:[2]", "/dev/null")):
        (tmp_path / str(number)).symlink_to(target)
    assert memory.descriptors(tmp_path) == (2, 1)
