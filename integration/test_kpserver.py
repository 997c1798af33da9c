# SPDX-License-Identifier: Apache-2.0
"""The policy server as one runs it, asked by a client of another language:
every method and status, roles, limits, the audit file, signals, certificates.
All of it over each of the two stores."""
import base64
import concurrent.futures
import json
import os
import queue
import re
import signal
import sqlite3
import stat
import subprocess
import threading
import time

import pytest

import certificates
from control_rig import KPSERVER, SQLITE, Server, cluster, fill, stubs
from etcd_rig import Etcd
from kproxy_rig import replace, wait_until

LISTENER = """apiVersion: kproxy/v1
kind: Listener
metadata: {name: l}
spec:
  bind: 127.0.0.1
  ports: {bootstrap: 19092, first: 19093, count: 2}
"""
VIRTUAL = """apiVersion: kproxy/v1
kind: VirtualCluster
metadata: {name: v}
spec: {cluster: a, listener: l}
"""


@pytest.fixture(scope="module")
def etcd(tmp_path_factory):
    """One for all tests, which have a prefix each."""
    with Etcd(tmp_path_factory.mktemp("etcd")) as found:
        yield found


@pytest.fixture(params=["sqlite", "etcd"])
def store(request, tmp_path):
    """Each of the two, empty, as kpserver.yaml names it."""
    if request.param == "sqlite":
        return SQLITE
    return request.getfixturevalue("etcd").store(f"/{tmp_path.name}/")


@pytest.fixture
def server(tmp_path, store):
    with Server(tmp_path, store=store) as found:
        yield found


@pytest.fixture
def admin(server):
    return server.user()


# --- resources ----------------------------------------------------------------

def test_what_is_applied_can_be_read(admin):
    done = admin.apply(cluster("a", "team: orders"), LISTENER, VIRTUAL,
                       reason="begin")
    assert done.revision == 1
    assert [(r.kind, r.name, r.outcome) for r in done.results] == [
        ("Cluster", "a", 1), ("Listener", "l", 1), ("VirtualCluster", "v", 1)]
    found = admin.get("Cluster", "a")
    assert found.resource_version == 1
    assert [(x.name, x.value) for x in found.labels] == [("team", "orders")]
    assert "bootstrap" in found.document
    again = admin.apply(cluster("a", "team: orders"))
    assert (again.revision, again.results[0].outcome) == (1, 3)
    # the document is what Apply takes
    assert admin.apply(found.document).results[0].outcome == 3
    changed = admin.apply(cluster("a", host="other"), with_differences=True)
    assert (changed.revision, changed.results[0].outcome) == (2, 2)
    assert "broker" in changed.differences[0].before
    assert "other" in changed.differences[0].after
    assert admin.get("Cluster", "a", revision=1).document == found.document


def test_it_gives_way_to_a_data_plane_beside_it(server):
    assert os.getpriority(os.PRIO_PROCESS, server.process.pid) >= 5


def test_a_dry_run_stores_nothing(admin):
    done = admin.apply(cluster("a"), dry_run=True, with_differences=True)
    assert (done.revision, done.results[0].outcome) == (0, 1)
    assert "broker" in done.differences[0].after
    assert not admin.list().resources


def test_every_status_of_resources(admin):
    pb = admin.pb
    admin.apply(cluster("a"), LISTENER, VIRTUAL)
    assert admin.refused("NOT_FOUND", "Get", pb.GetRequest(
        kind="Cluster", name="b")) == 'there is no Cluster "b"'
    admin.refused("INVALID_ARGUMENT", "Get", pb.GetRequest(kind="Cluster"))
    admin.refused("OUT_OF_RANGE", "Get", pb.GetRequest(
        kind="Cluster", name="a", revision=9))
    admin.refused("INVALID_ARGUMENT", "List", pb.ListRequest(kind="Topic"))
    admin.refused("INVALID_ARGUMENT", "List", pb.ListRequest(selector="a=b=c"))
    admin.refused("OUT_OF_RANGE", "List", pb.ListRequest(revision=9))
    admin.refused("OUT_OF_RANGE", "Diff", pb.DiffRequest(to=9))
    admin.refused("OUT_OF_RANGE", "Rollback", pb.RollbackRequest(to=9))
    admin.refused("INVALID_ARGUMENT", "Rollback", pb.RollbackRequest())
    admin.refused("INVALID_ARGUMENT", "History", pb.HistoryRequest(name="a"))
    missing = admin.name("Cluster", "b")
    admin.refused("NOT_FOUND", "Delete", pb.DeleteRequest(names=[missing]))
    used = admin.name("Cluster", "a")
    said = admin.refused("FAILED_PRECONDITION", "Delete",
                         pb.DeleteRequest(names=[used]))
    assert 'there is no Cluster "a"' in said
    admin.refused("ABORTED", "Delete", pb.DeleteRequest(
        names=[admin.name("VirtualCluster", "v")],
        preconditions=[pb.Precondition(kind="VirtualCluster", name="v",
                                       resource_version=7)]))
    admin.refused("INVALID_ARGUMENT", "Apply",
                  pb.ApplyRequest(reason="x" * 2000))
    done = admin.call("Delete", pb.DeleteRequest(
        names=[admin.name("VirtualCluster", "v")], reason="old"))
    assert done.revision == 2


