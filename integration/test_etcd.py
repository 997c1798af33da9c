# SPDX-License-Identifier: Apache-2.0
"""Is anything lost, twice or half there when policy servers and nodes of etcd
die, when answers get lost, when there is no quorum? Do servers hear of each
other, and is there one leader at a time?"""
import contextlib
import signal
import statistics

import certificates
import pytest
from etcd_rig import (TIMEOUT_MS, Etcd, Relay, Tool, acknowledged, check,
                       coded, history)
from kproxy_rig import wait_until

LARGE = 400_000  # two of these do not go into one request


@pytest.fixture
def one(tmp_path):
    with Etcd(tmp_path) as etcd:
        yield etcd


@pytest.fixture
def three(tmp_path):
    with Etcd(tmp_path, nodes=3) as etcd:
        yield etcd


@pytest.mark.parametrize("size", [64, LARGE])
def test_nodes_die_while_servers_commit(three, size):
    # not so fast that a node which comes back has gigabytes to read
    pause = size // 4000
    with Tool(three, "commit", "ada", size, pause=pause) as ada, \
            Tool(three, "commit", "bob", size, pause=pause) as bob:
        for _ in range(2):
            for is_leader in (True, False):
                ada.wait_for("ok", len(ada.having("ok")) + 5)
                leader = three.leader()
                node = leader if is_leader else (leader + 1) % 3
                three.kill(node)
                ada.wait_for("ok", len(ada.having("ok")) + 5)
                bob.wait_for("ok", len(bob.having("ok")) + 5)
                three.start(node)
                three.wait(node)
        servers = [ada.end(), bob.end()]
    check(three, *servers)


def test_without_quorum_writes_are_refused_and_reads_go_on(three):
    with Tool(three, "commit", "ada", timeout=2000) as ada, \
            Tool(three, "follow") as follower:
        ada.wait_for("ok", 10)
        leader = three.leader()
        dead = [leader, (leader + 1) % 3]
        for node in dead:
            three.kill(node)
        seen = len(ada.lines)
        # the first may have been under way, or nobody left had been asked in
        # time; later ones are refused for sure
        refused = wait_until(
            lambda: [x for x in ada.having("failed", seen)
                     if "unknown" not in x and "no leader" in x],
            30, "a refusal")
        assert "127.0.0.1:" in refused[0]
        # a watch at a node without a leader would be silent for ever
        wait_until(lambda: [x for x in follower.errors
                            if "etcd_cut_off" in x], 10, "a word about it")
        there = history(three)
        for number, text in acknowledged(ada.lines).items():
            if number in there:
                assert there[number] == text
        assert len(there) >= 10
        for node in dead:
            three.start(node)
        since = len(ada.lines)
        newest = int(ada.wait_for("ok", 3, since=since)[-1].split(" ")[1])
        wait_until(lambda: follower.newest() >= newest, 10, "news")
        wait_until(lambda: [x for x in follower.errors if "etcd_back" in x],
                   10, "a word about it")
        lines = ada.end()
    check(three, lines)


def test_a_sweep_is_not_done_before_all_is_removed(one):
    """Of a server that may read parts, and not remove them."""
    one.ask("kv/put", {"key": coded(f"/kproxy/parts/{1:020}/{'0' * 32}/0"),
                       "value": coded("left")})
    with Tool(one, "commit", "ada") as ada:
        ada.wait_for("ok", 2)
    one.ask("auth/user/add", {"name": "bob", "password": "bob"})
    one.ask("auth/role/add", {"name": "server"})
    one.ask("auth/user/grant", {"user": "bob", "role": "server"})
    one.grant("server", "READ", "/kproxy/")
    one.grant("server", "READWRITE", "/kproxy/state/")
    one.enable_password("secret")
    root = one.token("secret")
    with Tool(one, "follow", user="bob", password="bob", lease=2000) as bob:
        bob.wait_for("leads")
        wait_until(lambda: any("etcd_chores_failed" in x and
                               "permission denied" in x for x in bob.errors),
                   30, "a sweep that failed")
        assert one.count("/kproxy/parts/", root) == 1
        one.grant("server", "READWRITE", "/kproxy/parts/", root)
        wait_until(lambda: one.count("/kproxy/parts/", root) == 0,
                   30, "a sweep")


@pytest.mark.parametrize("size", [64, LARGE])
def test_a_server_that_is_killed_has_committed_all_or_nothing(one, size):
    servers = []
    for run in range(10):
        # what fails for want of time may be there or not
        with Tool(one, "commit", f"run{run}", size,
                  timeout=TIMEOUT_MS) as server:
            server.wait_for("ok", 1 + run % 4)
            servers.append(server.end())
    there = check(one, *servers)
    # of each killed server at most one more is there than it could say
    for run, lines in enumerate(servers):
        mine = [x for x in there.values() if x.startswith(f"run{run} ")]
        assert len(mine) - len(acknowledged(lines)) in (0, 1)


def test_servers_that_commit_at_once_hear_of_each_other(one):
    with Tool(one, "follow") as follower, \
            Tool(one, "commit", "ada") as ada, \
            Tool(one, "commit", "bob") as bob:
        ada.wait_for("ok", 100)
        bob.wait_for("ok", 100)
        # of what comes while it waits for a processor it hears the newest only
        follower.wait_for("newest", 100)
        servers = [ada.end(), bob.end()]
        there = check(one, *servers)
        wait_until(lambda: follower.newest() == max(there), 10,
                   "the last one")
        heard = {int(n): int(ms) for _, n, ms in map(
            str.split, follower.having("newest"))}
    assert any(x.startswith("conflict") for x in servers[0] + servers[1])
    said = {int(words[1]): int(words[2]) for words in (
        line.split(" ") for lines in servers for line in lines)
        if words[0] == "ok"}
    late = [heard[n] - said[n] for n in heard if n in said]
    assert len(late) >= 50
    assert statistics.median(late) < 100, sorted(late)[-10:]


