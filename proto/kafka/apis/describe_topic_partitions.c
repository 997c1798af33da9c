/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DescribeTopicPartitions (KIP-966): topics page by page, a cursor says where
 * to go on. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic[] = {
	/* name   type    since until null   tag     default entity */
	F("Name", STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	END,
};

static const struct kp_field request_cursor[] = {
	/* name             type    since until null   tag     default entity */
	F("TopicName",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionIndex", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                     type                    since until null   tag     default entity */
	F("Topics",                 STRUCTS(request_topic), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ResponsePartitionLimit", INT32,                  0,    LAST, NEVER, NO_TAG, "2000", NONE),
	F("Cursor",                 STRUCT(request_cursor), 0,    LAST, 0,     NO_TAG, "null", NONE),
	END,
};

static const struct kp_field response_partition[] = {
	/* name                     type          since until null   tag     default entity */
	F("ErrorCode",              INT16,        0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("PartitionIndex",         INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("LeaderId",               INT32,        0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("LeaderEpoch",            INT32,        0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("ReplicaNodes",           ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("IsrNodes",               ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	F("EligibleLeaderReplicas", ARRAY(INT32), 0,    LAST, 0,     NO_TAG, "null", NODE_ID),
	F("LastKnownElr",           ARRAY(INT32), 0,    LAST, 0,     NO_TAG, "null", NODE_ID),
	F("OfflineReplicas",        ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NODE_ID),
	END,
};

static const struct kp_field response_topic[] = {
	/* name                        type                         since until null   tag     default        entity */
	F("ErrorCode",                 INT16,                       0,    LAST, NEVER, NO_TAG, NULL,          ERROR_CODE),
	F("Name",                      STRING,                      0,    LAST, 0,     NO_TAG, NULL,          TOPIC_NAME),
	F("TopicId",                   UUID,                        0,    LAST, NEVER, NO_TAG, NULL,          TOPIC_ID),
	F("IsInternal",                BOOL,                        0,    LAST, NEVER, NO_TAG, "false",       NONE),
	F("Partitions",                STRUCTS(response_partition), 0,    LAST, NEVER, NO_TAG, NULL,          NONE),
	F("TopicAuthorizedOperations", INT32,                       0,    LAST, NEVER, NO_TAG, "-2147483648", NONE),
	END,
};

static const struct kp_field response_next_cursor[] = {
	/* name             type    since until null   tag     default entity */
	F("TopicName",      STRING, 0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_NAME),
	F("PartitionIndex", INT32,  0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name             type                          since until null   tag     default entity */
	F("ThrottleTimeMs", INT32,                        0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Topics",         STRUCTS(response_topic),      0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("NextCursor",     STRUCT(response_next_cursor), 0,    LAST, 0,     NO_TAG, "null", NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "DescribeTopicPartitionsRequest",
	.api_key = 75,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "DescribeTopicPartitionsResponse",
	.api_key = 75,
	.min_version = 0,
	.max_version = 0,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_describe_topic_partitions = {
	.name = "DescribeTopicPartitions",
	.key = 75,
	.request = &request,
	.response = &response,
};