def test_problems_are_details_of_the_status_and_all_in_validate(admin):
    texts = [cluster(f"c{i}").replace("bootstrap", "bootstrp")
             for i in range(80)]
    try:
        admin.apply(*texts)
        raise AssertionError("was not refused")
    except admin.RpcError as error:
        assert error.code() == admin.code.FAILED_PRECONDITION
        raw = dict(error.trailing_metadata())["grpc-status-details-bin"]
    assert len(raw) < 8192
    found = admin.call("Validate", admin.pb.ValidateRequest(
        files=[admin.pb.File(name=f"f{i}.yaml", text=t.encode())
               for i, t in enumerate(texts)])).problems
    assert (len(found.problems), found.left_out) == (160, 0)
    first = found.problems[0]
    assert (first.file, first.kind, first.name, first.line) == (
        "f0.yaml", "Cluster", "c0", 4)
    assert 'did you mean "bootstrap"?' in first.message
    # a status holds the first ones
    assert b"f0.yaml" in raw and b"f79.yaml" not in raw
    fine = admin.call("Validate", admin.pb.ValidateRequest(
        files=[admin.pb.File(name="f", text=cluster("a").encode())]))
    assert not fine.problems.problems
    assert not admin.list().resources


def test_texts_of_any_bytes_are_refused_in_utf8(admin):
    """A client of another language would refuse the whole answer otherwise."""
    text = cluster("a") + "  " + "ä" * 200 + ": 1\n"
    found = admin.call("Validate", admin.pb.ValidateRequest(
        files=[admin.pb.File(name="f", text=text.encode()),
               admin.pb.File(name="g", text=b"\xff\xfe\x00")])).problems
    assert len(found.problems) == 2


def test_pages_are_of_one_revision_and_tokens_are_checked(admin):
    pb = admin.pb
    admin.apply(*(cluster(f"c{i:02}", f"even: '{i % 2 == 0}'".replace("'", '"'))
                  for i in range(25)), LISTENER)
    first = admin.list(page_size=10)
    admin.apply(cluster("c10"), deletions=[("Cluster", "c12")])
    second = admin.list(page_size=10, page_token=first.next_page_token)
    third = admin.list(page_size=10, page_token=second.next_page_token)
    assert [len(p.resources) for p in (first, second, third)] == [10, 10, 6]
    assert {p.revision for p in (first, second, third)} == {1}
    assert third.next_page_token == ""
    names = [r.name for p in (first, second, third) for r in p.resources]
    assert names == [f"c{i:02}" for i in range(25)] + ["l"]
    token = first.next_page_token
    for bad in (dict(page_token=token[:-2]), dict(page_token="00" * 60),
                dict(page_token=token, kind="Cluster"),
                dict(page_token=token, selector="a"),
                dict(page_token=token.replace(token[0], "f"))):
        admin.refused("INVALID_ARGUMENT", "List", pb.ListRequest(**bad))
    found = admin.list(selector="even=True", kind="Cluster", names_only=True)
    # c10 lost its labels, c12 is gone
    assert [r.name for r in found.resources] == [
        f"c{i:02}" for i in range(0, 25, 2) if i not in (10, 12)]
    assert not any(r.document for r in found.resources)


def test_history_diff_and_rollback(admin):
    pb = admin.pb
    admin.apply(cluster("a"), reason="one")
    admin.apply(cluster("b"), reason="two")
    admin.apply(cluster("a", host="other"), deletions=[("Cluster", "b")],
                reason="three")
    found = admin.call("History", pb.HistoryRequest(with_documents=True))
    assert [(r.number, r.reason, r.identity) for r in found.revisions] == [
        (3, "three", "CN:admin"), (2, "two", "CN:admin"), (1, "one", "CN:admin")]
    assert [(c.name, c.outcome) for c in found.revisions[0].changes] == [
        ("a", 2), ("b", 4)]
    assert found.revisions[1].changes[0].outcome == 1
    assert "other" in found.revisions[0].changes[0].document
    assert found.oldest == 0
    times = [r.time_ms for r in found.revisions]
    assert times == sorted(times, reverse=True)
    of_b = admin.call("History", pb.HistoryRequest(kind="Cluster", name="b"))
    assert [r.number for r in of_b.revisions] == [3, 2]
    before = admin.call("History", pb.HistoryRequest(before=3, limit=1))
    assert [r.number for r in before.revisions] == [2]
    diff = getattr(pb, "DiffRequest")(to=2)
    setattr(diff, "from", 1)
    found = admin.call("Diff", diff)
    assert [(d.name, d.before, bool(d.after)) for d in found.differences] == [
        ("b", "", True)]
    back = admin.call("Rollback", pb.RollbackRequest(to=1, reason="back"))
    assert back.revision == 4
    assert [(r.name, r.outcome) for r in back.results] == [("a", 2)]
    setattr(diff, "from", 1)
    diff.to = 0
    assert not admin.call("Diff", diff).differences


