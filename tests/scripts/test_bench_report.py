# SPDX-License-Identifier: Apache-2.0
"""What bench/report.py makes of figures, and when measure.py believes none."""

import pathlib
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "bench"), str(ROOT / "integration")]

import measure  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402

CPU = rows.Metric("cpu_us_per_request", "CPU", 1)
ADDED = rows.Metric("p50_us", "added p50", 1, is_added=True)
ROW = rows.Row("X", "a row", {}, (CPU, ADDED))


def table(**by_peer):
    """by_peer: {peer: [{key: value} of each round]}"""
    peers = [types.SimpleNamespace(name=name) for name in by_peer]
    made = report.Table(ROW, peers)
    for name, rounds in by_peer.items():
        for number, found in enumerate(rounds):
            made.add(name, number, found)
    return made


def cpu(*values):
    return [{CPU.key: value, "cpu_s": 3.0} for value in values]


def latency(*values):
    return [{ADDED.key: value} for value in values]


def test_ratio_is_of_medians_and_its_range_of_rounds():
    made = table(haproxy=cpu(10.0, 20.0, 12.0), kproxy=cpu(11.0, 10.0, 30.0))
    found = made.summary("kproxy", CPU)
    assert (found["min"], found["median"], found["max"]) == (10.0, 11.0, 30.0)
    assert found["ratio"] == pytest.approx(11 / 12)
    assert found["low"] == pytest.approx(0.5)
    assert found["high"] == pytest.approx(2.5)


def test_added_is_less_the_direct_of_the_same_round():
    made = table(direct=latency(10, 100), haproxy=latency(30, 120),
                 kproxy=latency(40, 110))
    assert made.summary("kproxy", ADDED)["median"] == 20  # of 30 and 10
    assert made.summary("kproxy", ADDED)["ratio"] == 1.0
    assert made.summary("direct", ADDED) is None


def test_a_round_without_direct_adds_nothing():
    made = table(direct=latency(10), kproxy=latency(40, 1000))
    assert made.summary("kproxy", ADDED)["median"] == 30


def test_without_haproxy_the_first_proxy_is_the_reference():
    made = table(direct=cpu(1.0), before=cpu(5.0), after=cpu(4.0))
    assert made.summary("after", CPU)["ratio"] == pytest.approx(0.8)
    assert "ratio" not in table(kproxy=cpu(1.0)).summary("kproxy", CPU)


def test_no_ratio_is_made_of_what_noise_has_made_negative():
    made = table(direct=latency(20, 20), haproxy=latency(10, 40),
                 kproxy=latency(30, 30))
    found = made.summary("kproxy", ADDED)
    assert found["median"] == 10 and "ratio" not in found


def test_unlike_ciphers_are_said_to_be_incomparable():
    made = table(haproxy=[{"tls": "TLSv1.3", "cipher": "A"}],
                 kproxy=[{"tls": "TLSv1.3", "cipher": "B"}])
    assert any("not the same TLS" in note for note in made.notes())


@pytest.mark.parametrize("used, is_noted", [(0.5, True), (3.0, False)])
def test_a_point_of_few_ticks_is_noted(used, is_noted):
    made = table(kproxy=[{CPU.key: 1.0, "cpu_s": used}])
    assert any("of CPU a point" in x for x in made.notes()) == is_noted


@pytest.mark.parametrize("cores, is_noted", [(0.9, True), (0.1, False)])
def test_other_load_is_noted(cores, is_noted):
    made = table(kproxy=[{CPU.key: 1.0, "cpu_s": 3.0, "other_cores": cores}])
    assert any("noisy" in x for x in made.notes()) == is_noted


def test_markdown_names_what_is_missing():
    context = {"peers": {"kproxy": "0.1", "haproxy": "2.6"}, "rounds": 1,
               "missing": {"other": "not served"}, "date": "today",
               "seconds": 1,
               "machine": {"cpu": "c", "cores": 2, "kernel": "k"}}
    made = table(haproxy=cpu(10.0), kproxy=cpu(5.0))
    text = "\n".join(report.markdown([made], context))
    assert "- other: not to be had: not served" in text
    assert "| X: a row | CPU | 5.0 (0.50×) | 10.0 (1.00×) |" in text


DONE = {"requests": 10, "request_bytes": 1000, "answer_bytes": 500}


@pytest.mark.parametrize("name", list(DONE))
def test_a_byte_more_or_less_at_the_sink_is_a_failure(name):
    peer, row = types.SimpleNamespace(name="p"), rows.choose(["G2"])[0]
    measure.check_bytes(peer, row, DONE, dict(DONE))
    with pytest.raises(programs.BenchError, match=name):
        measure.check_bytes(peer, row, DONE, {**DONE, name: DONE[name] - 1})


def test_rows_are_chosen_by_name_or_beginning():
    assert [row.id for row in rows.choose(["G2"])] == ["G2"]
    assert {row.id for row in rows.choose(["G7", "G7-tls"])} == {
        "G7-plain", "G7-tls"}
    assert len(rows.choose([])) == len(rows.ALL)
    with pytest.raises(SystemExit, match="no row G99"):
        rows.choose(["G99"])
