# SPDX-License-Identifier: Apache-2.0
"""What nodes notice when a part of the control plane is down, beyond what the
tests of that part show. The table in docs/operations.md names them all."""
import shutil
import socket
import ssl

import certificates
import pytest
from control_rig import Server, cluster, fill
from kproxy_rig import wait_until
from test_control import (apply, broker, converge, new_node,  # noqa: F401
                          resources, revision)
from test_fleet import Fleet
from test_node_certificates import (connects, issue_for, issue_until,
                                    wait_for)
from test_processes import answers, generation


class Node:
    """edge-1 of a server, or of several over one store."""

    def __init__(self, server, broker, others=()):
        self.server, self.broker = server, broker
        self.node = new_node(server, broker.address, "edge-1", others)

    def __enter__(self):
        try:
            self.node.start()
            converge(self.server, [self.node], apply(
                self.server, resources(self.node, self.broker.address)))
            wait_until(lambda: connected(self.node), what="connected")
            return self.node
        except BaseException:
            self.node.kill()
            raise

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.node.stop()
        finally:
            self.node.kill()
        if kind is None:
            shutil.rmtree(self.node.folder)


def connected(node):
    """The server hears of what it pushed before the page says so."""
    return node.metric("kproxy_control_connected") == 1


def refused(server):
    user = server.user()
    user.refused("UNAVAILABLE", "Apply", user.pb.ApplyRequest(files=[
        user.pb.File(name="f", text=cluster("more").encode())]))


def expect_that_nodes_go_on(node):
    """Serves, stays connected, and comes back when it was away."""
    assert connected(node) and answers(node.bootstrap)
    held = revision(node)
    node.stop()
    node.start()
    node.wait_ready()
    wait_until(lambda: connected(node) and revision(node) == held, 30,
               "connected again")
    assert answers(node.bootstrap)


@pytest.mark.parametrize("file", ["kpserver.db", "audit.jsonl"])
def test_a_full_disk_is_no_matter_of_nodes(tmp_path, broker, small_disk, file):
    server = Server(tmp_path)
    server.write(server.text.replace(f"./{file}", str(small_disk / file)))
    with server:
        with Node(server, broker) as node:
            fill(small_disk)
            refused(server)
            expect_that_nodes_go_on(node)
            (small_disk / "filler").unlink()
            wait_until(server.is_ready)
            converge(server, [node], apply(
                server, resources(node, broker.address, 3)))
        server.stop()
    (small_disk / file).unlink()


def test_nodes_go_on_without_a_quorum_of_etcd(tmp_path, broker):
    with Fleet(tmp_path) as fleet:
        first, *others = fleet.servers
        with Node(first, broker, others) as node:
            for index in (0, 1):
                fleet.etcd.kill(index)
            refused(first)
            assert connected(node) and answers(node.bootstrap)
            node.stop()
            node.start()
            node.wait_ready()
            assert answers(node.bootstrap)
            for index in (0, 1):
                fleet.etcd.start(index)
            for index in (0, 1):
                fleet.etcd.wait(index)
            wait_until(lambda: connected(node), 30, "connected again")
            converge(first, [node], apply(
                first, resources(node, broker.address, 3)))


def certificate_of(port):
    """The certificate that a listener shows, as bytes."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 60) as plain, \
            context.wrap_socket(plain) as wrapped:
        return wrapped.getpeercert(True)


def test_certificates_are_watched_without_any_server(tmp_path, broker):
    authority = certificates.Authority(tmp_path / "ca")

    def put(node, name):
        made = authority.issue(name, "IP:127.0.0.1")
        for source, suffix in ((made.certificate, "crt"), (made.key, "key")):
            shutil.copy(source, node.folder / "new")
            (node.folder / "new").rename(node.folder / f"tls.{suffix}")
    with Server(tmp_path) as server:
        with Node(server, broker) as node:
            put(node, "one")
            text = resources(node, broker.address).replace(
                "  advertisedHost:", "  tls: {certificate: {file: ./tls.crt}, "
                "key: {file: ./tls.key}}\n  advertisedHost:")
            converge(server, [node], apply(server, text))
            before, shown = generation(node), certificate_of(node.port)
            server.stop()
            wait_until(lambda: not connected(node), what="disconnect")
            put(node, "two")
            wait_until(lambda: generation(node) > before, what="new tables")
            wait_until(lambda: certificate_of(node.port) != shown,
                       what="the new certificate")
            server.start()


def test_a_servers_certificate_that_expires(tmp_path, broker):
    with Server(tmp_path) as server:
        with Node(server, broker) as node:
            server.stop()

            def issue(seconds):
                end = issue_for(server, "server", seconds, "DNS:localhost")
                if server.process.poll() is not None:
                    server.start()
                return end

            def is_begun():
                try:
                    return connects(node) == 2 and user.list()
                except user.RpcError:
                    return False
            user = server.user()
            wait_for(issue_until(is_begun, issue))
            # the streams that are open go on
            wanted = user.apply(resources(node, broker.address, 3)).revision
            wait_until(lambda: revision(node) == wanted, what="push")
            assert connected(node) and connects(node) == 2
            # the node does not begin a new one, and says why
            node.stop()
            node.start()
            node.wait_ready()
            wait_until(lambda: "certificate verify failed" in
                       node.get("/readyz")[1], 30, "the reason")
            wait_until(lambda: '"event":"server_not_reached"' in node.text(),
                       what="the log")
            assert not connected(node) and answers(node.bootstrap)
            issue_for(server, "server", 3600, "DNS:localhost")
            wait_until(lambda: connected(node), 30, "connected again")
            converge(server, [node], apply(
                server, resources(node, broker.address, 2)))
