# SPDX-License-Identifier: Apache-2.0
"""The policy server and its etcd: full, gone, put back, with certificates that
change."""
import base64
import queue
import shutil
import signal
import time
import urllib.error

import pytest

import certificates
from control_rig import Server, apply_once_possible, cluster
from etcd_rig import Etcd
from kproxy_rig import frozen, replace, wait_until


@pytest.fixture
def etcd(tmp_path):
    with Etcd(tmp_path) as found:
        yield found


@pytest.fixture
def server(tmp_path, etcd):
    with Server(tmp_path, store=etcd.store()) as found:
        yield found


def apply_request(user, *names):
    return user.pb.ApplyRequest(files=[
        user.pb.File(name=name, text=cluster(name).encode()) for name in names])


def fill(etcd):
    """Until it takes nothing any more."""
    filler = {"key": base64.b64encode(b"filler").decode(),
              "value": base64.b64encode(bytes(1 << 20)).decode()}
    with pytest.raises(urllib.error.HTTPError) as caught:
        for _ in range(1000):
            etcd.ask("kv/put", filler)
    assert b"space exceeded" in caught.value.read()


def make_room(etcd):
    """As etcd's documentation says: compact, defragment, disarm."""
    now = etcd.ask("kv/range", {"key": "AA=="})["header"]["revision"]
    etcd.ask("kv/compaction", {"revision": now, "physical": True})
    etcd.ask("maintenance/defragment", {})
    for alarm in etcd.ask("maintenance/alarm", {"action": "GET"})["alarms"]:
        etcd.ask("maintenance/alarm", {"action": "DEACTIVATE", **alarm})


def test_a_full_etcd_refuses_changes_and_loses_nothing(tmp_path):
    with Etcd(tmp_path, args=["--quota-backend-bytes", str(16 << 20)]) as etcd, \
            Server(tmp_path, store=etcd.store()) as server:
        admin = server.user()
        admin.apply(cluster("a"))
        fill(etcd)
        said = admin.refused("UNAVAILABLE", "Apply", apply_request(admin, "b"))
        assert "space exceeded" in said, said
        assert [r.name for r in admin.list().resources] == ["a"]
        assert server.get("/readyz")[0] == 503
        make_room(etcd)
        wait_until(server.is_ready)  # although nobody has tried a change
        assert admin.call("Apply", apply_request(admin, "b")).revision == 2
        server.stop()
        server.start()
        assert len(server.user().list().resources) == 2


def test_without_etcd_a_server_does_not_start_and_says_why(tmp_path, etcd):
    etcd.kill(0)
    server = Server(tmp_path, store=etcd.store())
    server.start(wait=False)
    server.wait(expect=1)
    reason = server.logged("start_failed")[-1]["reason"]
    assert reason.startswith("store.etcd: "), reason
    assert f"127.0.0.1:{etcd.port(0)}" in reason, reason
    backup = server.run("backup", "--config", server.config, "x", ok=False)
    assert backup.returncode == 1
    assert "etcdctl snapshot save" in backup.stderr


def slowest_page_until_it_is_noticed(server):
    """In seconds."""
    durations = []

    def is_noticed():
        codes = []
        for page in ("/metrics", "/livez", "/readyz"):
            began = time.monotonic()
            codes.append(server.get(page)[0])
            durations.append(time.monotonic() - began)
        assert codes[:2] == [200, 200]
        return codes[2] == 503
    wait_until(is_noticed, 30)
    return max(durations)


def test_pages_answer_at_once_while_etcd_is_gone(server, etcd):
    """Who does not answer that it lives is killed by its keeper. A machine busy
    with other things may delay an answer; one loss of five is without that."""
    admin = server.user()
    admin.apply(cluster("a"))
    slowest = []
    while min(slowest, default=2) >= 2:
        assert len(slowest) < 5, slowest
        if slowest:
            etcd.start(0)
            wait_until(server.is_ready, 30)
        etcd.kill(0)
        slowest.append(slowest_page_until_it_is_noticed(server))
    assert server.metric("kproxy_server_store_up") == 0
    said = admin.refused("UNAVAILABLE", "Apply", apply_request(admin, "b"))
    assert "etcd" in said, said
    assert [r.name for r in admin.list().resources] == ["a"]
    etcd.start(0)
    wait_until(server.is_ready, 30)
    assert admin.call("Apply", apply_request(admin, "b")).revision == 2


