# SPDX-License-Identifier: Apache-2.0
"""The wire as a client sees it: versions, order, login, bad bytes."""
import base64
import contextlib
import json
import struct
import time

import kafka_wire
import kproxy_rig
import pytest
import rig
import samples

NO_ERROR = 0
NOT_LEADER = 6
UNSUPPORTED_VERSION = 35
AUTHENTICATION_FAILED = 58
API_VERSIONS = 18
HUGE = 0x7fffffff
TOPIC = "protocol-ports"


@pytest.fixture(scope="module")
def known(cluster):
    return rig.definitions(cluster.version)


@pytest.fixture
def connect(known, proxy):
    """Opens connections to the proxy that are closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda endpoint=None: stack.enter_context(
            kafka_wire.Connection(known, *(endpoint or proxy.endpoint())))


@pytest.fixture(scope="module")
def world(cluster, known, proxy):
    """A topic with one partition on each node, which is its leader."""
    nodes = [broker.id for broker in cluster.brokers]
    with kafka_wire.Connection(known, *proxy.endpoint()) as connection:
        return samples.prepare(connection, nodes, TOPIC)


@pytest.fixture(autouse=True)
def is_still_serving(connect):
    """Whatever one connection did, the next one is served."""
    yield
    assert connect().call("Metadata", 12).body["Brokers"]


def expect_closed(connection):
    with pytest.raises(kafka_wire.Closed):
        connection.receive()


# -- versions

def test_versions_are_what_broker_and_proxy_share(cluster, known, connect):
    broker = cluster.brokers[0]
    with kafka_wire.Connection(known, broker.address,
                               broker.ports["PLAINTEXT"]) as direct:
        offered = direct.api_versions()
    newest = rig.definitions(rig.NEWEST)
    expected = {}
    for key, (first, last) in offered.items():
        message = newest.requests.get(key)
        if message:
            both = [version for version in range(first, last + 1)
                    if kafka_wire.in_range(message.valid, version)]
            expected[key] = (both[0], both[-1])
    # Produce: brokers say 0 for the sake of old clients, and refuse it.
    expected[0] = (offered[0][0], expected[0][1])
    assert connect().api_versions() == expected


def test_unknown_version_of_api_versions_is_answered_as_by_the_broker(
        cluster, known, connect):
    """The oldest form, with UNSUPPORTED_VERSION and what to ask instead."""
    broker = cluster.brokers[0]
    with kafka_wire.Connection(known, broker.address,
                               broker.ports["PLAINTEXT"]) as direct:
        wanted = ask_unknown_version(direct)
    connection = connect()
    raw = ask_unknown_version(connection)
    assert raw == wanted
    (only,) = connection.decode(API_VERSIONS, 0, raw)["ApiKeys"]
    assert connection.call("ApiVersions", only["MaxVersion"], {
        "ClientSoftwareName": "wire",
        "ClientSoftwareVersion": "1"}).body["ApiKeys"]


def ask_unknown_version(connection):
    connection.send(connection.encode_raw(API_VERSIONS, 99,
                                          b"\x05wire\x021\0"))
    raw = connection.receive()
    assert struct.unpack(">h", raw[4:6])[0] == UNSUPPORTED_VERSION
    return raw


@pytest.mark.parametrize("key,version", [
    (9999, 0), (-1, 0), (3, 99), (3, -1), (1, 99), (36, 99)])
def test_what_was_not_offered_is_not_forwarded(connect, key, version):
    connection = connect()
    connection.send(kafka_wire.frame(
        struct.pack(">hhih", key, version, 1, -1) + b"\0" * 8))
    expect_closed(connection)


# -- addresses

def test_metadata_names_only_the_proxy(cluster, proxy, connect):
    expected = {(b.id, *proxy.endpoint(b.id)) for b in cluster.brokers}
    for version in range(0, 14):
        def are_all_there():
            body = connect().call("Metadata", version, {
                "Topics": [] if version == 0 else None}).body
            found = {(b["NodeId"], b["Host"], b["Port"])
                     for b in body["Brokers"]}
            assert found <= expected
            return found == expected
        kproxy_rig.wait_until(are_all_there, what="all brokers")


def test_each_port_leads_to_its_node(world, proxy, connect):
    """A topic with one copy per node is readable only from its leader."""
    nodes = world.nodes
    for index, node in enumerate(nodes):
        def is_led_here():
            errors, hints = produce_everywhere(connect(proxy.endpoint(node)),
                                               world)
            # The hint where the others are is the proxy's address, too.
            assert hints <= {(n, *proxy.endpoint(n)) for n in nodes}
            return errors == {i: NO_ERROR if i == index else NOT_LEADER
                              for i in range(len(nodes))}
        kproxy_rig.wait_until(is_led_here, what=f"node {node} behind its port")


def produce_everywhere(connection, world):
    """Error by partition, and the nodes that the answer points to."""
    batch = kafka_wire.record_batch(b"value")
    body = connection.call("Produce", 12, {
        "Acks": -1, "TimeoutMs": 30000, "TopicData": [
            {"Name": world.topic, "PartitionData": [
                {"Index": i, "Records": batch}
                for i in range(len(world.nodes))]}]}).body
    parts = body["Responses"][0]["PartitionResponses"]
    return ({part["Index"]: part["ErrorCode"] for part in parts},
            {(node["NodeId"], node["Host"], node["Port"])
             for node in body["NodeEndpoints"]})


# -- order

def test_answers_come_in_the_order_of_requests(world, connect):
    connection = connect()
    waiting = {"MaxWaitMs": 500, "MinBytes": 1, "MaxBytes": 1000,
               "Topics": [{"Topic": world.topic, "Partitions": [
                   {"Partition": 0, "FetchOffset": 1,
                    "PartitionMaxBytes": 1000}]}]}
    asked = [connection.encode("Fetch", 12, waiting)]
    for _ in range(50):
        asked.append(connection.encode("Metadata", 12))
        asked.append(connection.encode("ApiVersions", 0))
    connection.send(b"".join(asked))
    for wanted in range(1, len(asked) + 1):
        assert struct.unpack(">i", connection.receive()[:4])[0] == wanted


def produce(connection, world, acks, batch):
    """A request for the first partition."""
    return connection.encode("Produce", 12, {
        "Acks": acks, "TimeoutMs": 30000, "TopicData": [
            {"Name": world.topic, "PartitionData": [
                {"Index": 0, "Records": batch}]}]})


def produced(connection, world, batch):
    """What the first partition says."""
    connection.send(produce(connection, world, 1, batch))
    body = connection.decode("Produce", 12, connection.receive())
    part, = body["Responses"][0]["PartitionResponses"]
    return part


@pytest.fixture
def leader(world, proxy, connect):
    """A connection to the first partition's leader, which knows that it is."""
    connection = connect(proxy.endpoint(world.nodes[0]))
    kproxy_rig.wait_until(lambda: produced(
        connection, world, kafka_wire.record_batch(b"first"))["ErrorCode"]
        == NO_ERROR, what="a leader")
    return connection


