# SPDX-License-Identifier: Apache-2.0
"""kpctl and a real policy server: what one does in a day."""
import json
import re
import signal
import subprocess

import pytest
import yaml

from control_rig import Server, cluster
from kproxy_rig import frozen, wait_until
from test_kpctl import (
    KPCTL, POLICY, ROOT, commands_of, environment, on_terminal)

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path) as running:
        yield running


def address(server):
    """In numbers: c-ares, in gRPC, loses ten bytes for each localhost."""
    return server.address.replace("localhost", "127.0.0.1")


def context(server, user="admin", others=()):
    """Options that make kpctl talk to the server as that user, or to others."""
    if not (server.folder / f"{user}.pem").exists():
        server.run("user-cert", server.folder, user)
    addresses = [f"--server={address(one)}" for one in (server, *others)]
    return [*addresses, "--ca", server.folder / "ca.pem",
            "--certificate", server.folder / f"{user}.pem",
            "--key", server.folder / f"{user}.key"]


class Kpctl:
    """kpctl in a folder of its own, with a context that names the server."""

    def __init__(self, home, server, user="admin", others=()):
        self.home = home
        self.good("config", "set-context", "test",
                  *context(server, user, others))
        self.good("config", "use-context", "test")

    def run(self, *args, stdin="", **env):
        return subprocess.run([KPCTL, *map(str, args)], input=stdin, text=True,
                              capture_output=True, cwd=self.home, timeout=120,
                              env=environment(self.home, **env))

    def good(self, *args, **more):
        done = self.run(*args, **more)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout

    def bad(self, code, *args, **more):
        done = self.run(*args, **more)
        assert done.returncode == code, done
        return done.stderr


@pytest.fixture
def kpctl(tmp_path, server):
    home = tmp_path / "home"
    home.mkdir()
    return Kpctl(home, server)


def test_the_page_about_kpctl_shows_what_happens_with_a_server(kpctl):
    page = (ROOT / "docs" / "kpctl.md").read_text()
    for name, text in re.findall(r"^`(\S+)`:\n\n```yaml\n(.*?)^```", page,
                                 re.S | re.M):
        (kpctl.home / name).parent.mkdir(parents=True, exist_ok=True)
        (kpctl.home / name).write_text(text)
    section = page.split("\n## With a server\n")[1].split("\n## ")[0]
    number = 0
    for number, (command, output) in enumerate(commands_of(section), 1):
        done = subprocess.run(
            ["bash", "-c", command], cwd=kpctl.home, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
            env=environment(kpctl.home, TMPDIR=str(kpctl.home)))
        shown = TIME.sub("2026-03-01T12:00:00Z", done.stdout)
        assert shown == output, command
    assert number > 15


def test_the_examples_of_help_work_with_a_server(kpctl):
    (kpctl.home / "resources").mkdir()
    (kpctl.home / "resources" / "a.yaml").write_text(
        cluster("orders", "team: orders") + "---\n" + cluster("spare"))
    kpctl.good("apply", "-f", "resources/")
    number = 0
    (kpctl.home / "policies").mkdir()
    (kpctl.home / "policies" / "hygiene.yaml").write_text(POLICY)
    for name in ("get", "diff", "edit", "delete", "history", "rollback",
                 "apply", "trace"):
        shown = kpctl.good("help", name).partition("examples:\n")[2]
        for command in re.findall(r"^  (?!#)(.*kpctl .*)$", shown, re.M):
            if "node" in command or "--wait" in command:
                continue
            done = subprocess.run(
                ["bash", "-c", command], cwd=kpctl.home, text=True,
                capture_output=True, timeout=60,
                env=environment(kpctl.home))
            assert done.returncode == 0, (command, done)
            number += 1
    assert number > 12


def test_ten_thousand_resources(kpctl):
    text = "---\n".join(cluster(f"c{i:05}", f"n: n{i % 10}")
                        for i in range(10000))
    said = kpctl.good("apply", "-f", "-", stdin=text)
    assert said.count(" created\n") == 10000
    assert len(kpctl.good("get", "clusters", "-o", "name").split()) == 10000
    assert len(kpctl.good("get", "clusters", "-l", "n=n3", "--no-headers")
               .splitlines()) == 1000
    listed = json.loads(kpctl.good("get", "clusters", "-o", "json"))
    assert len(listed["items"]) == 10000 and listed["metadata"]["revision"] == 1
    assert kpctl.good("get", "clusters", "-o", "yaml").count("\n---\n") == 9999
    again = kpctl.good("apply", "-f", "-", stdin=text)
    assert again.count(" unchanged\n") == 10000
    few = "---\n".join(cluster(f"c{i:05}", f"n: n{i % 10}")
                       for i in range(0, 10000, 10))
    pruned = kpctl.good("apply", "-f", "-", "--prune", "-l", "n!=n0",
                        stdin=few)
    assert pruned.count(" deleted\n") == 9000
    assert len(kpctl.good("get", "all", "-o", "name").split()) == 1000


def test_everything_that_is_wrong_is_said(kpctl):
    (kpctl.home / "a.yaml").write_text("---\n".join(
        cluster(f"c{i}").replace("bootstrap", "bootstrp")
        for i in range(100)))
    said = kpctl.bad(3, "apply", "-f", "a.yaml")
    assert said.count("did you mean") == 100
    assert re.match(r'a\.yaml:4:\d+: Cluster "c0": spec: unknown field '
                    r'"bootstrp"; did you mean "bootstrap"\?', said)
    assert said.endswith("refused: 100 problems\n") or "200 problems" in said
    assert kpctl.bad(3, "validate", "-f", "a.yaml", "--server") == said
    assert "nothing found" in kpctl.run("get", "all").stderr


