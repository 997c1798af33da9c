#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs what has to be green before a change goes in, step by step, and says at
the end how many tests passed and failed: the last line, alone.

    check.py [STEP...]      all steps, or those named
    check.py --list

The whole output of a step is in build/check/STEP.log; of a command that fails
the end is shown. A step that ran no test is red, and so is a test that was skipped.
Assumes that scripts/deps.sh has run.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "check"
JOBS = str(os.cpu_count() or 2)
FUZZ_SECONDS = 60
TAIL_LINES = 40
# Of what runs beside something else; the kernel's own ports begin above.
FIRST_PORT, NUM_PORTS = 12000, 9000
PRODUCT = ["kproxy", "kpagent", "kpagent-grpc", "kpctl", "kpserver"]
# Peers that misbehave, for programs under a sanitizer: all where memory is looked
# at, those that make threads meet where races are. Real brokers as well; of the
# clients two that take little time.
THREADS = ["peers_brokers", "peers_frames", "processes", "tls", "protocol", "clients"]
MEMORY = ["peers_counts", "peers_limits", "peers_logins", "peers_tags", "kpctl"]
DATA = {"asan": THREADS + MEMORY, "tsan": THREADS}
# Beside them, as most of these wait.
CONTROL = ["control_peers", "kpserver", "kpserver_etcd", "kpserver_sqlite"]
SHORT = "not test_clients or confluent or franz"
TELLING = re.compile(r"error:|Error |^FAILED|\*\*\*|\[FAIL\]| FAILED ")
SYNTHESIS = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+)")


class StepFailed(Exception):
    pass


