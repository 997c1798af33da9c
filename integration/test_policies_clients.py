# SPDX-License-Identifier: Apache-2.0
"""Real clients in front of policies: each tries what its library has of calls of
which one part is allowed and the other refused. Who is refused reads in his own
client's error which policy refused him and why; the rest of the call is done, and
nothing of what was refused."""
import contextlib
import dataclasses
import functools
import re
import subprocess

import kafka
import kafka_jars
import kafka_wire
import kproxy_rig
import pytest
import rig
from test_policies import (POLICY_VIOLATION, connection_to, create, exists, policy,
                           topic)

TOPIC, ANY, LITERAL = 2, 1, 3
COORDINATOR_OF_A_GROUP = 0
EARLIEST = -2
IS_LOADING = 14  # COORDINATOR_LOAD_IN_PROGRESS
NOT_LEADER_YET = (5, 6, 78)  # and OFFSET_NOT_AVAILABLE
# What is allowed and what is refused of each call, and the sentence about that.
CALLS = {
    "createTopics": ("made", "bad", 'policy "names": no name ends with -bad'),
    "createPartitions": ("grown", "kept", 'policy "growth": it is large enough'),
    "incrementalAlterConfigs": (
        "grown", "kept", 'policy "changes": it stays as it is'),
    "alterConfigs": ("grown", "kept", 'policy "settings": it stays as it is'),
    "createAcls": ("User:carol", "User:*", 'policy "acls": not for everybody'),
    "alterClientQuotas": ("grown", "kept", 'policy "quotas": it has its own'),
    "alterPartitionReassignments": (
        "grown", "kept", 'policy "places": it stays where it is'),
    "deleteRecords": ("grown", "kept", 'policy "records": they stay'),
    "deleteTopics": ("gone", "kept", 'policy "keep": it is protected'),
    "deleteGroups": ("gone", "kept", 'policy "groups": it is protected'),
}
POLICIES = policy(
    "names", "CreateTopics",
    ("!topic.name.endsWith('-bad')", "no name ends with -bad"),
) + policy(
    "growth", "CreatePartitions",
    ("!topic.name.endsWith('-kept')", "it is large enough"),
) + policy(
    "changes", "IncrementalAlterConfigs",
    ("!config.name.endsWith('-kept')", "it stays as it is"),
) + policy(
    "settings", "AlterConfigs",
    ("!config.name.endsWith('-kept')", "it stays as it is"),
) + policy(
    "acls", "CreateAcls", ("acl.principal != 'User:*'", "not for everybody"),
) + policy(
    "quotas", "AlterClientQuotas",
    ("quota.entities.all(e, !e.name.endsWith('-kept'))", "it has its own"),
) + policy(
    "places", "AlterPartitionReassignments",
    ("!reassignment.name.endsWith('-kept')", "it stays where it is"),
) + policy(
    "records", "DeleteRecords", ("!topic.name.endsWith('-kept')", "they stay"),
) + policy(
    "keep", "DeleteTopics", ("!topic.name.endsWith('-kept')", "it is protected"),
) + policy(
    "groups", "DeleteGroups", ("!group.name.endsWith('-kept')", "it is protected"),
) + policy(
    "members", "JoinGroup, ConsumerGroupHeartbeat, ShareGroupHeartbeat",
    ("!member.groupId.endsWith('-refused')", "strangers stay out"),
)
# Put in force while there is a member.
FENCE = policy(
    "fence", "ConsumerGroupHeartbeat",
    ("!member.groupId.endsWith('-fenced')", "your time is over"),
)


