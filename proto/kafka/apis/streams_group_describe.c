/* SPDX-License-Identifier: Apache-2.0 */
/*
 * StreamsGroupDescribe (KIP-1071). Description of the topology since v1
 * (KIP-1331). @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                          type           since until null   tag     default  entity */
	F("GroupIds",                    ARRAY(STRING), 0,    LAST, NEVER, NO_TAG, NULL,    GROUP_ID),
	F("IncludeAuthorizedOperations", BOOL,          0,    LAST, NEVER, NO_TAG, NULL,    NONE),
	F("IncludeTopologyDescription",  BOOL,          1,    LAST, NEVER, NO_TAG, "false", NONE),
	END,
};

static const struct kp_field response_key_value[] = {
	/* name    type    since until null   tag     default entity */
	F("Key",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_NAME),
	F("Value", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   CONFIG_VALUE),
	END,
};

static const struct kp_field response_topic_info[] = {
	/* name                type                         since until null   tag     default entity */
	F("Name",              STRING,                      0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("Partitions",        INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ReplicationFactor", INT16,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TopicConfigs",      STRUCTS(response_key_value), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_subtopology[] = {
	/* name                      type                          since until null   tag     default entity */
	F("SubtopologyId",           STRING,                       0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("SourceTopics",            ARRAY(STRING),                0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("RepartitionSinkTopics",   ARRAY(STRING),                0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("StateChangelogTopics",    STRUCTS(response_topic_info), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RepartitionSourceTopics", STRUCTS(response_topic_info), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topology[] = {
	/* name            type                           since until null   tag     default entity */
	F("Epoch",         INT32,                         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Subtopologies", STRUCTS(response_subtopology), 0,    LAST, 0,     NO_TAG, "null", NONE),
	END,
};

static const struct kp_field response_endpoint[] = {
	/* name   type    since until null   tag     default entity */
	F("Host", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   APP_HOST),
	F("Port", UINT16, 0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	END,
};

static const struct kp_field response_client_tag[] = {
	/* name    type    since until null   tag     default entity */
	F("Key",   STRING, 0,    LAST, NEVER, NO_TAG, NULL,   USER_TEXT),
	F("Value", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   USER_TEXT),
	END,
};

static const struct kp_field response_task_offset[] = {
	/* name            type    since until null   tag     default entity */
	F("SubtopologyId", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Partition",     INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Offset",        INT64,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_task_ids[] = {
	/* name            type          since until null   tag     default entity */
	F("SubtopologyId", STRING,       0,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Partitions",    ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_assignment[] = {
	/* name           type                        since until null   tag     default entity */
	F("ActiveTasks",  STRUCTS(response_task_ids), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("StandbyTasks", STRUCTS(response_task_ids), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("WarmupTasks",  STRUCTS(response_task_ids), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_member[] = {
	/* name               type                           since until null   tag     default entity */
	F("MemberId",         STRING,                        0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("MemberEpoch",      INT32,                         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("InstanceId",       STRING,                        0,    LAST, 0,     NO_TAG, "null", MEMBER),
	F("RackId",           STRING,                        0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("ClientId",         STRING,                        0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_ID),
	F("ClientHost",       STRING,                        0,    LAST, NEVER, NO_TAG, NULL,   CLIENT_HOST),
	F("TopologyEpoch",    INT32,                         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ProcessId",        STRING,                        0,    LAST, NEVER, NO_TAG, NULL,   PLAIN),
	F("UserEndpoint",     STRUCT(response_endpoint),     0,    LAST, 0,     NO_TAG, "null", NONE),
	F("ClientTags",       STRUCTS(response_client_tag),  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TaskOffsets",      STRUCTS(response_task_offset), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TaskEndOffsets",   STRUCTS(response_task_offset), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Assignment",       STRUCT(response_assignment),   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("TargetAssignment", STRUCT(response_assignment),   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("IsClassic",        BOOL,                          0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topology_description_node[] = {
	/* name           type           since until null   tag     default entity */
	F("Name",         STRING,        1,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("NodeType",     INT8,          1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("SourceTopics", ARRAY(STRING), 1,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("SinkTopic",    STRING,        1,    LAST, 1,     NO_TAG, "null", TOPIC_NAME),
	F("Stores",       ARRAY(STRING), 1,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Successors",   ARRAY(STRING), 1,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	END,
};

static const struct kp_field response_topology_description_subtopology[] = {
	/* name            type                                         since until null   tag     default entity */
	F("SubtopologyId", STRING,                                      1,    LAST, NEVER, NO_TAG, NULL,   STREAMS_NAME),
	F("Nodes",         STRUCTS(response_topology_description_node), 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topology_description_global_store[] = {
	/* name        type                                        since until null   tag     default entity */
	F("Source",    STRUCT(response_topology_description_node), 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Processor", STRUCT(response_topology_description_node), 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_topology_description[] = {
	/* name            type                                                 since until null   tag     default entity */
	F("Subtopologies", STRUCTS(response_topology_description_subtopology),  1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("GlobalStores",  STRUCTS(response_topology_description_global_store), 1,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_group[] = {
	/* name                        type                                   since until null   tag     default        entity */
	F("ErrorCode",                 INT16,                                 0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("ErrorMessage",              STRING,                                0,    LAST, 0,     NO_TAG, "null",        ERROR_TEXT),
	F("GroupId",                   STRING,                                0,    LAST, NEVER, NO_TAG, NULL,          GROUP_ID),
	F("GroupState",                STRING,                                0,    LAST, NEVER, NO_TAG, NULL,          PLAIN),
	F("GroupEpoch",                INT32,                                 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AssignmentEpoch",           INT32,                                 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("Topology",                  STRUCT(response_topology),             0,    LAST, 0,     NO_TAG, "null",        NONE),
	F("Members",                   STRUCTS(response_member),              0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("AuthorizedOperations",      INT32,                                 0,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
	F("TopologyDescription",       STRUCT(response_topology_description), 1,    LAST, 1,     NO_TAG, "null",        NONE),
	F("TopologyDescriptionStatus", INT8,                                  1,    LAST, NEVER, NO_TAG, "0",           NONE),
	F("AssignorName",              STRING,                                1,    LAST, 1,     NO_TAG, "null",        PLAIN),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                     since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                   0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Groups",         STRUCTS(response_group), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "StreamsGroupDescribeRequest",
	.api_key = 89,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "StreamsGroupDescribeResponse",
	.api_key = 89,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_streams_group_describe = {
	.name = "StreamsGroupDescribe",
	.key = 89,
	.request = &request,
	.response = &response,
};
