# SPDX-License-Identifier: Apache-2.0
"""Three policy servers over three nodes of etcd: one is as good as another, and
one of each may be lost.

    KP_BUILD=build/release pytest-3 integration/test_fleet.py
"""
import shutil
import subprocess
import threading

import control_rig
import pytest
from control_rig import apply_once_possible, cluster
from etcd_rig import Etcd
from kproxy_rig import wait_until


class Member(control_rig.Server):
    """A server of the fleet; all have copies of what was made once."""

    def __init__(self, folder, name, etcd):
        shutil.copytree(folder / "made", folder / name / "server")
        super().__init__(folder / name, f"name: {name}\n", is_made=True,
                         store=etcd.store())


class Fleet:
    def __init__(self, folder):
        self.etcd = Etcd(folder, nodes=3)
        self.folder = folder
        self.servers = []

    def __enter__(self):
        self.etcd.__enter__()
        try:
            subprocess.run([control_rig.KPSERVER, "init", self.folder / "made"],
                           check=True, stdout=subprocess.DEVNULL)
            self.servers = [Member(self.folder, f"kp-{i}", self.etcd)
                            for i in range(3)]
            for server in self.servers:
                server.start(wait=False)
            for server in self.servers:
                wait_until(server.is_ready, 30, "/readyz")
            return self
        except BaseException:
            self.__exit__(True)
            raise

    def lose(self, index):
        """Kills a server, which is then no part of the fleet any more."""
        self.servers[index].kill()
        del self.servers[index]

    def __exit__(self, kind, *_):
        try:
            for server in self.servers:
                if kind is None:
                    server.stop()
        finally:
            for server in self.servers:
                server.kill()
            self.etcd.__exit__(kind, None, None)


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path) as one:
        yield one


def test_a_change_through_one_is_seen_through_all(fleet):
    users = [server.user() for server in fleet.servers]
    for i, user in enumerate(users):
        revision = user.apply(cluster(f"c{i}")).revision
        assert revision == i + 1
        for other in users:
            wait_until(lambda: other.list().revision >= revision, 10,
                       "the others see it")
            assert other.get("Cluster", f"c{i}").resource_version == revision
    history = users[0].call("History", users[0].pb.HistoryRequest())
    outcomes = {change.outcome for one in history.revisions
                for change in one.changes}
    assert [one.number for one in history.revisions] == [3, 2, 1]
    assert outcomes == {users[0].types.OUTCOME_CREATED}


def test_changes_at_the_same_time_are_all_there(fleet):
    """Each server works on top of the newest revision, whoever made it."""
    def apply(user, name):
        for i in range(20):
            user.apply(cluster(f"{name}-{i}"))

    threads = [threading.Thread(target=apply, args=(server.user(), f"u{i}"))
               for i, server in enumerate(fleet.servers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    admin = fleet.servers[0].user()
    wait_until(lambda: admin.list().revision == 60, 10, "all revisions")
    assert len(admin.list(names_only=True).resources) == 60


def test_a_precondition_counts_over_all_servers(fleet):
    first, second = (server.user() for server in fleet.servers[:2])
    version = first.apply(cluster("c")).revision
    first.apply(cluster("c", host="other"))
    sentence = second.refused("ABORTED", "Apply", second.pb.ApplyRequest(
        files=[second.pb.File(name="c.yaml", text=cluster("c").encode())],
        preconditions=[second.pb.Precondition(
            kind="Cluster", name="c", resource_version=version)]))
    assert "has changed meanwhile" in sentence


def test_loss_of_a_server_and_of_a_node_of_etcd(fleet):
    """Everything that was acknowledged is there, before and after."""
    users = [server.user() for server in fleet.servers]
    acknowledged = [users[0].apply(cluster("before")).revision]
    fleet.lose(0)
    acknowledged.append(users[1].apply(cluster("without-a-server")).revision)
    fleet.etcd.kill(fleet.etcd.leader())
    acknowledged.append(apply_once_possible(
        users[2], cluster("without-a-node")))
    wait_until(lambda: users[1].list().revision >= acknowledged[-1], 10,
               "the other server sees it")
    names = {one.name for one in users[1].list().resources}
    assert names == {"before", "without-a-server", "without-a-node"}
    assert acknowledged == sorted(set(acknowledged))


def test_without_a_quorum_reads_go_on_and_changes_are_refused(fleet):
    admin = fleet.servers[1].user()
    admin.apply(cluster("before"))
    killed = [0, 1]
    for node in killed:
        fleet.etcd.kill(node)
    sentence = admin.refused("UNAVAILABLE", "Apply", admin.pb.ApplyRequest(
        files=[admin.pb.File(name="f", text=cluster("after").encode())]))
    assert "etcd" in sentence
    assert [one.name for one in admin.list().resources] == ["before"]
    for node in killed:
        fleet.etcd.start(node)
    apply_once_possible(admin, cluster("after"))
    assert len(admin.list().resources) == 2


def test_nodes_of_all_servers_are_shown_by_each(fleet):
    is_over = threading.Event()
    for i, server in enumerate(fleet.servers):
        name = f"edge-{i}"
        server.run("node-cert", server.folder, name)
        node = server.user(name)
        stream = node.nodes.Sync(iter_of(node, name, is_over))
        assert next(stream).welcome.version
        server.stream = stream
    shown = fleet.servers[0].user()
    wait_until(lambda: names_of(shown) == {
        ("edge-0", "kp-0"), ("edge-1", "kp-1"), ("edge-2", "kp-2")}, 15,
        "all nodes with their servers")
    for server in fleet.servers:
        server.stream.cancel()
    is_over.set()


def iter_of(user, name, is_over):
    """A hello, and then nothing for as long as the stream lasts."""
    yield user.nodes_pb.SyncRequest(hello=user.nodes_pb.Hello(
        node=name, version="test"))
    is_over.wait(600)


def names_of(user):
    answer = user.nodes.List(user.nodes_pb.ListNodesRequest(), timeout=60)
    return {(node.name, node.server) for node in answer.nodes}