def test_two_who_edit_at_once(kpctl, tmp_path):
    kpctl.good("apply", "-f", "-", stdin=cluster("a"))
    editor = tmp_path / "editor"
    editor.write_text(
        "#!/bin/sh\nsed -i s/broker/x/ \"$1\"\n"
        f"KPCTL_EDITOR='sed -i s/broker/y/' {KPCTL} edit cluster/a\n")
    said = kpctl.bad(1, "edit", "cluster/a", KPCTL_EDITOR=f"sh {editor}",
                     TMPDIR=str(tmp_path))
    assert "somebody else was faster" in said
    kept = re.search(r"kept in (\S+)", said).group(1)
    assert "x:9092" in open(kept).read()
    assert yaml.safe_load(kpctl.good("get", "cluster", "a", "-o", "yaml"))[
        "spec"]["bootstrap"] == ["y:9092"]


VIRTUAL = """---
apiVersion: kproxy/v1
kind: Listener
metadata: {name: public}
spec: {bind: 127.0.0.1, advertisedHost: localhost, ports: {bootstrap: 9092,
  first: 9093, count: 2}}
---
apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {name: shop}
spec: {cluster: orders, listener: public}
"""


def test_a_trace_by_what_the_server_has(kpctl, server):
    said = ["trace", "--as=alice", "--api=CreateTopics", "--topic=t",
            "--replication-factor=1"]
    first = kpctl.good(*said)
    assert first == (f"CreateTopics, version 7, of alice, by revision 0 of "
                     f"{address(server)}\nthere is no policy\nallowed\n")
    # more than one page, pushed in another order than a node has them
    more = "---\n".join(POLICY.replace("hygiene", f"p{i:04}").replace(
        "CreateTopics", "DeleteTopics") for i in range(1200, 0, -1))
    kpctl.good("apply", "-f", "-", stdin=cluster("orders") + VIRTUAL + "---\n"
               + POLICY.replace("[CreateTopics]",
                                "[CreateTopics], virtualClusters: [shop]")
               + "---\n" + more.replace("topic.replicationFactor >= 3",
                                        "topic.name == ''"))
    done = kpctl.run(*said, "--virtual-cluster=shop", "-ojson")
    assert (done.returncode, done.stderr) == (3, "")
    found = json.loads(done.stdout)
    assert found["sentence"] == 'policy "hygiene": at least 3'
    assert (found["server"], found["revision"]) == (address(server), 1)
    names = [one["name"] for one in found["policies"]]
    assert len(names) == 1201 and names == sorted(names)
    assert found["policies"][0]["file"] == "Policy/hygiene"
    assert kpctl.run(*said).returncode == 0
    assert 'has no "shp"; did you mean "shop"?' in \
        kpctl.bad(2, *said, "--virtual-cluster=shp")
    # files are asked in the server's place
    assert kpctl.run(*said, "--virtual-cluster=none", "-f", "-",
                     stdin=POLICY).returncode == 3
    server.stop()
    assert "kpctl: " in kpctl.bad(4, *said)


def test_a_server_without_nodes(kpctl):
    assert "cluster/a created" in kpctl.good(
        "apply", "-f", "-", "--wait", stdin=cluster("a"))
    assert kpctl.good("status", "--check") == "0 nodes; revision 1\n"
    # a bar is for people who look
    assert "] 0/0 nodes\r\n" in on_terminal(kpctl.home, "status", "--watch")
    said = kpctl.good("describe", "cluster", "a")
    assert "By:           CN:admin\n" in said
    assert said.endswith("Nodes:\n  <none>\n")
    assert re.search(r"\nkpserver \d+\.\d+\.\d+ at 127[.]0[.]0[.]1:\d+\n$",
                     kpctl.good("version", "--server"))
    assert "edge-1" in kpctl.bad(1, "cordon", "edge-1", "--reason", "x")


def test_who_has_no_role_is_told_so(kpctl, server):
    said = kpctl.bad(1, "get", "all", *context(server, "mallory"))
    assert "refuses: " in said and 'you are "mallory"' in said


def test_no_server_ends_with_4(kpctl, server):
    server.signal(signal.SIGTERM)
    server.wait()
    said = kpctl.bad(4, "get", "all")
    assert "no server could be reached" in said and address(server) in said
    assert "connection refused" in said
    server.start()


def test_a_shell_completes_names(kpctl, server):
    kpctl.good("apply", "-f", "-", stdin=cluster("orders") + "---\n"
               + cluster("others"))

    def completed(words):
        """What is found in half a second, which a shell waits."""
        said = kpctl.good("__complete", "--", *words).splitlines()
        return [x.split("\t")[0] for x in said[:-1]]
    for words, wanted in ((["get", "cluster", "o"], ["orders", "others"]),
                          (["get", "cluster/ord"], ["cluster/orders"]),
                          (["describe", "cluster", "oth"], ["others"])):
        assert wait_until(lambda: completed(words), what="names") == wanted
    with frozen(server.process.pid):
        said = kpctl.good("__complete", "--", "get", "cluster", "o")
    assert said == ":none\n"
