# SPDX-License-Identifier: Apache-2.0
"""A listener changes port, certificate or names, by a push of a policy server:
connections of all others stay, and its own unless its ports were taken away."""
import contextlib
import shutil
import ssl

import certificates
import pytest
from control_rig import Server
from kproxy_rig import free_ports, wait_until
from test_control import apply, broker, converge, new_node  # noqa: F401
from test_processes import ask, connect, is_open

TEXT = """apiVersion: kproxy/v1
kind: Cluster
metadata: {{name: real}}
spec: {{bootstrap: ["{broker}"]}}
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: plain}}
spec:
  bind: 127.0.0.1
  advertisedHost: 127.0.0.1
  ports: {{bootstrap: {plain}, first: {first}, count: 2}}
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: moving}}
spec:
  bind: 127.0.0.1
  advertisedHost: 127.0.0.1
  ports: {{bootstrap: {moving}, first: {moving_first}, count: 2}}
---
apiVersion: kproxy/v1
kind: Listener
metadata: {{name: named}}
spec:
  bind: 127.0.0.1
  sni: {{port: {named}, bootstrap: {name}.example, broker: "b{{node}}.{name}.example"}}
  tls: {{certificate: {{file: ./{file}.crt}}, key: {{file: ./{file}.key}}}}
"""
VIRTUAL = """---
apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {{name: {0}}}
spec: {{cluster: real, listener: {0}}}
"""


class Setup:
    """One node with three listeners; say() changes what is said of them."""

    def __init__(self, server, broker, authority):
        first = free_ports(8)
        self.server, self.authority = server, authority
        self.node = new_node(server, broker.address, "edge-1")
        self.said = {"broker": broker.address, "name": "one", "file": "one",
                     "plain": first, "first": first + 1, "named": first + 3,
                     "moving": first + 4, "moving_first": first + 5}

    def put(self, name, file):
        """Makes a certificate, and installs it on the node under that name."""
        made = self.authority.issue(name, "DNS:*.example")
        for source, suffix in ((made.certificate, "crt"), (made.key, "key")):
            shutil.copy(source, self.node.folder / "new")
            (self.node.folder / "new").rename(
                self.node.folder / f"{file}.{suffix}")

    def say(self, **more):
        self.said.update(more)
        text = TEXT.format(**self.said) + "".join(
            VIRTUAL.format(name) for name in ("plain", "moving", "named"))
        converge(self.server, [self.node], apply(self.server, text))

    def connect_named(self, name):
        context = ssl.create_default_context(cafile=self.authority.ca)
        context.check_hostname = False
        return context.wrap_socket(
            connect(f"127.0.0.1:{self.said['named']}"), server_hostname=name)

    def subject(self, name):
        """Of the certificate that a new connection sees."""
        with self.connect_named(name) as one:
            return dict(pair for part in one.getpeercert()["subject"]
                        for pair in part)["commonName"]


@pytest.fixture
def setup(tmp_path, broker):
    with Server(tmp_path) as server:
        one = Setup(server, broker, certificates.Authority(tmp_path / "ca"))
        try:
            one.put("first", "one")
            one.node.start()
            one.say()
            one.node.wait_ready()
            yield one
            one.node.stop()
        finally:
            one.node.kill()
        shutil.rmtree(one.node.folder)


@pytest.fixture
def stays(setup):
    """Connections to all listeners but the one that moves; call it to see that
    they are all there."""
    with contextlib.ExitStack() as stack:
        made = [connect(f"127.0.0.1:{setup.said['plain']}"),
                setup.connect_named("one.example")]
        for one in made:
            stack.enter_context(one)
        before = [ask(one) for one in made]

        def check():
            assert [ask(one) for one in made] == before
        yield check
        check()


def test_a_port_changes(setup, stays):
    old = setup.said["moving"]
    new = free_ports(3)
    setup.say(moving=new, moving_first=new + 1)
    wait_until(lambda: is_open(new) and not is_open(old), what="the port")
    stays()
    with connect(f"127.0.0.1:{new}") as fresh:
        assert ask(fresh)


def test_a_certificate_changes_its_file(setup, stays):
    setup.put("second", "one")
    wait_until(lambda: setup.subject("one.example") == "second",
               what="the new certificate")
    stays()


def test_a_listener_names_another_certificate(setup, stays):
    setup.put("second", "two")
    setup.say(file="two")
    wait_until(lambda: setup.subject("one.example") == "second",
               what="the new certificate")
    stays()


def test_names_change(setup, stays):
    setup.say(name="two")
    with setup.connect_named("two.example") as fresh:
        assert ask(fresh)
    stays()
    # the old names lead nowhere
    with pytest.raises((OSError, ConnectionError)), \
            setup.connect_named("one.example") as late:
        ask(late)
