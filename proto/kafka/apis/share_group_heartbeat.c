/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ShareGroupHeartbeat (KIP-932). v0 is the early access of 4.0. @thread any
 */
#include "proto/kafka/apis/apis.h"
#include "proto/kafka/apis/columns.h"

/* clang-format off */
static const struct kp_field request_fields[] = {
	/* name                   type           since until null   tag     default entity */
	F("GroupId",              STRING,        0,    LAST, NEVER, NO_TAG, NULL,   GROUP_ID),
	F("MemberId",             STRING,        0,    LAST, NEVER, NO_TAG, NULL,   MEMBER),
	F("MemberEpoch",          INT32,         0,    LAST, NEVER, NO_TAG, NULL,   NONE),
	F("RackId",               STRING,        0,    LAST, 0,     NO_TAG, "null", PLAIN),
	F("SubscribedTopicNames", ARRAY(STRING), 0,    LAST, 0,     NO_TAG, "null", TOPIC_NAME),
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
	.name = "ShareGroupHeartbeatRequest",
	.api_key = 76,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = request_fields,
};

static const struct kp_message response = {
	.name = "ShareGroupHeartbeatResponse",
	.api_key = 76,
	.min_version = 0,
	.max_version = 1,
	.flexible_since = 0,
	.fields = response_fields,
};

const struct kp_api kp_api_share_group_heartbeat = {
	.name = "ShareGroupHeartbeat",
	.key = 76,
	.request = &request,
	.response = &response,
};
