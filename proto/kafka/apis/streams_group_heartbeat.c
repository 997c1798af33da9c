/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StreamsGroupHeartbeat (KIP-1071): topology and tasks of a Streams
 * application. The broker creates the internal topics that the request names.
 * UserEndpoint is an address of the application, not of a broker. v1 asks for
 * the description of the topology (KIP-1331). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_key_value[] = {
	/* name    type    since until null   tag     default entity */
	F("Key",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_VALUE),
	END,
};

static const struct kp_field request_topic_info[] = {
	/* name                type                        since until null   tag     default entity */
	F("Name",              STRING,                     0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions",        INT32,                      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ReplicationFactor", INT16,                      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TopicConfigs",      STRUCTS(request_key_value), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_copartition_group[] = {
	/* name                      type          since until null   tag     default entity */
	F("SourceTopics",            ARRAY(INT16), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("SourceTopicRegex",        ARRAY(INT16), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RepartitionSourceTopics", ARRAY(INT16), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_subtopology[] = {
	/* name                      type                                since until null   tag     default entity */
	F("SubtopologyId",           STRING,                             0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("SourceTopics",            ARRAY(STRING),                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("SourceTopicRegex",        ARRAY(STRING),                      0,    LAST, NEVER, NO_TAG, NULL,   PATTERN),
	F("StateChangelogTopics",    STRUCTS(request_topic_info),        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RepartitionSinkTopics",   ARRAY(STRING),                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("RepartitionSourceTopics", STRUCTS(request_topic_info),        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("CopartitionGroups",       STRUCTS(request_copartition_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_topology[] = {
	/* name            type                          since until null   tag     default entity */
	F("Epoch",         INT32,                        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Subtopologies", STRUCTS(request_subtopology), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_task_ids[] = {
	/* name            type          since until null   tag     default entity */
	F("SubtopologyId", STRING,       0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Partitions",    ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_endpoint[] = {
	/* name   type    since until null   tag     default entity */
	F("Host", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   APP_HOST),
	F("Port", UINT16, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field request_client_tag[] = {
	/* name    type    since until null   tag     default entity */
	F("Key",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   USER_TEXT),
	F("Value", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   USER_TEXT),
	END,
};

static const struct kp_field request_task_offset[] = {
	/* name            type    since until null   tag     default entity */
	F("SubtopologyId", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Partition",     INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Offset",        INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                       type                          since until null   tag     default  entity */
	F("GroupId",                  STRING,                       0,    LAST, NEVER, NO_TAG, NULL,    GROUP_ID),
	F("MemberId",                 STRING,                       0,    LAST, NEVER, NO_TAG, NULL,    MEMBER),
	F("MemberEpoch",              INT32,                        0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("EndpointInformationEpoch", INT32,                        0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("InstanceId",               STRING,                       0,    LAST, 0,     NO_TAG, "null",  MEMBER),
	F("RackId",                   STRING,                       0,    LAST, 0,     NO_TAG, "null",  PLAIN),
	F("RebalanceTimeoutMs",       INT32,                        0,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("Topology",                 STRUCT(request_topology),     0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("ActiveTasks",              STRUCTS(request_task_ids),    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("StandbyTasks",             STRUCTS(request_task_ids),    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("WarmupTasks",              STRUCTS(request_task_ids),    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("ProcessId",                STRING,                       0,    LAST, 0,     NO_TAG, "null",  PLAIN),
	F("UserEndpoint",             STRUCT(request_endpoint),     0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("ClientTags",               STRUCTS(request_client_tag),  0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("TaskOffsets",              STRUCTS(request_task_offset), 0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("TaskEndOffsets",           STRUCTS(request_task_offset), 0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("ShutdownApplication",      BOOL,                         0,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_status[] = {
	/* name           type    since until null   tag     default entity */
	F("StatusCode",   INT8,   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StatusDetail", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   ERROR_TEXT),
	END,
};

static const struct kp_field response_task_ids[] = {
	/* name            type          since until null   tag     default entity */
	F("SubtopologyId", STRING,       0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Partitions",    ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_endpoint[] = {
	/* name   type    since until null   tag     default entity */
	F("Host", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   APP_HOST),
	F("Port", UINT16, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field response_topic_partition[] = {
	/* name         type          since until null   tag     default entity */
	F("Topic",      STRING,       0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_partitions_by_user_endpoint[] = {
	/* name                type                               since until null   tag     default entity */
	F("UserEndpoint",      STRUCT(response_endpoint),         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ActivePartitions",  STRUCTS(response_topic_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StandbyPartitions", STRUCTS(response_topic_partition), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                          type                                           since until null   tag     default  entity */
	F("ThrottleTimeMs",              INT32,                                         0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("ErrorCode",                   INT16,                                         0,    LAST, NEVER, NO_TAG, NULL,    ERROR_CODE),
	F("ErrorMessage",                STRING,                                        0,    LAST, 0,     NO_TAG, "null",  ERROR_TEXT),
	F("MemberId",                    STRING,                                        0,    LAST, NEVER, NO_TAG, NULL,    MEMBER),
	F("MemberEpoch",                 INT32,                                         0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("HeartbeatIntervalMs",         INT32,                                         0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("AcceptableRecoveryLagLegacy", INT32,                                         0,    0,    NEVER, NO_TAG, NULL,    NONE),
	F("TaskOffsetIntervalMs",        INT32,                                         0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("AcceptableRecoveryLag",       INT64,                                         1,    LAST, NEVER, NO_TAG, "-1",    NONE),
	F("Status",                      STRUCTS(response_status),                      0,    LAST, 0,     NO_TAG, NULL,    NONE),
	F("ActiveTasks",                 STRUCTS(response_task_ids),                    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("StandbyTasks",                STRUCTS(response_task_ids),                    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("WarmupTasks",                 STRUCTS(response_task_ids),                    0,    LAST, 0,     NO_TAG, "null",  NONE),
	F("TopologyDescriptionRequired", BOOL,                                          1,    LAST, NEVER, NO_TAG, "false", NONE),
	F("EndpointInformationEpoch",    INT32,                                         0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("PartitionsByUserEndpoint",    STRUCTS(response_partitions_by_user_endpoint), 0,    LAST, 0,     NO_TAG, "null",  NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "StreamsGroupHeartbeatRequest",
	.api_key = 88,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "StreamsGroupHeartbeatResponse",
	.api_key = 88,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_streams_group_heartbeat = {
	.name = "StreamsGroupHeartbeat",
	.key = 88,
	.request = &request,
	.response = &response,
};
