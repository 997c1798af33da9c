# SPDX-License-Identifier: Apache-2.0
"""What the processes of kproxy hold over time: memory, descriptors, threads."""
import collections
import contextlib
import os
import pathlib
import time
from typing import NamedTuple

SUPERVISOR = "supervisor"
CHILDREN = ("worker", "agent")
PROCESSES = (SUPERVISOR, *CHILDREN)
MOST_KEPT = 4 * 32  # docs/decisions/007-splice.md
FIELDS = ("rss_kib", "fds", "pipes", "threads")


class Sample(NamedTuple):
    """pipes are descriptors, too, of which the worker keeps some when nobody
    uses them; fds are all others."""
    seconds: float  # since the start of the run
    pid: int
    rss_kib: int
    fds: int
    pipes: int
    threads: int


def descriptors(folder):
    """(how many are no pipes, how many are) of a process."""
    kinds = collections.Counter()
    for one in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            kinds[os.readlink(one).startswith("pipe:")] += 1
    return kinds[False], kinds[True]


def sample(pid, seconds):
    """None if the process is gone."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":", 1) for line in
                      (folder / "status").read_text().splitlines())
        return Sample(seconds, pid, int(status["VmRSS"].split()[0]),
                      *descriptors(folder / "fd"),
                      int(status["Threads"]))
    except (OSError, KeyError):
        return None


class Watch:
    """Samples all processes of a kproxy."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.began = time.monotonic()
        self.pids = {}
        self.samples = {name: [] for name in PROCESSES}

    def look(self):
        seconds = time.monotonic() - self.began
        for name in PROCESSES:
            found = self.pids.get(name) and sample(self.pids[name], seconds)
            if not found:
                self.pids[name] = self._pid(name)
                found = self.pids[name] and sample(self.pids[name], seconds)
            if found:
                self.samples[name].append(found)

    def _pid(self, name):
        if name == SUPERVISOR:
            return self.proxy.process.pid
        return self.proxy.child(name)

    def newest(self):
        return {name: samples[-1] for name, samples in self.samples.items()
                if samples}


def is_as_before(now, before):
    """Idle again: what is left are pipes that the worker keeps."""
    return (now.fds <= before.fds and now.threads <= before.threads
            and now.pipes - before.pipes <= MOST_KEPT)


def second_half(samples, begin, end):
    """Samples of the last process, from the middle of the run on or from its
    start if that was later."""
    last = samples[-1].pid
    return [one for one in samples if one.pid == last
            and (begin + end) / 2 <= one.seconds <= end]


def slope_per_hour(samples, field):
    """By least squares."""
    count = len(samples)
    times = [one.seconds / 3600 for one in samples]
    values = [getattr(one, field) for one in samples]
    mean_time, mean_value = sum(times) / count, sum(values) / count
    spread = sum((at - mean_time) ** 2 for at in times)
    if spread == 0:
        return 0.0
    return sum((at - mean_time) * (value - mean_value)
               for at, value in zip(times, values)) / spread