def test_a_deadline_is_kept_while_others_change(server, admin):
    """Changes are judged one after the other; who waits too long is told."""
    many = [cluster(f"c{i}") for i in range(2000)]
    ended = 'kproxy_server_calls_total{method="Resources/Apply",code="OK"}'
    is_over = threading.Event()

    def change():
        while not is_over.is_set():
            assert len(admin.apply(*many, dry_run=True).results) == 2000

    def is_read_meanwhile():
        before = server.metric(ended)
        assert admin.list().revision == 0
        return 0 < before == server.metric(ended)
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        running = [pool.submit(change) for _ in range(3)]
        try:
            # one is judged all the time: who waited for it would see it end
            wait_until(is_read_meanwhile, what="a list")
            request = admin.pb.ApplyRequest(files=[
                admin.pb.File(name="f", text=cluster("x").encode())])
            try:
                admin.call("Apply", request, 0.001)
            except admin.RpcError as error:
                assert error.code() == admin.code.DEADLINE_EXCEEDED
        finally:
            is_over.set()
        for one in running:
            one.result()


# --- watch --------------------------------------------------------------------

class Watching:
    """A watch in a thread of its own; revisions as they came."""

    def __init__(self, user, **request):
        self.call = user.resources.Watch(user.pb.WatchRequest(**request))
        self.found, self.error = [], None
        self.thread = threading.Thread(target=self.read)
        self.thread.start()

    def read(self):
        try:
            for response in self.call:
                self.found.append(response.revision)
        except Exception as error:
            self.error = error

    def numbers(self):
        return [r.number for r in self.found]

    def end(self):
        self.call.cancel()
        self.thread.join(60)
        assert not self.thread.is_alive()


def watch(user, **request):
    return Watching(user, **request)


def test_a_watch_tells_every_revision_once_and_in_order(admin):
    for i in range(40):
        admin.apply(cluster("a", host=f"h{i}"))
    seen = watch(admin)
    late = watch(admin, after=30, with_documents=True)
    clusters = watch(admin, after=40, kind="Listener", with_documents=True)
    wait_until(lambda: seen.numbers() == list(range(1, 41)))
    admin.apply(cluster("b"), LISTENER)
    admin.apply(cluster("c"))
    admin.apply(LISTENER.replace("19092", "19091"))
    wait_until(lambda: seen.numbers() == list(range(1, 44)))
    wait_until(lambda: late.numbers() == list(range(31, 44)))
    wait_until(lambda: clusters.numbers() == [41, 43])
    assert [c.kind for c in clusters.found[0].changes] == ["Listener"]
    assert "19091" in clusters.found[1].changes[0].document
    assert "h39" in late.found[9].changes[0].document
    assert seen.found[0].changes[0].document == ""
    for one in (seen, late, clusters):
        one.end()


def test_a_watch_of_what_is_not_there_is_out_of_range(admin):
    admin.apply(cluster("a"))
    ended = watch(admin, after=5)
    ended.thread.join(60)
    assert ended.error.code() == admin.code.OUT_OF_RANGE


def test_history_is_compacted_and_says_so(tmp_path, store):
    with Server(tmp_path, "history: {revisions: 10}\n", store=store) as server:
        admin = server.user()
        for i in range(30):
            admin.apply(cluster("a", host=f"h{i}"))
        before = admin.get("Cluster", "a").document
        server.stop()
        server.start()
        wait_until(lambda: server.metric("kproxy_server_oldest_revision") == 20)
        admin = server.user()
        pb = admin.pb
        found = admin.call("History", pb.HistoryRequest())
        assert [r.number for r in found.revisions] == list(range(30, 20, -1))
        assert found.oldest == 20
        admin.refused("OUT_OF_RANGE", "Get",
                      pb.GetRequest(kind="Cluster", name="a", revision=19))
        assert "h19" in admin.get("Cluster", "a", revision=20).document
        assert admin.get("Cluster", "a").document == before
        ended = watch(admin, after=10)
        ended.thread.join(60)
        assert ended.error.code() == admin.code.OUT_OF_RANGE
        assert "compacted" in ended.error.details()


