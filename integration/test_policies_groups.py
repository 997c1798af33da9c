# SPDX-License-Identifier: Apache-2.0
"""Policies about groups and transactions in front of three brokers: who may not be a member is told
so in every version, and the group has never heard of him; a member that is there
already is out with its next heartbeat. Offsets that may not be changed stay, and
topics that may not be part of a transaction are none."""
import itertools
import uuid

import kafka_wire
import kproxy_rig
import pytest
import rig
from test_policies import (connection_to, create_rows, direct, make, policy, topic,
                           wait_known)

NO_ERROR = 0
TOPIC_AUTHORIZATION_FAILED, GROUP_AUTHORIZATION_FAILED = 29, 30
UNSUPPORTED_VERSION, POLICY_VIOLATION, MEMBER_ID_REQUIRED = 35, 44, 79
GROUP, TRANSACTION = 0, 1
NO_TOPICS = b"\0\0" b"\0\0\0\0" b"\xff\xff\xff\xff"  # a subscription, version 0

names = (f"governed-group-{number}" for number in itertools.count())

POLICIES = policy(
    "members", "JoinGroup, ConsumerGroupHeartbeat, ShareGroupHeartbeat, "
    "StreamsGroupHeartbeat",
    ("member.groupId.startsWith('governed-')", "groups begin with governed-"),
) + policy(
    "subscriptions", "ConsumerGroupHeartbeat, ShareGroupHeartbeat",
    ("member.subscribedTopicNames.all(t, !t.endsWith('-secret'))",
     "it is a secret"),
) + policy(
    "patterns", "ConsumerGroupHeartbeat",
    ("!has(member.subscribedTopicRegex) || member.subscribedTopicRegex != '.*'",
     "not all of them"),
) + policy(
    "offsets", "OffsetCommit, OffsetDelete, AlterShareGroupOffsets, "
    "DeleteShareGroupOffsets",
    ("request.version > 9 || !offsets.topic.endsWith('-kept')", "they stay"),
) + policy(
    "commits", "OffsetCommit, TxnOffsetCommit",
    ("offsets.groupId.startsWith('governed-')", "groups begin with governed-"),
    ("offsets.partitions.all(p, p.offset != 666)", "not that one"),
) + policy(
    "transactions", "AddPartitionsToTxn",
    ("!topic.name.endsWith('-kept')", "it is no part of transactions"),
)
SAYS_WHY = 'policy "members": groups begin with governed-'


