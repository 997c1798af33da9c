/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/govern/objects.h"

#include "proto/kafka/tree.h"

/* clang-format off */
#define FIELD(name_, type_, from_, how_, help_) \
	{ .name = name_, .type = type_, .from = from_, .how = KP_OBJECT_##how_, .help = help_ }
#define OF_REQUEST(name_, type_, from_, help_) \
	{ .name = name_, .type = type_, .from = from_, .how = KP_OBJECT_PLAIN, \
		.is_of_request = true, .help = help_ }
#define WORD(name_, from_, words_, help_) \
	{ .name = name_, .type = "string", .from = from_, .how = KP_OBJECT_WORD, \
		.words = words_, .help = help_ }
#define WORD_OF_REQUEST(name_, from_, words_, help_) \
	{ .name = name_, .type = "string", .from = from_, .how = KP_OBJECT_WORD, \
		.is_of_request = true, .words = words_, .help = help_ }
#define AROUND(name_, type_, from_, help_) \
	{ .name = name_, .type = type_, .from = from_, .how = KP_OBJECT_PLAIN, \
		.is_around = true, .help = help_ }
#define ARRAY_WORD(name_, words_, help_) \
	{ .name = name_, .type = "string", .from = "", .how = KP_OBJECT_ARRAY, \
		.words = words_, .help = help_ }
#define SETTINGS(name_, from_, help_) \
	{ .name = name_, .type = "map(string, string)", .from = from_, \
		.how = KP_OBJECT_SETTINGS, .help = help_ }
#define ROWS(name_, type_, from_, rows_, help_) \
	{ .name = name_, .type = "list(" type_ ")", .from = from_, \
		.how = KP_OBJECT_ROWS, .rows = &rows_, .help = help_ }
#define END { .how = KP_OBJECT_END }
#define TYPE(id, name_, ...) \
	static const struct kp_object_field id##_fields[] = { __VA_ARGS__, END }; \
	static const struct kp_object_type id = { name_, id##_fields }
#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }
#define ROWS_OF(rows_, ...) { .rows = rows_, .copies = NAMES(__VA_ARGS__) }

/* Kafka's codes: ConfigResource.Type, ResourceType, PatternType, AclOperation,
 * AclPermissionType, AlterConfigOp.OpType; ElectionType, ScramMechanism,
 * FeatureUpdate.UpgradeType. */
static const struct kp_object_word config_resources[] = {
	{ 0, "unknown" }, { 2, "topic" }, { 4, "broker" },
	{ 8, "brokerLogger" }, { 16, "clientMetrics" }, { 32, "group" },
	{ 0, NULL },
};
static const struct kp_object_word acl_resources[] = {
	{ 0, "unknown" }, { 1, "any" }, { 2, "topic" }, { 3, "group" },
	{ 4, "cluster" }, { 5, "transactionalId" }, { 6, "delegationToken" },
	{ 7, "user" }, { 0, NULL },
};
static const struct kp_object_word patterns[] = {
	{ 0, "unknown" }, { 1, "any" }, { 2, "match" }, { 3, "literal" },
	{ 4, "prefixed" }, { 0, NULL },
};
static const struct kp_object_word operations[] = {
	{ 0, "unknown" }, { 1, "any" }, { 2, "all" }, { 3, "read" },
	{ 4, "write" }, { 5, "create" }, { 6, "delete" }, { 7, "alter" },
	{ 8, "describe" }, { 9, "clusterAction" }, { 10, "describeConfigs" },
	{ 11, "alterConfigs" }, { 12, "idempotentWrite" },
	{ 13, "createTokens" }, { 14, "describeTokens" },
	{ 15, "twoPhaseCommit" }, { 0, NULL },
};
static const struct kp_object_word permissions[] = {
	{ 0, "unknown" }, { 1, "any" }, { 2, "deny" }, { 3, "allow" },
	{ 0, NULL },
};
static const struct kp_object_word changes[] = {
	{ KP_CHANGE_SET, "set" }, { 1, "delete" }, { 2, "append" }, { 3, "subtract" },
	{ 0, NULL },
};
static const struct kp_object_word elections[] = {
	{ 0, "preferred" }, { 1, "unclean" }, { 0, NULL },
};
static const struct kp_object_word mechanisms[] = {
	{ 0, "unknown" }, { 1, "SCRAM-SHA-256" }, { 2, "SCRAM-SHA-512" },
	{ 0, NULL },
};
static const struct kp_object_word upgrades[] = {
	{ 0, "unknown" }, { 1, "upgrade" },
	{ KP_SAFE_DOWNGRADE, "safeDowngrade" }, { 3, "unsafeDowngrade" },
	{ 0, NULL },
};

/* Indexes of arrays of a request. */
static const struct kp_object_word credential_arrays[] = {
	{ 0, "delete" }, { 1, "upsert" }, { 0, NULL },
};

TYPE(assignment, "Assignment",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."),
    FIELD("replicas", "list(int)", "BrokerIds", PLAIN, "Nodes, the preferred leader first."));
TYPE(new_topic, "NewTopic",
    FIELD("name", "string", "Name", NAME, "Name of the topic."),
    FIELD("partitions", "int", "NumPartitions", PARTITIONS, "Number of partitions; -1: the cluster's default."),
    FIELD("replicationFactor", "int", "ReplicationFactor", REPLICATION, "Replicas of each partition, of the fewest where the client assigns them; -1: the cluster's default."),
    ROWS("assignments", "Assignment", "Assignments", assignment, "Where replicas are to be, if the client says so."),
    SETTINGS("configs", "Configs", "What is configured, by name."),
    OF_REQUEST("validateOnly", "bool", "validateOnly", "Nothing is created."));
TYPE(new_assignment, "NewAssignment",
    FIELD("replicas", "list(int)", "BrokerIds", PLAIN, "Nodes, the preferred leader first."));
TYPE(new_partitions, "NewPartitions",
    FIELD("name", "string", "Name", NAME, "Name of the topic."),
    FIELD("partitions", "int", "Count", PLAIN, "Number of partitions that it is to have."),
    ROWS("assignments", "NewAssignment", "Assignments", new_assignment, "Where replicas of the new ones are to be, if the client says so."),
    OF_REQUEST("validateOnly", "bool", "ValidateOnly", "Nothing is created."));
TYPE(deleted_topic, "DeletedTopic",
    FIELD("name", "string", "Name", NAME, "Name of the topic. Of one that is named by its id it is not known, which is an error."));
TYPE(deleted_records_partition, "DeletedRecordsPartition",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."),
    FIELD("offset", "int", "Offset", PLAIN, "What is before it is deleted; -1: all."));
TYPE(deleted_records, "DeletedRecords",
    FIELD("name", "string", "Name", NAME, "Name of the topic."),
    ROWS("partitions", "DeletedRecordsPartition", "Partitions", deleted_records_partition, "What is deleted of each."));
TYPE(config, "Config",
    WORD("resourceType", "ResourceType", config_resources, "topic, broker, brokerLogger, clientMetrics or group."),
    FIELD("name", "string", "ResourceName", NAME, "Name of the topic, group, broker, …; empty: all brokers."),
    SETTINGS("configs", "Configs", "All that is configured afterwards, by name."),
    OF_REQUEST("validateOnly", "bool", "ValidateOnly", "Nothing is changed."));
TYPE(config_change, "ConfigChange",
    FIELD("name", "string", "Name", NAME, "What is changed."),
    WORD("operation", "ConfigOperation", changes, "set, delete, append or subtract."),
    FIELD("value", "string", "Value", PLAIN, "Of the change; not set where it is deleted."));
TYPE(changed_config, "ChangedConfig",
    WORD("resourceType", "ResourceType", config_resources, "topic, broker, brokerLogger, clientMetrics or group."),
    FIELD("name", "string", "ResourceName", NAME, "Name of the topic, group, broker, …; empty: all brokers."),
    ROWS("changes", "ConfigChange", "Configs", config_change, "In the order of the request."),
    OF_REQUEST("validateOnly", "bool", "ValidateOnly", "Nothing is changed."));
TYPE(reassigned_partition, "ReassignedPartition",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."),
    FIELD("replicas", "list(int)", "Replicas", PLAIN, "Nodes that are to have it; not set where a reassignment is ended."));
TYPE(reassignment, "Reassignment",
    FIELD("name", "string", "Name", NAME, "Name of the topic."),
    ROWS("partitions", "ReassignedPartition", "Partitions", reassigned_partition, "What is moved."));
TYPE(acl, "Acl",
    WORD("resourceType", "ResourceType", acl_resources, "topic, group, cluster, transactionalId, delegationToken or user."),
    FIELD("resourceName", "string", "ResourceName", NAME, "Name of the resource, or the beginning of names."),
    WORD("patternType", "ResourcePatternType", patterns, "literal or prefixed."),
    FIELD("principal", "string", "Principal", NAME, "Who, such as User:alice."),
    FIELD("host", "string", "Host", NAME, "Address of clients; \"*\": all."),
    WORD("operation", "Operation", operations, "all, read, write, create, delete, alter, describe, …"),
    WORD("permission", "PermissionType", permissions, "allow or deny."));
TYPE(acl_filter, "AclFilter",
    WORD("resourceType", "ResourceTypeFilter", acl_resources, "As of an Acl, or any."),
    FIELD("resourceName", "string", "ResourceNameFilter", PLAIN, "Name of the resource; not set: all."),
    WORD("patternType", "PatternTypeFilter", patterns, "literal, prefixed, match or any."),
    FIELD("principal", "string", "PrincipalFilter", PLAIN, "Who; not set: all."),
    FIELD("host", "string", "HostFilter", PLAIN, "Address of clients; not set: all."),
    WORD("operation", "Operation", operations, "As of an Acl, or any."),
    WORD("permission", "PermissionType", permissions, "allow, deny or any."));
TYPE(quota_entity, "QuotaEntity",
    FIELD("type", "string", "EntityType", NAME, "user, client-id or ip."),
    FIELD("name", "string", "EntityName", PLAIN, "Its name; not set: the default of all."));
TYPE(quota_change, "QuotaChange",
    FIELD("key", "string", "Key", NAME, "Such as producer_byte_rate."),
    FIELD("value", "double", "Value", PLAIN, "The limit."),
    FIELD("isRemoved", "bool", "Remove", PLAIN, "The limit is taken away."));
TYPE(quota, "Quota",
    ROWS("entities", "QuotaEntity", "Entity", quota_entity, "Whom it is for."),
    ROWS("changes", "QuotaChange", "Ops", quota_change, "What is changed."),
    OF_REQUEST("validateOnly", "bool", "ValidateOnly", "Nothing is changed."));
TYPE(deleted_group, "DeletedGroup",
    FIELD("name", "string", "GroupsNames", NAME, "Name of the group."));
TYPE(broker, "Broker", FIELD("id", "int", "BrokerId", PLAIN, "Node id."));
TYPE(controller, "Controller",
    FIELD("id", "int", "ControllerId", PLAIN, "Node id."));
TYPE(voter, "Voter", FIELD("id", "int", "VoterId", PLAIN, "Node id."));
TYPE(producer, "Producer",
    FIELD("transactionalId", "string", "TransactionalId", PLAIN, "Not set: the producer is idempotent only."),
    FIELD("transactionTimeoutMs", "int", "TransactionTimeoutMs", PLAIN, "How long a transaction may take."));
TYPE(join_protocol, "JoinProtocol",
    FIELD("name", "string", "Name", NAME, "Name of an assignor, such as range."));
TYPE(classic_member, "ClassicMember",
    FIELD("groupId", "string", "GroupId", NAME, "Name of the group."),
    FIELD("groupInstanceId", "string", "GroupInstanceId", PLAIN, "Name of a static member; not set: it is none."),
    FIELD("sessionTimeoutMs", "int", "SessionTimeoutMs", PLAIN, "How long the member may be silent."),
    FIELD("rebalanceTimeoutMs", "int", "RebalanceTimeoutMs", PLAIN, "How long a rebalance waits for the member; -1: as long as it may be silent."),
    FIELD("protocolType", "string", "ProtocolType", NAME, "consumer; of other groups connect, sr, …"),
    ROWS("protocols", "JoinProtocol", "Protocols", join_protocol, "What the member can do; the first it likes best."));
TYPE(consumer_member, "ConsumerMember",
    FIELD("groupId", "string", "GroupId", NAME, "Name of the group."),
    FIELD("groupInstanceId", "string", "InstanceId", PLAIN, "Name of a static member; not set: it is none."),
    FIELD("memberEpoch", "int", "MemberEpoch", PLAIN, "0: it joins; below: it leaves; else it is a member."),
    FIELD("rackId", "string", "RackId", PLAIN, "Where it is; not set: nowhere, or as before."),
    FIELD("rebalanceTimeoutMs", "int", "RebalanceTimeoutMs", PLAIN, "How long a rebalance waits for the member; -1: as before."),
    FIELD("subscribedTopicNames", "list(string)", "SubscribedTopicNames", PLAIN, "Topics that it wants; not set: none, or as before."),
    FIELD("subscribedTopicRegex", "string", "SubscribedTopicRegex", PLAIN, "Topics that it wants, as a pattern of RE2; not set: none, or as before."),
    FIELD("serverAssignor", "string", "ServerAssignor", PLAIN, "How partitions are to be shared out; not set: as the broker likes, or as before."));
TYPE(share_member, "ShareMember",
    FIELD("groupId", "string", "GroupId", NAME, "Name of the group."),
    FIELD("memberEpoch", "int", "MemberEpoch", PLAIN, "0: it joins; below: it leaves; else it is a member."),
    FIELD("rackId", "string", "RackId", PLAIN, "Where it is; not set: nowhere, or as before."),
    FIELD("subscribedTopicNames", "list(string)", "SubscribedTopicNames", PLAIN, "Topics that it wants; not set: as before."));
TYPE(streams_member, "StreamsMember",
    FIELD("groupId", "string", "GroupId", NAME, "Name of the group: the application's id."),
    FIELD("groupInstanceId", "string", "InstanceId", PLAIN, "Name of a static member; not set: it is none."),
    FIELD("memberEpoch", "int", "MemberEpoch", PLAIN, "0: it joins; below: it leaves; else it is a member."),
    FIELD("rackId", "string", "RackId", PLAIN, "Where it is; not set: nowhere, or as before."),
    FIELD("rebalanceTimeoutMs", "int", "RebalanceTimeoutMs", PLAIN, "How long a rebalance waits for the member; -1: as before."));
TYPE(deleted_offset, "DeletedOffset",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."));
TYPE(deleted_offsets, "DeletedOffsets",
    FIELD("topic", "string", "Name", NAME, "Name of the topic."),
    ROWS("partitions", "DeletedOffset", "Partitions", deleted_offset, "Whose offsets are forgotten."),
    OF_REQUEST("groupId", "string", "GroupId", "Name of the group."));
TYPE(committed_offset, "CommittedOffset",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."),
    FIELD("offset", "int", "CommittedOffset", PLAIN, "What the group reads next."),
    FIELD("metadata", "string", "CommittedMetadata", PLAIN, "What the client keeps beside it."));
TYPE(committed_offsets, "CommittedOffsets",
    FIELD("topic", "string", "Name", NAME, "Name of the topic. Since version 10 topics are named by their ids, and then it is not known, which is an error."),
    ROWS("partitions", "CommittedOffset", "Partitions", committed_offset, "Offsets of each."),
    OF_REQUEST("groupId", "string", "GroupId", "Name of the group."),
    OF_REQUEST("groupInstanceId", "string", "GroupInstanceId", "Name of a static member; not set: it is none."),
    OF_REQUEST("generation", "int", "GenerationIdOrMemberEpoch", "Generation of the group, or epoch of the member; -1: who commits is no member."));
TYPE(transaction_offsets, "TransactionOffsets",
    FIELD("topic", "string", "Name", NAME, "Name of the topic. Since version 6 topics are named by their ids, and then it is not known, which is an error."),
    ROWS("partitions", "CommittedOffset", "Partitions", committed_offset, "Offsets of each."),
    OF_REQUEST("groupId", "string", "GroupId", "Name of the group."),
    OF_REQUEST("groupInstanceId", "string", "GroupInstanceId", "Name of a static member; not set: it is none."),
    OF_REQUEST("generation", "int", "GenerationIdOrMemberEpoch", "Generation of the group, or epoch of the member; -1: the client does not say."),
    OF_REQUEST("transactionalId", "string", "TransactionalId", "Whose transaction it is."));
TYPE(altered_share_offset, "AlteredShareOffset",
    FIELD("partition", "int", "PartitionIndex", PLAIN, "Number of the partition."),
    FIELD("startOffset", "int", "StartOffset", PLAIN, "Where the group is to begin."));
TYPE(altered_share_offsets, "AlteredShareOffsets",
    FIELD("topic", "string", "TopicName", NAME, "Name of the topic."),
    ROWS("partitions", "AlteredShareOffset", "Partitions", altered_share_offset, "Offsets of each."),
    OF_REQUEST("groupId", "string", "GroupId", "Name of the group."));
TYPE(deleted_share_offsets, "DeletedShareOffsets",
    FIELD("topic", "string", "TopicName", NAME, "Name of the topic."),
    OF_REQUEST("groupId", "string", "GroupId", "Name of the group."));
TYPE(transaction_topic, "TransactionTopic",
    FIELD("name", "string", "Name", NAME, "Name of the topic."),
    FIELD("partitions", "list(int)", "Partitions", PLAIN, "Numbers of the partitions that become part of the transaction."),
    OF_REQUEST("transactionalId", "string", "V3AndBelowTransactionalId", "Whose transaction it is."));
TYPE(transaction, "Transaction",
    FIELD("transactionalId", "string", "TransactionalId", NAME, "Whose transaction it is."),
    FIELD("isCommitted", "bool", "Committed", PLAIN, "It is committed, not aborted."));
TYPE(election, "Election",
    FIELD("topic", "string", "Topic", PLAIN, "Name of the topic; not set: all topics."),
    FIELD("partitions", "list(int)", "Partitions", PLAIN, "Numbers of its partitions; not set: all of all topics."),
    WORD_OF_REQUEST("electionType", "ElectionType", elections, "Of whom: the preferred replica, or any where none is in sync."));
TYPE(replica_move, "ReplicaMove",
    AROUND("path", "string", "Path", "Folder of the broker that they are to be in."),
    FIELD("topic", "string", "Name", NAME, "Name of the topic."),
    FIELD("partitions", "list(int)", "Partitions", PLAIN, "Numbers of its partitions."));
TYPE(token_renewer, "TokenRenewer",
    FIELD("type", "string", "PrincipalType", NAME, "User."),
    FIELD("name", "string", "PrincipalName", NAME, "Who may renew the token, such as alice."));
TYPE(new_token, "NewDelegationToken",
    FIELD("ownerType", "string", "OwnerPrincipalType", PLAIN, "User; not set: as of the owner."),
    FIELD("owner", "string", "OwnerPrincipalName", PLAIN, "Whom the token stands for, such as alice; not set: whoever asks, who is principal.name."),
    ROWS("renewers", "TokenRenewer", "Renewers", token_renewer, "Who may renew it beside the owner."),
    FIELD("maxLifetimeMs", "int", "MaxLifetimeMs", PLAIN, "How long it can be renewed; -1: the cluster's limit."));
TYPE(renewed_token, "RenewedDelegationToken",
    FIELD("renewTimePeriodMs", "int", "RenewPeriodMs", PLAIN, "How long it is to be valid from now on; -1: the cluster's default."));
TYPE(expired_token, "ExpiredDelegationToken",
    FIELD("expiryTimePeriodMs", "int", "ExpiryTimePeriodMs", PLAIN, "How long it is to be valid from now on; negative: it ends at once."));
TYPE(credential, "Credential",
    FIELD("user", "string", "Name", NAME, "Whose it is."),
    WORD("mechanism", "Mechanism", mechanisms, "For which logins."),
    FIELD("iterations", "int", "Iterations", PLAIN, "How often the password is hashed; not set where it is deleted."),
    ARRAY_WORD("operation", credential_arrays, "What becomes of it."));
TYPE(feature, "FeatureUpdate",
    FIELD("name", "string", "Feature", NAME, "Such as metadata.version."),
    FIELD("maxVersionLevel", "int", "MaxVersionLevel", PLAIN, "The level that it is to have; below 1: it ends."),
    { .name = "upgradeType", .type = "string", .from = "UpgradeType",
	.how = KP_OBJECT_UPGRADE, .words = upgrades,
	.help = "What is allowed; in version 0 of the request, if a downgrade is, safeDowngrade." },
    FIELD("allowDowngrade", "bool", "AllowDowngrade", PLAIN, "In version 0 of the request only."),
    OF_REQUEST("validateOnly", "bool", "ValidateOnly", "Nothing is changed."));

const struct kp_object_type *const kp_object_types[] = { &assignment,
	&new_topic, &new_assignment, &new_partitions, &deleted_topic,
	&deleted_records_partition, &deleted_records, &config, &config_change,
	&changed_config, &reassigned_partition, &reassignment, &acl,
	&acl_filter, &quota_entity, &quota_change, &quota, &deleted_group,
	&broker, &controller, &voter, &join_protocol, &classic_member,
	&consumer_member, &share_member, &streams_member, &deleted_offset,
	&deleted_offsets, &committed_offset, &committed_offsets,
	&transaction_offsets,
	&altered_share_offset, &altered_share_offsets, &deleted_share_offsets,
	&transaction_topic, &producer, &transaction, &election, &replica_move,
	&token_renewer, &new_token, &renewed_token, &expired_token, &credential,
	&feature, NULL };

#define OVERRIDES(id, ...) \
	static const struct kp_object_override id[] = { __VA_ARGS__, \
		{ .how = KP_OBJECT_SET_END } }
OVERRIDES(new_topic_overrides,
    { "partitions", KP_OBJECT_SET_NUMBER, "Not where the client assigns replicas itself." },
    { "replicationFactor", KP_OBJECT_SET_NUMBER, "Not where the client assigns replicas itself." },
    { "configs", KP_OBJECT_SET_SETTING, "Added if the client does not say it." });
OVERRIDES(new_partitions_overrides,
    { "partitions", KP_OBJECT_SET_NUMBER, "Not where the client assigns replicas itself." });
OVERRIDES(config_overrides,
    { "configs", KP_OBJECT_SET_SETTING, "Added if the client does not say it: what is not said is no longer configured." });
OVERRIDES(changed_config_overrides,
    { "changes", KP_OBJECT_SET_CHANGE, "Whatever the client does to NAME, set, delete, append or subtract, it is set to the value. Nothing where he does nothing to it." });
static const struct kp_object_override no_overrides[] = { { .how = KP_OBJECT_SET_END } };

#define VIOLATION KP_KAFKA_POLICY_VIOLATION
#define NO_MEMBER KP_KAFKA_GROUP_AUTHORIZATION_FAILED
#define NO_TOPIC KP_KAFKA_TOPIC_AUTHORIZATION_FAILED
#define UNAUTHORIZED KP_KAFKA_TRANSACTIONAL_ID_AUTHORIZATION_FAILED

const struct kp_object_api kp_object_apis[] = {
	{ .key = KP_METADATA, .stands_for = KP_CREATE_TOPICS,
	    .code = KP_KAFKA_UNKNOWN_TOPIC_OR_PARTITION, .variable = "topic", .type = &new_topic, .items = NAMES("Topics"),
	    .topic = "Name" },
	{ .key = KP_CREATE_TOPICS, .code = VIOLATION, .variable = "topic", .type = &new_topic,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = ROWS_OF("Topics", "Name"), .overrides = new_topic_overrides },
	{ .key = 20, .code = VIOLATION, .variable = "topic", .type = &deleted_topic,
	    .items = NAMES("TopicNames", "Topics"), .topic = "Name",
	    .answer = { .rows = "Responses", .copies = NAMES("Name", "TopicId"),
		.item = "Name" } },
	{ .key = 21, .code = VIOLATION, .variable = "topic", .type = &deleted_records,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = { .rows = "Topics", .nested = "Partitions",
		.copies = NAMES("Name") } },
	{ .key = 11, .code = NO_MEMBER, .variable = "member", .type = &classic_member },
	{ .key = 68, .code = NO_MEMBER, .variable = "member", .type = &consumer_member },
	{ .key = 76, .code = NO_MEMBER, .variable = "member", .type = &share_member },
	{ .key = 88, .code = NO_MEMBER, .variable = "member", .type = &streams_member },
	{ .key = 8, .code = NO_TOPIC, .variable = "offsets", .type = &committed_offsets,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = { .rows = "Topics", .nested = "Partitions",
		.copies = NAMES("Name", "TopicId") } },
	{ .key = 28, .code = NO_MEMBER, .variable = "offsets", .type = &transaction_offsets,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = { .rows = "Topics", .nested = "Partitions",
		.copies = NAMES("Name", "TopicId") } },
	{ .key = 47, .code = VIOLATION, .variable = "offsets", .type = &deleted_offsets,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = { .rows = "Topics", .nested = "Partitions",
		.copies = NAMES("Name") } },
	{ .key = 91, .code = VIOLATION, .variable = "offsets",
	    .type = &altered_share_offsets, .items = NAMES("Topics"),
	    .topic = "TopicName",
	    .answer = { .rows = "Responses", .nested = "Partitions",
		.copies = NAMES("TopicName") } },
	{ .key = 92, .code = VIOLATION, .variable = "offsets",
	    .type = &deleted_share_offsets, .items = NAMES("Topics"),
	    .topic = "TopicName", .answer = ROWS_OF("Responses", "TopicName") },
	{ .key = 24, .code = NO_TOPIC, .variable = "topic", .type = &transaction_topic,
	    .max_version = 3, .items = NAMES("V3AndBelowTopics"), .topic = "Name",
	    .answer = { .rows = "ResultsByTopicV3AndBelow",
		.nested = "ResultsByPartition", .error = "PartitionErrorCode",
		.copies = NAMES("Name") } },
	{ .key = 22, .code = UNAUTHORIZED, .variable = "producer", .type = &producer },
	{ .key = 26, .code = UNAUTHORIZED, .variable = "transaction",
	    .type = &transaction },
	{ .key = 30, .code = VIOLATION, .variable = "acl", .type = &acl,
	    .items = NAMES("Creations"), .answer = { .rows = "Results" } },
	{ .key = 31, .code = VIOLATION, .variable = "acl", .type = &acl_filter,
	    .items = NAMES("Filters"), .answer = { .rows = "FilterResults" } },
	{ .key = 33, .code = VIOLATION, .variable = "config", .type = &config,
	    .items = NAMES("Resources"), .topic = "ResourceName",
	    .answer = ROWS_OF("Responses", "ResourceType", "ResourceName"),
	    .overrides = config_overrides },
	{ .key = 37, .code = VIOLATION, .variable = "topic", .type = &new_partitions,
	    .items = NAMES("Topics"), .topic = "Name",
	    .answer = ROWS_OF("Results", "Name"), .overrides = new_partitions_overrides },
	{ .key = 42, .code = VIOLATION, .variable = "group", .type = &deleted_group,
	    .items = NAMES("GroupsNames"),
	    .answer = { .rows = "Results", .item = "GroupId" } },
	{ .key = 44, .code = VIOLATION, .variable = "config", .type = &changed_config,
	    .items = NAMES("Resources"), .topic = "ResourceName",
	    .answer = ROWS_OF("Responses", "ResourceType", "ResourceName"),
	    .overrides = changed_config_overrides },
	{ .key = 45, .code = VIOLATION, .variable = "reassignment",
	    .type = &reassignment, .items = NAMES("Topics"), .topic = "Name",
	    .answer = { .rows = "Responses", .nested = "Partitions",
		.copies = NAMES("Name") } },
	{ .key = 49, .code = VIOLATION, .variable = "quota", .type = &quota,
	    .items = NAMES("Entries"), .answer = ROWS_OF("Entries", "Entity") },
	{ .key = 64, .code = VIOLATION, .variable = "broker", .type = &broker },
	{ .key = 80, .code = VIOLATION, .variable = "voter", .type = &voter },
	{ .key = 81, .code = VIOLATION, .variable = "voter", .type = &voter },
	{ .key = 94, .code = VIOLATION, .variable = "controller", .type = &controller },
	{ .key = 43, .code = VIOLATION, .variable = "election", .type = &election,
	    .items = NAMES("TopicPartitions"), .topic = "Topic",
	    .answer = { .rows = "ReplicaElectionResults",
		.nested = "PartitionResult", .number = "PartitionId",
		.copies = NAMES("Topic") } },
	{ .key = 34, .code = VIOLATION, .variable = "replicaMove",
	    .type = &replica_move, .items = NAMES("Dirs"), .inner = "Topics",
	    .topic = "Name",
	    .answer = { .rows = "Results", .nested = "Partitions",
		.item = "TopicName", .is_unordered = true } },
	{ .key = 38, .code = VIOLATION, .variable = "delegationToken",
	    .type = &new_token },
	{ .key = 39, .code = VIOLATION, .variable = "delegationToken",
	    .type = &renewed_token },
	{ .key = 40, .code = VIOLATION, .variable = "delegationToken",
	    .type = &expired_token },
	{ .key = 51, .code = VIOLATION, .variable = "credential",
	    .type = &credential, .items = NAMES("Deletions", "Upsertions"),
	    .answer = { .rows = "Results", .item = "User",
		.is_unordered = true } },
	{ .key = 57, .code = VIOLATION, .variable = "feature", .type = &feature,
	    .items = NAMES("FeatureUpdates"),
	    .answer = { .rows = "Results", .item = "Feature",
		.is_unordered = true } },
};
/* clang-format on */

const size_t kp_num_object_apis =
    sizeof(kp_object_apis) / sizeof(*kp_object_apis);

const struct kp_object_api *
kp_object_api_find(int16_t key)
{
	for (size_t i = 0; i < kp_num_object_apis; i++)
		if (kp_object_apis[i].key == key)
			return &kp_object_apis[i];
	return NULL;
}

int16_t
kp_object_max_version(const struct kp_object_api *api)
{
	return api->max_version > 0
		   ? api->max_version
		   : kp_api_find(api->key)->request->max_version;
}

const struct kp_object_override *
kp_object_overrides(const struct kp_object_api *api)
{
	if (api->stands_for != 0)
		api = kp_object_api_find(api->stands_for);
	return api->overrides == NULL ? no_overrides : api->overrides;
}

bool
kp_object_is_setting(const struct kp_object_override *override)
{
	return override->how != KP_OBJECT_SET_NUMBER;
}

const struct kp_object_api *
kp_object_judged(const struct kp_object_api *api, int16_t *version)
{
	if (api->stands_for == 0)
		return api;
	*version = kp_api_find(api->stands_for)->request->max_version;
	return kp_object_api_find(api->stands_for);
}

const struct kp_field *
kp_object_rows(const struct kp_object_api *api, int16_t version)
{
	const struct kp_field *fields = kp_api_find(api->key)->response->fields;
	const struct kp_field *rows;

	if (api->answer.rows == NULL)
		return NULL;
	rows = &fields[kp_tree_find(fields, api->answer.rows)];
	return kp_field_in(rows, version) ? rows : NULL;
}

size_t
kp_object_num_fields(const struct kp_object_type *type)
{
	size_t num = 0;

	while (type->fields[num].how != KP_OBJECT_END)
		num++;
	return num;
}