def test_a_watch_that_does_not_read_is_told_and_can_resume(tmp_path, store):
    with Server(tmp_path, "limits: {watchTimeout: 3s}\n",
                store=store) as server:
        admin = server.user()
        # a window that a few revisions fill
        slow = server.user(**{"grpc.http2.lookahead_bytes": 1024,
                              "grpc.http2.bdp_probe": 0})
        for i in range(60):
            admin.apply(*(cluster(f"c{k}", host=f"h{i}.{'x' * 60}")
                          for k in range(100)))
        call = slow.resources.Watch(
            slow.pb.WatchRequest(with_documents=True))
        first = next(call).revision.number
        wait_until(lambda: [x for x in server.audit()
                            if x.get("event") == "ended"], 30, "end of watch")
        line = [x for x in server.audit() if x.get("event") == "ended"][0]
        assert (line["method"], line["code"]) == (
            "Resources/Watch", "RESOURCE_EXHAUSTED")
        got = [first]
        with pytest.raises(slow.RpcError):
            for response in call:
                got.append(response.revision.number)
        assert got == list(range(1, len(got) + 1)) and len(got) < 60

        def goes_on():
            """Three seconds are soon over: it may be told so again."""
            again = admin.resources.Watch(admin.pb.WatchRequest(
                after=got[-1], with_documents=True))
            try:
                while got[-1] < 60:
                    got.append(next(again).revision.number)
            except admin.RpcError as error:
                assert error.code() == admin.code.RESOURCE_EXHAUSTED, error
            again.cancel()
            return got[-1] == 60
        wait_until(goes_on, 30, "all revisions")
        assert got == list(range(1, 61))


# --- nodes --------------------------------------------------------------------

def test_a_node_gets_what_is_applied(server, admin):
    """In Python, as somebody else's agent would do it."""
    admin.apply(cluster("a"))
    node = server.user("node-1")
    nodes = node.nodes_pb
    asked = queue.Queue()
    asked.put(nodes.SyncRequest(hello=nodes.Hello(
        node="node-1", labels=[node.types.Label(name="site", value="fra")],
        version="1")))
    stream = node.nodes.Sync(iter(asked.get, None))
    assert next(stream).welcome.heartbeat_ms > 0
    push = next(stream).push
    assert (push.revision, push.is_last) == (1, True)
    assert [r.name for r in push.changed] == ["a"]
    asked.put(nodes.SyncRequest(ack=nodes.Ack(revision=1)))
    admin.apply(cluster("b"))
    push = next(stream).push
    assert (push.revision, push.based_on) == (2, 1)
    assert [r.name for r in push.changed] == ["b"]
    asked.put(nodes.SyncRequest(ack=nodes.Ack(revision=2)))

    def current():
        found = admin.nodes.List(nodes.ListNodesRequest(), timeout=60).nodes
        return [(n.name, n.revision, n.state) for n in found] == [
            ("node-1", 2, nodes.NODE_STATE_CURRENT)]
    wait_until(current)
    admin.nodes.Cordon(nodes.CordonRequest(
        name="node-1", is_cordoned=True, reason="repair"), timeout=60)
    assert [(x["code"], x["reason"], x["changes"]) for x in server.audit()
            if x["method"] == "Nodes/Cordon"] == [
        ("OK", "repair",
         [{"kind": "Node", "name": "node-1", "outcome": "cordoned"}])]
    # its certificate is of no other node
    other = node.nodes.Sync(iter([nodes.SyncRequest(
        hello=nodes.Hello(node="node-2", version="1"))]))
    with pytest.raises(node.RpcError) as caught:
        next(other)
    assert caught.value.code() == node.code.PERMISSION_DENIED
    # nor may an operator be one
    with pytest.raises(admin.RpcError) as caught:
        next(admin.nodes.Sync(iter([nodes.SyncRequest()])))
    assert caught.value.code() == admin.code.PERMISSION_DENIED
    asked.put(None)
    stream.cancel()


# --- who may do what ----------------------------------------------------------

ROLES = """roles:
  - {role: admin, identities: ["CN:admin"]}
  - {role: editor, identities: ["CN:team-*"], kinds: [Cluster],
     labels: {team: orders}}
  - {role: viewer, identities: ["CN:viewer", "CN:team-*"]}
  - {role: node, identities: ["DNS:*"]}
"""


def with_roles(text):
    return re.sub(r"roles:\n(  - .*\n)+", ROLES, text)


@pytest.fixture
def roles(tmp_path, store):
    server = Server(tmp_path, store=store)
    server.write(with_roles(server.text))
    with server:
        yield server


def test_roles_are_kept(roles):
    admin, viewer = roles.user(), roles.user("viewer")
    nobody, node = roles.user("nobody"), roles.user("node-1")
    pb = admin.pb
    admin.apply(cluster("a"))
    assert viewer.get("Cluster", "a").name == "a"
    said = viewer.refused("PERMISSION_DENIED", "Apply", pb.ApplyRequest())
    assert said == ('Resources/Apply needs the role "editor", which '
                    '"CN:viewer" does not have')
    for who in (nobody, node):
        who.refused("PERMISSION_DENIED", "List", pb.ListRequest())
        with pytest.raises(who.RpcError) as caught:
            list(who.resources.Watch(pb.WatchRequest()))
        assert caught.value.code() == who.code.PERMISSION_DENIED
        assert who.health.Check(
            who.health_pb.HealthCheckRequest(), timeout=60).status == 1
    lines = [x for x in roles.audit() if x["code"] == "PERMISSION_DENIED"]
    assert {(x["identity"], x["method"]) for x in lines} == {
        ("CN:viewer", "Resources/Apply"), ("CN:nobody", "Resources/List"),
        ("CN:node-1", "Resources/List"), ("CN:nobody", "Resources/Watch"),
        ("CN:node-1", "Resources/Watch")}
    assert roles.metric('kproxy_server_refused_total{reason="role"}') == 5


