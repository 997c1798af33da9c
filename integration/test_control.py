# SPDX-License-Identifier: Apache-2.0
"""Nodes and their policy server: pushes, refusals, rollbacks, and what becomes
of either when the other is gone; with real clients of a real cluster in between.
"""

import random
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import rig
from control_rig import KPSERVER, Pusher, Server, numbered, reasons, stubs
from kproxy_rig import Kproxy, wait_until
from test_processes import (Broker, answers, generation, is_alive, is_open,
                            kill_child, published_at)

PLAIN = rig.Security("PLAINTEXT", "PLAINTEXT")


def revision(node):
    return int(node.metric("kproxy_control_revision"))


def new_node(server, broker, name, others=(), **more):
    """A node that follows server, or one of others over the same store; its
    ports are its own, its resources not."""
    server.run("node-cert", server.folder, name)
    addresses = ", ".join(f'"{one.address}"' for one in (server, *others))
    control = (f"{{server: {{addresses: [{addresses}], "
               f"ca: ./ca.pem, certificate: ./node.pem, key: ./node.key}}}}\n"
               f"labels: {{node: {name}}}")
    node = Kproxy(broker, control=control, name=name, wait=False, **more)
    shutil.copy(server.folder / "ca.pem", node.folder / "ca.pem")
    install(node, server, name)
    return node


def install(node, server, name):
    for suffix in ("pem", "key"):
        new = node.folder / "new"
        shutil.copy(server.folder / f"{name}.{suffix}", new)
        new.rename(node.folder / f"node.{suffix}")


def resources(node, broker, count=4):
    """The pass-through cluster of one node alone, under names of its own."""
    text = node.resources(
        [broker] if isinstance(broker, str) else broker,
        listener=f"nodes: {{node: {node.name}}}",
        cluster=f"nodes: {{node: {node.name}}}",
        virtual=f"nodes: {{node: {node.name}}}")
    for name in ("real", "clients", "shop"):
        text = text.replace(f"name: {name}}}", f"name: {name}-{node.name}}}")
    return (text.replace("cluster: real", f"cluster: real-{node.name}")
            .replace("listener: clients", f"listener: clients-{node.name}")
            .replace(f"count: {node.count}", f"count: {count}"))


@pytest.fixture
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path) as one:
        yield one


@pytest.fixture
def nodes(server, broker):
    """Two nodes that run what the server has for them."""
    both = [new_node(server, broker.address, f"edge-{i}") for i in (1, 2)]
    try:
        for node in both:
            node.start()
        converge(server, both, apply(
            server, *(resources(node, broker.address) for node in both)))
        yield both
        for node in both:
            node.stop()
    finally:
        for node in both:
            node.kill()
    for node in both:
        shutil.rmtree(node.folder)


def apply(server, *texts):
    """Applies documents; returns the revision."""
    return server.user().apply(*texts).revision


def node_of(server, node):
    """The node as the server sees it."""
    request = stubs().nodes_pb2.GetNodeRequest(name=node.name)
    return server.user().nodes.Get(request, timeout=60).node


def converge(server, nodes, wanted, seconds=40):
    """Waits until all nodes run that revision, for themselves and for the
    server."""
    for node in nodes:
        wait_until(lambda n=node: revision(n) == wanted, seconds,
                   f"revision {wanted} on {node.name}")

    def is_current(node):
        try:
            found = node_of(server, node)
        except stubs().grpc.RpcError as error:
            # one that follows another server of the store is heard of later
            assert error.code() == stubs().grpc.StatusCode.NOT_FOUND, error
            return False
        return found.state == stubs().nodes_pb2.NODE_STATE_CURRENT \
            and found.revision == wanted
    for node in nodes:
        wait_until(lambda n=node: is_current(n), seconds,
                   f"{node.name} as the server sees it")


