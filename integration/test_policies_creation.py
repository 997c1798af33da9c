# SPDX-License-Identifier: Apache-2.0
"""Topics that brokers create because a client names them: none that a policy
refuses, all others, and every topic that exists stays usable whatever its name is."""
import itertools
import re

import kproxy_rig
import pytest
import rig
from test_policies import (connection, connection_to, direct, exists, policy,
                           topic)

NO_ERROR, UNKNOWN = 0, 3
FIRST_WITH_FLAG = 4
DENIED = 'kproxy_policy_decisions_total{decision="denied"}'
POLICIES = policy(
    "names", "CreateTopics",
    ("!topic.name.endsWith('-bad')", "no name ends with -bad"))

names = (f"named-{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def governed(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one
        assert one.relay.hits == []


def is_in_force(cluster, one):
    """A policy that is not yet in force creates a topic of a name of its own."""
    with connection_to(cluster, one) as connection:
        describe(connection, 12, f"{next(names)}-bad")
    return one.metric(DENIED) > 0


def ask(connection, version, *topics, **more):
    """The answer to a Metadata request that allows auto-creation."""
    return connection.call("Metadata", version, {
        "Topics": [{"Name": name} for name in topics],
        "AllowAutoTopicCreation": True, **more}).body


def describe(connection, version, *topics, **more):
    """{name: row} of such an answer."""
    return {row["Name"]: row
            for row in ask(connection, version, *topics, **more)["Topics"]}


def codes(rows):
    return {name: row["ErrorCode"] for name, row in rows.items()}


@pytest.mark.parametrize("version", range(14))
def test_of_one_request_each_name_is_judged(
        cluster, connection, direct, version):
    """Whatever was created would be there once the well named topic is."""
    good, bad, old = next(names), f"{next(names)}-bad", f"{next(names)}-bad"
    rig.make_topics(cluster, [old])

    def is_created():
        rows = describe(connection, version, old, good, bad)
        assert rows.keys() == {good, bad, old}
        assert rows[bad]["ErrorCode"] == UNKNOWN
        assert rows[old]["ErrorCode"] == NO_ERROR
        assert len(rows[old]["Partitions"]) == rig.PARTITIONS
        return rows[good]["ErrorCode"] == NO_ERROR
    kproxy_rig.wait_until(is_created, what="the topic that may be created")
    kproxy_rig.wait_until(lambda: exists(direct, good), what="the same")
    assert not exists(direct, bad)


@pytest.mark.parametrize("version", range(14))
def test_alone_it_is_unknown_and_what_is_there_is_not(
        cluster, connection, direct, version):
    bad, old = f"{next(names)}-bad", f"{next(names)}-bad"
    rig.make_topics(cluster, [old])
    assert codes(describe(connection, version, bad)) == {bad: UNKNOWN}
    assert codes(describe(connection, version, old)) == {old: NO_ERROR}
    # what brokers do they do in order
    good = next(names)
    kproxy_rig.wait_until(lambda: codes(describe(connection, version, good)) == {
        good: NO_ERROR}, what="the next topic")
    assert not exists(direct, bad)


@pytest.mark.parametrize("version", range(14))
def test_the_answer_is_what_the_broker_says(cluster, connection, direct, version):
    old = f"{next(names)}-bad"
    rig.make_topics(cluster, [old])

    def said(one):
        body = ask(one, version, old)
        body.pop("ControllerId", None)  # any node, each time
        body["Brokers"].sort(key=lambda one: one["NodeId"])
        for broker in body["Brokers"]:
            del broker["Host"], broker["Port"]
        body["Topics"][0]["Partitions"].sort(key=lambda one: one["PartitionIndex"])
        return body
    # another broker may know of a change a moment later
    kproxy_rig.wait_until(lambda: said(connection) == said(direct),
                          what="the same answer")


@pytest.mark.parametrize("version", range(14))
def test_all_topics_are_still_all(cluster, connection, version):
    name = f"{next(names)}-bad"
    rig.make_topics(cluster, [name])
    rows = describe(connection, version, Topics=None if version else [])
    assert rows[name]["ErrorCode"] == NO_ERROR


def test_only_what_does_not_exist_is_counted(
        cluster, governed, connection):
    bad, old, good = (f"{next(names)}{end}" for end in ("-bad", "-bad", ""))
    rig.make_topics(cluster, [old, good])
    before = governed.metric(DENIED)
    for version in range(14):
        describe(connection, version, old)
        describe(connection, version, old, good)
        if version >= FIRST_WITH_FLAG:
            describe(connection, version, bad, AllowAutoTopicCreation=False)
    assert governed.metric(DENIED) == before
    describe(connection, 12, old, good, bad)
    assert governed.metric(DENIED) == before + 1


def test_the_log_says_what_is_not_created(governed, connection):
    """So many lines a second; those of other tests may have used them up."""
    def said():
        bad = f"{next(names)}-bad"
        describe(connection, 12, bad)
        return [line for line in governed.text().splitlines()
                if f'"item":"{bad}"' in line]
    (line,) = kproxy_rig.wait_until(said, what="a line")
    assert '"event":"policy_denied"' in line
    assert '"api":"Metadata"' in line and '"policy":"names"' in line
    assert '"client_id":"wire"' in line
    assert '"detail":"no name ends with -bad"' in line


def test_answers_keep_the_order_of_requests(cluster, connection):
    """Also if two answers of the broker belong to one request."""
    good, old = next(names), f"{next(names)}-bad"
    rig.make_topics(cluster, [old, good])
    sent = []
    for i in range(40):
        version = i % 14
        asked = [(good,), (old,), (good, old)][i % 3]
        connection.send(connection.encode("Metadata", version, {
            "Topics": [{"Name": name} for name in asked],
            "AllowAutoTopicCreation": True}))
        sent.append((connection.correlation, version, set(asked)))
    for correlation, version, asked in sent:
        raw = connection.receive()
        connection.correlation = correlation  # which decode expects
        rows = connection.decode("Metadata", version, raw)["Topics"]
        assert {row["Name"] for row in rows} == asked
        assert {row["ErrorCode"] for row in rows} == {NO_ERROR}


def test_a_policy_for_metadata_is_asked_about_nothing_else(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(policy("p", "Metadata", ("false", "no"),
                         more="  action: warn\n"), "policies.yaml")
        warned = 'kproxy_policy_decisions_total{decision="warned"}'
        with connection_to(cluster, one) as connection:
            def is_warned():
                describe(connection, 1, next(names))
                return one.metric(warned) > 0
            kproxy_rig.wait_until(is_warned, what="policies")
            before = one.metric(warned)
            connection.call("CreateTopics", 7, {
                "timeoutMs": 30000, "Topics": [topic(next(names))]})
            assert one.metric(warned) == before
            name = next(names)
            kproxy_rig.wait_until(lambda: codes(describe(connection, 12, name)) == {
                name: NO_ERROR}, what="a topic of which a policy warns")


CLIENTS = {
    "java": "TimeoutException",
    "confluent": "UNKNOWN_TOPIC_OR_PART",
}


@pytest.mark.parametrize("client", CLIENTS)
def test_who_names_it_gets_an_error_and_no_topic(
        cluster, clients, governed, direct, client):
    own = f"creation-{next(rig.unique)}"
    text = clients.run(client, cluster, governed.address, ["named"], own=own)
    found = dict(re.findall(r"^produced (\S+): (\w+)", text, re.MULTILINE))
    assert found == {"old-bad": "ok", "made": "ok", "bad": CLIENTS[client]}, text
    kproxy_rig.wait_until(lambda: exists(direct, f"{own}-named-made"))
    assert not exists(direct, f"{own}-named-bad")


def test_it_is_the_same_with_other_brokers(other_cluster):
    newest = 12 if other_cluster.version.startswith("3.") else 13
    with rig.proxy_for(other_cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        with connection_to(other_cluster, one) as connection:
            kproxy_rig.wait_until(
                lambda: is_denied(one, connection), what="policies")
            for version in (0, 3, 4, newest):
                good, bad = next(names), f"{next(names)}-bad"

                def is_created():
                    found = codes(describe(connection, version, good, bad))
                    assert found[bad] == UNKNOWN
                    return found[good] == NO_ERROR
                kproxy_rig.wait_until(is_created, what=good)


def is_denied(one, connection):
    describe(connection, 12, f"{next(names)}-bad")
    return one.metric(DENIED) > 0