@dataclasses.dataclass(frozen=True)
class Client:
    """How a library tells that a policy was violated, and the calls that it has.

    told: its error has the sentence. no_text: it has the code alone, for there is
    no place for a text in the version that the library, or Kafka 4.3, uses.
    dropped: it has the code alone, for the library drops the text. whole: a call
    has one error, whatever becomes of its parts.
    """
    code: str
    told: tuple
    no_text: tuple = ()
    dropped: tuple = ()
    whole: tuple = ()

    def lines(self):
        """{(what, name): (code, the sentence if it is told, else None)}"""
        found = {}
        for what in self.told + self.no_text + self.dropped:
            allowed, refused, sentence = CALLS[what]
            if what in self.whole:
                refused = f"{allowed}+{refused}"
            else:
                found[what, allowed] = "ok", None
            found[what, refused] = self.code, sentence if what in self.told else None
        return found


CLIENTS = {
    "java": Client(
        "PolicyViolationException",
        ("createTopics", "createPartitions", "incrementalAlterConfigs",
         "createAcls", "alterClientQuotas", "alterPartitionReassignments",
         "deleteTopics"),
        no_text=("deleteRecords", "deleteGroups")),
    "franz-go": Client(
        "POLICY_VIOLATION",
        ("createTopics", "createPartitions", "incrementalAlterConfigs",
         "alterConfigs", "createAcls", "deleteTopics"),
        no_text=("deleteGroups",)),
    "sarama": Client(
        "44",
        ("createTopics", "createPartitions", "incrementalAlterConfigs",
         "alterConfigs", "createAcls", "deleteTopics"),
        no_text=("deleteGroups",)),
    "kafkajs": Client(
        "POLICY_VIOLATION", (),
        no_text=("deleteTopics", "deleteGroups"),
        dropped=("createTopics", "createPartitions", "alterConfigs", "createAcls"),
        whole=("createPartitions", "alterConfigs", "createAcls", "deleteTopics")),
    "confluent": Client(
        "POLICY_VIOLATION",
        ("createTopics", "createPartitions", "incrementalAlterConfigs",
         "alterConfigs", "createAcls"),
        no_text=("deleteTopics", "deleteGroups")),
    "kafka-python": Client(
        "PolicyViolationError",
        ("createTopics", "createPartitions", "incrementalAlterConfigs",
         "alterConfigs", "deleteTopics"),
        no_text=("deleteGroups",), dropped=("createAcls",)),
    "aiokafka": Client(
        "PolicyViolationError",
        ("createTopics", "createPartitions", "alterConfigs"),
        no_text=("deleteTopics",), whole=("createPartitions",)),
}


NAMED, TOLD, BARE = "the name of the group", "the sentence", "neither"
# How consumers tell that they may not be members: a code, and what they say besides.
JOINERS = {
    "java": {
        ("classic", "refused"): ("GroupAuthorizationException", NAMED),
        ("consumer", "refused"): ("GroupAuthorizationException", NAMED),
        ("share", "refused"): ("GroupAuthorizationException", NAMED),
        ("consumer", "fenced"): ("GroupAuthorizationException", NAMED)},
    "franz-go": {
        ("classic", "refused"): ("GROUP_AUTHORIZATION_FAILED", BARE),
        ("consumer", "refused"): ("GROUP_AUTHORIZATION_FAILED", TOLD),
        ("share", "refused"): ("GROUP_AUTHORIZATION_FAILED", TOLD),
        ("consumer", "fenced"): ("GROUP_AUTHORIZATION_FAILED", TOLD)},
    "confluent": {  # which drops the sentence
        ("classic", "refused"): ("GROUP_AUTHORIZATION_FAILED", BARE),
        ("consumer", "refused"): ("_FATAL", BARE),
        ("consumer", "fenced"): ("_FATAL", BARE)},
}


@contextlib.contextmanager
def governing(cluster):
    """A proxy with the policies in force."""
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one
        assert one.relay.hits == []


@pytest.fixture(scope="module")
def governed(cluster):
    with governing(cluster) as one:
        yield one


def is_in_force(cluster, one):
    with connection_to(cluster, one) as connection:
        return create(connection, [topic("x-bad")],
                      validateOnly=True)["x-bad"] == POLICY_VIOLATION


def direct_to(cluster, broker):
    return kafka_wire.Connection(rig.definitions(cluster.version), broker.address,
                                 broker.ports["PLAINTEXT"])