def test_reads_that_nobody_waits_for_any_more_keep_no_thread(tmp_path, etcd):
    with Server(tmp_path, "limits: {threads: 2, changes: 1}\n",
                store=etcd.store()) as server:
        admin = server.user()
        for name in "abc":
            admin.apply(cluster(name))
        pb = admin.pb
        with frozen(etcd.processes[0].pid):
            asked = [admin.begin(method, request, seconds=1)
                     for method, request in 3 * (
                         ("History", pb.HistoryRequest()),
                         ("List", pb.ListRequest(revision=1)),
                         ("Get", pb.GetRequest(
                             kind="Cluster", name="a", revision=1)),
                         ("Diff", pb.DiffRequest(to=2)))]
            for call in asked:
                assert call.code() in (admin.code.DEADLINE_EXCEEDED,
                                       admin.code.UNAVAILABLE)
            # each would have kept its thread for five seconds
            found = admin.call("List", pb.ListRequest(), seconds=15)
            assert [r.name for r in found.resources] == ["a", "b", "c"]
        wait_until(server.is_ready, 30)
        assert len(admin.call("History", pb.HistoryRequest()).revisions) == 3


def first_push(server, revision):
    """What a node is pushed that holds that revision."""
    node = server.user("node-1")
    pb = node.nodes_pb
    asked = queue.Queue()
    asked.put(pb.SyncRequest(hello=pb.Hello(
        node="node-1", version="1", revision=revision, sha256=bytes(32))))
    stream = node.nodes.Sync(iter(asked.get, None))
    assert next(stream).welcome.version
    push = next(stream).push
    asked.put(None)
    stream.cancel()
    return push


def test_nodes_go_back_with_an_etcd_that_was_put_back(tmp_path, server, etcd):
    admin = server.user()
    admin.apply(cluster("a"))
    admin.apply(cluster("b"))
    server.stop()
    etcd.kill(0)
    shutil.copytree(tmp_path / "n0", tmp_path / "backup")
    etcd.start(0)
    etcd.wait(0)
    server.start()
    assert server.user().apply(cluster("c")).revision == 3
    server.stop()
    etcd.kill(0)
    shutil.rmtree(tmp_path / "n0")
    (tmp_path / "backup").rename(tmp_path / "n0")
    etcd.start(0)
    etcd.wait(0)
    server.start("--restored")
    found = server.user().list()
    assert (found.revision, [r.name for r in found.resources]) == (2, ["a", "b"])
    push = first_push(server, revision=3)
    assert (push.revision, push.is_rollback) == (2, True)


TLS = "tls: {ca: etcd-ca.pem, certificate: etcd.pem, key: etcd.key}"


@pytest.fixture
def authorities(tmp_path):
    return [certificates.Authority(tmp_path / name) for name in ("old", "new")]


@pytest.fixture
def secured(tmp_path, authorities):
    """(etcd, server): each shows the other what the old authority signed; etcd
    believes clients of the new one as well."""
    old, new = authorities
    with Etcd(tmp_path, tls=old) as etcd:
        restart(etcd, old, old, new)
        server = Server(tmp_path, store=etcd.store(tls=TLS))
        shown = old.issue("kpserver")
        for name, source in (("etcd-ca.pem", old.ca), ("etcd.key", shown.key),
                             ("etcd.pem", shown.certificate)):
            replace(server.folder / name, source.read_text())
        with server:
            yield etcd, server


def restart(etcd, authority, *clients):
    """All connections are made anew."""
    etcd.kill(0)
    etcd.use(authority, *clients)
    etcd.start(0)
    etcd.wait(0)


