# SPDX-License-Identifier: Apache-2.0
"""The two programs of our own, and what they print."""

import contextlib
import json
import select
import signal
import subprocess


class BenchError(Exception):
    """A measurement that must not be believed; the text says why."""


class JsonProcess:
    """A program that prints a JSON object on each line of its output."""

    def __init__(self, command):
        self.command = [str(word) for word in command]
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.pending = b""

    @property
    def pid(self):
        return self.process.pid

    def has_output(self, seconds):
        poll = select.poll()
        poll.register(self.process.stdout, select.POLLIN)
        return bool(poll.poll(1000 * seconds))

    def next_line(self, seconds, what="output"):
        while b"\n" not in self.pending:
            if not self.has_output(seconds):
                raise BenchError(f"{self}: no {what} within {seconds} s")
            data = self.process.stdout.read(1 << 16)
            if not data:
                errors = self.process.stderr.read().decode().strip()
                raise BenchError(f"{self}: ended before {what}: {errors}")
            self.pending += data
        line, _, self.pending = self.pending.partition(b"\n")
        return line

    def next(self, event, seconds=60):
        """The next line, which must be of that event."""
        found = json.loads(self.next_line(seconds, event))
        if found["event"] != event:
            reason = found.get("reason", found["event"])
            raise BenchError(f"{self}: {reason}")
        return found

    def close(self):
        """Ends it for sure; returns its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def __str__(self):
        name = self.command[0].rpartition("/")[2]
        return " ".join([name, *self.command[1:]])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.close()


class Sink(JsonProcess):
    """A running kp_bench_sink. ports: of its nodes."""

    def __init__(self, programs, **options):
        super().__init__([programs / "kp_bench_sink", *arguments(options)])
        try:
            self.ports = self.next("listening")["ports"]
        except BaseException:
            self.__exit__()
            raise
        self.address = f"127.0.0.1:{self.ports[0]}"

    def report(self):
        self.process.send_signal(signal.SIGUSR1)
        return self.next("report")

    def stop(self):
        """The last report; asserts a clean end."""
        self.process.terminate()
        report = self.next("report")
        code = self.close()
        if code != 0:
            raise BenchError(f"{self}: exit code {code}")
        return report


class Load(JsonProcess):
    """A kp_bench_load that goes on only when told.

    with Load(programs, bootstrap=…, op="produce") as load:
        load.ready()
        load.go()
        load.done(seconds)
    """

    def __init__(self, programs, **options):
        super().__init__([programs / "kp_bench_load", "--steps",
                          *arguments(options)])

    def ready(self, seconds=120):
        return self.next("ready", seconds)

    def go(self):
        self.process.stdin.write(b"\n")

    def end(self):
        """Ends the traffic before its time is over."""
        self.go()

    def is_done(self, seconds):
        """Has it ended by itself, or does it within that time?"""
        return self.has_output(seconds)

    def done(self, seconds):
        return self.next("done", seconds)

    def finish(self):
        """Lets it close its connections; asserts a clean end."""
        self.go()
        code = self.close()
        if code != 0:
            raise BenchError(f"{self}: exit code {code}")


def arguments(options):
    """Command line of keyword arguments: True is a flag, None and False are
    left out."""
    words = []
    for name, value in options.items():
        name = name.replace("_", "-")
        if value is True:
            words.append(f"--{name}")
        elif value is not None and value is not False:
            words.append(f"--{name}={value}")
    return words


def delta(before, after, api):
    """What a sink's counters of one API grew by between two reports."""
    old, new = before["apis"][api], after["apis"][api]
    return {name: new[name] - old[name] for name in new}
