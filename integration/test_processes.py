# SPDX-License-Identifier: Apache-2.0
"""Supervisor, agent and worker as processes: start, reload, death, stop.

Needs no Kafka: a listener in Python answers ApiVersions requests, which is as
much of a broker as is needed to see traffic pass.
"""

import contextlib
import datetime
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from kproxy_rig import BUILD, Kproxy, replace, wait_until

API_VERSIONS = struct.pack(">hhih", 18, 0, 7, -1)
BAD_RESOURCES = "apiVersion: kproxy/v1\nkind: Clustr\nmetadata: {name: x}\n"


def receive(conn, length):
    data = b""
    while len(data) < length:
        more = conn.recv(length - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


class Broker:
    """Answers every frame with an ApiVersions v0 answer that offers itself."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn = self.server.accept()[0]
            except OSError:
                return
            threading.Thread(
                target=self.serve, args=(conn,), daemon=True).start()

    @staticmethod
    def serve(conn):
        try:
            while True:
                length = struct.unpack(">i", receive(conn, 4))[0]
                correlation = receive(conn, length)[4:8]
                body = correlation + struct.pack(">hihhh", 0, 1, 18, 0, 0)
                conn.sendall(struct.pack(">i", len(body)) + body)
        except OSError:
            conn.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()


def connect(address, timeout=60):
    host, port = address.split(":")
    return socket.create_connection((host, int(port)), timeout)


def ask(conn):
    """One request through the proxy; returns the answer's frame."""
    conn.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
    return receive(conn, struct.unpack(">i", receive(conn, 4))[0])


def answers(address):
    """Does a fresh connection get an answer?"""
    try:
        with connect(address) as conn:
            return ask(conn)[:4] == struct.pack(">i", 7)
    except OSError:
        return False


def is_open(port):
    try:
        connect(f"127.0.0.1:{port}").close()
        return True
    except OSError:
        return False


def generation(proxy):
    return int(proxy.metric("kproxy_snapshot_generation"))


def published_at(node):
    """When the worker's newest tables came into force, in seconds."""
    line = [line for line in node.text().splitlines()
            if '"event":"tables_published"' in line][-1]
    return datetime.datetime.fromisoformat(
        json.loads(line)["time"].replace("Z", "+00:00")).timestamp()


def is_alive(pid):
    """Is any of its threads? The first may be gone before the others."""
    states = set()
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    for task in tasks:
        try:
            text = pathlib.Path(f"/proc/{pid}/task/{task}/stat").read_text()
            states.add(text.rpartition(")")[2].split()[0])
        except OSError:
            continue
    return bool(states - {"Z", "X"})


def next_child(proxy, name, seen):
    """Process id of one that is not among those seen; then it is."""
    pid = wait_until(
        lambda: proxy.child(name) not in (None, *seen) and proxy.child(name),
        10, f"a new {name}")
    seen.append(pid)
    return pid


def restart_waits(proxy):
    """Milliseconds before each new worker so far."""
    return [int(number) for number in re.findall(
        r'"process_restart","name":"worker","wait_ms":(\d+)', proxy.text())]


def kill_child(proxy, name):
    """SIGKILL; returns the old process id once a new one has started."""
    pid = proxy.child(name)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: proxy.child(name) not in (None, pid), 5,
               f"a new {name}")
    return pid


def run(*args):
    return subprocess.run([BUILD / "bin" / "kproxy", *args],
                          capture_output=True, text=True, timeout=120)


@pytest.fixture
def broker():
    with Broker() as one:
        yield one


@pytest.fixture
def proxy(broker):
    with Kproxy(broker.address) as one:
        yield one


def test_traffic_passes_and_the_node_stops_with_zero(proxy):
    assert answers(proxy.bootstrap)
    with connect(proxy.bootstrap) as conn:
        for _ in range(100):
            assert len(ask(conn)) > 10
        wait_until(lambda: proxy.metric("kproxy_connections") == 1,
                   what="the end of the first one")
        assert proxy.metric(
            'kproxy_requests_total{api="ApiVersions"}') == 101
    # the fixture asserts exit code 0