def test_real_clients_while_pushes_come(cluster, clients, tmp_path):
    with Server(tmp_path) as server:
        node = new_node(server, cluster.bootstrap(), "edge-1", count=8)
        servers = cluster.bootstrap().split(",")
        try:
            node.start()
            apply(server, resources(node, servers))
            node.wait_ready()
            direct = clients.run("java", cluster, cluster.bootstrap(),
                                 ["classic", "txn"], PLAIN)
            is_done = threading.Event()
            pushed = []

            def push():
                while not is_done.is_set():
                    pushed.append(apply(server, resources(
                        node, servers, 6 + len(pushed) % 3)))
                    is_done.wait(0.1)
            pusher = threading.Thread(target=push)
            pusher.start()
            try:
                through = clients.run("java", cluster, node.bootstrap,
                                      ["classic", "txn"], PLAIN)
            finally:
                is_done.set()
                pusher.join()
            assert through == direct
            assert len(set(pushed)) == len(pushed) > 5
            converge(server, [node], pushed[-1])
            node.stop()
        finally:
            node.kill()
        shutil.rmtree(node.folder)


def test_each_node_gets_what_is_for_it(server, nodes, broker):
    one, two = nodes
    before = generation(two)
    wanted = apply(server, resources(one, broker.address, 2))
    wait_until(lambda: not is_open(one.port + 4), what="fewer ports")
    assert is_open(two.port + 4) and generation(two) == before
    converge(server, nodes, wanted)


def test_a_commit_is_in_force_within_10_ms(server, nodes, broker):
    """From the server's commit to the worker's log line, by clocks that have
    steps of a millisecond. A machine busy with other things may delay most; five
    show what kproxy itself needs, the first ones of a quiet machine."""
    one, user = nodes[0], server.user()
    durations = []
    for number in range(200):
        wanted = user.apply(
            resources(one, broker.address, 1 + number % 4)).revision
        converge(server, nodes[:1], wanted)
        newest = user.call("History", user.pb.HistoryRequest(limit=1))
        durations.append(round(
            published_at(one) - newest.revisions[0].time_ms / 1000, 3))
        if sum(0 <= took < 0.01 for took in durations) == 5:
            return
    raise AssertionError(sorted(durations))


def test_a_port_in_use_is_refused_and_told_to_the_server(
        server, nodes, broker):
    one, two = nodes
    before = revision(one)
    text = resources(one, broker.address)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        bad = apply(server, text.replace(
            f"first: {one.port + 1}, count: 4", f"first: {taken}, count: 1"))
        wait_until(lambda: node_of(server, one).refused_revision == bad,
                   what="refusal")
        problem = node_of(server, one).problems.problems[0]
        assert (problem.kind, problem.name) == ("Listener", "clients-edge-1")
        assert "Address already in use" in problem.message
        assert revision(one) == before and answers(one.bootstrap)
        # the other one is none the worse for it
        wait_until(lambda: revision(two) == bad, what="the other node")
    converge(server, nodes, apply(server, resources(one, broker.address, 3)))


def test_a_rollback_is_a_revision_like_any_other(server, nodes, broker):
    one = nodes[0]
    first = revision(one)
    converge(server, nodes, apply(server, resources(one, broker.address, 2)))
    wait_until(lambda: not is_open(one.port + 4), what="fewer ports")
    pb = server.user().pb
    back = server.user().call(
        "Rollback", pb.RollbackRequest(to=first, reason="no good"))
    converge(server, nodes, back.revision)
    assert is_open(one.port + 4) and back.revision > first


def test_without_a_server_nodes_serve_and_start_and_catch_up(
        server, nodes, broker):
    one, two = nodes
    held = revision(one)
    server.stop()
    wait_until(lambda: one.metric("kproxy_control_connected") == 0,
               what="disconnect")
    assert all(answers(node.bootstrap) for node in nodes)
    before = generation(one)
    one.stop()
    one.start()
    one.wait_ready()
    assert answers(one.bootstrap)
    assert revision(one) == held and generation(one) == before
    server.start()
    wanted = apply(server, resources(two, broker.address, 2))
    converge(server, nodes, wanted)
    wait_until(lambda: not is_open(two.port + 4), what="fewer ports")


