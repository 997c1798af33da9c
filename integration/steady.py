# SPDX-License-Identifier: Apache-2.0
"""Client programs that produce and consume while something happens around them.

    with steady.Clients(clients, cluster, {"java": address}) as running:
        ...
        running.expect_progress()
        running.expect_nothing_lost()
"""
import contextlib


class Steady:
    """A client that produces and consumes until told to stop."""

    def __init__(self, clients, name, cluster, bootstrap):
        self.name = name
        self.process = clients.start(name, cluster, bootstrap, ["steady"])
        assert self.line() == "== steady"

    def line(self):
        text = self.process.stdout.readline()
        if not text:
            raise AssertionError(f"{self.name} ended: "
                                 f"{self.process.stderr.read()}")
        return text.rstrip()

    def expect_progress(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.line() == "still running"

    def finish(self):
        self.process.stdin.close()
        return self.line()

    def close(self):
        self.process.kill()
        self.process.wait()


class Clients:
    """One of each name, all at work; bootstraps: {name: where it connects}."""

    def __init__(self, clients, cluster, bootstraps):
        self.clients, self.cluster = clients, cluster
        self.bootstraps = bootstraps
        self.running, self.stack = [], None

    def expect_progress(self):
        for one in self.running:
            one.expect_progress()

    def expect_nothing_lost(self):
        for one in self.running:
            assert one.finish() == "lost 0 twice 0 failure none", one.name

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for name, bootstrap in self.bootstraps.items():
                one = Steady(self.clients, name, self.cluster, bootstrap)
                stack.callback(one.close)
                self.running.append(one)
            for one in self.running:
                assert one.line() == "running"
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *why):
        self.stack.close()