@pytest.fixture
def direct(cluster):
    with direct_to(cluster, cluster.brokers[0]) as opened:
        yield opened


@pytest.mark.parametrize("client", CLIENTS)
def test_who_is_refused_reads_why(cluster, clients, governed, direct, client):
    own = f"policies-{next(rig.unique)}"
    make_groups(cluster, f"{own}-governed")
    text = clients.run(client, cluster, governed.address, ["governed"], own=own)
    check(cluster, direct, f"{own}-governed", text, CLIENTS[client])


def test_it_is_the_same_with_other_brokers(other_cluster, clients):
    """Kafka 4.4 has a place for a text where a group is not deleted (KIP-1331)."""
    client = CLIENTS["franz-go"]
    if other_cluster.version == "4.4.0":
        client = dataclasses.replace(
            client, told=(*client.told, "deleteGroups"), no_text=())
    own = f"policies-{next(rig.unique)}"
    make_groups(other_cluster, f"{own}-governed")
    with governing(other_cluster) as one:
        text = clients.run("franz-go", other_cluster, one.address, ["governed"],
                           own=own)
    with direct_to(other_cluster, other_cluster.brokers[0]) as direct:
        check(other_cluster, direct, f"{own}-governed", text, client)


@pytest.mark.parametrize("command, what", [
    ("kafka-topics --alter --topic NAME-(kept|grown) --partitions 4",
     "createPartitions"),
    ("kafka-topics --delete --topic NAME-(kept|gone)", "deleteTopics"),
    ("kafka-acls --add --allow-principal User:* --allow-principal User:carol "
     "--operation Read --topic NAME", "createAcls"),
])
def test_kafkas_own_tools_say_why(cluster, governed, direct, command, what):
    name = f"policies-{next(rig.unique)}"
    rig.make_topics(cluster, rig.topics_of(name, "governed"))
    code, text = run_tool(cluster, governed, command, name)
    assert code != 0
    assert CALLS[what][2] in text
    CHECKS[what](cluster, direct, name)


def test_kafka_configs_says_why(cluster, governed, direct):
    """It changes one topic at a time."""
    name = f"policies-{next(rig.unique)}"
    rig.make_topics(cluster, rig.topics_of(name, "governed"))
    command = ("kafka-configs --alter --entity-type topics --entity-name NAME-{} "
               "--add-config max.message.bytes=5000")
    code, text = run_tool(cluster, governed, command.format("grown"), name)
    assert code == 0, text
    code, text = run_tool(cluster, governed, command.format("kept"), name)
    assert code != 0
    assert CALLS["incrementalAlterConfigs"][2] in text
    CHECKS["incrementalAlterConfigs"](cluster, direct, name)


def test_kafka_consumer_groups_says_which(cluster, governed, direct):
    """Why, it cannot: its version has no place for a text. It ends with 0."""
    name = f"policies-{next(rig.unique)}"
    make_groups(cluster, name)
    _, text = run_tool(
        cluster, governed,
        "kafka-consumer-groups --delete --group NAME-kept --group NAME-gone", name)
    assert re.search(rf"'{name}-kept' could not .*PolicyViolationException", text)
    CHECKS["deleteGroups"](cluster, direct, name)


@pytest.mark.parametrize("client", JOINERS)
def test_who_may_not_be_a_member_stops(cluster, clients, client):
    """At once, or when a policy comes that is against a member that is there."""
    own = f"policies-{next(rig.unique)}"
    with governing(cluster) as one:
        process = clients.start(client, cluster, one.address, ["joining"], own=own)
        text = ""
        for line in process.stdout:
            if line == "running\n":
                one.write(FENCE, "fence.yaml")
            else:
                text += line
    assert process.wait() == 0, process.stderr.read()
    sentences = {"refused": 'policy "members": strangers stay out',
                 "fenced": 'policy "fence": your time is over'}
    found = outcomes(text)
    assert found.keys() == JOINERS[client].keys(), text
    for (kind, part), (code, says) in JOINERS[client].items():
        assert found[kind, part][0] == code, text
        message = found[kind, part][1]
        assert "uthoriz" in message, text
        assert (f"{own}-joining-{part}" in message) == (says == NAMED), text
        assert (sentences[part] in message) == (says == TOLD), text


