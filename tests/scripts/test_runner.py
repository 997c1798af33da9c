# SPDX-License-Identifier: Apache-2.0
"""How scripts/check.py counts, and what the commit message hook lets through."""

import importlib.util
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def check():
    path = ROOT / "scripts" / "check.py"
    spec = importlib.util.spec_from_file_location("check", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Counter:
    def __init__(self):
        self.passed = self.failed = 0

    def count(self, passed, failed):
        self.passed += passed
        self.failed += failed


def criterion(tested, failing):
    return (
        f"Synthesis: Tested: {tested} | Passing: {tested - failing} "
        f"| Failing: {failing} | Crashing: 0"
    )


CASES = [
    # ctest or pytest, JUnit, expected (passed, failed)
    ('<testcase status="run"/>', (1, 0)),
    ('<testcase status="fail"><failure/></testcase>', (0, 1)),
    ('<testcase status="notrun"><skipped/></testcase>', (0, 1)),
    ('<testcase status="disabled"/>', (0, 1)),
    ("<testcase/>", (1, 0)),
    ("<testcase><failure/></testcase>", (0, 1)),
    ("<testcase><error/></testcase>", (0, 1)),
    ("<testcase><skipped/></testcase>", (0, 1)),
]


@pytest.mark.parametrize("xml, expected", CASES, ids=range(len(CASES)))
def test_one_case_counts_as_one(check, xml, expected, tmp_path):
    report = tmp_path / "r.xml"
    report.write_text(f"<testsuite>{xml}</testsuite>")
    counter = Counter()
    check.count_junit(counter, report, is_green=expected[1] == 0)
    assert (counter.passed, counter.failed) == expected


@pytest.mark.parametrize(
    "status, tested, failing, expected",
    [
        ("run", 12, 0, (12, 0)),
        ("fail", 12, 2, (10, 2)),
        ("fail", 12, 0, (12, 1)),  # a leak, a timeout
        ("fail", 0, 0, (0, 1)),  # "Tested: 0" is red by a regular expression
    ],
)
def test_criterion_program_counts_its_tests(
    check, status, tested, failing, expected, tmp_path
):
    report = tmp_path / "r.xml"
    failure = "<failure/>" if status == "fail" else ""
    report.write_text(
        f'<testsuite><testcase status="{status}">{failure}'
        f"<system-out>{criterion(tested, failing)}</system-out>"
        "</testcase></testsuite>"
    )
    counter = Counter()
    check.count_junit(counter, report, is_green=status == "run")
    assert (counter.passed, counter.failed) == expected


def test_commands_beside_each_other_are_one_after_the_other_in_the_log(
    check, tmp_path, monkeypatch
):
    """Each waits for the other, so that they would not end one by one."""
    monkeypatch.setattr(check, "OUT", tmp_path)
    step = check.Step("both")
    for name in "ab":
        os.mkfifo(tmp_path / name)
    wait = 'echo "$0 $KP_PORTS"; {}; exit "$1"'
    ends = step.run_together(
        [
            ("sh", "-c", wait.format(f"cat {tmp_path}/a >/dev/null; echo >{tmp_path}/b"), "one", "0"),
            ("sh", "-c", wait.format(f"echo >{tmp_path}/a; cat {tmp_path}/b >/dev/null"), "two", "3"),
        ]
    )
    assert ends == [True, False]
    step.log.close()
    text = (tmp_path / "both.log").read_text()
    assert text.index("\none 12000-20999\n") < text.index("\ntwo 21000-29999\n")
    assert text.endswith("exit 3\n")
    ((first, last),) = step.red
    assert "two" in text[first:last] and "one 12000" not in text[first:last]


def test_runner_that_dies_before_its_report_is_one_failure(check, tmp_path):
    counter = Counter()
    check.count_junit(counter, tmp_path / "missing.xml", is_green=False)
    assert (counter.passed, counter.failed) == (0, 1)


def test_red_runner_with_green_tests_is_one_failure(check, tmp_path):
    report = tmp_path / "r.xml"
    report.write_text('<testsuite><testcase status="run"/></testsuite>')
    counter = Counter()
    check.count_junit(counter, report, is_green=False)
    assert (counter.passed, counter.failed) == (1, 1)


@pytest.mark.parametrize(
    "message, is_good",
    [
        ("proto: refuse arrays longer than the frame\n", True),
        ("proxy/net: say why a handshake failed\n\nBecause.\n", True),
        ("Merge branch 'x'\n", True),
        ("refuse arrays longer than the frame\n", False),
        ("proto: refuse arrays longer than the frame.\n", False),
        ("proto: " + "x" * 60 + "\n", False),
        ("proto: refuse arrays\nno blank line\n", False),
    ],
)
def test_commit_message_form(message, is_good, tmp_path):
    path = tmp_path / "message"
    path.write_text(message)
    hook = ROOT / ".githooks" / "commit-msg"
    result = subprocess.run([hook, path], stderr=subprocess.PIPE)
    assert (result.returncode == 0) == is_good
