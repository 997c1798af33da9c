# SPDX-License-Identifier: Apache-2.0
"""kpctl apply --wait, with nodes that take it, refuse it, or are away."""
import re
import signal
import socket
import subprocess
import time

import pytest
from kproxy_rig import wait_until
from test_control import (broker, converge, nodes, resources,  # noqa: F401
                          revision, server)
from test_kpctl import KPCTL, environment, on_terminal
from test_kpctl_server import kpctl  # noqa: F401


@pytest.fixture
def files(kpctl, nodes, broker):
    """Writes what both nodes are to run; counts are of their ports."""
    def write(*counts, bad_port=None):
        texts = [resources(node, broker.address, count)
                 for node, count in zip(nodes, counts)]
        if bad_port:
            texts[0] = re.sub(r"first: \d+, count: \d+",
                              f"first: {bad_port}, count: 1", texts[0])
        (kpctl.home / "all.yaml").write_text("---\n".join(texts))
    return write


WAIT = ["apply", "-f", "all.yaml", "--wait"]


def test_wait_ends_when_all_nodes_run_it(kpctl, server, nodes, files):
    files(2, 3)
    said = kpctl.good(*WAIT, "--timeout", "100s")
    assert said.count(" configured\n") == 2
    newest = server.user().list().revision
    # for themselves, too, and not only soon
    assert [revision(node) for node in nodes] == [newest, newest]
    assert kpctl.good("status", "--check")
    # people are told while it goes on
    files(3, 2)
    assert "] 2/2 nodes\r\n" in on_terminal(kpctl.home, *WAIT)


def test_wait_says_which_node_refuses_and_why(kpctl, nodes, files):
    before = revision(nodes[0])
    with socket.create_server(("127.0.0.1", 0)) as other:
        files(4, 2, bad_port=other.getsockname()[1])
        begin = time.monotonic()
        said = kpctl.bad(1, *WAIT, "--timeout", "60s")
    assert time.monotonic() - begin < 30  # there is nothing to wait for
    assert re.fullmatch(
        rf'node/edge-1 is refused, at revision {before}: .*Listener '
        r'"clients-edge-1".*Address already in use\n', said), said
    assert revision(nodes[1]) > before


def test_wait_says_which_node_is_away_within_its_timeout(
        kpctl, server, nodes, files):
    nodes[0].stop()
    before = revision(nodes[1])
    files(3, 2)
    # what is as it is to be is waited for, too: now one alone is behind
    kpctl.good("apply", "-f", "all.yaml")
    converge(server, nodes[1:], server.user().list().revision)
    begin = time.monotonic()
    said = kpctl.bad(1, *WAIT, "--timeout", "2s")
    assert 2 <= time.monotonic() - begin < 60
    assert re.match(rf"node/edge-1 is (lost|behind), at revision {before}\b",
                    said) and "edge-2" not in said
    assert revision(nodes[1]) > before
    nodes[0].start()
    converge(server, nodes, server.user().list().revision)


def test_ctrl_c_ends_the_wait_and_not_the_change(kpctl, server, nodes, files):
    nodes[0].stop()
    before = server.user().list().revision
    files(3, 2)
    process = subprocess.Popen(
        [KPCTL, *WAIT, "--timeout", "5m"], cwd=kpctl.home, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment(kpctl.home))
    try:
        # said before the wait begins
        assert any("configured" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == -signal.SIGINT
    finally:
        process.kill()
        process.communicate()
    wait_until(lambda: revision(nodes[1]) > before, what="the change")
    nodes[0].start()
    converge(server, nodes, before + 1)
