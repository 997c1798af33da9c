# SPDX-License-Identifier: Apache-2.0
"""Policies in front of three brokers: who is refused reads why in his own answer,
what is not refused goes on, and nothing of what was refused reaches the cluster."""
import contextlib
import itertools
import json
import subprocess

import kafka_jars
import kafka_wire
import kproxy_rig
import pytest
import rig

NO_ERROR = 0
POLICY_VIOLATION = 44
LOG_DIR_NOT_FOUND = 57
DELEGATION_TOKEN_REQUEST_NOT_ALLOWED = 64
INVALID_UPDATE_VERSION = 95
ELECTION_NOT_NEEDED = 84
TOPIC, BROKER = 2, 4
SHA_256, SHA_512 = 1, 2

names = (f"governed-{number}" for number in itertools.count())


def policy(name, apis, *validations, more=""):
    """validations: (expression, message)"""
    lines = "".join(f"    - {{expression: {kproxy_rig.quote(expression)}, "
                    f"message: {kproxy_rig.quote(message)}}}\n"
                    for expression, message in validations)
    return (f"apiVersion: kproxy/v1\nkind: Policy\nmetadata: {{name: {name}}}\n"
            f"spec:\n  match: {{apis: [{apis}]}}\n  validations:\n{lines}{more}"
            "---\n")


POLICIES = policy(
    "topic-hygiene", "CreateTopics",
    ("topic.name.startsWith('governed-')", "names begin with governed-"),
    ("topic.partitions <= 4", "at most 4 partitions"),
    ("!('retention.ms' in topic.configs) || "
     "topic.configs['retention.ms'] != '-1'", "records must end some time"),
) + policy(
    "growth", "CreatePartitions", ("topic.partitions <= 4", "at most 4 partitions"),
) + policy(
    "keep", "DeleteTopics, DeleteRecords",
    ("!topic.name.endsWith('-kept')", "it is protected"),
) + policy(
    "settings", "AlterConfigs",
    ("config.resourceType != 'topic' || !('retention.ms' in config.configs)",
     "retention is not yours"),
) + policy(
    "changes", "IncrementalAlterConfigs",
    ("config.changes.all(c, c.name != 'retention.ms')", "retention is not yours"),
) + policy(
    "acls", "CreateAcls", ("acl.principal != 'User:*'", "not for everybody"),
) + policy(
    "leaders", "ElectLeaders",
    ("has(election.topic) && !election.topic.endsWith('-kept')",
     "it is led where it is"),
) + policy(
    "folders", "AlterReplicaLogDirs",
    ("!replicaMove.topic.endsWith('-kept')", "it lies where it lies"),
) + policy(
    "tokens", "CreateDelegationToken",
    ("delegationToken.renewers.all(r, r.name == 'carol')", "only carol renews"),
    ("delegationToken.maxLifetimeMs <= 60000", "a minute at most"),
) + policy(
    "renewals", "RenewDelegationToken",
    ("delegationToken.renewTimePeriodMs <= 60000", "a minute at most"),
) + policy(
    "ends", "ExpireDelegationToken",
    ("delegationToken.expiryTimePeriodMs < 0", "at once or not at all"),
) + policy(
    "logins", "AlterUserScramCredentials",
    ("credential.mechanism == 'SCRAM-SHA-512'", "SHA-512 only"),
    ("credential.operation == 'delete' || credential.iterations >= 8192",
     "at least 8192 iterations"),
) + policy(
    "features", "UpdateFeatures",
    ("feature.upgradeType == 'upgrade'", "no way back"),
)