class Step:
    """One step's log and counts; what the functions below work with."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = 0
        self.log_path = OUT / f"{name}.log"
        self.log = open(self.log_path, "w")
        self.red = []  # (first, last) byte in the log of commands that failed

    def run(self, *command, **environment):
        first = self.size()
        self.log.write(f"\n$ {' '.join(map(str, command))}\n")
        self.log.flush()
        result = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        return self.note_end(result.returncode, first)

    def run_together(self, commands, **environment):
        """Runs them beside each other, with ports of their own; in the log one
        follows the other. Which of them were green."""
        started = []
        for number, command in enumerate(commands):
            output = open(OUT / f"{self.name}-{number}.log", "w+", errors="replace")
            first = FIRST_PORT + number * NUM_PORTS
            environment["KP_PORTS"] = f"{first}-{first + NUM_PORTS - 1}"
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
            )
            started.append((command, process, output))
        return [self.finish(*each) for each in started]

    def finish(self, command, process, output):
        code = process.wait()
        first = self.size()
        output.seek(0)
        self.log.write(f"\n$ {' '.join(map(str, command))}\n{output.read()}")
        output.close()
        return self.note_end(code, first)

    def note_end(self, code, first):
        if code != 0:
            self.log.write(f"exit {code}\n")
            self.red.append((first, self.size()))
        return code == 0

    def size(self):
        self.log.flush()
        return self.log_path.stat().st_size

    def must(self, *command):
        if not self.run(*command):
            raise StepFailed(f"failed: {' '.join(map(str, command))}")

    def count(self, passed, failed):
        self.passed += passed
        self.failed += failed


def count_case(case):
    """(passed, failed) of one entry of a JUnit file: a Criterion program holds
    many tests, and may fail though none of them did (a leak, a timeout)."""
    is_bad = case.get("status") in ("fail", "notrun", "disabled") or any(
        case.find(tag) is not None for tag in ("failure", "error", "skipped")
    )
    found = SYNTHESIS.findall(case.findtext("system-out") or "")
    if not found:
        return (0, 1) if is_bad else (1, 0)
    tested, passed, _ = (sum(map(int, column)) for column in zip(*found))
    if is_bad and passed == tested:
        return passed, 1
    return passed, tested - passed


def count_junit(step, path, is_green):
    """A runner that is red although each of its tests is green counts as one."""
    failed_before = step.failed
    if path.exists():
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            step.count(*count_case(case))
    if not is_green and step.failed == failed_before:
        step.count(0, 1)


def build(step, preset, *options, target="all"):
    step.must("cmake", "--preset", preset, *options)
    what = ("--build", "--preset", preset, "--target", target)
    step.must("cmake", *what, "-j", JOBS, "--", "-k", "0")


def ctest(step, preset):
    report = OUT / f"{step.name}.xml"
    report.unlink(missing_ok=True)
    is_green = step.run(
        *("ctest", "--preset", preset, "-j", JOBS, "--output-junit", report),
        *("--test-output-size-passed", "200000"),
        *("--test-output-size-failed", "1000000"),
        *("--test-output-truncation", "head"),
    )
    count_junit(step, report, is_green)


def pytest_into(report, *what):
    """The command that leaves its results in report."""
    report.unlink(missing_ok=True)
    return (
        *("pytest-3", "-v", "-p", "no:cacheprovider", "-o", "junit_logging=no"),
        *("--junitxml", report, *what),
    )


def pytest(step, *what, **environment):
    report = OUT / f"{step.name}-pytest.xml"
    command = pytest_into(report, *what)
    is_green = step.run(*command, PYTHONDONTWRITEBYTECODE="1", **environment)
    count_junit(step, report, is_green)


def lint(step):
    for check in sorted((ROOT / "scripts").glob("check-*")):
        if check.name != "check-elf.sh":  # looks at programs: a ctest
            is_green = step.run(check)
            step.count(int(is_green), int(not is_green))
    pytest(step, "tests/scripts")


def unit(step):
    build(step, step.name)
    ctest(step, step.name)


def sanitized(step):
    """The programs themselves under the sanitizer, with peers that misbehave
    and with real ones."""
    unit(step)
    reports = [OUT / f"{step.name}-pytest-{name}.xml" for name in ("data", "control")]
    groups = [DATA[step.name], CONTROL]
    commands = [
        pytest_into(
            report, *(f"integration/test_{name}.py" for name in group), "-k", SHORT
        )
        for report, group in zip(reports, groups)
    ]
    ends = step.run_together(
        commands,
        PYTHONDONTWRITEBYTECODE="1",
        KP_BUILD=str(ROOT / "build" / step.name),
        # gRPC is not instrumented
        TSAN_OPTIONS=f"suppressions={ROOT}/tests/support/tsan.supp",
        LSAN_OPTIONS=f"suppressions={ROOT}/tests/support/lsan.supp:print_suppressions=0",
    )
    for report, is_green in zip(reports, ends):
        count_junit(step, report, is_green)


def fuzz(step):
    build(step, "fuzz", f"-DKP_FUZZ_SECONDS={FUZZ_SECONDS}", target="fuzzers")
    ctest(step, "fuzz")


def tidy(step):
    """Warnings are errors: what compiles has no findings. `make tidy` looks at
    the tests as well, which is as long again."""
    step.must("cmake", "--preset", "tidy")
    build_only = ("cmake", "--build", "--preset", "tidy", "-j", JOBS, "--target")
    step.must(*build_only, *PRODUCT)
    step.count(1, 0)


def protocol(step):
    build(step, "release")
    printer = ROOT / "build" / "release" / "bin" / "kp_print_tables"
    pytest(step, "tests/protocol", KP_PRINT_TABLES=str(printer))


def conformance(step):
    build(step, "release", target="kp_cel_conformance")
    build(step, "release", target="kp_regex_answers")
    programs = ROOT / "build" / "release" / "bin"
    pytest(
        *(step, "tests/conformance", "tests/differential"),
        KP_CEL_CONFORMANCE=str(programs / "kp_cel_conformance"),
        KP_REGEX_ANSWERS=str(programs / "kp_regex_answers"),
    )


def integration(step):
    build(step, "release")
    pytest(step, "integration", KP_BUILD=str(ROOT / "build" / "release"))


STEPS = {
    "lint": lint,
    "tidy": tidy,
    "release": unit,
    "asan": sanitized,
    "tsan": sanitized,
    "fuzz": fuzz,
    "protocol": protocol,
    "conformance": conformance,
    "integration": integration,
}


def show_red(step):
    """Of each command that failed: the lines that say why, and the end."""
    text = step.log_path.read_bytes()
    print(f"--- {step.log_path.relative_to(ROOT)}")
    for first, last in step.red or [(0, len(text))]:
        lines = text[first:last].decode(errors="replace").splitlines()
        command, output = lines[:2], lines[2:]
        telling = [x for x in output[:-TAIL_LINES] if TELLING.search(x)]
        print("\n".join(command + telling[:TAIL_LINES] + output[-TAIL_LINES:]))
    print("---", flush=True)


def run_step(name, number, total):
    step = Step(name)
    started = time.monotonic()
    print(f"[{number}/{total}] {name} ...", flush=True)
    try:
        STEPS[name](step)
        if step.passed + step.failed == 0:
            raise StepFailed("ran no test")
    except StepFailed as why:
        step.count(0, 1)
        print(f"{name}: {why}")
    seconds = int(time.monotonic() - started)
    result = f"{step.passed} passed, {step.failed} failed"
    print(f"[{number}/{total}] {name}: {result} ({seconds} s)", flush=True)
    step.log.close()
    if step.failed > 0:
        show_red(step)
    return step


def main():
    names = sys.argv[1:] or list(STEPS)
    if names == ["--list"]:
        print("\n".join(STEPS))
        return
    for name in names:
        if name not in STEPS:
            sys.exit(f'check.py: no step "{name}"; there are: {", ".join(STEPS)}')
    OUT.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    steps = [run_step(n, i, len(names)) for i, n in enumerate(names, 1)]
    passed = sum(step.passed for step in steps)
    failed = sum(step.failed for step in steps)
    red = [step.name for step in steps if step.failed > 0]
    if red:
        print(f"red: {', '.join(red)}; whole output in build/check/")
    print(f"took {int(time.monotonic() - started)} s")
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