def test_an_editor_is_held_to_its_kinds_and_labels(roles):
    admin, editor = roles.user(), roles.user("team-orders")
    pb = admin.pb

    def refused(*texts, deletions=()):
        files = [pb.File(name="f", text=t.encode()) for t in texts]
        return editor.refused("PERMISSION_DENIED", "Apply", pb.ApplyRequest(
            files=files, deletions=[admin.name(*d) for d in deletions]))
    mine, other = "team: orders", "team: payments"
    editor.apply(cluster("mine", mine))
    admin.apply(cluster("theirs", other), cluster("nobodys"))
    assert "as it would be" in refused(cluster("new", other))
    assert "as it would be" in refused(LISTENER)
    assert "as it is" in refused(cluster("theirs", mine))  # taken over
    assert "as it would be" in refused(cluster("mine", other))  # given away
    assert "as it is" in refused(deletions=[("Cluster", "nobodys")])
    # one that may not be is enough
    refused(cluster("mine", mine, host="x"), cluster("theirs", other, host="x"))
    # what does not change needs no right
    editor.apply(cluster("mine", mine, host="y"), cluster("theirs", other))
    editor.apply(deletions=[("Cluster", "mine")])
    editor.refused("PERMISSION_DENIED", "Rollback", pb.RollbackRequest(to=1))
    assert editor.call("Rollback", pb.RollbackRequest(
        to=3, dry_run=True)).results[0].name == "mine"
    assert admin.list().revision == 4


def test_sighup_takes_roles_certificates_and_the_audit_file_anew(roles):
    nobody, pb = roles.user("nobody"), roles.user().pb
    # what is refused is recorded before that is answered
    nobody.refused("PERMISSION_DENIED", "List", pb.ListRequest())
    audit = roles.folder / "audit.jsonl"
    audit.rename(roles.folder / "audit.1")
    roles.write(with_roles(roles.text).replace('"CN:viewer"', '"CN:nobody"'))
    roles.signal(signal.SIGHUP)
    wait_until(lambda: roles.logged("reloaded", what="audit"))
    nobody.list()
    # reads are recorded after their answer
    wait_until(roles.audit)
    assert [x["code"] for x in roles.audit()] == ["OK"]
    # what is refused changes nothing
    roles.write(with_roles(roles.text).replace("role: admin", "role: boss"))
    roles.signal(signal.SIGHUP)
    wait_until(lambda: roles.logged("reload_failed", what="roles"))
    assert roles.logged("config_refused",
                        problem=r'kpserver.yaml:\d+:\d+: roles\[0\].role: must')
    nobody.list()


def test_who_calls_too_often_is_told_so_alone(tmp_path, store):
    with Server(tmp_path, "limits: {rate: 1, rateBurst: 20}\n",
                store=store) as server:
        admin, other = server.user(), server.user("viewer")
        codes, begin = [], time.monotonic()
        while codes.count("RESOURCE_EXHAUSTED") < 15:
            try:
                admin.list()
                codes.append("OK")
            except admin.RpcError as error:
                codes.append(error.code().name)
        assert codes[:20] == ["OK"] * 20
        # and no more than one in a second after that
        assert codes.count("OK") <= 20 + time.monotonic() - begin + 1
        other.refused("PERMISSION_DENIED", "List", other.pb.ListRequest())
        assert server.metric('kproxy_server_refused_total{reason="rate"}') >= 15
        # all of them would let one identity fill the disk
        told = [x for x in server.audit() if x["code"] == "RESOURCE_EXHAUSTED"]
        assert 1 <= len(told) <= 20


# --- audit --------------------------------------------------------------------

