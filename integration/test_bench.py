# SPDX-License-Identifier: Apache-2.0
"""Do the benchmark's programs still work, directly and through kproxy, and is
what they count the truth? Short loads; no figure is looked at."""

import json
import pathlib
import struct
import subprocess
import sys

import certificates
import pytest

from fake_broker import API_VERSIONS, METADATA, FakeBroker, answer, frame
from kproxy_rig import BUILD, Kproxy, wait_until

BENCH = pathlib.Path(__file__).resolve().parent.parent / "bench"
sys.path.append(str(BENCH))
import measure  # noqa: E402
import proc  # noqa: E402
import programs  # noqa: E402
import rows  # noqa: E402

PROGRAMS = BUILD / "bin"
TOPICS, PARTITIONS, NODES = 20, 10, 3
PATIENCE = 120
# For traffic that ends when told, which is long before.
HOUR = "1h"


@pytest.fixture(scope="module")
def sink():
    with programs.Sink(PROGRAMS, nodes=NODES, topics=TOPICS,
                       partitions=PARTITIONS, verify=True) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(sink):
    with Kproxy(sink.address, count=NODES) as running:
        yield running


@pytest.fixture(params=["direct", "through kproxy"])
def way(request, sink):
    """(address to load, node or None)."""
    if request.param == "direct":
        return sink.address, None
    node = request.getfixturevalue("proxy")
    return node.bootstrap, node


LOADS = [
    # operation, API, more options
    ("produce", "Produce", {"bytes": "1000", "in_flight": 5}),
    ("produce", "Produce", {"bytes": "1MiB", "in_flight": 3}),
    ("produce", "Produce", {"bytes": "16KiB", "connections": 20}),
    ("produce", "Produce", {"bytes": "1000", "connections": 5, "rate": 500,
                            "in_flight": 16}),
    ("fetch", "Fetch", {"bytes": "1000"}),
    ("fetch", "Fetch", {"bytes": "1MiB", "connections": 3, "in_flight": 2}),
    ("metadata", "Metadata", {}),
    ("heartbeat", "Heartbeat", {"connections": 3, "in_flight": 2}),
]


def go_and_measure(sink, load, api, connections=1, in_flight=1):
    """Lets a load without an end go until something of it has been measured: of
    more requests than can be on their way, one was answered meanwhile. On a
    machine that stands still no time would do for that."""
    def seen():
        return sink.report()["apis"][api]["requests"]

    def see_more_than(number):
        before = seen()
        wait_until(lambda: seen() > before + number, 30, "traffic")
    load.go()
    see_more_than(0)
    assert not load.is_done(0.1)  # longer than it warms up
    see_more_than(connections * in_flight)
    load.end()


def run(sink, address, api, **options):
    """(what the load says, what the sink's counters grew by); the load compares
    every byte of every answer with the first, which it has decoded."""
    before = sink.report()
    with programs.Load(PROGRAMS, bootstrap=address, verify=True,
                       **options) as load:
        ready = load.ready()
        if options.get("duration") == HOUR:
            go_and_measure(sink, load, api, options.get("connections", 1),
                           options.get("in_flight", 1))
        else:
            load.go()
        done = load.done(PATIENCE)
        after = sink.report()
        load.finish()
    assert ready["failed"] == 0
    return done, programs.delta(before, after, api), after


@pytest.mark.parametrize("operation, api, options", LOADS,
                         ids=[f"{load[0]}-{n}" for n, load in enumerate(LOADS)])
def test_all_that_is_sent_is_counted_once(sink, way, operation, api, options):
    address, node = way
    series = [f'kproxy_{side}_bytes_total{{api="{api}"}}'
              for side in ("request", "response")]
    before = [node.metric(one) for one in series] if node else []
    done, seen, _ = run(sink, address, api, op=operation, duration=HOUR,
                        warmup="20ms", **options)
    assert done["measured"] > 0 and done["requests"] > done["measured"]
    assert done["latency_us"]["p50"] > 0
    bootstraps = 1 if api == "Metadata" else 0
    assert seen["requests"] == done["requests"] + bootstraps
    if bootstraps:
        return  # the answer of kproxy is another one than the sink's
    assert seen["request_bytes"] == done["request_bytes"]
    assert seen["answer_bytes"] == done["answer_bytes"]
    if node:
        expected = [done["request_bytes"], done["answer_bytes"]]
        wait_until(lambda: [node.metric(one) - old for one, old
                            in zip(series, before)] == expected, 5, "counters")


@pytest.fixture(scope="module")
def discarding_sink():
    """As the benchmark runs it: records do not leave the kernel."""
    with programs.Sink(PROGRAMS, nodes=NODES) as running:
        yield running


@pytest.fixture(scope="module")
def discarding_proxy(discarding_sink):
    with Kproxy(discarding_sink.address, count=NODES) as running:
        yield running


@pytest.mark.parametrize("is_proxied", [False, True])
@pytest.mark.parametrize("size, in_flight, requests", [
    ("16KiB", 3, 200), ("1MiB", 3, 100), ("20MiB", 1, 4)])
