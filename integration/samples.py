# SPDX-License-Identifier: Apache-2.0
"""Requests of every API in every version, for sweeps over a cluster.

Three kinds of body: "empty" has all defaults, "filled" one element in every
array, and "telling" is what makes a broker name brokers' addresses. None of
them harms a cluster: what would delete or move names something absent.
"""
import dataclasses
import uuid

import kafka_wire

# Kafka itself never answers these: it waits for zero answers of its own.
UNANSWERED = {("AddPartitionsToTxn", "empty"), ("OffsetFetch", "empty")}

BROKER, BROKER_LOGGER = 4, 8
ABSENT = "absent"
ABSENT_NODE = 99

# Field values that every kind needs for its request to be judged at all.
BASE = {
    "Produce": {"Acks": 1},
    "UnregisterBroker": {"BrokerId": ABSENT_NODE},
    "RemoveRaftVoter": {"VoterId": ABSENT_NODE},
    "DescribeAcls": {"ResourceTypeFilter": 1, "PatternTypeFilter": 1,
                     "Operation": 1, "PermissionType": 1},
}

# Values for "filled" that would be refused, or do harm, if made up.
FILLED = {
    "Fetch": {"ClusterId": None, "ReplicaState": {}},
    "ApiVersions": {"ClusterId": None},
    "JoinGroup": {"SessionTimeoutMs": 10000, "RebalanceTimeoutMs": 10000,
                  "MemberId": "", "GroupInstanceId": None},
    "CreateTopics": {"validateOnly": True},
    "CreatePartitions": {"ValidateOnly": True},
    "DeleteTopics": {"TopicNames": [ABSENT], "Topics": [{"Name": ABSENT}]},
    "DeleteGroups": {"GroupsNames": [ABSENT]},
    "AlterPartitionReassignments": {"Topics": [{
        "Name": ABSENT, "Partitions": [{"PartitionIndex": 0}]}]},
    "DeleteAcls": {"Filters": [{
        "ResourceTypeFilter": 2, "ResourceNameFilter": ABSENT,
        "PatternTypeFilter": 3, "Operation": 1, "PermissionType": 1}]},
}


@dataclasses.dataclass
class World:
    """What exists in the cluster; see prepare()."""
    definitions: kafka_wire.Definitions
    topic: str
    topic_id: uuid.UUID
    group: str
    nodes: list


@dataclasses.dataclass
class Request:
    api: str
    version: int
    kind: str
    body: dict
    before: list = dataclasses.field(default_factory=list)

    def __str__(self):
        return f"{self.api} v{self.version} {self.kind}"


def prepare(connection, nodes, name):
    """Creates a topic with one partition on each node."""
    body = connection.call("CreateTopics", 7, {"timeoutMs": 30000, "Topics": [
        {"Name": name, "NumPartitions": -1, "ReplicationFactor": -1,
         "Assignments": [{"PartitionIndex": i, "BrokerIds": [node]}
                         for i, node in enumerate(nodes)]}]}).body
    made = body["Topics"][0]
    assert made["ErrorCode"] == 0, made
    return World(connection.definitions, name, made["TopicId"],
                 f"{name}-group", nodes)


def requests(world, offered):
    """Every kind of every version of every API that a peer offers."""
    for key, (first, last) in sorted(offered.items()):
        api = world.definitions.name(key)
        for version in range(first, last + 1):
            yield from requests_of(world, api, version)


def requests_of(world, api, version):
    message = world.definitions.requests[world.definitions.keys[api]]
    base = known(message, version, BASE.get(api, {}))
    kinds = {"empty": base,
             "filled": {**filled(world, message, version), **base}}
    kinds["filled"].update(known(message, version, FILLED.get(api, {})))
    for kind, body in kinds.items():
        if (api, kind) not in UNANSWERED:
            yield Request(api, version, kind, body)
    tell = TELLING.get(api)
    for body in tell(world, version) if tell else ():
        before = session(world, version) if api == "ShareAcknowledge" else []
        yield Request(api, version, "telling",
                      known(message, version, body), before)


def known(message, version, values):
    """Keeps the values of fields that this version has."""
    there = {field["name"] for field in message.fields
             if kafka_wire.in_range(field["versions"], version)}
    return {name: values[name] for name in values if name in there}


# -- filled

def filled(world, message, version):
    return fill_fields(world, message, message.fields, version)