def test_every_call_is_one_line(server, admin):
    pb = admin.pb
    admin.apply(cluster("a"), LISTENER, reason='why "not"\n')
    admin.apply(cluster("b"), dry_run=True)

    def recorded(number):
        """Two lines that come after their answers have no order."""
        wait_until(lambda: len(server.audit()) == number, what="a line")
    recorded(2)
    admin.list()
    recorded(3)
    admin.refused("NOT_FOUND", "Get", pb.GetRequest(kind="Cluster", name="x"))
    recorded(4)
    admin.refused("INVALID_ARGUMENT", "List", pb.ListRequest(selector="="))
    recorded(5)
    unknown = admin.channel.unary_unary("/kproxy.control.v1.Resources/Destroy")
    with pytest.raises(admin.RpcError) as caught:
        unknown(b"", timeout=60)
    assert caught.value.code() == admin.code.UNIMPLEMENTED
    recorded(6)
    broken = admin.channel.unary_unary("/kproxy.control.v1.Resources/List")
    with pytest.raises(admin.RpcError):
        broken(b"\xff\xff", timeout=60)
    recorded(7)
    lines = server.audit()
    assert [(x["method"], x["code"]) for x in lines] == [
        ("Resources/Apply", "OK"), ("Resources/Apply", "OK"),
        ("Resources/List", "OK"), ("Resources/Get", "NOT_FOUND"),
        ("Resources/List", "INVALID_ARGUMENT"),
        ("Resources/Destroy", "UNIMPLEMENTED"),
        ("Resources/List", "INVALID_ARGUMENT")]
    first = lines[0]
    assert first["identity"] == "CN:admin" and first["revision"] == 1
    assert re.match(r"ipv[46]:.*:\d+$", first["address"].replace("%5B", "["))
    assert first["reason"] == 'why "not"\n'
    assert first["changes"] == [
        {"kind": "Cluster", "name": "a", "outcome": "created"},
        {"kind": "Listener", "name": "l", "outcome": "created"}]
    assert lines[1]["dry_run"] is True
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["time"])
    assert "x" in lines[3]["message"]
    mode = (server.folder / "audit.jsonl").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_names_in_a_line_are_bounded(server, admin):
    admin.apply(*(cluster(f"c{i}-{'x' * 50}") for i in range(500)))
    line = (server.folder / "audit.jsonl").read_bytes()
    assert len(line) < 8192 and line.endswith(b"\n")
    said = json.loads(line)
    assert len(said["changes"]) + said["changes_left_out"] == 500


def test_a_change_is_recorded_before_it_is_answered(server, admin):
    for i in range(20):
        admin.apply(cluster("a", host=f"h{i}"))
        assert server.audit()[-1]["revision"] == i + 1


def test_a_full_audit_disk_refuses_changes_until_there_is_room(
        tmp_path, store, small_disk):
    server = Server(tmp_path, store=store)
    server.write(server.text.replace("./audit.jsonl",
                                     str(small_disk / "audit.jsonl")))
    with server:
        admin = server.user()
        admin.apply(cluster("a"))
        fill(small_disk)
        request = admin.pb.ApplyRequest(files=[
            admin.pb.File(name="f", text=cluster("b").encode())])
        said = admin.refused("UNAVAILABLE", "Apply", request)
        assert "could not be recorded" in said and "No space left" in said
        assert [r.name for r in admin.list().resources] == ["a"]
        code, text = server.get("/readyz")
        assert code == 503 and "changes: refused" in text, text
        assert server.metric("kproxy_server_audit_up") == 0
        (small_disk / "filler").unlink()
        wait_until(server.is_ready)
        admin.apply(cluster("b"))
        lines = server.audit(small_disk / "audit.jsonl")
        assert [x["revision"] for x in lines if "revision" in x] == [1, 2]


def test_what_was_made_is_recorded_though_the_disk_fills_up(
        tmp_path, store, small_disk):
    """Fills the disk with lines of reads: those of changes find their place."""
    server = Server(tmp_path, "limits: {rate: 100000, rateBurst: 100000}\n",
                    store=store)
    server.write(server.text.replace("./audit.jsonl", str(
        small_disk / "audit.jsonl")))
    with server:
        admin, other = server.user(), server.user()
        done = threading.Event()

        def read():
            while not done.is_set():
                other.list()
        reader = threading.Thread(target=read)
        reader.start()
        made = []
        try:
            for i in range(5000):
                made.append(admin.apply(cluster("a", host=f"h{i}")).revision)
        except admin.RpcError as error:
            assert error.code() == admin.code.UNAVAILABLE, error
        done.set()
        reader.join()
        path = small_disk / "audit.jsonl"
        recorded = [x["revision"] for x in server.audit(path)
                    if "revision" in x]
        assert len(made) < 5000 and recorded == made
        assert admin.list().revision == made[-1]
        path.unlink()
        server.signal(signal.SIGHUP)
        wait_until(server.is_ready)


# --- store --------------------------------------------------------------------

def test_a_killed_server_has_every_revision_that_it_answered(server, admin):
    answered = [0]

    def change():
        try:
            for i in range(10000):
                answered[0] = admin.apply(cluster("a", host=f"h{i}")).revision
        except admin.RpcError:
            pass
    worker = threading.Thread(target=change)
    worker.start()
    wait_until(lambda: answered[0] > 20)
    server.kill()
    worker.join()
    server.start()
    found = server.user().list()
    assert found.revision in (answered[0], answered[0] + 1)
    revisions = [x["revision"] for x in server.audit() if "revision" in x]
    assert revisions[:answered[0]] == list(range(1, answered[0] + 1))