def test_what_is_thrown_away_is_counted_too(
        discarding_sink, discarding_proxy, is_proxied, size, in_flight,
        requests):
    """And no frame is answered before its end: the load would tell."""
    address = (discarding_proxy.bootstrap if is_proxied
               else discarding_sink.address)
    done, seen, _ = run(discarding_sink, address, "Produce", op="produce",
                        bytes=size, in_flight=in_flight, connections=2,
                        requests=requests)
    assert seen == {name: done[name] for name in seen}


def test_so_many_requests_as_told(sink, way):
    done, seen, _ = run(sink, way[0], "Produce", op="produce", requests=300,
                        connections=4, in_flight=3)
    assert done["requests"] == seen["requests"] == 301  # and the first one


@pytest.fixture(scope="module")
def tls_proxy(sink, tmp_path_factory):
    authority = certificates.Authority(tmp_path_factory.mktemp("ca"))
    issued = authority.issue("proxy", "IP:127.0.0.1")
    listener = (f"tls:\n  certificate: {{file: \"{issued.certificate}\"}}\n"
                f"  key: {{file: \"{issued.key}\"}}")
    with Kproxy(sink.address, count=NODES, listener=listener) as running:
        running.ca = authority.ca
        yield running


@pytest.mark.parametrize("operation, api, size", [
    ("produce", "Produce", "1000"), ("produce", "Produce", "1MiB"),
    ("fetch", "Fetch", "1MiB")])
def test_tls_is_the_same_for_every_peer(sink, tls_proxy, operation, api, size):
    options = {"op": operation, "bytes": size, "in_flight": 3,
               "requests": 100, "tls": True, "ca": tls_proxy.ca}
    with programs.Load(PROGRAMS, bootstrap=tls_proxy.bootstrap,
                       **options) as load:
        ready = load.ready()
        assert ready["tls"] == "TLSv1.3"
        assert ready["cipher"] == "TLS_AES_256_GCM_SHA384"
    done, seen, _ = run(sink, tls_proxy.bootstrap, api, **options)
    assert seen == {name: done[name] for name in seen}


def test_a_server_that_the_ca_does_not_know_is_refused(
        tls_proxy, tmp_path_factory):
    other = certificates.Authority(tmp_path_factory.mktemp("other")).ca
    with programs.Load(PROGRAMS, bootstrap=tls_proxy.bootstrap, op="idle",
                       tls=True, ca=other) as load:
        with pytest.raises(programs.BenchError, match="TLS"):
            load.ready()


def test_a_timetable_is_kept(sink):
    done, _, _ = run(sink, sink.address, "Produce", op="produce", rate=1000,
                     connections=10, in_flight=64, warmup="100ms",
                     duration="400ms")
    assert done["requests"] == 501
    assert done["latency_us"]["count"] == 400  # none is left out
    assert done["lateness_us"]["count"] == 500


def test_traffic_ends_when_told(sink):
    with programs.Load(PROGRAMS, bootstrap=sink.address, op="heartbeat",
                       warmup="10ms", duration=HOUR) as load:
        load.ready()
        go_and_measure(sink, load, "Heartbeat")
        done = load.done(PATIENCE)
        load.finish()
    assert done["measured"] > 0
    assert 0.08 < done["seconds"] < 3600


def test_connections_that_come_and_go(sink, way):
    before = sink.report()["accepted"]
    done, seen, after = run(sink, way[0], "ApiVersions", op="churn",
                            connections=4, duration=HOUR)
    assert done["requests"] > 4
    assert seen["requests"] == done["requests"] + 1
    assert after["accepted"] - before == done["requests"] + 1


def test_what_the_sink_sees_belongs_to_the_worker(sink, proxy):
    """The proof that run.py demands of each of its figures."""
    class Peer:
        name = "kproxy"
    with programs.Load(PROGRAMS, bootstrap=proxy.bootstrap, op="idle",
                       connections=20) as load:
        load.ready()
        # the one that asked where to connect to has gone
        wait_until(lambda: len(proc.inodes_by_local_port(
            set(sink.ports))) == 20, 5, "20 connections")
        ports = sink.report()
        assert len(ports["ports"]) == 20
        measure.check_owner(Peer, proxy.child("worker"), sink, ports)
        with pytest.raises(programs.BenchError, match="20 of 20"):
            measure.check_owner(Peer, load.pid, sink, ports)
        load.go()
        assert load.done(PATIENCE)["failed"] == 0
        load.finish()


def test_following_metadata_never_leads_past_kproxy(sink, proxy):
    with programs.Load(PROGRAMS, bootstrap=proxy.bootstrap,
                       op="produce") as load:
        port = load.ready()["port"]
        assert port == proxy.port + 1  # of node 0, which leads the topic
        assert proc.owned_ports(load.pid, sink.ports) == set()