def test_produce_without_acknowledgement_has_no_answer(world, leader):
    """Kafka closes the connection if anything is wrong with it."""
    silent = produce(leader, world, 0, kafka_wire.record_batch(b"x"))
    leader.send(silent + leader.encode("ApiVersions", 0))
    assert leader.decode("ApiVersions", 0, leader.receive())


def test_batches_are_counted_by_their_headers(proxy, world, leader):
    """In requests and in answers, in pieces and as a whole."""
    def counted():
        return [proxy.metric(f"kproxy_{name}_total{{{labels}}}")
                for direction in ("request", "response")
                for name, labels in (
                    ("record_batches",
                     f'direction="{direction}",codec="none"'),
                    ("record_batch_bytes",
                     f'direction="{direction}",codec="none"'),
                    ("records", f'direction="{direction}"'))]
    batch = kafka_wire.record_batch(b"x" * 100_000)
    before = counted()
    part = produced(leader, world, batch)
    assert part["ErrorCode"] == NO_ERROR
    for version in (12, 16):
        topic = ({"Topic": world.topic} if version < 13
                 else {"TopicId": world.topic_id})
        body = leader.call("Fetch", version, {
            "MaxBytes": 1 << 20, "Topics": [{**topic, "Partitions": [
                {"Partition": 0, "FetchOffset": part["BaseOffset"],
                 "PartitionMaxBytes": 1 << 20}]}]}).body
        fetched, = body["Responses"][0]["Partitions"]
        assert len(fetched["Records"]) == len(batch)
    grown = [after - old for after, old in zip(counted(), before)]
    assert grown == [1, len(batch), 1, 2, 2 * len(batch), 2]


def test_one_byte_at_a_time(connect):
    connection = connect()
    for byte in connection.encode("Metadata", 12):
        connection.send(bytes([byte]))
    assert connection.decode("Metadata", 12, connection.receive())["Brokers"]


def test_no_client_id(connect):
    connection = connect()
    connection.send(connection.encode("Metadata", 12, client_id=None))
    assert connection.decode("Metadata", 12, connection.receive())["Brokers"]


