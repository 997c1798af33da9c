# SPDX-License-Identifier: Apache-2.0
"""kpctl get --watch and a real policy server: is every change shown once, and is
the list asked for no more than once, whatever becomes of the server?

    KP_BUILD=build/release pytest-3 integration/test_kpctl_watch.py
"""
import json
import os
import signal
import subprocess

import pytest

from control_rig import Pusher, Server, cluster
from kproxy_rig import PATIENCE, wait_until, whole_lines
from test_fleet import Fleet
from test_kpctl import KPCTL, environment
from test_kpctl_server import context

VIEWER = '  - {role: viewer, identities: ["CN:watcher"]}\n'
LONG = "annotations: {%s}" % ", ".join(f"x{i}: {'x' * 4000}" for i in range(25))
AWAY = "kpctl: no server can be reached; trying again until one can\n"


def with_viewer(text):
    return text.replace("roles:\n", "roles:\n" + VIEWER)


def begin(folder, config=""):
    """A server that somebody may look at who may not change anything."""
    server = Server(folder, config)
    server.write(with_viewer(server.text))
    return server


@pytest.fixture
def server(tmp_path):
    with begin(tmp_path) as running:
        yield running


def lists(server):
    """How often the watcher has asked for a list; all calls are recorded, these
    after their answer."""
    return sum(x["method"] == "Resources/List" and x["identity"] == "CN:watcher"
               for x in server.audit())


def expect_lists(server, number):
    """So many and no more."""
    wait_until(lambda: lists(server) >= number, what="lists")
    assert lists(server) == number


class Watch:
    """kpctl get -w as somebody who may only look."""

    def __init__(self, server, *args, stdout=None, others=()):
        self.folder = server.folder.parent
        self.path = self.folder / "shown"
        self.errors = self.folder / "said"
        out = stdout or open(self.path, "wb")
        with open(self.errors, "wb") as err:
            self.process = subprocess.Popen(
                [KPCTL, "get", *args, "-w",
                 *context(server, "watcher", others)],
                stdout=out, stderr=err, cwd=self.folder,
                env=environment(self.folder))
        if stdout is None:
            out.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def end(self):
        """How it ends by itself."""
        return self.process.wait(30 * PATIENCE)

    def lines(self):
        return [" ".join(x.split()) for x in whole_lines(self.path)]

    def events(self):
        """What is written as JSON: objects whose last line is a brace."""
        text, brace, _ = "\n".join(whole_lines(self.path)).rpartition("\n}")
        return list(objects(text + brace))

    def said(self):
        return self.errors.read_text()

    def wait_for(self, line):
        wait_until(lambda: line in self.lines(), 30, line)

    def wait_for_word(self, word):
        wait_until(lambda: word in self.said(), 30, word)

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        assert self.end() == -signal.SIGINT