def test_answers_that_get_lost_make_nothing_twice(three):
    with contextlib.ExitStack() as stack:
        relays = [stack.enter_context(Relay(three.port(node)))
                  for node in range(3)]
        ada = stack.enter_context(Tool(
            three, "commit", "ada", timeout=3 * TIMEOUT_MS, snapshot=1,
            endpoints=[f"http://127.0.0.1:{x.port}" for x in relays]))
        ada.wait_for("ok", 20)
        for _ in range(20):
            ada.wait_for("ok", len(ada.having("ok")) + 5)
            before = sum(x.swallowed for x in relays)
            for relay in relays:
                relay.is_deaf = True
            # the answer to a commit is more than a connection's own frames
            wait_until(lambda: sum(x.swallowed for x in relays)
                       > before + 60, 10, "an answer to swallow")
            for relay in relays:
                relay.cut()
                relay.is_deaf = False
        ada.wait_for("ok", len(ada.having("ok")) + 5)
        lines = ada.end()
    there = check(three, lines)
    # nothing was unknown in the end, so nothing was left out either
    assert not [x for x in lines if x.startswith("failed")], lines
    assert len(there) - len(acknowledged(lines)) in (0, 1)


def test_a_watch_that_etcd_has_compacted_begins_anew(one):
    with Tool(one, "follow") as follower, Tool(one, "commit", "ada") as ada:
        follower.wait_for("newest", 1)
        follower.send(signal.SIGSTOP)
        ada.wait_for("ok", len(ada.having("ok")) + 500, seconds=60)
        now = one.ask("kv/range", {"key": "AA=="})["header"]["revision"]
        one.ask("kv/compaction", {"revision": now, "physical": True})
        follower.send(signal.SIGCONT)
        newest = int(ada.wait_for("ok", len(ada.having("ok")) + 1)[-1]
                     .split(" ")[1])
        wait_until(lambda: follower.newest() >= newest, 10, "news")
        lines = ada.end()
    check(one, lines)


def test_a_leader_that_is_killed_is_replaced(one):
    lease = 3000
    with Tool(one, "follow", lease=lease) as first:
        first.wait_for("leads")
        with Tool(one, "follow", lease=lease) as second:
            second.wait_for("follows")
            first.end()
            # etcd looks for leases that have ended twice a second
            second.wait_for("leads", seconds=lease / 1000 + 2)


def test_a_leader_that_is_cut_off_stops_to_be_one(one):
    lease = 6000
    with Relay(one.port(0)) as relay:
        with Tool(one, "follow", lease=lease,
                  endpoints=[f"http://127.0.0.1:{relay.port}"]) as first:
            first.wait_for("leads")
            with Tool(one, "follow", lease=lease) as second:
                second.wait_for("follows")
                relay.is_deaf = True
                since = second.wait_for("leads", seconds=lease / 1000 + 2)
                # it knew before the other one took over
                wait_until(lambda: first.lines[-1].startswith("follows "), 10,
                           "the end of its lease")
                assert moment(first.lines[-1]) < moment(since[-1])


def moment(line):
    """MS of "leads MS" and "follows MS"."""
    return int(line.split(" ")[1])


def test_client_certificates(tmp_path):
    authority = certificates.Authority(tmp_path / "pki")
    other = certificates.Authority(tmp_path / "other")
    server, stranger = authority.issue("kpserver"), other.issue("kpserver")
    with Etcd(tmp_path, tls=authority) as etcd:
        tls = {"ca": authority.ca, "certificate": server.certificate,
               "key": server.key}
        with Tool(etcd, "commit", "ada", **tls) as ada:
            ada.wait_for("ok", 20)
            lines = ada.end()
            assert not [x for x in ada.errors if "in_the_clear" in x]
        check(etcd, lines, **tls)
        for wrong in ({"certificate": stranger.certificate,
                       "key": stranger.key}, {"ca": other.ca}):
            with Tool(etcd, "dump", **{**tls, **wrong}) as refused:
                assert refused.result()[0].startswith("failed etcd cannot"), \
                    refused.lines


def test_password(one):
    one.enable_password("secret")
    login = {"user": "root", "password": "secret"}
    with Tool(one, "commit", "ada", timeout=TIMEOUT_MS, **login) as ada, \
            Tool(one, "follow", timeout=TIMEOUT_MS, **login) as follower:
        ada.wait_for("ok", 20)
        # a restarted node knows no tokens
        one.kill(0)
        one.start(0)
        since = len(ada.lines)
        newest = int(ada.wait_for("ok", 20, since=since)[-1].split(" ")[1])
        wait_until(lambda: follower.newest() >= newest, 10, "news")
        lines = ada.end()
        assert [x for x in ada.errors if "etcd_in_the_clear" in x]
        assert not [x for x in ada.errors if "secret" in x]
    check(one, lines, **login)
    for wrong, why in ((dict(login, password="guess"), "invalid user ID"),
                       ({}, "user name is empty")):
        with Tool(one, "dump", timeout=10000, **wrong) as refused:
            assert why in refused.result()[0]
