# SPDX-License-Identifier: Apache-2.0
"""The tables in proto/kafka/apis against the definitions of four releases.

KP_PRINT_TABLES is the command that prints the tables as JSON: kp_print_tables
of the build folder, or "kproxy --coverage=json".
"""

import json
import os
import re
import shlex
import subprocess

import definitions
import pytest
from definitions import RELEASES, Field, is_in, parse_range

# Releases contradict each other about a few versions. The tables follow the
# newest that has the version; this is what the others say instead:
# (releases, API, message, their path, our path). None: not there at all.
OLDER = ("4.3.1", "4.0.2", "3.9.2")
EARLY = ("4.0.2", "3.9.2")
EXCEPTIONS = (
    # Renamed in 4.4; nothing changed on the wire.
    (OLDER, 28, "request", "GenerationId", "GenerationIdOrMemberEpoch"),
    (("4.3.1",), 88, "response", "AcceptableRecoveryLag", "AcceptableRecoveryLagLegacy"),
    # ListClientMetricsResources became v0 of ListConfigResources (KIP-1142).
    (EARLY, 74, "response", "ClientMetricsResources", "ConfigResources"),
    (EARLY, 74, "response", "ClientMetricsResources[].Name", "ConfigResources[].ResourceName"),
    # v0 was early access up to 4.0 and got a field in 4.1. Only brokers send it.
    (EARLY, 87, "response", None, "Results[].Partitions[].LeaderEpoch"),
)

# What an annotation of the definitions means in the tables. Producer ids are
# numbers without a name behind them: not classified.
ENTITY_OF_ANNOTATION = {
    "topicName": {"topicName"},
    "groupId": {"groupId"},
    "transactionalId": {"transactionalId"},
    "brokerId": {"nodeId", "endpointNode"},
    "producerId": {"none"},
}

MUST_BE_CLASSIFIED = {"string", "bytes", "uuid", "records"}
# Integers that are a node id or a port, going by their name.
NODE_OR_PORT = re.compile(
    r"(Node|Broker|Leader|Replica|Voter|Controller|Candidate)Ids?$"
    r"|Replicas?$|(Replica|Isr)Nodes$|Elr$|Isr$|Port$"
)

# Every place in a message that holds addresses of brokers or controllers.
ENDPOINTS = {
    ("Produce", "response", "NodeEndpoints"),
    ("Fetch", "response", "NodeEndpoints"),
    ("Metadata", "response", "Brokers"),
    ("FindCoordinator", "response", "Coordinators"),
    ("DescribeQuorum", "response", "Nodes[].Listeners"),
    ("DescribeCluster", "response", "Brokers"),
    ("ShareFetch", "response", "NodeEndpoints"),
    ("ShareAcknowledge", "response", "NodeEndpoints"),
    ("AddRaftVoter", "request", "Listeners"),
}

# What text (and ports) of common names mean, by the place they stand in.
PLACES = (
    (r"^FindCoordinator \S*Key$", "coordinatorKey"),
    (r"(Configs|Synonyms)\[\]\.(Name|Key)$", "configName"),
    (r"(Configs|Synonyms)\[\]\.Value$", "configValue"),
    (r"ClientTags\[\]\.(Key|Value)$", "userText"),
    (r"ClientQuotas \S*\[\]\.Key$", "plain"),
    (r"^OffsetFetch \S*\.Metadata$", "userText"),
    (r"^(Join|Sync)Group \S*(Metadata|Assignment)$", "consumerProtocol"),
    (r"^JoinGroup Protocols\[\]\.Name$", "plain"),
    (r"Features\[\]\.Name$", "plain"),
    (r"UserScramCredentials \S*\.Name$", "principal"),
    (r"Listeners\[\]\.Name$", "listener"),
    (r"TopologyDescription\.\S*\.Name$", "streamsName"),
    (r"UserEndpoint\.Host$", "appHost"),
    (r"UserEndpoint\.Port$", "plain"),
    (r"Acls \S*\.Host$", "aclHost"),
    (r"[. ]Host$", "host"),
    (r"[. ]Port$", "port"),
)

