# SPDX-License-Identifier: Apache-2.0
"""Policies that set values, in front of three brokers: what they set is what the
cluster has, whatever the client said; what cannot be set is refused alone, and nothing
is changed by a policy that only warns."""
import itertools
import subprocess

import kafka_jars
import kproxy_rig
import pytest
import rig
from test_policies import (connection, connection_to, create, create_rows, direct,
                           exists, make, topic)

NO_ERROR, UNKNOWN, POLICY_VIOLATION = 0, 3, 44
TOPIC = 2
SET, DELETE, APPEND, SUBTRACT = range(4)
RETENTION = "retention.ms"
OVERRIDDEN = 'kproxy_policy_decisions_total{decision="overridden"}'

names = (f"overridden-{number}" for number in itertools.count())


def override(name, api, *overrides, more=""):
    """overrides: (field, expression, when)"""
    lines = "".join(
        f"    - {{field: {kproxy_rig.quote(field)}, "
        f"expression: {kproxy_rig.quote(expression)}, "
        f"when: {kproxy_rig.quote(when)}}}\n" for field, expression, when in overrides)
    return (f"apiVersion: kproxy/v1\nkind: Policy\nmetadata: {{name: {name}}}\n"
            f"spec:\n  match: {{apis: [{api}]}}\n  overrides:\n{lines}{more}---\n")


POLICIES = override(
    "topics", "CreateTopics",
    ("topic.partitions", "2",
     "request.api == 'CreateTopics' && (topic.partitions == -1 || "
     "topic.partitions > 4)"),
    ("topic.replicationFactor", "3",
     "request.api == 'CreateTopics' && topic.assignments.size() == 0"),
    ("topic.configs['retention.ms']", "'1000'", "topic.name.endsWith('-short')"),
    # named after what it sees: it is asked before, and sees it nevertheless
    more="""\
---
apiVersion: kproxy/v1
kind: Policy
metadata: {name: judge}
spec:
  match: {apis: [CreateTopics]}
  validations:
    - {expression: "topic.partitions <= 4", message: "at most 4 partitions"}
    - {expression: "!topic.name.endsWith('-bad')", message: "no name ends with -bad"}
""",
) + override(
    "growth", "CreatePartitions",
    ("topic.partitions", "6", "topic.partitions > 6"),
) + override(
    "settings", "AlterConfigs",
    ("config.configs['retention.ms']", "'2000'", "config.resourceType == 'topic'"),
) + override(
    "changes", "IncrementalAlterConfigs",
    ("config.changes['retention.ms']", "'3000'", "config.resourceType == 'topic'"),
    ("config.changes['cleanup.policy']", "'compact'", "true"),
)