def test_interrupt_from_the_terminal_drains_as_well(broker):
    proxy = Kproxy(broker.address).start()
    try:
        # Ctrl-C reaches all processes at once
        for pid in (proxy.child("worker"), proxy.child("agent"),
                    proxy.process.pid):
            os.kill(pid, signal.SIGINT)
        assert proxy.process.wait(60) == 0
        assert '"signal"' not in proxy.text()
    finally:
        proxy.kill()


def test_draining_lets_a_request_in_flight_finish():
    # a broker that answers when it is told to
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = "127.0.0.1:%d" % server.getsockname()[1]
        with Kproxy(address) as proxy, connect(proxy.bootstrap) as client:
            client.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            upstream = server.accept()[0]
            receive(upstream, 4 + len(API_VERSIONS))
            proxy.terminate()
            wait_until(lambda: proxy.get("/readyz")[0] == 503,
                       what="not ready while draining")
            assert "draining" in proxy.get("/readyz")[1]
            wait_until(lambda: not is_open(proxy.port), what="no new clients")
            assert proxy.process.poll() is None
            body = struct.pack(">ihihhh", 7, 0, 1, 18, 0, 0)
            upstream.sendall(struct.pack(">i", len(body)) + body)
            length = struct.unpack(">i", receive(client, 4))[0]
            assert receive(client, length)[:4] == struct.pack(">i", 7)
            assert client.recv(1) == b""
            upstream.close()


def test_a_second_signal_stops_at_once(broker):
    """The first one alone would let it go on for an hour."""
    proxy = Kproxy(broker.address, limits="drainTimeout: 1h").start()
    try:
        with connect(proxy.bootstrap) as conn:
            ask(conn)
            # a frame that never ends keeps the connection busy
            conn.sendall(struct.pack(">i", 100) + b"\0\0")
            wait_until(lambda: proxy.metric("kproxy_connections") == 1)
            os.kill(proxy.child("worker"), signal.SIGSTOP)
            proxy.terminate()
            wait_until(lambda: '"stopping"' in proxy.text())
            proxy.terminate()
            proxy.process.wait(60)
    finally:
        proxy.kill()


def test_a_change_is_in_force_within_100_ms(proxy, broker):
    """Measured from outside, over HTTP. A machine busy with other things may
    delay many; five show what kproxy itself needs."""
    text = proxy.resources([broker.address])
    durations = []
    for count in (2, 3) * 30:
        before = generation(proxy)
        begin = time.monotonic()
        proxy.write(text.replace("count: 4", f"count: {count}"))
        wait_until(lambda: generation(proxy) == before + 1, what="reload")
        durations.append(time.monotonic() - begin)
        assert is_open(proxy.port + count)
        wait_until(lambda: not is_open(proxy.port + count + 1), what="the end")
        if sum(took < 0.1 for took in durations) == 5:
            return
    raise AssertionError(durations)


def test_connections_survive_a_reload(proxy, broker):
    with connect(proxy.bootstrap) as conn:
        ask(conn)
        before = generation(proxy)
        proxy.write(proxy.resources([broker.address]).replace(
            "count: 4", "count: 3"))
        wait_until(lambda: generation(proxy) == before + 1, what="reload")
        assert ask(conn)[:4] == struct.pack(">i", 7)


def test_a_bad_file_keeps_what_is_in_force(proxy, broker):
    before = generation(proxy)
    proxy.write(BAD_RESOURCES, "bad.yaml")
    wait_until(lambda: proxy.metric("kproxy_config_valid") == 0,
               what="refusal")
    status, body = proxy.get("/readyz")
    assert status == 200
    assert f"refused, serving generation {before}" in body
    assert re.search(r"bad\.yaml:\d+:\d+: ", body)
    assert proxy.metric("kproxy_config_refused_total") >= 1
    assert '"event":"resources_refused"' in proxy.text()
    assert generation(proxy) == before
    assert answers(proxy.bootstrap)

    (proxy.folder / "resources" / "bad.yaml").unlink()
    wait_until(lambda: proxy.metric("kproxy_config_valid") == 1,
               what="recovery")
    assert generation(proxy) == before