# -- login

def token():
    """An unsigned OAUTHBEARER token, as the brokers of tests accept."""
    def part(values):
        raw = json.dumps(values).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")
    now = int(time.time())
    claims = {"sub": "alice", "iat": now, "exp": now + 600}
    text = f"n,,\x01auth=Bearer {part({'alg': 'none'})}.{part(claims)}."
    return text.encode() + b"\x01\x01"


@pytest.fixture
def guarded(known, proxies):
    endpoint = proxies(rig.SECURITY["plain"]).endpoint()
    with kafka_wire.Connection(known, *endpoint) as found:
        yield found


def test_login_with_plain(guarded):
    body = guarded.login("PLAIN", b"\0alice\0alice-secret")
    assert body["ErrorCode"] == NO_ERROR
    assert guarded.call("Metadata", 12).body["Brokers"]


def test_login_with_a_wrong_password(guarded):
    body = guarded.login("PLAIN", b"\0alice\0wrong")
    assert body["ErrorCode"] == AUTHENTICATION_FAILED
    expect_closed(guarded)


def test_login_of_the_oldest_kind_has_frames_without_headers(guarded):
    guarded.call("SaslHandshake", 0, {"Mechanism": "PLAIN"})
    guarded.send(kafka_wire.frame(b"\0alice\0alice-secret"))
    assert guarded.receive() == b""
    assert guarded.call("Metadata", 12).body["Brokers"]


def renew(connection):
    connection.send(connection.encode("Metadata", 12)
                    + connection.encode("SaslHandshake", 1,
                                        {"Mechanism": "OAUTHBEARER"}))
    for _ in range(2):
        connection.receive()
    again = connection.call("SaslAuthenticate", 2,
                            {"AuthBytes": token()}).body
    assert again["ErrorCode"] == NO_ERROR
    assert connection.call("Metadata", 12).body["Brokers"]
    return True


def test_login_is_renewed_in_the_middle_of_the_stream(known, proxies):
    """Within the three seconds that it lasts, which a machine that stands still
    may miss: who was late begins again."""
    def is_renewed():
        with kafka_wire.Connection(known, *endpoint) as connection:
            began = time.monotonic()
            body = connection.login("OAUTHBEARER", token())
            assert body["ErrorCode"] == NO_ERROR
            assert 0 < body["SessionLifetimeMs"] <= 3000
            time.sleep(1.1)  # the broker refuses to renew more often than this
            try:
                return renew(connection)
            except kafka_wire.Closed:
                took = time.monotonic() - began
                assert took >= body["SessionLifetimeMs"] / 1000, "too early"
                return False
    endpoint = proxies(rig.SECURITY["plain"]).endpoint()
    kproxy_rig.wait_until(is_renewed, 30, "renewed in time")


def test_a_login_that_is_not_renewed_ends(guarded):
    body = guarded.login("OAUTHBEARER", token())
    time.sleep(body["SessionLifetimeMs"] / 1000 + 0.5)
    guarded.send(guarded.encode("Metadata", 12))
    expect_closed(guarded)


# -- bad bytes

@pytest.mark.parametrize("length", [-1, -HUGE - 1, HUGE, 0, 1, 7])
def test_impossible_length(connect, length):
    connection = connect()
    connection.send(struct.pack(">i", length) + b"\0" * max(0, min(length, 7)))
    expect_closed(connection)


def test_requests_cut_short_at_every_byte(connect):
    whole = connect().encode("Metadata", 12, {"Topics": [{"Name": "absent"}]})
    for count in range(1, len(whole)):
        with connect() as connection:
            connection.send(whole[:count])


def test_bodies_that_end_early_are_not_answered(connect):
    """The frame says less than the fields inside need."""
    whole = connect().encode("FindCoordinator", 4, {
        "CoordinatorKeys": ["group"]})[4:]
    for count in range(8, len(whole)):
        connection = connect()
        connection.send(kafka_wire.frame(whole[:count]))
        expect_closed(connection)


def test_counts_larger_than_the_frame(connect):
    connection = connect()
    head = struct.pack(">hhih", 3, 1, 1, -1)
    connection.send(kafka_wire.frame(head + struct.pack(">i", HUGE)))
    expect_closed(connection)


def test_random_bytes(connect):
    for seed in range(50):
        connection = connect()
        raw = bytes((seed * 131 + i * 29) % 251 for i in range(40))
        connection.send(kafka_wire.frame(raw))
        expect_closed(connection)