def test_a_server_that_is_stopped_but_not_dead_is_left_for_the_other(
        tmp_path, broker):
    folders = [tmp_path / "1", tmp_path / "2"]
    subprocess.run([KPSERVER, "init", tmp_path / "server"], check=True)
    for folder in folders:
        shutil.copytree(tmp_path / "server", folder / "server")
    with Server(folders[0], is_made=True) as first, \
            Server(folders[1], is_made=True) as second:
        node = new_node(first, broker.address, "edge-1", others=[second])
        try:
            for server in (first, second):
                apply(server, resources(node, broker.address))
            node.start()
            node.wait_ready()

            def is_with(server):
                return f"server {server.address}, connected" in \
                    node.get("/readyz")[1]
            stopped = wait_until(lambda: [one for one in (first, second)
                                          if is_with(one)], what="connected")[0]
            other = second if stopped is first else first
            stopped.signal(signal.SIGSTOP)
            try:
                wait_until(lambda: is_with(other), 120, "the other")
            finally:
                stopped.signal(signal.SIGCONT)
            assert node.metric("kproxy_control_silences_total") == 1
            wanted = apply(other, resources(node, broker.address, 2))
            converge(other, [node], wanted)
            assert answers(node.bootstrap)
            node.stop()
        finally:
            node.kill()
            shutil.rmtree(node.folder)


def test_a_new_certificate_is_used_without_dropping_the_stream(
        server, nodes, broker):
    one = nodes[0]
    connects = one.metric("kproxy_control_connects_total")
    for suffix in ("pem", "key"):
        (server.folder / f"edge-1.{suffix}").unlink()
    server.run("node-cert", server.folder, "edge-1")
    install(one, server, "edge-1")
    wait_until(lambda: '"event":"certificate_reloaded"' in one.text(),
               what="new certificate")
    converge(server, nodes, apply(server, resources(one, broker.address, 2)))
    assert one.metric("kproxy_control_connects_total") == connects
    server.stop()
    server.start()
    wait_until(lambda: one.metric("kproxy_control_connects_total") > connects,
               30, "connected with the new one")


@pytest.mark.parametrize("seed", [1, 2])
def test_nodes_converge_whoever_is_killed_while_pushes_come(
        server, nodes, broker, seed):
    """kill -9 of agents and server in any order, with a push in between."""
    order = random.Random(seed)
    wanted = 0
    for i in range(12):
        node = order.choice(nodes)
        wanted = apply(server, resources(node, broker.address, 1 + i % 4))
        time.sleep(order.random() / 20)
        victim = order.choice(["server", "agent", "both", "nobody"])
        if victim in ("agent", "both"):
            kill_child(node, "agent")
        if victim in ("server", "both"):
            server.kill()
            server.start()
        assert all(answers(one.bootstrap) for one in nodes)
    converge(server, nodes, wanted, 60)


def kill_all_of(node):
    """The supervisor; what it started ends with it, and so frees the ports."""
    names = "worker", "agent"
    before = [node.child(name) for name in names]
    node.kill()
    wait_until(lambda: not any(map(is_alive, before)), 5, "the end")
    node.start()
    wait_until(lambda: not {*before, None} & {*map(node.child, names)},
               what="new ones")


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_whoever_is_killed_at_any_time(
        server, nodes, broker, seed):
    """kill -9 of each process, again and again, in the midst of pushes."""
    order = random.Random(seed)
    user = server.user()

    def push(number, reason):
        texts = [numbered(resources(node, broker.address, 1 + number % 4), number)
                 for node in nodes]
        try:
            return user.apply(*texts, reason=reason).revision > 0
        except user.RpcError as error:
            assert error.code() == user.code.UNAVAILABLE, error
            return False

    def restart_server():
        server.kill()
        server.start()
    victims = [(restart_server, ())] * 3
    for node in nodes:
        victims += [(kill_child, (node, "agent")), (kill_all_of, (node,)),
                    (kill_child, (node, "worker"))]
    order.shuffle(victims)
    with Pusher(push) as pusher:
        for kill, arguments in victims:
            pusher.wait_for_more()
            time.sleep(order.random() / 20)
            kill(*arguments)
            wait_until(lambda: all(answers(one.bootstrap) for one in nodes))
    found = reasons(server)
    assert [one for one in pusher.acknowledged if one not in found] == []
    assert len(pusher.acknowledged) >= 27
    converge(server, nodes, server.user().list().revision, 60)