def test_a_port_that_is_taken_keeps_what_is_in_force(proxy, broker):
    before = generation(proxy)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        good = proxy.resources([broker.address])
        proxy.write(good.replace(f"first: {proxy.port + 1}, count: 4",
                                 f"first: {taken}, count: 1"))
        wait_until(lambda: proxy.metric("kproxy_config_valid") == 0,
                   what="refusal")
        assert f"127.0.0.1:{taken}: Address already in use" \
            in proxy.get("/readyz")[1]
    assert generation(proxy) == before and answers(proxy.bootstrap)
    assert is_open(proxy.port + 1)
    proxy.write(good)
    wait_until(lambda: proxy.metric("kproxy_config_valid") == 1,
               what="recovery")
    assert answers(proxy.bootstrap)


def test_sighup_reads_again(proxy):
    proxy.process.send_signal(signal.SIGHUP)
    wait_until(lambda: '"resources_unchanged"' in proxy.text(),
               what="an answer in the log")
    assert answers(proxy.bootstrap)


def test_last_known_good_after_a_restart(broker):
    first = Kproxy(broker.address)
    try:
        first.start()
        before = generation(first)
        first.stop()
        first.write(BAD_RESOURCES, "bad.yaml")
        first.log.unlink()
        first.start()
        status, body = first.get("/readyz")
        assert status == 200 and "last known good" in body, body
        assert '"event":"last_known_good"' in first.text()
        assert generation(first) == before
        assert answers(first.bootstrap)
        # repaired while it runs
        (first.folder / "resources" / "bad.yaml").unlink()
        wait_until(lambda: first.metric("kproxy_config_valid") == 1,
                   what="recovery")
        assert generation(first) == before
        first.stop()
    finally:
        first.kill()
        shutil.rmtree(first.folder)


def test_the_same_files_keep_their_generation(broker):
    proxy = Kproxy(broker.address)
    try:
        for expected in (1, 1, 2, 2):
            if expected == 2:
                proxy.write(proxy.resources([broker.address]).replace(
                    "count: 4", "count: 3"))
            proxy.start()
            assert generation(proxy) == expected
            proxy.stop()
    finally:
        proxy.kill()
        shutil.rmtree(proxy.folder)


def test_state_is_for_the_owner_only_and_without_secrets(proxy):
    state = proxy.folder / "state"
    assert state.stat().st_mode & 0o777 == 0o700
    wait_until(lambda: (state / "tables.pb").exists(), what="tables")
    for file in state.iterdir():
        with contextlib.suppress(FileNotFoundError):  # renamed meanwhile
            assert file.stat().st_mode & 0o077 == 0


def test_bad_files_on_the_first_start_end_it_with_3(broker):
    proxy = Kproxy(broker.address, resources=BAD_RESOURCES, wait=False)
    try:
        proxy.start()
        assert proxy.process.wait(60) == 3
        assert "all.yaml:2:" in proxy.text()
    finally:
        proxy.kill()
        shutil.rmtree(proxy.folder)


def test_a_taken_port_on_the_first_start_ends_it_with_1(broker):
    proxy = Kproxy(broker.address, wait=False)
    try:
        with socket.create_server((proxy.host, proxy.port)):
            proxy.start()
            assert proxy.process.wait(60) == 1
            assert f"{proxy.bootstrap}: Address already in use" in proxy.text()
    finally:
        proxy.kill()
        shutil.rmtree(proxy.folder)


def test_a_killed_worker_is_replaced_within_a_second(broker):
    """A machine busy with other things may delay some; one of five shows what
    kproxy itself needs."""
    durations = []
    while not durations or min(durations) >= 1:
        assert len(durations) < 5, durations
        with Kproxy(broker.address) as proxy:
            durations.append(replace_worker(proxy))