def run_tool(cluster, one, command, name):
    """(exit code, output) of one of Kafka's own tools."""
    tool, *arguments = command.replace("NAME", name).split()
    done = subprocess.run(
        [*rig.JAVA, "-cp", f"{kafka_jars.home(cluster.version)}/lib/*",
         kafka.TOOLS[tool], "--bootstrap-server", one.address, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        check=False)
    return done.returncode, done.stdout


def check(cluster, direct, name, text, client):
    """Does what a client printed, and what became of it, fit the policies?"""
    found, wanted = outcomes(text), client.lines()
    assert found.keys() == wanted.keys(), text
    for line, (code, sentence) in wanted.items():
        assert found[line][0] == code, text
        assert (sentence or "") in found[line][1], text
        assert sentence or 'policy "' not in found[line][1], text
    for what in {what for what, _ in wanted}:
        CHECKS[what](cluster, direct, name)


def outcomes(text):
    """{(what, name): (code, message)} of lines "what name: code: message"."""
    found = {}
    for line in text.splitlines()[1:]:
        what, part, code, message = re.fullmatch(
            r"(\S+) (\S+): (\w+)(?:: (.*))?", line).groups(default="")
        assert (what, part) not in found, text
        found[what, part] = code, message
    return found


def make_groups(cluster, name):
    for group in (f"{name}-kept", f"{name}-gone"):
        make_group(cluster, group)


def make_group(cluster, group):
    """A group without members: offsets are committed for it."""
    with direct_to(cluster, coordinator_of(cluster, group)) as connection:
        kproxy_rig.wait_until(lambda: commit(connection, group) != IS_LOADING,
                              what="groups of a new cluster")
        assert commit(connection, group) == 0


def commit(connection, group):
    (row,) = connection.call("OffsetCommit", 8, {
        "GroupId": group, "GenerationIdOrMemberEpoch": -1, "MemberId": "",
        "Topics": [{"Name": "__consumer_offsets", "Partitions": [{
            "PartitionIndex": 0, "CommittedOffset": 0,
            "CommittedLeaderEpoch": -1, "CommittedMetadata": None}]}]}
    ).body["Topics"]
    return row["Partitions"][0]["ErrorCode"]


def coordinator_of(cluster, group):
    with direct_to(cluster, cluster.brokers[0]) as connection:
        (row,) = connection.call("FindCoordinator", 4, {
            "KeyType": COORDINATOR_OF_A_GROUP, "CoordinatorKeys": [group]}
        ).body["Coordinators"]
    assert row["ErrorCode"] == 0
    (broker,) = [one for one in cluster.brokers if one.id == row["NodeId"]]
    return broker


def num_partitions(direct, name):
    (found,) = direct.call("Metadata", 12, {
        "AllowAutoTopicCreation": False, "Topics": [{"Name": name}]}).body["Topics"]
    return len(found["Partitions"])


def check_topics(_, direct, name):
    kproxy_rig.wait_until(lambda: num_partitions(direct, f"{name}-made") == 2)
    assert not exists(direct, f"{name}-bad")


def check_partitions(_, direct, name):
    kproxy_rig.wait_until(lambda: num_partitions(direct, f"{name}-grown") == 4)
    assert num_partitions(direct, f"{name}-kept") == rig.PARTITIONS


def setting(direct, name, key):
    (found,) = direct.call("DescribeConfigs", 4, {"Resources": [{
        "ResourceType": TOPIC, "ResourceName": name, "ConfigurationKeys": [key]}]}
    ).body["Results"]
    assert found["ErrorCode"] == 0
    return found["Configs"][0]["Value"]


def check_setting(_, direct, name, key, value):
    kproxy_rig.wait_until(lambda: setting(direct, f"{name}-grown", key) == value)
    assert setting(direct, f"{name}-kept", key) != value


def check_acls(_, direct, name):
    def principals():
        found = direct.call("DescribeAcls", 3, {
            "ResourceTypeFilter": TOPIC, "ResourceNameFilter": name,
            "PatternTypeFilter": LITERAL, "PrincipalFilter": None,
            "HostFilter": None, "Operation": ANY, "PermissionType": ANY}).body
        return [acl["Principal"] for resource in found["Resources"]
                for acl in resource["Acls"]]
    kproxy_rig.wait_until(principals, what="ACL")
    assert principals() == ["User:carol"]


def check_quotas(_, direct, name):
    def has_quota(client_id):
        return direct.call("DescribeClientQuotas", 1, {"Strict": True, "Components": [
            {"EntityType": "client-id", "MatchType": 0, "Match": client_id}]}
        ).body["Entries"]
    kproxy_rig.wait_until(lambda: has_quota(f"{name}-grown"))
    assert not has_quota(f"{name}-kept")


def first_partition(direct, name):
    (found,) = direct.call("Metadata", 12, {
        "AllowAutoTopicCreation": False, "Topics": [{"Name": name}]}).body["Topics"]
    (partition,) = [one for one in found["Partitions"] if one["PartitionIndex"] == 0]
    return partition


def check_places(_, direct, name):
    kproxy_rig.wait_until(
        lambda: first_partition(direct, f"{name}-grown")["ReplicaNodes"] == [1])
    assert len(first_partition(direct, f"{name}-kept")["ReplicaNodes"]) == 3


def first_offset(cluster, name):
    """None while another broker is to be asked."""
    with direct_to(cluster, cluster.brokers[0]) as connection:
        leader = first_partition(connection, name)["LeaderId"]
    if leader < 0:
        return None
    with direct_to(cluster, cluster.broker(leader)) as connection:
        (found,) = connection.call("ListOffsets", 6, {"ReplicaId": -1, "Topics": [{
            "Name": name, "Partitions": [{"PartitionIndex": 0, "Timestamp": EARLIEST,
                                          "CurrentLeaderEpoch": -1}]}]}
        ).body["Topics"]
    (row,) = found["Partitions"]
    assert row["ErrorCode"] in (0, *NOT_LEADER_YET), row
    return None if row["ErrorCode"] else row["Offset"]


def check_records(cluster, _, name):
    """The leader of what has grown is about to be another one."""
    kproxy_rig.wait_until(lambda: first_offset(cluster, f"{name}-grown") == 1,
                          what="a record less")
    kproxy_rig.wait_until(
        lambda: first_offset(cluster, f"{name}-kept") is not None, what="a leader")
    assert first_offset(cluster, f"{name}-kept") == 0


def check_deleted_topics(_, direct, name):
    kproxy_rig.wait_until(lambda: not exists(direct, f"{name}-gone"))
    assert exists(direct, f"{name}-kept")


def check_groups(cluster, _, name):
    assert has_group(cluster, f"{name}-kept")
    assert not has_group(cluster, f"{name}-gone")


def has_group(cluster, group):
    with direct_to(cluster, coordinator_of(cluster, group)) as connection:
        return group in [one["GroupId"] for one in connection.call(
            "ListGroups", 4, {"StatesFilter": []}).body["Groups"]]


CHECKS = {
    "createTopics": check_topics,
    "createPartitions": check_partitions,
    "alterConfigs": functools.partial(
        check_setting, key="flush.messages", value="7"),
    "incrementalAlterConfigs": functools.partial(
        check_setting, key="max.message.bytes", value="5000"),
    "createAcls": check_acls,
    "alterClientQuotas": check_quotas,
    "alterPartitionReassignments": check_places,
    "deleteRecords": check_records,
    "deleteTopics": check_deleted_topics,
    "deleteGroups": check_groups,
}
