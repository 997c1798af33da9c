# SPDX-License-Identifier: Apache-2.0
"""A ShareAcknowledge answer that names the leader's address.

Brokers add it when they lose a partition between a fetch and its
acknowledgement. Here somebody else takes over the group's state, which looks
the same to them and can be provoked.
"""
import base64
import contextlib
import uuid

import kafka_wire
import kproxy_rig
import pytest
import rig

NO_ERROR, NOT_LEADER = 0, 6
NO_COORDINATOR_YET = (14, 15)  # it loads, it is not available
GROUP_CONFIG, SET = 32, 0
GROUP, SHARE = 0, 2
ACCEPT = 1


class ShareConsumer:
    """One member that reads one partition, and what it knows of the cluster.

    connect(node_id) opens a connection; None is any node.
    """

    def __init__(self, connect, group, topic, leader):
        self.connect, self.group, self.member = connect, group, str(uuid.uuid4())
        any_node = connect(None)
        any_node.call("Metadata", 12)  # kproxy learns where nodes are
        made = any_node.call("CreateTopics", 7, {
            "timeoutMs": 30000, "Topics": [
                {"Name": topic, "NumPartitions": -1, "ReplicationFactor": -1,
                 "Assignments": [{"PartitionIndex": 0,
                                  "BrokerIds": [leader]}]}]}).body
        self.topic_id = made["Topics"][0]["TopicId"]
        any_node.call("IncrementalAlterConfigs", 1, {"Resources": [
            {"ResourceType": GROUP_CONFIG, "ResourceName": group, "Configs": [
                {"Name": "share.auto.offset.reset", "ConfigOperation": SET,
                 "Value": "earliest"}]}]})
        self.leader = connect(leader)
        self.produce(topic)
        self.join(connect(self.coordinator(any_node, GROUP, group)), topic)
        self.epoch = 0

    def produce(self, topic):
        def is_stored():
            body = self.leader.call("Produce", 12, {
                "Acks": 1, "TimeoutMs": 30000, "TopicData": [
                    {"Name": topic, "PartitionData": [
                        {"Index": 0,
                         "Records": kafka_wire.record_batch(b"value")}]}]}).body
            part, = body["Responses"][0]["PartitionResponses"]
            return part["ErrorCode"] == NO_ERROR
        kproxy_rig.wait_until(is_stored, 30, "a leader")

    def coordinator(self, connection, kind, key):
        def found():
            body = connection.call("FindCoordinator", 6, {
                "KeyType": kind, "CoordinatorKeys": [key]}).body
            one, = body["Coordinators"]
            return one["ErrorCode"] == NO_ERROR and one
        return kproxy_rig.wait_until(found, 60, "coordinator")["NodeId"]

    def join(self, coordinator, topic):
        epoch = 0

        def is_assigned():
            nonlocal epoch
            body = coordinator.call("ShareGroupHeartbeat", 1, {
                "GroupId": self.group, "MemberId": self.member,
                "MemberEpoch": epoch,
                "SubscribedTopicNames": None if epoch else [topic]}).body
            if body["ErrorCode"] in NO_COORDINATOR_YET:
                return False
            assert body["ErrorCode"] == NO_ERROR, body
            epoch = body["MemberEpoch"]
            return body["Assignment"] and body["Assignment"]["TopicPartitions"]
        kproxy_rig.wait_until(is_assigned, 60, "assignment")

    def topics(self, **values):
        return [{"TopicId": self.topic_id,
                 "Partitions": [{"PartitionIndex": 0, **values}]}]

    def call(self, api, version, **values):
        body = self.leader.call(api, version, {
            "GroupId": self.group, "MemberId": self.member,
            "ShareSessionEpoch": self.epoch, **values}).body
        assert body["ErrorCode"] == NO_ERROR, body
        self.epoch += 1
        return body

    def fetch(self):
        """First and last offset of what this member now has to handle."""
        def acquired():
            body = self.call(
                "ShareFetch", 2, MaxWaitMs=500, MinBytes=1, MaxBytes=1000,
                MaxRecords=10, BatchSize=10,
                Topics=self.topics() if self.epoch == 0 else [])
            return [(one["FirstOffset"], one["LastOffset"])
                    for topic in body["Responses"]
                    for part in topic["Partitions"]
                    for one in part["AcquiredRecords"]]
        return kproxy_rig.wait_until(acquired, 60, "acquired records")[0]

    def lose_state(self, direct):
        """Somebody else begins a new epoch of the group's state."""
        key = f"{self.group}:{kafka_name(self.topic_id)}:0"
        keeper = direct(self.coordinator(direct(None), SHARE, key))
        body = keeper.call("InitializeShareGroupState", 0, {
            "GroupId": self.group, "Topics": [
                {"TopicId": self.topic_id, "Partitions": [
                    {"Partition": 0, "StateEpoch": 1000,
                     "StartOffset": 0}]}]}).body
        part, = body["Results"][0]["Partitions"]
        assert part["ErrorCode"] == NO_ERROR, part

    def acknowledge(self, first, last, version):
        batches = [{"FirstOffset": first, "LastOffset": last,
                    "AcknowledgeTypes": [ACCEPT]}]
        return self.call("ShareAcknowledge", version,
                         Topics=self.topics(AcknowledgementBatches=batches))


def kafka_name(topic_id):
    """The text form of an id: base64 without padding, URL-safe."""
    return base64.urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")


@pytest.mark.parametrize("version", [1, 2])
def test_endpoints_of_a_refused_acknowledgement(cluster, proxy, version):
    known = rig.definitions(cluster.version)
    with contextlib.ExitStack() as stack:
        def opener(endpoint_of):
            return lambda node: stack.enter_context(
                kafka_wire.Connection(known, *endpoint_of(node)))

        def direct_endpoint(node):
            broker = next(b for b in cluster.brokers if node in (None, b.id))
            return broker.address, broker.ports["PLAINTEXT"]

        direct = opener(direct_endpoint)
        for name, endpoint_of in (("direct", direct_endpoint),
                                  ("through", proxy.endpoint)):
            own = f"share-{name}-{version}"
            one = ShareConsumer(opener(endpoint_of), own, own, leader=2)
            first, last = one.fetch()
            one.lose_state(direct)
            body = one.acknowledge(first, last, version)
            part, = body["Responses"][0]["Partitions"]
            assert part["ErrorCode"] == NOT_LEADER, part
            assert [(node["NodeId"], node["Host"], node["Port"])
                    for node in body["NodeEndpoints"]] == [
                        (2, *endpoint_of(2))]