def replace_worker(proxy):
    """Seconds from its death until the next one answers."""
    idle = connect(proxy.bootstrap)
    ask(idle)
    total = proxy.metric("kproxy_connections_total")
    begin = time.monotonic()
    os.kill(proxy.child("worker"), signal.SIGKILL)
    # the port stays open all the time: connections wait for the new worker
    wait_until(lambda: answers(proxy.bootstrap), what="an answer")
    duration = time.monotonic() - begin
    # what was open is not
    with contextlib.suppress(ConnectionResetError):
        assert idle.recv(1) == b""
    idle.close()
    wait_until(lambda: proxy.get("/readyz")[0] == 200, what="ready again")
    assert proxy.metric("kproxy_connections_total") > total
    wait_until(lambda: proxy.metric("kproxy_connections") == 0,
               what="gauges begin anew")
    assert proxy.metric(
        'kproxy_process_restarts_total{process="worker"}') == 1
    assert '"signal":"KILL"' in proxy.text()
    return duration


def test_no_connection_is_refused_while_workers_die(proxy):
    seen = []
    for _ in range(3):
        os.kill(next_child(proxy, "worker", seen), signal.SIGKILL)
        deadline = time.monotonic() + 1.2
        while time.monotonic() < deadline:
            connect(proxy.bootstrap).close()
            time.sleep(0.005)  # not a flood: all of them will be served
    wait_until(lambda: answers(proxy.bootstrap), 10, "a worker that lives")


def test_connections_that_waited_are_served_by_a_new_worker(proxy):
    seen = []
    for _ in range(4):
        pid = next_child(proxy, "worker", seen)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid))
        waiting = [connect(proxy.bootstrap) for _ in range(60)]
        for conn in waiting:
            conn.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
        for conn in waiting:
            length = struct.unpack(">i", receive(conn, 4))[0]
            assert receive(conn, length)[:4] == struct.pack(">i", 7)
            conn.close()
    # only those that were killed have died
    assert proxy.text().count('"signal":') == 4


def test_a_killed_agent_disturbs_nobody(proxy):
    with connect(proxy.bootstrap) as conn:
        ask(conn)
        worker = proxy.child("worker")
        requests = proxy.metric('kproxy_requests_total{api="ApiVersions"}')
        os.kill(proxy.child("agent"), signal.SIGKILL)
        for _ in range(50):
            assert ask(conn)[:4] == struct.pack(">i", 7)
        proxy.wait_ready()
        assert proxy.child("worker") == worker
        wait_until(lambda: proxy.metric(
            'kproxy_requests_total{api="ApiVersions"}') == requests + 50,
            what="counters go on")
        # the worker has the tables already: nothing is published again
        assert proxy.text().count('"tables_published"') == 1
        assert generation(proxy) == 1


def test_a_new_agent_can_still_change_things(proxy, broker):
    kill_child(proxy, "agent")
    proxy.wait_ready()
    proxy.write(proxy.resources([broker.address]).replace(
        "count: 4", "count: 2"))
    wait_until(lambda: generation(proxy) == 2, what="reload")
    wait_until(lambda: not is_open(proxy.port + 4), what="port is closed")
    assert answers(proxy.bootstrap)


def test_a_new_worker_gets_the_newest_tables(proxy, broker):
    proxy.write(proxy.resources([broker.address]).replace(
        "count: 4", "count: 2"))
    wait_until(lambda: generation(proxy) == 2, what="reload")
    kill_child(proxy, "worker")
    wait_until(lambda: answers(proxy.bootstrap), what="traffic")
    assert generation(proxy) == 2
    wait_until(lambda: not is_open(proxy.port + 4), what="port is closed")


def test_both_killed_at_once(proxy):
    worker, agent = proxy.child("worker"), proxy.child("agent")
    os.kill(worker, signal.SIGKILL)
    os.kill(agent, signal.SIGKILL)
    wait_until(lambda: proxy.child("worker") not in (None, worker)
               and proxy.child("agent") not in (None, agent), 5, "both")
    wait_until(lambda: answers(proxy.bootstrap), what="traffic")


