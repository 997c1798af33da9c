# SPDX-License-Identifier: Apache-2.0
"""Real clients behind two nodes of three policy servers over three nodes of etcd,
while changes come all the time and one process after the other is killed.

    pytest-3 integration/test_fleet_clients.py
"""
import re
import shutil

import pytest
import steady
import test_control
from control_rig import Pusher, numbered, reasons
from kproxy_rig import wait_until
from rig import NODE_PORTS
from test_fleet import Fleet
from test_kpctl_server import Kpctl
from test_processes import ask, connect


@pytest.fixture
def fleet(tmp_path):
    with Fleet(tmp_path) as one:
        yield one


def unexpected_ends(node):
    """Connections that somebody else than the client ended."""
    found = re.findall(r'^kproxy_connections_closed_total\{reason="(\w+)"\} '
                       r"(\d+)$", node.get("/metrics")[1], re.M)
    assert found
    return {reason: int(count) for reason, count in found
            if reason != "client_closed" and int(count) > 0}


def lose_one_after_the_other(fleet, progress):
    for server in fleet.servers:
        server.kill()
        progress()
        server.start()
        progress()
    leader = fleet.etcd.leader()
    fleet.etcd.kill(leader)
    progress()
    fleet.etcd.start(leader)
    fleet.etcd.wait(leader)
    progress()


@pytest.fixture
def edges(fleet, cluster):
    """Two nodes in front of the cluster, that know all servers."""
    made = []
    try:
        for i, first in enumerate(fleet.servers[:2]):
            made.append(test_control.new_node(
                first, cluster.bootstrap(), f"edge-{i}", count=NODE_PORTS,
                others=[one for one in fleet.servers if one is not first]))
            made[-1].start()
        fleet.servers[0].user().apply(*changed(made, cluster, 0))
        for node in made:
            node.wait_ready()
        yield made
        for node in made:
            node.stop()
    finally:
        for node in made:
            node.kill()
    for node in made:
        shutil.rmtree(node.folder)


def changed(nodes, cluster, number):
    servers = cluster.bootstrap().split(",")
    return [numbered(test_control.resources(node, servers, NODE_PORTS - number % 3),
                     number) for node in nodes]


def test_clients_notice_nothing_while_each_is_killed_and_pushes_go_on(
        fleet, edges, cluster, clients, tmp_path):
    (tmp_path / "home").mkdir()
    kpctl = Kpctl(tmp_path / "home", fleet.servers[0],
                  others=fleet.servers[1:])
    both = dict(zip(("java", "confluent"), (one.bootstrap for one in edges)))
    with steady.Clients(clients, cluster, both) as running, \
            connect(edges[0].bootstrap, 60) as idle:
        answer = ask(idle)

        def push(number, reason):
            return kpctl.run(
                "apply", "-f", "-", "--reason", reason, stdin="---\n".join(
                    changed(edges, cluster, number))).returncode == 0
        with Pusher(push) as pusher:
            def progress():
                pusher.wait_for_more()
                running.expect_progress()
                assert ask(idle) == answer
            lose_one_after_the_other(fleet, progress)
        newest = fleet.servers[0].user().list().revision
        for server in fleet.servers:
            user = server.user()
            wait_until(lambda: user.list().revision >= newest)
            found = reasons(server)
            assert [one for one in pusher.acknowledged if one not in found] == []
        assert newest > len(pusher.acknowledged) > 20
        test_control.converge(fleet.servers[2], edges, newest)
        assert [unexpected_ends(node) for node in edges] == [{}, {}]
        running.expect_nothing_lost()
