# SPDX-License-Identifier: Apache-2.0
"""Do neighbours suffer while a node is attacked? For each attack: is the p99 of
a healthy client what it is without, is memory within its limits and does it come
back, is what was done counted and logged, and is the log short?

    pytest-3 integration/test_attacks.py -s            a row for each attack
    KP_ATTACK_SECONDS=10 pytest-3 integration/...      longer phases

The rows are also in attacks.md beside the programs that were tested.
"""

import contextlib
import os
import signal
import statistics
import threading

import pytest

import attack_rig
from attack_rig import BUILD, Outcome, Site, Trial, allowed
from attacks import ATTACKS, Attack


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("attacks")) as running:
        yield running


@pytest.fixture(scope="module")
def report():
    rows = [attack_rig.HEADER]
    yield rows
    (BUILD / "attacks.md").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("attack", ATTACKS, ids=[one.name for one in ATTACKS])
def test_neighbours_do_not_suffer(site, report, attack):
    trial = Trial(site, attack)
    report.append(str(trial.run()))
    print(f"\n{report[-1]}")
    trial.check()


def test_what_is_allowed():
    """A tenth more than the middle, or a turn; the worst, if that is more, of the
    trial's or the run's quiet phases; never more than five times the middle."""
    assert allowed([100] * 3) == 300
    assert allowed([9000] * 3) == pytest.approx(9900)
    assert allowed([100] * 3, [100, 90, 500, 100, 80, 110, 110, 100, 100, 340]
                   ) == pytest.approx(420)
    assert allowed([100] * 3, [900] * 10) == 500
    assert allowed([100, 100, 380]) == 380
    assert allowed([100, 100, 9000]) == 500
    assert Outcome("", quiet=[100, 120, 100],
                   attack=[90, 400]).are_neighbours_fine()
    assert not Outcome("", quiet=[100, 120, 100],
                       attack=[310, 305]).are_neighbours_fine()


class Stalls(Attack):
    """A planted fault: the worker stands still for a fifth of the time, for twenty
    times the p99 of quiet phases, and 10 ms at least. That is more than whatever
    a busy machine makes of them excuses."""

    @contextlib.contextmanager
    def running(self, site):
        has_ended = threading.Event()
        seconds = min(max(0.01, 20e-6 * statistics.median(site.quiet)), 0.2)

        def stall():
            while not has_ended.wait(4 * seconds):
                os.kill(site.worker, signal.SIGSTOP)
                has_ended.wait(seconds)
                os.kill(site.worker, signal.SIGCONT)
        thread = threading.Thread(target=stall, daemon=True)
        thread.start()
        try:
            yield []
        finally:
            has_ended.set()
            thread.join(60)


def test_neighbours_that_suffer_are_seen(site):
    trial = Trial(site, Stalls("a worker that stands still", {}, {}))
    outcome = trial.run()
    print(f"\n{outcome}")
    assert len(outcome.attack) == attack_rig.ROUNDS
    with pytest.raises(AssertionError, match="neighbours suffer"):
        trial.check()