def test_only_clients_are_waited_for(broker):
    """The agent gives way to the worker, which gives way to nobody."""
    with Kproxy(broker.address) as proxy:
        polite, usual = (os.getpriority(os.PRIO_PROCESS, proxy.child(name))
                         for name in ("agent", "worker"))
        assert usual == os.getpriority(os.PRIO_PROCESS, 0)
        assert polite == max(usual, 5)


def test_nothing_outlives_a_killed_supervisor(broker):
    proxy = Kproxy(broker.address).start()
    children = [proxy.child("worker"), proxy.child("agent")]
    try:
        assert all(map(is_alive, children))
        proxy.kill()
        wait_until(lambda: not any(map(is_alive, children)), 5, "the end")
        wait_until(lambda: not is_open(proxy.port), what="port is closed")
    finally:
        proxy.kill()
        shutil.rmtree(proxy.folder)


def test_a_node_that_stands_still_while_it_ends_is_not_killed(broker):
    """For some seconds, as machines do: there is no failure in that."""
    with Kproxy(broker.address) as proxy:
        agent = proxy.child("agent")
        os.kill(agent, signal.SIGSTOP)
        proxy.terminate()
        wait_until(lambda: '"event":"process_ended","name":"worker"'
                   in proxy.text(), what="the worker's end")
        time.sleep(3.5)
        os.kill(agent, signal.SIGCONT)
    # leaving it asserts exit code 0


def test_two_nodes_do_not_share_a_state_folder(proxy, broker):
    other = Kproxy(broker.address, wait=False)
    try:
        config = other.config.read_text().replace(
            "./state", str(proxy.folder / "state"))
        other.config.write_text(config)
        other.start()
        assert other.process.wait(60) == 1
        assert "another node uses it" in other.text()
    finally:
        other.kill()
        shutil.rmtree(other.folder)