def objects(text):
    """The JSON objects that were written one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        found, at = decoder.raw_decode(text, at + len(text[at:])
                                       - len(text[at:].lstrip()))
        yield found


def played(events):
    """What is there after all of them, with its revision: nothing is added that
    is there, and nothing is changed or deleted that is not."""
    there = {}
    for event in events:
        name = event["object"]["metadata"]["name"]
        assert (event["type"] == "ADDED") == (name not in there), event
        if event["type"] == "DELETED":
            assert there.pop(name) == event["revision"]
        else:
            assert there.get(name, 0) < event["revision"]
            there[name] = event["revision"]
    return there


def state(user, **query):
    return {x.name: x.resource_version for x in user.list(**query).resources}


def test_changes_come_without_lists(server):
    admin = server.user()
    admin.apply(cluster("a"), cluster("b"))
    with Watch(server, "clusters") as watch:
        watch.wait_for("ADDED cluster/b broker:9092 1")
        for i in range(20):
            admin.apply(cluster("a", host=f"h{i}"), cluster(f"c{i}"))
        admin.apply(deletions=[("Cluster", "c0")])
        watch.wait_for("DELETED cluster/c0 broker:9092 2")
        watch.interrupt()
    assert watch.said() == ""
    assert watch.lines() == [
        "ADDED cluster/a broker:9092 1", "ADDED cluster/b broker:9092 1",
        *(line for i in range(20)
          for line in (f"MODIFIED cluster/a h{i}:9092 {i + 2}",
                       f"ADDED cluster/c{i} broker:9092 {i + 2}")),
        "DELETED cluster/c0 broker:9092 2"]
    expect_lists(server, 1)


def test_what_enters_and_leaves_a_selector(server):
    admin = server.user()
    admin.apply(cluster("a", "team: red"), cluster("b", "team: blue"))
    with Watch(server, "clusters", "-l", "team=red,!old",
               "--show-labels") as watch:
        watch.wait_for("ADDED cluster/a broker:9092 1 team=red")
        admin.apply(cluster("b", "team: red"))
        admin.apply(cluster("a", "team: red, old: ''"))
        admin.apply(cluster("a", "team: blue"))
        admin.apply(cluster("c", "team: green"))
        admin.apply(cluster("a", "team: red, site: x"))
        admin.apply(deletions=[("Cluster", "c")])
        admin.call("Rollback", admin.pb.RollbackRequest(to=1))
        watch.wait_for("DELETED cluster/b broker:9092 2 team=red")
        watch.interrupt()
    assert watch.lines() == [
        "ADDED cluster/a broker:9092 1 team=red",
        "ADDED cluster/b broker:9092 2 team=red",
        "DELETED cluster/a broker:9092 1 team=red",
        "ADDED cluster/a broker:9092 6 site=x,team=red",
        "MODIFIED cluster/a broker:9092 8 team=red",
        "DELETED cluster/b broker:9092 2 team=red"]
    expect_lists(server, 1)


def test_a_server_that_is_killed_in_the_middle(server):
    """Every revision that was acknowledged is shown, once, in order."""
    user = server.user()

    def push(number, reason):
        try:
            user.apply(cluster(f"c{number % 7}", host=f"h{number}"),
                       reason=reason)
        except user.RpcError:
            return False
        return True

    with Watch(server, "clusters", "-o", "json") as watch:
        wait_until(lambda: lists(server) == 1, 10, "the list")
        with Pusher(push) as pusher:
            for i in range(3):
                pusher.wait_for_more()
                last = pusher.acknowledged[-1].split()[1]
                wait_until(lambda: f'"h{last}:9092"' in watch.path.read_text(),
                           30, "the last change")
                server.kill()
                wait_until(lambda: watch.said() == AWAY * (i + 1), 30, AWAY)
                server.start()
                pusher.wait_for_more()
        admin = server.user()
        newest = admin.list().revision
        wait_until(lambda: watch.events()[-1]["revision"] == newest, 30,
                   "the newest revision")
        watch.interrupt()
        events = watch.events()
        assert played(events) == state(admin)
    assert [x["revision"] for x in events] == list(range(1, newest + 1))
    assert newest >= len(pusher.acknowledged) >= 18
    assert watch.said() == AWAY * 3
    expect_lists(server, 1)


def test_another_server_goes_on_where_the_first_one_was(tmp_path):
    with Fleet(tmp_path) as fleet:
        first, second = fleet.servers[:2]
        for server in first, second:
            server.write(with_viewer(server.text))
            server.stop()
            server.start()
        user = second.user()
        user.apply(cluster("a", "team: red"))
        with Watch(first, "all", "-l", "team=red", others=[second]) as watch:
            watch.wait_for("ADDED cluster/a broker:9092 1")
            for i in range(10):
                user.apply(cluster("b", "team: red", host=f"h{i}"))
            fleet.lose(0)
            user.apply(cluster("a", "team: blue"))
            user.apply(cluster("c", "team: red"))
            watch.wait_for("ADDED cluster/c broker:9092 13")
            watch.interrupt()
        assert watch.lines() == [
            "ADDED cluster/a broker:9092 1", "ADDED cluster/b h0:9092 2",
            *(f"MODIFIED cluster/b h{i}:9092 {i + 2}" for i in range(1, 10)),
            "DELETED cluster/a broker:9092 1",
            "ADDED cluster/c broker:9092 13"]
        assert watch.said() == ""
        expect_lists(first, 1)
        expect_lists(second, 0)


def test_revisions_that_were_compacted_meanwhile(tmp_path):
    with begin(tmp_path, "history: {revisions: 10}\n") as server:
        server.user().apply(*(cluster(x, "team: red") for x in "abc"))
        with Watch(server, "clusters", "-l", "team=red") as watch:
            watch.wait_for("ADDED cluster/c broker:9092 1")
            watch.process.send_signal(signal.SIGSTOP)
            # the stream that it has ends here
            server.stop()
            server.start()
            admin = server.user()
            for i in range(20):
                admin.apply(cluster("a", "team: red", host=f"h{i}"))
            admin.apply(cluster("b", "team: blue"))
            admin.apply(cluster("d", "team: red"))
            # a server that starts forgets
            server.stop()
            server.start()
            wait_until(
                lambda: server.metric("kproxy_server_oldest_revision") == 13)
            watch.process.send_signal(signal.SIGCONT)
            watch.wait_for("ADDED cluster/d broker:9092 23")
            server.user().apply(cluster("e", "team: red"))
            watch.wait_for("ADDED cluster/e broker:9092 24")
            watch.interrupt()
        assert watch.lines()[3:] == [
            "MODIFIED cluster/a h19:9092 21", "DELETED cluster/b broker:9092 1",
            "ADDED cluster/d broker:9092 23", "ADDED cluster/e broker:9092 24"]
        assert watch.said() == ""
        expect_lists(server, 2)


def test_who_reads_slowly_gets_the_difference(tmp_path):
    config = "limits: {watchTimeout: 1s, rate: 10000, rateBurst: 10000}\n"
    with begin(tmp_path, config) as server:
        admin = server.user()
        admin.apply(cluster("a"))
        read, write = os.pipe()
        with Watch(server, "clusters", "-o", "json", stdout=write) as watch:
            os.close(write)
            wait_until(lambda: lists(server) == 1, 10, "the list")

            def is_ended():
                return [x for x in server.audit() if x.get("event") == "ended"
                        and x["code"] == "RESOURCE_EXHAUSTED"]
            number = 0
            while not is_ended():
                number += 1
                assert number < 2000
                admin.apply(cluster(f"c{number % 40}", host=f"h{number}")
                            .replace("labels: {}", LONG))
            admin.apply(cluster("last"))
            text = b""
            with os.fdopen(read, "rb") as file:
                while not (b'"name": "last"' in text
                           and text.endswith(b"\n}\n")):
                    text += file.read1(1 << 20)
                watch.interrupt()
                text += file.read()
        assert played(objects(text.decode())) == state(admin)
        assert watch.said() == ""
        # it may have been slow again, but has asked for none without that
        wait_until(lambda: 2 <= lists(server) <= 1 + len(is_ended()),
                   what="lists")


def test_who_may_not_look_any_more_is_told_so(server):
    server.user().apply(cluster("a"))
    with Watch(server, "clusters") as watch:
        watch.wait_for("ADDED cluster/a broker:9092 1")
        server.stop()
        watch.wait_for_word(AWAY)
        server.write(server.text)
        server.start()
        assert watch.end() == 1
    assert watch.said().startswith(AWAY)
    assert "refuses: " in watch.said() and 'you are "watcher"' in watch.said()


@pytest.mark.parametrize("is_away", [False, True])
def test_it_ends_when_nobody_reads_any_more(server, is_away):
    server.user().apply(cluster("a"))
    read, write = os.pipe()
    with Watch(server, "clusters", stdout=write) as watch:
        os.close(write)
        with os.fdopen(read, "rb") as file:
            assert file.readline().split() == [
                b"ADDED", b"cluster/a", b"broker:9092", b"1"]
            if is_away:
                server.stop()
                watch.wait_for_word(AWAY)
        # nothing changes
        assert watch.end() == -signal.SIGPIPE
    if is_away:
        server.start()


def test_it_is_interrupted_while_there_is_no_server(server):
    server.user().apply(cluster("a"))
    with Watch(server, "clusters") as watch:
        watch.wait_for("ADDED cluster/a broker:9092 1")
        server.stop()
        watch.wait_for_word(AWAY)
        watch.interrupt()
    server.start()
