# SPDX-License-Identifier: Apache-2.0
"""Moving leaders of partitions, over a kafka_wire.Connection to a broker."""
import time

import kproxy_rig

DEADLINE_S = 60
TIMEOUT_MS = 10000
NO_ERROR = 0
ELECTION_NOT_NEEDED = 84
NOT_YET = (7, 41)  # REQUEST_TIMED_OUT, NOT_CONTROLLER: there is none now


def partitions(connection, topics=None):
    """{(topic, partition): its entry in Metadata}; of all topics if None."""
    wanted = topics and [{"Name": topic} for topic in topics]
    body = connection.call("Metadata", 12, {"Topics": wanted}).body
    return {(topic["Name"], entry["PartitionIndex"]): entry
            for topic in body["Topics"] for entry in topic["Partitions"]}


def move(connection, topics, leader_of):
    """Gives each partition the leader that leader_of(partition) says, one of
    its replicas, and waits for it."""
    entries = []
    for name, own in by_topic(partitions(connection, topics)).items():
        entries.append({"Name": name, "Partitions": [
            {"PartitionIndex": index, "Replicas": sorted(
                entry["ReplicaNodes"],
                key=lambda node: (node != leader_of(index), node))}
            for index, entry in own.items()]})

    def is_taken():
        answer = connection.call("AlterPartitionReassignments", 0, {
            "TimeoutMs": TIMEOUT_MS, "Topics": entries}).body
        assert answer["ErrorCode"] in (NO_ERROR, *NOT_YET), answer
        return answer["ErrorCode"] == NO_ERROR
    kproxy_rig.wait_until(is_taken, DEADLINE_S, "a controller")
    # the broker that is asked may hear of it after the answer
    wanted = {(topic["Name"], one["PartitionIndex"]): one["Replicas"]
              for topic in entries for one in topic["Partitions"]}
    kproxy_rig.wait_until(
        lambda: wanted == {key: entry["ReplicaNodes"] for key, entry in
                           partitions(connection, topics).items()
                           if key in wanted},
        DEADLINE_S, "replicas in their new order")
    elect(connection, topics)


def elect(connection, topics):
    """Waits until each partition's first replica is its leader."""
    wanted = [{"Topic": name, "Partitions": list(own)} for name, own
              in by_topic(partitions(connection, topics)).items()]

    def are_elected():
        if all(entry["LeaderId"] == entry["ReplicaNodes"][0]
               for entry in partitions(connection, topics).values()):
            return True
        answer = connection.call("ElectLeaders", 2, {
            "TimeoutMs": TIMEOUT_MS, "TopicPartitions": wanted}).body
        assert answer["ErrorCode"] in (
            NO_ERROR, ELECTION_NOT_NEEDED, *NOT_YET), answer
        time.sleep(0.1)
        return False
    kproxy_rig.wait_until(are_elected, DEADLINE_S, "leaders move")


def by_topic(found):
    """{topic: {partition: entry}} of what partitions() returned."""
    topics = {}
    for (topic, index), entry in found.items():
        topics.setdefault(topic, {})[index] = entry
    return topics