def set_times_in_sqlite(file, time_ms):
    with sqlite3.connect(file) as store:
        store.execute("UPDATE revisions SET time_ms = ?", (time_ms,))
    store.close()


def set_times_in_etcd(etcd, prefix, time_ms):
    def encoded(text):
        return base64.b64encode(text).decode()
    found = etcd.ask("kv/range", {
        "key": encoded(f"{prefix}revisions/".encode()),
        "range_end": encoded(f"{prefix}revisions0".encode())})
    assert found["kvs"]
    for one in found["kvs"]:
        record = stubs().store_pb2.Record.FromString(
            base64.b64decode(one["value"]))
        record.time_ms = time_ms
        etcd.ask("kv/put", {"key": one["key"],
                            "value": encoded(record.SerializeToString())})


def test_a_clock_that_was_set_back_does_not_turn_history(
        server, admin, store, etcd):
    admin.apply(cluster("a"))
    server.stop()
    later = int(time.time() * 1000) + 3600_000
    if store == SQLITE:
        set_times_in_sqlite(server.folder / "kpserver.db", later)
    else:
        set_times_in_etcd(etcd, f"/{server.folder.parent.name}/", later)
    server.start()
    admin = server.user()
    admin.apply(cluster("b"))
    found = admin.call("History", admin.pb.HistoryRequest()).revisions
    assert [r.time_ms for r in found] == [later, later]


# --- connections --------------------------------------------------------------

@pytest.fixture
def other_ca(tmp_path):
    return certificates.Authority(tmp_path / "other")


def unavailable(user):
    with pytest.raises(user.RpcError) as caught:
        user.call("List", user.pb.ListRequest(), 5)
    assert caught.value.code() in (user.code.UNAVAILABLE,
                                   user.code.DEADLINE_EXCEEDED)


def test_certificates_of_others_end_in_the_handshake(server, other_ca):
    mine = server.folder
    theirs = other_ca.issue("admin", "DNS:admin")
    unavailable(server.stranger(theirs.certificate, theirs.key))
    wait_until(lambda: server.logged("rpc_handshake_failed"))
    unavailable(server.stranger(None, None))
    # and the client does not believe a server of another CA
    unavailable(server.stranger(mine / "admin.pem", mine / "admin.key",
                                ca=other_ca.ca))
    server.user().list()


def test_an_expired_certificate_ends_in_the_handshake(server):
    folder = server.folder
    certificates.openssl("req", "-new", *certificates.EC_KEY, "-subj",
                         "/CN=admin", "-keyout", str(folder / "old.key"),
                         "-out", str(folder / "old.csr"))
    certificates.openssl("x509", "-req", "-in", str(folder / "old.csr"), "-CA",
                         str(folder / "ca.pem"), "-CAkey",
                         str(folder / "ca.key"), "-days", "-1",
                         "-out", str(folder / "old.pem"))
    unavailable(server.stranger(folder / "old.pem", folder / "old.key"))
    wait_until(lambda: server.logged("rpc_handshake_failed",
                                     reason="certificate verify failed"))


def test_new_certificates_are_taken_without_a_restart(server, other_ca):
    folder = server.folder
    old = server.user()
    old.list()
    made = other_ca.issue("server", "DNS:localhost", "IP:127.0.0.1")
    client = other_ca.issue("admin", "DNS:admin")
    replace(folder / "ca.pem", other_ca.ca.read_text())
    replace(folder / "server.key", made.key.read_text())
    replace(folder / "server.pem", made.certificate.read_text())
    wait_until(lambda: server.logged("reloaded", what="certificates"))

    def is_new():
        try:
            server.stranger(client.certificate, client.key).list()
            return True
        except old.RpcError:
            return False
    wait_until(is_new)
    old.list()  # what exists goes on
    # half a change is refused, and the server serves as before
    before = len(server.logged("reload_failed", what="certificates"))
    replace(folder / "server.key", client.key.read_text())
    wait_until(lambda: len(server.logged(
        "reload_failed", what="certificates")) > before)
    server.stranger(client.certificate, client.key).list()


def test_messages_that_are_too_long_are_refused(tmp_path, store):
    with Server(tmp_path, "limits: {message: 1MiB}\n", store=store) as server:
        admin = server.user()
        file = admin.pb.File(name="f", text=b"#" + b"x" * (2 << 20))
        admin.refused("RESOURCE_EXHAUSTED", "Apply",
                      admin.pb.ApplyRequest(files=[file]))
        admin.refused("RESOURCE_EXHAUSTED", "List",
                      admin.pb.ListRequest(selector="x" * 70000))
        assert admin.apply(cluster("a")).revision == 1