# What fields of all other names can mean, wherever they stand.
MEANINGS = {
    "topicName": "Name RepartitionSinkTopics SinkTopic SourceTopics SubscribedTopicNames"
    " Topic TopicName TopicNames",
    "topicId": "TopicId",
    "groupId": "GroupId GroupIds Groups GroupsNames",
    "transactionalId": "TransactionalId TransactionalIds V3AndBelowTransactionalId",
    "coordinatorKey": "CoordinatorKeys",
    "member": "GroupInstanceId InstanceId Leader MemberId",
    "principal": "OwnerPrincipalName Principal PrincipalFilter PrincipalName"
    " TokenRequesterPrincipalName User",
    "principalType": "OwnerPrincipalType PrincipalType TokenRequesterPrincipalType",
    "clusterId": "ClusterId",
    "nodeId": "AddingReplicas BrokerId BrokerIds ControllerId EligibleLeaderReplicas IsrNodes"
    " LastKnownElr LeaderId NodeId OfflineReplicas PreferredReadReplica RemovingReplicas"
    " ReplicaId ReplicaNodes Replicas VoterId",
    "endpointNode": "BrokerId NodeId",
    "endpoints": "Brokers Coordinators Listeners NodeEndpoints",
    "clientHost": "ClientHost",
    "clientId": "ClientId",
    "clientInstance": "ClientInstanceId",
    "resourceType": "KeyType ResourceType ResourceTypeFilter ResourceTypes",
    "resourceName": "ResourceName ResourceNameFilter",
    "patternType": "PatternType PatternTypeFilter ResourcePatternType",
    "configName": "ConfigurationKeys",
    "configText": "Documentation",
    "quotaType": "EntityType",
    "quotaName": "EntityName Match",
    "aclHost": "HostFilter",
    "pattern": "SourceTopicRegex SubscribedTopicRegex TransactionalIdPattern",
    "errorText": "AcknowledgeErrorMessage BatchIndexErrorMessage ErrorMessage StatusDetail",
    "userText": "CommittedMetadata Reason",
    "protocolType": "ProtocolType",
    "consumerProtocol": "MemberAssignment MemberMetadata",
    "streamsName": "Stores SubtopologyId Successors",
    "records": "Records",
    "saslMechanism": "Mechanism Mechanisms",
    "saslBytes": "AuthBytes",
    "secret": "Hmac Salt SaltedPassword TokenId",
    "directory": "LogDir Path ReplicaDirectoryId VoterDirectoryId",
    "telemetry": "Metrics RequestedMetrics",
    "apiKey": "ApiKey ApiKeys",
    "apiMin": "MinVersion",
    "apiMax": "MaxVersion",
    "errorCode": "AcknowledgeErrorCode ErrorCode PartitionErrorCode TopicConfigErrorCode",
    # Enumerations, racks, features, software and names of protocols.
    "plain": "AssignorName ClientSoftwareName ClientSoftwareVersion Feature GroupState GroupType"
    " ProcessId ProtocolData ProtocolName Rack RackId ServerAssignor StateFilters"
    " StatesFilter TransactionState TypesFilter UnknownStateFilters",
}
# Of these, numbers and structs elsewhere that mean nothing to us.
NUMBERS_TOO = {
    "Groups",
    "MaxVersion",  # of features
    "MinVersion",
    "Mechanism",  # of SCRAM, a number
    "SourceTopicRegex",  # in copartition groups: indexes
    "SourceTopics",
}


@pytest.fixture(scope="session")
def releases():
    return definitions.load()


@pytest.fixture(scope="session")
def rows():
    command = os.environ.get("KP_PRINT_TABLES")
    assert command, "set KP_PRINT_TABLES to the command that prints the tables"
    printed = subprocess.run(shlex.split(command), check=True, stdout=subprocess.PIPE)
    return json.loads(printed.stdout)


@pytest.fixture(scope="session")
def tables(rows):
    """{(key, message): rows} in the order of the wire."""
    found = {}
    for row in rows:
        found.setdefault((row["key"], row["message"]), []).append(row)
    return found