def test_nobody_there_is_a_failure_with_a_reason(sink):
    done = subprocess.run(
        [PROGRAMS / "kp_bench_load", "--op=produce",
         "--bootstrap=127.0.0.1:1"], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 1
    assert json.loads(done.stdout)["event"] == "failed"


def compact(data):
    return bytes([len(data) + 1]) + data


def offer(request):
    """An ApiVersions answer of version 3 with what the load asks for."""
    rows = ((0, 9, 12), (1, 15, 17), (3, 12, 12), (12, 4, 4), (18, 0, 4))
    body = struct.pack(">hB", 0, len(rows) + 1)
    body += b"".join(struct.pack(">hhhx", *row) for row in rows)
    return answer(request.correlation, body + struct.pack(">ix", 0))


def lead(request, port):
    """A Metadata answer of version 12: one node, one topic of one partition."""
    node = struct.pack(">i", 0)
    partition = struct.pack(">hiii", 0, 0, 0, 0) + b"\x02" + node
    partition += b"\x02" + node + b"\x01" + b"\0"
    topic = struct.pack(">h", 0) + compact(b"bench-0") + bytes(16) + b"\0"
    topic += b"\x02" + partition + struct.pack(">ix", 0)
    broker = node + compact(b"127.0.0.1") + struct.pack(">ixx", port)
    return answer(request.correlation,
                  struct.pack(">i", 0) + b"\x02" + broker + b"\0" + node
                  + b"\x02" + topic + b"\0", tags=b"\0")


def heartbeat(correlation, error=0, more=b""):
    return answer(correlation, struct.pack(">ihx", 0, error) + more,
                  tags=b"\0")


LIES = [
    # what the 20th answer is, what the load says
    ("right", lambda c: heartbeat(c), None),
    ("of another request", lambda c: heartbeat(c + 1), "is not the one that"),
    ("too long", lambda c: heartbeat(c, more=b"x"), "17 bytes instead of 16"),
    ("too short", lambda c: frame(struct.pack(">i", c) + bytes(7)), "bytes"),
    ("an error", lambda c: heartbeat(c, error=16), "differs from the first"),
    ("no frame", lambda c: b"\xff" * 12, "impossible length"),
]


@pytest.mark.parametrize("tell, complaint", [lie[1:] for lie in LIES],
                         ids=[lie[0] for lie in LIES])
def test_no_wrong_answer_is_taken_for_a_right_one(tell, complaint):
    count = 0

    def on_request(sock, request):
        nonlocal count
        if request.key == API_VERSIONS:
            sock.sendall(offer(request))
        elif request.key == METADATA:
            port = sock.getsockname()[1]
            sock.sendall(lead(request, port))
        else:
            count += 1
            sock.sendall(tell(request.correlation) if count == 20
                         else heartbeat(request.correlation))
    with FakeBroker(on_request) as broker:
        with programs.Load(PROGRAMS, bootstrap=broker.address,
                           op="heartbeat", requests=50) as load:
            load.ready()
            load.go()
            if complaint is None:
                assert load.done(PATIENCE)["requests"] == 51
                load.finish()
            else:
                with pytest.raises(programs.BenchError, match=complaint):
                    load.done(PATIENCE)
                assert load.close() == 1


def test_a_frame_that_stalls_stays_in_the_middle(proxy, sink):
    """Connections inside a frame of 100 MiB, as the memory rows want them."""
    with programs.Load(PROGRAMS, bootstrap=proxy.bootstrap, op="fetch",
                       bytes="50MiB", connections=2, stall_after="1MiB",
                       until_still="100ms") as load:
        load.ready()
        load.go()
        done = load.done(PATIENCE)
        assert done["requests"] == 0 and done["failed"] == 0
        load.finish()


def test_rows_fit_the_programs():
    """What the table of rows passes on is what the load understands."""
    names = [row.id for row in rows.ALL]
    assert len(names) == len(set(names))
    known = subprocess.run([PROGRAMS / "kp_bench_load", "--help"],
                           stdout=subprocess.PIPE, text=True, check=True)
    for row in rows.ALL:
        for word in programs.arguments(row.load):
            assert f"  {word.partition('=')[0]}" in known.stdout, row.id


def test_the_control_plane_is_measured():
    """A fleet of few: every figure is there, and none is nothing."""
    done = subprocess.run(
        [sys.executable, "-B", BENCH / "control.py", "--agents=40", "--rounds=2",
         "--resources=5", "--only=fleet", f"--build={BUILD}"],
        stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    figures = {line[:64].strip(): float(line[64:])
               for line in done.stdout.splitlines() if line[64:].strip()}
    assert {name.split(",")[0] for name in figures} == {
        "40 agents connect", "push of 1 changed resource: the last agent",
        "push of 1 changed resource: an agent's median ms",
        "push of 5 changed resources: the last agent",
        "push of 5 changed resources: an agent's median ms",
        "RSS of the server", "storm: all are back", "storm: peak RSS",
        "storm: the first push after it"}
    assert all(value > 0 for value in figures.values()), figures