def test_new_certificates_for_etcd_are_taken_without_a_restart(
        secured, authorities):
    etcd, server = secured
    old, new = authorities
    admin = server.user()
    assert admin.apply(cluster("a")).revision == 1
    shown = new.issue("kpserver")
    for name, text in (
            ("etcd-ca.pem", old.ca.read_text() + new.ca.read_text()),
            ("etcd.pem", shown.certificate.read_text()),
            ("etcd.key", shown.key.read_text())):
        before = len(server.logged("reloaded", what="for etcd"))
        replace(server.folder / name, text)
        if name == "etcd.pem":  # to which the key does not fit yet
            wait_until(lambda: server.logged("reload_failed", what="for etcd"))
            assert admin.apply(cluster("b")).revision == 2
        else:
            wait_until(lambda: len(server.logged(
                "reloaded", what="for etcd")) > before)
    assert admin.apply(cluster("c")).revision == 3
    restart(etcd, new, new)  # what was shown and believed before has no use
    assert apply_once_possible(admin, cluster("d")) == 4
    wait_until(server.is_ready)


def test_files_for_etcd_that_are_no_good_are_told_of_once(secured, authorities):
    etcd, server = secured
    old, new = authorities
    admin = server.user()
    admin.apply(cluster("a"))

    def refused():
        return server.logged("reload_failed", what="for etcd")
    (server.folder / "etcd.key").unlink()
    wait_until(refused)
    assert "No such file" in refused()[0]["reason"]
    # another file of that folder has it looked at again
    own = server.folder / "ca.pem"
    replace(own, own.read_text() + "\n")
    wait_until(lambda: server.logged("reloaded", what="^certificates$"))
    assert len(refused()) == 1
    replace(server.folder / "etcd.key", "no key")
    wait_until(lambda: len(refused()) == 2)
    restart(etcd, old, old)  # and the old ones are used for it
    assert apply_once_possible(admin, cluster("b")) == 2
    # who asks for it is answered each time
    server.signal(signal.SIGHUP)
    wait_until(lambda: len(refused()) == 3)


LOGIN = "user: root, password: {file: etcd-password}"
FAILED = 'kproxy_server_reloads_total{result="failed"}'


@pytest.fixture
def guarded(tmp_path, etcd):
    """(etcd, server): one wants a password of the other, "first"."""
    etcd.enable_password("first")
    server = Server(tmp_path, store=etcd.store(tls=LOGIN))
    (server.folder / "etcd-password").write_text("first\n")
    with server:
        yield etcd, server


def test_a_new_password_in_file_and_etcd_needs_no_restart(guarded):
    """Whichever of the two is changed first."""
    etcd, server = guarded
    admin = server.user()
    file = server.folder / "etcd-password"
    assert admin.apply(cluster("a")).revision == 1
    replace(file, "second\n")
    wait_until(lambda: server.logged(
        "reload_failed", what="password for etcd"))
    assert admin.apply(cluster("b")).revision == 2
    etcd.change_password("first", "second")
    assert admin.apply(cluster("c")).revision == 3
    etcd.change_password("second", "third")
    said = admin.refused("UNAVAILABLE", "Apply", apply_request(admin, "d"))
    assert "invalid user ID or password" in said, said
    before = len(server.logged("etcd_password_taken"))
    replace(file, "third\n")
    # by who looks after files, or who happens to log in before that
    wait_until(lambda: len(server.logged("etcd_password_taken")) > before)
    assert admin.apply(cluster("e")).revision == 4
    wait_until(server.is_ready)


def test_a_password_that_etcd_does_not_take_is_told_of_once(guarded):
    etcd, server = guarded
    admin = server.user()
    file = server.folder / "etcd-password"

    def refused():
        return server.logged("reload_failed", what="password for etcd")
    failed = server.metric(FAILED)
    replace(file, "wrong\n")
    wait_until(refused)
    assert "invalid user ID or password" in refused()[0]["reason"]
    assert "wrong" not in refused()[0]["reason"]
    assert server.metric(FAILED) == failed + 1
    own = server.folder / "ca.pem"
    replace(own, own.read_text() + "\n")
    wait_until(lambda: server.logged("reloaded", what="^certificates$"))
    assert len(refused()) == 1
    assert admin.apply(cluster("a")).revision == 1  # with the old one
    assert server.is_ready()
    etcd.kill(0)  # and so it logs in again
    etcd.start(0)
    etcd.wait(0)
    wait_until(server.is_ready, 30)
    assert admin.apply(cluster("b")).revision == 2
    file.unlink()
    wait_until(lambda: len(refused()) == 2)
    assert "No such file" in refused()[1]["reason"]
    server.signal(signal.SIGHUP)
    wait_until(lambda: len(refused()) == 3)