def fields_of_table(rows, version):
    return [
        Field(
            row["path"],
            row["type"],
            is_in(version, row["nullable"]),
            row["tag"] if is_in(version, row["tagged"]) else -1,
            row["default"],
        )
        for row in rows
        if is_in(version, row["versions"])
    ]


def as_newest(fields, release, key, kind):
    """The fields of a release with its exceptions applied, and which were."""
    used = set()
    renamed = {}
    for exception in EXCEPTIONS:
        if exception[0].count(release) and exception[1:3] == (key, kind):
            renamed[exception[3]] = exception
    changed = []
    for field in fields:
        exception = renamed.get(field.path)
        if exception:
            used.add(exception)
            field = field._replace(path=exception[4])
        changed.append(field)
    return changed, used


def without_missing(fields, release, key, kind):
    """Our fields without those that the release does not have at all."""
    used = {
        e
        for e in EXCEPTIONS
        if e[3] is None and release in e[0] and e[1:3] == (key, kind)
    }
    missing = {e[4] for e in used}
    return [f for f in fields if f.path not in missing], used


def newest_of_each_version(releases, key, kind):
    """{version: release}: whom the tables follow."""
    found = {}
    for release in RELEASES:
        message = releases[release].get((key, kind))
        for version in message.versions() if message else ():
            found.setdefault(version, release)
    return found


def differences(releases, release, tables):
    """What a release says otherwise, as text, and the exceptions in use."""
    wrong, used = [], set()
    for (key, kind), rows in sorted(tables.items()):
        message = releases[release].get((key, kind))
        followed = newest_of_each_version(releases, key, kind)
        for version in message.versions() if message else ():
            theirs = [field for field, _ in message.fields(version)]
            ours = fields_of_table(rows, version)
            if followed[version] != release and theirs != ours:
                theirs, renamed = as_newest(theirs, release, key, kind)
                ours, missing = without_missing(ours, release, key, kind)
                used |= renamed | missing
            if theirs != ours:
                wrong.append(describe(message, version, theirs, ours))
    return wrong, used


def describe(message, version, theirs, ours):
    lines = [f"{message.name} v{version}"]
    lines += [f"  definition: {f}" for f in theirs if f not in ours]
    lines += [f"  table:      {f}" for f in ours if f not in theirs]
    if len(lines) == 1:
        lines.append("  same fields in another order")
    return "\n".join(lines)


def test_tables_are_those_of_the_broker_listener(releases, tables):
    keys = definitions.broker_keys(releases)
    assert {key for key, _ in tables} == keys
    assert set(tables) == {(key, kind) for key in keys for kind in ("request", "response")}


@pytest.mark.parametrize("release", RELEASES)
def test_every_field_of_every_version_is_as_defined(releases, tables, release):
    wrong, _ = differences(releases, release, tables)
    assert not wrong, "\n".join(wrong)


def test_every_exception_is_still_needed(releases, tables):
    used = set()
    for release in RELEASES:
        used |= differences(releases, release, tables)[1]
    assert used == set(EXCEPTIONS)


def test_versions_are_the_union_of_all_releases(releases, tables):
    wrong = []
    for (key, kind), rows in tables.items():
        union = set(newest_of_each_version(releases, key, kind))
        valid = {(row["api"], row["valid"], row["flexible"]) for row in rows}
        if len(valid) != 1 or set(definitions.versions(rows[0]["valid"])) != union:
            wrong.append((key, kind, valid, sorted(union)))
    assert not wrong


def test_names_and_flexible_versions_are_as_defined(releases, tables):
    wrong = []
    for (key, kind), rows in tables.items():
        newest = next(r[key, kind] for r in releases.values() if (key, kind) in r)
        if rows[0]["api"] + kind.capitalize() != newest.name:
            wrong.append((rows[0]["api"], newest.name))
        for messages in releases.values():
            message = messages.get((key, kind))
            if message is None or not message.versions():
                continue
            if parse_range(rows[0]["flexible"]) != parse_range(message.flexibleVersions):
                wrong.append((message.name, rows[0]["flexible"], message.flexibleVersions))
    assert not wrong