def test_calls_beyond_their_limit_are_refused(tmp_path, store):
    with Server(tmp_path, "limits: {calls: 16, watches: 4}\n",
                store=store) as server:
        admin = server.user()
        watches = [watch(admin) for _ in range(5)]
        refused = wait_until(lambda: [w for w in watches if w.error])
        assert refused[0].error.code() == admin.code.RESOURCE_EXHAUSTED
        assert "limits.watches" in refused[0].error.details()
        held = [w for w in watches if w is not refused[0]]
        wait_until(lambda: server.metric(
            'kproxy_server_streams{method="Resources/Watch"}') == 4)
        assert not any(w.error for w in held)
        for one in held:
            one.end()
        wait_until(lambda: server.metric(
            'kproxy_server_streams{method="Resources/Watch"}') == 0)


def test_a_draining_server_says_so_and_ends_its_streams(server, admin):
    pb = admin.health_pb
    health = admin.health.Watch(pb.HealthCheckRequest())
    assert next(health).status == 1
    unknown = admin.health.Watch(pb.HealthCheckRequest(service="x"))
    assert next(unknown).status == 3
    with pytest.raises(admin.RpcError) as caught:
        admin.health.Check(pb.HealthCheckRequest(service="x"), timeout=60)
    assert caught.value.code() == admin.code.NOT_FOUND
    for service in ("", "kproxy.control.v1.Resources"):
        assert admin.health.Check(pb.HealthCheckRequest(service=service),
                                  timeout=60).status == 1
    held = watch(admin)
    admin.apply(cluster("a"))
    wait_until(lambda: held.numbers() == [1])
    server.signal(signal.SIGTERM)
    assert next(health).status == 2
    with pytest.raises(admin.RpcError) as caught:
        next(health)
    assert caught.value.code() == admin.code.UNAVAILABLE
    held.thread.join(60)
    assert held.error.code() == admin.code.UNAVAILABLE
    server.wait()
    ended = [x for x in server.audit() if x.get("event") == "ended"]
    assert {x["code"] for x in ended} == {"UNAVAILABLE"}


# --- pages and the command line -----------------------------------------------

def test_pages(server, admin):
    admin.apply(cluster("a"))
    assert server.get("/livez") == (200, "ok\n")
    code, text = server.get("/readyz")
    assert code == 200 and "revision: 1" in text
    assert server.get("/nothing")[0] == 404
    assert server.metric("kproxy_server_revision") == 1
    assert server.metric("kproxy_server_resources") == 1
    assert server.metric("kproxy_server_changes_total") == 1
    wait_until(lambda: server.metric("kproxy_server_call_seconds_count"
                                     '{method="Resources/Apply"}') == 1)
    text = server.get("/metrics")[1]
    for line in text.splitlines():
        assert re.match(r"(# (HELP|TYPE) )?kproxy_server_", line), line


def test_init_replaces_nothing_and_keeps_keys_to_itself(tmp_path):
    folder = tmp_path / "s"
    done = subprocess.run([KPSERVER, "init", folder, "--name", "kp.example",
                           "--name", "10.1.2.3"], capture_output=True, text=True)
    assert done.returncode == 0 and "kpserver --config" in done.stdout
    for key in folder.glob("*.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    names = subprocess.run(
        ["openssl", "x509", "-in", folder / "server.pem", "-noout", "-ext",
         "subjectAltName"], capture_output=True, text=True).stdout
    assert "DNS:kp.example" in names and "IP Address:10.1.2.3" in names
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    again = subprocess.run([KPSERVER, "init", folder], capture_output=True,
                           text=True)
    assert again.returncode == 1 and "not replaced" in again.stderr
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    for name in ("../x", "a b", "x" * 65, ""):
        bad = subprocess.run([KPSERVER, "node-cert", folder, name],
                             capture_output=True, text=True)
        assert bad.returncode == 1 and "is not a name" in bad.stderr


@pytest.mark.parametrize("args, hint", [
    ([], "--config FILE is missing"), (["bckup"], "no such command"),
    (["init"], "needs a folder"), (["backup", "x"], "needs --config"),
    (["node-cert", "x"], "a folder and a name"),
])
def test_usage_ends_with_2(args, hint):
    done = subprocess.run([KPSERVER, *args], capture_output=True, text=True)
    assert done.returncode == 2 and hint in done.stderr


def test_check_names_every_problem_and_its_place(tmp_path):
    server = Server(tmp_path)
    assert server.run("--config", server.config, "--check").returncode == 0
    server.write(server.text.replace("listen:", "lisen:")
                 .replace("role: node", "role: nodes"))
    done = server.run("--config", server.config, "--check", ok=False)
    assert done.returncode == 3
    problems = [json.loads(x)["problem"] for x in done.stderr.splitlines()]
    assert any('did you mean "listen"?' in x for x in problems)
    assert any("roles[1].role" in x for x in problems)
    server.write(server.text.replace("server.key", "admin.key"))
    done = server.run("--config", server.config, "--check", ok=False)
    assert done.returncode == 3 and "tls" in done.stderr
    (server.folder / "server.key").unlink()
    server.write(server.text)
    server.start(wait=False)
    server.wait(expect=3)
