# SPDX-License-Identifier: Apache-2.0
"""A node whose certificate ends, or is of somebody else, while it runs."""
import datetime
import shutil
import time

import certificates
import pytest
from kproxy_rig import wait_until
from test_control import (apply, broker, converge, install,  # noqa: F401
                          new_node, resources, server)
from test_processes import answers, generation

LIFE_S = 8
EXPIRY = "kproxy_control_certificate_expiry_timestamp_seconds"
CA_CONFIG = """[ca]
default_ca = here
[here]
database = {folder}/ca-index
serial = {folder}/ca-serial
new_certs_dir = {folder}
policy = any
default_md = sha256
[any]
commonName = supplied
[extensions]
subjectAltName = {other_names}
extendedKeyUsage = serverAuth, clientAuth
"""


def issue_for(server, name, seconds, other_names):
    """Makes a certificate of the server's folder anew, good for some seconds;
    returns when it ends. x509(1) of the openssl that is common counts in days."""
    folder = server.folder
    end = int(time.time()) + seconds
    (folder / "ca-index").write_text("")
    (folder / "ca-serial").write_text("1000\n")
    (folder / "ca.cnf").write_text(CA_CONFIG.format(
        folder=folder, other_names=other_names))
    certificates.openssl(
        "req", "-new", *certificates.EC_KEY, "-subj", f"/CN={name}", "-keyout",
        str(folder / f"{name}.key"), "-out", str(folder / "request"))
    certificates.openssl(
        "ca", "-batch", "-notext", "-config", str(folder / "ca.cnf"),
        "-extensions", "extensions", "-cert", str(folder / "ca.pem"),
        "-keyfile", str(folder / "ca.key"), "-in", str(folder / "request"),
        "-startdate", in_utc(end - 86400), "-enddate", in_utc(end),
        "-out", str(folder / f"{name}.pem"))
    return end


def in_utc(seconds):
    return datetime.datetime.fromtimestamp(
        seconds, datetime.timezone.utc).strftime("%Y%m%d%H%M%SZ")


def issue_until(is_begun, issue):
    """issue(seconds) makes a certificate and returns when it ends: one that does
    not before is_begun(). A machine that is busy gets one that lives longer."""
    seconds = LIFE_S
    while True:
        end = issue(seconds)
        if wait_until(lambda: (is_begun() and "begun")
                      or (time.time() >= end and "ended"), seconds) == "begun":
            return end
        seconds *= 2


def wait_for(end):
    wait_until(lambda: time.time() > end + 1, max(end - time.time(), 0) + 2,
               "the end")


def renew(server, node):
    for suffix in ("pem", "key"):
        (server.folder / f"{node.name}.{suffix}").unlink()
    server.run("node-cert", server.folder, node.name)
    install(node, server, node.name)


@pytest.fixture
def node(server, broker):
    one = new_node(server, broker.address, "edge-1")
    try:
        yield one
        one.stop()
    finally:
        one.kill()
    shutil.rmtree(one.folder)


def serve(server, node, broker, count=4):
    converge(server, [node],
             apply(server, resources(node, broker.address, count)))


def connects(node):
    return node.metric("kproxy_control_connects_total")


def test_a_certificate_that_expires_while_the_node_runs(server, node, broker):
    def issue(seconds):
        end = issue_for(server, "edge-1", seconds, "DNS:edge-1")
        install(node, server, "edge-1")
        if node.process is None:
            node.start()
        return end
    end = issue_until(lambda: connects(node) == 1, issue)
    serve(server, node, broker)
    wait_for(end)
    # the stream that is open goes on
    serve(server, node, broker, 3)
    assert connects(node) == 1
    # and once it has to be made anew it is refused
    server.stop()
    server.start()
    wait_until(lambda: server.logged("rpc_handshake_failed", reason="verify"),
               30, "refusal")
    before = generation(node)
    wait_until(lambda: "certificate has expired" in node.get("/readyz")[1],
               20, "the reason")
    wait_until(lambda: '"reason":"the node\'s certificate has expired: '
               in node.text(), what="the log")
    assert node.metric(EXPIRY) == end
    assert node.get("/readyz")[0] == 200 and answers(node.bootstrap)
    assert node.metric("kproxy_control_connected") == 0
    assert connects(node) == 1 and generation(node) == before
    renew(server, node)
    wait_until(lambda: connects(node) == 2, 30, "connected with the new one")
    assert node.metric(EXPIRY) > end
    serve(server, node, broker, 2)


def test_a_certificate_of_another_authority(server, node, broker, tmp_path):
    node.start()
    serve(server, node, broker)
    theirs = certificates.Authority(tmp_path / "theirs").issue(
        "edge-1", "DNS:edge-1")
    for source, suffix in ((theirs.certificate, "pem"), (theirs.key, "key")):
        shutil.copy(source, node.folder / "new")
        (node.folder / "new").rename(node.folder / f"node.{suffix}")
    wait_until(lambda: '"event":"certificate_reloaded"' in node.text(),
               what="taken")
    serve(server, node, broker, 3)  # the stream that is open goes on
    assert connects(node) == 1
    server.stop()
    server.start()
    wait_until(lambda: server.logged("rpc_handshake_failed", reason="verify"),
               30, "refusal")
    wait_until(lambda: '"event":"server_not_reached"' in node.text(), 20,
               "the node's log")
    assert node.get("/readyz")[0] == 200 and answers(node.bootstrap)
    assert "not connected" in node.get("/readyz")[1]
    assert node.metric("kproxy_control_connected") == 0
    renew(server, node)
    wait_until(lambda: connects(node) == 2, 30, "connected with its own")
    serve(server, node, broker, 2)