@pytest.fixture(scope="module")
def governed(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one


def is_in_force(cluster, one):
    with connection_to(cluster, one) as connection:
        # in a version that makes nobody a member with his first request
        return join(connection, 9, "x")["ErrorCode"] == GROUP_AUTHORIZATION_FAILED


def join(connection, version, group, member=""):
    return connection.call("JoinGroup", version, {
        "GroupId": group, "SessionTimeoutMs": 10000, "RebalanceTimeoutMs": 10000,
        "MemberId": member, "ProtocolType": "consumer",
        "Protocols": [{"Name": "range", "Metadata": NO_TOPICS}]}).body


def at_coordinator(cluster, one, key, kind=GROUP):
    """A connection, through the proxy, to the broker that keeps the group."""
    def found():
        with connection_to(cluster, one) as connection:
            (row,) = connection.call("FindCoordinator", 4, {
                "KeyType": kind, "CoordinatorKeys": [key]}).body["Coordinators"]
        return row["ErrorCode"] == NO_ERROR and row
    node = kproxy_rig.wait_until(found, what="coordinator")["NodeId"]
    return kafka_wire.Connection(
        rig.definitions(cluster.version), *one.endpoint(node))


def is_known(connection, group):
    return group in [row["GroupId"] for row in connection.call(
        "ListGroups", 4, {"StatesFilter": []}).body["Groups"]]


@pytest.mark.parametrize("version", range(0, 10))
def test_who_may_not_join_is_told_so(cluster, governed, version):
    bad = f"bad-group-{version}"
    with at_coordinator(cluster, governed, bad) as connection:
        answer = join(connection, version, bad)
        assert answer["ErrorCode"] == GROUP_AUTHORIZATION_FAILED
        assert answer["Members"] == [] and answer["MemberId"] == ""
        assert not is_known(connection, bad)


@pytest.mark.parametrize("version", range(0, 10))
def test_who_may_join_does(cluster, governed, version):
    good = next(names)
    with at_coordinator(cluster, governed, good) as connection:
        answer = join(connection, version, good)
        if version >= 4:
            assert answer["ErrorCode"] == MEMBER_ID_REQUIRED
            answer = join(connection, version, good, answer["MemberId"])
        assert answer["ErrorCode"] == NO_ERROR
        assert answer["Leader"] == answer["MemberId"]


def first_heartbeat(api, version, group, **more):
    """What a member says that joins."""
    member = "" if (api, version) == ("ConsumerGroupHeartbeat", 0) \
        else str(uuid.uuid4())
    values = {"GroupId": group, "MemberId": member, "MemberEpoch": 0}
    if api != "StreamsGroupHeartbeat":
        values["SubscribedTopicNames"] = ["x"]
    if api != "ShareGroupHeartbeat":
        values["RebalanceTimeoutMs"] = 10000
    if api == "ConsumerGroupHeartbeat":
        values["TopicPartitions"] = []
    if api == "StreamsGroupHeartbeat":
        values.update({
            "ProcessId": "p", "ActiveTasks": [], "StandbyTasks": [],
            "WarmupTasks": [], "Topology": {"Epoch": 0, "Subtopologies": [
                {"SubtopologyId": "0", "SourceTopics": ["x"]}]}})
    return {**values, **more}


HEARTBEATS = [("ConsumerGroupHeartbeat", 0), ("ConsumerGroupHeartbeat", 1),
              ("ShareGroupHeartbeat", 1), ("StreamsGroupHeartbeat", 0)]


@pytest.mark.parametrize("api, version", HEARTBEATS)
def test_heartbeats_of_strangers_are_refused(cluster, governed, api, version):
    bad = f"bad-{api}-{version}"
    with at_coordinator(cluster, governed, bad) as connection:
        answer = connection.call(
            api, version, first_heartbeat(api, version, bad)).body
        assert answer["ErrorCode"] == GROUP_AUTHORIZATION_FAILED
        assert answer["ErrorMessage"] == SAYS_WHY
        assert not is_known(connection, bad)


@pytest.mark.parametrize("api, version", HEARTBEATS)
def test_members_say_what_changes_only(cluster, governed, api, version):
    """All of the second heartbeat but who it is of is null."""
    good = next(names)
    with at_coordinator(cluster, governed, good) as connection:
        first = first_heartbeat(api, version, good)
        joined = connection.call(api, version, first).body
        assert (joined["ErrorCode"], joined["ErrorMessage"]) == (NO_ERROR, None)
        assert joined["MemberEpoch"] > 0
        again = connection.call(api, version, {
            "GroupId": good, "MemberId": joined["MemberId"] or first["MemberId"],
            "MemberEpoch": joined["MemberEpoch"]}).body
        assert (again["ErrorCode"], again["ErrorMessage"]) == (NO_ERROR, None)


@pytest.mark.parametrize("api, version, more, says", [
    ("ConsumerGroupHeartbeat", 1, {"SubscribedTopicNames": ["x", "x-secret"]},
     'policy "subscriptions": it is a secret'),
    ("ShareGroupHeartbeat", 1, {"SubscribedTopicNames": ["x-secret"]},
     'policy "subscriptions": it is a secret'),
    ("ConsumerGroupHeartbeat", 1, {"SubscribedTopicRegex": ".*"},
     'policy "patterns": not all of them'),
])
def test_a_member_may_not_have_every_topic(
        cluster, governed, api, version, more, says):
    """Not at first, nor later."""
    good = next(names)
    with at_coordinator(cluster, governed, good) as connection:
        first = first_heartbeat(api, version, good)
        joined = connection.call(api, version, first).body
        assert joined["ErrorCode"] == NO_ERROR
        for epoch in (0, joined["MemberEpoch"]):
            answer = connection.call(api, version, {
                **(first if epoch == 0 else {}), "GroupId": good,
                "MemberId": joined["MemberId"] or first["MemberId"],
                "MemberEpoch": epoch, **more}).body
            assert answer["ErrorCode"] == GROUP_AUTHORIZATION_FAILED
            assert answer["ErrorMessage"] == says


def commit(connection, version, group, *topics, offsets=(7, 7)):
    """topics: names, or ids, of which partition 0 is committed."""
    key = "Name" if version < 10 else "TopicId"
    rows = connection.call("OffsetCommit", version, {
        "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "",
        "Topics": [{key: one, "Partitions": [{
            "PartitionIndex": 0, "CommittedOffset": offset,
            "CommittedMetadata": ""}]}
            for one, offset in zip(topics, offsets)]}).body["Topics"]
    return codes(rows, key)


def codes(rows, key="Name"):
    return [(row[key], one["PartitionIndex"], one["ErrorCode"])
            for row in rows for one in row["Partitions"]]


def committed(connection, group, *topics):
    rows = connection.call("OffsetFetch", 7, {"GroupId": group, "Topics": [
        {"Name": name, "PartitionIndexes": [0]} for name in topics]}
    ).body["Topics"]
    return {row["Name"]: row["Partitions"][0]["CommittedOffset"] for row in rows}


@pytest.mark.parametrize("version", range(2, 10))
def test_what_may_not_be_committed_is_not(cluster, governed, direct, version):
    group = next(names)
    kept, other = f"{group}-kept", f"{group}-other"
    make(direct, topic(kept), topic(other))
    with at_coordinator(cluster, governed, group) as connection:
        assert commit(connection, version, group, kept, other) == [
            (kept, 0, TOPIC_AUTHORIZATION_FAILED), (other, 0, NO_ERROR)]
        assert committed(connection, group, kept, other) == {kept: -1, other: 7}


def test_topics_with_ids_are_refused_by_their_ids(cluster, governed, direct):
    group = next(names)
    rows = create_rows(direct, [topic(f"{group}-1"), topic(f"{group}-2")])
    one, other = (row["TopicId"] for row in rows)
    wait_known(direct, f"{group}-1", f"{group}-2")
    with at_coordinator(cluster, governed, group) as connection:
        def outcome():
            return commit(connection, 10, group, one, other,
                          offsets=(666, 7))
        kproxy_rig.wait_until(lambda: outcome() == [
            (one, 0, TOPIC_AUTHORIZATION_FAILED), (other, 0, NO_ERROR)])
        assert committed(connection, group, f"{group}-1", f"{group}-2") == {
            f"{group}-1": -1, f"{group}-2": 7}


@pytest.mark.parametrize("version", range(2, 11))
def test_strangers_commit_nothing(cluster, governed, direct, version):
    bad = f"bad-{next(names)}"
    (made,) = create_rows(direct, [topic(bad)])
    wait_known(direct, bad)
    name = bad if version < 10 else made["TopicId"]
    with at_coordinator(cluster, governed, bad) as connection:
        assert commit(connection, version, bad, name) == [
            (name, 0, TOPIC_AUTHORIZATION_FAILED)]
        assert not is_known(connection, bad)


def test_offsets_that_are_kept_are_not_deleted(cluster, governed, direct):
    group = f"x-{next(names)}"
    kept, other = f"{group}-kept", f"{group}-other"
    make(direct, topic(kept), topic(other))
    broker = at_coordinator_itself(cluster, governed, group)
    with broker, at_coordinator(cluster, governed, group) as connection:
        assert commit(broker, 9, group, kept, other) == [
            (kept, 0, NO_ERROR), (other, 0, NO_ERROR)]
        rows = connection.call("OffsetDelete", 0, {"GroupId": group, "Topics": [
            {"Name": name, "Partitions": [{"PartitionIndex": 0}]}
            for name in (kept, other)]}).body["Topics"]
        assert codes(rows) == [(kept, 0, POLICY_VIOLATION), (other, 0, NO_ERROR)]
        assert committed(connection, group, kept, other) == {kept: 7, other: -1}


def at_coordinator_itself(cluster, one, group):
    """The same past the proxy."""
    with at_coordinator(cluster, one, group) as connection:
        node = connection.call("FindCoordinator", 4, {
            "KeyType": GROUP, "CoordinatorKeys": [group]}
        ).body["Coordinators"][0]["NodeId"]
    (broker,) = [broker for broker in cluster.brokers if broker.id == node]
    return kafka_wire.Connection(
        rig.definitions(cluster.version), broker.address,
        broker.ports["PLAINTEXT"])


def leave_share_group(connection, group, *topics):
    """A share group that has been at work on all of them, and has no member."""
    member = first_heartbeat("ShareGroupHeartbeat", 1, group,
                             SubscribedTopicNames=list(topics))

    def is_assigned():
        answer = connection.call("ShareGroupHeartbeat", 1, member).body
        assert answer["ErrorCode"] == NO_ERROR, answer
        member.update(MemberEpoch=answer["MemberEpoch"], SubscribedTopicNames=None)
        assigned = (answer["Assignment"] or {}).get("TopicPartitions") or ()
        return len(assigned) == len(topics)
    kproxy_rig.wait_until(is_assigned, 60, what="assignment")
    assert connection.call("ShareGroupHeartbeat", 1, {
        **member, "MemberEpoch": -1}).body["ErrorCode"] == NO_ERROR


def test_offsets_of_share_groups_are_kept_too(cluster, governed, direct):
    group = next(names)
    kept, other = f"{group}-kept", f"{group}-other"
    make(direct, topic(kept), topic(other))
    with at_coordinator(cluster, governed, group) as connection:
        leave_share_group(connection, group, kept, other)
        answer = connection.call("AlterShareGroupOffsets", 0, {
            "GroupId": group, "Topics": [
                {"TopicName": name, "Partitions": [
                    {"PartitionIndex": 0, "StartOffset": 0}]}
                for name in (kept, other)]}).body
        assert answer["ErrorCode"] == NO_ERROR, answer
        assert codes(answer["Responses"], "TopicName") == [
            (kept, 0, POLICY_VIOLATION), (other, 0, NO_ERROR)]
        assert answer["Responses"][0]["Partitions"][0]["ErrorMessage"] == (
            'policy "offsets": they stay')
        answer = connection.call("DeleteShareGroupOffsets", 0, {
            "GroupId": group, "Topics": [{"TopicName": kept},
                                         {"TopicName": other}]}).body
        assert answer["ErrorCode"] == NO_ERROR, answer
        assert [(row["TopicName"], row["ErrorCode"], row["ErrorMessage"])
                for row in answer["Responses"]] == [
            (kept, POLICY_VIOLATION, 'policy "offsets": they stay'),
            (other, NO_ERROR, None)]


def begin(connection, name):
    """A producer of transactions: its first fields in AddPartitionsToTxn."""
    def found():
        made = connection.call("InitProducerId", 4, {
            "TransactionalId": name, "TransactionTimeoutMs": 60000,
            "ProducerId": -1, "ProducerEpoch": -1}).body
        return made["ErrorCode"] == NO_ERROR and made
    made = kproxy_rig.wait_until(found, 60, what="a producer id")
    return made["ProducerId"], made["ProducerEpoch"]


@pytest.mark.parametrize("version", range(0, 4))
def test_what_is_kept_is_no_part_of_a_transaction(
        cluster, governed, direct, version):
    name = next(names)
    kept, other = f"{name}-kept", f"{name}-other"
    make(direct, topic(kept, 2), topic(other, 2))
    with at_coordinator(cluster, governed, name, TRANSACTION) as connection:
        producer, epoch = begin(connection, name)
        rows = connection.call("AddPartitionsToTxn", version, {
            "V3AndBelowTransactionalId": name, "V3AndBelowProducerId": producer,
            "V3AndBelowProducerEpoch": epoch, "V3AndBelowTopics": [
                {"Name": one, "Partitions": [0, 1]} for one in (kept, other)]}
        ).body["ResultsByTopicV3AndBelow"]
        assert [(row["Name"], one["PartitionIndex"], one["PartitionErrorCode"])
                for row in rows for one in row["ResultsByPartition"]] == [
            (kept, 0, TOPIC_AUTHORIZATION_FAILED),
            (kept, 1, TOPIC_AUTHORIZATION_FAILED),
            (other, 0, NO_ERROR), (other, 1, NO_ERROR)]
        (found,) = connection.call("DescribeTransactions", 0, {
            "TransactionalIds": [name]}).body["TransactionStates"]
        assert [one["Topic"] for one in found["Topics"]] == [other]


def commit_in_transaction(connection, version, fields, *topics):
    """topics: names, of which partition 0 is committed, and offsets."""
    return codes(connection.call("TxnOffsetCommit", version, {
        **fields, "Topics": [{"Name": name, "Partitions": [{
            "PartitionIndex": 0, "CommittedOffset": offset,
            "CommittedLeaderEpoch": -1, "CommittedMetadata": ""}]}
            for name, offset in topics]}).body["Topics"])


@pytest.mark.parametrize("version", range(0, 5))
def test_a_transaction_is_no_way_around(cluster, governed, direct, version):
    group = next(names)
    bad, other = f"{group}-bad", f"{group}-other"
    make(direct, topic(bad), topic(other))
    with at_coordinator(cluster, governed, group, TRANSACTION) as transactions, \
            at_coordinator(cluster, governed, group) as groups:
        number, epoch = begin(transactions, group)
        producer = {"TransactionalId": group, "ProducerId": number,
                    "ProducerEpoch": epoch}
        fields = {**producer, "GroupId": group}
        added = transactions.call("AddOffsetsToTxn", 3, fields).body
        assert added["ErrorCode"] == NO_ERROR
        assert commit_in_transaction(
            groups, version, fields, (bad, 666), (other, 7)) == [
                (bad, 0, GROUP_AUTHORIZATION_FAILED), (other, 0, NO_ERROR)]
        ended = transactions.call("EndTxn", 3, {
            **producer, "Committed": True}).body
        assert ended["ErrorCode"] == NO_ERROR
        kproxy_rig.wait_until(lambda: committed(groups, group, bad, other) == {
            bad: -1, other: 7}, 30, "what was committed")


def test_strangers_commit_nothing_in_transactions(cluster, governed, direct):
    bad = f"bad-{next(names)}"
    make(direct, topic(bad))
    with at_coordinator(cluster, governed, bad) as connection:
        assert commit_in_transaction(connection, 3, {
            "TransactionalId": bad, "GroupId": bad, "ProducerId": 1,
            "ProducerEpoch": 0}, (bad, 7)) == [(bad, 0, GROUP_AUTHORIZATION_FAILED)]


@pytest.mark.parametrize("version", [4, 5])
def test_what_is_for_brokers_is_no_way_around(
        cluster, governed, proxy, direct, version):
    name = next(names)
    kept = f"{name}-kept"
    make(direct, topic(kept))

    def outcome(connection):
        producer, epoch = begin(connection, name)
        return connection.call("AddPartitionsToTxn", version, {"Transactions": [{
            "TransactionalId": name, "ProducerId": producer,
            "ProducerEpoch": epoch, "Topics": [
                {"Name": kept, "Partitions": [0]}]}]}).body
    with at_coordinator(cluster, governed, name, TRANSACTION) as connection:
        assert outcome(connection)["ErrorCode"] == UNSUPPORTED_VERSION
    with at_coordinator(cluster, proxy, name, TRANSACTION) as connection:
        assert outcome(connection)["ResultsByTransaction"] != []


def test_a_new_policy_ends_members_that_are_there(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        bad = f"bad-{next(names)}"
        with at_coordinator(cluster, one, bad) as connection:
            joined = connection.call("ConsumerGroupHeartbeat", 1, first_heartbeat(
                "ConsumerGroupHeartbeat", 1, bad)).body
            assert joined["ErrorCode"] == NO_ERROR

            def heartbeat():
                return connection.call("ConsumerGroupHeartbeat", 1, {
                    "GroupId": bad, "MemberId": joined["MemberId"],
                    "MemberEpoch": joined["MemberEpoch"]}).body
            assert heartbeat()["ErrorCode"] == NO_ERROR
            one.write(POLICIES, "policies.yaml")
            kproxy_rig.wait_until(lambda: heartbeat()["ErrorCode"] ==
                                  GROUP_AUTHORIZATION_FAILED, what="the policy")
            assert heartbeat()["ErrorMessage"] == SAYS_WHY
