# SPDX-License-Identifier: Apache-2.0
"""The plan of faults comes from its seed, and slopes are what they should."""
import itertools

import pytest

import rig
from history import faults, memory


@pytest.mark.parametrize("kinds", [faults.BROKERS, faults.OTHERS])
def test_same_seed_same_faults(kinds):
    def first(seed):
        return list(itertools.islice(faults.plan(seed, kinds), 50))
    assert first(1) == first(1)
    assert first(1) != first(2)


@pytest.mark.parametrize("kinds", [faults.BROKERS, faults.OTHERS])
def test_each_round_has_every_kind(kinds):
    plan = faults.plan(7, kinds)
    for _ in range(10):
        found = [fault.kind for fault in itertools.islice(plan, len(kinds))]
        assert sorted(found) == sorted(kinds)


def test_every_kind_has_an_action():
    assert faults.ACTIONS.keys() == {*faults.BROKERS, *faults.OTHERS}
    assert {*faults.ALL} == {*faults.ACTIONS, faults.RELOAD,
                             faults.BROKEN_RELOAD}


def test_each_reload_changes_something():
    text = f"count: {rig.NODE_PORTS}\n"
    versions = [faults.changed(text, number) for number in range(1, 50)]
    assert all(a != b for a, b in zip(versions, versions[1:]))


def samples(pids, values):
    return [memory.Sample(float(second), pid, value, 10, 0, 3) for
            second, (pid, value) in enumerate(zip(pids, values))]


def test_slope_by_least_squares():
    steady = samples([1] * 100, [5000] * 100)
    assert memory.slope_per_hour(steady, "rss_kib") == 0
    rising = samples([1] * 100, [5000 + second for second in range(100)])
    assert memory.slope_per_hour(rising, "rss_kib") == pytest.approx(3600)
    one_peak = samples([1] * 101, [5000] * 50 + [9000] + [5000] * 50)
    assert memory.slope_per_hour(one_peak, "rss_kib") == pytest.approx(0)
    assert memory.slope_per_hour(steady[:1], "rss_kib") == 0


def test_second_half_is_of_one_process():
    taken = samples([1] * 70 + [2] * 30, [5000] * 100)
    assert [one.seconds for one in memory.second_half(taken, 0, 90)] == [
        float(second) for second in range(70, 91)]
    taken = samples([2] * 100, [5000] * 100)
    assert memory.second_half(taken, 10, 90)[0].seconds == 50