def fill_fields(world, message, fields, version):
    return {field["name"]: fill(world, message, field, field["type"], version)
            for field in fields
            if kafka_wire.in_range(field["versions"], version)}


def fill(world, message, field, kind, version):
    if kind.startswith("[]"):
        return [fill(world, message, field, kind[2:], version)]
    if kind == "string":
        return fill_string(world, field, f"{message.name}-{version}")
    if kind == "uuid":
        return world.topic_id
    if kind == "records":
        return kafka_wire.record_batch(b"filled")
    if kind == "bytes":
        return b"filled"
    if field.get("entityType") == "brokerId":
        return world.nodes[0]
    if kind in kafka_wire.INTEGERS or kind == "bool":
        return message.default(field) if field["type"] == kind else 0
    return fill_fields(world, message, message.fields_of(kind), version)


def fill_string(world, field, unique):
    if field.get("entityType") == "topicName":
        return world.topic
    if field.get("entityType") == "groupId":
        return f"{world.group}-{unique}"
    return f"{world.topic}-{unique}"


# -- telling

def metadata(world, version):
    yield {"Topics": [] if version == 0 else None}
    yield {"Topics": [{"Name": world.topic}]}


def find_coordinator(world, version):
    share = f"{world.group}:{world.topic_id}:0"
    for kind, key in enumerate((world.group, world.topic, share)):
        if kind <= (0 if version == 0 else 1 if version < 6 else 2):
            yield {"Key": key, "KeyType": kind, "CoordinatorKeys": [key]}


def describe_cluster(_, __):
    yield {"IncludeFencedBrokers": True}


def describe_configs(world, _):
    for kind in (BROKER, BROKER_LOGGER):
        yield {"IncludeSynonyms": True, "IncludeDocumentation": True,
               "Resources": [
                   {"ResourceType": kind, "ResourceName": str(node),
                    "ConfigurationKeys": None} for node in world.nodes]}


def describe_quorum(_, __):
    yield {"Topics": [{"TopicName": "__cluster_metadata",
                       "Partitions": [{"PartitionIndex": 0}]}]}


def partitions(world, key, values):
    """One topic entry with all partitions: most are led elsewhere."""
    return {"Topic": world.topic, "TopicId": world.topic_id,
            "Name": world.topic,
            "Partitions": [{key: i, **values}
                           for i in range(len(world.nodes))]}


def pick(entry, *names):
    return {name: entry[name] for name in (*names, "Partitions")}


def produce(world, version):
    entry = partitions(world, "Index",
                       {"Records": kafka_wire.record_batch(b"telling")})
    names = ("TopicId",) if version >= 13 else ("Name",)
    entry["PartitionData"] = entry.pop("Partitions")
    yield {"Acks": 1, "TimeoutMs": 1000, "TopicData": [
        {name: entry[name] for name in (*names, "PartitionData")}]}


def fetch(world, version):
    entry = partitions(world, "Partition", {"PartitionMaxBytes": 1000})
    yield {"MaxBytes": 1000, "Topics": [
        pick(entry, "TopicId" if version >= 13 else "Topic")]}


def share_body(world, epoch):
    entry = partitions(world, "PartitionIndex", {})
    return {"GroupId": world.group, "MemberId": str(uuid.UUID(int=7)),
            "ShareSessionEpoch": epoch, "MaxWaitMs": 0, "MinBytes": 1,
            "MaxBytes": 1000, "MaxRecords": 10, "BatchSize": 10,
            "Topics": [pick(entry, "TopicId")]}


def share_fetch(world, _):
    yield share_body(world, 0)


def share_acknowledge(world, _):
    yield share_body(world, 1)


def session(world, version):
    """ShareAcknowledge needs the session that ShareFetch opens."""
    message = world.definitions.requests[world.definitions.keys["ShareFetch"]]
    body = known(message, version, share_body(world, 0))
    return [Request("ShareFetch", version, "before", body)]


def describe_topic_partitions(world, _):
    yield {"Topics": [{"Name": world.topic}]}


TELLING = {
    "Metadata": metadata,
    "FindCoordinator": find_coordinator,
    "DescribeCluster": describe_cluster,
    "DescribeConfigs": describe_configs,
    "DescribeQuorum": describe_quorum,
    "Produce": produce,
    "Fetch": fetch,
    "ShareFetch": share_fetch,
    "ShareAcknowledge": share_acknowledge,
    "DescribeTopicPartitions": describe_topic_partitions,
}
