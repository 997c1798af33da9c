/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ConsumerGroupHeartbeat (KIP-848): null fields mean unchanged. Regular
 * expression since v1; there the client makes its own member id (KIP-1082).
 * @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_topic_partitions[] = {
	/* name         type          since until null   tag     default entity */
	F("TopicId",    UUID,         0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field request_fields[] = {
	/* name                   type                               since until null   tag     default entity */
	F("GroupId",              STRING,                            0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("MemberId",             STRING,                            0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("MemberEpoch",          INT32,                             0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("InstanceId",           STRING,                            0,    LAST, 0,     NO_TAG, "null", MEMBER),
	F("RackId",               STRING,                            0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("RebalanceTimeoutMs",   INT32,                             0,    LAST, NEVER, NO_TAG, "-1",   NONE),
	F("SubscribedTopicNames", ARRAY(STRING),                     0,    LAST, 0,     NO_TAG, "null", TOPIC_NAME),
	F("SubscribedTopicRegex", STRING,                            1,    LAST, 1,     NO_TAG, "null", PATTERN),
	F("ServerAssignor",       STRING,                            0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("TopicPartitions",      STRUCTS(request_topic_partitions), 0,    LAST, 0,     NO_TAG, "null", NONE),
	END,
};

static const struct kp_field response_topic_partitions[] = {
	/* name         type          since until null   tag     default entity */
	F("TopicId",    UUID,         0,    LAST, NEVER, NO_TAG, NULL,   TOPIC_ID),
	F("Partitions", ARRAY(INT32), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_assignment[] = {
	/* name              type                                since until null   tag     default entity */
	F("TopicPartitions", STRUCTS(response_topic_partitions), 0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	END,
};

static const struct kp_field response_fields[] = {
	/* name                  type                         since until null   tag     default entity */
	F("ThrottleTimeMs",      INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("ErrorCode",           INT16,                       0,    LAST, NEVER, NO_TAG, NULL,   ERROR_CODE),
	F("ErrorMessage",        STRING,                      0,    LAST, 0,     NO_TAG, "null", ERROR_TEXT),
	F("MemberId",            STRING,                      0,    LAST, 0,     NO_TAG, "null", MEMBER),
	F("MemberEpoch",         INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("HeartbeatIntervalMs", INT32,                       0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("Assignment",          STRUCT(response_assignment), 0,    LAST, 0,     NO_TAG, "null", NONE),
	END,
};
/* clang-format on */

static const struct kp_message request = {
	.name = "ConsumerGroupHeartbeatRequest",
	.api_key = 68,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ConsumerGroupHeartbeatResponse",
	.api_key = 68,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_consumer_group_heartbeat = {
	.name = "ConsumerGroupHeartbeat",
	.key = 68,
	.request = &request,
	.response = &response,
};