@pytest.fixture(scope="module")
def governed(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one
        assert one.relay.hits == []


def is_in_force(cluster, one):
    with connection_to(cluster, one) as connection:
        return create(connection, [topic("x-bad")], validateOnly=True) == {
            "x-bad": POLICY_VIOLATION}


def shape(direct, name):
    """Partitions, and the replicas of each."""
    kproxy_rig.wait_until(lambda: exists(direct, name), what=name)
    (found,) = direct.call("Metadata", 12, {
        "AllowAutoTopicCreation": False, "Topics": [{"Name": name}]}).body["Topics"]
    return len(found["Partitions"]), {
        len(one["ReplicaNodes"]) for one in found["Partitions"]}


def setting(direct, name, key):
    (found,) = direct.call("DescribeConfigs", 4, {"Resources": [{
        "ResourceType": TOPIC, "ResourceName": name, "ConfigurationKeys": [key],
    }]}).body["Results"]
    assert found["ErrorCode"] == NO_ERROR, found
    (row,) = found["Configs"]
    return row["Value"]


def becomes(direct, name, key, value):
    kproxy_rig.wait_until(lambda: setting(direct, name, key) == value,
                          what=f"{key} of {name}")


@pytest.mark.parametrize("version", range(2, 8))
def test_what_policies_set_is_what_the_cluster_has(
        connection, direct, governed, version):
    many, few, bad = next(names), f"{next(names)}-short", f"{next(names)}-bad"
    before = governed.metric(OVERRIDDEN)
    rows = create_rows(connection, [
        topic(many, 9, [("retention.bytes", "7"), (RETENTION, "5")]),
        topic(bad, 1),
        topic(few, 3, [("segment.bytes", "1048576")])], version)
    assert [row["Name"] for row in rows] == [many, bad, few]
    assert [row["ErrorCode"] for row in rows] == [
        NO_ERROR, POLICY_VIOLATION, NO_ERROR]
    assert rows[1]["ErrorMessage"] == 'policy "judge": no name ends with -bad'
    if version >= 5:  # as the broker says it
        assert [(row["NumPartitions"], row["ReplicationFactor"])
                for row in rows[::2]] == [(2, 3), (3, 3)]
    assert shape(direct, many) == (2, {3}) and shape(direct, few) == (3, {3})
    assert not exists(direct, bad)
    assert setting(direct, many, RETENTION) == "5"
    assert setting(direct, many, "retention.bytes") == "7"
    assert setting(direct, few, RETENTION) == "1000"
    assert setting(direct, few, "segment.bytes") == "1048576"
    assert governed.metric(OVERRIDDEN) == before + 2


def test_all_of_a_request_may_be_changed(connection, direct):
    name = f"{next(names)}-short"
    assert create(connection, [topic(name, -1)]) == {name: NO_ERROR}
    assert shape(direct, name) == (2, {3})


def test_the_log_says_what_was_set(connection, governed):
    """So many lines a second; those of other tests may have used them up."""
    fields = ("topic.partitions", "topic.replicationFactor",
              f"topic.configs['{RETENTION}']")

    def said():
        name = f"{next(names)}-short"
        create(connection, [topic(name, -1)], validateOnly=True)
        lines = [line for line in governed.text().splitlines()
                 if '"event":"policy_overrode"' in line
                 and f'"item":"{name}"' in line]
        return lines if len(lines) == len(fields) else None
    for line, field, value in zip(
            kproxy_rig.wait_until(said, what="all lines"), fields,
            ("2", "3", "1000"), strict=True):
        assert f'"policy":"topics","field":"{field}","value":"{value}"' in line
        assert '"client_id":"wire"' in line


def test_validate_only_is_changed_too(connection):
    (row,) = create_rows(connection, [topic("never", 9)], validateOnly=True)
    assert (row["ErrorCode"], row["NumPartitions"], row["ReplicationFactor"]) == (
        NO_ERROR, 2, 3)


def test_replicas_assigned_by_hand_are_not_counted_away(connection, direct):
    wanted = {"Name": next(names), "NumPartitions": -1, "ReplicationFactor": -1,
              "Assignments": [{"PartitionIndex": i, "BrokerIds": [1]}
                              for i in range(5)]}
    (row,) = create_rows(connection, [wanted])
    assert row["ErrorCode"] == POLICY_VIOLATION
    assert row["ErrorMessage"] == (
        'policy "topics": topic.partitions cannot be set: the client assigns '
        'replicas itself; policy "judge": at most 4 partitions'), row
    assert not exists(direct, wanted["Name"])


@pytest.mark.parametrize("version", range(0, 4))
def test_growth_is_cut(connection, direct, version):
    large, small = next(names), next(names)
    make(direct, topic(large), topic(small))
    rows = connection.call("CreatePartitions", version, {
        "TimeoutMs": 30000, "ValidateOnly": False,
        "Topics": [{"Name": large, "Count": 50, "Assignments": None},
                   {"Name": small, "Count": 2, "Assignments": None}]}
    ).body["Results"]
    assert {row["Name"]: row["ErrorCode"] for row in rows} == {
        large: NO_ERROR, small: NO_ERROR}
    kproxy_rig.wait_until(lambda: shape(direct, large)[0] == 6, what=large)
    kproxy_rig.wait_until(lambda: shape(direct, small)[0] == 2, what=small)


@pytest.mark.parametrize("version", range(0, 3))
def test_what_is_configured_afterwards_has_it(connection, direct, version):
    name = next(names)
    make(direct, topic(name))
    (row,) = connection.call("AlterConfigs", version, {
        "ValidateOnly": False, "Resources": [{
            "ResourceType": TOPIC, "ResourceName": name,
            "Configs": [{"Name": "segment.ms", "Value": "9"}]}]}).body["Responses"]
    assert row["ErrorCode"] == NO_ERROR, row
    becomes(direct, name, RETENTION, "2000")
    becomes(direct, name, "segment.ms", "9")


@pytest.mark.parametrize("version", range(0, 2))
@pytest.mark.parametrize("key, operation, value, wanted", [
    (RETENTION, SET, "77", "3000"),
    (RETENTION, DELETE, None, "3000"),
    ("cleanup.policy", APPEND, "delete", "compact"),
    ("cleanup.policy", SUBTRACT, "delete", "compact"),
    ("segment.ms", SET, "77", "77"),
])
def test_whatever_is_done_to_a_setting_it_is_set(
        connection, direct, version, key, operation, value, wanted):
    name = next(names)
    make(direct, topic(name))
    (row,) = connection.call("IncrementalAlterConfigs", version, {
        "ValidateOnly": False, "Resources": [{
            "ResourceType": TOPIC, "ResourceName": name, "Configs": [
                {"Name": key, "ConfigOperation": operation, "Value": value},
                {"Name": "flush.ms", "ConfigOperation": SET, "Value": "5"}],
        }]}).body["Responses"]
    assert row["ErrorCode"] == NO_ERROR, row
    becomes(direct, name, "flush.ms", "5")
    assert setting(direct, name, key) == wanted
    if key == "segment.ms":  # what nobody changes is not set
        assert setting(direct, name, RETENTION) == "604800000"


def test_a_setting_cannot_be_hidden_behind_another_of_its_name(connection, direct):
    name = next(names)
    make(direct, topic(name))
    (row,) = connection.call("IncrementalAlterConfigs", 1, {
        "ValidateOnly": False, "Resources": [{
            "ResourceType": TOPIC, "ResourceName": name, "Configs": [
                {"Name": RETENTION, "ConfigOperation": SET, "Value": value}
                for value in ("1", "2")]}]}).body["Responses"]
    assert row["ErrorCode"] == POLICY_VIOLATION
    assert row["ErrorMessage"] == (
        f"policy \"changes\": config.changes['{RETENTION}'] cannot be set: "
        "the setting is there twice")


def test_answers_keep_the_order_of_requests(connection):
    """What is changed, refused and passed on, without waiting for an answer."""
    wanted = [(9, "", NO_ERROR, 2), (3, "", NO_ERROR, 3),
              (3, "-bad", POLICY_VIOLATION, None)]
    ids = []
    for i in range(30):
        partitions, end, _, _ = wanted[i % 3]
        connection.send(connection.encode("CreateTopics", 7, {
            "timeoutMs": 30000, "validateOnly": True,
            "Topics": [topic(next(names) + end, partitions)]}))
        ids.append(connection.correlation)
    for i, correlation in enumerate(ids):
        raw = connection.receive()
        connection.correlation = correlation  # which decode expects
        (row,) = connection.decode("CreateTopics", 7, raw)["Topics"]
        _, _, code, count = wanted[i % 3]
        assert row["ErrorCode"] == code, row
        assert count is None or row["NumPartitions"] == count


def test_a_policy_that_warns_changes_nothing(cluster, direct):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(override("p", "CreateTopics", ("topic.partitions", "2", "true"),
                           more="  action: warn\n"), "policies.yaml")
        warned = 'kproxy_policy_decisions_total{decision="warned"}'
        with connection_to(cluster, one) as connection:
            def is_warned():
                create(connection, [topic("x", 3)], validateOnly=True)
                return one.metric(warned) > 0
            kproxy_rig.wait_until(is_warned, what="policies")
            name = next(names)
            assert create(connection, [topic(name, 3)]) == {name: NO_ERROR}
        assert shape(direct, name)[0] == 3
        assert '"detail":"would set topic.partitions to 2"' in one.text()
        assert one.metric(OVERRIDDEN) == 0


def test_what_a_broker_creates_by_itself_cannot_be_set(cluster, direct):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(override("p", "CreateTopics", ("topic.partitions", "2", "true")),
                  "policies.yaml")

        def describe(connection):
            name = next(names)
            (found,) = connection.call("Metadata", 12, {
                "Topics": [{"Name": name}],
                "AllowAutoTopicCreation": True}).body["Topics"]
            return name, found["ErrorCode"]
        with connection_to(cluster, one) as connection:
            denied = 'kproxy_policy_decisions_total{decision="denied"}'

            def is_denied():
                describe(connection)
                return one.metric(denied) > 0
            kproxy_rig.wait_until(is_denied, what="policies")
            name, code = describe(connection)
            assert code == UNKNOWN
        assert not exists(direct, name)
        assert ("topic.partitions cannot be set: a topic that a broker creates by "
                "itself has nothing but its name") in one.text()


def test_what_would_become_too_long_is_refused_alone(cluster, direct):
    """And nothing of it reaches the cluster."""
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"],
                       limits="governedRequest: 1KiB") as one:
        note = "topic.configs['leader.replication.throttled.replicas']"
        value = ",".join(f"{i}:1" for i in range(150))
        one.write(override(
            "p", "CreateTopics",
            (note, f"'{value}'", "!topic.name.endsWith('-plain')"),
            ("topic.partitions", "2", "true")), "policies.yaml")
        with connection_to(cluster, one) as connection:
            kproxy_rig.wait_until(lambda: create_rows(
                connection, [topic("x-plain", 9)], validateOnly=True,
            )[0]["NumPartitions"] == 2, what="policies")
            first, second, plain = next(names), next(names), f"{next(names)}-plain"
            rows = create_rows(connection, [
                topic(first), topic(second), topic(plain)])
        assert [row["ErrorCode"] for row in rows] == [
            NO_ERROR, POLICY_VIOLATION, NO_ERROR]
        assert rows[1]["ErrorMessage"] == (
            f'policy "p": {note} cannot be set: the request would take more '
            "than it may")
        assert shape(direct, first)[0] == shape(direct, plain)[0] == 2
        assert setting(direct, first, "leader.replication.throttled.replicas") == value
        assert not exists(direct, second)


def test_kafkas_own_tool_is_told_what_became_of_it(cluster, governed, direct):
    name = next(names)
    done = subprocess.run(
        [*rig.JAVA, "-cp", f"{kafka_jars.home(cluster.version)}/lib/*",
         "org.apache.kafka.tools.TopicCommand",
         "--bootstrap-server", governed.address,
         "--create", "--topic", name, "--partitions", "9"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        check=False)
    assert done.returncode == 0, done.stdout
    assert shape(direct, name) == (2, {3})