@pytest.fixture(scope="module")
def governed(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"]) as one:
        one.write(POLICIES, "policies.yaml")
        kproxy_rig.wait_until(lambda: is_in_force(cluster, one), what="policies")
        yield one


def is_in_force(cluster, one):
    with connection_to(cluster, one) as connection:
        return create(connection, [topic("x")],
                      validateOnly=True)["x"] == POLICY_VIOLATION


def connection_to(cluster, one):
    return kafka_wire.Connection(rig.definitions(cluster.version), *one.endpoint())


@pytest.fixture
def connection(cluster, governed):
    with connection_to(cluster, governed) as opened:
        yield opened


@pytest.fixture
def direct(cluster):
    broker = cluster.brokers[0]
    with kafka_wire.Connection(rig.definitions(cluster.version), broker.address,
                               broker.ports["PLAINTEXT"]) as opened:
        yield opened


def topic(name, partitions=1, configs=()):
    return {"Name": name, "NumPartitions": partitions, "ReplicationFactor": -1,
            "Configs": [{"Name": k, "Value": v} for k, v in configs]}


def create_rows(connection, topics, version=7, **more):
    for wanted in topics:
        if version < 4:  # no defaults of the broker
            wanted["ReplicationFactor"] = 1
    return connection.call("CreateTopics", version, {
        "timeoutMs": 30000, "Topics": topics, **more}).body["Topics"]


def create(connection, topics, **more):
    return {row["Name"]: row["ErrorCode"]
            for row in create_rows(connection, topics, **more)}


def make(direct, *topics):
    """Past the proxy, and until every broker knows them."""
    assert set(create(direct, topics).values()) == {NO_ERROR}
    wait_known(direct, *(one["Name"] for one in topics))


def wait_known(direct, *topics):
    """Until every broker knows them: another one may be asked next."""
    for broker in direct.call("Metadata", 12, {"Topics": []}).body["Brokers"]:
        with kafka_wire.Connection(direct.definitions, broker["Host"],
                                   broker["Port"]) as connection:
            for name in topics:
                kproxy_rig.wait_until(lambda: exists(connection, name),
                                      what="topic")


def exists(direct, name):
    (found,) = direct.call("Metadata", 12, {
        "AllowAutoTopicCreation": False, "Topics": [{"Name": name}]}).body["Topics"]
    return found["ErrorCode"] == NO_ERROR


@pytest.mark.parametrize("version", range(2, 8))
def test_the_bad_of_a_batch_is_refused_alone_and_in_its_place(
        connection, direct, version):
    good, also_good = next(names), next(names)
    rows = create_rows(connection, [
        topic(good), topic(f"bad-{version}", 9), topic(also_good)], version)
    assert [row["Name"] for row in rows] == [good, f"bad-{version}", also_good]
    assert [row["ErrorCode"] for row in rows] == [
        NO_ERROR, POLICY_VIOLATION, NO_ERROR]
    assert rows[1]["ErrorMessage"] == (
        'policy "topic-hygiene": names begin with governed-; '
        'policy "topic-hygiene": at most 4 partitions')
    for name in (good, also_good):
        kproxy_rig.wait_until(lambda: exists(direct, name), what=name)
    assert not exists(direct, f"bad-{version}")


def test_all_refused_are_answered_without_the_broker(connection, direct, governed):
    refused = 'kproxy_local_answers_total{reason="refused"}'
    before = governed.metric(refused)
    rows = create_rows(connection, [topic("no-1"), topic("no-2")])
    assert [row["ErrorCode"] for row in rows] == [POLICY_VIOLATION] * 2
    assert governed.metric(refused) == before + 1
    assert not exists(direct, "no-1")
    # and the connection serves what comes next
    name = next(names)
    assert create(connection, [topic(name)]) == {name: NO_ERROR}


def test_answers_keep_the_order_of_requests(connection):
    """What the proxy answers itself waits for what the broker still owes."""
    ids = []
    for i in range(20):
        topics = [topic("bad")] if i % 2 else [topic(next(names))]
        connection.send(connection.encode("CreateTopics", 7, {
            "timeoutMs": 30000, "Topics": topics, "validateOnly": True}))
        ids.append(connection.correlation)
    for i, wanted in enumerate(ids):
        raw = connection.receive()
        connection.correlation = wanted  # which decode expects
        (row,) = connection.decode("CreateTopics", 7, raw)["Topics"]
        assert row["ErrorCode"] == (POLICY_VIOLATION if i % 2 else NO_ERROR)


def test_validate_only_is_judged_too(connection):
    assert create(connection, [topic("bad")], validateOnly=True) == {
        "bad": POLICY_VIOLATION}


def test_a_setting_cannot_be_hidden_behind_another_of_its_name(connection, direct):
    name = next(names)
    (row,) = create_rows(connection, [topic(name, configs=[
        ("retention.ms", "1000"), ("retention.ms", "-1")])])
    assert row["ErrorCode"] == POLICY_VIOLATION
    assert "a setting is there twice" in row["ErrorMessage"]
    assert not exists(direct, name)


def test_replicas_assigned_by_hand_are_counted(connection):
    name = next(names)
    wanted = {"Name": name, "NumPartitions": -1, "ReplicationFactor": -1,
              "Assignments": [{"PartitionIndex": i, "BrokerIds": [1]}
                              for i in range(5)]}
    (row,) = create_rows(connection, [wanted])
    assert row["ErrorMessage"] == 'policy "topic-hygiene": at most 4 partitions'


@pytest.mark.parametrize("version", range(1, 7))
def test_what_is_protected_is_not_deleted(connection, direct, version):
    kept, other = f"{next(names)}-kept", next(names)
    make(direct, topic(kept), topic(other))
    rows = connection.call("DeleteTopics", version, {
        "TimeoutMs": 30000, "TopicNames": [kept, other],
        "Topics": [{"Name": kept}, {"Name": other}]}).body["Responses"]
    assert [(row["Name"], row["ErrorCode"]) for row in rows] == [
        (kept, POLICY_VIOLATION), (other, NO_ERROR)]
    if version >= 5:
        assert rows[0]["ErrorMessage"] == 'policy "keep": it is protected'
    kproxy_rig.wait_until(lambda: not exists(direct, other), what="deletion")
    assert exists(direct, kept)


def test_a_topic_id_is_no_way_around(connection, direct):
    kept = f"{next(names)}-kept"
    (made,) = create_rows(direct, [topic(kept)])
    (row,) = connection.call("DeleteTopics", 6, {
        "TimeoutMs": 30000,
        "Topics": [{"Name": None, "TopicId": made["TopicId"]}]}).body["Responses"]
    assert row["ErrorCode"] == POLICY_VIOLATION
    assert row["TopicId"] == made["TopicId"] and row["Name"] is None
    kproxy_rig.wait_until(lambda: exists(direct, kept), what="the topic")


def test_records_of_what_is_protected_stay(connection, direct):
    kept = f"{next(names)}-kept"
    make(direct, topic(kept, 2))
    (row,) = connection.call("DeleteRecords", 2, {"TimeoutMs": 30000, "Topics": [{
        "Name": kept, "Partitions": [{"PartitionIndex": i, "Offset": 0}
                                     for i in range(2)]}]}).body["Topics"]
    assert row["Name"] == kept
    assert [(one["PartitionIndex"], one["ErrorCode"])
            for one in row["Partitions"]] == [(0, POLICY_VIOLATION),
                                              (1, POLICY_VIOLATION)]


@pytest.mark.parametrize("version", range(0, 4))
def test_growth_is_bounded(connection, direct, version):
    small, large = next(names), next(names)
    make(direct, topic(small), topic(large))
    rows = connection.call("CreatePartitions", version, {
        "TimeoutMs": 30000, "ValidateOnly": True,
        "Topics": [{"Name": large, "Count": 5, "Assignments": None},
                   {"Name": small, "Count": 2, "Assignments": None}]}
    ).body["Results"]
    assert [(row["Name"], row["ErrorCode"]) for row in rows] == [
        (large, POLICY_VIOLATION), (small, NO_ERROR)]


@pytest.mark.parametrize("api, version", [
    ("AlterConfigs", 1), ("AlterConfigs", 2),
    ("IncrementalAlterConfigs", 0), ("IncrementalAlterConfigs", 1)])
def test_settings_are_judged_resource_by_resource(connection, direct, api, version):
    one, two = next(names), next(names)
    make(direct, topic(one), topic(two))
    rows = connection.call(api, version, {"Resources": [
        {"ResourceType": TOPIC, "ResourceName": one,
         "Configs": [{"Name": "retention.ms", "Value": "5000"}]},
        {"ResourceType": TOPIC, "ResourceName": two,
         "Configs": [{"Name": "max.message.bytes", "Value": "5000"}]}]}
    ).body["Responses"]
    assert [(row["ResourceName"], row["ErrorCode"]) for row in rows] == [
        (one, POLICY_VIOLATION), (two, NO_ERROR)]
    assert rows[0]["ErrorMessage"].endswith(": retention is not yours")


@pytest.mark.parametrize("version", range(1, 4))
def test_acls_are_answered_in_their_order(connection, version):
    rows = connection.call("CreateAcls", version, {"Creations": [
        {"ResourceType": TOPIC, "ResourceName": "x", "ResourcePatternType": 3,
         "Principal": who, "Host": "*", "Operation": 3, "PermissionType": 3}
        for who in ("User:a", "User:*", "User:b")]}).body["Results"]
    assert [row["ErrorCode"] for row in rows] == [
        NO_ERROR, POLICY_VIOLATION, NO_ERROR]


TRACED = [
    (["--api=CreateTopics", "--topic=bad", "--partitions=9"], "CreateTopics", {
        "timeoutMs": 30000, "Topics": [topic("bad", 9)]}, "Topics"),
    (["--api=DeleteTopics", "--topic=a-kept"], "DeleteTopics", {
        "TimeoutMs": 30000, "Topics": [{"Name": "a-kept"}]}, "Responses"),
    (["--api=AlterConfigs", "--topic=t", "--config=retention.ms=5"],
     "AlterConfigs", {"Resources": [
         {"ResourceType": TOPIC, "ResourceName": "t",
          "Configs": [{"Name": "retention.ms", "Value": "5"}]}]}, "Responses"),
    (["--api=CreateAcls", "--item", '{resourceType: topic, resourceName: "*", '
      'patternType: literal, principal: "User:*", host: "*", operation: read, '
      "permission: allow}"], "CreateAcls", {"Creations": [
          {"ResourceType": TOPIC, "ResourceName": "*", "ResourcePatternType": 3,
           "Principal": "User:*", "Host": "*", "Operation": 3,
           "PermissionType": 3}]}, "Results"),
]


@pytest.mark.parametrize("args, api, body, rows", TRACED,
                         ids=[one[1] for one in TRACED])
def test_a_trace_says_what_the_client_is_told(connection, tmp_path, args, api,
                                              body, rows):
    (tmp_path / "p.yaml").write_text(POLICIES)
    done = subprocess.run([kproxy_rig.BUILD / "bin" / "kpctl", "trace", *args,
                           "-f", tmp_path / "p.yaml", "-o", "json"],
                          capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, "")
    said = json.loads(done.stdout)
    row = connection.call(api, said["request"]["version"], body).body[rows][0]
    assert (row["ErrorCode"], row["ErrorMessage"]) == \
        (said["code"], said["sentence"])


@pytest.mark.parametrize("version", range(0, 3))
def test_elections_are_judged_topic_by_topic(connection, direct, version):
    kept, other = f"{next(names)}-kept", next(names)
    make(direct, topic(kept), topic(other))
    body = connection.call("ElectLeaders", version, {
        "TimeoutMs": 30000, "TopicPartitions": [
            {"Topic": kept, "Partitions": [0]},
            {"Topic": other, "Partitions": [0]}]}).body
    rows = body["ReplicaElectionResults"]
    assert [(row["Topic"], one["PartitionId"], one["ErrorCode"])
            for row in rows for one in row["PartitionResult"]] == [
        (kept, 0, POLICY_VIOLATION), (other, 0, ELECTION_NOT_NEEDED)]
    (refused,) = rows[0]["PartitionResult"]
    assert refused["ErrorMessage"] == 'policy "leaders": it is led where it is'


@pytest.mark.parametrize("version", range(0, 3))
def test_an_election_of_all_partitions_is_refused_as_a_whole(connection, version):
    body = connection.call("ElectLeaders", version, {
        "TimeoutMs": 30000, "TopicPartitions": None}).body
    assert version == 0 or body["ErrorCode"] == POLICY_VIOLATION
    (row,) = body["ReplicaElectionResults"]
    (refused,) = row["PartitionResult"]
    assert (row["Topic"], refused["PartitionId"], refused["ErrorCode"],
            refused["ErrorMessage"]) == (
        "", -1, POLICY_VIOLATION, 'policy "leaders": it is led where it is')


@pytest.mark.parametrize("version", range(1, 3))
def test_moves_of_replicas_are_judged_folder_by_folder(connection, direct, version):
    kept, other = f"{next(names)}-kept", next(names)
    make(direct, topic(kept), topic(other))
    rows = connection.call("AlterReplicaLogDirs", version, {"Dirs": [
        {"Path": "/absent-1", "Topics": [{"Name": other, "Partitions": [0]}]},
        {"Path": "/absent-2", "Topics": [{"Name": kept, "Partitions": [0]}]}]}
    ).body["Results"]
    assert [(row["TopicName"], one["PartitionIndex"], one["ErrorCode"])
            for row in rows for one in row["Partitions"]] == [
        (kept, 0, POLICY_VIOLATION), (other, 0, LOG_DIR_NOT_FOUND)]


def new_token(lifetime, renewer="carol"):
    return {"OwnerPrincipalType": None, "OwnerPrincipalName": None,
            "Renewers": [{"PrincipalType": "User", "PrincipalName": renewer}],
            "MaxLifetimeMs": lifetime}


def renewed(period):
    return {"Hmac": b"secret", "RenewPeriodMs": period}


def expired(period):
    return {"Hmac": b"secret", "ExpiryTimePeriodMs": period}


@pytest.mark.parametrize("api, version, good, bad", [
    *(("CreateDelegationToken", version, new_token(-1), bad)
      for version in range(1, 4)
      for bad in (new_token(60001), new_token(-1, "bob"))),
    *(("RenewDelegationToken", version, renewed(-1), renewed(60001))
      for version in range(1, 3)),
    *(("ExpireDelegationToken", version, expired(-1), expired(60001))
      for version in range(1, 3))])
def test_tokens_are_judged_before_the_broker_says_who_may_have_some(
        connection, api, version, good, bad):
    refused, passed = (connection.call(api, version, body).body["ErrorCode"]
                       for body in (bad, good))
    # who has not logged in gets none from the broker
    assert (refused, passed) == (
        POLICY_VIOLATION, DELEGATION_TOKEN_REQUEST_NOT_ALLOWED)


def test_credentials_are_judged_one_by_one(connection, direct):
    one, two, gone = next(names), next(names), next(names)

    def upsert(user, mechanism, iterations=8192):
        return {"Name": user, "Mechanism": mechanism, "Iterations": iterations,
                "Salt": b"salt", "SaltedPassword": b"password"}

    def ask(through, deletions, upsertions):
        rows = through.call("AlterUserScramCredentials", 0, {
            "Deletions": deletions, "Upsertions": upsertions}).body["Results"]
        return [(row["User"], row["ErrorCode"], row["ErrorMessage"])
                for row in rows]

    def mechanisms(user):
        (row,) = direct.call("DescribeUserScramCredentials", 0, {
            "Users": [{"Name": user}]}).body["Results"]
        return [each["Mechanism"] for each in row["CredentialInfos"]]
    assert ask(direct, [], [upsert(gone, SHA_256)]) == [(gone, NO_ERROR, None)]
    kproxy_rig.wait_until(lambda: mechanisms(gone) == [SHA_256], what="credential")
    assert ask(connection, [{"Name": gone, "Mechanism": SHA_256}],
               [upsert(one, SHA_512), upsert(two, SHA_512, 4096)]) == [
        (gone, POLICY_VIOLATION, 'policy "logins": SHA-512 only'),
        (two, POLICY_VIOLATION, 'policy "logins": at least 8192 iterations'),
        (one, NO_ERROR, None)]
    kproxy_rig.wait_until(lambda: mechanisms(one) == [SHA_512], what="credential")
    assert (mechanisms(two), mechanisms(gone)) == ([], [SHA_256])


@pytest.mark.parametrize("version", range(0, 3))
def test_downgrades_of_features_are_refused(connection, version):
    def ask(*updates):
        return connection.call("UpdateFeatures", version, {
            "timeoutMs": 30000, "ValidateOnly": True, "FeatureUpdates": [
                {"Feature": name, "MaxVersionLevel": 9999,
                 "UpgradeType": 2 if is_downgrade else 1,
                 "AllowDowngrade": is_downgrade}
                for name, is_downgrade in updates]}).body
    refused = ask(("group.version", True), ("metadata.version", False))
    if version == 2:  # all or nothing
        assert (refused["ErrorCode"], refused["ErrorMessage"]) == (
            POLICY_VIOLATION, 'policy "features": no way back')
    else:
        row = refused["Results"][0]
        assert (row["Feature"], row["ErrorCode"], row["ErrorMessage"]) == (
            "group.version", POLICY_VIOLATION, 'policy "features": no way back')
    passed = ask(("metadata.version", False))
    codes = [passed["ErrorCode"], *(
        row["ErrorCode"] for row in passed.get("Results", ()))]
    assert INVALID_UPDATE_VERSION in codes and POLICY_VIOLATION not in codes


def test_a_request_that_cannot_be_decoded_is_not_passed_on(cluster, governed):
    with connection_to(cluster, governed) as connection:
        connection.send(connection.encode_raw(19, 7, b"\xff" * 40))
        with pytest.raises(kafka_wire.Closed):
            connection.receive()


def test_more_than_the_limit_is_not_judged(cluster):
    with rig.proxy_for(cluster, rig.SECURITY["plaintext"],
                       limits="governedRequest: 1KiB") as one:
        one.write(policy("p", "CreateTopics", ("true", "")).replace(
            ', message: ""', ""), "policies.yaml")
        decided = 'kproxy_policy_decisions_total{decision="allowed"}'

        def is_judged():
            with connection_to(cluster, one) as connection:
                create(connection, [topic("x")], validateOnly=True)
            return one.metric(decided) > 0
        kproxy_rig.wait_until(is_judged, what="policies")
        with connection_to(cluster, one) as connection:
            connection.send(connection.encode("CreateTopics", 7, {
                "Topics": [topic("x" * 2000)]}))
            with pytest.raises(kafka_wire.Closed):
                connection.receive()
        too_large = 'kproxy_connections_closed_total{reason="frame_too_large"}'
        kproxy_rig.wait_until(lambda: one.metric(too_large) == 1)


def test_a_new_policy_is_asked_about_the_next_request(cluster):
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(
            rig.proxy_for(cluster, rig.SECURITY["plaintext"]))
        open_before = stack.enter_context(connection_to(cluster, one))

        def outcome():
            return create(open_before, [topic("x")], validateOnly=True)["x"]
        assert outcome() == NO_ERROR
        one.write(policy("p", "CreateTopics", ("false", "no")), "policies.yaml")
        kproxy_rig.wait_until(lambda: outcome() == POLICY_VIOLATION)
        one.write(policy("p", "CreateTopics", ("false", "no"),
                         more="  action: warn\n"), "policies.yaml")
        kproxy_rig.wait_until(lambda: outcome() == NO_ERROR)
        assert one.metric(
            'kproxy_policy_decisions_total{decision="warned"}') > 0
        # the refusals may have taken what the log says in a second
        kproxy_rig.wait_until(
            lambda: outcome() == NO_ERROR and
            '"event":"policy_warned"' in one.text())


def test_kafkas_own_tool_says_why(cluster, governed):
    done = subprocess.run(
        [*rig.JAVA, "-cp", f"{kafka_jars.home(cluster.version)}/lib/*",
         "org.apache.kafka.tools.TopicCommand",
         "--bootstrap-server", governed.address,
         "--create", "--topic", "bad", "--partitions", "9"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        check=False)
    assert done.returncode != 0
    assert ('policy "topic-hygiene": names begin with governed-; '
            'policy "topic-hygiene": at most 4 partitions') in done.stdout
    assert "PolicyViolationException" in done.stdout
