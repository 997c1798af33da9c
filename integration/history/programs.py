# SPDX-License-Identifier: Apache-2.0
"""The client programs of a run: started, told to stop, their lines counted."""
import collections
import re
import subprocess

import kafka
import kproxy_rig

EVENT = re.compile(rb'^{"event": "(\w+)"')


class Program:
    """Prints its events to a file of its own; see record.py."""

    def __init__(self, name, command, folder):
        self.name = name
        self.output = folder / f"{name}.jsonl"
        self.errors = folder / f"{name}.errors"
        self.counts = collections.Counter()  # events, and records "read"
        self.readers = set()
        self.counted = 0  # bytes of the output
        with open(self.output, "wb") as out, open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=out, stderr=errors,
                preexec_fn=kafka.end_with_parent)

    def tell(self):
        """The next line of its standard input: it goes one step further."""
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def check(self):
        """Fails if it has ended, which it must not do by itself."""
        assert self.process.poll() is None, self.last_words()

    def count(self):
        """Counts what was printed since the last time."""
        with open(self.output, "rb") as file:
            file.seek(self.counted)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.counted += len(line)
                self._count_line(line)
        return self.counts

    def _count_line(self, line):
        found = EVENT.match(line)
        if not found:
            return
        event = found.group(1).decode()
        self.counts[event] += 1
        if event == "poll":
            self.counts["read"] += line.count(b"[") - 1
            self.readers.add(re.search(rb'"reader": "([^"]+)"',
                                       line).group(1).decode())

    def wait_for(self, event, seconds):
        def has_come():
            self.check()
            return self.count()[event] > 0
        kproxy_rig.wait_until(has_come, seconds, f"{event} of {self.name}")

    def wait_end(self, seconds):
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.name} did not end\n{self.last_words()}") from None
        assert code == 0, self.last_words()

    def last_words(self):
        return f"{self.name}: {self.errors.read_text()[-5000:]}"

    def lines(self):
        return event_lines(self.output)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()


def event_lines(path):
    """Events of a file; the mode's name before them is none."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("{"):
                yield line


def read_log(command, path):
    """Runs a program that prints a whole log; returns the file's lines."""
    with open(path, "wb") as out:
        done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE,
                              timeout=600, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return event_lines(path)