def test_a_node_waits_for_one_that_is_just_ending(broker):
    """Killed and started again at once: what it was may hold its folder yet, for
    some seconds where the machine stands still. Files that change meanwhile are
    read."""
    node = Kproxy(broker.address, wait=False)
    state = node.folder / "state"
    state.mkdir(0o700)
    try:
        with open(state / "lock", "w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            node.start()
            wait_until(lambda: '"event":"state_in_use"' in node.text(),
                       what="state_in_use")
            node.write(node.resources([broker.address]).replace(
                "count: 4", "count: 3"))
            time.sleep(2.5)
        node.wait_ready()
        wait_until(lambda: not is_open(node.port + 4), what="the change")
        node.stop()
    finally:
        node.kill()
        shutil.rmtree(node.folder)


def test_settings_that_need_a_restart_say_so(proxy):
    text = proxy.config.read_text()
    replace(proxy.config, text.replace("./state", "./elsewhere")
            + "limits: {connections: 7}\n")
    wait_until(lambda: '"setting":"stateDir"' in proxy.text(), what="warning")
    wait_until(lambda: generation(proxy) == 2, what="limits are in force")
    assert not (proxy.folder / "elsewhere").exists()


def test_admin_pages(proxy):
    assert proxy.get("/livez") == (200, "ok\n")
    status, body = proxy.get("/readyz")
    assert status == 200 and body.startswith("ok\n")
    status, body = proxy.get("/nonsense?x=1")
    assert status == 404 and "/metrics" in body
    for request, expected in (("HEAD /metrics", b" 200 "),
                              ("POST /metrics", b" 405 "),
                              ("DELETE /x", b" 405 "),
                              ("GET /" + "x" * 40000, b" 414 ")):
        with connect(proxy.admin) as conn:
            with contextlib.suppress(ConnectionError):  # refused half-way
                conn.sendall(
                    f"{request} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n".encode())
            answer = receive_all(conn)
            assert expected in answer.split(b"\r\n")[0], (request, answer)
            if request.startswith("HEAD"):
                assert answer.endswith(b"\r\n\r\n")


def receive_all(conn):
    data = b""
    try:
        while more := conn.recv(65536):
            data += more
    except ConnectionError:
        pass
    return data


def test_idle_scrapers_do_not_lock_others_out(proxy):
    idle = [connect(proxy.admin) for _ in range(30)]
    assert proxy.get("/metrics")[0] == 200
    for conn in idle:
        conn.close()


def test_check_says_what_is_wrong_and_ends_with_3(broker):
    proxy = Kproxy(broker.address, wait=False)
    try:
        good = run("--check", "--config", proxy.config)
        assert good.returncode == 0
        assert good.stdout == "configuration is valid: 3 resources\n"
        assert good.stderr == ""

        proxy.write(BAD_RESOURCES, "bad.yaml")
        bad = run("--check", "--config", proxy.config)
        assert bad.returncode == 3 and bad.stdout == ""
        assert re.search(r'bad\.yaml:2:7: .*"Clustr".*Cluster', bad.stderr)

        proxy.config.write_text("node: x\nadmn: {}\n")
        bad = run("--check", "--config", proxy.config)
        assert bad.returncode == 3
        assert re.search(r'node\.yaml:2:1: .*"admn".*"admin"', bad.stderr)

        bad = run("--check", "--config", proxy.folder / "missing.yaml")
        assert bad.returncode == 3
        assert "missing.yaml" in bad.stderr
        assert "No such file" in bad.stderr
    finally:
        shutil.rmtree(proxy.folder)


def test_command_line():
    assert re.fullmatch(r"kproxy \d+\.\d+\.\d+\n", run("--version").stdout)
    assert "examples:" in run("--help").stdout
    for args, hint in ((["--confg", "x"], "did you mean --config"),
                       (["--config"], "needs a value"),
                       (["nonsense"], "nonsense"),
                       ([], "--config FILE is missing"),
                       (["--config", "x", "--sandbox=off"], "on or log"),
                       (["--config", "x", "--user=nosuch"], "not known"),
                       (["--coverage=xml"], "text or json")):
        result = run(*args)
        assert result.returncode == 2 and result.stdout == ""
        assert hint in result.stderr and "--help" in result.stderr
    for form in ("", "=text", "=json"):
        result = run("--coverage" + form)
        assert result.returncode == 0 and "Metadata" in result.stdout


def test_a_worker_that_dies_again_and_again_is_started_more_slowly(proxy):
    """One that has lived for a second, as when the machine stood still, begins
    from the start again."""
    seen = []
    while restart_waits(proxy)[-3:] != [100, 200, 400]:
        assert len(seen) < 30, restart_waits(proxy)
        os.kill(next_child(proxy, "worker", seen), signal.SIGKILL)
        wait_until(lambda: len(restart_waits(proxy)) == len(seen),
                   what="the end of it")
    assert restart_waits(proxy)[0] == 0
    wait_until(lambda: answers(proxy.bootstrap), 10, "a worker that lives")


def test_certificates_swapped_as_kubernetes_does_are_reloaded(broker):
    first = Kproxy(broker.address, wait=False)
    secrets = first.folder / "secrets"

    def publish(version, name):
        folder = secrets / version
        folder.mkdir(parents=True)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
             f"/CN={name}", "-keyout", folder / "tls.key", "-out",
             folder / "tls.crt"], check=True, capture_output=True)
        (secrets / "..new").symlink_to(version)
        (secrets / "..new").rename(secrets / "..data")

    publish("..v1", "one")
    for file in ("tls.crt", "tls.key"):
        (secrets / file).symlink_to(f"..data/{file}")
    first.write(first.resources(
        [broker.address], listener=(
            "tls:\n  certificate: {file: ../secrets/tls.crt}\n"
            "  key: {file: ../secrets/tls.key}")))
    try:
        first.start()
        first.wait_ready()
        assert generation(first) == 1
        publish("..v2", "two")
        wait_until(lambda: generation(first) == 2, what="reload")
        first.stop()
        # the key is nowhere in the state folder
        key = (secrets / "tls.key").read_text().splitlines()[1]
        for file in (first.folder / "state").iterdir():
            assert key.encode() not in file.read_bytes()
    finally:
        first.kill()
        shutil.rmtree(first.folder)