def test_annotated_fields_have_their_entity(releases, tables):
    wrong = []
    for release, messages in releases.items():
        for (key, kind), rows in tables.items():
            message = messages.get((key, kind))
            entity_of = {row["path"]: row["entity"] for row in rows}
            for version in message.versions() if message else ():
                for field, annotation in message.fields(version):
                    entity = entity_of.get(field.path)
                    if annotation and entity not in ENTITY_OF_ANNOTATION[annotation]:
                        wrong.append((release, message.name, field.path, annotation, entity))
    assert not wrong


def test_no_text_bytes_uuid_node_id_or_port_is_unclassified(rows):
    wrong = []
    for row in rows:
        base = row["type"].removeprefix("[]")
        name = row["path"].rsplit(".", 1)[-1]
        is_id = "int" in base and NODE_OR_PORT.search(name)
        if (base in MUST_BE_CLASSIFIED or is_id) and row["entity"] == "none":
            wrong.append((row["api"], row["message"], row["path"], row["type"]))
    assert not wrong


def test_what_a_name_says_is_what_the_field_means(rows):
    """A second opinion: text that is not in these lists is not accepted."""
    wrong = []
    for row in rows:
        name = row["path"].rsplit(".", 1)[-1]
        is_text = row["type"].removeprefix("[]") in MUST_BE_CLASSIFIED
        allowed = {entity for entity, names in MEANINGS.items() if name in names.split()}
        if is_text or name == "Port":
            where = f"{row['api']} {row['path']}"
            by_place = (entity for place, entity in PLACES if re.search(place, where))
            allowed = {next(by_place, None)} - {None} or allowed
        if not is_text and (not allowed or name in NUMBERS_TOO):
            allowed.add("none")
        if row["entity"] not in allowed:
            wrong.append((row["api"], row["message"], row["path"], row["entity"], allowed))
    assert not wrong


def test_resource_names_have_their_type_beside_them(rows):
    """Without it nobody can tell what the name is the name of."""
    siblings = entities_of_each_struct(rows)
    for (key, message, path), entities in siblings.items():
        if "resourceName" not in entities:
            continue
        # v0 of ListConfigResources lists client metrics and nothing else.
        assert "resourceType" in entities, (key, message, path)
        assert key not in (29, 30, 31) or "patternType" in entities, (key, message, path)


def test_endpoints_are_these_and_show_host_and_port(rows):
    found = {
        (row["api"], row["message"], row["path"]) for row in rows if row["entity"] == "endpoints"
    }
    assert found == ENDPOINTS
    for row in rows:
        above, _, name = row["path"].rpartition("[].")
        if (row["api"], row["message"], above) in found and name in ("Host", "Port"):
            assert row["entity"] == name.lower(), row


def test_every_host_stands_in_endpoints_or_is_none_of_a_broker(rows):
    """A broker's address outside of what is rewritten as a whole would leak."""
    endpoints = {
        (row["key"], row["message"], row["path"]) for row in rows if row["entity"] == "endpoints"
    }
    outside = {
        (row["api"], row["message"], row["path"])
        for row in rows
        if row["entity"] in ("host", "port", "endpointNode")
        and (row["key"], row["message"], row["path"].rpartition("[].")[0]) not in endpoints
    }
    assert outside == {
        # Up to v3 the one coordinator is the answer itself, not an array.
        ("FindCoordinator", "response", "NodeId"),
        ("FindCoordinator", "response", "Host"),
        ("FindCoordinator", "response", "Port"),
    }


def test_a_node_id_beside_a_host_is_told_from_others(rows):
    """It decides which address is shown, so it must be seen before the host."""
    for place, entities in entities_of_each_struct(rows).items():
        if "host" not in entities:
            assert "endpointNode" not in entities, place
            continue
        before = entities[: entities.index("host")]
        assert "nodeId" not in entities, place
        assert entities[len(before) + 1] == "port", place
        assert "endpointNode" in before or "listener" in before, place


def entities_of_each_struct(rows):
    """{(key, message, path of the struct): entities of its fields, in order}"""
    found = {}
    for row in rows:
        above = row["path"].rpartition(".")[0]
        found.setdefault((row["key"], row["message"], above), []).append(row["entity"])
    return found
